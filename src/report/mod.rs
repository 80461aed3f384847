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
mod data;
/// Findings about files: with a snippet for people, as JSON and as SARIF for programs.
pub mod diagnostics;
mod focus;
/// One run or one request, told.
pub mod explain;
/// Capacity plans.
pub mod plan;
mod gates;
mod html;
mod json;
mod model_page;
mod rare;
mod markdown;
/// Calendar months: terminal, Markdown, JSON, CSV.
pub mod month;
mod parquet_files;
mod scale;
/// Sweeps, tornados and searches.
pub mod sweep;
mod terminal;
mod trace;
pub mod text;
mod view;
mod xlsx;

pub use chart::model::{picture as model_picture, svg as model_svg};
pub use claims::{ClaimsView, StoryRun, claims_json, claims_markdown, claims_terminal};
pub use html::html;
pub use json::{ReadError, SCHEMA, json, json_text, read as read_forecast};
pub use model_page::model_page;
pub use rare::{rare_json, rare_text};
pub use terminal::{Room, TerminalOptions, laid_out, terminal, wrap};
pub use trace::trace;
pub use view::View;
pub use xlsx::has_threads_for_workbook;

use crate::experiment::Forecast;

/// A file to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artefact {
    /// Its name, without a folder.
    pub file_name: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// A form that a forecast can be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// `report.html`: one page that needs nothing else.
    Html,
    /// `report.md`.
    Markdown,
    /// `report.xlsx`: a workbook whose summary recalculates.
    Xlsx,
    /// `forecast.json`: everything, to make the other forms from.
    Json,
    /// A CSV file for each table.
    Csv,
    /// `focus.csv`: FOCUS 1.2 cost and usage.
    FocusCsv,
    /// FOCUS and the larger tables as Parquet.
    Parquet,
    /// The charts as SVG and PNG.
    Charts,
}

impl Form {
    /// Every form.
    pub const ALL: [Self; 8] =
        [Self::Json, Self::Html, Self::Markdown, Self::Xlsx, Self::Csv, Self::FocusCsv, Self::Parquet, Self::Charts];

    /// The files of this form.
    pub fn files(self, view: &View<'_>) -> Vec<Artefact> {
        let one = |file_name: &str, bytes: Vec<u8>| vec![Artefact { file_name: file_name.to_owned(), bytes }];
        match self {
            Self::Html => one("report.html", html(view).into_bytes()),
            Self::Markdown => one("report.md", markdown::markdown(view).into_bytes()),
            Self::Xlsx => one("report.xlsx", xlsx::xlsx(view)),
            Self::Json => one("forecast.json", json(view)),
            Self::Csv => csv_files::csv_files(&data::datasets(view)),
            Self::FocusCsv => csv_files::csv_files(&[focus::dataset(view.forecast)]),
            Self::Parquet => {
                let mut all = data::datasets(view);
                all.retain(|dataset| ["runs", "hours", "days", "charges"].contains(&dataset.name));
                all.push(focus::dataset(view.forecast));
                parquet_files::parquet_files(all.iter(), &view.facts)
            }
            Self::Charts => chart::files(view),
        }
    }
}

/// Every file of a report.
pub fn artefacts(forecast: &Forecast) -> Vec<Artefact> {
    let view = View::new(forecast);
    Form::ALL.into_iter().flat_map(|form| form.files(&view)).collect()
}
