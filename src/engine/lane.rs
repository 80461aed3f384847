//! The fast lane. Of nearly all requests the gateway keeps nothing until their first attempt has ended, and nearly all
//! of those are answered in full: they need no slot. What is known of such a request when it starts is kept in a short
//! row until its end, and everything that is told of it is told in two straight lines. What turns out not to be plain
//! goes the long way with the same draws and the same answer of its provider, so that the lane changes nothing but the
//! time it takes (`tests/reference_engine.rs` and `tests/conservation.rs` hold it against runs without it).

use crate::engine::attempt::conclude;
use crate::engine::machine::{Arrival, Arrivals, Parts};
use crate::engine::observer::{AttemptRecord, Observer, RequestRecord};
use crate::engine::queue::Class;
use crate::engine::slot::{Kind, NO_ATTEMPT, pack};
use crate::gateway::{ANY, Attempt, AttemptRole, Ended, Gateway, PlainAnswer, Response, Source, Turn};
use crate::provider::{Service, Upstream, UpstreamCall};
use crate::random::Draws;
use crate::traffic::Leave;
use crate::units::{
    CallId, ClassId, DeploymentId, NameId, Outcome, Phase, RequestView, RetryAfter, SimDuration, SimTime, Tokens, Usage,
};

/// The counter in an event that ends a request on a tab has this bit.
pub(super) const ON_TAB: u32 = 2;

/// A request in the lane.
#[derive(Debug, Clone, Copy)]
pub struct Plain {
    /// When its only attempt was started: as it arrived, unless it [waited in line](crate::engine::waits).
    pub started: SimTime,
    pub class: ClassId,
    pub view: RequestView,
    pub deployment: DeploymentId,
    /// The name that led there.
    pub name: NameId,
    /// Why the call is made.
    pub role: AttemptRole,
    /// `max_tokens` of the call.
    pub max_tokens: Option<Tokens>,
    /// Tokens of the answer.
    pub usage: Usage,
}

impl Plain {
    /// A request whose only attempt starts as it arrives.
    #[inline(always)]
    pub const fn new<F: Copy>(arrival: &Arrival<F>, attempt: &Attempt) -> Self {
        let Arrival { at: started, class, view, .. } = *arrival;
        let Attempt { deployment, name, role, max_tokens, .. } = *attempt;
        Self { started, class, view, deployment, name, role, max_tokens, usage: Usage::plain(0, 0) }
    }

    /// The request as it is told of, which arrived then.
    #[inline(always)]
    pub const fn record(&self, arrived: SimTime) -> RequestRecord {
        RequestRecord {
            arrived,
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
        PlainAnswer { deployment: self.deployment, name: self.name, started: self.started, usage: self.usage }
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

    /// Its attempt has been answered: the provider bills, the observer books, unless it [stands on a
    /// tab](Observer::tab). When the parts of the answer came is nobody's concern any more.
    #[inline(always)]
    pub fn book<U: Upstream, O: Observer>(
        &self,
        (arrived, now): (SimTime, SimTime),
        is_on_tab: bool,
        upstream: &mut U,
        observer: &mut O,
    ) {
        let service = Service::answer(now - self.started, self.usage);
        let billed = upstream.ended(now, &self.upstream_call(), &service, Outcome::Ok, service.total);
        if is_on_tab {
            return observer.tab_ended(self.deployment, now);
        }
        let Self { deployment, name, role, max_tokens, .. } = *self;
        let attempt = &Attempt { deployment, name, role, max_tokens, ..NO_ATTEMPT };
        let record = AttemptRecord { attempt, ended: &self.ended(), at: now, billed };
        observer.ended(ANY, &self.record(arrived), &record);
    }

    /// Its client has the answer.
    #[inline(always)]
    pub fn respond<S: Arrivals, O: Observer>(
        &self,
        (arrived, now): (SimTime, SimTime),
        is_on_tab: bool,
        observer: &mut O,
        arrivals: &mut S,
    ) {
        if !is_on_tab {
            let response = Response::new(200, true, Some(self.deployment), Source::Upstream);
            observer.responded(ANY, &self.record(arrived), &response, now);
        }
        arrivals.answered(now, self.class, self.view.id);
    }
}

/// When the answer has come in full to a client that still waits; `None` if it ends in another way, or never. The
/// request is sent at `now`.
#[inline(always)]
pub fn answered_until<F: Copy>(
    now: SimTime,
    arrival: &Arrival<F>,
    attempt: &Attempt,
    service: &Service,
) -> Option<SimTime> {
    let end = conclude(service, &attempt.limits, arrival.view.stream);
    let until = now + end.after;
    let is_answered = end.outcome == Outcome::Ok && until < SimTime::NEVER && waits_for(arrival.leave, end.after);
    is_answered.then_some(until)
}

/// Whether a client waits at least this long for an answer of its request. Nearly all of them wait for ever.
#[inline(always)]
fn waits_for(leave: Leave, took: SimDuration) -> bool {
    leave == Leave::Never || outlasts(leave, took)
}

#[inline(never)]
fn outlasts(leave: Leave, took: SimDuration) -> bool {
    match leave {
        Leave::Never => true,
        // An answer that comes just in time has come.
        Leave::After(patience) | Leave::TimesOut(patience) => took <= patience,
        Leave::AfterChunks(_) | Leave::AtFirst(_) => false,
    }
}

/// What has become of a request that was sent along the lane.
pub(super) enum Passed {
    /// It is on its way.
    Plain,
    /// It is not plain after all; this is how its provider would answer.
    Served(Service),
}

impl<G, U, S, D, O> Parts<'_, G, U, S, D, O>
where
    G: Gateway,
    U: Upstream,
    S: Arrivals<Fate = U::Fate>,
    D: Draws,
    O: Observer,
{
    /// The attempt that a plain request begins with.
    #[inline(always)]
    pub(super) fn plain_attempt(&mut self, arrival: &Arrival<U::Fate>) -> Option<Attempt> {
        self.draws.stand_at(arrival.here);
        self.gateway.plain_attempt(arrival.at, self.draws, &arrival.view)
    }

    /// Sends a request along the lane, if it is answered in full.
    #[inline(always)]
    pub(super) fn pass(&mut self, arrival: &Arrival<U::Fate>, attempt: &Attempt) -> Passed {
        let plain = Plain::new(arrival, attempt);
        let service = self.upstream.serve(arrival.at, arrival.here, &plain.upstream_call(), &arrival.fate);
        let Some(until) = answered_until(arrival.at, arrival, attempt, &service) else {
            return Passed::Served(service);
        };
        let plain = Plain { usage: service.usage, ..plain };
        if plain.role == AttemptRole::Fallback {
            let turn =
                Turn { now: arrival.at, call: ANY, draws: self.draws, notes: self.observer, woken: &mut self.woken };
            self.gateway.fell_back_plainly(turn, &arrival.view, attempt);
        }
        let way = self.set_off(&plain, attempt, &service, until);
        let place = self.lane.put(plain, &mut self.woken);
        self.queue.push(until, Class::AttemptEnd, pack(Kind::Plain, place, way));
        Passed::Plain
    }

    /// A request sets off that will be answered at the moment `until`: all of it is told now, or only so much. Says
    /// which counter its event will carry.
    #[inline(always)]
    pub(super) fn set_off(&mut self, plain: &Plain, attempt: &Attempt, service: &Service, until: SimTime) -> u32 {
        if self.observer.tab(plain, until) {
            return ON_TAB;
        }
        let record = plain.record(plain.started);
        self.observer.arrived(ANY, &record);
        self.observer.attempted(ANY, &record, attempt, service, plain.started);
        0
    }

    /// Tells all of an open request at once, if it is plain, its provider answers it in full, and its charge can go on
    /// a tab. Nothing happens when it is over: the moment is told ahead. `false` if it has to be looked at more
    /// closely; then nothing has changed.
    #[inline(always)]
    pub(super) fn settle_at_once(&mut self, arrival: &Arrival<U::Fate>) -> bool {
        let Arrival { at: now, here, view, .. } = *arrival;
        self.draws.stand_at(here);
        let Some(attempt) = self.gateway.tallied_attempt(now, self.draws, &view) else { return false };
        let plain = Plain::new(arrival, &attempt);
        let Some(service) = self.upstream.answer(now, here, &plain.upstream_call(), &arrival.fate) else {
            return false;
        };
        let Some(until) = answered_until(now, arrival, &attempt, &service) else { return false };
        if !self.observer.tab_ahead(&Plain { usage: service.usage, ..plain }, until) {
            return false;
        }
        self.gateway.tally(now, until, attempt.deployment);
        true
    }

    /// A plain request is answered.
    #[inline(always)]
    pub(super) fn answer(&mut self, now: SimTime, place: CallId, is_on_tab: bool) {
        let plain = self.lane.take(place);
        let moments = (plain.started, now);
        plain.book(moments, is_on_tab, self.upstream, self.observer);
        self.gateway.plainly_answered(now, &plain.view, &plain.answer());
        plain.respond(moments, is_on_tab, self.observer, self.arrivals);
    }
}
