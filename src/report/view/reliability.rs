//! How well upstreams serve, and what is asked of them: errors, latency, cooldowns, demand against limits.

use crate::experiment::{Demand, DeploymentRow, ErrorCounts, Forecast, LatencyStats, ProviderRow, ShareRow, WhyNotRow};
use crate::report::text::{clean, count, percent, seconds, short_count};
use crate::report::view::Table;
use crate::report::view::derive::ratio;
use crate::report::view::tables::{or_nothing, priced};

/// Errors by class as shares of the calls: all, 429, 5xx, timeouts, other 4xx; and the gateway's own
/// cancellations, which are no errors.
fn error_shares(errors: &ErrorCounts, attempts: f64) -> [String; 6] {
    let refused = errors.auth + errors.client;
    let all = errors.rate_limited + errors.server + errors.timeout + refused;
    let numbers = [all, errors.rate_limited, errors.server, errors.timeout, refused, errors.cancelled];
    numbers.map(|number| percent(ratio(number, attempts)))
}

/// Columns of errors as shares of the calls, and of latencies.
const SERVICE: [&str; 9] = ["#Errors", "#429", "#5xx", "#Timeout", "#4xx", "#Cancelled", "#P50", "#P95", "#P99"];

/// What stands under [`SERVICE`].
fn service(errors: &ErrorCounts, attempts: f64, latency: Option<LatencyStats>) -> Vec<String> {
    let latencies = LatencyStats::quantiles(latency).map(seconds);
    error_shares(errors, attempts).into_iter().chain(latencies).collect()
}

/// Errors by class and latency by provider.
pub fn providers(forecast: &Forecast) -> Table {
    let row = |row: &ProviderRow| {
        let own = vec![clean(&row.name), priced(row.priced, row.bill_mean), count(row.attempts)];
        [own, service(&row.errors, row.attempts, row.latency_s)].concat()
    };
    let headings = [["Provider", "#Mean", "#Calls"].as_slice(), &SERVICE].concat();
    Table::new("providers", "Errors and latency by provider", &headings)
        .with_note("Errors as shares of the calls; latency of answered calls.")
        .with_rows(forecast.providers.iter().map(row))
}

/// Errors, latency and cooldowns by deployment.
pub fn deployments(forecast: &Forecast) -> Table {
    let row = |row: &DeploymentRow| {
        let cooling = vec![count(row.cooldowns), percent(row.cooldown_share)];
        [vec![clean(&row.name)], service(&row.errors, row.attempts, row.latency_s), cooling].concat()
    };
    let headings = [["Deployment"].as_slice(), &SERVICE, &["#Cooldowns", "#Cooled"]].concat();
    Table::new("reliability", "Errors, latency and cooldowns by deployment", &headings)
        .with_note("Errors as shares of the calls; latency of answered calls; share of the time spent in cooldown.")
        .with_rows(forecast.deployments.iter().map(row))
}

/// Requests without a good answer, by what stood in the way.
pub fn why_not(forecast: &Forecast) -> Table {
    let row = |row: &WhyNotRow| {
        let share = percent(ratio(row.requests, forecast.requests.mean));
        [capitalized(row.why.words()), row.why.stage().words().to_owned(), count(row.requests), share]
    };
    let all: f64 = forecast.why_not.iter().map(|row| row.requests).sum();
    let total = ["All".to_owned(), String::new(), count(all), percent(ratio(all, forecast.requests.mean))];
    Table::new("why-not", "Requests without a good answer", &["Reason", "Where", "#Requests", "#Share"])
        .with_note(
            "Means over the runs, by what stood in the way last. Door: refused by keys, limits and budgets, before any \
             routing. Router: no deployment could be called. Shares are those of all requests of all \
             runs: busy runs count for more than in the failure rate, which is the mean of the runs' rates.",
        )
        .with_rows(forecast.why_not.iter().map(row))
        .with_total(total)
}

/// The same by virtual key, where there are several.
pub fn why_not_by_key(forecast: &Forecast) -> Table {
    let row = |key: &ShareRow, row: &WhyNotRow| {
        let share = percent(ratio(row.requests, key.requests));
        [clean(&key.name), capitalized(row.why.words()), count(row.requests), share]
    };
    let has_several = forecast.keys.len() > 1;
    let rows = forecast.keys.iter().filter(|_| has_several).flat_map(|key| key.why_not.iter().map(|one| row(key, one)));
    let headings = ["Key", "Reason", "#Requests", "#Of its requests"];
    Table::new("why-not-by-key", "Requests without a good answer by virtual key", &headings)
        .with_note("Means over the runs, by what stood in the way last.")
        .with_rows(rows)
}

fn capitalized(words: &str) -> String {
    let mut rest = words.chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}

/// Demand against limits by deployment.
pub fn demand(forecast: &Forecast) -> Table {
    let row = |deployment: &DeploymentRow| {
        let limit = |limit: Option<f64>| or_nothing(limit.map(short_count));
        let most = |demand: &Demand| [short_count(demand.p95), short_count(demand.peak)];
        let [requests_p95, requests_peak] = most(&deployment.requests_per_minute);
        let [tokens_p95, tokens_peak] = most(&deployment.tokens_per_minute);
        let [flight_p95, flight_peak] = most(&deployment.concurrency);
        [
            clean(&deployment.name),
            requests_p95,
            requests_peak,
            limit(deployment.rpm_limit),
            tokens_p95,
            tokens_peak,
            limit(deployment.tpm_limit),
            flight_p95,
            flight_peak,
            limit(deployment.concurrency_limit),
        ]
    };
    let headings = [
        "Deployment",
        "#RPM P95",
        "#RPM peak",
        "#RPM limit",
        "#TPM P95",
        "#TPM peak",
        "#TPM limit",
        "#In flight P95",
        "#In flight peak",
        "#In flight limit",
    ];
    Table::new("demand", "Demand against limits", &headings)
        .with_note(
            "Calls a minute (RPM), tokens a minute (TPM) and the most calls in flight at once in each minute; P95 and peak \
             over all minutes of all runs.",
        )
        .with_rows(forecast.deployments.iter().map(row))
}
