//! The LiteLLM proxy, version 1.102.

/// Which keys do something, and which do not.
pub mod keys;
/// The config file as it is written, each value with its place.
pub mod wire;
