//! The parameters of a request that the gateway itself reads.

use crate::gateway::litellm::body::time_out;
use crate::gateway::litellm::lower::fallbacks::{Entry, find_exact, find_with_generic, list, numbered};
use crate::gateway::litellm::lower::names::Names;
use crate::gateway::litellm::lower::settings::retry_policy;
use crate::gateway::litellm::params::Asked;
use crate::gateway::litellm::plan::{Body, CacheControl, CustomTarget, FallbackOverride, ListId, Name, Plan};
use crate::gateway::litellm::policy::RetryPolicy;
use crate::gateway::litellm::wire;
use crate::units::{NameId, SimDuration};

/// What a request body says besides model and messages, and what its headers say.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RequestParams {
    /// `num_retries`, or the header `x-litellm-num-retries`.
    pub num_retries: Option<u32>,
    /// `timeout`, or the header `x-litellm-timeout`, in seconds.
    pub timeout: Option<f64>,
    /// `stream_timeout`, or the header, in seconds.
    pub stream_timeout: Option<f64>,
    /// `fallbacks`.
    pub fallbacks: Option<RequestFallbacks>,
    /// `context_window_fallbacks`.
    pub context_fallbacks: Option<RequestFallbacks>,
    /// `content_policy_fallbacks`.
    pub policy_fallbacks: Option<RequestFallbacks>,
    /// `disable_fallbacks`.
    pub disable_fallbacks: bool,
    /// `max_fallbacks`.
    pub max_fallbacks: Option<i64>,
    /// Tags of the request.
    pub tags: Vec<String>,
    /// `cache`.
    pub cache: CacheControl,
    /// `n`.
    pub n: Option<u32>,
    /// Parameters that a provider may not take.
    pub asked: Asked,
    /// Tells bodies apart that the response cache keeps apart.
    pub cache_class: u32,
    /// `stream_options.include_usage`.
    pub usage: Option<bool>,
    /// Whether there are `stream_options`.
    pub has_stream_options: bool,
    /// `model_group_retry_policy`: the policies of some groups; of none where it is `null`.
    pub group_policies: Option<Vec<(String, wire::RetryPolicy)>>,
    /// A header that must be a number is none.
    pub is_unread: bool,
    /// It asks for failures that are made up.
    pub is_mock: bool,
    /// With which status the proxy turns it away.
    pub turned_away: Option<u16>,
    /// `cooldown_time`, in seconds.
    pub cooldown: Option<f64>,
    /// `allowed_model_region`, or that of its key.
    pub region: Option<String>,
    /// Its fallbacks are those of its key.
    pub is_key_fallbacks: bool,
}

/// Names of fallback targets, some with parameters of their own.
pub type TargetList = Vec<(String, Option<CustomTarget>)>;

/// Fallbacks that a request brings along. A target may have parameters of its own.
#[derive(Debug, Clone, PartialEq)]
pub enum RequestFallbacks {
    /// A list of targets for every group.
    Flat(TargetList),
    /// A list for each of some groups.
    ByName(Vec<(String, TargetList)>),
    /// `null`: there are none, whatever is configured.
    Nothing,
}

impl RequestFallbacks {
    /// The names of all targets.
    pub fn models(&self) -> impl Iterator<Item = &str> {
        self.targets().map(|(model, _)| model.as_str())
    }

    /// The `num_retries` of the targets that have some.
    pub fn retries(&self) -> impl Iterator<Item = u32> {
        self.targets().filter_map(|(_, custom)| custom.as_ref()?.num_retries?)
    }

    /// How many targets it has, in all its lists.
    pub fn size(&self) -> usize {
        self.targets().count()
    }

    fn targets(&self) -> impl Iterator<Item = &(String, Option<CustomTarget>)> {
        let (flat, by_name) = match self {
            Self::Flat(targets) => (targets.as_slice(), [].as_slice()),
            Self::ByName(lists) => ([].as_slice(), lists.as_slice()),
            Self::Nothing => ([].as_slice(), [].as_slice()),
        };
        flat.iter().chain(by_name.iter().flat_map(|(_, targets)| targets))
    }
}

/// Compiles one body.
pub(super) fn lower(params: &RequestParams, plan: &mut Plan, names: &mut Names) -> Body {
    let seconds = |secs: Option<f64>| secs.filter(|secs| *secs != 0.0).map(time_out);
    Body {
        num_retries: params.num_retries,
        timeout: seconds(params.timeout),
        stream_timeout: seconds(params.stream_timeout),
        fallbacks: own(params.fallbacks.as_ref(), find_with_generic, plan, names),
        context_fallbacks: own(params.context_fallbacks.as_ref(), find_exact, plan, names),
        policy_fallbacks: own(params.policy_fallbacks.as_ref(), find_exact, plan, names),
        disable_fallbacks: params.disable_fallbacks,
        max_fallbacks: params.max_fallbacks,
        tags: params.tags.iter().map(|tag| names.tag(tag)).collect(),
        cache: params.cache,
        n: params.n.unwrap_or(1),
        client_side_timeout: params.timeout.is_some() || params.stream_timeout.is_some(),
        cache_class: params.cache_class,
        usage: params.usage,
        has_stream_options: params.has_stream_options,
        group_policies: params.group_policies.as_ref().map(|groups| group_policies(groups, names)),
        is_unread: params.is_unread,
        is_mock: params.is_mock && !plan.proxy.takes_mocks,
        turned_away: params.turned_away,
        // Below zero it is passed over.
        cooldown: params.cooldown.map(|secs| SimDuration::from_secs_f64(secs.max(-1.0))),
        wants_format: params.asked.wants_format(),
        region: params.region.as_ref().map(|region| names.tag(region)),
        is_key_fallbacks: params.is_key_fallbacks,
    }
}

fn group_policies(groups: &[(String, wire::RetryPolicy)], names: &Names) -> Box<[(NameId, RetryPolicy)]> {
    let named = |(group, policy): &(String, wire::RetryPolicy)| Some((names.id(group)?, retry_policy(policy)));
    groups.iter().filter_map(named).collect()
}

/// How a name finds its list in a map.
type Find = fn(&[(String, ListId)], &str) -> Option<ListId>;

fn own(fallbacks: Option<&RequestFallbacks>, find: Find, plan: &mut Plan, names: &Names) -> FallbackOverride {
    match fallbacks {
        None => FallbackOverride::Configured,
        Some(RequestFallbacks::Nothing) => FallbackOverride::Nothing,
        Some(RequestFallbacks::Flat(targets)) => FallbackOverride::Flat(list(&borrowed(targets), plan, names)),
        Some(RequestFallbacks::ByName(lists)) => {
            let entries: Vec<Entry<'_>> =
                lists.iter().map(|(group, targets)| Entry { group, targets: borrowed(targets) }).collect();
            let map = numbered(&entries, plan, names);
            let of_name =
                |(index, name): (usize, &Name)| find(&map, &name.text).map(|list| (NameId::from_index(index), list));
            FallbackOverride::ByName(plan.names.iter().enumerate().filter_map(of_name).collect())
        }
    }
}

fn borrowed(targets: &[(String, Option<CustomTarget>)]) -> Vec<(&str, Option<CustomTarget>)> {
    targets.iter().map(|(model, custom)| (model.as_str(), *custom)).collect()
}
