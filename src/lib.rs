//! billcast forecasts the bill and the failure rate of an LLM gateway before it is deployed.
//!
//! The modules stand in order: each may use only those above it (`ARCHITECTURE.md`; `tests/tidy.rs` holds it).

#![forbid(unsafe_code)]

/// Findings about places in files; no rendering.
pub mod diagnostic;
/// The discrete-event loop.
pub mod engine;
/// Gateways as state machines.
pub mod gateway;
/// How deployments answer.
pub mod provider;
/// Addressed draws and distributions.
pub mod random;
/// Exact money, tokens, simulated time, ids.
pub mod units;
