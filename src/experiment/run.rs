//! The main job: a world in, a forecast out.

use crate::diagnostic::Diagnostic;
use crate::engine::{Run, simulate};
use crate::experiment::assemble::{
    DeploymentLabel, Labels, ShareLabel, deployment_rows, edge_rows, failure_rate, fallback_share, hour_rows, intents,
    key_rows, requests, share_rows, unanswered_rate, unpriced_rows, upstream_calls, why_not_rows,
};
use crate::experiment::detail::{day_rows, provider_rows};
use crate::experiment::findings::findings;
use crate::experiment::fold::{Fold, by_bill, latency};
use crate::experiment::forecast::{About, Forecast, RunRow, Timeline, TimelineStep, Window};
use crate::experiment::next::next;
use crate::experiment::part::Part;
use crate::experiment::replicate::{Options, Progress, replicate, replicate_these};
use crate::random::{Replication, Seed};
use crate::scenario::{GATEWAY, PROFILE, World};
use crate::stats::quantile_of_sorted;
use crate::units::{SimDuration, SimTime};

pub(super) const HOUR: SimDuration = SimDuration::from_secs(3600);
/// The most steps of the timeline of the expensive run, where a step is no longer than the longest below.
const TIMELINE_STEPS: i64 = 192;
/// Steps of timelines, minutes: those that people read on a clock.
const TIMELINE_MINUTES: [i64; 9] = [5, 10, 15, 30, 60, 120, 180, 360, 720];

/// Simulates replications of a world and says what they say together.
pub fn forecast(world: &World, options: &Options, progress: &dyn Progress) -> Forecast {
    let fold = replicate(options, progress, |replication| hourly(world, options.seed, replication));
    assembled(world, options, fold)
}

/// Simulates the `number`th of `of` parts of the replications, to be merged with the others.
pub fn part(world: &World, options: &Options, number: u64, of: u64, progress: &dyn Progress) -> Part {
    let numbers = Part::numbers(options.runs, number, of);
    let first = numbers.start;
    let fold = replicate_these(options, numbers, progress, |replication| hourly(world, options.seed, replication));
    Part::new(world, options, first, fold)
}

/// One replication with counters by the hour.
pub(super) fn hourly(world: &World, seed: Seed, replication: Replication) -> Run {
    simulate(world, seed, replication, HOUR)
}

/// What the folded runs of a world say.
pub fn assembled(world: &World, options: &Options, fold: Fold) -> Forecast {
    let mut forecast = summed(world, options, fold);
    forecast.expensive = expensive(world, options.seed, &forecast.runs);
    forecast.findings = findings(&forecast);
    forecast.next = next(world, &forecast);
    forecast
}

/// The same without what is told of a single run and what follows from it.
pub(super) fn summed(world: &World, options: &Options, fold: Fold) -> Forecast {
    let labels = labels(world);
    let runs = fold.runs().max(1);
    Forecast {
        about: about(world, options, &fold),
        bill: fold.bill_stats(),
        failure_rate: failure_rate(&fold.rows),
        fallback_share: fallback_share(&fold.rows),
        requests: requests(&fold.rows),
        intents: intents(&fold.rows),
        unanswered_rate: unanswered_rate(&fold.rows),
        upstream_calls: upstream_calls(&fold.rows),
        latency_s: latency(&fold.latency),
        cost_by_cause: fold.mean_by_cause(),
        fallback_premium: fold.premium.divided_by(runs),
        reported_spend: fold.reported.divided_by(runs),
        unpriced: unpriced_rows(&fold, &labels),
        hours: hour_rows(&fold, &labels),
        deployments: deployment_rows(&fold, &labels, world.horizon.as_secs_f64()),
        classes: share_rows(&fold, &labels.classes, &fold.classes, &fold.class_bills),
        keys: key_rows(&fold, &labels.keys),
        why_not: why_not_rows(&fold),
        providers: provider_rows(&fold, &labels.deployments),
        days: day_rows(world, &fold),
        percentile_runs: Vec::new(),
        budget: world.budget,
        holidays: world.holidays.clone(),
        lasting: world.lasting.clone(),
        written: world.written.clone(),
        edges: edge_rows(&fold, &labels),
        expensive: None,
        findings: Vec::new(),
        next: None,
        policies: Vec::new(),
        alerts: None,
        assumptions: world.assumptions.clone(),
        diagnostics: spoilt(world).chain(&world.diagnostics).cloned().collect(),
        runs: fold.rows,
    }
}

/// Why the figures are worth nothing, where a trace was not the same in all runs.
fn spoilt(world: &World) -> impl Iterator<Item = &Diagnostic> {
    world.room.spoilt().into_iter().flat_map(|problem| &problem.diagnostics)
}

/// What was simulated.
pub(super) fn about(world: &World, options: &Options, fold: &Fold) -> About {
    About {
        scenario: world.name.clone(),
        description: world.description.clone(),
        seed: options.seed.0,
        runs: fold.runs(),
        partial: options.precision.is_none() && fold.runs() < options.runs,
        horizon_hours: world.horizon.as_secs_f64() / 3600.0,
        start: world.start.to_string(),
        gateway: GATEWAY.into(),
        profile: PROFILE.into(),
        prices_as_of: world.prices_as_of.clone(),
        version: env!("CARGO_PKG_VERSION").into(),
        command: options.command.clone(),
    }
}

/// What everything is called.
pub(super) fn labels(world: &World) -> Labels {
    let names = &world.names;
    let deployment = |(index, name): (usize, &crate::scenario::DeploymentName)| DeploymentLabel {
        name: name.name.clone(),
        group: names.groups[name.group.index()].clone(),
        model: name.model.clone(),
        models: name.models.clone(),
        provider: name.provider.to_owned(),
        priced: world.tariffs.deployments[index].is_priced(),
        rpm_limit: name.rpm_limit,
        tpm_limit: name.tpm_limit,
        concurrency_limit: name.concurrency_limit,
    };
    Labels {
        deployments: names.deployments.iter().enumerate().map(deployment).collect(),
        groups: names.groups.clone(),
        keys: names.keys.iter().map(|key| ShareLabel { name: key.name.clone(), team: key.team.clone() }).collect(),
        classes: names.classes.iter().map(|name| ShareLabel { name: name.clone(), team: None }).collect(),
        steps: hour_labels(world),
    }
}

/// Local time at the begin of each hour of the horizon; a change of the clocks shows.
fn hour_labels(world: &World) -> Vec<String> {
    let hours = (world.horizon.0.max(1) - 1) / HOUR.0 + 1;
    (0..hours).map(|hour| local_time(world, hour * HOUR.0)).collect()
}

/// The wall clock at the scenario's place so many nanoseconds after the start.
pub(super) fn local_time(world: &World, nanos: i64) -> String {
    let at = world.start.checked_add(jiff::SignedDuration::from_nanos(nanos)).unwrap_or_else(|_| world.start.clone());
    at.strftime("%Y-%m-%d %H:%M").to_string()
}

/// The run at the P95 of the bill, simulated once more with finer steps.
fn expensive(world: &World, seed: Seed, rows: &[RunRow]) -> Option<Timeline> {
    let (bill, number) = *quantile_of_sorted(&by_bill(rows), 0.95)?;
    let steps = TIMELINE_MINUTES.map(|minutes| SimDuration::from_secs(minutes * 60));
    let fits = |step: &SimDuration| step.0.saturating_mul(TIMELINE_STEPS) >= world.horizon.0;
    let step = steps.into_iter().find(fits).unwrap_or(steps[steps.len() - 1]);
    let run = simulate(world, seed, Replication(number), step);
    Some(Timeline {
        run: number,
        bill,
        step_minutes: step.as_secs_f64() / 60.0,
        start: local_time(world, 0),
        steps: timeline_steps(&run),
        windows: windows(world, seed, Replication(number)),
    })
}

fn timeline_steps(run: &Run) -> Vec<TimelineStep> {
    let step = |totals: &crate::engine::StepTotals| TimelineStep {
        requests: totals.requests,
        failed: totals.failed,
        fallbacks: totals.fallbacks,
        attempts: totals.attempts,
        spend: totals.spend,
    };
    run.steps.iter().map(step).collect()
}

fn windows(world: &World, seed: Seed, replication: Replication) -> Vec<Window> {
    let end = SimTime::ZERO + world.horizon;
    let hours = |at: SimTime| at.min(end).as_secs_f64() / 3600.0;
    let mut all = Vec::new();
    for (index, trouble) in world.names.troubles.iter().enumerate() {
        for window in world.providers.windows(index, seed, replication, end) {
            let (from_hour, to_hour) = (hours(window.start), hours(window.end));
            all.push(Window { target: trouble.target.clone(), kind: trouble.kind.into(), from_hour, to_hour });
        }
    }
    all.sort_by(|a, b| a.from_hour.total_cmp(&b.from_hour));
    all
}
