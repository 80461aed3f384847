//! Compiled prices over a span of time: prices change with the hour and with the date.

use jiff::Timestamp;

use super::compiled::CompiledRates;
use super::tariff::Priced;

/// The prices of one model over a run, by the moment from which they hold.
#[derive(Debug, Clone, PartialEq)]
pub struct PriceSchedule {
    /// In ascending order; the first holds from the beginning of time. Never empty.
    changes: Box<[(i64, Priced<CompiledRates>)]>,
}

impl PriceSchedule {
    /// Prices that never change.
    pub fn constant(rates: Priced<CompiledRates>) -> Self {
        Self { changes: Box::new([(i64::MIN, rates)]) }
    }

    /// Asks for the prices at every moment where they may change; equal neighbours are merged.
    pub fn sample(moments: &[Timestamp], mut rates_at: impl FnMut(Timestamp) -> Priced<CompiledRates>) -> Self {
        let mut changes: Vec<(i64, Priced<CompiledRates>)> = Vec::new();
        for &moment in moments {
            let rates = rates_at(moment);
            if changes.last().is_none_or(|(_, last)| *last != rates) {
                let from = if changes.is_empty() { i64::MIN } else { moment.as_second() };
                changes.push((from, rates));
            }
        }
        if changes.is_empty() {
            return Self::constant(Priced::Unpriced);
        }
        Self { changes: changes.into_boxed_slice() }
    }

    /// All prices with the second from which they hold.
    pub fn changes(&self) -> &[(i64, Priced<CompiledRates>)] {
        &self.changes
    }

    /// Whether a price is known at every moment.
    pub fn is_priced_throughout(&self) -> bool {
        self.changes.iter().all(|(_, rates)| matches!(rates, Priced::Known(_)))
    }
}
