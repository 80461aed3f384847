//! Replications in parts, on several machines: each part is a fold of some of the runs, and parts that are merged in
//! the order of their runs give the forecast that one machine would have given, to the last byte.

use std::ops::Range;

use crate::engine::DeploymentTotals;
use crate::experiment::fold::{Fold, StepSeries, add_requests, add_why_nots};
use crate::experiment::forecast::Forecast;
use crate::experiment::plausible;
use crate::experiment::replicate::Options;
use crate::experiment::run::{assembled, hourly};
use crate::random::{Replication, address_of};
use crate::scenario::World;

/// The id of the layout of a part's file. It is for the same version of billcast only.
const LAYOUT: &str = "billcast.part/5";

/// Some of the runs of a forecast, folded.
#[derive(Debug, Clone)]
pub struct Part {
    head: Head,
    fold: Fold,
}

/// The first line of a part's file; the second is the fold.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
struct Head {
    layout: String,
    version: String,
    command: String,
    seed: u64,
    first: u64,
    /// Of what the user has written and of the prices: a first run alone may not show what has changed.
    world: u64,
    /// Of the second line: a file that was cut or edited is not merged.
    digest: u64,
}

/// Why parts do not make a forecast.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PartError {
    /// The file is not a part.
    #[error("{0} is not a part written by this version of billcast: {1}")]
    NotAPart(String, String),
    /// The part belongs to another forecast.
    #[error("{0} was made by `{1}`, and not by `{2}`")]
    OtherForecast(String, String, String),
    /// The scenario or its files have changed.
    #[error("run {1} of {0} is not what the scenario gives now: its files have changed, or were others")]
    OtherWorld(String, u64),
    /// Runs are missing or there twice.
    #[error("{0} begins with run {1}, expected run {2}: parts must be complete and must not overlap")]
    Gap(String, u64, u64),
    /// The last runs are missing.
    #[error("runs {0} to {1} are missing")]
    Missing(u64, u64),
}

impl Head {
    /// The first line, and what comes after it.
    fn read<'a>(name: &str, text: &'a str) -> Result<(Self, &'a str), PartError> {
        let wrong = |why: String| PartError::NotAPart(name.to_owned(), why);
        let (head, rest) = text.split_once('\n').ok_or_else(|| wrong("its first line does not end".to_owned()))?;
        let head: Self = serde_json::from_str(head).map_err(|error| wrong(error.to_string()))?;
        if head.layout != LAYOUT || head.version != env!("CARGO_PKG_VERSION") {
            return Err(wrong(format!("it says {} of version {}", head.layout, head.version)));
        }
        Ok((head, rest))
    }
}

impl Part {
    pub(super) fn new(world: &World, options: &Options, first: u64, fold: Fold) -> Self {
        let head = Head {
            world: digest(world),
            layout: LAYOUT.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            command: options.command.clone(),
            seed: options.seed.0,
            first,
            digest: 0,
        };
        Self { head, fold }
    }

    /// The runs of part `number` (from 1) of `of` parts.
    pub fn numbers(runs: u64, number: u64, of: u64) -> Range<u64> {
        let edge = |part: u64| (u128::from(runs) * u128::from(part) / u128::from(of.max(1))) as u64;
        edge(number.saturating_sub(1))..edge(number)
    }

    /// How many runs it holds.
    pub fn runs(&self) -> u64 {
        self.fold.runs()
    }

    /// The part as a file.
    pub fn to_json(&self) -> Vec<u8> {
        let fold = serde_json::to_string(&self.fold).expect("numbers and strings have a text");
        let head = Head { digest: address_of(&fold), ..self.head.clone() };
        let head = serde_json::to_string(&head).expect("numbers and strings have a text");
        format!("{head}\n{fold}\n").into_bytes()
    }

    /// Reads what [`Part::to_json`] has written; `name` is for messages.
    ///
    /// # Errors
    /// [`PartError::NotAPart`] when the text is anything else.
    pub fn from_json(name: &str, text: &str) -> Result<Self, PartError> {
        let wrong = |why: String| PartError::NotAPart(name.to_owned(), why);
        let (head, fold) = Head::read(name, text)?;
        let fold = fold.strip_suffix('\n').unwrap_or(fold);
        if address_of(fold) != head.digest {
            return Err(wrong("it has been cut or changed".to_owned()));
        }
        let fold = serde_json::from_str(fold).map_err(|error| wrong(error.to_string()))?;
        Ok(Self { head, fold })
    }

    /// Whether a file that begins like this may be a part: the rest may be a gigabyte.
    ///
    /// # Errors
    /// [`PartError::NotAPart`].
    pub fn check_head(name: &str, first_line: &str) -> Result<(), PartError> {
        Head::read(name, first_line).map(|_| ())
    }

    /// Whether it was made by this command from this world: its first run is simulated once more, which shows whether
    /// traces and presets are the same as well.
    fn check(&self, name: &str, world: &World, options: &Options) -> Result<(), PartError> {
        if self.head.command != options.command || self.head.seed != options.seed.0 {
            return Err(PartError::OtherForecast(name.to_owned(), self.head.command.clone(), options.command.clone()));
        }
        let Some(first) = self.fold.rows.first() else { return Ok(()) };
        let mut again = Fold::default();
        again.add(&hourly(world, options.seed, Replication(self.head.first)));
        let is_same = self.head.world == digest(world);
        let is_same = is_same && again.rows.first() == Some(first) && again.shape() == self.fold.shape();
        if is_same { Ok(()) } else { Err(PartError::OtherWorld(name.to_owned(), first.run)) }
    }
}

/// Of the texts of the scenario and of its gateway's config, and of the prices.
fn digest(world: &World) -> u64 {
    let texts: String = world.sources.iter().map(|source| format!("{}\0", source.text)).collect();
    address_of(&format!("{texts}{:?}", world.tariffs))
}

/// Merges parts, with the names of their files, into the forecast of all runs.
///
/// # Errors
/// [`PartError`] when a part belongs to another forecast or world, or when runs are missing or there twice.
pub fn merge(world: &World, options: &Options, mut parts: Vec<(String, Part)>) -> Result<Forecast, PartError> {
    parts.sort_by_key(|(_, part)| (part.head.first, part.runs()));
    let (mut whole, number) = (Fold::default(), parts.len());
    for (name, part) in parts {
        part.check(&name, world, options)?;
        if let Some(doubt) = plausible::doubt(&part.fold, number) {
            return Err(PartError::NotAPart(name, doubt.to_owned()));
        }
        if part.head.first != whole.runs() && part.runs() > 0 {
            return Err(PartError::Gap(name, part.head.first, whole.runs()));
        }
        // A part of nothing says nothing, not even how many deployments there are.
        if part.runs() > 0 {
            whole.append(part.fold);
        }
    }
    if whole.runs() != options.runs {
        return Err(PartError::Missing(whole.runs(), options.runs.saturating_sub(1)));
    }
    Ok(assembled(world, options, whole))
}

impl Fold {
    /// Adds the runs that follow. All sums are of whole numbers, so the result does not depend on the cuts.
    fn append(&mut self, next: Self) {
        // Without `..`: a field that is not merged does not compile.
        let Self {
            rows,
            latency,
            deployments,
            deployment_bills,
            classes,
            class_bills,
            keys,
            why_not,
            key_bills,
            edges,
            steps,
            hour_bills,
            step_spend,
            by_cause,
            bill,
            reported,
            premium,
        } = next;
        self.rows.extend(rows);
        self.latency.merge(&latency);
        self.deployments.resize_with(deployments.len().max(self.deployments.len()), DeploymentTotals::default);
        self.deployments.iter_mut().zip(&deployments).for_each(|(sum, totals)| sum.merge(totals));
        self.deployment_bills.extend(deployment_bills);
        add_requests(&mut self.classes, &classes);
        self.class_bills.extend(class_bills);
        add_requests(&mut self.keys, &keys);
        add_why_nots(&mut self.why_not, &why_not);
        self.key_bills.extend(key_bills);
        for (ends, edge) in edges {
            self.edges.entry(ends).or_default().merge(&edge);
        }
        self.steps.resize_with(steps.len().max(self.steps.len()), StepSeries::default);
        self.steps.iter_mut().zip(steps).for_each(|(series, more)| series.append(more));
        self.hour_bills.extend(hour_bills);
        self.step_spend.resize(step_spend.len().max(self.step_spend.len()), Default::default());
        self.step_spend.iter_mut().zip(step_spend).for_each(|(sum, amount)| *sum += amount);
        by_cause.iter().for_each(|(cause, amount)| self.by_cause[cause] += *amount);
        self.bill += bill;
        self.reported += reported;
        self.premium += premium;
    }

    /// How many of each thing its lists have.
    fn shape(&self) -> [usize; 5] {
        [self.deployments.len(), self.classes.len(), self.keys.len(), self.steps.len(), self.step_spend.len()]
    }
}

impl StepSeries {
    fn append(&mut self, next: Self) {
        let Self { requests, attempts, failure_rate, fallback_share, spend, cumulative } = next;
        self.requests.extend(requests);
        self.attempts.extend(attempts);
        self.failure_rate.extend(failure_rate);
        self.fallback_share.extend(fallback_share);
        self.spend.extend(spend);
        self.cumulative.extend(cumulative);
    }
}

/// Maps whose keys are no strings, as lists of pairs.
pub(super) mod pairs {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<K: Serialize, V: Serialize, S: Serializer>(
        map: &BTreeMap<K, V>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map)
    }

    pub fn deserialize<'de, K, V, D>(deserializer: D) -> Result<BTreeMap<K, V>, D::Error>
    where
        K: Deserialize<'de> + Ord,
        V: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        Ok(Vec::<(K, V)>::deserialize(deserializer)?.into_iter().collect())
    }
}
