//! What is expected of traffic before anything happens: when it comes, and how many requests.

use crate::random::{Intensity, Law, Replication, Seed};
use crate::traffic::arrivals::Arrivals;
use crate::traffic::class::Class;
use crate::traffic::stream::Traffic;
use crate::units::{ClassId, SimDuration, SimTime};

impl Traffic {
    /// Requests per second over time, of all classes that come at a rate, as steps (end, rate) until `horizon`; a
    /// single step of 1 where none does.
    pub fn rates(&self, horizon: SimDuration) -> Vec<(SimTime, f64)> {
        let end = SimTime::ZERO + horizon;
        let intensities: Vec<&Intensity> = self.classes().filter_map(intensity).collect();
        if intensities.is_empty() {
            return vec![(end, 1.0)];
        }
        let within = |at: &SimTime| *at < end;
        let mut ends: Vec<SimTime> =
            intensities.iter().flat_map(|i| i.steps().map(|(_, to, _)| to)).filter(within).collect();
        ends.push(end);
        ends.sort_unstable();
        ends.dedup();
        let begins = std::iter::once(SimTime::ZERO).chain(ends.clone());
        let rate = |at: SimTime| intensities.iter().map(|intensity| intensity.rate_at(at)).sum();
        begins.zip(&ends).map(|(begin, end)| (*end, rate(begin))).collect()
    }

    /// The requests that are expected in one replication, given its volumes; none where they depend on answers or do
    /// not come as a Poisson process, so that this is not known exactly.
    pub fn expected_requests(&self, seed: Seed, replication: Replication, horizon: SimDuration) -> Option<f64> {
        let end = SimTime::ZERO + horizon;
        let of = |(index, class): (usize, &Class)| {
            let intensity = intensity(class).filter(|_| is_poisson(class))?;
            Some(self.volume(seed, replication, ClassId::from_index(index)) * intensity.expected_until(end))
        };
        self.classes().enumerate().map(of).sum()
    }
}

/// Requests, or sessions, per second over time.
fn intensity(class: &Class) -> Option<&Intensity> {
    match &class.arrivals {
        Arrivals::Open { intensity, .. }
        | Arrivals::Excited { intensity, .. }
        | Arrivals::Clients { intensity, .. }
        | Arrivals::Sessions { intensity, .. } => Some(intensity),
        Arrivals::Workers { .. } | Arrivals::Beside { .. } | Arrivals::Replay(_) => None,
    }
}

fn is_poisson(class: &Class) -> bool {
    let Arrivals::Open { gaps, on_off: None, .. } = &class.arrivals else { return false };
    matches!(gaps.law(), Law::Exponential { .. }) && class.embeds.is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Dist, GapsSpec};
    use crate::units::{KeyId, NameId};
    use std::sync::Arc;

    fn class(arrivals: Arrivals) -> Class {
        let tokens = |n| Dist::constant(n).unwrap();
        Class::new(arrivals, NameId(0), KeyId(0), tokens(100.0), Some(tokens(20.0)))
    }

    fn hours(n: i64) -> SimTime {
        SimTime(n * 3_600_000_000_000)
    }

    #[test]
    fn requests_less_those_expected_have_mean_zero() {
        let steps = [(hours(1), 0.05), (hours(2), 0.2), (hours(5), 0.0), (hours(8), 0.1)];
        let mut one = class(Arrivals::poisson(Intensity::from_steps(steps)));
        one.volume = Some("uniform(0.5, 1.5)".parse::<crate::random::DistSpec>().unwrap().compile().unwrap());
        let other = class(Arrivals::poisson(Intensity::constant(0.02, SimDuration::from_secs(86_400))));
        let traffic = Traffic::new(vec![one, other], None).unwrap().scaled(1.25);
        let horizon = SimDuration::from_secs(6 * 3600);
        let (mut sum, mut squares) = (0.0, 0.0);
        for run in 0..2_000 {
            let mut stream = traffic.replicate(Seed(4), Replication(run));
            let mut requests = 0.0;
            while stream.next_at() < SimTime::ZERO + horizon && stream.take().is_some() {
                requests += 1.0;
            }
            let beyond = requests - traffic.expected_requests(Seed(4), Replication(run), horizon).unwrap();
            sum += beyond;
            squares += beyond * beyond;
        }
        // 4 standard errors; and their spread is that of a Poisson process, with the rates that are said.
        assert!(sum.abs() < 4.0 * f64::sqrt(squares), "{sum} ± {}", squares.sqrt());
        let mean: f64 = 1.25 * (0.05 + 0.2 + 0.1 + 6.0 * 0.02) * 3600.0;
        assert!((squares / 2_000.0 / mean - 1.0).abs() < 0.15, "{squares} {mean}");
    }

    #[test]
    fn rates_of_all_classes_are_added_until_the_horizon() {
        let two = [
            class(Arrivals::poisson(Intensity::from_steps([(hours(1), 1.0), (hours(4), 3.0)]))),
            class(Arrivals::poisson(Intensity::from_steps([(hours(2), 10.0), (hours(9), 20.0)]))),
        ];
        let traffic = Traffic::new(two.into(), None).unwrap();
        let three_hours = SimDuration::from_secs(3 * 3600);
        assert_eq!(traffic.rates(three_hours), [(hours(1), 11.0), (hours(2), 13.0), (hours(3), 23.0)]);
        assert_eq!(Traffic::new(vec![], None).unwrap().rates(three_hours), [(hours(3), 1.0)]);
    }

    #[test]
    fn nothing_is_claimed_of_requests_that_wait_for_answers() {
        let second = SimDuration::from_secs(1);
        let think_s = Dist::constant(2.0).unwrap();
        let workers = Arrivals::Workers { count: 3, think_s, start: second, ramp: second, end: second };
        let intensity = Arc::new(Intensity::constant(1.0, second));
        let bursty = Arrivals::Open { intensity, gaps: GapsSpec::Gamma(2.0).compile().unwrap(), on_off: None };
        for arrivals in [workers, bursty] {
            let traffic = Traffic::new(vec![class(arrivals)], None).unwrap();
            assert_eq!(traffic.expected_requests(Seed(1), Replication(0), second), None);
        }
    }
}
