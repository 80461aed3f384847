//! Files to something that can be played. The only reader of files' meaning.

mod case;

pub use case::{Case, CaseRequest, Departure, read_case};
