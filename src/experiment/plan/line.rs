//! Calls through a gate with a line: one that waits ends later by as much, and so makes others wait.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use crate::engine::GateEvent;
use crate::provider::{Gate, Limits};
use crate::units::{SimDuration, SimTime};

/// Calls refused and calls that came in one run. The events are those of a gate without limits, in order of time.
pub(super) fn refused(run: &[(SimTime, GateEvent)], limits: &Limits) -> (u64, u64) {
    let ends: HashMap<u32, (SimTime, f64)> = run
        .iter()
        .filter_map(|(at, event)| match event {
            GateEvent::Leave(call, output) => Some((*call, (*at, *output))),
            GateEvent::Enter(..) | GateEvent::Fail => None,
        })
        .collect();
    let mut gate = Gate::new(limits.clone());
    let mut inside: BinaryHeap<Reverse<(SimTime, u32)>> = BinaryHeap::new();
    let (mut refused, mut came) = (0, 0);
    for (now, event) in run {
        while let Some(Reverse((end, call))) = inside.peek().copied().filter(|Reverse((end, _))| end <= now) {
            inside.pop();
            gate.leave(end, end, ends.get(&call).map_or(0.0, |(_, output)| *output), 0.0);
        }
        match event {
            GateEvent::Enter(call, demand) => {
                came += 1;
                let Ok(wait) = gate.enter(*now, demand) else {
                    refused += 1;
                    continue;
                };
                let lasts = ends.get(call).map_or(SimDuration::FOREVER, |(end, _)| *end - *now);
                let end = SimTime(now.0.saturating_add(wait.0).saturating_add(lasts.0));
                gate.will_end(end);
                inside.push(Reverse((end, *call)));
            }
            GateEvent::Fail => {
                came += 1;
                gate.count_failure(*now);
            }
            GateEvent::Leave(..) => {}
        }
    }
    (refused, came)
}
