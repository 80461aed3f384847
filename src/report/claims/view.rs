//! What claims say and what forecasts say, worded once.

use crate::experiment::Forecast;
use crate::report::claims::lookup::number_at;
use crate::report::json::document;
use crate::report::text::{NOTHING, clean, count, money_of, percent};
use crate::report::view::View;
use crate::scenario::{Agrees, Claim, Claims, Figure, Place, Undefined, Unit};

/// The claims of one scenario with the forecasts that they need.
#[derive(Debug)]
pub struct StoryRun {
    /// What is said.
    pub claims: Claims,
    /// The forecasts, by variant; `None` is the scenario itself. Those that are missing were interrupted.
    pub forecasts: Vec<(Option<String>, Forecast)>,
}

/// All stories, ready to be shown.
#[derive(Debug, Clone, PartialEq)]
pub struct ClaimsView {
    /// Story by story, those with a letter first; of an interrupted result those with a figure that was simulated.
    pub stories: Vec<Story>,
    /// Figures of all stories that were asked for.
    pub asked: u64,
}

/// One story.
#[derive(Debug, Clone, PartialEq)]
pub struct Story {
    /// The scenario as the user named it.
    pub scenario: String,
    /// Its title, with its letter before it.
    pub title: String,
    /// Who says what.
    pub says: String,
    /// What billcast finds.
    pub finds: String,
    /// Figure by figure.
    pub lines: Vec<Line>,
    letter: Option<String>,
}

/// One figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// What it is.
    pub figure: String,
    /// The claim as it is written.
    pub claim: Claim,
    /// What was published, for people.
    pub published: String,
    /// What follows from the story's own figures, for people.
    pub arithmetic: String,
    /// What billcast finds, for people.
    pub simulated: String,
    /// What billcast finds; none where it was interrupted before it was simulated, or it has no value.
    pub value: Option<f64>,
    /// Why it has no value although it was simulated.
    pub undefined: Option<Undefined>,
    /// Whether it is what the claim expects; none where there is no value.
    pub holds: Option<bool>,
    /// How the three figures stand to each other.
    pub verdict: String,
    /// Why it is so.
    pub because: String,
    /// The commands that give the forecasts.
    pub commands: Vec<String>,
}

impl ClaimsView {
    /// Holds claims against forecasts.
    ///
    /// # Errors
    /// A claim that reads a value which forecasts do not have.
    pub fn new(runs: &[StoryRun]) -> Result<Self, String> {
        let mut stories = runs.iter().map(Story::new).collect::<Result<Vec<_>, _>>()?;
        stories.sort_by_key(|story| (story.letter.is_none(), story.letter.clone()));
        let asked = stories.iter().map(|story| story.lines.len() as u64).sum();
        stories.retain(|story| story.lines.is_empty() || story.lines.iter().any(Line::is_simulated));
        Ok(Self { stories, asked })
    }

    fn lines(&self) -> impl Iterator<Item = &Line> {
        self.stories.iter().flat_map(|story| &story.lines)
    }

    /// Figures that were simulated.
    fn simulated(&self) -> u64 {
        self.lines().filter(|line| line.is_simulated()).count() as u64
    }

    /// Figures that were simulated and have no value.
    pub fn undefined(&self) -> u64 {
        self.lines().filter(|line| line.undefined.is_some()).count() as u64
    }

    /// Figures that were not simulated, because it was interrupted.
    pub fn missing(&self) -> u64 {
        self.asked - self.simulated()
    }

    /// Whether it was interrupted before all figures were simulated.
    pub fn is_partial(&self) -> bool {
        self.missing() > 0
    }

    /// What the reader must know before any figure.
    pub fn caveat(&self) -> Option<String> {
        let words = || {
            let (done, asked) = (self.simulated(), self.asked);
            format!("Partial: interrupted after {done} of {asked} figures; the others were not simulated.")
        };
        self.is_partial().then(words)
    }

    /// Whether every figure is what its claim expects; none where all that have a value are, and others were
    /// not simulated or have none.
    pub fn holds(&self) -> Option<bool> {
        let is_off = self.lines().any(|line| line.holds == Some(false));
        let is_known = !self.is_partial() && self.undefined() == 0;
        if is_off { Some(false) } else { is_known.then_some(true) }
    }

    /// How many figures there are, and how they stand.
    pub fn summary(&self) -> String {
        let number =
            |agrees| self.lines().filter(|line| line.holds == Some(true) && line.claim.agrees == agrees).count();
        let off = self.lines().filter(|line| line.holds == Some(false)).count();
        let some = |count: usize, words: &str| if count == 0 { String::new() } else { format!(", {count} {words}") };
        let (off, undefined) = (some(off, "OFF"), some(self.undefined() as usize, "that could not be computed"));
        format!(
            "{} figures: {} as published, {} as the story's own figures say, {} where no agreement is expected{off}{undefined}",
            self.simulated(),
            number(Agrees::Published),
            number(Agrees::Arithmetic),
            number(Agrees::Neither),
        )
    }
}

impl StoryRun {
    /// Where the forecast is that a place is in.
    fn place_of(&self, place: &Place) -> Option<usize> {
        self.forecasts.iter().position(|(variant, _)| *variant == place.variant)
    }

    /// Whether the forecast that a place is in was finished.
    fn has(&self, place: &Place) -> bool {
        self.place_of(place).is_some()
    }
}

impl Story {
    fn new(run: &StoryRun) -> Result<Self, String> {
        let file = &run.claims.file;
        let documents: Vec<_> = run.forecasts.iter().map(|(_, forecast)| document(&View::new(forecast))).collect();
        let value = |number: usize, place: &Place| {
            let at = run.place_of(place);
            let found = at.map_or_else(
                || Err("there is no such variant".to_owned()),
                |at| number_at(&documents[at], &place.path),
            );
            let line = run.claims.lines.get(number).map_or_else(String::new, |line| format!(":{line}"));
            found.map_err(|why| format!("{}: {FILE}{line}: `{place}`: {why}", clean(&run.claims.scenario)))
        };
        let is_simulated = |claim: &Claim| claim.simulated.places().iter().all(|place| run.has(place));
        let line = |(number, claim): (usize, &Claim)| {
            let value = |place: &Place| value(number, place);
            let found = is_simulated(claim).then(|| claim.simulated.evaluate(&value)).transpose()?;
            Ok(Line::new(claim, found, commands(run, claim)))
        };
        let title = clean(&file.title);
        Ok(Self {
            scenario: clean(&run.claims.scenario),
            title: file.story.as_ref().map_or_else(|| title.clone(), |story| format!("{}. {title}", clean(story))),
            says: clean(&file.says),
            finds: clean(&file.finds),
            lines: file.claims.iter().enumerate().map(line).collect::<Result<_, String>>()?,
            letter: file.story.clone(),
        })
    }
}

const FILE: &str = "claims.yaml";

/// The commands of the forecasts that a claim reads, each once.
fn commands(run: &StoryRun, claim: &Claim) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for place in claim.simulated.places() {
        let forecast = run.forecasts.iter().find(|(variant, _)| *variant == place.variant);
        let command = forecast.map(|(_, forecast)| clean(&forecast.about.command));
        all.extend(command.filter(|command| !all.contains(command)));
    }
    all
}

impl Line {
    /// A figure; `found` is none where it was not simulated.
    fn new(claim: &Claim, found: Option<Result<f64, Undefined>>, commands: Vec<String>) -> Self {
        let (value, undefined) = (found.and_then(Result::ok), found.and_then(Result::err));
        let shown = |figure: Option<Figure>| figure.map_or_else(|| NOTHING.to_owned(), |f| range(f, claim.unit));
        let holds = value.map(|value| claim.holds(value));
        Self {
            figure: clean(&claim.figure),
            published: shown(claim.published),
            arithmetic: shown(claim.arithmetic),
            simulated: value.map_or_else(|| NOTHING.to_owned(), |value| number(value, claim.unit)),
            value,
            undefined,
            holds,
            verdict: match found {
                Some(Ok(value)) => verdict(claim, value, claim.holds(value)),
                Some(Err(why)) => format!("not computed: {why}"),
                None => "not simulated".to_owned(),
            },
            because: claim.because.as_deref().map(clean).unwrap_or_default(),
            commands,
            claim: claim.clone(),
        }
    }

    /// Whether the forecasts that it needs were finished.
    const fn is_simulated(&self) -> bool {
        self.value.is_some() || self.undefined.is_some()
    }
}

/// A figure for people; fractions of a count are not worth more than three digits.
fn number(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Usd => money_of(value),
        Unit::Share => signed(percent(value)),
        Unit::Count => count(value),
        Unit::Seconds => format!("{} s", three_digits(value)),
        Unit::PerSecond => format!("{} /s", three_digits(value)),
        Unit::Factor => format!("{}×", three_digits(value)),
    }
}

/// With the sign that amounts have.
fn signed(text: String) -> String {
    text.replacen('-', "−", 1)
}

fn three_digits(value: f64) -> String {
    if !value.is_finite() {
        return NOTHING.to_owned();
    }
    let decimals = match value.abs() {
        v if v >= 99.95 => 0,
        v if v >= 9.995 => 1,
        _ => 2,
    };
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

fn range(figure: Figure, unit: Unit) -> String {
    if figure.is_number() {
        return number(figure.low, unit);
    }
    format!("{} to {}", number(figure.low, unit), number(figure.high, unit))
}

/// How the simulated figure stands to the others, in words.
fn verdict(claim: &Claim, value: f64, holds: bool) -> String {
    let named = match claim.agrees {
        Agrees::Published => "as published",
        Agrees::Arithmetic => "as its own figures say",
        Agrees::Neither => return against(claim.published, value).unwrap_or_else(|| "not published".to_owned()),
    };
    let off = claim.expected().map(|expected| distance(expected, value)).unwrap_or_default();
    if !holds {
        return format!("OFF: not {named} ({off}, allowed {})", percent(claim.tolerance()));
    }
    let beside = claim.published.filter(|_| claim.agrees == Agrees::Arithmetic);
    match beside.filter(|published| !published.is_near(value, claim.tolerance())) {
        Some(published) => format!("{named} ({off}); {}", against(Some(published), value).unwrap_or_default()),
        None => format!("{named} ({off})"),
    }
}

/// How far a number is from a figure: `+1.2%`, or that it lies in the range.
fn distance(expected: Figure, value: f64) -> String {
    let near = expected.nearest(value);
    if near == value && !expected.is_number() {
        return "within the range".to_owned();
    }
    if near == 0.0 {
        return if value == 0.0 { "exactly".to_owned() } else { "not 0".to_owned() };
    }
    let off = (value / near - 1.0) * 100.0;
    if off.abs() < 0.05 {
        "±0.0%".to_owned()
    } else {
        format!("{}{:.1}%", if off < 0.0 { "−" } else { "+" }, off.abs())
    }
}

/// How a published figure stands to the simulated one.
fn against(published: Option<Figure>, value: f64) -> Option<String> {
    let published = published?.nearest(value);
    let (small, large) = (published.abs().min(value.abs()), published.abs().max(value.abs()));
    if published == value {
        return Some("the same".to_owned());
    }
    let times = large / small;
    let word = if published.abs() > value.abs() { "more" } else { "less" };
    Some(match times {
        t if !t.is_finite() || published * value < 0.0 => format!("published is {word}"),
        t if t < 2.0 => format!("published is {} {word}", percent((published / value - 1.0).abs())),
        t if word == "more" => format!("published is {} times that", three_digits(t)),
        t => format!("published is 1/{} of that", three_digits(t)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(published: Option<f64>, arithmetic: Option<(f64, f64)>, agrees: Agrees) -> Claim {
        Claim {
            figure: "x".to_owned(),
            unit: Unit::Usd,
            published: published.map(|low| Figure { low, high: low }),
            arithmetic: arithmetic.map(|(low, high)| Figure { low, high }),
            simulated: "1".parse().unwrap(),
            agrees,
            within: None,
            because: None,
        }
    }

    fn verdict_of(claim: &Claim, value: f64) -> String {
        verdict(claim, value, claim.holds(value))
    }

    #[test]
    fn verdicts_say_how_far() {
        let published = claim(Some(100.0), None, Agrees::Published);
        assert_eq!(verdict_of(&published, 101.2), "as published (+1.2%)");
        assert_eq!(verdict_of(&published, 108.0), "OFF: not as published (+8.0%, allowed 5.00%)");
        let neither = claim(Some(2300.0), Some((10.0, 190.0)), Agrees::Neither);
        assert_eq!(verdict_of(&neither, 3.5), "published is 657 times that");
        assert_eq!(verdict_of(&neither, 2000.0), "published is 15.0% more");
        assert_eq!(verdict_of(&neither, 23_000.0), "published is 1/10 of that");
        let own = claim(Some(0.8), Some((21.0, 21.0)), Agrees::Arithmetic);
        assert_eq!(verdict_of(&own, 20.8), "as its own figures say (−1.0%); published is 1/26 of that");
        assert_eq!(
            verdict_of(&claim(None, Some((1.0, 5.0)), Agrees::Arithmetic), 3.0),
            "as its own figures say (within the range)"
        );
        assert_eq!(verdict_of(&claim(Some(0.0), None, Agrees::Published), 0.0), "as published (exactly)");
        assert_eq!(verdict_of(&claim(None, None, Agrees::Neither), 3.0), "not published");
    }

    #[test]
    fn figures_carry_their_units() {
        let shown = [Unit::Usd, Unit::Share, Unit::Count, Unit::Seconds, Unit::PerSecond, Unit::Factor]
            .map(|u| number(1.9512, u));
        assert_eq!(shown, ["$1.95", "195.1%", "1.95", "1.95 s", "1.95 /s", "1.95×"]);
        assert_eq!(range(Figure { low: 10.0, high: 190.0 }, Unit::Usd), "$10.00 to $190.00");
    }
}
