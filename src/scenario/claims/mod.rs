//! `claims.yaml` beside a scenario: what somebody says about it in figures, to be held against what is simulated.

mod expression;
mod figure;

use std::path::Path;

use schemars::{JsonSchema, Schema};
use serde::Deserialize;

pub use expression::{Expression, Operator, Place, Undefined};
pub use figure::{Figure, Unit};

use crate::diagnostic::codes;
use crate::document::Node;
use crate::scenario::files::Source;
use crate::scenario::load::locate;
use crate::scenario::problem::{Problem, error};
use crate::scenario::read::{place, read};
use crate::units::Share;

/// Name of the file in a scenario's folder.
const FILE: &str = "claims.yaml";
/// How near a figure has to come where the file does not say.
const USUAL_TOLERANCE: f64 = 0.05;

/// What is said about a scenario.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClaimsFile {
    /// What the story is called.
    pub title: String,
    /// Where it stands among the stories; those without come last.
    pub story: Option<String>,
    /// In a sentence or two: who says it, and about what.
    pub says: String,
    /// What billcast makes of it, in a sentence or two.
    pub finds: String,
    /// Replications, where fewer or more than the scenario's own are wanted.
    pub runs: Option<u64>,
    /// Figure by figure.
    pub claims: Vec<Claim>,
}

/// One figure that somebody published, and how to simulate it.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// What the figure is.
    pub figure: String,
    /// What it is measured in.
    pub unit: Unit,
    /// What was published; left out where the story gives no number.
    pub published: Option<Figure>,
    /// What follows from the other figures of the story by arithmetic.
    pub arithmetic: Option<Figure>,
    /// The same from forecasts: keys of forecast.json, `VARIANT:key`, numbers, + - * / between blanks, parentheses.
    #[schemars(with = "String")]
    pub simulated: Expression,
    /// Which of the two the simulated figure has to come near to.
    #[serde(default)]
    pub agrees: Agrees,
    /// How near, as a share of it; 5% if left out.
    pub within: Option<Share>,
    /// Why it is so, or what would make the published figure true; needed where neither has to agree.
    pub because: Option<String>,
}

/// What a simulated figure has to come near to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Agrees {
    /// What was published.
    Published,
    /// What follows from the story's other figures.
    Arithmetic,
    /// Neither: the published figure cannot follow, or there is none.
    #[default]
    Neither,
}

impl Claim {
    /// How near the figure has to come.
    pub fn tolerance(&self) -> f64 {
        self.within.map_or(USUAL_TOLERANCE, |share| share.0)
    }

    /// The figure that the simulated one has to come near to.
    pub const fn expected(&self) -> Option<Figure> {
        match self.agrees {
            Agrees::Published => self.published,
            Agrees::Arithmetic => self.arithmetic,
            Agrees::Neither => None,
        }
    }

    /// Whether a simulated figure is what the file expects.
    pub fn holds(&self, simulated: f64) -> bool {
        simulated.is_finite() && self.expected().is_none_or(|expected| expected.is_near(simulated, self.tolerance()))
    }

    /// What is wrong with it, if anything.
    fn flaw(&self) -> Option<&'static str> {
        match self.agrees {
            Agrees::Published if self.published.is_none() => Some("agrees with `published`, and there is none"),
            Agrees::Arithmetic if self.arithmetic.is_none() => Some("agrees with `arithmetic`, and there is none"),
            Agrees::Neither if self.because.is_none() => Some("agrees with neither and does not say `because`"),
            _ => None,
        }
    }
}

/// The claims about a scenario, and how its files are named on the command line.
#[derive(Debug, Clone, PartialEq)]
pub struct Claims {
    /// The scenario as the user named it.
    pub scenario: String,
    /// What is said.
    pub file: ClaimsFile,
    /// In which line each claim says what is simulated.
    pub lines: Vec<usize>,
    /// Whether the scenario is a folder on disk: then its variants are files.
    on_disk: bool,
}

impl Claims {
    /// What `billcast run` calls a variant of the scenario.
    pub fn scenario_of(&self, variant: Option<&str>) -> String {
        let Some(variant) = variant else { return self.scenario.clone() };
        if !self.on_disk {
            return format!("{}/{variant}", self.scenario);
        }
        Path::new(&self.scenario).join(format!("{variant}.yaml")).to_string_lossy().into_owned()
    }

    /// The variants that the claims read, each once, in order; `None` is the scenario itself.
    pub fn variants(&self) -> Vec<Option<String>> {
        let mut all = Vec::new();
        for place in self.file.claims.iter().flat_map(|claim| claim.simulated.places()) {
            if !all.contains(&place.variant) {
                all.push(place.variant.clone());
            }
        }
        all
    }

    /// Whether a claim about this variant is about alerts, which are simulated apart.
    pub fn reads_alerts(&self, variant: Option<&str>) -> bool {
        let mut places = self.file.claims.iter().flat_map(|claim| claim.simulated.places());
        places.any(|place| place.variant.as_deref() == variant && place.path.starts_with("alerts."))
    }
}

/// Reads the claims about a scenario: a built-in name, or a folder.
///
/// # Errors
/// A [`Problem`] when there is no such scenario, it has no claims, or they cannot be used.
pub fn read_claims(scenario: &str) -> Result<Claims, Problem> {
    let on_disk = Path::new(scenario).exists();
    let (files, _, _) = locate(scenario)?;
    let source = files.read(FILE)?;
    let strict = read::<ClaimsFile>(&source)?;
    check(&strict.values, &source, &strict.tree)?;
    let lines = lines(&strict.tree);
    Ok(Claims { scenario: scenario.to_owned(), file: strict.values, lines, on_disk })
}

/// The lines of what is simulated.
fn lines(tree: &Node) -> Vec<usize> {
    let claims = tree.get("claims").map(Node::items).unwrap_or_default();
    claims.iter().map(|claim| claim.get("simulated").unwrap_or(claim).span.line).collect()
}

fn check(file: &ClaimsFile, source: &Source, tree: &Node) -> Result<(), Problem> {
    let flawed = file.claims.iter().find_map(|claim| Some((claim, claim.flaw()?)));
    let Some((claim, flaw)) = flawed else { return Ok(()) };
    let message = format!("the claim `{}` {flaw}", claim.figure);
    let diagnostic = error(codes::SCENARIO_VALUE, &source.name, place(tree, &["claims"]), message, "");
    Err(Problem::in_file(vec![diagnostic], source))
}

/// The JSON Schema of `claims.yaml`.
pub fn claims_schema() -> Schema {
    schemars::schema_for!(ClaimsFile)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<ClaimsFile, Problem> {
        let source = Source::quotable(FILE, text);
        let strict = read::<ClaimsFile>(&source)?;
        check(&strict.values, &source, &strict.tree).map(|()| strict.values)
    }

    fn with(claim: &str) -> String {
        format!("title: t\nsays: s\nfinds: f\nclaims:\n  - {{figure: x, unit: usd, simulated: bill.mean, {claim}}}\n")
    }

    #[test]
    fn claims_are_read_and_held() {
        let file = read_text(&with("published: 100, agrees: published, within: 10%")).unwrap();
        let claim = &file.claims[0];
        assert!(claim.holds(109.0) && claim.holds(91.0) && !claim.holds(111.0) && !claim.holds(f64::NAN));
        let file = read_text(&with("published: 2300, arithmetic: [10, 190], agrees: arithmetic")).unwrap();
        let claim = &file.claims[0];
        assert!(claim.holds(9.6) && claim.holds(199.0) && !claim.holds(9.4) && !claim.holds(200.0));
        assert!(read_text(&with("published: 34%, because: it is so")).unwrap().claims[0].holds(7.0));
    }

    #[test]
    fn slips_are_named() {
        let message = |claim: &str| read_text(&with(claim)).unwrap_err().to_string();
        assert!(message("published: 1").contains("does not say `because`"));
        assert!(message("agrees: arithmetic").contains("there is none"));
        assert!(message("agrees: arithmetik, published: 1").contains("`arithmetic`"));
        assert!(message("published: lots").contains("`lots`"));
        assert!(message("publisht: 1").contains("`published`"));
    }

    #[test]
    fn variants_are_named_as_run_names_them() {
        let file = read_text(&with("published: 1, because: b").replace("bill.mean", "1 - cured:bill.mean / bill.mean"));
        let claims = Claims { scenario: "pair".to_owned(), file: file.unwrap(), lines: Vec::new(), on_disk: false };
        assert_eq!(claims.variants(), [Some("cured".to_owned()), None]);
        assert_eq!(claims.scenario_of(Some("cured")), "pair/cured");
        assert_eq!(Claims { on_disk: true, ..claims }.scenario_of(Some("cured")), "pair/cured.yaml");
    }
}
