//! Why money was spent.

use std::ops::{Index, IndexMut};

use crate::units::Money;

/// Why a charge arose. Each charge has exactly one cause (the cache-writing part of a call is a charge of its own).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The first attempt of a request answered it.
    FirstAttempt,
    /// A further attempt at the request's own group answered it.
    Retry,
    /// Another group answered it.
    Fallback,
    /// The client had gone; the provider billed all the same.
    Abandoned,
    /// The attempt failed and was billed (a timeout whose answer was produced, a broken stream).
    FailedAttempt,
    /// Tokens written to the provider's prompt cache.
    CacheWrite,
    /// Paid capacity, used or idle.
    Commitment,
}

impl Cause {
    /// All causes, in the order of reports.
    pub const ALL: [Self; 7] = [
        Self::FirstAttempt,
        Self::Retry,
        Self::Fallback,
        Self::Abandoned,
        Self::FailedAttempt,
        Self::CacheWrite,
        Self::Commitment,
    ];

    /// The name in files: `first_attempt` and so on.
    pub const fn name(self) -> &'static str {
        match self {
            Self::FirstAttempt => "first_attempt",
            Self::Retry => "retry",
            Self::Fallback => "fallback",
            Self::Abandoned => "abandoned",
            Self::FailedAttempt => "failed_attempt",
            Self::CacheWrite => "cache_write",
            Self::Commitment => "commitment",
        }
    }
}

/// Something for each cause, e.g. an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Causes<T>([T; Cause::ALL.len()]);

impl<T> Causes<T> {
    /// Cause by cause.
    pub fn iter(&self) -> impl Iterator<Item = (Cause, &T)> {
        Cause::ALL.into_iter().zip(&self.0)
    }
}

impl Causes<Money> {
    /// All causes together.
    pub fn total(&self) -> Money {
        self.0.iter().copied().sum()
    }
}

impl<T> Index<Cause> for Causes<T> {
    type Output = T;

    fn index(&self, cause: Cause) -> &T {
        &self.0[cause as usize]
    }
}

impl<T> IndexMut<Cause> for Causes<T> {
    fn index_mut(&mut self, cause: Cause) -> &mut T {
        &mut self.0[cause as usize]
    }
}
