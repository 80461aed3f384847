//! Conservation on random worlds: every request, every attempt and every dollar is accounted for exactly once.

mod support;

use billcast::engine::{Run, charges};
use billcast::ledger::Cause;
use billcast::random::{Replication, Seed};
use billcast::scenario::{Overrides, World};
use billcast::units::Money;
use proptest::prelude::*;

const MODELS: [&str; 5] = [
    "openai/gpt-4o-mini",
    "openai/gpt-4o",
    "anthropic/claude-haiku-5-5",
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
            // The troubles of the scenario are those of three providers, so there must be a deployment of each.
            let model = [0, 2, 3].get(index).unwrap_or(model);
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
        if edges & 2 == 2 {
            text += "  default_fallbacks: [group2]\n  context_window_fallbacks: [{group0: [group1]}]\n";
            text += "  content_policy_fallbacks: [{group1: [group2]}]\n";
        }
        if edges & 4 == 4 {
            text += "  timeout: 20\n  stream_timeout: 5\n  retry_after: 1\n  max_fallbacks: 2\n";
            text += "  allowed_fails_policy: {RateLimitErrorAllowedFails: 1, InternalServerErrorAllowedFails: 2}\n";
            text += "  retry_policy: {TimeoutErrorRetries: 1, RateLimitErrorRetries: 3}\n";
        }
        if pre_call && failover {
            text += "  provider_budget_config: {openai: {budget_limit: 0.1, time_period: 1h}}\n";
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
            if rate % 3 == 0 {
                text += "commitments: {ptu: {of: group0, tokens: 3k, price: 1.5}, idle: {of: group2, tokens: 1, price: 0.25}}\n";
            }
            if rate % 2 == 0 {
                let redis = ["none", "router", "proxy"][rate as usize / 2 % 3];
                text += &format!("fleet:\n  replicas: 2\n  workers: 2\n  redis: {redis}\n  overhead: 0.02\n");
                text += "  concurrency: {soft: 10, hard: 40}\n  crashes: [{every: 10m}, {at: [1h], of: all}]\n";
                text += "  deploys: [{every: 25m, grace: 2}]\n";
            }
            // Without limits of keys, plain requests take the fast lane.
            let limited = patience % 3 > 0;
            if limited {
                text += "keys:\n  team: {rpm_limit: 30, tpm_limit: 40000, max_parallel_requests: 4, max_budget: 0.2}\n";
            }
            text += "traffic:\n";
            for (class, key) in [(0, keys), (1, false), (2, !keys)] {
                text +=
                    &format!("  class{class}:\n    model: group{class}\n    rate: {rate}/min\n    stream: {stream}%\n");
                text += &format!(
                    "    repeats: {{share: {repeats}%, within: 20m}}\n    input: lognormal(median=400, p95=2500)\n"
                );
                text += "    output: lognormal(median=150, p95=600)\n";
                text += "    stops_reading: {share: 10%, after_chunks: exponential(mean=20)}\n";
                text += &format!("    leaves: {{share: 20%, after: exponential(mean={patience})}}\n");
                text += &format!("    retries: {}\n    timeout: {}s\n", (patience + class) % 3, 4 * patience);
                if key && limited {
                    text += "    key: team\n";
                }
            }
            text += "upstream:\n  openai:\n";
            text += &format!("    bursts: {{every: 20m, lasts: {minutes}m, share: {burst}%}}\n");
            text += &format!("    errors: {{500: {errors}%, hang: 1%, cut: 2%, connection: 1%}}\n");
            text += "    slow: {between: 40m, lasts: 10m, latency_factor: 8}\n";
            text += "    outages: [{at: 30m, lasts: 6m, fails: 503, retry_after: 3}]\n";
            if limits {
                text += "    limits: {rpm: 50, tpm: 60k, concurrency: 6}\n";
            } else {
                text += "  anthropic:\n    incidents: {between: exponential(mean=50m), lasts: 9m, share: 60%, fails: 529}\n";
                text += "  deepseek:\n    errors: {hang: 5%, cut: 5%, content-policy: 3%}\n";
            }
            text
        },
    )
}

/// So many random worlds, unless PROPTEST_CASES asks for more.
fn cases(usual: u32) -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|number| number.parse().ok()).unwrap_or(usual)
}

/// Everything that a scenario may have beside the plainest classes and troubles: a bit each.
const EXTRAS: u32 = 10;

/// Adds what the bits say to a gateway and a scenario of those above.
fn with_extras(gateway: &str, scenario: &str, bits: u32) -> (String, String) {
    let has = |bit: u32| bits >> bit & 1 == 1;
    let pick = |bit: u32, text: &'static str| if has(bit) { text } else { "" };
    let wildcard = "- model_name: openai/*\n  litellm_params:\n    model: openai/*\nrouter_settings:\n";
    let gateway = if has(0) { gateway.replace("router_settings:\n", wildcard) } else { gateway.to_owned() };
    let keys = "  ada: {user: u, team: t, model_rpm_limit: {group0: 5}, model_max_budget: {group1: {max_budget: 0.01, \
                budget_duration: 1h}}, max_budget: 0.1, budget_duration: 30m, spent: 0.05}\n  bob: {user: u}\n";
    let holders = "users:\n  u: {rpm_limit: 20, max_budget: 0.3, budget_duration: 1h}\nteams:\n  t: {tpm_limit: 20000, \
                   max_budget: 0.4, model_tpm_limit: {group0: 9000}, members: {u: {max_budget: 0.2, rpm_limit: 9}}}\n";
    let key = pick(1, "    keys: {ada: 2, bob: 1}\n");
    let classes = [
        (
            has(0),
            "  wild:\n    model: openai/gpt-4o-mini\n    rate: 3/min\n    input: 300\n    output: 90\n    on_off: {busy: 10m, quiet: 5m, quiet_rate: 10%}\n",
        ),
        (
            has(2),
            "  talks:\n    model: group0\n    rate: 1/min\n    input: 200\n    output: 80\n    \
                  session: {turns: 4, think: 20, follow_up: 50}\n",
        ),
        (
            has(3),
            "  loops:\n    model: group1\n    input: 500\n    output: 40\n    \
                  workers: {count: 4, think: 10, start: 5m, ramp: 2m, lasts: 1h}\n",
        ),
        (
            has(4),
            "  looks:\n    model: group2\n    rate: 4/min\n    input: 300\n    output: 30\n    \
                  embeds: {model: group0, input: 300}\n    excites: {share: 50%, within: 1m}\n",
        ),
        (
            has(5),
            "  crowd:\n    model: group0\n    rate: 6/min\n    input: 300\n    output: 30\n    clients: 5\n    \
                  spikes: [{at: 20m, lasts: 5m, extra: 40/min}]\n",
        ),
    ];
    let classes: String =
        classes.iter().filter(|(is_there, _)| *is_there).map(|(_, text)| format!("{text}{key}")).collect();
    let upstream = [
        pick(
            6,
            "  region:\n    of: [openai, anthropic]\n    incidents: {between: exponential(mean=30m), lasts: 6m, \
                 share: 80%, fails: 503}\n",
        ),
        pick(
            7,
            "  group0:\n    limits: {concurrency: 2, queue: 10s}\n    prompt_cache: {ttl: 5m, least_tokens: 100, hit: 80%, writes: 5m}\n",
        ),
        pick(8, "  group1:\n    limits: {spend_10min: 0.02, spend_month: 0.5, spent: 0.45, failures_count: true}\n"),
        pick(9, "  group2:\n    unauthorized_from: 80m\n"),
    ];
    let money = pick(9, "budget: {run: 1, day: 0.5}\nalerts: {budget_share: 50%, act_within: 5m}\n");
    let scenario = match has(1) {
        true if scenario.contains("keys:\n") => scenario.replacen("keys:\n", &format!("{holders}keys:\n{keys}"), 1),
        true => format!("{holders}keys:\n{keys}{scenario}"),
        false => scenario.to_owned(),
    };
    let scenario = scenario.replacen("upstream:\n", &format!("{classes}upstream:\n{}", upstream.concat()), 1);
    (gateway, format!("{money}{scenario}"))
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
    prop_assert_eq!(run.ledger.by_cause().iter().map(|(_, amount)| *amount).sum::<Money>(), total);
    prop_assert_eq!(sum(run.ledger.by_deployment()), total);
    for (totals, charged) in run.deployments.iter().zip(run.ledger.by_deployment()) {
        prop_assert_eq!(totals.billed.total(), *charged, "meter by meter");
    }
    prop_assert_eq!(sum(run.ledger.by_key()), total);
    prop_assert_eq!(sum(run.ledger.by_class()), total);
    prop_assert_eq!(run.steps.iter().map(|step| step.spend).sum::<Money>(), total);
    prop_assert_eq!(sum(&run.spend_by_deployment), total);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(60), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_in_random_worlds(
        gateway in gateway(),
        scenario in scenario(),
        prices in prices(),
        seed in 0u64..1000,
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("prices.json");
        std::fs::write(&file, &prices).expect("a written file");
        let own = (!prices.is_empty()).then(|| file.to_string_lossy().into_owned());
        let overrides = Overrides { gateway_prices: own.clone().filter(|_| seed % 2 == 0), prices: own, ..Overrides::default() };
        let world = support::load_with(&gateway, &scenario, &overrides).expect("a world");
        let run = support::run(&world, seed, 0);
        check(&run)?;
        check_bounds(&world, &run)?;
        prop_assert_eq!(format!("{:?}", run), format!("{:?}", support::run_the_long_way(&world, seed, 0)));
    }
}

/// The same world with nothing in it that keeps requests from the fast lane.
fn plain(gateway: &str, scenario: &str) -> (String, String) {
    const HOLDS: [&str; 5] =
        ["max_parallel_requests", "pre_call_checks", "cache", "litellm_settings", "routing_strategy"];
    const HOLDS_KEYS_OR_FLEET: [&str; 8] =
        ["keys:", "  team:", "key: team", "fleet:", "  replicas:", "  workers:", "  concurrency: {soft", "  deploys:"];
    let without = |text: &str, words: &[&str]| {
        let kept = |line: &&str| !words.iter().any(|word| line.contains(word));
        text.lines().filter(kept).map(|line| format!("{line}\n")).collect::<String>()
    };
    let fleet = ["  redis:", "  overhead:", "  crashes:"];
    (without(gateway, &HOLDS), without(&without(scenario, &HOLDS_KEYS_OR_FLEET), &fleet))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(30), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_lane_changes_nothing_in_random_worlds(gateway in gateway(), scenario in scenario(), seed in 0u64..1000) {
        let (gateway, scenario) = plain(&gateway, &scenario);
        let world = support::world(&gateway, &scenario);
        let run = support::run(&world, seed, 0);
        check(&run)?;
        prop_assert_eq!(format!("{:?}", run), format!("{:?}", support::run_the_long_way(&world, seed, 0)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(40), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_where_everything_is_used(
        gateway in gateway(),
        scenario in scenario(),
        bits in 0u32..1 << EXTRAS,
        seed in 0u64..1000,
    ) {
        let (gateway, scenario) = with_extras(&gateway, &scenario, bits);
        let world = support::world(&gateway, &scenario);
        let run = support::run(&world, seed, 0);
        check(&run)?;
        prop_assert_eq!(format!("{:?}", run), format!("{:?}", support::run_the_long_way(&world, seed, 0)));
    }
}

/// LiteLLM's price map with prices of every size for some models and none for others; empty for the built-in prices.
fn prices() -> impl Strategy<Value = String> {
    let price = prop_oneof![Just(0.0), 1e-9..1e-3f64];
    prop::option::of(prop::collection::vec((price.clone(), price), 3)).prop_map(|prices| {
        let Some(prices) = prices else { return String::new() };
        let entry = |(model, (input, output)): (&str, &(f64, f64))| {
            format!(
                "\"{model}\": {{\"mode\": \"chat\", \"litellm_provider\": \"openai\", \"input_cost_per_token\": {input:e}, \
                 \"output_cost_per_token\": {output:e}}}"
            )
        };
        let entries: Vec<String> = ["gpt-4o-mini", "gpt-4o", "deepseek/deepseek-chat"].into_iter().zip(&prices).map(entry).collect();
        format!("{{{}}}", entries.join(", "))
    })
}

/// What a config implies: the most calls that one request may take.
fn check_bounds(world: &World, run: &Run) -> Result<(), TestCaseError> {
    // At most 4 tries (3 retries, by setting or policy) at a group, each with every deployment when failing over; at most
    // 5 levels of fallbacks below the group asked for, each with at most 3 groups.
    let per_group = 4 * world.names.deployments.len() as u32;
    let groups: u32 = (0..=5).map(|level| 3u32.pow(level)).sum();
    prop_assert!(run.most_attempts <= per_group * groups, "{} calls for one request", run.most_attempts);
    Ok(())
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

#[test]
fn paid_capacity_is_in_every_breakdown_used_or_idle() {
    let gateway = "model_list:
- {model_name: a, litellm_params: {model: openai/gpt-4o-mini}, model_info: {id: ptu}}
- {model_name: b, litellm_params: {model: openai/gpt-4o}}
";
    let of = |tokens: &str| {
        let scenario = format!(
            "hours: 30\nstart: 2026-11-27 18:30 UTC\nvolume_uncertainty: 0
keys: {{k: {{}}, l: {{}}}}
traffic: {{x: {{model: a, keys: {{k: 1, l: 2}}, rate: 10/min, input: 1000, output: 300}}, y: {{model: b, rate: 1/min, input: 10, output: 10}}}}
upstream: {{openai: {{preset: none, latency: 1}}}}\n{tokens}"
        );
        support::world(gateway, &scenario)
    };
    let without = support::run(&of(""), 1, 0);
    let price: Money = "60".parse().expect("an amount");
    for (tokens, used) in [("1M", true), ("1", true), ("6000", false)] {
        let world = of(&format!("commitments: {{c: {{of: ptu, tokens: {tokens}, price: 2}}}}\n"));
        let run = support::run(&world, 1, 0);
        check(&run).expect("books that balance");
        assert_eq!(run.ledger.by_cause()[Cause::Commitment], price, "30 hours at $2");
        let paid_as_it_goes = run.ledger.total() - price;
        let (all, other) = (without.ledger.total(), without.ledger.by_deployment()[1]);
        match tokens {
            "1M" => assert_eq!(paid_as_it_goes, other, "all of it fits"),
            // Three or four calls of 1,300 tokens fit into a minute, of ten.
            "6000" => assert!(paid_as_it_goes < all && paid_as_it_goes > other, "{paid_as_it_goes} of {all}"),
            _ => assert!(all - paid_as_it_goes < "0.001".parse().expect("an amount"), "nothing fits"),
        }
        assert!(
            run.ledger.by_key().iter().filter(|spent| **spent > "10".parse().expect("an amount")).count() == 2 || !used
        );
        let lines = charges(&world, Seed(1), Replication(0));
        assert_eq!(lines.iter().map(|(_, sum)| sum.amount).sum::<Money>(), run.ledger.total());
        // 5.5, 24 and 0.5 hours; shares of a picodollar go to one of the days.
        for (day, dollars) in [(0, "11"), (1, "48"), (2, "1")] {
            let of_day = lines.iter().filter(|(key, _)| key.day == day && key.cause == Cause::Commitment);
            let paid: Money = of_day.map(|(_, sum)| sum.amount).sum();
            let exact: Money = dollars.parse().expect("an amount");
            assert!((paid - exact).picos().abs() <= 2, "day {day}: {paid}");
        }
    }
}

#[test]
fn a_budget_is_exceeded_by_what_is_in_flight_and_no_more() {
    // The budget is looked at before a call and charged after it: at most the calls that the key may have at once come on
    // top. Every call costs the same.
    let gateway = "model_list:\n- {model_name: a, litellm_params: {model: openai/gpt-4o}}\n";
    for (parallel, latency) in [(1, 5), (3, 60), (8, 200)] {
        let scenario = format!(
            "hours: 3\nvolume_uncertainty: 0\nkeys: {{team: {{max_parallel_requests: {parallel}, max_budget: 0.5}}}}
traffic: {{x: {{model: a, key: team, rate: 20/min, input: 1000, output: 500}}}}
upstream: {{openai: {{preset: none, latency: {latency}}}}}\n"
        );
        let run = support::run(&support::world(gateway, &scenario), 1, 0);
        let (spent, served) = (run.ledger.by_key()[1], run.served);
        let each = spent.divided_by(served);
        let budget: Money = "0.5".parse().expect("an amount");
        assert!(spent >= budget, "the traffic is enough to spend it: {spent}");
        let most = (0..parallel).fold(budget, |sum, _| sum + each);
        assert!(spent <= most, "{spent} of {budget} with {parallel} calls of {each} at once");
        assert!(run.rejected > 0);
    }
}
