//! What gateways are made of: counters with a life time, cooldowns, back-off, queues for slots, weighted picks.

mod ahead;
mod backoff;
mod bounded;
mod cooldown;
mod counter;
mod slots;
mod weighted;

pub use ahead::AheadCounter;
pub use backoff::{Backoff, retry_after_secs};
pub use bounded::Bounded;
pub use cooldown::Cooldowns;
pub use counter::{ExpiringCounter, MinuteCounter, Minutes};
pub use slots::{Slot, Slots};
pub use weighted::{Shares, pick_weighted};
