//! Randomness is addressed, not consumed: a draw is a hash of what it is for. The same request at the same deployment
//! on the same try meets the same fate under every configuration, and a new draw shifts no old one.

mod addressed;
mod calendar;
mod choice;
mod copula;
mod dist;
mod intensity;
mod invert;
mod law;
mod mersenne;
mod mixer;
mod named;
mod push;
mod score;
mod shelf;
mod special;
mod strata;
mod table;
mod text;
mod trail;

pub use addressed::{Addressed, Here, Purpose, Replication, Seed, Unit, address_of, mix, stream};
pub use calendar::{Calendar, HOURS_PER_WEEK, Shape, ShapeError};
pub use choice::{Choice, ChoiceError};
pub use copula::Copula;
pub use dist::{Dist, DistError};
pub use intensity::{Intensity, IntensityCursor};
pub use law::{Law, Level};
pub use mersenne::{Mersenne, Recorded};
pub use mixer::Mixer;
pub use named::{GapsSpec, ShapeSpec};
pub use push::Scores;
pub use special::{normal_cdf, normal_quantile};
pub use strata::{BLOCK, Strata};
pub use text::{DistSpec, DistTextError};

/// Where a gateway gets its random numbers from: addressed draws in a forecast, the recorded generator in a trace.
pub trait Draws {
    /// Whether these are the draws of a recorded run: then all that LiteLLM draws has to be drawn, in its order, also
    /// where the outcome is as likely without.
    const RECORDED: bool = false;

    /// The draws that follow are those of this request.
    fn stand_at(&mut self, here: Here);

    /// A uniform number in [0, 1) for the `nth` decision of this kind within the request.
    fn unit(&mut self, purpose: Purpose, nth: u32) -> f64;

    /// A uniform integer in [0, `n`) for the `nth` decision of this kind within the request; `n` > 0.
    fn below(&mut self, purpose: Purpose, nth: u32, n: u32) -> u32;
}
