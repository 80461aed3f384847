//! The columns of a price table, by name.

/// A column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Column {
    Provider,
    Model,
    Aliases,
    Kind,
    Service,
    AboveInputTokens,
    HoursUtc,
    Input,
    Output,
    CacheRead,
    CacheWrite5m,
    CacheWrite1h,
    Reasoning,
    ValidFrom,
    ValidTo,
    ContextWindow,
    MaxOutput,
    Status,
    RetiredOn,
    Source,
    AsOf,
    Note,
}

impl Column {
    /// All columns, in the order our own files have them.
    pub const ALL: [(&'static str, Self); 22] = [
        ("provider", Self::Provider),
        ("model", Self::Model),
        ("aliases", Self::Aliases),
        ("kind", Self::Kind),
        ("service", Self::Service),
        ("above_input_tokens", Self::AboveInputTokens),
        ("hours_utc", Self::HoursUtc),
        ("input", Self::Input),
        ("output", Self::Output),
        ("cache_read", Self::CacheRead),
        ("cache_write_5m", Self::CacheWrite5m),
        ("cache_write_1h", Self::CacheWrite1h),
        ("reasoning", Self::Reasoning),
        ("valid_from", Self::ValidFrom),
        ("valid_to", Self::ValidTo),
        ("context_window", Self::ContextWindow),
        ("max_output", Self::MaxOutput),
        ("status", Self::Status),
        ("retired_on", Self::RetiredOn),
        ("source", Self::Source),
        ("as_of", Self::AsOf),
        ("note", Self::Note),
    ];

    /// Columns that every table must have.
    pub const REQUIRED: [Self; 5] = [Self::Provider, Self::Model, Self::Input, Self::Source, Self::AsOf];

    /// The column of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, column)| *column)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].0
    }
}
