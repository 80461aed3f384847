//! billcast forecasts the bill and the failure rate of an LLM gateway before it is deployed.
//!
//! The modules stand in order: each may use only those above it (`ARCHITECTURE.md`; `tests/tidy.rs` holds it).

#![forbid(unsafe_code)]

/// Exact money, tokens, simulated time, ids.
pub mod units;
/// Findings about places in files; no rendering.
pub mod diagnostic;
/// YAML and JSON text as a tree of values with positions; no meaning.
pub mod document;
/// Addressed draws and distributions.
pub mod random;
/// Histograms, moments, quantiles with intervals.
pub mod stats;
/// Price tables and what a usage costs.
pub mod pricing;
/// Workloads: arrivals, what gateways see of a request, and its hidden fate.
pub mod traffic;
/// How deployments answer.
pub mod provider;
/// Gateways as state machines.
pub mod gateway;
/// Every dollar once, by why it was spent.
pub mod ledger;
/// The files of a scenario, compiled to a world; the only reader of files.
pub mod scenario;
/// The discrete-event loop.
pub mod engine;
/// Replications and what they say together.
pub mod experiment;
/// What is wrong with a gateway's config, with the money at stake.
pub mod audit;
/// Forecasts as bytes: terminal, HTML, charts, CSV, JSON.
pub mod report;
/// Arguments, dispatch, printing, progress, exit codes.
pub mod cli;
