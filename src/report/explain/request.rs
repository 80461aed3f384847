//! One request for a terminal.

use crate::experiment::{Explanation, RequestStory, Step};
use crate::report::explain::limit_words;
use crate::report::terminal::{Page, Style};
use crate::report::text::{clean, money, plural};
use crate::report::view::words;
use crate::units::{Money, Outcome, Usage};

/// Tells one request.
pub fn tell(page: &mut Page, explanation: &Explanation, story: &RequestStory) {
    let run = explanation.run.run;
    let title = format!("{}: request {} of run {run}", clean(&explanation.about.scenario), clean(&story.name));
    page.wrapped("", "  ", Some(Style::Bold), &title);
    let stream = if story.stream { ", as a stream" } else { "" };
    let asks = format!(
        "At {} it asks for {} with {} input tokens{stream}, with the key {}.",
        story.at,
        clean(&story.model),
        story.input_tokens,
        clean(&story.key)
    );
    page.wrapped("", "", None, &asks);
    page.line("");
    for event in &story.events {
        let start = format!("{:>10} ", clock(event.after_s));
        page.wrapped(&start, &" ".repeat(13), None, &step(&event.step));
    }
    page.line("");
    let premium = match story.premium {
        None => "; what the model asked for would have cost is not known".to_owned(),
        Some(Money::ZERO) => String::new(),
        Some(premium) if premium < Money::ZERO => {
            format!("; {} less than the model asked for would have cost", money(-premium))
        }
        Some(premium) => format!("; {} of it because a dearer model answered", money(premium)),
    };
    let sum = format!("{} cost {}{premium}.", plural(u64::from(story.attempts), "upstream call"), money(story.amount));
    page.wrapped("", "", Some(Style::Bold), &sum);
}

/// `+1.204 s`.
fn clock(seconds: f64) -> String {
    format!("+{seconds:.3} s")
}

fn step(step: &Step) -> String {
    match step {
        Step::Decided(text) => format!("· {}", clean(text)),
        Step::Sent { deployment, model } => format!("→ {} ({})", clean(deployment), clean(model)),
        Step::Ended { deployment, outcome, limit, billed, cause, amount, premium } => {
            let by = limit.as_ref().map_or_else(String::new, |limit| format!(" by the limit {}", limit_words(limit)));
            let premium = match *premium {
                None => "; the model asked for has no known price".to_owned(),
                Some(Money::ZERO) => String::new(),
                Some(premium) if premium < Money::ZERO => {
                    format!(", {} below the price of the model asked for", money(-premium))
                }
                Some(premium) => format!(", {} above the price of the model asked for", money(premium)),
            };
            let paid = match *amount {
                Money::ZERO if *billed == Usage::default() => "nothing is billed".to_owned(),
                Money::ZERO => format!("{} billed, at a price that is not known", tokens(billed)),
                amount => {
                    format!("{} for {}{premium} ({})", money(amount), tokens(billed), words(*cause).0.to_lowercase())
                }
            };
            format!("← {}: {}{by}; {paid}", clean(deployment), outcome_words(*outcome))
        }
        Step::Answered { status, ok, fell_back, from_cache } => {
            let how = match (ok, fell_back, from_cache) {
                (false, _, _) => "the client gets an error",
                (true, _, true) => "the client gets an answer from the response cache",
                (true, true, _) => "the client gets an answer, from a fallback",
                (true, false, _) => "the client gets its answer",
            };
            format!("= {how} (HTTP {status})")
        }
    }
}

fn tokens(usage: &Usage) -> String {
    format!("{} input and {} output tokens", usage.input, usage.output)
}

/// How a call ended, in words.
pub fn outcome_words(outcome: Outcome) -> String {
    match outcome {
        Outcome::Ok => "answered".to_owned(),
        Outcome::Status(status) | Outcome::Worded(status, _) => format!("HTTP {status}"),
        Outcome::ConnectionError => "connection lost".to_owned(),
        Outcome::Timeout => "the gateway's patience ran out".to_owned(),
        Outcome::ContextWindow => "the prompt is too long".to_owned(),
        Outcome::ContentPolicy => "refused as content".to_owned(),
        Outcome::Cut => "the answer broke off".to_owned(),
        Outcome::Cancelled => "closed by the gateway".to_owned(),
    }
}
