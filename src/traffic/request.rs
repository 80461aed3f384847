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
    AtFirst(SimDuration, u32),
    /// Its SDK closes the connection when nothing of the answer has come for this long after it asked.
    TimesOut(SimDuration),
}

impl Leave {
    /// The pieces of a stream after which it leaves.
    #[inline(always)]
    pub const fn after_chunks(self) -> Option<u64> {
        match self {
            Self::AfterChunks(n) => Some(n),
            Self::AtFirst(_, n) => Some(n as u64),
            Self::Never | Self::After(_) | Self::TimesOut(_) => None,
        }
    }
}

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
