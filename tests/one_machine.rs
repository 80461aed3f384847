//! `run` and `trace` are one machine: a simulated run is written down as a scripted case, the case is played, and both
//! must have made the same upstream calls at the same times.

mod support;

use billcast::engine::{Arrival, Arrivals, AttemptRecord, Engine, Observer, RequestRecord, TraceStatus};
use billcast::gateway::litellm::LiteLlm;
use billcast::gateway::{Attempt, Notes, Response};
use billcast::provider::Service;
use billcast::random::{Addressed, Replication, Seed};
use billcast::traffic::{Fate, Leave, Stream};
use billcast::units::{CallId, DeploymentId, Outcome, SimTime};
use serde_json::{Value, json};
use std::collections::HashMap;

/// Least-busy picks without a draw, and groups of two wait without jitter: nothing in this gateway is random.
const GATEWAY: &str = "model_list:
- {model_name: a, litellm_params: {model: openai/gpt-4o-mini}, model_info: {id: a1}}
- {model_name: a, litellm_params: {model: openai/gpt-4o-mini}, model_info: {id: a2}}
- {model_name: b, litellm_params: {model: openai/gpt-4o}, model_info: {id: b1}}
- {model_name: b, litellm_params: {model: openai/gpt-4o}, model_info: {id: b2}}
router_settings: {routing_strategy: least-busy, num_retries: 2, cooldown_time: 20, fallbacks: [{a: [b]}]}
";
const SCENARIO: &str = "hours: 3
volume_uncertainty: 0
traffic: {x: {model: a, rate: 30/min, shape: flat, input: 100, output: 20}}
upstream: {openai: {preset: none, latency: 'lognormal(median=2, p95=6)', errors: {500: 12%, 429: 6%, 400: 2%}, bursts: {every: 20m, lasts: 3m, share: 80%}}}
";
const DEPLOYMENTS: [&str; 4] = ["a1", "a2", "b1", "b2"];

/// One upstream call: deployment, start, end, status.
type Call = (String, f64, f64, u16);

/// Keeps every request and call of a run.
#[derive(Default)]
struct Keeper {
    requests: Vec<(f64, Vec<Call>, u16)>,
    by_call: HashMap<CallId, usize>,
    started: HashMap<DeploymentId, Vec<(usize, usize)>>,
}

impl Notes for Keeper {
    fn cooldown(&mut self, _: SimTime, _: DeploymentId, _: SimTime) {}
}

impl Observer for Keeper {
    fn arrived(&mut self, call: CallId, request: &RequestRecord) {
        self.by_call.insert(call, self.requests.len());
        self.requests.push((request.arrived.as_secs_f64(), Vec::new(), 0));
    }

    fn attempted(&mut self, call: CallId, _: &RequestRecord, attempt: &Attempt, _: &Service, now: SimTime) {
        let request = self.by_call[&call];
        let calls = &mut self.requests[request].1;
        self.started.entry(attempt.deployment).or_default().push((request, calls.len()));
        calls.push((DEPLOYMENTS[attempt.deployment.index()].to_owned(), now.as_secs_f64(), 0.0, 0));
    }

    fn ended(&mut self, call: CallId, _: &RequestRecord, attempt: &AttemptRecord<'_>) {
        let last = self.requests[self.by_call[&call]].1.last_mut().expect("a call that has begun");
        last.2 = attempt.at.as_secs_f64();
        last.3 = match attempt.ended.outcome {
            Outcome::Ok => 200,
            Outcome::Status(status) => status,
            other => panic!("{other:?} is not in this world"),
        };
    }

    fn responded(&mut self, call: CallId, _: &RequestRecord, response: &Response, _: SimTime) {
        self.requests[self.by_call[&call]].2 = response.http_status;
    }

    fn left_in_flight(&mut self, _: CallId, _: &RequestRecord) {
        panic!("every request of this world comes to an end");
    }
}

/// The requests of the world.
struct Requests(Stream, SimTime);

impl Arrivals for Requests {
    type Fate = Fate;

    fn next_at(&self) -> SimTime {
        if self.0.next_at() < self.1 { self.0.next_at() } else { SimTime::NEVER }
    }

    fn take(&mut self, next: &mut Arrival<Fate>) -> bool {
        let Some(request) = self.0.take() else { return false };
        *next = Arrival { leave: Leave::Never, ..request };
        true
    }
}

/// Plays the world once.
fn simulated() -> Keeper {
    let world = support::world(GATEWAY, SCENARIO);
    let (seed, replication) = (Seed(4), Replication(0));
    let mut keeper = Keeper::default();
    let mut gateway = LiteLlm::new(world.gateway.clone());
    let mut upstream = world.providers.replicate(seed, replication);
    let mut requests = Requests(world.traffic.replicate(seed, replication), SimTime::ZERO + world.horizon);
    let mut draws = Addressed::new(seed, replication);
    Engine::new(&mut gateway, &mut upstream, &mut requests, &mut draws, &mut keeper).run().unwrap();
    keeper
}

/// The run as a case: the nth call of a deployment is answered as it was.
fn case(kept: &Keeper) -> Value {
    let script = |id: &DeploymentId| -> Value {
        let answer = |(n, (request, call)): (usize, &(usize, usize))| {
            let (_, start, end, status) = &kept.requests[*request].1[*call];
            json!({"calls": [n + 1, n + 1], "status": status, "latency": end - start})
        };
        kept.started[id].iter().enumerate().map(answer).collect()
    };
    let upstream: serde_json::Map<String, Value> =
        kept.started.keys().map(|id| (DEPLOYMENTS[id.index()].to_owned(), script(id))).collect();
    let requests: Vec<Value> = kept.requests.iter().map(|(at, ..)| json!({"t": at, "model": "a"})).collect();
    let entry = |id: &str, group: &str, model: &str| json!({"model_name": group, "litellm_params": {"model": model}, "model_info": {"id": id}});
    json!({
        "name": "one machine",
        "config": {
            "model_list": [
                entry("a1", "a", "openai/gpt-4o-mini"), entry("a2", "a", "openai/gpt-4o-mini"),
                entry("b1", "b", "openai/gpt-4o"), entry("b2", "b", "openai/gpt-4o"),
            ],
            "router_settings": {
                "routing_strategy": "least-busy", "num_retries": 2, "cooldown_time": 20, "fallbacks": [{"a": ["b"]}],
            },
        },
        "upstream": upstream,
        "requests": requests,
    })
}

#[test]
fn a_simulated_run_played_as_a_script_makes_the_same_calls() {
    let kept = simulated();
    let calls: usize = kept.requests.iter().map(|(_, calls, _)| calls.len()).sum();
    let fallbacks = kept.requests.iter().filter(|(_, calls, _)| calls.iter().any(|call| call.0.starts_with('b')));
    assert!(kept.requests.len() > 4000 && calls > kept.requests.len() && fallbacks.count() > 50, "a lively world");

    let trace = billcast::report::trace("case.json", &case(&kept).to_string()).expect("a case that can be played").0;
    assert_eq!(trace.requests.len(), kept.requests.len());
    let near = |a: f64, b: f64| (a - b).abs() < 1e-5;
    for (played, (at, calls, status)) in trace.requests.iter().zip(&kept.requests) {
        assert!(near(played.at.as_secs_f64(), *at));
        assert_eq!(played.http_status, Some(*status), "{}", played.id);
        assert_eq!(played.attempts.len(), calls.len(), "{}: {:?} {calls:?}", played.id, played.attempts);
        for (attempt, (deployment, start, end, status)) in played.attempts.iter().zip(calls) {
            assert_eq!(
                (&attempt.deployment, attempt.status),
                (deployment, TraceStatus::Http(*status)),
                "{}",
                played.id
            );
            assert!(
                near(attempt.at.as_secs_f64(), *start) && near(attempt.end.map_or(-1.0, SimTime::as_secs_f64), *end)
            );
        }
    }
}
