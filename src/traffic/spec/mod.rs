//! Traffic as it is written in `models/traffic/*.yaml` and under a class in a scenario. Every field may be left out: a
//! class takes what it lacks from its preset.

mod lower;
mod parts;
mod short;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::random::{DistSpec, GapsSpec, ShapeSpec};
use crate::units::{Count, Growth, PerSecond, Seconds, Share};
pub use parts::{ExcitesSpec, LeavesSpec, OnOffSpec, RepeatsSpec, SessionSpec, Source, Spike, StopsSpec, WorkersSpec};
pub use short::{ClientsSpec, RetriesSpec};

/// What the requests of a class are like and when they come.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TrafficModel {
    /// What kind of traffic this is.
    pub about: Option<String>,
    /// Requests (sessions, where there are any) per time, averaged over a week: `40/min`.
    pub rate: Option<PerSecond>,
    /// Which hours are busy, by the scenario's clock.
    pub shape: Option<ShapeSpec>,
    /// How arrivals bunch.
    pub gaps: Option<GapsSpec>,
    /// Growth of the rate per week: `2%`.
    pub growth_per_week: Option<Growth>,
    /// A switch that makes the rate alternate.
    pub on_off: Option<OnOffSpec>,
    /// Requests that bring others along (a self-exciting process): `{ share: 60%, within: 30s }`.
    pub excites: Option<ExcitesSpec>,
    /// How many clients share the rate, and how unequally: `200`, or `{ count: 200, sigma: 2.1 }`.
    pub clients: Option<ClientsSpec>,
    /// Times at which more comes than usual.
    pub spikes: Option<Vec<Spike>>,
    /// Users in a loop, each waiting for its answer; in place of `rate`.
    pub workers: Option<WorkersSpec>,
    /// Conversations: `rate` then counts their starts.
    pub session: Option<SessionSpec>,
    /// Input tokens of a request.
    pub input: Option<DistSpec>,
    /// Output tokens of a complete answer; 0 for embeddings.
    pub output: Option<DistSpec>,
    /// Correlation of input and output lengths (Gaussian copula), -1 to 1.
    pub correlation: Option<f64>,
    /// Share of the output that is reasoning.
    pub reasoning: Option<DistSpec>,
    /// Tokens that all prompts begin with (system prompt, tools).
    pub prefix: Option<DistSpec>,
    /// Share of requests that ask for a stream.
    pub stream: Option<Share>,
    /// `max_tokens` that clients send.
    pub max_tokens: Option<Count>,
    /// Most tokens of input and output together.
    pub context: Option<Count>,
    /// Characters per token of the prompts.
    pub chars_per_token: Option<f64>,
    /// Word-for-word repetitions of earlier prompts.
    pub repeats: Option<RepeatsSpec>,
    /// Clients that give up after some time.
    pub leaves: Option<LeavesSpec>,
    /// Streaming clients that stop reading.
    pub stops_reading: Option<StopsSpec>,
    /// How long the clients' SDK waits for an answer, or for the beginning of a stream.
    pub timeout: Option<Seconds>,
    /// How the clients' SDK sends failed requests again: `2`, or a map.
    pub retries: Option<RetriesSpec>,
    /// Factor on the rate, drawn once per run: how wrong the volume estimate may be.
    pub volume: Option<DistSpec>,
    /// Where the numbers come from, by field.
    pub sources: BTreeMap<String, Source>,
}

macro_rules! or_else_field_by_field {
    ($own:ident, $base:ident, $($field:ident),+) => {
        TrafficModel { $($field: $own.$field.or($base.$field),)+ sources: merged($base.sources, $own.sources) }
    };
}

fn merged(mut base: BTreeMap<String, Source>, own: BTreeMap<String, Source>) -> BTreeMap<String, Source> {
    base.extend(own);
    base
}

impl TrafficModel {
    /// The first field that says when requests come, if any does.
    pub fn says_when(&self) -> Option<&'static str> {
        let fields = [
            ("rate", self.rate.is_some()),
            ("shape", self.shape.is_some()),
            ("gaps", self.gaps.is_some()),
            ("growth_per_week", self.growth_per_week.is_some()),
            ("on_off", self.on_off.is_some()),
            ("excites", self.excites.is_some()),
            ("clients", self.clients.is_some()),
            ("spikes", self.spikes.is_some()),
            ("workers", self.workers.is_some()),
            ("session", self.session.is_some()),
            ("repeats", self.repeats.is_some()),
        ];
        fields.iter().find(|(_, is_written)| *is_written).map(|(name, _)| *name)
    }

    /// The same without the fields that say when requests come: a trace does that.
    #[must_use]
    pub fn without_arrivals(self) -> Self {
        Self {
            rate: None,
            shape: None,
            gaps: None,
            growth_per_week: None,
            on_off: None,
            excites: None,
            clients: None,
            spikes: None,
            workers: None,
            session: None,
            repeats: None,
            ..self
        }
    }

    /// The preset without what cannot stand beside these fields.
    fn beside(&self, preset: Self) -> Self {
        let is_closed = self.workers.is_some() || self.session.is_some();
        let has_own_process = is_closed || self.excites.is_some() || self.clients.is_some() || self.on_off.is_some();
        let keep = |is_kept: bool| is_kept.then_some(());
        // Gaps that are written stand in place of whatever the preset has beside them.
        let bunches_itself = has_own_process || self.gaps.is_some();
        Self {
            rate: keep(self.workers.is_none()).and(preset.rate),
            gaps: keep(self.excites.is_none()).and(preset.gaps),
            on_off: keep(!bunches_itself).and(preset.on_off),
            excites: keep(!bunches_itself).and(preset.excites),
            clients: keep(!has_own_process).and(preset.clients),
            session: keep(!has_own_process || self.session.is_some()).and(preset.session),
            repeats: keep(!is_closed).and(preset.repeats),
            ..preset
        }
    }

    /// These fields, and the preset's where there are none.
    #[must_use]
    pub fn over(self, preset: Self) -> Self {
        let preset = self.beside(preset);
        or_else_field_by_field!(
            self,
            preset,
            about,
            rate,
            shape,
            gaps,
            growth_per_week,
            on_off,
            excites,
            clients,
            spikes,
            workers,
            session,
            input,
            output,
            correlation,
            reasoning,
            prefix,
            stream,
            max_tokens,
            context,
            chars_per_token,
            repeats,
            leaves,
            stops_reading,
            timeout,
            retries,
            volume
        )
    }
}
