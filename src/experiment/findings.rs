//! What the reader should know first, with the money at stake. One function a finding; the dearest come first.

use crate::experiment::forecast::{EdgeRow, Finding, Forecast};
use crate::ledger::Cause;
use crate::units::Money;

/// Every code of a finding.
pub const FINDING_CODES: [&str; 10] = [
    "client-retries",
    "dear-fallback",
    "abandoned-answers",
    "billed-failures",
    "billed-retries",
    "reported-spend",
    "unpriced",
    "never-ended",
    "failures",
    "fallback-share",
];

/// Findings with less at stake than this share of the bill are left out.
const WORTH_TELLING: i128 = 200;
/// Edges of the fallback graph that are told one by one.
const MOST_EDGES: usize = 3;
/// A mean share of fallbacks above this is told even if it costs nothing.
const MANY_FALLBACKS: f64 = 0.05;
/// A mean share of failures above this is told.
const MANY_FAILURES: f64 = 0.01;

/// All findings of a forecast, those that make the numbers doubtful first, then by money.
pub fn findings(forecast: &Forecast) -> Vec<Finding> {
    let mut money: Vec<Finding> =
        forecast.edges.iter().take(MOST_EDGES).filter_map(|edge| dear_edge(forecast, edge)).collect();
    money.extend(cause(forecast, Cause::Abandoned));
    money.extend(cause(forecast, Cause::FailedAttempt));
    money.extend(cause(forecast, Cause::Retry));
    money.extend(unreported(forecast));
    money.sort_by_key(|finding| std::cmp::Reverse(finding.money));
    let doubts = [unpriced(forecast), never_ended(forecast)];
    let shares = [many_failures(forecast), client_retries(forecast), many_fallbacks(forecast)];
    doubts.into_iter().flatten().chain(money).chain(shares.into_iter().flatten()).collect()
}

fn matters(forecast: &Forecast, amount: Money) -> bool {
    /// Less is told as $0.00.
    const HALF_A_CENT: Money = Money::from_picos(5_000_000_000);
    amount >= HALF_A_CENT && amount.picos().saturating_mul(WORTH_TELLING) >= forecast.bill.mean.picos()
}

fn dear_edge(forecast: &Forecast, edge: &EdgeRow) -> Option<Finding> {
    let premium = edge.premium?;
    matters(forecast, premium).then(|| Finding {
        code: "dear-fallback",
        title: format!("Falling back from {} to {} costs ${} more", edge.from, edge.to, premium.to_cents()),
        detail: format!(
            "On average {:.0} answers a horizon cost ${} at {}; the prices of {} would have made that ${}. A fallback of \
             the same price class, or fewer failures at the primary, saves the difference.",
            edge.charges,
            edge.amount.to_cents(),
            edge.to,
            edge.from,
            (edge.amount - premium).to_cents(),
        ),
        money: Some(premium),
    })
}

fn cause(forecast: &Forecast, cause: Cause) -> Option<Finding> {
    let amount = forecast.cost_by_cause[cause];
    let (code, title, detail) = match cause {
        Cause::Abandoned => (
            "abandoned-answers",
            "goes to answers whose client had gone",
            "Cancelling upstream when a client leaves saves what the provider stops billing.",
        ),
        Cause::FailedAttempt => (
            "billed-failures",
            "goes to attempts that failed and were billed all the same",
            "Timeouts and broken streams are often billed; a longer patience or a faster deployment avoids paying twice.",
        ),
        Cause::Retry => (
            "billed-retries",
            "is charged for answers that came only on a retry",
            "Retries are not dearer than first attempts, but they show how often the first attempt fails.",
        ),
        _ => return None,
    };
    matters(forecast, amount).then(|| Finding {
        code,
        title: format!("${} {title}", amount.to_cents()),
        detail: detail.to_owned(),
        money: (cause != Cause::Retry).then_some(amount),
    })
}

fn unreported(forecast: &Forecast) -> Option<Finding> {
    let missing = forecast.bill.mean - forecast.reported_spend;
    let (amount, direction) = if missing < Money::ZERO { (-missing, "more") } else { (missing, "less") };
    matters(forecast, amount).then(|| Finding {
        code: "reported-spend",
        title: format!("The gateway will report ${} {direction} than the providers bill", amount.to_cents()),
        detail:
            "Its own price map, failed attempts at zero cost and aborted streams make the difference; budgets in the \
                 gateway count the reported amount."
                .to_owned(),
        money: None,
    })
}

fn unpriced(forecast: &Forecast) -> Option<Finding> {
    let models: Vec<&str> = forecast.unpriced_models().collect();
    (!models.is_empty()).then(|| Finding {
        code: "unpriced",
        title: format!("The bill lacks {}: no price is known", models.join(", ")),
        detail: "Their tokens are listed, their cost is not zero but unknown. Give a price table with --prices."
            .to_owned(),
        money: None,
    })
}

fn never_ended(forecast: &Forecast) -> Option<Finding> {
    let stuck: u64 = forecast.runs.iter().map(|run| run.in_flight).sum();
    (stuck > 0).then(|| Finding {
        code: "never-ended",
        title: format!("{stuck} requests over all runs never came to an end"),
        detail: "A call that hangs with no timeout on any side keeps its client waiting forever; set one.".to_owned(),
        money: None,
    })
}

fn many_failures(forecast: &Forecast) -> Option<Finding> {
    (forecast.failure_rate.mean > MANY_FAILURES).then(|| Finding {
        code: "failures",
        title: format!("{:.1}% of the requests get no good answer", forecast.failure_rate.mean * 100.0),
        detail:
            "The table of deployments shows which errors the upstream calls meet; requests refused by key limits and \
                 budgets count too."
                .to_owned(),
        money: None,
    })
}

fn client_retries(forecast: &Forecast) -> Option<Finding> {
    let again = forecast.requests.mean - forecast.intents.mean;
    (again > 0.0).then(|| Finding {
        code: "client-retries",
        title: format!(
            "Clients send {:.1}% of the requests again by themselves",
            again / forecast.requests.mean * 100.0
        ),
        detail: format!(
            "They want {:.0} answers and send {:.0} requests. Each request sent again begins with fresh retries and \
             fallbacks of the gateway; {:.2}% of what they want is never answered.",
            forecast.intents.mean,
            forecast.requests.mean,
            forecast.unanswered_rate.mean * 100.0
        ),
        money: None,
    })
}

fn many_fallbacks(forecast: &Forecast) -> Option<Finding> {
    (forecast.fallback_share.mean > MANY_FALLBACKS).then(|| Finding {
        code: "fallback-share",
        title: format!("{:.1}% of the requests are answered by a fallback", forecast.fallback_share.mean * 100.0),
        detail: "An alert on this share would fire long before the bill shows it.".to_owned(),
        money: None,
    })
}
