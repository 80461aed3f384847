//! `router_settings`, `litellm_settings` and `general_settings`.

use crate::diagnostic::Severity;
use crate::diagnostic::codes;
use crate::document::{Decimal, Node, Value};
use crate::gateway::litellm::wire::fallbacks::Fallbacks;
use crate::gateway::litellm::wire::value::{FromNode, Named, Present, Reader, Secret, Spanned, section, spanned};
use crate::units::Money;

section! {
    /// `router_settings`: the arguments of `Router.__init__` that change cost or failures.
    RouterSettings in RouterSettings {
        /// How a deployment is picked.
        routing_strategy: String,
        /// Its arguments.
        routing_strategy_args: StrategyArgs,
        /// Groups with a strategy of their own.
        routing_groups: Vec<Spanned<RoutingGroup>>,
        /// Retries within a group.
        num_retries: i64,
        /// Depth of nested fallbacks.
        max_fallbacks: i64,
        /// Longest gap between bytes, in seconds.
        timeout: f64,
        /// The same for streams.
        stream_timeout: f64,
        /// Least pause before a retry, in seconds.
        retry_after: f64,
        /// Retries by kind of error.
        retry_policy: RetryPolicy,
        /// The same for single groups.
        model_group_retry_policy: Named<RetryPolicy>,
        /// Failures before a deployment rests.
        allowed_fails: i64,
        /// The same by kind of error.
        allowed_fails_policy: AllowedFailsPolicy,
        /// Seconds that a deployment rests.
        cooldown_time: f64,
        /// No deployment ever rests.
        disable_cooldowns: bool,
        /// Fallbacks by group.
        fallbacks: Fallbacks,
        /// Fallbacks for groups without their own.
        default_fallbacks: Vec<Spanned<String>>,
        /// Fallbacks for prompts that are too long.
        context_window_fallbacks: Fallbacks,
        /// Fallbacks for refused content.
        content_policy_fallbacks: Fallbacks,
        /// Other names for groups.
        model_group_alias: Named<Alias>,
        /// Calls at the same time per deployment that says nothing itself.
        default_max_parallel_requests: i64,
        /// Leave out deployments that cannot take the request.
        enable_pre_call_checks: bool,
        /// Further checks by name.
        optional_pre_call_checks: Vec<Spanned<String>>,
        /// Seconds that a key or a session stays at a deployment.
        deployment_affinity_ttl_seconds: f64,
        /// Such checks for single groups.
        model_group_affinity_config: Named<Vec<Spanned<String>>>,
        /// Groups that share their answers in the response cache.
        caching_groups: Vec<Spanned<Vec<Spanned<String>>>>,
        /// Pick by the request's tags.
        enable_tag_filtering: bool,
        /// One matching tag is enough.
        tag_filtering_match_any: bool,
        /// Try other deployments of a group before its fallbacks.
        enable_weighted_failover: bool,
        /// Budgets by provider.
        provider_budget_config: Named<Budget>,
        /// Keep answers.
        cache_responses: bool,
        /// Shared cooldowns and counters; only presence is kept.
        redis_host: Secret,
        /// The same by address.
        redis_url: Secret,
    }
}

section! {
    /// `litellm_settings`: module attributes. Those that the router reads, the cache, and what changes reported cost.
    LitellmSettings in LitellmSettings {
        /// Retries, unless the router settings say otherwise.
        num_retries: i64,
        /// Depth of nested fallbacks, unless the router settings say otherwise.
        max_fallbacks: i64,
        /// Failures before a deployment rests: without effect here.
        allowed_fails: i64,
        /// Longest gap between bytes, in seconds; beats the router's `timeout`.
        request_timeout: f64,
        /// Fallbacks by group.
        fallbacks: Fallbacks,
        /// Fallbacks for groups without their own.
        default_fallbacks: Vec<Spanned<String>>,
        /// Fallbacks for prompts that are too long.
        context_window_fallbacks: Fallbacks,
        /// Fallbacks for refused content.
        content_policy_fallbacks: Fallbacks,
        /// Other names that clients may send for a model.
        model_alias_map: Named<String>,
        /// Keep answers.
        cache: bool,
        /// How.
        cache_params: CacheParams,
        /// Budget of the whole proxy; needs a database.
        max_budget: Money,
        /// Its period.
        budget_duration: String,
        /// By which zone's clock budgets begin anew.
        timezone: String,
        /// At which time of day.
        budget_reset_time: String,
        /// Fraction off, by provider.
        cost_discount_config: Named<Decimal>,
        /// Fraction or amount on top, by provider or `global`.
        cost_margin_config: Named<Margin>,
        /// Leave out parameters that a provider does not take.
        drop_params: bool,
    }
}

section! {
    /// `general_settings`: the proxy's own keys that change cost or failures.
    GeneralSettings in GeneralSettings {
        /// Admission key; only its presence is kept.
        master_key: Secret,
        /// The database; only its presence is kept.
        database_url: Secret,
        /// A Redis for what processes share; only its presence is kept.
        coordination_redis: Present,
        /// Cancel upstream when the client of a non-streamed request leaves.
        cancel_on_disconnect: bool,
        /// Streams are asked for their usage, or not: LiteLLM counts tokens itself then.
        always_include_stream_usage: bool,
        /// Do not reserve the greatest possible cost before a call.
        disable_budget_reservation: bool,
        /// Refuse what does not fit into the rest of a budget.
        fail_closed_budget_enforcement: bool,
        /// Requests may ask for failures that are made up.
        dangerously_allow_mock_testing_request_params: bool,
        /// What limits of tokens count: `total`, `input` or `output`.
        token_rate_limit_type: String,
        /// The budget of a user also holds for keys of teams.
        apply_user_budget_to_team_keys: bool,
    }
}

section! {
    /// `litellm_settings.cache_params`.
    CacheParams in CacheParams {
        /// `local`, `redis`, `s3`, ….
        r#type: String,
        /// Seconds that an answer is kept.
        ttl: f64,
        /// Prefix of the keys.
        namespace: String,
        /// `default_off` makes it opt-in.
        mode: String,
        /// Kinds of calls that are kept.
        supported_call_types: Vec<Spanned<String>>,
        /// Likeness that counts as equal, for semantic caches.
        similarity_threshold: f64,
        /// Seconds that an answer is kept in the process.
        default_in_memory_ttl: f64,
        /// Seconds that an answer is kept in Redis.
        default_in_redis_ttl: f64,
    }
}

section! {
    /// `routing_strategy_args`.
    StrategyArgs in StrategyArgs {
        /// Seconds that samples are kept.
        ttl: f64,
        /// Share above the best latency that still counts as best.
        lowest_latency_buffer: f64,
        /// Samples kept.
        max_latency_list_size: i64,
    }
}

section! {
    /// One of `routing_groups`.
    RoutingGroup in RoutingGroup {
        /// Its name.
        group_name: String,
        /// The groups in it.
        models: Vec<Spanned<String>>,
        /// How a deployment is picked.
        routing_strategy: String,
        /// Its arguments.
        routing_strategy_args: StrategyArgs,
    }
}

/// `retry_policy`: retries by kind of error, as written.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RetryPolicy(pub Named<i64>);

/// `allowed_fails_policy`: failures before a trip by kind of error, as written.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AllowedFailsPolicy(pub Named<i64>);

/// What another name for a group stands for.
#[derive(Debug, Clone, PartialEq)]
pub struct Alias {
    /// The group.
    pub model: String,
    /// Not listed to clients.
    pub hidden: bool,
}

/// A provider's budget.
#[derive(Debug, Clone, PartialEq)]
pub struct Budget {
    /// US dollars a period.
    pub limit: Option<Spanned<Money>>,
    /// The period, e.g. `1d`.
    pub period: Option<Spanned<String>>,
}

impl LitellmSettings {
    /// The fraction off for a provider.
    pub fn discount_of(&self, provider: &str) -> Option<&Decimal> {
        value_of(self.cost_discount_config.as_ref()?, provider)
    }

    /// What is added for a provider.
    pub fn margin_of(&self, provider: &str) -> Option<&Margin> {
        let margins = self.cost_margin_config.as_ref()?;
        value_of(margins, provider).or_else(|| value_of(margins, "global"))
    }
}

fn value_of<'a, T>(named: &'a Spanned<Named<T>>, wanted: &str) -> Option<&'a T> {
    named.value.iter().find(|(name, _)| name.value == wanted).map(|(_, value)| &value.value)
}

/// What is added to a cost.
#[derive(Debug, Clone, PartialEq)]
pub struct Margin {
    /// A fraction of the cost.
    pub fraction: Option<Decimal>,
    /// US dollars for each request.
    pub fixed: Option<Money>,
}

impl FromNode for RetryPolicy {
    fn from_node(node: &Node, reader: &mut Reader) -> Option<Self> {
        policy(node, "Retries", reader).map(Self)
    }
}

impl FromNode for AllowedFailsPolicy {
    fn from_node(node: &Node, reader: &mut Reader) -> Option<Self> {
        policy(node, "AllowedFails", reader).map(Self)
    }
}

/// The keys of a policy end in the same word; the gateway drops all others without a message.
fn policy(node: &Node, ending: &str, reader: &mut Reader) -> Option<Named<i64>> {
    if !matches!(node.value, Value::Map(_)) {
        let message = format!("expected a map such as `{{RateLimitError{ending}: 1}}`: the policy is not applied");
        reader.report(codes::WRONG_TYPE, Severity::Warning, node.span, message, None);
        return None;
    }
    let entries = node.entries().iter().filter(|entry| entry.key.ends_with(ending));
    let named = entries.filter_map(|entry| {
        let name = Spanned { value: entry.key.to_string(), span: entry.key_span };
        spanned(&entry.value, reader).map(|value| (name, value))
    });
    Some(named.collect())
}

impl FromNode for Alias {
    fn from_node(node: &Node, reader: &mut Reader) -> Option<Self> {
        match &node.value {
            Value::Str(name) => Some(Self { model: name.to_string(), hidden: false }),
            _ => match node.get("model").and_then(Node::as_str) {
                Some(model) => {
                    let hidden = node.get("hidden");
                    if hidden.is_none() {
                        // `router.py:get_model_list_from_model_alias` reads it whether it is there or not
                        // (tried with LiteLLM 1.102.4).
                        reader.refuse(node, "expected `hidden: true` or `hidden: false` beside `model`".to_owned());
                    }
                    let hidden = hidden.is_some_and(|hidden| hidden.value == Value::Bool(true));
                    Some(Self { model: model.to_owned(), hidden })
                }
                None => {
                    let message =
                        "expected the name of a group, or a map with a `model`: the alias does not work".to_owned();
                    reader.report(codes::WRONG_TYPE, Severity::Warning, node.span, message, None);
                    None
                }
            },
        }
    }
}

impl FromNode for Budget {
    fn from_node(node: &Node, reader: &mut Reader) -> Option<Self> {
        if !matches!(node.value, Value::Map(_)) {
            reader.wrong(node, "a map with `budget_limit` and `time_period`");
            return None;
        }
        let either = |a: &str, b: &str| node.get(a).or_else(|| node.get(b));
        Some(Self {
            limit: either("budget_limit", "max_budget").and_then(|value| spanned(value, reader)),
            period: either("time_period", "budget_duration").and_then(|value| spanned(value, reader)),
        })
    }
}

impl FromNode for Margin {
    fn from_node(node: &Node, reader: &mut Reader) -> Option<Self> {
        if !matches!(node.value, Value::Map(_)) {
            return Decimal::from_node(node, reader).map(|fraction| Self { fraction: Some(fraction), fixed: None });
        }
        let fraction = node.get("percentage").and_then(|value| Decimal::from_node(value, reader));
        let fixed = node.get("fixed_amount").and_then(|value| Money::from_node(value, reader));
        Some(Self { fraction, fixed })
    }
}
