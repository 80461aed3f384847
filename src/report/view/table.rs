//! A table as text: headings and cells, ready for a terminal or a page.

use std::borrow::Cow;

/// A heading of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The heading.
    pub title: Cow<'static, str>,
    /// Whether its cells are numbers, set flush right.
    pub numeric: bool,
}

/// A table, safe to show once its renderer has escaped it for its format.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    /// A short name, stable, for anchors.
    pub id: &'static str,
    /// The heading of the whole.
    pub title: &'static str,
    /// What the reader should know about it.
    pub note: String,
    /// The headings.
    pub columns: Vec<Column>,
    /// The rows; each has a cell for every column.
    pub rows: Vec<Vec<String>>,
    /// The row of totals, if there is one.
    pub total: Option<Vec<String>>,
}

impl Table {
    /// An empty table. A heading that begins with `#` is a column of numbers.
    pub fn new(id: &'static str, title: &'static str, headings: &[&'static str]) -> Self {
        let column = |heading: &&'static str| match heading.strip_prefix('#') {
            Some(title) => Column { title: title.into(), numeric: true },
            None => Column { title: (*heading).into(), numeric: false },
        };
        let columns = headings.iter().map(column).collect();
        Self { id, title, note: String::new(), columns, rows: Vec::new(), total: None }
    }

    /// The same table with a note.
    pub fn with_note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    /// The same table with these rows.
    pub fn with_rows<R: Into<Vec<String>>>(mut self, rows: impl Iterator<Item = R>) -> Self {
        self.rows = rows.map(Into::into).collect();
        self
    }

    /// The same table with a row of totals.
    pub fn with_total<const N: usize>(mut self, total: [String; N]) -> Self {
        self.total = Some(total.into());
        self
    }
}
