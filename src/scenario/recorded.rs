//! Classes of recorded traffic: what the trace says, and what the scenario says about it.

use jiff::{SignedDuration, Timestamp, Zoned};

use crate::diagnostic::secrets::looks_secret;
use crate::diagnostic::{Diagnostic, Severity, Span, codes};
use crate::gateway::litellm::plan::Plan;
use crate::scenario::classes::{keys, known_model, models, names_no_model};
use crate::scenario::file::TrafficEntry;
use crate::scenario::problem::Problem;
use crate::scenario::reading::Reading;
use crate::scenario::replay::{Loop, ReplayMap, Trace, read};
use crate::scenario::room::Room;
use crate::traffic::{Class, Replay, TrafficModel};
use crate::units::{BodyId, KeyId, NameId, SimDuration};

/// The traces of a scenario, by class.
#[derive(Debug, Default)]
pub struct Traces(Vec<(String, Trace)>);

const NANOS_PER_HOUR: f64 = 3.6e12;
const WHERE: &str = "the trace";

impl Traces {
    /// Reads the traces of all classes through; runs tell the room when they find them changed.
    pub fn read(reading: &mut Reading, room: &Room) -> Result<Self, Problem> {
        let mut traces = Self::default();
        let entries = reading.file.traffic.clone();
        for (class, entry) in entries.iter() {
            let Some(replay) = &entry.own.replay else { continue };
            let trace = read(&reading.files, &replay.0, room)
                .map_err(|problem| reading.naming(&["traffic", class, "replay"], problem))?;
            note(reading, class, &replay.0, &trace);
            traces.0.push((class.to_owned(), trace));
        }
        Ok(traces)
    }

    /// The trace of a class.
    pub fn of(&self, class: &str) -> Option<&Trace> {
        self.0.iter().find(|(name, _)| name == class).map(|(_, trace)| trace)
    }

    /// All of them.
    fn all(&self) -> impl Iterator<Item = &Trace> {
        self.0.iter().map(|(_, trace)| trace)
    }

    /// How long the longest lasts, in whole minutes, if all traffic of the scenario is recorded.
    pub fn hours(&self, reading: &Reading) -> Option<f64> {
        let shift = |class: &str| {
            let written = reading.file.traffic.get(class).and_then(|entry| entry.own.replay.as_ref());
            written.and_then(|replay| replay.0.shift).map_or(0, |shift| shift.0.0)
        };
        let all_recorded = self.0.len() == reading.file.traffic.iter().count();
        let ends = self.0.iter().map(|(class, trace)| trace.span.0.saturating_add(shift(class)));
        let end = ends.max().filter(|end| all_recorded && *end > 0)?;
        let minutes = (end as f64 / NANOS_PER_HOUR * 60.0).floor() + 1.0;
        Some(minutes / 60.0)
    }

    /// The first moment from `earliest` on with the weekday and the time of day at which the first
    /// dated trace begins, UTC.
    pub fn start_after(&self, earliest: &Zoned) -> Option<Zoned> {
        let began = self.all().map(|trace| trace.began).find(|began| *began != 0)?;
        let began = Timestamp::from_nanosecond(i128::from(began)).ok()?;
        let week = SignedDuration::from_hours(7 * 24);
        let behind = earliest.timestamp().duration_since(began);
        let weeks = behind.as_secs().div_euclid(week.as_secs()) + 1;
        let at = began.checked_add(week.checked_mul(i32::try_from(weeks).ok()?)?).ok()?;
        let whole = Timestamp::from_second(at.as_second()).ok()?;
        Some(whole.to_zoned(jiff::tz::TimeZone::UTC))
    }
}

/// Says what the trace is, and what of it is not played as it stands.
fn note(reading: &mut Reading, class: &str, written: &ReplayMap, trace: &Trace) {
    let name = |field: &str| format!("traffic.{class}.replay.{field}");
    if written.format.is_none() {
        reading.assume(&name("format"), trace.format, "the columns of the trace", "");
    }
    if reading.file.volume_uncertainty != Some(0.0) {
        let source = "a recorded trace is played as it is; `volume:` of the class overrides it";
        reading.assume(&format!("traffic.{class}.volume"), 1, source, "");
    }
    let mut say = |message: String, help: &str| {
        let help = (!help.is_empty()).then(|| help.to_owned());
        let (code, file, span) = (codes::TRACE_PART, trace.file.as_str().into(), Span::default());
        reading.findings.push(Diagnostic { code, severity: Severity::Note, file, span, message, help });
    };
    say(
        format!(
            "{} rows ({}): {} input and {} output tokens in {:.2} h",
            trace.rows,
            trace.format,
            trace.input_tokens,
            trace.output_tokens,
            trace.span.0 as f64 / NANOS_PER_HOUR
        ),
        "",
    );
    if trace.unanswered > 0 {
        let help = "they are sent as they stand, and answered without output";
        say(format!("rows with input and no output: {} (calls that failed, or embeddings)", trace.unanswered), help);
    }
    reading.findings.extend(trace.diagnostics.iter().cloned());
}

/// Compiles a class of recorded traffic. `model` is the class with what its preset adds.
pub fn class(
    reading: &mut Reading,
    (name, entry, trace): (&str, &TrafficEntry, &Trace),
    model: &TrafficModel,
    plan: &Plan,
    horizon: SimDuration,
) -> Result<Class, Problem> {
    let path = ["traffic", name];
    let Some(written) = &entry.own.replay else { return Err(names_no_model(reading, name)) };
    let written = &written.0;
    if let Some(field) = entry.model.says_when() {
        let message =
            format!("traffic.{name}: `{field}` cannot stand beside `replay`: the trace says when requests come");
        return Err(reading.error(codes::SCENARIO_VALUE, &["traffic", name, field], message, ""));
    }
    let by_row = by_row(reading, name, entry, trace, plan)?;
    let models = match by_row.is_empty() {
        true => models(reading, name, entry, plan)?,
        false => by_row.iter().map(|id| (*id, 1.0)).collect(),
    };
    let own_keys = keys(reading, name, entry)?;
    let period = match written.looped {
        None | Some(Loop::AtItsEnd(false)) => None,
        Some(Loop::AtItsEnd(true)) => Some(trace.natural_period()),
        Some(Loop::After(span)) => Some(SimDuration::from_secs_f64(span.0)),
    };
    let shift = written.shift.map_or(SimDuration::ZERO, |shift| shift.0);
    let replay = Replay {
        source: trace.rows_source(),
        scale: written.scale.unwrap_or(1.0),
        shift,
        period,
        end: horizon,
        fills: false,
        models: by_row,
        keys: if entry.own.key.is_some() || entry.own.keys.is_some() {
            Vec::new()
        } else {
            keys_by_row(reading, trace)
        },
    };
    note_parts(reading, trace, &replay, model);
    let compiled = model.replayed(replay, models, own_keys, BodyId(0));
    compiled.map_err(|error| reading.error(codes::SCENARIO_VALUE, &path, format!("traffic.{name}: {error}"), ""))
}

/// Says which rows are not played.
fn note_parts(reading: &mut Reading, trace: &Trace, replay: &Replay, model: &TrafficModel) {
    let mut say = |severity, message: String, help: &str| {
        let (code, file, span) = (codes::TRACE_PART, trace.file.as_str().into(), Span::default());
        reading.findings.push(Diagnostic { code, severity, file, span, message, help: Some(help.to_owned()) });
    };
    let end = trace.span.0.saturating_add(replay.shift.0);
    if end > replay.end.0 {
        let hours = |nanos: i64| nanos as f64 / NANOS_PER_HOUR;
        let message = format!(
            "the trace goes on to {:.2} h, the run ends at {:.2} h: later rows are not played",
            hours(end),
            hours(replay.end.0)
        );
        say(Severity::Warning, message, "`hours:` of the scenario is how long the run lasts");
    }
    if replay.shift.0 < 0 && replay.period.is_none() {
        let message = "rows before the start of the run are not played".to_owned();
        say(Severity::Note, message, "`shift:` moves them there");
    }
    if replay.period.is_some_and(|period| period <= trace.span) {
        let message = "the trace begins again before it has come to its end: later rows are not played".to_owned();
        say(Severity::Warning, message, "`loop: true` takes the whole trace");
    }
    if trace.empty > 0 && (model.input.is_none() || model.output.is_none()) {
        let message = format!("rows without any tokens are left out: {} (failed calls, as a rule)", trace.empty);
        say(Severity::Warning, message, "give the class `input` and `output`, or a preset: they then get such lengths");
    }
}

/// The gateway's name for a model name of the trace.
fn renamed<'a>(written: &'a ReplayMap, name: &'a str) -> &'a str {
    written.models.get(name).map_or(name, String::as_str)
}

/// The model names that a class of recorded traffic sends; those of the trace if it names none itself.
pub fn model_names(entry: &TrafficEntry, trace: &Trace) -> Vec<String> {
    let Some(written) = &entry.own.replay else { return Vec::new() };
    trace.models.iter().map(|name| renamed(&written.0, name).to_owned()).collect()
}

/// The gateway's models by the trace's names; none if the class says itself which it asks for.
fn by_row(
    reading: &Reading,
    class: &str,
    entry: &TrafficEntry,
    trace: &Trace,
    plan: &Plan,
) -> Result<Vec<NameId>, Problem> {
    if entry.own.model.is_some() || entry.own.models.is_some() {
        return Ok(Vec::new());
    }
    let mut ids = Vec::new();
    for name in model_names(entry, trace) {
        let id = known_model(reading, &["traffic", class, "replay"], plan, &name).map_err(|mut problem| {
            let help = format!(
                "{WHERE} asks for it; write `models: {{ {name}: … }}` beside `file`, or `model:` for all of its rows"
            );
            problem.diagnostics.iter_mut().for_each(|found| found.help = Some(help.clone()));
            problem
        })?;
        ids.push(id);
    }
    Ok(ids)
}

/// The virtual keys by the trace's names; those that the scenario does not have come as the class says.
fn keys_by_row(reading: &mut Reading, trace: &Trace) -> Vec<Option<KeyId>> {
    let known: Vec<String> = reading.file.keys.iter().map(|(name, _)| name.to_owned()).collect();
    let find = |name: &String| known.iter().position(|known| known == name).map(|index| KeyId::from_index(index + 1));
    let found: Vec<Option<KeyId>> = trace.keys.iter().map(find).collect();
    let lost: Vec<&str> =
        trace.keys.iter().zip(&found).filter(|(_, id)| id.is_none()).map(|(name, _)| name.as_str()).collect();
    if !lost.is_empty() {
        let (message, help) = words_of_lost(&lost, known.is_empty());
        let (code, file, span) = (codes::TRACE_PART, trace.file.as_str().into(), Span::default());
        let severity = Severity::Note;
        reading.findings.push(Diagnostic { code, severity, file, span, message, help: Some(help) });
    }
    found
}

/// What is said of keys that only the trace has, and how they get rows and limits of their own. A name that looks like
/// a key itself is not told, and may stand nowhere.
fn words_of_lost(lost: &[&str], has_none: bool) -> (String, String) {
    const MOST: usize = 5;
    let (secret, named): (Vec<&str>, Vec<&str>) = lost.iter().partition(|name| looks_secret(name));
    let more = named.len().saturating_sub(MOST);
    let mut all: Vec<String> = named.iter().take(MOST).map(|name| (*name).to_owned()).collect();
    all.extend((more > 0).then(|| format!("{more} more")));
    all.extend(match secret.len() {
        0 => None,
        1 => Some("1 that looks like a key itself".to_owned()),
        many => Some(format!("{many} that look like keys themselves")),
    });
    let number = lost.len();
    let keys = if number == 1 { "key" } else { "keys" };
    let message = match has_none {
        true => format!(
            "the trace has {number} virtual {keys} ({}), the scenario has no `keys`: all requests come with the master key",
            all.join(", ")
        ),
        false => format!("{number} {keys} of the trace that the scenario does not have: {}", all.join(", ")),
    };
    let help = match named.first() {
        None => {
            "name them by their aliases in the trace and under `keys`: a key itself would be in every report".to_owned()
        }
        Some(first) if has_none => {
            format!("`keys: {{ {first}: {{}} }}`, one line a key, gives each a row and limits of its own")
        }
        Some(_) => "their requests come with the key of the class; add them to `keys`".to_owned(),
    };
    (message, help)
}
