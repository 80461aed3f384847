//! A scripted upstream: for every deployment a list of rules, the first that fits decides the answer. It says of one
//! call what a recording's upstream said.

use crate::provider::{Service, Upstream, UpstreamCall};
use crate::random::Here;
use crate::units::{Meaning, Outcome, RetryAfter, SimDuration, SimTime, Tokens, Usage};
use std::collections::HashMap;

/// What the script knows of a request.
#[derive(Debug, Clone, Copy, Default)]
pub struct ScriptedRequest {
    /// Number of the request in the case.
    pub index: u32,
    /// Prompt tokens: they are reported as usage, and rules may ask for more than some number.
    pub prompt_tokens: Tokens,
    /// Completion tokens of a complete answer.
    pub completion_tokens: Tokens,
    /// Prompt tokens as the gateway counts them, by each of its tokenizers: if a stream does not tell its usage, it
    /// learns of no other.
    pub counted_tokens: [Tokens; 3],
    /// Whether a stream is asked for its usage.
    pub asks_usage: bool,
}

/// When a rule applies.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct When {
    /// Calls of the deployment, counted from 1, first and last.
    pub calls: Option<(u64, u64)>,
    /// Seconds since the start, from and up to but not including.
    pub secs: Option<(f64, f64)>,
    /// Only streams, or only others.
    pub stream: Option<bool>,
    /// Only these requests.
    pub requests: Option<Vec<u32>>,
    /// Only prompts of more tokens.
    pub over_tokens: Option<f64>,
    /// Not the first so many in a calendar minute.
    pub per_minute: Option<u64>,
}

/// How a call is answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// What kind of answer.
    pub kind: Kind,
    /// What kind it is to a call for a stream, if it is another one.
    pub kind_of_stream: Option<Kind>,
    /// Seconds until it is complete.
    pub latency: f64,
    /// Its `Retry-After`.
    pub retry_after: RetryAfter,
    /// Seconds until the first chunk of a stream; an even share of the latency without one.
    pub first_chunk: Option<f64>,
    /// Chunks with content in a stream.
    pub chunks: u32,
    /// The stream breaks off after so many chunks; two more follow those with content.
    pub abort_after: Option<u32>,
}

/// Kinds of answers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// A good one.
    Ok,
    /// An error.
    Error(Outcome),
    /// The connection fails; no patience of the gateway ends it earlier.
    Unreachable,
    /// None, for so many seconds.
    Hang,
}

/// One rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// When it applies.
    pub when: When,
    /// What it answers.
    pub answer: Answer,
}

impl Default for Answer {
    fn default() -> Self {
        Self {
            kind: Kind::Ok,
            kind_of_stream: None,
            latency: 0.5,
            retry_after: RetryAfter::None,
            first_chunk: None,
            chunks: 4,
            abort_after: None,
        }
    }
}

/// Rules of all deployments.
#[derive(Debug, Clone, Default)]
pub struct Script {
    /// By deployment.
    pub rules: Vec<Vec<Rule>>,
    /// For calls that none of the deployment's own rules fits: the same rules as each kind of client reads their texts.
    pub otherwise: Vec<Vec<Rule>>,
    /// Which of these is each deployment's.
    pub otherwise_of: Vec<usize>,
    /// By deployment: which tokenizer the gateway counts its streams with.
    pub tokenizers: Vec<usize>,
    /// Nanoseconds from the start of a calendar minute to time zero.
    pub minute_offset: SimDuration,
}

/// When a deployment's streams tell their usage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StreamUsage {
    /// Always.
    Always,
    /// If they are asked for it.
    #[default]
    IfAsked,
    /// Never.
    Never,
}

impl StreamUsage {
    /// Of a provider that tells it unasked, or can be asked.
    pub const fn of(unasked: bool, can_be_asked: bool) -> Self {
        match (unasked, can_be_asked) {
            (true, _) => Self::Always,
            (false, true) => Self::IfAsked,
            (false, false) => Self::Never,
        }
    }
}

/// A script that is being played.
pub struct ScriptedUpstream<'a> {
    script: &'a Script,
    /// By deployment: when its streams tell their usage.
    tell_usage: Vec<StreamUsage>,
    calls: Vec<u64>,
    /// Calls let through by a rule in a minute, by deployment and number of the rule.
    let_through: HashMap<(usize, usize, i64), u64>,
}

const MICROS_PER_SECOND: f64 = 1e6;

impl<'a> ScriptedUpstream<'a> {
    /// A script at its beginning, for deployments that tell the usage of their streams so.
    pub fn new(script: &'a Script, tell_usage: Vec<StreamUsage>) -> Self {
        Self { script, tell_usage, calls: vec![0; script.rules.len()], let_through: HashMap::new() }
    }

    fn tells_usage(&self, call: &UpstreamCall, request: &ScriptedRequest) -> bool {
        match self.tell_usage.get(call.deployment.index()).copied().unwrap_or_default() {
            StreamUsage::Always => true,
            StreamUsage::IfAsked => request.asks_usage,
            StreamUsage::Never => false,
        }
    }

    /// The answer to a call that starts now.
    fn answer(&mut self, now: SimTime, call: &UpstreamCall, request: &ScriptedRequest) -> Option<&'a Answer> {
        let at = call.deployment.index();
        self.calls[at] += 1;
        let script = self.script;
        let otherwise = &script.otherwise[script.otherwise_of[at]];
        let rules = script.rules[at].iter().chain(otherwise).enumerate();
        for (number, rule) in rules {
            if !rule.when.fits(self.calls[at], now, call.stream, request) {
                continue;
            }
            if let Some(limit) = rule.when.per_minute {
                let minute = now.0.saturating_add(script.minute_offset.0).div_euclid(60_000_000_000);
                let used = self.let_through.entry((at, number, minute)).or_default();
                if *used < limit {
                    *used += 1;
                    continue;
                }
            }
            return Some(&rule.answer);
        }
        None
    }
}

impl When {
    fn fits(&self, call: u64, now: SimTime, stream: bool, request: &ScriptedRequest) -> bool {
        let secs = (now.as_secs_f64() * MICROS_PER_SECOND).round() / MICROS_PER_SECOND;
        self.calls.is_none_or(|(first, last)| (first..=last).contains(&call))
            && self.secs.is_none_or(|(from, to)| from <= secs && secs < to)
            && self.stream.is_none_or(|wanted| wanted == stream)
            && self.requests.as_ref().is_none_or(|wanted| wanted.contains(&request.index))
            && self.over_tokens.is_none_or(|limit| f64::from(request.prompt_tokens) > limit)
    }
}

impl Upstream for ScriptedUpstream<'_> {
    type Fate = ScriptedRequest;

    fn serve(&mut self, now: SimTime, _: Here, call: &UpstreamCall, request: &ScriptedRequest) -> Service {
        let default = Answer::default();
        let answer = self.answer(now, call, request).unwrap_or(&default);
        let usage = Usage::plain(request.prompt_tokens, request.completion_tokens);
        let tokenizer = self.script.tokenizers.get(call.deployment.index()).copied().unwrap_or_default();
        let counted_input = request.counted_tokens[tokenizer];
        match answer.kind_of_stream.filter(|_| call.stream).unwrap_or(answer.kind) {
            Kind::Ok if call.stream && !self.tells_usage(call, request) => {
                stream(answer, Usage::plain(counted_input, counted(answer.chunks.max(1))))
            }
            Kind::Ok if call.stream => stream(answer, usage),
            Kind::Ok => plain(answer, Outcome::Ok, usage),
            Kind::Error(outcome @ Outcome::Worded(_, wording)) if wording.meaning() == Meaning::Answer => {
                plain(answer, outcome, Usage::plain(counted_input, 0))
            }
            Kind::Error(outcome) => plain(answer, outcome, Usage::default()),
            Kind::Hang => plain(answer, Outcome::ConnectionError, Usage::default()),
            Kind::Unreachable => {
                Service { headers: SimDuration::ZERO, ..plain(answer, Outcome::ConnectionError, Usage::default()) }
            }
        }
    }

    fn counted_part(&self, service: &Service, elapsed: SimDuration) -> Usage {
        Usage { output: counted(service.chunks_by(elapsed)), ..service.usage }
    }

    fn ended(
        &mut self,
        _: SimTime,
        _: &UpstreamCall,
        service: &Service,
        outcome: Outcome,
        elapsed: SimDuration,
    ) -> Usage {
        if outcome == Outcome::Ok { service.usage } else { service.usage_by(elapsed) }
    }
}

/// The tokens that a gateway counts in so many chunks: each is a short word and a space, a token,
/// and one for the last space.
const fn counted(chunks: u32) -> Tokens {
    if chunks == 0 { 0 } else { chunks.saturating_add(1) }
}

/// An answer in one piece.
fn plain(answer: &Answer, outcome: Outcome, usage: Usage) -> Service {
    let total = SimDuration::from_secs_f64(answer.latency);
    let retry_after = if outcome == Outcome::Ok { RetryAfter::None } else { answer.retry_after };
    Service { outcome, retry_after, ..Service::answer(total, usage) }
}

/// A stream: headers at once, the first chunk after its time, the others evenly up to the latency. Two chunks without
/// content (finish, usage) follow at once; a stream that breaks after the first of these is complete for the gateway.
fn stream(answer: &Answer, usage: Usage) -> Service {
    let chunks = answer.chunks.max(1);
    let first = answer.first_chunk.unwrap_or(answer.latency / f64::from(chunks)).max(0.0);
    let gap = if chunks > 1 { ((answer.latency - first) / f64::from(chunks - 1)).max(0.0) } else { 0.0 };
    let at = |nth: u32| SimDuration::from_secs_f64(first + gap * f64::from(nth - 1));
    let headers = SimDuration::ZERO;
    let first_token = at(1);
    let whole = Service {
        outcome: Outcome::Ok,
        retry_after: RetryAfter::None,
        headers,
        first_token,
        total: at(chunks),
        chunks,
        usage,
        alive: SimDuration::ZERO,
    };
    match answer.abort_after {
        Some(0) => Service { outcome: Outcome::Cut, total: headers, chunks: 0, ..whole },
        Some(sent) if sent <= chunks => Service { outcome: Outcome::Cut, total: at(sent), chunks: sent, ..whole },
        Some(_) | None => whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_even_between_its_first_and_last_chunk() {
        let answer = Answer { latency: 8.0, first_chunk: Some(1.0), chunks: 5, ..Answer::default() };
        let service = stream(&answer, Usage::default());
        let at = |nth| service.chunk_at(nth).as_secs_f64();
        assert_eq!([at(1), at(2), at(5), service.total.as_secs_f64()], [1.0, 2.75, 8.0, 8.0]);
        let cut = stream(&Answer { abort_after: Some(2), ..answer.clone() }, Usage::default());
        assert_eq!((cut.outcome, cut.total.as_secs_f64(), cut.chunks), (Outcome::Cut, 2.75, 2));
        assert_eq!(stream(&Answer { abort_after: Some(6), ..answer }, Usage::default()).outcome, Outcome::Ok);
    }
}
