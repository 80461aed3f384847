//! The bill by what it is for and by who causes it.

use crate::experiment::{Demand, DeploymentRow, ErrorCounts, Forecast, LatencyStats, ProviderRow, ShareRow, WhyNotRow};
use crate::report::data::{Cell, Dataset, money_or_none, number, text, text_or_none};
use crate::report::view::View;

/// Cause by cause.
pub fn causes(view: &View<'_>) -> Dataset {
    let rows = view.causes.iter().map(|line| {
        vec![
            text(line.cause.name()),
            Cell::Money(line.amount),
            number(line.share),
            text(line.label),
            text(line.meaning),
        ]
    });
    Dataset::new("causes", "cause mean_usd:money share_of_bill:share label meaning", rows)
}

const ERRORS: &str = "errors_429_mean:number errors_5xx_mean:number errors_timeout_mean:number \
                      errors_auth_mean:number errors_other_4xx_mean:number cancelled_mean:number";
const LATENCY: &str = "latency_p50_s:number latency_p95_s:number latency_p99_s:number";

fn errors(errors: &ErrorCounts) -> [Cell; 6] {
    let all = [errors.rate_limited, errors.server, errors.timeout, errors.auth, errors.client, errors.cancelled];
    all.map(number)
}

pub fn latency(latency: Option<LatencyStats>) -> [Cell; 3] {
    LatencyStats::quantiles(latency).map(number)
}

/// Deployment by deployment.
pub fn deployments(forecast: &Forecast) -> Dataset {
    let demands: String = ["requests_per_minute", "tokens_per_minute", "in_flight"]
        .iter()
        .flat_map(|name| ["p50", "p95", "p999", "peak", "limit"].map(|which| format!(" {name}_{which}:number")))
        .collect();
    let headings = format!(
        "deployment group model provider priced bill_mean_usd:money bill_p95_usd:money upstream_calls_mean:number \
         served_mean:number {ERRORS} input_tokens_mean:number output_tokens_mean:number {LATENCY} \
         cooldowns_mean:number cooldown_share:share{demands}"
    );
    Dataset::new("deployments", &headings, forecast.deployments.iter().map(deployment))
}

fn deployment(row: &DeploymentRow) -> Vec<Cell> {
    let mut cells = [&row.name, &row.group, &row.model, &row.provider].map(|name| text(name)).to_vec();
    cells.push(text(&row.priced.to_string()));
    cells.extend([row.bill_mean, row.bill_p95].map(|bill| money_or_none(row.has_known_cost().then_some(bill))));
    cells.extend([row.attempts, row.served].map(number));
    cells.extend(errors(&row.errors));
    cells.extend([row.input_tokens, row.output_tokens].map(number));
    cells.extend(latency(row.latency_s));
    cells.extend([row.cooldowns, row.cooldown_share].map(number));
    cells.extend(demand(row.requests_per_minute, row.rpm_limit));
    cells.extend(demand(row.tokens_per_minute, row.tpm_limit));
    cells.extend(demand(row.concurrency, row.concurrency_limit));
    cells
}

fn demand(demand: Demand, limit: Option<f64>) -> [Cell; 5] {
    [demand.p50, demand.p95, demand.p999, demand.peak, limit.unwrap_or(f64::NAN)].map(number)
}

/// Provider by provider.
pub fn providers(forecast: &Forecast) -> Dataset {
    let headings = format!(
        "provider bill_mean_usd:money bill_p95_usd:money upstream_calls_mean:number served_mean:number {ERRORS} {LATENCY}"
    );
    let row = |row: &ProviderRow| {
        let mut cells = vec![text(&row.name)];
        cells.extend([row.bill_mean, row.bill_p95].map(|bill| money_or_none(row.priced.then_some(bill))));
        cells.extend([row.attempts, row.served].map(number));
        cells.extend(errors(&row.errors));
        cells.extend(latency(row.latency_s));
        cells
    };
    Dataset::new("providers", &headings, forecast.providers.iter().map(row))
}

/// Model by model.
pub fn models(view: &View<'_>) -> Dataset {
    let rows = view.models.iter().map(|model| {
        vec![
            text(&model.name),
            text(&model.provider),
            money_or_none(model.priced.then_some(model.bill_mean)),
            if model.priced { number(model.share) } else { Cell::Missing },
            number(model.calls),
            number(model.input_tokens),
            number(model.output_tokens),
            money_or_none(model.per_million_tokens),
        ]
    });
    let headings = "model provider bill_mean_usd:money share_of_bill:share upstream_calls_mean:number \
                    input_tokens_mean:number output_tokens_mean:number per_1m_tokens_usd:money";
    Dataset::new("models", headings, rows)
}

/// Meter by meter of each model.
pub fn meters(view: &View<'_>) -> Dataset {
    let rows = view.meters.iter().map(|line| {
        vec![
            text(&line.model),
            text(line.kind.name()),
            number(line.quantity),
            Cell::Money(line.amount),
            number(line.share),
            money_or_none(line.per_million),
        ]
    });
    let headings = "model kind quantity_mean:number cost_mean_usd:money share_of_bill:share per_1m_usd:money";
    Dataset::new("meters", headings, rows)
}

const SHARE: &str = "name team requests_mean:number failed_requests_mean:number bill_mean_usd:money bill_p95_usd:money";

/// Traffic class by traffic class.
pub fn classes(forecast: &Forecast) -> Dataset {
    Dataset::new("classes", SHARE, forecast.classes.iter().map(share))
}

/// Virtual key by virtual key.
pub fn keys(forecast: &Forecast) -> Dataset {
    Dataset::new("keys", SHARE, forecast.keys.iter().map(share))
}

fn share(row: &ShareRow) -> Vec<Cell> {
    vec![
        text(&row.name),
        text_or_none(row.team.as_deref()),
        number(row.requests),
        number(row.failed),
        money_or_none(row.priced.then_some(row.bill_mean)),
        money_or_none(row.priced.then_some(row.bill_p95)),
    ]
}

/// Requests without a good answer, by key and what stood in the way.
pub fn why_not(forecast: &Forecast) -> Dataset {
    let row = |key: &ShareRow, row: &WhyNotRow| {
        vec![
            text(&key.name),
            text_or_none(key.team.as_deref()),
            text(row.why.name()),
            text(row.why.stage().name()),
            number(row.requests),
            number(row.requests / key.requests),
            text(row.why.words()),
        ]
    };
    let rows = forecast.keys.iter().flat_map(|key| key.why_not.iter().map(move |one| row(key, one)));
    let headings = "key team reason stage requests_mean:number share_of_requests:share meaning";
    Dataset::new("failed_by_reason", headings, rows)
}

/// Team by team.
pub fn teams(view: &View<'_>) -> Dataset {
    let rows = view.teams.iter().map(|team| {
        vec![
            text_or_none(team.name.as_deref()),
            Cell::Count(team.keys),
            number(team.requests),
            number(team.failed),
            money_or_none(team.priced.then_some(team.bill_mean)),
            if team.priced { number(team.share) } else { Cell::Missing },
            money_or_none(team.per_1k_requests),
        ]
    });
    let headings = "team keys:count requests_mean:number failed_requests_mean:number bill_mean_usd:money \
                    share_of_bill:share per_1k_requests_usd:money";
    Dataset::new("teams", headings, rows)
}

/// The fallback graph.
pub fn edges(forecast: &Forecast) -> Dataset {
    let rows = forecast.edges.iter().map(|edge| {
        vec![
            text(&edge.from),
            text(&edge.to),
            number(edge.charges),
            Cell::Money(edge.amount),
            money_or_none(edge.premium),
        ]
    });
    let headings = "asked_for answered_by answers_mean:number cost_mean_usd:money premium_mean_usd:money";
    Dataset::new("edges", headings, rows)
}

/// Every value that the figures rest on.
pub fn register(view: &View<'_>) -> Dataset {
    let rows = view.register.iter().map(|line| {
        let as_of = Some(line.as_of.as_str()).filter(|as_of| !as_of.is_empty());
        vec![
            text(&line.name),
            text(&line.value),
            text(&line.distribution),
            text(line.assumed_by),
            text(&line.source),
            text_or_none(as_of),
        ]
    });
    Dataset::new("assumptions", "what value distribution assumed_by source as_of", rows)
}
