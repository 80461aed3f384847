//! Claims for a terminal.

use crate::report::claims::view::{ClaimsView, Line, Story};
use crate::report::terminal::{TerminalOptions, laid_out, wrap};

const HEADINGS: [(&str, bool); 5] =
    [("figure", false), ("published", true), ("arithmetic", true), ("simulated", true), ("verdict", false)];

/// The stories as tables.
pub fn claims_terminal(view: &ClaimsView, options: TerminalOptions) -> String {
    let caveat = view.caveat().map(|caveat| format!("! {caveat}\n\n")).unwrap_or_default();
    let mut text = view.stories.iter().fold(caveat, |text, story| text + &section(story, options));
    text.push_str(&format!("{}\n", view.summary()));
    text
}

fn section(story: &Story, options: TerminalOptions) -> String {
    let headings = HEADINGS.map(|(title, numeric)| (title.to_owned(), numeric));
    let rows = story.lines.iter().map(|line| cells(line).map(str::to_owned).into()).collect();
    let pieces = laid_out(&headings, rows, options.room());
    let body: String = pieces.into_iter().flat_map(|(_, lines)| lines).map(|line| line + "\n").collect();
    let found: String =
        wrap(&format!("Found: {}", story.finds), options.width).iter().map(|line| format!("{line}\n")).collect();
    format!("{} ({})\n{body}{found}\n", story.title, story.scenario)
}

fn cells(line: &Line) -> [&str; 5] {
    [&line.figure, &line.published, &line.arithmetic, &line.simulated, &line.verdict]
}
