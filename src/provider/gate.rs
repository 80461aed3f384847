//! The limits of a group of deployments during a run: who is let in, and what that takes. The
//! slow twin is in the tests.

use crate::provider::levels::Levels;
use crate::provider::limits::{CallDemand, Charges, Limits};
use crate::provider::line::Ends;
use crate::units::{SimDuration, SimTime};

/// The limits of a group during a run.
#[derive(Debug, Clone)]
pub struct Gate {
    levels: Levels,
    /// Whether it matters to it when calls end; else nobody tells it.
    minds_ends: bool,
    in_flight: u32,
    /// Calls at once; as many as can be counted where nothing limits them.
    most: u32,
    /// How long a call may wait in line; not at all where there is none.
    longest: SimDuration,
    limits: Limits,
    /// When the calls in flight and in line will end, where calls wait in line.
    ends: Ends,
}

/// A call that is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// Until the limit that was hit has room again.
    pub wait: SimDuration,
    /// Which limit was hit: the number of the meter with the longest wait, or the concurrency.
    pub by: Bound,
    /// It is let go only when it has waited in line as long as anybody may.
    pub after_line: Option<SimDuration>,
}

/// One limit among several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bound {
    /// The meter of this number.
    Meter(usize),
    /// Calls at once.
    Concurrency,
}

impl Gate {
    /// All limits untouched.
    pub fn new(limits: Limits) -> Self {
        let levels = Levels::new(&limits.meters);
        let most = limits.concurrency.unwrap_or(u32::MAX);
        let longest = limits.queue.unwrap_or(SimDuration::ZERO);
        let minds_ends = limits.concurrency.is_some() || limits.queue.is_some() || levels.take_at_ends();
        Self { levels, minds_ends, in_flight: 0, most, longest, limits, ends: Ends::default() }
    }

    /// Admits a call, after some time in line, or refuses it. An admitted call must [`Gate::leave`].
    ///
    /// # Errors
    /// [`Refused`] with the limit that it hit.
    pub fn enter(&mut self, now: SimTime, demand: &CallDemand) -> Result<SimDuration, Refused> {
        self.admit(now, &demand.charges())
    }

    /// The same with what the call is charged.
    pub(super) fn admit(&mut self, now: SimTime, charges: &Charges) -> Result<SimDuration, Refused> {
        let line = self.line(now);
        if !self.levels.have_room(now, charges) || line > self.longest {
            return Err(self.refuse(now, charges, line));
        }
        self.levels.take(charges);
        self.in_flight += u32::from(self.minds_ends);
        Ok(line)
    }

    /// Why the call is refused: for the limit that it has to wait for longest, or for want of a place.
    #[inline(never)]
    fn refuse(&mut self, now: SimTime, charges: &Charges, line: SimDuration) -> Refused {
        let (wait, by) = self.levels.longest_wait(now, charges);
        debug_assert!(wait > SimDuration::ZERO || line > self.longest);
        self.count_failure(now);
        let after_line = if wait > SimDuration::ZERO { None } else { self.limits.queue };
        Refused { wait, by, after_line }
    }

    /// How long a call waits for a place: until as many have ended as are too many. Without a line, any time at all.
    #[inline]
    fn line(&mut self, now: SimTime) -> SimDuration {
        if self.in_flight >= self.most { self.in_line(now) } else { SimDuration::ZERO }
    }

    #[cold]
    fn in_line(&mut self, now: SimTime) -> SimDuration {
        let too_many = self.in_flight - self.most;
        self.ends.after(too_many as usize).map_or(SimDuration::FOREVER, |end| SimDuration((end - now).0.max(1)))
    }

    /// A call that was admitted is refused elsewhere, before anybody knew when it would end: its place is free again.
    pub(super) fn withdraw(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(u32::from(self.minds_ends));
    }

    /// A call that was admitted will end then, unless somebody closes it.
    #[inline]
    pub fn will_end(&mut self, end: SimTime) {
        if self.limits.queue.is_some() {
            self.ends.add(end);
        }
    }

    /// A call has failed or been refused: it counts in the window in which it does, and takes from
    /// what a bucket holds then.
    #[inline]
    pub fn count_failure(&mut self, now: SimTime) {
        if self.limits.failures_count {
            self.levels.take_a_request(now);
        }
    }

    /// A call that was admitted is over: it was to end then, has produced this much, and costs this much.
    #[inline(always)]
    pub fn leave(&mut self, now: SimTime, planned: SimTime, output: f64, dollars: f64) {
        if self.minds_ends {
            self.end(now, planned, output, dollars);
        }
    }

    #[inline(never)]
    fn end(&mut self, now: SimTime, planned: SimTime, output: f64, dollars: f64) {
        self.in_flight = self.in_flight.saturating_sub(1);
        if self.limits.queue.is_some() {
            self.ends.remove(planned);
        }
        self.levels.take_at_end(now, output, dollars);
    }

    /// Whether a refusal says when to come back.
    pub(super) const fn says_when(&self) -> bool {
        self.limits.retry_after
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::limits::{Counted, Meter, Refill, TokenCharge, next_month};
    use proptest::prelude::*;
    use std::collections::VecDeque;

    const CALL: CallDemand = CallDemand { uncached_input: 100.0, input: 150.0, max_tokens: 400.0 };

    fn per_minute(counted: Counted, limit: f64, refill: Refill) -> Gate {
        let meter = Meter { counted, limit, period: SimDuration::from_secs(60), refill };
        let limits = Limits { meters: vec![meter], ..Limits::default() };
        limits.check().unwrap();
        Gate::new(limits)
    }

    fn millis(ms: i64) -> SimTime {
        SimTime(ms * 1_000_000)
    }

    /// Calls admitted of one every `every_ms` for `minutes`.
    fn admitted(gate: &mut Gate, every_ms: i64, minutes: i64) -> usize {
        let calls = (0..minutes * 60_000).step_by(every_ms as usize);
        calls
            .filter(|ms| {
                gate.enter(millis(*ms), &CALL).map(|_| gate.leave(millis(*ms), millis(*ms), 20.0, 0.0)).is_ok()
            })
            .count()
    }

    #[test]
    fn a_window_admits_its_limit_and_opens_at_the_minute() {
        let mut gate = per_minute(Counted::Requests, 60.0, Refill::Window { offset: SimDuration::from_secs(20) });
        // The first window has 40 s left; ten minutes touch eleven windows; each admits 60 of what comes twice as fast.
        assert_eq!(admitted(&mut gate, 500, 10), 60 * 10 + 40);
        let mut gate = per_minute(Counted::Requests, 1.0, Refill::Window { offset: SimDuration::from_secs(20) });
        gate.enter(millis(0), &CALL).unwrap();
        assert_eq!(
            gate.enter(millis(1000), &CALL),
            Err(Refused { wait: SimDuration::from_secs(39), by: Bound::Meter(0), after_line: None })
        );
    }

    #[test]
    fn a_bucket_admits_its_rate_whatever_is_offered() {
        for every_ms in [50, 100, 333] {
            let mut gate = per_minute(Counted::Requests, 120.0, Refill::Bucket { burst: 0.05 });
            // The full bucket (6) and then 2 a second for 30 minutes.
            let count = admitted(&mut gate, every_ms, 30) as f64;
            assert!((count - 3606.0).abs() <= 2.0, "every {every_ms} ms: {count}");
        }
    }

    #[test]
    fn refusals_that_count_keep_the_gate_shut() {
        let bucket = Refill::Bucket { burst: 0.1 };
        let mut gate = per_minute(Counted::Requests, 60.0, bucket);
        gate.limits.failures_count = true;
        // A retry storm at twice the limit: each refusal eats what has been refilled.
        assert!(admitted(&mut gate, 500, 10) < 20);
    }

    #[test]
    fn a_failure_counts_in_the_window_in_which_it_comes() {
        let mut gate = per_minute(Counted::Requests, 2.0, Refill::Window { offset: SimDuration::ZERO });
        gate.limits.failures_count = true;
        // Nothing came before in this minute: it has room for one call beside the failure.
        gate.enter(millis(0), &CALL).unwrap();
        gate.count_failure(millis(60_000));
        assert!(gate.enter(millis(61_000), &CALL).is_ok() && gate.enter(millis(62_000), &CALL).is_err());
    }

    #[test]
    fn tokens_are_charged_as_each_provider_does() {
        let window = Refill::Window { offset: SimDuration::ZERO };
        let first_minute = |charge, limit| admitted(&mut per_minute(Counted::Tokens(charge), limit, window), 1000, 1);
        assert_eq!(first_minute(TokenCharge::InputAndLimit, 5500.0), 10);
        assert_eq!(first_minute(TokenCharge::LargerOfInputAndLimit, 4000.0), 10);
        assert_eq!(first_minute(TokenCharge::UncachedInput, 1000.0), 10);
        assert_eq!(first_minute(TokenCharge::Used, 1700.0), 10);
        assert_eq!(first_minute(TokenCharge::Output, 200.0), 10);
    }

    #[test]
    fn concurrency_counts_calls_in_flight() {
        let mut gate = Gate::new(Limits { concurrency: Some(2), ..Limits::default() });
        assert!(gate.enter(millis(0), &CALL).is_ok() && gate.enter(millis(0), &CALL).is_ok());
        assert!(gate.enter(millis(1), &CALL).is_err());
        gate.leave(millis(2), millis(2), 0.0, 0.0);
        assert!(gate.enter(millis(2), &CALL).is_ok());
    }

    #[test]
    fn a_rolling_spend_limit_opens_as_spend_grows_old() {
        let ten_minutes = SimDuration::from_secs(600);
        let meter = Meter { counted: Counted::Dollars, limit: 10.0, period: ten_minutes, refill: Refill::Rolling };
        let mut gate = Gate::new(Limits { meters: vec![meter], ..Limits::default() });
        let mut spend = |secs: i64| {
            let now = SimTime::ZERO + SimDuration::from_secs(secs);
            gate.enter(now, &CALL).map(|_| gate.leave(now, now, 0.0, 2.5))
        };
        // Four calls at $2.50 use it up; the next is let in when the first is ten minutes old.
        assert!((0..4).all(|minute| spend(minute * 60).is_ok()));
        assert_eq!(
            spend(300),
            Err(Refused { wait: SimDuration::from_secs(300), by: Bound::Meter(0), after_line: None })
        );
        assert!(spend(600).is_ok() && spend(601).is_err() && spend(660).is_ok());
    }

    #[test]
    fn a_cap_is_lifted_with_the_month() {
        let refill = Refill::Monthly { spent: 240.0, start: 0 };
        let meter = Meter { counted: Counted::Dollars, limit: 250.0, period: SimDuration::from_secs(1), refill };
        let mut gate = Gate::new(Limits { meters: vec![meter], ..Limits::default() });
        gate.enter(millis(0), &CALL).unwrap();
        gate.leave(millis(1), millis(1), 0.0, 11.0);
        // January 1970 ends after 31 days; the limit of February is whole.
        const DAY: i64 = 86_400_000;
        assert_eq!(
            gate.enter(millis(31 * DAY - 1), &CALL),
            Err(Refused { wait: SimDuration::FOREVER, by: Bound::Meter(0), after_line: None })
        );
        gate.enter(millis(31 * DAY), &CALL).unwrap();
        gate.leave(millis(31 * DAY + 1), millis(31 * DAY + 1), 0.0, 249.0);
        gate.enter(millis(59 * DAY - 1), &CALL).unwrap();
        gate.leave(millis(59 * DAY - 1), millis(59 * DAY - 1), 0.0, 2.0);
        assert!(gate.enter(millis(59 * DAY - 1), &CALL).is_err());
        gate.enter(millis(59 * DAY), &CALL).unwrap();
        gate.enter(SimTime(i64::MAX / 2), &CALL).unwrap();
    }

    #[test]
    fn a_line_is_served_in_order_until_it_is_too_long() {
        let limits = Limits { concurrency: Some(2), queue: Some(SimDuration::from_secs(10)), ..Limits::default() };
        let mut gate = Gate::new(limits);
        let mut call = |now: i64, takes: i64| {
            let line = gate.enter(millis(now), &CALL)?;
            gate.will_end(millis(now) + line + SimDuration::from_secs(takes));
            Ok::<i64, Refused>(line.0 / 1_000_000)
        };
        // Two places: the third waits for the first to end, the fourth for the second, the fifth for the third.
        assert_eq!(
            [call(0, 3), call(0, 5), call(0, 4), call(0, 9), call(1000, 9)].map(Result::unwrap),
            [0, 0, 3000, 5000, 6000]
        );
        assert!(call(2000, 1).is_err(), "until the fourth ends at 14 s is too long");
    }

    #[test]
    fn who_is_turned_away_takes_nobody_else_out_of_the_line() {
        let limits = Limits { concurrency: Some(1), queue: Some(SimDuration::FOREVER), ..Limits::default() };
        let mut gate = Gate::new(limits);
        gate.enter(millis(0), &CALL).unwrap();
        gate.will_end(SimTime::NEVER);
        // One call is let in here and refused by the account behind: the one that hangs still has the only place.
        gate.enter(millis(1), &CALL).unwrap();
        gate.withdraw();
        let line = gate.enter(millis(2), &CALL).unwrap();
        assert_eq!(millis(2) + line, SimTime::NEVER);
    }

    /// The slow twin: what each limit counts and how it is refilled is asked anew, and everything is refilled first.
    #[derive(Clone)]
    struct Slow {
        limits: Limits,
        levels: Vec<Level>,
        in_flight: u32,
        ends: Vec<SimTime>,
    }

    #[derive(Clone)]
    struct Level {
        left: f64,
        opens: SimTime,
        mark: Option<SimTime>,
        used: VecDeque<(SimTime, f64)>,
    }

    fn refill(meter: &Meter, level: &mut Level, now: SimTime) {
        match meter.refill {
            Refill::Window { .. } if now < level.opens => {}
            Refill::Window { offset } => {
                let into = (now.0 + offset.0).rem_euclid(meter.period.0);
                (level.left, level.opens) = (meter.limit, SimTime(now.0 - into + meter.period.0));
            }
            Refill::Bucket { .. } => {
                let since = now - level.mark.replace(now).unwrap_or(now);
                let added = meter.limit * since.0 as f64 / meter.period.0 as f64;
                level.left = (level.left + added).min(meter.capacity());
            }
            Refill::Rolling => {
                while let Some((_, amount)) = level.used.front().copied().filter(|(at, _)| *at + meter.period <= now) {
                    level.left += amount;
                    level.used.pop_front();
                }
            }
            Refill::Monthly { .. } if now < level.opens => {}
            Refill::Monthly { start, .. } => {
                (level.left, level.opens) = (meter.limit, SimTime(next_month(start, now)));
            }
        }
    }

    fn wait(meter: &Meter, level: &Level, now: SimTime, needed: f64) -> SimDuration {
        match meter.refill {
            Refill::Window { .. } => level.opens - now,
            Refill::Bucket { .. } => {
                let nanos = (needed - level.left) * meter.period.0 as f64 / meter.limit;
                SimDuration((nanos.ceil() as i64).max(1))
            }
            Refill::Rolling => {
                let left_then = |n: usize| level.used.iter().take(n).fold(level.left, |sum, (_, amount)| sum + amount);
                let enough = (1..=level.used.len()).find(|n| left_then(*n) >= needed);
                enough.map_or(SimDuration::FOREVER, |n| level.used[n - 1].0 + meter.period - now)
            }
            Refill::Monthly { .. } => SimDuration::FOREVER,
        }
    }

    impl Slow {
        fn new(limits: Limits) -> Self {
            let level = |meter: &Meter| Level {
                left: meter.capacity(),
                opens: match meter.refill {
                    Refill::Monthly { start, .. } => SimTime(next_month(start, SimTime::ZERO)),
                    _ => SimTime(i64::MIN),
                },
                mark: None,
                used: VecDeque::new(),
            };
            let levels = limits.meters.iter().map(level).collect();
            Self { limits, levels, in_flight: 0, ends: Vec::new() }
        }

        fn fail(&mut self, now: SimTime) {
            for (meter, level) in self.limits.meters.iter().zip(&mut self.levels) {
                refill(meter, level, now);
                if self.limits.failures_count && meter.counted == Counted::Requests {
                    level.left = (level.left - 1.0).max(0.0);
                }
            }
        }

        /// How long a call waits for a place.
        fn line(&self, now: SimTime) -> SimDuration {
            let Some(most) = self.limits.concurrency.filter(|most| self.in_flight >= *most) else {
                return SimDuration::ZERO;
            };
            let end = self.ends.get((self.in_flight - most) as usize);
            end.map_or(SimDuration::FOREVER, |end| SimDuration((*end - now).0.max(1)))
        }

        fn enter(&mut self, now: SimTime, demand: &CallDemand) -> Result<SimDuration, Refused> {
            let taken = |meter: &Meter| match meter.counted {
                Counted::Requests => 1.0,
                Counted::Tokens(TokenCharge::InputAndLimit) => demand.input + demand.max_tokens,
                Counted::Tokens(TokenCharge::LargerOfInputAndLimit) => demand.input.max(demand.max_tokens),
                Counted::Tokens(TokenCharge::UncachedInput) => demand.uncached_input,
                Counted::Tokens(TokenCharge::Output) | Counted::Dollars => 0.0,
                Counted::Tokens(TokenCharge::Used) => demand.input,
            };
            let (mut longest, mut by) = (SimDuration::ZERO, Bound::Concurrency);
            for (index, (meter, level)) in self.limits.meters.iter().zip(&mut self.levels).enumerate() {
                refill(meter, level, now);
                let needed = taken(meter).clamp(f64::MIN_POSITIVE, meter.capacity().max(f64::MIN_POSITIVE));
                let longer = if level.left < needed { wait(meter, level, now, needed) } else { SimDuration::ZERO };
                if longer > longest {
                    (longest, by) = (longer, Bound::Meter(index));
                }
            }
            let line = self.line(now);
            let is_too_long = self.limits.queue.map_or(line > SimDuration::ZERO, |longest| line > longest);
            if longest > SimDuration::ZERO || is_too_long {
                self.fail(now);
                let after_line = self.limits.queue.filter(|_| longest == SimDuration::ZERO);
                return Err(Refused { wait: longest, by, after_line });
            }
            for (meter, level) in self.limits.meters.iter().zip(&mut self.levels) {
                level.left -= taken(meter);
            }
            self.in_flight += 1;
            Ok(line)
        }

        fn will_end(&mut self, end: SimTime) {
            if self.limits.queue.is_some() {
                self.ends.push(end);
                self.ends.sort();
            }
        }

        fn leave(&mut self, now: SimTime, planned: SimTime, output: f64, dollars: f64) {
            self.in_flight -= 1;
            if let Some(at) = self.ends.iter().position(|end| *end == planned) {
                self.ends.remove(at);
            }
            for (meter, level) in self.limits.meters.iter().zip(&mut self.levels) {
                let amount = match meter.counted {
                    Counted::Tokens(TokenCharge::Output | TokenCharge::Used) => output,
                    Counted::Dollars if dollars > 0.0 => dollars,
                    _ => continue,
                };
                refill(meter, level, now);
                level.left -= amount;
                if meter.refill == Refill::Rolling && meter.counted == Counted::Dollars {
                    level.used.push_back((now, amount));
                }
            }
        }
    }

    fn meters() -> impl Strategy<Value = Meter> {
        use TokenCharge::{InputAndLimit, LargerOfInputAndLimit, Output, UncachedInput, Used};
        let charges = [InputAndLimit, LargerOfInputAndLimit, UncachedInput, Output, Used];
        let tokens = prop::sample::select(charges.to_vec()).prop_map(Counted::Tokens);
        let counted = prop_oneof![Just(Counted::Requests), tokens, Just(Counted::Dollars)];
        let refill = prop_oneof![
            (0i64..60_000).prop_map(|ms| Refill::Window { offset: SimDuration(ms * 1_000_000) }),
            (0.01f64..1.0).prop_map(|burst| Refill::Bucket { burst }),
            Just(Refill::Rolling),
            (0.0f64..900.0, 0i64..2_000_000)
                .prop_map(|(spent, start)| Refill::Monthly { spent, start: start + 31 * 86_400 - 100 }),
        ];
        (counted, 1.0f64..2_000.0, 1i64..90, refill).prop_map(|(counted, limit, secs, refill)| Meter {
            counted,
            limit,
            period: SimDuration::from_secs(secs),
            refill,
        })
    }

    proptest! {
        #[test]
        fn lets_in_whom_the_slow_twin_lets_in(
            meters in prop::collection::vec(meters(), 0..4),
            concurrency in prop::option::of(1u32..6),
            queue in prop::option::of(0i64..4_000),
            failures_count in any::<bool>(),
            calls in prop::collection::vec((0i64..3_000, 0.0f64..300.0, 0.0f64..300.0, 0i64..6_000), 0..200),
        ) {
            let queue = queue.map(|ms| SimDuration(ms * 1_000_000));
            let limits = Limits { meters, concurrency, queue, failures_count, retry_after: true };
            let (mut fast, mut slow) = (Gate::new(limits.clone()), Slow::new(limits));
            let (mut now, mut open) = (SimTime::ZERO, Vec::new());
            for (later, input, max_tokens, takes) in calls {
                now = SimTime(now.0 + later * 1_000_000);
                while let Some(at) = open.iter().position(|end| *end <= now) {
                    let end = open.swap_remove(at);
                    // Some cost nothing.
                    let dollars = (max_tokens / 100.0 - 1.0).max(0.0);
                    fast.leave(now, end, input, dollars);
                    slow.leave(now, end, input, dollars);
                }
                if input > 250.0 {
                    fast.count_failure(now);
                    slow.fail(now);
                }
                let demand = CallDemand { uncached_input: input / 2.0, input, max_tokens };
                let entered = fast.enter(now, &demand);
                prop_assert_eq!(entered, slow.enter(now, &demand));
                prop_assert_eq!(fast.levels.left(), slow.levels.iter().map(|level| level.left).collect::<Vec<f64>>());
                if let Ok(line) = entered {
                    let end = now + line + SimDuration(takes * 1_000_000);
                    open.push(end);
                    fast.will_end(end);
                    slow.will_end(end);
                }
            }
        }
    }
}
