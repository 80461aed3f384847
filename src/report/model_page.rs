//! A page about a model: its picture, and each of its fields with where it comes from.

use maud::{DOCTYPE, PreEscaped, html};

use crate::report::chart::model;
use crate::report::text::clean;
use crate::scenario::ModelProfile;

/// The page.
pub fn model_page(of: &ModelProfile) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (of.name) " – billcast model" }
                style { (PreEscaped(include_str!("html/style.css"))) }
            }
            body {
                header {
                    p.kicker { "billcast model" }
                    h1 { (of.name) }
                    p { (clean(&of.about)) }
                }
                main {
                    figure { (PreEscaped(model::svg(of))) }
                    div.scroll tabindex="0" role="region" aria-label="Fields" {
                        table {
                            thead { tr { th { "field" } th { "value" } th { "source" } th { "as of" } } }
                            tbody {
                                @for field in &of.described.fields {
                                    tr {
                                        td.name { (clean(&field.name)) }
                                        td { (clean(&field.value)) }
                                        td { (clean(&field.source)) }
                                        td { (clean(&field.as_of)) }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
    .into_string()
}
