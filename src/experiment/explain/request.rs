//! Follows one request through a run.

use crate::engine::{AttemptRecord, Booked, RequestRecord, Watcher};
use crate::experiment::explain::limits::{Hits, RefusingLimit, provider_limit};
use crate::experiment::run::local_time;
use crate::gateway::{Attempt, Response, Source};
use crate::ledger::Cause;
use crate::provider::Bound;
use crate::scenario::World;
use crate::units::{CallId, ClassId, DeploymentId, Money, Outcome, RequestId, SimTime, Usage};

/// One request, told.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestStory {
    /// Its class and number: `chat:1234`.
    pub name: String,
    /// Local time of its arrival.
    pub at: String,
    /// The model that it asked for.
    pub model: String,
    /// The virtual key that it came with.
    pub key: String,
    /// Input tokens, as the gateway counts them.
    pub input_tokens: u32,
    /// Whether it asked for a stream.
    pub stream: bool,
    /// Upstream calls.
    pub attempts: u32,
    /// All that it cost.
    pub amount: Money,
    /// What of that is above the prices of the group asked for; `None` where those are not known.
    pub premium: Option<Money>,
    /// What happened, in order.
    pub events: Vec<RequestEvent>,
}

/// Something that happened to a request.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestEvent {
    /// Seconds after its arrival.
    pub after_s: f64,
    /// What.
    pub step: Step,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// The gateway has decided something.
    Decided(String),
    /// A call is sent to this deployment.
    Sent {
        /// The deployment.
        deployment: String,
        /// Its model.
        model: String,
    },
    /// The call has ended.
    Ended {
        /// The deployment.
        deployment: String,
        /// How.
        outcome: Outcome,
        /// The provider's limit that refused it, if one did.
        limit: Option<RefusingLimit>,
        /// What the provider bills.
        billed: Usage,
        /// Why it is booked.
        cause: Cause,
        /// How much.
        amount: Money,
        /// What of it is above the prices of the group asked for; `None` where those are not known.
        premium: Option<Money>,
    },
    /// The client has its answer, or an error.
    Answered {
        /// HTTP status.
        status: u16,
        /// Whether it is a good answer.
        ok: bool,
        /// Whether another group than the one asked for has answered.
        fell_back: bool,
        /// Whether it came from the response cache.
        from_cache: bool,
    },
}

/// The same with ids instead of names, while the run goes on.
enum Noted {
    Decided(String),
    Sent(DeploymentId),
    Ended(DeploymentId, Outcome, Option<Bound>, Usage, Booked),
    Answered(Response, bool),
}

/// Follows one request, if any.
pub(super) struct Follower {
    asked: Option<(ClassId, RequestId)>,
    call: Option<CallId>,
    seen: Option<RequestRecord>,
    /// The highest number of its class.
    highest: Option<u64>,
    events: Vec<(SimTime, Noted)>,
    hits: Hits,
}

impl Follower {
    pub(super) const fn new(asked: Option<(ClassId, RequestId)>, hits: Hits) -> Self {
        Self { asked, call: None, seen: None, highest: None, events: Vec::new(), hits }
    }

    fn note(&mut self, call: CallId, at: SimTime, noted: Noted) {
        if self.call == Some(call) {
            self.events.push((at, noted));
        }
    }

    /// The highest number that came in the class that was asked for.
    pub(super) const fn highest(&self) -> Option<u64> {
        self.highest
    }

    /// What was seen; nothing if the request never came.
    pub(super) fn story(self, world: &World) -> Option<RequestStory> {
        let seen = self.seen?;
        let booked = |(_, noted): &(SimTime, Noted)| match noted {
            Noted::Ended(_, _, _, _, booked) => Some((booked.amount, booked.known_premium())),
            _ => None,
        };
        let sent = |(_, noted): &&(SimTime, Noted)| matches!(noted, Noted::Sent(_));
        let event = |(at, noted): &(SimTime, Noted)| RequestEvent {
            after_s: (*at - seen.arrived).as_secs_f64(),
            step: step(noted, world),
        };
        Some(RequestStory {
            name: format!("{}:{}", world.names.classes[seen.class.index()], seen.view.id.0),
            at: local_time(world, seen.arrived.0),
            model: world.gateway.name(seen.view.model).text.to_string(),
            key: world.names.keys[seen.view.key.index()].name.clone(),
            input_tokens: seen.view.prompt_tokens,
            stream: seen.view.stream,
            attempts: self.events.iter().filter(sent).count() as u32,
            amount: self.events.iter().filter_map(booked).map(|(amount, _)| amount).sum(),
            premium: self.events.iter().filter_map(booked).map(|(_, premium)| premium).sum(),
            events: self.events.iter().map(event).collect(),
        })
    }
}

fn step(noted: &Noted, world: &World) -> Step {
    let name = |id: &DeploymentId| world.names.deployments[id.index()].name.clone();
    match noted {
        Noted::Decided(text) => Step::Decided(text.clone()),
        Noted::Sent(id) => {
            Step::Sent { deployment: name(id), model: world.names.deployments[id.index()].model.clone() }
        }
        Noted::Ended(id, outcome, bound, billed, booked) => Step::Ended {
            deployment: name(id),
            outcome: *outcome,
            limit: bound.and_then(|bound| provider_limit(world, *id, bound)),
            billed: *billed,
            cause: booked.cause,
            amount: booked.amount,
            premium: booked.known_premium(),
        },
        Noted::Answered(response, fell_back) => Step::Answered {
            status: response.http_status,
            ok: response.ok,
            fell_back: *fell_back,
            from_cache: response.source == Source::Cache,
        },
    }
}

impl Watcher for Follower {
    fn arrived(&mut self, call: CallId, request: &RequestRecord) {
        if self.asked.is_some_and(|(class, _)| class == request.class) {
            self.highest = self.highest.max(Some(request.view.id.0));
        }
        if self.seen.is_none() && self.asked == Some((request.class, request.view.id)) {
            self.call = Some(call);
            self.seen = Some(*request);
        }
    }

    fn attempted(&mut self, call: CallId, attempt: &Attempt, now: SimTime) {
        self.note(call, now, Noted::Sent(attempt.deployment));
    }

    fn ended(&mut self, call: CallId, request: &RequestRecord, attempt: &AttemptRecord<'_>, booked: &Booked) {
        let (id, outcome) = (attempt.attempt.deployment, attempt.ended.outcome);
        let bound = match outcome {
            Outcome::Ok => None,
            _ => self.hits.borrow().get(&(request.class, request.view.id, id)).copied(),
        };
        self.note(call, attempt.at, Noted::Ended(id, outcome, bound, attempt.billed, *booked));
    }

    fn responded(&mut self, call: CallId, _: &RequestRecord, response: &Response, now: SimTime, fell_back: bool) {
        self.note(call, now, Noted::Answered(*response, fell_back));
        if self.call == Some(call) {
            self.call = None;
        }
    }

    fn decided(&mut self, at: SimTime, call: CallId, decision: impl FnOnce() -> String) {
        if self.call == Some(call) {
            self.note(call, at, Noted::Decided(decision()));
        }
    }
}
