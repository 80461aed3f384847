//! What the limiter's cache still holds. Windows, their requests and tokens are in one cache in memory with room for
//! 200 entries, and each answer writes tokens for its key, user and team, and for its model under each of them, whether
//! they have limits or not: those live for ten minutes, and what lives for one is forgotten first [T 311].

use crate::gateway::litellm::defaults;
use crate::gateway::litellm::keyring::{KeyPlans, Window};
use crate::gateway::parts::Bounded;
use crate::units::{NameId, SimDuration, SimTime};
use smallvec::SmallVec;

/// An entry: of a counter, or of a model under the key, team or organization with that number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Slip {
    /// When the window began.
    Beginning(u32),
    /// Requests.
    Requests(u32),
    /// Tokens.
    Tokens(u32),
    /// Requests at the same time.
    Parallel(u32),
    /// Tokens that no limit asks for.
    TokensOfModel(u32, NameId),
}

/// The entries.
#[derive(Debug)]
pub(super) struct Slips(Bounded<Slip>);

impl Slips {
    /// The entries, if there may be too many.
    pub fn new(plans: &KeyPlans) -> Option<Box<Self>> {
        plans.forgets.then(|| Box::new(Self(Bounded::new(defaults::CACHE_ITEMS))))
    }

    /// Writes an entry, and says what is forgotten for it.
    pub fn write(&mut self, now: SimTime, slip: Slip, life: SimDuration, plans: &KeyPlans, forget: impl FnMut(Slip)) {
        self.0.write(now, slip, life, |slip| name(slip, plans), forget);
    }
}

/// Its name, as far as names that may end at the same instant differ in it.
fn name(slip: Slip, plans: &KeyPlans) -> Box<str> {
    let of = |number: u32| plans.kinds.get(number as usize).copied().unwrap_or("user");
    match slip {
        Slip::Beginning(number) => format!("{}:{number}:window", of(number)),
        Slip::Requests(number) => format!("{}:{number}:requests", of(number)),
        Slip::Tokens(number) => format!("{}:{number}:tokens", of(number)),
        Slip::Parallel(number) => format!("{}:{number}:max_parallel_requests", of(number)),
        Slip::TokensOfModel(number, name) => {
            let kind = if of(number) == "api_key" { "key" } else { of(number) };
            format!("model_per_{kind}:{number}:{}:tokens", name.0)
        }
    }
    .into()
}

/// An answer that is charged to everyone it concerns.
#[derive(Debug, Clone, Copy)]
pub(super) struct Charge<'a> {
    /// All keys.
    pub plans: &'a KeyPlans,
    /// Numbers of the key and of whom it belongs to, in the order in which they are charged.
    pub holders: &'a [u32],
    /// The windows that have counted it.
    pub windows: &'a [Window],
    /// The group that it counts for.
    pub name: NameId,
    /// Its tokens.
    pub tokens: u64,
    /// The same without what had been reserved.
    pub more: i64,
}

impl Charge<'_> {
    /// The entries that are written, and by how much those grow that a limit asks for.
    pub fn slips(&self) -> SmallVec<[(Slip, Option<i64>); 10]> {
        let holders = self.holders.iter().map(|number| Slip::Tokens(*number));
        let has_models = |number: &&u32| {
            matches!(self.plans.kinds.get(**number as usize), Some(&"api_key" | &"team" | &"organization"))
        };
        let models = self.holders.iter().filter(has_models).map(|number| self.of_model(*number));
        let charged = holders.chain(models).map(|slip| (slip, self.by(slip)));
        charged.filter(|(_, by)| by.map_or(self.tokens > 0, |by| by != 0)).collect()
    }

    fn of_model(&self, number: u32) -> Slip {
        let counter = self.plans.model_counters.get(&(number, self.name));
        counter.map_or(Slip::TokensOfModel(number, self.name), |counter| Slip::Tokens(*counter))
    }

    fn by(&self, slip: Slip) -> Option<i64> {
        let counts = |window: &&Window| window.tpm.is_some() && Slip::Tokens(window.counter) == slip;
        self.windows.iter().find(counts).map(|_| self.more)
    }
}
