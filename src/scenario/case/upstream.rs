//! The scripted upstream of a case.

use super::fields::Reader;
use super::request::Spec;
use crate::document::{Entry, Node, Value};
use crate::gateway::litellm::client::Client;
use crate::gateway::litellm::wire::nearest;
use crate::gateway::litellm::wording::ErrorText;
use crate::provider::{Answer, Kind, Rule, Script, When};
use crate::units::{Outcome, RetryAfter, SimDuration, SimTime, Wording};
use std::collections::HashMap;

const NANOS_PER_MINUTE: i128 = 60_000_000_000;
/// So many ids are compared with one that nothing has.
const MOST_COMPARED: usize = 100;

/// Reads the rules of all deployments, which are called by these clients.
pub(super) fn read(
    node: Option<&Node>,
    deployments: &[String],
    clients: &[Client],
    requests: &[Spec<'_>],
    start_nanos: i128,
    reader: &mut Reader,
) -> Script {
    let mut context = Context { requests, start_nanos, reader };
    let mut rules_of = |id: &str| -> Vec<Written> {
        let rules = node.and_then(|node| node.get(id)).map(Node::items).unwrap_or_default();
        rules.iter().map(|rule| context.rule(rule)).collect()
    };
    let read_by = |rules: &[Written], client: Client| rules.iter().map(|rule| rule.read_by(client)).collect();
    let rules = deployments.iter().zip(clients).map(|(id, client)| read_by(&rules_of(id), *client)).collect();
    let otherwise = rules_of("*");
    let mut kinds: Vec<Client> = Vec::new();
    let otherwise_of = clients.iter().map(|client| number_of(&mut kinds, *client)).collect();
    let otherwise = kinds.iter().map(|client| read_by(&otherwise, *client)).collect();
    let is_known = |id: &str| id == "*" || deployments.iter().any(|known| known == id);
    for entry in node.map(Node::entries).unwrap_or_default().iter().filter(|entry| !is_known(&entry.key)) {
        let near = nearest(&entry.key, deployments.iter().map(String::as_str));
        context.reader.unknown_name(entry.key_span, "`upstream`: there is no deployment of this name", near);
    }
    let minute_offset = SimDuration(start_nanos.rem_euclid(NANOS_PER_MINUTE) as i64);
    Script { rules, otherwise, otherwise_of, minute_offset, tokenizers: Vec::new() }
}

/// The number of a kind of client; it is added if there is none of its kind.
fn number_of(kinds: &mut Vec<Client>, client: Client) -> usize {
    kinds.iter().position(|known| *known == client).unwrap_or_else(|| {
        kinds.push(client);
        kinds.len() - 1
    })
}

/// A rule before its text is read, which each client does in its own way.
struct Written {
    rule: Rule,
    text: Option<Text>,
}

/// What a rule says that an error says.
struct Text {
    message: Option<String>,
    kind: String,
    code: Option<String>,
    should_retry: Option<String>,
}

impl Written {
    fn read_by(&self, client: Client) -> Rule {
        let mut rule = self.rule.clone();
        if let (Some(text), Kind::Error(Outcome::Status(status))) = (&self.text, rule.answer.kind) {
            let (code, should_retry) = (text.code.as_deref(), text.should_retry.as_deref());
            let message = text.message.clone().unwrap_or_else(|| format!("mock {status}"));
            let error = ErrorText { message: &message, kind: &text.kind, code, should_retry };
            let [whole, streamed] = [false, true].map(|stream| match client.reads(status, error, stream) {
                wording if wording == Wording::default() => Kind::Error(Outcome::Status(status)),
                wording => Kind::Error(Outcome::Worded(status, wording)),
            });
            rule.answer.kind = whole;
            rule.answer.kind_of_stream = (streamed != whole).then_some(streamed);
        }
        rule
    }
}

struct Context<'a> {
    requests: &'a [Spec<'a>],
    start_nanos: i128,
    reader: &'a mut Reader,
}

impl Context<'_> {
    fn rule(&mut self, node: &Node) -> Written {
        if !matches!(node.value, Value::Map(_)) {
            self.reader.expected(node, "a rule such as `{\"status\": 500, \"latency\": 0.1}`");
        }
        Written { rule: Rule { when: self.when(node), answer: self.answer(node) }, text: self.text(node) }
    }

    fn text(&mut self, node: &Node) -> Option<Text> {
        let [message, kind, code] = ["message", "type", "code"].map(|key| self.reader.printed(node, key));
        let in_headers = node.get("headers").map(Node::entries).unwrap_or_default();
        let header = in_headers.iter().find(|entry| entry.key.eq_ignore_ascii_case("x-should-retry"));
        let should_retry = header.and_then(|entry| entry.value.printed());
        let is_told = message.is_some() || kind.is_some() || code.is_some() || should_retry.is_some();
        let kind = kind.unwrap_or_default();
        is_told.then_some(Text { message, kind, code, should_retry })
    }

    fn when(&mut self, node: &Node) -> When {
        let stream = match self.reader.present(node, "stream") {
            Some(_) => Some(self.reader.flag(node, "stream")),
            None => None,
        };
        let calls = self.range(node, "calls").map(|(first, last)| {
            let last = last.filter(|last| *last > 0.0).map_or(u64::MAX, |last| last as u64);
            (first.max(0.0) as u64, last)
        });
        When {
            calls,
            secs: self.range(node, "t").map(|(from, to)| (from, to.unwrap_or(f64::INFINITY))),
            stream,
            requests: self.reader.present(node, "requests").map(|ids| self.requests(ids)),
            over_tokens: self.reader.number(node, "over_tokens"),
            per_minute: self.reader.whole(node, "rpm").map(|n| n.max(0) as u64),
        }
    }

    /// A pair of numbers; the second may be null.
    fn range(&mut self, node: &Node, key: &str) -> Option<(f64, Option<f64>)> {
        let pair = self.reader.present(node, key)?;
        let [from, to] = pair.items() else {
            self.reader.expected_of(key, pair, "two numbers, from and to");
            return None;
        };
        let to = if to.is_null() { None } else { Some(self.reader.as_number(to)?) };
        Some((self.reader.as_number(from)?, to))
    }

    fn requests(&mut self, node: &Node) -> Vec<u32> {
        let mut wanted: HashMap<&str, bool> =
            node.items().iter().filter_map(Node::as_str).map(|id| (id, false)).collect();
        let mut found = Vec::new();
        for (index, spec) in self.requests.iter().enumerate() {
            if let Some(is_there) = wanted.get_mut(spec.id.as_str()) {
                *is_there = true;
                found.push(index as u32);
            }
        }
        for id in node.items() {
            match id.as_str() {
                Some(name) if wanted.get(name) == Some(&true) => {}
                Some(name) => {
                    let ids = self.requests.iter().take(MOST_COMPARED).map(|spec| spec.id.as_str());
                    self.reader.unknown_name(id.span, "`requests`: no request has this id", nearest(name, ids));
                }
                None => self.reader.expected(id, "the id of a request"),
            }
        }
        found
    }

    fn answer(&mut self, node: &Node) -> Answer {
        let reader = &mut *self.reader;
        let good_after = match reader.present(node, "ok").map(|ok| &ok.value) {
            None => 0.1,
            Some(Value::Bool(_)) => 0.5,
            Some(_) => reader.number(node, "ok").unwrap_or(0.1),
        };
        let latency = reader.number(node, "latency").unwrap_or(good_after).max(0.0);
        let status = reader.count(node, "status").unwrap_or(200);
        let hang = reader.present(node, "hang");
        let hangs_for = hang.map(|hang| match hang.value {
            Value::Bool(true) => 1e7,
            _ => reader.as_number(hang).unwrap_or(1e7),
        });
        let kind = if hangs_for.is_some() {
            Kind::Hang
        } else if reader.flag(node, "conn_error") {
            Kind::Unreachable
        } else if reader.flag(node, "context_window") {
            Kind::Error(Outcome::ContextWindow)
        } else if reader.flag(node, "content_policy") {
            Kind::Error(Outcome::ContentPolicy)
        } else if status == 200 {
            Kind::Ok
        } else {
            Kind::Error(Outcome::Status(u16::try_from(status).unwrap_or(500)))
        };
        Answer {
            kind,
            kind_of_stream: None,
            latency: hangs_for.unwrap_or(latency),
            first_chunk: reader.number(node, "ttft"),
            chunks: reader.count(node, "chunks").unwrap_or(4),
            abort_after: reader.count(node, "abort_after"),
            retry_after: self.retry_after(node),
        }
    }

    /// The header: seconds, or an HTTP date; anything else is no wish.
    fn retry_after(&self, node: &Node) -> RetryAfter {
        let in_headers = node.get("headers").map(Node::entries).unwrap_or_default();
        let header = in_headers.iter().find(|entry| entry.key.eq_ignore_ascii_case("retry-after"));
        let value = header.map(|entry| &entry.value).or_else(|| self.reader.present(node, "retry_after"));
        let Some(text) = value.and_then(Node::printed) else { return milliseconds(in_headers) };
        if let Ok(secs) = text.trim().parse::<i64>() {
            return RetryAfter::Seconds(secs);
        }
        if let Ok(secs) = text.trim().parse::<f64>()
            && secs.is_finite()
        {
            return RetryAfter::Fraction(SimDuration::from_secs_f64(secs));
        }
        // Without a zone it is UTC (`email.utils.parsedate_tz`).
        let date = jiff::fmt::rfc2822::parse(text.trim());
        match date.or_else(|_| jiff::fmt::rfc2822::parse(&format!("{} GMT", text.trim()))) {
            Ok(date) => {
                let nanos = date.timestamp().as_nanosecond() - self.start_nanos;
                RetryAfter::At(SimTime(i64::try_from(nanos).unwrap_or(i64::MAX)))
            }
            Err(_) => RetryAfter::None,
        }
    }
}

/// The header `retry-after-ms`, which only clients that keep the retries of the OpenAI SDK read.
fn milliseconds(headers: &[Entry]) -> RetryAfter {
    let header = headers.iter().find(|entry| entry.key.eq_ignore_ascii_case("retry-after-ms"));
    let millis = header.and_then(|entry| entry.value.printed()?.trim().parse::<f64>().ok());
    match millis.filter(|millis| millis.is_finite()) {
        Some(millis) => RetryAfter::Fraction(SimDuration::from_secs_f64(millis / 1000.0)),
        None => RetryAfter::None,
    }
}
