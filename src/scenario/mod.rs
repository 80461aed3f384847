//! The files of a scenario → one validated, compiled `World`. The only module that reads files.

mod builtin;
mod file;
mod files;
mod named;
mod nearest;
mod prices;
mod problem;
mod read;
mod start;

pub use builtin::{Builtin, builtins};
pub use file::{KeyEntry, ScenarioFile, schema};
pub use files::{Files, Source};
pub use named::Named;
pub use nearest::nearest;
pub use prices::{BUILT_IN, read_prices};
pub use problem::Problem;
pub use read::read;
pub use start::Start;
