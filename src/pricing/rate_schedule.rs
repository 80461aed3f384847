//! Rates on the clock of a run.

use crate::pricing::compiled::CompiledRates;
use crate::units::SimTime;

/// Rates that may change during the run: off-peak hours, dated prices. Each step holds from its moment on.
#[derive(Debug, Clone, PartialEq)]
pub struct RateSchedule {
    steps: Box<[(SimTime, CompiledRates)]>,
}

impl RateSchedule {
    /// Rates that never change.
    pub fn constant(rates: CompiledRates) -> Self {
        Self { steps: Box::new([(SimTime::ZERO, rates)]) }
    }

    /// Rates that change at the given moments; `None` if there are none or they are not in order of time.
    pub fn stepwise(steps: Vec<(SimTime, CompiledRates)>) -> Option<Self> {
        let ordered = !steps.is_empty() && steps.windows(2).all(|pair| pair[0].0 < pair[1].0);
        ordered.then(|| Self { steps: steps.into_boxed_slice() })
    }

    /// These rates until a moment, then others.
    #[must_use]
    pub fn then(&self, at: SimTime, later: &Self) -> Self {
        let before = self.steps.iter().filter(|(from, _)| *from < at).cloned();
        let after = later.steps.iter().filter(|(from, _)| *from > at).cloned();
        Self { steps: before.chain(std::iter::once((at, later.at(at).clone()))).chain(after).collect() }
    }

    /// The rates, if they never change.
    pub fn only(&self) -> Option<&CompiledRates> {
        match &*self.steps {
            [(_, only)] => Some(only),
            _ => None,
        }
    }

    /// The rates at a moment.
    pub fn at(&self, now: SimTime) -> &CompiledRates {
        match &*self.steps {
            [(_, only)] => only,
            steps => {
                let next = steps.partition_point(|(from, _)| *from <= now);
                &steps[next.saturating_sub(1)].1
            }
        }
    }
}
