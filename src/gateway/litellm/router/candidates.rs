//! Which deployments of a group may be called now, and which of them is (`router.py:async_get_healthy_deployments`).

use super::{Cx, LiteLlm, Next};
use crate::gateway::Notes;
use crate::gateway::litellm::call::{CallState, Few};
use crate::gateway::litellm::defaults;
use crate::gateway::litellm::failure::{Class, Failure};
use crate::gateway::litellm::kept::Kept;
use crate::gateway::litellm::plan::{DEFAULT_TAG, Found, Strategy, TagMatch};
use crate::random::Draws;
use crate::units::{DeploymentId, NameId, WhyNot};

impl LiteLlm {
    /// The innermost hop picks a deployment.
    #[inline(always)]
    pub(super) fn try_hop<D: Draws, N: Notes>(&mut self, cx: &mut Cx<'_, D, N>, call: &mut CallState) -> Next {
        let Some(hop) = call.hop() else { return Next::GiveUp(Failure::NO_DEPLOYMENT) };
        let name = hop.name;
        if self.plan.fails_groups
            && let Some(next) = self.made_up_failure(cx, call, name)
        {
            return next;
        }
        let picked = match &self.plan.name(name).found {
            _ if self.plan.has_specific && self.own(cx.request, call).is_specific => self.pick_specific(cx, call, name),
            Found::One(deployment) if self.plan.deployment(*deployment).is_blocked => {
                Err(Failure::with_status(Class::ServiceUnavailable, 503))
            }
            Found::One(deployment) => Ok(*deployment),
            Found::Nothing => Err(Failure::with_status(Class::BadRequest, 400).because(WhyNot::Nowhere)),
            Found::Group(_) => match self.pick_unfiltered(cx, call, name) {
                Some(deployment) => Ok(deployment),
                None => self.gather(cx, call, name).and_then(|()| self.pick(cx, call, name)),
            },
        };
        match picked {
            Ok(deployment) => {
                let id = &self.plan.deployment(deployment).id;
                cx.notes.decided(cx.now, cx.id, || format!("picks {id}"));
                self.count_pick(cx, deployment);
                self.take_slot(cx, call, deployment)
            }
            Err(failure) => {
                let text = &self.plan.name(name).text;
                cx.notes.decided(cx.now, cx.id, || format!("{text}: {}", failure.class.words()));
                // The usage-based strategy v1 takes the router's synchronous path, which logs nothing.
                if self.plan.router.strategy != Strategy::UsageV1 {
                    self.log_later(call, failure);
                }
                Next::Failed(failure)
            }
        }
    }

    /// Collects the deployments that may be called. Filters that nothing in the configuration asks for cost a branch.
    pub(super) fn gather<D: Draws, N: Notes>(
        &mut self,
        cx: &mut Cx<'_, D, N>,
        call: &mut CallState,
        name: NameId,
    ) -> Result<(), Failure> {
        let Found::Group(ids) = &self.plan.name(name).found else { return Ok(()) };
        self.state.candidates.clear();
        self.state.candidates.extend_from_slice(ids);
        self.filter(cx, call, name)
    }

    /// `specific_deployment: true`: only deployments whose model is what is asked for [T 270].
    #[cold]
    fn pick_specific<D: Draws, N: Notes>(
        &mut self,
        cx: &mut Cx<'_, D, N>,
        call: &mut CallState,
        name: NameId,
    ) -> Result<DeploymentId, Failure> {
        self.state.candidates.clear();
        self.state.candidates.extend_from_slice(&self.plan.name(name).by_model);
        self.filter(cx, call, name)?;
        self.pick(cx, call, name)
    }

    /// Leaves out of the candidates what may not be called.
    fn filter<D: Draws, N: Notes>(
        &mut self,
        cx: &mut Cx<'_, D, N>,
        call: &mut CallState,
        name: NameId,
    ) -> Result<(), Failure> {
        let (plan, state) = (&self.plan, &mut self.state);
        state.learn_rests(cx.now);
        if state.cooldowns.any(cx.now) {
            let cooldowns = &state.cooldowns;
            state.candidates.retain(|id| {
                let rests = cooldowns.rests(*id, cx.now);
                if rests {
                    cx.notes.decided(cx.now, cx.id, || format!("{} rests", plan.deployment(*id).id));
                }
                !rests
            });
        }
        let affinity = plan.router.affinity.as_ref();
        let is_last = affinity.is_some_and(|affinity| affinity.is_after_budgets);
        let has_pins = affinity.is_some()
            && plan.router.strategy != Strategy::UsageV1
            && call.hop().is_some_and(|hop| hop.order.is_none());
        if has_pins && !is_last {
            self.keep_pinned(cx, name);
        }
        if self.plan.router.has_budgets && self.plan.router.strategy != Strategy::UsageV1 {
            self.drop_over_budget(cx)?;
        }
        if has_pins && is_last {
            self.keep_pinned(cx, name);
        }
        if self.plan.router.pre_call_checks {
            self.drop_by_pre_call_checks(cx, name)?;
        }
        if let Some(matching) = self.plan.router.tags
            && self.plan.router.strategy != Strategy::UsageV1
        {
            self.keep_tagged(cx, name, matching)?;
        }
        let hop = call.hop().map(|hop| (hop.order, &hop.excluded, &hop.refused));
        let Some((order, excluded, refused)) = hop else { return Ok(()) };
        let entry = self.plan.name(name);
        if order.is_some() || !entry.orders.is_empty() {
            self.keep_order(order);
        }
        self.leave_out(excluded, refused);
        if self.state.candidates.is_empty() { Err(Failure::NO_DEPLOYMENT) } else { Ok(()) }
    }

    /// Only the order asked for, or the lowest that is left [T 41, 42].
    fn keep_order(&mut self, asked: Option<i32>) {
        let order_of = |id: &DeploymentId| self.plan.deployment(*id).order;
        let lowest = self.state.candidates.iter().filter_map(order_of).min();
        if let Some(kept) = asked.or(lowest) {
            self.state.candidates.retain(|id| self.plan.deployment(*id).order == Some(kept));
        }
    }

    /// Weighted failover leaves out what has failed; what refused the request for good is avoided while there is
    /// anything else.
    fn leave_out(&mut self, excluded: &Few, refused: &Few) {
        let candidates = &mut self.state.candidates;
        if !excluded.is_empty() {
            candidates.retain(|id| !excluded.contains(id));
        }
        if !refused.is_empty() && candidates.iter().any(|id| !refused.contains(id)) {
            candidates.retain(|id| !refused.contains(id));
        }
    }

    /// `enable_pre_call_checks`: the context window, `rpm` against the picks of the last minute, region and
    /// format [T 90, 103, 266]. `rpm` is left out where the router's own strategy looks at it, whatever that of a group
    /// is [T 286].
    fn drop_by_pre_call_checks<D: Draws, N: Notes>(
        &mut self,
        cx: &mut Cx<'_, D, N>,
        name: NameId,
    ) -> Result<(), Failure> {
        let (plan, picks, strategy) = (&self.plan, &self.state.picks, &mut self.state.strategy);
        let (mut too_long, mut too_many) = (false, false);
        let before = self.state.candidates.len();
        let body = &plan.bodies[cx.request.body.index()];
        self.state.candidates.retain(|id| {
            let entry = plan.deployment(*id);
            if plan.window(name, *id).is_some_and(|window| u64::from(cx.request.prompt_tokens) > window) {
                too_long = true;
                cx.notes.decided(cx.now, cx.id, || format!("{}: the prompt is too long", entry.id));
                return false;
            }
            let used = picks[id.index()].get(cx.now).max(strategy.requests(plan, cx.now, name, *id));
            let is_over = plan.router.strategy != Strategy::UsageV2 && entry.checked_rpm.is_some_and(|rpm| rpm <= used);
            if is_over {
                too_many = true;
                cx.notes.decided(cx.now, cx.id, || format!("{}: {used} requests in a minute", entry.id));
            }
            let fits =
                !(body.wants_format && entry.lacks_format) && (body.region.is_none() || body.region == entry.region);
            if !fits {
                cx.notes.decided(cx.now, cx.id, || format!("{}: another region, or no such format", entry.id));
            }
            !is_over && fits
        });
        match before > 0 && self.state.candidates.is_empty() {
            true if too_many => Err(Failure::NO_DEPLOYMENT.because(WhyNot::DeploymentLimit)),
            true if too_long => Err(Failure::with_status(Class::ContextWindow, 400).because(WhyNot::TooLong)),
            _ => Ok(()),
        }
    }

    /// Counts a pick for `enable_pre_call_checks` (`router.py:_update_usage`).
    pub(super) fn count_pick<D: Draws, N: Notes>(&mut self, cx: &Cx<'_, D, N>, deployment: DeploymentId) {
        if self.state.kept.is_some() {
            // Later picks are written without a life time: an entry that has to be made anew has the cache's own.
            let is_first = self.state.picks[deployment.index()].get(cx.now) == 0;
            let life = if is_first { defaults::PICK_WINDOW } else { defaults::CACHE_LIFE };
            self.state.write(&self.plan, cx.now, Kept::Picks(deployment), life);
        }
        if self.plan.router.pre_call_checks || self.state.kept.is_some() {
            self.state.picks[deployment.index()].add(cx.now, 1, defaults::PICK_WINDOW);
        }
    }

    /// `enable_tag_filtering` (`router_strategy/tag_based_routing.py`; plain tags only, from source only).
    fn keep_tagged<D: Draws, N: Notes>(
        &mut self,
        cx: &Cx<'_, D, N>,
        name: NameId,
        matching: TagMatch,
    ) -> Result<(), Failure> {
        let (plan, candidates) = (&self.plan, &mut self.state.candidates);
        let asked = &plan.bodies[cx.request.body.index()].tags;
        let tags_of = |id: &DeploymentId| &plan.deployment(*id).tags;
        let fits = |id: &DeploymentId| match matching {
            TagMatch::Any => asked.iter().any(|tag| tags_of(id).contains(tag)),
            TagMatch::All => asked.iter().all(|tag| tags_of(id).contains(tag)),
        };
        let is_default = |id: &DeploymentId| tags_of(id).contains(&DEFAULT_TAG);
        if candidates.is_empty() {
            return Ok(());
        }
        if !asked.is_empty() && candidates.iter().any(fits) {
            candidates.retain(fits);
            return Ok(());
        }
        let known = |id: &DeploymentId| asked.iter().any(|tag| tags_of(id).contains(tag));
        let is_known = || matches!(&plan.name(name).found, Found::Group(ids) if ids.iter().any(known));
        match (asked.is_empty(), candidates.iter().any(is_default)) {
            (true, false) => {}
            (false, false) => return Err(Failure::NO_TAGS),
            (false, true) if is_known() => return Err(Failure::NO_TAGS),
            (_, true) => candidates.retain(is_default),
        }
        Ok(())
    }
}
