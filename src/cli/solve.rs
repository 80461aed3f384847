//! `billcast solve`: the value of one parameter at which a statistic reaches a target.

use crate::cli::interrupt::Interrupt;
use crate::cli::progress::Watch;
use crate::cli::stop::Stop;
use crate::cli::streams;
use crate::cli::values::shell_word;
use crate::cli::what::{Subject, TextOrJson, terminal_options};
use crate::experiment::{Answer, Axis, Common, Gate, Search, Values, fixed, secret, solve};
use crate::report::sweep::{solve_json, solve_text};
use crate::scenario::{Edit, World};

/// Arguments of `solve`.
#[derive(Debug, clap::Args)]
pub struct SolveArgs {
    /// The parameter, perhaps with the range to search: traffic.chat.rate, or traffic.chat.rate=1..5000/min.
    #[arg(long, value_name = "PATH[=LOW..HIGH]")]
    vary: String,
    /// What is to be reached: 'bill.p50 = 2300', 'failure_rate = 1%', 'p(bill > 1000) = 5%'.
    #[arg(long, value_name = "TARGET")]
    target: String,
    /// What to print.
    #[arg(long, value_enum, default_value_t = TextOrJson::Text)]
    format: TextOrJson,
    #[command(flatten)]
    subject: Subject,
}

/// Replications of each value where nothing is said.
const USUAL_RUNS: u64 = 64;

/// Searches and prints.
pub fn run(args: &SolveArgs) -> Result<(), Stop> {
    let interrupt = Interrupt::listen();
    let target = Gate::target(&args.target)?;
    let base = args.subject.load(Vec::new())?;
    let options = args.subject.options(&base, "solve", args.words(), Some(USUAL_RUNS));
    let search = args.search(&base, target)?;
    let watch = Watch::start(options.runs, args.subject.what.quiet, interrupt, &args.subject.what.room);
    let solution = solve(&search, &options, &watch, &|edits| args.subject.load(edits))?;
    watch.finish()?;
    match args.format {
        TextOrJson::Json => streams::print_bytes(&solve_json(&solution))?,
        TextOrJson::Text => streams::print(&solve_text(&solution, terminal_options(false)))?,
    }
    match solution.answer {
        Answer::At { .. } | Answer::Between { .. } => Ok(()),
        Answer::Nowhere { .. } => Err(Stop::NoAnswer),
        Answer::Unfinished => Err(Stop::Interrupted),
    }
}

impl SolveArgs {
    fn search(&self, base: &World, target: Gate) -> Result<Search, Stop> {
        let most_requests = Search::MOST_REQUESTS;
        if target.is_delta {
            return Err(Stop::Usage("a target is about the scenario itself, not about a difference".to_owned()));
        }
        if let Some(message) = fixed(&self.vary) {
            return Err(Stop::Usage(format!("--vary: {message}")));
        }
        let common = Common::of(base);
        if !self.vary.contains('=') {
            let path = self.vary.clone();
            let now = base.written(&path);
            if now.as_deref().is_some_and(|now| Edit::is_secret(&path, now)) {
                return Err(Stop::Usage(format!("--vary: {}", secret(&path))));
            }
            if now.is_none() {
                let message = format!("the scenario does not say what `{path}` is now");
                return Err(Stop::Usage(format!("{message}; give a range: --vary '{path}=LOW..HIGH'")));
            }
            return Ok(Search { common, path, range: None, now, target, most_requests });
        }
        let axis: Axis = self.vary.parse()?;
        let Values::Range(range) = axis.values else {
            return Err(Stop::Usage("a search needs a range of numbers: PATH=LOW..HIGH".to_owned()));
        };
        let now = base.written(&axis.written);
        Ok(Search { common, now, path: axis.written, range: Some(range), target, most_requests })
    }

    fn words(&self) -> Vec<String> {
        vec![
            "--vary".to_owned(),
            shell_word(&Edit::masked(&self.vary)),
            "--target".to_owned(),
            shell_word(&self.target),
        ]
    }
}
