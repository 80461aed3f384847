//! billcast forecasts the bill and the failure rate of an LLM gateway before it is deployed.
//!
//! The modules stand in order: each may use only those above it (`ARCHITECTURE.md`; `tests/tidy.rs` holds it).

#![forbid(unsafe_code)]

/// Findings about places in files; no rendering.
pub mod diagnostic;
/// What tokens cost: price books, rate cards and the rules that read them.
pub mod pricing;
/// Exact money, tokens, simulated time, ids.
pub mod units;
