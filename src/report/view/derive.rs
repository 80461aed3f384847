//! Figures that follow from the forecast's own: unit costs, spend by model, the shape of the bills.

use std::collections::BTreeMap;

use crate::experiment::{DeploymentRow, Forecast};
use crate::report::scale::nice_step;
use crate::report::text::{clean, dollars};
use crate::units::Money;

/// `part / whole`, 0 when there is no whole.
pub fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

/// The share of `part` in `whole`, 0 when there is no whole.
pub fn money_share(part: Money, whole: Money) -> f64 {
    ratio(dollars(part), dollars(whole))
}

/// What a unit costs: the whole bill of all runs over all units of all runs; nothing where there were none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UnitCosts {
    /// For 1,000 client requests.
    pub per_1k_requests: Option<Money>,
    /// For 1,000 good answers.
    pub per_1k_served: Option<Money>,
    /// For a million tokens of answered calls whose cost is known.
    pub per_million_tokens: Option<Money>,
}

impl UnitCosts {
    /// Unit costs of a forecast.
    pub fn of(forecast: &Forecast) -> Self {
        let bill: Money = forecast.runs.iter().map(|run| run.bill).sum();
        let requests = forecast.runs.iter().map(|run| run.requests).sum();
        let served = forecast.runs.iter().map(|run| run.served).sum();
        let tokens: f64 = forecast.deployments.iter().map(DeploymentRow::priced_tokens).sum();
        Self {
            per_1k_requests: per(bill, 1_000, requests),
            per_1k_served: per(bill, 1_000, served),
            per_million_tokens: per(bill, 1_000_000, of_all_runs(tokens, forecast.about.runs)),
        }
    }
}

/// What `pack` units cost when `units` of them cost `amount`.
pub fn per(amount: Money, pack: i128, units: u64) -> Option<Money> {
    let packed = amount.picos().checked_mul(pack)?;
    (units > 0).then(|| Money::from_picos(packed).divided_by(units))
}

/// What `pack` units cost when a mean of `units` costs a mean of `amount`. Both are taken times the runs: a mean is
/// rarely a whole number, and of something rare it may be less than one, while the units of all runs are counted.
pub fn per_mean(amount: Money, pack: i128, units: f64, runs: u64) -> Option<Money> {
    let all = amount.picos().checked_mul(runs.max(1).into())?;
    per(Money::from_picos(all), pack, of_all_runs(units, runs))
}

/// The whole number that a mean over the runs was made from.
fn of_all_runs(mean: f64, runs: u64) -> u64 {
    (mean * runs.max(1) as f64).round() as u64
}

/// What one upstream model costs.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ModelSpend {
    /// Its name, safe to show.
    pub name: String,
    /// Its provider, safe to show.
    pub provider: String,
    /// Mean of a horizon.
    pub bill_mean: Money,
    /// Share of the mean bill.
    pub share: f64,
    /// Mean upstream calls.
    pub calls: f64,
    /// Mean input tokens of answered calls.
    pub input_tokens: f64,
    /// Mean output tokens of answered calls.
    pub output_tokens: f64,
    /// What a million tokens of answered calls cost; none where there were none, or no price.
    pub per_million_tokens: Option<Money>,
    /// Whether the cost of any of its deployments is known.
    pub priced: bool,
    /// Those of the tokens whose cost is known.
    pub priced_tokens: f64,
    /// Mean dollars hour by hour.
    pub by_hour: Vec<f64>,
}

impl ModelSpend {
    /// The model of a deployment, with nothing spent yet.
    fn nothing(deployment: &DeploymentRow, hours: usize) -> Self {
        let (name, provider) = (clean(&deployment.model), clean(&deployment.provider));
        Self { name, provider, by_hour: vec![0.0; hours], ..Self::default() }
    }
}

/// Spend by model over all its deployments, dearest first; equal ones keep the order of the deployments.
pub fn models(forecast: &Forecast) -> Vec<ModelSpend> {
    let mut models: Vec<ModelSpend> = Vec::new();
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, deployment) in forecast.deployments.iter().enumerate() {
        let place = *places.entry(&deployment.model).or_insert_with(|| {
            models.push(ModelSpend::nothing(deployment, forecast.hours.len()));
            models.len() - 1
        });
        let spend = &mut models[place];
        spend.bill_mean += deployment.bill_mean;
        spend.calls += deployment.attempts;
        spend.input_tokens += deployment.input_tokens;
        spend.output_tokens += deployment.output_tokens;
        spend.priced |= deployment.has_known_cost();
        spend.priced_tokens += deployment.priced_tokens();
        for (sum, hour) in spend.by_hour.iter_mut().zip(&forecast.hours) {
            *sum += hour.spend_by_deployment.get(index).copied().map_or(0.0, dollars);
        }
    }
    for spend in &mut models {
        spend.per_million_tokens = per_mean(spend.bill_mean, 1_000_000, spend.priced_tokens, forecast.about.runs);
        spend.share = money_share(spend.bill_mean, forecast.bill.mean);
    }
    models.sort_by_key(|spend| (!spend.priced, std::cmp::Reverse(spend.bill_mean)));
    models
}

/// How many runs had which bill.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    /// Lower end of the first bin, dollars.
    pub low: f64,
    /// Width of a bin, dollars.
    pub width: f64,
    /// Runs in each bin.
    pub counts: Vec<u64>,
    /// Runs above the last bin: a tail too long to draw.
    pub above: u64,
}

impl Histogram {
    /// Bins of a round width; about 30 of them, fewer for few runs.
    pub fn of(forecast: &Forecast) -> Self {
        let bills: Vec<f64> = forecast.runs.iter().map(|run| dollars(run.bill)).collect();
        let least = bills.iter().copied().fold(f64::INFINITY, f64::min);
        let most = bills.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if bills.is_empty() {
            return Self { low: 0.0, width: 1.0, counts: vec![0], above: 0 };
        }
        if most <= least {
            return Self::of_one_amount(most, bills.len() as u64);
        }
        let limit = drawn_end(forecast, least, most);
        let end = bills.iter().copied().filter(|bill| *bill <= limit).fold(least, f64::max);
        let parts = ((bills.len() as f64).sqrt() * 2.0).clamp(8.0, 36.0) as usize;
        let width = nice_step(end - least, parts);
        let low = (least / width).floor() * width;
        let number = ((end - low) / width + 1e-9).floor() as usize + 1;
        let mut histogram = Self { low, width, counts: vec![0; number], above: 0 };
        bills.iter().for_each(|bill| histogram.add(*bill));
        histogram
    }

    /// All runs in one narrow bin, with empty ones around it.
    fn of_one_amount(amount: f64, runs: u64) -> Self {
        let width = nice_step((amount * 0.02).max(0.01), 1);
        let before = ((amount / width).floor() as usize).min(8);
        let mut counts = vec![0; before + 9];
        counts[before] = runs;
        Self { low: ((amount / width).floor() - before as f64) * width, width, counts, above: 0 }
    }

    fn add(&mut self, bill: f64) {
        let bin = ((bill - self.low) / self.width).floor() as usize;
        match self.counts.get_mut(bin) {
            Some(count) => *count += 1,
            None => self.above += 1,
        }
    }

    /// Upper end of the last bin, dollars.
    pub fn high(&self) -> f64 {
        self.low + self.width * self.counts.len() as f64
    }
}

/// Up to where runs are drawn: all of them, or, when the dearest lies far out, those up to a little beyond the P99.
fn drawn_end(forecast: &Forecast, least: f64, most: f64) -> f64 {
    let p99 = dollars(forecast.bill.p99);
    let limit = p99 + (p99 - least) * 0.5;
    if forecast.runs.len() >= 50 && p99 > least && most > limit { limit } else { most }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_over_nothing_is_nothing() {
        assert_eq!(ratio(0.0, 0.0), 0.0);
        assert_eq!(money_share(Money::ZERO, Money::ZERO), 0.0);
        assert_eq!(per(Money::from_picos(10), 1_000, 0), None);
    }

    #[test]
    fn a_pack_costs_its_exact_share() {
        let amount: Money = "12.00".parse().unwrap();
        assert_eq!(per(amount, 1_000, 3_000), Some("4.00".parse().unwrap()));
    }

    #[test]
    fn means_are_not_rounded_before_they_divide() {
        let amount = |text: &str| text.parse::<Money>().unwrap();
        // 3 requests in 8 runs, and 12 of them.
        assert_eq!(per_mean(amount("0.75"), 1_000, 0.375, 8), Some(amount("2000.00")));
        assert_eq!(per_mean(amount("0.003"), 1_000, 1.5, 8), Some(amount("2.00")));
        // What a third of three runs does to the mean is undone.
        assert_eq!(per_mean(amount("1.00"), 1_000, 4.0 / 3.0, 3), Some(amount("750.00")));
        assert_eq!(per_mean(amount("1.00"), 1_000, 0.0, 3), None);
    }
}
