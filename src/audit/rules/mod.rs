//! The rules, in the order of their codes. To add one: a file here, a code in `diagnostic/codes.rs`, a line below.

mod client_retries;
mod fallback_upward;
mod lone_deployment;
mod no_budget;
mod no_cache;
mod patience;
mod retired_model;
mod retried_limits;
mod retries_multiply;
mod same_provider;
mod unpriced_model;

use crate::audit::Rule;

/// All rules.
pub const RULES: &[Rule] = &[
    fallback_upward::RULE,
    retries_multiply::RULE,
    no_budget::RULE,
    same_provider::RULE,
    unpriced_model::RULE,
    retired_model::RULE,
    lone_deployment::RULE,
    no_cache::RULE,
    client_retries::RULE,
    patience::RULE,
    retried_limits::RULE,
];
