//! An explanation for programs.

use serde_json::{Value, json};

use crate::experiment::{Attributed, Explanation, LimitStory, RefusingLimit, RequestStory, RunRow, Step};
use crate::report::explain::kind_name;
use crate::report::explain::request::outcome_words;
use crate::report::plan::kind_words;

/// The id of this layout.
pub const SCHEMA: &str = "billcast.explanation/1";

/// The explanation as JSON; money is a decimal string.
pub fn json(explanation: &Explanation) -> Vec<u8> {
    let about = &explanation.about;
    let document = json!({
        "schema": SCHEMA,
        "scenario": about.scenario,
        "profile": about.profile,
        "prices_as_of": about.prices_as_of,
        "seed": about.seed,
        "runs": about.runs,
        "partial": about.partial,
        "horizon_hours": about.horizon_hours,
        "start": explanation.start,
        "run": run(&explanation.run),
        "unpriced": explanation.unpriced,
        "cheaper_share": explanation.cheaper_share,
        "median_run": run(&explanation.median),
        "why": {
            "delta": explanation.run.bill - explanation.median.bill,
            "drivers": explanation.drivers.iter().map(|driver| json!({
                "kind": kind_name(driver.kind), "delta": driver.amount,
            })).collect::<Vec<_>>(),
        },
        "windows": explanation.windows.iter().map(|window| json!({
            "target": window.target, "kind": window.kind, "from": window.from, "until": window.until,
            "from_hour": window.from_hour, "to_hour": window.to_hour, "effect": attributed(&window.did),
        })).collect::<Vec<_>>(),
        "outside_windows": attributed(&explanation.outside),
        "limits": explanation.limits.iter().map(limit).collect::<Vec<_>>(),
        "edges": explanation.edges.iter().map(|edge| json!({
            "from": edge.from, "to": edge.to, "answers": edge.answers, "amount": edge.amount,
            "premium": edge.premium, "median_premium": edge.median_premium,
        })).collect::<Vec<_>>(),
        "dearest_requests": explanation.dearest.iter().map(|request| json!({
            "request": request.name, "at": request.at, "upstream_calls": request.attempts, "amount": request.amount,
            "premium": request.premium,
        })).collect::<Vec<_>>(),
        "request": explanation.request.as_ref().map(request),
        "command": about.command,
    });
    crate::report::json::bytes(&document)
}

fn run(row: &RunRow) -> Value {
    let causes = row.by_cause.iter().map(|(cause, amount)| (cause.name().to_owned(), json!(amount)));
    json!({
        "run": row.run, "bill": row.bill, "cost_by_cause": Value::Object(causes.collect()),
        "requests": row.requests, "upstream_calls": row.attempts, "fallbacks": row.fallbacks,
        "failed": row.failed + row.rejected + row.lost, "fallback_premium": row.fallback_premium,
    })
}

fn limit(story: &LimitStory) -> Value {
    json!({
        "limit": named(&story.limit), "refused": story.refused, "first_at": story.first, "first_hour": story.first_hour,
    })
}

fn named(limit: &RefusingLimit) -> Value {
    match limit {
        RefusingLimit::Provider { deployment, kind, limit } => {
            json!({ "of": "provider", "deployment": deployment, "counts": kind_words(*kind), "limit": limit })
        }
        RefusingLimit::Key { key, why } => json!({ "of": "key", "key": key, "limit": why.name() }),
    }
}

fn attributed(did: &Attributed) -> Value {
    json!({
        "failed_calls": did.failed_calls, "requests": did.requests, "fallbacks": did.fallbacks,
        "failed": did.failed, "amount": did.amount, "extra": did.extra,
    })
}

fn request(story: &RequestStory) -> Value {
    json!({
        "request": story.name, "at": story.at, "model": story.model, "key": story.key,
        "input_tokens": story.input_tokens, "stream": story.stream, "upstream_calls": story.attempts,
        "amount": story.amount, "premium": story.premium,
        "events": story.events.iter().map(|event| {
            let mut value = step(&event.step);
            value["after_s"] = json!(event.after_s);
            value
        }).collect::<Vec<_>>(),
    })
}

fn step(step: &Step) -> Value {
    match step {
        Step::Decided(text) => json!({ "event": "decided", "text": text }),
        Step::Sent { deployment, model } => json!({ "event": "sent", "deployment": deployment, "model": model }),
        Step::Ended { deployment, outcome, limit, billed, cause, amount, premium } => json!({
            "event": "ended", "deployment": deployment, "outcome": outcome_words(*outcome), "limit": limit.as_ref().map(named),
            "input_tokens": billed.input, "output_tokens": billed.output, "cause": cause.name(),
            "amount": amount, "premium": premium,
        }),
        Step::Answered { status, ok, fell_back, from_cache } => json!({
            "event": "answered", "http_status": status, "ok": ok, "fallback": fell_back, "from_cache": from_cache,
        }),
    }
}
