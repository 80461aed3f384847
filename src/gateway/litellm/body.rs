//! What a request itself says: the parameters of its body and headers, compiled.

use crate::gateway::litellm::plan::ListId;
use crate::gateway::litellm::policy::RetryPolicy;
use crate::gateway::litellm::wire::{FallbackTarget, Mock};
use crate::units::{NameId, SimDuration, Tokens};

/// The parameters of a request that the gateway reads.
#[derive(Debug, Clone, Default)]
pub struct Body {
    /// `num_retries`, or the header.
    pub num_retries: Option<u32>,
    /// `timeout`, or the header.
    pub timeout: Option<SimDuration>,
    /// `stream_timeout`, or the header.
    pub stream_timeout: Option<SimDuration>,
    /// Which of these two cannot be read as a number: the call fails before it is made [T 273].
    pub unread_timeouts: [bool; 2],
    /// Which of these two are whole numbers: a `mock_timeout` does not wait for them [T 277].
    pub whole_timeouts: [bool; 2],
    /// The name that it asks for, where its key, or its team, has that for another one.
    pub asked_as: Option<NameId>,
    /// An answer that is made up: the bare router takes that from bodies [T 281].
    pub mock: Mock,
    /// `specific_deployment: true`: the model is that of a deployment, whatever groups are called [T 270].
    pub is_specific: bool,
    /// The session that it belongs to, interned [T 269].
    pub session: Option<u32>,
    /// `fallbacks`.
    pub fallbacks: FallbackOverride,
    /// `context_window_fallbacks`.
    pub context_fallbacks: FallbackOverride,
    /// `content_policy_fallbacks`.
    pub policy_fallbacks: FallbackOverride,
    /// `disable_fallbacks`.
    pub disable_fallbacks: bool,
    /// `max_fallbacks`.
    pub max_fallbacks: Option<i64>,
    /// Tags of the request, interned.
    pub tags: Box<[u32]>,
    /// What the request asks of the response cache.
    pub cache: CacheControl,
    /// Completions that are asked for.
    pub n: u32,
    /// The request came with a timeout of its own, in its body or a header: a 408 is then not held against a fallback's
    /// deployment.
    pub client_side_timeout: bool,
    /// Tells bodies apart that the response cache keeps apart.
    pub cache_class: u32,
    /// `stream_options.include_usage`.
    pub usage: Option<bool>,
    /// Whether there are `stream_options`.
    pub has_stream_options: bool,
    /// `model_group_retry_policy`, in place of the router's.
    pub group_policies: Option<Box<[(NameId, RetryPolicy)]>>,
    /// A header cannot be read: the proxy answers 500 before it asks for limits [T 235].
    pub is_unread: bool,
    /// It has settings of the router's, its own or those of its key: the proxy does not look up its model then [T 295].
    pub is_overridden: bool,
    /// It asks for failures that are made up: the proxy answers 400 after that [T 235].
    pub is_mock: bool,
    /// The proxy answers with this before it asks for anything else: to a key that has expired, or a body that it
    /// takes from nobody [T 262].
    pub turned_away: Option<u16>,
    /// `cooldown_time`: how long a deployment rests that it sends to rest [T 261].
    pub cooldown: Option<SimDuration>,
    /// It asks for a `response_format`: pre-call checks leave out what takes none [T 266].
    pub wants_format: bool,
    /// `allowed_model_region`, interned: they leave out what is elsewhere [T 266].
    pub region: Option<u32>,
    /// Its fallbacks are those of its key, which count at limits as well [T 262].
    pub is_key_fallbacks: bool,
}

/// A request's own fallbacks.
#[derive(Debug, Clone, Default)]
pub enum FallbackOverride {
    /// The configured ones.
    #[default]
    Configured,
    /// None: `null`.
    Nothing,
    /// One list for every group [T 34].
    Flat(ListId),
    /// A list for some names.
    ByName(Vec<(NameId, ListId)>),
}

impl FallbackOverride {
    /// Whether there are fallbacks at all, where some are configured or none.
    pub const fn is_set(&self, configured: bool) -> bool {
        match self {
            Self::Configured => configured,
            Self::Nothing => false,
            Self::Flat(_) | Self::ByName(_) => true,
        }
    }
}

/// What a request asks of the response cache.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct CacheControl {
    /// `ttl` of what is stored, in time.
    pub ttl: Option<SimDuration>,
    /// `s-maxage`: greatest age that is accepted.
    pub max_age: Option<SimDuration>,
    /// `no-cache`: do not read.
    pub no_read: bool,
    /// `no-store`: do not write.
    pub no_write: bool,
    /// `use-cache`: opt in.
    pub opt_in: bool,
    /// `cache_key`: what is kept under it is any request's that says the same key, whatever it asks for.
    pub own_key: bool,
    /// `cache` is no map: where responses are cached, its lookup fails [T 228].
    pub breaks: bool,
}

/// The parameters of a fallback entry that the gateway reads: they stand in place of those of the request, for this
/// target and all that follow it (`run_async_fallback`: one map of parameters goes from target to target) [T 223].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CustomTarget {
    /// `num_retries`; `null` takes the request's own away, and so it is with the others [T 238].
    pub num_retries: Option<Option<u32>>,
    /// `timeout`; 0 says as much as `null`.
    pub timeout: Option<Option<SimDuration>>,
    /// `request_timeout`: only where nobody says `timeout`.
    pub request_timeout: Option<Option<SimDuration>>,
    /// `stream_timeout`.
    pub stream_timeout: Option<Option<SimDuration>>,
    /// `disable_fallbacks`.
    pub disable_fallbacks: Option<bool>,
    /// `max_tokens`.
    pub max_tokens: Option<Option<Tokens>>,
    /// Its own fallbacks: regular ones, those for long prompts, those for refused content [T 267].
    pub fallbacks: [Option<OverrideId>; 3],
    /// An answer that is made up [T 268].
    pub mock: Mock,
}

/// Index of fallbacks that an entry brings along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OverrideId(pub u32);

impl CustomTarget {
    /// The parameters of an entry, without its fallbacks.
    pub fn of(target: &FallbackTarget) -> Self {
        let seconds = |said: Option<Option<f64>>| said.map(|secs| secs.filter(|secs| *secs != 0.0).map(time_out));
        let retries = |n: i64| u32::try_from(n.max(0)).unwrap_or(u32::MAX);
        Self {
            num_retries: target.num_retries.map(|said| said.map(retries)),
            timeout: seconds(target.timeout),
            request_timeout: seconds(target.request_timeout),
            stream_timeout: seconds(target.stream_timeout),
            disable_fallbacks: target.disable_fallbacks,
            max_tokens: target.max_tokens.map(|said| said.and_then(|n| Tokens::try_from(n).ok())),
            fallbacks: [None; 3],
            mock: target.mock,
        }
    }

    /// These parameters, and where they say nothing those of an entry before.
    #[must_use]
    pub fn after(self, before: Self) -> Self {
        Self {
            num_retries: self.num_retries.or(before.num_retries),
            timeout: self.timeout.or(before.timeout),
            request_timeout: self.request_timeout.or(before.request_timeout),
            stream_timeout: self.stream_timeout.or(before.stream_timeout),
            disable_fallbacks: self.disable_fallbacks.or(before.disable_fallbacks),
            max_tokens: self.max_tokens.or(before.max_tokens),
            fallbacks: std::array::from_fn(|kind| self.fallbacks[kind].or(before.fallbacks[kind])),
            mock: self.mock.after(before.mock),
        }
    }
}

/// A timeout of so many seconds: one below zero has run out at once.
pub(in crate::gateway::litellm) fn time_out(secs: f64) -> SimDuration {
    SimDuration::from_secs_f64(secs.max(0.0))
}
