//! Results go to stdout, everything else to stderr. A reader that goes away ends the program without a panic.

use std::io::{self, IsTerminal, Write};

use comfy_table::Table;

use crate::cli::stop::Stop;

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

/// Whether results may be coloured: a terminal, and no `NO_COLOR` (<https://no-color.org>).
pub fn stdout_has_color() -> bool {
    io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Characters a line: those of the terminal, or 100 where there is none.
pub fn width() -> usize {
    const NO_TERMINAL: usize = 100;
    match console_width() {
        Some(width) if io::stdout().is_terminal() => usize::from(width),
        _ => NO_TERMINAL,
    }
}

fn console_width() -> Option<u16> {
    Table::new().width()
}

/// Whether complaints may be coloured.
pub fn stderr_has_color() -> bool {
    io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
