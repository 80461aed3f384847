//! What the price book knows of the models of a gateway's config.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::gateway::litellm::wire::Wire;
use crate::pricing::PriceBook;
use crate::scenario::deployments::{PriceTime, charge_at, gateway_prices_it, kept, per_token, priced_model};
use crate::units::{Money, SimDuration, UnitPrice, Usage};

/// A deployment's model in the price book.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModelFacts {
    /// What the provider bills for the usage asked about; none where no price is known.
    pub charge: Option<Money>,
    /// Whether the gateway itself has a price for it: where it has none, its budgets count nothing.
    pub is_priced_by_gateway: bool,
    /// What it takes for a token of input and of output in a short request.
    pub per_token: Option<[UnitPrice; 2]>,
    /// The day from which the provider does not serve the model any more, if one is known.
    pub retired_on: Option<Date>,
    /// Whether its name goes on answering then, with another model.
    pub is_redirected: bool,
}

/// What a usage costs at each deployment that the gateway keeps, in the order of the config, and when its model ends.
pub fn model_facts(wire: &Wire, book: &PriceBook, at: Timestamp, usage: &Usage) -> Vec<ModelFacts> {
    let time = PriceTime { start: at, horizon: SimDuration::from_secs(1), fixed: Some(at) };
    let facts = |entry: &&crate::gateway::litellm::wire::Deployment| {
        let retirement = book.retirement(priced_model(entry), entry.provider);
        ModelFacts {
            charge: charge_at(entry, book, &time, usage),
            is_priced_by_gateway: gateway_prices_it(entry, book, at),
            per_token: per_token(entry, book, at),
            retired_on: retirement.as_ref().map(|known| known.on),
            is_redirected: retirement.is_some_and(|known| known.is_redirected),
        }
    };
    kept(wire).iter().map(facts).collect()
}
