//! Recorded traffic from files. A trace is read through once when a scenario is loaded: its format, its rows that
//! cannot be used, its length and the names in it are known before anything is simulated. Short traces are kept; long
//! ones are read again by each run, row by row, so that memory does not grow with them.

mod blocks;
mod format;
mod array;
mod json;
mod moment;
mod order;
mod original;
mod rows;
mod source;
mod spec;

use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Severity, Span, codes};
use crate::gateway::litellm::wire::nearest;
use crate::scenario::files::Files;
use crate::scenario::problem::Problem;
use crate::scenario::room::Room;
use crate::traffic::{TraceRow, TraceSource};
use crate::units::SimDuration;
use format::Format;
use order::Waiting;
use original::Original;
use rows::{Names, Opened, Rows};
pub use source::TraceFile;
pub use spec::{Loop, ReplayMap, ReplaySpec};

/// A trace that has been read through.
#[derive(Debug, Clone)]
pub struct Trace {
    /// Its name as the user wrote it.
    pub file: String,
    /// Its format.
    pub format: &'static str,
    /// Rows that can be used.
    pub rows: u64,
    /// Of the rows: without any tokens.
    pub empty: u64,
    /// Of the rows: with input and without output.
    pub unanswered: u64,
    /// Input tokens of all rows.
    pub input_tokens: u64,
    /// Output tokens of all rows.
    pub output_tokens: u64,
    /// From the first row to the last.
    pub span: SimDuration,
    /// The first moment, in nanoseconds since 1970; 0 for traces that count from their own beginning.
    pub began: i64,
    /// Names of models in it.
    pub models: Vec<String>,
    /// Names of keys in it.
    pub keys: Vec<String>,
    /// What is to be said about it.
    pub diagnostics: Vec<Diagnostic>,
    /// Where its rows come from.
    pub source: Arc<TraceFile>,
}

/// Rows that cannot be used are shown one by one up to this many.
const MOST_SHOWN: usize = 5;
/// Traces up to this long are kept (10 MB); longer ones are read again by each run.
const MOST_KEPT: u64 = 250_000;
/// Traces up to this long can be sorted.
const MOST_SORTED: usize = 1_000_000;
/// Moments after this are dates: the year 2000.
const FIRST_DATE: i64 = 946_684_800_000_000_000;

/// Reads a trace through. The room is told when it is not the same each time, now or while it is played.
///
/// # Errors
/// A [`Problem`] when it cannot be read, has no known format, no row that can be used, or has changed.
pub fn read(files: &Files, written: &ReplayMap, room: &Room) -> Result<Trace, Problem> {
    let (original, opened, handle) = Original::open(files, &written.file, room)?;
    let format = format_of(written, &opened)?;
    let mut scan = Scan::default();
    let mut rows = opened.rows(format, Names::default(), Names::default());
    let unreadable = |error: std::io::Error| broken(&written.file, &error);
    while let Some((line, found)) = rows.next().map_err(unreadable)? {
        match found {
            Ok(row) => scan.add(row),
            Err(reason) => scan.add_bad(&written.file, line, &reason),
        }
        // Too many to be kept however they are ordered; a pipe may be endless.
        if scan.rows > MOST_SORTED as u64 && !original.is_lasting() {
            return Err(too_long(&original));
        }
    }
    original.check(&handle)?;
    scan.finish(original, written, format, rows)
}

/// A trace that would have to be read again, from a pipe.
fn too_long(original: &Original) -> Problem {
    original.read_once(&format!("the trace has more than {MOST_KEPT} rows, the most that are kept in memory"))
}

fn broken(file: &str, error: &std::io::Error) -> Problem {
    Problem::about_file(codes::UNREADABLE, file, format!("the trace cannot be read: {error}"), "")
}

/// The format that is written, or the one that the columns tell.
fn format_of(written: &ReplayMap, opened: &Opened) -> Result<&'static Format, Problem> {
    let problem =
        |message: String, help: &str| Err(Problem::about_file(codes::TRACE_FORMAT, &written.file, message, help));
    let known = || format::ALL.iter().map(|format| format.name);
    let Some(name) = &written.format else {
        let told = || opened.names.iter().map(String::as_str).take(12).collect::<Vec<_>>().join(", ");
        return match Format::of_columns(&opened.names) {
            Some(format) => Ok(format),
            None if opened.names.is_empty() => problem("the trace is empty".to_owned(), ""),
            None if opened.names.iter().any(|name| name.contains(is_no_text)) => {
                let help = "a trace is CSV with a header, JSON lines or a JSON array, perhaps compressed with gzip";
                problem("this is no text".to_owned(), help)
            }
            None => problem(
                format!("no known trace has these columns: {}", told()),
                "name them `time,input,output`, or see `replay` in docs/scenario.md for the formats that are known",
            ),
        };
    };
    let Some(format) = Format::named(name) else {
        let near = nearest(name, known()).map(|near| format!("did you mean `{near}`? "));
        let help = format!("{}known: {}", near.unwrap_or_default(), known().collect::<Vec<_>>().join(", "));
        return problem(format!("`{name}` is not a format of traces"), &help);
    };
    match format.missing(&opened.names) {
        missing if missing.is_empty() => Ok(format),
        missing => problem(format!("{} has the columns {}, which are missing", format.about, missing.join(", ")), ""),
    }
}

/// What stands in no name of a column: the file is something else.
fn is_no_text(c: char) -> bool {
    c == char::REPLACEMENT_CHARACTER || (c.is_control() && c != '\t')
}

/// What is known so far.
#[derive(Default)]
struct Scan {
    rows: u64,
    bad: u64,
    empty: u64,
    unanswered: u64,
    input_tokens: u64,
    output_tokens: u64,
    first: Option<i64>,
    last: i64,
    kept: Vec<TraceRow>,
    waiting: Waiting,
    latest: Option<i64>,
    disorder: bool,
    shown: Vec<Diagnostic>,
}

impl Scan {
    fn add(&mut self, row: TraceRow) {
        self.rows += 1;
        let (input, output) = (u64::from(row.input), u64::from(row.output));
        self.input_tokens += input;
        self.output_tokens += output;
        self.empty += u64::from(input == 0 && output == 0);
        self.unanswered += u64::from(input > 0 && output == 0);
        self.last = if self.first.is_none() { row.at.0 } else { self.last.max(row.at.0) };
        self.first = Some(self.first.map_or(row.at.0, |first| first.min(row.at.0)));
        if self.kept.len() < MOST_SORTED {
            self.kept.push(row);
        }
        if let Some(next) = self.waiting.add(row) {
            self.disorder |= self.latest.is_some_and(|latest| next.at.0 < latest);
            self.latest = Some(next.at.0);
        }
    }

    fn add_bad(&mut self, file: &str, line: u64, reason: &str) {
        self.bad += 1;
        if self.shown.len() < MOST_SHOWN {
            let span = Span { line: line as usize, column: 1, ..Span::default() };
            self.shown.push(warning(file, span, format!("this row is left out: {reason}"), None));
        }
    }

    fn finish(
        mut self,
        original: Original,
        written: &ReplayMap,
        format: &'static Format,
        rows: Rows,
    ) -> Result<Trace, Problem> {
        while let Some(next) = self.waiting.take() {
            self.disorder |= self.latest.is_some_and(|latest| next.at.0 < latest);
            self.latest = Some(next.at.0);
        }
        let Some(first) = self.first else {
            let message = format!("no row of the trace can be used, of {}", self.bad);
            let mut diagnostics = self.shown;
            diagnostics.push(crate::scenario::problem::error(
                codes::TRACE_ROW,
                &written.file,
                Span::default(),
                message,
                "",
            ));
            return Err(Problem { diagnostics, sources: Vec::new() });
        };
        if self.bad > MOST_SHOWN as u64 {
            let message = format!("{} rows in all are left out, {} can be used", self.bad, self.rows);
            self.shown.push(warning(&written.file, Span::default(), message, None));
        }
        let kept = self.kept(first, &written.file)?;
        if kept.is_none() && !original.is_lasting() {
            return Err(too_long(&original));
        }
        let (models, keys) = (rows.models, rows.keys);
        let (model_names, key_names) = (models.all.clone(), keys.all.clone());
        let source = TraceFile { original, format, first, rows: self.rows, kept, models, keys };
        Ok(Trace {
            file: written.file.clone(),
            format: format.name,
            rows: self.rows,
            empty: self.empty,
            unanswered: self.unanswered,
            input_tokens: self.input_tokens,
            output_tokens: self.output_tokens,
            span: SimDuration(self.last - first),
            began: if first >= FIRST_DATE { first } else { 0 },
            models: model_names,
            keys: key_names,
            diagnostics: self.shown,
            source: Arc::new(source),
        })
    }

    /// The rows in order of time, where the trace is short, or out of order.
    fn kept(&mut self, first: i64, file: &str) -> Result<Option<Arc<[TraceRow]>>, Problem> {
        if self.rows > MOST_KEPT && !self.disorder {
            return Ok(None);
        }
        if self.rows > MOST_SORTED as u64 {
            let message = format!(
                "the rows are out of order by more than {} places, and there are more than {MOST_SORTED}, the most that are \
                 sorted",
                order::WINDOW
            );
            return Err(Problem::about_file(codes::TRACE_ROW, file, message, "sort the file by time"));
        }
        let mut rows = std::mem::take(&mut self.kept);
        rows.sort_by_key(|row| row.at.0);
        rows.iter_mut().for_each(|row| row.at.0 -= first);
        Ok(Some(rows.into()))
    }
}

fn warning(file: &str, span: Span, message: String, help: Option<String>) -> Diagnostic {
    Diagnostic { code: codes::TRACE_ROW, severity: Severity::Warning, file: file.into(), span, message, help }
}

impl Trace {
    /// The source that the engine pulls from.
    pub fn rows_source(&self) -> Arc<dyn TraceSource> {
        self.source.clone()
    }

    /// When the trace begins again after `replay: { loop: true }`: one mean gap after its last row.
    pub fn natural_period(&self) -> SimDuration {
        let gaps = (self.rows.saturating_sub(1)).max(1);
        let mean_gap = (self.span.0 as f64 / gaps as f64).ceil() as i64;
        SimDuration(self.span.0.saturating_add(mean_gap.max(1)))
    }
}
