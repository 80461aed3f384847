//! Several processes of one gateway against what the real proxy was measured to do with 1, 2 and 4 workers, without
//! Redis (`w`), with a Redis for the router (`rR`) and for everything (`R`): LiteLLM 1.102.4 on loopback, 95 s a run,
//! one connection for each request.

mod support;

use billcast::engine::{Arrival, Arrivals, Asked, AttemptRecord, Engine, Observer, RequestRecord};
use billcast::gateway::fleet::Fleet;
use billcast::gateway::litellm::LiteLlm;
use billcast::gateway::{Attempt, Notes, Response, Source};
use billcast::provider::Service;
use billcast::random::{Addressed, Replication, Seed, mix};
use billcast::scenario::World;
use billcast::traffic::{Ending, Fate, Stream};
use billcast::units::{CallId, DeploymentId, PromptId, SimTime};

/// What is kept of a run.
#[derive(Default)]
struct Log {
    /// Start of each call, by deployment.
    calls: Vec<(f64, DeploymentId)>,
    /// Arrival, answer and source of each request.
    answers: Vec<(f64, f64, Response)>,
}

impl Notes for Log {
    fn cooldown(&mut self, _: SimTime, _: DeploymentId, _: SimTime) {}
}

impl Observer for Log {
    fn arrived(&mut self, _: CallId, _: &RequestRecord) {}
    fn attempted(&mut self, _: CallId, _: &RequestRecord, attempt: &Attempt, _: &Service, now: SimTime) {
        self.calls.push((now.as_secs_f64(), attempt.deployment));
    }
    fn ended(&mut self, _: CallId, _: &RequestRecord, _: &AttemptRecord<'_>) {}
    fn responded(&mut self, _: CallId, request: &RequestRecord, response: &Response, now: SimTime) {
        self.answers.push((request.arrived.as_secs_f64(), now.as_secs_f64(), *response));
    }
    fn left_in_flight(&mut self, _: CallId, _: &RequestRecord) {}
}

impl Log {
    fn hits(&self, deployment: u32, from: f64, to: f64) -> f64 {
        let is_hit = |(at, id): &&(f64, DeploymentId)| id.0 == deployment && (from..to).contains(at);
        self.calls.iter().filter(is_hit).count() as f64
    }
}

struct Requests {
    stream: Stream,
    end: SimTime,
    /// Prompts are drawn from this many at random.
    prompts: Option<u64>,
}

impl Arrivals for Requests {
    type Fate = Fate;

    fn next_at(&self) -> SimTime {
        let at = self.stream.next_at();
        if at < self.end { at } else { SimTime::NEVER }
    }

    fn take(&mut self, next: &mut Arrival<Fate>) -> bool {
        let Some(request) = self.stream.take() else { return false };
        *next = request;
        let prompt = &mut next.view.prompt;
        *prompt = self.prompts.map_or(*prompt, |n| PromptId(mix(request.view.id.0) % n));
        true
    }

    fn responded(&mut self, now: SimTime, record: &RequestRecord, _: Asked<Fate>, ending: Ending) {
        self.stream.responded(now, record.class, record.view.id, ending == Ending::Good);
    }
}

/// Plays one replication.
fn play(world: &World, replication: u64, prompts: Option<u64>) -> Log {
    let (seed, replication) = (Seed(3), Replication(replication));
    let mut log = Log::default();
    let mut upstream = world.providers.replicate(seed, replication);
    let end = SimTime::ZERO + world.horizon;
    let mut requests = Requests { stream: world.traffic.replicate(seed, replication), end, prompts };
    let mut draws = Addressed::new(seed, replication);
    let gateway = LiteLlm::new(world.gateway.clone());
    match &world.fleet {
        Some(plan) => {
            let mut gateway = Fleet::new(plan, gateway, seed, replication, end);
            Engine::new(&mut gateway, &mut upstream, &mut requests, &mut draws, &mut log).run().unwrap();
        }
        None => {
            let mut gateway = gateway;
            Engine::new(&mut gateway, &mut upstream, &mut requests, &mut draws, &mut log).run().unwrap();
        }
    }
    log
}

/// Mean of a number over replications.
fn mean(world: &World, runs: u64, value: impl Fn(&Log) -> f64) -> f64 {
    (0..runs).map(|replication| value(&play(world, replication, None))).sum::<f64>() / runs as f64
}

/// Whether a figure lies where the measured ones do.
fn check(what: &str, setup: &str, found: f64, (low, high): (f64, f64)) {
    assert!((low..=high).contains(&found), "{what}, {setup}: {found:.2}, expected {low} to {high}");
}

/// The five set-ups of the measurement.
const SETUPS: [(&str, &str); 5] = [
    ("1w", "{ workers: 1 }"),
    ("2w", "{ workers: 2, redis: none }"),
    ("4w", "{ workers: 4, redis: none }"),
    ("4w+R", "{ workers: 4, redis: proxy }"),
    ("4w+rR", "{ workers: 4, redis: router }"),
];

/// A world whose providers are quick and never fail unless `upstream` says so.
fn world(gateway: &str, fleet: &str, secs: f64, traffic: &str, upstream: &str) -> World {
    let hours = secs / 3600.0;
    let scenario = format!(
        "hours: {hours}\nstart: 2026-11-20 18:00:00 UTC\nvolume_uncertainty: 0\nfleet: {fleet}\n\
         traffic:\n{traffic}upstream:\n  openai: {{ preset: none, latency: 0.1, error_answer: 0.02 }}\n{upstream}"
    );
    support::world(gateway, &scenario)
}

fn model(group: &str, id: &str, params: &str) -> String {
    format!(
        "- {{model_name: {group}, litellm_params: {{model: openai/gpt-4o-mini{params}}}, model_info: {{id: {id}}}}}\n"
    )
}

/// The measured proxy had 38 to 51 requests a second in all: their picks read the cooldowns in Redis, too.
const OTHERS: &str = "  others: { model: other, rate: 36/s, input: 100, output: 20 }\n";

/// Two deployments, one dead, four requests a second.
fn one_dead(fails: &str, settings: &str, fleet: &str) -> World {
    let models = model("m", "dead", "") + &model("m", "alive", "") + &model("other", "c", "");
    let gateway = format!("model_list:\n{models}router_settings: {{num_retries: 2{settings}}}\n");
    let traffic = format!("  load: {{ model: m, rate: 4/s, input: 100, output: 20 }}\n{OTHERS}");
    world(&gateway, fleet, 95.0, &traffic, &format!("  dead: {{ errors: {{ {fails}: 100% }} }}\n"))
}

/// The bounds are the measured figures of all groups, the overloaded one-worker runs left out, and the reference
/// model's mean ± one of its standard deviations; means of 60 runs have standard errors below 0.7.
#[test]
fn cooldowns_hit_a_dead_deployment_as_often_as_measured() {
    let rows = [
        ("500", "", [(14.8, 17.6), (28.0, 37.0), (50.1, 60.0), (33.6, 42.8), (33.6, 42.8)]),
        ("429", "", [(10.6, 12.8), (19.2, 20.8), (32.6, 37.6), (15.8, 20.8), (15.8, 20.8)]),
        (
            "500",
            ", allowed_fails: 2, cooldown_time: 10",
            [(18.4, 24.9), (36.0, 45.2), (64.9, 79.0), (22.4, 30.0), (22.0, 28.2)],
        ),
    ];
    for (fails, settings, bounds) in rows {
        for ((setup, fleet), bounds) in SETUPS.into_iter().zip(bounds) {
            let world = one_dead(fails, settings, fleet);
            let steady = mean(&world, 60, |log| log.hits(0, 15.0, 90.0) / 75.0 * 60.0);
            check(&format!("hits a minute of a dead deployment: {fails}{settings}"), setup, steady, bounds);
        }
    }
}

/// Half a minute of requests more than the limit: how many were admitted in the first minute.
fn admitted(log: &Log) -> f64 {
    log.answers.iter().filter(|(at, _, response)| response.ok && *at < 59.0).count() as f64
}

#[test]
fn limits_admit_as_many_as_measured() {
    let one = |params: &str| format!("model_list:\n{}", model("m", "a", params));
    let plain = "  load: { model: m, rate: 4/s, input: 100, output: 20 }\n";
    let limited = |limit: &str| {
        let key = "  load: { model: m, key: k, rate: 4/s, input: 100, output: 20, max_tokens: 20 }\n";
        format!("{key}keys:\n  k: {{ {limit} }}\n")
    };
    let precall = one(", rpm: 30") + "router_settings: {enable_pre_call_checks: true, num_retries: 0}\n";
    let enforce = |what: &str| one(what) + "router_settings: {optional_pre_call_checks: [enforce_model_rate_limits]}\n";
    // Exactly W times the limit without Redis. Tokens: 25 requests a minute, and those before the first usage is known.
    let exact = |n: f64| [n, 2.0 * n, 4.0 * n].map(|n| (n, n));
    let tokens = |w: f64| (25.0 * w - 1.0, 26.0 * w + 3.0);
    let with = |own: [(f64, f64); 3], all: (f64, f64), router: (f64, f64)| [own[0], own[1], own[2], all, router];
    let rows = [
        ("key rpm 30", one(""), limited("rpm_limit: 30"), with(exact(30.0), (30.0, 30.0), (118.0, 120.0))),
        (
            "key tpm 3000",
            one(""),
            limited("tpm_limit: 3000"),
            with([1.0, 2.0, 4.0].map(tokens), (24.0, 30.0), tokens(4.0)),
        ),
        ("pre-call rpm 30", precall, plain.to_owned(), with(exact(30.0), (111.0, 120.0), (120.0, 120.0))),
        ("enforced rpm 30", enforce(", rpm: 30"), plain.to_owned(), with(exact(30.0), (30.0, 30.0), (30.0, 30.0))),
        (
            "enforced tpm 3000",
            enforce(", tpm: 3000"),
            plain.to_owned(),
            with([1.0, 2.0, 4.0].map(tokens), tokens(4.0), tokens(4.0)),
        ),
    ];
    for (what, gateway, traffic, bounds) in rows {
        for ((setup, fleet), bounds) in SETUPS.into_iter().zip(bounds) {
            check(what, setup, mean(&world(&gateway, fleet, 60.0, &traffic, ""), 10, admitted), bounds);
        }
    }
}

/// The usage-based strategy stops one request early in each process; with Redis it learns ten times a second, but of
/// tokens only at the start of a minute.
#[test]
fn usage_based_routing_admits_as_many_as_measured() {
    let settings = "router_settings: {routing_strategy: usage-based-routing-v2, num_retries: 0}\n";
    let v2 = |models: &[(&str, &str)]| {
        let models: String = models.iter().map(|(id, params)| model("m", id, params)).collect();
        format!("model_list:\n{models}{settings}")
    };
    let traffic = "  load: { model: m, rate: 4/s, input: 100, output: 20 }\n";
    let rows = [
        (v2(&[("a", ", rpm: 30")]), [(29.0, 29.0), (58.0, 58.0), (116.0, 116.0), (32.0, 33.0), (32.0, 33.0)]),
        (
            v2(&[("a", ", rpm: 15"), ("b", ", rpm: 15")]),
            [(28.0, 28.0), (56.0, 56.0), (112.0, 112.0), (33.0, 35.0), (33.0, 35.0)],
        ),
        (v2(&[("a", ", tpm: 3000")]), [(25.0, 26.0), (50.0, 52.0), (98.0, 102.0), (77.0, 94.0), (77.0, 94.0)]),
    ];
    for (gateway, bounds) in rows {
        for ((setup, fleet), bounds) in SETUPS.into_iter().zip(bounds) {
            let calls = mean(&world(&gateway, fleet, 60.0, traffic, ""), 20, |log| log.calls.len() as f64);
            check(&gateway, setup, calls, bounds);
        }
    }
}

/// Requests of a tenth of a cent, twelve a second.
#[test]
fn budgets_are_overspent_as_measured() {
    let price = ", input_cost_per_token: 0.000005, output_cost_per_token: 0.000025";
    let settings = "router_settings: {num_retries: 0";
    let budget = |limit: f64| {
        let own = format!("{price}, max_budget: {limit}, budget_duration: 1h");
        format!("model_list:\n{}{settings}}}\n", model("m", "a", &own))
    };
    let of_provider = format!(
        "model_list:\n{}{settings}, provider_budget_config: {{openai: {{budget_limit: 0.02, time_period: 1h}}}}}}\n",
        model("m", "a", price)
    );
    let plain = "  load: { model: m, rate: 12/s, input: 100, output: 20 }\n".to_owned();
    let key = "  load: { model: m, key: k, rate: 12/s, input: 100, output: 20, max_tokens: 20 }\nkeys:\n  \
               k: { max_budget: 0.02 }\n";
    let keyed = format!("model_list:\n{}", model("m", "a", price));
    // Without Redis W times the limit, and what was in flight when it was reached.
    let own = [(1.0, 1.2), (2.0, 2.2), (4.0, 4.1)];
    let rows = [
        (budget(0.02), plain.clone(), 0.02, [own[0], own[1], own[2], (1.4, 1.95), (1.4, 1.95)]),
        (budget(0.05), plain.clone(), 0.05, [own[0], own[1], own[2], (1.17, 1.32), (1.17, 1.32)]),
        (of_provider, plain, 0.02, [own[0], own[1], own[2], (1.43, 1.95), (1.43, 1.95)]),
        (keyed, key.to_owned(), 0.02, [(0.95, 1.05), (1.95, 2.05), (3.9, 4.05), (0.95, 1.05), (3.9, 4.05)]),
    ];
    for (gateway, traffic, limit, bounds) in rows {
        for ((setup, fleet), bounds) in SETUPS.into_iter().zip(bounds) {
            let spent = mean(&world(&gateway, fleet, 60.0, &traffic, ""), 40, |log| log.calls.len() as f64 * 0.001);
            check(&gateway, setup, spent / limit, bounds);
        }
    }
}

/// 60 different prompts at random, about 288 requests: the measured shares, and D·W·(1 − e^(−N/(D·W))) upstream calls.
#[test]
fn responses_are_cached_as_measured() {
    for (setup, fleet, kind, processes, bounds) in [
        ("1w", "{ workers: 1 }", "local", 1.0, (0.77, 0.80)),
        ("2w", "{ workers: 2, redis: none }", "local", 2.0, (0.59, 0.64)),
        ("4w", "{ workers: 4, redis: none }", "local", 4.0, (0.395, 0.45)),
        ("4w+R", "{ workers: 4 }", "redis, host: localhost", 1.0, (0.77, 0.80)),
        ("4w+rR", "{ workers: 4, redis: router }", "local", 4.0, (0.395, 0.45)),
    ] {
        let cache = format!("litellm_settings: {{cache: true, cache_params: {{type: {kind}, ttl: 600}}}}\n");
        let gateway = format!("model_list:\n{}{cache}", model("m", "a", ""));
        let traffic = "  load: { model: m, rate: 4/s, input: 100, output: 20 }\n";
        let world = world(&gateway, fleet, 72.0, traffic, "");
        let (mut hits, mut requests, mut calls) = (0.0, 0.0, 0.0);
        for replication in 0..40 {
            let log = play(&world, replication, Some(60));
            hits += log.answers.iter().filter(|(_, _, answer)| answer.source == Source::Cache).count() as f64;
            requests += log.answers.len() as f64;
            calls += log.calls.len() as f64;
        }
        check("hit share", setup, hits / requests, bounds);
        let (all, each) = (60.0 * processes, requests / 40.0);
        let expected = all * (1.0 - (-each / all).exp());
        check("upstream calls", setup, calls / 40.0, (expected - 3.0, expected + 5.0));
    }
}

/// A new connection for each request spreads them evenly; connections that are kept open stay with their process.
#[test]
fn requests_go_to_processes_as_measured() {
    // The picks of each process count up to 30 a minute: how many are admitted says how many processes are in use.
    let gateway = format!(
        "model_list:\n{}router_settings: {{enable_pre_call_checks: true, num_retries: 0}}\n",
        model("m", "a", ", rpm: 30")
    );
    let traffic = "  load: { model: m, rate: 40/s, input: 100, output: 20 }\n";
    let in_use = |fleet: &str, replication| {
        admitted(&play(&world(&gateway, fleet, 60.0, traffic, ""), replication, None)) / 30.0
    };
    assert_eq!(in_use("{ workers: 4 }", 0), 4.0);
    // Four connections over four processes: 4·(1 − (3/4)^4) = 2.73 in use, standard deviation 0.66 a run.
    let kept: f64 = (0..100).map(|replication| in_use("{ workers: 4, connections: 4 }", replication)).sum();
    assert!((kept / 100.0 - 2.734).abs() < 4.0 * 0.066, "{}", kept / 100.0);
    assert_eq!(in_use("{ replicas: 2, workers: 2, connections: 64 }", 0), 4.0);
}

/// Sixteen users whose calls take 4 s: what is lost when processes end, and what is forgotten.
#[test]
fn processes_that_end_lose_and_forget_what_was_measured() {
    let gateway = format!("model_list:\n{}", model("m", "a", ""));
    let users = "  load: { model: m, workers: { count: 16, think: 0.01 }, input: 100, output: 20 }\n";
    let slow = "  a: { latency: 4 }\n";
    let lost = |fleet: &str, replication| {
        let world = world(&gateway, fleet, 60.0, users, slow);
        let log = play(&world, replication, None);
        let of = |source| log.answers.iter().filter(|(_, _, answer)| answer.source == source).count() as f64;
        let run = support::run(&world, 3, replication);
        assert_eq!(run.requests, run.served + run.failed + run.rejected + run.abandoned + run.lost + run.in_flight);
        assert_eq!(run.lost as f64, of(Source::Lost));
        (of(Source::Lost), of(Source::NoProcess))
    };
    // One of four processes is killed: each of 16 requests is in it with probability 1/4 (measured 1, 3 and 7 of 16).
    let killed: f64 = (0..100).map(|run| lost("{ workers: 4, crashes: [{ at: [30] }] }", run).0).sum();
    assert!((killed / 100.0 - 4.0).abs() < 4.0 * 0.18, "{}", killed / 100.0);
    // An orderly stop answers everything in flight; new connections are refused until the processes are back.
    assert_eq!(lost("{ workers: 4, deploys: [{ at: [30] }] }", 0).0, 0.0);
    assert!(lost("{ workers: 4, deploys: [{ at: [30] }] }", 0).1 > 0.0);
    // With a grace shorter than the calls, what is left then is lost; with two replicas nothing is refused.
    assert!(lost("{ workers: 4, deploys: [{ at: [30], grace: 1 }] }", 0).0 > 0.0);
    assert_eq!(lost("{ replicas: 2, deploys: [{ at: [20] }] }", 0), (0.0, 0.0));
}

/// A key's window and a deployment's budget outlive a restart in Redis only: measured 81 of 81 admitted
/// without, 0 of 81 with it.
#[test]
fn redis_outlives_a_restart() {
    let budget =
        ", input_cost_per_token: 0.000005, output_cost_per_token: 0.000025, max_budget: 0.02, budget_duration: 1h";
    let gateway = format!("model_list:\n{}router_settings: {{num_retries: 0}}\n", model("m", "a", budget));
    let plain = "  load: { model: m, rate: 12/s, input: 100, output: 20 }\n";
    let keyed = "  load: { model: m, key: k, rate: 4/s, input: 100, output: 20 }\nkeys: { k: { rpm_limit: 30 } }\n";
    let unlimited = format!("model_list:\n{}", model("m", "a", ""));
    for (redis, budgets, windows) in [("none", 1.0, 1.0), ("router", 0.0, 1.0), ("proxy", 0.0, 0.0)] {
        let fleet = format!("{{ workers: 2, redis: {redis}, deploys: [{{ at: [30], down: 1 }}] }}");
        let after = |gateway: &str, traffic: &str| {
            let log = play(&world(gateway, &fleet, 59.5 + 0.5, traffic, ""), 0, None);
            let late = log.answers.iter().filter(|(at, _, answer)| *at > 31.5 && *at < 58.0 && answer.ok).count();
            f64::from(u8::from(late > 0))
        };
        assert_eq!(after(&gateway, plain), budgets, "budget, Redis: {redis}");
        assert_eq!(after(&unlimited, keyed), windows, "key window, Redis: {redis}");
    }
}

/// What stands in front: a soft limit spreads, a hard one refuses; the gateway's own time is added to every answer.
#[test]
fn the_front_spreads_refuses_and_takes_its_time() {
    let gateway = format!("model_list:\n{}", model("m", "a", ""));
    let users =
        |n: u32| format!("  load: {{ model: m, workers: {{ count: {n}, think: 1 }}, input: 100, output: 20 }}\n");
    let refused = |fleet: &str, users: &str| {
        let log = play(&world(&gateway, fleet, 60.0, users, "  a: { latency: 5 }\n"), 0, None);
        log.answers.iter().filter(|(_, _, answer)| answer.source == Source::NoProcess).count()
    };
    assert_eq!(refused("{ replicas: 2, concurrency: { soft: 5, hard: 10 } }", &users(20)), 0);
    assert!(refused("{ replicas: 2, concurrency: { soft: 5, hard: 9 } }", &users(20)) > 0);
    let log = play(&world(&gateway, "{ overhead: 0.05 }", 60.0, &users(5), ""), 0, None);
    assert!(log.answers.iter().all(|(from, to, _)| (to - from - 0.15).abs() < 1e-9));
}
