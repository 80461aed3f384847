//! Pieces of the page: figures, tables, charts.

use maud::{Markup, PreEscaped, html};

use crate::report::chart::Chart;
use crate::report::text::ellipsis;
use crate::report::view::{Figure, Table, View};

/// Names longer than this are cut in tables; the whole shows when the pointer rests on them.
const LONGEST_NAME: usize = 64;

/// Tables with no more columns than this fit a phone without scrolling.
const FEW: usize = 4;

/// A row of figures.
pub fn figures(figures: &[Figure], money: bool) -> Markup {
    html! {
        div.figures.money[money] {
            @for figure in figures {
                div.figure {
                    div.label { (figure.label) }
                    div.value { (figure.value) }
                    div.more { (figure.note) }
                }
            }
        }
    }
}

/// A table with its heading; nothing when it has no rows.
pub fn table(table: &Table) -> Markup {
    html! {
        @if !table.rows.is_empty() {
            h3 id=(format!("table-{}", table.id)) { (table.title) }
            p.note { (table.note) }
            div.scroll tabindex="0" role="region" aria-label=(table.title) {
                table.few[table.columns.len() <= FEW] {
                    thead {
                        tr {
                            @for column in &table.columns {
                                th.number[column.numeric] scope="col" { (column.title) }
                            }
                        }
                    }
                    tbody {
                        @for row in &table.rows { (cells(table, row, false)) }
                    }
                    @if let Some(total) = &table.total { tfoot { (cells(table, total, true)) } }
                }
            }
        }
    }
}

fn cells(table: &Table, row: &[String], total: bool) -> Markup {
    html! {
        tr.total[total] {
            @for (index, (column, text)) in table.columns.iter().zip(row).enumerate() {
                @let shown = if index == 0 { ellipsis(text, LONGEST_NAME) } else { text.clone() };
                @let whole = (shown != *text).then_some(text);
                td.number[column.numeric].name[index == 0 && !column.numeric] title=[whole] {
                    @if index == 0 { (breakable(&shown)) } @else { (shown) }
                }
            }
        }
    }
}

/// A text that may also be broken after the dots, strokes and slashes of a path.
fn breakable(text: &str) -> Markup {
    html! { @for part in text.split_inclusive(['.', '_', '/']) { (part) @if !part.ends_with(char::is_alphanumeric) { wbr; } } }
}

/// A chart with its heading, drawn for wide and for narrow screens.
pub fn chart(view: &View<'_>, chart: &Chart) -> Markup {
    let picture = chart.picture(view);
    let [wide, narrow] = picture.inline();
    html! {
        figure id=(format!("chart-{}", chart.id)) {
            h3 { (chart.title) }
            figcaption { (picture.note) }
            div.wide { (PreEscaped(wide)) }
            div.narrow { (PreEscaped(narrow)) }
        }
    }
}
