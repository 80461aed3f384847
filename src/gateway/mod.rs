//! The gateways, each a state machine behind one trait.

/// The LiteLLM proxy.
pub mod litellm;
