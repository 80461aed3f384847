//! One answer of a deployment, as it would go if the gateway waited for all of it.

use crate::units::{ClassId, DeploymentId, Outcome, RequestId, RetryAfter, SimDuration, Tokens, Usage};

/// A call as the provider sees it.
#[derive(Debug, Clone, Copy)]
pub struct UpstreamCall {
    /// The deployment that is called.
    pub deployment: DeploymentId,
    /// The traffic class of the request (its stream of draws).
    pub class: ClassId,
    /// The client request that it is made for.
    pub request: RequestId,
    /// How many calls this request has made to this deployment before.
    pub nth_try: u32,
    /// Whether a stream was asked for.
    pub stream: bool,
    /// `max_tokens` of the call.
    pub max_tokens: Option<Tokens>,
}

/// How and when a call would end.
#[derive(Debug, Clone, Copy)]
pub struct Service {
    /// How.
    pub outcome: Outcome,
    /// The `Retry-After` of an error.
    pub retry_after: RetryAfter,
    /// Until the response headers. Without a stream that is the whole answer.
    pub headers: SimDuration,
    /// Until the first content of a stream.
    pub first_token: SimDuration,
    /// Until the last byte; `FOREVER` for a call that hangs.
    pub total: SimDuration,
    /// Pieces of content in a stream, the first at `first_token`, the last at `total`, the others evenly between.
    pub chunks: u32,
    /// Usage of the complete answer.
    pub usage: Usage,
    /// Until then the provider shows that it is alive without answering (it keeps the connection open for a call that
    /// waits in line): no silence begins before.
    pub alive: SimDuration,
}

impl Service {
    /// A complete answer after so long, without a stream.
    pub const fn answer(total: SimDuration, usage: Usage) -> Self {
        Self {
            outcome: Outcome::Ok,
            retry_after: RetryAfter::None,
            headers: total,
            first_token: total,
            total,
            chunks: 0,
            usage,
            alive: SimDuration::ZERO,
        }
    }

    /// The same, after waiting in line for so long.
    #[must_use]
    pub fn after(self, line: SimDuration) -> Self {
        Self {
            headers: line + self.headers,
            first_token: line + self.first_token,
            total: line + self.total,
            alive: line,
            ..self
        }
    }

    /// Time between two chunks of the stream.
    pub const fn gap(&self) -> SimDuration {
        match self.chunks {
            0 | 1 => SimDuration::ZERO,
            n => SimDuration((self.total.0.saturating_sub(self.first_token.0)) / (n as i64 - 1)),
        }
    }

    /// The longest silence after the first chunk: until the end, where it is the only one.
    pub const fn longest_gap(&self) -> SimDuration {
        match self.chunks {
            1 => SimDuration(self.total.0.saturating_sub(self.first_token.0)),
            _ => self.gap(),
        }
    }

    /// When the `nth` chunk (from 1) arrives, counted from the start of the call.
    pub const fn chunk_at(&self, nth: u32) -> SimDuration {
        SimDuration(self.first_token.0.saturating_add(self.gap().0.saturating_mul(nth.saturating_sub(1) as i64)))
    }

    /// How many chunks have arrived `elapsed` after the start.
    pub const fn chunks_by(&self, elapsed: SimDuration) -> u32 {
        if elapsed.0 < self.first_token.0 || self.chunks == 0 {
            return 0;
        }
        let gap = self.gap().0;
        if gap <= 0 {
            return self.chunks;
        }
        let later = (elapsed.0 - self.first_token.0) / gap;
        if later >= self.chunks as i64 - 1 { self.chunks } else { 1 + later as u32 }
    }

    /// Usage of the part of the answer that had been produced `elapsed` after the start.
    pub fn usage_by(&self, elapsed: SimDuration) -> Usage {
        self.usage_by_chunks(self.chunks_by(elapsed))
    }

    /// Usage of the part of the answer up to this many chunks.
    pub fn usage_by_chunks(&self, chunks: u32) -> Usage {
        let all = u64::from(self.chunks.max(1));
        let part = |tokens: Tokens| (u64::from(tokens) * u64::from(chunks) / all) as Tokens;
        Usage { output: part(self.usage.output), reasoning: part(self.usage.reasoning), ..self.usage }
    }
}
