//! The commonest pick, prepared beforehand: one of a whole group, when nothing drops any of its deployments. It does what
//! [`LiteLlm::gather`] and [`LiteLlm::pick`] do, its slow twins, without copying the group and asking every filter
//! (100 instructions a request less with one deployment, 300 with five weighted ones).

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
    /// Of an answer to such a request it is only kept that there was one: no minutes are counted, no budgets spent, and
    /// this strategy learns nothing.
    pub only_tallies: bool,
    /// The group.
    ids: Box<[DeploymentId]>,
    shares: Option<Shares>,
    /// The deployments with a budget, of their own or of their provider.
    budgeted: Box<[DeploymentId]>,
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
        let has_budget = |id: &DeploymentId| {
            let entry = plan.deployment(*id);
            router.has_budgets && (entry.budget.is_some() || entry.provider_budget.is_some())
        };
        let is_open = is_simple && name.orders.is_empty() && !ids.is_empty();
        let is_let_in = plan.layer != Layer::Proxy || (name.is_known && !plan.proxy.has_key_limits);
        let holds_slots = ids.iter().any(|id| plan.deployment(*id).parallel.is_some());
        Self {
            is_open,
            is_plain: is_open && is_let_in && !holds_slots && plan.proxy.cache.is_none() && !router.enforce_rate_limits,
            only_tallies: !router.counts_minutes && !router.has_budgets,
            ids: ids.iter().copied().collect(),
            shares: simple_shuffle::shares(plan, ids),
            budgeted: ids.iter().copied().filter(has_budget).collect(),
        }
    }
}

impl LiteLlm {
    /// Picks one of the whole group; `None` if any of it may have to be left out.
    #[inline(always)]
    pub(super) fn pick_unfiltered<D: Draws, N: Notes>(
        &mut self,
        cx: &mut Cx<'_, D, N>,
        call: &mut CallState,
        name: NameId,
    ) -> Option<DeploymentId> {
        let takes_all = call.hop().is_some_and(|hop| hop.takes_all());
        let picked = takes_all.then(|| self.pick_of_all(cx.now, cx.draws, name, call.picks)).flatten();
        call.picks += u32::from(picked.is_some());
        picked
    }

    /// The `nth` pick of a request, if it may have any deployment of the group.
    #[inline(always)]
    fn pick_of_all<D: Draws>(&mut self, now: SimTime, draws: &mut D, name: NameId, nth: u32) -> Option<DeploymentId> {
        let (plan, state) = (&self.plan, &mut self.state);
        let shortcut = &state.shortcuts[name.index()];
        let ids = &*shortcut.ids;
        // One of several processes has more to ask.
        if !shortcut.is_open || state.shared.is_some() {
            return None;
        }
        if state.cooldowns.any(now) && ids.iter().any(|id| state.cooldowns.rests(*id, now)) {
            return None;
        }
        if shortcut.budgeted.iter().any(|id| state.budgets.are_over(plan, *id, now, &state.place)) {
            return None;
        }
        Some(simple_shuffle::pick_of_all(shortcut.shares.as_ref(), ids, draws, nth))
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
        let deployment = self.pick_of_all(now, draws, request.model, 0)?;
        Some(self.attempt(
            request,
            (deployment, request.model),
            AttemptNumber(0),
            SimDuration::FOREVER,
            AttemptRole::First,
        ))
    }
}
