//! From the files of a scenario to a world.

use jiff::Zoned;
use jiff::civil::Date;

use crate::diagnostic::codes;
use crate::gateway::litellm::budget_reset::Clock;
use crate::pricing::PriceBook;
use crate::random::Seed;
use crate::scenario::alerts;
use crate::scenario::beyond;
use crate::scenario::classes;
use crate::scenario::commitments;
use crate::scenario::deployments::{self, Books, PriceTime};
use crate::scenario::edit::Edit;
use crate::scenario::embeds;
use crate::scenario::files::Files;
use crate::scenario::fleet;
use crate::scenario::gateway::{GatewayFile, minutes, plan, read_edited_gateway};
use crate::scenario::holders;
use crate::scenario::lasting::lasting;
use crate::scenario::prices::{BUILT_IN, newest_of, newest_price_date, read_prices};
use crate::scenario::problem::Problem;
use crate::scenario::reading::{Reading, calendar};
use crate::scenario::recorded::Traces;
use crate::scenario::redirect;
use crate::scenario::resold;
use crate::scenario::retired;
use crate::scenario::room::Room;
use crate::scenario::upstream::{self, Known};
use crate::scenario::world::{Budget, Names, World};
use crate::scenario::written::written;
use crate::units::{Money, SimDuration};

const DEFAULT_HOURS: f64 = 48.0;
const DEFAULT_RUNS: u64 = 200;
const DEFAULT_SEED: u64 = 1;
/// One year: longer runs are several runs.
const LONGEST_HOURS: f64 = 8784.0;
/// More keeps nothing but the machine busy.
const MOST_RUNS: f64 = 1e6;

/// What the command line says instead of the scenario.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// Prices: a file, relative to where the command is given.
    pub prices: Option<String>,
    /// The prices that the gateway itself goes by, where they are others: a file, likewise.
    pub gateway_prices: Option<String>,
    /// Another gateway config: a file, likewise.
    pub gateway: Option<String>,
    /// Changes of single values, in order.
    pub edits: Vec<Edit>,
    /// Where runs tell that they are worth nothing.
    pub room: Room,
}

/// Compiles a scenario.
///
/// # Errors
/// A [`Problem`] with the place of the first thing that cannot be used.
pub fn compile(mut reading: Reading, overrides: &Overrides, name: &str) -> Result<World, Problem> {
    holders::check_aliases(&reading)?;
    let traces = Traces::read(&mut reading, &overrides.room)?;
    let (book, prices_as_of) = price_book(&mut reading, overrides)?;
    let (start, horizon) = (start(&mut reading, &traces)?, horizon(&mut reading, &traces)?);
    let calendar = calendar(&reading, &start, horizon)?;
    let (gateway, gateway_book) = (gateway_file(&reading, overrides)?, gateway_book(&reading, overrides)?);
    let (keys, models) = (holders::keyring(&reading)?, classes::model_names(&reading, &traces));
    let mut plan = plan(&gateway, &models, &keys, &mut reading)?;
    holders::check_models(&reading, &plan)?;
    plan.router.minutes = minutes(start.second());
    let fleet = fleet::compile(&mut reading, horizon, &mut plan)?;
    let clock = Clock::of(&gateway.wire);
    plan.proxy.budget_resets = holders::budget_resets(&reading, &start, horizon, &clock)?;
    let kept = deployments::kept(&gateway.wire);
    let groups = deployments::groups(&kept);
    let time = PriceTime { start: start.timestamp(), horizon, fixed: prices_at(&reading)? };
    let books = Books { billed: &book, reported: gateway_book.as_ref() };
    let mut tariffs = deployments::tariffs(&gateway.wire, &groups, &books, &time, &mut plan);
    let traffic = classes::compile(&mut reading, &plan, &calendar, &traces)?;
    let mut named = deployments::names(&kept, &groups, &plan);
    resold::note(&kept, &named, &plan, &book, &mut reading);
    redirect::apply(&reading, &named, &groups, &book, &time, &mut tariffs)?;
    tariffs.capacities = commitments::compile(&reading, &named, &groups)?;
    let ends = retired::ends(&gateway.wire, gateway.text.name(), &book, &time, &plan);
    let known = Known { costs: &redirect::costs(&tariffs), ends: &ends };
    let (providers, troubles) = upstream::compile(&mut reading, &mut named, &groups, &calendar, known)?;
    let lasting = lasting(&reading, &gateway.wire, (&named, &tariffs, &providers), (&start, horizon, &clock));
    let names = Names {
        deployments: named,
        groups,
        keys: classes::key_names(&reading.file.keys),
        classes: class_names(&reading),
        troubles,
    };
    beyond::note(&mut reading, horizon);
    let (runs, seed) = (runs(&mut reading)?, seed(&mut reading));
    let (budget, alerts) = (budget(&reading)?, alerts::compile(&reading)?);
    let from_user = reading.written.iter().flat_map(|(source, tree)| written(source, tree)).collect();
    let GatewayFile { mut diagnostics, text, .. } = gateway;
    text.tell_places(&mut reading.findings);
    diagnostics.append(&mut reading.findings);
    let (written, trees): (Vec<_>, Vec<_>) = reading.written.into_iter().unzip();
    Ok(World {
        name: reading.file.name.unwrap_or_else(|| name.to_owned()),
        description: reading.file.description.unwrap_or_default(),
        start,
        horizon,
        runs,
        seed,
        gateway: plan,
        fleet,
        traffic,
        providers,
        tariffs,
        names,
        prices_as_of,
        lasting,
        holidays: calendar.holidays,
        budget,
        alerts,
        written: from_user,
        assumptions: reading.assumptions,
        diagnostics,
        sources: text.sources.iter().cloned().chain(written).collect(),
        config: text,
        trees,
        room: overrides.room.clone(),
    })
}

/// The classes in the order of their ids: those of embedding calls come last.
fn class_names(reading: &Reading) -> Vec<String> {
    let embedding = reading.file.traffic.iter().filter(|(_, entry)| entry.own.embeds.is_some());
    let own = reading.file.traffic.iter().map(|(name, _)| name.to_owned());
    own.chain(embedding.map(|(name, _)| embeds::class_name(name))).collect()
}

/// The gateway's config, with all changes made.
fn gateway_file(reading: &Reading, overrides: &Overrides) -> Result<GatewayFile, Problem> {
    match &overrides.gateway {
        Some(name) => read_edited_gateway(&Files::here(), name, &overrides.edits),
        None => read_edited_gateway(&reading.files, &reading.file.gateway, &overrides.edits)
            .map_err(|problem| reading.naming(&["gateway"], problem)),
    }
}

/// The prices, and how new they are.
fn price_book(reading: &mut Reading, overrides: &Overrides) -> Result<(PriceBook, String), Problem> {
    let (files, name) = match (&overrides.prices, &reading.file.prices) {
        (Some(name), _) => (Files::here(), name.clone()),
        (None, Some(name)) => (reading.files.clone(), name.clone()),
        (None, None) => (reading.files.clone(), BUILT_IN.to_owned()),
    };
    let book = read_prices(&files, &name).map_err(|problem| match overrides.prices {
        Some(_) => problem,
        None => reading.naming(&["prices"], problem),
    })?;
    let newest = match &book {
        PriceBook::Table(table) => newest_of(table.rows()).map(|date| date.to_string()),
        PriceBook::LiteLlm(_) => None,
    };
    let as_of = newest.unwrap_or_else(|| name.clone());
    if reading.file.prices.is_none() && overrides.prices.is_none() {
        reading.assume("prices", "the built-in table", "models/prices, a source in each row", &as_of);
    }
    Ok((book, as_of))
}

/// The gateway's own prices, if they are others than those of the providers.
fn gateway_book(reading: &Reading, overrides: &Overrides) -> Result<Option<PriceBook>, Problem> {
    match (&overrides.gateway_prices, &reading.file.gateway_prices) {
        (Some(name), _) => read_prices(&Files::here(), name).map(Some),
        (None, Some(name)) => {
            read_prices(&reading.files, name).map(Some).map_err(|problem| reading.naming(&["gateway_prices"], problem))
        }
        (None, None) => Ok(None),
    }
}

/// The start of the run: the Friday evening after the newest price, if nothing is said.
fn start(reading: &mut Reading, traces: &Traces) -> Result<Zoned, Problem> {
    if let Some(start) = &reading.file.start {
        let (at, change, zone_is_written) = (start.at.clone(), start.change, start.zone_is_written);
        if let Some(change) = change {
            reading.assume("start", &at, change, "");
        } else if !zone_is_written {
            reading.assume("start", &at, "no time zone is written: UTC", "");
        }
        return Ok(at);
    }
    let at = friday_after(newest_price_date()?).ok_or_else(|| {
        let message = "the calendar has no Friday after the newest price".to_owned();
        reading.error(codes::SCENARIO_VALUE, &["start"], message, "write `start:`")
    })?;
    if let Some(at) = traces.start_after(&at) {
        reading.assume("start", &at, "weekday and time of day of the trace, the first after the newest price", "");
        return Ok(at);
    }
    reading.assume("start", &at, "the first Friday evening after the newest price in the table", "");
    Ok(at)
}

fn friday_after(date: Date) -> Option<Zoned> {
    let friday = date.nth_weekday(1, jiff::civil::Weekday::Friday).ok()?;
    friday.at(18, 0, 0, 0).in_tz("UTC").ok()
}

fn horizon(reading: &mut Reading, traces: &Traces) -> Result<SimDuration, Problem> {
    let hours = match reading.file.hours {
        Some(hours) => reading.within(&["hours"], hours, 1.0 / 60.0, LONGEST_HOURS)?,
        None => match traces.hours(reading).map(|hours| hours.min(LONGEST_HOURS)) {
            Some(hours) => {
                reading.assume("hours", format!("{hours:.3}"), "as long as the trace", "");
                hours
            }
            None => {
                reading.assume("hours", DEFAULT_HOURS, "a weekend", "");
                DEFAULT_HOURS
            }
        },
    };
    Ok(SimDuration::from_secs_f64(hours * 3600.0))
}

fn runs(reading: &mut Reading) -> Result<u64, Problem> {
    let runs = reading.file.runs.unwrap_or(DEFAULT_RUNS);
    reading.within(&["runs"], runs as f64, 1.0, MOST_RUNS)?;
    Ok(runs)
}

fn seed(reading: &mut Reading) -> Seed {
    Seed(reading.file.seed.unwrap_or(DEFAULT_SEED))
}

/// What the user means to spend.
fn budget(reading: &Reading) -> Result<Budget, Problem> {
    let amount = |key: &str, dollars: Option<f64>| -> Result<Option<Money>, Problem> {
        let Some(dollars) = dollars else { return Ok(None) };
        let dollars = reading.within(&["budget", key], dollars, 0.0, 1e12)?;
        Ok(format!("{dollars:.6}").parse().ok())
    };
    let entry = reading.file.budget.unwrap_or_default();
    Ok(Budget {
        horizon: amount("run", entry.run)?,
        day: amount("day", entry.day)?,
        month: amount("month", entry.month)?,
    })
}

/// Noon of the day whose prices hold throughout, so that no night tariff does.
fn prices_at(reading: &Reading) -> Result<Option<jiff::Timestamp>, Problem> {
    let Some(text) = &reading.file.prices_at else { return Ok(None) };
    let date = reading.date(&["prices_at"], text)?;
    Ok(date.at(12, 0, 0, 0).in_tz("UTC").ok().map(|noon| noon.timestamp()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_starts_on_the_friday_after_the_prices() {
        let start = friday_after(jiff::civil::date(2026, 11, 21)).unwrap();
        assert_eq!(start.to_string(), "2026-11-27T18:00:00+00:00[UTC]");
        assert_eq!(start, friday_after(jiff::civil::date(2026, 11, 20)).unwrap());
    }
}
