//! When budgets run out, when alerts would have fired, and what acting on them would have saved.

use std::str::FromStr;

use crate::engine::{AttemptRecord, Booked, RequestRecord, Watcher, simulate_watched};
use crate::experiment::fold::money_stats;
use crate::experiment::replicate::{Options, Progress, each_run};
use crate::experiment::run::{HOUR, local_time};
use crate::gateway::{AttemptRole, Response};
use crate::ledger::split;
use crate::random::{Replication, Seed};
use crate::scenario::{AlertRules, World};
use crate::stats::{nearest_rank, quantile_of_sorted};
use crate::units::{CallId, Money, MoneyError, SimTime, without_separators};

const MINUTE_NANOS: i64 = 60_000_000_000;

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

/// A million million dollars, as in a scenario.
const MOST_BUDGET: Money = Money::from_picos(1_000_000_000_000 * 1_000_000_000_000);

/// Why a text is no budget.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BudgetError {
    /// The amount.
    #[error(transparent)]
    Amount(#[from] MoneyError),
    /// The period, or that there is money at all.
    #[error("expected an amount above 0, at most 10^12, and a period, such as 20/day, 500/month, 100/run or just 100")]
    Form,
}

impl FromStr for BudgetLimit {
    type Err = BudgetError;

    fn from_str(text: &str) -> Result<Self, BudgetError> {
        let (amount, period) = text.split_once('/').unwrap_or((text, "run"));
        let amount = amount.trim().trim_start_matches('$');
        let limit: Money = without_separators(amount).as_deref().unwrap_or(amount).parse()?;
        let period = match period.trim() {
            "day" => Period::Day,
            "month" => Period::Month,
            "run" => Period::Run,
            _ => return Err(BudgetError::Form),
        };
        if limit <= Money::ZERO || limit > MOST_BUDGET { Err(BudgetError::Form) } else { Ok(Self { limit, period }) }
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
    /// When people are told, and how soon they act.
    pub rules: AlertRules,
}

/// Budgets and alerts over some runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Alerts {
    /// Runs that were looked at.
    pub runs: u64,
    /// The one run that was looked at, where it is one that was chosen.
    pub of_run: Option<u64>,
    /// When people are told, and how soon they act.
    pub rules: AlertRules,
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
    /// The alert at the rules' part of it.
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
    /// Mean saved if nothing is served from then on: no action saves more.
    pub saved_stopped: Money,
    /// The 95th percentile of what sideways fallbacks save.
    pub saved_sideways_p95: Money,
}

/// Moments in those runs in which something happens.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Moments {
    /// Share of the runs in which it happens.
    pub share: f64,
    /// 5th percentile, median and 95th percentile of them, as hours since the start and local time;
    /// none if it never happens.
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

/// What one run tells of budgets and alerts.
struct RunStory {
    budgets: Vec<BudgetStory>,
    fallback: AlertStory,
}

struct BudgetStory {
    used_up: Option<usize>,
    beyond: Money,
    alert: AlertStory,
}

/// An alert in one run: the minute at whose end it fires, and what follows.
struct AlertStory {
    fired: Option<usize>,
    /// Minutes from the first fallback.
    waited: Option<usize>,
    sideways: Money,
    off: Money,
    stopped: Money,
}

/// What budgets and alerts do over all runs.
pub fn alerts(world: &World, options: &Options, wanted: &AlertsWanted, progress: &dyn Progress) -> Alerts {
    let judge = Judge::new(world, wanted);
    let runs = each_run(options, options.runs, progress, |replication| {
        judge.story(&minutes(world, options.seed, replication))
    });
    judged(world, &runs, wanted, None)
}

/// What they do in one run.
pub fn alerts_of_run(world: &World, seed: Seed, run: u64, wanted: &AlertsWanted) -> Alerts {
    let story = Judge::new(world, wanted).story(&minutes(world, seed, Replication(run)));
    judged(world, &[story], wanted, Some(run))
}

/// Holds runs against budgets and rules.
struct Judge<'a> {
    wanted: &'a AlertsWanted,
    /// What each minute costs whatever is called: paid capacity counts against budgets, and no alert saves it.
    committed: Vec<Money>,
    /// For each budget the period that each minute belongs to.
    periods: Vec<Vec<u32>>,
}

impl<'a> Judge<'a> {
    fn new(world: &World, wanted: &'a AlertsWanted) -> Self {
        let length = length_minutes(world);
        let periods = wanted.budgets.iter().map(|budget| periods(world, budget.period, length)).collect();
        Self { wanted, committed: committed(world, length), periods }
    }

    fn story(&self, run: &[Minute]) -> RunStory {
        let rules = &self.wanted.rules;
        let spent: Vec<Money> = run.iter().zip(&self.committed).map(|(minute, paid)| minute.spend + *paid).collect();
        let budget = |(budget, of_minute): (&BudgetLimit, &Vec<u32>)| {
            let part = Money::from_picos((budget.limit.picos() as f64 * rules.budget_share).round() as i128);
            BudgetStory {
                used_up: crossing(&spent, of_minute, budget.limit),
                beyond: beyond(&spent, of_minute, budget.limit),
                alert: alert_story(run, crossing(&spent, of_minute, part), rules),
            }
        };
        RunStory {
            budgets: self.wanted.budgets.iter().zip(&self.periods).map(budget).collect(),
            fallback: alert_story(run, fallback_alert(run, rules), rules),
        }
    }
}

fn length_minutes(world: &World) -> usize {
    ((world.horizon.0.max(1) - 1) / MINUTE_NANOS + 1) as usize
}

/// The price of all paid capacity, minute by minute.
fn committed(world: &World, minutes: usize) -> Vec<Money> {
    let end = world.horizon.0.max(1);
    let length = |minute: usize| (end - minute as i64 * MINUTE_NANOS).clamp(0, MINUTE_NANOS).unsigned_abs();
    let lengths: Vec<u64> = (0..minutes).map(length).collect();
    let mut paid = vec![Money::ZERO; minutes];
    for capacity in &world.tariffs.capacities {
        let parts = split(capacity.price(world.horizon).picos(), &lengths);
        paid.iter_mut().zip(parts).for_each(|(sum, part)| *sum += Money::from_picos(part));
    }
    paid
}

fn minutes(world: &World, seed: Seed, replication: Replication) -> Vec<Minute> {
    let mut minutes = Minutes(vec![Minute::default(); length_minutes(world)]);
    simulate_watched(world, seed, replication, HOUR, &mut minutes);
    minutes.0
}

fn judged(world: &World, runs: &[RunStory], wanted: &AlertsWanted, of_run: Option<u64>) -> Alerts {
    let budget = |(index, budget): (usize, &BudgetLimit)| {
        let stories = || runs.iter().map(move |run| &run.budgets[index]);
        let used_up: Vec<Option<usize>> = stories().map(|story| story.used_up).collect();
        let beyond: Money = stories().map(|story| story.beyond).sum();
        BudgetOutcome {
            budget: *budget,
            exhausted: moments(world, &used_up),
            beyond: beyond.divided_by(runs.len().max(1) as u64),
            alert: outcome(world, stories().map(|story| &story.alert)),
        }
    };
    Alerts {
        runs: runs.len() as u64,
        of_run,
        rules: wanted.rules,
        budgets: wanted.budgets.iter().enumerate().map(budget).collect(),
        fallback_rule: outcome(world, runs.iter().map(|run| &run.fallback)),
    }
}

/// The minute at whose end the share of fallbacks over the last minutes is above the rule's.
fn fallback_alert(run: &[Minute], rules: &AlertRules) -> Option<usize> {
    let length = rules.fallback_minutes.max(1) as usize;
    let is_over = |window: &[Minute]| {
        let answers: u32 = window.iter().map(|minute| minute.answers).sum();
        let fallbacks: u32 = window.iter().map(|minute| minute.fallbacks).sum();
        f64::from(fallbacks) > rules.fallback_share * f64::from(answers)
    };
    run.windows(length).position(is_over).map(|first| first + length - 1)
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
fn crossing(spent: &[Money], of_minute: &[u32], limit: Money) -> Option<usize> {
    let (mut sum, mut period) = (Money::ZERO, 0);
    spent.iter().zip(of_minute).position(|(amount, number)| {
        if *number != period {
            (sum, period) = (Money::ZERO, *number);
        }
        sum += *amount;
        sum >= limit
    })
}

/// What is spent beyond a limit, over all periods.
fn beyond(spent: &[Money], of_minute: &[u32], limit: Money) -> Money {
    let mut sums: Vec<Money> = Vec::new();
    for (amount, number) in spent.iter().zip(of_minute) {
        sums.resize((*number as usize + 1).max(sums.len()), Money::ZERO);
        sums[*number as usize] += *amount;
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

/// What becomes of an alert that fires at the end of a minute.
fn alert_story(run: &[Minute], fired: Option<usize>, rules: &AlertRules) -> AlertStory {
    let first = run.iter().position(|minute| minute.fallbacks > 0);
    let acted = fired.map_or(run.len(), |minute| minute + 1 + rules.act_within_minutes as usize);
    let after = |of: fn(&Minute) -> Money| run.iter().skip(acted).map(of).sum();
    AlertStory {
        fired,
        waited: fired.zip(first).filter(|(fired, first)| fired >= first).map(|(fired, first)| fired - first + 1),
        sideways: after(|minute| minute.premium),
        off: after(|minute| minute.fallback_spend),
        stopped: after(|minute| minute.spend),
    }
}

fn outcome<'a>(world: &World, runs: impl Iterator<Item = &'a AlertStory> + Clone) -> AlertOutcome {
    let of = |saved: fn(&AlertStory) -> Money| money_stats(runs.clone().map(saved).collect());
    let mut waits: Vec<usize> = runs.clone().filter_map(|run| run.waited).collect();
    waits.sort_unstable();
    let sideways = of(|run| run.sideways);
    AlertOutcome {
        fires: moments(world, &runs.clone().map(|run| run.fired).collect::<Vec<_>>()),
        after_first_fallback_min: quantile_of_sorted(&waits, 0.5).map(|minutes| *minutes as f64),
        saved_sideways: sideways.mean,
        saved_off: of(|run| run.off).mean,
        saved_stopped: of(|run| run.stopped).mean,
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
        let fired = |minutes: &[u32]| fallback_alert(&run(minutes), &AlertRules::default());
        // 100 answers in five minutes: more than five fallbacks.
        assert_eq!(fired(&[0, 0, 0, 0, 5, 0, 0, 0, 0]), None);
        assert_eq!(fired(&[0, 0, 0, 0, 5, 1, 0, 0, 0]), Some(5));
        assert_eq!(fired(&[9, 0, 0, 0, 0, 0]), Some(4));
        assert_eq!(fired(&[9]), None);
    }

    #[test]
    fn budgets_begin_anew_with_their_period() {
        let minutes = [Money::from_picos(10); 6];
        let (one, two) = ([0; 6], [0, 0, 0, 1, 1, 1]);
        assert_eq!(crossing(&minutes, &one, Money::from_picos(40)), Some(3));
        assert_eq!(crossing(&minutes, &two, Money::from_picos(40)), None);
        assert_eq!(crossing(&minutes, &two, Money::from_picos(30)), Some(2));
        assert_eq!(beyond(&minutes, &two, Money::from_picos(25)), Money::from_picos(10));
    }

    #[test]
    fn what_is_saved_is_what_comes_after_somebody_has_acted() {
        let rules = AlertRules { act_within_minutes: 2, ..AlertRules::default() };
        let minutes = run(&[0, 9, 0, 0, 0, 0, 0, 0, 0, 0]);
        // It fires at the end of minute 4; three minutes of spend come after minutes 5 and 6.
        let story = alert_story(&minutes, fallback_alert(&minutes, &rules), &rules);
        assert_eq!((story.fired, story.waited, story.stopped), (Some(4), Some(4), Money::from_picos(30)));
        let never = alert_story(&minutes, None, &rules);
        assert_eq!((never.waited, never.stopped), (None, Money::ZERO));
    }

    #[test]
    fn budgets_are_read() {
        let budget: BudgetLimit = "$500/month".parse().unwrap();
        assert_eq!((budget.limit, budget.period), ("500".parse().unwrap(), Period::Month));
        assert_eq!("500".parse::<BudgetLimit>().unwrap().period, Period::Run);
        assert_eq!("1,500/day".parse::<BudgetLimit>().unwrap().to_string(), "1500.00/day");
        for wrong in ["", "0/day", "-1/day", "x/day", "5/year"] {
            assert!(wrong.parse::<BudgetLimit>().is_err(), "{wrong}");
        }
    }
}
