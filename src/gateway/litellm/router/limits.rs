//! Limits of virtual keys (`proxy/hooks/parallel_request_limiter_v3.py`).

use super::{Cx, LiteLlm};
use crate::gateway::Notes;
use crate::gateway::litellm::call::{CallState, Flight};
use crate::gateway::litellm::plan::Plan;
use crate::random::Draws;
use crate::units::Usage;

/// What keys have used.
#[derive(Default)]
pub(in crate::gateway::litellm) struct KeyWindows {}

impl KeyWindows {
    /// Nothing has been used.
    pub fn new(_plan: &Plan) -> Self {
        Self {}
    }
}

impl LiteLlm {
    pub(super) fn over_key_limit<D: Draws, N: Notes>(
        &mut self,
        _cx: &mut Cx<'_, D, N>,
        _call: &mut CallState,
    ) -> Option<u16> {
        None
    }

    pub(super) fn release_after_failure<D: Draws, N: Notes>(&mut self, _cx: &mut Cx<'_, D, N>, _call: &mut CallState) {}

    pub(super) fn release_after_success<D: Draws, N: Notes>(
        &mut self,
        _cx: &mut Cx<'_, D, N>,
        _call: &mut CallState,
        _flight: &Flight,
        _usage: &Usage,
    ) {
    }
}
