//! The processes by which requests come, each against its own definition: Kolmogorov-Smirnov and chi-square tests at
//! fixed seeds. √n·D stays below 1.95 with probability 99.9% when the definition holds.

use std::sync::Arc;

use billcast::random::{Dist, DistSpec, Intensity, Law, Replication, Seed};
use billcast::traffic::{Arrivals, Class, Crowd, Excites, Leave, Patience, Repeats, Request, Traffic};
use billcast::units::{ClassId, KeyId, NameId, SimDuration};

const CRITICAL: f64 = 1.95;

fn dist(text: &str) -> Dist {
    text.parse::<DistSpec>().unwrap().compile().unwrap()
}

fn constant(per_second: f64, hours: i64) -> Arc<Intensity> {
    Arc::new(Intensity::constant(per_second, SimDuration::from_secs(3600 * hours)))
}

fn class(arrivals: Arrivals) -> Class {
    Class::new(arrivals, NameId(0), KeyId(0), dist("lognormal(median=800, p95=3500)"), Some(dist("200")))
}

fn requests(class: Class, replication: u64) -> Vec<Request> {
    let traffic = Traffic::new(vec![class], None).unwrap();
    let mut stream = traffic.replicate(Seed(5), Replication(replication));
    std::iter::from_fn(|| stream.take()).collect()
}

fn seconds(requests: &[Request]) -> Vec<f64> {
    requests.iter().map(|request| request.at.as_secs_f64()).collect()
}

/// √n·D of values against a distribution function. Times are whole nanoseconds, so that values may tie: a step of the
/// empirical function is compared at both of its ends.
fn ks(mut values: Vec<f64>, below: impl Fn(f64) -> f64) -> f64 {
    const TICK: f64 = 1e-9;
    values.sort_by(f64::total_cmp);
    let n = values.len() as f64;
    let mut farthest = 0.0f64;
    let mut first = 0;
    while first < values.len() {
        let x = values[first];
        let next = first + values[first..].partition_point(|y| *y < x + TICK / 2.0).max(1);
        let over = (below(x) - first as f64 / n).max(0.0);
        let under = (next as f64 / n - below(x + TICK)).max(0.0);
        farthest = farthest.max(over).max(under);
        first = next;
    }
    farthest * n.sqrt()
}

fn exponential(mean: f64) -> impl Fn(f64) -> f64 {
    move |x| 1.0 - (-x / mean).exp()
}

fn gaps(times: &[f64]) -> Vec<f64> {
    times.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

/// Variance over mean of the counts in windows.
fn dispersion(times: &[f64], window_s: f64, span_s: f64) -> f64 {
    let mut counts = vec![0.0f64; (span_s / window_s) as usize];
    for at in times {
        if let Some(count) = counts.get_mut((at / window_s) as usize) {
            *count += 1.0;
        }
    }
    let mean = counts.iter().sum::<f64>() / counts.len() as f64;
    counts.iter().map(|count| (count - mean).powi(2)).sum::<f64>() / counts.len() as f64 / mean
}

#[test]
fn gaps_of_renewal_processes_follow_their_laws() {
    let laws = [
        ("poisson", Law::Exponential { mean: 1.0 }),
        ("gamma of cv 2.2", Law::Gamma { shape: 1.0 / 4.84, scale: 4.84 }),
        ("weibull of shape 0.5", Law::Weibull { shape: 0.5, scale: 0.5 }),
    ];
    for (name, law) in laws {
        let gaps_of = Dist::new(law.clone()).unwrap();
        let arrivals = Arrivals::Open { intensity: constant(2.0, 5), gaps: gaps_of, on_off: None };
        let found = gaps(&seconds(&requests(class(arrivals), 0)));
        assert!(found.len() > 20_000);
        let distance = ks(found, |x| law.tails(2.0 * x).0);
        assert!(distance < CRITICAL, "{name}: √n·D = {distance}");
    }
}

#[test]
fn a_self_exciting_process_has_the_intensity_of_its_definition() {
    // Given its past, the intensity is μ + Σ n/τ·exp(-(t - tᵢ)/τ). In the time that it measures, gaps are exponential
    // of mean 1 (time rescaling).
    let (rate, share, within) = (1.5, 0.6, 30.0);
    let excites = Excites { share, within_s: within };
    let span = 3600.0 * 10.0;
    let times = seconds(&requests(class(Arrivals::Excited { intensity: constant(rate, 10), excites }), 1));
    let times: Vec<f64> = times.into_iter().take_while(|at| *at < span).collect();
    let immigrants = rate * (1.0 - share);
    let (mut excited, mut last) = (0.0f64, 0.0);
    let mut compensated = Vec::new();
    for at in &times {
        let gap = at - last;
        let decay = (-gap / within).exp();
        compensated.push(immigrants * gap + excited * within * (1.0 - decay));
        excited = excited * decay + share / within;
        last = *at;
    }
    let distance = ks(compensated, exponential(1.0));
    assert!(distance < CRITICAL, "√n·D = {distance} of {} requests", times.len());
    // The mean is the rate; counts in long windows disperse by 1/(1 - n)² = 6.25.
    let week = |replication| {
        seconds(&requests(class(Arrivals::Excited { intensity: constant(0.5, 168), excites }), replication))
    };
    let all = week(0);
    let mean = all.len() as f64 / (0.5 * 604_800.0);
    assert!((mean - 1.0).abs() < 4.0 * (6.25f64 / (0.5 * 604_800.0)).sqrt() + 0.001, "{mean}");
    let long = dispersion(&all, 1800.0, 604_800.0);
    // Of 336 windows the dispersion has a relative standard error of √(2/336) = 7.7%.
    assert!((long / 6.25 - 1.0).abs() < 4.0 * 0.077, "{long}");
}

#[test]
fn many_clients_are_renewal_processes_of_lognormal_size() {
    let crowd = Crowd { count: 400, sigma: 2.1 };
    let law = Law::Gamma { shape: 1.0 / 1.44, scale: 1.44 };
    let arrivals = Arrivals::Clients { intensity: constant(20.0, 24), gaps: Dist::new(law.clone()).unwrap(), crowd };
    let keys = (0..50).map(|key| (KeyId(key), 1.0)).collect();
    let all = requests(Class { keys, ..class(arrivals) }, 0);
    assert!(all.windows(2).all(|pair| pair[0].at <= pair[1].at));
    // The total is that of the rate: variance of the counts is cv² = 1.44 times their number.
    let expected = 20.0 * 86_400.0;
    assert!((all.len() as f64 - expected).abs() < 4.0 * (1.44f64 * expected).sqrt(), "{}", all.len());
    let mut by_client = std::collections::BTreeMap::<u64, Vec<&Request>>::new();
    all.iter().for_each(|request| by_client.entry(request.view.id.0 >> 40).or_default().push(request));
    assert!(
        by_client.values().all(|of| of.iter().all(|request| request.view.key == of[0].view.key)),
        "a client has one key"
    );
    // Sizes: the logarithms of the large clients' counts lie as those of a normal of deviation 2.1 (the mean is fitted;
    // counts of all but the tiniest clients say their rates to 10%).
    let logs: Vec<f64> = by_client.values().map(|of| (of.len() as f64).ln()).collect();
    assert!(logs.len() > 380, "{} clients have sent", logs.len());
    let mut sorted: Vec<f64> = by_client.values().map(|of| of.len() as f64).collect();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let top_ten = sorted[..10].iter().sum::<f64>() / all.len() as f64;
    // ServeGen's m-large: 10 of 162 clients send 63%; of 400 the ten largest send about half.
    assert!((0.3..0.75).contains(&top_ten), "{top_ten}");
    let mean = logs.iter().sum::<f64>() / logs.len() as f64;
    let distance = ks(logs, |x| (Law::LogNormal { mu: mean, sigma: 2.1 }).tails(x.exp()).0);
    assert!(distance < CRITICAL, "sizes: √n·D = {distance}");
    // Gaps of a client in units of its own mean gap.
    let largest = by_client.values().max_by_key(|of| of.len()).unwrap();
    let times: Vec<f64> = largest.iter().map(|request| request.at.as_secs_f64()).collect();
    let own = gaps(&times);
    let mean_gap = own.iter().sum::<f64>() / own.len() as f64;
    let distance = ks(own.iter().copied().take(40_000).collect(), |x| law.tails(x / mean_gap).0);
    assert!(distance < CRITICAL, "gaps: √n·D = {distance}");
}

#[test]
fn clients_are_underway_when_the_run_begins() {
    // Gaps of cv 4: a renewal that began with the run would bring (16 - 1)/2 requests too many
    // for each of 2,000 clients.
    let crowd = Crowd { count: 2_000, sigma: 0.0 };
    let bursty = Dist::new(Law::Gamma { shape: 1.0 / 16.0, scale: 16.0 }).unwrap();
    let count = |replication| {
        let arrivals = Arrivals::Clients { intensity: constant(1.0, 10), gaps: bursty.clone(), crowd };
        requests(class(arrivals), replication).len() as f64
    };
    let mean = (0..6).map(count).sum::<f64>() / 6.0;
    // 36,000 expected; the variance of a count is at most 16 times its mean.
    assert!((mean - 36_000.0).abs() < 4.0 * (16.0 * 36_000.0f64 / 6.0).sqrt(), "{mean}");
}

#[test]
fn times_until_clients_leave_follow_their_law() {
    let never = dist("0");
    let patience = Patience {
        leaving_share: 0.3,
        wait_s: dist("exponential(mean=20)"),
        stops_reading_share: 0.0,
        reads_chunks: never,
    };
    let all = requests(
        Class {
            patience: Some(patience),
            ..class(Arrivals::poisson(Intensity::constant(2.0, SimDuration::from_secs(36_000))))
        },
        2,
    );
    let left: Vec<f64> = all
        .iter()
        .filter_map(|request| match request.leave {
            Leave::After(span) => Some(span.as_secs_f64()),
            _ => None,
        })
        .collect();
    let (share, n) = (left.len() as f64 / all.len() as f64, all.len() as f64);
    assert!((share - 0.3).abs() < 4.0 * (0.21 / n).sqrt(), "{share}");
    let distance = ks(left, exponential(20.0));
    assert!(distance < CRITICAL, "√n·D = {distance}");
}

#[test]
fn volumes_of_the_runs_follow_their_law() {
    let law = Law::LogNormal { mu: -0.02, sigma: 0.2 };
    let arrivals = Arrivals::poisson(Intensity::constant(1.0, SimDuration::from_secs(10)));
    let traffic = Traffic::new(vec![class(arrivals)], Some(Dist::new(law.clone()).unwrap())).unwrap();
    let volumes: Vec<f64> = (0..20_000).map(|r| traffic.volume(Seed(3), Replication(r), ClassId(0))).collect();
    let mean = volumes.iter().sum::<f64>() / 20_000.0;
    assert!((mean - 1.0).abs() < 4.0 * 0.202 / 20_000f64.sqrt(), "the mean factor is 1: {mean}");
    let distance = ks(volumes, |x| law.tails(x).0);
    assert!(distance < CRITICAL, "√n·D = {distance}");
}

#[test]
fn excited_and_many_clients_repeat_as_often_as_said() {
    let excites = Excites { share: 0.5, within_s: 60.0 };
    let crowd = Crowd { count: 50, sigma: 1.0 };
    let gaps = Dist::unit_exponential();
    for arrivals in [
        Arrivals::Excited { intensity: constant(0.5, 40), excites },
        Arrivals::Clients { intensity: constant(0.5, 40), gaps, crowd },
    ] {
        let window = SimDuration::from_secs(1200);
        let mean_again = |longest_of| {
            let repeats = Some(Repeats { share: 0.2, window, longest_of });
            let all = requests(Class { repeats, ..class(arrivals.clone()) }, 0);
            let mut first = std::collections::BTreeMap::new();
            let mut again = Vec::new();
            for request in &all {
                match first.get(&request.view.prompt) {
                    None => drop(first.insert(request.view.prompt, *request)),
                    Some(original) => {
                        assert!(request.at - original.at <= window && request.fate == original.fate);
                        again.push(f64::from(request.fate.input));
                    }
                }
            }
            let (share, n) = (again.len() as f64 / all.len() as f64, all.len() as f64);
            assert!((share - 0.2).abs() < 4.0 * (0.16 / n).sqrt() + 2.0 / n, "{share} of {n}");
            again.iter().sum::<f64>() / again.len() as f64
        };
        assert!(mean_again(5) > 1.5 * mean_again(1), "longer prompts repeat more often when asked to");
    }
}

/// Plays closed-loop traffic whose every request is answered `answer_s` after it was sent.
fn closed_loop(class: Class, answer_s: f64) -> Vec<Request> {
    let mut stream = Traffic::new(vec![class], None).unwrap().replicate(Seed(5), Replication(0));
    let mut flying = std::collections::BTreeSet::new();
    let mut all = Vec::new();
    loop {
        match flying.first().copied() {
            Some((at, id)) if at <= stream.next_at() => {
                flying.remove(&(at, id));
                stream.responded(at, ClassId(0), id, true);
            }
            _ => match stream.take() {
                Some(request) => {
                    flying.insert((request.at + SimDuration::from_secs_f64(answer_s), request.view.id));
                    all.push(request);
                }
                None => return all,
            },
        }
    }
}

#[test]
fn workers_think_as_long_as_said() {
    let (start, ramp, end) = (SimDuration::ZERO, SimDuration::ZERO, SimDuration::from_secs(36_000));
    let arrivals = Arrivals::Workers { count: 20, think_s: dist("exponential(mean=10)"), start, ramp, end };
    let mut by_worker = std::collections::BTreeMap::<u64, Vec<f64>>::new();
    for request in closed_loop(class(arrivals), 2.0) {
        by_worker.entry(request.view.id.0 >> 32).or_default().push(request.at.as_secs_f64());
    }
    assert_eq!(by_worker.len(), 20);
    let thoughts: Vec<f64> = by_worker.values().flat_map(|times| gaps(times)).map(|gap| gap - 2.0).collect();
    assert!(thoughts.len() > 55_000);
    let distance = ks(thoughts, exponential(10.0));
    assert!(distance < CRITICAL, "√n·D = {distance}");
}

#[test]
fn sessions_have_the_turns_and_pauses_of_their_laws() {
    let arrivals = Arrivals::Sessions {
        intensity: constant(0.5, 10),
        gaps: Dist::unit_exponential(),
        turns: dist("uniform(0.5, 10.5)"),
        think_s: dist("exponential(mean=20)"),
        follow_up: dist("50"),
        end: SimDuration::from_secs(40_000),
    };
    let mut by_session = std::collections::BTreeMap::<u64, Vec<f64>>::new();
    for request in closed_loop(class(arrivals), 1.0) {
        by_session.entry(request.view.id.0 >> 12).or_default().push(request.at.as_secs_f64());
    }
    let sessions = by_session.len() as f64;
    assert!((sessions - 18_000.0).abs() < 4.0 * 18_000f64.sqrt(), "{sessions}");
    // 1 to 10 turns, all alike: chi-square with 9 degrees of freedom, 0.1% point 27.9.
    let mut counts = [0.0f64; 10];
    by_session.values().for_each(|turns| counts[turns.len() - 1] += 1.0);
    let chi2: f64 = counts.iter().map(|n| (n - sessions / 10.0).powi(2) / (sessions / 10.0)).sum();
    assert!(chi2 < 27.9, "chi-square {chi2}: {counts:?}");
    let pauses: Vec<f64> = by_session.values().flat_map(|times| gaps(times)).map(|gap| gap - 1.0).collect();
    let distance = ks(pauses, exponential(20.0));
    assert!(distance < CRITICAL, "√n·D = {distance}");
}
