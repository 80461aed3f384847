//! What the own parameters of deployments and those of bodies make of each other: which bodies are refused, and which answers the response
//! cache keeps apart.

use crate::gateway::litellm::lower::request::RequestParams;
use crate::gateway::litellm::params::Params;
use crate::gateway::litellm::wire::{Deployment, Wire};
use std::collections::HashMap;

/// Collects the rows of [`Plan::refusals`](crate::gateway::litellm::plan::Plan::refusals) and the classes of deployments.
pub(super) struct Refusals<'a> {
    bodies: &'a [RequestParams],
    /// The module's `drop_params`: nothing is refused.
    drops: bool,
    /// The rows, each once; the first is empty.
    pub rows: Vec<Box<[bool]>>,
    /// Numbers of parameters that keep answers apart, by their text.
    classes: HashMap<String, u32>,
}

impl<'a> Refusals<'a> {
    pub fn new(wire: &Wire, bodies: &'a [RequestParams]) -> Self {
        let drops = wire.litellm_settings.drop_params.as_ref().is_some_and(|drops| drops.value);
        Self { bodies, drops, rows: vec![Box::default()], classes: HashMap::new() }
    }

    /// The row of a deployment that calls this model.
    pub fn row(&mut self, entry: &Deployment, model: &str) -> u32 {
        let not_taken = if self.drops { Params::default() } else { entry.not_taken(model) };
        let is_refused = |body: &RequestParams| !body.asked.before(entry.asked).refused(not_taken).is_empty();
        let row: Box<[bool]> = self.bodies.iter().map(is_refused).collect();
        if !row.contains(&true) {
            return 0;
        }
        let known = self.rows.iter().position(|known| *known == row);
        known.unwrap_or_else(|| {
            self.rows.push(row);
            self.rows.len() - 1
        }) as u32
    }

    /// What is added to the class of a body, so that answers of this deployment are kept apart from those of others.
    pub fn cache_class(&mut self, entry: &Deployment) -> u32 {
        if entry.cache_text.is_empty() {
            return 0;
        }
        let of_bodies = self.bodies.iter().map(|body| body.cache_class + 1).max().unwrap_or(1);
        let next = self.classes.len() as u32 + 1;
        of_bodies * *self.classes.entry(entry.cache_text.clone()).or_insert(next)
    }
}
