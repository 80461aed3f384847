//! The comparison as a page: one file that needs nothing else.

use maud::{Markup, html};

use crate::experiment::Direction;
use crate::report::compare::{ChangeView, CompareView, charts};
use crate::report::gates::line;
use crate::report::html::page::{facts, notices, page, picture};
use crate::report::html::parts::table;

/// The page.
pub fn html(view: &CompareView<'_>) -> String {
    let title = match view.changes.as_slice() {
        [only] => format!("{} against {}", only.label, view.base),
        many => format!("{} changes against {}", many.len(), view.base),
    };
    page(
        &title,
        "billcast comparison",
        &html! {
            (notices(&view.caveats))
            @if let [only] = view.changes.as_slice() {
                div.story { p { strong { (only.verdict) } } @for sentence in &only.story { p { (sentence) } } }
            }
            (facts(&view.facts))
        },
        &html! {
            @if !view.verdicts.is_empty() {
                section id="policies" {
                    h2 { "Policies" }
                    ul { @for verdict in view.verdicts { li { (line(verdict)) } } }
                }
            }
            @for change in &view.changes { (section(view, change)) }
            section id="method" {
                h2 { "Method" }
                p {
                    "Both sides play the same random weekends: the same requests arrive, with the same lengths, and \
                     a call to the same \
                     deployment meets the same fate. What remains is what the change does. Intervals are those of \
                     the paired \
                     differences: Student's for means, resampled pairs for percentiles."
                }
                h3 { "The same result again" }
                pre { code { (view.command) } }
            }
        },
        &view.stamp,
    )
}

fn section(view: &CompareView<'_>, change: &ChangeView<'_>) -> Markup {
    html! {
        section {
            h2 { (change.label) }
            @if view.changes.len() > 1 {
                div.story { p { strong { (change.verdict) } } @for sentence in &change.story { p { (sentence) } } }
            }
            (table(&change.metrics))
            @if change.direction == Direction::Same {
                p.muted { "Nothing differs, so there is nothing to draw." }
            } @else {
                @for drawn in charts::all(change, &view.base, &view.stamp) { (picture(&drawn)) }
            }
            @for part in change.details() { (table(part)) }
        }
    }
}
