//! What finance asks for: who spends it, whether the budget holds, what was assumed, what caches do.

use crate::experiment::{Forecast, PercentileRun};
use crate::ledger::Cause;
use crate::report::text::{clean, count, hours, money, percent, plural};
use crate::report::view::derive::{money_share, per, ratio};
use crate::stats::Estimate;
use crate::units::{Money, TokenKind};

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
}

/// Spend by team over its keys, in the order of the keys; keys that nothing came with are left out.
pub fn teams(forecast: &Forecast) -> Vec<TeamSpend> {
    let mut teams: Vec<TeamSpend> = Vec::new();
    for key in forecast.keys.iter().filter(|key| key.requests > 0.0 || key.bill_mean != Money::ZERO) {
        let place = teams.iter().position(|team| team.name == key.team).unwrap_or_else(|| {
            let (requests, failed, share) = (0.0, 0.0, 0.0);
            let name = key.team.clone();
            let bill_mean = Money::ZERO;
            teams.push(TeamSpend { name, keys: 0, requests, failed, bill_mean, share, per_1k_requests: None });
            teams.len() - 1
        });
        let team = &mut teams[place];
        team.keys += 1;
        team.requests += key.requests;
        team.failed += key.failed;
        team.bill_mean += key.bill_mean;
    }
    for team in &mut teams {
        team.share = money_share(team.bill_mean, forecast.bill.mean);
        team.per_1k_requests = per(team.bill_mean, 1_000, team.requests.round() as u64);
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
    pub distribution: &'static str,
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

/// The law that a value names.
fn distribution(name: &str, value: &str) -> &'static str {
    if name.ends_with("volume_uncertainty") {
        return "lognormal factor";
    }
    let word = value.split('(').next().unwrap_or_default().trim();
    let drawn = value.contains('(').then(|| LAWS.into_iter().find(|law| *law == word)).flatten();
    drawn.unwrap_or("fixed")
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
    let dollars = crate::report::text::dollars(amount);
    let first = |spent: fn(&crate::experiment::Band) -> f64| {
        let hour = forecast.hours.iter().find(|row| spent(&row.cumulative_spend) > dollars)?;
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

/// What the provider's prompt cache did for one deployment in the run at the median bill.
#[derive(Debug, Clone, PartialEq)]
pub struct CacheLine {
    /// Place in the list of deployments.
    pub deployment: usize,
    /// Share of the input tokens that were read from the cache.
    pub hit_share: f64,
    /// What reading costs.
    pub reading: Money,
    /// What writing costs.
    pub writing: Money,
    /// What the tokens that were read would have cost as plain input, less what reading costs.
    pub saved: Option<Money>,
}

/// The run at this percentile of the bill.
pub fn percentile_run(forecast: &Forecast, percentile: u8) -> Option<&PercentileRun> {
    forecast.percentile_runs.iter().find(|run| run.percentile == percentile)
}

/// The prompt caches, deployment by deployment; those without any cached token are left out.
pub fn caches(forecast: &Forecast) -> Vec<CacheLine> {
    let Some(run) = percentile_run(forecast, 50) else { return Vec::new() };
    (0..forecast.deployments.len()).filter_map(|deployment| cache(run, deployment)).collect()
}

fn cache(run: &PercentileRun, deployment: usize) -> Option<CacheLine> {
    let sum = |kind: TokenKind| {
        let mine = run.charges.iter().filter(|row| row.deployment == deployment && row.kind == kind);
        mine.fold((0u64, Money::ZERO), |(tokens, amount), row| (tokens + row.quantity, amount + row.amount))
    };
    let (plain, read, written) = (sum(TokenKind::Input), sum(TokenKind::CacheRead), sum(TokenKind::CacheWrite));
    if read.0 + written.0 == 0 {
        return None;
    }
    let at_full_price = per(plain.1, i128::from(read.0), plain.0);
    Some(CacheLine {
        deployment,
        hit_share: ratio(read.0 as f64, (plain.0 + read.0 + written.0) as f64),
        reading: read.1,
        writing: written.1,
        saved: at_full_price.map(|full| full - read.1),
    })
}

/// What caches do, in sentences.
pub fn cache_sentences(forecast: &Forecast) -> Vec<String> {
    let (hits, requests) = forecast
        .runs
        .iter()
        .fold((0u64, 0u64), |(hits, requests), run| (hits + run.cache_hits, requests + run.requests));
    let response = match hits {
        0 => "No request is answered from the gateway's response cache.".to_owned(),
        _ => format!(
            "{} of the requests are answered from the gateway's response cache and cost nothing.",
            percent(ratio(hits as f64, requests as f64))
        ),
    };
    let writing = forecast.cost_by_cause[Cause::CacheWrite];
    let prompt = match writing {
        Money::ZERO => String::new(),
        _ => format!(
            " Writing to the providers' prompt caches costs {} ({} of the bill).",
            money(writing),
            percent(money_share(writing, forecast.bill.mean))
        ),
    };
    vec![format!("{response}{prompt}")]
}
