//! The most calls in flight at once. Of most calls it is known when they start at which moment they will end; such ends
//! are told ahead, in any order, and nobody has to come back at their moments. Starts gather in a block; when it is
//! full, the ends between them are put into cells by their moment, and only where a cell could hold a new peak its ends
//! are looked at one by one. A call takes 75 instructions that way and hardly a branch that cannot be foreseen; an
//! event for its end took 130 and two such branches. The slow twin, in the tests, puts everything in order. At one
//! instant, what ends ahead is over before anything starts.

use crate::units::SimTime;

/// Calls on their way, and the most there were.
#[derive(Debug, Clone, Default)]
pub struct Flights {
    /// In flight before the block.
    count: u64,
    /// The most since the last [reset](Self::reset), before the block.
    most: u64,
    /// The block: what starts and ends as it is told, in order.
    steps: Vec<Step>,
    /// When calls of which it was told ahead end.
    ends: Vec<SimTime>,
    /// How many steps the block may hold.
    room: usize,
    /// How many ends were known ahead when somebody asked last.
    told: usize,
    /// The ends within the block, as they were told and cell by cell.
    due: Vec<SimTime>,
    sorted: Vec<SimTime>,
}

#[derive(Debug, Clone, Copy)]
struct Step {
    at: SimTime,
    /// 1 for a start, -1 for an end.
    change: i64,
}

/// Cells that the time of a block is divided into.
const CELLS: usize = 256;
/// A block holds as many steps, or as many as calls are on their way: then looking at it costs a call no more.
const BLOCK: usize = 256;

impl Flights {
    /// A call starts. `true` if a block was full: then [more may be known ahead](Self::more_ahead).
    #[inline(always)]
    pub fn start(&mut self, now: SimTime) -> bool {
        self.step(now, 1)
    }

    /// A call that has started ends now.
    #[inline(always)]
    pub fn end(&mut self, now: SimTime) {
        self.step(now, -1);
    }

    /// A call that has just started will end then, which is later.
    #[inline(always)]
    pub fn end_at(&mut self, at: SimTime) {
        self.ends.push(at);
    }

    /// What starts and ends now. While nothing is known ahead, there is nothing to put in order.
    #[inline(always)]
    fn step(&mut self, at: SimTime, change: i64) -> bool {
        if self.ends.is_empty() && self.steps.is_empty() {
            self.count = self.count.wrapping_add_signed(change);
            self.most = self.most.max(self.count);
            return false;
        }
        self.steps.push(Step { at, change });
        let is_full = self.steps.len() >= self.room;
        if is_full {
            self.settle(SimTime(at.0 + 1));
        }
        is_full
    }

    /// By how much more ends are known ahead than the last time.
    pub fn more_ahead(&mut self) -> isize {
        let before = std::mem::replace(&mut self.told, self.ends.len());
        self.ends.len().wrapping_sub(before) as isize
    }

    /// The most in flight at once since the last time, up to this moment; everything told happened before.
    pub fn take_most(&mut self, until: SimTime) -> u64 {
        self.settle(until);
        std::mem::replace(&mut self.most, self.count)
    }

    /// How many were in flight when [the most was taken](Self::take_most).
    pub const fn in_flight(&self) -> u64 {
        self.count
    }

    /// The next end that is known ahead.
    pub fn first_end(&self) -> Option<SimTime> {
        self.ends.iter().min().copied()
    }

    /// The last end that is known ahead.
    pub fn last_end(&self) -> Option<SimTime> {
        self.ends.iter().max().copied()
    }

    /// Looks at the block: all its steps and nothing told later happens before `until`. What has ended by then is gone.
    #[inline(never)]
    fn settle(&mut self, until: SimTime) {
        let cells = Cells::new(self.steps.first().map_or(until, |first| first.at), until, self.steps.len());
        let (mut counts, mut due, mut kept) = ([0; CELLS], 0, 0);
        self.due.resize(self.ends.len(), SimTime::ZERO);
        for place in 0..self.ends.len() {
            let end = self.ends[place];
            if end < until {
                counts[cells.of(end)] += 1;
                self.due[due] = end;
                due += 1;
            } else {
                self.ends[kept] = end;
                kept += 1;
            }
        }
        self.due.truncate(due);
        self.ends.truncate(kept);
        if !self.steps.is_empty() {
            cells.sort(&self.due, &mut counts, &mut self.sorted);
            self.look(&cells, &counts);
        }
        self.count -= self.due.len() as u64;
        self.room = BLOCK.max(self.ends.len());
    }

    /// Finds the most in flight after any step, and takes the steps as done. `until` says where
    /// the ends of each cell end.
    fn look(&mut self, cells: &Cells, until: &[u32; CELLS]) {
        let mut count = self.count;
        for step in self.steps.drain(..) {
            count = count.wrapping_add_signed(step.change);
            let cell = cells.of(step.at);
            // Before a cell's own ends are looked at, it is known how many are over at least.
            let from = if cell == 0 { 0 } else { until[cell - 1] as usize };
            if count - from as u64 > self.most {
                let ends = &self.sorted[from..until[cell] as usize];
                let over = ends.iter().filter(|end| **end <= step.at).count();
                self.most = self.most.max(count - (from + over) as u64);
            }
        }
        self.count = count;
    }
}

/// The time of a block, in equal parts.
struct Cells {
    first: SimTime,
    shift: u32,
    count: usize,
}

impl Cells {
    /// One cell a step, or two; but not more than there are.
    fn new(first: SimTime, until: SimTime, steps: usize) -> Self {
        let length = (until.0 - first.0) as u64;
        let bits = u64::BITS - length.leading_zeros();
        let count = steps.next_power_of_two().min(CELLS);
        Self { first, shift: bits.saturating_sub(count.ilog2()), count }
    }

    /// The cell of a moment in the block; what was before it is in the first.
    #[inline(always)]
    const fn of(&self, at: SimTime) -> usize {
        let since = if at.0 > self.first.0 { at.0 - self.first.0 } else { 0 };
        (since as u64 >> self.shift) as usize % CELLS
    }

    /// Puts ends in order of their cells. `places` says how many there are in each cell, and then where they end.
    fn sort(&self, ends: &[SimTime], places: &mut [u32; CELLS], sorted: &mut Vec<SimTime>) {
        let mut sum = 0;
        for place in &mut places[..self.count] {
            sum += std::mem::replace(place, sum);
        }
        sorted.resize(ends.len(), SimTime::ZERO);
        for end in ends {
            let place = &mut places[self.of(*end)];
            sorted[*place as usize] = *end;
            *place += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// One thing told: a pause before it, then what.
    #[derive(Debug, Clone, Copy)]
    enum Told {
        Start,
        StartAndEnd(i64),
        End,
        Most,
    }

    fn told() -> impl Strategy<Value = (i64, Told)> {
        let what = prop_oneof![
            3 => Just(Told::Start),
            20 => (1i64..60).prop_map(Told::StartAndEnd),
            3 => Just(Told::End),
            1 => Just(Told::Most),
        ];
        (0i64..4, what)
    }

    /// Everything in order, known beforehand or not: what ends at an instant is over before anything starts, unless it
    /// is told in another order.
    fn slow(begun: u64, told: &[(i64, i64)], ahead: &[i64], until: i64) -> u64 {
        let (mut most, mut count) = (begun, begun as i64);
        for (at, change) in told {
            count += change;
            let over = ahead.iter().filter(|end| *end <= at).count() as i64;
            most = most.max((count - over) as u64);
        }
        assert!(told.iter().all(|(at, _)| *at <= until));
        most
    }

    proptest! {
        #[test]
        fn the_most_at_once_is_that_of_everything_in_order(said in prop::collection::vec(told(), 0..1500)) {
            let (mut flights, mut now, mut open) = (Flights::default(), 0, 0);
            let (mut begun, mut steps, mut ahead): (u64, Vec<(i64, i64)>, Vec<i64>) = (0, Vec::new(), Vec::new());
            for (pause, told) in said {
                // Everything told stands before the question.
                now += if let Told::Most = told { pause + 1 } else { pause };
                let at = SimTime(now);
                match told {
                    Told::Start => (open, _) = (open + 1, flights.start(at)),
                    Told::StartAndEnd(takes) => {
                        flights.start(at);
                        flights.end_at(SimTime(now + takes));
                        steps.push((now, 1));
                        ahead.push(now + takes);
                        continue;
                    }
                    Told::End if open > 0 => (open, _) = (open - 1, flights.end(at)),
                    Told::End => continue,
                    Told::Most => {
                        let most = slow(begun, &steps, &ahead, now);
                        prop_assert_eq!(flights.take_most(at), most);
                        begun = begun.wrapping_add_signed(steps.iter().map(|(_, change)| change).sum());
                        begun -= ahead.iter().filter(|end| **end < now).count() as u64;
                        steps.clear();
                        ahead.retain(|end| *end >= now);
                        continue;
                    }
                }
                steps.push((now, if matches!(told, Told::Start) { 1 } else { -1 }));
            }
            let later = |end: Option<i64>| end.filter(|end| *end > now);
            prop_assert_eq!(later(flights.last_end().map(|end| end.0)), later(ahead.iter().copied().max()));
        }
    }
}
