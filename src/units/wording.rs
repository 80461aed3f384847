//! What the text of an error says beside its status: the words that whoever reads a text shares
//! with whoever acts on it.

/// What a gateway makes of the text of one error: in one byte, for it travels with every end of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wording(u8);

impl Wording {
    /// What is taken for `meaning`, and keeps its own status although it is, or not; and what else comes with it.
    pub const fn new(meaning: Meaning, keeps_status: bool, mention: Mention) -> Self {
        Self(meaning as u8 | (keeps_status as u8) << 4 | (mention as u8) << 5)
    }

    /// What the error is taken for.
    pub const fn meaning(self) -> Meaning {
        Meaning::ALL[(self.0 & 0b1111) as usize]
    }

    /// Whether the error keeps its own status although it is taken for another one.
    pub const fn keeps_status(self) -> bool {
        self.0 >> 4 & 1 == 1
    }

    /// What else comes with it, for those that look at it later.
    pub const fn mention(self) -> Mention {
        Mention::ALL[(self.0 >> 5) as usize]
    }
}

/// What an error is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Meaning {
    /// What its status says.
    #[default]
    AsStatus,
    /// Nothing wrong: an answer that had no room for a word.
    Answer,
    /// A request that cannot be understood.
    BadRequest,
    /// The same, with the status of something forbidden.
    ForbiddenRequest,
    /// A prompt that is too long.
    LongPrompt,
    /// A content that is refused.
    RefusedContent,
    /// A key that is not known.
    UnknownKey,
    /// Something that the key may not do.
    NotAllowed,
    /// A model that is not there.
    NotFound,
    /// Time that ran out.
    Timeout,
    /// A limit on requests or tokens.
    RateLimit,
    /// An error of the server.
    ServerError,
    /// An error of a server behind it.
    BadGateway,
    /// A server that is not available.
    Unavailable,
    /// A connection that was lost.
    LostConnection,
    /// An error of no known kind.
    Unknown,
}

impl Meaning {
    /// All, in their order.
    const ALL: [Self; 16] = [
        Self::AsStatus,
        Self::Answer,
        Self::BadRequest,
        Self::ForbiddenRequest,
        Self::LongPrompt,
        Self::RefusedContent,
        Self::UnknownKey,
        Self::NotAllowed,
        Self::NotFound,
        Self::Timeout,
        Self::RateLimit,
        Self::ServerError,
        Self::BadGateway,
        Self::Unavailable,
        Self::LostConnection,
        Self::Unknown,
    ];
}

/// What counts of an error beside what it is taken for: words that are looked for wherever its text is told,
/// or a wish of the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mention {
    /// None.
    #[default]
    Nothing,
    /// That a connection was lost.
    LostConnection,
    /// That no deployment has the tags that were asked for.
    NoTags,
    /// That no deployment is available.
    NoDeployment,
    /// That, and that a connection was lost.
    LostNoDeployment,
    /// That no deployment has the tags, and that a connection was lost.
    LostNoTags,
    /// The provider's wish to be called again.
    CallAgain,
    /// Its wish not to be called again.
    LeaveAlone,
}

impl Mention {
    /// All, in their order.
    const ALL: [Self; 8] = [
        Self::Nothing,
        Self::LostConnection,
        Self::NoTags,
        Self::NoDeployment,
        Self::LostNoDeployment,
        Self::LostNoTags,
        Self::CallAgain,
        Self::LeaveAlone,
    ];
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Outcome;

    #[test]
    fn what_is_packed_comes_out() {
        for meaning in Meaning::ALL {
            for mention in Mention::ALL {
                for keeps in [false, true] {
                    let wording = Wording::new(meaning, keeps, mention);
                    assert_eq!(
                        (wording.meaning(), wording.keeps_status(), wording.mention()),
                        (meaning, keeps, mention)
                    );
                }
            }
        }
        assert_eq!(Wording::default(), Wording::new(Meaning::AsStatus, false, Mention::Nothing));
    }

    #[test]
    fn ends_of_calls_are_no_larger_for_it() {
        assert_eq!(size_of::<Outcome>(), 4);
    }
}
