//! What is left of the limits of a group, and all that a call asks of them. Limits stand in pairs: buckets fill, and
//! calls are measured, without a branch on what a limit counts or how it is refilled, and the first pair, which is
//! enough for nearly all, stands by itself (6 ns a request of `bench-full`, and 20 instructions). What comes back at
//! known moments is left alone until then. The slow twin is in the tests of the gate.

use std::collections::VecDeque;

use crate::provider::gate::Bound;
use crate::provider::limits::{Charges, Counted, Meter, Refill, next_month};
use crate::units::{SimDuration, SimTime};

/// What is left of each limit.
#[derive(Debug, Clone)]
pub(super) struct Levels {
    /// The first two; more are seldom.
    first: Pair,
    others: Vec<Pair>,
    /// One for each limit.
    rests: Vec<Rest>,
    /// The limits that take something when a call has ended.
    at_end: Vec<AtEnd>,
}

/// A limit that takes something when a call has ended.
#[derive(Debug, Clone, Copy)]
struct AtEnd {
    limit: usize,
    /// What the call costs, and not what it has produced.
    takes_dollars: bool,
    is_rolling: bool,
}

/// Two limits. An odd number of them is filled up with one that limits nothing.
#[derive(Debug, Clone)]
struct Pair {
    left: [f64; 2],
    /// The most that one call may need.
    most: [f64; 2],
    /// Which of the charges of a call they take.
    charge: [usize; 2],
    /// What flows into a bucket in a period; nothing into others.
    flow: [f64; 2],
    /// Nanoseconds.
    period: [f64; 2],
    /// What a full bucket holds.
    brim: [f64; 2],
    /// When a bucket has last been filled; nanoseconds.
    mark: [i64; 2],
    /// Nothing comes back all at once before this moment; nanoseconds.
    due: i64,
}

/// What is asked of a limit now and then.
#[derive(Debug, Clone)]
struct Rest {
    meter: Meter,
    /// Nothing comes back all at once before this moment; nanoseconds.
    due: i64,
    /// What has been used of a rolling limit, and when.
    used: VecDeque<(SimTime, f64)>,
}

/// Nothing has been filled so far.
const NEVER: i64 = i64::MIN;

impl Levels {
    /// All limits untouched.
    pub(super) fn new(meters: &[Meter]) -> Self {
        let rest = |meter: &Meter| {
            let due = match meter.refill {
                Refill::Window { .. } => i64::MIN,
                Refill::Monthly { start, .. } => next_month(start, SimTime::ZERO),
                Refill::Bucket { .. } | Refill::Rolling => i64::MAX,
            };
            Rest { meter: *meter, due, used: VecDeque::new() }
        };
        Self {
            first: Pair::new(meters.get(..2).unwrap_or(meters)),
            others: meters.chunks(2).skip(1).map(Pair::new).collect(),
            rests: meters.iter().map(rest).collect(),
            at_end: meters.iter().enumerate().filter(|(_, meter)| meter.takes_at_end()).map(AtEnd::new).collect(),
        }
    }

    /// Whether any of the limits takes something when a call has ended.
    pub(super) fn take_at_ends(&self) -> bool {
        !self.at_end.is_empty()
    }

    /// Whether the call fits into all limits. One call may take more than a whole period's limit only when nothing else
    /// does.
    #[inline]
    pub(super) fn have_room(&mut self, now: SimTime, charges: &Charges) -> bool {
        if now.0 >= self.first.due {
            self.bring_back(0, now);
        }
        // Buckets fill in all of them, whether the call fits or not.
        let fits = self.first.has_room(now, charges);
        (self.others.is_empty() || self.others_have_room(now, charges)) & fits
    }

    #[inline(never)]
    fn others_have_room(&mut self, now: SimTime, charges: &Charges) -> bool {
        let mut fit = true;
        for index in 0..self.others.len() {
            if now.0 >= self.others[index].due {
                self.bring_back(index + 1, now);
            }
            fit &= self.others[index].has_room(now, charges);
        }
        fit
    }

    /// Charges a call.
    #[inline]
    pub(super) fn take(&mut self, charges: &Charges) {
        self.first.take(charges);
        self.others.iter_mut().for_each(|pair| pair.take(charges));
    }

    /// The pair in which a limit stands.
    #[inline]
    fn pair(&self, limit: usize) -> &Pair {
        (limit / 2).checked_sub(1).map_or(&self.first, |other| &self.others[other])
    }

    /// The same, to be changed, and what else is known of the limit.
    #[inline]
    fn parts(&mut self, limit: usize) -> (&mut Pair, &mut Rest) {
        (nth(&mut self.first, &mut self.others, limit / 2), &mut self.rests[limit])
    }

    /// The longest time until a limit into which the call does not fit has room again, and the number of that limit.
    pub(super) fn longest_wait(&self, now: SimTime, charges: &Charges) -> (SimDuration, Bound) {
        let (mut wait, mut by) = (SimDuration::ZERO, Bound::Concurrency);
        for (index, rest) in self.rests.iter().enumerate() {
            let (pair, lane) = (self.pair(index), index % 2);
            let needed = pair.needed(lane, charges);
            if pair.left[lane] < needed {
                let longer = rest.until_room(now, pair.left[lane], needed);
                if longer > wait {
                    (wait, by) = (longer, Bound::Meter(index));
                }
            }
        }
        (wait, by)
    }

    /// Takes a request away from where requests are counted.
    pub(super) fn take_a_request(&mut self, now: SimTime) {
        for index in 0..self.rests.len() {
            let (pair, rest) = self.parts(index);
            if rest.meter.counted == Counted::Requests {
                if now.0 >= rest.due {
                    rest.bring_back(&mut pair.left[index % 2], now);
                }
                pair.fill(index % 2, now);
                let left = &mut pair.left[index % 2];
                *left = (*left - 1.0).max(0.0);
            }
        }
    }

    /// Charges a call that is over with what it has produced and what it costs.
    #[inline]
    pub(super) fn take_at_end(&mut self, now: SimTime, output: f64, dollars: f64) {
        for at in 0..self.at_end.len() {
            let AtEnd { limit, takes_dollars, is_rolling } = self.at_end[at];
            if takes_dollars && dollars <= 0.0 {
                continue;
            }
            let amount = if takes_dollars { dollars } else { output };
            let pair = nth(&mut self.first, &mut self.others, limit / 2);
            if now.0 >= pair.due {
                self.bring_back(limit / 2, now);
            }
            let pair = nth(&mut self.first, &mut self.others, limit / 2);
            pair.fill(limit % 2, now);
            pair.left[limit % 2] -= amount;
            if is_rolling && takes_dollars {
                self.remember(limit, now, amount);
            }
        }
    }

    /// What a rolling limit gets back when it is old enough.
    #[inline(never)]
    fn remember(&mut self, limit: usize, now: SimTime, amount: f64) {
        let (pair, rest) = self.parts(limit);
        rest.used.push_back((now, amount));
        rest.due = rest.next_back();
        pair.due = pair.due.min(rest.due);
    }

    /// Gives a pair back what comes back all at once.
    #[inline(never)]
    fn bring_back(&mut self, index: usize, now: SimTime) {
        let pair = nth(&mut self.first, &mut self.others, index);
        pair.due = i64::MAX;
        for (rest, left) in self.rests[2 * index..].iter_mut().zip(&mut pair.left) {
            if now.0 >= rest.due {
                rest.bring_back(left, now);
            }
            pair.due = pair.due.min(rest.due);
        }
    }
}

impl AtEnd {
    fn new((limit, meter): (usize, &Meter)) -> Self {
        let takes_dollars = meter.counted == Counted::Dollars;
        Self { limit, takes_dollars, is_rolling: meter.refill == Refill::Rolling }
    }
}

/// The pair of this number.
#[inline(always)]
fn nth<'a>(first: &'a mut Pair, others: &'a mut [Pair], index: usize) -> &'a mut Pair {
    match index.checked_sub(1) {
        None => first,
        Some(other) => &mut others[other],
    }
}

#[cfg(test)]
impl Levels {
    /// What is left of each limit.
    pub(super) fn left(&self) -> Vec<f64> {
        (0..self.rests.len()).map(|index| self.pair(index).left[index % 2]).collect()
    }
}

impl Pair {
    fn new(meters: &[Meter]) -> Self {
        let of = |lane: usize, get: &dyn Fn(&Meter) -> f64, none: f64| meters.get(lane).map_or(none, get);
        let both = |get: &dyn Fn(&Meter) -> f64, none: f64| [of(0, get, none), of(1, get, none)];
        let is_bucket = |meter: &Meter| matches!(meter.refill, Refill::Bucket { .. });
        Self {
            left: both(&Meter::capacity, f64::INFINITY),
            most: both(&|meter| meter.capacity().max(f64::MIN_POSITIVE), f64::INFINITY),
            charge: [0, 1].map(|lane| meters.get(lane).map_or(0, Meter::charge)),
            flow: both(&|meter| if is_bucket(meter) { meter.limit } else { 0.0 }, 0.0),
            period: both(&|meter| meter.period.0 as f64, 1.0),
            brim: both(&|meter| if is_bucket(meter) { meter.capacity() } else { f64::INFINITY }, f64::INFINITY),
            mark: [NEVER; 2],
            due: i64::MIN,
        }
    }

    /// Whether the call fits into both limits, as full as they are now.
    #[inline]
    fn has_room(&mut self, now: SimTime, charges: &Charges) -> bool {
        self.fill(0, now);
        self.fill(1, now);
        (self.left[0] >= self.needed(0, charges)) & (self.left[1] >= self.needed(1, charges))
    }

    /// Lets flow into a bucket what is due since it was last filled.
    #[inline(always)]
    fn fill(&mut self, lane: usize, now: SimTime) {
        let mark = if self.mark[lane] == NEVER { now.0 } else { self.mark[lane] };
        let filled = self.left[lane] + self.flow[lane] * (now.0 - mark) as f64 / self.period[lane];
        self.left[lane] = if filled < self.brim[lane] { filled } else { self.brim[lane] };
        self.mark[lane] = now.0;
    }

    /// Charges a call.
    #[inline(always)]
    fn take(&mut self, charges: &Charges) {
        for lane in [0, 1] {
            self.left[lane] -= charges[self.charge[lane]];
        }
    }

    /// What must be left for a call to be let in.
    #[inline(always)]
    fn needed(&self, lane: usize, charges: &Charges) -> f64 {
        let charge = charges[self.charge[lane]];
        let charge = if charge > f64::MIN_POSITIVE { charge } else { f64::MIN_POSITIVE };
        if charge < self.most[lane] { charge } else { self.most[lane] }
    }
}

impl Rest {
    /// Gives back what a window or a rolling limit gets back by now.
    fn bring_back(&mut self, left: &mut f64, now: SimTime) {
        match self.meter.refill {
            Refill::Window { offset } => {
                let into = now.0.saturating_add(offset.0).rem_euclid(self.meter.period.0);
                (*left, self.due) = (self.meter.limit, (now.0 - into).saturating_add(self.meter.period.0));
            }
            Refill::Rolling => {
                while let Some((_, amount)) = self.used.pop_front_if(|(at, _)| *at + self.meter.period <= now) {
                    *left += amount;
                }
                self.due = self.next_back();
            }
            Refill::Monthly { start, .. } => {
                (*left, self.due) = (self.meter.limit, next_month(start, now));
            }
            Refill::Bucket { .. } => {}
        }
    }

    /// When the oldest use of a rolling limit is old enough.
    fn next_back(&self) -> i64 {
        self.used.front().map_or(i64::MAX, |(at, _)| (*at + self.meter.period).0)
    }

    fn until_room(&self, now: SimTime, left: f64, needed: f64) -> SimDuration {
        let Meter { period, limit, .. } = self.meter;
        match self.meter.refill {
            Refill::Window { offset } => SimDuration(period.0 - now.0.saturating_add(offset.0).rem_euclid(period.0)),
            Refill::Bucket { .. } => {
                let nanos = (needed - left) * period.0 as f64 / limit;
                SimDuration((nanos.ceil() as i64).max(1))
            }
            Refill::Rolling => {
                let mut left = left;
                let enough = self.used.iter().find(|(_, amount)| {
                    left += amount;
                    left >= needed
                });
                enough.map_or(SimDuration::FOREVER, |(at, _)| (*at + period) - now)
            }
            // Nobody is told to come back next month.
            Refill::Monthly { .. } => SimDuration::FOREVER,
        }
    }
}
