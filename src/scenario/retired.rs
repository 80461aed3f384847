//! Models that their providers retire before a run begins or while it goes on: they answer 404 from that day on, unless
//! the scenario says otherwise.

use std::sync::Arc;

use jiff::tz::TimeZone;

use crate::diagnostic::{Diagnostic, Severity, Span, codes};
use crate::gateway::litellm::plan::Plan;
use crate::gateway::litellm::wire::Wire;
use crate::pricing::{PriceBook, Retirement};
use crate::provider::{Deployment, ProviderModel};
use crate::scenario::deployments::{PriceTime, kept, models_behind, priced_model};
use crate::scenario::reading::Reading;
use crate::units::{DeploymentId, SimTime};

/// What is known of the end of one deployment's model.
#[derive(Debug, Clone)]
pub struct End {
    /// The model that is retired.
    model: String,
    known: Retirement,
    /// When, on the clock of the run; its start if the model was gone before.
    from: SimTime,
    /// Hours from the start of the run; below zero if the model was gone before.
    hours: f64,
    /// Whether other models behind the same pattern are still served.
    is_one_of_many: bool,
    /// Where the model is written in the gateway's config.
    file: Arc<str>,
    span: Span,
}

/// The ends that lie before the end of the run, for each deployment that the gateway keeps.
pub fn ends(wire: &Wire, file: &str, book: &PriceBook, time: &PriceTime, plan: &Plan) -> Vec<Option<End>> {
    let end = |(index, entry)| {
        let entry: &crate::gateway::litellm::wire::Deployment = entry;
        let span = entry.litellm_params.model.as_ref().map_or_else(Span::default, |model| model.span);
        let behind: Vec<String> =
            models_behind(entry, DeploymentId::from_index(index), &plan.names).map(|(_, model)| model).collect();
        let models = if behind.is_empty() { vec![priced_model(entry).to_owned()] } else { behind };
        let number = models.len();
        let retired = models.into_iter().filter_map(|model| {
            let known = book.retirement(&model, entry.provider)?;
            let hours = hours_until(&known, time)?;
            let from = SimTime::from_secs_f64((hours * 3600.0).max(0.0));
            (hours * 3600.0 < time.horizon.as_secs_f64()).then_some((model, known, from, hours))
        });
        let retired: Vec<_> = retired.collect();
        let is_one_of_many = retired.len() < number;
        // Behind a pattern the deployment is gone when the last of its models is.
        let (model, known, from, hours) = retired.into_iter().max_by_key(|(_, _, from, _)| *from)?;
        Some(End { model, known, from, hours, is_one_of_many, file: file.into(), span })
    };
    kept(wire).into_iter().enumerate().map(end).collect()
}

/// From the start of the run until the midnight (UTC) with which the day of retirement begins.
fn hours_until(known: &Retirement, time: &PriceTime) -> Option<f64> {
    let midnight = known.on.to_zoned(TimeZone::UTC).ok()?.timestamp();
    Some(midnight.duration_since(time.start).as_secs_f64() / 3600.0)
}

impl End {
    /// Lets the deployment answer 404 from then on, unless the scenario says when or where its model goes.
    pub fn apply(&self, reading: &mut Reading, name: &str, written: &ProviderModel, deployment: &mut Deployment) {
        if written.retired_from.is_some() || written.redirected.is_some() {
            return;
        }
        let goes_on = self.known.is_redirected || self.is_one_of_many;
        if !goes_on {
            deployment.retired_from = self.from;
            let (source, as_of) = (self.known.source.clone(), self.known.as_of.clone());
            reading.assume(&format!("upstream.{name}.retired_from"), self.known.on, &source, &as_of);
        }
        let finding = self.finding(name);
        reading.findings.push(finding);
    }

    fn finding(&self, name: &str) -> Diagnostic {
        let (model, on) = (&self.model, self.known.on);
        let (severity, what, help) = if self.known.is_redirected {
            let what = "the provider answers by that name with another model, which is billed at the prices since";
            (Severity::Note, what.to_owned(), "name the model that you mean")
        } else if self.is_one_of_many {
            let what = format!("`{name}` is a pattern with other models behind it, so that this is not simulated");
            (Severity::Warning, what, "give the model an entry of its own in `model_list`, or leave it out")
        } else {
            let help = "replace it by a model that is served; if it still answers, write `retired_from: never` under `upstream`";
            (Severity::Warning, format!("calls to `{name}` end in 404 {}", self.since()), help)
        };
        let message = format!("the provider retires `{model}` on {on}: {what}");
        let (file, help) = (self.file.clone(), Some(help.to_owned()));
        Diagnostic { code: codes::RETIRED_MODEL, severity, file, span: self.span, message, help }
    }

    fn since(&self) -> String {
        if self.hours <= 0.0 {
            "throughout the run".to_owned()
        } else {
            format!("from {:.1} hours after its start on", self.hours)
        }
    }
}
