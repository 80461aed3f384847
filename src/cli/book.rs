//! The options that choose prices, shared by the commands that need some.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::cli::stop::Stop;
use crate::pricing::PriceBook;
use crate::scenario::{BUILT_IN, Files, newest_price_date, read_prices};

/// Where prices come from, and for which day.
#[derive(Debug, clap::Args)]
pub struct BookArgs {
    /// Prices: LiteLLM's model_prices_and_context_window.json or a CSV table; the built-in table if not given.
    #[arg(long, value_name = "FILE")]
    prices: Option<String>,
    /// The day whose prices apply [default: the newest day that the built-in table knows of]
    #[arg(long, value_name = "YYYY-MM-DD")]
    at: Option<Date>,
}

impl BookArgs {
    /// Reads the book.
    pub fn read(&self) -> Result<PriceBook, Stop> {
        Ok(read_prices(&Files::here(), self.prices.as_deref().unwrap_or(BUILT_IN))?)
    }

    /// The day that was asked for, if one was.
    pub const fn day(&self) -> Option<Date> {
        self.at
    }

    /// The moment whose prices apply: noon of the day, so that no night tariff does.
    pub fn moment(&self) -> Result<Timestamp, Stop> {
        let date = match self.at {
            Some(date) => date,
            None => newest_price_date()?,
        };
        let noon = date.at(12, 0, 0, 0).in_tz("UTC").map_err(|_| {
            Stop::Usage(format!(
                "--at: the calendar does not hold the whole of {date}; give a day of the years 1 to 9998"
            ))
        })?;
        Ok(noon.timestamp())
    }
}
