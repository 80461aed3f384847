//! Pictures of points from drawings, with an embedded font, so that the bytes do not depend on the machine's fonts.

use std::sync::{Arc, LazyLock};

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::fontdb::Database;
use resvg::usvg::{Options, Tree};

/// Noto Sans, SIL Open Font License 1.1 (`assets/NotoSans-LICENSE.txt`).
static FONT: &[u8] = include_bytes!("../../../assets/NotoSans-Regular.ttf");

/// Points for each pixel of the drawing.
const DENSITY: f32 = 2.0;

static FONTS: LazyLock<Arc<Database>> = LazyLock::new(|| {
    let mut fonts = Database::new();
    fonts.load_font_data(FONT.to_vec());
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
