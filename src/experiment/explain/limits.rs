//! Which limit refused a call: the provider's, by deployment and meter, or one of the gateway for a virtual key.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::experiment::plan::{LimitKind, kind_of};
use crate::experiment::run::local_time;
use crate::provider::{Bound, Service, Upstream, UpstreamCall, UpstreamWorld};
use crate::random::Here;
use crate::scenario::World;
use crate::traffic::Fate;
use crate::units::{ClassId, DeploymentId, KeyId, Outcome, RequestId, SimDuration, SimTime, Usage, WhyNot};

/// A limit, by what it is a limit of.
#[derive(Debug, Clone, PartialEq)]
pub enum RefusingLimit {
    /// Of a provider, for a deployment.
    Provider {
        /// The deployment.
        deployment: String,
        /// What it counts.
        kind: LimitKind,
        /// The limit.
        limit: f64,
    },
    /// Of the gateway: a limit or a budget of a key, its user or its team.
    Key {
        /// The key.
        key: String,
        /// Which limit.
        why: WhyNot,
    },
}

/// What one limit did in a run.
#[derive(Debug, Clone, PartialEq)]
pub struct LimitStory {
    /// Which.
    pub limit: RefusingLimit,
    /// Calls, or at a key requests, that it refused.
    pub refused: u64,
    /// Local time of the first.
    pub first: String,
    /// Hours since the start of the same.
    pub first_hour: f64,
}

/// The last refusals, by request and deployment.
pub(super) type Hits = Rc<RefCell<BTreeMap<(ClassId, RequestId, DeploymentId), Bound>>>;

/// The providers, with a note of each refusal by a limit.
pub(super) struct Noting {
    pub(super) inner: UpstreamWorld,
    pub(super) hits: Hits,
}

impl Upstream for Noting {
    type Fate = Fate;

    fn serve(&mut self, now: SimTime, here: Here, call: &UpstreamCall, fate: &Fate) -> Service {
        let service = self.inner.serve(now, here, call, fate);
        let (name, mut hits) = ((call.class, call.request, call.deployment), self.hits.borrow_mut());
        match self.inner.take_hit() {
            Some(bound) => hits.insert(name, bound),
            None => hits.remove(&name),
        };
        service
    }

    fn counted_part(&self, service: &Service, elapsed: SimDuration) -> Usage {
        self.inner.counted_part(service, elapsed)
    }

    fn ended(
        &mut self,
        now: SimTime,
        call: &UpstreamCall,
        service: &Service,
        outcome: Outcome,
        elapsed: SimDuration,
    ) -> Usage {
        self.inner.ended(now, call, service, outcome, elapsed)
    }
}

/// Counts refusals.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    calls: BTreeMap<(DeploymentId, Bound), (u64, SimTime)>,
    keys: BTreeMap<(KeyId, WhyNot), (u64, SimTime)>,
}

impl Refusals {
    pub(super) fn call(&mut self, deployment: DeploymentId, bound: Bound, at: SimTime) {
        self.calls.entry((deployment, bound)).or_insert((0, at)).0 += 1;
    }

    pub(super) fn request(&mut self, limit: (KeyId, WhyNot), at: SimTime) {
        self.keys.entry(limit).or_insert((0, at)).0 += 1;
    }

    /// What each limit did, most refusals first.
    pub(super) fn stories(&self, world: &World) -> Vec<LimitStory> {
        let story = |limit, (refused, first): (u64, SimTime)| LimitStory {
            limit,
            refused,
            first: local_time(world, first.0),
            first_hour: first.as_secs_f64() / 3600.0,
        };
        let calls = self
            .calls
            .iter()
            .filter_map(|((deployment, bound), did)| Some(story(provider_limit(world, *deployment, *bound)?, *did)));
        let key = |(key, why): (KeyId, WhyNot)| {
            let key = world.names.keys[key.index()].name.clone();
            RefusingLimit::Key { key, why }
        };
        let keys = self.keys.iter().map(|(limit, did)| story(key(*limit), *did));
        let mut all: Vec<LimitStory> = calls.chain(keys).collect();
        all.sort_by_key(|story| std::cmp::Reverse(story.refused));
        all
    }
}

/// A limit of a provider by its name.
pub(super) fn provider_limit(world: &World, deployment: DeploymentId, bound: Bound) -> Option<RefusingLimit> {
    let limits = world.providers.deployments()[deployment.index()].limits?;
    let limits = &world.providers.limits()[limits];
    let (kind, limit) = match bound {
        Bound::Meter(number) => limits.meters.get(number).map(|meter| (kind_of(meter), meter.limit))?,
        Bound::Concurrency => (LimitKind::Concurrency, f64::from(limits.concurrency?)),
    };
    Some(RefusingLimit::Provider { deployment: world.names.deployments[deployment.index()].name.clone(), kind, limit })
}
