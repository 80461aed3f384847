//! Budgets of virtual keys, users, teams and members of teams, and budgets of keys and users for single models
//! (`proxy/auth/auth_checks.py`, `proxy/spend_tracking/budget_reservation.py`,
//! `proxy/hooks/model_max_budget_limiter.py`) [T 163, 164, 166–169, 190].

use super::limits::KeyUse;
use super::{Cx, LiteLlm};
use crate::gateway::litellm::call::Held;
use crate::gateway::litellm::keyring::{KeyPlan, Purse, Whose};
use crate::gateway::litellm::plan::{Plan, Redis};
use crate::gateway::litellm::shared::{SPEND_COUNTER_LIFE, Shared};
use crate::gateway::{Notes, RequestView};
use crate::random::Draws;
use crate::units::{KeyId, NameId, SimDuration, SimTime, WhyNot};

/// Output that a budget reserves where neither request nor model limit it (`DEFAULT_MAX_OUTPUT_TOKENS_FALLBACK`).
const LONGEST_OUTPUT: u32 = 16_384;
/// How long a process keeps a sum (`InMemoryCache`, its default).
const SUM_LIFE: SimDuration = SimDuration::from_secs(600);
/// What is less than this is nothing left.
const NOTHING_LEFT: f64 = 1e-12;

/// What was spent by a key, a user, a team or a member.
#[derive(Debug, Clone, Default)]
pub(super) struct Account {
    /// Dollars spent and reserved.
    dollars: f64,
    /// Dollars that were spent before: they stand on the key itself. What is spent is added to the rows of users and
    /// teams, as they are in memory [T 312].
    before: f64,
    /// Reservations among the dollars that nobody gives back.
    lost: f64,
    /// Until when they are remembered: then the sum is taken from the database anew. `None` while there is no sum.
    kept_until: Option<SimTime>,
    /// Until when a process of several trusts its own sum; `None` where it always does.
    trusted_until: Option<SimTime>,
}

impl Account {
    /// So much was spent before.
    pub const fn new(spent: f64) -> Self {
        Self { dollars: spent, before: spent, lost: 0.0, kept_until: None, trusted_until: None }
    }

    /// A sum is kept for a while, whatever is added to it. The database knows what was spent, but of no reservation
    /// that was lost, and a look at it makes a new sum; without one nothing is known but what was spent before, and no
    /// sum is made before there is something to add [T 164e, 218].
    fn refresh(&mut self, now: SimTime, has_database: bool) {
        if self.kept_until.is_some_and(|until| now <= until) {
            return;
        }
        if !has_database {
            (self.dollars, self.lost) = (self.before, 0.0);
        } else if self.kept_until.is_some() {
            self.dollars -= self.lost;
            self.lost = 0.0;
        }
        self.kept_until = has_database.then_some(now + SUM_LIFE);
    }

    /// Adds to the sum, and makes it if there is none.
    fn add(&mut self, now: SimTime, dollars: f64) {
        self.dollars += dollars;
        self.kept_until.get_or_insert(now + SUM_LIFE);
    }
}

impl KeyUse {
    fn account(&mut self, purse: &Purse) -> &mut Account {
        &mut self.accounts[purse.account.index()]
    }

    fn dollars(&mut self, purse: &Purse) -> &mut f64 {
        &mut self.account(purse).dollars
    }

    /// Forgets what was spent of the budgets that have begun anew by now.
    #[inline]
    fn reset_budgets(&mut self, plan: &Plan, now: SimTime) {
        while let Some(reset) = plan.proxy.budget_resets.get(self.resets)
            && reset.at <= now
        {
            for account in &*reset.accounts {
                let account = &mut self.accounts[account.index()];
                (account.dollars, account.lost) = (0.0, 0.0);
            }
            self.resets += 1;
        }
    }

    /// Whose budget is used up, if any is: for the model, or for all.
    fn spent(&mut self, now: SimTime, key: &KeyPlan, of_model: &[u32], plan: &Plan) -> Option<Whose> {
        let is_over = |number: &u32| {
            let at = *number as usize;
            self.model_budgets[at].dollars(now) >= plan.keys.model_budgets[at].limit
        };
        if of_model.iter().any(is_over) {
            return Some(Whose::Model);
        }
        key.purses.iter().find(|purse| purse.is_empty(*self.dollars(purse))).map(|purse| purse.whose)
    }

    /// One process of several keeps sums of its own for a minute, then takes them from the database anew, which knows
    /// the others' spend but not what is still to be written. With Redis there is one sum for all.
    fn reseed<'a>(&mut self, now: SimTime, purses: impl Iterator<Item = &'a Purse>, plan: &Plan, shared: &mut Shared) {
        for purse in purses {
            let account = &mut self.accounts[purse.account.index()];
            if account.trusted_until.is_none_or(|until| now > until) {
                account.dollars = shared.spent(now, purse.account, &plan.proxy.budget_resets);
                account.lost = 0.0;
                account.trusted_until = Some(now + SPEND_COUNTER_LIFE);
            }
        }
    }

    /// Takes dollars out of all budgets, one after the other. What does not fit into one is cut to what is left
    /// there, in those before as well; if nothing is left, none keeps anything. The dollars that each has reserved,
    /// or whose budget was in the way.
    fn reserve(&mut self, now: SimTime, purses: &[Purse], greatest: f64, fail_closed: bool) -> Result<f64, Whose> {
        let mut cost = greatest;
        for (index, purse) in purses.iter().enumerate() {
            let Some(budget) = purse.reserves() else { continue };
            self.account(purse).add(now, cost);
            let after = *self.dollars(purse);
            if after <= budget {
                continue;
            }
            let left = budget - (after - cost);
            let is_refused = left <= NOTHING_LEFT || (fail_closed && after - budget > NOTHING_LEFT);
            let correction = if is_refused { -cost } else { left - cost };
            for reserved in purses[..=index].iter().filter(|purse| purse.reserves().is_some()) {
                *self.dollars(reserved) += correction;
            }
            if is_refused {
                return Err(purse.whose);
            }
            cost = left;
        }
        Ok(cost)
    }
}

impl LiteLlm {
    /// Which budget is used up, if one is. If not, the greatest cost that the request may have is reserved.
    #[inline]
    pub(super) fn over_budget<D: Draws, N: Notes>(&mut self, cx: &Cx<'_, D, N>, held: &mut Held) -> Option<WhyNot> {
        self.state.keys.reset_budgets(&self.plan, cx.now);
        let key = self.plan.keys.get(cx.request.key);
        if key.spends() { self.over_any_budget(cx, held) } else { None }
    }

    fn over_any_budget<D: Draws, N: Notes>(&mut self, cx: &Cx<'_, D, N>, held: &mut Held) -> Option<WhyNot> {
        let (plan, state) = (&self.plan, &mut self.state);
        let key = plan.keys.get(cx.request.key);
        let asked_as = asked_as(plan, cx.request);
        let model_budgets = key.model_budgets(asked_as);
        if !key.has_budget() && model_budgets.is_empty() {
            return None;
        }
        if plan.proxy.unverified_budgets && key.has_budget() {
            return Some(WhyNot::UnverifiedBudget);
        }
        let is_free = plan.name(asked_as).greatest.is_some_and(|group| group.is_free);
        let mut asked = key.purses.iter().filter(|purse| !is_free || purse.whose == Whose::User);
        if let Some(shared) = state.shared.as_mut().filter(|_| plan.redis != Redis::Proxy) {
            state.keys.reseed(cx.now, asked.clone(), plan, shared);
        } else if state.shared.is_none() {
            let accounts = &mut state.keys.accounts;
            asked.clone().for_each(|purse| {
                accounts[purse.account.index()].refresh(cx.now, !plan.proxy.no_database);
            });
        }
        let used = &mut state.keys;
        if is_free {
            return asked.find(|purse| purse.is_empty(*used.dollars(purse))).map(|purse| purse.whose.budget());
        }
        if let Some(whose) = used.spent(cx.now, key, model_budgets, plan) {
            return Some(whose.budget());
        }
        let reserves = key.purses.iter().any(|purse| purse.reserves().is_some()) && !plan.proxy.no_reservation;
        let greatest = greatest_cost(plan, cx.request).filter(|cost| reserves && *cost > 0.0)?;
        let reserved = used.reserve(cx.now, &key.purses, greatest, plan.proxy.fail_closed);
        held.dollars = reserved.ok();
        reserved.err().map(Whose::budget)
    }

    /// The reservation becomes what was really spent, in every account of the key.
    #[inline]
    pub(super) fn settle_budget<D: Draws, N: Notes>(&mut self, cx: &Cx<'_, D, N>, held: &mut Held, dollars: f64) {
        if !self.plan.proxy.has_key_limits {
            return;
        }
        self.state.keys.reset_budgets(&self.plan, cx.now);
        let key = self.plan.keys.get(cx.request.key);
        let reserved = held.dollars.take().unwrap_or(0.0);
        for purse in &key.purses {
            let reserved = if purse.reserves().is_some() { reserved } else { 0.0 };
            let (change, account) = (dollars - reserved, self.state.keys.account(purse));
            if self.state.shared.is_none() {
                account.refresh(cx.now, !self.plan.proxy.no_database);
            }
            // A sum that is no longer there, or would become negative because it has been begun anew or too much has
            // been given back, stays as it is where no database knows better
            // (`budget_reservation.py:_counter_can_apply_adjustment`) [T 212, 218b].
            let is_there = reserved == 0.0 || account.kept_until.is_some();
            let fits = is_there && (change >= 0.0 || account.dollars + change >= -NOTHING_LEFT);
            if fits && change != 0.0 {
                account.add(cx.now, change);
            } else if !fits && !self.plan.proxy.no_database {
                account.dollars = account.dollars.max(0.0) + dollars;
            }
            if matches!(purse.whose, Whose::User | Whose::Team) && !purse.reserves_nothing {
                account.before += dollars;
            }
            if let Some(shared) = self.state.shared.as_mut().filter(|_| dollars > 0.0) {
                shared.spend(cx.now, &self.state.place, purse.account, dollars);
            }
        }
    }

    /// The call of a client that has gone has gone on to an answer: what was reserved is given back for the client's
    /// failure and for the answer, each time as if it were still there [T 212].
    #[cold]
    pub(super) fn return_dollars_twice<D: Draws, N: Notes>(&mut self, cx: &Cx<'_, D, N>, held: &mut Held) {
        let Some(reserved) = held.dollars else { return };
        self.state.keys.reset_budgets(&self.plan, cx.now);
        let purses = || self.plan.keys.get(cx.request.key).purses.iter().filter(|purse| purse.reserves().is_some());
        let used = &mut self.state.keys;
        if purses().all(|purse| *used.dollars(purse) >= reserved - NOTHING_LEFT) {
            held.dollars = None;
            purses().for_each(|purse| *used.dollars(purse) -= 2.0 * reserved);
        }
    }

    /// Nobody will give back what was reserved [T 164d].
    pub(super) fn lose_reservation<D: Draws, N: Notes>(&mut self, cx: &Cx<'_, D, N>, held: &mut Held) {
        let Some(reserved) = held.dollars.take() else { return };
        for purse in self.plan.keys.get(cx.request.key).purses.iter().filter(|purse| purse.reserves().is_some()) {
            self.state.keys.accounts[purse.account.index()].lost += reserved;
        }
    }

    /// What a process that has ended had reserved.
    pub(super) fn drop_reservation(&mut self, key: KeyId, held: &mut Held) {
        let reserved = held.dollars.take().unwrap_or(0.0);
        for purse in self.plan.keys.get(key).purses.iter().filter(|purse| purse.reserves().is_some()) {
            *self.state.keys.dollars(purse) -= reserved;
        }
    }

    /// An answer is charged to the budgets of the model that served, which may be a fallback's [T 190k].
    pub(super) fn spend_model_budgets<D: Draws, N: Notes>(
        &mut self,
        cx: &Cx<'_, D, N>,
        served_as: NameId,
        dollars: f64,
    ) {
        for number in self.plan.keys.get(cx.request.key).model_budgets(served_as) {
            let period = self.plan.keys.model_budgets[*number as usize].period;
            self.state.keys.model_budgets[*number as usize].add(cx.now, dollars, period);
        }
    }
}

/// The name that budgets go by: that of the request, which is read before names that its key has for models
/// (`auth/user_api_key_auth.py`) [T 284].
fn asked_as(plan: &Plan, request: &RequestView) -> NameId {
    plan.bodies[request.body.index()].asked_as.unwrap_or(request.model)
}

/// The cost of the whole prompt and the longest answer at the highest prices of the group.
fn greatest_cost(plan: &Plan, request: &RequestView) -> Option<f64> {
    let group = plan.name(asked_as(plan, request)).greatest?;
    let longest = group.max_output_tokens.unwrap_or(LONGEST_OUTPUT);
    let output = request.max_tokens.unwrap_or(LONGEST_OUTPUT).min(longest);
    let completions = f64::from(plan.bodies[request.body.index()].n.max(1));
    let input = f64::from(request.prompt_tokens) * group.input;
    Some(input + f64::from(output) * completions * group.output)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_lost_is_forgotten_with_the_sum_and_without_a_database_all_is_but_what_was_spent_before() {
        let secs = |secs: i64| SimTime(secs * 1_000_000_000);
        for (has_database, rest) in [(true, 6.0), (false, 5.0)] {
            let mut account = Account::new(5.0);
            account.refresh(secs(10), has_database);
            account.add(secs(10), 3.0);
            account.lost = 2.0;
            account.refresh(secs(610), has_database);
            assert_eq!(account.dollars, 8.0, "the sum is kept for 600 s");
            account.refresh(secs(611), has_database);
            assert_eq!((account.dollars, account.lost), (rest, 0.0));
            account.add(secs(700), 1.0);
            account.refresh(secs(1_212), has_database);
            assert_eq!(account.dollars, rest + 1.0, "it is known, or a new one was begun when something was added");
            account.refresh(secs(1_301), has_database);
            assert_eq!(account.dollars, if has_database { 7.0 } else { 5.0 });
        }
    }
}
