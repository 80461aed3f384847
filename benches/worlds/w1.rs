//! The shared workload W1 (`benches/peers/W1.md`) as a world, through the gateway config of `scenarios/bench-w1`.

use std::sync::Arc;

use billcast::gateway::litellm::lower::{RequestParams, Setting, lower};
use billcast::gateway::litellm::plan::{Key, Plan};
use billcast::gateway::litellm::wire;
use billcast::ledger::{DeploymentTariff, RateSchedule, Tariffs};
use billcast::pricing::{Ask, PriceBook};
use billcast::provider::{Begin, Between, Deployment, Effect, Fault, Latency, Providers, Renewal, Timeline, Trouble};
use billcast::random::{Dist, Law, Seed, Shape};
use billcast::scenario::{DeploymentName, KeyName, Names, World};
use billcast::traffic::{Arrivals, Class, Traffic};
use billcast::units::{DeploymentId, GroupId, KeyId, NameId, SimDuration};
use jiff::{Timestamp, Zoned, tz::TimeZone};

/// The horizon: a weekend.
pub const HORIZON_S: f64 = 172_800.0;

const CONFIG: &str = include_str!("../../scenarios/bench-w1/gateway.yaml");
const GROUPS: [&str; 2] = ["chat", "backup"];

/// A weekend of about `requests` requests. `fixed` sets calm and burst to their mean lengths: one source of noise less.
pub fn world(requests: f64, fixed: bool) -> World {
    let gateway = plan();
    let tariffs = tariffs(&gateway);
    World {
        name: "bench-w1".to_owned(),
        description: String::new(),
        start: start(),
        horizon: SimDuration::from_secs_f64(HORIZON_S),
        runs: 1,
        seed: Seed(7),
        traffic: Arc::new(traffic(&gateway, requests / HORIZON_S)),
        providers: Arc::new(providers(fixed)),
        tariffs,
        names: names(),
        gateway,
        prices_as_of: String::new(),
        assumptions: Vec::new(),
        diagnostics: Vec::new(),
        sources: Vec::new(),
    }
}

fn start() -> Zoned {
    let midnight: Timestamp = "2026-11-21T00:00:00Z".parse().expect("a time");
    midnight.to_zoned(TimeZone::UTC)
}

fn plan() -> Plan {
    let (wire, diagnostics) = wire::read("gateway.yaml", CONFIG);
    let wire = wire.unwrap_or_else(|| panic!("{diagnostics:?}"));
    let (bodies, keys) = ([RequestParams::default()], [Key::default()]);
    let setting = Setting { models: &GROUPS, bodies: &bodies, keys: &keys, ..Setting::default() };
    lower(&wire, &setting).0
}

fn name(plan: &Plan, text: &str) -> NameId {
    plan.name_id(text).unwrap_or_else(|| panic!("`{text}` is not a name of the plan"))
}

fn tariffs(plan: &Plan) -> Tariffs {
    let book = PriceBook::built_in().expect("the built-in prices");
    let schedule = |model| {
        let rates = book.compile(&Ask::list_price(model, None), start().timestamp()).known();
        Some(RateSchedule::constant(rates.unwrap_or_else(|| panic!("`{model}` has no price"))))
    };
    let tariff = |(group, model)| {
        let schedule = schedule(model);
        DeploymentTariff { group: GroupId(group), billed: schedule.clone(), reported: schedule }
    };
    let mut homes = vec![None; plan.names.len()];
    for (group, text) in GROUPS.iter().enumerate() {
        homes[name(plan, text).index()] = Some(GroupId::from_index(group));
    }
    Tariffs {
        deployments: [(0, "openai/gpt-4o"), (1, "anthropic/claude-sonnet-4-5")].map(tariff).to_vec(),
        homes,
        lead: vec![Some(DeploymentId(0)), Some(DeploymentId(1))],
    }
}

fn lognormal(median: f64, sigma: f64) -> Dist {
    Dist::new(Law::LogNormal { mu: median.ln(), sigma }).expect("a distribution")
}

fn traffic(plan: &Plan, per_second: f64) -> Traffic {
    // Peak at noon: sin(2π(t/86400 − 1/4)) is highest half a day after midnight.
    let shape = Shape::sine(0.6, 43_200.0).expect("a shape");
    let horizon = SimDuration::from_secs_f64(HORIZON_S);
    let arrivals = Arrivals::poisson(shape.intensity(per_second, &start(), horizon, &[]));
    let (input, output) = (lognormal(800.0, 0.9), lognormal(250.0, 0.8));
    let class = Class::new(arrivals, name(plan, "chat"), KeyId(0), input, Some(output));
    Traffic::new(vec![class], None).expect("traffic")
}

fn providers(fixed: bool) -> Providers {
    let sojourn = |mean| {
        let law = if fixed { Law::Constant(mean) } else { Law::Exponential { mean } };
        Dist::new(law).expect("a distribution")
    };
    let bursts = Trouble {
        address: 1,
        timeline: Timeline::Renewal(Renewal {
            quiet_s: sojourn(21_600.0),
            active_s: sojourn(900.0),
            between: Between::EndAndStart,
            begin: Begin::Quiet,
            rhythm: None,
        }),
        effect: Effect { share_outside: 0.002, ..Effect::failing(Fault::Status(429), 0.9) },
    };
    let error_s = Dist::constant(0.1).expect("a distribution");
    let answers = |median| Latency::Total { total_s: lognormal(median, 0.6), first_token_share: 1.0 };
    let mut primary = Deployment::new(1, answers(1.5), error_s.clone());
    primary.troubles.push(0);
    let backup = Deployment::new(2, answers(2.0), error_s);
    Providers::new(vec![primary, backup], vec![bursts], Vec::new()).expect("providers")
}

fn names() -> Names {
    let deployment = |(group, model, provider): (u32, &str, &'static str)| DeploymentName {
        name: GROUPS[group as usize].to_owned(),
        group: GroupId(group),
        model: model.to_owned(),
        provider,
        rpm_limit: None,
        tpm_limit: None,
        concurrency_limit: None,
    };
    let entries = [(0, "openai/gpt-4o", "openai"), (1, "anthropic/claude-sonnet-4-5", "anthropic")];
    Names {
        deployments: entries.map(deployment).to_vec(),
        groups: GROUPS.map(str::to_owned).to_vec(),
        keys: vec![KeyName { name: "master".to_owned(), team: None }],
        classes: vec!["chat".to_owned()],
        troubles: Vec::new(),
    }
}
