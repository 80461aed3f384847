//! Budgets of deployments and providers (`router_strategy/budget_limiter.py`) [T 99–101].
//!
//! LiteLLM adds spend up in binary floats and compares with `>=`; so does this state, because whether a limit is hit by
//! the last cent or by the one after is visible in what is called.

use super::logging::Success;
use super::{Cx, LiteLlm};
use crate::gateway::Notes;
use crate::gateway::litellm::failure::{Class, Failure};
use crate::gateway::litellm::kept::{Kept, Purse};
use crate::gateway::litellm::plan::{Budget, Plan, Redis};
use crate::gateway::litellm::shared::{BUDGET_SYNC, Place};
use crate::random::Draws;
use crate::units::{DeploymentId, SimDuration, SimTime, WhyNot};

/// Spend against budgets.
#[derive(Default)]
pub(in crate::gateway::litellm) struct Budgets {
    deployments: Vec<Spend>,
    providers: Vec<Spend>,
    /// How often something was spent of a budget that was then used up: while it stays the same, no further one is.
    pub(super) overruns: u64,
}

/// Spend in the current period of one budget.
#[derive(Debug, Clone)]
pub(super) struct Spend {
    dollars: f64,
    /// When the sum is forgotten.
    expires: SimTime,
    /// When the period began, and when that is forgotten.
    began: SimTime,
    period_ends: SimTime,
    /// What not all processes know of yet.
    recent: Vec<Recent>,
}

/// What adding spend has written.
pub(super) struct Spending {
    /// A period has begun.
    begins: bool,
    /// How long the sum is to live.
    life: SimDuration,
}

/// Spend of one process on its way to the others.
#[derive(Debug, Clone, Copy)]
struct Recent {
    seat: u32,
    dollars: f64,
    /// When the process pushes it to Redis.
    pushed: SimTime,
    /// The process reads the sum before its push has arrived, so that it forgets this for one period.
    overwritten: bool,
}

const LONG_AGO: SimTime = SimTime(i64::MIN);

impl Budgets {
    /// Nothing has been spent.
    pub fn new(plan: &Plan) -> Self {
        if !plan.router.has_budgets {
            return Self::default();
        }
        Self {
            deployments: vec![Spend::NOTHING; plan.deployments.len()],
            providers: plan.router.provider_budgets.iter().map(Spend::begun).collect(),
            overruns: 0,
        }
    }
}

impl Budgets {
    fn of(&mut self, purse: Purse) -> &mut Spend {
        match purse {
            Purse::Provider(at) => &mut self.providers[at as usize],
            Purse::Deployment(of) => &mut self.deployments[of.index()],
        }
    }

    /// The router's cache keeps a sum until then.
    pub fn renew(&mut self, purse: Purse, until: SimTime) {
        self.of(purse).expires = until;
        self.overruns += 1;
    }

    /// The router's cache has dropped a sum.
    pub fn forget(&mut self, purse: Purse) {
        self.renew(purse, LONG_AGO);
    }

    /// The router's cache has dropped when a period began.
    pub fn forget_beginning(&mut self, purse: Purse) {
        self.of(purse).period_ends = LONG_AGO;
    }

    /// Whether the deployment's budget, or its provider's, is used up.
    pub fn are_over(&self, plan: &Plan, id: DeploymentId, now: SimTime, place: &Place) -> bool {
        self.over_until(plan, id, now, place).is_some()
    }

    /// Until when one of them is used up, if one is.
    pub(super) fn over_until(&self, plan: &Plan, id: DeploymentId, now: SimTime, place: &Place) -> Option<SimTime> {
        let entry = plan.deployment(id);
        let own = entry.budget.as_ref().map(|budget| (&self.deployments[id.index()], budget));
        let provider = entry.provider_budget.map(|at| at as usize);
        let provider = provider.map(|at| (&self.providers[at], &plan.router.provider_budgets[at]));
        let mut both = own.into_iter().chain(provider);
        both.find_map(|(spend, budget)| spend.is_over(now, budget, place).then_some(spend.expires))
    }
}

impl Spend {
    /// Nothing has been spent.
    pub const NOTHING: Self =
        Self { dollars: 0.0, expires: LONG_AGO, began: LONG_AGO, period_ends: LONG_AGO, recent: Vec::new() };

    /// The period of a provider's budget begins when the proxy starts; that of a deployment with its first spend.
    fn begun(budget: &Budget) -> Self {
        let ends = SimTime::ZERO + budget.period;
        Self { dollars: 0.0, expires: ends, began: SimTime::ZERO, period_ends: ends, recent: Vec::new() }
    }

    /// What counts at this moment.
    #[inline]
    pub fn dollars(&self, now: SimTime) -> f64 {
        if now > self.expires { 0.0 } else { self.dollars }
    }

    #[inline]
    fn is_over(&self, now: SimTime, budget: &Budget, place: &Place) -> bool {
        budget.limit > 0.0 && self.dollars(now) - self.unknown(now, place) >= budget.limit
    }

    /// The part that a process does not know of: each pushes its own spend once a second and copies the sum then.
    #[inline]
    fn unknown(&self, now: SimTime, place: &Place) -> f64 {
        if self.recent.is_empty() { 0.0 } else { self.recent_unknown(now, place) }
    }

    #[cold]
    fn recent_unknown(&self, now: SimTime, place: &Place) -> f64 {
        let copied = place.last_tick(now, BUDGET_SYNC);
        let is_unknown = |recent: &&Recent| match recent.seat == place.seat {
            true => recent.overwritten && copied == recent.pushed,
            false => copied < recent.pushed,
        };
        self.recent.iter().filter(is_unknown).map(|recent| recent.dollars).sum()
    }

    /// Notes spend that others get to know of with the next synchronisation; what all know is dropped.
    fn share(&mut self, now: SimTime, dollars: f64, place: &Place) {
        self.recent.retain(|recent| now.since(recent.pushed) <= BUDGET_SYNC);
        let pushed = place.next_tick(now, BUDGET_SYNC);
        self.recent.push(Recent { seat: place.seat, dollars, pushed, overwritten: place.coin(pushed) });
    }

    /// The period begins with the first spend. The sum's own life time is cut to whole seconds, so that it is forgotten
    /// up to a second before the period ends (`_increment_spend_for_key`).
    pub fn add(&mut self, now: SimTime, dollars: f64, period: SimDuration) -> Spending {
        let begins = now > self.period_ends;
        if begins {
            (self.began, self.period_ends) = (now, now + period);
        }
        let elapsed = now - self.began;
        if elapsed > period {
            let recent = Vec::new();
            *self = Self { dollars, expires: now + period, began: now, period_ends: now + period, recent };
            return Spending { begins: true, life: period };
        }
        self.dollars = self.dollars(now) + dollars;
        let life = SimDuration::from_secs(SimDuration(period.0 - elapsed.0).whole_secs());
        if self.expires <= now {
            self.expires = now + life;
        }
        Spending { begins, life }
    }
}

impl LiteLlm {
    /// Drops deployments whose budget, or whose provider's budget, is used up. If none is left the request is refused:
    /// that is retried like any failure, and answered with 429 [T 101].
    pub(super) fn drop_over_budget<D: Draws, N: Notes>(&mut self, cx: &mut Cx<'_, D, N>) -> Result<(), Failure> {
        let (plan, budgets, place) = (&self.plan, &self.state.budgets, &self.state.place);
        let had_candidates = !self.state.candidates.is_empty();
        self.state.candidates.retain(|id| {
            let is_over = budgets.are_over(plan, *id, cx.now, place);
            if is_over {
                cx.notes.decided(cx.now, cx.id, || format!("{}: budget used up", plan.deployment(*id).id));
            }
            !is_over
        });
        if had_candidates && self.state.candidates.is_empty() {
            return Err(Failure::without_status(Class::Refused, 429).because(WhyNot::DeploymentBudget));
        }
        Ok(())
    }

    /// The cost of a success is spent.
    #[inline]
    pub(super) fn spend(&mut self, now: SimTime, success: Success) {
        let entry = self.plan.deployment(success.flight.deployment);
        if self.plan.router.has_budgets && (entry.budget.is_some() || entry.provider_budget.is_some()) {
            self.spend_budgets(now, &success);
        }
    }

    #[inline(never)]
    fn spend_budgets(&mut self, now: SimTime, success: &Success) {
        let deployment = success.flight.deployment;
        let entry = self.plan.deployment(deployment);
        let costs_nothing = success.from_cache || success.takes_over;
        let dollars = if costs_nothing { 0.0 } else { self.cost(now, &success.flight, &success.usage) };
        let (budgets, place) = (&mut self.state.budgets, &self.state.place);
        let shares = self.state.shared.is_some() && self.plan.redis != Redis::None;
        let overruns = &mut budgets.overruns;
        let mut add = |spend: &mut Spend, budget: &Budget| {
            let spending = spend.add(now, dollars, budget.period);
            if shares {
                spend.share(now, dollars, place);
            }
            *overruns += u64::from(spend.dollars >= budget.limit && budget.limit > 0.0);
            spending
        };
        let of_provider = entry.provider_budget.map(|at| {
            let budget = &self.plan.router.provider_budgets[at as usize];
            (Purse::Provider(at), budget.period, add(&mut budgets.providers[at as usize], budget))
        });
        let own = entry.budget.map(|budget| {
            let spending = add(&mut budgets.deployments[deployment.index()], &budget);
            (Purse::Deployment(deployment), budget.period, spending)
        });
        for (purse, period, Spending { begins, life }) in of_provider.into_iter().chain(own) {
            if begins {
                self.state.write(&self.plan, now, Kept::Began(purse), period);
            }
            self.state.write(&self.plan, now, Kept::Spent(purse), life);
        }
    }
}
