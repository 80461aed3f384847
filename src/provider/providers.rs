//! The checked providers of a world.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::provider::deployment::{Deployment, Latency};
use crate::provider::fault::Effect;
use crate::provider::limits::{LimitError, Limits};
use crate::provider::timeline::{Push, Timeline, TimelineError, Window};
use crate::provider::world::UpstreamWorld;
use crate::random::{DistError, Replication, Scores, Seed};
use crate::units::SimTime;

/// Something that goes wrong in windows of time: a burst of 429, an incident, a slow period.
#[derive(Debug, Clone)]
pub struct Trouble {
    /// Names the process in the addresses of draws.
    pub address: u64,
    /// When.
    pub timeline: Timeline,
    /// What happens then.
    pub effect: Effect,
}

/// The checked providers of a world, shared by all replications.
#[derive(Debug, Clone)]
pub struct Providers {
    deployments: Vec<Deployment>,
    troubles: Vec<Trouble>,
    limits: Vec<Limits>,
    /// How the troubles are pushed, one by one; empty for not at all.
    pushes: Vec<Push>,
    /// Whether the luck of calls is counted.
    pub(super) counts_luck: bool,
}

/// Why providers cannot be simulated as described.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ProviderError {
    /// A number is out of range.
    #[error("{0} = {number} is out of range; expected {2}", number = crate::units::short(*.1))]
    Parameter(&'static str, f64, &'static str),
    /// Windows of trouble are impossible.
    #[error(transparent)]
    Timeline(#[from] TimelineError),
    /// A rate limit is impossible.
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// A distribution is impossible.
    #[error(transparent)]
    Dist(#[from] DistError),
    /// A field that every deployment needs is missing, in it, its provider and the preset.
    #[error("`{0}` is missing; write it, or name a provider model that has it")]
    Missing(&'static str),
    /// The tier is not one of the provider's.
    #[error("`{0}` is not a tier of this provider; expected one of {1}")]
    UnknownTier(String, String),
    /// A deployment refers to a trouble or limit that is not in the list.
    #[error("deployment {0} refers to {1} number {2}, which does not exist")]
    Dangling(usize, &'static str, usize),
}

impl Providers {
    /// Checks the parts; the order of the deployments is that of their ids.
    ///
    /// # Errors
    /// [`ProviderError`] naming the first impossible part.
    pub fn new(
        deployments: Vec<Deployment>,
        troubles: Vec<Trouble>,
        limits: Vec<Limits>,
    ) -> Result<Self, ProviderError> {
        for trouble in &troubles {
            trouble.timeline.check()?;
            check_effect(&trouble.effect)?;
        }
        limits.iter().try_for_each(Limits::check)?;
        for (index, deployment) in deployments.iter().enumerate() {
            check_deployment(deployment)?;
            if let Some(missing) = deployment.troubles.iter().find(|i| **i >= troubles.len()) {
                return Err(ProviderError::Dangling(index, "trouble", *missing));
            }
            if let Some(missing) = deployment.limits.filter(|i| *i >= limits.len()) {
                return Err(ProviderError::Dangling(index, "limit", missing));
            }
        }
        Ok(Self { deployments, troubles, limits, pushes: Vec::new(), counts_luck: false })
    }

    /// The troubles, in the order of their indices.
    pub fn troubles(&self) -> &[Trouble] {
        &self.troubles
    }

    /// The deployments, in the order of their ids.
    pub fn deployments(&self) -> &[Deployment] {
        &self.deployments
    }

    /// The windows of one trouble in one replication that begin before `end`.
    pub fn windows(&self, index: usize, seed: Seed, replication: Replication, end: SimTime) -> Vec<Window> {
        let Some(trouble) = self.troubles.get(index) else { return Vec::new() };
        let windows = trouble.timeline.windows(seed, replication, trouble.address);
        let windows = windows.pushed(self.push(index));
        windows.take_while(|window| window.start < end).collect()
    }

    /// The same providers with their troubles pushed until `until`: for each trouble the shift of its quiet times and
    /// the shift of its windows' lengths.
    #[must_use]
    pub fn pushed(&self, shifts: &[[f64; 2]], until: SimTime) -> Self {
        let pushes = shifts.iter().map(|&[quiet, active]| Push { quiet, active, until }).collect();
        Self { pushes, ..self.clone() }
    }

    /// The same providers, which also count the luck of their calls ([`UpstreamWorld::luck`]).
    #[must_use]
    pub fn counting_luck(&self) -> Self {
        Self { counts_luck: true, ..self.clone() }
    }

    /// How a trouble is pushed.
    pub(super) fn push(&self, trouble: usize) -> Push {
        self.pushes.get(trouble).copied().unwrap_or_default()
    }

    /// The normal scores of each trouble in one replication until `until`: of its quiet times, of its windows' lengths.
    pub fn scores(&self, seed: Seed, replication: Replication, until: SimTime) -> Vec<[Scores; 2]> {
        let of = |(index, trouble): (usize, &Trouble)| {
            let push = Push { until, ..self.push(index) };
            let mut windows = trouble.timeline.windows(seed, replication, trouble.address).pushed(push);
            while windows.next().is_some_and(|window| window.start < until) {}
            windows.scores()
        };
        self.troubles.iter().enumerate().map(of).collect()
    }

    /// The providers of one replication, at its start.
    pub fn replicate(self: &Arc<Self>, seed: Seed, replication: Replication) -> UpstreamWorld {
        UpstreamWorld::new(Arc::clone(self), seed, replication)
    }

    /// The same providers with other limits: each deployment under those at its place in `of_deployment`. What accounts
    /// may spend stays.
    ///
    /// # Errors
    /// [`ProviderError`] when a limit is impossible or does not exist.
    pub fn with_limits(&self, mut limits: Vec<Limits>, of_deployment: &[Option<usize>]) -> Result<Self, ProviderError> {
        let mut deployments = self.deployments.clone();
        let mut moved: BTreeMap<usize, usize> = BTreeMap::new();
        for (deployment, own) in deployments.iter_mut().zip(of_deployment) {
            deployment.limits = *own;
            deployment.account = deployment.account.map(|account| {
                *moved.entry(account).or_insert_with(|| {
                    limits.push(self.limits[account].clone());
                    limits.len() - 1
                })
            });
        }
        Self::new(deployments, self.troubles.clone(), limits)
    }

    /// The same providers without any limits, those of accounts among them.
    ///
    /// # Errors
    /// None that [`Self::new`] has not had already.
    pub fn without_limits(&self) -> Result<Self, ProviderError> {
        let free = |deployment: &Deployment| Deployment { limits: None, account: None, ..deployment.clone() };
        Self::new(self.deployments.iter().map(free).collect(), self.troubles.clone(), Vec::new())
    }

    /// The rate limits, in the order of their indices.
    pub fn limits(&self) -> &[Limits] {
        &self.limits
    }
}

fn check_share(name: &'static str, share: f64) -> Result<(), ProviderError> {
    if (0.0..=1.0).contains(&share) {
        Ok(())
    } else {
        Err(ProviderError::Parameter(name, share, "a share between 0 and 1"))
    }
}

fn check_effect(effect: &Effect) -> Result<(), ProviderError> {
    check_share("share", effect.share)?;
    check_share("share_outside", effect.share_outside)?;
    let factor = effect.latency_factor;
    if factor > 0.0 && factor <= 1e4 {
        Ok(())
    } else {
        Err(ProviderError::Parameter("latency_factor", factor, "a positive number up to 10,000"))
    }
}

fn check_deployment(deployment: &Deployment) -> Result<(), ProviderError> {
    deployment.errors.iter().try_for_each(|error| check_share("share of an error", error.share))?;
    if let Latency::Total { first_token_share, .. } = deployment.latency {
        check_share("first_token_share", first_token_share)?;
    }
    deployment.prompt_cache.map_or(Ok(()), |cache| check_share("hit_share", cache.hit_share))
}
