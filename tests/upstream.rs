//! Limits of providers beyond requests and tokens, and names that change their model: against what follows by hand.

mod support;

use billcast::engine::Run;

fn run(model: &str, settings: &str, scenario: &str) -> Run {
    let gateway = format!(
        "model_list:\n- {{model_name: m, litellm_params: {{model: {model}}}}}\n\
         router_settings: {{num_retries: 0, disable_cooldowns: true{settings}}}\n"
    );
    let world =
        support::world(&gateway, &format!("hours: 1\nvolume_uncertainty: 0\nprices_at: 2026-11-21\n{scenario}"));
    support::run(&world, 5, 0)
}

fn dollars(run: &Run) -> f64 {
    run.ledger.total().picos() as f64 / 1e12
}

/// A call of 100,000 input tokens of gpt-4o costs a quarter of a dollar; eight a minute would cost $20 in ten minutes.
const DEAR: &str = "traffic: { x: { model: m, rate: 8/min, input: 100000, output: 0 } }\n";

#[test]
fn spend_limits_cap_the_bill_and_turn_it_into_refusals() {
    let limited = |limits: &str| {
        let upstream = format!("upstream: {{ openai: {{ preset: none, latency: 1, limits: {{ {limits} }} }} }}\n");
        run("openai/gpt-4o", "", &format!("{DEAR}{upstream}"))
    };
    let free = dollars(&limited("rpm: 1000"));
    assert!((100.0..140.0).contains(&free), "{free}");
    // $5 in any ten minutes: six times $5 in an hour, and once or twice the calls in flight when it was reached.
    let rolling = limited("spend_10min: 5");
    assert!((29.0..33.0).contains(&dollars(&rolling)), "{}", dollars(&rolling));
    assert!(rolling.failed > rolling.served);
    // $10 a month, of which $4 are spent.
    let capped = dollars(&limited("spend_month: 10, spent: 4"));
    assert!((6.0..6.8).contains(&capped), "{capped}");
}

#[test]
fn a_redirected_name_is_billed_as_the_model_that_answers() {
    let gateway = "openai/gpt-4o-mini";
    let upstream = |more: &str| format!("{DEAR}upstream: {{ openai: {{ preset: none, latency: 1{more} }} }}\n");
    let before = run(gateway, "", &upstream(""));
    let after = run(gateway, "", &upstream(", redirected: { at: 30m, to: gpt-4o }"));
    // The calls are the same; those of the second half cost 2.50 instead of 0.15.
    assert_eq!(before.served, after.served);
    let (low, high) = (dollars(&before), dollars(&after));
    let share = (high / low - 1.0) / (2.5 / 0.15 - 1.0);
    assert!((share - 0.5).abs() < 4.0 * (0.25f64 / 480.0).sqrt(), "{share} of the calls in the second half");
    assert_eq!(before.reported_spend, after.reported_spend, "the gateway does not know");
}

/// Twenty users without a pause at five places of one second each: five answers a second, each four seconds after its
/// request, and no silence for the gateway to time out on, because the provider keeps connections alive.
#[test]
fn calls_beyond_the_places_wait_in_line() {
    let users = "traffic: { x: { model: m, workers: { count: 20, think: 0 }, input: 10, output: 10 } }\n";
    let placed = |limits: &str| {
        let upstream = format!("upstream: {{ openai: {{ preset: none, latency: 1, limits: {{ {limits} }} }} }}\n");
        run("openai/gpt-4o-mini", ", timeout: 2", &format!("{users}{upstream}"))
    };
    let lined = placed("concurrency: 5, queue: 10m");
    assert!((17_980..=18_025).contains(&lined.served), "{}", lined.served);
    assert_eq!(lined.failed, 0);
    assert!((lined.latency.quantile(0.5) - 4.0).abs() < 0.1);
    let cut_off = placed("concurrency: 5, queue: 2s");
    assert!(cut_off.failed > 0, "those who would wait longer are let go");
}
