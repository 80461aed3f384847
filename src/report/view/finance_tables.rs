//! Tables that finance asks for: by model and team, what caches and meters cost, and the register of assumptions.

use crate::report::text::{NOTHING, clean, count, money, percent, short_count};
use crate::report::view::derive::{money_share, ratio};
use crate::report::view::tables::{or_nothing, priced, priced_share};
use crate::report::view::{CacheLine, MeterLine, ModelSpend, RegisterLine, Table, TeamSpend};
use crate::units::{Money, TokenKind};

/// Cost by model.
pub fn models(models: &[ModelSpend]) -> Table {
    let row = |model: &ModelSpend| {
        [
            model.name.clone(),
            model.provider.clone(),
            priced(model.priced, model.bill_mean),
            priced_share(model.priced, model.share),
            count(model.calls),
            short_count(model.input_tokens),
            short_count(model.output_tokens),
            or_nothing(model.per_million_tokens.map(money)),
        ]
    };
    let headings = ["Model", "Provider", "#Mean", "#Share", "#Calls", "#Tokens in", "#Tokens out", "#Per 1M tokens"];
    Table::new("models", "Cost by model", &headings)
        .with_note("Means over the runs; tokens of answered calls.")
        .with_rows(models.iter().map(row))
}

/// Cost by team.
pub fn teams(teams: &[TeamSpend]) -> Table {
    let row = |team: &TeamSpend| {
        [
            team.name.as_deref().map_or_else(|| "(no team)".to_owned(), clean),
            count(team.keys as f64),
            count(team.requests),
            percent(ratio(team.failed, team.requests)),
            priced(team.priced, team.bill_mean),
            priced_share(team.priced, team.share),
            or_nothing(team.per_1k_requests.map(money)),
        ]
    };
    let headings = ["Team", "#Keys", "#Requests", "#Failed", "#Mean", "#Share", "#Per 1k requests"];
    Table::new("teams", "Cost by team", &headings)
        .with_note("Means over the runs; a team is all its virtual keys together.")
        .with_rows(teams.iter().map(row))
}

/// What prompt caches do, by provider and deployment.
pub fn caches(lines: &[CacheLine]) -> Table {
    let row = |line: &CacheLine| {
        [
            line.provider.clone(),
            line.deployment.clone().unwrap_or_else(|| "(all)".to_owned()),
            percent(line.hit_share),
            money(line.reading),
            money(line.writing),
            or_nothing(line.saved.map(money)),
        ]
    };
    let headings = ["Provider", "Deployment", "#Input from cache", "#Reading", "#Writing", "#Saved"];
    Table::new("caches", "Prompt caches of the providers", &headings)
        .with_note(
            "Means over the runs, of billed input. Saved: what the tokens read would have cost as plain input, less reading.",
        )
        .with_rows(lines.iter().map(row))
}

/// What a meter is called.
const fn label(kind: TokenKind) -> &'static str {
    match kind {
        TokenKind::Input => "Input tokens",
        TokenKind::CacheRead => "Cache read tokens",
        TokenKind::CacheWrite => "Cache write tokens",
        TokenKind::Output => "Output tokens",
        TokenKind::Reasoning => "Reasoning tokens",
        TokenKind::Call => "Calls",
        TokenKind::Capacity => "Paid capacity (hours)",
    }
}

/// What each meter of each model costs.
pub fn meters(lines: &[MeterLine], bill: Money) -> Table {
    let row = |line: &MeterLine| {
        [
            line.model.clone(),
            label(line.kind).to_owned(),
            short_count(line.quantity),
            or_nothing(line.per_hour.map(|price| format!("{} an hour", money(price))).or(line.per_million.map(money))),
            money(line.amount),
            percent(line.share),
        ]
    };
    let [empty, whole] = [String::new(), percent(money_share(bill, bill))];
    Table::new("meters", "Cost by meter", &["Model", "Meter", "#Quantity", "#Per 1M", "#Cost", "#Share"])
        .with_note("Means over the runs of what is billed; the costs sum to the mean bill.")
        .with_rows(lines.iter().map(row))
        .with_total(["Bill".to_owned(), empty.clone(), empty.clone(), empty, money(bill), whole])
}

/// What the user wrote and what was assumed.
pub fn register(lines: &[RegisterLine]) -> Table {
    let row = |line: &RegisterLine| {
        let as_of = if line.as_of.is_empty() { NOTHING.to_owned() } else { clean(&line.as_of) };
        [
            clean(&line.name),
            clean(&line.value),
            line.distribution.clone(),
            line.assumed_by.to_owned(),
            clean(&line.source),
            as_of,
        ]
    };
    Table::new("register", "Register of assumptions", &["What", "Value", "Distribution", "By", "Source", "As of"])
        .with_note("Every value that the figures rest on: what the scenario says, what the gateway takes by itself, what billcast assumes.")
        .with_rows(lines.iter().map(row))
}
