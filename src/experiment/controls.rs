//! What is known of the chance in each run: numbers whose exact mean is zero, for `stats::controlled`. Those of the
//! world (volumes, when troubles come and how long they stay, requests) follow from the seed alone; the luck of calls
//! is counted while they are simulated. None of them is estimated, so none of them biases what it is taken from.

use crate::experiment::forecast::RunRow;
use crate::experiment::replicate::{Options, Unwatched, each_run};
use crate::provider::{LUCK_KINDS, Luck, Timeline, Trouble};
use crate::random::{Replication, Seed};
use crate::scenario::World;
use crate::units::SimTime;

/// A number of each run whose mean is zero.
#[derive(Debug, Clone, PartialEq)]
pub struct Control {
    /// What it is.
    pub name: String,
    /// One number a run.
    pub values: Vec<f64>,
}

/// What the kinds of [`Luck`] are called.
const LUCK: [&str; LUCK_KINDS] = [
    "first chance failures",
    "second chance failures within a minute",
    "third chance failures within a minute",
    "further chance failures within a minute",
];

/// All controls of a world over these runs, without those that are the same in every run.
pub fn controls(world: &World, options: &Options, rows: &[RunRow], luck: &[Luck]) -> Vec<Control> {
    let weights = Weights::new(world.traffic.rates(world.horizon));
    let expected = expected(world, &weights);
    let of_run = |replication: Replication| of_run(world, options.seed, replication, &weights, &expected);
    let by_run = each_run(options, rows.len() as u64, &Unwatched, of_run);
    let mut all: Vec<Control> = names(world, &expected)
        .into_iter()
        .enumerate()
        .map(|(place, name)| Control { name, values: by_run.iter().map(|run| run[place]).collect() })
        .collect();
    all.extend(requests(world, options.seed, rows));
    all.extend(LUCK.iter().enumerate().map(|(kind, name)| {
        let values = luck.iter().map(|luck| luck.0[kind]).collect();
        Control { name: (*name).to_owned(), values }
    }));
    all.retain(|control| control.values.windows(2).any(|pair| pair[0] != pair[1]));
    all
}

/// Names of what [`of_run`] says, in its order.
fn names(world: &World, expected: &[Option<f64>]) -> Vec<String> {
    let classes = world.names.classes.iter().map(|class| format!("volume of {class}"));
    let mut names: Vec<String> = std::iter::once("volume of all".to_owned()).chain(classes).collect();
    let of = |index: usize| {
        let trouble = &world.names.troubles[index];
        format!("{} of {}", trouble.kind, trouble.target)
    };
    for index in 0..world.names.troubles.len() {
        names.extend([format!("gaps before {}", of(index)), format!("lengths of {}", of(index))]);
    }
    let known = expected.iter().enumerate().filter(|(_, expected)| expected.is_some());
    names.extend(known.map(|(index, _)| format!("time in {}", of(index))));
    names
}

/// The normal scores of the volumes; those of the gaps before troubles and of their lengths; and the time within
/// troubles, weighed with the traffic, less the expected. The scores of a run are as many as its troubles take, but
/// whether another is drawn depends only on those before, so their sum has mean zero (A. Wald, Annals of
/// Mathematical Statistics 15, 1944).
fn of_run(
    world: &World,
    seed: Seed,
    replication: Replication,
    weights: &Weights,
    expected: &[Option<f64>],
) -> Vec<f64> {
    let end = SimTime::ZERO + world.horizon;
    let mut all: Vec<f64> = world.traffic.scores(seed, replication).iter().map(|scores| scores.sum).collect();
    let troubles = world.providers.scores(seed, replication, end);
    all.extend(troubles.iter().flatten().map(|scores| scores.sum));
    for (index, expected) in expected.iter().enumerate() {
        let Some(expected) = expected else { continue };
        let windows = world.providers.windows(index, seed, replication, end);
        let within: f64 = windows.iter().map(|w| weights.until(w.end) - weights.until(w.start)).sum();
        all.push(within - expected);
    }
    all
}

/// The weighed time that is expected within each trouble; none where it is not known exactly, or always the same.
fn expected(world: &World, weights: &Weights) -> Vec<Option<f64>> {
    let of = |trouble: &Trouble| match &trouble.timeline {
        Timeline::Scheduled(_) => None,
        Timeline::Renewal(_) => weights.expected(&trouble.timeline),
    };
    world.providers.troubles().iter().map(of).collect()
}

/// Requests that come by themselves beyond those expected; none where that is not known exactly.
fn requests(world: &World, seed: Seed, rows: &[RunRow]) -> Option<Control> {
    let beyond = |row: &RunRow| {
        let expected = world.traffic.expected_requests(seed, Replication(row.run), world.horizon)?;
        Some((row.requests - row.client_retries) as f64 - expected)
    };
    let values = rows.iter().map(beyond).collect::<Option<Vec<f64>>>()?;
    Some(Control { name: "requests".to_owned(), values })
}

/// Time, weighed with the traffic that comes meanwhile.
struct Weights {
    /// Ends of steps, the weight of a second in each, and that of all time before.
    steps: Vec<(SimTime, f64, f64)>,
}

impl Weights {
    fn new(rates: Vec<(SimTime, f64)>) -> Self {
        let (mut begin, mut before) = (SimTime::ZERO, 0.0);
        let step = |(end, rate): (SimTime, f64)| {
            let step = (end, rate, before);
            before += rate * (end - begin).as_secs_f64();
            begin = end;
            step
        };
        Self { steps: rates.into_iter().map(step).collect() }
    }

    /// The weight of all time until a moment, or until the end.
    fn until(&self, at: SimTime) -> f64 {
        let place = self.steps.partition_point(|(end, ..)| *end < at).min(self.steps.len().saturating_sub(1));
        let Some(&(end, rate, before)) = self.steps.get(place) else { return 0.0 };
        let begin = place.checked_sub(1).map_or(SimTime::ZERO, |before| self.steps[before].0);
        before + rate * (at.min(end) - begin).as_secs_f64()
    }

    /// The weight of the time within windows that is expected until the end.
    fn expected(&self, timeline: &Timeline) -> Option<f64> {
        let begins = std::iter::once(SimTime::ZERO).chain(self.steps.iter().map(|step| step.0));
        let within = |(begin, (end, rate, _)): (SimTime, &(SimTime, f64, f64))| {
            timeline.expected_s(begin, *end).map(|seconds| rate * seconds)
        };
        begins.zip(&self.steps).map(within).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::Begin;

    const HOUR: i64 = 3_600_000_000_000;

    fn weights() -> Weights {
        Weights::new(vec![(SimTime(HOUR), 0.5), (SimTime(3 * HOUR), 2.0), (SimTime(10 * HOUR), 1.0)])
    }

    #[test]
    fn time_is_weighed_with_the_traffic() {
        let at = |half_hours: i64| weights().until(SimTime(half_hours * HOUR / 2)) / 3600.0;
        assert_eq!([0, 1, 2, 3, 6, 8, 20, 99].map(at), [0.0, 0.25, 0.5, 1.5, 4.5, 5.5, 11.5, 11.5]);
        assert_eq!(Weights::new(Vec::new()).until(SimTime(HOUR)), 0.0);
    }

    #[test]
    fn time_in_troubles_less_the_expected_has_mean_zero() {
        let weights = weights();
        let end = SimTime(10 * HOUR);
        let timelines = [
            Timeline::markov(7_200.0, 900.0, Begin::Quiet),
            Timeline::markov(7_200.0, 900.0, Begin::Stationary),
            Timeline::markov(600.0, 5_400.0, Begin::Quiet),
        ];
        for timeline in timelines.map(|timeline| timeline.expect("means are positive")) {
            let expected = weights.expected(&timeline).expect("it is known");
            let within = |run: u64| {
                let windows = timeline.windows(Seed(8), Replication(run), 3).take_while(|w| w.start < end);
                windows.map(|w| weights.until(w.end) - weights.until(w.start)).sum::<f64>() - expected
            };
            let (mut sum, mut squares) = (0.0, 0.0);
            for run in 0..4_000 {
                sum += within(run);
                squares += within(run).powi(2);
            }
            // 4 standard errors; the runs are spread evenly, so it is less.
            assert!(sum.abs() < 4.0 * f64::sqrt(squares), "{sum} ± {}: {timeline:?}", squares.sqrt());
        }
    }
}
