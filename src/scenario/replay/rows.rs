//! The rows of a trace as they stand in the file, one after the other: CSV, JSON lines or a JSON
//! array, compressed or not.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

use crate::scenario::replay::array::Elements;
use crate::scenario::replay::blocks::Blocks;
use crate::scenario::replay::format::{Format, Role};
use crate::scenario::replay::json::{Value, each_entry};
use crate::scenario::replay::moment::moment;
use crate::traffic::{TraceRow, UNSAID};
use crate::units::{SimDuration, Tokens};

/// Why a row cannot be used; the rest of the file can.
pub type Bad = Cow<'static, str>;
/// What rows are read from.
pub type Input = Box<dyn BufRead + Send>;

/// Names of models or keys, numbered in the order in which they come.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// The names.
    pub all: Vec<String>,
    numbers: HashMap<Vec<u8>, u32>,
}

/// More names than this are no names.
const MOST_NAMES: usize = 10_000;
/// A longer line is no row: the texts of prompts and answers fit.
const LONGEST_LINE: u64 = 64 * 1024 * 1024;

impl Names {
    fn number(&mut self, name: &[u8]) -> Result<u32, Bad> {
        if let Some(number) = self.numbers.get(name) {
            return Ok(*number);
        }
        if self.all.len() >= MOST_NAMES {
            return Err(Bad::from(format!("more than {MOST_NAMES} different names of models or keys")));
        }
        let number = self.all.len() as u32;
        self.numbers.insert(name.to_vec(), number);
        self.all.push(String::from_utf8_lossy(name).into_owned());
        Ok(number)
    }
}

/// What a file is read as.
#[derive(Debug, Clone)]
pub struct Layout {
    /// Its format.
    pub format: &'static Format,
    /// The role of each CSV column; none for JSON lines.
    columns: Option<Vec<Option<Role>>>,
}

/// A file that has been opened, with what tells its format.
pub struct Opened {
    input: Input,
    /// The first line that is not empty.
    head: Vec<u8>,
    /// Empty lines before it.
    empty_lines: u64,
    /// The names of its columns or keys.
    pub names: Vec<String>,
    is_csv: bool,
}

/// Opens a trace: uncompresses it if need be, and reads its first line.
///
/// # Errors
/// When it cannot be read, or its first line is no header and no JSON object.
pub fn open(file: impl Read + Send + 'static) -> io::Result<Opened> {
    const GZIP: [u8; 2] = [0x1F, 0x8B];
    let mut input: Input = Box::new(BufReader::with_capacity(1 << 16, file));
    if input.fill_buf()?.starts_with(&GZIP) {
        input = Box::new(BufReader::with_capacity(1 << 16, MultiGzDecoder::new(input)));
    }
    if is_array(input.fill_buf()?) {
        input = Box::new(BufReader::with_capacity(1 << 16, Elements::new(input)));
    }
    let (mut head, mut empty_lines) = (Vec::new(), 0);
    while head.trim_ascii().is_empty() {
        head.clear();
        if line(&mut input, &mut head)? == 0 {
            break;
        }
        empty_lines += u64::from(head.trim_ascii().is_empty());
    }
    let text = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&head).trim_ascii();
    let is_csv = text.first() != Some(&b'{');
    let mut names = Vec::new();
    if is_csv {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text);
        for record in reader.records() {
            names.extend(record.map_err(io::Error::other)?.iter().map(str::to_owned));
        }
    } else {
        let mut keep = |key: &[u8], _: Value<'_>| names.push(String::from_utf8_lossy(key).into_owned());
        each_entry(text, &mut keep).ok_or_else(|| io::Error::other("the first line is no whole JSON object"))?;
    }
    Ok(Opened { input, head, empty_lines, names, is_csv })
}

/// Whether a text begins as a JSON array.
fn is_array(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
    text.trim_ascii_start().first() == Some(&b'[')
}

/// Reads a line of bounded length.
fn line(input: &mut Input, into: &mut Vec<u8>) -> io::Result<usize> {
    input.take(LONGEST_LINE).read_until(b'\n', into)
}

impl Opened {
    /// Reads its rows as those of a format.
    pub fn rows(self, format: &'static Format, models: Names, keys: Names) -> Rows {
        let roles = |names: &[String]| names.iter().map(|name| format.role(name.as_bytes())).collect();
        let columns = self.is_csv.then(|| roles(&self.names));
        let layout = Layout { format, columns };
        let lines = match self.is_csv {
            true => Lines::Csv(Box::new(Table::new(self.input, self.names.len()))),
            false => Lines::Json { input: self.input, line: self.head, is_fresh: true },
        };
        Rows { layout, lines, line: self.empty_lines + 1, models, keys, blocks: Blocks::default() }
    }
}

/// A file whose records are of bounded length: one quote that is missing would make a record of all the rest.
struct Bounded {
    input: Input,
    /// Bytes that may be read before the next record is complete.
    left: Arc<AtomicU64>,
}

impl Read for Bounded {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(into)?;
        let left = self.left.load(Ordering::Relaxed);
        let told = "a record of more than 64 MiB; is a quote missing?";
        self.left.store(left.checked_sub(count as u64).ok_or_else(|| io::Error::other(told))?, Ordering::Relaxed);
        Ok(count)
    }
}

/// The records of a CSV file.
struct Table {
    reader: csv::Reader<Bounded>,
    left: Arc<AtomicU64>,
    record: csv::ByteRecord,
    /// The number of columns of the header.
    width: usize,
}

impl Table {
    fn new(input: Input, width: usize) -> Self {
        let left = Arc::new(AtomicU64::new(LONGEST_LINE));
        let bounded = Bounded { input, left: left.clone() };
        let reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bounded);
        Self { reader, left, record: csv::ByteRecord::new(), width }
    }

    /// Reads the next record; `false` at the end.
    fn advance(&mut self) -> io::Result<bool> {
        let found = self.reader.read_byte_record(&mut self.record).map_err(io::Error::other);
        self.left.store(LONGEST_LINE, Ordering::Relaxed);
        found
    }
}

enum Lines {
    Csv(Box<Table>),
    /// With the last line that was read; fresh if it has not been looked at.
    Json {
        input: Input,
        line: Vec<u8>,
        is_fresh: bool,
    },
}

/// The rows of a trace, in the order of the file. Moments are those of the file's own origin.
pub struct Rows {
    layout: Layout,
    lines: Lines,
    /// The line of the header, or that of the object read last.
    line: u64,
    /// Names of models so far.
    pub models: Names,
    /// Names of keys so far.
    pub keys: Names,
    blocks: Blocks,
}

/// The values of a row, by role.
type Cells<'a> = [Option<Cow<'a, [u8]>>; Role::COUNT];

impl Rows {
    /// The next row with the number of its line; an error in place of one that cannot be used.
    ///
    /// # Errors
    /// When the file cannot be read on.
    pub fn next(&mut self) -> io::Result<Option<(u64, Result<TraceRow, Bad>)>> {
        let Self { layout, lines, line: at_line, models, keys, blocks } = self;
        let mut finish = |cells: &Cells<'_>| row(layout.format, cells, models, keys, blocks);
        match lines {
            Lines::Csv(table) => {
                if !table.advance()? {
                    return Ok(None);
                }
                let Table { record, width, .. } = &**table;
                // The header has been taken off before.
                let number = record.position().map_or(0, |position| position.line() + *at_line);
                if record.len() != *width {
                    let told = format!("{} fields where the header has {width}", record.len());
                    return Ok(Some((number, Err(Bad::from(told)))));
                }
                let mut cells = Cells::default();
                for (cell, role) in record.iter().zip(layout.columns.iter().flatten()) {
                    if let Some(role) = role
                        && !cell.is_empty()
                    {
                        cells[*role as usize] = Some(Cow::Borrowed(cell));
                    }
                }
                Ok(Some((number, finish(&cells))))
            }
            Lines::Json { input, line: text, is_fresh } => loop {
                if !std::mem::take(is_fresh) {
                    text.clear();
                    *at_line += 1;
                    if line(input, text)? == 0 {
                        return Ok(None);
                    }
                }
                if text.trim_ascii().is_empty() {
                    continue;
                }
                let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
                let found = match json_cells(layout.format, text) {
                    Some(cells) => finish(&cells),
                    None => Err(Bad::from("no whole JSON object")),
                };
                return Ok(Some((*at_line, found)));
            },
        }
    }
}

fn json_cells<'a>(format: &Format, text: &'a [u8]) -> Option<Cells<'a>> {
    let mut cells = Cells::default();
    each_entry(text.trim_ascii(), |key, value| {
        if let Some(role) = format.role(key) {
            cells[role as usize] = plain(value);
        }
    })?;
    Some(cells)
}

fn plain(value: Value<'_>) -> Option<Cow<'_, [u8]>> {
    match value {
        Value::Null => None,
        Value::Text(text) => Some(text).filter(|text| !text.is_empty()),
        Value::Raw(raw) => Some(Cow::Borrowed(raw)),
    }
}

/// What LiteLLM writes in the column of keys of prompts where there is no cache.
const NO_CACHE: &[u8] = b"Cache OFF";

/// Makes a row out of its values.
fn row(
    format: &Format,
    cells: &Cells<'_>,
    models: &mut Names,
    keys: &mut Names,
    blocks: &mut Blocks,
) -> Result<TraceRow, Bad> {
    let cell = |role: Role| cells[role as usize].as_deref();
    let at = cell(Role::Time).and_then(|text| moment(text, format.unit)).ok_or("its time cannot be read")?;
    let count = |role: Role, name: &'static str| match cell(role) {
        None => Ok(None),
        Some(text) => tokens(text).map(Some).ok_or_else(|| Bad::from(format!("its {name} tokens cannot be read"))),
    };
    let input = count(Role::Input, "input")?.unwrap_or(0);
    let output = count(Role::Output, "output")?.unwrap_or(0);
    let mut reasoning = count(Role::Reasoning, "reasoning")?;
    let mut prefix = count(Role::Cached, "cached")?;
    let mut prompt = cell(Role::Prompt).filter(|text| *text != NO_CACHE).map_or(0, hash);
    let (mut model, mut key) = (cell(Role::Model).map(Cow::Borrowed), cell(Role::Key).map(Cow::Borrowed));
    if let Some(list) = cell(Role::Blocks) {
        prompt = hash(list) ^ u64::from(input);
        prefix = blocks.known(list, input).or(prefix);
    }
    if let Some(metadata) = cell(Role::Metadata) {
        let found = Metadata::read(metadata);
        (reasoning, prefix) = (reasoning.or(found.reasoning), prefix.or(found.cached));
        model = found.model.or(model);
        key = found.key.or(key);
    }
    let number = |names: &mut Names, name: Option<Cow<'_, [u8]>>| name.map_or(Ok(UNSAID), |name| names.number(&name));
    Ok(TraceRow {
        at: SimDuration(at),
        input,
        output,
        reasoning: reasoning.unwrap_or(UNSAID),
        prefix: prefix.unwrap_or(UNSAID),
        prompt,
        model: number(models, model)?,
        key: number(keys, key)?,
    })
}

/// A number of tokens: whole, perhaps with `.0` behind it as tables with gaps write it.
fn tokens(text: &[u8]) -> Option<Tokens> {
    let text = text.trim_ascii();
    let whole = text.iter().position(|c| *c == b'.').map_or(text, |at| {
        let rest = &text[at + 1..];
        if rest.iter().all(|c| *c == b'0') { &text[..at] } else { text }
    });
    let count: Tokens = std::str::from_utf8(whole).ok()?.parse().ok()?;
    // The largest number stands for none.
    (count < UNSAID).then_some(count)
}

/// FNV-1a; never 0, which stands for nothing.
pub fn hash(bytes: &[u8]) -> u64 {
    let fold = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3);
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, fold).max(1)
}

/// What LiteLLM's `metadata` says.
#[derive(Default)]
struct Metadata<'a> {
    model: Option<Cow<'a, [u8]>>,
    key: Option<Cow<'a, [u8]>>,
    cached: Option<Tokens>,
    reasoning: Option<Tokens>,
}

impl<'a> Metadata<'a> {
    /// What can be read; no metadata are no reason to drop a row.
    fn read(text: &'a [u8]) -> Self {
        let mut found = Self::default();
        let whole = each_entry(text, |key, value| match (key, value) {
            (b"original_model_group", value) => found.model = plain(value),
            (b"user_api_key_alias", value) => found.key = plain(value),
            (b"usage_object", Value::Raw(usage)) => found.usage(usage),
            _ => {}
        });
        if whole.is_some() { found } else { Self::default() }
    }

    fn usage(&mut self, text: &[u8]) {
        let detail = |text: &[u8], name: &[u8]| {
            let mut count = None;
            each_entry(text, |key, value| {
                if let (true, Value::Raw(raw)) = (key == name, value) {
                    count = tokens(raw);
                }
            });
            count
        };
        each_entry(text, |key, value| match (key, value) {
            (b"prompt_tokens_details", Value::Raw(raw)) => self.cached = detail(raw, b"cached_tokens"),
            (b"completion_tokens_details", Value::Raw(raw)) => self.reasoning = detail(raw, b"reasoning_tokens"),
            _ => {}
        });
    }
}
