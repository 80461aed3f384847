//! The frame of pages that are not about a single forecast.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::report::chart::Picture;

/// A page with a head and sections. It loads nothing and runs nothing; its policy forbids both.
pub fn page(title: &str, kicker: &str, head: &Markup, sections: &Markup, stamp: &str) -> String {
    let policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content=(policy);
                title { (title) " – " (kicker) }
                style { (PreEscaped(include_str!("style.css"))) }
            }
            body {
                header { p.kicker { (kicker) } h1 { (title) } (head) }
                main { (sections) }
                footer { (stamp) }
            }
        }
    }
    .into_string()
}

/// What the reader must know first.
pub fn notices(notices: &[String]) -> Markup {
    html! {
        @if !notices.is_empty() { div.notice role="note" { @for notice in notices { p { (notice) } } } }
    }
}

/// Labelled facts.
pub fn facts(facts: &[(&'static str, String)]) -> Markup {
    html! { dl.facts { @for (label, value) in facts { div { dt { (label) } dd { (value) } } } } }
}

/// A chart with its heading, drawn for wide and for narrow screens.
pub fn picture(picture: &Picture<'_>) -> Markup {
    let [wide, narrow] = picture.inline();
    html! {
        figure {
            h3 { (picture.title) }
            figcaption { (picture.note) }
            div.wide { (PreEscaped(wide)) }
            div.narrow { (PreEscaped(narrow)) }
        }
    }
}
