//! Watches a whole run: which window of trouble made which requests fail, fall back and cost more.

use crate::engine::{AttemptRecord, Booked, RequestRecord, Watcher};
use crate::experiment::explain::limits::{Hits, LimitStory, Refusals};
use crate::experiment::run::local_time;
use crate::gateway::{AttemptRole, Response, Source};
use crate::ledger::Cause;
use crate::random::{Replication, Seed};
use crate::scenario::World;
use crate::units::{CallId, ClassId, DeploymentId, GroupId, Money, Outcome, RequestId, SimTime};

/// How many of the dearest requests are kept.
const DEAREST: usize = 5;

/// What is laid at the door of one window.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Attributed {
    /// Upstream calls that failed in it.
    pub failed_calls: u64,
    /// Requests whose first failure was one of those, or that found the deployment resting because of them.
    pub requests: u64,
    /// Of those: answered by another group.
    pub fallbacks: u64,
    /// Of those: without a good answer.
    pub failed: u64,
    /// All that those requests cost.
    pub amount: Money,
    /// What of it would not have been spent otherwise: premiums of fallbacks and failed attempts that were billed.
    pub extra: Money,
}

/// A window of trouble and what it did.
#[derive(Debug, Clone, PartialEq)]
pub struct WindowStory {
    /// What it hit.
    pub target: String,
    /// What it was.
    pub kind: &'static str,
    /// Local time.
    pub from: String,
    /// Local time.
    pub until: String,
    /// Hours since the start.
    pub from_hour: f64,
    /// Hours since the start.
    pub to_hour: f64,
    /// What it did.
    pub did: Attributed,
}

/// One of the dearest requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DearRequest {
    /// Its class and number: `chat:1234`.
    pub name: String,
    /// Local time of its arrival.
    pub at: String,
    /// Upstream calls.
    pub attempts: u32,
    /// What it cost.
    pub amount: Money,
    /// What of that is above the prices of the group asked for; `None` where those are not known.
    pub premium: Option<Money>,
}

/// A window on its own.
#[derive(Debug, Clone, Copy)]
struct Span {
    trouble: usize,
    start: SimTime,
    end: SimTime,
    /// Whether calls fail in it; others are only slow.
    fails: bool,
}

/// What is known of a request in flight.
#[derive(Debug, Clone, Copy, Default)]
struct Open {
    /// The window that hit it first; the one after the last stands for none.
    window: Option<usize>,
    attempts: u32,
    amount: Money,
    premium: Money,
    /// Whether something of the premium is not known.
    is_premium_unknown: bool,
}

impl Open {
    fn known_premium(&self) -> Option<Money> {
        (!self.is_premium_unknown).then_some(self.premium)
    }
}

/// One of the dearest requests: what it cost and of that the premium, its calls, its arrival, class and number.
type Dear = (Money, Option<Money>, u32, SimTime, ClassId, RequestId);

/// Watches a run.
pub(super) struct Weekend<'a> {
    world: &'a World,
    spans: Vec<Span>,
    /// Windows that touch each deployment, in order of time.
    by_deployment: Vec<Vec<usize>>,
    /// Until when each deployment rests, and the window that it rests because of.
    resting: Vec<(SimTime, usize)>,
    open: Vec<Open>,
    /// Window by window; the last is for what belongs to none.
    did: Vec<Attributed>,
    dearest: Vec<Dear>,
    hits: Hits,
    refusals: Refusals,
}

impl<'a> Weekend<'a> {
    pub(super) fn new(world: &'a World, seed: Seed, replication: Replication, hits: Hits) -> Self {
        let end = SimTime::ZERO + world.horizon;
        let troubles = world.providers.troubles();
        let mut spans: Vec<Span> = Vec::new();
        for (trouble, about) in troubles.iter().enumerate() {
            let fails = about.effect.share > 0.0;
            let windows = world.providers.windows(trouble, seed, replication, end);
            spans.extend(windows.iter().map(|w| Span { trouble, start: w.start, end: w.end, fails }));
        }
        spans.sort_by_key(|span| (span.start, span.end, span.trouble));
        let touching = |deployment: &crate::provider::Deployment| {
            let touches = |index: &usize| deployment.troubles.contains(&spans[*index].trouble);
            (0..spans.len()).filter(touches).collect()
        };
        let by_deployment: Vec<Vec<usize>> = world.providers.deployments().iter().map(touching).collect();
        let none = spans.len();
        Self {
            world,
            resting: vec![(SimTime::ZERO, none); by_deployment.len()],
            by_deployment,
            did: vec![Attributed::default(); none + 1],
            spans,
            open: Vec::new(),
            dearest: Vec::new(),
            hits,
            refusals: Refusals::default(),
        }
    }

    fn none(&self) -> usize {
        self.spans.len()
    }

    /// The window that touches a deployment at a moment: one in which calls fail, if there is a choice.
    fn window_at(&self, deployment: DeploymentId, now: SimTime) -> Option<usize> {
        let mine = &self.by_deployment[deployment.index()];
        let begun = mine.partition_point(|&index| self.spans[index].start <= now);
        let active = || mine[..begun].iter().rev().copied().filter(|&index| now < self.spans[index].end);
        active().find(|&index| self.spans[index].fails).or_else(|| active().next())
    }

    /// Why a request was not even tried at its own group: the group is in trouble, or rests because of some.
    fn why_elsewhere(&self, home: GroupId, now: SimTime) -> usize {
        let tariffs = &self.world.tariffs.deployments;
        let of_home = || (0..tariffs.len()).filter(|&index| tariffs[index].group == home);
        let resting = of_home().find(|&index| self.resting[index].0 > now).map(|index| self.resting[index].1);
        let in_trouble = || of_home().find_map(|index| self.window_at(DeploymentId::from_index(index), now));
        resting.or_else(in_trouble).unwrap_or(self.none())
    }

    fn touch(&mut self, call: CallId, window: usize) -> usize {
        let open = &mut self.open[call.index()];
        if open.window.is_none() {
            open.window = Some(window);
            let (amount, did) = (open.amount, &mut self.did[window]);
            did.requests += 1;
            did.amount += amount;
        }
        self.open[call.index()].window.unwrap_or(window)
    }

    fn remember(&mut self, request: &RequestRecord, open: Open) {
        let least = self.dearest.last().map_or(Money::ZERO, |last| last.0);
        if self.dearest.len() == DEAREST && open.amount <= least {
            return;
        }
        let entry = (open.amount, open.known_premium(), open.attempts, request.arrived, request.class, request.view.id);
        let place = self.dearest.partition_point(|other| other.0 >= open.amount);
        self.dearest.insert(place, entry);
        self.dearest.truncate(DEAREST);
    }

    /// What each limit refused.
    pub(super) fn limits(&self, world: &World) -> Vec<LimitStory> {
        self.refusals.stories(world)
    }

    /// What belongs to no window.
    pub(super) fn outside(&self) -> Attributed {
        self.did[self.none()]
    }

    pub(super) fn windows(&self, world: &World) -> Vec<WindowStory> {
        let end = SimTime::ZERO + world.horizon;
        let story = |(span, did): (&Span, &Attributed)| {
            let (name, until) = (&world.names.troubles[span.trouble], span.end.min(end));
            WindowStory {
                target: name.target.clone(),
                kind: name.kind,
                from: local_time(world, span.start.0),
                until: local_time(world, until.0),
                from_hour: span.start.as_secs_f64() / 3600.0,
                to_hour: until.as_secs_f64() / 3600.0,
                did: *did,
            }
        };
        self.spans.iter().zip(&self.did).map(story).collect()
    }

    pub(super) fn dearest(&self, world: &World) -> Vec<DearRequest> {
        let request = |&(amount, premium, attempts, at, class, id): &Dear| {
            let name = format!("{}:{}", world.names.classes[class.index()], id.0);
            DearRequest { name, at: local_time(world, at.0), attempts, amount, premium }
        };
        self.dearest.iter().map(request).collect()
    }
}

impl Watcher for Weekend<'_> {
    fn arrived(&mut self, call: CallId, _: &RequestRecord) {
        let needed = call.index() + 1;
        if self.open.len() < needed {
            self.open.resize(needed, Open::default());
        }
        self.open[call.index()] = Open::default();
    }

    fn ended(&mut self, call: CallId, request: &RequestRecord, attempt: &AttemptRecord<'_>, booked: &Booked) {
        let deployment = attempt.attempt.deployment;
        let failed = !matches!(attempt.ended.outcome, Outcome::Ok | Outcome::Cancelled);
        if failed {
            let bound = self.hits.borrow().get(&(request.class, request.view.id, deployment)).copied();
            if let Some(bound) = bound {
                self.refusals.call(deployment, bound, attempt.ended.started);
            }
            let window = self.window_at(deployment, attempt.ended.started).unwrap_or(self.none());
            self.did[window].failed_calls += 1;
            self.touch(call, window);
        } else if attempt.attempt.role == AttemptRole::Fallback && self.open[call.index()].window.is_none() {
            let home = self.world.tariffs.homes[request.view.model.index()];
            let window = home.map_or(self.none(), |home| self.why_elsewhere(home, attempt.ended.started));
            self.touch(call, window);
        }
        let open = &mut self.open[call.index()];
        open.attempts += 1;
        open.amount += booked.amount;
        open.premium += booked.premium;
        open.is_premium_unknown |= !booked.is_premium_known;
        if let Some(window) = open.window {
            let did = &mut self.did[window];
            did.amount += booked.amount;
            did.extra += booked.premium;
            if booked.cause == Cause::FailedAttempt {
                did.extra += booked.amount - booked.premium;
            }
        }
    }

    fn responded(&mut self, call: CallId, request: &RequestRecord, response: &Response, now: SimTime, fell_back: bool) {
        if let Source::Admission(why) = response.source
            && why.is_limit()
        {
            self.refusals.request((request.view.key, why), now);
        }
        let open = self.open[call.index()];
        if let Some(window) = open.window {
            self.did[window].fallbacks += u64::from(fell_back);
            self.did[window].failed += u64::from(!response.ok && !request.client_gone);
        }
        self.remember(request, open);
    }

    fn cooldown(&mut self, at: SimTime, deployment: DeploymentId, until: SimTime) {
        let window = self.window_at(deployment, at).unwrap_or(self.none());
        self.resting[deployment.index()] = (until, window);
    }
}
