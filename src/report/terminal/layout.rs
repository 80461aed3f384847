//! Where the words of tables and sentences stand on lines of a terminal: broken at blanks, and no number or date cut.

use comfy_table::{Cell, CellAlignment, ColumnConstraint, Width, presets};

use crate::report::text::{ellipsis, short_amounts};

/// A name is not cut to less than this.
const SHORTEST_NAME: usize = 10;

/// How much room there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Characters a line.
    pub width: usize,
    /// Names are not cut, and tables stand in one piece even where that makes longer lines:
    /// nobody's window is too narrow.
    pub whole: bool,
}

/// The headings of a table, and whether their columns are numbers.
pub type Headings<'a> = &'a [(String, bool)];

/// The length of the longest of these cells.
fn longest(rows: &[Vec<String>], column: usize) -> usize {
    rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
}

/// The width of the columns of numbers, or of names, with the blanks around them; each of at most so many characters.
fn width_of(headings: Headings<'_>, rows: &[Vec<String>], numeric: bool, most: usize) -> usize {
    let columns = headings.iter().enumerate().filter(|(_, (_, is_numeric))| *is_numeric == numeric);
    columns.map(|(column, (title, _))| longest(rows, column).max(title.chars().count()).min(most) + 2).sum()
}

/// The rows; where the numbers leave no room for names, with large amounts in short.
fn with_room(headings: Headings<'_>, mut rows: Vec<Vec<String>>, width: usize) -> Vec<Vec<String>> {
    let names = width_of(headings, &rows, false, SHORTEST_NAME);
    if width_of(headings, &rows, true, usize::MAX) + names > width {
        for row in &mut rows {
            let numbers = row.iter_mut().zip(headings).filter(|(_, (_, numeric))| *numeric);
            numbers.for_each(|(text, _)| *text = short_amounts(text));
        }
    }
    rows
}

/// A table without borders, one blank in from the left, as lines; how many of them are headings stands first. Where
/// there is no room, cells are broken at blanks, then names are cut in the middle. Where that is not enough the table
/// is folded: the columns that have no room stand below, each piece beginning with the names of the rows. No number and
/// no date is cut: half of one reads as another one.
pub fn laid_out(headings: Headings<'_>, rows: Vec<Vec<String>>, room: Room) -> Vec<(usize, Vec<String>)> {
    let rows = with_room(headings, rows, room.width);
    let least = least_widths(headings, &rows, room);
    let pieces = if room.whole { vec![(0..headings.len()).collect()] } else { folded(headings, &rows, &least, room) };
    let piece = |columns: Vec<usize>| {
        let headings: Vec<(String, bool)> = columns.iter().map(|&column| headings[column].clone()).collect();
        let cell = |row: &Vec<String>, column: usize| row.get(column).cloned().unwrap_or_default();
        let rows: Vec<Vec<String>> =
            rows.iter().map(|row| columns.iter().map(|&column| cell(row, column)).collect()).collect();
        let least: Vec<usize> = columns.iter().map(|&column| least[column]).collect();
        in_one_piece(&headings, rows, &least, room)
    };
    pieces.into_iter().map(piece).collect()
}

/// What columns stand together, so that all have their least width.
fn folded(headings: Headings<'_>, rows: &[Vec<String>], least: &[usize], room: Room) -> Vec<Vec<usize>> {
    // The name of a row is told in each piece; a single row of numbers needs none.
    let has_names = rows.len() > 1 || headings.first().is_some_and(|(_, numeric)| !numeric);
    let begin: Vec<usize> = if has_names { vec![0] } else { Vec::new() };
    let needed = |piece: &[usize]| piece.iter().map(|&column| least[column] + 2).sum::<usize>();
    let (mut pieces, mut piece) = (Vec::new(), begin.clone());
    for (column, own) in least.iter().enumerate().skip(begin.len()) {
        if piece.len() > begin.len() && needed(&piece) + own + 2 > room.width {
            pieces.push(std::mem::replace(&mut piece, begin.clone()));
        }
        piece.push(column);
    }
    pieces.push(piece);
    pieces
}

/// The lines of a table that is not folded, and how many of them are headings.
fn in_one_piece(
    headings: Headings<'_>,
    mut rows: Vec<Vec<String>>,
    least: &[usize],
    room: Room,
) -> (usize, Vec<String>) {
    let widest = |(column, (title, _)): (usize, &(String, bool))| longest(&rows, column).max(title.chars().count());
    let natural: Vec<usize> = headings.iter().enumerate().map(widest).collect();
    let widths = narrowed(natural, least, room.width);
    for row in rows.iter_mut().filter(|_| !room.whole) {
        let names = row.iter_mut().zip(headings).zip(&widths).filter(|((_, (_, numeric)), _)| !numeric);
        names.for_each(|((cell, _), width)| *cell = with_short_words(cell, *width));
    }
    let cell = |text: &String, numeric: bool| {
        let cell = Cell::new(text);
        if numeric { cell.set_alignment(CellAlignment::Right) } else { cell }
    };
    let mut table = comfy_table::Table::new();
    table.load_style(presets::NOTHING).force_no_tty();
    let heading_lines = |(title, width): (&(String, bool), &usize)| wrap(&title.0, *width).len();
    let head = headings.iter().zip(&widths).map(heading_lines).max().unwrap_or(1);
    table.set_header(headings.iter().map(|(text, numeric)| cell(text, *numeric)).collect::<Vec<_>>());
    for row in &rows {
        let cells = row.iter().zip(headings).map(|(text, (_, numeric))| cell(text, *numeric));
        table.add_row(cells.collect::<Vec<_>>());
    }
    for (column, width) in table.column_iter_mut().zip(&widths) {
        let width = u16::try_from(width + 2).unwrap_or(u16::MAX);
        column.set_padding((1, 1)).set_constraint(ColumnConstraint::Absolute(Width::Fixed(width)));
    }
    (head, table.lines().map(|line| line.trim_end().to_owned()).collect())
}

/// The widths below which columns cannot go, without the blanks around them: a number stays with its unit,
/// only the ends of an interval may stand on two lines; words of names may be cut, but no dates among them,
/// and no words of headings.
fn least_widths(headings: Headings<'_>, rows: &[Vec<String>], room: Room) -> Vec<usize> {
    let length = |word: &str| word.chars().count();
    let end = |(number, end): (usize, &str)| length(end) + if number > 0 { "to ".len() } else { 0 };
    let number = |cell: &str| cell.split(" to ").enumerate().map(end).max().unwrap_or(0);
    let word = |word: &str| if room.whole || is_number(word) { length(word) } else { length(word).min(SHORTEST_NAME) };
    let name = |cell: &str| cell.split(' ').map(word).max().unwrap_or(0);
    let least = |(column, (title, numeric)): (usize, &(String, bool))| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        let cells = cells.map(|cell| if *numeric { number(cell) } else { name(cell) });
        cells.chain(title.split(' ').map(length)).max().unwrap_or(0)
    };
    headings.iter().enumerate().map(least).collect()
}

/// The widths of columns. Where there is no room, the widest are made narrower until all fit, but none below its least.
fn narrowed(mut widths: Vec<usize>, least: &[usize], room: usize) -> Vec<usize> {
    let spare = |widths: &[usize]| {
        let columns = widths.iter().zip(least).enumerate().filter(|(_, (width, least))| width > least);
        columns.max_by_key(|(_, (width, _))| **width).map(|(column, _)| column)
    };
    while widths.iter().map(|width| width + 2).sum::<usize>() > room
        && let Some(column) = spare(&widths)
    {
        widths[column] -= 1;
    }
    widths
}

/// A text whose words have at most so many characters: longer ones are cut in the middle, unless they are numbers.
fn with_short_words(text: &str, width: usize) -> String {
    let short = |word: &str| if is_number(word) { word.to_owned() } else { ellipsis(word, width) };
    text.split(' ').map(short).collect::<Vec<_>>().join(" ")
}

/// Breaks a text at blanks into lines of at most `width` characters; a word that is longer is
/// cut, unless it is a number.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(8);
    let mut lines = vec![String::new()];
    let mut length = 0;
    for text in text.split_whitespace() {
        let word: Vec<char> = text.chars().collect();
        let mut rest = word.as_slice();
        if length > 0 && length + 1 + rest.len() > width {
            lines.push(String::new());
            length = 0;
        }
        if length > 0 {
            lines.last_mut().expect("one line").push(' ');
            length += 1;
        }
        while length + rest.len() > width && !is_number(text) {
            let (cut, behind) = rest.split_at(width - length);
            rest = behind;
            lines.last_mut().expect("one line").extend(cut);
            lines.push(String::new());
            length = 0;
        }
        length += rest.len();
        lines.last_mut().expect("one line").extend(rest);
    }
    lines
}

/// Whether a word is an amount, a date or another number, perhaps with marks around it.
fn is_number(word: &str) -> bool {
    const LONGEST: usize = 50;
    let is_part = |c: char| c.is_ascii_digit() || "$%,.;:+-−–±<>()×?".contains(c);
    word.len() <= 2 * LONGEST
        && word.chars().count() <= LONGEST
        && word.contains(|c: char| c.is_ascii_digit())
        && word.chars().all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(headings: &[&str], rows: &[&[&str]], width: usize, whole: bool) -> Vec<String> {
        let heading = |text: &&str| (text.trim_start_matches('#').to_owned(), text.starts_with('#'));
        let headings: Vec<(String, bool)> = headings.iter().map(heading).collect();
        let rows = rows.iter().map(|row| row.iter().map(|cell| (*cell).to_owned()).collect()).collect();
        laid_out(&headings, rows, Room { width, whole }).into_iter().flat_map(|(_, lines)| lines).collect()
    }

    #[test]
    fn no_line_is_longer_than_asked() {
        let text = format!("some words and {} at the end", "x".repeat(50));
        for width in [8, 20, 33] {
            let lines = wrap(&text, width);
            assert!(lines.iter().all(|line| line.chars().count() <= width), "{lines:?}");
            assert_eq!(lines.concat().replace(' ', ""), text.replace(' ', ""));
        }
    }

    #[test]
    fn cells_are_broken_at_blanks_and_dates_stay_whole() {
        let headings = ["When", "What", "#Failed calls", "#Fallbacks", "#No answer", "#Extra"];
        let row = ["2027-03-26 12:13–12:23", "bedrock: error burst", "17", "0", "0", "$0.00"];
        for width in [50, 60, 80, 100] {
            let lines = table(&headings, &[&row], width, false);
            let words: Vec<&str> = lines.iter().flat_map(|line| line.split_whitespace()).collect();
            for word in row.iter().flat_map(|cell| cell.split(' ')) {
                assert!(words.contains(&word), "{width}: {word} in {lines:#?}");
            }
            assert!(lines.iter().all(|line| line.chars().count() <= width), "{width}: {lines:#?}");
            assert!(!lines.iter().any(|line| line.contains('…')), "{width}: {lines:#?}");
        }
    }

    #[test]
    fn a_table_without_room_is_folded_and_no_heading_broken() {
        let headings = ["Deployment", "#Cooldowns", "#Cancelled", "#Timeouts"];
        let lines = table(&headings, &[&["a", "1", "2", "3"], &["b", "4", "5", "6"]], 40, false);
        let expected = [
            " Deployment  Cooldowns  Cancelled",
            " a                   1          2",
            " b                   4          5",
        ];
        assert_eq!(lines[..3], expected);
        assert_eq!(lines[3..], [" Deployment  Timeouts", " a                  3", " b                  6"]);
        assert_eq!(table(&headings, &[&["a", "1", "2", "3"]], 40, true).len(), 2, "in one piece");
    }

    #[test]
    fn names_are_cut_only_where_a_window_is_narrow() {
        let model = "bedrock/anthropic.claude-sonnet-4-6-with-a-long-name";
        let rows: [&[&str]; 1] = [&[model, model, "1,234"]];
        let cut = table(&["Model", "Group", "#Calls"], &rows, 60, false);
        assert!(cut.iter().all(|line| line.chars().count() <= 60) && cut[1].contains('…'), "{cut:#?}");
        let whole = table(&["Model", "Group", "#Calls"], &rows, 60, true);
        assert_eq!(whole[1].matches(model).count(), 2, "{whole:#?}");
    }
}
