//! Fallbacks: which targets, in which order, how deep (`router.py:async_function_with_fallbacks_common_utils`,
//! `router_utils/fallback_event_handlers.py`).

use super::{Cx, LiteLlm, Next};
use crate::gateway::Notes;
use crate::gateway::litellm::call::{CallState, Few, Frame, Hop, Targets, Walk};
use crate::gateway::litellm::defaults::DEEPEST_FALLBACK;
use crate::gateway::litellm::failure::{Class, Failure};
use crate::gateway::litellm::plan::{
    Body, CustomTarget, FallbackOverride, Layer, ListId, OverrideId, Plan, Strategy, Target,
};
use crate::random::Draws;
use crate::units::NameId;

/// The kinds of fallback lists, in the order of `OwnFallbacks::KEYS`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Regular,
    Context,
    Policy,
}

impl LiteLlm {
    /// The innermost hop has failed for good: its fallbacks are walked, if it has any.
    pub(super) fn hop_failed<D: Draws, N: Notes>(
        &mut self,
        cx: &mut Cx<'_, D, N>,
        call: &mut CallState,
        failure: Failure,
    ) -> Next {
        let of_target = call.hop().and_then(|hop| hop.own.disable_fallbacks);
        if of_target.unwrap_or(self.own(cx.request, call).disable_fallbacks) {
            return self.raise(cx, call, failure);
        }
        let Some(Frame::Hop(hop)) = call.frames.last() else { return Next::GiveUp(failure) };
        let own = self.own(cx.request, call);
        if let Some(targets) = self.higher_orders(own, hop, &failure) {
            return self.begin_walk(cx, call, targets, failure);
        }
        if self.plan.router.weighted_failover && !failure.class.has_own_fallbacks() {
            let failed = self.failed_so_far(hop, &failure);
            if self.others_are_left(cx, hop, &failed) {
                if let Some(hop) = call.hop() {
                    hop.failed = failed;
                }
                return self.begin_walk(cx, call, Targets::Others, failure);
            }
        }
        self.walk_list(cx, call, failure)
    }

    /// The higher orders of the same group come before other groups, each with its own retries [T 41].
    fn higher_orders(&self, own: &Body, hop: &Hop, failure: &Failure) -> Option<Targets> {
        let orders = &self.plan.name(hop.name).listed_orders;
        if orders.len() < 2 || failure.class.has_own_fallbacks() {
            return None;
        }
        let above = hop.order.unwrap_or(orders[0]);
        let then = self.regular_list(own, hop);
        let has_targets =
            orders.iter().any(|order| *order > above) || then.is_some_and(|list| !self.plan.list(list).is_empty());
        has_targets.then_some(Targets::Orders { above, then })
    }

    /// Weighted failover goes by the deployment that is named on the failure; without one there is none. It knows of
    /// those before from the metadata, which the hops of a walk pass on from one to the next [T 291].
    fn failed_so_far(&self, hop: &Hop, failure: &Failure) -> Few {
        let mut failed = hop.failed.clone();
        match failure.deployment {
            Some(deployment) if !failed.contains(&deployment) => failed.push(deployment),
            Some(_) => {}
            None => failed.clear(),
        }
        failed
    }

    fn others_are_left<D: Draws, N: Notes>(&self, cx: &Cx<'_, D, N>, hop: &Hop, failed: &Few) -> bool {
        let is_left = |id| !self.state.cooldowns.rests(id, cx.now) && !failed.contains(&id);
        let listed = &self.plan.name(hop.name).listed;
        // The group's own strategy counts [T 336].
        let is_shuffled = self.plan.strategy_of(hop.name) == Strategy::SimpleShuffle;
        is_shuffled && !failed.is_empty() && listed.iter().any(|id| is_left(*id))
    }

    /// Walks the list that is configured for this kind of failure; without one the failure is raised.
    fn walk_list<D: Draws, N: Notes>(&mut self, cx: &mut Cx<'_, D, N>, call: &mut CallState, failure: Failure) -> Next {
        let Some(Frame::Hop(hop)) = call.frames.last() else { return Next::GiveUp(failure) };
        match self.list_for(self.own(cx.request, call), hop, &failure) {
            Some(list) => self.begin_walk(cx, call, Targets::List(list), failure),
            None => self.raise(cx, call, failure),
        }
    }

    /// Long prompts and refused content go by their own map where there is one, and only by that [T 36–39].
    fn list_for(&self, body: &Body, hop: &Hop, failure: &Failure) -> Option<ListId> {
        let (router, entry) = (&self.plan.router, self.plan.name(hop.name));
        if let FallbackOverride::Flat(list) = self.fallbacks_of(body, &hop.own, Kind::Regular) {
            return Some(*list);
        }
        let own = |kind: Kind| self.fallbacks_of(body, &hop.own, kind);
        match failure.class {
            Class::ContextWindow if own(Kind::Context).is_set(router.has_context_fallbacks) => {
                chosen(own(Kind::Context), hop.name, entry.context_fallbacks)
            }
            Class::ContentPolicy if own(Kind::Policy).is_set(router.has_policy_fallbacks) => {
                chosen(own(Kind::Policy), hop.name, entry.policy_fallbacks)
            }
            _ => self.regular_list(body, hop),
        }
    }

    fn regular_list(&self, body: &Body, hop: &Hop) -> Option<ListId> {
        let own = self.fallbacks_of(body, &hop.own, Kind::Regular);
        chosen(own, hop.name, self.plan.name(hop.name).fallbacks)
    }

    /// The fallbacks that the entry which led to a hop brings along, else those of the body [T 267].
    pub(super) fn fallbacks_of<'a>(&'a self, body: &'a Body, own: &CustomTarget, kind: Kind) -> &'a FallbackOverride {
        match own.fallbacks[kind as usize] {
            Some(OverrideId(id)) => &self.plan.overrides[id as usize],
            None => match kind {
                Kind::Regular => &body.fallbacks,
                Kind::Context => &body.context_fallbacks,
                Kind::Policy => &body.policy_fallbacks,
            },
        }
    }

    /// Begins a walk, unless it would go too deep: the limit is looked at only here, so that a flat list is never cut
    /// [T 24–28].
    fn begin_walk<D: Draws, N: Notes>(
        &mut self,
        cx: &mut Cx<'_, D, N>,
        call: &mut CallState,
        targets: Targets,
        failure: Failure,
    ) -> Next {
        let Some(Frame::Hop(hop)) = call.frames.last() else { return Next::GiveUp(failure) };
        let (from, depth, in_walk) = (hop.name, hop.depth, hop.in_walk);
        let own = CustomTarget { mock: hop.own.mock.for_fallbacks(), ..hop.own };
        let deepest = self.body(cx.request).max_fallbacks.unwrap_or(self.plan.router.max_fallbacks);
        if depth >= deepest {
            cx.notes.decided(cx.now, cx.id, || format!("no fallback: {depth} of {deepest} allowed have been made"));
            return match targets {
                Targets::Others => self.walk_list(cx, call, failure),
                Targets::List(_) | Targets::Orders { .. } => self.raise(cx, call, failure),
            };
        }
        let failed = hop.failed.clone();
        // What weighted failover has left out stays so in all that follows.
        let excluded = if targets == Targets::Others { failed.clone() } else { hop.excluded.clone() };
        if !in_walk {
            call.attempted.clear();
        }
        remember(&mut call.attempted, Target::Name(from));
        let walk = Walk { targets, next: 0, from, depth, own, cause: failure, last: failure, excluded, failed };
        call.frames.push(Frame::Walk(walk));
        Next::WalkOn
    }

    /// Goes on to the next target that has not been tried for this request [T 22]. Too deep for Python's stack they all
    /// count as tried, and nothing is called.
    pub(super) fn walk_on<D: Draws, N: Notes>(&mut self, cx: &mut Cx<'_, D, N>, call: &mut CallState) -> Next {
        // A level is a group and its list.
        let is_too_deep = call.frames.len() > 2 * DEEPEST_FALLBACK;
        let Some(Frame::Walk(walk)) = call.frames.last_mut() else { return Next::GiveUp(Failure::NO_DEPLOYMENT) };
        let names = &self.plan.names;
        while let Some(target) = nth_target(&self.plan, walk, walk.next) {
            walk.next += 1;
            if !remember(&mut call.attempted, target) {
                let name = target.name();
                cx.notes
                    .decided(cx.now, cx.id, || format!("fallback {} skipped: tried before", names[name.index()].text));
                continue;
            }
            walk.depth += 1;
            if is_too_deep {
                cx.notes.decided(cx.now, cx.id, || {
                    format!("no fallback: Python's stack holds {DEEPEST_FALLBACK} levels of them")
                });
                continue;
            }
            let order = if let Target::Order(_, order) = target { Some(order) } else { None };
            if let Target::Custom(_, id) = target {
                walk.own = self.plan.customs[id as usize].after(walk.own);
            }
            let (excluded, failed, refused) = (walk.excluded.clone(), walk.failed.clone(), call.refused_before.clone());
            let known = Hop { excluded, failed, refused, ..Hop::first(target.name()) };
            let hop = Hop { order, own: walk.own, depth: walk.depth, in_walk: true, ..known };
            let words = || match order {
                Some(order) => format!("falls back to order {order} of {}", names[hop.name.index()].text),
                None => format!("falls back to {}", names[hop.name.index()].text),
            };
            cx.notes.decided(cx.now, cx.id, words);
            call.frames.push(Frame::Hop(hop));
            return Next::Try;
        }
        self.walk_failed(cx, call)
    }

    /// Every target has failed.
    fn walk_failed<D: Draws, N: Notes>(&mut self, cx: &mut Cx<'_, D, N>, call: &mut CallState) -> Next {
        let Some(Frame::Walk(walk)) = call.frames.pop() else { return Next::GiveUp(Failure::NO_DEPLOYMENT) };
        match walk.targets {
            Targets::Orders { .. } => self.raise(cx, call, walk.last),
            Targets::Others if walk.last.ends_failover() => self.raise(cx, call, walk.last),
            Targets::Others => self.walk_list(cx, call, walk.cause),
            Targets::List(_) => self.raise(cx, call, walk.cause.telling(&walk.last)),
        }
    }

    /// The innermost hop raises this failure: to the walk that it belongs to, or to the client.
    fn raise<D: Draws, N: Notes>(&mut self, cx: &mut Cx<'_, D, N>, call: &mut CallState, failure: Failure) -> Next {
        let raising = call.frames.pop();
        let Some(Frame::Walk(walk)) = call.frames.last_mut() else { return Next::GiveUp(failure) };
        walk.last = failure;
        if let Some(Frame::Hop(hop)) = raising {
            walk.failed = hop.failed;
        }
        if self.plan.layer == Layer::Proxy && call.log.failed {
            self.blame_failed_hop(cx, &failure);
        }
        Next::WalkOn
    }
}

/// The request's own list for a name, else the configured one.
pub(super) fn chosen(own: &FallbackOverride, name: NameId, configured: Option<ListId>) -> Option<ListId> {
    match own {
        FallbackOverride::Configured => configured,
        FallbackOverride::Nothing => None,
        FallbackOverride::Flat(list) => Some(*list),
        FallbackOverride::ByName(lists) => lists.iter().find(|(key, _)| *key == name).map(|(_, list)| *list),
    }
}

/// The `nth` target of a walk.
fn nth_target(plan: &Plan, walk: &Walk, nth: usize) -> Option<Target> {
    match walk.targets {
        Targets::List(list) => plan.list(list).get(nth).copied().map(Target::plain),
        Targets::Others => (nth == 0).then_some(Target::Others(walk.from, walk.excluded.len() as u32)),
        Targets::Orders { above, then } => {
            let higher = plan.name(walk.from).listed_orders.iter().filter(|order| **order > above);
            let mut targets = higher.map(|order| Target::Order(walk.from, *order));
            let orders = targets.clone().count();
            targets.nth(nth).or_else(|| plan.list(then?).get(nth - orders).copied().map(Target::plain))
        }
    }
}

/// Writes a target down; `false` if it was there.
fn remember(attempted: &mut Vec<Target>, target: Target) -> bool {
    let is_new = !attempted.contains(&target);
    if is_new {
        attempted.push(target);
    }
    is_new
}
