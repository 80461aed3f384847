//! Whether the sums in a part's file can be those of runs: what somebody has made up could wrap around when parts are
//! added, or lack what belongs together.

use crate::engine::{DeploymentTotals, RequestTotals};
use crate::experiment::fold::{Fold, StepSeries};
use crate::experiment::forecast::RunRow;
use crate::ledger::Edge;
use crate::stats::Histogram;
use crate::units::{Money, WhyNots};

/// The most that a run counts of requests or calls, as in `forecast.json`.
const MOST: u64 = 1_000_000_000_000;
/// The most dollars of anything: sums of those of a million runs are amounts still.
const MOST_PICOS: u128 = 1_000_000_000_000_000_000_000_000_000_000;

/// Why the sums cannot be added to those of as many parts in all; `None` if they can.
pub fn doubt(fold: &Fold, parts: usize) -> Option<&'static str> {
    let most = u64::MAX / (parts as u64).max(1);
    if !has_shape(fold) {
        return Some("its lists do not belong together");
    }
    if !fold.rows.iter().all(is_sound) {
        return Some("a run counts requests that never came, or more than come in any run");
    }
    if !counters(fold).all(|count| count.is_some_and(|count| count <= most)) {
        return Some("it counts more than runs can");
    }
    let is_large = |amount: Money| amount.picos().unsigned_abs() > MOST_PICOS;
    amounts(fold).any(is_large).then_some("it has amounts that nobody is charged")
}

/// Whether there is a row for each run, and in each row a place for each thing.
fn has_shape(fold: &Fold) -> bool {
    let (runs, deployments) = (fold.rows.len(), fold.deployments.len());
    let of_each =
        |lists: &[Vec<Money>], things: usize| lists.len() == runs && lists.iter().all(|list| list.len() == things);
    let of_step = |step: &StepSeries| {
        let StepSeries { requests, attempts, failure_rate, fallback_share, spend, cumulative } = step;
        [requests, attempts, failure_rate, fallback_share, spend, cumulative].iter().all(|list| list.len() == runs)
    };
    of_each(&fold.deployment_bills, deployments)
        && of_each(&fold.class_bills, fold.classes.len())
        && of_each(&fold.key_bills, fold.keys.len())
        && of_each(&fold.hour_bills, fold.steps.len())
        && fold.why_not.len() == fold.keys.len()
        && fold.steps.iter().all(of_step)
        && fold.step_spend.len() == fold.steps.len() * deployments
}

/// Whether the requests of a run are those that ended in one way or another.
fn is_sound(row: &RunRow) -> bool {
    let ends = [row.served, row.failed, row.rejected, row.abandoned, row.lost, row.in_flight];
    let others = [row.requests, row.cache_hits, row.client_retries, row.fallbacks, row.attempts];
    ends.iter().chain(&others).all(|count| *count <= MOST)
        && ends.iter().sum::<u64>() == row.requests
        && row.client_retries <= row.requests - row.served
}

/// Every counter; `None` for one that is too large by itself.
fn counters(fold: &Fold) -> impl Iterator<Item = Option<u64>> {
    let of_requests = |totals: &RequestTotals| {
        let RequestTotals { requests, failed, unpriced } = *totals;
        [requests, failed, unpriced].map(Some)
    };
    let of_edge = |edge: &Edge| [edge.charges, edge.unknown].map(Some);
    fold.deployments
        .iter()
        .flat_map(of_deployment)
        .chain(fold.classes.iter().chain(&fold.keys).flat_map(of_requests))
        .chain(fold.edges.values().flat_map(of_edge))
        .chain(fold.why_not.iter().map(WhyNots::checked_total))
        .chain([fold.latency.checked_count()])
}

fn of_deployment(totals: &DeploymentTotals) -> Vec<Option<u64>> {
    // Without `..`: a counter that is not looked at does not compile. Times saturate.
    let DeploymentTotals {
        attempts,
        served,
        errors,
        input_tokens,
        output_tokens,
        unpriced_input,
        unpriced_output,
        unpriced_calls,
        unpriced_answered,
        unpriced_models,
        cooldowns,
        cooling: _,
        latency,
        demand,
        billed,
    } = totals;
    let plain = [attempts, served, input_tokens, output_tokens, unpriced_input, unpriced_output, unpriced_calls];
    let more = [unpriced_answered, cooldowns].into_iter().chain(errors).chain(unpriced_models.iter().flatten());
    let mut all: Vec<Option<u64>> = plain.into_iter().chain(more).copied().map(Some).collect();
    all.extend(billed.iter().map(|(_, sum)| Some(sum.quantity)));
    all.extend([latency, &demand.calls, &demand.tokens, &demand.concurrency].map(Histogram::checked_count));
    all
}

/// Every amount.
fn amounts(fold: &Fold) -> impl Iterator<Item = Money> {
    let of_row = |row: &RunRow| {
        let own = [row.bill, row.fallback_premium, row.reported_spend];
        own.into_iter().chain(row.by_cause.iter().map(|(_, amount)| *amount)).collect::<Vec<_>>()
    };
    let lists = [&fold.deployment_bills, &fold.class_bills, &fold.key_bills, &fold.hour_bills];
    let billed = fold.deployments.iter().flat_map(|totals| totals.billed.iter().map(|(_, sum)| sum.amount));
    fold.rows
        .iter()
        .flat_map(of_row)
        .chain(lists.into_iter().flatten().flatten().copied())
        .chain(billed)
        .chain(fold.edges.values().flat_map(|edge| [edge.amount, edge.premium]))
        .chain(fold.step_spend.iter().copied())
        .chain(fold.by_cause.iter().map(|(_, amount)| *amount))
        .chain([fold.bill, fold.reported, fold.premium])
}
