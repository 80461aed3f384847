//! The processes by which requests come.

use std::sync::Arc;

use crate::random::{ChoiceError, Dist, DistError, Intensity};
use crate::traffic::crowd::Crowd;
use crate::traffic::excited::Excites;
use crate::traffic::replay::{MOST_SCALE, Replay};
use crate::units::{SimDuration, short};

/// Why traffic cannot be simulated as described.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TrafficError {
    /// A number is out of range.
    #[error("{0} = {number} is out of range; expected {2}", number = short(*.1))]
    Parameter(&'static str, f64, &'static str),
    /// Weights of models or keys are impossible.
    #[error(transparent)]
    Choice(#[from] ChoiceError),
    /// A distribution is impossible.
    #[error(transparent)]
    Dist(#[from] DistError),
    /// A field that every class needs is missing, in the class and in its preset.
    #[error("`{0}` is missing; write it, or name a preset that has it")]
    Missing(&'static str),
    /// Fields exclude each other.
    #[error("`{0}` cannot stand beside {1}")]
    Contradiction(&'static str, &'static str),
    /// Repeats are only defined where requests come by themselves.
    #[error("repeats need arrivals given by a rate; workers and sessions never repeat themselves")]
    RepeatsNeedOpenArrivals,
    /// More requests of a class in one run than ids can count.
    #[error("{} requests are expected in one run; more than {} cannot be simulated", short(.0.round()), short(*.1))]
    TooMany(f64, f64),
    /// More at once than any gateway has seen: all of them are in memory until they are answered.
    #[error("{} requests a second are expected; more than {} cannot be simulated", short(.0.round()), short(*.1))]
    TooDense(f64, f64),
}

/// When requests of a class come.
#[derive(Debug, Clone)]
pub enum Arrivals {
    /// By themselves, at a rate that varies over time.
    Open {
        /// Requests per second over time.
        intensity: Arc<Intensity>,
        /// Gaps in the process's own time, mean 1: [`Arrivals::poisson`] or burstier renewal processes.
        gaps: Dist,
        /// A switch that makes the rate alternate.
        on_off: Option<OnOff>,
    },
    /// From users who wait for each answer.
    Workers {
        /// How many.
        count: u32,
        /// Seconds between an answer and the next request.
        think_s: Dist,
        /// When they start; spread evenly over `ramp`.
        start: SimDuration,
        /// Time until all have started.
        ramp: SimDuration,
        /// When they stop sending.
        end: SimDuration,
    },
    /// Each request brings others along.
    Excited {
        /// Requests per second over time, all together.
        intensity: Arc<Intensity>,
        /// How they bring others along.
        excites: Excites,
    },
    /// From many clients of unequal size, each with gaps of its own.
    Clients {
        /// Requests per second over time, of all clients together.
        intensity: Arc<Intensity>,
        /// Gaps of each client in its own time, mean 1.
        gaps: Dist,
        /// How many, and how unequal.
        crowd: Crowd,
    },
    /// Beside the requests of another class, one for each.
    Beside {
        /// Whether they have the other's input tokens; otherwise those of their own class.
        same_input: bool,
    },
    /// As a recorded trace has them.
    Replay(Replay),
    /// Conversations that come by themselves; each turn waits for the answer before and carries all that was said.
    Sessions {
        /// Sessions per second over time.
        intensity: Arc<Intensity>,
        /// Gaps between sessions in the process's own time, mean 1.
        gaps: Dist,
        /// Turns of a session, at most [`MOST_TURNS`].
        turns: Dist,
        /// Seconds between an answer and the next turn.
        think_s: Dist,
        /// New input tokens of each turn after the first.
        follow_up: Dist,
        /// No turn starts after this.
        end: SimDuration,
    },
}

/// Turns of a session that ids have room for.
pub const MOST_TURNS: u32 = 1 << TURN_BITS;
pub(super) const TURN_BITS: u32 = 12;
/// Workers of one class.
pub(super) const MOST_WORKERS: u32 = 1_000_000;
/// Requests of one class in one run that ids have room for.
const MOST_REQUESTS: f64 = 1e12;
/// Requests of a class in a second.
const MOST_PER_SECOND: f64 = 1e6;

/// A class that is busy and quiet by turns; sojourns are exponential and the mean rate stays what it was.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OnOff {
    /// Mean seconds of a busy time.
    pub on_s: f64,
    /// Mean seconds of a quiet time.
    pub off_s: f64,
    /// Rate when quiet, as a share of the rate when busy.
    pub quiet_share: f64,
}

impl OnOff {
    /// Share of time that is busy.
    pub fn busy_share(&self) -> f64 {
        self.on_s / (self.on_s + self.off_s)
    }

    /// Factors on the mean rate when busy and when quiet.
    pub fn factors(&self) -> (f64, f64) {
        let busy = self.busy_share();
        let on = 1.0 / (busy + (1.0 - busy) * self.quiet_share);
        (on, on * self.quiet_share)
    }
}

impl Arrivals {
    /// A Poisson process with this intensity.
    pub fn poisson(intensity: Intensity) -> Self {
        Self::Open { intensity: Arc::new(intensity), gaps: Dist::unit_exponential(), on_off: None }
    }

    /// Checks the numbers that no type has checked yet, with this factor on the volume.
    pub(super) fn check(&self, volume: f64) -> Result<(), TrafficError> {
        match self {
            Self::Open { intensity, on_off, .. } => {
                bounded(intensity, volume)?;
                on_off.as_ref().map_or(Ok(()), OnOff::check)
            }
            Self::Sessions { intensity, .. } => bounded(intensity, volume),
            Self::Excited { intensity, excites } => excites.check().and_then(|()| bounded(intensity, volume)),
            Self::Clients { intensity, crowd, .. } => crowd.check().and_then(|()| bounded(intensity, volume)),
            Self::Workers { count, .. } if *count > MOST_WORKERS => {
                Err(TrafficError::Parameter("workers.count", f64::from(*count), "at most 1,000,000"))
            }
            Self::Workers { .. } | Self::Beside { .. } => Ok(()),
            Self::Replay(replay) if !(replay.scale >= 0.0 && replay.scale <= MOST_SCALE) => {
                Err(TrafficError::Parameter("replay.scale", replay.scale, "a number from 0 to 200"))
            }
            Self::Replay(Replay { period: Some(period), .. }) if *period < SimDuration::from_secs(1) => {
                Err(TrafficError::Parameter("replay.loop", period.as_secs_f64(), "at least a second"))
            }
            Self::Replay(_) => Ok(()),
        }
    }
}

impl OnOff {
    fn check(&self) -> Result<(), TrafficError> {
        for (name, value) in [("on_off.busy", self.on_s), ("on_off.quiet", self.off_s)] {
            if !(value > 0.0 && value.is_finite()) {
                return Err(TrafficError::Parameter(name, value, "a positive time"));
            }
        }
        let cycle = self.on_s + self.off_s;
        if cycle < 1.0 {
            return Err(TrafficError::Parameter("on_off cycle", cycle, "at least 1 s of busy and quiet time together"));
        }
        let quiet = self.quiet_share;
        if (0.0..=1.0).contains(&quiet) {
            Ok(())
        } else {
            Err(TrafficError::Parameter("on_off.quiet_rate", quiet, "a share between 0 and 1"))
        }
    }
}

fn bounded(intensity: &Intensity, volume: f64) -> Result<(), TrafficError> {
    let expected = volume * intensity.steps().map(|(from, to, rate)| rate * (to - from).as_secs_f64()).sum::<f64>();
    if expected.is_nan() || expected > MOST_REQUESTS {
        return Err(TrafficError::TooMany(expected, MOST_REQUESTS));
    }
    let densest = volume * intensity.steps().map(|(_, _, rate)| rate).fold(0.0, f64::max);
    if densest <= MOST_PER_SECOND { Ok(()) } else { Err(TrafficError::TooDense(densest, MOST_PER_SECOND)) }
}
