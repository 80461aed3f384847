//! Configs in several files: what is put together is what LiteLLM 1.102.4 puts together (its `ProxyConfig.get_config`
//! was run on the same files), and what is said points into the file that it is about.

mod support;

use std::path::Path;

use billcast::diagnostic::{Diagnostic, Severity, codes};
use billcast::document::Node;
use billcast::report::diagnostics::to_text;
use billcast::scenario::{ConfigText, Edit, Files, Overrides};
use support::{folder_of, load_files};

const FILES: [(&str, &str); 5] = [
    (
        "gateway.yaml",
        "include: [models.yaml, sub/more.yaml, models.yaml]
model_list:
  - {model_name: a, litellm_params: {model: openai/gpt-4o-mini, api_key: k}}
router_settings: {num_retries: 2, fallbacks: [{a: [b]}]}
litellm_settings: {num_retries: 1}
",
    ),
    (
        "models.yaml",
        "model_list:
  - model_name: b
    litellm_params:
      model: openai/gpt-4o
      api_key: sk-verysecret1234567890
      weihgt: 3
",
    ),
    // Names start from the folder of the file, and what is not there may be beside the first file; circles end.
    (
        "sub/more.yaml",
        "include: [deep/x.yaml, ../gateway.yaml, beside-root.yaml]
router_settings: {num_retries: 5, fallbacks: [{b: [c]}]}
",
    ),
    (
        "sub/deep/x.yaml",
        "model_list:
  - {model_name: c, litellm_params: {model: openai/gpt-4.1, api_key: k}}
general_settings: {master_key: sk-1234}
",
    ),
    ("beside-root.yaml", "model_list:\n  - {model_name: d, litellm_params: {model: openai/gpt-5-nano, api_key: k}}\n"),
];

/// The same as one file.
const MERGED: &str = "model_list:
  - {model_name: a, litellm_params: {model: openai/gpt-4o-mini, api_key: k}}
  - {model_name: b, litellm_params: {model: openai/gpt-4o, api_key: sk-verysecret1234567890, weihgt: 3}}
  - {model_name: c, litellm_params: {model: openai/gpt-4.1, api_key: k}}
  - {model_name: d, litellm_params: {model: openai/gpt-5-nano, api_key: k}}
router_settings: {num_retries: 5, fallbacks: [{b: [c]}]}
litellm_settings: {num_retries: 1}
general_settings: {master_key: sk-1234}
";

const TRAFFIC: &str = "{gateway: gateway.yaml, hours: 1, start: 2026-11-20 12:00 UTC, traffic: {x: {preset: chat, model: b, rate: 10/min}}}";

/// Reads a config that stands in these files of a folder of its own; names are those in the folder.
fn read(files: &[(&str, &str)]) -> ConfigText {
    let folder = folder_of(files);
    ConfigText::read(&Files::Disk(folder.path().to_owned()), files[0].0).unwrap_or_else(|problem| panic!("{problem}"))
}

/// Names, keys and values without places.
fn plain(node: &Node) -> String {
    match (node.entries(), node.items()) {
        ([], []) => node.printed().unwrap_or_else(|| node.kind().to_owned()),
        ([], items) => format!("[{}]", items.iter().map(plain).collect::<Vec<_>>().join(", ")),
        (entries, _) => {
            let entry = |entry: &billcast::document::Entry| format!("{}: {}", entry.key, plain(&entry.value));
            format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
    }
}

/// Code, file and line.
fn place(found: &Diagnostic) -> (&str, &str, usize) {
    let name = Path::new(&*found.file).file_name().and_then(|name| name.to_str()).unwrap_or_default();
    (found.code, name, found.span.line)
}

#[test]
fn lists_are_added_and_all_else_is_replaced() {
    let (parts, whole) = (read(&FILES), read(&[("gateway.yaml", MERGED)]));
    assert_eq!(plain(parts.tree.as_ref().unwrap()), plain(whole.tree.as_ref().unwrap()));
    assert_eq!(parts.sources.len(), 5);
}

#[test]
fn a_config_in_files_is_played_like_one() {
    let play = |files: &[(&str, &str)]| {
        let files = [files, &[("scenario.yaml", TRAFFIC)]].concat();
        let world = load_files(&files, &Overrides::default()).unwrap_or_else(|problem| panic!("{problem}"));
        support::forecast_of(&world, 3, 2, 1).bill.mean
    };
    assert_eq!(play(&FILES), play(&[("gateway.yaml", MERGED)]));
}

#[test]
fn findings_point_into_the_file_that_they_are_about() {
    let text = read(&FILES);
    let mut found = text.check();
    text.tell_places(&mut found);
    let places: Vec<_> = found.iter().map(place).collect();
    assert!(places.contains(&(codes::INERT_KEY, "gateway.yaml", 4)), "{places:?}: router_settings is replaced");
    assert!(places.contains(&(codes::UNKNOWN_KEY, "models.yaml", 6)), "{places:?}: weihgt");
    for said in &found {
        let source = text.sources.iter().find(|source| source.name == said.file).expect("of a file that was read");
        assert!(said.span.end <= source.text.len(), "{said:?}");
        let shown = to_text(std::slice::from_ref(said), &source.text, false);
        assert!(!shown.contains("verysecret"), "{shown}");
    }
    let weight = found.iter().find(|said| said.code == codes::UNKNOWN_KEY).unwrap();
    assert_eq!(&text.sources[1].text[weight.span.start..weight.span.end], "weihgt");
}

#[test]
fn files_are_put_together_before_values_are_changed() {
    let files = [&FILES[..], &[("scenario.yaml", TRAFFIC)]].concat();
    let changed = |edit: &str| {
        let edits = vec![Edit::parse(edit).unwrap_or_else(|problem| panic!("{problem}"))];
        load_files(&files, &Overrides { edits, ..Overrides::default() }).err()
    };
    assert_eq!(changed("gateway.router_settings.num_retries=0"), None);
    let told = changed("gateway.include=[models.yaml]").expect("it would do nothing");
    assert!(told.contains("before values are changed"), "{told}");
}

#[test]
fn what_keeps_the_gateway_from_starting_is_told_where_it_is_written() {
    let models = "model_list:\n  - {model_name: a, litellm_params: {model: openai/gpt-4o, api_key: k}}\n";
    let cases = [
        ("include: models.yaml", "must be a list"),
        ("include: [3]", "must be a list"),
        ("include:", "must be a list"),
        ("include: [none.yaml]", "there is no such file"),
        ("include: [folder]", "is a directory"),
        ("include: [list.yaml]", "is no map"),
        // No file has this name, and stdin is not read.
        ("include: ['-']", "there is no such file"),
    ];
    for (line, expected) in cases {
        let root = format!("{line}\n{models}");
        let text = read(&[("gateway.yaml", &root), ("list.yaml", "- a\n"), ("folder/x", "")]);
        let error = text.check().into_iter().find(|found| found.severity == Severity::Error).unwrap();
        assert_eq!(place(&error), (codes::BREAKS_START, "gateway.yaml", 1), "{line}");
        assert!(error.message.contains(expected), "{line}: {}", error.message);
    }
    // Nothing in a file is nothing to add.
    for nothing in ["", "# later\n", "null\n", "[]\n", "{}\n"] {
        let root = format!("include: [nothing.yaml]\n{models}");
        let text = read(&[("gateway.yaml", &root), ("nothing.yaml", nothing)]);
        assert!(text.check().iter().all(|found| found.severity != Severity::Error), "{nothing:?}: {:?}", text.check());
    }
}
