//! The fast lane. Of nearly all requests the gateway keeps nothing until their first attempt has ended, and nearly all of
//! those are answered in full: they need no slot. What is known of such a request when it starts is kept in a short row
//! until its end, and everything that is told of it is told in two straight lines. What turns out not to be plain goes the
//! long way with the same draws and the same answer of its provider, so that the lane changes nothing but the time it
//! takes (`tests/reference_engine.rs` and `tests/determinism.rs` hold it against runs without it).

use crate::engine::machine::RequestRecord;
use crate::gateway::{Ended, PlainAnswer};
use crate::provider::{Service, UpstreamCall};
use crate::traffic::Leave;
use crate::units::{
    CallId, ClassId, DeploymentId, Outcome, Phase, RequestView, RetryAfter, SimDuration, SimTime, Tokens, Usage,
};

/// A request in the lane.
#[derive(Debug, Clone, Copy)]
pub struct Plain {
    /// When it arrived and its only attempt was started.
    pub started: SimTime,
    pub class: ClassId,
    pub view: RequestView,
    pub deployment: DeploymentId,
    /// `max_tokens` of the call.
    pub max_tokens: Option<Tokens>,
    /// Tokens of the answer.
    pub usage: Usage,
}

impl Plain {
    /// The request as it is told of.
    #[inline(always)]
    pub const fn record(&self) -> RequestRecord {
        RequestRecord {
            arrived: self.started,
            class: self.class,
            view: self.view,
            attempts: 1,
            first_token: None,
            client_gone: false,
            lost: false,
        }
    }

    /// Its call, as the provider sees it.
    #[inline(always)]
    pub const fn upstream_call(&self) -> UpstreamCall {
        UpstreamCall {
            deployment: self.deployment,
            class: self.class,
            request: self.view.id,
            nth_try: 0,
            stream: self.view.stream,
            max_tokens: self.max_tokens,
        }
    }

    /// What the gateway is told of the answer.
    #[inline(always)]
    pub const fn answer(&self) -> PlainAnswer {
        PlainAnswer { deployment: self.deployment, started: self.started, usage: self.usage }
    }

    /// How the attempt ends.
    #[inline(always)]
    pub const fn ended(&self) -> Ended {
        Ended {
            outcome: Outcome::Ok,
            phase: Phase::AfterContent,
            retry_after: RetryAfter::None,
            started: self.started,
            first_token: None,
            usage: self.usage,
        }
    }

    /// The answer at its end. When its parts came is nobody's concern any more.
    #[inline(always)]
    pub const fn service(&self, took: SimDuration) -> Service {
        Service::answer(took, self.usage)
    }
}

/// Whether a client waits at least this long for an answer of its request.
#[inline(always)]
pub fn waits_for(leave: Leave, took: SimDuration) -> bool {
    match leave {
        Leave::Never => true,
        // An answer that comes just in time has come.
        Leave::After(patience) | Leave::TimesOut(patience) => took <= patience,
        Leave::AfterChunks(_) => false,
    }
}

/// The requests in the lane. Places are used again.
#[derive(Debug, Default)]
pub struct Lane {
    rows: Vec<Plain>,
    free: Vec<CallId>,
}

impl Lane {
    /// Takes a request in; says its place.
    #[inline(always)]
    pub fn put(&mut self, plain: Plain) -> CallId {
        let Some(id) = self.free.pop() else {
            self.rows.push(plain);
            return CallId::from_index(self.rows.len() - 1);
        };
        self.rows[id.index()] = plain;
        id
    }

    /// A request has left: its place is free, its row stays until it is used again.
    #[inline(always)]
    pub fn take(&mut self, id: CallId) -> &Plain {
        self.free.push(id);
        &self.rows[id.index()]
    }
}
