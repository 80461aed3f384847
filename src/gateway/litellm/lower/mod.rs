//! From a config file to a [`Plan`]: defaults are filled in, names resolved, lists numbered.

mod deployments;
mod durations;
mod fallbacks;
mod keys;
mod lengths;
mod names;
mod pattern;
mod prices;
mod refusals;
mod request;
mod settings;

use crate::gateway::litellm::defaults;
use crate::gateway::litellm::kept::may_overflow;
use crate::gateway::litellm::keyring::Keyring;
use crate::gateway::litellm::plan::{Layer, Plan, Redis};
use crate::gateway::litellm::wire::{Mock, Wire};
use crate::gateway::parts::Minutes;

pub use durations::parse as period;
pub use pattern::fill as fill_pattern;
pub use prices::add_greatest;
pub use request::RequestParams;

use names::Names;
use prices::ModelMap;
use refusals::Refusals;

/// What a plan needs to know besides the config file.
#[derive(Debug, Clone, Default)]
pub struct Setting<'a> {
    /// Which part of the gateway is played.
    pub layer: Layer,
    /// Where calendar minutes begin.
    pub minutes: Minutes,
    /// Upper end of the retry jitter in seconds, instead of LiteLLM's.
    pub jitter_secs: Option<f64>,
    /// Names that clients send.
    pub models: &'a [&'a str],
    /// Bodies that clients send; `BodyId` is the index.
    pub bodies: &'a [RequestParams],
    /// Virtual keys, users and teams; none but the master key if not given.
    pub keys: Option<&'a Keyring>,
}

/// Compiles a config file.
pub fn lower(wire: &Wire, setting: &Setting<'_>) -> Plan {
    let mut names = Names::collect(wire, setting);
    let mut plan = Plan { layer: setting.layer, ..Plan::default() };
    plan.router = settings::router(wire, setting);
    plan.proxy = settings::proxy(wire);
    plan.redis = settings::redis(wire);
    let map = ModelMap::new(wire);
    let mut refusals = Refusals::new(wire, setting.bodies);
    deployments::add(wire, &map, &mut refusals, &mut plan, &mut names);
    names::resolve(wire, &mut plan, &names);
    plan.keys = keys::lower(setting.keys.unwrap_or(&Keyring::default()), &plan.names, wire);
    plan.proxy.has_key_limits = plan.keys.limits_any;
    prices::add_models_of_names(wire, &map, &mut refusals, &mut plan);
    prices::add_greatest(&mut plan);
    deployments::group_retry_policies(wire, &mut plan);
    fallbacks::add(wire, &mut plan, &names);
    plan.router.affinity = settings::affinity(wire, &names);
    names::share_answers(wire, &mut plan, &names);
    plan.bodies = setting.bodies.iter().map(|body| request::lower(body, &mut plan, &mut names)).collect();
    plan.proxy.refuses_bodies =
        plan.bodies.iter().any(|body| body.is_unread || body.is_mock || body.turned_away.is_some());
    plan.has_specific = plan.bodies.iter().any(|body| body.is_specific);
    plan.ends_calls = plan.bodies.iter().any(|body| body.unread_timeouts != [false; 2] || body.mock.is_on())
        || plan.deployments.iter().map(|entry| &entry.mock).any(Mock::is_on)
        || plan.customs.iter().any(|custom| custom.mock.is_on());
    plan.fails_groups = plan.bodies.iter().any(|body| body.mock.testing.is_on())
        || plan.customs.iter().any(|custom| custom.mock.testing.is_on());
    plan.refusals = refusals.rows;
    names::rename(wire, &mut plan, &names);
    plan.router.forgets = may_overflow(&plan);
    let entries = plan.keys.most_entries(plan.names.len());
    if plan.keys.limits_any && plan.redis != Redis::Proxy && entries > defaults::CACHE_ITEMS {
        plan.keys.forget();
    }
    plan
}
