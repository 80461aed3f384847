//! Findings, rendered. No value that could be a secret is ever shown: messages and quoted lines are masked.

mod json;
mod mask;
mod sarif;
mod text;

pub use json::finding;
pub use sarif::to_sarif;
pub use text::{MOST_SHOWN, to_plain_text, to_text};
