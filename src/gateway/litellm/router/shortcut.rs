//! The commonest pick, prepared beforehand: one of a whole group, when nothing drops any of its deployments. It does what
//! [`LiteLlm::gather`] and [`LiteLlm::pick`] do, its slow twins, without copying the group and asking every filter
//! (100 instructions a request less with one deployment, 300 with five weighted ones).

use super::{Cx, LiteLlm};
use crate::gateway::Notes;
use crate::gateway::litellm::call::CallState;
use crate::gateway::litellm::plan::{Found, Name, Plan, Strategy};
use crate::gateway::litellm::strategy::simple_shuffle;
use crate::gateway::parts::Shares;
use crate::random::Draws;
use crate::units::{DeploymentId, NameId};

/// What is known of a name's group before any request.
#[derive(Debug, Default)]
pub(in crate::gateway::litellm) struct Shortcut {
    /// Only what rests, is over its budget, or has failed this very request can drop out.
    is_open: bool,
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
        Self {
            is_open: is_simple && name.orders.is_empty() && !ids.is_empty(),
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
        let (plan, state) = (&self.plan, &mut self.state);
        let shortcut = &state.shortcuts[name.index()];
        let Found::Group(ids) = &plan.name(name).found else { return None };
        // One of several processes has more to ask.
        let is_alone = state.shared.is_none();
        let is_whole = is_alone && shortcut.is_open && call.hop().is_some_and(|hop| hop.takes_all());
        if !is_whole || (state.cooldowns.any(cx.now) && ids.iter().any(|id| state.cooldowns.rests(*id, cx.now))) {
            return None;
        }
        if shortcut.budgeted.iter().any(|id| state.budgets.are_over(plan, *id, cx.now, &state.place)) {
            return None;
        }
        Some(simple_shuffle::pick_of_all(shortcut.shares.as_ref(), ids, cx.draws, call))
    }
}
