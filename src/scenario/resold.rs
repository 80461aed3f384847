//! Models that are sold by others than their makers: where the table has no price of the seller, the maker's stands in
//! for it, which is an assumption.

use crate::gateway::litellm::plan::Plan;
use crate::gateway::litellm::wire::Deployment;
use crate::pricing::PriceBook;
use crate::scenario::deployments::{models_behind, priced_model};
use crate::scenario::reading::Reading;
use crate::scenario::world::DeploymentName;
use crate::units::DeploymentId;

/// Notes whose price stands for that of a reseller.
pub fn note(kept: &[&Deployment], names: &[DeploymentName], plan: &Plan, book: &PriceBook, reading: &mut Reading) {
    for (index, (entry, name)) in kept.iter().zip(names).enumerate() {
        let has_own_price =
            entry.params_prices.iter().chain(&entry.info_prices).any(|(key, _)| key == "input_cost_per_token");
        let Some(provider) = entry.provider.filter(|_| !has_own_price) else { continue };
        let behind = models_behind(entry, DeploymentId::from_index(index), &plan.names).map(|(_, model)| model);
        for model in std::iter::once(priced_model(entry).to_owned()).chain(behind) {
            if let Some((maker, row)) = book.stands_in(&model, provider) {
                let source = format!("the maker's, {maker}/{row}; the reseller may ask another");
                reading.assume(&format!("price of {}", name.name), &model, &source, "");
            }
        }
    }
}
