//! Stands between the gateway and the providers and writes down what is asked of each pool of rate limits, and what it
//! lets through. Only runs that are simulated for this have it.

use std::collections::HashMap;

use crate::engine::demand::{DemandTotals, Meter as MinuteMeter};
use crate::provider::{Bound, CallDemand, Meter, Service, Upstream, UpstreamCall, UpstreamWorld, occupies};
use crate::random::Here;
use crate::stats::Histogram;
use crate::traffic::Fate;
use crate::units::{Outcome, SimDuration, SimTime, Usage};

/// The deployments that share limits, and what is metered of them.
#[derive(Debug, Clone)]
pub struct Pools {
    /// The pool of each deployment.
    pub of_deployment: Vec<usize>,
    /// What is counted of each pool.
    pub meters: Vec<Vec<Meter>>,
}

/// Something that reaches the gate of a pool, in order of time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum GateEvent {
    /// A call asks to be let in; its number among those of the pool.
    Enter(u32, CallDemand),
    /// It is over and has produced this many tokens.
    Leave(u32, f64),
    /// A call has failed before the gate.
    Fail,
}

/// What was asked of one pool in one run.
#[derive(Debug, Clone, Default)]
pub struct PoolRecord {
    /// All calls, by minute.
    pub offered: DemandTotals,
    /// Calls that were let in, by minute.
    pub admitted: DemandTotals,
    /// Calls that came.
    pub calls: u64,
    /// Calls that a limit refused, by limit.
    pub refused: Vec<(Bound, u64)>,
    /// When the first was refused, and by which limit.
    pub first_refusal: Option<(SimTime, Bound)>,
    /// What each meter would have counted in each of its periods if all calls had been let in.
    pub uses: Vec<Histogram>,
    /// Everything that reached the gate, where that was asked for.
    pub events: Vec<(SimTime, GateEvent)>,
}

impl PoolRecord {
    /// Calls that limits refused.
    pub fn refused_calls(&self) -> u64 {
        self.refused.iter().map(|(_, calls)| calls).sum()
    }
}

/// A period of a meter on its way.
#[derive(Debug, Clone, Copy, Default)]
struct Bin {
    period: i64,
    sum: f64,
}

#[derive(Default)]
struct Pool {
    record: PoolRecord,
    offered: MinuteMeter,
    admitted: MinuteMeter,
    bins: Vec<Bin>,
    entered: u32,
}

/// The provider side with meters in front.
pub struct Metered<'a> {
    inner: UpstreamWorld,
    pools: &'a Pools,
    state: Vec<Pool>,
    /// Calls behind the gates: their numbers in the pool's events.
    open: HashMap<(u32, u64, u32, u32), u32>,
    keeps_events: bool,
}

impl<'a> Metered<'a> {
    /// Meters in front of the providers; with or without a list of all events.
    pub fn new(inner: UpstreamWorld, pools: &'a Pools, keeps_events: bool) -> Self {
        let pool = |meters: &Vec<Meter>| Pool {
            bins: vec![Bin::default(); meters.len()],
            record: PoolRecord { uses: vec![Histogram::default(); meters.len()], ..PoolRecord::default() },
            ..Pool::default()
        };
        let state = pools.meters.iter().map(pool).collect();
        Self { inner, pools, state, open: HashMap::new(), keeps_events }
    }

    /// What was written down, pool by pool; the run was this long.
    pub fn finish(self, horizon: SimDuration) -> Vec<PoolRecord> {
        let end = SimTime::ZERO + horizon;
        let close = |(mut pool, meters): (Pool, &Vec<Meter>)| {
            pool.offered.close(end, &mut pool.record.offered);
            pool.admitted.close(end, &mut pool.record.admitted);
            for (index, meter) in meters.iter().enumerate() {
                pool.count(index, meter, SimTime(end.0.max(0)), 0.0);
                // A period that is longer than the run is told as far as it came.
                if pool.record.uses[index].count() == 0 {
                    pool.record.uses[index].add(pool.bins[index].sum);
                }
            }
            pool.record
        };
        self.state.into_iter().zip(&self.pools.meters).map(close).collect()
    }
}

impl Pool {
    /// Adds to what a meter counts in the period of a moment; periods that are over are written down.
    fn count(&mut self, index: usize, meter: &Meter, now: SimTime, amount: f64) {
        let (bin, period) = (&mut self.bins[index], now.0 / meter.period.0.max(1));
        if period > bin.period {
            self.record.uses[index].add(bin.sum);
            self.record.uses[index].add_many(0.0, (period - bin.period - 1) as u64);
            *bin = Bin { period, sum: 0.0 };
        }
        bin.sum += amount;
    }

    fn refuse(&mut self, now: SimTime, by: Bound) {
        self.record.first_refusal.get_or_insert((now, by));
        match self.record.refused.iter_mut().find(|(bound, _)| *bound == by) {
            Some((_, calls)) => *calls += 1,
            None => self.record.refused.push((by, 1)),
        }
    }
}

const fn key(call: &UpstreamCall) -> (u32, u64, u32, u32) {
    (call.class.0, call.request.0, call.deployment.0, call.nth_try)
}

impl Upstream for Metered<'_> {
    type Fate = Fate;

    fn serve(&mut self, now: SimTime, here: Here, call: &UpstreamCall, fate: &Fate) -> Service {
        let service = self.inner.serve(now, here, call, fate);
        let hit = self.inner.take_hit();
        let index = self.pools.of_deployment[call.deployment.index()];
        let pool = &mut self.state[index];
        let enters = occupies(service.outcome);
        let usage = if enters { service.usage } else { Usage::plain(fate.input, fate.output) };
        pool.record.calls += 1;
        pool.offered.begin(now, usage.total(), &mut pool.record.offered);
        if enters {
            pool.admitted.begin(now, usage.total(), &mut pool.record.admitted);
        } else {
            pool.offered.end(now, &mut pool.record.offered);
        }
        if let Some(by) = hit {
            pool.refuse(now, by);
        }
        if !enters && hit.is_none() {
            if self.keeps_events {
                pool.record.events.push((now, GateEvent::Fail));
            }
            return service;
        }
        let demand = CallDemand {
            uncached_input: f64::from(usage.input - usage.cached.min(usage.input)),
            input: f64::from(usage.input),
            max_tokens: call.max_tokens.map_or(0.0, f64::from),
        };
        for (number, meter) in self.pools.meters[index].iter().enumerate() {
            pool.count(number, meter, now, meter.taken_at_start(&demand));
        }
        if self.keeps_events {
            pool.record.events.push((now, GateEvent::Enter(pool.entered, demand)));
            self.open.insert(key(call), pool.entered);
            pool.entered += 1;
        }
        service
    }

    fn counted_part(&self, service: &Service, elapsed: SimDuration) -> Usage {
        self.inner.counted_part(service, elapsed)
    }

    fn ended(
        &mut self,
        now: SimTime,
        call: &UpstreamCall,
        service: &Service,
        outcome: Outcome,
        elapsed: SimDuration,
    ) -> Usage {
        let billed = self.inner.ended(now, call, service, outcome, elapsed);
        if occupies(service.outcome) {
            let index = self.pools.of_deployment[call.deployment.index()];
            let pool = &mut self.state[index];
            pool.offered.end(now, &mut pool.record.offered);
            pool.admitted.end(now, &mut pool.record.admitted);
            let output = f64::from(billed.output);
            let counting = self.pools.meters[index].iter().enumerate().filter(|(_, meter)| meter.counts_output());
            for (number, meter) in counting {
                pool.count(number, meter, now, output);
            }
            if let Some(number) = self.open.remove(&key(call)) {
                pool.record.events.push((now, GateEvent::Leave(number, output)));
            }
        }
        billed
    }
}
