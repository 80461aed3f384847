//! `billcast plan`: which limits bind, which would do, and what paid capacity is worth.

use std::path::PathBuf;
use std::str::FromStr;

use crate::cli::files::OutDir;
use crate::cli::interrupt::Interrupt;
use crate::cli::progress::Watch;
use crate::cli::stop::Stop;
use crate::cli::streams;
use crate::cli::values::shell_word;
use crate::cli::what::{Subject, TextOrJson, terminal_options};
use crate::experiment::{Offer, PlanError, Wanted, plan, seek_budgets};
use crate::report::plan::{artefacts, json, text};
use crate::units::{Count, Share};

/// Runs unless the command line says otherwise: limits are sought over all minutes of all runs.
const RUNS: u64 = 32;

/// Arguments of `plan`.
#[derive(Debug, clap::Args)]
pub struct PlanArgs {
    /// The share of a deployment's calls that its limits may refuse.
    #[arg(long, value_name = "SHARE", default_value = "0.1%")]
    target: Target,
    /// Paid capacity that is offered, as GROUP=TOKENS@PRICE: tokens a minute of one unit and its price for one hour in
    /// dollars, e.g. gpt-4o=10k@2.50; may be given several times.
    #[arg(long, value_name = "OFFER")]
    provisioned: Vec<OfferArg>,
    /// Seek the smallest budgets of keys, users, teams and deployments as well, in further simulations of each.
    #[arg(long)]
    budgets: bool,
    /// Write plan.json and a chart into this directory.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// What to print.
    #[arg(long, value_enum, default_value_t = TextOrJson::Text)]
    format: TextOrJson,
    #[command(flatten)]
    subject: Subject,
}

/// A share below 1.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Target(f64);

/// An offer as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
struct OfferArg {
    offer: Offer,
    written: String,
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let share: Share = text.parse().map_err(|error: crate::units::QuantityError| error.to_string())?;
        let fits = (0.0..1.0).contains(&share.0);
        fits.then_some(Self(share.0)).ok_or_else(|| "expected a share below 1, such as 0.1%".to_owned())
    }
}

impl FromStr for OfferArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "expected GROUP=TOKENS@PRICE, such as gpt-4o=10k@2.50".to_owned();
        let (target, rest) = text.rsplit_once('=').ok_or_else(wrong)?;
        let (tokens, price) = rest.split_once('@').ok_or_else(wrong)?;
        let tokens: Count = tokens.parse().map_err(|error: crate::units::QuantityError| error.to_string())?;
        let hourly =
            price.trim_start_matches('$').parse().map_err(|error: crate::units::MoneyError| error.to_string())?;
        if tokens.0 < 1.0 || hourly < crate::units::Money::ZERO {
            return Err("expected at least one token a minute, and a price that is not negative".to_owned());
        }
        let offer = Offer { target: target.to_owned(), unit_tokens: tokens.0 as u64, hourly };
        Ok(Self { offer, written: text.to_owned() })
    }
}

/// Makes a plan, prints it and writes it.
pub fn run(args: &PlanArgs) -> Result<(), Stop> {
    let interrupt = Interrupt::listen();
    let world = args.subject.load(Vec::new())?;
    let wanted =
        Wanted { target: args.target.0, offers: args.provisioned.iter().map(|arg| arg.offer.clone()).collect() };
    // Better known before a minute of simulation than after it.
    wanted.check(&world).map_err(refused)?;
    let options = args.subject.options(&world, "plan", args.words(), Some(world.runs.min(RUNS)));
    let out = args.out.as_deref().map(OutDir::prepare).transpose()?;
    let watch = Watch::start(options.runs, true, interrupt, &args.subject.what.room);
    args.subject.what.say("simulating with today's limits, without, and with those that would do …");
    let made = plan(&world, &options, &wanted, &watch).map_err(refused).and_then(|mut made| {
        if args.budgets {
            args.subject.what.say("seeking budgets …");
            made.add(seek_budgets(&world, &options, wanted.target, &watch, &|edits| args.subject.load(edits))?);
        }
        Ok(made)
    });
    watch.finish()?;
    let made = made?;
    match args.format {
        TextOrJson::Json => streams::print_bytes(&json(&made))?,
        TextOrJson::Text => streams::print(&text(&made, terminal_options(false)))?,
    }
    if let Some(out) = out {
        args.subject.what.write(&out, &artefacts(&made))?;
    }
    if made.about.partial { Err(Stop::Interrupted) } else { Ok(()) }
}

/// Why there is no plan, for whoever asked for it.
fn refused(error: PlanError) -> Stop {
    match error {
        PlanError::Interrupted => Stop::Unfinished,
        PlanError::Offer(error) => Stop::Usage(format!("--provisioned: {error}")),
        PlanError::Limit(error) => Stop::Usage(error.to_string()),
    }
}

impl PlanArgs {
    /// The arguments that the result depends on.
    fn words(&self) -> Vec<String> {
        let mut words = vec!["--target".to_owned(), self.target.0.to_string()];
        words.extend(self.budgets.then(|| "--budgets".to_owned()));
        words
            .extend(self.provisioned.iter().flat_map(|offer| ["--provisioned".to_owned(), shell_word(&offer.written)]));
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offers_and_targets_are_read() {
        let arg: OfferArg = "gpt-4o=10k@$2.50".parse().unwrap();
        let hourly = "2.5".parse().unwrap();
        assert_eq!(arg.offer, Offer { target: "gpt-4o".to_owned(), unit_tokens: 10_000, hourly });
        for wrong in ["gpt-4o", "gpt-4o=10k", "gpt-4o=x@1", "gpt-4o=10k@-1", "gpt-4o=0@1"] {
            assert!(wrong.parse::<OfferArg>().is_err(), "{wrong}");
        }
        assert_eq!("0.1%".parse(), Ok(Target(0.001)));
        assert!("100%".parse::<Target>().is_err());
    }
}
