//! What a request itself says: the parameters of its body and headers, compiled.

use crate::gateway::litellm::plan::ListId;
use crate::units::{NameId, SimDuration};

/// The parameters of a request that the gateway reads.
#[derive(Debug, Clone, Default)]
pub struct Body {
    /// `num_retries`, or the header.
    pub num_retries: Option<u32>,
    /// `timeout`, or the header.
    pub timeout: Option<SimDuration>,
    /// `stream_timeout`, or the header.
    pub stream_timeout: Option<SimDuration>,
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
}

/// A request's own fallbacks.
#[derive(Debug, Clone, Default)]
pub enum FallbackOverride {
    /// The configured ones.
    #[default]
    Configured,
    /// One list for every group [T 34].
    Flat(ListId),
    /// A list for some names.
    ByName(Vec<(NameId, ListId)>),
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
}
