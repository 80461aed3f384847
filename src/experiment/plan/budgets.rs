//! The smallest budgets of keys, users, teams and deployments that refuse no more than a target and make the bill
//! no higher: each is sought by itself, the others as they are, in the same random weekends. A budget of a
//! deployment refuses nothing where a fallback takes over, however small it is; where that is dearer, a small
//! budget makes a large bill.

use crate::engine::{Run, simulate};
use crate::experiment::fold::dollars;
use crate::experiment::replicate::{Options, Progress, each_run};
use crate::random::Replication;
use crate::scenario::{Edit, Problem, World};
use crate::stats::quantile_of_sorted;
use crate::units::Money;

/// Budgets that are sought at most: each takes a dozen times the runs.
pub const MOST_BUDGETS: usize = 12;
/// Runs that are looked at.
const MOST_RUNS: u64 = 16;
/// Budgets are found to this share of them.
const PRECISION: f64 = 0.01;
/// More than anybody spends.
const NO_BUDGET: &str = "1000000000";
/// The period of a deployment's budget where none is written: without one it is not enforced.
const PERIOD: &str = "1d";

/// Whose budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BudgetOf {
    /// A virtual key.
    Key,
    /// A user.
    User,
    /// A team.
    Team,
    /// A deployment.
    Deployment,
}

/// One budget of the gateway.
#[derive(Debug, Clone, PartialEq)]
pub struct BudgetPlan {
    /// Whose.
    pub of: BudgetOf,
    /// Of which.
    pub name: String,
    /// Where it is written, as `--set` takes it.
    pub path: String,
    /// In which time it may be spent, as LiteLLM writes it; none for the whole run.
    pub period: Option<String>,
    /// Today's.
    pub today: Option<Money>,
    /// What a run spends without it: median, 95th percentile, most; none where the ledger does not tell (users, teams).
    pub used: Option<[Money; 3]>,
    /// The smallest that meets the target.
    pub smallest: Money,
    /// Share of the requests without a good answer at that.
    pub failure_rate: f64,
    /// The mean bill without it, and with the smallest.
    pub bill: [Money; 2],
}

/// A budget that is to be sought.
struct Subject {
    of: BudgetOf,
    name: String,
    path: String,
    period: Option<String>,
    /// The change that makes the period one.
    adds_period: Option<String>,
    today: Option<Money>,
    /// Its place in the ledger.
    spent: Option<fn(&Run, usize) -> Money>,
    index: usize,
}

/// What a run comes to.
struct Seen {
    failed: u64,
    requests: u64,
    spent: Money,
    bill: Money,
}

/// What runs come to together.
#[derive(Debug, Clone, Copy)]
struct Outcome {
    failure_rate: f64,
    bill: Money,
}

impl Outcome {
    fn of(seen: &[Seen]) -> Self {
        let bill: Money = seen.iter().map(|seen| seen.bill).sum();
        Self { failure_rate: rate(seen), bill: bill.divided_by(seen.len().max(1) as u64) }
    }
}

/// Budgets that were sought.
#[derive(Debug, Clone, PartialEq)]
pub struct SoughtBudgets {
    /// Those whose search came to an end.
    pub found: Vec<BudgetPlan>,
    /// Whether it was interrupted before all were found.
    pub is_partial: bool,
}

/// Seeks the budgets. `load` compiles the scenario with changes.
///
/// # Errors
/// Those of `load`.
pub fn seek_budgets<E: From<Problem>>(
    world: &World,
    options: &Options,
    target: f64,
    progress: &dyn Progress,
    load: &dyn Fn(Vec<Edit>) -> Result<World, E>,
) -> Result<SoughtBudgets, E> {
    let mut found = Vec::new();
    for subject in subjects(world).into_iter().take(MOST_BUDGETS) {
        let seek = Seek { subject: &subject, options, progress, load };
        let Some(budget) = seek.smallest(target)? else { return Ok(SoughtBudgets { found, is_partial: true }) };
        found.push(budget);
    }
    Ok(SoughtBudgets { found, is_partial: false })
}

/// Those with a budget today, then keys, then deployments.
fn subjects(world: &World) -> Vec<Subject> {
    let holders = [("keys", BudgetOf::Key), ("users", BudgetOf::User), ("teams", BudgetOf::Team)];
    let mut all: Vec<Subject> = Vec::new();
    for (section, of) in holders {
        let names = world.trees.iter().filter_map(|tree| tree.get(section)).flat_map(|node| node.entries());
        for name in names.map(|entry| entry.key.to_string()) {
            if !all.iter().any(|known| known.of == of && known.name == name) {
                all.extend(holder(world, section, of, &name));
            }
        }
    }
    all.extend((0..world.names.deployments.len()).filter_map(|index| deployment(world, index)));
    all.sort_by_key(|subject| subject.today.is_none());
    all
}

fn is_plain(name: &str) -> bool {
    !name.contains(['"', '\\', ']', '[']) && !name.contains(char::is_control)
}

fn holder(world: &World, section: &str, of: BudgetOf, name: &str) -> Option<Subject> {
    let path = format!("{section}.\"{name}\".max_budget");
    let today = world.written(&path).and_then(|text| text.parse().ok());
    let period = world.written(&format!("{section}.\"{name}\".budget_duration"));
    let index = world.names.keys.iter().position(|key| key.name == name).unwrap_or_default();
    let spent: Option<fn(&Run, usize) -> Money> = match of {
        BudgetOf::Key => Some(|run, index| run.ledger.by_key()[index]),
        _ => None,
    };
    is_plain(name).then(|| Subject { of, name: name.to_owned(), path, period, adds_period: None, today, spent, index })
}

fn deployment(world: &World, index: usize) -> Option<Subject> {
    let name = &world.names.deployments[index].name;
    let entry = format!("gateway.model_list[{name}].litellm_params");
    let budget = world.gateway.deployments[index].budget;
    let money = |dollars: f64| format!("{dollars:.6}").parse().ok();
    let hours = |budget: crate::gateway::litellm::plan::Budget| budget.period.as_secs_f64() / 3600.0;
    is_plain(name).then(|| Subject {
        of: BudgetOf::Deployment,
        name: name.clone(),
        path: format!("{entry}.max_budget"),
        period: Some(budget.map_or_else(|| PERIOD.to_owned(), |budget| format!("{} h", hours(budget)))),
        adds_period: budget.is_none().then(|| format!("{entry}.budget_duration={PERIOD}")),
        today: budget.and_then(|budget| money(budget.limit)),
        spent: Some(|run, index| run.ledger.by_deployment()[index]),
        index,
    })
}

/// One budget under search.
struct Seek<'a, E> {
    subject: &'a Subject,
    options: &'a Options,
    progress: &'a dyn Progress,
    load: &'a dyn Fn(Vec<Edit>) -> Result<World, E>,
}

impl<E: From<Problem>> Seek<'_, E> {
    /// The smallest budget; none where the search was interrupted.
    fn smallest(&self, target: f64) -> Result<Option<BudgetPlan>, E> {
        let Some(free) = self.play(NO_BUDGET)? else { return Ok(None) };
        let most = free.iter().map(|seen| dollars(seen.spent)).fold(0.0, f64::max);
        let without = Outcome::of(&free);
        let is_allowed =
            |there: &Outcome| there.failure_rate <= without.failure_rate + target && there.bill <= without.bill;
        // A budget counts what the gateway reports, which may be more than what is billed.
        let (mut low, mut high) = (0.0, if most > 0.0 { most * 1.1 } else { 1.0 });
        let Some(mut found) = self.outcome_at(high)? else { return Ok(None) };
        while !is_allowed(&found) && high < 1e9 {
            (low, high) = (high, high * 2.0);
            let Some(there) = self.outcome_at(high)? else { return Ok(None) };
            found = there;
        }
        while high > 0.01 && high - low > PRECISION * high {
            let middle = cents(f64::midpoint(low, high));
            if middle <= low || middle >= high {
                break;
            }
            let Some(there) = self.outcome_at(middle)? else { return Ok(None) };
            if is_allowed(&there) { (high, found) = (middle, there) } else { low = middle }
        }
        Ok(Some(self.told(&free, high, found)))
    }

    /// What comes of a budget in dollars.
    fn outcome_at(&self, budget: f64) -> Result<Option<Outcome>, E> {
        Ok(self.play(&written(budget))?.map(|seen| Outcome::of(&seen)))
    }

    fn told(&self, free: &[Seen], smallest: f64, found: Outcome) -> BudgetPlan {
        let mut spent: Vec<Money> = free.iter().map(|seen| seen.spent).collect();
        spent.sort_unstable();
        let at = |p: f64| quantile_of_sorted(&spent, p).copied().unwrap_or_default();
        let Subject { of, name, path, period, today, spent: is_known, .. } = self.subject;
        BudgetPlan {
            of: *of,
            name: name.clone(),
            path: path.clone(),
            period: period.clone(),
            today: *today,
            used: is_known.map(|_| [at(0.5), at(0.95), at(1.0)]),
            smallest: written(smallest).parse().unwrap_or_default(),
            failure_rate: found.failure_rate,
            bill: [Outcome::of(free).bill, found.bill],
        }
    }

    /// The runs with this budget; none where they were interrupted.
    fn play(&self, budget: &str) -> Result<Option<Vec<Seen>>, E> {
        if self.progress.stop() {
            return Ok(None);
        }
        let Subject { path, adds_period, spent, index, .. } = self.subject;
        let mut edits = vec![Edit::parse(&format!("{path}={budget}"))?];
        edits.extend(adds_period.as_deref().map(Edit::parse).transpose()?);
        let world = (self.load)(edits)?;
        let runs = self.options.runs.min(MOST_RUNS);
        let seen = each_run(self.options, runs, self.progress, |replication: Replication| {
            let run = simulate(&world, self.options.seed, replication, world.horizon);
            let spent = spent.map_or(Money::ZERO, |of| of(&run, *index));
            let bill = run.ledger.total();
            Seen { failed: run.failed + run.rejected + run.lost, requests: run.requests, spent, bill }
        });
        Ok((!self.progress.stop()).then_some(seen))
    }
}

/// Share of the requests without a good answer.
fn rate(seen: &[Seen]) -> f64 {
    let sum = |of: fn(&Seen) -> u64| seen.iter().map(of).sum::<u64>() as f64;
    sum(|seen| seen.failed) / sum(|seen| seen.requests).max(1.0)
}

/// Whole cents, upwards.
fn cents(dollars: f64) -> f64 {
    (dollars * 100.0).ceil() / 100.0
}

fn written(dollars: f64) -> String {
    format!("{:.2}", cents(dollars))
}
