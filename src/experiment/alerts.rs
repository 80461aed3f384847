//! When budgets run out, when alerts would have fired, and what acting on them would have saved.

use std::str::FromStr;

use crate::engine::{AttemptRecord, Booked, RequestRecord, Watcher, simulate_watched};
use crate::experiment::fold::money_stats;
use crate::experiment::replicate::{Options, Progress, each_run};
use crate::experiment::run::{HOUR, local_time};
use crate::gateway::{AttemptRole, Response};
use crate::random::{Replication, Seed};
use crate::scenario::World;
use crate::stats::nearest_rank;
use crate::units::{CallId, Money, MoneyError, SimTime};

const MINUTE_NANOS: i64 = 60_000_000_000;
/// The rule of the war story: the share of answers by a fallback …
pub const FALLBACK_SHARE: f64 = 0.05;
/// … over so many minutes.
pub const FALLBACK_MINUTES: usize = 5;
/// Part of a budget at which people are told.
pub const BUDGET_PART: i128 = 80;

/// How long a budget lasts before it begins anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// A calendar day at the scenario's place.
    Day,
    /// A calendar month there; nothing of it is spent when the run begins.
    Month,
    /// The whole run.
    Run,
}

/// A budget: dollars a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BudgetLimit {
    /// How much.
    pub limit: Money,
    /// In how long.
    pub period: Period,
}

/// Why a text is no budget.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BudgetError {
    /// The amount.
    #[error(transparent)]
    Amount(#[from] MoneyError),
    /// The period, or that there is money at all.
    #[error("expected an amount above 0 and a period, such as 20/day, 500/month, 100/run or just 100")]
    Form,
}

impl FromStr for BudgetLimit {
    type Err = BudgetError;

    fn from_str(text: &str) -> Result<Self, BudgetError> {
        let (amount, period) = text.split_once('/').unwrap_or((text, "run"));
        let limit: Money = amount.trim().trim_start_matches('$').parse()?;
        let period = match period.trim() {
            "day" => Period::Day,
            "month" => Period::Month,
            "run" => Period::Run,
            _ => return Err(BudgetError::Form),
        };
        if limit <= Money::ZERO { Err(BudgetError::Form) } else { Ok(Self { limit, period }) }
    }
}

impl std::fmt::Display for BudgetLimit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let period = match self.period {
            Period::Day => "day",
            Period::Month => "month",
            Period::Run => "run",
        };
        write!(f, "{}/{period}", self.limit)
    }
}

/// What is asked of alerts.
#[derive(Debug, Clone)]
pub struct AlertsWanted {
    /// Budgets.
    pub budgets: Vec<BudgetLimit>,
    /// Minutes from an alert until somebody has acted on it.
    pub act_within: u32,
}

/// Budgets and alerts over some runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Alerts {
    /// Runs that were looked at.
    pub runs: u64,
    /// The one run that was looked at, where it is one that was chosen.
    pub of_run: Option<u64>,
    /// Minutes from an alert until somebody has acted on it.
    pub act_within: u32,
    /// Budget by budget.
    pub budgets: Vec<BudgetOutcome>,
    /// The rule about fallbacks.
    pub fallback_rule: AlertOutcome,
}

/// What becomes of a budget.
#[derive(Debug, Clone, PartialEq)]
pub struct BudgetOutcome {
    /// The budget.
    pub budget: BudgetLimit,
    /// When it is used up, in the runs in which it is.
    pub exhausted: Moments,
    /// Mean of what is spent beyond it.
    pub beyond: Money,
    /// The alert at [`BUDGET_PART`] percent of it.
    pub alert: AlertOutcome,
}

/// What an alert does.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertOutcome {
    /// When it fires first, in the runs in which it does.
    pub fires: Moments,
    /// Median minutes from the first answer of a fallback to the alert; none where it never fires after one.
    pub after_first_fallback_min: Option<f64>,
    /// Mean saved, over all runs, if fallbacks cost what the group asked for costs from then on.
    pub saved_sideways: Money,
    /// Mean saved if there are no fallbacks from then on: those requests fail.
    pub saved_off: Money,
    /// The 95th percentile of the former.
    pub saved_sideways_p95: Money,
}

/// Moments in those runs in which something happens.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Moments {
    /// Share of the runs in which it happens.
    pub share: f64,
    /// 5th percentile, median and 95th percentile of them, as hours since the start and local time; none if it never happens.
    pub at: Option<[(f64, String); 3]>,
}

/// One minute.
#[derive(Debug, Clone, Copy, Default)]
struct Minute {
    answers: u32,
    fallbacks: u32,
    spend: Money,
    fallback_spend: Money,
    premium: Money,
}

/// Watches a run minute by minute.
struct Minutes(Vec<Minute>);

impl Minutes {
    fn at(&mut self, now: SimTime) -> &mut Minute {
        let last = self.0.len() - 1;
        &mut self.0[((now.0 / MINUTE_NANOS) as usize).min(last)]
    }
}

impl Watcher for Minutes {
    fn ended(&mut self, _: CallId, _: &RequestRecord, attempt: &AttemptRecord<'_>, booked: &Booked) {
        let minute = self.at(attempt.at);
        minute.spend += booked.amount;
        minute.premium += booked.premium;
        if attempt.attempt.role == AttemptRole::Fallback {
            minute.fallback_spend += booked.amount;
        }
    }

    fn responded(&mut self, _: CallId, _: &RequestRecord, _: &Response, now: SimTime, fell_back: bool) {
        let minute = self.at(now);
        minute.answers += 1;
        minute.fallbacks += u32::from(fell_back);
    }
}

/// What budgets and alerts do over all runs.
pub fn alerts(world: &World, options: &Options, wanted: &AlertsWanted, progress: &dyn Progress) -> Alerts {
    let runs = each_run(options, options.runs, progress, |replication| minutes(world, options.seed, replication));
    judged(world, &runs, wanted, None)
}

/// What they do in one run.
pub fn alerts_of_run(world: &World, seed: Seed, run: u64, wanted: &AlertsWanted) -> Alerts {
    judged(world, &[minutes(world, seed, Replication(run))], wanted, Some(run))
}

fn minutes(world: &World, seed: Seed, replication: Replication) -> Vec<Minute> {
    let length = ((world.horizon.0.max(1) - 1) / MINUTE_NANOS + 1) as usize;
    let mut minutes = Minutes(vec![Minute::default(); length]);
    simulate_watched(world, seed, replication, HOUR, &mut minutes);
    minutes.0
}

fn judged(world: &World, runs: &[Vec<Minute>], wanted: &AlertsWanted, of_run: Option<u64>) -> Alerts {
    let fired: Vec<Option<usize>> = runs.iter().map(|run| fallback_alert(run)).collect();
    let budget = |budget: &BudgetLimit| {
        let of_minute = periods(world, budget.period, runs.first().map_or(0, Vec::len));
        let crossed = |percent: i128| -> Vec<Option<usize>> {
            let limit = Money::from_picos(budget.limit.picos() * percent / 100);
            runs.iter().map(|run| crossing(run, &of_minute, limit)).collect()
        };
        let beyond: Money = runs.iter().map(|run| beyond(run, &of_minute, budget.limit)).sum();
        BudgetOutcome {
            budget: *budget,
            exhausted: moments(world, &crossed(100)),
            beyond: beyond.divided_by(runs.len().max(1) as u64),
            alert: outcome(world, runs, &crossed(BUDGET_PART), wanted.act_within),
        }
    };
    Alerts {
        runs: runs.len() as u64,
        of_run,
        act_within: wanted.act_within,
        budgets: wanted.budgets.iter().map(budget).collect(),
        fallback_rule: outcome(world, runs, &fired, wanted.act_within),
    }
}

/// The minute at whose end the share of fallbacks over the last minutes is above the rule's.
fn fallback_alert(run: &[Minute]) -> Option<usize> {
    let is_over = |window: &[Minute]| {
        let answers: u32 = window.iter().map(|minute| minute.answers).sum();
        let fallbacks: u32 = window.iter().map(|minute| minute.fallbacks).sum();
        f64::from(fallbacks) > FALLBACK_SHARE * f64::from(answers)
    };
    run.windows(FALLBACK_MINUTES).position(is_over).map(|first| first + FALLBACK_MINUTES - 1)
}

/// The number of the period that each minute belongs to.
fn periods(world: &World, period: Period, minutes: usize) -> Vec<u32> {
    let text = |minute: usize| {
        let local = local_time(world, minute as i64 * MINUTE_NANOS);
        let length = match period {
            Period::Day => "2026-11-20".len(),
            Period::Month => "2026-11".len(),
            Period::Run => 0,
        };
        local.get(..length).unwrap_or_default().to_owned()
    };
    let (mut number, mut last) = (0, None);
    (0..minutes)
        .map(|minute| {
            let this = text(minute);
            if last.as_ref().is_some_and(|last| *last != this) {
                number += 1;
            }
            last = Some(this);
            number
        })
        .collect()
}

/// The first minute in which the spend of its period reaches a limit.
fn crossing(run: &[Minute], of_minute: &[u32], limit: Money) -> Option<usize> {
    let (mut spent, mut period) = (Money::ZERO, 0);
    run.iter().zip(of_minute).position(|(minute, number)| {
        if *number != period {
            (spent, period) = (Money::ZERO, *number);
        }
        spent += minute.spend;
        spent >= limit
    })
}

/// What is spent beyond a limit, over all periods.
fn beyond(run: &[Minute], of_minute: &[u32], limit: Money) -> Money {
    let mut sums: Vec<Money> = Vec::new();
    for (minute, number) in run.iter().zip(of_minute) {
        sums.resize((*number as usize + 1).max(sums.len()), Money::ZERO);
        sums[*number as usize] += minute.spend;
    }
    sums.into_iter().filter(|sum| *sum > limit).map(|sum| sum - limit).sum()
}

fn moments(world: &World, at: &[Option<usize>]) -> Moments {
    let mut happened: Vec<usize> = at.iter().copied().flatten().collect();
    happened.sort_unstable();
    let share = happened.len() as f64 / at.len().max(1) as f64;
    let moment = |p: f64| {
        let minute = happened[nearest_rank(happened.len(), p)] + 1;
        (minute as f64 / 60.0, local_time(world, minute as i64 * MINUTE_NANOS))
    };
    let at = if happened.is_empty() { None } else { Some([0.05, 0.5, 0.95].map(moment)) };
    Moments { share, at }
}

fn outcome(world: &World, runs: &[Vec<Minute>], fired: &[Option<usize>], act_within: u32) -> AlertOutcome {
    let after = |run: &[Minute], at: Option<usize>, of: fn(&Minute) -> Money| match at {
        Some(minute) => run.iter().skip(minute + 1 + act_within as usize).map(of).sum(),
        None => Money::ZERO,
    };
    let saved = |of: fn(&Minute) -> Money| -> Vec<Money> {
        runs.iter().zip(fired).map(|(run, at)| after(run, *at, of)).collect()
    };
    let waited = |(run, at): (&Vec<Minute>, &Option<usize>)| {
        let first = run.iter().position(|minute| minute.fallbacks > 0)?;
        at.filter(|at| *at >= first).map(|at| at - first + 1)
    };
    let mut waits: Vec<usize> = runs.iter().zip(fired).filter_map(waited).collect();
    waits.sort_unstable();
    let (sideways, off) =
        (money_stats(saved(|minute| minute.premium)), money_stats(saved(|minute| minute.fallback_spend)));
    AlertOutcome {
        fires: moments(world, fired),
        after_first_fallback_min: (!waits.is_empty()).then(|| waits[nearest_rank(waits.len(), 0.5)] as f64),
        saved_sideways: sideways.mean,
        saved_off: off.mean,
        saved_sideways_p95: sideways.p95,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(fallbacks: &[u32]) -> Vec<Minute> {
        let spend = Money::from_picos(10);
        fallbacks.iter().map(|n| Minute { answers: 20, fallbacks: *n, spend, ..Minute::default() }).collect()
    }

    #[test]
    fn the_rule_fires_at_the_end_of_the_first_window_above_it() {
        // 100 answers in five minutes: more than five fallbacks.
        assert_eq!(fallback_alert(&run(&[0, 0, 0, 0, 5, 0, 0, 0, 0])), None);
        assert_eq!(fallback_alert(&run(&[0, 0, 0, 0, 5, 1, 0, 0, 0])), Some(5));
        assert_eq!(fallback_alert(&run(&[9, 0, 0, 0, 0, 0])), Some(4));
        assert_eq!(fallback_alert(&run(&[9])), None);
    }

    #[test]
    fn budgets_begin_anew_with_their_period() {
        let minutes = run(&[0; 6]);
        let (one, two) = ([0; 6], [0, 0, 0, 1, 1, 1]);
        assert_eq!(crossing(&minutes, &one, Money::from_picos(40)), Some(3));
        assert_eq!(crossing(&minutes, &two, Money::from_picos(40)), None);
        assert_eq!(crossing(&minutes, &two, Money::from_picos(30)), Some(2));
        assert_eq!(beyond(&minutes, &two, Money::from_picos(25)), Money::from_picos(10));
    }

    #[test]
    fn budgets_are_read() {
        let budget: BudgetLimit = "$500/month".parse().unwrap();
        assert_eq!((budget.limit, budget.period), ("500".parse().unwrap(), Period::Month));
        assert_eq!("500".parse::<BudgetLimit>().unwrap().period, Period::Run);
        for wrong in ["", "0/day", "-1/day", "x/day", "5/year"] {
            assert!(wrong.parse::<BudgetLimit>().is_err(), "{wrong}");
        }
    }
}
