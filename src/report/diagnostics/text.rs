//! Findings for people: the line in question, masked, with the place underlined.

use crate::diagnostic::codes;
use crate::diagnostic::{Diagnostic, Severity, readable};
use crate::report::diagnostics::mask::{Excerpt, excerpt, plain};
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

/// One block per finding, with a snippet of `source` where there is a place. `colour` adds terminal colours.
pub fn to_text(diagnostics: &[Diagnostic], source: &str, colour: bool) -> String {
    blocks(diagnostics, source, colour, |diagnostic, source| {
        excerpt(source, diagnostic.span, diagnostic.code == codes::SYNTAX)
    })
}

/// The same about a file that holds no secrets, such as a scenario: its lines are quoted as they are, unless it cannot
/// be read at all and might be another file.
pub fn to_plain_text(diagnostics: &[Diagnostic], source: &str, colour: bool) -> String {
    blocks(diagnostics, source, colour, |diagnostic, source| {
        if diagnostic.code == codes::SYNTAX {
            excerpt(source, diagnostic.span, true)
        } else {
            plain(source, diagnostic.span)
        }
    })
}

fn blocks(
    diagnostics: &[Diagnostic],
    source: &str,
    colour: bool,
    excerpt: impl Fn(&Diagnostic, &str) -> Excerpt,
) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let block = |diagnostic| block(diagnostic, excerpt(diagnostic, source), &renderer);
    let mut blocks: Vec<String> = diagnostics.iter().take(MOST_SHOWN).map(block).collect();
    if diagnostics.len() > MOST_SHOWN {
        blocks.push(format!("… and {} more", diagnostics.len() - MOST_SHOWN));
    }
    blocks.join("\n\n") + if blocks.is_empty() { "" } else { "\n" }
}

/// No more findings are printed: a file that is wrong in more places is wrong as a whole.
pub const MOST_SHOWN: usize = 100;

fn block(diagnostic: &Diagnostic, excerpt: Excerpt, renderer: &Renderer) -> String {
    let level = match diagnostic.severity {
        Severity::Note => Level::NOTE,
        Severity::Warning => Level::WARNING,
        Severity::Error => Level::ERROR,
    };
    let has_place = diagnostic.span.line > 0;
    let message = harmless(&diagnostic.message);
    let title = if has_place || diagnostic.file.is_empty() {
        message
    } else {
        format!("{}: {message}", harmless(&diagnostic.file))
    };
    let path = harmless(&diagnostic.file);
    let help = diagnostic.help.as_deref().map(harmless);
    let Excerpt { line, marked } = excerpt;
    let quoted_column = line[..marked.start].chars().count() + 1;
    let mut group = Group::with_title(level.primary_title(&title).id(diagnostic.code));
    if has_place {
        let annotation = AnnotationKind::Primary.span(marked);
        group =
            group.element(Snippet::source(&line).line_start(diagnostic.span.line).path(&path).annotation(annotation));
    }
    if let Some(help) = &help {
        group = group.element(Level::HELP.message(help));
    }
    let rendered = renderer.render(&[group]);
    // The renderer counts columns in the line as quoted, which may be cut and masked.
    let place = |column: usize| format!("{path}:{}:{column}", diagnostic.span.line);
    rendered.replacen(&place(quoted_column), &place(diagnostic.span.column), 1)
}

/// On one line, without control characters, which a terminal might obey, and no longer than anybody reads.
fn harmless(text: &str) -> String {
    readable(text).replace('\n', "\u{FFFD}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::litellm::keys::check;

    #[test]
    fn a_finding_shows_its_line_without_the_secret_in_it() {
        let text = "model_list:
  - {model_name: a, litellm_params: {model: openai/x, api_key: hunter2, stream: true}}
";
        let shown = to_text(&check("config.yaml", text), text, false);
        let expected = "\
warning[BC202]: `litellm_params.stream` does nothing here: no effect: the request decides whether it streams
 --> config.yaml:2:73
  |
2 |   - {model_name: a, litellm_params: {model: openai/x, api_key: ***, stream: true}}
  |                                                                     ^^^^^^
";
        assert_eq!(shown, expected);
    }
}
