//! What people and programs read. Everything here returns text or bytes; writing them is the caller's business.

/// Findings about files: with a snippet for people, as JSON and as SARIF for programs.
pub mod diagnostics;
