//! Claims for a terminal.

use crate::report::claims::view::{ClaimsView, Line, Story};
use crate::report::terminal::{laid_out, with_room, wrap};

const HEADINGS: [(&str, bool); 5] =
    [("figure", false), ("published", true), ("arithmetic", true), ("simulated", true), ("verdict", false)];

/// The stories as tables, `width` characters a line.
pub fn claims_terminal(view: &ClaimsView, width: usize) -> String {
    let caveat = view.caveat().map(|caveat| format!("! {caveat}\n\n")).unwrap_or_default();
    let mut text = view.stories.iter().fold(caveat, |text, story| text + &section(story, width));
    text.push_str(&format!("{}\n", view.summary()));
    text
}

fn section(story: &Story, width: usize) -> String {
    let headings = HEADINGS.map(|(title, numeric)| (title.to_owned(), numeric));
    let rows = story.lines.iter().map(|line| cells(line).map(str::to_owned).into()).collect();
    let table = laid_out(&headings, &with_room(&headings, rows, width), width);
    let body: String = table.lines().map(|line| format!("{}\n", line.trim_end())).collect();
    let found: String =
        wrap(&format!("Found: {}", story.finds), width).iter().map(|line| format!("{line}\n")).collect();
    format!("{} ({})\n{body}{found}\n", story.title, story.scenario)
}

fn cells(line: &Line) -> [&str; 5] {
    [&line.figure, &line.published, &line.arithmetic, &line.simulated, &line.verdict]
}
