//! Findings, rendered. No value that could be a secret is ever shown: messages do not hold any, and quoted lines are
//! masked.

mod json;
mod mask;
mod sarif;
mod text;

pub use json::to_json;
pub use sarif::to_sarif;
pub use text::{to_plain_text, to_text};
