//! Virtual keys, users and teams of a scenario, in the gateway's terms.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::Zoned;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::diagnostic::codes;
use crate::diagnostic::secrets::looks_secret;
use crate::gateway::litellm::budget_reset::{Clock, resets};
use crate::gateway::litellm::keyring::{AccountId, Holder, KeySpec, Keyring, ModelLimit};
use crate::gateway::litellm::lower::period;
use crate::gateway::litellm::plan::{Budget, BudgetReset, Plan};
use crate::gateway::litellm::wire::nearest;
use crate::scenario::classes;
use crate::scenario::named::Named;
use crate::scenario::problem::Problem;
use crate::scenario::reading::Reading;
use crate::units::{SimDuration, SimTime};

/// The most dollars that anybody has.
const MOST_DOLLARS: f64 = 1e12;

/// A virtual key.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyEntry {
    /// The team that it belongs to; what limits it stands under `teams`.
    pub team: Option<String>,
    /// The user that it belongs to; what limits them stands under `users`.
    pub user: Option<String>,
    /// Requests a minute.
    pub rpm_limit: Option<u64>,
    /// Tokens a minute.
    pub tpm_limit: Option<u64>,
    /// Requests at the same time.
    pub max_parallel_requests: Option<u64>,
    /// Budget in US dollars.
    pub max_budget: Option<f64>,
    /// The time after which the budget begins anew, as LiteLLM writes it: `1d`, `7d`, `30d`, `6h`, `1mo`. A day ends at
    /// midnight, seven days on Monday, thirty on the first of a month.
    pub budget_duration: Option<String>,
    /// What was spent of the budget before the horizon, in US dollars.
    pub spent: Option<f64>,
    /// Requests a minute of single models, by the name that clients send.
    #[serde(default)]
    pub model_rpm_limit: Named<u64>,
    /// Tokens a minute of single models.
    #[serde(default)]
    pub model_tpm_limit: Named<u64>,
    /// Budgets of single models.
    #[serde(default)]
    pub model_max_budget: Named<ModelBudgetEntry>,
}

/// A user, whose limits all keys of theirs share.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UserEntry {
    /// Requests a minute.
    pub rpm_limit: Option<u64>,
    /// Tokens a minute.
    pub tpm_limit: Option<u64>,
    /// Budget in US dollars; it does not hold for keys of a team.
    pub max_budget: Option<f64>,
    /// The time after which the budget begins anew.
    pub budget_duration: Option<String>,
    /// What was spent of the budget before the horizon, in US dollars.
    pub spent: Option<f64>,
    /// Budgets of single models.
    #[serde(default)]
    pub model_max_budget: Named<ModelBudgetEntry>,
}

/// A team, whose limits all its keys share.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TeamEntry {
    /// Requests a minute.
    pub rpm_limit: Option<u64>,
    /// Tokens a minute.
    pub tpm_limit: Option<u64>,
    /// Budget in US dollars.
    pub max_budget: Option<f64>,
    /// The time after which the budget begins anew.
    pub budget_duration: Option<String>,
    /// What was spent of the budget before the horizon, in US dollars.
    pub spent: Option<f64>,
    /// Requests a minute of single models. LiteLLM counts each request twice here, and gives each key the same limit.
    #[serde(default)]
    pub model_rpm_limit: Named<u64>,
    /// Tokens a minute of single models.
    #[serde(default)]
    pub model_tpm_limit: Named<u64>,
    /// Limits of single users within the team.
    #[serde(default)]
    pub members: Named<MemberEntry>,
}

/// A user within a team.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberEntry {
    /// Requests a minute.
    pub rpm_limit: Option<u64>,
    /// Tokens a minute.
    pub tpm_limit: Option<u64>,
    /// Budget in US dollars.
    pub max_budget: Option<f64>,
    /// The time after which the budget begins anew.
    pub budget_duration: Option<String>,
    /// What was spent of the budget before the horizon, in US dollars.
    pub spent: Option<f64>,
}

/// A budget for one model. Its period begins with the first answer.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelBudgetEntry {
    /// US dollars.
    pub max_budget: f64,
    /// In how long: `1d`, `6h`, `30d`.
    pub budget_duration: String,
}

/// The fields that all of them have, each over the same field below.
macro_rules! over {
    ($own:ident, $base:ident: $($field:ident),*; $($map:ident),*) => {
        Self {
            $($field: $own.$field.or($base.$field),)*
            $($map: if $own.$map.is_empty() { $base.$map } else { $own.$map },)*
        }
    };
}

impl KeyEntry {
    /// The values of this entry, and the other's where it has none.
    pub fn over(self, base: Self) -> Self {
        over!(self, base: team, user, rpm_limit, tpm_limit, max_parallel_requests, max_budget, budget_duration, spent;
            model_rpm_limit, model_tpm_limit, model_max_budget)
    }
}

impl UserEntry {
    /// The values of this entry, and the other's where it has none.
    pub fn over(self, base: Self) -> Self {
        over!(self, base: rpm_limit, tpm_limit, max_budget, budget_duration, spent; model_max_budget)
    }
}

impl TeamEntry {
    /// The values of this entry, and the other's where it has none.
    pub fn over(self, base: Self) -> Self {
        over!(self, base: rpm_limit, tpm_limit, max_budget, budget_duration, spent;
            model_rpm_limit, model_tpm_limit, members)
    }
}

/// What is written of one of them, and where.
struct Written<'a> {
    path: Vec<&'a str>,
    rpm: Option<u64>,
    tpm: Option<u64>,
    budget: Option<f64>,
    spent: Option<f64>,
    model_rpm: Option<&'a Named<u64>>,
    model_tpm: Option<&'a Named<u64>>,
    model_budgets: Option<&'a Named<ModelBudgetEntry>>,
    period: Option<&'a str>,
}

macro_rules! written {
    ($entry:expr, $path:expr, $model_rpm:expr, $model_tpm:expr, $model_budgets:expr) => {
        Written {
            path: $path,
            rpm: $entry.rpm_limit,
            tpm: $entry.tpm_limit,
            budget: $entry.max_budget,
            spent: $entry.spent,
            model_rpm: $model_rpm,
            model_tpm: $model_tpm,
            model_budgets: $model_budgets,
            period: $entry.budget_duration.as_deref(),
        }
    };
}

/// Everybody that is limited, in the order of their accounts: keys, users, teams, members of teams.
fn everybody(reading: &Reading) -> [Vec<Written<'_>>; 4] {
    let file = &reading.file;
    let keys = file.keys.iter().map(|(name, entry)| {
        let KeyEntry { model_rpm_limit: rpm, model_tpm_limit: tpm, model_max_budget: budgets, .. } = entry;
        written!(entry, vec!["keys", name], Some(rpm), Some(tpm), Some(budgets))
    });
    let users = file
        .users
        .iter()
        .map(|(name, entry)| written!(entry, vec!["users", name], None, None, Some(&entry.model_max_budget)));
    let teams = file.teams.iter().map(|(name, entry)| {
        written!(entry, vec!["teams", name], Some(&entry.model_rpm_limit), Some(&entry.model_tpm_limit), None)
    });
    let members = file.teams.iter().flat_map(|(team, entry)| {
        entry
            .members
            .iter()
            .map(move |(user, member)| written!(member, vec!["teams", team, "members", user], None, None, None))
    });
    [keys.collect(), users.collect(), teams.collect(), members.collect()]
}

/// A virtual key goes by its alias: its name stands in every report, and so would the key itself.
///
/// # Errors
/// A [`Problem`] with the place of the first name that looks like a key, without the name.
pub fn check_aliases(reading: &Reading) -> Result<(), Problem> {
    let refused = |path: &[&str]| {
        let message =
            format!("a virtual key itself stands under `{}`, and it would be in every report", path.join("."));
        let help = "name the key by its alias, such as `team-a`: nothing of the key itself is needed";
        Err(reading.error(codes::SCENARIO_NAME, path, message, help))
    };
    if reading.file.keys.iter().any(|(name, _)| looks_secret(name)) {
        return refused(&["keys"]);
    }
    for (class, entry) in reading.file.traffic.iter() {
        if entry.own.key.as_deref().is_some_and(looks_secret) {
            return refused(&["traffic", class, "key"]);
        }
        if entry.own.keys.iter().flat_map(Named::iter).any(|(name, _)| looks_secret(name)) {
            return refused(&["traffic", class, "keys"]);
        }
    }
    Ok(())
}

/// The keys, users and teams in the gateway's terms; the first key is the master key, without limits.
///
/// # Errors
/// A [`Problem`] with the place of the first value that cannot be used.
pub fn keyring(reading: &Reading) -> Result<Keyring, Problem> {
    let [keys, users, teams, members] = everybody(reading);
    let all = |list: Vec<Written<'_>>| list.iter().map(|one| holder(reading, one)).collect::<Result<Vec<_>, _>>();
    let mut ring = Keyring { users: all(users)?, teams: all(teams)?, members: all(members)?, ..Keyring::default() };
    let places = Places::of(reading);
    for ((name, entry), own) in reading.file.keys.iter().zip(all(keys)?) {
        let (user, team) = (entry.user.as_deref(), entry.team.as_deref());
        let member = user.zip(team).and_then(|(user, team)| places.members.get(&(team, user)).copied());
        ring.keys.push(KeySpec {
            own,
            dynamic: [false; 2],
            parallel: entry.max_parallel_requests,
            user: places.find(reading, &["keys", name, "user"], user, &places.users)?,
            team: places.find(reading, &["keys", name, "team"], team, &places.teams)?,
            member,
            ..KeySpec::default()
        });
    }
    Ok(ring)
}

/// Where users, teams and members stand in their lists.
struct Places<'a> {
    users: HashMap<&'a str, usize>,
    teams: HashMap<&'a str, usize>,
    members: HashMap<(&'a str, &'a str), usize>,
}

impl<'a> Places<'a> {
    fn of(reading: &'a Reading) -> Self {
        let file = &reading.file;
        let members =
            file.teams.iter().flat_map(|(team, entry)| entry.members.iter().map(move |(user, _)| (team, user)));
        Self {
            users: file.users.iter().enumerate().map(|(at, (name, _))| (name, at)).collect(),
            teams: file.teams.iter().enumerate().map(|(at, (name, _))| (name, at)).collect(),
            members: members.enumerate().map(|(at, both)| (both, at)).collect(),
        }
    }

    /// A name that is not described limits nothing; where others are, it is a slip.
    fn find(
        &self,
        reading: &Reading,
        path: &[&str],
        name: Option<&str>,
        known: &HashMap<&str, usize>,
    ) -> Result<Option<usize>, Problem> {
        let Some(name) = name else { return Ok(None) };
        match known.get(name) {
            None if !known.is_empty() => {
                let what = path[path.len() - 1];
                let near = nearest(name, known.keys().copied());
                Err(classes::unknown(reading, path, what, name, near))
            }
            found => Ok(found.copied()),
        }
    }
}

fn holder(reading: &Reading, written: &Written<'_>) -> Result<Holder, Problem> {
    let amount = |key: &str, value: Option<f64>| {
        let path: Vec<&str> = written.path.iter().copied().chain([key]).collect();
        value.map(|value| reading.within(&path, value, 0.0, MOST_DOLLARS)).transpose()
    };
    Ok(Holder {
        rpm: written.rpm,
        tpm: written.tpm,
        budget: amount("max_budget", written.budget)?,
        reserves_nothing: false,
        spent: amount("spent", written.spent)?.unwrap_or_default(),
        models: models(reading, written)?,
    })
}

fn models(reading: &Reading, written: &Written<'_>) -> Result<Vec<ModelLimit>, Problem> {
    let limit = |model: &str| ModelLimit { model: model.to_owned(), ..ModelLimit::default() };
    let rpm = written.model_rpm.into_iter().flat_map(Named::iter);
    let tpm = written.model_tpm.into_iter().flat_map(Named::iter);
    let rpm = rpm.map(|(model, most)| ModelLimit { rpm: Some(*most), ..limit(model) });
    let tpm = tpm.map(|(model, most)| ModelLimit { tpm: Some(*most), ..limit(model) });
    let mut all: Vec<ModelLimit> = rpm.chain(tpm).collect();
    for (model, entry) in written.model_budgets.into_iter().flat_map(Named::iter) {
        let path: Vec<&str> = written.path.iter().copied().chain(["model_max_budget", model]).collect();
        let dollars = reading.within(&path, entry.max_budget, 0.0, MOST_DOLLARS)?;
        let text = &entry.budget_duration;
        let period = period(text).ok_or_else(|| {
            let message = format!("`{text}` is not a period such as 1d, 12h or 30d");
            reading.error(codes::SCENARIO_VALUE, &path, message, "")
        })?;
        all.push(ModelLimit { budget: Some(Budget { limit: dollars, period }), ..limit(model) });
    }
    Ok(all)
}

/// Every model that is limited must be one that the gateway knows.
///
/// # Errors
/// A [`Problem`] with the place of the name.
pub fn check_models(reading: &Reading, plan: &Plan) -> Result<(), Problem> {
    for written in everybody(reading).iter().flatten() {
        let named = |key: &'static str, models: Option<&Named<u64>>| -> Vec<(&str, String)> {
            let names = models.into_iter().flat_map(Named::iter);
            names.map(|(model, _)| (key, model.to_owned())).collect()
        };
        let limits =
            [named("model_rpm_limit", written.model_rpm), named("model_tpm_limit", written.model_tpm)].concat();
        for (key, model) in &limits {
            let path: Vec<&str> = written.path.iter().copied().chain([*key, model.as_str()]).collect();
            classes::known_model(reading, &path, plan, model)?;
        }
    }
    Ok(())
}

/// Budgets that do not begin anew within a week, in words: those without a period never do.
pub fn long_budgets(reading: &Reading, start: &Zoned, clock: &Clock) -> Vec<String> {
    // The job that resets budgets comes by every ten minutes.
    const WEEK: SimDuration = SimDuration::from_secs(7 * 86_400 + 3_600);
    const LOOKED_AT: SimDuration = SimDuration::from_secs(5 * 7 * 86_400);
    let lasts = |text: &str| {
        let moments = resets(text, start, LOOKED_AT, clock).unwrap_or_default();
        let ends = moments.iter().copied().chain([SimTime::ZERO + LOOKED_AT]);
        let begins = std::iter::once(SimTime::ZERO).chain(moments.iter().copied());
        begins.zip(ends).any(|(begin, end)| end - begin > WEEK)
    };
    // Many have the same period, and five weeks of ten minutes are thousands of moments: each is reckoned once.
    let mut known: HashMap<&str, bool> = HashMap::new();
    let mut all = Vec::new();
    for written in everybody(reading).iter().flatten() {
        let who = match &*written.path {
            ["keys", name] => format!("key {name}"),
            ["users", name] => format!("user {name}"),
            ["teams", team, _, name] => format!("member {name} of team {team}"),
            path => format!("team {}", path.last().unwrap_or(&"")),
        };
        match (written.budget, written.period) {
            (Some(budget), None) => all.push(format!("the budget of {who} (${budget:.2} in all)")),
            (Some(budget), Some(text)) if *known.entry(text).or_insert_with(|| lasts(text)) => {
                all.push(format!("the budget of {who} (${budget:.2} in {text})"));
            }
            _ => {}
        }
        for (model, entry) in written.model_budgets.into_iter().flat_map(Named::iter) {
            let (budget, text) = (entry.max_budget, &entry.budget_duration);
            if period(text).is_some_and(|period| period > WEEK) {
                all.push(format!("the budget of {who} for {model} (${budget:.2} in {text})"));
            }
        }
    }
    all
}

/// When budgets begin anew, in order of time. Many have the same period: each is reckoned once.
///
/// # Errors
/// A [`Problem`] with the place of the first period that is none.
pub fn budget_resets(
    reading: &Reading,
    start: &Zoned,
    horizon: SimDuration,
    clock: &Clock,
) -> Result<Vec<BudgetReset>, Problem> {
    let mut by_period: BTreeMap<&str, (Vec<SimTime>, Vec<AccountId>)> = BTreeMap::new();
    let everybody = everybody(reading);
    // The master key has the first account.
    for (index, written) in everybody.iter().flatten().enumerate() {
        let Some(period) = written.period else { continue };
        let (_, accounts) = match by_period.entry(period) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert((moments(reading, written, period, (start, horizon, clock))?, Vec::new())),
        };
        accounts.push(AccountId(index as u32 + 1));
    }
    let mut all = Vec::new();
    for (moments, accounts) in by_period.into_values() {
        let accounts: Arc<[AccountId]> = accounts.into();
        all.extend(moments.into_iter().map(|at| BudgetReset { at, accounts: Arc::clone(&accounts) }));
    }
    all.sort_by_key(|reset| reset.at);
    Ok(all)
}

/// When a budget of this period begins anew.
fn moments(
    reading: &Reading,
    written: &Written<'_>,
    period: &str,
    (start, horizon, clock): (&Zoned, SimDuration, &Clock),
) -> Result<Vec<SimTime>, Problem> {
    resets(period, start, horizon, clock).ok_or_else(|| {
        let path: Vec<&str> = written.path.iter().copied().chain(["budget_duration"]).collect();
        let message = format!("`{period}` is not a period such as 1d, 7d, 30d, 6h or 1mo");
        reading.error(codes::SCENARIO_VALUE, &path, message, "")
    })
}
