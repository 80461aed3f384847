//! The smallest limits that refuse no more than a target: what reached a gate without limits is sent through gates with
//! limits, one at a time, and what comes out is simulated as a whole.

use crate::engine::GateEvent;
use crate::experiment::plan::line;
use crate::experiment::plan::{Outcome, PlanError, Played, Pooled, outcome, with_limits};
use crate::experiment::replicate::{Options, Progress};
use crate::provider::{Gate, Limits};
use crate::scenario::World;
use crate::units::SimTime;

/// Limits are found to this share of them; concurrency to one call.
const PRECISION: f64 = 0.005;
/// Limits are raised by this share at a time where together they refuse more than each alone.
const STEP: f64 = 1.05;
/// So often at most.
const MOST_STEPS: u32 = 12;

/// The smallest limits of each pool, each sought with the others aside.
pub(super) fn needed(pooled: &Pooled, free: &[Played], target: f64) -> Vec<Limits> {
    let pool = |(index, sought): (usize, &Limits)| {
        let events: Vec<&[(SimTime, GateEvent)]> = free.iter().map(|run| &*run.pools[index].events).collect();
        let mut found = sought.clone();
        for (number, meter) in sought.meters.iter().enumerate() {
            let with = |limit: f64| Limits {
                meters: vec![crate::provider::Meter { limit, ..*meter }],
                concurrency: None,
                ..sought.clone()
            };
            found.meters[number].limit = round_up(smallest(&events, target, with));
        }
        let with = |limit: f64| Limits { meters: Vec::new(), concurrency: Some(limit.ceil() as u32), ..sought.clone() };
        found.concurrency = Some(smallest_whole(&events, target, with));
        found
    };
    pooled.sought.iter().enumerate().map(pool).collect()
}

/// Limits that meet the target together, and what comes of them: those of [`needed`], raised where they must be. The
/// search looks at `kept` runs.
pub(super) fn proposal(
    world: &World,
    pooled: &Pooled,
    needed: &[Limits],
    options: &Options,
    (target, kept): (f64, u64),
    progress: &dyn Progress,
) -> Result<(Vec<Limits>, Outcome), PlanError> {
    let mut proposed = needed.to_vec();
    for _ in 0..MOST_STEPS {
        let planned = with_limits(world, pooled, |pool| Some(proposed[pool].clone()))?;
        let played = outcome(&pooled.play(&planned, options, options.runs, progress, false)?);
        let over: Vec<usize> = (0..proposed.len()).filter(|pool| played.refused[*pool] > target).collect();
        if over.is_empty() {
            return Ok((proposed, played));
        }
        // What the limits of others let through, or turn away to here, has changed what comes: it is sought again.
        let freed = with_limits(world, pooled, |pool| (!over.contains(&pool)).then(|| proposed[pool].clone()))?;
        let again = self::needed(pooled, &pooled.play(&freed, options, kept, progress, true)?, target);
        for pool in over {
            raise(&mut proposed[pool], &again[pool]);
        }
    }
    let planned = with_limits(world, pooled, |pool| Some(proposed[pool].clone()))?;
    let played = outcome(&pooled.play(&planned, options, options.runs, progress, false)?);
    Ok((proposed, played))
}

/// By a step, or to what was found.
fn raise(limits: &mut Limits, found: &Limits) {
    for (meter, found) in limits.meters.iter_mut().zip(&found.meters) {
        meter.limit = round_up(meter.limit * STEP).max(found.limit);
    }
    let step = |most: u32| most + (f64::from(most) * (STEP - 1.0)).ceil() as u32;
    limits.concurrency = limits.concurrency.map(|most| step(most).max(found.concurrency.unwrap_or(0)));
}

/// Calls refused and calls that came, of all runs.
fn refused(events: &[&[(SimTime, GateEvent)]], limits: &Limits) -> (u64, u64) {
    if limits.queue.is_some() && limits.concurrency.is_some() {
        return events.iter().map(|run| line::refused(run, limits)).fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
    }
    let (mut refused, mut came) = (0, 0);
    for run in events {
        let mut gate = Gate::new(limits.clone());
        let mut inside: Vec<bool> = Vec::new();
        for (now, event) in *run {
            match event {
                GateEvent::Enter(_, demand) => {
                    let is_in = gate.enter(*now, demand).is_ok();
                    inside.push(is_in);
                    came += 1;
                    refused += u64::from(!is_in);
                }
                GateEvent::Leave(call, output) if inside.get(*call as usize) == Some(&true) => {
                    // What a call costs is not sought for: limits on spend are the provider's, not capacity.
                    gate.leave(*now, SimTime::NEVER, *output, 0.0);
                }
                GateEvent::Leave(..) => {}
                GateEvent::Fail => {
                    came += 1;
                    gate.count_failure(*now);
                }
            }
        }
    }
    (refused, came)
}

fn meets(events: &[&[(SimTime, GateEvent)]], limits: &Limits, target: f64) -> bool {
    let (refused, came) = refused(events, limits);
    refused as f64 <= target * came as f64
}

/// The smallest limit that meets the target, to [`PRECISION`]; 1 where no call came.
fn smallest(events: &[&[(SimTime, GateEvent)]], target: f64, with: impl Fn(f64) -> Limits) -> f64 {
    let mut high = 1.0;
    while !meets(events, &with(high), target) {
        high *= 2.0;
        // Beyond this no provider has limits, and floats stop being whole.
        if high > 1e15 {
            return high;
        }
    }
    let mut low = high / 2.0;
    while high > 1.0 && high - low > PRECISION * high {
        let middle = (low + high) / 2.0;
        if meets(events, &with(middle), target) { high = middle } else { low = middle }
    }
    high
}

/// The same for whole numbers.
fn smallest_whole(events: &[&[(SimTime, GateEvent)]], target: f64, with: impl Fn(f64) -> Limits) -> u32 {
    let mut high: u32 = 1;
    while !meets(events, &with(f64::from(high)), target) && high < 1 << 30 {
        high *= 2;
    }
    let mut low = high / 2;
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if meets(events, &with(f64::from(middle)), target) { high = middle } else { low = middle }
    }
    high
}

/// Up to three digits that count.
fn round_up(limit: f64) -> f64 {
    let scale = 10f64.powf((limit.log10().floor() - 2.0).max(0.0));
    (limit / scale - 1e-9).ceil() * scale
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_rounded_up_to_three_digits() {
        assert_eq!([1.0, 7.2, 61.0, 1234.5, 98_765.4, 1e6].map(round_up), [1.0, 8.0, 61.0, 1240.0, 98_800.0, 1e6]);
    }
}
