//! One case, played through the engine: the machine of a forecast, with a script in place of providers and traffic.

use crate::engine::machine::{Arrival, Arrivals, Engine};
use crate::engine::observer::{AttemptRecord, Observer, RequestRecord};
use crate::gateway::litellm::LiteLlm;
use crate::gateway::litellm::defaults::CACHE_ITEMS;
use crate::gateway::litellm::lower::{Setting, lower};
use crate::gateway::litellm::plan::{Deployment, Layer, Plan};
use crate::gateway::parts::Minutes;
use crate::gateway::{Attempt, Notes, RequestView, Response};
use crate::provider::{ScriptedRequest, ScriptedUpstream, Service, StreamUsage};
use crate::random::{Here, Recorded};
use crate::scenario::{Case, CaseRequest, Departure};
use crate::traffic::Leave;
use crate::units::{CallId, ClassId, DeploymentId, NameId, Outcome, Phase, RequestId, SimDuration, SimTime};

/// What happened in a case.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Trace {
    /// Name of the case.
    pub name: String,
    /// `proxy` or `router`.
    pub layer: &'static str,
    /// The requests in order of time.
    pub requests: Vec<TraceRequest>,
    /// Every time that a deployment was put into cooldown.
    pub cooldowns: Vec<TraceCooldown>,
    /// Why the gateway does not start, if it does not.
    pub fatal: Option<String>,
    /// Whether it ends early, after [`MOST_TRACED`] upstream calls.
    pub is_cut: bool,
}

/// So many upstream calls are written down: nobody reads more, and each takes memory.
pub const MOST_TRACED: usize = 250_000;

/// What happened to a request.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TraceRequest {
    /// Its name.
    pub id: String,
    /// The model that it asked for.
    pub model: String,
    /// Whether it asked for a stream.
    pub stream: bool,
    /// When it was sent.
    pub at: SimTime,
    /// When it was over; `None` if it never was.
    pub end: Option<SimTime>,
    /// Whether it was answered well.
    pub ok: bool,
    /// The deployment that is named as having answered.
    pub deployment: Option<String>,
    /// The client's HTTP status; `None` where there is no HTTP.
    pub http_status: Option<u16>,
    /// Its upstream calls.
    pub attempts: Vec<TraceAttempt>,
    /// What happened on the way, in this order: causes stand before effects, also where no time passes between.
    pub steps: Vec<(SimTime, TraceStep)>,
}

/// Something that happened to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TraceStep {
    /// The gateway has decided something.
    Decided(String),
    /// The upstream call of this number began.
    Sent(usize),
    /// It ended.
    Ended(usize),
}

/// One upstream call.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceAttempt {
    /// Where to.
    pub deployment: String,
    /// When it was sent.
    pub at: SimTime,
    /// When it was over; `None` if it never was.
    pub end: Option<SimTime>,
    /// How it ended.
    pub status: TraceStatus,
}

/// How an upstream call ended, in the words of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TraceStatus {
    /// An HTTP status.
    Http(u16),
    /// No connection.
    ConnectionError,
    /// The gateway's patience ran out before the headers.
    ClientTimeout,
    /// It was closed before the headers.
    Cancelled,
}

/// A deployment put into cooldown.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceCooldown {
    /// When.
    pub at: SimTime,
    /// Which.
    pub deployment: String,
    /// Until when.
    pub until: SimTime,
}

/// Plays a case.
pub fn replay(case: &Case) -> Trace {
    let models: Vec<&str> = case.requests.iter().map(|request| request.model.as_str()).collect();
    let setting = Setting {
        layer: case.layer,
        minutes: Minutes { offset: case.script.minute_offset },
        jitter_secs: Some(case.jitter_secs),
        models: &models,
        bodies: &case.bodies,
        keys: Some(&case.keys),
    };
    let mut plan = lower(&case.wire, &setting);
    // The recordings have no database, and keep answers in memory, whatever the config names.
    plan.proxy.no_database = true;
    if let Some(cache) = &mut plan.proxy.cache {
        cache.capacity = Some(CACHE_ITEMS);
    }
    let arrivals: Vec<Arrival<ScriptedRequest>> = case
        .requests
        .iter()
        .enumerate()
        .filter_map(|(index, request)| Some(arrival(index, request, plan.name_id(&request.model)?, &plan)))
        .collect();
    let mut scripted = Scripted { arrivals, next: 0 };
    let mut observer = TraceObserver::new(case);
    let usage_of =
        |entry: &Deployment| StreamUsage::of(entry.client.tells_usage(), entry.client.takes_stream_options());
    let tell_usage = plan.deployments.iter().map(usage_of).collect();
    let mut gateway = LiteLlm::new(plan);
    let mut upstream = ScriptedUpstream::new(&case.script, tell_usage);
    let mut draws = Recorded::seeded(case.seed);
    let played = Engine::new(&mut gateway, &mut upstream, &mut scripted, &mut draws, &mut observer).run();
    observer.trace.is_cut = played.is_err() || observer.calls >= MOST_TRACED;
    observer.trace
}

fn arrival(index: usize, request: &CaseRequest, model: NameId, plan: &Plan) -> Arrival<ScriptedRequest> {
    let view = RequestView {
        id: RequestId(index as u64),
        model,
        key: request.key,
        body: request.body,
        prompt: request.prompt,
        prompt_chars: request.prompt_chars,
        prompt_tokens: request.reserved_tokens,
        max_tokens: request.max_tokens,
        stream: request.stream,
    };
    let fate = ScriptedRequest {
        index: index as u32,
        prompt_tokens: request.prompt_tokens,
        completion_tokens: request.completion_tokens,
        counted_tokens: request.counted_tokens,
        asks_usage: plan.asks_usage(model, request.body),
    };
    let leave = match request.departure {
        Departure::Served => Leave::Never,
        // The bare router has no connection of a client that could be closed.
        Departure::After(_) if plan.layer == Layer::Router => Leave::Never,
        Departure::After(span) => Leave::After(span.max(SimDuration::ZERO)),
        Departure::AfterChunks(chunks) => Leave::AfterChunks(chunks.into()),
        Departure::AtFirst(_, chunks) if plan.layer == Layer::Router => Leave::AfterChunks(chunks.into()),
        Departure::AtFirst(span, chunks) => Leave::at_first(span.max(SimDuration::ZERO), chunks.into()),
    };
    // Its draws are the recorded ones, whatever its address.
    Arrival { at: request.at, class: ClassId(0), view, fate, leave, here: Here::default() }
}

/// The requests of a case, in order.
struct Scripted {
    arrivals: Vec<Arrival<ScriptedRequest>>,
    next: usize,
}

impl Arrivals for Scripted {
    type Fate = ScriptedRequest;

    fn next_at(&self) -> SimTime {
        self.arrivals.get(self.next).map_or(SimTime::NEVER, |arrival| arrival.at)
    }

    fn take(&mut self, next: &mut Arrival<ScriptedRequest>) -> bool {
        let Some(arrival) = self.arrivals.get(self.next) else { return false };
        *next = *arrival;
        self.next += 1;
        true
    }
}

/// Writes everything down.
struct TraceObserver<'a> {
    deployments: &'a [String],
    has_http: bool,
    trace: Trace,
    /// The request that each slot of the engine serves.
    serving: Vec<usize>,
    /// Upstream calls so far.
    calls: usize,
}

impl<'a> TraceObserver<'a> {
    fn new(case: &'a Case) -> Self {
        let request = |request: &CaseRequest| TraceRequest {
            id: request.id.clone(),
            model: request.model.clone(),
            stream: request.stream,
            at: request.at,
            ..TraceRequest::default()
        };
        let has_http = case.layer == Layer::Proxy;
        let trace = Trace {
            name: case.name.clone(),
            layer: if has_http { "proxy" } else { "router" },
            requests: case.requests.iter().map(request).collect(),
            ..Trace::default()
        };
        Self { deployments: &case.deployments, has_http, trace, serving: Vec::new(), calls: 0 }
    }

    fn request(&mut self, call: CallId) -> &mut TraceRequest {
        &mut self.trace.requests[self.serving[call.index()]]
    }

    fn deployment(&self, id: DeploymentId) -> String {
        self.deployments[id.index()].clone()
    }
}

impl Notes for TraceObserver<'_> {
    fn cooldown(&mut self, at: SimTime, deployment: DeploymentId, until: SimTime) {
        let deployment = self.deployment(deployment);
        self.trace.cooldowns.push(TraceCooldown { at, deployment, until });
    }

    fn decided(&mut self, at: SimTime, call: CallId, decision: impl FnOnce() -> String) {
        self.request(call).steps.push((at, TraceStep::Decided(decision())));
    }
}

impl Observer for TraceObserver<'_> {
    fn arrived(&mut self, call: CallId, request: &RequestRecord) {
        let needed = call.index() + 1;
        if self.serving.len() < needed {
            self.serving.resize(needed, 0);
        }
        self.serving[call.index()] = request.view.id.0 as usize;
    }

    fn attempted(&mut self, call: CallId, _: &RequestRecord, attempt: &Attempt, _: &Service, now: SimTime) {
        let deployment = self.deployment(attempt.deployment);
        let (end, status) = (None, TraceStatus::Cancelled);
        self.calls += 1;
        let request = self.request(call);
        request.steps.push((now, TraceStep::Sent(request.attempts.len())));
        request.attempts.push(TraceAttempt { deployment, at: now, end, status });
    }

    fn ended(&mut self, call: CallId, request: &RequestRecord, attempt: &AttemptRecord) {
        let status = status(attempt, request.view.stream);
        let request = self.request(call);
        if let Some(last) = request.attempts.last_mut() {
            last.end = Some(attempt.at);
            last.status = status;
            request.steps.push((attempt.at, TraceStep::Ended(request.attempts.len() - 1)));
        }
    }

    fn responded(&mut self, call: CallId, _: &RequestRecord, response: &Response, now: SimTime) {
        let deployment = response.served_by.map(|id| self.deployment(id));
        let http_status = self.has_http.then_some(response.http_status);
        let request = self.request(call);
        request.end = Some(now);
        request.ok = response.ok;
        request.deployment = deployment;
        request.http_status = http_status;
    }

    fn has_enough(&self) -> bool {
        self.calls >= MOST_TRACED
    }

    fn left_in_flight(&mut self, _: CallId, _: &RequestRecord) {}
}

/// How an attempt ended, as a recording's upstream saw it.
fn status(attempt: &AttemptRecord, stream: bool) -> TraceStatus {
    let has_headers = attempt.ended.phase != Phase::BeforeHeaders;
    match attempt.ended.outcome {
        Outcome::Ok => TraceStatus::Http(200),
        Outcome::Status(status) | Outcome::Worded(status, _) => TraceStatus::Http(status),
        Outcome::ContextWindow | Outcome::ContentPolicy => TraceStatus::Http(400),
        Outcome::ConnectionError => TraceStatus::ConnectionError,
        Outcome::Timeout | Outcome::Cut | Outcome::Cancelled if has_headers && stream => TraceStatus::Http(200),
        Outcome::Timeout | Outcome::Cut => TraceStatus::ClientTimeout,
        Outcome::Cancelled => TraceStatus::Cancelled,
    }
}
