//! billcast forecasts the bill and the failure rate of an LLM gateway before it is deployed.
//!
//! The modules stand in order: each may use only those above it (`ARCHITECTURE.md`; `tests/tidy.rs` holds it).

#![forbid(unsafe_code)]

/// The command line.
pub mod cli;
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
/// What tokens cost: price books, rate cards and the rules that read them.
pub mod pricing;
/// How deployments answer.
pub mod provider;
/// Addressed draws and distributions.
pub mod random;
/// The files of a scenario, read and compiled into one world.
pub mod scenario;
/// Exact money, tokens, simulated time, ids.
pub mod units;
