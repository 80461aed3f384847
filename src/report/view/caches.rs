//! What meters count and cost, and what caches do, as means over the runs.

use crate::experiment::{DeploymentRow, Forecast};
use crate::ledger::Cause;
use crate::report::text::{clean, dollars, money, percent};
use crate::report::view::derive::{money_share, ratio};
use crate::units::{Money, TokenKind};

/// What a meter counts and costs.
#[derive(Debug, Clone, PartialEq)]
pub struct MeterLine {
    /// The upstream model, safe to show.
    pub model: String,
    /// What is counted.
    pub kind: TokenKind,
    /// Mean tokens; calls where the charge is for a call, hours of paid capacity.
    pub quantity: f64,
    /// Mean cost.
    pub amount: Money,
    /// What a million cost; none where there were none, and for paid capacity.
    pub per_million: Option<Money>,
    /// What an hour of paid capacity costs.
    pub per_hour: Option<Money>,
    /// Share of the mean bill.
    pub share: f64,
}

/// The meters of each model, dearest first.
pub fn meters(forecast: &Forecast) -> Vec<MeterLine> {
    /// In an hour.
    const SECONDS: f64 = 3_600.0;
    let mut lines: Vec<MeterLine> = Vec::new();
    for deployment in &forecast.deployments {
        let model = clean(&deployment.model);
        for row in &deployment.meters {
            let quantity = if row.kind == TokenKind::Capacity { row.quantity / SECONDS } else { row.quantity };
            match lines.iter_mut().find(|line| line.model == model && line.kind == row.kind) {
                Some(line) => {
                    line.quantity += quantity;
                    line.amount += row.amount;
                }
                None => lines.push(MeterLine {
                    model: model.clone(),
                    kind: row.kind,
                    quantity,
                    amount: row.amount,
                    per_million: None,
                    per_hour: None,
                    share: 0.0,
                }),
            }
        }
    }
    for line in &mut lines {
        let price = |units| (line.quantity > 0.0).then(|| unit_price(line.amount, line.quantity, units));
        match line.kind {
            TokenKind::Capacity => line.per_hour = price(1.0),
            _ => line.per_million = price(1e6),
        }
        line.share = money_share(line.amount, forecast.bill.mean);
    }
    lines.sort_by_key(|line| std::cmp::Reverse(line.amount));
    lines
}

/// What so many units cost when `quantity` cost `amount`, to a billionth of a dollar: means have no more in them. At
/// most a quadrillion dollars.
fn unit_price(amount: Money, quantity: f64, units: f64) -> Money {
    const MOST: f64 = 1e24;
    let billionths = (dollars(amount) / quantity * units * 1e9).round().clamp(-MOST, MOST);
    Money::from_picos(billionths as i128 * 1_000)
}

/// What the provider's prompt cache does for a deployment, or for all deployments of a provider.
#[derive(Debug, Clone, PartialEq)]
pub struct CacheLine {
    /// The deployment, safe to show; none for all of a provider.
    pub deployment: Option<String>,
    /// The provider, safe to show.
    pub provider: String,
    /// Share of the billed input tokens that were read from the cache.
    pub hit_share: f64,
    /// What reading costs.
    pub reading: Money,
    /// What writing costs.
    pub writing: Money,
    /// What the tokens that were read would have cost as plain input, less what reading costs.
    pub saved: Option<Money>,
}

/// The prompt caches: provider by provider, then deployment by deployment; those without any cached token are left out.
pub fn caches(forecast: &Forecast) -> Vec<CacheLine> {
    let all = |name: &str| forecast.deployments.iter().filter(|row| row.provider == name).collect::<Vec<_>>();
    // A provider with one deployment is that deployment.
    let providers = forecast.providers.iter().map(|row| (None, all(&row.name))).filter(|(_, rows)| rows.len() > 1);
    let deployments = forecast.deployments.iter().map(|row| (Some(clean(&row.name)), vec![row]));
    providers.chain(deployments).filter_map(|(name, rows)| cache(name, &rows)).collect()
}

fn cache(deployment: Option<String>, rows: &[&DeploymentRow]) -> Option<CacheLine> {
    let provider = clean(&rows.first()?.provider);
    let sum = |kind: TokenKind| {
        let mine = rows.iter().flat_map(|row| &row.meters).filter(|meter| meter.kind == kind);
        mine.fold((0.0, Money::ZERO), |(tokens, amount), meter| (tokens + meter.quantity, amount + meter.amount))
    };
    let (plain, read, written) = (sum(TokenKind::Input), sum(TokenKind::CacheRead), sum(TokenKind::CacheWrite));
    if read.0 + written.0 == 0.0 {
        return None;
    }
    Some(CacheLine {
        deployment,
        provider,
        hit_share: ratio(read.0, plain.0 + read.0 + written.0),
        reading: read.1,
        writing: written.1,
        saved: rows.iter().filter_map(|row| saved(row)).sum::<Option<Money>>(),
    })
}

/// What reading from the cache saves at a deployment, at its own price of plain input; nothing where it reads nothing,
/// and unknown where there is no plain input.
fn saved(row: &DeploymentRow) -> Option<Option<Money>> {
    let meter = |kind: TokenKind| row.meters.iter().find(|meter| meter.kind == kind);
    let read = meter(TokenKind::CacheRead).filter(|read| read.quantity > 0.0);
    let Some(read) = read else { return meter(TokenKind::CacheWrite).map(|_| Some(Money::ZERO)) };
    let plain = meter(TokenKind::Input).filter(|plain| plain.quantity > 0.0);
    Some(plain.map(|plain| unit_price(plain.amount, plain.quantity, read.quantity) - read.amount))
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
