//! A request: what a gateway may see of it, and what it may not.

use crate::random::Here;
use crate::units::{ClassId, RequestView, SimDuration, SimTime, Tokens};

/// When the client of a request gives up, if it does. All that it may hold is of one size: so
/// it is passed in registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Leave {
    /// It waits for the answer.
    #[default]
    Never,
    /// This long after it asked.
    After(SimDuration),
    /// When it has received this many pieces of a stream.
    AfterChunks(u64),
    /// This long after it asked, or when it has received this many pieces of a stream, whichever comes first.
    AtFirst(FirstOf),
    /// Its SDK closes the connection when nothing of the answer has come for this long after it asked.
    TimesOut(SimDuration),
}

impl Leave {
    /// This long after it asked, or with this many pieces of a stream, whichever comes first. What would come after
    /// twelve days or sixteen million pieces does not come first.
    pub const fn at_first(after: SimDuration, chunks: u64) -> Self {
        let micros = after.0 / MICRO;
        if micros >> (64 - FirstOf::CHUNK_BITS) != 0 {
            return Self::AfterChunks(chunks);
        }
        if chunks >> FirstOf::CHUNK_BITS != 0 {
            return Self::After(after);
        }
        Self::AtFirst(FirstOf((micros as u64) << FirstOf::CHUNK_BITS | chunks))
    }

    /// The time after which it leaves.
    #[inline(always)]
    pub const fn after(self) -> Option<SimDuration> {
        match self {
            Self::After(patience) | Self::TimesOut(patience) => Some(patience),
            Self::AtFirst(FirstOf(both)) => Some(SimDuration((both >> FirstOf::CHUNK_BITS) as i64 * MICRO)),
            Self::Never | Self::AfterChunks(_) => None,
        }
    }

    /// The pieces of a stream after which it leaves.
    #[inline(always)]
    pub const fn after_chunks(self) -> Option<u64> {
        match self {
            Self::AfterChunks(n) => Some(n),
            Self::AtFirst(FirstOf(both)) => Some(both & ((1 << FirstOf::CHUNK_BITS) - 1)),
            Self::Never | Self::After(_) | Self::TimesOut(_) => None,
        }
    }
}

/// A time in microseconds and a number of pieces in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FirstOf(u64);

impl FirstOf {
    const CHUNK_BITS: u32 = 24;
}

/// Nanoseconds.
const MICRO: i64 = 1_000;

/// What is decided about a request before anyone sees it, and that no gateway can know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Fate {
    /// Input tokens as the provider counts them.
    pub input: Tokens,
    /// Output tokens of a complete answer, reasoning included.
    pub output: Tokens,
    /// Output tokens spent on reasoning.
    pub reasoning: Tokens,
    /// Input tokens that earlier requests began with as well: what a provider's prompt cache can hold.
    pub prefix: Tokens,
    /// Whether it is a turn of a conversation: then the prefix is what was said in it, which no
    /// other request begins with.
    pub session: bool,
}

/// A request on its way in. `F` is what is decided about it and that no gateway can know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Request<F = Fate> {
    /// When it arrives.
    pub at: SimTime,
    /// Its traffic class.
    pub class: ClassId,
    /// What the gateway may see of it. Its number is counted by arrival where nobody waits for anybody; worker or
    /// session stand in the upper bits where somebody does, so that one user's delay does not renumber the others.
    pub view: RequestView,
    /// What the gateway cannot see.
    pub fate: F,
    /// The client's patience.
    pub leave: Leave,
    /// Its draws: they are at its own address, whatever becomes of others.
    pub here: Here,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whichever_comes_first_stands_in_one_word() {
        let both = |secs: f64, chunks| {
            let leave = Leave::at_first(SimDuration::from_secs_f64(secs), chunks);
            (leave.after().map(SimDuration::as_secs_f64), leave.after_chunks())
        };
        assert_eq!(both(0.0, 1), (Some(0.0), Some(1)));
        assert_eq!(both(1.234567, 16_777_215), (Some(1.234567), Some(16_777_215)));
        assert_eq!(both(1e6, 3), (Some(1e6), Some(3)));
        assert_eq!(both(1e8, 3), (None, Some(3)), "years");
        assert_eq!(both(1.0, 1 << 24), (Some(1.0), None), "millions of pieces");
        assert_eq!(std::mem::size_of::<Leave>(), 16);
    }
}
