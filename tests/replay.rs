//! Recorded traffic: every row is played once, with its own tokens, or it is said why not.

mod support;

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
#[cfg(unix)]
use std::process::{Command, Output};
#[cfg(unix)]
use std::thread;
#[cfg(unix)]
use std::time::Duration;

use billcast::engine::Run;
use billcast::random::Replication;
use billcast::scenario::{Overrides, Room, World, load};
use tempfile::TempDir;

const GATEWAY: &str = "model_list:
- {model_name: a, litellm_params: {model: openai/gpt-4o-mini}}
- {model_name: b, litellm_params: {model: openai/gpt-4o}}
- {model_name: embed, litellm_params: {model: openai/text-embedding-3-small}}
";
/// Everything is answered at once, and the tokens are those of the request.
const UPSTREAM: &str = "upstream: {openai: {preset: none, latency: 0.1}}\n";

/// A world whose class `x` replays `trace`, a file of this text.
fn try_world(name: &str, trace: &[u8], class: &str) -> Result<World, String> {
    let folder = tempfile::tempdir().unwrap();
    let write = |file: &str, bytes: &[u8]| fs::write(folder.path().join(file), bytes).unwrap();
    write(name, trace);
    write("gateway.yaml", GATEWAY.as_bytes());
    let text = format!("gateway: gateway.yaml\ntraffic: {{x: {{{class}}}}}\n{UPSTREAM}");
    write("scenario.yaml", text.as_bytes());
    open(folder.path())
}

fn open(folder: &Path) -> Result<World, String> {
    load(&folder.to_string_lossy(), &Overrides::default())
        .map_err(|problem| problem.diagnostics.iter().map(|found| format!("{found}\n")).collect())
}

fn world(trace: &str, class: &str) -> World {
    try_world("trace", trace.as_bytes(), class).unwrap_or_else(|message| panic!("{message}"))
}

fn play(trace: &str, class: &str) -> Run {
    support::run(&world(trace, class), 1, 0)
}

/// Requests, input tokens and output tokens.
fn totals(run: &Run) -> (u64, u64, u64) {
    let sum = |part: fn(&billcast::engine::DeploymentTotals) -> u64| run.deployments.iter().map(part).sum();
    assert_eq!(run.served, run.requests);
    (run.requests, sum(|d| d.input_tokens), sum(|d| d.output_tokens))
}

fn said(world: &World) -> String {
    world.diagnostics.iter().map(|found| format!("{found}\n")).collect()
}

#[test]
fn a_long_trace_is_read_again_by_each_run_and_its_totals_are_exact() {
    // More rows than are kept in memory, compressed, some of them a little out of order.
    let mut text = String::from("time,input,output\n");
    let (mut input, mut output) = (0, 0);
    const ROWS: u64 = 260_000;
    for row in 0..ROWS {
        let (i, o) = (1 + row * 7_919 % 4_000, row * 104_729 % 900 + 1);
        (input, output) = (input + i, output + o);
        let at = row as f64 / 100.0 + if row % 10 == 3 { 5.0 } else { 0.0 };
        writeln!(text, "{at:.2},{i},{o}").unwrap();
    }
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(text.as_bytes()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("gateway.yaml"), GATEWAY).unwrap();
    fs::write(folder.path().join("long.csv.gz"), packed.finish().unwrap()).unwrap();
    let scenario = format!("gateway: gateway.yaml\ntraffic: {{x: {{replay: long.csv.gz, model: a}}}}\n{UPSTREAM}");
    fs::write(folder.path().join("scenario.yaml"), scenario).unwrap();
    let world = open(folder.path()).unwrap();
    for replication in 0..2 {
        assert_eq!(totals(&support::run(&world, 1, replication)), (ROWS, input, output));
    }
    assert!(world.room.spoilt().is_none());
}

#[test]
fn every_known_format_is_told_by_its_columns() {
    let azure = "TIMESTAMP,ContextTokens,GeneratedTokens\r\n2023-11-16 18:15:46.6805900,374,44\r\n\
                 2023-11-16 18:15:50.9951690,396,109\r\n";
    assert_eq!(totals(&play(azure, "replay: trace, model: a")), (2, 770, 153));
    let burst = "Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total tokens,Log Type\n\
                 19440110.0,1722ac82,43,GPT-4,906,446,1352,Conversation log\n19440192.0,,8,ChatGPT,36,29,65,API log\n";
    let run = play(burst, "replay: {file: trace, models: {GPT-4: b, ChatGPT: a}}");
    assert_eq!(run.deployments[0].input_tokens, 36);
    assert_eq!(run.deployments[1].input_tokens, 906);
    let mooncake = "{\"timestamp\": 0, \"input_length\": 1400, \"output_length\": 500, \"hash_ids\": [1, 2, 3]}\n\
                    {\"timestamp\": 27482, \"input_length\": 1300, \"output_length\": 490, \"hash_ids\": [1, 2, 4]}\n";
    let moon = world(mooncake, "replay: trace, model: a");
    assert_eq!(totals(&support::run(&moon, 1, 0)), (2, 2_700, 990));
    assert_eq!(moon.horizon.as_secs_f64(), 60.0, "27.5 s, in whole minutes");
    let mut stream = moon.traffic.replicate(moon.seed, billcast::random::Replication(0));
    let prefixes: Vec<u32> = std::iter::from_fn(|| stream.take()).map(|request| request.fate.prefix).collect();
    assert_eq!(prefixes, [0, 1_024], "two blocks of 512 tokens have been seen before");
    let rag = "{\"timestamp\": \"82\", \"input_length\": 3112, \"output_length\": 192, \"session_id\": \"17-af\"}\n\
               {\"timestamp\": \"345394\", \"input_length\": 3474, \"output_length\": 389, \"session_id\": \"17-bf\"}\n";
    let rag = world(rag, "replay: trace, model: a");
    assert_eq!(rag.horizon.as_secs_f64(), 345_360.0);
}

#[test]
fn spend_logs_bring_their_models_keys_and_repetitions() {
    let metadata = r#"{"user_api_key_alias": "team", "original_model_group": "a", "usage_object": {"prompt_tokens_details": {"cached_tokens": 1024}, "completion_tokens_details": {"reasoning_tokens": 100}}}"#;
    let row = |id: u32, second: u32, tokens: (u32, u32), group: &str, cache: &str, metadata: &str| {
        format!(
            "{{\"request_id\": \"{id}\", \"startTime\": \"2026-11-16T09:00:{second:02}.120Z\", \"prompt_tokens\": {}, \
             \"completion_tokens\": {}, \"model_group\": \"{group}\", \"cache_key\": \"{cache}\", \"metadata\": \
             {metadata}, \"messages\": {{}}}}\n",
            tokens.0, tokens.1
        )
    };
    let text = [
        row(1, 0, (1_420, 212), "b", "Cache OFF", metadata),
        row(2, 7, (0, 0), "a", "Cache OFF", "null"),
        row(3, 5, (1_420, 240), "b", "k1", "null"),
        row(4, 9, (1_420, 240), "b", "k1", "{\"original_model_group\": null}"),
        row(5, 30, (812, 0), "embed", "k2", "null"),
    ]
    .concat();
    let text_of = |class: &str| try_world("trace", text.as_bytes(), class);
    let world = text_of("replay: trace").unwrap();
    let mut stream = world.traffic.replicate(world.seed, billcast::random::Replication(0));
    let all: Vec<billcast::traffic::Request> = std::iter::from_fn(|| stream.take()).collect();
    let models: Vec<&str> = all.iter().map(|r| &*world.gateway.name(r.view.model).text).collect();
    assert_eq!(models, ["a", "b", "b", "embed"], "the model that was asked for, not the one that answered");
    assert_eq!((all[0].fate.prefix, all[0].fate.reasoning), (1_024, 100));
    assert_eq!(all[1].view.prompt, all[2].view.prompt, "one cache key is one prompt");
    assert_ne!(all[0].view.prompt, all[1].view.prompt);
    assert_eq!(world.start.strftime("%A %H:%M:%S").to_string(), "Monday 09:00:00", "the week's time of the log");
    assert!(said(&world).contains("rows without any tokens are left out: 1 "), "{}", said(&world));
    // With lengths of the class the failed call is sent after all.
    let filled = text_of("replay: trace, input: 700, output: 70").unwrap();
    assert_eq!(totals(&support::run(&filled, 1, 0)), (5, 1_420 * 3 + 812 + 700, 212 + 240 + 240 + 70));
}

#[test]
fn keys_that_only_the_trace_has_are_told_with_the_way_to_give_them() {
    let trace = |keys: &[&str]| {
        let rows = keys.iter().enumerate().map(|(at, key)| format!("{at},100,10,{key}\n"));
        format!("time,input,output,key\n{}", rows.collect::<String>())
    };
    let text = trace(&["search", "chat", "", "search", "k3", "k4", "k5", "k6"]);
    let told = said(&world(&text, "replay: trace, model: a"));
    let expected = "note [BC513]: the trace has 6 virtual keys (search, chat, k3, k4, k5, 1 more), the scenario has no `keys`: all \
        requests come with the master key; `keys: { search: {} }`, one line a key, gives each a row and limits of its own";
    assert!(told.contains(expected), "{told}");
    assert!(said(&world(&trace(&["one"]), "replay: trace, model: a")).contains("has 1 virtual key (one)"));
    assert!(!said(&world(&trace(&["", ""]), "replay: trace, model: a")).contains("BC513]: the trace has"));
    // What looks like a key itself is counted, and not told.
    let secret = said(&world(&trace(&["sk-abcdefgh1234", "mine"]), "replay: trace, model: a"));
    assert!(secret.contains("(mine, 1 that looks like a key itself)") && !secret.contains("abcdefgh"), "{secret}");
    // Who names the class's key has said what is meant, and who has keys is told which lack.
    let folder = tempfile::tempdir().unwrap();
    let scenario = |keys: &str, class: &str| {
        fs::write(folder.path().join("trace"), &text).unwrap();
        fs::write(folder.path().join("gateway.yaml"), GATEWAY).unwrap();
        let all =
            format!("gateway: gateway.yaml\n{keys}traffic: {{x: {{replay: trace, model: a{class}}}}}\n{UPSTREAM}");
        fs::write(folder.path().join("scenario.yaml"), all).unwrap();
        said(&open(folder.path()).unwrap())
    };
    let some = scenario("keys: {search: {}, chat: {}}\n", "");
    assert!(some.contains("4 keys of the trace that the scenario does not have: k3, k4, k5, k6"), "{some}");
    assert!(!scenario("keys: {search: {}}\n", ", key: search").contains("of the trace that"));
}

#[test]
fn bad_rows_are_told_with_their_lines_and_counted() {
    let text = "time,input,output\n1,10,5\nx,10,5\n2,-3,5\n3,10,5\n4,10\n5,10,5.5\n6,1e9,5\n7,10,abc\n8,10,5\n";
    let world = world(text, "replay: trace, model: a");
    let told = said(&world);
    for place in ["trace:3:1", "trace:4:1", "trace:6:1", "trace:7:1", "trace:8:1"] {
        assert!(told.contains(place), "{place} in {told}");
    }
    assert!(told.contains("6 rows in all are left out, 3 can be used"), "{told}");
    assert_eq!(totals(&support::run(&world, 1, 0)), (3, 30, 15));
    let lines = "{\"time\": 1, \"input\": 2, \"output\": 3}\n\n{\"time\": 2, \"input\": 2\nnull\n[]\n";
    let world = try_world("trace", lines.as_bytes(), "replay: trace, model: a").unwrap();
    let told = said(&world);
    assert!(["trace:3:1", "trace:4:1", "trace:5:1"].iter().all(|place| told.contains(place)), "{told}");
}

#[test]
fn what_cannot_be_a_trace_is_refused_in_one_sentence() {
    let error = |text: &str, class: &str| try_world("trace", text.as_bytes(), class).unwrap_err();
    let rows = "time,input,output\n1,10,5\n";
    assert!(error("", "replay: trace, model: a").contains("the trace is empty"));
    assert!(error("hour,requests\n1,2\n", "replay: trace, model: a").contains("columns: hour, requests"));
    assert!(error("time,input,output\nx,1,1\n", "replay: trace, model: a").contains("no row of the trace can be used"));
    assert!(error(rows, "replay: {file: trace, format: azur}, model: a").contains("did you mean `azure`"));
    assert!(error(rows, "replay: {file: trace, format: azure}, model: a").contains("contexttokens"));
    assert!(error(rows, "replay: {fil: trace}, model: a").contains("did you mean `file`"));
    assert!(error(rows, "replay: {file: trace, scale: -1}, model: a").contains("scale"));
    assert!(error(rows, "replay: {file: trace, loop: 0.000000002}, model: a").contains("loop"));
    assert!(error(rows, "replay: trace, model: a, rate: 3/s").contains("cannot stand beside `replay`"));
    assert!(error(rows, "replay: trace").contains("which model"));
    assert!(error(rows, "replay: elsewhere.csv, model: a").contains("there is no such file"));
    let named = "time,input,output,model\n1,10,5,gpt\n";
    assert!(error(named, "replay: trace").contains("called `gpt`"));
    let mut torn = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    torn.write_all("time,input,output\n".as_bytes()).unwrap();
    torn.write_all("1,10,5\n".repeat(5_000).as_bytes()).unwrap();
    let torn = torn.finish().unwrap();
    let told = try_world("trace", &torn[..torn.len() / 2], "replay: trace, model: a").unwrap_err();
    assert!(told.contains("cannot be read"), "{told}");
}

#[test]
fn no_bytes_make_it_panic() {
    let whole = [
        "time,input,output,model\n1,10,5,\"a\"\n2.5,1,1,\"b, c\"\n2026-11-16 09:00:00.12+01,3,4,x\n".as_bytes().to_vec(),
        "{\"timestamp\": 0, \"input_length\": 14, \"output_length\": 5, \"hash_ids\": [1, 2, 3]}\n{\"a\\u00e9\": {\"b\": []}}"
            .as_bytes()
            .to_vec(),
    ];
    let mut tried = 0;
    for text in &whole {
        for at in 0..text.len() {
            for byte in [None, Some(b'"'), Some(b'\n'), Some(0xFF), Some(b'{'), Some(b'-')] {
                let mut torn = text.clone();
                match byte {
                    None => torn.truncate(at),
                    Some(byte) => torn[at] = byte,
                }
                // Whatever comes of it, it is a world or a sentence.
                let told = try_world("trace", &torn, "replay: {file: trace, models: {b: a}}, model: a").err();
                assert!(told.is_none_or(|told| told.contains("error")));
                tried += 1;
            }
        }
    }
    assert!(tried > 900);
}

/// Two rows a second for 1,000 seconds.
fn steady() -> String {
    let rows = (0..2_000).map(|row| format!("{},100,{}\n", f64::from(row) / 2.0, 1 + row % 50));
    std::iter::once("time,input,output\n".to_owned()).chain(rows).collect()
}

#[test]
fn scale_thins_and_multiplies_by_addressed_draws() {
    let count = |scale: f64| play(&steady(), &format!("replay: {{file: trace, scale: {scale}}}, model: a")).requests;
    // Binomial: 4 standard deviations; copies of whole rows are exact.
    assert!((count(0.3) as f64 - 600.0).abs() < 4.0 * (2_000.0f64 * 0.3 * 0.7).sqrt());
    assert!((count(2.5) as f64 - 5_000.0).abs() < 4.0 * (2_000.0f64 * 0.25).sqrt());
    assert_eq!((count(0.0), count(1.0), count(3.0)), (0, 2_000, 6_000));
    let world = world(&steady(), "replay: {file: trace, scale: 3}, model: a");
    let mut stream = world.traffic.replicate(world.seed, billcast::random::Replication(0));
    let all: Vec<billcast::traffic::Request> = std::iter::from_fn(|| stream.take()).collect();
    assert!(all.windows(2).all(|pair| pair[0].at <= pair[1].at), "copies stand in order of time");
    let seconds: Vec<f64> = all.iter().map(|r| r.at.as_secs_f64() % 0.5).filter(|part| *part > 0.0).collect();
    // Copies are even between the rows: the mean of 3,998 uniform numbers on 0.5 s, 4 standard errors.
    let mean = seconds.iter().sum::<f64>() / seconds.len() as f64;
    assert!((mean - 0.25).abs() < 4.0 * 0.144 / 3_998f64.sqrt(), "{mean}");
}

#[test]
fn a_trace_begins_again_and_moves() {
    let at = |class: &str| {
        let text = "time,input,output\n100,1,1\n110,1,1\n140,1,1\n";
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("trace"), text).unwrap();
        fs::write(folder.path().join("gateway.yaml"), GATEWAY).unwrap();
        let scenario = format!("gateway: gateway.yaml\nhours: 0.05\ntraffic: {{x: {{model: a, {class}}}}}\n{UPSTREAM}");
        fs::write(folder.path().join("scenario.yaml"), scenario).unwrap();
        let world = open(folder.path()).unwrap();
        let mut stream = world.traffic.replicate(world.seed, billcast::random::Replication(0));
        let until = std::iter::from_fn(|| stream.take()).map(|r| r.at.as_secs_f64());
        until.take_while(|at| *at < 180.0).collect::<Vec<f64>>()
    };
    assert_eq!(at("replay: trace"), [0.0, 10.0, 40.0]);
    assert_eq!(at("replay: {file: trace, shift: 1m}"), [60.0, 70.0, 100.0]);
    assert_eq!(at("replay: {file: trace, shift: -10s}"), [0.0, 30.0]);
    assert_eq!(at("replay: {file: trace, loop: true}"), [0.0, 10.0, 40.0, 60.0, 70.0, 100.0, 120.0, 130.0, 160.0]);
    assert_eq!(at("replay: {file: trace, loop: 100s}"), [0.0, 10.0, 40.0, 100.0, 110.0, 140.0]);
    assert_eq!(at("replay: {file: trace, loop: 100, shift: -20}"), [20.0, 80.0, 90.0, 120.0]);
    assert_eq!(at("replay: {file: trace, loop: false}"), [0.0, 10.0, 40.0]);
}

#[test]
fn an_array_of_rows_is_played_like_lines() {
    let rows = [(0.5, 100, 10), (2.0, 250, 0), (7.25, 30, 7)];
    let object = |(time, input, output): &(f64, u32, u32)| {
        format!("{{\"time\": {time}, \"input\": {input}, \"output\": {output},\n  \"note\": \"],[\\\"\"}}")
    };
    let objects: Vec<String> = rows.iter().map(object).collect();
    let lines: String = objects.iter().map(|row| format!("{}\n", row.replace('\n', " "))).collect();
    let array = format!("[\n  {}\n]\n", objects.join(",\n  "));
    let class = "replay: trace, model: a";
    let (of_lines, of_array) = (play(&lines, class), play(&array, class));
    assert_eq!(totals(&of_array), (3, 380, 17));
    assert_eq!(of_lines.ledger.total(), of_array.ledger.total());
    let broken = array.replacen("250", "?", 1);
    let world = world(&broken, class);
    assert!(said(&world).contains("trace:2"), "rows are counted: {}", said(&world));
}

/// Rows at a steady pace, all with these tokens.
fn rows(count: u32, tokens: u32) -> String {
    (0..count).fold("time,input,output\n".to_owned(), |text, row| text + &format!("{},{tokens},10\n", row / 1_000))
}

/// More rows than are kept in memory.
fn long() -> String {
    rows(250_500, 20)
}

/// A folder with a scenario that plays `trace.csv`.
fn folder_with(trace: Option<&str>, more: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("gateway.yaml"), GATEWAY).unwrap();
    let scenario = format!("gateway: gateway.yaml\ntraffic: {{x: {{replay: trace.csv, model: a}}}}\n{UPSTREAM}{more}");
    fs::write(folder.path().join("scenario.yaml"), scenario).unwrap();
    trace.into_iter().for_each(|trace| fs::write(folder.path().join("trace.csv"), trace).unwrap());
    folder
}

/// Why the runs of a world are worth nothing.
fn spoilt(room: &Room) -> String {
    room.spoilt().map(|problem| format!("{problem}")).unwrap_or_default()
}

/// What may become of a file, and the word for it.
type Change = (&'static str, fn(&Path));
const CHANGES: [Change; 6] = [
    ("vanished", |trace| fs::remove_file(trace).unwrap()),
    ("changed", |trace| fs::OpenOptions::new().write(true).open(trace).unwrap().set_len(500_000).unwrap()),
    ("changed", |trace| fs::write(trace, long().replace(",20,", ",30,")).unwrap()),
    ("changed", |trace| fs::write(trace, [0xFF, 0, b'"', b'\n'].repeat(1_000)).unwrap()),
    ("changed", |trace| writeln!(fs::OpenOptions::new().append(true).open(trace).unwrap(), "251,1,1").unwrap()),
    ("changed", |trace| {
        let other = trace.with_extension("other");
        fs::write(&other, rows(3, 1)).unwrap();
        fs::rename(other, trace).unwrap();
    }),
];

#[test]
fn a_long_trace_that_does_not_stay_the_same_spoils_all_runs() {
    let text = long();
    for (word, change) in CHANGES {
        let folder = folder_with(Some(&text), "");
        let world = open(folder.path()).unwrap();
        assert_eq!((support::run(&world, 1, 0).requests, spoilt(&world.room)), (250_500, String::new()));
        change(&folder.path().join("trace.csv"));
        support::run(&world, 1, 1);
        let told = spoilt(&world.room);
        assert!(told.contains("trace.csv") && told.contains(&format!("{word} while it was played")), "{told}");
        // Whoever simulates without the command line finds it among the diagnostics.
        let forecast = support::forecast_of(&world, 1, 1, 1);
        assert!(forecast.diagnostics.iter().any(|found| found.message.contains(word)));
    }
    // Under a run that does not come to the end of the trace.
    let folder = folder_with(Some(&text), "");
    let world = open(folder.path()).unwrap();
    let mut stream = world.traffic.replicate(world.seed, Replication(0));
    assert!(stream.take().is_some());
    fs::write(folder.path().join("trace.csv"), long().replace(",20,", ",30,")).unwrap();
    assert_eq!(spoilt(&world.room), "");
    drop(stream);
    assert!(spoilt(&world.room).contains("changed"));
}

#[test]
fn worlds_that_are_compiled_for_one_purpose_play_the_same_trace() {
    let overrides = Overrides::default();
    let folder = folder_with(Some(&steady()), "");
    let load = || load(&folder.path().to_string_lossy(), &overrides).map_err(|problem| format!("{problem}"));
    let world = load().unwrap();
    assert!(load().is_ok() && !world.room.is_over());
    // Also where it is short.
    fs::write(folder.path().join("trace.csv"), rows(3, 1)).unwrap();
    let told = load().unwrap_err();
    assert!(told.contains("trace.csv: the trace has changed"), "{told}");
    assert!(world.room.is_over() && spoilt(&world.room).contains("changed"));
    assert_eq!(support::run(&world, 1, 0).requests, 2_000, "what is in memory is played on");
    assert!(open(folder.path()).is_ok(), "for another purpose it is a trace like any other");
    fs::remove_file(folder.path().join("trace.csv")).unwrap();
    assert!(load().unwrap_err().contains("vanished"));
}

#[cfg(unix)]
fn make_pipe(at: &Path) {
    assert!(Command::new("mkfifo").arg(at).status().unwrap().success());
}

/// Writes into a pipe as soon as somebody reads from it, after having done something else.
#[cfg(unix)]
fn feed(pipe: &Path, text: String, first: impl FnOnce() + Send + 'static) {
    let pipe = pipe.to_owned();
    thread::spawn(move || {
        let mut pipe = fs::OpenOptions::new().write(true).open(pipe).unwrap();
        first();
        // Who has read enough goes away.
        let _ = pipe.write_all(text.as_bytes());
    });
}

#[cfg(unix)]
#[test]
fn a_pipe_is_read_once() {
    let folder = folder_with(None, "");
    let pipe = folder.path().join("trace.csv");
    make_pipe(&pipe);
    let overrides = Overrides::default();
    let load = |with: &Overrides| load(&folder.path().to_string_lossy(), with).map_err(|problem| format!("{problem}"));
    feed(&pipe, steady(), || {});
    let world = load(&overrides).unwrap();
    assert_eq!((support::run(&world, 1, 0).requests, support::run(&world, 1, 1).requests), (2_000, 2_000));
    assert_eq!(spoilt(&world.room), "");
    // Nobody will ever write into it again.
    let told = load(&overrides).unwrap_err();
    assert!(told.contains("a pipe can be read only once") && told.contains("write it to a file first"), "{told}");
    // Too long to be kept; the second is not even read to its end.
    for count in [250_500, 2_000_000] {
        feed(&pipe, rows(count, 1), || {});
        let told = load(&Overrides::default()).unwrap_err();
        assert!(told.contains("a pipe can be read only once") && told.contains("250000 rows"), "{told}");
    }
}

/// Runs the program; what takes so long never ends.
#[cfg(unix)]
fn billcast(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_billcast"));
    command.current_dir(folder).args(arguments).timeout(Duration::from_secs(120)).output().unwrap()
}

#[cfg(unix)]
fn assert_spoilt(output: &Output, word: &str, what: &str) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{what}: {stderr}");
    assert!(stderr.contains("trace.csv") && stderr.contains(&format!("the trace has {word}")), "{what}: {stderr}");
    let stdout = String::from_utf8_lossy(&output.stdout);
    // Of a config `check` tells more than what it costs.
    let has_figures = if what == "check" { stdout.contains('$') } else { !stdout.is_empty() };
    assert!(!has_figures, "{what} tells figures: {stdout}");
}

#[cfg(unix)]
#[test]
fn every_command_ends_with_an_error_when_a_trace_changes() {
    const PRICES: &str = r#"{"gpt-4o-mini": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 1e-6,
                             "output_cost_per_token": 1e-6}}"#;
    const CLAIMS: &str = "title: t\nsays: s\nfinds: f\nruns: 2\nclaims:\n\
        - {figure: bill, unit: usd, arithmetic: [1, 2], simulated: bill.mean, agrees: arithmetic, because: b}\n";
    let (text, retries) = (long(), "gateway.router_settings.num_retries=1");
    let commands: [&[&str]; 15] = [
        &["run", ".", "--runs", "2", "--out", "out"],
        &["run", ".", "--runs", "2", "--out", "out/part", "--part", "1/2"],
        &["run", ".", "--runs", "2", "--rare", "bill > 1"],
        &["report", ".", "--runs", "2", "--out", "out"],
        &["explain", ".", "--runs", "2"],
        &["check", ".", "--runs", "2"],
        &["claims", "."],
        &["plan", ".", "--runs", "2", "--out", "out"],
        &["plan", ".", "--runs", "2", "--out", "out", "--budgets"],
        &["compare", ".", "--runs", "2", "--out", "out", "--set", retries],
        &["sweep", ".", "--runs", "2", "--out", "out", "--vary", retries],
        &["sweep", ".", "--runs", "2", "--out", "out", "--tornado"],
        &["solve", ".", "--runs", "2", "--vary", "upstream.openai.latency=1..2", "--target", "bill=1"],
        &["month", ".", "--runs", "2", "--out", "out/month.html"],
        &["month", ".", "--runs", "2", "--months", "2"],
    ];
    for ((word, change), command) in CHANGES.into_iter().cycle().zip(commands) {
        let folder = folder_with(Some(&text), "prices: prices.json\n");
        fs::write(folder.path().join("claims.yaml"), CLAIMS).unwrap();
        // Prices are read after the trace, so that it changes between the first reading and whatever comes next.
        let (prices, trace) = (folder.path().join("prices.json"), folder.path().join("trace.csv"));
        make_pipe(&prices);
        feed(&prices, PRICES.to_owned(), move || change(&trace));
        assert_spoilt(&billcast(folder.path(), command), word, command[0]);
        let left = fs::read_dir(folder.path().join("out")).map_or(0, Iterator::count);
        assert_eq!(left, 0, "{command:?} has written something");
    }
}

#[cfg(unix)]
#[test]
fn runs_under_way_end_when_the_trace_changes() {
    for (word, change) in CHANGES {
        let folder = folder_with(Some(&long()), "");
        let (out, trace) = (folder.path().join("out"), folder.path().join("trace.csv"));
        // The folder is there when all has been read.
        let wait = move || {
            while !out.exists() {
                thread::sleep(Duration::from_millis(10));
            }
            thread::sleep(Duration::from_millis(300));
            change(&trace);
        };
        thread::spawn(wait);
        assert_spoilt(&billcast(folder.path(), &["run", ".", "--runs", "100000", "--out", "out"]), word, "run");
        assert_eq!(fs::read_dir(folder.path().join("out")).unwrap().count(), 0);
    }
}
