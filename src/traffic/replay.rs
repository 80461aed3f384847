//! Recorded traffic: a trace that is played row by row. Who reads the file is not known here: the engine pulls rows
//! from a source, so that a trace of any length needs no more memory than one row.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use crate::random::{Addressed, Purpose};
use crate::traffic::request::Fate;
use crate::units::{KeyId, NameId, RequestId, SimDuration, SimTime, Tokens};

/// One request of a recorded trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceRow {
    /// When it came, after the first one.
    pub at: SimDuration,
    /// Input tokens.
    pub input: Tokens,
    /// Output tokens, reasoning included.
    pub output: Tokens,
    /// Of those: reasoning; [`UNSAID`] where the trace does not say.
    pub reasoning: Tokens,
    /// Input tokens that earlier requests began with as well; [`UNSAID`] where the trace does not say.
    pub prefix: Tokens,
    /// Equal for equal prompts; 0 where the trace does not say.
    pub prompt: u64,
    /// Which of the trace's model names; [`UNSAID`] where it does not say.
    pub model: u32,
    /// Which of the trace's key names; [`UNSAID`] where it does not say.
    pub key: u32,
}

/// What a row does not say.
pub const UNSAID: u32 = u32::MAX;

/// A recorded trace that can be read from its beginning as often as it is played.
pub trait TraceSource: fmt::Debug + Send + Sync {
    /// The rows in order of time.
    fn open(&self) -> Box<dyn TraceRows>;
}

/// The rows of a trace in order of time.
pub trait TraceRows: Send {
    /// The next one.
    fn next(&mut self) -> Option<TraceRow>;
}

/// How a trace is played.
#[derive(Debug, Clone)]
pub struct Replay {
    /// The trace.
    pub source: Arc<dyn TraceSource>,
    /// How many requests stand for one row on average: below 1 rows are left out, above 1 they come several times, the
    /// further ones at random moments before the next row.
    pub scale: f64,
    /// Added to all moments; what comes before the start of the run is left out.
    pub shift: SimDuration,
    /// After this long the trace begins again.
    pub period: Option<SimDuration>,
    /// When the run ends.
    pub end: SimDuration,
    /// Rows without any tokens get the lengths of the class; otherwise they are left out.
    pub fills: bool,
    /// The model name that clients send, by the trace's; empty if the class says which.
    pub models: Vec<NameId>,
    /// The virtual key, by the trace's; `None` for those that the class decides.
    pub keys: Vec<Option<KeyId>>,
}

/// Copies of a row that ids have room for.
pub const MOST_SCALE: f64 = 200.0;
const COPY_BITS: u32 = 8;

/// The walk along a trace.
pub(super) struct Walk {
    replay: Replay,
    scale: f64,
    rows: Box<dyn TraceRows>,
    draws: Addressed,
    stream: u64,
    /// Begins of the trace so far.
    laps: i64,
    /// Rows so far, over all laps.
    count: u64,
    /// The row that has been read and not been played, with its moment.
    ahead: Option<(SimTime, TraceRow)>,
    /// Requests that have been decided, in order of time.
    ready: VecDeque<(SimTime, RequestId, TraceRow)>,
}

impl fmt::Debug for Walk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Walk").field("replay", &self.replay).field("count", &self.count).finish_non_exhaustive()
    }
}

impl Walk {
    pub(super) fn new(replay: &Replay, volume: f64, draws: Addressed, stream: u64) -> Self {
        let rows = replay.source.open();
        let (replay, scale) = (replay.clone(), replay.scale * volume);
        let (ahead, ready) = (None, VecDeque::new());
        let mut walk = Self { replay, scale, rows, draws, stream, laps: 0, count: 0, ahead, ready };
        walk.ahead = walk.read();
        walk.refill();
        walk
    }

    pub(super) fn next_at(&self) -> SimTime {
        self.ready.front().map_or(SimTime::NEVER, |(at, ..)| *at)
    }

    pub(super) fn take(&mut self) -> Option<(SimTime, RequestId, TraceRow)> {
        let next = self.ready.pop_front();
        self.refill();
        next
    }

    /// The next row that counts, with its moment; none once the run is over.
    fn read(&mut self) -> Option<(SimTime, TraceRow)> {
        loop {
            let start = self.replay.period.map_or(0, |period| period.0.saturating_mul(self.laps));
            if start.saturating_add(self.replay.shift.0) > self.replay.end.0 {
                return None;
            }
            let Some(row) = self.rows.next() else {
                self.laps += 1;
                self.replay.period?;
                self.rows = self.replay.source.open();
                continue;
            };
            let at = SimTime(start.saturating_add(self.replay.shift.0).saturating_add(row.at.0));
            if at.0 > self.replay.end.0 && self.replay.period.is_none() {
                return None;
            }
            let is_empty = row.input == 0 && row.output == 0;
            let within_lap = self.replay.period.is_none_or(|period| row.at < period);
            self.count += 1;
            if at >= SimTime::ZERO && within_lap && (self.replay.fills || !is_empty) {
                return Some((at, row));
            }
        }
    }

    /// Decides how often the rows that come next are played, until one is.
    fn refill(&mut self) {
        while self.ready.is_empty() && self.scale > 0.0 {
            let Some((at, row)) = self.ahead else { return };
            let number = self.count;
            self.ahead = self.read();
            let next = self.ahead.map_or(at, |(at, _)| at);
            self.play(number, at, row, next);
        }
    }

    fn play(&mut self, number: u64, at: SimTime, row: TraceRow, next: SimTime) {
        let id = number << COPY_BITS;
        if self.scale == 1.0 {
            return self.ready.push_back((at, RequestId(id), row));
        }
        self.draws.begin_request(self.stream, id);
        let whole = self.scale.min(MOST_SCALE);
        let copies = whole as u64 + u64::from(self.draws.unit_at(Purpose::Arrival, 0, 0) < whole.fract());
        let room = (next - at).0.max(0) as f64;
        let later = |copy: u64| match copy {
            0 => at,
            _ => at + SimDuration((room * self.draws.unit_at(Purpose::Arrival, 0, copy as u32)) as i64),
        };
        let mut all: Vec<(SimTime, u64)> = (0..copies).map(|copy| (later(copy), copy)).collect();
        all.sort_unstable();
        // A copy is another request of the same kind, not the same prompt again.
        let told = |copy: u64| if copy == 0 { row } else { TraceRow { prompt: 0, ..row } };
        self.ready.extend(all.into_iter().map(|(at, copy)| (at, RequestId(id | copy), told(copy))));
    }

    /// The tokens of a row; `drawn` stands in for what it does not say.
    pub(super) fn fate(row: &TraceRow, drawn: &Fate) -> Fate {
        if row.input == 0 && row.output == 0 {
            return *drawn;
        }
        let reasoning = if row.reasoning == UNSAID { drawn.reasoning } else { row.reasoning };
        let prefix = if row.prefix == UNSAID { drawn.prefix } else { row.prefix };
        Fate {
            input: row.input,
            output: row.output,
            reasoning: reasoning.min(row.output),
            prefix: prefix.min(row.input),
            session: false,
        }
    }

    pub(super) fn model(&self, row: &TraceRow) -> Option<NameId> {
        self.replay.models.get(row.model as usize).copied()
    }

    pub(super) fn key(&self, row: &TraceRow) -> Option<KeyId> {
        self.replay.keys.get(row.key as usize).copied().flatten()
    }
}
