//! The hours of a forecast.

use crate::experiment::{Band, HourRow, MoneyBand};
use crate::report::json::read::{Place, Result};

fn band(at: &Place<'_>) -> Result<Band> {
    Ok(Band { p5: at.number("p5")?, p50: at.number("p50")?, mean: at.number("mean")?, p95: at.number("p95")? })
}

fn money_band(at: &Place<'_>) -> Result<MoneyBand> {
    Ok(MoneyBand { p5: at.money("p5")?, p50: at.money("p50")?, mean: at.money("mean")?, p95: at.money("p95")? })
}

/// One hour.
pub(super) fn hour(at: &Place<'_>) -> Result<HourRow> {
    Ok(HourRow {
        hour: u32::try_from(at.count("hour")?).unwrap_or(u32::MAX),
        label: at.string("label")?,
        requests: band(&at.at("requests"))?,
        attempts: band(&at.at("attempts"))?,
        failure_rate: band(&at.at("failure_rate"))?,
        fallback_share: band(&at.at("fallback_share"))?,
        spend: money_band(&at.at("spend_usd"))?,
        cumulative_spend: money_band(&at.at("cumulative_spend_usd"))?,
        spend_by_deployment: at.list("spend_by_deployment_mean_usd", |at| at.as_money())?,
    })
}
