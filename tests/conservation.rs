//! Conservation on random worlds: every request, every attempt and every dollar is accounted for exactly once.

mod support;
mod worlds;

use billcast::engine::{Run, charges};
use billcast::ledger::Cause;
use billcast::random::{Replication, Seed};
use billcast::scenario::{Overrides, World};
use billcast::units::{Money, Stage, TokenKind, WhyNots};
use proptest::prelude::*;
use worlds::{cases, files, gateway, plain, prices, scenario};

fn check(run: &Run) -> Result<(), TestCaseError> {
    let ended = run.served + run.failed + run.rejected + run.abandoned + run.lost;
    prop_assert_eq!(run.requests, ended + run.in_flight, "requests in = requests out");
    prop_assert!(run.client_retries <= run.requests - run.served, "only what was not served is sent again");
    let by_step: u64 = run.steps.iter().map(|step| step.requests).sum();
    prop_assert_eq!(run.requests, by_step);
    prop_assert_eq!(run.requests, run.classes.iter().map(|class| class.requests).sum::<u64>());
    prop_assert_eq!(run.requests, run.keys.iter().map(|key| key.requests).sum::<u64>());

    for (key, reasons) in run.keys.iter().zip(&run.why_not) {
        prop_assert_eq!(key.failed, reasons.total(), "each request without an answer has one reason");
    }
    let of = |stages: &[Stage]| {
        let all = run.why_not.iter().flat_map(WhyNots::iter).filter(|(why, _)| stages.contains(&why.stage()));
        all.map(|(_, count)| count).sum::<u64>()
    };
    let told = [of(&[Stage::Admission]), of(&[Stage::Router, Stage::Provider]), of(&[Stage::Lost])];
    prop_assert_eq!(told, [run.rejected, run.failed, run.lost], "reasons add up to what was refused, failed and lost");

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
    fn nothing_is_lost_where_everything_is_used(files in files(), seed in 0u64..1000) {
        let world = files.load();
        let run = support::run(&world, seed, 0);
        check(&run)?;
        prop_assert_eq!(format!("{:?}", run), format!("{:?}", support::run_the_long_way(&world, seed, 0)));
    }
}

/// A group that often rests, and where its requests go then: straight on, or somewhere that may rest or fail itself.
fn resting() -> impl Strategy<Value = (String, String)> {
    let options = prop::sample::subsequence(
        vec![
            "retry_policy: {RateLimitErrorRetries: 1}",
            "enable_weighted_failover: true",
            "allowed_fails_policy: {RateLimitErrorAllowedFails: 1}",
            "timeout: 3",
            "provider_budget_config: {openai: {budget_limit: 0.02, time_period: 20m}}",
        ],
        0..3,
    );
    let back = prop::sample::select(vec![
        "{model: anthropic/claude-haiku-5-5}",
        "{model: anthropic/claude-haiku-5-5, max_parallel_requests: 2}",
        "{model: anthropic/no-such-price}",
    ]);
    let own = prop::sample::select(vec![
        "",
        ", model_info: {allowed_fails: 3}",
        ", model_info: {allowed_fails_policy: {RateLimitErrorAllowedFails: 2}}",
    ]);
    let numbers = (0u32..3, 1u32..60, 0u32..3, 1u32..3, 0u32..100, 0u32..20);
    (options, back, own, numbers, any::<bool>()).prop_map(|(options, back, own, numbers, is_stream)| {
        let (retries, cooldown, max_fallbacks, homes, burst, errors) = numbers;
        let home = "- {model_name: home, litellm_params: {model: openai/gpt-4o-mini}}\n".repeat(homes as usize);
        let options: String = options.iter().map(|option| format!("  {option}\n")).collect();
        let gateway = format!(
            "model_list:\n{home}- {{model_name: back, litellm_params: {back}{own}}}
- {{model_name: last, litellm_params: {{model: deepseek/deepseek-chat}}}}
router_settings:\n  num_retries: {retries}\n  cooldown_time: {cooldown}\n  max_fallbacks: {max_fallbacks}
  fallbacks: [{{home: [back, last]}}, {{back: [last, home]}}]\n{options}"
        );
        let stream = if is_stream { 50 } else { 0 };
        let scenario = format!(
            "hours: 1\nvolume_uncertainty: 0\ntraffic: {{x: {{model: home, rate: 40/min, input: 400, output: 100, stream: {stream}%}}}}
upstream:\n  openai: {{bursts: {{every: 5m, lasts: 2m, share: {burst}%}}}}
  anthropic: {{errors: {{500: {errors}%}}, bursts: {{every: 12m, lasts: 2m, share: {burst}%}}}}\n"
        );
        (gateway, scenario)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(60), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_lane_changes_nothing_where_a_group_rests((gateway, scenario) in resting(), seed in 0u64..1000) {
        let world = support::world(&gateway, &scenario);
        let run = support::run(&world, seed, 0);
        check(&run)?;
        prop_assert_eq!(format!("{:?}", run), format!("{:?}", support::run_the_long_way(&world, seed, 0)));
    }
}

/// Gateways with fewer slots than they need: most requests wait in line, some for ever, some until their client has
/// gone, some for an answer that is in the cache by then.
fn waiting() -> impl Strategy<Value = (String, String)> {
    let options = prop::sample::subsequence(
        vec![
            "litellm_settings: {cache: true, cache_params: {type: local, ttl: 120}}",
            "general_settings: {master_key: sk-1, cancel_on_disconnect: true}",
        ],
        0..3,
    );
    let slots = (
        1u32..4,
        prop::sample::select(vec![", max_parallel_requests: 2", "", ", max_budget: 0.01, budget_duration: 1h"]),
    );
    let upstream = ((0u32..20, 0u32..3), (1u32..8, any::<bool>()));
    (options, slots, upstream, (0u32..2, 1u32..40, 0u32..60)).prop_map(|(options, slots, upstream, (retries, leaves, repeats))| {
        let ((size, other), ((errors, hang), (latency, is_stream))) = (slots, upstream);
        let options = options.join("\n");
        let gateway = format!(
            "model_list:
- {{model_name: m, litellm_params: {{model: openai/gpt-4o-mini, max_parallel_requests: {size}}}}}
- {{model_name: m, litellm_params: {{model: anthropic/claude-haiku-5-5{other}}}}}
- {{model_name: n, litellm_params: {{model: deepseek/deepseek-chat}}}}
router_settings: {{num_retries: {retries}, timeout: 60, cooldown_time: 5, fallbacks: [{{m: [n]}}]}}
{options}
"
        );
        let stream = if is_stream { 50 } else { 0 };
        let scenario = format!(
            "hours: 1\nvolume_uncertainty: 0
keys: {{k: {{rpm_limit: 45}}}}
traffic:
  x: {{model: m, key: k, rate: 30/min, input: 400, output: 100, stream: {stream}%, leaves: {{share: {leaves}%, after: 20}}, repeats: {{share: {repeats}%, within: 1m}}}}
upstream:
  openai: {{preset: none, latency: {latency}, errors: {{500: {errors}%, hang: {hang}%}}}}
  anthropic: {{preset: none, latency: {latency}, errors: {{429: {errors}%}}}}
"
        );
        (gateway, scenario)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(60), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_lane_changes_nothing_where_requests_wait_for_slots((gateway, scenario) in waiting(), seed in 0u64..1000) {
        let world = support::world(&gateway, &scenario);
        let run = support::run(&world, seed, 0);
        check(&run)?;
        prop_assert_eq!(format!("{:?}", run), format!("{:?}", support::run_the_long_way(&world, seed, 0)));
    }
}

/// What a config implies: the most calls that one request may take.
fn check_bounds(world: &World, run: &Run) -> Result<(), TestCaseError> {
    // At most 4 tries (3 retries, by setting or policy) at a group, each with every deployment when failing
    // over and three calls by the provider's client; at most 5 levels of fallbacks below the group asked for,
    // each with at most 3 groups.
    let per_group = 4 * 3 * world.names.deployments.len() as u32;
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

/// An attempt is as many calls as the provider's client makes by itself.
#[test]
fn clients_that_call_again_multiply_the_calls() {
    for (model, errors, calls) in [
        ("openai/gpt-4o", "503: 100%", 1),
        ("deepinfra/m", "503: 100%", 3),
        ("deepinfra/m", "400: 100%", 1),
        ("deepinfra/m", "connection: 100%", 3),
        ("anthropic/claude-haiku-5-5", "connection: 100%", 2),
        ("anthropic/claude-haiku-5-5", "529: 100%", 1),
        ("azure/gpt-4o", "connection: 100%", 1),
    ] {
        let gateway = format!(
            "model_list:\n- {{model_name: a, litellm_params: {{model: {model}}}}}\nrouter_settings: {{num_retries: 0, disable_cooldowns: true}}\n"
        );
        let (provider, _) = model.split_once('/').unwrap();
        let scenario = format!(
            "hours: 1\nvolume_uncertainty: 0\ntraffic: {{x: {{model: a, rate: 10/min, input: 100, output: 50}}}}
upstream: {{{provider}: {{preset: none, latency: 1, errors: {{{errors}}}}}}}\n"
        );
        let run = support::run(&support::world(&gateway, &scenario), 1, 0);
        assert!(run.requests > 400 && run.failed == run.requests, "{model} {errors}");
        assert_eq!((run.attempts, run.most_attempts), (calls * run.requests, calls as u32), "{model} {errors}");
    }
}

/// A chain of fallbacks ends where Python's stack does, and is answered as if there was nothing beyond; a list
/// of them has no such end.
#[test]
fn a_chain_of_fallbacks_is_as_long_as_the_gateway_can_follow() {
    let models: String =
        (0..=400).map(|n| format!("- {{model_name: g{n}, litellm_params: {{model: openai/gpt-4o}}}}\n")).collect();
    let run = |fallbacks: &str| {
        let settings = "num_retries: 0, max_fallbacks: 10000, disable_cooldowns: true";
        let gateway = format!("model_list:\n{models}router_settings: {{{settings}, fallbacks: [{fallbacks}]}}\n");
        let scenario = "hours: 1\nvolume_uncertainty: 0\ntraffic: {x: {model: g0, rate: 10/h, input: 100, output: 50}}
upstream: {openai: {preset: none, latency: 1, error_answer: 0, errors: {500: 100%}}}\n";
        support::run(&support::world(&gateway, scenario), 1, 0)
    };
    let names = |from: usize| (from..=400).map(|n| format!("g{n}")).collect::<Vec<_>>();
    let chain: Vec<String> = (0..400).map(|n| format!("{{g{n}: [g{}]}}", n + 1)).collect();
    let (chain, list) = (run(&chain.join(", ")), run(&format!("{{g0: [{}]}}", names(1).join(", "))));
    assert!(chain.requests > 3 && chain.failed == chain.requests);
    assert_eq!((chain.most_attempts, list.most_attempts), (319, 401));
    // Beyond the end nothing is called, however many ways lead there.
    let wide: Vec<String> = (0..400).map(|n| format!("{{g{n}: [{}]}}", names(n + 1).join(", "))).collect();
    assert_eq!(run(&wide.join(", ")).most_attempts, 319);
}

/// Nobody thinks and nothing takes time: the run ends all the same.
#[test]
fn users_who_are_answered_at_once_let_time_pass() {
    let gateway = "model_list:\n- {model_name: a, litellm_params: {model: openai/gpt-4o}}\n";
    let scenario = "hours: 0.02\ntraffic: {x: {model: a, workers: {count: 3, think: 0}, input: 1, output: 1}}
upstream: {openai: {preset: none, latency: 0}}\n";
    let run = support::run(&support::world(gateway, scenario), 1, 0);
    // Each of them a few times in a millisecond at most, for 72 s.
    assert!(run.served > 1000 && run.served <= 3 * 3 * 72_001, "{}", run.served);
    check(&run).expect("books that balance");
}

/// The clock of a run ends after 292 years: an answer that takes longer never comes, whichever way the request goes,
/// and no client is that patient.
#[test]
fn answers_that_outlast_all_time_never_come() {
    let ages = "1e11";
    let now_or_never = "\"mix(0.5 * constant(1), 0.5 * constant(1e11))\"";
    for (deployment, client, latency) in [
        ("", "", ages),
        ("", ", stream: 100%", ages),
        (", max_parallel_requests: 3", "", now_or_never),
        ("", ", leaves: {share: 100%, after: 1e20}", ages),
    ] {
        let params = format!("model: openai/gpt-4o, timeout: 1.0e+30, stream_timeout: 1.0e+30{deployment}");
        let gateway = format!(
            "model_list:\n- {{model_name: a, litellm_params: {{{params}}}}}\n\
             general_settings: {{master_key: sk-1, cancel_on_disconnect: true}}\n"
        );
        let scenario = format!(
            "hours: 1\ntraffic: {{x: {{model: a, rate: 9/min, input: 5, output: 5{client}}}}}\n\
             upstream: {{openai: {{preset: none, latency: {latency}}}}}\n"
        );
        let world = support::world(&gateway, &scenario);
        let run = support::run(&world, 1, 0);
        check(&run).expect("books that balance");
        assert!(run.in_flight > 100 && (latency == ages) == (run.served == 0), "{scenario}: {run:?}");
        assert_eq!(format!("{run:?}"), format!("{:?}", support::run_the_long_way(&world, 1, 0)), "{scenario}");
    }
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
        // Amount and quantity give the price, to the last digit that a picodollar has room for.
        for (key, sum) in &lines {
            let dollars = sum.amount.picos() as f64 / 1e12;
            let (price, pack) = match key.kind {
                TokenKind::Capacity => (2.0, 3_600.0),
                TokenKind::Input => (if key.deployment.0 == 0 { 0.15 } else { 2.5 }, 1e6),
                _ => (if key.deployment.0 == 0 { 0.6 } else { 10.0 }, 1e6),
            };
            let unit = dollars / sum.quantity as f64 * pack;
            assert!((unit - price).abs() <= 2e-12 / sum.quantity as f64 * pack + 1e-9, "{key:?} {sum:?}: {unit}");
        }
    }
}

#[test]
fn what_has_no_price_draws_on_paid_capacity_too() {
    let gateway = "model_list:
- {model_name: a, litellm_params: {model: openai/gpt-4o-mini}}
- {model_name: a, litellm_params: {model: openai/no-such-price}}
";
    let scenario = "hours: 3\nvolume_uncertainty: 0
traffic: {x: {model: a, rate: 2/min, input: 1000, output: 100}}
commitments: {c: {of: a, tokens: 1500, price: 0.25}}
upstream: {openai: {preset: none, latency: 2}}\n";
    let world = support::world(gateway, scenario);
    for replication in 0..4 {
        let run = support::run(&world, 1, replication);
        check(&run).expect("books that balance");
        let lines = charges(&world, Seed(1), Replication(replication));
        assert_eq!(lines.iter().map(|(_, sum)| sum.amount).sum::<Money>(), run.ledger.total());
        let of_cause = |cause| lines.iter().filter(move |(key, _)| key.cause == cause).map(|(_, sum)| sum.amount);
        for cause in [Cause::FirstAttempt, Cause::Commitment] {
            assert_eq!(of_cause(cause).sum::<Money>(), run.ledger.by_cause()[cause], "{cause:?}");
        }
    }
}

#[test]
fn a_budget_is_exceeded_by_what_is_in_flight_and_no_more() {
    // The budget is looked at before a call and charged after it: at most the calls that the key may have at once come
    // on top. Every call costs the same.
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
