//! LiteLLM 1.102.4's own defaults. The place in its source stands beside each.

use crate::gateway::parts::Backoff;
use crate::units::SimDuration;

/// Name of the behaviour that is modelled here.
pub const PROFILE: &str = "litellm-1.102";

/// Retries within a group: `openai.DEFAULT_MAX_RETRIES` (`router.py:__init__`) [T 02].
pub const NUM_RETRIES: u32 = 2;
/// Depth of nested fallbacks: `constants.py:ROUTER_MAX_FALLBACKS` [T 24, 25].
pub const MAX_FALLBACKS: i64 = 5;
/// Fallbacks of fallbacks that fit onto Python's stack of 1,000 frames, three each. Measured over sockets, in
/// the proxy and the router alike, with and without retries and streams: 318; a transport that needs less of
/// the stack gets one more.
pub const DEEPEST_FALLBACK: usize = 318;
/// `litellm.allowed_fails`: at this value the counter of allowed failures is not used [T 52].
pub const ALLOWED_FAILS: i64 = 3;
/// `constants.py:DEFAULT_COOLDOWN_TIME_SECONDS`; also what 0 means [T 109].
pub const COOLDOWN: SimDuration = SimDuration::from_secs(5);
/// `constants.py:DEFAULT_REQUEST_TIMEOUT_SECONDS` [T 113].
pub const TIMEOUT: SimDuration = SimDuration::from_secs(6000);
/// `utils.py:_calculate_retry_after` and `constants.py` (`INITIAL_RETRY_DELAY`,
/// `MAX_RETRY_DELAY`, `JITTER`) [T 01, 07].
pub const BACKOFF: Backoff =
    Backoff { initial_secs: 0.5, longest_secs: 8.0, least_secs: 0.0, jitter_secs: 0.75, obeyed_secs: 60 };
/// Life time of the counters of failures and successes (`router_callbacks/track_deployment_metrics.py`).
pub const OUTCOME_WINDOW: SimDuration = SimDuration::from_secs(60);
/// Least traffic for the percent rule (`constants.py:DEFAULT_FAILURE_THRESHOLD_MINIMUM_REQUESTS`) [T 50].
pub const PERCENT_RULE_TRAFFIC: u64 = 5;
/// Least traffic for a trip when everything failed (`SINGLE_DEPLOYMENT_TRAFFIC_FAILURE_THRESHOLD`).
pub const ALL_FAILED_TRAFFIC: u64 = 1000;
/// Window of the pick counter of `enable_pre_call_checks` (`router.py:_update_usage`) [T 90].
pub const PICK_WINDOW: SimDuration = SimDuration::from_secs(60);
/// Life of a cached answer: that of the in-memory cache (`caching/in_memory_cache.py`).
pub const CACHE_LIFE: SimDuration = SimDuration::from_secs(600);
/// Life of a deployment's semaphore for parallel calls, from its first use: the router cache's default
/// (`router_utils/client_initalization_utils.py` gives none).
pub const SEMAPHORE_LIFE: SimDuration = SimDuration::from_secs(600);
/// Life of the counts of a calendar minute (`RoutingArgs.ttl` of usage-based routing and of enforced limits) [T 290].
pub const MINUTE_LIFE: SimDuration = SimDuration::from_secs(60);
/// Life of least-busy's counters of calls in flight (`IN_FLIGHT_COUNT_TTL_SECONDS`).
pub const IN_FLIGHT_LIFE: SimDuration = SimDuration::from_secs(3600);
/// Window of key limits (`hooks/parallel_request_limiter_v3.py`) [T 160].
pub const KEY_WINDOW: SimDuration = SimDuration::from_secs(60);
/// What a limit that is used up tells the caller to wait, in seconds.
pub const LIMIT_RETRY_AFTER_SECS: i64 = 60;

/// Answers that the response cache in memory keeps (`InMemoryCache`, `DEFAULT_MAX_SIZE_IN_MEMORY`; from source only).
pub const CACHE_ITEMS: usize = 200;

/// Failures of a deployment in a minute from which on limits of the kind `dynamic` do not hold yet
/// (`DYNAMIC_RATE_LIMIT_ERROR_THRESHOLD_PER_MINUTE`) [T 236].
pub const DYNAMIC_LIMIT_FAILS: u64 = 1;

/// How long a key or a session stays at a deployment (`deployment_affinity_ttl_seconds`).
pub const AFFINITY_LIFE: SimDuration = SimDuration::from_secs(3600);
