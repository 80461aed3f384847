//! Claims for a terminal.

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};

use crate::report::claims::view::{ClaimsView, Line, Story};
use crate::report::terminal::wrap;

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
    let cell = |text: &str, numeric: bool| {
        let cell = Cell::new(text);
        if numeric { cell.set_alignment(CellAlignment::Right) } else { cell }
    };
    let mut table = Table::new();
    table.load_style(presets::NOTHING).force_no_tty().set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(u16::try_from(width).unwrap_or(u16::MAX));
    table.set_header(HEADINGS.iter().map(|(title, numeric)| cell(title, *numeric)).collect::<Vec<_>>());
    for line in &story.lines {
        let cells = cells(line);
        table.add_row(cells.iter().zip(HEADINGS).map(|(text, (_, numeric))| cell(text, numeric)).collect::<Vec<_>>());
    }
    let body: String = table.lines().map(|line| format!("{}\n", line.trim_end())).collect();
    let found: String =
        wrap(&format!("Found: {}", story.finds), width).iter().map(|line| format!("{line}\n")).collect();
    format!("{} ({})\n{body}{found}\n", story.title, story.scenario)
}

fn cells(line: &Line) -> [&str; 5] {
    [&line.figure, &line.published, &line.arithmetic, &line.simulated, &line.verdict]
}
