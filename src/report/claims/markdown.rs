//! Claims as a document: `docs/war-stories.md`.

use crate::report::claims::view::{ClaimsView, Line, Story};

/// What stands before the stories.
const PREFACE: &str = "\
# Claimed against simulated

What people report about the bills and failures of LLM gateways, held against what billcast finds when it plays the same story. Each
figure has three values: what was **published**, what follows by **arithmetic** from the story's own other figures, and what is
**simulated**. Where a published figure cannot follow from its own inputs, the verdict says by how much, and the note what would
make it true.

This file is generated, `billcast claims --format markdown`, and a test holds it against the scenarios. The claims are data, in
`claims.yaml` beside each scenario; each row ends with the command that gives its forecast.
";

/// The whole document.
pub fn claims_markdown(view: &ClaimsView) -> String {
    let mut text = format!("{PREFACE}\n");
    view.caveat().into_iter().for_each(|caveat| text.push_str(&format!("> **{caveat}**\n\n")));
    text.push_str(&format!("{}.\n", view.summary()));
    for story in &view.stories {
        text.push_str(&section(story));
    }
    text
}

fn section(story: &Story) -> String {
    let rows: String = story.lines.iter().map(row).collect();
    let notes: String = story.lines.iter().filter(|line| !line.because.is_empty()).map(note).collect();
    let notes = if notes.is_empty() { notes } else { format!("\n{notes}") };
    format!(
        "\n## {}\n\n*Published:* {} *Found:* {} ([{name}](../scenarios/{name}/README.md))\n\n\
         | figure | published | arithmetic | simulated | verdict | command |\n|---|---:|---:|---:|---|---|\n{rows}{notes}",
        escaped(&story.title),
        escaped(&story.says),
        escaped(&story.finds),
        name = story.scenario,
    )
}

fn row(line: &Line) -> String {
    let commands: Vec<String> =
        line.commands.iter().map(|command| format!("`{}`", command.replace('`', "'"))).collect();
    let cells = [&line.figure, &line.published, &line.arithmetic, &line.simulated, &line.verdict].map(|c| escaped(c));
    format!("| {} | {} |\n", cells.join(" | "), commands.join("<br>").replace('|', "\\|"))
}

fn note(line: &Line) -> String {
    format!("- *{}:* {}\n", escaped(&line.figure), escaped(&line.because))
}

/// Text that cannot become markup.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '|' | '*' | '_' | '`' | '[' | ']' | '<' | '>' | '\\') {
            safe.push('\\');
        }
        safe.push(c);
    }
    safe
}
