//! What every input must fulfil, one function a reader: no panic, no hang, and what follows from the reader's contract.

use billcast::diagnostic::{Diagnostic, Severity};
use billcast::document::{Format, Node, Value, decode, read};
use billcast::engine::replay;
use billcast::experiment::{Options, Unwatched, forecast};
use billcast::gateway::litellm::wire;
use billcast::pricing::{CostMap, PriceBook, PriceTable, price_rows};
use billcast::provider::ProviderModel;
use billcast::random::Seed;
use billcast::report::{TerminalOptions, View, html, json, terminal};
use billcast::scenario::{Overrides, Problem, Source, World, load, read as read_typed, read_case};
use billcast::traffic::TrafficModel;

/// A check of one reader.
pub type Check = fn(&[u8]);

/// All checks by the name of their fuzz target.
pub const CHECKS: [(&str, Check); 12] = [
    ("yaml", yaml),
    ("json", json_text),
    ("litellm_config", litellm_config),
    ("price_map", price_map),
    ("price_table", price_table),
    ("usage_rows", usage_rows),
    ("scenario", scenario),
    ("traffic_model", traffic_model),
    ("provider_model", provider_model),
    ("trace_case", trace_case),
    ("recorded_traffic", recorded_traffic),
    ("writers", writers),
];

/// YAML text to a tree.
pub fn yaml(bytes: &[u8]) {
    document(bytes, "fuzz.yaml", Format::Yaml);
}

/// JSON text to a tree.
pub fn json_text(bytes: &[u8]) {
    document(bytes, "fuzz.json", Format::Json);
}

/// A LiteLLM proxy config to its typed mirror.
pub fn litellm_config(bytes: &[u8]) {
    let Ok(text) = decode("config.yaml", bytes) else { return };
    let (wire, diagnostics) = wire::read("config.yaml", text);
    check_diagnostics(text, &diagnostics);
    assert!(wire.is_some() || has_error(&diagnostics), "nothing read and nothing said");
}

/// LiteLLM's JSON price map.
pub fn price_map(bytes: &[u8]) {
    match CostMap::from_json("prices.json", bytes) {
        Ok(map) => assert!(map.entries().iter().all(|entry| map.exact(&entry.key).is_some()), "an entry is lost"),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// billcast's own price table.
pub fn price_table(bytes: &[u8]) {
    match PriceTable::read(&[("prices.csv", bytes)]) {
        Ok(table) => assert!(!table.rows().is_empty()),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// Rows of usage for `billcast cost --batch`.
pub fn usage_rows(bytes: &[u8]) {
    thread_local! {
        static BOOK: PriceBook = PriceBook::built_in().expect("the built-in prices");
    }
    BOOK.with(|book| {
        if let Ok(priced) = price_rows("rows.csv", bytes, book, jiff::Timestamp::UNIX_EPOCH) {
            assert!(String::from_utf8(priced).expect("UTF-8").contains("billcast_cost_usd"));
        }
    });
}

/// A scenario.yaml with everything that it names, compiled to a world.
pub fn scenario(bytes: &[u8]) {
    match loaded(&[("scenario.yaml", bytes), ("gateway.yaml", GATEWAY), ("config.yaml", GATEWAY)]) {
        Ok(world) => assert!(!world.names.deployments.is_empty()),
        Err(problem) => assert!(has_error(&problem.diagnostics), "refused and nothing said"),
    }
}

/// A traffic model of the user's own.
pub fn traffic_model(bytes: &[u8]) {
    typed::<TrafficModel>(bytes);
}

/// A provider model of the user's own.
pub fn provider_model(bytes: &[u8]) {
    typed::<ProviderModel>(bytes);
}

/// A case for `billcast trace`, played.
pub fn trace_case(bytes: &[u8]) {
    let Ok(text) = decode("case.json", bytes) else { return };
    // What it asks for is bounded by its length, not by the numbers in it; only reading is checked for long ones.
    match read_case("case.json", text) {
        Ok(case) if text.len() < 2_000 => {
            let trace = replay(&case);
            assert_eq!(trace.requests.len(), case.requests.len(), "a request is lost");
        }
        Ok(_) => {}
        Err(diagnostics) => {
            check_diagnostics(text, &diagnostics);
            assert!(has_error(&diagnostics), "refused and nothing said");
        }
    }
}

/// Recorded traffic in a file of any of its formats.
pub fn recorded_traffic(bytes: &[u8]) {
    let scenario = b"gateway: gateway.yaml\nhours: 1\ntraffic: {x: {model: a, replay: trace.csv}}\n";
    if let Err(problem) = loaded(&[("scenario.yaml", scenario), ("gateway.yaml", GATEWAY), ("trace.csv", bytes)]) {
        assert!(has_error(&problem.diagnostics), "refused and nothing said");
    }
}

/// Any name through every writer: what is written can be read, and a name drives neither terminal nor page.
pub fn writers(bytes: &[u8]) {
    let Ok(name) = std::str::from_utf8(bytes) else { return };
    let quoted = serde_json::to_string(name).expect("a string");
    let gateway = format!("model_list: [{{model_name: {quoted}, litellm_params: {{model: openai/gpt-4o}}}}]\n");
    let scenario = format!(
        "gateway: gateway.yaml\nname: {quoted}\nhours: 1\nkeys: {{{quoted}: {{}}}}\ntraffic: {{{quoted}: {{preset: chat, model: \
         {quoted}, key: {quoted}, rate: 2/h}}}}\n"
    );
    let Ok(world) = loaded(&[("scenario.yaml", scenario.as_bytes()), ("gateway.yaml", gateway.as_bytes())]) else {
        return;
    };
    let options = Options { runs: 1, seed: Seed(1), threads: 1, precision: None, command: name.to_owned() };
    let forecast = forecast(&world, &options, &Unwatched);
    let view = View::new(&forecast);
    let document: serde_json::Value = serde_json::from_slice(&json(&view)).expect("JSON");
    assert_eq!(document["command"], name, "names are exact in JSON");
    let text = terminal(&view, TerminalOptions::default());
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
    let page = html(&view);
    let page = String::from_utf8_lossy(page.as_ref());
    let is_tag = name.starts_with('<') && name.len() > 2 && name.is_ascii() && !name.contains(char::is_whitespace);
    // The page has tags, ends of tags and a doctype of its own.
    let is_own = name.chars().nth(1).is_some_and(|c| c.is_alphabetic() || matches!(c, '/' | '!'));
    assert!(!is_tag || is_own || !page.contains(name), "{name}");
}

const GATEWAY: &[u8] = b"model_list: [{model_name: a, litellm_params: {model: openai/gpt-4o}}]\n";

/// A scenario from the texts of its files.
fn loaded(files: &[(&str, &[u8])]) -> Result<World, Problem> {
    thread_local! {
        static FOLDER: std::path::PathBuf = {
            let id = format!("billcast-fuzz-{}-{:?}", std::process::id(), std::thread::current().id());
            let folder = std::env::temp_dir().join(id);
            std::fs::create_dir_all(&folder).expect("a folder");
            folder
        };
    }
    FOLDER.with(|folder| {
        for (name, bytes) in files {
            std::fs::write(folder.join(name), bytes).expect("a written file");
        }
        load(&folder.join("scenario.yaml").to_string_lossy(), &Overrides::default())
    })
}

fn typed<T: serde::de::DeserializeOwned>(bytes: &[u8]) {
    let Ok(text) = decode("model.yaml", bytes) else { return };
    if let Err(problem) = read_typed::<T>(&Source::quotable("model.yaml", text)) {
        check_diagnostics(text, &problem.diagnostics);
        assert!(has_error(&problem.diagnostics), "refused and nothing said");
    }
}

fn document(bytes: &[u8], name: &str, format: Format) {
    let text = match decode(name, bytes) {
        Ok(text) => text,
        Err(diagnostic) => return assert_eq!(diagnostic.severity, Severity::Error),
    };
    let (node, diagnostics) = read(name, text, format);
    check_diagnostics(text, &diagnostics);
    match node {
        Some(node) => check_node(text, &node),
        None => assert!(has_error(&diagnostics), "nothing read and nothing said"),
    }
}

fn has_error(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
}

/// Every place is a place in the text.
fn check_diagnostics(text: &str, diagnostics: &[Diagnostic]) {
    for diagnostic in diagnostics {
        let span = diagnostic.span;
        assert!(span.start <= span.end && text.get(span.start..span.end).is_some(), "{diagnostic:?}");
        assert!(!diagnostic.message.is_empty(), "{diagnostic:?}");
    }
}

fn check_node(text: &str, node: &Node) {
    let span = node.span;
    assert!(span.start <= span.end && text.get(span.start..span.end).is_some(), "{span:?}");
    match &node.value {
        Value::Seq(items) => items.iter().for_each(|item| check_node(text, item)),
        Value::Map(entries) => entries.iter().for_each(|entry| check_node(text, &entry.value)),
        _ => {}
    }
}
