//! The parameters of a request that the gateway itself reads.

use crate::gateway::litellm::body::time_out;
use crate::gateway::litellm::lower::fallbacks::override_of;
use crate::gateway::litellm::lower::names::Names;
use crate::gateway::litellm::lower::settings::retry_policy;
use crate::gateway::litellm::params::Asked;
use crate::gateway::litellm::plan::{Body, CacheControl, Layer, Plan};
use crate::gateway::litellm::policy::RetryPolicy;
use crate::gateway::litellm::wire;
use crate::gateway::litellm::wire::{Mock, OwnFallbacks};
use crate::units::{NameId, SimDuration};

/// The status for a model that the proxy does not know.
const UNKNOWN_MODEL: u16 = 400;
/// The status for whom the proxy does not let in.
const UNAUTHORIZED: u16 = 401;

/// What a request body says besides model and messages, and what its headers say.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RequestParams {
    /// `num_retries`, or the header `x-litellm-num-retries`.
    pub num_retries: Option<u32>,
    /// `timeout`, or the header `x-litellm-timeout`, in seconds.
    pub timeout: Option<f64>,
    /// `stream_timeout`, or the header, in seconds.
    pub stream_timeout: Option<f64>,
    /// Which of these two cannot be read as a number.
    pub unread_timeouts: [bool; 2],
    /// Which of these two are written as whole numbers.
    pub whole_timeouts: [bool; 2],
    /// `fallbacks`.
    pub fallbacks: Option<OwnFallbacks>,
    /// `context_window_fallbacks`.
    pub context_fallbacks: Option<OwnFallbacks>,
    /// `content_policy_fallbacks`.
    pub policy_fallbacks: Option<OwnFallbacks>,
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
    /// The model that is asked for, where its key has that name for another one.
    pub asked_as: Option<String>,
    /// `mock_response` and what belongs to it.
    pub mock: Mock,
    /// Its key lets it make up answers.
    pub may_mock: bool,
    /// It has settings of the router's: those of its key, or of its own.
    pub is_overridden: bool,
    /// Names in its fallbacks that the proxy looks up before anything else.
    pub checked_fallbacks: Vec<String>,
    /// It asks for failures that are made up.
    pub is_mock: bool,
    /// `specific_deployment: true`.
    pub is_specific: bool,
    /// The session that it belongs to.
    pub session: Option<String>,
    /// With which status the proxy turns it away.
    pub turned_away: Option<u16>,
    /// `cooldown_time`, in seconds.
    pub cooldown: Option<f64>,
    /// `allowed_model_region`, or that of its key.
    pub region: Option<String>,
    /// Its fallbacks are those of its key.
    pub is_key_fallbacks: bool,
}

/// Compiles one body.
pub(super) fn lower(params: &RequestParams, plan: &mut Plan, names: &mut Names) -> Body {
    let seconds = |secs: Option<f64>| secs.filter(|secs| *secs != 0.0).map(time_out);
    Body {
        num_retries: params.num_retries,
        timeout: seconds(params.timeout),
        stream_timeout: seconds(params.stream_timeout),
        fallbacks: override_of(params.fallbacks.as_ref(), 0, plan, names),
        context_fallbacks: override_of(params.context_fallbacks.as_ref(), 1, plan, names),
        policy_fallbacks: override_of(params.policy_fallbacks.as_ref(), 2, plan, names),
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
        mock: mock(params, plan),
        is_overridden: params.is_overridden,
        asked_as: params.asked_as.as_ref().and_then(|name| names.id(name)),
        turned_away: params
            .turned_away
            .or_else(|| params.checked_fallbacks.iter().find_map(|name| unserved(name, plan, names))),
        unread_timeouts: params.unread_timeouts,
        whole_timeouts: params.whole_timeouts,
        is_specific: params.is_specific,
        session: params.session.as_ref().map(|session| names.tag(session)),
        // Below zero it is passed over.
        cooldown: params.cooldown.map(|secs| SimDuration::from_secs_f64(secs.max(-1.0))),
        wants_format: params.asked.wants_format(),
        region: params.region.as_ref().map(|region| names.tag(region)),
        is_key_fallbacks: params.is_key_fallbacks,
    }
}

/// The status for a fallback that the proxy does not know [T 296], or of which all is blocked (from source only: the
/// error of the first kind has a status of its own, the other is one of the authentication).
fn unserved(name: &str, plan: &Plan, names: &Names) -> Option<u16> {
    let known = names.id(name).map(|id| plan.name(id)).filter(|name| name.is_known);
    match known {
        None => Some(UNKNOWN_MODEL),
        Some(name) => name.is_blocked.then_some(UNAUTHORIZED),
    }
}

/// The proxy drops the `mock_response` of a body, unless its key may have it, and the rest too unless it is told to
/// take it [T 235, 293].
fn mock(params: &RequestParams, plan: &Plan) -> Mock {
    let response = params.mock.response.filter(|_| params.may_mock);
    match plan.layer {
        Layer::Router => params.mock,
        Layer::Proxy if plan.proxy.takes_mocks => Mock { response, ..params.mock },
        Layer::Proxy => Mock { response, ..Mock::default() },
    }
}

fn group_policies(groups: &[(String, wire::RetryPolicy)], names: &Names) -> Box<[(NameId, RetryPolicy)]> {
    let named = |(group, policy): &(String, wire::RetryPolicy)| Some((names.id(group)?, retry_policy(policy)));
    groups.iter().filter_map(named).collect()
}
