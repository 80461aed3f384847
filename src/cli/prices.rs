//! `billcast prices [MODEL]`: which prices are known.

use crate::cli::book::BookArgs;
use crate::cli::stop::Stop;
use crate::cli::streams;
use crate::pricing::Listed;
use crate::report::text::clean;
use crate::report::{Room, laid_out};
use crate::units::UnitPrice;

/// Arguments of `prices`.
#[derive(Debug, clap::Args)]
pub struct PricesArgs {
    /// Show the models whose name contains this text; all if not given.
    model: Option<String>,
    /// Show prices that do not hold on the day, too.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    book: BookArgs,
}

/// Prints a table of prices in dollars per million tokens.
pub fn run(args: &PricesArgs) -> Result<(), Stop> {
    let book = args.book.read()?;
    let search = args.model.as_deref().unwrap_or_default();
    let listing = book.list(search, args.book.moment()?);
    if listing.models.is_empty() {
        let near = listing.did_you_mean;
        let help = if near.is_empty() { String::new() } else { format!("; did you mean {}?", near.join(" or ")) };
        return Err(Stop::Usage(format!("no model with `{search}` in its name has a price{help}")));
    }
    let shown: Vec<&Listed> = listing.models.iter().filter(|row| args.all || row.holds_now).collect();
    let hidden = listing.models.len() - shown.len();
    let mut text =
        format!("{}US dollars for a million tokens; `-`: no price of its own.\n", table(&shown, streams::room()));
    if hidden > 0 {
        text.push_str(&format!("{hidden} more that do not hold on this day: --all shows them.\n"));
    }
    streams::print(&text)
}

/// The table, a line for each row where there is room.
fn table(rows: &[&Listed], room: Room) -> String {
    const HEADINGS: [(&str, bool); 9] = [
        ("provider", false),
        ("model", false),
        ("when", false),
        ("input", true),
        ("output", true),
        ("read", true),
        ("write", true),
        ("status", false),
        ("source (as of)", false),
    ];
    let row = |row: &&Listed| {
        let per_million = |price: Option<UnitPrice>| price.map_or_else(|| "-".to_owned(), dollars_per_million);
        let rates = &row.rates;
        vec![
            clean(&row.provider),
            clean(&row.model),
            clean(&row.condition),
            per_million(rates.input),
            per_million(rates.output),
            per_million(rates.cache_read),
            per_million(rates.cache_write),
            clean(&row.status),
            clean(&row.source),
        ]
    };
    let headings = HEADINGS.map(|(title, numeric)| (title.to_owned(), numeric));
    let pieces = laid_out(&headings, rows.iter().map(row).collect(), room);
    pieces.into_iter().flat_map(|(_, lines)| lines).map(|line| line + "\n").collect()
}

/// The exact price of a million tokens, at least two decimals.
fn dollars_per_million(price: UnitPrice) -> String {
    price.times(1_000_000).map_or_else(
        || "?".to_owned(),
        |cost| {
            let text = cost.to_string();
            let decimals = text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
            match decimals {
                0 => format!("{text}.00"),
                1 => format!("{text}0"),
                _ => text,
            }
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_from_a_price_file_cannot_drive_a_terminal() {
        let hostile = || "a\u{1b}[31m\u{202e}\nb".to_owned();
        let row = Listed {
            provider: hostile(),
            model: hostile(),
            kind: hostile(),
            condition: hostile(),
            status: hostile(),
            source: hostile(),
            rates: Default::default(),
            context_window: None,
            max_output: None,
            holds_now: true,
        };
        let text = table(&[&row], Room { width: usize::MAX, whole: true });
        assert!(!text.contains(['\u{1b}', '\u{202e}']) && text.lines().count() == 2, "{text:?}");
    }
}
