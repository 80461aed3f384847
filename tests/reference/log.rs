//! An observer that writes everything down, requests by their own numbers.

use std::collections::HashMap;

use billcast::engine::{AttemptRecord, Observer, RequestRecord};
use billcast::gateway::{Attempt, Notes, Response};
use billcast::provider::Service;
use billcast::units::{CallId, DeploymentId, SimTime};

/// The list of everything that has happened.
#[derive(Debug, Default)]
pub struct Log {
    /// One line an event.
    pub lines: Vec<String>,
    /// Requests that never ended, in the order of the engine's own numbers: sort before comparing.
    pub unfinished: Vec<String>,
    /// Which request an engine's number stands for at the moment.
    names: HashMap<CallId, String>,
}

impl Log {
    /// The log without the order in which an engine counts its requests.
    #[must_use]
    pub fn tidied(mut self) -> Self {
        self.unfinished.sort();
        self
    }

    fn write(&mut self, call: CallId, text: &str) {
        let name = self.names.get(&call).map_or("?", String::as_str);
        self.lines.push(format!("{name}: {text}"));
    }
}

impl Notes for Log {
    fn cooldown(&mut self, at: SimTime, deployment: DeploymentId, until: SimTime) {
        self.lines.push(format!("{at:?} {deployment:?} cools down until {until:?}"));
    }

    fn decided(&mut self, at: SimTime, call: CallId, decision: impl FnOnce() -> String) {
        self.write(call, &format!("{at:?} {}", decision()));
    }
}

impl Observer for Log {
    fn arrived(&mut self, call: CallId, request: &RequestRecord) {
        self.names.insert(call, format!("class {} request {}", request.class.0, request.view.id.0));
        self.write(call, &format!("arrived {request:?}"));
    }

    fn attempted(&mut self, call: CallId, request: &RequestRecord, attempt: &Attempt, service: &Service, now: SimTime) {
        self.write(call, &format!("{now:?} attempt {attempt:?} {service:?} {request:?}"));
    }

    fn ended(&mut self, call: CallId, request: &RequestRecord, attempt: &AttemptRecord) {
        self.write(call, &format!("ended {attempt:?} {request:?}"));
    }

    fn responded(&mut self, call: CallId, request: &RequestRecord, response: &Response, now: SimTime) {
        self.write(call, &format!("{now:?} responded {response:?} {request:?}"));
    }

    fn left_in_flight(&mut self, _: CallId, request: &RequestRecord) {
        self.unfinished.push(format!("{request:?}"));
    }
}
