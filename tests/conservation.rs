//! Conservation on random worlds: every request, every attempt and every dollar is accounted for exactly once.

mod support;

use billcast::engine::Run;
use billcast::units::Money;
use proptest::prelude::*;

const MODELS: [&str; 5] = [
    "openai/gpt-4o-mini",
    "openai/gpt-4o",
    "anthropic/claude-haiku-4-5",
    "deepseek/deepseek-chat",
    "openai/no-such-price",
];
const STRATEGIES: [&str; 6] = [
    "simple-shuffle",
    "least-busy",
    "latency-based-routing",
    "cost-based-routing",
    "usage-based-routing",
    "usage-based-routing-v2",
];

/// A gateway with three groups, drawn at random.
fn gateway() -> impl Strategy<Value = String> {
    let deployment = (0usize..3, 0usize..MODELS.len(), 0u32..4, 0u32..3);
    let deployments = prop::collection::vec(deployment, 3..9);
    let router = (0usize..6, 0u32..4, 0i64..4, 0u32..40, any::<bool>(), any::<bool>());
    (deployments, router, 0u32..8, any::<bool>()).prop_map(|(deployments, router, edges, cache)| {
        let mut text = String::from("model_list:\n");
        for (index, (group, model, weight, limit)) in deployments.iter().enumerate() {
            let group = if index < 3 { index } else { *group };
            // The troubles of the scenario are those of one provider, so there must be a deployment of it.
            let model = if index == 0 { &0 } else { model };
            text += &format!("- model_name: group{group}\n  litellm_params:\n    model: {}\n", MODELS[*model]);
            text += ["", "    weight: 1\n", "    weight: 3\n", "    rpm: 40\n"][*weight as usize];
            text += ["", "    max_parallel_requests: 2\n", "    max_budget: 0.05\n    budget_duration: 1h\n"]
                [*limit as usize];
        }
        let (strategy, retries, fails, cooldown, pre_call, failover) = router;
        text += &format!("router_settings:\n  routing_strategy: {}\n  num_retries: {retries}\n", STRATEGIES[strategy]);
        text +=
            &format!("  allowed_fails: {fails}\n  cooldown_time: {cooldown}\n  enable_pre_call_checks: {pre_call}\n");
        text += &format!("  enable_weighted_failover: {failover}\n  fallbacks:\n");
        for (bit, edge) in ["group0: [group1]", "group1: [group2, group0]", "group2: [group0]"].iter().enumerate() {
            if edges >> bit & 1 == 1 {
                text += &format!("  - {edge}\n");
            }
        }
        if edges == 0 {
            text += "  - group0: [group2]\n";
        }
        if cache {
            text += "litellm_settings:\n  cache: true\n  cache_params: {type: local, ttl: 600}\n";
        }
        text
    })
}

/// Traffic and troubles, drawn at random.
fn scenario() -> impl Strategy<Value = String> {
    let troubles = (0u32..100, 1u32..30, 0u32..20, any::<bool>());
    let clients = (0u32..60, 0u32..40, 1u32..30, any::<bool>());
    (troubles, clients, 5u32..40).prop_map(
        |((burst, minutes, errors, limits), (stream, repeats, patience, keys), rate)| {
            let mut text = String::from("hours: 2\nvolume_uncertainty: 0\n");
            // Half of the worlds have several processes that end now and then.
            if rate % 2 == 0 {
                let redis = ["none", "router", "proxy"][rate as usize / 2 % 3];
                text += &format!("fleet:\n  replicas: 2\n  workers: 2\n  redis: {redis}\n  overhead: 0.02\n");
                text += "  concurrency: {soft: 10, hard: 40}\n  crashes: [{every: 10m}, {at: [1h], of: all}]\n";
                text += "  deploys: [{every: 25m, grace: 2}]\n";
            }
            text += "keys:\n  team: {rpm_limit: 30, tpm_limit: 40000, max_parallel_requests: 4, max_budget: 0.2}\n";
            text += "traffic:\n";
            for (class, key) in [(0, keys), (1, false), (2, !keys)] {
                text +=
                    &format!("  class{class}:\n    model: group{class}\n    rate: {rate}/min\n    stream: {stream}%\n");
                text += &format!(
                    "    repeats: {{share: {repeats}%, within: 20m}}\n    input: lognormal(median=400, p95=2500)\n"
                );
                text += "    output: lognormal(median=150, p95=600)\n";
                text += &format!("    leaves: {{share: 20%, after: exponential(mean={patience})}}\n");
                text += &format!("    retries: {}\n    timeout: {}s\n", (patience + class) % 3, 4 * patience);
                if key {
                    text += "    key: team\n";
                }
            }
            text += "upstream:\n  openai:\n";
            text += &format!("    bursts: {{every: 20m, lasts: {minutes}m, share: {burst}%}}\n");
            text += &format!("    errors: {{500: {errors}%, hang: 1%, cut: 2%, connection: 1%}}\n");
            if limits {
                text += "    limits: {rpm: 50, tpm: 60k, concurrency: 6}\n";
            }
            text
        },
    )
}

fn check(run: &Run) -> Result<(), TestCaseError> {
    let ended = run.served + run.failed + run.rejected + run.abandoned + run.lost;
    prop_assert_eq!(run.requests, ended + run.in_flight, "requests in = requests out");
    prop_assert!(run.client_retries <= run.requests - run.served, "only what was not served is sent again");
    let by_step: u64 = run.steps.iter().map(|step| step.requests).sum();
    prop_assert_eq!(run.requests, by_step);
    prop_assert_eq!(run.requests, run.classes.iter().map(|class| class.requests).sum::<u64>());
    prop_assert_eq!(run.requests, run.keys.iter().map(|key| key.requests).sum::<u64>());

    let attempts: u64 = run.deployments.iter().map(|deployment| deployment.attempts).sum();
    let ends: u64 = run.deployments.iter().map(|d| d.served + d.errors.iter().sum::<u64>()).sum();
    prop_assert_eq!(run.attempts, attempts);
    prop_assert!(ends <= attempts && attempts - ends <= run.in_flight, "every attempt ends once");

    let total = run.ledger.total();
    let sum = |amounts: &[Money]| amounts.iter().copied().sum::<Money>();
    prop_assert_eq!(sum(run.ledger.by_deployment()), total);
    prop_assert_eq!(sum(run.ledger.by_key()), total);
    prop_assert_eq!(sum(run.ledger.by_class()), total);
    prop_assert_eq!(run.steps.iter().map(|step| step.spend).sum::<Money>(), total);
    prop_assert_eq!(sum(&run.spend_by_deployment), total);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_in_random_worlds(gateway in gateway(), scenario in scenario(), seed in 0u64..1000) {
        let world = support::world(&gateway, &scenario);
        check(&support::run(&world, seed, 0))?;
    }
}

#[test]
fn the_attempts_of_a_request_stay_within_what_the_config_implies() {
    // Three groups in a chain, two retries each, everything fails: nine calls a request [T 20], never more.
    let gateway = "model_list:
- {model_name: a, litellm_params: {model: openai/gpt-4o-mini}}
- {model_name: b, litellm_params: {model: openai/gpt-4o}}
- {model_name: c, litellm_params: {model: openai/gpt-4.1}}
router_settings: {fallbacks: [{a: [b, c]}], disable_cooldowns: true}
";
    let scenario = "hours: 1\nvolume_uncertainty: 0\ntraffic: {x: {model: a, rate: 10/min, input: 100, output: 50}}
upstream: {openai: {preset: none, latency: 1, errors: {500: 100%}}}\n";
    let run = support::run(&support::world(gateway, scenario), 1, 0);
    assert!(run.requests > 400);
    assert_eq!(run.attempts, 9 * run.requests);
    assert_eq!(run.failed, run.requests);
    assert_eq!(run.ledger.total(), Money::ZERO);
}
