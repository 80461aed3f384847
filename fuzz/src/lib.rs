//! What every input must fulfil, one function a reader. The fuzz targets call them; `tests/fuzz_cases.rs` replays the
//! findings of the past through the same functions.

pub mod checks;
