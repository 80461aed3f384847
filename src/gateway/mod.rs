//! A gateway is a state machine that never sleeps, calls or reads a clock: the engine tells it what has happened, it
//! says what to do next. The same object is stepped by a forecast and against recorded traces of the real gateway.

/// Several processes of one gateway, their restarts, and what is in front of them.
pub mod fleet;
/// The LiteLLM proxy.
pub mod litellm;

/// What gateways are made of.
pub mod parts;

use crate::random::Draws;
pub use crate::units::RequestView;
use crate::units::{
    CallId, DeploymentId, NameId, Outcome, Phase, RetryAfter, SimDuration, SimTime, Tokens, Usage, WhyNot,
};

/// Everything a gateway may use during one step.
pub struct Turn<'a, D: Draws, N: Notes> {
    /// The moment.
    pub now: SimTime,
    /// The engine's name for the request that the step is about.
    pub call: CallId,
    /// Random numbers, standing at this request.
    pub draws: &'a mut D,
    /// Where decisions are written down.
    pub notes: &'a mut N,
    /// Parked calls to resume with [`Event::Woke`] at this same moment, in this order. Those that have been resumed
    /// stay until the last of them has been: whoever yields then stands in line behind them.
    pub woken: &'a mut Vec<CallId>,
}

/// A gateway, as the engine sees it.
pub trait Gateway {
    /// The gateway's own state of one request; slots are reused, so admission must reset it.
    type Call: Default;
    /// What it keeps of a light request.
    type Held: Copy + Default;

    /// A request has arrived: admit it (keys, budgets, limits, cache) and say what to do first.
    fn admit<D: Draws, N: Notes>(&mut self, turn: Turn<'_, D, N>, request: &RequestView, call: &mut Self::Call)
    -> Step;

    /// Something that concerns this call has happened: say what to do next.
    fn resume<D: Draws, N: Notes>(
        &mut self,
        turn: Turn<'_, D, N>,
        request: &RequestView,
        call: &mut Self::Call,
        event: Event<'_>,
    ) -> Step;

    /// The attempt with which [`admit`](Self::admit) would answer, if the gateway keeps nothing of the request until
    /// that attempt has ended. `None` where that is not sure, and then it is admitted; nothing has changed so far.
    fn plain_attempt<D: Draws>(&mut self, now: SimTime, draws: &mut D, request: &RequestView) -> Option<Attempt> {
        let _ = (now, draws, request);
        None
    }

    /// That attempt falls back to another group, and will be answered in full: does what `admit`
    /// would have done before it.
    fn fell_back_plainly<D: Draws, N: Notes>(
        &mut self,
        turn: Turn<'_, D, N>,
        request: &RequestView,
        attempt: &Attempt,
    ) {
        let _ = (turn, request, attempt);
    }

    /// The same as [`plain_attempt`](Self::plain_attempt), if the only thing that will be remembered of the answer to
    /// that attempt is that there was one: [`tally`](Self::tally) tells of it ahead, and nothing else does.
    fn tallied_attempt<D: Draws>(&mut self, now: SimTime, draws: &mut D, request: &RequestView) -> Option<Attempt> {
        let _ = (now, draws, request);
        None
    }

    /// A deployment will have answered a plain attempt in full at the moment `at`.
    fn tally(&mut self, now: SimTime, at: SimTime, deployment: DeploymentId) {
        let _ = (now, at, deployment);
    }

    /// A plain attempt has been answered in full: remembers what `admit` and `resume` would have remembered of it.
    fn plainly_answered(&mut self, now: SimTime, request: &RequestView, answer: &PlainAnswer) {
        let _ = (now, request, answer);
    }

    /// Whether this request may be [light](Self::admit_lightly): then nothing needs to be asked of the group it goes to
    /// but which of its deployments is free.
    fn may_be_light(&self, request: &RequestView) -> bool {
        let _ = request;
        false
    }

    /// A request has arrived that may be light: of which little has to be kept until its first attempt has ended.
    fn admit_lightly<D: Draws, N: Notes>(
        &mut self,
        turn: Turn<'_, D, N>,
        request: &RequestView,
        held: &mut Self::Held,
    ) -> Light {
        let _ = (turn, request, held);
        Light::GoOn
    }

    /// A light request waits in line for a slot of this deployment under the number in the turn,
    /// whatever its client does.
    fn wait_lightly<D: Draws, N: Notes>(
        &mut self,
        turn: Turn<'_, D, N>,
        held: &mut Self::Held,
        deployment: DeploymentId,
    ) {
        let _ = (turn, held, deployment);
    }

    /// A light request that waited in line has the slot for which it did: says what to send, or what its answer
    /// is. It does not wait again.
    fn woke_lightly<D: Draws, N: Notes>(
        &mut self,
        turn: Turn<'_, D, N>,
        request: &RequestView,
        held: &mut Self::Held,
        deployment: DeploymentId,
    ) -> Light {
        let _ = (turn, request, held, deployment);
        Light::GoOn
    }

    /// A request that has been let in is not light: says what to do first.
    fn go_on<D: Draws, N: Notes>(
        &mut self,
        turn: Turn<'_, D, N>,
        request: &RequestView,
        call: &mut Self::Call,
        held: Self::Held,
    ) -> Step {
        let _ = held;
        self.admit(turn, request, call)
    }

    /// The first attempt of a request that seemed light will not be answered in full: more is kept of it from now on.
    /// It arrived at the first of these moments and is sent at the second.
    fn take_up(
        &mut self,
        moments: (SimTime, SimTime),
        request: &RequestView,
        call: &mut Self::Call,
        held: Self::Held,
        attempt: &Attempt,
    ) {
        let _ = (moments, request, call, held, attempt);
    }

    /// The first attempt of a light request has been answered in full, and the request with it. Parked calls may wake.
    fn lightly_answered<D: Draws, N: Notes>(
        &mut self,
        turn: Turn<'_, D, N>,
        request: &RequestView,
        answer: &PlainAnswer,
        held: Self::Held,
    ) {
        let _ = (turn, request, answer, held);
    }

    /// When a process of the gateway ends or begins next, as far as is known.
    fn next_break(&mut self) -> SimTime {
        SimTime::NEVER
    }

    /// That moment has come. Calls that are then [lost](Self::is_lost) are answered by nobody.
    fn break_down(&mut self, now: SimTime) {
        let _ = now;
    }

    /// Whether this call was in a process that has ended at this moment: it is over then.
    fn is_lost(&mut self, request: &RequestView, call: &mut Self::Call) -> bool {
        let _ = (request, call);
        false
    }
}

/// Nobody tells the requests apart that have no slot.
pub const ANY: CallId = CallId(0);

/// Stands among the calls that are woken when there is no room for more: the loop looks there anyway. No call has this
/// number.
pub const FULL: CallId = CallId(u32::MAX);

/// What has happened to a call.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// The attempt in flight has ended.
    Ended(&'a Ended),
    /// The sleep is over, or another call has woken this parked one.
    Woke,
    /// The client has gone; this far the answer of the attempt in flight has come. Answer `CarryOn`, `CancelAttempt` or
    /// `Respond`.
    ClientLeft(Phase),
}

/// What a gateway wants done for a call.
#[derive(Debug, Clone, Copy)]
pub enum Step {
    /// Send this upstream.
    Attempt(Attempt),
    /// Wait this long, then resume with [`Event::Woke`].
    Sleep(SimDuration),
    /// Wait until another call wakes this one (a queue inside the gateway).
    Park,
    /// After [`Event::ClientLeft`]: go on as if nothing had happened.
    CarryOn,
    /// After [`Event::ClientLeft`]: close the attempt in flight; it ends at once as [`Outcome::Cancelled`].
    CancelAttempt,
    /// The request is over.
    Respond(Response),
}

/// What a gateway wants done for a request that may be light.
#[derive(Debug, Clone, Copy)]
pub enum Light {
    /// Send this upstream: until it has ended, nothing is kept but what is held.
    Attempt(Attempt),
    /// The request is over.
    Respond(Response),
    /// It is let in, but all slots of this deployment are taken: [`Gateway::wait_lightly`], or [`Gateway::go_on`].
    Wait(DeploymentId),
    /// It is let in, but more has to be kept of it: [`Gateway::go_on`].
    GoOn,
}

/// One upstream call.
#[derive(Debug, Clone, Copy)]
pub struct Attempt {
    /// Where to.
    pub deployment: DeploymentId,
    /// The name that led there: behind a pattern such as `openai/*` it says which model is called.
    pub name: NameId,
    /// How long to wait for what.
    pub limits: Limits,
    /// `max_tokens` that the upstream is asked for.
    pub max_tokens: Option<Tokens>,
    /// Why the ledger should book it.
    pub role: AttemptRole,
}

/// The good end of a plain attempt.
#[derive(Debug, Clone, Copy)]
pub struct PlainAnswer {
    /// Who answered.
    pub deployment: DeploymentId,
    /// The name that led there.
    pub name: NameId,
    /// When the attempt was started.
    pub started: SimTime,
    /// Tokens of the answer.
    pub usage: Usage,
}

/// Why an attempt is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AttemptRole {
    /// The first attempt of the request at its own group.
    First,
    /// A further attempt at the request's own group.
    Retry,
    /// An attempt at a group that the request fell back to.
    Fallback,
}

/// The longest silences that a gateway bears. `SimDuration::FOREVER` means no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Until the response headers.
    pub headers: SimDuration,
    /// Until the first token of a stream.
    pub first_token: SimDuration,
    /// From the headers of a stream to its first token.
    pub content: SimDuration,
    /// Between bytes.
    pub idle: SimDuration,
    /// From start to end.
    pub total: SimDuration,
}

impl Limits {
    /// Everything is borne for ever.
    pub const NONE: Self = Self {
        headers: SimDuration::FOREVER,
        first_token: SimDuration::FOREVER,
        content: SimDuration::FOREVER,
        idle: SimDuration::FOREVER,
        total: SimDuration::FOREVER,
    };
}

/// How an attempt ended: each ends in exactly one of these.
#[derive(Debug, Clone, Copy)]
pub struct Ended {
    /// How.
    pub outcome: Outcome,
    /// How much of the answer the client already had.
    pub phase: Phase,
    /// The upstream's `Retry-After`.
    pub retry_after: RetryAfter,
    /// When the attempt was started.
    pub started: SimTime,
    /// When the first token came, if one did.
    pub first_token: Option<SimTime>,
    /// Tokens of the answer as the gateway learns them (zero for failures without an answer).
    pub usage: Usage,
}

/// What the client gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Response {
    /// HTTP status; 499 when the client has gone.
    pub http_status: u16,
    /// Whether the answer is complete and good.
    pub ok: bool,
    /// The deployment that is named as having served it.
    pub served_by: Option<DeploymentId>,
    /// Where the answer comes from, or why there is none.
    pub source: Source,
    /// The gateway's own wish for when to come back.
    pub retry_after: RetryAfter,
}

impl Response {
    /// An answer without a wish for when to come back.
    pub const fn new(http_status: u16, ok: bool, served_by: Option<DeploymentId>, source: Source) -> Self {
        Self { http_status, ok, served_by, source, retry_after: RetryAfter::None }
    }
}

/// Where an answer comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// An upstream call.
    Upstream,
    /// The gateway's response cache.
    Cache,
    /// The gateway itself refused it before any routing: key limits, budgets, an unknown model.
    Admission(WhyNot),
    /// The gateway found no deployment to send it to.
    NoDeployment(WhyNot),
    /// The client went away.
    ClientLeft,
    /// No process of the gateway took the request: all are down, or as busy as they may be.
    NoProcess,
    /// The process that had the request ended before it was answered.
    Lost,
}

impl Source {
    /// Why a request that ended here got no good answer.
    pub const fn why_not(self) -> WhyNot {
        match self {
            Self::Admission(why) | Self::NoDeployment(why) => why,
            Self::NoProcess => WhyNot::NoProcess,
            Self::Lost => WhyNot::Lost,
            Self::Upstream | Self::Cache | Self::ClientLeft => WhyNot::Upstream,
        }
    }
}

/// Where a gateway writes down what it decides. A forecast counts, a trace keeps all, and nothing
/// is formatted unless kept.
pub trait Notes {
    /// A deployment is put into cooldown at `at` until `until`.
    fn cooldown(&mut self, at: SimTime, deployment: DeploymentId, until: SimTime);

    /// A decision worth telling in an explanation. The text is only made where somebody listens.
    fn decided(&mut self, at: SimTime, call: CallId, decision: impl FnOnce() -> String) {
        let _ = (at, call, decision);
    }
}
