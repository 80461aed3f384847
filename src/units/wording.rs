//! What the text of an error says beside its status: the words that whoever reads a text shares with whoever acts on it.

/// What a gateway makes of the text of one error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wording {
    /// What it takes the error for.
    pub meaning: Meaning,
    /// Whether the error keeps its own status although it is taken for another one.
    pub keeps_status: bool,
    /// What else stands in the text, for those that look at it later.
    pub mention: Mention,
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
    /// A server that is not available.
    Unavailable,
    /// A connection that was lost.
    LostConnection,
    /// An error of no known kind.
    Unknown,
}

/// Words in a text that count wherever it is told.
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
}
