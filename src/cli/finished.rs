//! Finished runs, read back from what `run --out` wrote.

use std::path::{Path, PathBuf};

use crate::cli::stop::Stop;
use crate::experiment::Forecast;
use crate::report::read_forecast;

/// Name of the file that a run leaves behind for reports.
const FORECAST: &str = "forecast.json";
/// More than any forecast needs.
const MOST_BYTES: u64 = 1 << 29;

/// The forecast.json that an argument stands for, if it is a finished run.
pub fn find(source: &str) -> Option<PathBuf> {
    let path = Path::new(source);
    let inside = path.join(FORECAST);
    if path.is_dir() && inside.is_file() {
        return Some(inside);
    }
    (path.is_file() && path.extension().is_some_and(|extension| extension == "json")).then(|| path.to_owned())
}

/// Reads it.
pub fn read(file: &Path) -> Result<Forecast, Stop> {
    let too_large = std::fs::metadata(file).is_ok_and(|about| about.len() > MOST_BYTES);
    if too_large {
        return Err(Stop::Usage(format!("`{}` is too large for a forecast", file.display())));
    }
    let bytes =
        std::fs::read(file).map_err(|error| Stop::Usage(format!("cannot read `{}`: {error}", file.display())))?;
    let help = "`billcast run SCENARIO --out FOLDER` writes one";
    read_forecast(&bytes).map_err(|error| Stop::Usage(format!("`{}` is no forecast: {error} ({help})", file.display())))
}
