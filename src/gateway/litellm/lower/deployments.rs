//! `model_list`: one deployment each, with everything that its calls need.

use crate::gateway::litellm::client::is_prefixed;
use crate::gateway::litellm::defaults;
use crate::gateway::litellm::lower::durations::{parse, unless_zero};
use crate::gateway::litellm::lower::names::Names;
use crate::gateway::litellm::lower::prices::ModelMap;
use crate::gateway::litellm::lower::refusals::Refusals;
use crate::gateway::litellm::lower::settings::{dollars, fails_policy, is_on, provider_budgets, retry_policy};
use crate::gateway::litellm::params::Params;
use crate::gateway::litellm::plan::{Budget, Client, Compared, Deployment, Plan, unless_whole};
use crate::gateway::litellm::wire;
use crate::gateway::litellm::wire::{LitellmParams, Spanned, Wire};
use crate::units::{DeploymentId, SimDuration, Tokens};
use std::collections::HashMap;

/// Adds all deployments that the gateway keeps.
pub(super) fn add(wire: &Wire, map: &ModelMap<'_>, refusals: &mut Refusals<'_>, plan: &mut Plan, names: &mut Names) {
    let budgets = provider_budgets(wire);
    let kept: Vec<&wire::Deployment> = wire.model_list.iter().filter(|entry| !entry.dropped).collect();
    let mut sizes: HashMap<&str, usize> = HashMap::new();
    for entry in &kept {
        *sizes.entry(&entry.model_name.value).or_default() += 1;
    }
    let (timeouts, ranks) = (Timeouts::of(wire), Ranks::of(&kept));
    plan.deployments.reserve_exact(kept.len());
    for entry in &kept {
        let mut deployment = lower(entry, wire, names, &timeouts);
        deployment.order = ranks.rank(entry);
        let known = map.of(entry, wire);
        deployment.price = known.price;
        deployment.max_input_tokens = known.max_input_tokens;
        deployment.is_unmapped = known.is_unmapped;
        deployment.reserved = known.reserved;
        deployment.alone = sizes[entry.model_name.value.as_str()] == 1;
        let provider = entry.provider.unwrap_or_default();
        deployment.provider_budget = budgets.iter().position(|(name, _)| name == provider).map(|index| index as u32);
        deployment.breaks_on_cache = plan.proxy.cache.is_some() && entry.litellm_params.cache.is_some();
        deployment.refusals = refusals.row(entry, entry.model());
        let inside = refusals.rows_inside(entry);
        if !inside.is_empty() {
            plan.inside.insert(DeploymentId::from_index(plan.deployments.len()), inside);
        }
        deployment.mock = entry.mock;
        deployment.group = names.id(&entry.model_name.value).unwrap_or_default();
        deployment.cache_class = refusals.cache_class(entry);
        deployment.lacks_format = !plan.proxy.drops_params && lacks_format(entry);
        plan.compared.push(Compared::new(&deployment, map.compared(entry)));
        plan.deployments.push(deployment);
    }
    let router = &mut plan.router;
    router.provider_budgets = budgets.into_iter().map(|(_, budget)| budget).collect();
    router.has_budgets = !router.provider_budgets.is_empty() || plan.deployments.iter().any(|d| d.budget.is_some());
    router.is_weighted = plan.deployments.iter().any(|d| d.weights.iter().any(Option::is_some));
}

/// Whether pre-call checks find that a deployment takes no `response_format`: they look at its `base_model`, where it
/// has one (`router.py:_pre_call_checks`) [T 333].
fn lacks_format(entry: &wire::Deployment) -> bool {
    let base = entry.info_base_model().or(entry.params_base_model()).filter(|base| !base.is_empty());
    let model = base.unwrap_or(entry.model());
    let provider = if base.is_some() { entry.provider_of_model(model) } else { entry.provider };
    Params::not_taken(provider.unwrap_or_default(), model).has_response_format()
}

fn lower(entry: &wire::Deployment, wire: &Wire, names: &mut Names, timeouts: &Timeouts) -> Deployment {
    let (params, info) = (&entry.litellm_params, &entry.model_info);
    // Below zero, as at 0, nothing fits in [T 237].
    let count = |value: &Option<Spanned<i64>>| value.as_ref().map(|value| u64::try_from(value.value).unwrap_or(0));
    let weight = |value: &Option<Spanned<i64>>| value.as_ref().map(|value| value.value as f64);
    let [rpm_beside, tpm_beside] = &entry.limits_beside;
    let rpms = [rpm_beside, &params.rpm, &info.rpm];
    let tpms = [tpm_beside, &params.tpm, &info.tpm];
    let below_zero = |all: [&Option<Spanned<i64>>; 3]| all.into_iter().flatten().next().is_some_and(|n| n.value < 0);
    let client = entry.client();
    let cooldown = info.cooldown_time.as_ref().or(params.cooldown_time.as_ref());
    Deployment {
        id: info.id.as_ref().map(|id| id.value.0.as_str()).unwrap_or_default().into(),
        model: entry.model().into(),
        is_limited: rpms.into_iter().chain(tpms).any(Option::is_some),
        is_blocked: is_on(&info.blocked),
        is_bare: !is_prefixed(entry.model(), entry.provider.unwrap_or_default()),
        is_filled_whole: entry.model() == "*",
        is_wildcard: entry.model_name.value.contains('*'),
        weights: [params.weight.as_ref().map(|weight| weight.value), weight(&params.rpm), weight(&params.tpm)],
        rpm: rpms.into_iter().find_map(count),
        tpm: tpms.into_iter().find_map(count),
        below_zero: [below_zero(rpms), below_zero(tpms)],
        checked_rpm: count(&params.rpm),
        num_retries: params.num_retries.as_ref().map(|n| u32::try_from(n.value.max(0)).unwrap_or(u32::MAX)),
        cooldown: cooldown.filter(|secs| secs.value >= 0.0).map(|secs| SimDuration::from_secs_f64(secs.value)),
        cooldown_in_info: info.cooldown_time.is_some(),
        allowed_fails: info.allowed_fails.as_ref().map(|fails| fails.value),
        fails_policy: info.allowed_fails_policy.as_ref().map(|policy| fails_policy(&policy.value)),
        silence: timeouts.silence(params, client),
        mock_pauses: timeouts.mock_pauses(params),
        client,
        stream_timeout: timeouts.of_stream(params),
        parallel: parallel(params, wire),
        max_tokens: params.max_tokens.as_ref().and_then(countable),
        inner_fallbacks: params.fallbacks.as_ref().map_or(0, |list| list.value.len() as u32),
        budget: budget(params),
        region: params.region_name.as_ref().map(|region| names.tag(&region.value)),
        tags: params.tags.iter().flat_map(|tags| &tags.value).map(|tag| names.tag(&tag.value)).collect(),
        ..Deployment::default()
    }
}

/// Orders as whole numbers: they may be fractions, and only which is lower counts [T 234].
struct Ranks(Option<Vec<f64>>);

impl Ranks {
    fn of(kept: &[&wire::Deployment]) -> Self {
        let mut all: Vec<f64> = kept.iter().filter_map(|entry| order(entry)).collect();
        let is_fraction = |order: &f64| order.fract() != 0.0 || order.abs() > f64::from(i32::MAX);
        if !all.iter().any(is_fraction) {
            return Self(None);
        }
        all.sort_by(f64::total_cmp);
        all.dedup();
        Self(Some(all))
    }

    fn rank(&self, entry: &wire::Deployment) -> Option<i32> {
        let order = order(entry)?;
        let place = |all: &Vec<f64>| all.partition_point(|other| *other < order) as i32 + 1;
        Some(self.0.as_ref().map_or(order as i32, place))
    }
}

fn order(entry: &wire::Deployment) -> Option<f64> {
    let own = entry.litellm_params.order.as_ref().or(entry.model_info.order.as_ref());
    own.map(|order| order.value)
}

/// The proxy's sources of timeouts, after those of request and deployment (`router.py:_get_timeout`) [T 110–113].
struct Timeouts {
    router: Option<SimDuration>,
    router_stream: Option<SimDuration>,
    module: Option<SimDuration>,
}

impl Timeouts {
    fn of(wire: &Wire) -> Self {
        let of = |secs: &Option<Spanned<f64>>| secs.as_ref().and_then(|secs| unless_zero(secs.value));
        Self {
            router: of(&wire.router_settings.timeout),
            router_stream: of(&wire.router_settings.stream_timeout),
            module: of(&wire.litellm_settings.request_timeout),
        }
    }

    /// Of a call without stream, and of a stream, whose requests say nothing.
    fn silence(&self, params: &LitellmParams, client: Client) -> [SimDuration; 2] {
        let of_call = self.of_call(params).unwrap_or(defaults::TIMEOUT);
        let untold = client.untold_silence().map(|silence| self.module.unwrap_or(silence));
        let of_stream = untold.or_else(|| self.of_stream(params));
        [of_call, of_stream.unwrap_or(of_call)]
    }

    /// How long a `mock_timeout` takes: what the deployment says itself is a decimal number, whole or not.
    fn mock_pauses(&self, params: &LitellmParams) -> [SimDuration; 2] {
        let own = |secs: &Option<Spanned<f64>>| secs.as_ref().and_then(|secs| unless_zero(secs.value));
        // Where the router has a timeout of its own, the module's has become a decimal number as well [T 331].
        let decimal = self.module.filter(|_| self.router.is_some());
        let of_call = own(&params.timeout)
            .or(own(&params.request_timeout).map(unless_whole))
            .or(decimal)
            .or_else(|| self.of_call(params).map(unless_whole));
        let of_stream = own(&params.stream_timeout)
            .or(self.router_stream.map(unless_whole))
            .or(decimal)
            .or_else(|| self.of_stream(params).map(unless_whole));
        let of_call = of_call.unwrap_or(defaults::TIMEOUT);
        [of_call, of_stream.unwrap_or(of_call)]
    }

    /// `litellm_settings.request_timeout` beats `router_settings.timeout` [T 111].
    fn of_call(&self, params: &LitellmParams) -> Option<SimDuration> {
        let own = |secs: &Option<Spanned<f64>>| secs.as_ref().and_then(|secs| unless_zero(secs.value));
        own(&params.timeout).or(own(&params.request_timeout)).or(self.module).or(self.router)
    }

    /// The request timeout counts as one for streams only where the router has a timeout too.
    fn of_stream(&self, params: &LitellmParams) -> Option<SimDuration> {
        let own = params.stream_timeout.as_ref().and_then(|secs| unless_zero(secs.value));
        own.or(self.router_stream).or(self.module.filter(|_| self.router.is_some()))
    }
}

/// A number of tokens that is not below zero, as large as can be counted.
fn countable(number: &Spanned<i64>) -> Option<Tokens> {
    u64::try_from(number.value).ok().map(|number| Tokens::try_from(number).unwrap_or(Tokens::MAX))
}

/// Slots for parallel calls: their number, else `rpm`, else `tpm` by Azure's formula, else the default
/// (`utils.py:calculate_max_parallel_requests`) [T 98, 104]. 0 is no limit; below zero there is not one slot [T 237].
fn parallel(params: &LitellmParams, wire: &Wire) -> Option<u32> {
    let value = |value: &Option<Spanned<i64>>| value.as_ref().map(|value| value.value);
    let by_tokens = |tpm: i64| ((tpm as f64 / 1000.0 * 6.0) as i64).max(1);
    value(&params.max_parallel_requests)
        .or(value(&params.rpm))
        .or(value(&params.tpm).map(by_tokens))
        .or(value(&wire.router_settings.default_max_parallel_requests))
        .filter(|slots| *slots != 0)
        .map(|slots| u32::try_from(slots.max(0)).unwrap_or(u32::MAX))
}

/// A budget needs a period; without one it is not enforced [T 100].
fn budget(params: &LitellmParams) -> Option<Budget> {
    let limit = dollars(params.max_budget.as_ref()?.value);
    Some(Budget { limit, period: parse(&params.budget_duration.as_ref()?.value)? })
}

/// Retry policies of single groups.
pub(super) fn group_retry_policies(wire: &Wire, plan: &mut Plan) {
    for (group, policy) in wire.router_settings.model_group_retry_policy.iter().flat_map(|policies| &policies.value) {
        if let Some(id) = plan.name_id(&group.value) {
            plan.names[id.index()].retry_policy = Some(retry_policy(&policy.value));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::gateway::litellm::lower::{Setting, lower};
    use crate::gateway::litellm::wire::read;

    #[test]
    fn what_does_not_fit_into_32_bits_stays_large() {
        let entry = |rest| format!("{{model_name: a, litellm_params: {{model: openai/gpt-4o, {rest}}}}}");
        let (large, small) = (entry("max_tokens: 4294967297, order: 4294967297"), entry("order: 2"));
        let text = format!("model_list: [{large}, {small}]");
        let plan = lower(&read("config.yaml", &text).0.expect("a config"), &Setting::default());
        let [large, small] = &plan.deployments[..] else { panic!("two deployments") };
        assert_eq!(large.max_tokens, Some(u32::MAX));
        assert!(large.order > small.order, "{:?} {:?}", large.order, small.order);
    }
}
