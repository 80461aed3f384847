//! What goes wrong at providers, each process against its own definition (Kolmogorov-Smirnov and
//! chi-square at fixed seeds: a true definition passes 999 of 1,000 such tests), and the built-in models
//! against the figures that they cite.

mod support;

use std::sync::Arc;

use billcast::provider::{
    Begin, Between, Deployment, Effect, Fault, Latency, ProviderModel, Providers, Renewal, Timeline, Trouble, Upstream,
    UpstreamCall, Window,
};
use billcast::random::{Calendar, Dist, DistSpec, Here, Intensity, Replication, Seed};
use billcast::traffic::Fate;
use billcast::units::{ClassId, DeploymentId, Outcome, RequestId, SimDuration, SimTime};

/// √n·D stays below this with probability 99.9%.
const CRITICAL: f64 = 1.95;
const HOUR_S: f64 = 3600.0;
const DAY_S: f64 = 86_400.0;

fn dist(text: &str) -> Dist {
    text.parse::<DistSpec>().unwrap().compile().unwrap()
}

fn renewal(quiet: &str, active: &str, between: Between, begin: Begin) -> Timeline {
    Timeline::Renewal(Renewal { quiet_s: dist(quiet), active_s: dist(active), between, begin, rhythm: None })
}

fn windows(timeline: &Timeline, replication: u64, count: usize) -> Vec<Window> {
    timeline.windows(Seed(5), Replication(replication), 7).take(count).collect()
}

fn start_s(window: &Window) -> f64 {
    window.start.as_secs_f64()
}

fn length_s(window: &Window) -> f64 {
    (window.end - window.start).as_secs_f64()
}

/// √n·D of values against a continuous distribution function.
fn ks(mut values: Vec<f64>, below: impl Fn(f64) -> f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let n = values.len() as f64;
    let distance = |(index, x): (usize, &f64)| {
        let p = below(*x);
        (p - index as f64 / n).abs().max(((index + 1) as f64 / n - p).abs())
    };
    values.iter().enumerate().map(distance).fold(0.0, f64::max) * n.sqrt()
}

fn weibull(shape: f64, scale: f64) -> impl Fn(f64) -> f64 {
    move |x| -libm::expm1(-(x / scale).powf(shape))
}

fn lognormal(median: f64, sigma: f64) -> impl Fn(f64) -> f64 {
    move |x| 0.5 * libm::erfc(-(x / median).ln() / (sigma * std::f64::consts::SQRT_2))
}

/// Pearson's statistic, with the value that it exceeds once in a thousand times (Wilson and Hilferty).
fn chi_square(found: &[f64], expected: &[f64]) -> (f64, f64) {
    let statistic = found.iter().zip(expected).map(|(found, wanted)| (found - wanted).powi(2) / wanted).sum();
    let freedom = found.len() as f64 - 1.0;
    let (z, spread) = (3.09, 2.0 / (9.0 * freedom));
    (statistic, freedom * (1.0 - spread + z * spread.sqrt()).powi(3))
}

#[test]
fn gaps_between_incidents_are_weibull_and_repairs_lognormal() {
    // Incidents of no length, so that none is swallowed by the one before.
    let gaps = renewal("weibull(shape=0.651, scale=92.5h)", "0.001", Between::Starts, Begin::Quiet);
    let starts: Vec<f64> = windows(&gaps, 0, 4000).iter().map(start_s).collect();
    let between: Vec<f64> = starts.windows(2).map(|pair| pair[1] - pair[0]).filter(|gap| *gap > 0.01).collect();
    assert!(between.len() > 3950);
    let distance = ks(between, weibull(0.651, 92.5 * HOUR_S));
    assert!(distance < CRITICAL, "gaps: {distance}");

    let repairs =
        renewal("exponential(500h)", "lognormal(median=1.259h, sigma=1.165)", Between::EndAndStart, Begin::Quiet);
    let lengths: Vec<f64> = windows(&repairs, 1, 4000).iter().map(length_s).collect();
    let distance = ks(lengths, lognormal(1.259 * HOUR_S, 1.165));
    assert!(distance < CRITICAL, "repairs: {distance}");
}

#[test]
fn a_run_begins_anywhere_in_the_process() {
    // The time until the next incident has the density (1 − F)/mean: with Weibull gaps it is a gamma function of x^k.
    let (shape, scale_s) = (0.651, 92.5 * HOUR_S);
    let timeline = renewal("weibull(shape=0.651, scale=92.5h)", "0.001", Between::Starts, Begin::Stationary);
    let first = |replication| {
        let all = windows(&timeline, replication, 2);
        all.iter().map(start_s).find(|start| *start > 0.0).unwrap()
    };
    let waits: Vec<f64> = (0..4000).map(first).collect();
    let mean_s = scale_s * libm::tgamma(1.0 + 1.0 / shape);
    let survival = |x: f64| (-(x / scale_s).powf(shape)).exp();
    // Simpson's rule in the variable v with x = v^3, which tames the steep beginning.
    let below = |x: f64| {
        let (steps, end) = (400, x.cbrt());
        let step = end / f64::from(steps);
        let value = |i: i32| {
            let v = f64::from(i) * step;
            survival(v.powi(3)) * 3.0 * v * v
        };
        let inner: f64 = (1..steps).map(|i| value(i) * if i % 2 == 1 { 4.0 } else { 2.0 }).sum();
        (value(0) + inner + value(steps)) * step / 3.0 / mean_s
    };
    let distance = ks(waits, below);
    assert!(distance < CRITICAL, "{distance}");
}

#[test]
fn incidents_begin_by_the_rhythm_of_the_day() {
    const WEIGHTS: [f64; 4] = [0.4, 1.6, 1.4, 0.6];
    let quarter = SimDuration::from_secs(21_600);
    let steps = (0..4 * 4000).map(|i: i64| (SimTime(quarter.0 * (i + 1)), WEIGHTS[(i % 4) as usize]));
    let rhythm = Some(Arc::new(Intensity::from_steps(steps).then(1.0)));
    let Timeline::Renewal(even) = renewal("exponential(9h)", "1", Between::Starts, Begin::Quiet) else {
        unreachable!()
    };
    let timeline = Timeline::Renewal(Renewal { rhythm, ..even });
    let mut found = [0.0; 4];
    let starts = windows(&timeline, 2, 6000);
    assert!(start_s(&starts[5999]) < 3990.0 * DAY_S, "the rhythm covers all of it");
    for window in starts {
        found[(start_s(&window) % DAY_S / 21_600.0) as usize] += 1.0;
    }
    let expected = WEIGHTS.map(|weight| 6000.0 * weight / 4.0);
    let (statistic, critical) = chi_square(&found, &expected);
    assert!(statistic < critical, "{found:?}: {statistic} against {critical}");
}

/// A provider with one trouble that answers in a second, and calls at a fixed pace.
fn answers(trouble: Trouble, every_s: f64, calls: u64, replication: u64) -> Vec<(f64, Outcome, f64)> {
    let latency = Latency::Total { total_s: dist("1"), first_token_share: 0.3 };
    let deployment = Deployment { troubles: vec![0], ..Deployment::new(9, latency, dist("0.25")) };
    let providers = Arc::new(Providers::new(vec![deployment], vec![trouble], vec![]).unwrap());
    let mut world = providers.replicate(Seed(5), Replication(replication));
    let fate = Fate { input: 100, output: 50, reasoning: 0, prefix: 0, session: false };
    let call = |request| UpstreamCall {
        deployment: DeploymentId(0),
        class: ClassId(0),
        request: RequestId(request),
        nth_try: 0,
        stream: false,
        max_tokens: None,
    };
    let answer = |request| {
        let at_s = request as f64 * every_s;
        let here = Here::of(Seed(5), Replication(replication), 0, request);
        let service = world.serve(SimTime::from_secs_f64(at_s), here, &call(request), &fate);
        (at_s, service.outcome, service.total.as_secs_f64())
    };
    (0..calls).map(answer).collect()
}

#[test]
fn bursts_of_429_are_gilbert_and_elliotts() {
    // Calls every 10 s see a two-state chain: P(bad | bad) = π + (1 − π)·e^(−(a+b)·10 s), so that runs are geometric.
    let (quiet_s, active_s, every_s) = (400.0, 60.0, 10.0);
    let timeline = Timeline::markov(quiet_s, active_s, Begin::Stationary).unwrap();
    let effect = Effect { share_outside: 0.0, ..Effect::failing(Fault::Status(429), 1.0) };
    let calls = answers(Trouble { address: 3, timeline, effect }, every_s, 200_000, 0);
    let bad: Vec<bool> = calls.iter().map(|(_, outcome, _)| *outcome == Outcome::Status(429)).collect();
    let stationary = active_s / (quiet_s + active_s);
    let decay = (-(1.0 / quiet_s + 1.0 / active_s) * every_s).exp();
    for (state, share) in [(true, stationary), (false, 1.0 - stationary)] {
        let stays = share + (1.0 - share) * decay;
        let runs: Vec<usize> = bad.chunk_by(|a, b| a == b).filter(|run| run[0] == state).map(<[bool]>::len).collect();
        let inner = &runs[1..runs.len() - 1];
        const CLASSES: usize = 12;
        let class = |length: usize| {
            // Classes of about equal size, the last for all that is longer.
            let below = 1.0 - stays.powi(length as i32 - 1);
            ((below * CLASSES as f64) as usize).min(CLASSES - 1)
        };
        let (mut found, mut expected) = ([0.0; CLASSES], [0.0; CLASSES]);
        inner.iter().for_each(|length| found[class(*length)] += 1.0);
        (1..5000).for_each(|length: usize| {
            expected[class(length)] += inner.len() as f64 * (1.0 - stays) * stays.powi(length as i32 - 1);
        });
        let kept: Vec<usize> = (0..CLASSES).filter(|class| expected[*class] > 5.0).collect();
        let pick = |of: &[f64; CLASSES]| kept.iter().map(|class| of[*class]).collect::<Vec<f64>>();
        let (statistic, critical) = chi_square(&pick(&found), &pick(&expected));
        assert!(statistic < critical, "runs of {state}: {statistic} against {critical} ({found:?}, {expected:?})");
    }
}

#[test]
fn calls_fail_as_often_as_said_inside_and_outside_of_bursts() {
    let timeline = Timeline::markov(400.0, 100.0, Begin::Stationary).unwrap();
    let trouble = |share, share_outside| Trouble {
        address: 3,
        timeline: timeline.clone(),
        effect: Effect { share_outside, ..Effect::failing(Fault::Status(429), share) },
    };
    // The same windows, seen by a trouble that fails every call within them.
    let within = answers(trouble(1.0, 0.0), 2.0, 100_000, 4);
    let calls = answers(trouble(0.3, 0.02), 2.0, 100_000, 4);
    let (mut found, mut all) = ([0.0; 2], [0.0; 2]);
    for ((_, inside, _), (_, outcome, _)) in within.iter().zip(&calls) {
        let at = usize::from(*inside == Outcome::Ok);
        all[at] += 1.0;
        found[at] += if *outcome == Outcome::Ok { 0.0 } else { 1.0 };
    }
    for (at, share) in [(0, 0.3f64), (1, 0.02)] {
        let off = (found[at] / all[at] - share) / (share * (1.0 - share) / all[at]).sqrt();
        assert!(off.abs() < 3.3, "{} of {}: {off} standard errors from {share}", found[at], all[at]);
    }
    let time_inside = all[0] / 100_000.0;
    assert!((time_inside - 0.2).abs() < 0.03, "{time_inside} of the calls are within bursts");
}

#[test]
fn slow_periods_stretch_exactly_the_calls_within_them() {
    let timeline =
        renewal("exponential(1000)", "lognormal(median=300, sigma=0.5)", Between::EndAndStart, Begin::Stationary);
    let trouble = |factor| Trouble {
        address: 3,
        timeline: timeline.clone(),
        effect: Effect { latency_factor: factor, ..Effect::failing(Fault::Status(503), 0.0) },
    };
    let slow = answers(trouble(2.5), 5.0, 40_000, 6);
    let spans = timeline.windows(Seed(5), Replication(6), 3).take_while(|window| start_s(window) < 200_000.0);
    let spans: Vec<Window> = spans.collect();
    let mut next = 0;
    for (at_s, outcome, total_s) in &slow {
        let at = SimTime::from_secs_f64(*at_s);
        while next < spans.len() && spans[next].end <= at {
            next += 1;
        }
        let inside = next < spans.len() && spans[next].start <= at;
        assert_eq!((*outcome, *total_s), (Outcome::Ok, if inside { 2.5 } else { 1.0 }), "at {at_s}");
    }
    let share = slow.iter().filter(|(.., total_s)| *total_s > 1.0).count() as f64 / slow.len() as f64;
    let mean_s = dist("lognormal(median=300, sigma=0.5)").mean();
    let expected = mean_s / (mean_s + 1000.0);
    assert!((share - expected).abs() < 0.1 * expected + 0.02, "{share}, expected {expected}");
}

fn preset(name: &str) -> ProviderModel {
    let file = format!("{}/models/providers/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
    serde_saphyr::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// The troubles of a preset over two years from a Monday.
fn trouble(model: &ProviderModel, name: &str, kind: &str) -> Timeline {
    let start = "2026-01-05T00:00[UTC]".parse().unwrap();
    let calendar = Calendar { start, horizon: SimDuration::from_secs(730 * 86_400), holidays: Vec::new() };
    let all = model.troubles(name, &calendar).unwrap();
    all.into_iter().find(|(known, _)| *known == kind).unwrap().1.timeline
}

/// Windows of so many replications of two years.
fn two_years(timeline: &Timeline, replications: u64) -> Vec<Vec<Window>> {
    let of = |r| timeline.windows(Seed(5), Replication(r), 7).take_while(|w| start_s(w) < 730.0 * DAY_S).collect();
    (0..replications).map(of).collect()
}

/// What is published of all incidents of an API (status pages until August 2024): days between starts, hours to repair,
/// the coefficient of variation of the gaps (1 without clustering), and the share of them on weekends.
struct Published {
    name: &'static str,
    gap_days: [f64; 2],
    repair_hours: [f64; 2],
    variation: f64,
    weekend: f64,
}

const PUBLISHED: [Published; 2] = [
    Published { name: "openai", gap_days: [2.0, 5.6], repair_hours: [1.24, 2.57], variation: 1.59, weekend: 0.068 },
    Published { name: "anthropic", gap_days: [2.1, 5.2], repair_hours: [0.77, 2.81], variation: 1.53, weekend: 0.064 },
];

#[test]
fn incidents_of_the_models_come_and_last_as_published() {
    for published in PUBLISHED {
        let years = two_years(&trouble(&preset(published.name), published.name, "slow"), 150);
        let of_run =
            |run: &Vec<Window>| run.windows(2).map(|w| (start_s(&w[1]) - start_s(&w[0])) / DAY_S).collect::<Vec<_>>();
        let mut gaps: Vec<f64> = years.iter().flat_map(of_run).collect();
        let mut repairs: Vec<f64> = years.iter().flatten().map(|window| length_s(window) / HOUR_S).collect();
        let weekend = years.iter().flatten().filter(|window| (start_s(window) / DAY_S) as i64 % 7 >= 5).count();
        let weekend = weekend as f64 / repairs.len() as f64;
        gaps.sort_by(f64::total_cmp);
        repairs.sort_by(f64::total_cmp);
        let median = |of: &[f64]| of[of.len() / 2];
        let mean = |of: &[f64]| of.iter().sum::<f64>() / of.len() as f64;
        let spread = (gaps.iter().map(|gap| (gap - mean(&gaps)).powi(2)).sum::<f64>() / gaps.len() as f64).sqrt();
        let figures = [
            // The Weibull law has a median of 2.2 days, and nights and weekends without incidents make it longer.
            ("median gap", median(&gaps), published.gap_days[0], 0.3),
            ("mean gap", mean(&gaps), published.gap_days[1], 0.1),
            ("median repair", median(&repairs), published.repair_hours[0], 0.15),
            ("mean repair", mean(&repairs), published.repair_hours[1], 0.25),
            ("clustering", spread / mean(&gaps), published.variation, 0.15),
            ("weekend share", weekend, published.weekend, 0.2),
        ];
        for (what, found, wanted, within) in figures {
            assert!((found / wanted - 1.0).abs() < within, "{}: {what} {found:.3}, published {wanted}", published.name);
        }
    }
}

#[test]
fn outages_of_the_models_touch_as_many_days_as_published() {
    // Outage on 8.0% and 6.0% of days; availability 0.9982 and 0.9992 where partial outages weigh 0.3.
    for (name, days, availability) in [("openai", 0.080, 0.9982), ("anthropic", 0.060, 0.9992)] {
        let model = preset(name);
        let years = two_years(&trouble(&model, name, "incidents"), 150);
        let touched = |run: &Vec<Window>| {
            let days = |w: &Window| (start_s(w) / DAY_S) as i64..=((w.end.as_secs_f64() / DAY_S) as i64).min(729);
            let mut all: Vec<i64> = run.iter().flat_map(days).collect();
            all.sort_unstable();
            all.dedup();
            all.len() as f64
        };
        let share = years.iter().map(touched).sum::<f64>() / (150.0 * 730.0);
        assert!((share / days - 1.0).abs() < 0.25, "{name}: outages on {share:.4} of days, published {days}");
        let down: f64 = years.iter().flatten().map(length_s).sum::<f64>() / (150.0 * 730.0 * DAY_S);
        let lost = down * model.incidents.as_ref().unwrap().share.0;
        let published = 1.0 - availability;
        assert!((lost / published - 1.0).abs() < 0.25, "{name}: {lost:.5} of calls are lost, published {published:.5}");
    }
}

#[test]
fn bursts_of_the_models_are_as_long_as_those_of_the_trace() {
    // GenTD26: 0.0135 requests/s, bad runs of 8.2 requests, 9.4% of requests in the bad state.
    let model = preset("openai");
    let bursts = model.bursts.as_ref().unwrap();
    let (run, bad) = (bursts.lasts.0 * 0.0135, bursts.lasts.0 / (bursts.lasts.0 + bursts.every.0));
    assert!((run / 8.2 - 1.0).abs() < 0.05, "{run} requests in a burst");
    assert!((bad / 0.094 - 1.0).abs() < 0.05, "{bad} of requests in bursts");
    let years = two_years(&trouble(&model, "openai", "bursts"), 4);
    let share = years.iter().flatten().map(length_s).sum::<f64>() / (4.0 * 730.0 * DAY_S);
    assert!((share / bad - 1.0).abs() < 0.05, "{share}");
}

const TWO: &str = "model_list:\n\
    - {model_name: a, litellm_params: {model: openai/gpt-4o}}\n\
    - {model_name: b, litellm_params: {model: anthropic/claude-haiku-5-5}}\n\
    - {model_name: c, litellm_params: {model: mistral/mistral-small-latest}}\n";
const INCIDENTS: &str = "incidents: { between: exponential(20h), lasts: exponential(2h), share: 100% }";

/// Whether each trouble is active in each quarter of an hour of many runs: the correlation of
/// two deployments' failures.
fn correlation(upstream: &str, pair: [usize; 2]) -> f64 {
    let quiet = |provider| format!("  {provider}: {{ preset: none, latency: 1 }}\n");
    let own = |provider| format!("  {provider}: {{ preset: none, latency: 1, {INCIDENTS} }}\n");
    let entries = if upstream.is_empty() {
        ["openai", "anthropic", "mistral"].map(own).concat()
    } else {
        format!("{}  {upstream}\n", ["openai", "anthropic", "mistral"].map(quiet).concat())
    };
    let scenario =
        format!("hours: 240\ntraffic: {{ x: {{ model: a, rate: 1/h, input: 1, output: 1 }} }}\nupstream:\n{entries}");
    let world = support::world(TWO, &scenario);
    let end = SimTime(240 * 3_600_000_000_000);
    let mut sums = [0.0; 5];
    for replication in 0..60 {
        let all: Vec<Vec<Window>> = (0..world.providers.troubles().len())
            .map(|index| world.providers.windows(index, Seed(5), Replication(replication), end))
            .collect();
        for quarter in 0..960 {
            let at = SimTime(quarter * 900_000_000_000);
            let is_down = |deployment: usize| {
                let troubles = &world.providers.deployments()[deployment].troubles;
                troubles.iter().any(|index| all[*index].iter().any(|w| w.start <= at && at < w.end))
            };
            let [x, y] = pair.map(|deployment| f64::from(u8::from(is_down(deployment))));
            [x, y, x * x, y * y, x * y].into_iter().zip(&mut sums).for_each(|(value, sum)| *sum += value);
        }
    }
    let n = 60.0 * 960.0;
    let [x, y, xx, yy, xy] = sums.map(|sum| sum / n);
    (xy - x * y) / ((xx - x * x) * (yy - y * y)).sqrt()
}

#[test]
fn providers_fail_together_only_where_it_is_said() {
    let independent = correlation("", [0, 1]);
    assert!(independent.abs() < 0.05, "{independent}");
    let region = format!("us-east: {{ of: [openai, anthropic], {INCIDENTS} }}");
    assert!((correlation(&region, [0, 1]) - 1.0).abs() < 1e-9, "both have nothing but the troubles of the region");
}

#[test]
fn an_entry_of_several_is_strict() {
    let error = |entry: &str| {
        let scenario =
            format!("traffic: {{ x: {{ model: a, rate: 1/h, input: 1, output: 1 }} }}\nupstream: {{ {entry} }}\n");
        support::try_world(TWO, &scenario).expect_err("an error")
    };
    let typo = error(&format!("region: {{ of: [openai, antropic], {INCIDENTS} }}"));
    assert!(typo.contains("did you mean `anthropic`?"), "{typo}");
    let more = error("region: { of: [openai], latency: 2 }");
    assert!(more.contains("can only have `bursts`"), "{more}");
    let nothing = error("region: { of: [openai] }");
    assert!(nothing.contains("not what they meet"), "{nothing}");
    let name = error(&format!("openai: {{ of: [anthropic], {INCIDENTS} }}"));
    assert!(name.contains("needs another name"), "{name}");
}
