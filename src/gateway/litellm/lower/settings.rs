//! `router_settings`, `litellm_settings` and `general_settings`: which key wins, and what is there by default.

use crate::gateway::litellm::defaults;
use crate::gateway::litellm::keyring::CountedTokens;
use crate::gateway::litellm::lower::Setting;
use crate::gateway::litellm::lower::durations::{parse, unless_zero};
use crate::gateway::litellm::lower::names::Names;
use crate::gateway::litellm::plan::{
    Affinity, AffinityFlags, Budget, CachePlan, CooldownPlan, LatencyArgs, ProxyPlan, Redis, RouterPlan, Strategy,
    TagMatch,
};
use crate::gateway::litellm::policy::{FailsPolicy, RetryPolicy};
use crate::gateway::litellm::wire;
use crate::gateway::litellm::wire::{Fallbacks, Spanned, Wire};
use crate::gateway::parts::Backoff;
use crate::units::{Money, SimDuration};

/// The settings of the router.
pub(super) fn router(wire: &Wire, setting: &Setting<'_>) -> RouterPlan {
    let (router, module) = (&wire.router_settings, &wire.litellm_settings);
    let num_retries = number(&router.num_retries).or(number(&module.num_retries));
    let max_fallbacks = number(&router.max_fallbacks).or(number(&module.max_fallbacks));
    let checks = router.optional_pre_call_checks.iter().flat_map(|checks| &checks.value);
    let enforce_rate_limits = checks.clone().any(|check| check.value == "enforce_model_rate_limits");
    let strategy = strategy(wire);
    let groups = router.routing_groups.iter().flat_map(|groups| &groups.value).map(|group| &group.value);
    let of_group = |group: &wire::RoutingGroup| {
        match strategy_of(group.routing_strategy.as_ref(), group.routing_strategy_args.as_ref()) {
            // Its synchronous path, which usage-based-routing takes, does not know that one [T 283].
            Strategy::Cost if strategy == Strategy::UsageV1 => Strategy::Nothing,
            of_group => of_group,
        }
    };
    let group_strategies: Vec<Strategy> = groups.map(of_group).collect();
    let group_strategies = written_by_first(strategy, group_strategies);
    let uses_v2 = strategy == Strategy::UsageV2 || group_strategies.contains(&Strategy::UsageV2);
    let life = |of: Strategy| minute_life(wire, [strategy].into_iter().chain(group_strategies.iter().copied()), of);
    let minute_lives = [Strategy::UsageV1, Strategy::UsageV2].map(life);
    RouterPlan {
        strategy,
        group_strategies,
        uses_v2,
        minute_lives,
        num_retries: num_retries.map_or(defaults::NUM_RETRIES, |n| n.clamp(0, i64::from(u32::MAX)) as u32),
        max_fallbacks: max_fallbacks.unwrap_or(defaults::MAX_FALLBACKS),
        retry_policy: router.retry_policy.as_ref().map(|policy| retry_policy(&policy.value)),
        backoff: Backoff {
            least_secs: router.retry_after.as_ref().map_or(0.0, |secs| secs.value),
            jitter_secs: setting.jitter_secs.unwrap_or(defaults::BACKOFF.jitter_secs),
            ..defaults::BACKOFF
        },
        cooldown: cooldown(wire),
        weighted_failover: is_on(&router.enable_weighted_failover),
        pre_call_checks: is_on(&router.enable_pre_call_checks),
        enforce_rate_limits,
        counts_minutes: enforce_rate_limits || uses_v2,
        tags: is_on(&router.enable_tag_filtering).then_some(match &router.tag_filtering_match_any {
            Some(Spanned { value: false, .. }) => TagMatch::All,
            _ => TagMatch::Any,
        }),
        minutes: setting.minutes,
        ..RouterPlan::default()
    }
}

/// The checks with which affinity is looked at before budgets (`router.py:add_optional_pre_call_checks`).
const AFFINITY_CHECKS: [&str; 3] = ["deployment_affinity", "session_affinity", "responses_api_deployment_check"];

/// Which checks lead requests to where they were served before. `responses_api_deployment_check` and
/// `encrypted_content_affinity` speak of what chat completions do not have.
pub(super) fn affinity(wire: &Wire, names: &Names) -> Option<Affinity> {
    let router = &wire.router_settings;
    let flags = |checks: &[Spanned<String>]| {
        let has = |name: &str| checks.iter().any(|check| check.value == name);
        AffinityFlags { of_key: has("deployment_affinity"), of_session: has("session_affinity") }
    };
    let of_all = router.optional_pre_call_checks.as_ref().map(|checks| flags(&checks.value)).unwrap_or_default();
    let written = router.model_group_affinity_config.iter().flat_map(|groups| &groups.value);
    let of_groups: Vec<_> =
        written.filter_map(|(group, checks)| Some((names.id(&group.value)?, flags(&checks.value)))).collect();
    let is_on = of_all != AffinityFlags::default() || !of_groups.is_empty();
    let life = router.deployment_affinity_ttl_seconds.as_ref();
    let life = life.map_or(defaults::AFFINITY_LIFE, |secs| SimDuration::from_secs_f64(secs.value));
    let registers = |check: &Spanned<String>| AFFINITY_CHECKS.contains(&check.value.as_str());
    let checks = router.optional_pre_call_checks.iter().flat_map(|checks| &checks.value);
    let is_after_budgets = !checks.into_iter().any(registers);
    is_on.then_some(Affinity { of_all, of_groups, life, is_after_budgets })
}

/// `ttl` of usage-based routing. One handler of each kind logs successes, which is that of the router or of the first
/// group with such a strategy: its arguments count for all [T 290].
fn minute_life(wire: &Wire, strategies: impl Iterator<Item = Strategy>, of: Strategy) -> SimDuration {
    let router = &wire.router_settings;
    let groups = router.routing_groups.iter().flat_map(|groups| &groups.value);
    let of_groups = groups.map(|group| group.value.routing_strategy_args.as_ref());
    let mut all = strategies.zip(std::iter::once(router.routing_strategy_args.as_ref()).chain(of_groups));
    let args = all.find(|(strategy, _)| *strategy == of).and_then(|(_, args)| args);
    args.and_then(|args| args.value.ttl.as_ref()).map_or(defaults::MINUTE_LIFE, seconds)
}

/// The same for the arguments of latency-based routing that count when something is written.
fn written_by_first(router: Strategy, mut groups: Vec<Strategy>) -> Vec<Strategy> {
    let latency = |strategy: Strategy| if let Strategy::Latency(args) = strategy { Some(args) } else { None };
    let Some(first) = [router].into_iter().chain(groups.iter().copied()).find_map(latency) else { return groups };
    for args in
        groups.iter_mut().filter_map(|group| if let Strategy::Latency(args) = group { Some(args) } else { None })
    {
        (args.ttl, args.samples) = (first.ttl, first.samples);
    }
    groups
}

fn strategy(wire: &Wire) -> Strategy {
    let router = &wire.router_settings;
    match wire.has_null_strategy {
        true => Strategy::Nothing,
        false => strategy_of(router.routing_strategy.as_ref(), router.routing_strategy_args.as_ref()),
    }
}

fn strategy_of(name: Option<&Spanned<String>>, args: Option<&Spanned<wire::StrategyArgs>>) -> Strategy {
    let args = args.map(|args| &args.value);
    match name.map(|strategy| strategy.value.as_str()) {
        Some("least-busy") => Strategy::LeastBusy,
        Some("latency-based-routing") => Strategy::Latency(LatencyArgs {
            ttl: args.and_then(|args| args.ttl.as_ref()).map_or(SimDuration::from_secs(3600), seconds),
            buffer: args.and_then(|args| args.lowest_latency_buffer.as_ref()).map_or(0.0, |buffer| buffer.value),
            samples: args.and_then(|args| args.max_latency_list_size.as_ref()).map_or(10, |n| n.value.max(0) as usize),
            ttft_percentile: None,
        }),
        Some("cost-based-routing") => Strategy::Cost,
        Some("usage-based-routing") => Strategy::UsageV1,
        Some("usage-based-routing-v2") => Strategy::UsageV2,
        _ => Strategy::SimpleShuffle,
    }
}

/// Only a `router_settings.allowed_fails` that differs from `litellm.allowed_fails`, or a policy, makes failures count
/// one by one; `litellm_settings.allowed_fails` moves both sides of that comparison [T 51–53, 55].
fn cooldown(wire: &Wire) -> CooldownPlan {
    let router = &wire.router_settings;
    let module = number(&wire.litellm_settings.allowed_fails).unwrap_or(defaults::ALLOWED_FAILS);
    let allowed = number(&router.allowed_fails).unwrap_or(module);
    let policy = router.allowed_fails_policy.as_ref().map(|policy| fails_policy(&policy.value));
    let span = router.cooldown_time.as_ref().and_then(|secs| unless_zero(secs.value));
    CooldownPlan {
        disabled: is_on(&router.disable_cooldowns),
        span: span.unwrap_or(defaults::COOLDOWN),
        allowed,
        policy,
        counts_failures: policy.is_some() || allowed != module,
    }
}

/// A retry policy as LiteLLM reads it; unknown keys are dropped [T 71b].
pub(super) fn retry_policy(policy: &wire::RetryPolicy) -> RetryPolicy {
    let of = |key: &str| {
        let found = policy.0.iter().find(|(name, _)| name.value == key);
        found.map(|(_, retries)| retries.value.clamp(0, i64::from(u32::MAX)) as u32)
    };
    RetryPolicy {
        bad_request: of("BadRequestErrorRetries"),
        authentication: of("AuthenticationErrorRetries"),
        timeout: of("TimeoutErrorRetries"),
        rate_limit: of("RateLimitErrorRetries"),
        content_policy: of("ContentPolicyViolationErrorRetries"),
        internal_server: of("InternalServerErrorRetries"),
        service_unavailable: of("ServiceUnavailableErrorRetries"),
        default: of("DefaultRetries"),
    }
}

/// A policy of allowed failures as LiteLLM reads it.
pub(super) fn fails_policy(policy: &wire::AllowedFailsPolicy) -> FailsPolicy {
    let of = |key: &str| policy.0.iter().find(|(name, _)| name.value == key).map(|(_, fails)| fails.value);
    FailsPolicy {
        bad_request: of("BadRequestErrorAllowedFails"),
        authentication: of("AuthenticationErrorAllowedFails"),
        timeout: of("TimeoutErrorAllowedFails"),
        rate_limit: of("RateLimitErrorAllowedFails"),
        content_policy: of("ContentPolicyViolationErrorAllowedFails"),
        internal_server: of("InternalServerErrorAllowedFails"),
        service_unavailable: of("ServiceUnavailableErrorAllowedFails"),
        bad_gateway: of("BadGatewayErrorAllowedFails"),
        not_found: of("NotFoundErrorAllowedFails"),
    }
}

/// The settings of the proxy server.
pub(super) fn proxy(wire: &Wire) -> ProxyPlan {
    let (general, module) = (&wire.general_settings, &wire.litellm_settings);
    let params = module.cache_params.as_ref().map(|params| &params.value);
    let kind = params.and_then(|params| params.r#type.as_ref());
    let is_outside = kind.is_some_and(|kind| kind.value != "local");
    // `acompletion` is what the proxy calls: other calls that may be cached are not simulated.
    let calls = params.and_then(|params| params.supported_call_types.as_ref());
    let caches_calls = calls.is_none_or(|calls| calls.value.iter().any(|call| call.value == "acompletion"));
    let cache = (is_on(&module.cache) && caches_calls).then(|| CachePlan {
        ttl: params.and_then(|params| params.ttl.as_ref()).map_or(defaults::CACHE_LIFE, seconds),
        opt_in: params.and_then(|params| params.mode.as_ref()).is_some_and(|mode| mode.value == "default_off"),
        capacity: match kind {
            Some(_) if is_outside => None,
            Some(_) | None => Some(defaults::CACHE_ITEMS),
        },
        shared: is_outside,
    });
    let router = &wire.router_settings;
    let has_redis = router.redis_host.is_some() || router.redis_url.is_some();
    ProxyPlan {
        drops_params: is_on(&module.drop_params),
        budget_resets: Vec::new(),
        cache,
        clients_choose_usage: is_on(&general.always_include_stream_usage),
        cancel_on_disconnect: is_on(&general.cancel_on_disconnect),
        has_key_limits: false,
        takes_mocks: is_on(&general.dangerously_allow_mock_testing_request_params),
        refuses_bodies: false,
        counted_tokens: match general.token_rate_limit_type.as_ref().map(|kind| kind.value.as_str()) {
            Some("input") => CountedTokens::Input,
            Some("output") => CountedTokens::Output,
            _ => CountedTokens::Total,
        },
        no_reservation: is_on(&general.disable_budget_reservation),
        no_database: false,
        fail_closed: is_on(&general.fail_closed_budget_enforcement),
        unverified_budgets: is_on(&general.fail_closed_budget_enforcement) && !has_redis,
    }
}

/// The Redis that processes share (`proxy_server.py`: a block of its own, else that of the response cache, else REDIS_*
/// variables). It is the router's as well, unless the router has one.
pub(super) fn redis(wire: &Wire) -> Redis {
    const VARIABLES: [&str; 4] = ["REDIS_HOST", "REDIS_URL", "REDIS_CLUSTER_NODES", "REDIS_SENTINEL_NODES"];
    let (router, module) = (&wire.router_settings, &wire.litellm_settings);
    let kind = module.cache_params.as_ref().and_then(|params| params.value.r#type.as_ref());
    let of_cache = is_on(&module.cache) && kind.is_some_and(|kind| kind.value == "redis");
    let of_environment = wire.environment_variables.iter().any(|name| VARIABLES.contains(&name.value.as_str()));
    if of_cache || of_environment || wire.general_settings.coordination_redis.is_some() {
        Redis::Proxy
    } else if router.redis_host.is_some() || router.redis_url.is_some() {
        Redis::Router
    } else {
        Redis::None
    }
}

/// The budgets of providers.
pub(super) fn provider_budgets(wire: &Wire) -> Vec<(String, Budget)> {
    let budgets = wire.router_settings.provider_budget_config.iter().flat_map(|budgets| &budgets.value);
    let budget = |(name, budget): &(Spanned<String>, Spanned<wire::Budget>)| {
        let limit = dollars(budget.value.limit.as_ref()?.value);
        let period = parse(&budget.value.period.as_ref()?.value)?;
        Some((name.value.clone(), Budget { limit, period }))
    };
    budgets.filter_map(budget).collect()
}

/// An amount as the nearest binary float, which is what LiteLLM reads.
pub(super) fn dollars(money: Money) -> f64 {
    money.to_string().parse().unwrap_or(0.0)
}

/// The router's map, else the module's; an empty map is none.
pub(super) fn either<'a>(
    router: &'a Option<Spanned<Fallbacks>>,
    module: &'a Option<Spanned<Fallbacks>>,
) -> Option<&'a Fallbacks> {
    let filled =
        |map: &'a Option<Spanned<Fallbacks>>| map.as_ref().map(|map| &map.value).filter(|map| !map.0.is_empty());
    filled(router).or_else(|| filled(module))
}

/// The map of regular fallbacks.
pub(super) fn regular_fallbacks(wire: &Wire) -> Option<&Fallbacks> {
    either(&wire.router_settings.fallbacks, &wire.litellm_settings.fallbacks)
}

/// `default_fallbacks`: the router's, else the module's.
pub(super) fn default_fallbacks(wire: &Wire) -> Vec<&str> {
    let own =
        |list: &'_ Option<Spanned<Vec<Spanned<String>>>>| list.as_ref().is_some_and(|list| !list.value.is_empty());
    let (router, module) = (&wire.router_settings.default_fallbacks, &wire.litellm_settings.default_fallbacks);
    let list = if own(router) { router } else { module };
    list.iter().flat_map(|list| &list.value).map(|name| name.value.as_str()).collect()
}

/// The first target of the first `*` entry (`router.py:_get_first_default_fallback`).
pub(super) fn first_generic_fallback(wire: &Wire) -> Option<&str> {
    let regular = regular_fallbacks(wire).into_iter().flat_map(|map| &map.0);
    let generic = regular.filter(|fallback| fallback.group.value == "*");
    let first =
        generic.filter_map(|fallback| fallback.targets.first()).map(|target| target.value.model.as_str()).next();
    first.or_else(|| default_fallbacks(wire).first().copied())
}

fn number(value: &Option<Spanned<i64>>) -> Option<i64> {
    value.as_ref().map(|value| value.value)
}

pub(super) fn is_on(value: &Option<Spanned<bool>>) -> bool {
    value.as_ref().is_some_and(|value| value.value)
}

fn seconds(value: &Spanned<f64>) -> SimDuration {
    SimDuration::from_secs_f64(value.value)
}
