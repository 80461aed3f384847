//! billcast forecasts the bill and the failure rate of an LLM gateway before it is deployed.
//!
//! The modules stand in order: each may use only those above it (`ARCHITECTURE.md`; `tests/tidy.rs` holds it).

#![forbid(unsafe_code)]

/// Findings about places in files; no rendering.
pub mod diagnostic;
/// Text to a tree of values with positions, for YAML and JSON.
pub mod document;
/// The discrete-event loop.
pub mod engine;
/// Replications and what they say together.
pub mod experiment;
/// Gateways as state machines.
pub mod gateway;
/// Every dollar once, by why it was spent.
pub mod ledger;
/// How deployments answer.
pub mod provider;
/// Addressed draws and distributions.
pub mod random;
/// What people and programs read.
pub mod report;
/// Exact money, tokens, simulated time, ids.
pub mod units;
