//! What finance asks for: who spends it, whether the budget holds, what was assumed, what caches do.

use std::collections::BTreeMap;

use crate::experiment::{Forecast, MonthError, MonthRow, Projection};
use crate::report::month::lacking;
use crate::report::text::{clean, count, hours, money, percent, plural};
use crate::report::view::derive::{money_share, per_mean, ratio};
use crate::stats::Estimate;
use crate::units::Money;

/// Confidence of the intervals of shares.
const CONFIDENCE: f64 = 0.95;

/// What one team costs.
#[derive(Debug, Clone, PartialEq)]
pub struct TeamSpend {
    /// Its name; none for keys without a team.
    pub name: Option<String>,
    /// Its virtual keys.
    pub keys: u64,
    /// Mean requests.
    pub requests: f64,
    /// Mean requests without a good answer.
    pub failed: f64,
    /// Mean cost.
    pub bill_mean: Money,
    /// Share of the mean bill.
    pub share: f64,
    /// What 1,000 of its requests cost.
    pub per_1k_requests: Option<Money>,
    /// Whether the cost of any of its keys is known.
    pub priced: bool,
}

/// Spend by team over its keys, in the order of the keys; keys that nothing came with are left out.
pub fn teams(forecast: &Forecast) -> Vec<TeamSpend> {
    let mut teams: Vec<TeamSpend> = Vec::new();
    let mut places: BTreeMap<Option<&str>, usize> = BTreeMap::new();
    for key in forecast.keys.iter().filter(|key| key.requests > 0.0 || key.bill_mean != Money::ZERO) {
        let place = *places.entry(key.team.as_deref()).or_insert_with(|| {
            let (requests, failed, share) = (0.0, 0.0, 0.0);
            let name = key.team.clone();
            let (bill_mean, per_1k_requests, priced) = (Money::ZERO, None, false);
            teams.push(TeamSpend { name, keys: 0, requests, failed, bill_mean, share, per_1k_requests, priced });
            teams.len() - 1
        });
        let team = &mut teams[place];
        team.keys += 1;
        team.requests += key.requests;
        team.failed += key.failed;
        team.bill_mean += key.bill_mean;
        team.priced |= key.priced;
    }
    for team in &mut teams {
        team.share = money_share(team.bill_mean, forecast.bill.mean);
        let unit = per_mean(team.bill_mean, 1_000, team.requests, forecast.about.runs);
        team.per_1k_requests = unit.filter(|_| team.priced);
    }
    teams
}

/// A value that the figures rest on. The texts are as they came.
#[derive(Debug, Clone, PartialEq)]
pub struct RegisterLine {
    /// What it is about.
    pub name: String,
    /// The value.
    pub value: String,
    /// The law that it is drawn from, or that it is fixed.
    pub distribution: String,
    /// Who says so.
    pub assumed_by: &'static str,
    /// Where it comes from.
    pub source: String,
    /// As of when; empty if the source has no date.
    pub as_of: String,
}

/// Laws by the name that they are written with.
const LAWS: [&str; 8] = ["uniform", "exponential", "lognormal", "gamma", "weibull", "quantiles", "mix", "shifted"];

/// What the user wrote, then what was assumed.
pub fn register(forecast: &Forecast) -> Vec<RegisterLine> {
    let line = |row: &crate::experiment::Assumption| RegisterLine {
        name: row.name.clone(),
        value: row.value.clone(),
        distribution: distribution(&row.name, &row.value),
        assumed_by: row.assumed_by,
        source: row.source.clone(),
        as_of: row.as_of.clone(),
    };
    forecast.written.iter().chain(&forecast.assumptions).map(line).collect()
}

/// The laws that a value names.
fn distribution(name: &str, value: &str) -> String {
    if name.ends_with("volume_uncertainty") {
        return "lognormal factor".to_owned();
    }
    let is_named = |law: &&str| value.match_indices(&format!("{law}(")).any(|(at, _)| !ends_in_a_word(&value[..at]));
    let laws: Vec<&str> = LAWS.into_iter().filter(is_named).collect();
    match laws.as_slice() {
        [] => "fixed".to_owned(),
        // Its parts are within it.
        many if value.starts_with("mix(") => {
            format!("mix of {}", many.iter().filter(|law| **law != "mix").copied().collect::<Vec<_>>().join(", "))
        }
        many => many.join(", "),
    }
}

fn ends_in_a_word(text: &str) -> bool {
    text.ends_with(|c: char| c.is_alphanumeric() || c == '_')
}

/// How the bill stands to the budget of one run.
#[derive(Debug, Clone, PartialEq)]
pub struct BudgetView {
    /// The budget.
    pub amount: Money,
    /// Runs that cost more.
    pub over: u64,
    /// Their share: the probability to exceed it.
    pub probability: Estimate,
    /// What the runs that exceed it cost above it, on average.
    pub mean_excess: Option<Money>,
    /// When it is used up: for the mean, and in the dearest twentieth of the runs.
    pub used_up: [Option<String>; 2],
}

/// The budget, if there is one.
pub fn budget(forecast: &Forecast) -> Option<BudgetView> {
    let amount = forecast.budget.horizon?;
    let excess: Vec<Money> =
        forecast.runs.iter().map(|run| run.bill - amount).filter(|excess| *excess > Money::ZERO).collect();
    let over = excess.len() as u64;
    let first = |spent: fn(&crate::experiment::MoneyBand) -> Money| {
        let hour = forecast.hours.iter().find(|row| spent(&row.cumulative_spend) > amount)?;
        Some(clean(&hour.label))
    };
    Some(BudgetView {
        amount,
        over,
        probability: Estimate::of_share(over, forecast.runs.len() as u64, CONFIDENCE),
        mean_excess: (over > 0).then(|| excess.into_iter().sum::<Money>().divided_by(over)),
        used_up: [first(|band| band.mean), first(|band| band.p95)],
    })
}

impl BudgetView {
    /// The probability with its interval, in words.
    pub fn odds(&self, runs: u64) -> String {
        let interval = self.probability.interval;
        format!(
            "{} of {} (95% CI {} to {})",
            count(self.over as f64),
            plural(runs, "run"),
            percent(interval.low),
            percent(interval.high)
        )
    }
}

/// The budget in sentences.
pub fn budget_sentences(forecast: &Forecast, budget: Option<&BudgetView>) -> Vec<String> {
    let horizon = hours(forecast.about.horizon_hours);
    let Some(budget) = budget else {
        return vec![format!(
            "No budget is given. {} is enough for {horizon} in half of the cases, {} in 4 of 5, {} in 19 of 20.",
            money(forecast.bill.p50),
            money(forecast.bill.p80),
            money(forecast.bill.p95)
        )];
    };
    let mut told = vec![format!(
        "A budget of {} for {horizon} is exceeded with a probability of {}: {}.",
        money(budget.amount),
        percent(budget.probability.point),
        budget.odds(forecast.about.runs)
    )];
    if let Some(excess) = budget.mean_excess {
        told.push(format!("Where it is exceeded, then by {} on average.", money(excess)));
    }
    match &budget.used_up {
        [Some(mean), _] => told.push(format!("On the mean path it is used up in the hour from {mean}.")),
        [None, Some(dear)] => {
            told.push(format!("In the dearest twentieth of the runs it is used up by the hour from {dear}."));
        }
        _ => {}
    }
    told
}

/// The mean length of a month, hours.
const MONTH_HOURS: f64 = 730.485;

/// The month ahead and its budget, in sentences.
pub fn month_sentences(forecast: &Forecast, projection: &Result<Projection, MonthError>) -> Vec<String> {
    let month = forecast.budget.month;
    match projection {
        Ok(projection) => projection
            .months
            .iter()
            .map(|row| month_sentence(row, month))
            .chain(lacking(&forecast.about, projection))
            .collect(),
        Err(error) => {
            let pace = month.map(|budget| pace(forecast, budget));
            let why = format!("No month is put together from this: {error}. `billcast month` simulates whole weeks.");
            pace.into_iter().chain([why]).collect()
        }
    }
}

fn month_sentence(row: &MonthRow, budget: Option<Money>) -> String {
    let name = row.month.strftime("%B %Y");
    let bill = &row.bill;
    let cost = format!(
        "{name} costs {} on average, {} at P50, {} at P80 and {} at P95.",
        money(bill.mean),
        money(bill.p50),
        money(bill.p80),
        money(bill.p95)
    );
    let Some((budget, over)) = budget.zip(row.over_budget) else { return cost };
    let when = match row.used_up {
        [Some(early), _] => format!(" In one of 20 cases it is used up by {early}."),
        _ => String::new(),
    };
    let odds = percent(over.point);
    format!("{cost} The month's budget of {} is exceeded with a probability of {odds}.{when}", money(budget))
}

/// How a horizon that is no month stands to the budget of one: against an even share of it.
fn pace(forecast: &Forecast, budget: Money) -> String {
    let hours_of_run = forecast.about.horizon_hours;
    let part = ratio(hours_of_run, MONTH_HOURS);
    let even = Money::from_picos((budget.picos() as f64 * part).round() as i128);
    let over = forecast.runs.iter().filter(|run| run.bill > even).count() as u64;
    format!(
        "An even share of the month's budget of {} is {} for {} ({} of a month): {} of {} cost more.",
        money(budget),
        money(even),
        hours(hours_of_run),
        percent(part),
        count(over as f64),
        plural(forecast.about.runs, "run"),
    )
}
