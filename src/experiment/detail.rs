//! What is told of a few runs or of a few things in more detail: the charges of the runs at the percentiles of the
//! bill, the providers, the days.

use jiff::civil::Date;
use jiff::{SignedDuration, Zoned};
use rayon::ThreadPoolBuilder;

use crate::engine::{ChargeKey, ChargeSum, DeploymentTotals, charges};
use crate::experiment::assemble::{DeploymentLabel, errors};
use crate::experiment::fold::{Fold, by_bill, latency, money_stats};
use crate::experiment::forecast::{DeploymentRow, ErrorCounts, Forecast, LatencyStats, ShareRow};
use crate::experiment::replicate::in_order;
use crate::experiment::run::HOUR;
use crate::ledger::{Cause, split};
use crate::random::{Replication, Seed};
use crate::scenario::World;
use crate::stats::quantile_of_sorted;
use crate::units::{DeploymentId, Money, TokenKind};

/// The run whose bill is a percentile of the bill, with everything that it is charged. Its charges sum to that
/// percentile exactly; they are the charges of one real run, not percentiles of single charges, which would not add up.
#[derive(Debug, Clone, PartialEq)]
pub struct PercentileRun {
    /// Which percentile: 50, 80 or 95.
    pub percentile: u8,
    /// Number of the replication.
    pub run: u64,
    /// Its bill.
    pub bill: Money,
    /// Line by line.
    pub charges: Vec<ChargeRow>,
}

impl Forecast {
    /// All charges of the runs at the percentiles of the bill, each with its run, its deployment and its key.
    pub fn percentile_charges(&self) -> impl Iterator<Item = (&ChargeRow, &PercentileRun, &DeploymentRow, &ShareRow)> {
        let all = self.percentile_runs.iter().flat_map(|run| run.charges.iter().map(move |charge| (charge, run)));
        all.filter_map(|(charge, run)| {
            Some((charge, run, self.deployments.get(charge.deployment)?, self.keys.get(charge.key)?))
        })
    }
}

/// Charges of one day, deployment, key, cause and kind.
#[derive(Debug, Clone, PartialEq)]
pub struct ChargeRow {
    /// The UTC day.
    pub day: Date,
    /// Place in [`Forecast::deployments`].
    pub deployment: usize,
    /// Place in [`Forecast::keys`].
    pub key: usize,
    /// Behind a pattern: the model that was called.
    pub model: Option<String>,
    /// Of paid capacity: the name of the commitment.
    pub commitment: Option<String>,
    /// Why.
    pub cause: Cause,
    /// For what.
    pub kind: TokenKind,
    /// Tokens; calls where the charge is for a call, seconds of paid capacity.
    pub quantity: u64,
    /// Money.
    pub amount: Money,
}

impl ChargeRow {
    /// The model that was called: that of its deployment, or the one that was filled in there.
    pub fn model<'a>(&'a self, deployment: &'a DeploymentRow) -> &'a str {
        self.model.as_deref().unwrap_or(&deployment.model)
    }
}

/// One provider: all its deployments together.
#[derive(Debug, Clone, PartialEq)]
pub struct ProviderRow {
    /// Its name.
    pub name: String,
    /// Mean cost of one horizon.
    pub bill_mean: Money,
    /// 95th percentile of its cost.
    pub bill_p95: Money,
    /// Mean upstream calls.
    pub attempts: f64,
    /// Mean calls answered well.
    pub served: f64,
    /// Mean calls that ended in an error, by class of error.
    pub errors: ErrorCounts,
    /// Latency of answered calls.
    pub latency_s: Option<LatencyStats>,
    /// Whether its cost is known: not where none of its models has a price.
    pub priced: bool,
}

/// One local day of the horizon.
#[derive(Debug, Clone, PartialEq)]
pub struct DayRow {
    /// The day.
    pub date: Date,
    /// How many of its hours lie in the horizon.
    pub hours: f64,
    /// How many hours the day has: 23 or 25 when the clocks change.
    pub of_hours: u32,
    /// Whether it counts as a Sunday.
    pub holiday: bool,
    /// What each run is charged on it, in order of the replication's number.
    pub bills: Vec<Money>,
}

/// Percentiles whose runs are told line by line.
pub const PERCENTILES: [u8; 3] = [50, 80, 95];

/// The charges of the runs at the percentiles of the bill. Plays these runs once more.
pub fn percentile_runs(world: &World, forecast: &Forecast) -> Vec<PercentileRun> {
    let by_bill = by_bill(&forecast.runs);
    let chosen = |percentile: u8| quantile_of_sorted(&by_bill, f64::from(percentile) / 100.0);
    let mut numbers: Vec<u64> = PERCENTILES.iter().filter_map(|p| chosen(*p)).map(|(_, run)| *run).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let seed = Seed(forecast.about.seed);
    let one = |nth: u64| {
        let run = *numbers.get(nth as usize)?;
        Some((run, rows(world, &charges(world, seed, Replication(run)))))
    };
    let mut lines: Vec<(u64, Vec<ChargeRow>)> = Vec::new();
    let mut all = || in_order(0..numbers.len() as u64, one, |line| lines.push(line));
    match ThreadPoolBuilder::new().num_threads(numbers.len().max(1)).build() {
        Ok(pool) => pool.install(all),
        Err(_) => all(),
    }
    let told = |percentile: u8| {
        let (bill, run) = *chosen(percentile)?;
        let (_, charges) = lines.iter().find(|(number, _)| *number == run)?;
        Some(PercentileRun { percentile, run, bill, charges: charges.clone() })
    };
    PERCENTILES.into_iter().filter_map(told).collect()
}

fn rows(world: &World, charges: &[(ChargeKey, ChargeSum)]) -> Vec<ChargeRow> {
    let first = world.start.timestamp().to_zoned(jiff::tz::TimeZone::UTC).date();
    let served = |deployment: DeploymentId| &world.names.deployments[deployment.index()].models;
    // No deployment draws on two.
    let commitment = |key: &ChargeKey| {
        let mut all = world.tariffs.capacities.iter().filter(|_| key.kind == TokenKind::Capacity);
        all.find(|capacity| capacity.of.contains(&key.deployment))
    };
    let row = |(key, sum): &(ChargeKey, ChargeSum)| ChargeRow {
        day: first.saturating_add(jiff::Span::new().days(i64::from(key.day))),
        deployment: key.deployment.index(),
        key: key.key.index(),
        model: key.model.and_then(|model| served(key.deployment).get(model as usize).cloned()),
        commitment: commitment(key).map(|capacity| capacity.name.clone()),
        cause: key.cause,
        kind: key.kind,
        quantity: sum.quantity,
        amount: sum.amount,
    };
    charges.iter().map(row).collect()
}

/// Provider by provider, in the order of their first deployments.
pub fn provider_rows(fold: &Fold, labels: &[DeploymentLabel]) -> Vec<ProviderRow> {
    let mut names: Vec<&str> = Vec::new();
    for label in labels.iter().filter(|_| !fold.deployments.is_empty()) {
        if !names.contains(&label.provider.as_str()) {
            names.push(&label.provider);
        }
    }
    names.into_iter().map(|name| provider_row(fold, labels, name)).collect()
}

fn provider_row(fold: &Fold, labels: &[DeploymentLabel], name: &str) -> ProviderRow {
    let runs = fold.runs().max(1);
    let mine = |index: &usize| labels[*index].provider == name;
    let mut totals = DeploymentTotals::default();
    (0..labels.len()).filter(mine).for_each(|index| totals.merge(&fold.deployments[index]));
    let bill = |bills: &Vec<Money>| (0..labels.len()).filter(mine).map(|index| bills[index]).sum();
    let bill = money_stats(fold.deployment_bills.iter().map(bill).collect());
    ProviderRow {
        name: name.to_owned(),
        bill_mean: bill.mean,
        bill_p95: bill.p95,
        attempts: totals.attempts as f64 / runs as f64,
        served: totals.served as f64 / runs as f64,
        errors: errors(&totals, runs),
        latency_s: latency(&totals.latency),
        priced: bill.mean != Money::ZERO || (0..labels.len()).filter(mine).any(|index| labels[index].priced),
    }
}

impl DayRow {
    /// Whether all of it lies in the horizon.
    pub fn is_whole(&self) -> bool {
        (self.hours - f64::from(self.of_hours)).abs() < 1e-6
    }
}

/// Day by day in the zone of the start, from the hours of the runs. An hour around midnight, where a run does not begin
/// on the hour, is divided by time.
pub fn day_rows(world: &World, fold: &Fold) -> Vec<DayRow> {
    let mut days: Vec<DayRow> = Vec::new();
    for hour in 0..fold.steps.len() {
        let begin = HOUR.0 * i64::try_from(hour).unwrap_or(i64::MAX / HOUR.0);
        let (from, to) = (moment(world, begin), moment(world, begin.saturating_add(HOUR.0).min(world.horizon.0)));
        let midnight = from.start_of_day().and_then(|day| day.tomorrow()).ok().filter(|midnight| *midnight < to);
        let pieces: Vec<(Zoned, u64)> = match &midnight {
            Some(midnight) => vec![(from.clone(), nanos(&from, midnight)), (midnight.clone(), nanos(midnight, &to))],
            None => vec![(from.clone(), nanos(&from, &to))],
        };
        let lengths: Vec<u64> = pieces.iter().map(|(_, length)| *length).collect();
        for (place, (at, length)) in pieces.iter().enumerate() {
            let date = at.date();
            if days.last().is_none_or(|day| day.date != date) {
                let (of_hours, holiday) = (hours_of(at), world.holidays.contains(&date));
                let bills = vec![Money::ZERO; fold.hour_bills.len()];
                days.push(DayRow { date, hours: 0.0, of_hours, holiday, bills });
            }
            let Some(day) = days.last_mut() else { continue };
            day.hours += *length as f64 / HOUR.0 as f64;
            for (sum, hours) in day.bills.iter_mut().zip(&fold.hour_bills) {
                *sum += match lengths.len() {
                    1 => hours[hour],
                    _ => Money::from_picos(split(hours[hour].picos(), &lengths)[place]),
                };
            }
        }
    }
    days
}

/// The wall clock so many nanoseconds after the start.
fn moment(world: &World, nanos: i64) -> Zoned {
    world.start.checked_add(SignedDuration::from_nanos(nanos)).unwrap_or_else(|_| world.start.clone())
}

fn nanos(from: &Zoned, to: &Zoned) -> u64 {
    u64::try_from(from.duration_until(to).as_nanos()).unwrap_or(0)
}

/// Hours of a local day.
pub fn hours_of(at: &jiff::Zoned) -> u32 {
    let length = at.start_of_day().and_then(|start| Ok(start.duration_until(&start.tomorrow()?)));
    length.map_or(24, |length| u32::try_from((length.as_secs() + 1800) / 3600).unwrap_or(24))
}
