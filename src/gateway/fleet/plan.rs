//! How many processes a gateway has, what is in front of them, and when they end.

use crate::random::{Addressed, Dist, Draws, Purpose, Replication, Seed, address_of};
use crate::units::{SimDuration, SimTime};

/// A gateway's processes.
#[derive(Debug, Clone, Default)]
pub struct FleetPlan {
    /// Machines, pods.
    pub replicas: u32,
    /// Worker processes on each.
    pub workers: u32,
    /// Connections that clients keep open: all requests of one go to the same process. Without, each request brings a
    /// new connection.
    pub connections: Option<u32>,
    /// Seconds that the gateway itself takes before a request's first attempt.
    pub overhead: Option<Dist>,
    /// Requests at once on each replica.
    pub concurrency: Concurrency,
    /// Processes that end without warning.
    pub crashes: Vec<Crashes>,
    /// Processes that are replaced.
    pub deploys: Vec<Deploys>,
}

/// How many requests at once a load balancer gives a replica.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Concurrency {
    /// From here on the replica is used only if all others are as busy.
    pub soft: Option<u32>,
    /// More than this is refused with 503 where no replica has room.
    pub hard: Option<u32>,
}

/// Whom an event takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// One worker process at random.
    Worker,
    /// One replica at random.
    Replica,
    /// Everything.
    All,
}

/// Ends without warning: requests in flight are lost, what is in memory is forgotten.
#[derive(Debug, Clone, PartialEq)]
pub struct Crashes {
    /// Known times.
    pub at: Vec<SimTime>,
    /// Mean time between two that come at random (a Poisson process).
    pub every: Option<SimDuration>,
    /// Whom each takes.
    pub of: Scope,
    /// Until a new process serves.
    pub down: SimDuration,
}

/// Orderly restarts, one replica after the other: requests in flight may end, what is in memory is forgotten.
#[derive(Debug, Clone, PartialEq)]
pub struct Deploys {
    /// When they begin.
    pub at: Vec<SimTime>,
    /// How long requests in flight may take; what is left then is lost.
    pub grace: SimDuration,
    /// Until the new processes of a replica serve; the next replica follows then.
    pub down: SimDuration,
}

/// What happens to a seat. The order is that of events at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Change {
    /// Its process ends at once.
    Kill,
    /// Its process takes no new requests and ends with its last one, or when `grace` is over.
    Drain(SimDuration),
    /// A new process takes the seat.
    Start,
}

/// A change of one seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SeatChange {
    pub at: SimTime,
    pub change: Change,
    pub seat: u32,
    /// When the seat is taken again.
    pub back: SimTime,
}

impl SeatChange {
    /// A seat's process ends, and the next one begins.
    fn pair(at: SimTime, change: Change, seat: u32, down: SimDuration) -> [Self; 2] {
        let back = at + down;
        [Self { at, change, seat, back }, Self { at: back, change: Change::Start, seat, back }]
    }
}

impl FleetPlan {
    /// Number of worker processes that serve when nothing is wrong.
    pub const fn seats(&self) -> u32 {
        self.replicas * self.workers
    }

    /// Whether this is anything but one process that never ends and takes no time.
    pub fn matters(&self) -> bool {
        self.seats() > 1
            || self.overhead.is_some()
            || self.concurrency != Concurrency::default()
            || !self.crashes.is_empty()
            || !self.deploys.is_empty()
    }

    /// Everything that happens to the seats before `end`, in order of time.
    pub(super) fn changes(&self, seed: Seed, replication: Replication, end: SimTime) -> Vec<SeatChange> {
        let mut changes = Vec::new();
        for (number, crashes) in self.crashes.iter().enumerate() {
            let mut draws = Addressed::new(seed, replication);
            let stream = address_of("fleet/crashes") ^ number as u64;
            for (nth, at) in crashes.times(&mut draws, stream, end).into_iter().enumerate() {
                draws.begin_request(stream, nth as u64);
                let seats = self.taken(crashes.of, draws.unit(Purpose::Worker, 0));
                changes.extend(seats.flat_map(|seat| SeatChange::pair(at, Change::Kill, seat, crashes.down)));
            }
        }
        for deploys in &self.deploys {
            for at in deploys.at.iter().copied().filter(|at| *at < end) {
                changes.extend((0..self.replicas).flat_map(|replica| self.rolled(deploys, at, replica)));
            }
        }
        changes.sort_unstable();
        changes
    }

    /// The changes of one replica's seats in a deploy that begins at `at`.
    fn rolled(&self, deploys: &Deploys, at: SimTime, replica: u32) -> impl Iterator<Item = SeatChange> + use<> {
        let began = SimTime(at.0.saturating_add(deploys.down.0.saturating_mul(i64::from(replica))));
        let (drain, down) = (Change::Drain(deploys.grace), deploys.down);
        self.seats_of(replica).flat_map(move |seat| SeatChange::pair(began, drain, seat, down))
    }

    const fn seats_of(&self, replica: u32) -> std::ops::Range<u32> {
        replica * self.workers..(replica + 1) * self.workers
    }

    fn taken(&self, scope: Scope, u: f64) -> std::ops::Range<u32> {
        let drawn = |n: u32| ((u * f64::from(n)) as u32).min(n.saturating_sub(1));
        match scope {
            Scope::Worker => drawn(self.seats())..drawn(self.seats()) + 1,
            Scope::Replica => self.seats_of(drawn(self.replicas)),
            Scope::All => 0..self.seats(),
        }
    }
}

impl Crashes {
    fn times(&self, draws: &mut Addressed, stream: u64, end: SimTime) -> Vec<SimTime> {
        let mut times: Vec<SimTime> = self.at.iter().copied().filter(|at| *at < end).collect();
        let Some(mean) = self.every else { return times };
        let mut at = SimTime::ZERO;
        for nth in 0.. {
            draws.begin_request(stream, nth);
            let gap = -libm::log(1.0 - draws.unit(Purpose::Incident, 0)) * mean.as_secs_f64();
            at += SimDuration::from_secs_f64(gap);
            if at >= end {
                break;
            }
            times.push(at);
        }
        times
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: SimDuration = SimDuration::from_secs(3600);

    fn plan() -> FleetPlan {
        FleetPlan { replicas: 2, workers: 3, ..FleetPlan::default() }
    }

    #[test]
    fn crashes_come_as_a_poisson_process_and_take_every_seat_alike() {
        let crashes = Crashes { at: vec![], every: Some(HOUR), of: Scope::Worker, down: SimDuration::from_secs(8) };
        let plan = FleetPlan { crashes: vec![crashes], ..plan() };
        let end = SimTime::ZERO + SimDuration::from_secs(3600 * 1000);
        let (mut seats, mut counts) = ([0.0; 6], Vec::new());
        for replication in 0..20 {
            let changes = plan.changes(Seed(5), Replication(replication), end);
            let kills: Vec<_> = changes.iter().filter(|change| change.change == Change::Kill).collect();
            kills.iter().for_each(|kill| seats[kill.seat as usize] += 1.0);
            counts.push(kills.len() as f64);
        }
        // 20 × 1,000 crashes expected, standard deviation 141; chi-square with 5 degrees of freedom: 20.5 at 0.1%.
        let all: f64 = seats.iter().sum();
        assert!((all - 20_000.0).abs() < 4.0 * 141.0, "{all}");
        let chi: f64 = seats.iter().map(|n| (n - all / 6.0).powi(2) / (all / 6.0)).sum();
        assert!(chi < 20.5, "{seats:?}");
        // Counts of a Poisson process vary as much as their mean: index of dispersion 1 ± 0.32
        // (19 degrees, 2.5 sigma … ).
        let spread: f64 = counts.iter().map(|n| (n - all / 20.0).powi(2)).sum::<f64>() / (all / 20.0);
        assert!((6.8..43.8).contains(&spread), "chi-square with 19 degrees of freedom at 0.5% and 99.9%: {spread}");
    }

    #[test]
    fn a_deploy_takes_one_replica_after_the_other() {
        let at = vec![SimTime::ZERO + HOUR];
        let deploys = Deploys { at, grace: SimDuration::from_secs(30), down: SimDuration::from_secs(18) };
        let plan = FleetPlan { deploys: vec![deploys], ..plan() };
        let changes = plan.changes(Seed(1), Replication(0), SimTime::ZERO + HOUR + HOUR);
        let secs = |change: &SeatChange| change.at.whole_secs() - 3600;
        let starts: Vec<_> = changes.iter().filter(|c| c.change == Change::Start).map(|c| (secs(c), c.seat)).collect();
        assert_eq!(starts, [(18, 0), (18, 1), (18, 2), (36, 3), (36, 4), (36, 5)]);
        assert_eq!(changes.iter().filter(|c| matches!(c.change, Change::Drain(_))).map(secs).max(), Some(18));
    }
}
