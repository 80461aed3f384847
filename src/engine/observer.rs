//! Who watches a run, and what is shown to it.

use crate::engine::lane::Plain;
use crate::engine::machine::Arrival;
use crate::gateway::{Attempt, Ended, Notes, Response};
use crate::provider::Service;
use crate::units::{CallId, ClassId, DeploymentId, RequestView, SimTime, Usage};

/// One upstream attempt after its end.
#[derive(Debug, Clone, Copy)]
pub struct AttemptRecord<'a> {
    /// What the gateway asked for.
    pub attempt: &'a Attempt,
    /// How it ended.
    pub ended: &'a Ended,
    /// When it ended.
    pub at: SimTime,
    /// What the provider bills for it.
    pub billed: Usage,
}

/// The request that an event is about.
#[derive(Debug, Clone, Copy)]
pub struct RequestRecord {
    /// When it arrived.
    pub arrived: SimTime,
    /// Its traffic class.
    pub class: ClassId,
    /// What the gateway saw.
    pub view: RequestView,
    /// Upstream attempts so far.
    pub attempts: u32,
    /// When the first token of the answer reached the client.
    pub first_token: Option<SimTime>,
    /// Whether the client has gone.
    pub client_gone: bool,
    /// Whether the process of the gateway that had it has ended.
    pub lost: bool,
}

impl RequestRecord {
    /// A request that has just arrived.
    #[inline(always)]
    pub const fn new<F: Copy>(arrival: &Arrival<F>) -> Self {
        Self {
            arrived: arrival.at,
            class: arrival.class,
            view: arrival.view,
            attempts: 0,
            first_token: None,
            client_gone: false,
            lost: false,
        }
    }
}

/// Watches a run: a recorder of sums in a forecast, a list of everything in a trace.
pub trait Observer: Notes {
    /// Whether it only adds up: then plain requests may take the fast lane, where they have no numbers of their own and
    /// nobody tells how the gateway decided.
    const ADDS_UP: bool = false;

    /// A request has arrived.
    fn arrived(&mut self, call: CallId, request: &RequestRecord);
    /// An attempt has started.
    fn attempted(&mut self, call: CallId, request: &RequestRecord, attempt: &Attempt, service: &Service, now: SimTime);
    /// An attempt has ended.
    fn ended(&mut self, call: CallId, request: &RequestRecord, attempt: &AttemptRecord<'_>);
    /// A request is over.
    fn responded(&mut self, call: CallId, request: &RequestRecord, response: &Response, now: SimTime);
    /// A plain request, its attempt and its answer, which comes at the moment `until`, are put on the tab of its class
    /// and deployment, if the attempt can be billed there; `false` if not, and then nothing has changed. That it is
    /// over is [told](Self::tab_ended) at that moment.
    fn tab(&mut self, plain: &Plain, until: SimTime) -> bool {
        let _ = (plain, until);
        false
    }
    /// The same, and nothing more is told of the request.
    fn tab_ahead(&mut self, plain: &Plain, until: SimTime) -> bool {
        let _ = (plain, until);
        false
    }
    /// The attempt of a request that stands on a tab has ended, and its client has the answer.
    fn tab_ended(&mut self, deployment: DeploymentId, now: SimTime) {
        let _ = (deployment, now);
    }
    /// Whether it has seen so much that the run ends here. Only asked where it does not just add up.
    fn has_enough(&self) -> bool {
        false
    }
    /// The horizon is over and this request never came to an end.
    fn left_in_flight(&mut self, call: CallId, request: &RequestRecord);
}
