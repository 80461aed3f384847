//! What the proxy server adds to the router, compiled.

use std::sync::Arc;

use crate::gateway::litellm::keyring::{AccountId, CountedTokens};
use crate::units::{SimDuration, SimTime};

/// Settings of the proxy server.
#[derive(Debug, Clone, Default)]
pub struct ProxyPlan {
    /// `litellm_settings.drop_params`: what OpenAI's handler refuses with 422 it calls again [T 221].
    pub drops_params: bool,
    /// The response cache.
    pub cache: Option<CachePlan>,
    /// `always_include_stream_usage: true`: streams of clients that refuse their usage are not asked for it.
    pub clients_choose_usage: bool,
    /// `cancel_on_disconnect`.
    pub cancel_on_disconnect: bool,
    /// Whether any key has a limit or a budget.
    pub has_key_limits: bool,
    /// `dangerously_allow_mock_testing_request_params`.
    pub takes_mocks: bool,
    /// Whether any body is answered by the proxy itself.
    pub refuses_bodies: bool,
    /// When budgets of keys, users and teams begin anew, in order of time.
    pub budget_resets: Vec<BudgetReset>,
    /// What limits of tokens count.
    pub counted_tokens: CountedTokens,
    /// `disable_budget_reservation`.
    pub no_reservation: bool,
    /// There is no database that would know what was spent.
    pub no_database: bool,
    /// `fail_closed_budget_enforcement`.
    pub fail_closed: bool,
    /// The same without a Redis to verify spend against: every request with a budget is answered 503.
    pub unverified_budgets: bool,
}

/// Budgets begin anew. Many have the same period: whose they are is kept once for all its ends.
#[derive(Debug, Clone)]
pub struct BudgetReset {
    /// When.
    pub at: SimTime,
    /// What was spent of them.
    pub accounts: Arc<[AccountId]>,
}

/// The response cache.
#[derive(Debug, Clone, Copy)]
pub struct CachePlan {
    /// How long an answer is kept.
    pub ttl: SimDuration,
    /// Only on request (`mode: default_off`).
    pub opt_in: bool,
    /// The most answers that are kept at the same time; a cache outside of the process has no such bound.
    pub capacity: Option<usize>,
    /// Whether it is outside of the process, so that all processes share it.
    pub shared: bool,
}
