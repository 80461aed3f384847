//! From simulated weeks to calendar months.
//!
//! A month is put together from whole local days of simulated weeks: each of its days takes the bill of a day of the
//! same weekday (a holiday that of a Sunday), scaled by its length where the clocks change and by growth. Days of one
//! week come from one run, so that what lasts for days (an incident, a backlog) stays together.
//!
//! What makes months uncertain is mostly what does not average out over their weeks: how much traffic there is at all.
//! The weeks of one path therefore come from runs with nearly the same number of requests: the volume factor is drawn
//! once for the whole path, everything else anew each week. Weeks drawn independently would make a month look about
//! half as uncertain as it is.
//!
//! Weeks begin anew: what lasts longer (a monthly budget of a key, a price that rises on the 8th) is not in them. Where
//! there is such a thing, the months are simulated in one piece instead, most from the start of the scenario on. Then
//! each path is one run, and each day is itself.

use std::borrow::Cow;
use std::collections::BTreeSet;

use jiff::civil::{Date, Weekday};
use jiff::{ToSpan, Zoned};

use crate::experiment::detail::{DayRow, hours_of};
use crate::experiment::fold::money_stats;
use crate::experiment::forecast::{Forecast, MoneyStats};
use crate::experiment::replicate::{Options, Progress};
use crate::experiment::run::summed;
use crate::experiment::together::replicate_together;
use crate::random::{Replication, Seed, mix, stream};
use crate::scenario::{Lasting, World};
use crate::stats::{Estimate, quantile_of_sorted};
use crate::units::Money;

/// Paths that are put together when nothing else is said.
pub const PATHS: u64 = 2_000;
/// Half the width of the window of ranks that a path's weeks come from, as a share of the runs.
const NEIGHBOURS: f64 = 0.03;
/// The mean length of a month, days.
const MONTH_DAYS: f64 = 30.436_875;
const CONFIDENCE: f64 = 0.95;
/// Address of the draws of months, apart from all others.
const STREAM: u64 = 0x6d6f_6e74_6800;

/// What is asked.
#[derive(Debug, Clone)]
pub struct MonthOptions {
    /// The first day of the first month, in the zone of the days.
    pub first: Zoned,
    /// How many months.
    pub months: u32,
    /// Growth of the bill a month, e.g. 0.05.
    pub growth: f64,
    /// The day that growth counts from: its traffic is the simulated one, days before it have less where it grows.
    pub growth_from: Date,
    /// What may be spent in a month.
    pub budget: Option<Money>,
    /// What has been spent in the first month before a day of it.
    pub spent: Option<(Money, Date)>,
    /// Days that count as Sundays.
    pub holidays: Vec<Date>,
    /// Paths.
    pub paths: u64,
    /// Seed of the choice of weeks.
    pub seed: Seed,
}

/// Simulates a week for each month, or all of them in one piece, run by run all of them: the runs of all weeks have the
/// same volumes, so equally many of each are needed, and where it is interrupted, that is what there is. What is told
/// of single runs is left out.
pub fn weeks(worlds: &[World], options: &Options, progress: &dyn Progress) -> Vec<Forecast> {
    let played = replicate_together(worlds, options, progress);
    worlds.iter().zip(played).map(|(world, played)| summed(world, options, played.fold)).collect()
}

/// Months ahead.
#[derive(Debug, Clone, PartialEq)]
pub struct Projection {
    /// Month by month.
    pub months: Vec<MonthRow>,
    /// All of them together.
    pub whole: MoneyStats,
    /// Paths that were put together.
    pub paths: u64,
    /// The day that growth counts from.
    pub growth_from: Date,
    /// Whether all months lie in one simulated piece; otherwise they are put together from weeks.
    pub in_one_piece: bool,
    /// What lasts for longer than a week: weeks do not have it.
    pub lasting: Vec<Lasting>,
    /// Models without a price that were called: the months lack them.
    pub unpriced: BTreeSet<String>,
    /// Runs that the weeks come from.
    pub runs: u64,
    /// Whether these are fewer than were asked for, because somebody interrupted them.
    pub is_partial: bool,
    /// The first month day by day: what is spent since its begin, at the end of the day.
    pub days: Vec<DayBand>,
}

/// One calendar month.
#[derive(Debug, Clone, PartialEq)]
pub struct MonthRow {
    /// Its first day.
    pub month: Date,
    /// Its days.
    pub days: u32,
    /// Its hours: the clocks change twice a year.
    pub hours: u32,
    /// Its bill over the paths; what has been spent of it included.
    pub bill: MoneyStats,
    /// The probability that it exceeds the budget.
    pub over_budget: Option<Estimate>,
    /// The day on which the budget is used up, where it is: in the dearest twentieth, half, and the mean of the paths.
    pub used_up: [Option<Date>; 2],
}

/// What is spent by the end of a day.
#[derive(Debug, Clone, PartialEq)]
pub struct DayBand {
    /// The day.
    pub date: Date,
    /// 5th percentile of the paths.
    pub p5: Money,
    /// Median.
    pub p50: Money,
    /// Mean.
    pub mean: Money,
    /// 95th percentile.
    pub p95: Money,
}

/// Why no months can be put together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MonthError {
    /// A day of the week was never simulated as a whole.
    #[error(
        "no run covers a whole {0}, and months need every day of the week: simulate one with `hours: 168` \
         (169 where the clocks change and a day has 25 hours)"
    )]
    MissingDay(&'static str),
    /// There are no runs.
    #[error("there are no runs")]
    NoRuns,
    /// The start of the forecast lies on no calendar, or at its end.
    #[error("its start is no moment of a calendar with months after it")]
    NoCalendar,
}

/// The bills of simulated days, by weekday, with the runs in order of their volume.
#[derive(Debug)]
struct Weeks<'a> {
    /// All days in order, where the months lie among them.
    piece: Option<&'a [DayRow]>,
    /// For each weekday from Monday: the days that there are.
    days: [Vec<Cow<'a, DayRow>>; 7],
    /// Places of the runs in order of their requests.
    by_volume: Vec<usize>,
}

impl<'a> Weeks<'a> {
    fn of(forecast: &'a Forecast) -> Result<Self, MonthError> {
        let mut days: [Vec<Cow<'_, DayRow>>; 7] = Default::default();
        let whole = forecast.days.iter().filter(|day| day.is_whole()).map(Cow::Borrowed);
        for day in whole.chain(joined(&forecast.days).into_iter().map(Cow::Owned)) {
            days[weekday_of(&day)].push(day);
        }
        const NAMES: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
        if let Some(missing) = days.iter().position(Vec::is_empty) {
            return Err(MonthError::MissingDay(NAMES[missing]));
        }
        let mut by_volume: Vec<usize> = (0..forecast.runs.len()).collect();
        by_volume.sort_by_key(|index| (forecast.runs[*index].requests, *index));
        if by_volume.is_empty() { Err(MonthError::NoRuns) } else { Ok(Self { piece: None, days, by_volume }) }
    }

    /// What a path is charged on a day to come.
    fn bill(&self, target: &Target, path: u64, seed: Seed) -> Money {
        let dated = self.piece.and_then(|days| day_at(days, target.date));
        let (day, run) = match dated {
            Some(day) => (day, usize::try_from(path).unwrap_or_default()),
            None => {
                let days = &self.days[target.weekday];
                (&*days[target.week.unsigned_abs() as usize % days.len()], self.run(path, target.week, seed))
            }
        };
        let bill = day.bills.get(run).copied().unwrap_or_default();
        let factor = target.growth * f64::from(target.hours) / f64::from(day.of_hours.max(1));
        Money::from_picos((bill.picos() as f64 * factor).round() as i128)
    }

    /// The run that a week of a path comes from: one near the path's own in volume.
    fn run(&self, path: u64, week: i64, seed: Seed) -> usize {
        let runs = self.by_volume.len();
        let anchor = usize::try_from(path % runs as u64).unwrap_or_default();
        let reach = ((runs as f64 * NEIGHBOURS).ceil() as usize).min(runs / 2);
        let bits = mix(stream(seed, Replication(path), STREAM ^ week.unsigned_abs()));
        let draw = (bits >> 11) as f64 / (1u64 << 53) as f64;
        // The window slides inwards at both ends, so that it is equally wide for all.
        let low = anchor.saturating_sub(reach).min(runs - 1 - (2 * reach).min(runs - 1));
        self.by_volume[(low + (draw * (2 * reach + 1) as f64) as usize).min(runs - 1)]
    }
}

/// The weekday that a day counts as, from Monday.
fn weekday_of(day: &DayRow) -> usize {
    let weekday = if day.holiday { Weekday::Sunday } else { day.date.weekday() };
    weekday.to_monday_zero_offset().unsigned_abs() as usize
}

/// A week that begins within a day ends within one: the begin of the last day and the end of
/// the first make a whole one.
fn joined(days: &[DayRow]) -> Option<DayRow> {
    let (first, last) = (days.first()?, days.last()?);
    let is_one = weekday_of(first) == weekday_of(last)
        && first.of_hours == last.of_hours
        && (first.hours + last.hours - f64::from(first.of_hours)).abs() < 1e-6
        && first.date < last.date;
    is_one.then(|| DayRow {
        hours: last.of_hours.into(),
        bills: last.bills.iter().zip(&first.bills).map(|(begin, end)| *begin + *end).collect(),
        ..last.clone()
    })
}

/// One day to come.
struct Target {
    date: Date,
    hours: u32,
    weekday: usize,
    /// Weeks since a fixed Monday.
    week: i64,
    growth: f64,
}

fn targets(options: &MonthOptions, month: u32) -> Vec<Target> {
    let Ok(first) = options.first.checked_add(i64::from(month).months()) else { return Vec::new() };
    let count = i64::from(first.date().days_in_month());
    let target = |day: i64| {
        let at = first.checked_add(day.days()).ok()?;
        let date = at.date();
        let weekday = if options.holidays.contains(&date) { Weekday::Sunday } else { date.weekday() };
        let since = date.since(options.growth_from).map_or(0, |span| i64::from(span.get_days()));
        let monday = date.since(jiff::civil::date(2024, 1, 1)).map_or(0, |span| i64::from(span.get_days()));
        Some(Target {
            date,
            hours: hours_of(&at),
            weekday: weekday.to_monday_zero_offset().unsigned_abs() as usize,
            week: monday.div_euclid(7),
            growth: libm::pow(1.0 + options.growth, since as f64 / MONTH_DAYS),
        })
    };
    (0..count).filter_map(target).collect()
}

/// The begin of the calendar month after a moment; none at the end of the calendar.
pub fn month_after(start: &Zoned) -> Option<Zoned> {
    let next = start.date().first_of_month().checked_add(1.month()).ok()?;
    next.to_zoned(start.time_zone().clone()).ok()
}

/// The month after the start of a forecast, from its own days: what every report of a whole week tells.
///
/// # Errors
/// When a day of the week is missing in it.
pub fn month_ahead(forecast: &Forecast) -> Result<Projection, MonthError> {
    let start: Option<Zoned> = forecast.about.start.parse().ok();
    let start = start.ok_or(MonthError::NoCalendar)?;
    let options = MonthOptions {
        first: month_after(&start).ok_or(MonthError::NoCalendar)?,
        months: 1,
        growth: 0.0,
        growth_from: start.date(),
        budget: forecast.budget.month,
        spent: None,
        holidays: forecast.holidays.clone(),
        paths: PATHS,
        seed: Seed(forecast.about.seed),
    };
    project(&[forecast], &options)
}

/// The day of a date, if all of it was simulated.
fn day_at(days: &[DayRow], date: Date) -> Option<&DayRow> {
    let place = days.binary_search_by_key(&date, |day| day.date).ok()?;
    Some(&days[place]).filter(|day| day.is_whole())
}

/// Whether one simulated piece holds every day that is asked about.
fn is_one_piece(weeks: &[&Forecast], options: &MonthOptions) -> bool {
    let is_over = |date: Date| options.spent.is_some_and(|(_, until)| date < until);
    let holds = |days: &[DayRow]| {
        let mut asked = (0..options.months).flat_map(|month| targets(options, month));
        asked.all(|target| is_over(target.date) || day_at(days, target.date).is_some())
    };
    matches!(weeks, [only] if holds(&only.days))
}

/// Puts months together. `weeks` holds a forecast of at least a week for each month, of which the last one stands for
/// the rest; or one that holds all days of the months, which are then taken as they are.
///
/// # Errors
/// When a day of the week is missing in one of them.
pub fn project(weeks: &[&Forecast], options: &MonthOptions) -> Result<Projection, MonthError> {
    let mut sources = weeks.iter().map(|forecast| Weeks::of(forecast)).collect::<Result<Vec<_>, _>>()?;
    let in_one_piece = is_one_piece(weeks, options);
    for (source, forecast) in sources.iter_mut().zip(weeks) {
        source.piece = in_one_piece.then_some(forecast.days.as_slice());
    }
    let runs = sources.first().ok_or(MonthError::NoRuns)?.by_volume.len() as u64;
    // What was simulated as a whole needs no putting together: a path is a run.
    let paths = if in_one_piece { runs } else { options.paths };
    let mut whole = vec![Money::ZERO; usize::try_from(paths).unwrap_or_default()];
    let (mut months, mut days) = (Vec::new(), Vec::new());
    for month in 0..options.months {
        let source = &sources[(month as usize).min(sources.len() - 1)];
        let targets = targets(options, month);
        let Some(first) = targets.first().map(|target| target.date) else { continue };
        let spent: Vec<Vec<Money>> = (0..paths).map(|path| cumulative(source, &targets, path, options)).collect();
        for (sum, path) in whole.iter_mut().zip(&spent) {
            *sum += path.last().copied().unwrap_or_default();
        }
        if month == 0 {
            days = bands(&targets, &spent);
        }
        months.push(month_row(first, &targets, &spent, options.budget));
    }
    let is_partial = weeks.iter().any(|forecast| forecast.about.partial);
    let (whole, growth_from) = (money_stats(whole), options.growth_from);
    let lasting = weeks[0].lasting.clone();
    let unpriced = unpriced(weeks);
    Ok(Projection { months, whole, paths, growth_from, in_one_piece, lasting, unpriced, runs, is_partial, days })
}

/// Models without a price that were called in any of the weeks.
fn unpriced(weeks: &[&Forecast]) -> BTreeSet<String> {
    weeks.iter().flat_map(|week| week.unpriced_models()).map(str::to_owned).collect()
}

/// What a path has spent in a month by the end of each of its days.
fn cumulative(source: &Weeks<'_>, targets: &[Target], path: u64, options: &MonthOptions) -> Vec<Money> {
    let mut spent = Money::ZERO;
    let known = options.spent.filter(|(_, until)| targets.first().is_some_and(|first| first.date <= *until));
    let mut all = Vec::with_capacity(targets.len());
    for target in targets {
        match known {
            // Days that are over: what was spent by then lies evenly on them.
            Some((amount, until)) if target.date < until => {
                let over = targets.iter().filter(|other| other.date < until).count() as u64;
                spent += amount.divided_by(over.max(1));
                if all.len() as u64 + 1 == over {
                    spent = amount;
                }
            }
            _ => spent += source.bill(target, path, options.seed),
        }
        all.push(spent);
    }
    all
}

fn month_row(month: Date, targets: &[Target], paths: &[Vec<Money>], budget: Option<Money>) -> MonthRow {
    let totals: Vec<Money> = paths.iter().map(|path| path.last().copied().unwrap_or_default()).collect();
    let over_budget = budget.map(|budget| {
        let over = totals.iter().filter(|total| **total > budget).count() as u64;
        Estimate::of_share(over, totals.len() as u64, CONFIDENCE)
    });
    let used_up = budget.map_or([None, None], |budget| [0.05, 0.5].map(|share| used_up(targets, paths, budget, share)));
    MonthRow {
        month,
        days: targets.len() as u32,
        hours: targets.iter().map(|target| target.hours).sum(),
        bill: money_stats(totals),
        over_budget,
        used_up,
    }
}

/// The first day at whose end at least this share of the paths has used the budget up.
fn used_up(targets: &[Target], paths: &[Vec<Money>], budget: Money, share: f64) -> Option<Date> {
    let over = |day: usize| paths.iter().filter(|path| path[day] > budget).count() as f64;
    (0..targets.len()).find(|day| over(*day) >= share * paths.len() as f64).map(|day| targets[day].date)
}

fn bands(targets: &[Target], paths: &[Vec<Money>]) -> Vec<DayBand> {
    let band = |(index, target): (usize, &Target)| {
        let mut spent: Vec<Money> = paths.iter().map(|path| path[index]).collect();
        spent.sort_unstable();
        let at = |share| quantile_of_sorted(&spent, share).copied().unwrap_or_default();
        let mean = spent.iter().copied().sum::<Money>().divided_by(spent.len().max(1) as u64);
        DayBand { date: target.date, p5: at(0.05), p50: at(0.5), mean, p95: at(0.95) }
    };
    targets.iter().enumerate().map(band).collect()
}
