//! What the price book knows of the models of a gateway's config.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::gateway::litellm::wire::Wire;
use crate::pricing::PriceBook;
use crate::scenario::deployments::{PriceTime, charge_at, kept};
use crate::units::{Money, SimDuration, Usage};

/// A deployment's model in the price book.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModelFacts {
    /// What the provider bills for the usage asked about; none where no price is known.
    pub charge: Option<Money>,
    /// The day from which the provider does not serve the model any more, if one is known.
    pub retired_on: Option<Date>,
}

/// What a usage costs at each deployment that the gateway keeps, in the order of the config, and when its model ends.
pub fn model_facts(wire: &Wire, book: &PriceBook, at: Timestamp, usage: &Usage) -> Vec<ModelFacts> {
    let time = PriceTime { start: at, horizon: SimDuration::from_secs(1), fixed: Some(at) };
    let facts = |entry: &&crate::gateway::litellm::wire::Deployment| ModelFacts {
        charge: charge_at(entry, book, &time, usage),
        retired_on: retired_on(book, crate::scenario::deployments::priced_model(entry), entry.provider),
    };
    kept(wire).iter().map(facts).collect()
}

fn retired_on(book: &PriceBook, model: &str, provider: Option<&str>) -> Option<Date> {
    match book {
        PriceBook::Table(table) => table.rows_of(model, provider).iter().filter_map(|row| row.retired_on).min(),
        PriceBook::LiteLlm(_) => None,
    }
}
