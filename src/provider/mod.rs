//! How deployments answer: latency, errors, incidents, upstream rate limits, and what is billed.

mod answer;
mod attempt;
mod billing;
mod deployment;
mod ending;
mod fault;
mod gate;
mod gated;
mod levels;
mod limit_spec;
mod limits;
mod line;
mod luck;
mod providers;
mod script;
mod service;
mod spec;
mod timeline;
mod trouble_spec;
mod warm;
mod weather;
mod world;

pub use billing::{Billed, Billing};
pub use deployment::{CacheWrites, Cost, Deployment, Latency, LaterLatency, PromptCache};
pub use ending::Ending;
pub use fault::{BackgroundError, Effect, Fault};
pub use gate::{Bound, Gate, Refused};
pub use limit_spec::{ChargeSpec, LimitSpec, RefillSpec, Tier};
pub(crate) use limits::next_month;
pub use limits::{CallDemand, Counted, LimitError, Limits, Meter, Refill, TokenCharge};
pub use luck::{LUCK_KINDS, Luck};
pub use providers::{ProviderError, Providers, Trouble};
pub use script::{Answer, Kind, Rule, Script, ScriptedRequest, ScriptedUpstream, StreamUsage, When};
pub use service::{Service, UpstreamCall};
pub use spec::{BillingSpec, FaultSpec, LatencyParts, LatencySpec, PromptCacheSpec, ProviderModel, RedirectSpec};
pub use timeline::{Begin, Between, Renewal, Timeline, TimelineError, Window, Windows};
pub use trouble_spec::{BurstSpec, IncidentSpec, OutageSpec};
pub use world::{UpstreamWorld, occupies};

use crate::random::Here;
use crate::units::{Outcome, SimDuration, SimTime, Usage};

/// The upstream side of every attempt: a world of simulated providers in a forecast, a script in a trace.
pub trait Upstream {
    /// What is decided about a request before anyone sees it (true output length and the like).
    type Fate: Copy + Default;

    /// A call reaches a deployment: says how and when it would end if nobody interrupted it. `here` are the draws of
    /// the request that it is made for.
    fn serve(&mut self, now: SimTime, here: Here, call: &UpstreamCall, fate: &Self::Fate) -> Service;

    /// What a gateway that counts tokens by itself makes of the part of a stream that has come `elapsed` after its
    /// start.
    fn counted_part(&self, service: &Service, elapsed: SimDuration) -> Usage {
        service.usage_by(elapsed)
    }

    /// The answer to a call that is answered in full, as [`serve`](Self::serve) gives it, where nothing is remembered
    /// of it and it is billed as it is served, so that its end need not be told. `None` where anything else may be the
    /// case; then nothing has changed.
    fn answer(&mut self, now: SimTime, here: Here, call: &UpstreamCall, fate: &Self::Fate) -> Option<Service> {
        let _ = (now, here, call, fate);
        None
    }

    /// The call is over, by itself or because the gateway closed it after `elapsed`: says what the provider bills.
    fn ended(
        &mut self,
        now: SimTime,
        call: &UpstreamCall,
        service: &Service,
        outcome: Outcome,
        elapsed: SimDuration,
    ) -> Usage;
}
