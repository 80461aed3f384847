//! Rates on the clock of a run.

use crate::pricing::compiled::CompiledRates;
use crate::units::{SimDuration, SimTime};

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

    /// Whether the rates of every moment are those of one `rhythm` later, as far as that is before `end`.
    pub fn repeats(&self, rhythm: SimDuration, end: SimTime) -> bool {
        let changes = || self.steps.iter().map(|(from, _)| *from);
        let earlier = changes().filter(|from| from.0 >= rhythm.0).map(|from| SimTime(from.0 - rhythm.0));
        let mut moments = changes().chain(earlier).filter(|at| *at >= SimTime::ZERO && *at + rhythm < end);
        self.steps.len() == 1 || moments.all(|at| self.at(at) == self.at(at + rhythm))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pricing::{Adjustment, PriceBook, ServiceTier};

    /// The compiled prices of two models.
    fn prices() -> [CompiledRates; 2] {
        let book = PriceBook::built_in().unwrap();
        let at = "2026-11-20T12:00:00Z".parse().unwrap();
        ["gpt-4o", "gpt-4o-mini"].map(|model| {
            let tariff = book.lookup(model, Some("openai"), at).known().unwrap();
            CompiledRates::compile(&tariff, ServiceTier::Standard, at, &Adjustment::default()).unwrap()
        })
    }

    #[test]
    fn off_peak_hours_come_again_and_a_new_price_does_not() {
        let [dear, cheap] = prices();
        let hour = |number: i64| SimTime(number * 3_600_000_000_000);
        let week = SimDuration::from_secs(7 * 86_400);
        let nights = (0..31).flat_map(|day| [(hour(24 * day), cheap.clone()), (hour(24 * day + 8), dear.clone())]);
        let nights = RateSchedule::stepwise(nights.collect()).unwrap();
        assert!(nights.repeats(week, hour(31 * 24)));
        assert!(RateSchedule::constant(dear.clone()).repeats(week, hour(744)));
        // From the begin, within the first week, on its last day and shortly before the end.
        for change in [1, 50, 167, 168, 400, 743] {
            let risen = RateSchedule::stepwise(vec![(hour(0), cheap.clone()), (hour(change), dear.clone())]).unwrap();
            assert!(!risen.repeats(week, hour(744)), "{change}");
            let nights_then_dear = nights.then(hour(change), &RateSchedule::constant(dear.clone()));
            assert!(!nights_then_dear.repeats(week, hour(744)) || change > 743 - 16, "{change}");
        }
        // What comes after the end is not asked for.
        let later = RateSchedule::stepwise(vec![(hour(0), cheap), (hour(800), dear)]).unwrap();
        assert!(later.repeats(week, hour(744)));
    }
}
