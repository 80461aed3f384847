//! From virtual keys, users and teams to what limits each request (`_create_rate_limit_descriptors`,
//! `get_key_model_rpm_limit`, `_get_budget_counters`) [T 190].

use crate::gateway::litellm::keyring::{
    AccountId, Holder, KeyPlan, KeyPlans, KeySpec, Keyring, ModelLimit, ModelPlan, Purse, Whose, Window,
};
use crate::gateway::litellm::lower::settings::is_on;
use crate::gateway::litellm::plan::{Budget, Found, Name};
use crate::gateway::litellm::wire::{Deployment, Spanned, Wire};
use crate::units::NameId;
use std::collections::{BTreeMap, HashMap};

/// Compiles the keys for these names.
pub(super) fn lower(ring: &Keyring, names: &[Name], wire: &Wire) -> KeyPlans {
    let kept: Vec<&Deployment> = wire.model_list.iter().filter(|deployment| !deployment.dropped).collect();
    let defaults: Vec<ModelLimit> = names.iter().map(|name| defaults(name, &kept)).collect();
    let is_limited = |limit: &ModelLimit| limit.rpm.is_some() || limit.tpm.is_some();
    let limited_by_default = defaults.iter().enumerate().filter(|(_, limit)| is_limited(limit));
    let mut numbers = Numbers {
        ring,
        names,
        limited_by_default: limited_by_default.map(|(index, _)| NameId::from_index(index)).collect(),
        defaults,
        users_pay_for_teams: is_on(&wire.general_settings.apply_user_budget_to_team_keys),
        windows: first_free(ring),
        counters: HashMap::new(),
        purses: HashMap::new(),
        budgets: Vec::new(),
        by_text: by_text(names),
    };
    let keys = ring.keys.iter().enumerate().map(|(index, key)| numbers.key(index, key)).collect();
    let holders = ring.keys.iter().map(|key| &key.own).chain(&ring.users).chain(&ring.teams).chain(&ring.members);
    let holders = holders.chain(&ring.end_users).chain(&ring.organizations);
    let spent = holders.map(|holder| holder.spent).collect();
    let (kinds, model_counters) = (numbers.kinds(), numbers.model_counters());
    let mut plans = KeyPlans::new(keys, spent, numbers.windows as usize, numbers.budgets);
    (plans.kinds, plans.model_counters) = (kinds, model_counters);
    plans
}

/// The names that a limit for a single model may mean: those with its text, and for budgets those with its text behind
/// their last slash.
fn by_text(names: &[Name]) -> HashMap<&str, Vec<NameId>> {
    let mut all: HashMap<&str, Vec<NameId>> = HashMap::new();
    for (index, name) in names.iter().enumerate() {
        let id = NameId::from_index(index);
        all.entry(&name.text).or_default().push(id);
        let bare = bare(&name.text);
        if bare != &*name.text {
            all.entry(bare).or_default().push(id);
        }
    }
    all
}

/// A model without what stands before its last slash.
fn bare(model: &str) -> &str {
    model.rsplit('/').next().unwrap_or(model)
}

/// What the deployments of a name allow each key: the least of each (`default_api_key_rpm_limit`) [T 190p].
fn defaults(name: &Name, kept: &[&Deployment]) -> ModelLimit {
    let Found::Group(ids) = &name.found else { return ModelLimit::default() };
    let least = |of: fn(&Deployment) -> &Option<Spanned<i64>>| {
        ids.iter().filter_map(|id| of(kept[id.index()]).as_ref()).map(|limit| limit.value.max(0) as u64).min()
    };
    ModelLimit {
        rpm: least(|deployment| &deployment.litellm_params.default_api_key_rpm_limit),
        tpm: least(|deployment| &deployment.litellm_params.default_api_key_tpm_limit),
        ..ModelLimit::default()
    }
}

/// Accounts, and the first windows, are numbered alike: keys, users, teams, members, end users, organizations.
fn first_free(ring: &Keyring) -> u32 {
    let teams = ring.users.len() + ring.teams.len() + ring.members.len();
    (ring.keys.len() + teams + ring.end_users.len() + ring.organizations.len()) as u32
}

/// Who has something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Who {
    Key(usize),
    User(usize),
    Team(usize),
    Member(usize),
    EndUser(usize),
    Organization(usize),
}

impl Who {
    const fn kind(self) -> Whose {
        match self {
            Self::Key(_) => Whose::Key,
            Self::User(_) => Whose::User,
            Self::Team(_) => Whose::Team,
            Self::Member(_) => Whose::Member,
            Self::EndUser(_) => Whose::EndUser,
            Self::Organization(_) => Whose::Organization,
        }
    }
}

/// Numbers that have been given.
struct Numbers<'a> {
    ring: &'a Keyring,
    names: &'a [Name],
    /// Limits of the deployments, by name.
    defaults: Vec<ModelLimit>,
    /// The names that have some.
    limited_by_default: Vec<NameId>,
    users_pay_for_teams: bool,
    windows: u32,
    /// What is counted for one model of a holder: all keys that share the holder share it.
    counters: HashMap<(Who, &'a str), u32>,
    purses: HashMap<(Who, &'a str), u32>,
    budgets: Vec<Budget>,
    by_text: HashMap<&'a str, Vec<NameId>>,
}

impl<'a> Numbers<'a> {
    fn number(&self, who: Who) -> u32 {
        let ring = self.ring;
        let sizes = [ring.keys.len(), ring.users.len(), ring.teams.len(), ring.members.len(), ring.end_users.len()];
        let (before, at) = match who {
            Who::Key(at) => (0, at),
            Who::User(at) => (1, at),
            Who::Team(at) => (2, at),
            Who::Member(at) => (3, at),
            Who::EndUser(at) => (4, at),
            Who::Organization(at) => (5, at),
        };
        (sizes[..before].iter().sum::<usize>() + at) as u32
    }

    fn holder(&self, who: Who) -> &'a Holder {
        match who {
            Who::Key(at) => &self.ring.keys[at].own,
            Who::User(at) => &self.ring.users[at],
            Who::Team(at) => &self.ring.teams[at],
            Who::Member(at) => &self.ring.members[at],
            Who::EndUser(at) => &self.ring.end_users[at],
            Who::Organization(at) => &self.ring.organizations[at],
        }
    }

    fn key(&mut self, index: usize, key: &KeySpec) -> KeyPlan {
        let if_healthy = key.dynamic.contains(&true).then(|| Box::new(self.key_without(key.dynamic, index, key)));
        KeyPlan { if_healthy, ..self.key_without([false; 2], index, key) }
    }

    /// A key, without its own limits of requests, of tokens, or both.
    fn key_without(&mut self, [rpm, tpm]: [bool; 2], index: usize, key: &KeySpec) -> KeyPlan {
        let (user, team) = (key.user.map(Who::User), key.team.map(Who::Team));
        let member = key.member.map(Who::Member);
        let own = Who::Key(index);
        let of_key = self.window(own, None).map(|own| Window {
            rpm: own.rpm.filter(|_| !rpm),
            tpm: own.tpm.filter(|_| !tpm),
            ..own
        });
        let (end_user, organization) = (key.end_user.map(Who::EndUser), key.organization.map(Who::Organization));
        let others = [user, team, member, end_user, organization].into_iter().enumerate();
        let told = |at: usize| key.told.as_ref().map(|told| told[at]);
        let of_others = others.filter_map(|(at, who)| self.window(who?, told(at)));
        let windows = of_key.into_iter().chain(of_others);
        let payers = [Some(own), team, user, member].into_iter().flatten();
        let paid_from = payers.filter(|who| self.holder(*who).budget.is_some());
        let purses = paid_from.map(|who| self.purse(who, team.is_some()));
        let (windows, purses): (Box<[Window]>, Box<[Purse]>) = (windows.collect(), purses.collect());
        let names = self.limited_names([Some(own), user, team]);
        let models = names.into_iter().filter_map(|name| self.model(name, &windows, own, (user, team))).collect();
        // The master key belongs to a user of its own, who has no number.
        let user_number = user.map_or((index == 0).then_some(u32::MAX), |user| Some(self.number(user)));
        let others = [team, member, end_user, organization].into_iter().flatten().map(|who| self.number(who));
        let holders = [Some(self.number(own)), user_number].into_iter().flatten().chain(others).collect();
        KeyPlan { parallel: key.parallel, windows, models, purses, holders, ..KeyPlan::default() }
    }

    /// The names for which these holders, or the deployments, may have limits of their own.
    fn limited_names(&self, holders: [Option<Who>; 3]) -> Vec<NameId> {
        let by_holders = holders.into_iter().flatten().flat_map(|who| &self.holder(who).models);
        let mut names: Vec<NameId> =
            by_holders.filter_map(|limit| self.by_text.get(limit.model.as_str())).flatten().copied().collect();
        names.extend(&self.limited_by_default);
        names.sort_unstable();
        names.dedup();
        names
    }

    fn window(&self, who: Who, told: Option<[Option<u64>; 2]>) -> Option<Window> {
        let holder = self.holder(who);
        let [rpm, tpm] = told.unwrap_or([holder.rpm, holder.tpm]);
        (rpm.is_some() || tpm.is_some()).then(|| Window::new(who.kind(), self.number(who), rpm, tpm))
    }

    fn purse(&self, who: Who, of_team: bool) -> Purse {
        let is_asked = !matches!(who, Who::User(_)) || !of_team || self.users_pay_for_teams;
        let budget = self.holder(who).budget.filter(|_| is_asked);
        Purse {
            account: AccountId(self.number(who)),
            budget,
            may_be_reached: matches!(who, Who::Team(_)),
            reserves_nothing: self.holder(who).reserves_nothing,
            whose: who.kind(),
        }
    }

    fn model(
        &mut self,
        name: NameId,
        of_all: &[Window],
        own: Who,
        (user, team): (Option<Who>, Option<Who>),
    ) -> Option<ModelPlan> {
        let text: &'a str = &self.names[name.index()].text;
        let windows = self.model_windows(text, &self.defaults[name.index()].clone(), own, team);
        let payers = [Some(own), user].into_iter().flatten();
        let budgets: Vec<u32> = payers.filter_map(|who| self.model_budget(text, who)).collect();
        (!windows.is_empty() || !budgets.is_empty()).then(|| ModelPlan {
            name,
            windows: of_all.iter().copied().chain(windows).collect(),
            budgets: budgets.into(),
        })
    }

    /// A key without such limits for any model takes its team's, or else the deployments', in counters of its own. The
    /// team's own counter is asked for twice: it counts every request twice, but takes tokens once [T 190i, 190j].
    fn model_windows(&mut self, model: &'a str, defaults: &ModelLimit, own: Who, team: Option<Who>) -> Vec<Window> {
        let of_team = team.map(|team| self.holder(team).models.as_slice()).unwrap_or_default();
        let of_key = self.holder(own).models.as_slice();
        let either = |limit: fn(&ModelLimit) -> Option<u64>| {
            let says = |entries: &&[ModelLimit]| entries.iter().any(|entry| limit(entry).is_some());
            let first = [of_key, of_team].into_iter().find(says);
            first.map_or_else(|| limit(defaults), |entries| limit_of(entries, model, limit))
        };
        let mut windows = Vec::new();
        let (rpm, tpm) = (either(|entry| entry.rpm), either(|entry| entry.tpm));
        if rpm.is_some() || tpm.is_some() {
            windows.push(Window::new(Whose::Model, self.model_counter(own, model), rpm, tpm));
        }
        let (rpm, tpm) = (limit_of(of_team, model, |entry| entry.rpm), limit_of(of_team, model, |entry| entry.tpm));
        if let Some(team) = team.filter(|_| rpm.is_some() || tpm.is_some()) {
            let counter = self.model_counter(team, model);
            let of_model = |tpm| Window::new(Whose::Model, counter, rpm, tpm);
            windows.extend([of_model(tpm), of_model(None)]);
        }
        windows
    }

    /// What the limiter calls those whom the counters belong to.
    fn kinds(&self) -> Vec<&'static str> {
        let ring = self.ring;
        let sizes = [ring.keys.len(), ring.users.len(), ring.teams.len(), ring.members.len(), ring.end_users.len()];
        let names = ["api_key", "user", "team", "team_member", "end_user"];
        let named = names.into_iter().zip(sizes).chain([("organization", ring.organizations.len())]);
        let mut kinds: Vec<&str> = named.flat_map(|(name, size)| std::iter::repeat_n(name, size)).collect();
        kinds.resize(self.windows as usize, "model_per_key");
        for ((who, _), counter) in &self.counters {
            if let Who::Team(_) = who {
                kinds[*counter as usize] = "model_per_team";
            }
        }
        kinds
    }

    /// The counters of single models by name.
    fn model_counters(&self) -> BTreeMap<(u32, NameId), u32> {
        let named = |text: &str| self.by_text.get(text).into_iter().flatten().copied();
        let numbered = self
            .counters
            .iter()
            .flat_map(|((who, text), counter)| named(text).map(move |name| ((self.number(*who), name), *counter)));
        numbered.collect()
    }

    /// A budget may be written for the model as it is sent, or without what stands before its last slash.
    fn model_budget(&mut self, model: &'a str, who: Who) -> Option<u32> {
        let entries = &self.holder(who).models;
        let bare = bare(model);
        let named = |wanted: &str| entries.iter().find(|entry| entry.model == wanted && entry.budget.is_some());
        let entry = named(model).or_else(|| named(bare))?;
        if let Some(known) = self.purses.get(&(who, entry.model.as_str())) {
            return Some(*known);
        }
        let number = self.budgets.len() as u32;
        self.budgets.push(entry.budget?);
        self.purses.insert((who, &entry.model), number);
        Some(number)
    }

    fn model_counter(&mut self, who: Who, model: &'a str) -> u32 {
        *self.counters.entry((who, model)).or_insert_with(|| {
            self.windows += 1;
            self.windows - 1
        })
    }
}

fn limit_of(entries: &[ModelLimit], model: &str, limit: fn(&ModelLimit) -> Option<u64>) -> Option<u64> {
    entries.iter().filter(|entry| entry.model == model).find_map(limit)
}
