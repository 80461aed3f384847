//! Virtual keys, the users and teams that they belong to, and what limits each of them: as it is written, and as the
//! limiter asks for it (`proxy/hooks/parallel_request_limiter_v3.py`, `proxy/auth/auth_checks.py`) [T 160–169, 190].

use crate::gateway::litellm::plan::Budget;
use crate::units::{KeyId, NameId, Usage, WhyNot};
use std::collections::BTreeMap;

/// All virtual keys and who has them.
#[derive(Debug, Clone)]
pub struct Keyring {
    /// Keys; `KeyId` is the index. The first is the master key, without limits.
    pub keys: Vec<KeySpec>,
    /// Users.
    pub users: Vec<Holder>,
    /// Teams.
    pub teams: Vec<Holder>,
    /// Users within a team.
    pub members: Vec<Holder>,
    /// Those on whose behalf keys ask: they have limits of requests and tokens only.
    pub end_users: Vec<Holder>,
    /// Organizations, likewise.
    pub organizations: Vec<Holder>,
}

impl Default for Keyring {
    fn default() -> Self {
        let none = Vec::new;
        let (users, teams, members, end_users, organizations) = (none(), none(), none(), none(), none());
        Self { keys: vec![KeySpec::default()], users, teams, members, end_users, organizations }
    }
}

/// A virtual key.
#[derive(Debug, Clone, Default)]
pub struct KeySpec {
    /// Its own limits.
    pub own: Holder,
    /// Whether those of requests and tokens only hold while the model fails: `dynamic` as
    /// `rpm_limit_type` and `tpm_limit_type`.
    pub dynamic: [bool; 2],
    /// Requests at the same time.
    pub parallel: Option<u64>,
    /// Index of the user that it belongs to.
    pub user: Option<usize>,
    /// Index of the team that it belongs to.
    pub team: Option<usize>,
    /// Index of the user within the team.
    pub member: Option<usize>,
    /// Index of the end user.
    pub end_user: Option<usize>,
    /// Index of the organization that it belongs to.
    pub organization: Option<usize>,
    /// The limits of requests and tokens that its own row knows of user, team, member, end user and organization. Only
    /// keys that know some count towards them [T 332]. Without, what stands with those themselves holds.
    pub told: Option<Box<[[Option<u64>; 2]; 5]>>,
}

/// What is limited of a key, a user, a team, or a user within a team.
#[derive(Debug, Clone, Default)]
pub struct Holder {
    /// Requests in a window.
    pub rpm: Option<u64>,
    /// Tokens in a window.
    pub tpm: Option<u64>,
    /// Budget in dollars.
    pub budget: Option<f64>,
    /// Dollars that were spent before.
    pub spent: f64,
    /// Its budget is asked for, but nothing is reserved of it.
    pub reserves_nothing: bool,
    /// Limits for single models; only keys, teams and (budgets) users have them.
    pub models: Vec<ModelLimit>,
}

/// A limit for one model, by the name that clients send.
#[derive(Debug, Clone, Default)]
pub struct ModelLimit {
    /// The name.
    pub model: String,
    /// Requests in a window.
    pub rpm: Option<u64>,
    /// Tokens in a window.
    pub tpm: Option<u64>,
    /// Dollars in a period (`model_max_budget`).
    pub budget: Option<Budget>,
}

/// Which tokens limits of keys, users and teams count (`token_rate_limit_type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CountedTokens {
    /// Input that comes from no cache, and output.
    #[default]
    Total,
    /// Input that comes from no cache.
    Input,
    /// Output.
    Output,
}

impl CountedTokens {
    /// Those of an answer; what the provider's prompt cache gives is not counted (`_get_total_tokens_from_usage`).
    #[inline]
    pub fn of(self, usage: &Usage) -> u64 {
        let cached = u64::from(usage.cached);
        match self {
            Self::Total => usage.total().saturating_sub(cached),
            Self::Input => u64::from(usage.input).saturating_sub(cached),
            Self::Output => u64::from(usage.output),
        }
    }
}

/// Index of what was spent by a key, a user, a team or a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct AccountId(pub u32);

impl AccountId {
    /// As an index.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What limits the requests of each key, all looked up.
#[derive(Debug, Clone, Default)]
pub struct KeyPlans {
    keys: Vec<KeyPlan>,
    /// Dollars that each account had spent before.
    pub spent: Vec<f64>,
    /// How many windows are counted.
    pub windows: usize,
    /// Budgets for single models.
    pub model_budgets: Vec<Budget>,
    /// Whether anything is limited at all.
    pub limits_any: bool,
    /// What the limiter calls those whom the counters belong to.
    pub kinds: Vec<&'static str>,
    /// Counters of single models: by the number of the key or team, and the name of the model.
    pub model_counters: BTreeMap<(u32, NameId), u32>,
    /// Whether the limiter's cache may have to forget something before its time, for want of room.
    pub forgets: bool,
}

impl KeyPlans {
    /// The keys, what their accounts had spent, how many windows there are, and the budgets for single models.
    pub(super) fn new(keys: Vec<KeyPlan>, spent: Vec<f64>, windows: usize, model_budgets: Vec<Budget>) -> Self {
        debug_assert!(keys.iter().all(|key| key.models.is_sorted_by_key(|model| model.name)), "names are searched");
        let limits_any = keys.iter().any(KeyPlan::limits);
        let keys = keys.into_iter().map(KeyPlan::summed_up).collect();
        Self { keys, spent, windows, model_budgets, limits_any, ..Self::default() }
    }

    /// There are more entries than the limiter's cache has room for: none of the windows can be counted on its own.
    pub(super) fn forget(&mut self) {
        self.forgets = true;
        self.keys.iter_mut().for_each(|key| key.only = None);
    }

    /// How many entries the limiter's cache can have at the same time, at most, where requests are for so many names:
    /// three for each counter, one for each holder, one for each model under a key, team or organization, and one for
    /// each key with a limit of parallel requests.
    pub fn most_entries(&self, names: usize) -> usize {
        let has_models = |kind: &&&str| matches!(**kind, "api_key" | "team" | "organization");
        let models = names * self.kinds.iter().filter(has_models).count();
        let mut limited: Vec<u32> =
            self.keys.iter().flat_map(KeyPlan::all_windows).map(|window| window.counter).collect();
        limited.sort_unstable();
        limited.dedup();
        let parallel = self.keys.iter().filter(|key| key.parallel.is_some()).count();
        self.kinds.len() + models + 2 * limited.len() + parallel + 1
    }

    /// What limits a key's requests.
    #[inline]
    pub fn get(&self, key: KeyId) -> &KeyPlan {
        &self.keys[key.index()]
    }

    /// How many keys there are.
    pub const fn count(&self) -> usize {
        self.keys.len()
    }

    /// Whether any key spends from a budget.
    pub fn has_budget(&self) -> bool {
        let has = |key: &KeyPlan| key.has_budget() || key.models.iter().any(|model| !model.budgets.is_empty());
        self.keys.iter().any(has)
    }
}

/// What limits the requests of one key.
#[derive(Debug, Clone, Default)]
pub struct KeyPlan {
    /// Requests at the same time.
    pub parallel: Option<u64>,
    /// Windows that every request counts in: of the key, its user, its team, the user within the team, the end
    /// user, and the organization.
    pub windows: Box<[Window]>,
    /// What every answer is paid from, in the order in which it is reserved: the key, the team, the user, the member.
    pub purses: Box<[Purse]>,
    /// What only some models have, in the order of their names.
    pub models: Box<[ModelPlan]>,
    /// Numbers of the key itself, its user, its team, the user within the team, the end user and the organization:
    /// their tokens are counted whether they have limits or not.
    pub holders: Box<[u32]>,
    /// The same while the model does not fail, where limits hold only then.
    pub if_healthy: Option<Box<KeyPlan>>,
    /// The only window, where there is nothing else but places.
    pub(super) only: Option<Window>,
}

/// Whose a limit or a budget is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// A key's.
    Key,
    /// A user's.
    User,
    /// A team's.
    Team,
    /// Of a user within a team.
    Member,
    /// Of an end user, whom keys act for.
    EndUser,
    /// An organization's.
    Organization,
    /// For one model.
    Model,
}

impl Whose {
    /// Requests in a window are too many.
    pub const fn requests(self) -> WhyNot {
        match self {
            Self::Key => WhyNot::KeyRequests,
            Self::User => WhyNot::UserRequests,
            Self::Team => WhyNot::TeamRequests,
            Self::Member => WhyNot::MemberRequests,
            Self::EndUser => WhyNot::EndUserRequests,
            Self::Organization => WhyNot::OrganizationRequests,
            Self::Model => WhyNot::ModelRequests,
        }
    }

    /// Tokens in a window are too many.
    pub const fn tokens(self) -> WhyNot {
        match self {
            Self::Key => WhyNot::KeyTokens,
            Self::User => WhyNot::UserTokens,
            Self::Team => WhyNot::TeamTokens,
            Self::Member => WhyNot::MemberTokens,
            Self::EndUser => WhyNot::EndUserTokens,
            Self::Organization => WhyNot::OrganizationTokens,
            Self::Model => WhyNot::ModelTokens,
        }
    }

    /// The budget is used up.
    pub const fn budget(self) -> WhyNot {
        match self {
            Self::Key => WhyNot::KeyBudget,
            Self::User => WhyNot::UserBudget,
            Self::Team => WhyNot::TeamBudget,
            Self::Member => WhyNot::MemberBudget,
            Self::EndUser => WhyNot::EndUserBudget,
            Self::Organization => WhyNot::OrganizationBudget,
            Self::Model => WhyNot::ModelBudget,
        }
    }
}

/// Requests and tokens in a window of 60 seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Which counters; keys that share a user or a team share theirs.
    pub counter: u32,
    /// Whose limits these are.
    pub whose: Whose,
    /// Most requests.
    pub rpm: Option<u64>,
    /// Most tokens.
    pub tpm: Option<u64>,
}

impl Window {
    /// A window with these limits, or with the greatest that its counters know.
    pub fn new(whose: Whose, counter: u32, rpm: Option<u64>, tpm: Option<u64>) -> Self {
        let countable = |limit: Option<u64>| limit.map(|limit| limit.min(i64::MAX.unsigned_abs()));
        Self { counter, whose, rpm: countable(rpm), tpm: countable(tpm) }
    }
}

/// An account that pays, and its budget.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Purse {
    /// What was spent.
    pub account: AccountId,
    /// The most that may be spent; `None` if nobody looks.
    pub budget: Option<f64>,
    /// The budget may be reached: only what is beyond it is refused (`_team_max_budget_check`).
    pub may_be_reached: bool,
    /// Nothing is reserved of it.
    pub reserves_nothing: bool,
    /// Whose it is: a user's is asked for free models as well (`hooks/max_budget_limiter.py`).
    pub whose: Whose,
}

impl Purse {
    /// Whether nothing more is paid from it.
    #[inline]
    pub fn is_empty(&self, dollars: f64) -> bool {
        self.budget.is_some_and(|budget| if self.may_be_reached { dollars > budget } else { dollars >= budget })
    }

    /// The budget that reservations are taken out of.
    #[inline]
    pub fn reserves(&self) -> Option<f64> {
        self.budget.filter(|budget| *budget > 0.0 && !self.reserves_nothing)
    }
}

/// What limits one model of a key.
#[derive(Debug, Clone)]
pub struct ModelPlan {
    /// The name that clients send.
    pub name: NameId,
    /// All windows that a request for it counts in: those of every request, then the model's own,
    /// of the key and its team.
    pub windows: Box<[Window]>,
    /// Numbers of the budgets of the key and of its user.
    pub budgets: Box<[u32]>,
}

impl KeyPlan {
    /// With what is looked at for each request.
    fn summed_up(self) -> Self {
        let is_only = self.purses.is_empty() && self.models.is_empty() && self.if_healthy.is_none();
        let only = if let ([window], true) = (&*self.windows, is_only) { Some(*window) } else { None };
        Self { only, ..self }
    }

    /// The only window, where a request counts in no other, is paid from nothing, and may have a place at most.
    #[inline]
    pub const fn only_window(&self) -> Option<&Window> {
        self.only.as_ref()
    }

    /// All windows that any request counts in.
    pub fn all_windows(&self) -> impl Iterator<Item = &Window> {
        self.windows.iter().chain(self.models.iter().flat_map(|model| &*model.windows))
    }

    /// The limits of a single model.
    #[inline]
    pub fn model(&self, name: NameId) -> Option<&ModelPlan> {
        let at = self.models.binary_search_by_key(&name, |model| model.name).ok()?;
        Some(&self.models[at])
    }

    /// All windows that a request for this model counts in.
    #[inline]
    pub fn windows(&self, name: NameId) -> &[Window] {
        self.model(name).map_or(&self.windows, |model| &model.windows)
    }

    /// Numbers of the budgets that an answer of this model is charged to.
    #[inline]
    pub fn model_budgets(&self, name: NameId) -> &[u32] {
        self.model(name).map_or(&[], |model| &model.budgets)
    }

    /// Whether a budget is looked at.
    #[inline]
    pub fn has_budget(&self) -> bool {
        self.purses.iter().any(|purse| purse.budget.is_some())
    }

    /// Whether anybody asks what its answers cost.
    #[inline]
    pub fn spends(&self) -> bool {
        self.only.is_none() && (!self.purses.is_empty() || !self.models.is_empty())
    }

    /// Whether anything of this key is limited.
    pub fn limits(&self) -> bool {
        self.parallel.is_some() || !self.windows.is_empty() || !self.models.is_empty() || self.has_budget()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limits_of_a_model_are_found_among_many() {
        let model = |number: u32| ModelPlan { name: NameId(number), windows: [].into(), budgets: [number].into() };
        for count in 0..40 {
            let key =
                KeyPlan { models: (0..count).map(|number| model(2 * number + 1)).collect(), ..KeyPlan::default() };
            for name in (0..82).map(NameId) {
                let slow = key.models.iter().find(|model| model.name == name);
                assert_eq!(key.model_budgets(name), slow.map_or(&[][..], |model| &model.budgets));
            }
        }
    }
}
