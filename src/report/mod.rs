//! A forecast in the forms that its readers use. Everything is a pure function to bytes: no files, no clock, no chance.
//!
//! [`View`] derives and words everything once; the renderers only lay it out, so all of them show the same figures.

/// Findings about a config with the money at stake.
pub mod audit;
mod chart;
mod claims;
/// What a change does: terminal, HTML, markdown, JSON.
pub mod compare;
mod alerts;
mod csv_files;
/// Findings about files: with a snippet for people, as JSON and as SARIF for programs.
pub mod diagnostics;
/// One run or one request, told.
pub mod explain;
/// Capacity plans.
pub mod plan;
mod gates;
mod html;
mod json;
mod model_page;
mod rare;
mod scale;
/// Sweeps, tornados and searches.
pub mod sweep;
mod terminal;
mod trace;
pub mod text;
mod view;

pub use chart::model::{picture as model_picture, svg as model_svg};
pub use claims::{ClaimsView, StoryRun, claims_json, claims_markdown, claims_terminal};
pub use html::html;
pub use json::{SCHEMA, json};
pub use model_page::model_page;
pub use rare::{rare_json, rare_text};
pub use terminal::{TerminalOptions, terminal};
pub use trace::trace;
pub use view::View;

use crate::experiment::Forecast;

/// A file to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artefact {
    /// Its name, without a folder.
    pub file_name: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// Every file of a report.
pub fn artefacts(forecast: &Forecast) -> Vec<Artefact> {
    let view = View::new(forecast);
    let mut all = vec![Artefact { file_name: "forecast.json".to_owned(), bytes: json(&view) }];
    all.extend(csv_files::csv_files(&view));
    all.push(Artefact { file_name: "report.html".to_owned(), bytes: html(&view).into_bytes() });
    all.extend(chart::files(&view));
    all
}
