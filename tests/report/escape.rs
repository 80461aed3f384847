//! Names from configs are hostile: none may break out of the format that it is shown in.

use resvg::usvg::roxmltree::Document;
use serde_json::Value;

use crate::synthetic::{self, HOSTILE, Recipe, USUAL};
use crate::{GALLERY, rows, text};
use billcast::report::{Artefact, TerminalOptions, View, terminal};

fn hostile() -> &'static [Artefact] {
    &GALLERY.iter().find(|exhibit| exhibit.name == "hostile").expect("one is hostile").all
}

/// Files that are no texts.
const BINARY: [&str; 3] = [".png", ".parquet", ".xlsx"];

/// Characters that drive a terminal or turn the direction of a line.
fn drives(c: char) -> bool {
    (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c) || ('\u{2066}'..='\u{2069}').contains(&c)
}

#[test]
fn no_text_file_holds_a_control_character() {
    for artefact in hostile().iter().filter(|artefact| !BINARY.iter().any(|end| artefact.file_name.ends_with(end))) {
        let content = std::str::from_utf8(&artefact.bytes).unwrap();
        assert!(!content.contains(drives), "{}", artefact.file_name);
    }
}

#[test]
fn the_terminal_gets_no_command() {
    let forecast = synthetic::forecast(Recipe { hostile: true, deployments: 7, runs: 12, ..USUAL });
    for verbose in [false, true] {
        let summary = terminal(&View::new(&forecast), TerminalOptions { verbose, ..TerminalOptions::default() });
        assert!(!summary.contains(drives), "{summary:?}");
    }
}

/// The page and the drawings have only elements and attributes that billcast writes itself.
fn holds_only_our_markup(svg: &str, file: &str) {
    let document = Document::parse(svg).unwrap_or_else(|error| panic!("{file}: {error}"));
    for node in document.descendants().filter(|node| node.is_element()) {
        let known = ["svg", "title", "rect", "line", "polyline", "polygon", "circle", "text"];
        assert!(known.contains(&node.tag_name().name()), "{file}: {}", node.tag_name().name());
        let handler = node.attributes().find(|attribute| attribute.name().starts_with("on"));
        assert!(handler.is_none(), "{file}: {handler:?}");
    }
}

#[test]
fn no_name_becomes_markup() {
    for artefact in hostile().iter().filter(|artefact| artefact.file_name.ends_with(".svg")) {
        holds_only_our_markup(std::str::from_utf8(&artefact.bytes).unwrap(), &artefact.file_name);
    }
    let page = text(hostile(), "report.html");
    let without_style = page.split_once("</style>").unwrap().1;
    assert_eq!(without_style.matches("<script").count(), 1, "only our own");
    let without_style = without_style.replacen("<script>", "", 1);
    for tag in ["<script", "<iframe", "<img", "<link", "<b>", "src=", "<object", "http-equiv=\"refresh"] {
        assert!(!without_style.contains(tag), "{tag}");
    }
    let body = without_style.replace("&quot; onload=&quot;", "");
    assert!(!body.contains(" onload=\""), "an attribute broke out");
    for svg in crate::layout::drawings(&page) {
        holds_only_our_markup(svg, "report.html");
    }
}

#[test]
fn the_page_loads_nothing() {
    let page = text(hostile(), "report.html");
    for address in ["href=\"http", "url(", "@import", "xlink:href"] {
        assert!(!page.contains(address), "{address}");
    }
    assert!(page.contains("default-src 'none'"));
}

#[test]
fn no_cell_is_a_formula() {
    for artefact in hostile().iter().filter(|artefact| artefact.file_name.ends_with(".csv")) {
        for cell in rows(hostile(), &artefact.file_name).into_iter().flatten() {
            let formula = cell.trim_start().starts_with(['=', '+', '-', '@', '\t', '\r']);
            assert!(!formula || cell.parse::<f64>().is_ok(), "{}: {cell:?}", artefact.file_name);
        }
    }
}

#[test]
fn json_keeps_names_exactly() {
    let document: Value = serde_json::from_str(&text(hostile(), "forecast.json")).unwrap();
    let names: Vec<&str> =
        document["deployments"].as_array().unwrap().iter().map(|d| d["name"].as_str().unwrap()).collect();
    for (index, name) in names.iter().enumerate() {
        assert_eq!(**name, format!("{} {index}", HOSTILE[index % HOSTILE.len()]));
    }
}
