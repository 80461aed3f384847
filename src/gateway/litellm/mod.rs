//! The LiteLLM proxy, version 1.102.

/// The config file as it is written, each value with its place.
pub mod wire;
