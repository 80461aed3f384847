//! Pictures of points from drawings, with an embedded font, so that the bytes do not depend on the machine's fonts.

use std::sync::{Arc, LazyLock};

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::fontdb::Database;
use resvg::usvg::{Options, Tree};

/// Noto Sans, and the signs of Noto Sans Math that it lacks (−, ≥, ∞, → …); SIL Open Font License 1.1
/// (`assets/NotoSans-LICENSE.txt` says how the second was made).
static TEXT: &[u8] = include_bytes!("../../../assets/NotoSans-Regular.ttf");
static SIGNS: &[u8] = include_bytes!("../../../assets/NotoSansMath-Subset.ttf");

/// Points for each pixel of the drawing.
const DENSITY: f32 = 2.0;

static FONTS: LazyLock<Arc<Database>> = LazyLock::new(|| {
    let mut fonts = Database::new();
    // What the first has no glyph for is taken from the second.
    fonts.load_font_data(TEXT.to_vec());
    fonts.load_font_data(SIGNS.to_vec());
    fonts.set_sans_serif_family("Noto Sans");
    Arc::new(fonts)
});

/// The PNG of an SVG that the canvas drew.
pub fn render(svg: &str) -> Vec<u8> {
    let options = Options { fontdb: Arc::clone(&FONTS), ..Options::default() };
    let tree = Tree::from_str(svg, &options).expect("the canvas draws well-formed SVG");
    let size = tree.size();
    let (width, height) = ((size.width() * DENSITY).ceil() as u32, (size.height() * DENSITY).ceil() as u32);
    let mut picture = Pixmap::new(width, height).expect("a chart has a size");
    resvg::render(&tree, Transform::from_scale(DENSITY, DENSITY), &mut picture.as_mut());
    picture.encode_png().expect("memory does not fail")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minus_is_no_box() {
        let drawn = |text: &str| {
            render(&format!(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"40\" height=\"40\">\
                 <text x=\"8\" y=\"30\" font-size=\"24\" font-family=\"sans-serif\">{text}</text></svg>"
            ))
        };
        // No font has a letter of Linear B: it is drawn as the box.
        let no_glyph = drawn("\u{10000}");
        for sign in "−≥≤≈≠∞→←×±·–…".chars() {
            assert_ne!(drawn(&sign.to_string()), no_glyph, "{sign}");
        }
    }
}
