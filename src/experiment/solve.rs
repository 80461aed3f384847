//! The value of a parameter at which a statistic reaches a target. All values are tried in the same random weekends,
//! so what is
//! searched is one curve, not noise; the interval says how far the curve may be off because the runs are few.

use std::collections::BTreeSet;

use crate::experiment::common::Common;
use crate::experiment::gate::{Gate, Level};
use crate::experiment::metric::Measure;
use crate::experiment::replicate::{Options, Progress};
use crate::experiment::sweep::{Place, Range, number, play, written};
use crate::scenario::{Edit, Problem, World};
use crate::stats::Estimate;

/// What is searched.
#[derive(Debug, Clone)]
pub struct Search {
    /// What is varied.
    pub common: Common,
    /// The path of the parameter.
    pub path: String,
    /// Where to search; from the value in the scenario outwards if it is not said.
    pub range: Option<Range>,
    /// The value that the parameter has now, with its unit, if it is known.
    pub now: Option<String>,
    /// The statistic and the value that it is to reach; the relation does not matter.
    pub target: Gate,
    /// Requests of one trial, all runs together, beyond which a search without a range does not go.
    pub most_requests: f64,
}

impl Search {
    /// Some ten minutes of a core.
    pub const MOST_REQUESTS: f64 = 1e10;
}

/// What was found.
#[derive(Debug, Clone)]
pub struct Solution {
    /// What was varied.
    pub common: Common,
    /// The path of the parameter.
    pub path: String,
    /// The target as it was written.
    pub target: String,
    /// What the statistic is counted in.
    pub measure: Measure,
    /// The answer.
    pub answer: Answer,
    /// Everything that was tried, in order of the parameter.
    pub tried: Vec<Trial>,
    /// Models without a price that were called: bills lack what goes there.
    pub unpriced: BTreeSet<String>,
    /// Replications of each value.
    pub runs: u64,
    /// Seed of all.
    pub seed: u64,
    /// The command that gives this result again.
    pub command: String,
}

/// One value that was tried.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// The value.
    pub value: f64,
    /// The same as it would be written.
    pub text: String,
    /// The statistic there.
    pub found: Estimate,
}

/// The answer of a search.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// The statistic reaches the target at this value.
    At {
        /// The value, as it would be written.
        value: String,
        /// The statistic there, with its interval.
        found: Estimate,
        /// The values at which the target leaves the interval of the statistic: where the true answer lies. An end
        /// may be open.
        between: [Option<String>; 2],
    },
    /// The target is between the statistics of these neighbouring values (whole numbers, or a jump).
    Between {
        /// One of them.
        low: Trial,
        /// The other.
        high: Trial,
    },
    /// Nowhere in the range: the statistic stays on one side of the target.
    Nowhere {
        /// Whether it stays below the target.
        is_below: bool,
        /// The trial that comes nearest.
        nearest: Trial,
    },
    /// Interrupted.
    Unfinished,
}

/// Values that are tried at most.
const MOST_TRIALS: usize = 40;
/// The statistic is at the target when it is this near, relatively.
const NEAR: f64 = 5e-4;
/// It is also near enough when the rest is this small a part of what the runs leave open.
const WITHIN_DOUBT: f64 = 0.01;
/// A step is without effect when it closes less than this share of the distance to the target.
const FLAT: f64 = 0.01;
/// So many of them and a search outwards turns round. Where more of the parameter means more requests it ends instead,
/// if steps before have had an effect: what is full does not fill any more, and trials get dearer and dearer.
const MOST_FLAT: u32 = 2;
/// The largest step there.
const MOST_STRIDE: f64 = 8.0;
/// Values closer than this say nothing about the slope, relatively.
const APART: f64 = 0.05;
/// The parameter is known when its bracket is this narrow, relatively.
const NARROW: f64 = 1e-5;
/// Without a range the search goes this far from the present value, either way.
const FARTHEST: f64 = 1e6;
/// Places within a range that are tried when both ends are on the same side.
const SCAN: usize = 8;

/// Searches.
///
/// # Errors
/// Those of `load`: the path leads nowhere, or a value cannot be used.
pub fn solve<E: From<Problem>>(
    search: &Search,
    options: &Options,
    progress: &dyn Progress,
    load: &dyn Fn(Vec<Edit>) -> Result<World, E>,
) -> Result<Solution, E> {
    let mut hunt = Hunt {
        search,
        options,
        progress,
        load,
        tried: Vec::new(),
        sizes: Vec::new(),
        unpriced: BTreeSet::new(),
        space: Space::of(search),
    };
    let answer = hunt.answer()?;
    hunt.tried.sort_by(|a, b| a.value.total_cmp(&b.value));
    Ok(Solution {
        common: search.common.clone(),
        path: Edit::masked(&search.path),
        target: search.target.text.clone(),
        measure: search.target.measure(),
        answer,
        tried: hunt.tried,
        unpriced: hunt.unpriced,
        runs: options.runs,
        seed: options.seed.0,
        command: options.command.clone(),
    })
}

/// Which values can be tried.
struct Space {
    low: f64,
    high: f64,
    start: f64,
    unit: String,
    is_whole: bool,
    /// Whether the search begins at the present value and goes outwards.
    is_open: bool,
}

impl Space {
    fn of(search: &Search) -> Self {
        let now = search.now.as_deref().and_then(number);
        match &search.range {
            Some(range) => {
                let (low, high, unit, is_whole) = (range.low, range.high, range.unit.clone(), range.is_whole);
                let inside = now.filter(|(now, of)| *of == unit && *now > low && *now < high);
                Self { low, high, start: inside.map_or(low, |(now, _)| now), unit, is_whole, is_open: false }
            }
            None => {
                let (now, unit) = now.unwrap_or((1.0, String::new()));
                let start = if now > 0.0 { now } else { 1.0 };
                let is_whole = unit.is_empty() && search.now.as_ref().is_some_and(|text| !text.contains('.'));
                let low = if is_whole { 0.0 } else { start / FARTHEST };
                let high = if unit == "%" { 100.0f64.max(start) } else { start * FARTHEST };
                Self { low, high, start, unit, is_whole, is_open: true }
            }
        }
    }

    /// A value that can be tried.
    fn fit(&self, value: f64) -> f64 {
        let value = value.clamp(self.low, self.high);
        if self.is_whole { value.round() } else { number(&written(value, "")).map_or(value, |(value, _)| value) }
    }

    fn is_narrow(&self, low: f64, high: f64) -> bool {
        if self.is_whole { high - low <= 1.0 } else { high - low <= NARROW * low.abs().max(high.abs()) }
    }
}

/// A search under way.
struct Hunt<'a, E> {
    search: &'a Search,
    options: &'a Options,
    progress: &'a dyn Progress,
    load: &'a dyn Fn(Vec<Edit>) -> Result<World, E>,
    tried: Vec<Trial>,
    /// Values in the order in which they were tried, with the requests that were simulated.
    sizes: Vec<(f64, f64)>,
    /// Models without a price that were called.
    unpriced: BTreeSet<String>,
    space: Space,
}

impl<E: From<Problem>> Hunt<'_, E> {
    fn answer(&mut self) -> Result<Answer, E> {
        let bracket = if self.space.is_open { self.outwards()? } else { self.within()? };
        match bracket {
            Some((low, high)) => self.narrow(low, high),
            None if self.progress.stop() => Ok(Answer::Unfinished),
            None => Ok(self.nowhere()),
        }
    }

    /// Above the target: positive.
    fn distance(&self, trial: &Trial) -> f64 {
        trial.found.point - self.search.target.limit.value
    }

    fn is_near(&self, trial: &Trial) -> bool {
        let target = self.search.target.limit.value;
        let interval = trial.found.interval;
        let doubt = (interval.high - interval.low) / 2.0;
        let doubt = if doubt.is_finite() { WITHIN_DOUBT * doubt } else { 0.0 };
        self.distance(trial).abs() <= (NEAR * target.abs()).max(doubt)
    }

    /// Whether the statistic comes no nearer to the target from one trial to the next, and goes no farther.
    fn is_flat(&self, last: &Trial, trial: &Trial) -> bool {
        (self.distance(trial) - self.distance(last)).abs() <= FLAT * self.distance(last).abs()
    }

    /// Whether the target lies between two trials.
    fn straddles(&self, a: &Trial, b: &Trial) -> bool {
        self.distance(a) <= 0.0 && self.distance(b) >= 0.0 || self.distance(a) >= 0.0 && self.distance(b) <= 0.0
    }

    /// Plays one value; none when interrupted.
    fn try_value(&mut self, value: f64) -> Result<Option<Trial>, E> {
        let value = self.space.fit(value);
        if let Some(known) = self.tried.iter().find(|trial| trial.value == value) {
            return Ok(Some(known.clone()));
        }
        let text = written(value, &self.space.unit);
        let world = (self.load)(vec![Edit::varied(&self.search.path, &text)?])?;
        let index = self.tried.len() as u64;
        let played = play(&world, self.options, self.progress, Place { index, of: index + 1 });
        self.unpriced.extend(played.unpriced);
        let found = played.rows;
        if (found.len() as u64) < self.options.runs {
            return Ok(None);
        }
        self.sizes.push((value, found.iter().map(|run| run.requests as f64).sum()));
        let found = self.search.target.judge(Level::Fail, "", None, &found).value;
        let trial = Trial { value, text, found };
        self.tried.push(trial.clone());
        Ok(Some(trial))
    }

    /// From the present value outwards, by what the slope so far says, until the target is passed.
    fn outwards(&mut self) -> Result<Option<(Trial, Trial)>, E> {
        let Some(mut last) = self.try_value(self.space.start)? else { return Ok(None) };
        let mut next = self.space.fit(last.value * if self.distance(&last) < 0.0 { 1.5 } else { 1.0 / 1.5 });
        if next == last.value {
            next = self.space.fit(last.value + 1.0);
        }
        let (mut has_turned, mut has_moved, mut flat) = (false, false, 0);
        while self.tried.len() < MOST_TRIALS {
            let Some(next_value) = self.nearest_valid(last.value, next) else { return Ok(None) };
            if expected_requests(&self.sizes, next_value) > self.search.most_requests {
                return Ok(None);
            }
            let Some(trial) = self.try_value(next_value)? else { return Ok(None) };
            if self.straddles(&last, &trial) {
                return Ok(Some(order(last, trial)));
            }
            let slope = (self.distance(&trial) - self.distance(&last)) / (trial.value - last.value);
            let is_dearer = has_grown(&self.sizes);
            flat = if self.is_flat(&last, &trial) { flat + 1 } else { 0 };
            let away = flat == 0 && self.distance(&trial).abs() > self.distance(&last).abs();
            if flat >= MOST_FLAT && has_moved && is_dearer {
                return Ok(None);
            }
            has_moved |= flat == 0;
            let is_idle = flat >= MOST_FLAT && !is_dearer;
            let (from, ratio) = (trial.value, trial.value / last.value);
            let guess = from - self.distance(&trial) / slope;
            // A curve that leads away or nowhere is followed the other way, once.
            let most = if is_dearer { MOST_STRIDE } else { 64.0 };
            let stride = if ratio > 1.0 { (1.5, most) } else { (1.0 / 64.0, 1.0 / 1.5) };
            next = match (away || is_idle, has_turned) {
                (true, false) => {
                    has_turned = true;
                    self.space.start * if ratio > 1.0 { 1.0 / 1.5 } else { 1.5 }
                }
                _ if guess.is_finite() && guess > 0.0 => {
                    let beyond = from + (guess - from) * 1.05;
                    from * (beyond / from).clamp(stride.0, stride.1)
                }
                _ => from * if ratio > 1.0 { 4.0 } else { 0.25 },
            };
            next = self.space.fit(next);
            if self.tried.iter().any(|known| known.value == next) {
                next =
                    self.space.fit(if next > from || (next == from && ratio > 1.0) { next + 1.0 } else { next - 1.0 });
                if self.tried.iter().any(|known| known.value == next) {
                    return Ok(None);
                }
            }
            last = trial;
        }
        Ok(None)
    }

    /// The value itself, or the next one towards `from` that the scenario takes: a share ends at 1. None where there is
    /// nothing between.
    fn nearest_valid(&self, from: f64, value: f64) -> Option<f64> {
        const HALVINGS: i32 = 6;
        let towards = |halvings: i32| self.space.fit(from + (value - from) * libm::pow(0.5, f64::from(halvings)));
        let is_valid = |value: &f64| self.is_valid(*value);
        let found = (0..=HALVINGS).map(towards).find(is_valid)?;
        (found == value || self.tried.iter().all(|known| known.value != found)).then_some(found)
    }

    /// Whether the scenario takes this value.
    fn is_valid(&self, value: f64) -> bool {
        let edit = Edit::varied(&self.search.path, &written(value, &self.space.unit));
        edit.is_ok_and(|edit| (self.load)(vec![edit]).is_ok())
    }

    /// Both ends of the range, and places in between when they are on the same side.
    fn within(&mut self) -> Result<Option<(Trial, Trial)>, E> {
        let (low, high) = (self.space.low, self.space.high);
        let (Some(first), Some(last)) = (self.try_value(low)?, self.try_value(high)?) else { return Ok(None) };
        if self.straddles(&first, &last) {
            return Ok(Some((first, last)));
        }
        let mut before = first;
        for place in 1..=SCAN {
            let value = low + (high - low) * place as f64 / SCAN as f64;
            let Some(trial) = self.try_value(value)? else { return Ok(None) };
            if self.straddles(&before, &trial) {
                return Ok(Some((before, trial)));
            }
            before = trial;
        }
        Ok(None)
    }

    /// Makes a bracket narrow: false position, kept honest by halving (the Illinois rule).
    fn narrow(&mut self, mut low: Trial, mut high: Trial) -> Result<Answer, E> {
        let (mut weight_low, mut weight_high) = (1.0, 1.0);
        while self.tried.len() < MOST_TRIALS {
            if let Some(hit) = [&low, &high].into_iter().find(|trial| self.is_near(trial)) {
                return Ok(self.at(hit.clone()));
            }
            if self.space.is_narrow(low.value, high.value) && !self.goes_between(low.value, high.value) {
                break;
            }
            let (a, b) = (self.distance(&low) * weight_low, self.distance(&high) * weight_high);
            let share = (a / (a - b)).clamp(0.02, 0.98);
            let Some(trial) = self.try_value(low.value + (high.value - low.value) * share)? else {
                return Ok(Answer::Unfinished);
            };
            if trial.value == low.value || trial.value == high.value {
                let Some(middle) = self.try_value(0.5 * (low.value + high.value))? else {
                    return Ok(Answer::Unfinished);
                };
                if middle.value == low.value || middle.value == high.value {
                    break;
                }
                if self.straddles(&low, &middle) {
                    high = middle
                } else {
                    low = middle
                }
                continue;
            }
            if self.straddles(&low, &trial) {
                (high, weight_high, weight_low) = (trial, 1.0, weight_low * 0.5);
            } else {
                (low, weight_low, weight_high) = (trial, 1.0, weight_high * 0.5);
            }
        }
        let nearest = if self.distance(&low).abs() <= self.distance(&high).abs() { &low } else { &high };
        if self.is_near(nearest) { Ok(self.at(nearest.clone())) } else { Ok(Answer::Between { low, high }) }
    }

    /// Whole ends need not mean that only whole numbers will do: hours may have fractions, retries may not. Where the
    /// answer is between neighbours, and the scenario takes what is between them, the search goes on there.
    fn goes_between(&mut self, low: f64, high: f64) -> bool {
        let was_whole = std::mem::replace(&mut self.space.is_whole, false);
        if was_whole && !self.is_valid(0.5 * (low + high)) {
            self.space.is_whole = true;
        }
        was_whole && !self.space.is_whole
    }

    /// The answer with its interval: the uncertainty of the statistic, over its slope.
    fn at(&self, hit: Trial) -> Answer {
        let slope = self.slope(&hit);
        let interval = hit.found.interval;
        let end = |of_statistic: f64| {
            let value = hit.value - (of_statistic - hit.found.point) / slope?;
            value.is_finite().then(|| written(self.space.fit(value), &self.space.unit))
        };
        let rises = slope.is_some_and(|slope| slope > 0.0);
        let (low, high) = (end(interval.low), end(interval.high));
        let between = if rises { [high, low] } else { [low, high] };
        Answer::At { value: hit.text, found: hit.found, between }
    }

    /// How steep the curve is around a value: between the next trials on either side that are not all but the same.
    fn slope(&self, hit: &Trial) -> Option<f64> {
        let apart = APART * hit.value.abs();
        let below = self.tried.iter().filter(|trial| trial.value < hit.value - apart);
        let above = self.tried.iter().filter(|trial| trial.value > hit.value + apart);
        let below = below.max_by(|a, b| a.value.total_cmp(&b.value)).unwrap_or(hit);
        let above = above.min_by(|a, b| a.value.total_cmp(&b.value)).unwrap_or(hit);
        let slope = (above.found.point - below.found.point) / (above.value - below.value);
        slope.is_finite().then_some(slope)
    }

    fn nowhere(&self) -> Answer {
        let nearest = self.tried.iter().min_by(|a, b| self.distance(a).abs().total_cmp(&self.distance(b).abs()));
        match nearest {
            Some(nearest) => Answer::Nowhere { is_below: self.distance(nearest) < 0.0, nearest: nearest.clone() },
            None => Answer::Unfinished,
        }
    }
}

/// Requests that a trial will take, as the last two let expect: in proportion to the value, if they grew with it.
fn expected_requests(sizes: &[(f64, f64)], value: f64) -> f64 {
    match sizes {
        [.., last] if has_grown(sizes) => last.1 * (value / last.0).max(1.0),
        [.., last] => last.1,
        [] => 0.0,
    }
}

/// Whether there are more requests where the value is higher.
fn has_grown(sizes: &[(f64, f64)]) -> bool {
    const GROWN: f64 = 1.1;
    matches!(sizes, [.., before, last] if last.0 > before.0 && last.1 > GROWN * before.1)
}

/// Two trials in order of their values.
fn order(a: Trial, b: Trial) -> (Trial, Trial) {
    if a.value <= b.value { (a, b) } else { (b, a) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trials_are_expected_to_grow_as_they_have_grown() {
        assert_eq!(expected_requests(&[], 5.0), 0.0);
        assert_eq!(expected_requests(&[(1.0, 100.0)], 64.0), 100.0);
        assert_eq!(expected_requests(&[(1.0, 100.0), (2.0, 200.0)], 128.0), 12_800.0);
        // Of a price no request depends.
        assert_eq!(expected_requests(&[(1.0, 100.0), (64.0, 101.0)], 4096.0), 101.0);
    }
}
