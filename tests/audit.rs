//! The rules about configs as wholes: each finds its fault, its remedy removes it, and its price
//! is what the ledger says.

mod support;

use billcast::audit::{Asked, Catalog, Finding, RULES, Remedy, audit, price};
use billcast::diagnostic::codes;
use billcast::experiment::{Options, Unwatched};
use billcast::pricing::PriceBook;
use billcast::random::Seed;
use billcast::report::TerminalOptions;
use billcast::report::audit::{Priced, json, sarif, text};
use billcast::scenario::{Edit, Files, Overrides, World, load, read_edited_gateway};
use billcast::units::Money;

/// A config in a folder of its own, and the scenario that it is checked under.
struct Case {
    folder: tempfile::TempDir,
}

impl Case {
    fn new(gateway: &str, scenario: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("gateway.yaml"), gateway).unwrap();
        std::fs::write(folder.path().join("scenario.yaml"), format!("gateway: gateway.yaml\n{scenario}")).unwrap();
        Self { folder }
    }

    fn world(&self, edits: Vec<Edit>) -> World {
        let path = self.folder.path().to_string_lossy().into_owned();
        load(&path, &Overrides { edits, ..Overrides::default() }).unwrap_or_else(|problem| panic!("{problem}"))
    }

    fn findings(&self, remedy: Option<&Remedy>) -> Vec<Finding> {
        let edits = remedy.map(edits).unwrap_or_default();
        let files = Files::Disk(self.folder.path().to_owned());
        let gateway = read_edited_gateway(&files, "gateway.yaml", &edits).unwrap_or_else(|problem| panic!("{problem}"));
        let world = self.world(edits);
        let catalog = Catalog::new(&gateway.wire, &PriceBook::built_in().unwrap()).unwrap().of_world(&world);
        let found = match remedy {
            None => gateway.text.check(),
            Some(_) => gateway.diagnostics,
        };
        audit(&gateway.text, &gateway.wire, found, &catalog, Some(&Asked::of(&world)))
    }
}

fn edits(remedy: &Remedy) -> Vec<Edit> {
    let edit = |(flag, text)| if flag == "unset" { Edit::remove(text) } else { Edit::parse(text) };
    remedy.flags().map(edit).collect::<Result<_, _>>().unwrap_or_else(|problem| panic!("{problem}"))
}

const UPWARD: &str = "model_list:
- {model_name: cheap, litellm_params: {model: openai/gpt-4o-mini, api_key: k}}
- {model_name: dear, litellm_params: {model: openai/gpt-4o, api_key: k}}
router_settings: {fallbacks: [{cheap: [dear]}]}
";

const TRAFFIC: &str = "hours: 6
start: 2026-11-20 12:00 UTC
traffic: {chat: {preset: chat, model: cheap, rate: 20/min, repeats: {share: 30%, within: 1h}, timeout: 60, retries: 2}}
upstream: {cheap: {bursts: {every: 1h, lasts: 10m, share: 90%}}}
";

#[test]
fn every_rule_finds_its_fault_and_every_remedy_removes_it() {
    let more = "- {model_name: old, litellm_params: {model: anthropic/claude-3-5-sonnet, api_key: k}}
- {model_name: secret-sauce, litellm_params: {model: openai/nobody-knows-this, api_key: k}}
router_settings:";
    let case = Case::new(&UPWARD.replace("router_settings:", more), TRAFFIC);
    let findings = case.findings(None);
    for rule in RULES {
        assert!(findings.iter().any(|found| found.diagnostic.code == rule.code), "{} finds nothing", rule.name);
    }
    let mut removed = 0;
    for finding in &findings {
        for remedy in &finding.remedies {
            let left = case.findings(Some(remedy));
            let same = |other: &Finding| {
                other.diagnostic.code == finding.diagnostic.code
                    && other.diagnostic.message == finding.diagnostic.message
            };
            assert!(!left.iter().any(same), "{}: {:?}", finding.diagnostic.message, remedy.edits);
            removed += 1;
        }
    }
    assert!(removed >= 9, "{removed}");
}

#[test]
fn real_answers_in_place_of_made_up_ones_are_priced() {
    let made_up = "mock_response: hello, mock_timeout: false}}";
    let case = Case::new(&UPWARD.replace("api_key: k}}", &format!("api_key: k, {made_up}")), TRAFFIC);
    let findings = case.findings(None);
    let told: Vec<_> = findings.iter().filter(|one| one.diagnostic.code == codes::MADE_UP_ANSWERS).collect();
    assert_eq!(told.len(), 2, "{findings:#?}");
    assert_eq!(support::forecast_of(&case.world(Vec::new()), 3, 2, 2).bill.max, Money::ZERO);
    let all: Vec<Edit> = told.iter().flat_map(|one| edits(&one.remedies[0])).collect();
    let real = support::forecast_of(&case.world(all), 3, 2, 2).bill;
    let plain = support::forecast_of(&Case::new(UPWARD, TRAFFIC).world(Vec::new()), 3, 2, 2).bill;
    assert!(real.mean > Money::ZERO && real.mean == plain.mean, "{real:?}");
}

#[test]
fn a_config_without_faults_has_no_findings() {
    let good = "model_list:
- {model_name: cheap, litellm_params: {model: openai/gpt-4o-mini, api_key: k, timeout: 20}}
- {model_name: cheap, litellm_params: {model: mistral/mistral-small-2603, api_key: k, timeout: 20}}
router_settings: {num_retries: 1}
";
    let scenario =
        "traffic: {chat: {preset: chat, model: cheap, key: k, rate: 1/min, timeout: 60}}\nkeys: {k: {max_budget: 5}}\n";
    let found = Case::new(good, scenario).findings(None);
    assert!(found.is_empty(), "{found:#?}");
}

/// The fix that was published for a weekend of expensive fallbacks.
const PUBLISHED: &str = "model_list:
- {model_name: cheap, litellm_params: {model: deepseek/deepseek-chat, api_key: k, max_budget: 50}}
- {model_name: claude-haiku, litellm_params: {model: claude/claude-3-haiku, api_key: k, max_budget: 50}}
litellm_settings:
  num_retries: 2
  allowed_fails: 3
  cooldown_time: 60
  fallbacks: [{cheap: [claude-haiku]}]
";

#[test]
fn a_published_fix_that_does_nothing_is_said_to_do_nothing() {
    let case = Case::new(
        PUBLISHED,
        "start: 2025-01-31 18:00 UTC\ntraffic: {chat: {preset: chat, model: cheap, rate: 5/min}}\n",
    );
    let findings = case.findings(None);
    let of = |code| findings.iter().filter(|found| found.diagnostic.code == code).collect::<Vec<_>>();
    for (code, number) in [
        (codes::BUDGET_WITHOUT_PERIOD, 2),
        (codes::DROPPED_DEPLOYMENT, 1),
        (codes::INERT_KEY, 1),
        (codes::ALLOWED_FAILS, 1),
        (codes::FALLBACK_TO_NOTHING, 1),
    ] {
        assert_eq!(of(code).len(), number, "{code}");
    }
    let change = |code| of(code)[0].remedies[0].change.clone();
    assert_eq!(change(codes::INERT_KEY), "router_settings.cooldown_time: 60");
    assert_eq!(change(codes::ALLOWED_FAILS), "router_settings.allowed_fails: 2");
    assert_eq!(change(codes::DROPPED_DEPLOYMENT), "model: anthropic/claude-3-haiku");
    assert!(of(codes::NO_BUDGET).len() == 1, "a budget without a period is none");
}

#[test]
fn an_edge_is_priced_as_the_ledger_prices_it_and_a_change_of_nothing_at_zero() {
    let case = Case::new(UPWARD, TRAFFIC);
    let world = case.world(Vec::new());
    let findings = case.findings(None);
    let options = Options { runs: 8, seed: Seed(3), threads: 2, precision: None, command: String::new() };
    let nothing = Remedy { change: "nothing".to_owned(), edits: vec!["seed=77".to_owned()] };
    let mut with_nothing = findings.clone();
    let upward = with_nothing.iter().position(|found| found.diagnostic.code == codes::FALLBACK_UPWARD).unwrap();
    with_nothing[upward].remedies.push(nothing);
    let priced = price(&world, &with_nothing, &options, &Unwatched, |edits| {
        let path = case.folder.path().to_string_lossy().into_owned();
        load(&path, &Overrides { edits, ..Overrides::default() })
    });
    assert_eq!(priced.runs, 8);
    let tried = &priced.findings[upward];
    let stake = |index: usize| tried[index].stake.as_ref().unwrap();
    // Sideways saves the premium of the edge, and no more than it.
    let forecast = support::forecast_of(&world, 3, 8, 2);
    let premium = forecast.edges.iter().find(|edge| edge.to == "dear").unwrap().premium.unwrap();
    let sideways = stake(0);
    assert!(sideways.saved_mean > Money::ZERO && sideways.saved_mean < premium + premium, "{sideways:?}");
    assert!(sideways.without.failure_ppm < sideways.with.failure_ppm + 20_000);
    let zero = stake(tried.len() - 1);
    assert_eq!((zero.saved_mean, zero.saved_half_width, zero.saved_p95), (Money::ZERO, Money::ZERO, Money::ZERO));
    assert_eq!(zero.with, zero.without);

    let list: serde_json::Value = serde_json::from_str(&json(&with_nothing, Some(&priced))).unwrap();
    let bill = &list[upward]["changes"][0]["bill"];
    assert_eq!(bill["delta"]["mean"], serde_json::json!(-sideways.saved_mean));
    let log: serde_json::Value = serde_json::from_str(&sarif(&with_nothing, Some(&priced))).unwrap();
    let result = &log["runs"][0]["results"][upward];
    assert_eq!(result["ruleId"], codes::FALLBACK_UPWARD);
    assert_eq!(result["properties"]["changes"][0]["bill"], *bill);
}

const RETIRED: &str = "model_list:
- {model_name: old, litellm_params: {model: openai/gpt-4-turbo, api_key: k}, model_info: {id: old}}
- {model_name: new, litellm_params: {model: openai/gpt-4o, api_key: k}, model_info: {id: new}}
router_settings: {fallbacks: [{old: [new]}], num_retries: 0}
";

/// A scenario that starts on a day: the model is retired on 2026-10-23.
fn retiring(start: &str, upstream: &str) -> Case {
    let upstream = format!("upstream: {{openai: {{preset: none, latency: 1{upstream}}}}}");
    Case::new(
        RETIRED,
        &format!(
            "hours: 24\nvolume_uncertainty: 0\nstart: {start} UTC\n\
             traffic: {{x: {{model: old, rate: 10/min, shape: flat, input: 100, output: 50}}}}\n{upstream}\n"
        ),
    )
}

#[test]
fn a_retired_model_answers_404_in_a_run_from_its_day_on() {
    // Share of the calls to the old model that fail, by what the scenario says; noon splits the day in half.
    for (start, upstream, share) in [
        ("2026-10-01 00:00", "", 0.0),
        ("2026-10-22 12:00", "", 0.5),
        ("2026-11-01 00:00", "", 1.0),
        ("2026-11-01 00:00", ", retired_from: never", 0.0),
        ("2026-11-01 00:00", ", retired_from: 6h", 0.75),
        ("2026-11-01 00:00", ", redirected: {at: 0h, to: gpt-4o}", 0.0),
    ] {
        let case = retiring(start, upstream);
        let world = case.world(Vec::new());
        let run = support::run(&world, 1, 0);
        // A 404 puts the deployment to rest: what counts is what it answers.
        let served = run.deployments[0].served as f64 / run.requests as f64;
        assert!((served - (1.0 - share)).abs() < 0.05, "{start}{upstream}: {served}");
        let says = world.diagnostics.iter().any(|found| found.code == codes::RETIRED_MODEL);
        let assumed = world.assumptions.iter().any(|said| said.name == "upstream.old.retired_from");
        assert_eq!((says, assumed), (upstream.is_empty() && share > 0.0, says), "{start}{upstream}");
        // `check` finds it in the same worlds, and where the scenario says so itself.
        let found = case.findings(None).into_iter().find(|found| found.diagnostic.code == codes::RETIRED_MODEL);
        assert_eq!(found.is_some(), share > 0.0, "{start}{upstream}");
    }
}

#[test]
fn a_retired_model_is_priced_against_its_successor() {
    let case = retiring("2026-11-01 00:00", "");
    let world = case.world(Vec::new());
    let findings = case.findings(None);
    let retired = findings.iter().position(|found| found.diagnostic.code == codes::RETIRED_MODEL).unwrap();
    let options = Options { runs: 2, seed: Seed(3), threads: 2, precision: None, command: String::new() };
    let priced = price(&world, &findings, &options, &Unwatched, |edits| Ok(case.world(edits)));
    let tried = &priced.findings[retired][0];
    assert!(tried.remedy.change.starts_with("openai/"), "{}", tried.remedy.change);
    let edits = edits(&tried.remedy);
    let run = support::run(&case.world(edits), 3, 0);
    assert_eq!(run.deployments[0].served, run.requests, "the successor answers all of them");
    assert!(tried.stake.as_ref().unwrap().saved_mean != Money::ZERO);
    // The names that providers point at a successor go on answering.
    let redirected = RETIRED.replace("openai/gpt-4-turbo", "deepseek/deepseek-chat");
    let scenario = "hours: 2\nstart: 2026-11-01 00:00 UTC\ntraffic: {x: {preset: chat, model: old, rate: 5/min}}\n";
    let case = Case::new(&redirected, &format!("{scenario}upstream: {{deepseek: {{preset: none, latency: 1}}}}\n"));
    let world = case.world(Vec::new());
    let run = support::run(&world, 1, 0);
    assert_eq!(run.deployments[0].served, run.served);
    assert!(world.diagnostics.iter().any(|found| found.message.contains("another model")));
}

#[test]
fn a_retired_model_gives_way_to_the_newest_of_its_family() {
    let gateway = "model_list:
- {model_name: small, litellm_params: {model: anthropic/claude-haiku-4-5, api_key: k}}
- {model_name: other, litellm_params: {model: anthropic/claude-sonnet-4-6, api_key: k}}
";
    let scenario = "start: 2026-11-20 12:00 UTC\nhours: 2\ntraffic: {x: {preset: chat, model: small, rate: 1/min}}\n";
    let findings = Case::new(gateway, scenario).findings(None);
    let retired = findings.iter().find(|found| found.diagnostic.code == codes::RETIRED_MODEL).unwrap();
    let change = &retired.remedies[0].change;
    assert!(change.starts_with("anthropic/claude-haiku-5-5 "), "not the older one of nearly the same price: {change}");
}

#[test]
fn the_price_that_is_assumed_for_an_unpriced_model_prices_it_whoever_its_provider_is() {
    for model in ["bedrock/anthropic.claude-unheard-of", "openai/my-model"] {
        let gateway = format!(
            "model_list:
- {{model_name: cheap, litellm_params: {{model: {model}}}}}
- {{model_name: dear, litellm_params: {{model: openai/gpt-4o-mini, api_key: k}}}}
"
        );
        let case = Case::new(&gateway, TRAFFIC);
        let (world, findings) = (case.world(Vec::new()), case.findings(None));
        let options = Options { runs: 2, seed: Seed(3), threads: 2, precision: None, command: String::new() };
        let priced = price(&world, &findings, &options, &Unwatched, |edits| Ok(case.world(edits)));
        let place = findings.iter().position(|found| found.diagnostic.code == codes::UNPRICED_MODEL).unwrap();
        let tried = &priced.findings[place][0];
        let stake = tried.stake.as_ref().unwrap();
        assert!(tried.remedy.change.contains("$0.15 and $0.60 a million tokens"), "{}", tried.remedy.change);
        assert!(stake.with.unpriced_ppm > 500_000 && stake.without.unpriced_ppm == 0, "{model}: {stake:?}");
        assert!(stake.with.mean == Money::ZERO && stake.without.mean > Money::ZERO, "{model}: {stake:?}");
        // The list of what changes are worth says how it is ordered.
        let told = Priced { pricing: &priced, under: "a test".to_owned(), command: "billcast run".to_owned() };
        let options = TerminalOptions { width: 100, color: false, verbose: false, whole: false };
        let shown = text(&findings, &world.sources, Some(&told), options);
        assert!(shown.contains("In order of what they save on average"), "{shown}");
    }
}

#[test]
fn what_never_comes_is_told() {
    let late = "hours: 6
traffic: {chat: {preset: chat, model: cheap, rate: 1/min, spikes: [{at: 1h, lasts: 1m, extra: 1/s}, {at: 7h, lasts: 1m, extra: 1/s}]}}
upstream: {cheap: {outages: [{at: 6h, lasts: 1h}]}}
fleet: {workers: 2, crashes: [{at: [5h, 9h]}]}
";
    let world = Case::new(UPWARD, late).world(Vec::new());
    let late: Vec<_> = world.diagnostics.iter().filter(|found| found.code == codes::BEYOND_HORIZON).collect();
    assert_eq!(late.len(), 3, "{late:#?}");
    assert!(late[0].message.contains("traffic.chat.spikes") && late[0].message.contains("7 h"), "{}", late[0]);
    assert!(late.iter().all(|found| found.span.line > 1));
}
