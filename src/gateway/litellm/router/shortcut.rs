//! The commonest picks, prepared beforehand: one of a whole group, or of what is left of it while some rest or have
//! used up their budget. It does what [`LiteLlm::gather`] and [`LiteLlm::pick`] do, its slow twins, without copying the
//! group and asking every filter (100 instructions a request less with one deployment, 300 with five weighted ones).
//! The shares of what is left are kept until something else is left: that is seldom.

use super::{Cx, LiteLlm};
use crate::gateway::litellm::call::CallState;
use crate::gateway::litellm::failure::Failure;
use crate::gateway::litellm::plan::{Body, FallbackOverride, Found, Layer, Name, Plan, Strategy, Target};
use crate::gateway::litellm::strategy::simple_shuffle;
use crate::gateway::parts::Shares;
use crate::gateway::{Attempt, AttemptRole, Notes, RequestView};
use crate::random::Draws;
use crate::units::{DeploymentId, NameId, SimDuration, SimTime};

/// What is known of a name's group before any request.
#[derive(Debug, Default)]
pub(in crate::gateway::litellm) struct Shortcut {
    /// Only what rests, is over its budget, or has failed this very request can drop out.
    is_open: bool,
    /// Nothing is kept of a request until its first attempt has ended.
    is_plain: bool,
    /// Where such a request goes first if all of the group rest.
    falls_back_to: Option<NameId>,
    /// Little is kept of it.
    pub is_light: bool,
    /// Of an answer to such a request it is only kept that there was one: no minutes are counted, no budgets spent, and
    /// this strategy learns nothing.
    only_tallies: bool,
    /// The group.
    ids: Box<[DeploymentId]>,
    /// The deployments with a budget, of their own or of their provider, with their places in the group.
    budgeted: Box<[(usize, DeploymentId)]>,
    /// Who is left out for the time being.
    out: Out,
    /// The others.
    left: Left,
}

/// Some deployments of a group, a bit each by its place.
type Places = u64;

/// Deployments that are left out of a group, as was found out last.
#[derive(Debug, Clone, Copy)]
struct Out {
    resting: Places,
    /// Those whose budget is used up, of the others.
    spent: Places,
    /// That holds until then,
    until: SimTime,
    /// and while no rest has begun and no other budget is used up.
    changes: u64,
}

impl Default for Out {
    /// Nobody has looked yet.
    fn default() -> Self {
        Self { resting: 0, spent: 0, until: SimTime(i64::MIN), changes: 0 }
    }
}

/// The places of those that have a moment, and the first of those moments.
fn gather(moments: impl Iterator<Item = (usize, Option<SimTime>)>) -> (Places, SimTime) {
    let there = moments.filter_map(|(at, moment)| Some((at, moment?)));
    there.fold((0, SimTime::NEVER), |(places, first), (at, moment)| (places | 1 << at, first.min(moment)))
}

/// What is left of a group without some of it.
#[derive(Debug, Default)]
struct Left {
    without: Option<Places>,
    ids: Vec<DeploymentId>,
    shares: Option<Shares>,
}

impl Left {
    fn leave_out(&mut self, plan: &Plan, group: &[DeploymentId], without: Places) {
        if self.without == Some(without) {
            return;
        }
        self.without = Some(without);
        let left = group.iter().enumerate().filter(|(place, _)| without >> place & 1 == 0);
        self.ids.clear();
        self.ids.extend(left.map(|(_, id)| *id));
        self.shares = simple_shuffle::shares(plan, &self.ids);
    }
}

impl Shortcut {
    /// The shortcut of each name.
    pub fn all(plan: &Plan) -> Vec<Self> {
        (0..plan.names.len()).map(|name| Self::of(plan, NameId::from_index(name))).collect()
    }

    fn of(plan: &Plan, id: NameId) -> Self {
        let (router, name) = (&plan.router, plan.name(id));
        let is_simple =
            plan.strategy_of(id) == Strategy::SimpleShuffle && !router.pre_call_checks && router.tags.is_none();
        let Found::Group(ids) = &name.found else { return Self::default() };
        if name.is_blocked {
            return Self::default();
        }
        let has_budget = |(_, id): &(usize, DeploymentId)| {
            let entry = plan.deployment(*id);
            router.has_budgets && (entry.budget.is_some() || entry.provider_budget.is_some())
        };
        let has_places = (1..=Places::BITS as usize).contains(&ids.len());
        let is_called_so = |deployment: &DeploymentId| {
            let is_real = !plan.deployment(*deployment).mock.is_on();
            is_real && plan.refusals(id, *deployment) == 0 && !plan.is_unplaced(id, *deployment)
        };
        let is_plain_body = |body: &Body| {
            let makes_up = body.mock.is_on() || body.mock.testing.is_on();
            body.unread_timeouts == [false; 2] && !body.is_specific && !makes_up
        };
        let takes_all =
            ids.iter().all(is_called_so) && plan.bodies.iter().all(is_plain_body) && router.affinity.is_none();
        let is_open = is_simple && name.orders.is_empty() && has_places && takes_all;
        let is_let_in = plan.layer != Layer::Proxy || (name.is_known && !plan.proxy.has_key_limits);
        let body_breaks = plan.bodies.iter().any(|body| body.cache.breaks);
        let is_called = |id: &DeploymentId| {
            let entry = plan.deployment(*id);
            let breaks = plan.proxy.cache.is_some() && (body_breaks || entry.breaks_on_cache);
            !breaks && entry.parallel != Some(0)
        };
        let is_known = plan.layer != Layer::Proxy || name.is_known;
        let holds_slots = ids.iter().any(|id| plan.deployment(*id).parallel.is_some());
        let is_plain =
            is_open && is_let_in && !holds_slots && plan.proxy.cache.is_none() && !router.enforce_rate_limits;
        // Picks are written to a cache that may forget them.
        let is_plain = is_plain && !router.forgets;
        // What could have been plain and is not has no use for the light way either.
        let is_light = is_open && is_known && !router.enforce_rate_limits && ids.iter().all(is_called) && !is_plain;
        Self {
            is_open,
            is_plain,
            falls_back_to: falls_back_to(plan, name).filter(|to| is_plain && *to != id),
            is_light,
            only_tallies: is_plain
                && !router.counts_minutes
                && !router.has_budgets
                && !ids.iter().any(|id| plan.deployment(*id).is_unmapped),
            ids: ids.iter().copied().collect(),
            budgeted: ids.iter().copied().enumerate().filter(has_budget).collect(),
            out: Out::default(),
            left: Left::default(),
        }
    }
}

/// The first group that the configuration names for requests of which no deployment is left, if nothing else is tried
/// before it.
fn falls_back_to(plan: &Plan, name: &Name) -> Option<NameId> {
    let router = &plan.router;
    let policy = name.retry_policy.as_ref().or(router.retry_policy.as_ref());
    let is_retried = policy.is_some_and(|policy| policy.retries(Failure::NO_DEPLOYMENT.class).is_some());
    if is_retried || router.weighted_failover || router.max_fallbacks <= 0 {
        return None;
    }
    if let Target::Name(to) = *plan.list(name.fallbacks?).first()? { Some(to) } else { None }
}

impl LiteLlm {
    /// Picks one of the group without what rests or has used up its budget; `None` if anything else may have to be left
    /// out, or nothing is left.
    #[inline(always)]
    pub(super) fn pick_unfiltered<D: Draws, N: Notes>(
        &mut self,
        cx: &mut Cx<'_, D, N>,
        call: &mut CallState,
        name: NameId,
    ) -> Option<DeploymentId> {
        if !call.hop().is_some_and(|hop| hop.takes_all()) {
            return None;
        }
        let picked = self.pick_of_rest(cx.now, cx.draws, name, call.picks)?;
        call.picks += 1;
        self.tell_left_out(cx, name);
        Some(picked)
    }

    /// The `nth` pick of a request among those of a group that are not left out, if there are any; `None` as well where
    /// more has to be asked than this.
    #[inline(always)]
    pub(super) fn pick_of_rest<D: Draws>(
        &mut self,
        now: SimTime,
        draws: &mut D,
        name: NameId,
        nth: u32,
    ) -> Option<DeploymentId> {
        let state = &mut self.state;
        let shortcut = &state.shortcuts[name.index()];
        // One of several processes has more to ask.
        if !shortcut.is_open || state.shared.is_some() {
            return None;
        }
        let changes = state.cooldowns.look(now) + state.budgets.overruns;
        if now > shortcut.out.until || changes != shortcut.out.changes {
            self.find_out(now, name, changes);
        }
        let Left { ids, shares, .. } = &self.state.shortcuts[name.index()].left;
        (!ids.is_empty()).then(|| simple_shuffle::pick_of_all(shares.as_ref(), ids, draws, nth))
    }

    /// Finds out who of a group rests, and whose budget is used up, and until when that holds.
    #[cold]
    #[inline(never)]
    fn find_out(&mut self, now: SimTime, name: NameId, changes: u64) {
        self.state.cooldowns.keep_no_longer(now);
        let (cooldowns, budgets, place) = (&self.state.cooldowns, &self.state.budgets, &self.state.place);
        let Shortcut { ids, budgeted, out, left, .. } = &mut self.state.shortcuts[name.index()];
        let (resting, first_rested) =
            gather(ids.iter().enumerate().map(|(at, id)| (at, cooldowns.rests_until(*id, now))));
        let (spent, first_anew) =
            gather(budgeted.iter().map(|(at, id)| (*at, budgets.over_until(&self.plan, *id, now, place))));
        *out = Out { resting, spent: spent & !resting, until: first_rested.min(first_anew), changes };
        left.leave_out(&self.plan, ids, resting | spent);
    }

    /// Writes down what [`LiteLlm::gather`] would.
    #[inline(always)]
    fn tell_left_out<D: Draws, N: Notes>(&self, cx: &mut Cx<'_, D, N>, name: NameId) {
        let Shortcut { ids, out, .. } = &self.state.shortcuts[name.index()];
        if out.resting | out.spent == 0 {
            return;
        }
        for (places, why) in [(out.resting, " rests"), (out.spent, ": budget used up")] {
            for (_, id) in ids.iter().enumerate().filter(|(place, _)| places >> place & 1 == 1) {
                cx.notes.decided(cx.now, cx.id, || format!("{}{why}", self.plan.deployment(*id).id));
            }
        }
    }

    /// The first attempt of a request of which the gateway keeps nothing until it has ended: it is let in, it holds no
    /// slot, it is neither looked up nor kept in the cache. `None` where that is not sure; then nothing has changed.
    #[inline(always)]
    pub(super) fn plain_pick<D: Draws>(
        &mut self,
        now: SimTime,
        draws: &mut D,
        request: &RequestView,
    ) -> Option<Attempt> {
        if !self.state.shortcuts[request.model.index()].is_plain {
            return None;
        }
        self.first_pick(now, draws, request).or_else(|| self.fallback_pick(now, draws, request))
    }

    /// The first attempt of such a request where all of its group rest: it goes to the first group that the
    /// configuration names, on the way of [`LiteLlm::try_failed`], [`LiteLlm::hop_failed`] and [`LiteLlm::walk_on`],
    /// the slow twins (3,100 instructions a request; 1,550 so).
    #[inline(never)]
    fn fallback_pick<D: Draws>(&mut self, now: SimTime, draws: &mut D, request: &RequestView) -> Option<Attempt> {
        let Shortcut { ids, out, falls_back_to, .. } = &self.state.shortcuts[request.model.index()];
        let to = (*falls_back_to)?;
        let body = self.body(request);
        let is_as_configured = matches!(body.fallbacks, FallbackOverride::Configured) && body.max_fallbacks.is_none();
        // A group without budget fails in another way, and one of several processes knows less.
        let all_rest = out.spent == 0 && out.resting.count_ones() as usize == ids.len();
        let is_alone = self.state.shared.is_none();
        let goes_there = is_as_configured && !body.disable_fallbacks && all_rest && is_alone;
        if !goes_there || !self.state.shortcuts[to.index()].is_plain {
            return None;
        }
        let picked = self.pick_of_rest(now, draws, to, 0)?;
        Some(self.attempt(request, (picked, to), SimDuration::FOREVER, AttemptRole::Fallback))
    }

    /// A request whose group rests has gone to another: the proxy puts the failure of the first down to who serves it
    /// there, as [`LiteLlm::log_deferred`] has it.
    pub(super) fn blame_for_home<D: Draws, N: Notes>(&mut self, cx: &mut Cx<'_, D, N>, attempt: &Attempt) {
        if self.plan.layer == Layer::Proxy {
            let Attempt { deployment, name, .. } = *attempt;
            self.state.strategy.failed(cx.now, deployment, name, &Failure::NO_DEPLOYMENT);
            self.blame(cx, deployment, &Failure::NO_DEPLOYMENT);
        }
    }

    /// The same, where it is only counted that it has been answered.
    #[inline(always)]
    pub(super) fn tallied_pick<D: Draws>(
        &mut self,
        now: SimTime,
        draws: &mut D,
        request: &RequestView,
    ) -> Option<Attempt> {
        let shortcut = &self.state.shortcuts[request.model.index()];
        if shortcut.only_tallies { self.first_pick(now, draws, request) } else { None }
    }

    #[inline(always)]
    fn first_pick<D: Draws>(&mut self, now: SimTime, draws: &mut D, request: &RequestView) -> Option<Attempt> {
        let deployment = self.pick_of_rest(now, draws, request.model, 0)?;
        Some(self.attempt(request, (deployment, request.model), SimDuration::FOREVER, AttemptRole::First))
    }
}
