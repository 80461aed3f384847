//! A comparison in the forms that its readers use. [`CompareView`] words everything once; the renderers only lay it
//! out.

mod charts;
mod html;
mod json;
mod markdown;
mod tables;
mod terminal;
mod words;

use crate::experiment::{Change, Comparison, Direction, Verdict};
use crate::report::Artefact;
use crate::report::text::{clean, plural};
use crate::report::view::{Table, facts};

pub use html::html;
pub use json::{SCHEMA, json};
pub use markdown::markdown;
pub use terminal::terminal;

/// A comparison made ready to be shown.
pub struct CompareView<'a> {
    comparison: &'a Comparison,
    verdicts: &'a [Verdict],
    /// What the others are compared with, safe to show.
    base: String,
    /// What was simulated, in short labelled facts.
    facts: Vec<(&'static str, String)>,
    /// The same in one line, for the foot of a picture.
    stamp: String,
    /// What the reader must know first.
    caveats: Vec<String>,
    changes: Vec<ChangeView<'a>>,
    /// The command that gives this result again, safe to show.
    command: String,
}

/// One change made ready to be shown.
struct ChangeView<'a> {
    change: &'a Change,
    label: String,
    direction: Direction,
    /// The result in one sentence.
    verdict: String,
    /// What else matters, in sentences.
    story: Vec<String>,
    metrics: Table,
    causes: Table,
    deployments: Table,
    keys: Table,
    classes: Table,
}

impl<'a> CompareView<'a> {
    /// Words everything that the renderers show.
    pub fn new(comparison: &'a Comparison, verdicts: &'a [Verdict]) -> Self {
        let base = words::label(&comparison.base.label);
        let about = &comparison.base.forecast.about;
        let facts = facts(about, format!("{} of each, in the same random weekends", plural(about.runs, "run")));
        Self {
            facts,
            stamp: format!("{} · seed {} · billcast {}", plural(about.runs, "paired run"), about.seed, about.version),
            caveats: words::caveats(comparison),
            changes: comparison.changes.iter().map(|change| ChangeView::new(change, &base)).collect(),
            command: clean(&about.command),
            base,
            comparison,
            verdicts,
        }
    }
}

impl<'a> ChangeView<'a> {
    fn new(change: &'a Change, base: &str) -> Self {
        Self {
            label: words::label(&change.side.label),
            direction: change.bill_mean.direction(),
            verdict: words::verdict(change),
            story: words::story(change),
            metrics: tables::metrics(change, base),
            causes: tables::causes(change, base),
            deployments: tables::parts("deployments", "By deployment (mean bill)", &change.by_deployment, base),
            keys: tables::parts("keys", "By virtual key (mean bill)", &change.by_key, base),
            classes: tables::parts("classes", "By traffic class (mean bill)", &change.by_class, base),
            change,
        }
    }

    /// The tables behind the first one; those with a single row say nothing more.
    fn details(&self) -> Vec<&Table> {
        let parts = [&self.deployments, &self.keys, &self.classes].into_iter().filter(|table| table.rows.len() > 1);
        std::iter::once(&self.causes).chain(parts).filter(|table| !table.rows.is_empty()).collect()
    }
}

/// Every file of a comparison.
pub fn artefacts(view: &CompareView<'_>) -> Vec<Artefact> {
    let file = |name: &str, bytes: Vec<u8>| Artefact { file_name: name.to_owned(), bytes };
    let mut all = vec![
        file("comparison.json", json(view)),
        file("comment.md", markdown(view).into_bytes()),
        file("report.html", html(view).into_bytes()),
        file("pairs.csv", tables::pairs_csv(view.comparison)),
    ];
    for (index, change) in view.changes.iter().enumerate() {
        let name = |id: &str| if index == 0 { id.to_owned() } else { format!("{id}-{}", index + 1) };
        let pictures = charts::all(change, &view.base, &view.stamp);
        all.extend(pictures.iter().flat_map(|picture| picture.files(&name(picture.id))));
    }
    all
}
