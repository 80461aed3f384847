//! Self-exciting arrivals (a Hawkes process): each request makes further ones likelier for a while.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::random::{Addressed, Dist, Purpose, mix};
use crate::traffic::arrivals::TrafficError;
use crate::traffic::open::OpenArrivals;
use crate::units::{RequestId, SimDuration, SimTime};

/// How requests bring further requests along. The mean rate stays what it was: what is not
/// brought along comes by itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Excites {
    /// Further requests that one brings along on average (the branching ratio), below 1.
    pub share: f64,
    /// Mean seconds until they come; the delays are exponential.
    pub within_s: f64,
}

/// Beyond this a cluster is hundreds of requests long, and no run is representative.
const MOST_EXCITED: f64 = 0.98;

impl Excites {
    pub(super) fn check(&self) -> Result<(), TrafficError> {
        if !(0.0..=MOST_EXCITED).contains(&self.share) {
            return Err(TrafficError::Parameter("excites.share", self.share, "a share up to 98%"));
        }
        if !(self.within_s > 0.0 && self.within_s.is_finite()) {
            return Err(TrafficError::Parameter("excites.within", self.within_s, "a positive time"));
        }
        Ok(())
    }

    /// Requests that come by themselves, as a share of all.
    pub(super) fn immigrants(&self) -> f64 {
        1.0 - self.share
    }
}

/// The walk along a self-exciting process: requests that come by themselves, each the root of a tree of others. Number
/// and delays of a request's offspring are drawn at its own address, so no request knows of those that come after it.
#[derive(Debug)]
pub(super) struct Excited {
    roots: OpenArrivals,
    due: BinaryHeap<Reverse<Due>>,
    excites: Excites,
    /// The probability that a request brings none along.
    none: f64,
    /// Exponential, with mean 1.
    delay: Dist,
    draws: Addressed,
    stream: u64,
}

/// A moment and the request that comes then, in one number: compared at once, without a branch.
type Due = u128;

fn due(at: SimTime, id: RequestId) -> Due {
    // Moments of a run are not negative.
    u128::from(at.0.max(0).cast_unsigned()) << u64::BITS | u128::from(id.0)
}

fn due_at(due: Due) -> SimTime {
    SimTime(((due >> u64::BITS) as u64).cast_signed())
}

/// Numbers of requests that are brought along: hashes of their place in the tree, apart from those of the roots.
const OFFSPRING: u64 = 1 << 55;

impl Excited {
    pub(super) fn new(roots: OpenArrivals, excites: Excites, draws: Addressed, stream: u64) -> Self {
        let none = libm::exp(-excites.share);
        Self { roots, due: BinaryHeap::new(), excites, none, delay: Dist::unit_exponential(), draws, stream }
    }

    pub(super) fn next_at(&self) -> SimTime {
        let due = self.due.peek().map_or(SimTime::NEVER, |Reverse(due)| due_at(*due));
        due.min(self.roots.next_at)
    }

    pub(super) fn take(&mut self) -> Option<(SimTime, RequestId)> {
        let at = self.next_at();
        if at == SimTime::NEVER {
            return None;
        }
        let id =
            if at == self.roots.next_at { RequestId(self.roots.step()) } else { RequestId(self.due.pop()?.0 as u64) };
        self.bring_along(at, id);
        Some((at, id))
    }

    /// Requests that are still to come because of others.
    pub(super) fn waiting(&self) -> usize {
        self.due.len()
    }

    fn bring_along(&mut self, at: SimTime, id: RequestId) {
        self.draws.begin_request(self.stream, id.0);
        let unit = self.draws.unit_at(Purpose::Offspring, 0, 0);
        for nth in 0..poisson(self.excites.share, self.none, unit) {
            let delay = self.delay.draw(self.draws.here().unit(Purpose::Offspring, 0, nth + 1)) * self.excites.within_s;
            let number = OFFSPRING | (mix(id.0 ^ mix(u64::from(nth) + 1)) & (OFFSPRING - 1));
            self.due.push(Reverse(due(at + SimDuration::from_secs_f64(delay), RequestId(number))));
        }
    }
}

/// A Poisson number with this mean at `u`, by adding up probabilities from that of `none` on; the mean is below 1.
fn poisson(mean: f64, none: f64, u: f64) -> u32 {
    let (mut term, mut count) = (none, 0);
    let mut sum = term;
    while u >= sum && term > 0.0 {
        count += 1;
        term *= mean / f64::from(count);
        sum += term;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Intensity, Replication, Seed};
    use std::sync::Arc;

    #[test]
    fn what_is_brought_along_waits_until_it_comes() {
        let hour = SimDuration::from_secs(3_600);
        let draws = Addressed::new(Seed(7), Replication(0));
        let intensity = Arc::new(Intensity::constant(1.0, hour));
        let roots = OpenArrivals::new(intensity, 0.1, Dist::unit_exponential(), draws, 0);
        let mut excited = Excited::new(roots, Excites { share: 0.9, within_s: 1e6 }, draws, 0);
        let (mut taken, mut most) = (0, 0);
        while excited.take().is_some() {
            (taken, most) = (taken + 1, most.max(excited.waiting()));
        }
        assert_eq!(excited.waiting(), 0);
        // 360 come by themselves within the hour, and nearly all that they bring along only later.
        assert!(taken > 2_000 && most > 250, "{taken}, {most}");
    }
}
