//! `plan` agrees with theory where theory has an answer.

mod support;

use billcast::experiment::{
    BudgetOf, BudgetPlan, CapacityPlan, LimitKind, Offer, Options, PoolPlan, SpendPeriod, Unwatched, Wanted, plan,
    seek_budgets,
};
use billcast::random::Seed;
use billcast::scenario::{Edit, Overrides, World, load};

const GATEWAY: &str = "model_list:
- {model_name: m, litellm_params: {model: openai/gpt-4o-mini}}
router_settings: {num_retries: 0, disable_cooldowns: true}
";

fn world(hours: u32, rate: &str, upstream: &str) -> World {
    let traffic = format!("traffic: {{x: {{model: m, rate: {rate}, shape: flat, input: 100, output: 20}}}}");
    support::world(
        GATEWAY,
        &format!("volume_uncertainty: 0\nhours: {hours}\n{traffic}\nupstream: {{openai: {upstream}}}\n"),
    )
}

fn planned(world: &World, target: f64, threads: usize) -> CapacityPlan {
    let options = Options { runs: 4, seed: Seed(5), threads, precision: None, command: String::new() };
    plan(world, &options, &Wanted { target, offers: Vec::new() }, &Unwatched).unwrap()
}

fn needed(pool: &PoolPlan, kind: LimitKind) -> f64 {
    pool.limits.iter().find(|limit| limit.kind == kind).and_then(|limit| limit.needed).unwrap()
}

fn erlang_b(servers: u32, offered: f64) -> f64 {
    (1..=servers).fold(1.0, |blocked, n| offered * blocked / (f64::from(n) + offered * blocked))
}

#[test]
fn calls_at_once_are_those_of_erlangs_table() {
    // 3 Erlang offered: B(7) = 2.2%, B(8) = 0.81%, B(9) = 0.27%. The smallest number for 1.4% is 8, for 0.5% it is 9.
    let world = world(4, "1.5/s", "{preset: none, latency: exponential(mean=2)}");
    assert!(erlang_b(8, 3.0) < 0.0085 && erlang_b(7, 3.0) > 0.021 && erlang_b(9, 3.0) < 0.003);
    for (target, servers) in [(0.014, 8.0), (0.005, 9.0)] {
        let plan = planned(&world, target, 2);
        assert_eq!(needed(&plan.pools[0], LimitKind::Concurrency), servers, "{target}");
        assert!(plan.planned.as_ref().unwrap().refused[0] <= target && plan.pools[0].growth.is_none());
    }
}

#[test]
fn a_bucket_of_one_token_is_a_counter_with_a_dead_time() {
    // Poisson calls of rate λ at a bucket of one token that fills in τ: a share λτ / (1 + λτ) is refused
    // (a counter with non-extendable dead time). λ = 0.5/s at 60 a minute: one third. For 10% the limit
    // must be λ · 9 = 4.5/s = 270.
    let limits = "limits: {rpm: 60, refill: bucket, burst: 0.001}";
    let world = world(6, "0.5/s", &format!("{{preset: none, latency: 0.01, {limits}}}"));
    let plan = planned(&world, 0.1, 2);
    let pool = &plan.pools[0];
    // 43,000 calls: standard error below 0.25%.
    assert!((pool.refused_share - 1.0 / 3.0).abs() < 0.01, "{}", pool.refused_share);
    let smallest = needed(pool, LimitKind::Requests(60));
    assert!((smallest / 270.0 - 1.0).abs() < 0.05, "{smallest}");
    // Today's limit bears the traffic λ with λτ / (1 + λτ) = 10%: a ninth of one call a second, of 0.5.
    let growth = pool.growth.unwrap();
    assert!((growth / (1.0 / 9.0 / 0.5) - 1.0).abs() < 0.08, "{growth}");
    let binds = pool.binds.as_ref().unwrap();
    assert_eq!((binds.kind, binds.run_share), (LimitKind::Requests(60), 1.0));
    assert!(binds.at_hour < 0.1);
    assert!((plan.today.failure_rate - pool.refused_share).abs() < 1e-12, "nothing else fails here");
}

#[test]
fn a_limit_far_above_the_demand_has_headroom_and_bears_the_growth_up_to_it() {
    // A call of 120 tokens each second on average: Poisson minutes of 60 calls.
    let world = world(2, "1/s", "{preset: none, latency: 1, limits: {rpm: 600, tpm: 1M, refill: minute}}");
    let plan = planned(&world, 0.001, 2);
    let pool = &plan.pools[0];
    assert!(pool.binds.is_none() && pool.refused_share == 0.0);
    let requests = &pool.limits[0];
    let used = requests.used.unwrap();
    // The 99.9th percentile of a Poisson number of mean 60 is 85; the histogram adds at most 0.8%, the sample a little.
    assert!((used.p999 - 85.0).abs() < 7.0, "{}", used.p999);
    assert!((requests.headroom.unwrap() - (1.0 - used.p999 / 600.0)).abs() < 1e-12);
    // 600 a minute break where Poisson minutes of mean g·60 lose one call in a thousand: near g = 9.4.
    let growth = pool.growth.unwrap();
    assert!((8.8..10.0).contains(&growth), "{growth}");
    assert_eq!(pool.offered.calls, pool.admitted.calls);
    assert!(plan.planned.as_ref().unwrap().refused[0] <= 0.001);
}

#[test]
fn the_same_seed_gives_the_same_plan_on_any_number_of_threads() {
    let world = world(1, "0.5/s", "{preset: none, latency: 2, limits: {rpm: 40, concurrency: 3}}");
    let shown = |threads| billcast::report::plan::json(&planned(&world, 0.01, threads));
    assert_eq!(shown(1), shown(2));
}

#[test]
fn a_line_makes_fewer_places_do() {
    // 3 Erlang at any number of places: who waits in line is not refused, so that fewer places than in Erlang's loss
    // formula meet the target; what is found must hold when it is simulated.
    let places = |limits: &str| {
        let world = world(4, "1.5/s", &format!("{{preset: none, latency: exponential(mean=2), limits: {{{limits}}}}}"));
        let plan = planned(&world, 0.005, 2);
        assert!(plan.planned.as_ref().unwrap().refused[0] <= 0.005, "{limits}: {:?}", plan.planned);
        needed(&plan.pools[0], LimitKind::Concurrency)
    };
    assert_eq!(places("concurrency: 2"), 9.0);
    let in_line = places("concurrency: 2, queue: 4s");
    assert!((4.0..=6.0).contains(&in_line), "{in_line}");
}

#[test]
fn what_accounts_may_spend_is_told_and_stays_in_force() {
    // A call of 100 and 20 tokens of gpt-4o-mini costs $0.000027; 300 come in ten minutes: $0.0081.
    let plan = |limits: &str| {
        planned(&world(4, "0.5/s", &format!("{{preset: none, latency: 1, limits: {{{limits}}}}}")), 0.01, 2)
    };
    let tight = plan("spend_10min: 0.004, spend_month: 10, spent: 9, rpm: 1000");
    let [ten_minutes, month] = tight.spends.as_slice() else { panic!("{:?}", tight.spends) };
    assert_eq!((ten_minutes.period, month.period), (SpendPeriod::Seconds(600), SpendPeriod::Run));
    assert!((ten_minutes.used.p50 / 0.0081 - 1.0).abs() < 0.05, "{ten_minutes:?}");
    assert!(ten_minutes.headroom < -1.0 && ten_minutes.over_share == 1.0);
    assert!((month.limit - 1.0).abs() < 1e-9 && month.over_share == 0.0 && month.headroom > 0.5, "{month:?}");
    assert!(
        tight.today.failure_rate > 0.2 && tight.planned.as_ref().unwrap().failure_rate > 0.2,
        "no other limit helps: {:?}",
        tight.today
    );
    assert_eq!(tight.pools.len(), 1, "an account is no pool of deployments");
    assert!(plan("rpm: 1000").spends.is_empty());
}

#[test]
fn limits_of_months_begin_anew_with_the_month() {
    // $0.000027 · 0.02/s · 86,400 s = $0.0467 a day: two days of November, of which $9.95 were spent, two of December.
    let upstream = "{preset: none, latency: 1, limits: {spend_month: 10, spent: 9.95}}";
    let traffic = "traffic: {x: {model: m, rate: 0.02/s, shape: flat, input: 100, output: 20}}";
    let when = "volume_uncertainty: 0\nstart: 2026-11-29 00:00 UTC\nhours: 96";
    let world = support::world(GATEWAY, &format!("{when}\n{traffic}\nupstream: {{openai: {upstream}}}\n"));
    let made = planned(&world, 0.01, 2);
    let [first, later] = made.spends.as_slice() else { panic!("{:?}", made.spends) };
    assert_eq!((first.period, later.period), (SpendPeriod::FirstMonth, SpendPeriod::LaterMonth));
    assert!((first.limit - 0.05).abs() < 1e-9 && first.over_share == 1.0, "{first:?}");
    assert!((later.limit - 10.0).abs() < 1e-9 && later.over_share == 0.0, "{later:?}");
    for month in [first, later] {
        assert!((month.used.p50 / 0.0933 - 1.0).abs() < 0.1, "{month:?}");
    }
}

/// What `plan --budgets` finds for a gateway and its scenario, at this target of `seek_budgets`.
fn budgets_of(gateway: &str, scenario: &str, target: f64) -> Vec<BudgetPlan> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("gateway.yaml"), gateway).unwrap();
    std::fs::write(folder.path().join("scenario.yaml"), scenario).unwrap();
    let path = folder.path().to_string_lossy().into_owned();
    let load = |edits: Vec<Edit>| -> Result<World, Fault> {
        load(&path, &Overrides { edits, ..Overrides::default() }).map_err(Fault::from)
    };
    let world = load(Vec::new()).unwrap();
    let options = Options { runs: 2, seed: Seed(5), threads: 2, precision: None, command: String::new() };
    seek_budgets(&world, &options, target, &Unwatched, &load).unwrap().found
}

#[test]
fn the_smallest_budget_of_a_key_is_what_its_requests_cost() {
    // 3,600 requests of $0.000027 from each of two keys. Of all requests a quarter may be refused: half of one key's,
    // which then needs half of $0.0972; the search is exact to a cent, so prices are a thousand times as high here.
    let gateway = "model_list:
- {model_name: m, litellm_params: {model: openai/x, input_cost_per_token: 0.00015, output_cost_per_token: 0.0006}}
";
    let scenario = "gateway: gateway.yaml
hours: 2
volume_uncertainty: 0
keys: {a: {max_budget: 5}, b: {}}
traffic: {x: {model: m, keys: {a: 1, b: 1}, rate: 1/s, shape: flat, input: 100, output: 20}}
upstream: {openai: {preset: none, latency: 0.1}}
";
    let found = budgets_of(gateway, scenario, 0.25);
    let of = |name: &str| found.iter().find(|budget| budget.name == name).unwrap();
    let (a, b) = (of("a"), of("b"));
    assert_eq!((a.of, a.today.map(|today| today.to_string()), b.today), (BudgetOf::Key, Some("5.00".to_owned()), None));
    let dollars = |money: billcast::units::Money| money.picos() as f64 / 1e12;
    let spent = dollars(b.used.unwrap()[2]);
    assert!((spent / 97.2 - 1.0).abs() < 0.08, "{spent}");
    // Key a refuses 95% of its own requests at $5 today, which counts in both worlds alike.
    assert!((dollars(b.smallest) / (spent / 2.0) - 1.0).abs() < 0.06, "{b:?}");
    let all = &found[2];
    assert_eq!((all.of, all.period.as_deref()), (BudgetOf::Deployment, Some("1d")));
}

#[test]
fn no_budget_is_advised_that_sends_a_deployment_s_traffic_to_a_dearer_one() {
    let gateway = "model_list:
- {model_name: cheap, litellm_params: {model: openai/x, input_cost_per_token: 0.00015, output_cost_per_token: 0.0006}}
- {model_name: dear, litellm_params: {model: openai/y, input_cost_per_token: 0.0015, output_cost_per_token: 0.006}}
router_settings: {fallbacks: [{cheap: [dear]}]}
";
    let scenario = "gateway: gateway.yaml
start: 2026-11-20 12:00 UTC
hours: 2
volume_uncertainty: 0
traffic: {x: {model: cheap, rate: 1/s, shape: flat, input: 100, output: 20}}
upstream: {openai: {preset: none, latency: 0.1}}
";
    let found = budgets_of(gateway, scenario, 0.01);
    let cheap = found.iter().find(|budget| budget.name == "cheap/1").unwrap();
    // The fallback answers everything at any budget; all that the deployment spends is the least
    // that makes nothing dearer.
    let spent = cheap.used.unwrap()[2];
    assert!(cheap.failure_rate == 0.0 && cheap.bill[1] <= cheap.bill[0], "{cheap:?}");
    assert!(cheap.smallest.picos() as f64 > 0.97 * spent.picos() as f64, "{cheap:?}");
    // Nothing goes to the other one, so that any budget does.
    let dear = found.iter().find(|budget| budget.name == "dear/1").unwrap();
    assert_eq!((dear.smallest.to_string().as_str(), dear.bill[0]), ("0.01", dear.bill[1]));
}

/// Any error of a load.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Fault(String);

impl From<billcast::scenario::Problem> for Fault {
    fn from(problem: billcast::scenario::Problem) -> Self {
        Self(problem.to_string())
    }
}

#[test]
fn what_a_plan_reckons_of_paid_capacity_is_what_the_ledger_books() {
    let world = world(6, "2/s", "{preset: none, latency: exponential(mean=2)}");
    let offer = Offer { target: "m".to_owned(), unit_tokens: 1000, hourly: "0.01".parse().unwrap() };
    let options = Options { runs: 4, seed: Seed(5), threads: 2, precision: None, command: String::new() };
    let made = plan(&world, &options, &Wanted { target: 0.01, offers: vec![offer] }, &Unwatched).unwrap();
    let bought = &made.commitments[0];
    let edit = bought.edit().unwrap();
    assert!(bought.units > 5, "{bought:?}");
    let traffic = "traffic: {x: {model: m, rate: 2/s, shape: flat, input: 100, output: 20}}";
    let upstream = "upstream: {openai: {preset: none, latency: exponential(mean=2)}}";
    let scenario = format!("volume_uncertainty: 0\nhours: 6\n{traffic}\n{upstream}\n");
    let edits = vec![Edit::parse(&edit).unwrap()];
    let with = support::load_with(GATEWAY, &scenario, &Overrides { edits, ..Overrides::default() }).unwrap();
    let mean = support::forecast_of(&with, 5, 4, 2).bill.mean;
    let (reckoned, booked) = (bought.with_units.picos() as f64, mean.picos() as f64);
    assert!((booked / reckoned - 1.0).abs() < 0.01, "{mean} booked, {} reckoned", bought.with_units);
    assert!(booked < bought.on_demand.picos() as f64);
}
