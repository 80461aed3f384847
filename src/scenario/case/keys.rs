//! Virtual keys of a case, and the users and teams that they belong to.

use super::access::Granted;
use super::fields::Reader;
use crate::document::Node;
use crate::gateway::litellm::keyring::{Holder, KeySpec, Keyring, ModelLimit};
use crate::gateway::litellm::lower::period;
use crate::gateway::litellm::plan::Budget;

/// Users, teams and members of teams, in the order in which they are first named.
#[derive(Default)]
struct Table {
    names: Vec<String>,
    holders: Vec<Holder>,
}

impl Table {
    fn number(&mut self, name: &str) -> usize {
        self.names.iter().position(|known| known == name).unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.holders.push(Holder::default());
            self.names.len() - 1
        })
    }
}

/// Limits of members hold without a team as well, for the user of the key [T 299].
fn member(node: &Node, user: Option<&str>, team: Option<&str>) -> Option<String> {
    let is_limited = || ["team_member_rpm_limit", "team_member_tpm_limit"].iter().any(|key| node.get(key).is_some());
    let team = team.or_else(|| is_limited().then_some("None"));
    user.zip(team).map(|(user, team)| format!("{user}:{team}"))
}

/// Both names are taken, the longer one before the other (`_types.py:UserAPIKeyAuth`) [T 297].
fn organization(node: &Node, reader: &mut Reader) -> Option<String> {
    reader.text(node, "organization_id").or_else(|| reader.text(node, "org_id"))
}

/// The keys and their limits; the master key comes first, under an empty name.
pub(super) fn read(case: &Node, start_nanos: i128, reader: &mut Reader) -> (Vec<Granted>, Keyring) {
    let mut keys = vec![Granted::default()];
    let mut ring = Keyring::default();
    let (mut users, mut teams, mut members) =
        (rows(case, "users", reader), rows(case, "teams", reader), { rows(case, "members", reader) });
    let (mut end_users, mut organizations) = (Table::default(), Table::default());
    for entry in case.get("keys").map(Node::entries).unwrap_or_default() {
        let node = &entry.value;
        let (user, team) = (reader.text(node, "user_id"), reader.text(node, "team_id"));
        let (end_user, organization) = (reader.text(node, "end_user_id"), organization(node, reader));
        let member = member(node, user.as_deref(), team.as_deref());
        keys.push(Granted::read((&entry.key, node), case, start_nanos, reader));
        // The row of a user goes before what its keys say of it, whether it has limits or not [T 227].
        let has_row = user.as_ref().is_some_and(|user| case.get("users").is_some_and(|rows| rows.get(user).is_some()));
        let mut told = [[None; 2]; 5];
        let mut belongs = |name: Option<String>, table: &mut Table, (place, prefix): (usize, &str)| {
            let at = table.number(&name?);
            let holder = &mut table.holders[at];
            let mut known = Holder { rpm: holder.rpm, tpm: holder.tpm, ..Holder::default() };
            if !(has_row && prefix == "user_") {
                take_limits(&mut known, node, prefix, reader);
            }
            told[place] = [known.rpm, known.tpm];
            if !has_row && prefix == "user_" {
                // It is asked for, but nothing is reserved of it (`hooks/max_budget_limiter.py`) [T 274].
                holder.budget = reader.number(node, "user_max_budget").or(holder.budget);
                holder.spent = reader.number(node, "user_spend").unwrap_or(holder.spent);
                holder.reserves_nothing = true;
            }
            Some(at)
        };
        let user = belongs(user, &mut users, (0, "user_"));
        let team = belongs(team, &mut teams, (1, "team_"));
        let member = belongs(member, &mut members, (2, "team_member_"));
        let end_user = belongs(end_user, &mut end_users, (3, "end_user_"));
        let organization = belongs(organization, &mut organizations, (4, "organization_"));
        let parallel = reader.limit(node, "max_parallel_requests");
        let dynamic = ["rpm_limit_type", "tpm_limit_type"].map(|kind| is_dynamic(node, kind));
        ring.keys.push(KeySpec {
            own: own(node, reader),
            dynamic,
            parallel,
            user,
            team,
            member,
            end_user,
            organization,
            told: Some(Box::new(told)),
        });
    }
    (ring.users, ring.teams, ring.members) = (users.holders, teams.holders, members.holders);
    (ring.end_users, ring.organizations) = (end_users.holders, organizations.holders);
    (keys, ring)
}

/// Whether a limit of a key only holds while its model fails.
fn is_dynamic(key: &Node, kind: &str) -> bool {
    key.get("metadata").and_then(|metadata| metadata.get(kind)?.as_str()) == Some("dynamic")
}

/// The rows of users, teams or members as they stand in the database.
fn rows(case: &Node, key: &str, reader: &mut Reader) -> Table {
    let mut table = Table::default();
    for entry in case.get(key).map(Node::entries).unwrap_or_default() {
        let at = table.number(&entry.key);
        let node = &entry.value;
        let mut holder = Holder { models: models(node, reader), ..Holder::default() };
        take_limits(&mut holder, node, "", reader);
        take_budget(&mut holder, node, reader);
        table.holders[at] = holder;
    }
    table
}

fn own(node: &Node, reader: &mut Reader) -> Holder {
    let mut holder = Holder { models: models(node, reader), ..Holder::default() };
    take_limits(&mut holder, node, "", reader);
    take_budget(&mut holder, node, reader);
    holder
}

fn take_limits(holder: &mut Holder, node: &Node, prefix: &str, reader: &mut Reader) {
    let mut limit = |name: &str| reader.limit(node, &format!("{prefix}{name}"));
    holder.rpm = limit("rpm_limit").or(holder.rpm);
    holder.tpm = limit("tpm_limit").or(holder.tpm);
}

fn take_budget(holder: &mut Holder, node: &Node, reader: &mut Reader) {
    holder.budget = reader.number(node, "max_budget");
    holder.spent = reader.number(node, "spend").unwrap_or(0.0);
}

/// Limits for single models: in the metadata, or in `model_max_budget`, whose own limits count
/// where the metadata has none.
fn models(node: &Node, reader: &mut Reader) -> Vec<ModelLimit> {
    let mut all = Vec::new();
    let metadata = node.get("metadata");
    let limits = |key: &str| metadata.and_then(|metadata| metadata.get(key)).map(Node::entries).unwrap_or_default();
    let (rpm, tpm) = (limits("model_rpm_limit"), limits("model_tpm_limit"));
    let count = |value: &Node, reader: &mut Reader| reader.as_number(value).map(|most| most.max(0.0) as u64);
    for entry in rpm {
        all.push(ModelLimit { rpm: count(&entry.value, reader), ..named(&entry.key) });
    }
    for entry in tpm {
        all.push(ModelLimit { tpm: count(&entry.value, reader), ..named(&entry.key) });
    }
    for entry in node.get("model_max_budget").map(Node::entries).unwrap_or_default() {
        let own = |key: &str, reader: &mut Reader| reader.limit(&entry.value, key);
        let (own_rpm, own_tpm) = (own("rpm_limit", reader), own("tpm_limit", reader));
        all.push(ModelLimit {
            rpm: own_rpm.filter(|_| rpm.is_empty()),
            tpm: own_tpm.filter(|_| tpm.is_empty()),
            budget: budget(&entry.value, reader),
            ..named(&entry.key)
        });
    }
    all
}

fn named(model: &str) -> ModelLimit {
    ModelLimit { model: model.to_owned(), ..ModelLimit::default() }
}

/// An amount and a period, under either of their names; a negative amount is no limit.
fn budget(node: &Node, reader: &mut Reader) -> Option<Budget> {
    let limit = reader.number(node, "budget_limit").or_else(|| reader.number(node, "max_budget"))?;
    let text = reader.text(node, "time_period").or_else(|| reader.text(node, "budget_duration"))?;
    (limit >= 0.0).then_some(())?;
    Some(Budget { limit, period: period(&text)? })
}
