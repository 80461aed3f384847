//! What a change does: the same random weekends under two configurations, and their differences.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::experiment::assemble::{Labels, ShareLabel};
use crate::experiment::contrast::{Contrast, contrast};
use crate::experiment::controls::{Control, controls};
use crate::experiment::fold::{dollars, money};
use crate::experiment::forecast::{Forecast, RunRow};
use crate::experiment::metric::{CONFIDENCE, Metric, Stat};
use crate::experiment::replicate::{Options, Progress};
use crate::experiment::run::{assembled, labels};
use crate::experiment::together::{Played, replicate_together};
use crate::ledger::Cause;
use crate::scenario::World;
use crate::stats::{Estimate, Moments, controlled, quantile_of_sorted};
use crate::units::Money;

/// A configuration that is compared.
#[derive(Debug)]
pub struct Arm {
    /// What the comparison calls it.
    pub label: String,
    /// The configuration.
    pub world: World,
}

/// One base and what others do differently in the same random weekends.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// What the others are compared with.
    pub base: Side,
    /// The others, in the order given.
    pub changes: Vec<Change>,
}

/// One side of a comparison.
#[derive(Debug, Clone)]
pub struct Side {
    /// What the comparison calls it.
    pub label: String,
    /// All that is known of it.
    pub forecast: Forecast,
}

/// What one configuration does differently.
#[derive(Debug, Clone)]
pub struct Change {
    /// The configuration.
    pub side: Side,
    /// What stands in the way of a fair comparison.
    pub notes: Vec<String>,
    /// Mean bill.
    pub bill_mean: Difference<Money>,
    /// Median bill.
    pub bill_p50: Difference<Money>,
    /// 95th percentile of the bill.
    pub bill_p95: Difference<Money>,
    /// Mean fallback premium.
    pub fallback_premium: Difference<Money>,
    /// Mean spend that the gateway reports.
    pub reported_spend: Difference<Money>,
    /// Numbers without a currency, means over the runs.
    pub numbers: Vec<(Metric, Difference<f64>)>,
    /// Mean bill by cause.
    pub by_cause: Vec<(Cause, Difference<Money>)>,
    /// Mean bill by deployment.
    pub by_deployment: Vec<PartDifference>,
    /// Mean bill by virtual key.
    pub by_key: Vec<PartDifference>,
    /// Mean bill by traffic class.
    pub by_class: Vec<PartDifference>,
    /// Share of the runs in which this side is cheaper: the probability that a weekend is.
    pub cheaper: Estimate,
    /// Share of the runs in which it is dearer.
    pub dearer: Estimate,
    /// Run by run, in order: the bill of the base and of this side.
    pub pairs: Vec<[Money; 2]>,
    /// The difference of the mean bill with known chance taken back; none where that is not worth it, or
    /// where there are too few runs.
    pub controlled: Option<Controlled>,
}

/// A difference of the mean bill after control variates: what single runs owe to chance whose exact
/// mean is known is taken back.
#[derive(Debug, Clone, PartialEq)]
pub struct Controlled {
    /// Other minus base.
    pub delta: Money,
    /// 95% confidence interval of `delta`.
    pub ci95: [Money; 2],
    /// Standard error of `delta`, in dollars.
    pub std_error: f64,
    /// How many times more runs would have been as sure without.
    pub gain: f64,
    /// Runs with seeds of their own that the same precision would have taken.
    pub independent_runs: u64,
    /// What was taken back, in the order of how much it was.
    pub controls: Vec<String>,
}

/// A difference with its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference<T> {
    /// The value of the base.
    pub base: T,
    /// The value of the other.
    pub other: T,
    /// Other minus base, exactly.
    pub delta: T,
    /// 95% confidence interval of `delta`; none where a single run cannot tell.
    pub ci95: Option<[T; 2]>,
    /// Standard error of `delta`, in dollars where it is money; none where a single run cannot tell.
    pub std_error: Option<f64>,
    /// `delta` as a share of the base; none where the base is nothing.
    pub relative: Option<f64>,
    /// Runs with seeds of their own that the same precision would have taken; none where no number would do, because
    /// all
    /// runs differ by the same amount.
    pub independent_runs: Option<u64>,
}

/// The difference of a part: of a deployment, a key, a traffic class.
#[derive(Debug, Clone, PartialEq)]
pub struct PartDifference {
    /// Its name.
    pub name: String,
    /// Whether the base has it.
    pub in_base: bool,
    /// Whether the other has it.
    pub in_other: bool,
    /// Mean bill.
    pub bill: Difference<Money>,
}

/// What can be said of the direction of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Exactly the same in every run.
    Same,
    /// The whole interval is below zero.
    Less,
    /// The whole interval is above zero.
    More,
    /// The interval holds zero: these runs cannot tell.
    Unclear,
}

impl<T: Copy + PartialOrd + Default> Difference<T> {
    /// What can be said of the direction.
    pub fn direction(&self) -> Direction {
        let zero = T::default();
        match self.ci95 {
            Some([low, high]) if low == zero && high == zero => Direction::Same,
            Some([_, high]) if high < zero => Direction::Less,
            Some([low, _]) if low > zero => Direction::More,
            _ => Direction::Unclear,
        }
    }
}

/// Numbers that are compared beside money.
const NUMBERS: [Metric; 8] = [
    Metric::FailureRate,
    Metric::FallbackShare,
    Metric::CacheHitShare,
    Metric::LatencyP50,
    Metric::LatencyP95,
    Metric::Requests,
    Metric::UpstreamCalls,
    Metric::CallsPerRequest,
];

/// Simulates the base and the others in the same random weekends.
pub fn compare(base: &Arm, others: &[Arm], options: &Options, progress: &dyn Progress) -> Comparison {
    let counting = |arm: &Arm| World { providers: Arc::new(arm.world.providers.counting_luck()), ..arm.world.clone() };
    let worlds: Vec<World> = std::iter::once(base).chain(others).map(counting).collect();
    let mut played = replicate_together(&worlds, options, progress);
    let rest = played.split_off(1);
    let of_base = Measured::new(base, played.pop().unwrap_or_default(), options);
    let changes = others.iter().zip(rest).map(|(arm, played)| change(&of_base, &Measured::new(arm, played, options)));
    let changes = changes.collect();
    Comparison { base: of_base.side, changes }
}

/// A side with what is compared of it run by run.
struct Measured {
    side: Side,
    labels: Labels,
    deployments: Vec<Vec<Money>>,
    keys: Vec<Vec<Money>>,
    classes: Vec<Vec<Money>>,
    controls: Vec<Control>,
}

impl Measured {
    fn new(arm: &Arm, Played { fold, luck }: Played, options: &Options) -> Self {
        let controls = controls(&arm.world, options, &fold.rows, &luck);
        let (deployments, keys, classes) =
            (fold.deployment_bills.clone(), fold.key_bills.clone(), fold.class_bills.clone());
        let side = Side { label: arm.label.clone(), forecast: assembled(&arm.world, options, fold) };
        Self { side, labels: labels(&arm.world), deployments, keys, classes, controls }
    }

    fn rows(&self) -> &[RunRow] {
        &self.side.forecast.runs
    }
}

fn change(base: &Measured, other: &Measured) -> Change {
    let (a, b) = (base.rows(), other.rows());
    let bills = |stat| money_difference(a, b, |row| row.bill, stat);
    let mean = |part: &dyn Fn(&RunRow) -> Money| money_difference(a, b, part, Stat::Mean);
    let by_cause = Cause::ALL.into_iter().map(|cause| (cause, mean(&|row| row.by_cause[cause])));
    let pairs: Vec<[Money; 2]> = a.iter().zip(b).map(|(a, b)| [a.bill, b.bill]).collect();
    let share = |test: fn(&[Money; 2]) -> bool| {
        Estimate::of_share(pairs.iter().filter(|pair| test(pair)).count() as u64, pairs.len() as u64, CONFIDENCE)
    };
    let shares = |labels: &[ShareLabel]| labels.iter().map(|label| label.name.clone()).collect::<Vec<_>>();
    let deployments = |labels: &Labels| labels.deployments.iter().map(|label| label.name.clone()).collect::<Vec<_>>();
    Change {
        notes: notes(&base.side.forecast, &other.side.forecast),
        bill_mean: bills(Stat::Mean),
        bill_p50: bills(Stat::Quantile(0.5)),
        bill_p95: bills(Stat::Quantile(0.95)),
        fallback_premium: mean(&|row| row.fallback_premium),
        reported_spend: mean(&|row| row.reported_spend),
        numbers: NUMBERS.into_iter().map(|metric| (metric, number_difference(a, b, metric))).collect(),
        by_cause: by_cause.collect(),
        by_deployment: parts(
            (&deployments(&base.labels), &base.deployments),
            (&deployments(&other.labels), &other.deployments),
        ),
        by_key: parts((&shares(&base.labels.keys), &base.keys), (&shares(&other.labels.keys), &other.keys)),
        by_class: parts(
            (&shares(&base.labels.classes), &base.classes),
            (&shares(&other.labels.classes), &other.classes),
        ),
        cheaper: share(|[a, b]| b < a),
        dearer: share(|[a, b]| b > a),
        controlled: take_back(&pairs, base, other),
        side: other.side.clone(),
        pairs,
    }
}

/// The mean difference of the bills with the chance taken back that the controls of both sides account for.
fn take_back(pairs: &[[Money; 2]], base: &Measured, other: &Measured) -> Option<Controlled> {
    let shared = |control: &Control| other.controls.contains(control);
    let named = |control: &Control, side: &str| format!("{} ({side})", control.name);
    let of_base = base.controls.iter().map(|control| match shared(control) {
        true => (control.name.clone(), control),
        false => (named(control, "base"), control),
    });
    let of_other = other.controls.iter().filter(|control| !base.controls.contains(control));
    let all: Vec<(String, &Control)> =
        of_base.chain(of_other.map(|control| (named(control, "changed"), control))).collect();
    let differences: Vec<f64> = pairs.iter().map(|[a, b]| dollars(*b - *a)).collect();
    let series: Vec<Vec<f64>> = all.iter().map(|(_, control)| control.values.clone()).collect();
    let found = controlled(&differences, &series, CONFIDENCE)?;
    let variance = |side: usize| pairs.iter().map(|pair| dollars(pair[side])).collect::<Moments>().variance();
    let paired = differences.iter().copied().collect::<Moments>().variance();
    let Estimate { point, std_error, interval } = found.estimate;
    Some(Controlled {
        delta: money(point),
        ci95: [money(interval.low), money(interval.high)],
        std_error,
        gain: found.gain,
        independent_runs: ((variance(0) + variance(1)) / paired * found.gain * pairs.len() as f64).ceil() as u64,
        controls: found.used.into_iter().map(|place| all[place].0.clone()).collect(),
    })
}

/// What makes two forecasts hard to compare.
fn notes(base: &Forecast, other: &Forecast) -> Vec<String> {
    let mut notes = Vec::new();
    if base.about.horizon_hours != other.about.horizon_hours {
        let (a, b) = (base.about.horizon_hours, other.about.horizon_hours);
        notes.push(format!("The horizons differ: {a} h and {b} h. Their bills are not of the same length."));
    }
    if base.about.start != other.about.start {
        notes.push("The runs begin at different times: prices and hours of the week may differ.".to_owned());
    }
    notes
}

/// The difference of a statistic of amounts, exact in its point.
fn money_difference(a: &[RunRow], b: &[RunRow], of: impl Fn(&RunRow) -> Money, stat: Stat) -> Difference<Money> {
    amounts_difference(a.iter().map(&of).collect(), b.iter().map(&of).collect(), stat)
}

fn amounts_difference(a: Vec<Money>, b: Vec<Money>, stat: Stat) -> Difference<Money> {
    let series = |amounts: &[Money]| amounts.iter().copied().map(dollars).collect::<Vec<f64>>();
    let found = contrast(&series(&a), &series(&b), stat);
    let runs = a.len().max(1) as u64;
    let (base, other, delta) = match stat {
        Stat::Mean => {
            let (sum_a, sum_b) = (a.iter().copied().sum::<Money>(), b.iter().copied().sum::<Money>());
            let (base, other) = (sum_a.divided_by(runs), sum_b.divided_by(runs));
            (base, other, other - base)
        }
        Stat::Max | Stat::Quantile(_) => {
            let p = if let Stat::Quantile(p) = stat { p } else { 1.0 };
            let (base, other) = (money_quantile(a, p), money_quantile(b, p));
            (base, other, other - base)
        }
    };
    // The interval stands around the exact point: the floats are off by less than a picodollar in a hundred dollars.
    let shift = delta - money(found.delta.point);
    let end = |value: f64| if delta == Money::ZERO && value == 0.0 { Money::ZERO } else { money(value) + shift };
    difference(base, other, delta, &found, runs, end)
}

/// The nearest-rank quantile of amounts: that of a real run.
fn money_quantile(mut amounts: Vec<Money>, p: f64) -> Money {
    amounts.sort_unstable();
    quantile_of_sorted(&amounts, p).copied().unwrap_or_default()
}

fn number_difference(a: &[RunRow], b: &[RunRow], metric: Metric) -> Difference<f64> {
    let found = contrast(&metric.series(a), &metric.series(b), Stat::Mean);
    difference(found.base, found.other, found.delta.point, &found, a.len() as u64, |value| value)
}

fn difference<T>(base: T, other: T, delta: T, found: &Contrast, runs: u64, end: impl Fn(f64) -> T) -> Difference<T> {
    let interval = found.delta.interval;
    let is_known = interval.low.is_finite() && interval.high.is_finite();
    let independent = (found.gain * runs as f64).ceil();
    Difference {
        base,
        other,
        delta,
        ci95: is_known.then(|| [end(interval.low), end(interval.high)]),
        std_error: is_known.then_some(found.delta.std_error).filter(|error| error.is_finite()),
        relative: Some(found.relative.point).filter(|share| share.is_finite()),
        independent_runs: independent.is_finite().then_some(independent as u64),
    }
}

type Bills<'a> = (&'a [String], &'a [Vec<Money>]);

/// Part by part, those of the base first; a part that one side does not have costs nothing there.
fn parts((base_names, base): Bills<'_>, (other_names, other): Bills<'_>) -> Vec<PartDifference> {
    let (in_base, in_other) = (places(base_names), places(other_names));
    let only_other = other_names.iter().filter(|name| !in_base.contains_key(name.as_str()));
    let part = |name: &String| {
        let place = |places: &BTreeMap<&str, usize>| places.get(name.as_str()).copied();
        let (at_base, at_other) = (place(&in_base), place(&in_other));
        let series = |bills: &[Vec<Money>], place: Option<usize>| -> Vec<Money> {
            bills.iter().map(|run| place.map_or(Money::ZERO, |place| run[place])).collect()
        };
        let bill = amounts_difference(series(base, at_base), series(other, at_other), Stat::Mean);
        PartDifference { name: name.clone(), in_base: at_base.is_some(), in_other: at_other.is_some(), bill }
    };
    base_names.iter().chain(only_other).map(part).collect()
}

/// Where each name stands first.
fn places(names: &[String]) -> BTreeMap<&str, usize> {
    names.iter().enumerate().rev().map(|(place, name)| (name.as_str(), place)).collect()
}
