//! The house is held by a test: each module looks only downwards, the documents say what the code does, and files stay
//! of a size that can be read.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A module, and what it may use.
type Module = (String, BTreeSet<String>);

/// The modules in the order of the house, ground floor first: the rows of the table in `ARCHITECTURE.md`. What a module
/// may use is written there by number (`1–2, 4`), `–` for nothing, `all` for everything.
fn house() -> Vec<Module> {
    let architecture = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    let rows: Vec<Vec<&str>> = architecture
        .lines()
        .map(|line| line.split('|').map(str::trim).collect::<Vec<_>>())
        .filter(|cells| cells.len() == 6 && cells[1].parse::<usize>().is_ok())
        .collect();
    let names: Vec<String> = rows.iter().map(|cells| cells[2].trim_matches(['`', '/']).to_owned()).collect();
    let module = |(number, cells): (usize, &Vec<&str>)| {
        assert_eq!(cells[1], (number + 1).to_string(), "the rows of ARCHITECTURE.md are numbered");
        let floors: Vec<usize> = match cells[4] {
            "–" => Vec::new(),
            "all" => (0..number).collect(),
            list => list.split(", ").flat_map(floors).collect(),
        };
        assert!(floors.iter().all(|floor| *floor < number), "`{}` looks up", names[number]);
        (names[number].clone(), floors.into_iter().map(|floor| names[floor].clone()).collect())
    };
    rows.iter().enumerate().map(module).collect()
}

/// `4` or `1–2`, counted from 0.
fn floors(span: &str) -> std::ops::Range<usize> {
    let (first, last) = span.split_once('–').unwrap_or((span, span));
    let number = |text: &str| text.parse::<usize>().expect("the number of a module");
    number(first) - 1..number(last)
}

/// Files longer than this want a reason, which would stand here.
const LONGEST_FILE: usize = 500;
/// Functions longer than this are split.
const LONGEST_FUNCTION: usize = 70;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// Modules that a source text of `module` names and may not use.
fn violations(house: &[Module], module: &str, source: &str) -> Vec<String> {
    let (_, allowed) = house.iter().find(|(name, _)| name == module).expect("a module of the table");
    source
        .split("crate::")
        .skip(1)
        .map(|rest| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>())
        .filter(|used| house.iter().any(|(name, _)| name == used) && used != module && !allowed.contains(used))
        .collect()
}

fn module_of(file: &Path) -> String {
    let relative = file.strip_prefix(root().join("src")).expect("a file below src");
    let first = relative.components().next().expect("a path with a first part").as_os_str().to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

/// The code of a file without its unit tests.
fn production_code(source: &str) -> &str {
    source.split("#[cfg(test)]\nmod tests").next().unwrap_or(source)
}

#[test]
fn modules_look_only_downwards() {
    let house = house();
    for file in rust_files(&root().join("src")) {
        let module = module_of(&file);
        if module == "lib" || module == "main" {
            continue;
        }
        let text = fs::read_to_string(&file).expect("UTF-8 source");
        let source = production_code(&text);
        assert!(house.iter().any(|(name, _)| *name == module), "{}: `{module}` has no room", file.display());
        let wrong = violations(&house, &module, source);
        assert!(wrong.is_empty(), "{}: `{module}` may not use {wrong:?}", file.display());
        assert!(!source.contains("use crate::{"), "{}: one `use` a module keeps the scan honest", file.display());
    }
}

#[test]
fn a_seeded_violation_is_found() {
    let house = house();
    assert_eq!(violations(&house, "gateway", "use crate::traffic::Fate;"), ["traffic"]);
    assert_eq!(violations(&house, "units", "fn f() { crate::engine::run() }"), ["engine"]);
    assert!(violations(&house, "engine", "use crate::gateway::Step;").is_empty());
}

#[test]
fn modules_are_listed_in_the_order_of_the_house() {
    let library = fs::read_to_string(root().join("src/lib.rs")).expect("the library");
    let listed: Vec<&str> =
        library.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    let house: Vec<String> = house().into_iter().map(|(name, _)| name).collect();
    assert_eq!(listed, house, "lib.rs and ARCHITECTURE.md list the same modules in the same order");
}

#[test]
fn files_and_functions_can_be_read_in_one_go() {
    for file in rust_files(&root().join("src")) {
        let source = fs::read_to_string(&file).expect("UTF-8 source");
        let code = production_code(&source);
        let lines = code.lines().count();
        assert!(lines <= LONGEST_FILE, "{}: {lines} lines", file.display());
        for (name, length) in function_lengths(code) {
            assert!(length <= LONGEST_FUNCTION, "{}: `{name}` has {length} lines", file.display());
        }
    }
}

/// `cargo fmt` holds code to the width of `rustfmt.toml`, and leaves comments alone.
#[test]
fn comments_are_no_wider_than_code() {
    let settings = fs::read_to_string(root().join("rustfmt.toml")).expect("settings");
    let width = settings.lines().find_map(|line| line.strip_prefix("max_width = ")?.parse().ok()).expect("a width");
    for file in ["src", "tests", "benches", "fuzz/src"].iter().flat_map(|folder| rust_files(&root().join(folder))) {
        let source = fs::read_to_string(&file).expect("UTF-8 source");
        let is_wide = |(_, line): &(usize, &str)| line.trim_start().starts_with("//") && line.chars().count() > width;
        if let Some((index, line)) = source.lines().enumerate().find(is_wide) {
            panic!("{}:{}: a comment of {} columns", file.display(), index + 1, line.chars().count());
        }
    }
}

/// Names and lengths in lines of the functions in a formatted source: from `fn` to the brace at the same indentation.
fn function_lengths(code: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = code.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let indent = line.len() - line.trim_start().len();
        let words: Vec<&str> = line.split_whitespace().take_while(|word| !word.contains('(')).collect();
        let is_function = line.trim_start().starts_with("fn ")
            || (words.contains(&"fn") || line.contains(" fn ")) && line.trim_start().starts_with("pub");
        let signature_end = lines[start..].iter().find(|line| line.trim_end().ends_with(['{', ';', '}']));
        if !is_function || signature_end.is_none_or(|line| !line.trim_end().ends_with('{')) {
            continue;
        }
        let close = format!("{}}}", " ".repeat(indent));
        if let Some(length) = lines[start..].iter().position(|line| *line == close) {
            let name = line.split("fn ").nth(1).unwrap_or("").split(['(', '<']).next().unwrap_or("");
            found.push((name.to_owned(), length + 1));
        }
    }
    found
}

#[test]
fn no_text_in_the_repository_names_a_machine() {
    let forbidden = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/tm", "p/")];
    let extensions = ["rs", "md", "toml", "yaml", "yml", "json", "csv", "py", "ipynb", "html", "svg"];
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a readable folder") {
            let path = entry.expect("a readable entry").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() {
                if !["target", ".git", "out", "node_modules", "fuzz", ".venv"].contains(&name.as_str()) {
                    folders.push(path);
                }
                continue;
            }
            if !path.extension().is_some_and(|e| extensions.contains(&e.to_string_lossy().as_ref())) {
                continue;
            }
            let text = fs::read_to_string(&path).unwrap_or_default();
            for word in forbidden {
                assert!(!text.contains(word), "{}: names `{word}`", path.display());
            }
        }
    }
}
