//! Users and teams of a scenario: their limits and budgets are shared by their keys, as in the recorded cases 190.

mod support;

use billcast::engine::Run;
use billcast::units::{Money, WhyNot};

const GATEWAY: &str = "model_list:\n\
    - {model_name: m, litellm_params: {model: openai/gpt-4o}}\n\
    - {model_name: n, litellm_params: {model: openai/gpt-4o-mini}}\n\
    router_settings: {num_retries: 0, disable_cooldowns: true}\n";

/// Two keys with 20 requests a minute each for an hour; a call costs $0.0035.
fn scenario(more: &str) -> String {
    format!(
        "hours: 1\nvolume_uncertainty: 0\nprices_at: 2026-11-21\n\
         traffic: {{ x: {{ model: m, keys: {{ a: 1, b: 1 }}, rate: 40/min, input: 1000, output: 100, max_tokens: 100 }} }}\n\
         upstream: {{ openai: {{ preset: none, latency: 1 }} }}\n{more}"
    )
}

fn run(more: &str) -> Run {
    support::run(&support::world(GATEWAY, &scenario(more)), 5, 0)
}

fn error(more: &str) -> String {
    support::try_world(GATEWAY, &scenario(more)).expect_err("an error")
}

fn dollars(run: &Run) -> f64 {
    run.ledger.total().picos() as f64 / 1e12
}

#[test]
fn a_limit_of_a_user_or_team_is_one_for_all_keys() {
    let each = run("keys: { a: { rpm_limit: 10 }, b: { rpm_limit: 10 } }\n");
    let user = run("keys: { a: { user: u }, b: { user: u } }\nusers: { u: { rpm_limit: 10 } }\n");
    let team = run("keys: { a: { team: t }, b: { team: t } }\nteams: { t: { rpm_limit: 10 } }\n");
    // 10 a minute of each of two keys, or of both together; a window begins with its first request.
    assert!((1100..=1200).contains(&each.served), "{}", each.served);
    assert!((560..=610).contains(&user.served), "{}", user.served);
    assert_eq!(user.served, team.served, "the same counters under another name");
    let member =
        "keys: { a: { team: t, user: u }, b: { team: t } }\nteams: { t: { members: { u: { rpm_limit: 5 } } } }\n";
    let member = run(member);
    let free = run("keys: { a: {}, b: {} }\n");
    let lost = free.served - member.served;
    // 1,200 requests of one key, give or take three times 35, less 5 a minute.
    assert!((795..=1005).contains(&lost), "about 15 of 20 a minute of one key: {lost}");
}

#[test]
fn budgets_are_shared_and_a_team_pays_before_its_users() {
    let user = run("keys: { a: { user: u }, b: { user: u } }\nusers: { u: { max_budget: 1 } }\n");
    assert!((0.99..1.02).contains(&dollars(&user)), "{}", dollars(&user));
    let team = run("keys: { a: { team: t }, b: { team: t } }\nteams: { t: { max_budget: 1, spent: 0.4 } }\n");
    assert!((0.59..0.62).contains(&dollars(&team)), "{}", dollars(&team));
    let both = "keys: { a: { team: t, user: u }, b: { team: t, user: u } }\n\
        users: { u: { max_budget: 1 } }\nteams: { t: { max_budget: 2 } }\n";
    assert!((1.99..2.02).contains(&dollars(&run(both))), "the user's own budget does not hold for keys of a team");
}

/// What is spent when a budget of $2 is used up by calls of a model, in a day of one a minute.
fn spent_of_two(model: &str, input: &str, more: &str, budget: &str) -> f64 {
    let gateway = format!("model_list: [{{model_name: m, litellm_params: {{model: {model}{budget}}}}}]\n");
    let scenario = format!(
        "start: 2026-11-01 00:00\nhours: 24\nvolume_uncertainty: 0\n\
         keys: {{ a: {{ max_budget: 2 }}, b: {{}} }}\n\
         traffic: {{ x: {{ model: m, key: {}, rate: 1/min, {input}, output: 10, max_tokens: 10 }} }}\n\
         upstream: {{ {}: {{ preset: none, latency: 1{more} }} }}\n",
        if budget.is_empty() { "a" } else { "b" },
        model.split('/').next().unwrap_or_default(),
    );
    let run = support::run(&support::world(&gateway, &scenario), 5, 0);
    assert_eq!(run.reported_spend, run.ledger.total(), "{model}: what the gateway reports is the bill");
    dollars(&run)
}

#[test]
fn budgets_count_what_the_gateway_reports() {
    // As the real proxy did when its upstream said that 90% of the prompts had been cached: $0.00155 for 400 and 100
    // tokens of gpt-4o, of a key and of a deployment alike, four of them before $0.005 were used up.
    let cached = ", prompt_cache: { ttl: 5m, least_tokens: 1024, hit: 100%, writes: free }";
    let of_deployment = ", max_budget: 2, budget_duration: 2d";
    for budget in ["", of_deployment] {
        let cases = [
            ("anthropic/claude-sonnet-4-6", "input: 4000, prefix: 3900", cached, 0.013),
            ("gemini/gemini-3.1-pro-preview", "input: 300k", "", 1.21),
            ("deepseek/deepseek-v4-flash", "input: 40k", "", 0.02),
        ];
        for (model, input, more, call) in cases {
            let spent = spent_of_two(model, input, more, budget);
            assert!((2.0 - call..=2.0 + call).contains(&spent), "{model}{budget}: {spent}");
        }
    }
}

#[test]
fn a_gateway_without_a_price_holds_no_budget() {
    // What is only called in OpenAI's way costs the real proxy nothing: six of six requests passed a budget of $0.05.
    let gateway = "model_list: [{model_name: m, litellm_params: {model: openai/anthropic/claude-opus-4-6}}]\n";
    let scenario = scenario("keys: { a: { max_budget: 1 }, b: { max_budget: 1 } }\n");
    let world = support::world(gateway, &scenario);
    let run = support::run(&world, 5, 0);
    assert!(dollars(&run) > 10.0 && run.reported_spend == Money::ZERO, "{}", dollars(&run));
    let own = gateway.replace("opus-4-6", "opus-4-6, input_cost_per_token: 5e-6, output_cost_per_token: 25e-6");
    let run = support::run(&support::world(&own, &scenario), 5, 0);
    assert!((2.0..2.02).contains(&dollars(&run)) && run.reported_spend == run.ledger.total(), "{}", dollars(&run));
}

#[test]
fn single_models_have_limits_of_their_own() {
    let limited = run("keys: { a: { model_rpm_limit: { m: 5 } }, b: {} }\n");
    let free = run("keys: { a: {}, b: {} }\n");
    let lost = free.served - limited.served;
    assert!((795..=1005).contains(&lost), "{lost}");
    let other = run("keys: { a: { model_rpm_limit: { n: 5 } }, b: {} }\n");
    assert_eq!(other.served, free.served);
    let team = "keys: { a: { team: t }, b: { team: t } }\nteams: { t: { model_rpm_limit: { m: 10 } } }\n";
    assert!((270..=310).contains(&run(team).served), "the team counts every request twice: {}", run(team).served);
    let budget = run("keys: { a: { model_max_budget: { m: { max_budget: 0.7, budget_duration: 1h } } }, b: {} }\n");
    let per_key = dollars(&free) / 2.0;
    assert!((dollars(&budget) - per_key - 0.7).abs() < 0.15, "{} of {}", dollars(&budget), dollars(&free));
}

#[test]
fn what_refused_a_request_is_told_by_whose_limit_it_was() {
    let both = "keys: { a: { team: t, user: u }, b: { team: t, user: u } }\n";
    let told = |own: &str, more: &str| {
        let keys = if own.is_empty() { both.to_owned() } else { format!("keys: {{ a: {{ {own} }}, b: {{}} }}\n") };
        let run = run(&format!("{keys}{more}"));
        let [master, a, b] = &run.why_not[..] else { panic!("the master key and two") };
        assert_eq!(master.total(), 0);
        assert!(own.is_empty() || b.total() == 0, "{own}: only its own requests are refused");
        assert!(a.total() > 100, "{own}{more}");
        assert_eq!(run.rejected, a.total() + b.total());
        a.iter().chain(b.iter()).map(|(why, _)| why.name()).collect::<std::collections::BTreeSet<_>>()
    };
    for (own, more, why) in [
        ("rpm_limit: 10", "", "key_rpm"),
        ("tpm_limit: 5000", "", "key_tpm"),
        ("max_parallel_requests: 0", "", "key_parallel"),
        ("max_budget: 0.2", "", "key_budget"),
        ("model_rpm_limit: { m: 5 }", "", "model_rpm"),
        ("model_tpm_limit: { m: 5000 }", "", "model_tpm"),
        ("model_max_budget: { m: { max_budget: 0.7, budget_duration: 1d } }", "", "model_budget"),
        ("", "users: { u: { rpm_limit: 10 } }\nteams: { t: {} }\n", "user_rpm"),
        ("", "users: { u: { tpm_limit: 9000 } }\nteams: { t: {} }\n", "user_tpm"),
        ("", "users: { u: {} }\nteams: { t: { rpm_limit: 10 } }\n", "team_rpm"),
        ("", "users: { u: {} }\nteams: { t: { tpm_limit: 9000 } }\n", "team_tpm"),
        ("", "users: { u: {} }\nteams: { t: { max_budget: 1 } }\n", "team_budget"),
        ("", "users: { u: {} }\nteams: { t: { members: { u: { rpm_limit: 5 } } } }\n", "member_rpm"),
        ("", "users: { u: {} }\nteams: { t: { members: { u: { tpm_limit: 5000 } } } }\n", "member_tpm"),
        ("", "users: { u: {} }\nteams: { t: { members: { u: { max_budget: 1 } } } }\n", "member_budget"),
    ] {
        assert_eq!(told(own, more), std::collections::BTreeSet::from([why]), "{own}{more}");
    }
    let of_user = run("keys: { a: { user: u }, b: { user: u } }\nusers: { u: { max_budget: 1 } }\n");
    assert_eq!(of_user.why_not.iter().map(|reasons| reasons[WhyNot::UserBudget]).sum::<u64>(), of_user.rejected);
    // The narrower of two limits is met, and each is told as what it is.
    let mixed = "users: { u: { rpm_limit: 30 } }\nteams: { t: { tpm_limit: 5000 } }\n";
    assert_eq!(told("", mixed), std::collections::BTreeSet::from(["team_tpm", "user_rpm"]));
}

#[test]
fn what_the_router_refused_is_told_apart_from_what_providers_failed() {
    let names = |gateway: &str, more: &str| {
        let scenario = "hours: 1\nvolume_uncertainty: 0\nprices_at: 2026-11-21\n\
            traffic: { x: { model: m, rate: 40/min, input: 1000, output: 100 } }\n";
        let run = support::run(&support::world(gateway, &format!("{scenario}{more}")), 5, 0);
        assert_eq!((run.rejected, run.failed), (0, run.why_not[0].total()), "{gateway}");
        run.why_not[0].iter().map(|(why, _)| why.name()).collect::<Vec<_>>()
    };
    let model = |more: &str| format!("- {{model_name: m, litellm_params: {{model: openai/gpt-4o{more}}}}}\n");
    let quiet = "upstream: { openai: { preset: none, latency: 1 } }\n";
    let ill = "upstream: { openai: { preset: none, latency: 1, errors: { 429: 50% } } }\n";
    let settings = "router_settings: {num_retries: 0, allowed_fails: 1, cooldown_time: 60}\n";
    let rests = format!("model_list:\n{}{}{settings}", model(""), model(""));
    assert_eq!(names(&rests, ill), ["no_healthy_deployment", "provider"]);
    let budget = format!("model_list:\n{}", model(", max_budget: 0.1, budget_duration: 1d"));
    assert_eq!(names(&budget, quiet), ["deployment_budget"]);
    let limited = "router_settings: {num_retries: 0, routing_strategy: usage-based-routing-v2}\n";
    assert_eq!(names(&format!("model_list:\n{}{limited}", model(", rpm: 10")), quiet), ["deployment_limit"]);
}

#[test]
fn slips_are_told_with_their_place() {
    let typo = error("keys: { a: { user: ad }, b: {} }\nusers: { ada: { rpm_limit: 1 } }\n");
    assert!(typo.contains("there is no user `ad`") && typo.contains("did you mean `ada`?"), "{typo}");
    let model = error("keys: { a: { model_rpm_limit: { mm: 1 } }, b: {} }\n");
    assert!(model.contains("called `mm`"), "{model}");
    let period = error("keys: { a: {}, b: {} }\nteams: { t: { max_budget: 1, budget_duration: daily } }\n");
    assert!(period.contains("`daily` is not a period"), "{period}");
    let key = error("keys: { a: {}, b: {} }\nteams: { t: { rpm: 1 } }\n");
    assert!(key.contains("rpm_limit"), "{key}");
    assert!(support::try_world(GATEWAY, &scenario("keys: { a: { team: labs }, b: {} }\n")).is_ok(), "a mere label");
}

/// A key with a budget of a dollar, at two processes without Redis: each trusts its own sum for a minute,
/// then takes the database's, which knows what both had written by then. The overspend is what both spend
/// until they know of each other.
#[test]
fn without_redis_processes_learn_of_each_other_after_a_minute() {
    let keys = "keys: { a: { max_budget: 1 }, b: { max_budget: 0 } }\n";
    let spent = |fleet: &str| dollars(&run(&format!("{keys}{fleet}")));
    let alone = spent("");
    let (apart, together) = (spent("fleet: { workers: 4 }\n"), spent("fleet: { workers: 4, redis: proxy }\n"));
    assert!((0.99..1.01).contains(&alone) && (0.99..1.01).contains(&together), "{alone}, {together}");
    // 20 calls a minute at $0.0035 are $0.07: a minute and the 15 s until spend is written let up to that much more
    // through, by when in its minute the budget is used up.
    let world = support::world(GATEWAY, &scenario(&format!("{keys}fleet: {{ workers: 4 }}\n")));
    let runs: Vec<f64> = (0..12).map(|run| dollars(&support::run(&world, 5, run))).collect();
    assert!(runs.iter().all(|spent| (1.0..1.0 + 2.5 * 0.07).contains(spent)), "{runs:?}");
    assert!(runs.iter().sum::<f64>() / 12.0 > 1.015, "{runs:?}");
    // An hour is sixty times the life of those sums: what is spent after the first minutes must stay at nothing.
    let long =
        support::world(GATEWAY, &scenario(&format!("{keys}fleet: {{ workers: 4 }}\n")).replace("hours: 1", "hours: 3"));
    assert_eq!(dollars(&support::run(&long, 5, 0)), apart, "nothing more is spent in the next two hours");
}

#[test]
fn budgets_of_several_processes_begin_anew_in_the_database_too() {
    let daily = |fleet: &str| {
        let more = format!(
            "start: 2026-11-20 22:00 UTC\nkeys: {{ a: {{ max_budget: 0.35, budget_duration: 1d }}, b: {{ max_budget: 0 }} }}\n{fleet}"
        );
        let text = scenario(&more).replace("hours: 1", "hours: 4");
        dollars(&support::run(&support::world(GATEWAY, &text), 5, 0))
    };
    let (alone, apart) = (daily(""), daily("fleet: { workers: 2 }\n"));
    assert!((0.69..0.72).contains(&alone), "twice the budget, before and after midnight: {alone}");
    assert!(apart > 0.69 && apart < 0.95, "{apart}");
}

#[test]
fn the_clock_of_the_config_says_when_budgets_begin_anew() {
    let spent = |settings: &str| {
        let gateway = format!("{GATEWAY}litellm_settings: {{ {settings} }}\n");
        let more = "start: 2026-11-20 20:00 UTC\nkeys: { a: { max_budget: 0.35, budget_duration: 1d }, b: { max_budget: 0 } }\n";
        let text = scenario(more).replace("hours: 1", "hours: 3");
        dollars(&support::run(&support::world(&gateway, &text), 5, 0))
    };
    assert!((0.34..0.36).contains(&spent("drop_params: true")), "midnight UTC is beyond the run");
    assert!((0.69..0.72).contains(&spent("timezone: Europe/Helsinki")), "22:00 UTC is midnight in Helsinki");
    assert!((0.69..0.72).contains(&spent("budget_reset_time: \"21:00\"")), "{}", spent("budget_reset_time: \"21:00\""));
}

/// 2,000 keys over a year that budgets begin anew 52,560 times: one by one that would be a hundred million resets.
#[test]
fn budgets_with_the_same_period_begin_anew_together() {
    let keys: String = (0..2_000).map(|key| format!("k{key}: {{ max_budget: 1, budget_duration: 10m }}, ")).collect();
    let more = format!("keys: {{ {keys} a: {{ max_budget: 1, budget_duration: 1d }}, b: {{ max_budget: 1 }} }}\n");
    let world = support::world(GATEWAY, &scenario(&more).replace("hours: 1", "hours: 8760"));
    let resets = &world.gateway.proxy.budget_resets;
    assert!(resets.is_sorted_by_key(|reset| reset.at));
    let of = |accounts: usize| resets.iter().filter(|reset| reset.accounts.len() == accounts).count();
    assert_eq!((of(1), of(1) + of(2_000)), (365, resets.len()));
    assert!((52_000..52_560).contains(&of(2_000)), "{}: every 601 s", of(2_000));
}
