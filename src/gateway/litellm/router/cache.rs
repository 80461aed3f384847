//! The response cache (`caching/caching_handler.py`).

use super::{Cx, LiteLlm, Next};
use crate::gateway::litellm::call::{CallState, Flight};
use crate::gateway::{Ended, Notes};
use crate::random::Draws;

/// Answers that are kept.
#[derive(Default)]
pub(in crate::gateway::litellm) struct Responses {}

impl LiteLlm {
    pub(super) fn ask_cache<D: Draws, N: Notes>(
        &mut self,
        _cx: &mut Cx<'_, D, N>,
        _call: &mut CallState,
        _flight: &Flight,
    ) -> Option<Next> {
        None
    }

    pub(super) fn keep_response<D: Draws, N: Notes>(
        &mut self,
        _cx: &mut Cx<'_, D, N>,
        _flight: &Flight,
        _ended: &Ended,
    ) {
    }
}
