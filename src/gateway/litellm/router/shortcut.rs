//! The commonest picks, prepared beforehand: one of a whole group, or of what is left of it while some rest or have used up
//! their budget. It does what [`LiteLlm::gather`] and [`LiteLlm::pick`] do, its slow twins, without copying the group and
//! asking every filter (100 instructions a request less with one deployment, 300 with five weighted ones). The shares of
//! what is left are kept until something else is left: that is seldom.

use super::{Cx, LiteLlm};
use crate::gateway::litellm::call::CallState;
use crate::gateway::litellm::plan::{Found, Layer, Name, Plan, Strategy};
use crate::gateway::litellm::strategy::simple_shuffle;
use crate::gateway::parts::Shares;
use crate::gateway::{Attempt, AttemptRole, Notes, RequestView};
use crate::random::Draws;
use crate::units::{AttemptNumber, DeploymentId, NameId, SimDuration, SimTime};

/// What is known of a name's group before any request.
#[derive(Debug, Default)]
pub(in crate::gateway::litellm) struct Shortcut {
    /// Only what rests, is over its budget, or has failed this very request can drop out.
    is_open: bool,
    /// Nothing is kept of a request until its first attempt has ended.
    is_plain: bool,
    /// Little is kept of it.
    pub is_light: bool,
    /// Of an answer to such a request it is only kept that there was one: no minutes are counted, no budgets spent, and
    /// this strategy learns nothing.
    only_tallies: bool,
    /// The group.
    ids: Box<[DeploymentId]>,
    shares: Option<Shares>,
    /// The deployments with a budget, of their own or of their provider, with their places in the group.
    budgeted: Box<[(usize, DeploymentId)]>,
    spent: Spent,
    /// What was left of the group when some of it was left out last.
    left: Left,
}

/// Some deployments of a group, a bit each by its place.
type Places = u64;

/// Deployments that are left out of a group.
#[derive(Debug, Clone, Copy)]
pub(super) struct Out {
    resting: Places,
    /// Those whose budget is used up, of the others.
    spent: Places,
}

/// Deployments whose budget is used up, as was found out last.
#[derive(Debug, Clone, Copy)]
struct Spent {
    places: Places,
    /// That holds until then,
    until: SimTime,
    /// and while no other budget is used up.
    overruns: u64,
}

impl Default for Spent {
    /// Nobody has looked yet.
    fn default() -> Self {
        Self { places: 0, until: SimTime(i64::MIN), overruns: 0 }
    }
}

/// What is left of a group without some of it.
#[derive(Debug, Default)]
struct Left {
    without: Places,
    ids: Vec<DeploymentId>,
    shares: Option<Shares>,
}

impl Left {
    #[cold]
    fn leave_out(&mut self, plan: &Plan, group: &[DeploymentId], without: Places) {
        let left = group.iter().enumerate().filter(|(place, _)| without >> place & 1 == 0);
        self.ids.clear();
        self.ids.extend(left.map(|(_, id)| *id));
        self.without = without;
        self.shares = simple_shuffle::shares(plan, &self.ids);
    }
}

impl Shortcut {
    /// The shortcut of each name.
    pub fn all(plan: &Plan) -> Vec<Self> {
        plan.names.iter().map(|name| Self::of(plan, name)).collect()
    }

    fn of(plan: &Plan, name: &Name) -> Self {
        let router = &plan.router;
        let is_simple = router.strategy == Strategy::SimpleShuffle && !router.pre_call_checks && router.tags.is_none();
        let Found::Group(ids) = &name.found else { return Self::default() };
        let has_budget = |(_, id): &(usize, DeploymentId)| {
            let entry = plan.deployment(*id);
            router.has_budgets && (entry.budget.is_some() || entry.provider_budget.is_some())
        };
        let has_places = (1..=Places::BITS as usize).contains(&ids.len());
        let is_open = is_simple && name.orders.is_empty() && has_places;
        let is_let_in = plan.layer != Layer::Proxy || (name.is_known && !plan.proxy.has_key_limits);
        let is_called = |id: &DeploymentId| !(plan.proxy.cache.is_some() && plan.deployment(*id).breaks_on_cache);
        let is_known = plan.layer != Layer::Proxy || name.is_known;
        let holds_slots = ids.iter().any(|id| plan.deployment(*id).parallel.is_some());
        let is_plain =
            is_open && is_let_in && !holds_slots && plan.proxy.cache.is_none() && !router.enforce_rate_limits;
        // What could have been plain and is not has no use for the light way either.
        let is_light = is_open && is_known && !router.enforce_rate_limits && ids.iter().all(is_called) && !is_plain;
        Self {
            is_open,
            is_plain,
            is_light,
            only_tallies: is_plain && !router.counts_minutes && !router.has_budgets,
            ids: ids.iter().copied().collect(),
            shares: simple_shuffle::shares(plan, ids),
            budgeted: ids.iter().copied().enumerate().filter(has_budget).collect(),
            spent: Spent::default(),
            left: Left::default(),
        }
    }
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
        let out = self.left_out(cx.now, name)?;
        let picked = self.pick_of_rest(out, cx.draws, name, call.picks)?;
        call.picks += 1;
        self.tell_left_out(cx, name, out);
        Some(picked)
    }

    /// Which of a group are left out now; `None` where more has to be asked than this.
    #[inline(always)]
    pub(super) fn left_out(&mut self, now: SimTime, name: NameId) -> Option<Out> {
        let state = &mut self.state;
        let shortcut = &state.shortcuts[name.index()];
        let ids = &*shortcut.ids;
        // One of several processes has more to ask.
        if !shortcut.is_open || state.shared.is_some() {
            return None;
        }
        let places = |out: Places, (place, is_out)| out | Places::from(is_out) << place;
        let mut resting = 0;
        if state.cooldowns.any(now) {
            let rests = |(place, id): (usize, &DeploymentId)| (place, state.cooldowns.rests(*id, now));
            resting = ids.iter().enumerate().map(rests).fold(0, places);
        }
        let Spent { places: spent, until, overruns } = shortcut.spent;
        let holds = shortcut.budgeted.is_empty() || (now <= until && overruns == state.budgets.overruns);
        let spent = if holds { spent } else { self.look_at_budgets(now, name) };
        Some(Out { resting, spent: spent & !resting })
    }

    /// Finds out which budgets of a group are used up, and until when that holds.
    #[cold]
    fn look_at_budgets(&mut self, now: SimTime, name: NameId) -> Places {
        let (budgets, place) = (&self.state.budgets, &self.state.place);
        let Shortcut { budgeted, spent, .. } = &mut self.state.shortcuts[name.index()];
        *spent = Spent { places: 0, until: SimTime::NEVER, overruns: budgets.overruns };
        for (at, id) in &*budgeted {
            if let Some(until) = budgets.over_until(&self.plan, *id, now, place) {
                spent.places |= 1 << at;
                spent.until = spent.until.min(until);
            }
        }
        spent.places
    }

    /// The `nth` pick of a request among those that are not left out, if there are any.
    #[inline(always)]
    pub(super) fn pick_of_rest<D: Draws>(
        &mut self,
        out: Out,
        draws: &mut D,
        name: NameId,
        nth: u32,
    ) -> Option<DeploymentId> {
        let Shortcut { ids, shares, left, .. } = &mut self.state.shortcuts[name.index()];
        let without = out.resting | out.spent;
        if without == 0 {
            return Some(simple_shuffle::pick_of_all(shares.as_ref(), ids, draws, nth));
        }
        if without != left.without {
            left.leave_out(&self.plan, ids, without);
        }
        (!left.ids.is_empty()).then(|| simple_shuffle::pick_of_all(left.shares.as_ref(), &left.ids, draws, nth))
    }

    /// Writes down what [`LiteLlm::gather`] would.
    #[inline(always)]
    fn tell_left_out<D: Draws, N: Notes>(&self, cx: &mut Cx<'_, D, N>, name: NameId, out: Out) {
        let ids = &self.state.shortcuts[name.index()].ids;
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
        if self.state.shortcuts[request.model.index()].is_plain { self.first_pick(now, draws, request) } else { None }
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
        let out = self.left_out(now, request.model)?;
        let deployment = self.pick_of_rest(out, draws, request.model, 0)?;
        Some(self.attempt(
            request,
            (deployment, request.model),
            AttemptNumber(0),
            SimDuration::FOREVER,
            AttemptRole::First,
        ))
    }
}
