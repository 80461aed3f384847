//! Counters by step of time, read off the totals of the run when a step is over: a call pays one comparison for them
//! instead of four additions of its own.

use crate::engine::run::Run;
use crate::ledger::split;
use crate::units::{DeploymentId, Money, SimDuration, SimTime};

/// Where a run stands on its grid of steps. What happens after the horizon belongs to the last step.
#[derive(Debug)]
pub struct Steps {
    nanos: i64,
    count: usize,
    /// The current step.
    current: usize,
    /// When it is over; the last one never is.
    ends: SimTime,
    /// Requests and calls before it.
    requests: u64,
    attempts: u64,
    /// What each deployment had charged before it.
    spend: Vec<Money>,
}

impl Steps {
    /// A grid over `horizon`.
    pub fn new(horizon: SimDuration, step: SimDuration) -> Self {
        let nanos = step.0.max(1);
        let count = usize::try_from((horizon.0.max(1) - 1) / nanos + 1).unwrap_or(1);
        let mut steps =
            Self { nanos, count, current: 0, ends: SimTime::NEVER, requests: 0, attempts: 0, spend: Vec::new() };
        steps.stand_at(0);
        steps
    }

    /// How many there are.
    pub const fn count(&self) -> usize {
        self.count
    }

    /// The step that a moment belongs to.
    pub fn of(&self, at: SimTime) -> usize {
        usize::try_from(at.0 / self.nanos).map_or(0, |step| step.min(self.count - 1))
    }

    /// Whether a moment that is not in the past belongs to the current step.
    #[inline]
    pub fn holds(&self, at: SimTime) -> bool {
        at < self.ends
    }

    /// Adds an amount that a deployment is charged evenly over a run that is closed already.
    pub fn spread(&self, amount: Money, deployment: DeploymentId, horizon: SimDuration, run: &mut Run) {
        let nanos = |step: usize| {
            let begun = self.nanos.saturating_mul(i64::try_from(step).unwrap_or(i64::MAX));
            u64::try_from(horizon.0.saturating_sub(begun).min(self.nanos)).unwrap_or(0)
        };
        let lengths: Vec<u64> = (0..self.count).map(nanos).collect();
        let deployments = run.spend_by_deployment.len() / self.count.max(1);
        for (step, part) in split(amount.picos(), &lengths).into_iter().enumerate() {
            let part = Money::from_picos(part);
            run.steps[step].spend += part;
            run.spend_by_deployment[step * deployments + deployment.index()] += part;
        }
    }

    /// The run is over.
    pub fn close(&mut self, run: &mut Run) {
        self.write_down(run);
    }

    /// Something is about to happen at `now`, which the current step does not hold: it is written down.
    pub fn turn(&mut self, now: SimTime, run: &mut Run) {
        self.write_down(run);
        self.stand_at(self.of(now));
    }

    fn stand_at(&mut self, step: usize) {
        let end = self.nanos.saturating_mul(i64::try_from(step).unwrap_or(i64::MAX).saturating_add(1));
        self.current = step;
        self.ends = if step + 1 < self.count { SimTime(end) } else { SimTime::NEVER };
    }

    /// Books what has been added to the totals since the step began.
    fn write_down(&mut self, run: &mut Run) {
        let step = &mut run.steps[self.current];
        step.requests += run.requests - self.requests;
        step.attempts += run.attempts - self.attempts;
        (self.requests, self.attempts) = (run.requests, run.attempts);
        let totals = run.ledger.by_deployment();
        self.spend.resize(totals.len(), Money::ZERO);
        let first = self.current * totals.len();
        let cells = run.spend_by_deployment.iter_mut().skip(first);
        for ((before, total), cell) in self.spend.iter_mut().zip(totals).zip(cells) {
            let spent = *total - *before;
            step.spend += spent;
            *cell += spent;
            *before = *total;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::run::StepTotals;
    use proptest::prelude::*;

    proptest! {
        /// The slow twin: the step of each arrival by division.
        #[test]
        fn steps_are_those_of_a_division(mut arrivals in prop::collection::vec(0i64..130, 0..60), step in 1i64..40) {
            arrivals.sort_unstable();
            let mut steps = Steps::new(SimDuration(100), SimDuration(step));
            let mut run = Run { steps: vec![StepTotals::default(); steps.count()], ..Run::default() };
            let mut slow = vec![0; steps.count()];
            for at in arrivals {
                if !steps.holds(SimTime(at)) {
                    steps.turn(SimTime(at), &mut run);
                }
                run.requests += 1;
                let last = slow.len() - 1;
                slow[((at / step) as usize).min(last)] += 1;
            }
            steps.close(&mut run);
            prop_assert_eq!(run.steps.iter().map(|step| step.requests).collect::<Vec<_>>(), slow);
        }
    }
}
