//! Published figures beside simulated ones: one view, then a table for a terminal, a document, and JSON.

mod json;
mod lookup;
mod markdown;
mod terminal;
mod view;

pub use json::claims_json;
pub use markdown::claims_markdown;
pub use terminal::claims_terminal;
pub use view::{ClaimsView, StoryRun};
