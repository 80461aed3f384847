//! What Ctrl-C leaves of `month`, `plan`, `run --rare` and `claims` says that it is partial, and all that it tells is
//! what the same runs tell when nobody interrupts them.

#[path = "support/impatient.rs"]
mod impatient;
mod support;

use billcast::experiment::{
    CapacityPlan, Metric, MonthOptions, Offer, Options, PlanError, Rare, SoughtBudgets, Unwatched, Wanted, forecast,
    plan, project, rare, seek_budgets, weeks,
};
use billcast::random::Seed;
use billcast::report::month::MonthView;
use billcast::report::plan::{artefacts, json, text};
use billcast::report::{
    ClaimsView, StoryRun, TerminalOptions, claims_json, claims_markdown, claims_terminal, rare_json, rare_text,
};
use billcast::scenario::{Edit, Overrides, Problem, World, load, read_claims};
use serde_json::{Value, json};

use impatient::Impatient;

fn options(runs: u64, threads: usize) -> Options {
    Options { runs, seed: Seed(5), threads, precision: None, command: "billcast test".to_owned() }
}

/// A week from a Monday on.
fn week(monday: &str) -> World {
    let sets = [("start", format!("{monday} 00:00 Europe/Berlin")), ("hours", "168".to_owned())];
    let mut edits: Vec<Edit> = sets.iter().map(|(path, value)| Edit::set(path, value).unwrap()).collect();
    edits.push(Edit::set("traffic.chat.rate", "2/h").unwrap());
    load("tests/scenarios/month", &Overrides { edits, ..Overrides::default() }).unwrap()
}

/// Both months in every form that is a text, and the workbook's bytes.
fn months(worlds: &[World], runs: u64, progress: &Impatient, threads: usize) -> Option<(u64, Vec<String>, Vec<u8>)> {
    let weeks = weeks(worlds, &options(runs, threads), progress);
    let done = weeks[0].about.runs;
    assert!(weeks.iter().all(|week| week.about.runs == done), "equally many of each");
    let asked = MonthOptions {
        first: "2026-06-01T00:00[Europe/Berlin]".parse().unwrap(),
        months: 2,
        growth: 0.0,
        growth_from: "2026-06-01".parse().unwrap(),
        budget: Some("0.10".parse().unwrap()),
        spent: None,
        holidays: Vec::new(),
        paths: 200,
        seed: Seed(5),
    };
    let all: Vec<_> = weeks.iter().collect();
    let projection = (done > 0).then(|| project(&all, &asked).unwrap())?;
    assert_eq!((projection.runs, projection.is_partial), (done, done < runs));
    let view =
        MonthView { about: &weeks[0].about, projection: &projection, budget: asked.budget, growth: 0.0, spent: None };
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let terminal = view.terminal(TerminalOptions { width: 100, ..TerminalOptions::default() });
    Some((done, vec![terminal, view.markdown(), view.html(), text(view.json()), text(view.csv())], view.xlsx()))
}

#[test]
fn months_are_told_of_the_runs_that_every_week_has() {
    let worlds = [week("2026-06-01"), week("2026-07-06")];
    let never = || Impatient::after(u32::MAX);
    let mut seen = Vec::new();
    for (patience, threads) in [(0, 1), (1, 1), (2, 1), (4, 1), (9, 1), (11, 2), (24, 2)] {
        let Some((done, partial, workbook)) = months(&worlds, 20, &Impatient::after(patience), threads) else {
            continue;
        };
        seen.push(done);
        let (_, whole, other) = months(&worlds, done, &never(), 1).expect("runs");
        let words = format!("Partial: interrupted after {}; the figures cover only", plural(done));
        let marks = [&format!("! {words}"), &format!("> **{words}"), &words, "\"partial\": true", ",true\n"];
        for ((partial, whole), mark) in partial.iter().zip(&whole).zip(marks) {
            assert!(partial.contains(mark), "{mark} in {partial}");
            assert!(!whole.contains("Partial") && !whole.contains("PARTIAL"), "{whole}");
            assert_eq!(without_marks(partial, &words), *whole, "the same runs tell the same");
        }
        assert_ne!(workbook, other);
    }
    assert!(seen.len() >= 3 && seen[0] < 4, "{seen:?}");
    assert!(months(&worlds, 20, &Impatient::after(0), 1).is_none());
}

fn plural(runs: u64) -> String {
    if runs == 1 { "1 run".to_owned() } else { format!("{runs} runs") }
}

/// A result as it would be had it not been interrupted.
fn without_marks(text: &str, words: &str) -> String {
    let line = |line: &&str| !line.contains(words) || line.contains("<p>");
    let kept: Vec<&str> = text.split_inclusive('\n').filter(line).collect();
    let text = kept.concat().replace("PARTIAL · ", "").replace(&format!("<p>{words} those.</p>"), "");
    let text = text.replace("\"partial\": true", "\"partial\": false").replace(",true\n", ",false\n");
    // What follows a quoted line in Markdown is a blank one.
    text.replacen("months ahead\n\n\n>", "months ahead\n\n>", 1)
}

const GATEWAY: &str = "model_list:
- {model_name: m, litellm_params: {model: openai/gpt-4o-mini}}
router_settings: {num_retries: 0, disable_cooldowns: true}
";

#[test]
fn a_rare_weekend_is_told_of_the_runs_that_were_weighed() {
    let scenario = "hours: 4\nvolume_uncertainty: 0.3\ntraffic: {x: {preset: chat, model: m, rate: 6/h}}\n";
    let world = support::world(GATEWAY, scenario);
    let ask = |runs, threads, patience| -> Option<Rare> {
        rare(&world, &options(runs, threads), Metric::Requests, 40.0, &Impatient::after(patience))
    };
    let pilot = u32::try_from(ask(1, 1, u32::MAX).unwrap().pilot_runs).unwrap();
    assert!(ask(500, 1, 100).is_none() && ask(500, 2, pilot).is_none(), "pilot runs say nothing");
    for (threads, weighed) in [(1, 1), (1, 2), (1, 37), (2, 60), (3, 200)] {
        let found = ask(500, threads, pilot + weighed).unwrap();
        assert!(found.is_partial && found.runs <= u64::from(weighed), "{found:?}");
        let whole = ask(found.runs, 1, u32::MAX).unwrap();
        assert_eq!(found, Rare { is_partial: true, ..whole.clone() });
        let mark = format!("! Partial: interrupted after {}; ", plural(found.runs));
        assert!(rare_text("x", &found).starts_with(&mark) && !rare_text("x", &whole).contains("Partial"));
        let printed: Value = serde_json::from_slice(&rare_json("x", &found, "c")).unwrap();
        assert_eq!(printed["partial"], true);
        if found.runs == 1 {
            let interval = found.probability.interval;
            assert_eq!((interval.low, interval.high), (0.0, 1.0), "one run says nothing");
        }
    }
}

fn wanted() -> Wanted {
    let offer = |target: &str| Offer { target: target.to_owned(), unit_tokens: 1000, hourly: "0.01".parse().unwrap() };
    Wanted { target: 0.01, offers: vec![offer("m"), offer("m")] }
}

fn to_plan() -> (String, World) {
    let limits = "{rpm: 10, concurrency: 3, spend_10min: 0.004, spend_month: 10, spent: 9}";
    let scenario = format!(
        "hours: 1\nvolume_uncertainty: 0\nkeys: {{a: {{max_budget: 5}}, b: {{}}}}
traffic: {{x: {{model: m, keys: {{a: 1, b: 1}}, rate: 0.1/s, input: 100, output: 20}}}}
upstream: {{openai: {{preset: none, latency: 2, limits: {limits}}}}}\n"
    );
    let world = support::world(GATEWAY, &scenario);
    (scenario, world)
}

/// Every value of an interrupted plan is that of the whole one, or not there.
fn is_part(part: &Value, whole: &Value) -> bool {
    match (part, whole) {
        (Value::Null, _) => true,
        (Value::Object(part), Value::Object(whole)) => {
            part.len() == whole.len() && part.iter().all(|(key, value)| is_part(value, &whole[key]))
        }
        (Value::Array(part), Value::Array(whole)) => {
            part.len() <= whole.len() && part.iter().zip(whole).all(|(part, whole)| is_part(part, whole))
        }
        _ => part == whole,
    }
}

fn document(plan: &CapacityPlan) -> Value {
    let mut document: Value = serde_json::from_slice(&json(plan)).unwrap();
    for mark in ["partial", "missing"] {
        document[mark] = Value::Null;
    }
    document
}

#[test]
fn a_plan_tells_what_was_found_out_whenever_it_is_interrupted() {
    let (_, world) = to_plan();
    let made = |runs, patience| plan(&world, &options(runs, 1), &wanted(), &Impatient::after(patience));
    let [one, two] = [1, 2].map(|runs| made(runs, u32::MAX).unwrap());
    assert!(two.missing.is_empty() && !two.about.partial);
    let mut lengths = Vec::new();
    for patience in 0..1_000 {
        let found = match made(2, patience) {
            Ok(found) => found,
            Err(PlanError::Interrupted) => {
                assert!(patience < 2, "a first run is told");
                continue;
            }
            Err(other) => panic!("{other}"),
        };
        let names: Value = serde_json::from_slice::<Value>(&json(&found)).unwrap()["missing"].clone();
        let Some(first) = names.as_array().and_then(|names| names.first()).cloned() else {
            assert_eq!(json(&found), json(&two));
            break;
        };
        let last = ["smallest", "together", "growth", "spend_limits", "commitments"];
        let at = last.iter().position(|name| first == *name).unwrap();
        assert_eq!(names, json!(last[at..]), "one thing after the other");
        lengths.push(last.len() - at);
        let whole = if found.about.runs == 1 { &one } else { &two };
        assert!(is_part(&document(&found), &document(whole)), "after {patience}: {:#}", document(&found));
        assert_eq!(found.planned.is_none(), at < 2);
        assert!(found.about.partial);
    }
    assert!(lengths.is_sorted_by(|a, b| a >= b), "{lengths:?}");
    lengths.dedup();
    assert_eq!(lengths, [5, 4, 3, 2, 1], "it was interrupted in each");
}

#[test]
fn an_interrupted_plan_is_marked_in_each_form() {
    let (_, world) = to_plan();
    let found = plan(&world, &options(2, 1), &wanted(), &Impatient::after(2)).unwrap();
    let shown = text(&found, TerminalOptions { width: 300, ..TerminalOptions::default() });
    let words = "! Partial: interrupted after 2 runs with today's limits; not found out: the smallest limits, what meets the \
                 target together, the growth that limits bear, what accounts would spend, what paid capacity is worth.";
    assert!(shown.contains(words) && shown.contains("Planned: ?"), "{shown}");
    let printed: Value = serde_json::from_slice(&json(&found)).unwrap();
    assert_eq!((&printed["partial"], &printed["planned"]), (&json!(true), &Value::Null));
    let schema: Value = serde_json::from_str(include_str!("../docs/plan.schema.json")).unwrap();
    jsonschema::validate(&schema, &printed).unwrap();
    let files = artefacts(&found);
    let svg = files.iter().find(|file| file.file_name.ends_with(".svg")).unwrap();
    assert!(String::from_utf8_lossy(&svg.bytes).contains("PARTIAL · "));
}

#[test]
fn budgets_whose_search_was_interrupted_are_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let (scenario, world) = to_plan();
    std::fs::write(folder.path().join("gateway.yaml"), GATEWAY).unwrap();
    std::fs::write(folder.path().join("scenario.yaml"), format!("gateway: gateway.yaml\n{scenario}")).unwrap();
    let path = folder.path().to_string_lossy().into_owned();
    let load =
        |edits: Vec<Edit>| -> Result<World, Problem> { load(&path, &Overrides { edits, ..Overrides::default() }) };
    let sought = |patience| -> SoughtBudgets {
        seek_budgets(&world, &options(1, 1), 0.1, &Impatient::after(patience), &load).unwrap()
    };
    let whole = sought(u32::MAX);
    assert!(!whole.is_partial && whole.found.len() == 3, "{whole:?}");
    let mut numbers = Vec::new();
    for patience in 0..1_000 {
        let part = sought(patience);
        if !part.is_partial {
            assert_eq!(part, whole);
            break;
        }
        assert_eq!(part.found, whole.found[..part.found.len()]);
        numbers.push(part.found.len());
    }
    numbers.dedup();
    assert_eq!(numbers, [0, 1, 2]);
    let mut made = plan(&world, &options(1, 1), &wanted(), &Unwatched).unwrap();
    made.add(SoughtBudgets { found: whole.found[..1].to_vec(), is_partial: true });
    let printed: Value = serde_json::from_slice(&json(&made)).unwrap();
    assert_eq!((&printed["partial"], &printed["missing"]), (&json!(true), &json!(["money_limits"])));
    let wide = TerminalOptions { width: 300, ..TerminalOptions::default() };
    assert!(text(&made, wide).contains("not found out: the other budgets."));
}

const CLAIMS: &str = "title: t
says: s
finds: f
claims:
  - { figure: requests, unit: count, published: 1, simulated: requests.mean, agrees: published }
  - { figure: requests of the other, unit: count, published: 60, simulated: 'other:requests.mean', agrees: published, within: 50% }
  - { figure: both, unit: factor, arithmetic: 1, simulated: 'other:requests.mean / requests.mean', agrees: arithmetic }
";

#[test]
fn claims_are_told_where_all_that_they_read_was_simulated() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    put("gateway.yaml", GATEWAY);
    let scenario = "gateway: gateway.yaml\nhours: 1\ntraffic: {x: {model: m, rate: 1/min, input: 10, output: 10}}\n";
    put("scenario.yaml", scenario);
    put("other.yaml", scenario);
    put("claims.yaml", CLAIMS);
    let claims = read_claims(&folder.path().to_string_lossy()).unwrap();
    assert_eq!(claims.variants(), [None, Some("other".to_owned())]);
    let forecast_of = |variant: &Option<String>| {
        let world = load(&claims.scenario_of(variant.as_deref()), &Overrides::default()).unwrap();
        (variant.clone(), forecast(&world, &options(4, 2), &Unwatched))
    };
    let all: Vec<_> = claims.variants().iter().map(forecast_of).collect();
    let view = |finished: &[usize]| {
        let forecasts = finished.iter().map(|index| all[*index].clone()).collect();
        ClaimsView::new(&[StoryRun { claims: claims.clone(), forecasts }]).unwrap()
    };
    let (whole, none) = (view(&[0, 1]), view(&[]));
    assert!(!whole.is_partial() && whole.caveat().is_none() && whole.holds() == Some(false));
    assert!(none.is_partial() && none.stories.is_empty());
    // What the second scenario says holds, but others were not simulated: nobody knows.
    assert_eq!(view(&[1]).holds(), None);
    let part = view(&[0]);
    assert_eq!((part.holds(), part.missing()), (Some(false), 2), "one that is off is off");
    assert_eq!(part.stories[0].lines[0], whole.stories[0].lines[0]);
    assert!(part.stories[0].lines[1..].iter().all(|line| line.value.is_none() && line.verdict == "not simulated"));
    let words = "Partial: interrupted after 1 of 3 figures; the others were not simulated.";
    assert!(
        claims_terminal(&part, TerminalOptions { width: 200, ..TerminalOptions::default() })
            .starts_with(&format!("! {words}\n"))
    );
    assert!(claims_markdown(&part).contains(&format!("\n> **{words}**\n")));
    let printed: Value = serde_json::from_str(&claims_json(&part)).unwrap();
    assert_eq!((&printed["partial"], &printed["not_simulated"]), (&json!(true), &json!(2)));
    assert_eq!(printed["stories"][0]["claims"][2]["simulated"], Value::Null);
}
