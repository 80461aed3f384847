//! What each deployment charges at each moment of the run.

use crate::ledger::Capacity;
use crate::pricing::RateSchedule;
use crate::units::{DeploymentId, GroupId, Money, NameId, SimDuration, SimTime, Usage};

/// The two prices of a deployment, which differ more often than anyone thinks.
#[derive(Debug, Clone, PartialEq)]
pub struct DeploymentTariff {
    /// Its group.
    pub group: GroupId,
    /// What the provider bills; `None` when the model has no price.
    pub billed: Option<RateSchedule>,
    /// What the gateway reports as spend; `None` when its own map lacks the model.
    pub reported: Option<RateSchedule>,
    /// Behind a pattern such as `openai/*` each name has prices of its own, billed and reported; empty elsewhere.
    pub by_name: Vec<(NameId, Option<RateSchedule>, Option<RateSchedule>)>,
    /// Behind a pattern: which of the models that are filled in each name leads to, by number; empty elsewhere.
    pub models: Vec<(NameId, u32)>,
}

impl DeploymentTariff {
    /// Whether the gateway's prices are the provider's, so that a charge needs to be computed only once.
    pub fn is_reported_as_billed(&self) -> bool {
        self.billed == self.reported && self.by_name.iter().all(|(_, billed, reported)| billed == reported)
    }

    /// The number of the model that a name fills into the pattern, if it is one.
    pub fn model_of(&self, name: NameId) -> Option<u32> {
        self.models.iter().find(|(other, _)| *other == name).map(|(_, model)| *model)
    }

    /// What the provider bills for the model that a name leads to.
    #[inline]
    pub fn billed_as(&self, name: NameId) -> Option<&RateSchedule> {
        match &*self.by_name {
            [] => self.billed.as_ref(),
            names => names.iter().find(|(other, ..)| *other == name)?.1.as_ref(),
        }
    }

    /// What the gateway reports for the model that a name leads to.
    pub fn reported_as(&self, name: NameId) -> Option<&RateSchedule> {
        match &*self.by_name {
            [] => self.reported.as_ref(),
            names => names.iter().find(|(other, ..)| *other == name)?.2.as_ref(),
        }
    }

    /// Whether its prices come again in a rhythm until a moment: off-peak hours do, a price that
    /// rises for good does not.
    pub fn repeats(&self, rhythm: SimDuration, end: SimTime) -> bool {
        let own = self.billed.iter().chain(&self.reported);
        let named = self.by_name.iter().flat_map(|(_, billed, reported)| billed.iter().chain(reported));
        own.chain(named).all(|rates| rates.repeats(rhythm, end))
    }

    /// Whether anything that it answers has a price.
    pub fn is_priced(&self) -> bool {
        self.billed.is_some() || self.by_name.iter().any(|(_, billed, _)| billed.is_some())
    }
}

/// All tariffs of a world.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tariffs {
    /// By deployment.
    pub deployments: Vec<DeploymentTariff>,
    /// The group that a model name asks for first; `None` for unknown names.
    pub homes: Vec<Option<GroupId>>,
    /// The first deployment of each group: whose prices stand for the group when a premium is computed.
    pub lead: Vec<Option<DeploymentId>>,
    /// Paid capacity.
    pub capacities: Vec<Capacity>,
}

impl Tariffs {
    /// What the home group's lead deployment would charge for a usage of the model that a name leads to;
    /// `None` if it has no price.
    pub fn home_charge(&self, home: GroupId, name: NameId, usage: &Usage, now: SimTime) -> Option<Money> {
        let lead = self.lead.get(home.index()).copied().flatten()?;
        let rates = self.deployments[lead.index()].billed_as(name)?.at(now);
        Some(rates.charge(usage))
    }
}
