//! billcast forecasts the bill and the failure rate of an LLM gateway before it is deployed.
//!
//! The modules stand in order: each may use only those above it (`ARCHITECTURE.md`; `tests/tidy.rs` holds it).

#![forbid(unsafe_code)]

/// Findings about places in files; no rendering.
pub mod diagnostic;
/// Text to a tree of values with positions, for YAML and JSON.
pub mod document;
/// The gateways, each a state machine behind one trait.
pub mod gateway;
/// Exact money, tokens, simulated time, ids.
pub mod units;
