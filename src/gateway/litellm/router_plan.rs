//! Settings of the router, compiled: they hold for every group.

use crate::gateway::litellm::defaults;
use crate::gateway::litellm::plan::{Affinity, Budget, Strategy};
use crate::gateway::litellm::policy::{FailsPolicy, RetryPolicy};
use crate::gateway::parts::{Backoff, Minutes};
use crate::units::SimDuration;

/// Settings that hold for every group.
#[derive(Debug, Clone)]
pub struct RouterPlan {
    /// How a deployment is picked.
    pub strategy: Strategy,
    /// The same for each of `routing_groups` [T 276].
    pub group_strategies: Vec<Strategy>,
    /// Whether any of these is usage-based-routing-v2, which then counts every call.
    pub uses_v2: bool,
    /// `ttl` of usage-based routing: that of v1, and of v2.
    pub minute_lives: [SimDuration; 2],
    /// Retries within a group.
    pub num_retries: u32,
    /// Depth of nested fallbacks.
    pub max_fallbacks: i64,
    /// Retries by class of failure.
    pub retry_policy: Option<RetryPolicy>,
    /// The pauses between retries.
    pub backoff: Backoff,
    /// When a deployment rests, and how long.
    pub cooldown: CooldownPlan,
    /// Whether regular fallbacks are configured at all.
    pub has_fallbacks: bool,
    /// Whether fallbacks for long prompts are configured at all: then they are the only ones for such failures.
    pub has_context_fallbacks: bool,
    /// The same for refused content.
    pub has_policy_fallbacks: bool,
    /// Other deployments of a group are tried before its fallbacks.
    pub weighted_failover: bool,
    /// `enable_pre_call_checks`.
    pub pre_call_checks: bool,
    /// `optional_pre_call_checks: [enforce_model_rate_limits]`.
    pub enforce_rate_limits: bool,
    /// Which checks lead requests to where they were served before, if any do.
    pub affinity: Option<Affinity>,
    /// `enable_tag_filtering`, and whether one matching tag is enough.
    pub tags: Option<TagMatch>,
    /// Whether requests and tokens of the calendar minute are counted.
    pub counts_minutes: bool,
    /// Calendar minutes.
    pub minutes: Minutes,
    /// Whether any deployment has a `weight`, `rpm` or `tpm` that simple-shuffle weighs by.
    pub is_weighted: bool,
    /// Whether the router's cache may have to forget something before its time, for want of room.
    pub forgets: bool,
    /// Whether any deployment has a budget, or its provider.
    pub has_budgets: bool,
    /// Budgets of providers.
    pub provider_budgets: Vec<Budget>,
}

/// How request tags and deployment tags are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TagMatch {
    /// One common tag is enough.
    Any,
    /// The deployment must have all of the request's.
    All,
}

/// When a deployment rests.
#[derive(Debug, Clone)]
pub struct CooldownPlan {
    /// `disable_cooldowns`.
    pub disabled: bool,
    /// The router's cooldown time.
    pub span: SimDuration,
    /// Failures that are allowed, where failures are counted.
    pub allowed: i64,
    /// The same by class of failure.
    pub policy: Option<FailsPolicy>,
    /// Failures are counted; otherwise a deployment rests by its share of failures. Only a number that differs from
    /// `litellm.allowed_fails`, or a policy, switches to counting [T 51–53].
    pub counts_failures: bool,
}

impl Default for RouterPlan {
    fn default() -> Self {
        Self {
            strategy: Strategy::SimpleShuffle,
            group_strategies: Vec::new(),
            uses_v2: false,
            minute_lives: [defaults::MINUTE_LIFE; 2],
            num_retries: defaults::NUM_RETRIES,
            max_fallbacks: defaults::MAX_FALLBACKS,
            retry_policy: None,
            backoff: defaults::BACKOFF,
            cooldown: CooldownPlan {
                disabled: false,
                span: defaults::COOLDOWN,
                allowed: defaults::ALLOWED_FAILS,
                policy: None,
                counts_failures: false,
            },
            has_fallbacks: false,
            has_context_fallbacks: false,
            has_policy_fallbacks: false,
            weighted_failover: false,
            pre_call_checks: false,
            enforce_rate_limits: false,
            affinity: None,
            tags: None,
            counts_minutes: false,
            minutes: Minutes::default(),
            is_weighted: false,
            forgets: false,
            has_budgets: false,
            provider_budgets: Vec::new(),
        }
    }
}

/// A fallback inside the attempts of a deployment.
#[derive(Debug, Clone, Copy)]
pub struct Inside {
    /// Its row of the plan's `refusals`.
    pub refusals: u32,
    /// LiteLLM cannot tell the provider of its model.
    pub is_unplaced: bool,
}
