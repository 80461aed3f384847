//! The parameters of one deployment.

use std::fmt;
use std::sync::Arc;

use crate::provider::billing::Billing;
use crate::provider::fault::BackgroundError;
use crate::random::Dist;
use crate::units::{LinearPrice, SimDuration, SimTime, Tokens, Usage};

/// How long answers take.
#[derive(Debug, Clone)]
pub enum Latency {
    /// The whole answer at once; streams begin after `first_token_share` of it.
    Total {
        /// Seconds until the complete answer.
        total_s: Dist,
        /// Part of the time until the first token of a stream, from 0 to 1.
        first_token_share: f64,
    },
    /// A time to the first token and a time for each further one.
    Paced {
        /// Seconds until output begins.
        first_token_s: Dist,
        /// Seconds per output token, reasoning included; drawn once per call.
        per_token_s: Dist,
    },
}

/// A provider's cache of prompt prefixes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PromptCache {
    /// A prefix is forgotten this long after its last use.
    pub ttl: SimDuration,
    /// Shorter prefixes are not kept.
    pub least_tokens: Tokens,
    /// Share of the calls with a warm prefix that do find it (others are routed to a cold machine).
    pub hit_share: f64,
    /// Which writes are billed apart.
    pub writes: CacheWrites,
}

/// How writing to a prompt cache is billed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CacheWrites {
    /// As plain input.
    Free,
    /// At the price of a write that lasts 5 minutes.
    #[serde(rename = "5m")]
    FiveMinutes,
    /// At the price of a write that lasts 1 hour.
    #[serde(rename = "1h")]
    OneHour,
}

/// How one deployment answers. Made with [`Deployment::new`], then adjusted field by field.
#[derive(Debug, Clone)]
pub struct Deployment {
    /// Names the deployment in the addresses of draws: a hash of its name, so that adding others changes nothing here.
    pub address: u32,
    /// How long answers take.
    pub latency: Latency,
    /// How long they take when another model answers.
    pub later: Option<Box<LaterLatency>>,
    /// Seconds until an error answer.
    pub error_s: Dist,
    /// Errors that hit each call alike.
    pub errors: Vec<BackgroundError>,
    /// Troubles that touch it: indices into the world's list.
    pub troubles: Vec<usize>,
    /// Rate limits that it shares: an index into the world's list.
    pub limits: Option<usize>,
    /// Limits of the whole account: an index into the same list.
    pub account: Option<usize>,
    /// What calls cost, for limits on spend.
    pub cost: Cost,
    /// What is billed for calls that do not end well.
    pub billing: Billing,
    /// The provider's prompt cache.
    pub prompt_cache: Option<PromptCache>,
    /// Input that does not leave room in this many tokens is refused as too long.
    pub context_tokens: Option<Tokens>,
    /// Output tokens in one piece of a stream.
    pub tokens_per_chunk: u32,
    /// From this moment on every call is answered 401.
    pub unauthorized_from: SimTime,
    /// From this moment on every call is answered 404.
    pub retired_from: SimTime,
}

/// US dollars for usage at a moment.
type DollarsFor = dyn Fn(SimTime, &Usage) -> f64 + Send + Sync;

/// Picodollars in a dollar.
const PICOS: f64 = 1e12;

/// What usage costs at a moment, in US dollars, for limits on spend: the prices stand a floor above the providers.
#[derive(Clone, Default)]
pub struct Cost {
    /// What most calls cost, wherever it is this simple: asked for without leaving the line of memory.
    linear: Option<LinearPrice>,
    all: Option<Arc<DollarsFor>>,
}

impl Cost {
    /// Asks this function, unless the call is one for which this price always holds.
    pub fn new(linear: Option<LinearPrice>, cost: impl Fn(SimTime, &Usage) -> f64 + Send + Sync + 'static) -> Self {
        Self { linear, all: Some(Arc::new(cost)) }
    }

    /// What usage costs; nothing where no price is known.
    #[inline(always)]
    pub fn of(&self, at: SimTime, usage: &Usage) -> f64 {
        match self.linear.and_then(|linear| linear.picos(usage)) {
            Some(picos) => picos as f64 / PICOS,
            None => self.ask(at, usage),
        }
    }

    #[inline(never)]
    fn ask(&self, at: SimTime, usage: &Usage) -> f64 {
        self.all.as_ref().map_or(0.0, |cost| cost(at, usage))
    }
}

impl fmt::Debug for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.all.is_some() { "Cost(priced)" } else { "Cost(none)" })
    }
}

/// Another model's latency, from some moment on.
#[derive(Debug, Clone)]
pub struct LaterLatency {
    /// From when.
    pub from: SimTime,
    /// How long its answers take.
    pub latency: Latency,
}

impl Deployment {
    /// How long answers take at a moment.
    #[inline(always)]
    pub fn latency_at(&self, now: SimTime) -> &Latency {
        match &self.later {
            Some(later) if now >= later.from => &later.latency,
            _ => &self.latency,
        }
    }

    /// Whether anything limits it.
    #[inline(always)]
    pub const fn has_gates(&self) -> bool {
        self.limits.is_some() || self.account.is_some()
    }

    /// Whether nothing is remembered of its calls, and none is too long for it.
    #[inline(always)]
    pub const fn is_simple(&self) -> bool {
        !self.has_gates() && self.prompt_cache.is_none() && self.context_tokens.is_none()
    }

    /// What limits it: indices into the world's list.
    pub fn gates(&self) -> impl Iterator<Item = usize> + use<> {
        self.limits.into_iter().chain(self.account)
    }

    /// A deployment that never fails.
    pub fn new(address: u32, latency: Latency, error_s: Dist) -> Self {
        Self {
            address,
            latency,
            later: None,
            error_s,
            errors: Vec::new(),
            troubles: Vec::new(),
            limits: None,
            account: None,
            cost: Cost::default(),
            billing: Billing::default(),
            prompt_cache: None,
            context_tokens: None,
            tokens_per_chunk: 1,
            unauthorized_from: SimTime::NEVER,
            retired_from: SimTime::NEVER,
        }
    }
}
