//! Worlds whose answer is known from theory. Tolerances are stated beside each: four standard errors, so a correct
//! program fails one test in 16,000 if the seed were free; the seeds are fixed.

mod support;

use billcast::engine::Run;

/// One group, one deployment.
fn gateway(settings: &str) -> String {
    format!(
        "model_list:\n- {{model_name: m, litellm_params: {{model: openai/gpt-4o-mini}}}}\nrouter_settings: {settings}\n"
    )
}

fn runs(gateway: &str, scenario: &str, count: u64) -> Vec<Run> {
    let world = support::world(gateway, &format!("volume_uncertainty: 0\n{scenario}"));
    (0..count).map(|replication| support::run(&world, 11, replication)).collect()
}

fn share(runs: &[Run], part: impl Fn(&Run) -> u64) -> f64 {
    runs.iter().map(part).sum::<u64>() as f64 / runs.iter().map(|run| run.requests).sum::<u64>() as f64
}

/// Mean and standard error of a number over the runs.
fn mean(runs: &[Run], value: impl Fn(&Run) -> f64) -> (f64, f64) {
    let n = runs.len() as f64;
    let mean = runs.iter().map(&value).sum::<f64>() / n;
    let variance = runs.iter().map(|run| (value(run) - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (mean, (variance / n).sqrt())
}

#[test]
fn retries_are_geometric() {
    // Each call fails with p = 0.3, at most 3 retries: (1 - p^4) / (1 - p) calls a request, p^4 of them fail.
    let gateway = gateway("{num_retries: 3, disable_cooldowns: true}");
    let scenario = "hours: 24\ntraffic: {x: {model: m, rate: 60/min, input: 100, output: 20}}
upstream: {openai: {preset: none, latency: 0.5, errors: {500: 30%}}}\n";
    let runs = runs(&gateway, scenario, 4);
    let requests: f64 = runs.iter().map(|run| run.requests as f64).sum();
    let (p, calls) = (0.3_f64, share(&runs, |run| run.attempts));
    // The variance of a truncated geometric number of calls is below p / (1 - p)^2 = 0.61.
    assert!((calls - (1.0 - p.powi(4)) / (1.0 - p)).abs() < 4.0 * (0.61 / requests).sqrt(), "{calls}");
    let failed = share(&runs, |run| run.failed);
    assert!((failed - p.powi(4)).abs() < 4.0 * (p.powi(4) / requests).sqrt(), "{failed}");
}

#[test]
fn a_concurrency_limit_blocks_as_erlang_says() {
    // 4 calls at once, 1.5 Erlang offered, no retries: Erlang B = (a^4/4!) / Σ a^k/k!.
    let gateway = gateway("{num_retries: 0, disable_cooldowns: true}");
    let scenario = "hours: 24\ntraffic: {x: {model: m, rate: 0.75/s, shape: flat, input: 100, output: 20}}
upstream: {openai: {preset: none, latency: exponential(mean=2), limits: {concurrency: 4}}}\n";
    let runs = runs(&gateway, scenario, 12);
    let terms: Vec<f64> = (0..=4)
        .scan(1.0, |term, k| {
            let this = *term;
            *term *= 1.5 / f64::from(k + 1);
            Some(this)
        })
        .collect();
    let expected = terms[4] / terms.iter().sum::<f64>();
    let (blocked, error) = mean(&runs, |run| run.failed as f64 / run.requests as f64);
    assert!((blocked - expected).abs() < 4.0 * error, "{blocked} ± {error}, Erlang B {expected}");
}

#[test]
fn waiting_for_a_slot_is_that_of_an_m_m_1_queue() {
    // max_parallel_requests: 1 with exponential service: the time in the system is exponential with rate μ - λ.
    let gateway = "model_list:
- {model_name: m, litellm_params: {model: openai/gpt-4o-mini, max_parallel_requests: 1}}\n";
    let scenario = "hours: 48\ntraffic: {x: {model: m, rate: 0.6/s, shape: flat, input: 100, output: 20}}
upstream: {openai: {preset: none, latency: exponential(mean=1)}}\n";
    let runs = runs(gateway, scenario, 12);
    let (rate, p) = (1.0 - 0.6, 0.9_f64);
    let (p90, error) = mean(&runs, |run| run.latency.quantile(p));
    let expected = -(1.0 - p).ln() / rate;
    // The histogram adds at most 0.8%.
    assert!((p90 - expected).abs() < 4.0 * error + 0.008 * expected, "{p90} ± {error}, theory {expected}");
}

#[test]
fn availability_is_that_of_an_alternating_renewal_process() {
    // Up for 5 h, down for 1 h on average: a share 1/6 of the calls meets an outage.
    let gateway = gateway("{num_retries: 0, disable_cooldowns: true}");
    let scenario = "hours: 168\ntraffic: {x: {model: m, rate: 6/min, shape: flat, input: 100, output: 20}}
upstream: {openai: {preset: none, latency: 1, incidents: {between: 'weibull(shape=0.7, scale=3.95h)', between_from_end: true, lasts: 'lognormal(mean=1h, cv=1)', share: 100%}}}\n";
    let runs = runs(&gateway, scenario, 60);
    // Weibull mean: scale · Γ(1 + 1/0.7) = 3.95 h · 1.2658 = 5.0 h.
    let (down, error) = mean(&runs, |run| run.failed as f64 / run.requests as f64);
    assert!((down - 1.0 / 6.0).abs() < 4.0 * error, "{down} ± {error}");
}

#[test]
fn arrivals_are_poisson() {
    // 720 calls an hour, flat: variance = mean; over 40 runs of 24 h the index of dispersion has standard error
    // sqrt(2 / 959).
    let gateway = gateway("{}");
    let scenario = "hours: 24\ntraffic: {x: {model: m, rate: 12/min, shape: flat, input: 100, output: 20}}
upstream: {openai: {preset: none, latency: 0.1}}\n";
    let runs = runs(&gateway, scenario, 40);
    let counts: Vec<f64> = runs.iter().flat_map(|run| run.steps.iter().map(|step| step.requests as f64)).collect();
    let mean = counts.iter().sum::<f64>() / counts.len() as f64;
    let variance = counts.iter().map(|n| (n - mean).powi(2)).sum::<f64>() / (counts.len() - 1) as f64;
    assert!((mean - 720.0).abs() < 4.0 * (720.0 / counts.len() as f64).sqrt(), "{mean}");
    assert!((variance / mean - 1.0).abs() < 4.0 * (2.0 / (counts.len() - 1) as f64).sqrt(), "{}", variance / mean);
}
