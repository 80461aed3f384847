//! Many clients of unequal size, each with its own arrivals: a few send most of what comes.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use crate::random::{Addressed, Dist, Intensity, Purpose, normal_quantile};
use crate::traffic::arrivals::TrafficError;
use crate::traffic::open::OpenArrivals;
use crate::units::{RequestId, SimTime};

/// How many clients share the traffic of a class, and how unequally.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Crowd {
    /// How many.
    pub count: u32,
    /// Standard deviation of the logarithm of a client's rate; 0 makes all alike.
    pub sigma: f64,
}

/// Clients that ids have room for.
const MOST_CLIENTS: u32 = 10_000;
const WIDEST: f64 = 10.0;
/// The client stands above the numbers of its requests.
const CLIENT_SHIFT: u32 = 40;
/// Keeps the draws of rates apart from those of requests.
const RATE_STREAM: u64 = 1 << 61;

impl Crowd {
    pub(super) fn check(&self) -> Result<(), TrafficError> {
        if self.count == 0 || self.count > MOST_CLIENTS {
            return Err(TrafficError::Parameter("clients.count", f64::from(self.count), "from 1 to 10,000"));
        }
        if !(0.0..=WIDEST).contains(&self.sigma) {
            return Err(TrafficError::Parameter("clients.sigma", self.sigma, "a number from 0 to 10"));
        }
        Ok(())
    }

    /// Each client's share of the traffic; they sum to 1.
    fn shares(&self, draws: &mut Addressed, stream: u64) -> Vec<f64> {
        let size = |client| {
            draws.begin_request(RATE_STREAM | stream, u64::from(client));
            // Half a lattice step keeps the normal score finite.
            let u = draws.unit_at(Purpose::Volume, 0, 0) + f64::EPSILON / 4.0;
            libm::exp(self.sigma * normal_quantile(u.min(1.0 - f64::EPSILON / 2.0)))
        };
        let sizes: Vec<f64> = (0..self.count).map(size).collect();
        let total: f64 = sizes.iter().sum();
        sizes.into_iter().map(|size| size / total).collect()
    }
}

/// The clients' walks, merged.
#[derive(Debug)]
pub(super) struct Clients {
    walks: Vec<OpenArrivals>,
    due: BinaryHeap<Reverse<(SimTime, u32)>>,
}

impl Clients {
    pub(super) fn new(
        crowd: Crowd,
        intensity: &Arc<Intensity>,
        volume: f64,
        gaps: &Dist,
        draws: Addressed,
        stream: u64,
    ) -> Self {
        let shares = crowd.shares(&mut draws.clone(), stream);
        let walk = |(client, share): (usize, f64)| {
            let first = (client as u64) << CLIENT_SHIFT;
            OpenArrivals::underway(Arc::clone(intensity), volume * share, gaps.clone(), draws, stream, first)
        };
        let walks: Vec<OpenArrivals> = shares.into_iter().enumerate().map(walk).collect();
        let due = walks.iter().zip(0..).map(|(walk, client)| Reverse((walk.next_at, client)));
        Self { due: due.filter(|Reverse((at, _))| *at != SimTime::NEVER).collect(), walks }
    }

    pub(super) fn next_at(&self) -> SimTime {
        self.due.peek().map_or(SimTime::NEVER, |Reverse((at, _))| *at)
    }

    pub(super) fn take(&mut self) -> Option<(SimTime, RequestId)> {
        let Reverse((at, client)) = self.due.pop()?;
        let walk = &mut self.walks[client as usize];
        let number = walk.step();
        if walk.next_at != SimTime::NEVER {
            self.due.push(Reverse((walk.next_at, client)));
        }
        Some((at, RequestId(number)))
    }
}

/// The first request of the client that sends this one: what belongs to a client is drawn there.
pub(super) const fn client_of(id: RequestId) -> RequestId {
    RequestId(id.0 >> CLIENT_SHIFT << CLIENT_SHIFT)
}
