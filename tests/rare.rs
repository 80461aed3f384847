//! Rare weekends: importance sampling against exact probabilities and against brute force.

mod support;

use billcast::experiment::{Metric, Options, Rare, Unwatched, rare};
use billcast::random::Seed;
use billcast::scenario::World;

const GATEWAY: &str = "model_list:
- {model_name: cheap, litellm_params: {model: openai/gpt-4o-mini}}
- {model_name: dear, litellm_params: {model: anthropic/claude-opus-4-5}}
router_settings: {num_retries: 0, fallbacks: [{cheap: [dear]}]}
";

fn ask(world: &World, seed: u64, runs: u64, threads: usize, limit: f64) -> Rare {
    let options = Options { runs, seed: Seed(seed), threads, precision: None, command: String::new() };
    rare(world, &options, Metric::Bill, limit, &Unwatched).expect("nobody stops it")
}

/// P(N > most) for N Poisson with a lognormal mean: `expected` · exp(s Z - s²/2), by the midpoint rule over Z.
fn poisson_lognormal_tail(most: u32, expected: f64, s: f64) -> f64 {
    const STEPS: u32 = 4_000;
    let tail = |mean: f64| {
        let (mut term, mut below) = ((-mean).exp(), 0.0);
        for k in 0..=most {
            below += term;
            term *= mean / f64::from(k + 1);
        }
        (1.0 - below).max(0.0)
    };
    let at = |step: u32| -9.0 + 18.0 * (f64::from(step) + 0.5) / f64::from(STEPS);
    let density = |z: f64| (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt();
    (0..STEPS).map(at).map(|z| density(z) * tail(expected * (s * z - 0.5 * s * s).exp())).sum::<f64>() * 18.0
        / f64::from(STEPS)
}

#[test]
fn a_probability_that_is_known_comes_out() {
    // Every request costs the same, so the bill counts requests: a Poisson number whose mean is lognormal.
    let scenario =
        "hours: 10\nvolume_uncertainty: 0.3\ntraffic: {x: {model: cheap, rate: 6/h, input: 1000, output: 1000}}
upstream: {openai: {preset: none, latency: 1}, anthropic: {preset: none, latency: 1}}\n";
    let world = support::world(GATEWAY, scenario);
    let run = support::run(&world, 1, 0);
    let price = run.ledger.total().picos() as f64 / 1e12 / run.requests as f64;
    let (most, limit) = (180, 180.5 * price);
    let truth = poisson_lognormal_tail(most, 60.0, 0.3);
    assert!(truth > 1e-5 && truth < 1e-3, "{truth}");
    let (mut sum, mut covered) = (0.0, 0);
    for seed in 0..20 {
        let found = ask(&world, seed, 250, 2, limit);
        sum += found.probability.point / 20.0;
        covered += u32::from(found.probability.interval.contains(truth));
        assert!(found.worth_runs > 20.0 * found.runs as f64, "{found:?}");
    }
    // 20 estimates with a relative error of about 15% each: their mean within 4 · 15% / √20. Fewer than 15 of 20
    // intervals of 95% miss the truth by chance in one of 3,000 tests.
    assert!((sum / truth - 1.0).abs() < 0.14, "{sum} of {truth}");
    assert!(covered >= 15, "{covered} of 20 intervals hold the truth");
}

#[test]
fn incidents_and_volume_together_agree_with_brute_force() {
    let scenario =
        "hours: 12\nvolume_uncertainty: 0.2\ntraffic: {x: {model: cheap, rate: 10/h, input: 900, output: 300}}
upstream:
  openai: {preset: none, latency: 1, bursts: {every: 10h, lasts: 40m, share: 100%, fails: 503}}
  anthropic: {preset: none, latency: 1}
";
    let world = support::world(GATEWAY, scenario);
    const BRUTE: u64 = 12_000;
    let mut bills: Vec<f64> =
        (0..BRUTE).map(|run| support::run(&world, 99, run).ledger.total().picos() as f64 / 1e12).collect();
    bills.sort_by(f64::total_cmp);
    // The bill that 24 of 12,000 runs exceed: 1 in 500, so that brute force can tell (to 20%).
    let limit = bills[BRUTE as usize - 25];
    let truth = 24.0 / BRUTE as f64;
    let found = ask(&world, 5, 2_000, 2, limit);
    let error = (found.probability.std_error.powi(2) + truth / BRUTE as f64).sqrt();
    println!("{found:?}, brute force {truth}");
    // Both together are off by 4 standard errors in one of 16,000 tests.
    assert!((found.probability.point - truth).abs() < 4.0 * error, "{found:?} against {truth}");
    assert!(found.worth_runs > 4.0 * found.runs as f64, "{found:?}");
}

#[test]
fn threads_do_not_matter_and_the_impossible_is_bounded() {
    let scenario = "hours: 4\ntraffic: {x: {preset: chat, model: cheap, rate: 6/h}}\n";
    let world = support::world(GATEWAY, scenario);
    let one = ask(&world, 3, 100, 1, 0.02);
    assert_eq!(one, ask(&world, 3, 100, 8, 0.02));
    let never = ask(&world, 3, 100, 2, 1e9);
    assert_eq!((never.hits, never.probability.point), (0, 0.0));
    assert!(never.probability.interval.high > 0.0 && never.probability.interval.high < 0.3, "{never:?}");
    let always = ask(&world, 3, 100, 2, 0.0);
    assert!((always.probability.point - 1.0).abs() < 0.05, "{always:?}");
}
