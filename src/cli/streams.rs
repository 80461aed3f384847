//! Results go to stdout, everything else to stderr. A reader that goes away ends the program without a panic.

use std::io::{self, IsTerminal, Write};

use comfy_table::Table;

use crate::cli::stop::Stop;
use crate::diagnostic::readable;
use crate::report::Room;

/// Writes a result to stdout.
pub fn print(text: &str) -> Result<(), Stop> {
    print_bytes(text.as_bytes())
}

/// Writes a result to stdout as it is.
pub fn print_bytes(bytes: &[u8]) -> Result<(), Stop> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()?;
    Ok(())
}

/// Writes a line to stderr; nobody can be told if that fails.
pub fn complain(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", line.trim_end());
}

/// Tells of something on stderr. Names of files and models are in it: they drive no terminal.
pub fn note(line: &str) {
    complain(&readable(line));
}

/// Whether results may be coloured: a terminal, and no `NO_COLOR` (<https://no-color.org>).
pub fn stdout_has_color() -> bool {
    io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Characters a line: those of the terminal, without one what `COLUMNS` says, or 100.
pub fn width() -> usize {
    const NO_TERMINAL: usize = 100;
    known_width().unwrap_or(NO_TERMINAL)
}

/// Whether somebody says how many characters a line has room for. Where nobody does, nothing needs to be cut.
pub fn has_width() -> bool {
    known_width().is_some()
}

/// The room for a list: as much as it needs where nobody says how much there is.
pub fn room() -> Room {
    known_width().map_or(Room { width: usize::MAX, whole: true }, |width| Room { width, whole: false })
}

fn known_width() -> Option<usize> {
    if io::stdout().is_terminal() {
        return console_width();
    }
    std::env::var("COLUMNS").ok()?.trim().parse().ok().filter(|width| *width > 0)
}

fn console_width() -> Option<usize> {
    Table::new().width().map(usize::from)
}

/// Whether complaints may be coloured.
pub fn stderr_has_color() -> bool {
    io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
