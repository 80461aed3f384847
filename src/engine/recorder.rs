//! Watches a run and keeps sums: the books, counters by step of time, by deployment and by class.

use crate::engine::demand::Meter;
use crate::engine::machine::{AttemptRecord, Observer, RequestRecord};
use crate::engine::run::{DeploymentTotals, ErrorClass, Run, StepTotals};
use crate::gateway::{Attempt, AttemptRole, Notes, Response, Source};
use crate::ledger::{Cause, Charge, DeploymentTariff, Ledger, Shape, Tariffs};
use crate::provider::Service;
use crate::units::{CallId, DeploymentId, GroupId, Money, Outcome, SimDuration, SimTime, Usage};

/// Records one run.
pub struct Recorder<'a> {
    tariffs: &'a Tariffs,
    /// Steps of time in a nanosecond: a multiplication instead of a division, four times a request.
    steps_per_nano: f64,
    horizon: SimTime,
    /// By deployment: what the provider bills is what the gateway reports.
    same_prices: Vec<bool>,
    meters: Vec<Meter>,
    cooling_until: Vec<SimTime>,
    run: Run,
}

impl<'a> Recorder<'a> {
    /// A recorder for a run of length `horizon`, with counters per `step` of time.
    pub fn new(tariffs: &'a Tariffs, shape: Shape, horizon: SimDuration, step: SimDuration, replication: u64) -> Self {
        let step_nanos = step.0.max(1);
        let steps = usize::try_from((horizon.0.max(1) - 1) / step_nanos + 1).unwrap_or(1);
        Self {
            tariffs,
            steps_per_nano: 1.0 / step_nanos as f64,
            horizon: SimTime::ZERO + horizon,
            same_prices: tariffs.deployments.iter().map(DeploymentTariff::is_reported_as_billed).collect(),
            meters: vec![Meter::default(); shape.deployments],
            cooling_until: vec![SimTime::ZERO; shape.deployments],
            run: Run {
                replication,
                ledger: Ledger::new(shape),
                steps: vec![StepTotals::default(); steps],
                spend_by_deployment: vec![Money::ZERO; steps * shape.deployments],
                deployments: vec![DeploymentTotals::default(); shape.deployments],
                classes: vec![Default::default(); shape.classes],
                keys: vec![Default::default(); shape.keys],
                ..Run::default()
            },
        }
    }

    /// The finished run.
    pub fn finish(mut self) -> Run {
        for (meter, totals) in self.meters.iter_mut().zip(&mut self.run.deployments) {
            meter.close(self.horizon, &mut totals.demand);
        }
        self.run
    }

    /// The step of time that a moment belongs to; what happens after the horizon belongs to the last one.
    fn step_index(&self, at: SimTime) -> usize {
        ((at.0 as f64 * self.steps_per_nano) as i32 as usize).min(self.run.steps.len() - 1)
    }

    fn home(&self, request: &RequestRecord, served: GroupId) -> GroupId {
        self.tariffs.homes[request.view.model.index()].unwrap_or(served)
    }

    /// Books what the provider bills for an attempt; says how much, if anyone knows.
    fn charge(&mut self, request: &RequestRecord, attempt: &AttemptRecord<'_>) -> Option<Money> {
        let deployment = attempt.attempt.deployment;
        let tariff = &self.tariffs.deployments[deployment.index()];
        let usage = &attempt.billed;
        let Some(rates) = tariff.billed.as_ref().map(|schedule| schedule.at(attempt.at)) else {
            self.run.deployments[deployment.index()].unpriced(usage);
            return None;
        };
        let group = tariff.group;
        let home = self.home(request, group);
        let parts = rates.charge_parts(usage);
        let (amount, writing) = (parts.total(), Money::from_picos(parts.cache_write.into()));
        let premium = match home != group {
            true => self.tariffs.home_charge(home, usage, attempt.at).map_or(Money::ZERO, |at_home| amount - at_home),
            false => Money::ZERO,
        };
        let charge = Charge {
            cause: cause_of(request, attempt),
            deployment,
            key: request.view.key,
            class: request.class,
            home,
            group,
            amount: amount - writing,
            premium,
        };
        self.run.ledger.post(&charge);
        if writing != Money::ZERO {
            let premium = Money::ZERO;
            self.run.ledger.post(&Charge { cause: Cause::CacheWrite, amount: writing, premium, ..charge });
        }
        let step = self.step_index(attempt.at);
        self.run.steps[step].spend += amount;
        let deployments = self.run.deployments.len();
        self.run.spend_by_deployment[step * deployments + deployment.index()] += amount;
        Some(amount)
    }

    /// What the gateway would write into its own spend log for this attempt: failures cost nothing there.
    fn report_spend(&mut self, attempt: &AttemptRecord<'_>, charged: Option<Money>) {
        if !matches!(attempt.ended.outcome, Outcome::Ok | Outcome::Cancelled) {
            return;
        }
        let index = attempt.attempt.deployment.index();
        self.run.reported_spend += match (charged, &self.tariffs.deployments[index].reported) {
            (Some(amount), _) if self.same_prices[index] && attempt.billed == attempt.ended.usage => amount,
            (_, Some(rates)) => rates.at(attempt.at).charge(&attempt.ended.usage),
            (_, None) => Money::ZERO,
        };
    }
}

/// Why an attempt costs what it costs.
pub(super) fn cause_of(request: &RequestRecord, attempt: &AttemptRecord<'_>) -> Cause {
    match (attempt.ended.outcome, attempt.attempt.role) {
        _ if request.client_gone => Cause::Abandoned,
        (Outcome::Ok, AttemptRole::First) => Cause::FirstAttempt,
        (Outcome::Ok, AttemptRole::Retry) => Cause::Retry,
        (Outcome::Ok, AttemptRole::Fallback) => Cause::Fallback,
        _ => Cause::FailedAttempt,
    }
}

impl Notes for Recorder<'_> {
    fn cooldown(&mut self, at: SimTime, deployment: DeploymentId, until: SimTime) {
        let totals = &mut self.run.deployments[deployment.index()];
        let cooling_until = &mut self.cooling_until[deployment.index()];
        // A deployment that rests already is not put to rest again.
        totals.cooldowns += u64::from(at >= *cooling_until);
        let from = at.max(*cooling_until).min(self.horizon);
        let until = until.min(self.horizon).max(from);
        totals.cooling = totals.cooling + (until - from);
        *cooling_until = until;
    }
}

impl Observer for Recorder<'_> {
    fn arrived(&mut self, _: CallId, request: &RequestRecord) {
        let step = self.step_index(request.arrived);
        self.run.steps[step].requests += 1;
        self.run.requests += 1;
        self.run.classes[request.class.index()].requests += 1;
        self.run.keys[request.view.key.index()].requests += 1;
    }

    fn attempted(&mut self, _: CallId, request: &RequestRecord, attempt: &Attempt, service: &Service, now: SimTime) {
        let tokens = match service.outcome {
            Outcome::Ok => service.usage.total(),
            _ => u64::from(request.view.prompt_tokens),
        };
        let index = attempt.deployment.index();
        self.meters[index].begin(now, tokens, &mut self.run.deployments[index].demand);
        self.run.attempts += 1;
        self.run.deployments[index].attempts += 1;
        let step = self.step_index(now);
        self.run.steps[step].attempts += 1;
    }

    fn ended(&mut self, _: CallId, request: &RequestRecord, attempt: &AttemptRecord<'_>) {
        let index = attempt.attempt.deployment.index();
        self.meters[index].end(attempt.at, &mut self.run.deployments[index].demand);
        let totals = &mut self.run.deployments[index];
        match ErrorClass::of(attempt.ended.outcome) {
            Some(class) => totals.errors[class as usize] += 1,
            None => totals.answered(&attempt.ended.usage, attempt.at - attempt.ended.started),
        }
        let is_billed = attempt.billed != Usage::default();
        let charged = if is_billed { self.charge(request, attempt) } else { None };
        self.report_spend(attempt, charged);
    }

    fn responded(&mut self, _: CallId, request: &RequestRecord, response: &Response, now: SimTime) {
        let step = self.step_index(request.arrived);
        let fell_back = response.served_by.is_some_and(|deployment| {
            let group = self.tariffs.deployments[deployment.index()].group;
            response.ok && self.home(request, group) != group
        });
        let run = &mut self.run;
        match response.source {
            _ if request.client_gone => run.abandoned += 1,
            Source::ClientLeft => run.abandoned += 1,
            source if response.ok => {
                run.served += 1;
                run.cache_hits += u64::from(source == Source::Cache);
                run.latency.add((now - request.arrived).as_secs_f64());
            }
            source => {
                run.steps[step].failed += 1;
                run.classes[request.class.index()].failed += 1;
                run.keys[request.view.key.index()].failed += 1;
                match source {
                    Source::Admission => run.rejected += 1,
                    _ => run.failed += 1,
                }
            }
        }
        run.fallbacks += u64::from(fell_back);
        run.steps[step].fallbacks += u64::from(fell_back);
    }

    fn left_in_flight(&mut self, _: CallId, _: &RequestRecord) {
        self.run.in_flight += 1;
    }
}
