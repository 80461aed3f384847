//! The real gateway and the simulated providers of a built-in scenario, for both engines.

use billcast::engine::{Arrival, Arrivals, Asked, RequestRecord};
use billcast::random::Here;
use billcast::scenario::World;
use billcast::traffic::{Ending, Fate, Request, Stream};
use billcast::units::SimTime;

/// The requests of a replication until `end`.
pub struct Requests {
    /// All of them.
    pub stream: Stream,
    /// When no more come.
    pub end: SimTime,
}

impl Requests {
    /// The requests of a world's first replication.
    pub fn of(world: &World) -> Self {
        let replication = billcast::random::Replication(0);
        Self { stream: world.traffic.replicate(world.seed, replication), end: SimTime::ZERO + world.horizon }
    }
}

impl Arrivals for Requests {
    type Fate = Fate;

    fn next_at(&self) -> SimTime {
        let at = self.stream.next_at();
        if at < self.end { at } else { SimTime::NEVER }
    }

    fn take(&mut self, next: &mut Arrival<Fate>) -> bool {
        self.stream.take().map(|request| *next = request).is_some()
    }

    fn responded(&mut self, now: SimTime, record: &RequestRecord, asked: Asked<Fate>, ending: Ending) {
        if ending != Ending::Good && self.stream.failed(now, &again(record, asked), ending) {
            return;
        }
        self.stream.responded(now, record.class, record.view.id, ending == Ending::Good);
    }
}

/// The request that a client would send again.
fn again(record: &RequestRecord, asked: Asked<Fate>) -> Request {
    let RequestRecord { arrived: at, class, view, .. } = *record;
    Request { at, class, view, fate: asked.fate, leave: asked.leave, here: Here::default() }
}
