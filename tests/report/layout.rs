//! Labels stay inside their pictures and off each other, for every kind of forecast and both widths of the page.

use resvg::usvg::roxmltree::{Document, Node};

use crate::{Exhibit, GALLERY, text};

/// A label with the room that it takes at the least, in units of the drawing.
struct Label {
    text: String,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

/// The drawings in a page.
pub fn drawings(page: &str) -> impl Iterator<Item = &str> {
    page.match_indices("<svg ").map(|(start, _)| {
        let end = page[start..].find("</svg>").unwrap() + "</svg>".len();
        &page[start..start + end]
    })
}

fn number(node: Node<'_, '_>, name: &str) -> f64 {
    node.attribute(name).unwrap().parse().unwrap()
}

/// The least width of a text: narrower than any common font sets it.
fn least_width(text: &str, size: f64) -> f64 {
    let em = |c: char| if "ijlft.,:;'|!I()[]/ ".contains(c) { 0.2 } else { 0.48 };
    text.chars().map(em).sum::<f64>() * size
}

fn labels(document: &Document<'_>) -> Vec<Label> {
    let label = |node: Node<'_, '_>| {
        let text = node.text().unwrap_or_default().trim().to_owned();
        let size = number(node, "font-size");
        let wide = least_width(&text, size);
        let left = number(node, "x")
            - match node.attribute("text-anchor") {
                Some("middle") => wide / 2.0,
                Some("end") => wide,
                _ => 0.0,
            };
        let middle = number(node, "y");
        Label { text, left, right: left + wide, top: middle - size * 0.4, bottom: middle + size * 0.4 }
    };
    document.descendants().filter(|node| node.has_tag_name(("http://www.w3.org/2000/svg", "text"))).map(label).collect()
}

fn check(svg: &str, name: &str) {
    let document = Document::parse(svg).unwrap();
    let root = document.root_element();
    let title = root.attribute("aria-label").unwrap();
    let view: Vec<f64> = root.attribute("viewBox").unwrap().split(' ').map(|value| value.parse().unwrap()).collect();
    let labels = labels(&document);
    for (index, label) in labels.iter().enumerate() {
        let inside = label.left >= 0.0 && label.right <= view[2] && label.top >= 0.0 && label.bottom <= view[3];
        assert!(inside, "{name}, {title}: `{}` at {}..{} leaves {view:?}", label.text, label.left, label.right);
        for other in &labels[..index] {
            let apart = label.left >= other.right
                || other.left >= label.right
                || label.top >= other.bottom
                || other.top >= label.bottom;
            assert!(apart, "{name}, {title}, {} wide: `{}` lies on `{}`", view[2], label.text, other.text);
        }
    }
}

#[test]
fn no_label_leaves_its_picture_or_lies_on_another() {
    for Exhibit { name, all, .. } in GALLERY.iter() {
        for artefact in all.iter().filter(|artefact| artefact.file_name.ends_with(".svg")) {
            check(std::str::from_utf8(&artefact.bytes).unwrap(), name);
        }
        for svg in drawings(&text(all, "report.html")) {
            check(svg, name);
        }
    }
}

#[test]
fn a_page_has_every_drawing_for_wide_and_for_narrow_screens() {
    let page = text(&GALLERY[0].all, "report.html");
    assert_eq!(drawings(&page).count(), 2 * 7);
    assert!(drawings(&page).all(|svg| !svg.contains("fill=\"#") && !svg.contains("stroke=\"#")), "a fixed colour");
}

#[test]
fn every_picture_has_its_points() {
    for artefact in GALLERY[0].all.iter().filter(|artefact| artefact.file_name.ends_with(".png")) {
        assert_eq!(&artefact.bytes[..8], b"\x89PNG\r\n\x1a\n", "{}", artefact.file_name);
        let wide = u32::from_be_bytes(artefact.bytes[16..20].try_into().unwrap());
        assert_eq!(wide, 1760, "{}", artefact.file_name);
    }
}
