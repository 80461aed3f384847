//! `run --part` and `run --merge`: one forecast on several machines.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::str::FromStr;

use crate::cli::files;
use crate::cli::progress::Watch;
use crate::cli::stop::Stop;
use crate::cli::streams;
use crate::experiment::{Forecast, Options, Part, merge, part};
use crate::scenario::{World, patiently};

/// Larger files are no parts.
const LARGEST: u64 = 1 << 30;
/// The first line of a part is shorter than this.
const LONGEST_HEAD: u64 = 1 << 20;
/// More parts than anybody has machines.
const MOST_PARTS: u64 = 10_000;

/// Which part of how many, as `2/4`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartOf {
    number: u64,
    of: u64,
}

impl FromStr for PartOf {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text.split_once('/').and_then(|(k, n)| Some((k.trim().parse().ok()?, n.trim().parse().ok()?)));
        match numbers {
            Some((number, of)) if 1 <= number && number <= of && of <= MOST_PARTS => Ok(Self { number, of }),
            _ => Err("expected a part and the number of parts, such as 2/4".to_owned()),
        }
    }
}

/// Simulates a part and writes it.
pub fn write(world: &World, options: &Options, which: PartOf, file: &Path, watch: &Watch) -> Result<String, Stop> {
    files::prepare(file)?;
    files::spare(file, &world.sources)?;
    let part = part(world, options, which.number, which.of, watch);
    watch.finish()?;
    let wanted = Part::numbers(options.runs, which.number, which.of);
    let wanted = wanted.end - wanted.start;
    if part.runs() == 0 && wanted > 0 {
        return Err(Stop::Unfinished);
    }
    files::write(file, &part.to_json())?;
    if part.runs() < wanted {
        let done = format!("{} of {wanted} runs written to {}", part.runs(), file.display());
        streams::note(&format!("interrupted: {done}; it cannot be merged"));
        return Err(Stop::Interrupted);
    }
    Ok(format!("{} runs written to {}", part.runs(), file.display()))
}

/// Reads parts and puts them together.
pub fn merged(world: &World, options: &Options, files: &[String]) -> Result<Forecast, Stop> {
    let parts = files.iter().map(|file| Ok((file.clone(), read(file)?))).collect::<Result<_, Stop>>()?;
    merge(world, options, parts).map_err(|error| Stop::Usage(error.to_string()))
}

fn read(file: &str) -> Result<Part, Stop> {
    let unreadable = |error: &dyn std::fmt::Display| Stop::Usage(format!("cannot read `{file}`: {error}"));
    let mut text = String::new();
    let mut opened =
        BufReader::new(patiently(Path::new(file), || File::open(file)).map_err(|error| unreadable(&error))?);
    opened.by_ref().take(LONGEST_HEAD).read_line(&mut text).map_err(|error| unreadable(&error))?;
    Part::check_head(file, &text).map_err(|error| Stop::Usage(error.to_string()))?;
    opened.take(LARGEST + 1).read_to_string(&mut text).map_err(|error| unreadable(&error))?;
    if text.len() as u64 > LARGEST {
        return Err(unreadable(&"it is larger than 1 GiB"));
    }
    Part::from_json(file, &text).map_err(|error| Stop::Usage(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_counted_from_one() {
        assert_eq!("2/4".parse(), Ok(PartOf { number: 2, of: 4 }));
        for text in ["0/4", "5/4", "1", "1/0", "a/b", "-1/2", "1/99999999"] {
            assert!(text.parse::<PartOf>().is_err(), "{text}");
        }
    }
}
