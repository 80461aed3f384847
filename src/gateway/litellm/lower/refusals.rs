//! What the own parameters of deployments and those of bodies make of each other: which bodies are refused, and which
//! answers the response cache keeps apart.

use crate::gateway::litellm::lower::request::RequestParams;
use crate::gateway::litellm::params::{Asked, NotTaken};
use crate::gateway::litellm::plan::Inside;
use crate::gateway::litellm::wire::{Deployment, InnerFallback, Wire};
use std::collections::HashMap;

/// Classes that the key of an answer has room for, beside two marks.
const MOST_CLASSES: u32 = u32::MAX >> 2;

/// Collects the rows of [`Plan::refusals`](crate::gateway::litellm::plan::Plan::refusals) and
/// the classes of deployments.
pub(super) struct Refusals<'a> {
    bodies: &'a [RequestParams],
    /// The module's `drop_params`: next to nothing is refused.
    drops: bool,
    /// The rows; the first is empty.
    pub rows: Vec<Box<[bool]>>,
    /// Their numbers, by what is not taken and what the deployment, and a fallback inside its attempts, say
    /// themselves: many deployments say the same.
    known: HashMap<(NotTaken, Asked, Asked), u32>,
    /// How many classes bodies have.
    body_classes: u32,
    /// Numbers of parameters that keep answers apart, by their text.
    classes: HashMap<String, u32>,
}

impl<'a> Refusals<'a> {
    pub fn new(wire: &Wire, bodies: &'a [RequestParams]) -> Self {
        let drops = wire.litellm_settings.drop_params.as_ref().is_some_and(|drops| drops.value);
        let body_classes = bodies.iter().map(|body| body.cache_class.saturating_add(1)).max().unwrap_or(1);
        let (rows, known, classes) = (vec![Box::default()], HashMap::new(), HashMap::new());
        Self { bodies, drops, rows, known, body_classes, classes }
    }

    /// The row of a deployment that calls this model.
    pub fn row(&mut self, entry: &Deployment, model: &str) -> u32 {
        self.row_of(entry.not_taken(model), entry.asked, Asked::default())
    }

    /// The same for the fallbacks inside its attempts; empty where none refuses anything [T 330].
    pub fn rows_inside(&mut self, entry: &Deployment) -> Box<[Inside]> {
        let fallbacks = entry.litellm_params.fallbacks.iter().flat_map(|list| &list.value);
        let mut row = |inside: &InnerFallback| {
            let Some(model) = &inside.model else {
                let row = self.row_of(entry.not_taken(entry.model()), entry.asked, inside.asked);
                return Inside { refusals: row, is_unplaced: false };
            };
            let Some(provider) = entry.provider_of_model(model) else {
                return Inside { refusals: 0, is_unplaced: true };
            };
            let row = self.row_of(entry.not_taken_at(provider, model), entry.asked, inside.asked);
            Inside { refusals: row, is_unplaced: false }
        };
        let all: Box<[Inside]> = fallbacks.map(|inside| row(&inside.value)).collect();
        if all.iter().any(|inside| inside.refusals > 0 || inside.is_unplaced) { all } else { Box::default() }
    }

    fn row_of(&mut self, not_taken: NotTaken, deployment: Asked, inside: Asked) -> u32 {
        let not_taken = if self.drops { not_taken.never_dropped() } else { not_taken };
        if not_taken.is_empty() {
            return 0;
        }
        let (bodies, rows) = (self.bodies, &mut self.rows);
        *self.known.entry((not_taken, deployment, inside)).or_insert_with(|| {
            let asked = |body: &RequestParams| inside.before(body.asked.before(deployment));
            let is_refused = |body: &RequestParams| !asked(body).refused(not_taken).is_empty();
            let row: Box<[bool]> = bodies.iter().map(is_refused).collect();
            if !row.contains(&true) {
                return 0;
            }
            rows.push(row);
            (rows.len() - 1) as u32
        })
    }

    /// What is added to the class of a body, so that answers of this deployment are kept apart from those of others.
    pub fn cache_class(&mut self, entry: &Deployment) -> u32 {
        if entry.cache_text.is_empty() {
            return 0;
        }
        let next = self.classes.len() as u32 + 1;
        let class = *self.classes.entry(entry.cache_text.clone()).or_insert(next);
        // With more than a key has room for, the last ones are not told apart.
        self.body_classes.saturating_mul(class).min(MOST_CLASSES.saturating_sub(self.body_classes))
    }
}
