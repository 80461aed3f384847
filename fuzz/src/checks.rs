//! What every input must fulfil, one function a reader: no panic, no hang, and what follows from the reader's contract.

use billcast::diagnostic::{Diagnostic, Severity};
use billcast::document::{Format, Node, Value, decode, read};
use billcast::engine::replay;
use billcast::experiment::{ChargeRow, Forecast, Options, PercentileRun, Unwatched, forecast};
use billcast::gateway::litellm::wire;
use billcast::ledger::Cause;
use billcast::pricing::{CostMap, PriceBook, PriceTable, price_rows};
use billcast::provider::ProviderModel;
use billcast::random::Seed;
use billcast::report::diagnostics::to_text;
use billcast::report::text::clean;
use billcast::report::{Form, TerminalOptions, View, html, json, read_forecast, terminal};
use billcast::scenario::{Overrides, Problem, Source, World, load, read as read_typed, read_case};
use billcast::traffic::TrafficModel;
use billcast::units::{Money, TokenKind};

/// A check of one reader.
pub type Check = fn(&[u8]);

/// All checks by the name of their fuzz target.
pub const CHECKS: [(&str, Check); 14] = [
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
    ("focus_csv", focus_csv),
    ("finished_run", finished_run),
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

/// Arbitrary names, models, days and money in the FOCUS export: a strict reader gets the same rows and the same totals.
pub fn focus_csv(bytes: &[u8]) {
    thread_local! {
        static WORLD: Forecast = {
            let scenario = b"gateway: gateway.yaml\nhours: 1\ntraffic: {x: {preset: chat, model: a, rate: 2/h}}\n";
            let world = loaded(&[("scenario.yaml", scenario), ("gateway.yaml", GATEWAY)]).expect("a world");
            let options = Options { runs: 1, seed: Seed(1), threads: 1, precision: None, command: String::new() };
            forecast(&world, &options, &Unwatched)
        };
    }
    let mut forecast = WORLD.with(Clone::clone);
    let mut input = Input(bytes);
    let names: Vec<String> = (0..6).map(|_| input.text()).collect();
    let deployment = &mut forecast.deployments[0];
    [&mut deployment.name, &mut deployment.group, &mut deployment.provider, &mut forecast.about.scenario]
        .into_iter()
        .zip(&names)
        .for_each(|(place, name)| place.clone_from(name));
    // With and without the provider in front, as configs have it.
    let model = names[4].clone();
    deployment.model = if input.byte() % 2 == 0 { format!("{}/{model}", names[2]) } else { model };
    forecast.keys[0].name.clone_from(&names[5]);
    forecast.keys[0].team = (input.byte() % 2 == 0).then(|| input.text());
    let charges: Vec<ChargeRow> = std::iter::from_fn(|| input.charge()).take(20).collect();
    let bill = charges.iter().map(|charge| charge.amount).sum();
    forecast.percentile_runs = vec![PercentileRun { percentile: 95, run: 0, bill, charges }];
    check_focus(&forecast);
}

/// A `forecast.json` that somebody has changed: the text itself where it begins like one, else a true one of which the
/// bytes change values, three a change. What can be read gives every form, and comes back as it was.
pub fn finished_run(bytes: &[u8]) {
    thread_local! {
        static TRUE: serde_json::Value = {
            let scenario = b"gateway: gateway.yaml\nhours: 2\nbudget: {run: 1}\nalerts: {budget_share: 50%}\n\
                traffic: {x: {preset: chat, model: a, rate: 9/h}}\nupstream: {openai: {bursts: {every: 1h, lasts: 9m, share: 50%}}}\n";
            let world = loaded(&[("scenario.yaml", scenario), ("gateway.yaml", GATEWAY)]).expect("a world");
            let options = Options { runs: 2, seed: Seed(1), threads: 1, precision: None, command: String::new() };
            serde_json::from_slice(&json(&View::new(&forecast(&world, &options, &Unwatched)))).expect("JSON")
        };
    }
    let text = match bytes.first() {
        Some(b'{') => bytes.to_vec(),
        _ => TRUE.with(|document| changed(document.clone(), bytes).to_string().into_bytes()),
    };
    let Ok(forecast) = read_forecast(&text) else { return };
    let view = View::new(&forecast);
    assert!(terminal(&view, TerminalOptions::default()).chars().all(|c| c == '\n' || !c.is_control()));
    for form in Form::ALL.into_iter().filter(|form| *form != Form::Charts) {
        assert!(form.files(&view).iter().all(|file| !file.bytes.is_empty()), "{form:?}");
    }
    let written = json(&view);
    let again = read_forecast(&written).expect("what is written can be read");
    assert!(json(&View::new(&again)) == written, "it comes back as it was");
}

/// A document with other values in some places.
fn changed(mut document: serde_json::Value, bytes: &[u8]) -> serde_json::Value {
    const VALUES: [&str; 24] = [
        "null",
        "true",
        "0",
        "-1",
        "0.5",
        "-0.5",
        "1e308",
        "-1e308",
        "1e-320",
        "1e999",
        "18446744073709551615",
        "2e19",
        "-9223372036854775808",
        "\"\"",
        "\"-5\"",
        "\"0.0000000000001\"",
        "\"99999999999999999999999999\"",
        "\"=1+1\"",
        "\"\\u202e<b>&\"",
        "\"2026-02-30\"",
        "\"9999-12-31\"",
        "\"-0001-01-01\"",
        "[]",
        "{}",
    ];
    for change in bytes.as_chunks::<3>().0.iter().take(20) {
        let places = places(&document);
        let place = &places[usize::from(u16::from_le_bytes([change[0], change[1]])) % places.len()];
        let value = serde_json::from_str(VALUES[usize::from(change[2]) % VALUES.len()]).expect("a value");
        *document.pointer_mut(place).expect("a place") = value;
    }
    document
}

/// The places in a document below its top, as JSON pointers.
fn places(document: &serde_json::Value) -> Vec<String> {
    fn below(value: &serde_json::Value, path: &str, all: &mut Vec<String>) {
        let mut step = |key: &str, value: &serde_json::Value| {
            let path = format!("{path}/{}", key.replace('~', "~0").replace('/', "~1"));
            below(value, &path, all);
            all.push(path);
        };
        match value {
            serde_json::Value::Array(items) => {
                items.iter().enumerate().for_each(|(at, item)| step(&at.to_string(), item))
            }
            serde_json::Value::Object(entries) => entries.iter().for_each(|(key, value)| step(key, value)),
            _ => {}
        }
    }
    let mut all = Vec::new();
    below(document, "", &mut all);
    if all.is_empty() { vec![String::new()] } else { all }
}

/// What a strict reader finds in `focus.csv` is what the forecast holds.
fn check_focus(forecast: &Forecast) {
    let files = Form::FocusCsv.files(&View::new(forecast));
    let [file] = files.as_slice() else { panic!("one file") };
    let rows = strict_csv(std::str::from_utf8(&file.bytes).expect("UTF-8"));
    let run = &forecast.percentile_runs[0];
    // The fee for paid capacity has two rows: it is bought, and it is used.
    let is_fee = |charge: &ChargeRow| charge.kind == TokenKind::Capacity;
    let parts = run.charges.iter().flat_map(|charge| (0..=usize::from(is_fee(charge))).map(move |part| (charge, part)));
    assert_eq!(rows.len(), parts.clone().count() + 1, "a row a charge or two, and the header");
    let (header, rows) = rows.split_first().expect("a header");
    assert!(rows.iter().all(|row| row.len() == header.len()), "a cell for each column");
    let cell = |row: &'_ [String], name: &str| -> String {
        row[header.iter().position(|column| column == name).unwrap_or_else(|| panic!("no {name}"))].clone()
    };
    let (deployment, key) = (&forecast.deployments[0], &forecast.keys[0]);
    let (mut total, mut effective) = (Money::ZERO, Money::ZERO);
    for (row, (charge, part)) in rows.iter().zip(parts) {
        let amount: Money = cell(row, "BilledCost").parse().expect("an exact amount");
        assert_eq!(amount, if part == 0 { charge.amount } else { Money::ZERO });
        total += amount;
        effective += cell(row, "EffectiveCost").parse::<Money>().expect("an exact amount");
        let is_bought = is_fee(charge) && part == 0;
        assert_eq!(cell(row, "ChargeCategory"), if is_bought { "Purchase" } else { "Usage" });
        // Seconds of paid capacity are told in hours.
        let one = if is_fee(charge) { 3_600 } else { 1 };
        let consumed = cell(row, "ConsumedQuantity");
        assert_eq!(consumed.is_empty(), is_bought, "nothing is consumed by buying it");
        if !is_bought {
            let consumed: Money = consumed.parse().expect("a number");
            let counted = i128::from(charge.quantity) * PICOS / one;
            assert!((consumed.picos() - counted).abs() <= 1, "{consumed} of {}", charge.quantity);
        }
        assert_eq!(cell(row, "ChargePeriodStart"), format!("{}T00:00:00Z", charge.day));
        assert_eq!(cell(row, "x_Cause"), charge.cause.name());
        for (column, name) in [
            ("ProviderName", &deployment.provider),
            ("ServiceName", &deployment.group),
            ("x_Deployment", &deployment.name),
            ("BillingAccountId", &key.name),
            ("x_Scenario", &forecast.about.scenario),
        ] {
            check_text_cell(&cell(row, column), name);
        }
        let team = cell(row, "SubAccountName");
        check_text_cell(&team, key.team.as_deref().unwrap_or_default());
        let tags: serde_json::Value = serde_json::from_str(&cell(row, "Tags")).expect("tags are JSON");
        assert_eq!(tags["key"], clean(&key.name));
    }
    assert_eq!((total, effective), (run.bill, run.bill), "rows sum to the bill");
}

/// A name comes back as it was, cleaned; one that a spreadsheet would calculate has one `'` in front.
fn check_text_cell(cell: &str, name: &str) {
    let name = clean(name);
    assert!(cell == name || cell.strip_prefix('\'') == Some(&name), "{cell:?} is not {name:?}");
    assert!(!cell.trim_start().starts_with(['=', '+', '-', '@']), "{cell:?} is a formula");
}

const PICOS: i128 = 1_000_000_000_000;

/// RFC 4180 to the letter, with `\n` ends: quotes only around whole fields, each quote in them doubled.
fn strict_csv(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut rest) = (Vec::new(), Vec::new(), text);
    while !rest.is_empty() {
        let (field, after) = strict_field(rest);
        row.push(field);
        match after.split_at_checked(1) {
            Some((",", after)) => rest = after,
            Some(("\n", after)) => {
                rows.push(std::mem::take(&mut row));
                rest = after;
            }
            _ => panic!("{:?} after a field", after.chars().next()),
        }
    }
    assert!(row.is_empty(), "the last line has no end");
    rows
}

/// The field at the beginning, and what follows it.
fn strict_field(text: &str) -> (String, &str) {
    let Some(mut rest) = text.strip_prefix('"') else {
        let (field, after) = text.split_at(text.find([',', '\n']).unwrap_or(text.len()));
        assert!(!field.contains(['"', '\r']), "{field:?} is not quoted");
        return (field.to_owned(), after);
    };
    let mut field = String::new();
    loop {
        let (part, after) = rest.split_once('"').expect("a quote is closed");
        field += part;
        match after.strip_prefix('"') {
            Some(after) => {
                field.push('"');
                rest = after;
            }
            None => return (field, after),
        }
    }
}

/// Bytes that are taken for values one after the other; zero when they are used up.
struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        let (head, tail) = self.0.split_at(N.min(self.0.len()));
        bytes[..head.len()].copy_from_slice(head);
        self.0 = tail;
        bytes
    }

    fn byte(&mut self) -> u8 {
        let [byte] = self.take();
        byte
    }

    /// Up to 63 bytes; what is not UTF-8 in them becomes U+FFFD.
    fn text(&mut self) -> String {
        let length = usize::from(self.byte() % 64).min(self.0.len());
        let (head, tail) = self.0.split_at(length);
        self.0 = tail;
        String::from_utf8_lossy(head).into_owned()
    }

    /// A charge, as long as there are bytes. Amounts go up to 10^22 dollars, so that twenty can be added.
    fn charge(&mut self) -> Option<ChargeRow> {
        if self.0.is_empty() {
            return None;
        }
        let day = jiff::civil::date(2026, 1, 1);
        Some(ChargeRow {
            day: day.checked_add(jiff::Span::new().days(u16::from_le_bytes(self.take()))).unwrap_or(day),
            deployment: 0,
            key: 0,
            model: None,
            commitment: None,
            cause: Cause::ALL[usize::from(self.byte()) % Cause::ALL.len()],
            kind: TokenKind::ALL[usize::from(self.byte()) % TokenKind::ALL.len()],
            quantity: u64::from_le_bytes(self.take()),
            amount: Money::from_picos(i128::from_le_bytes(self.take()) >> 14),
        })
    }
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

/// Every place is a place in the text, and all of it can be told on a terminal.
fn check_diagnostics(text: &str, diagnostics: &[Diagnostic]) {
    for diagnostic in diagnostics {
        let span = diagnostic.span;
        assert!(span.start <= span.end && text.get(span.start..span.end).is_some(), "{diagnostic:?}");
        assert!(!diagnostic.message.is_empty(), "{diagnostic:?}");
    }
    let shown = to_text(diagnostics, text, false);
    assert!(shown.chars().all(|c| c == '\n' || !c.is_control()), "{shown:?}");
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
