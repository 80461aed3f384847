//! A gateway config and a few flags in place of a scenario file.

use crate::cli::stop::Stop;
use crate::cli::streams;
use crate::cli::values::option_words;
use crate::scenario::{Quick, Start};
use crate::units::{PerSecond, short};

/// The quick way: a gateway config and a few flags.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Without a scenario file")]
pub struct QuickArgs {
    /// A LiteLLM proxy config.yaml.
    #[arg(long, value_name = "FILE", requires = "rate")]
    pub config: Option<String>,
    /// Requests per time: 40/min, 2.5/s, 1M/day.
    #[arg(long, value_name = "RATE", requires = "config", allow_hyphen_values = true)]
    pub rate: Option<String>,
    /// Length in hours [default: 48].
    #[arg(long, value_name = "HOURS", requires = "config", value_parser = finite, allow_hyphen_values = true)]
    pub hours: Option<f64>,
    /// Traffic model (`billcast models`).
    #[arg(long, value_name = "MODEL", requires = "config", default_value = "chat")]
    pub traffic: String,
    /// Model name that clients send [default: each group that nothing falls back to, in equal shares].
    #[arg(long, value_name = "GROUP", requires = "config")]
    pub model: Option<String>,
    /// Start, e.g. "2026-11-20 18:00 Europe/Berlin" [default: the Friday evening after the newest price].
    #[arg(long, value_name = "TIME", requires = "config")]
    pub start: Option<Start>,
}

/// A number that can be written into a scenario.
fn finite(text: &str) -> Result<f64, String> {
    let number = text.trim().parse().ok().filter(|number: &f64| number.is_finite());
    number.ok_or_else(|| "expected a number of hours, such as 48 or 0.5".to_owned())
}

impl QuickArgs {
    /// The flags as a scenario; none if there is no config.
    pub fn validated(&self) -> Result<Option<Quick>, Stop> {
        let Some(config) = &self.config else { return self.unused().map_or(Ok(None), |why| Err(Stop::Usage(why))) };
        let rate: Option<Result<PerSecond, _>> = self.rate.as_ref().map(|rate| rate.parse());
        let rate = match rate {
            Some(rate) => rate.map_err(|error| Stop::Usage(format!("--rate: {error}")))?,
            None => return Err(Stop::Usage("--config needs --rate, e.g. --rate 40/min".to_owned())),
        };
        if self.rate.as_ref().is_some_and(|rate| !rate.contains('/')) {
            streams::complain(&format!("note: --rate has no unit: it is taken as {} a second", short(rate.0)));
        }
        Ok(Some(Quick {
            config: config.clone(),
            rate,
            preset: self.traffic.clone(),
            model: self.model.clone(),
            hours: self.hours,
            start: self.start.clone(),
        }))
    }

    /// What is wrong with flags beside a scenario. The parser finds most: --rate and --config ask for each other, and a
    /// scenario keeps it from asking for --config.
    fn unused(&self) -> Option<String> {
        let paths = [("rate", "traffic.CLASS.rate", self.rate.is_some()), ("hours", "hours", self.hours.is_some())];
        let others = [("model", "traffic.CLASS.model", self.model.is_some()), ("start", "start", self.start.is_some())];
        let (flag, path, _) = paths.into_iter().chain(others).find(|(.., is_given)| *is_given)?;
        Some(format!("--{flag} goes with --config: in a scenario it is changed by --set {path}=…"))
    }

    /// The flags as they are written.
    pub fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        let mut option = |name: &str, value: Option<&str>| words.extend(option_words(name, value));
        option("config", self.config.as_deref());
        option("rate", self.rate.as_deref());
        option("hours", self.hours.map(|hours| hours.to_string()).as_deref());
        option("traffic", self.config.as_ref().map(|_| self.traffic.as_str()));
        option("model", self.model.as_deref());
        option("start", self.start.as_ref().map(Start::as_written).as_deref());
        words
    }
}
