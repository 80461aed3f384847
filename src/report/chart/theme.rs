//! Colours by role. The palette is Okabe and Ito's (2008), told apart by colour-blind eyes; charts add lightness,
//! dashes and hatching so that grey print stays legible.

use plotters::style::RGBColor;

/// What a colour is for. On a page each is a CSS variable, so that one drawing serves light and dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    /// The ground.
    Paper,
    /// Text and strong lines.
    Text,
    /// Labels of axes, notes.
    Muted,
    /// Lines of the grid.
    Grid,
    /// First colour of data.
    Blue,
    /// Second.
    Orange,
    /// Third.
    Green,
    /// Fourth.
    Sky,
    /// Fifth; also what is bad.
    Red,
    /// Sixth.
    Purple,
    /// Seventh.
    Yellow,
    /// All the rest.
    Gray,
}

impl Ink {
    /// All roles.
    pub const ALL: [Self; 12] = [
        Self::Paper,
        Self::Text,
        Self::Muted,
        Self::Grid,
        Self::Blue,
        Self::Orange,
        Self::Green,
        Self::Sky,
        Self::Red,
        Self::Purple,
        Self::Yellow,
        Self::Gray,
    ];

    /// The colours of series, in order; neighbours differ in lightness.
    pub const SERIES: [Self; 8] =
        [Self::Blue, Self::Orange, Self::Green, Self::Yellow, Self::Red, Self::Sky, Self::Purple, Self::Gray];

    /// The colour on white. All differ: the page finds a role by its colour.
    pub const fn on_white(self) -> RGBColor {
        match self {
            Self::Paper => RGBColor(0xFF, 0xFF, 0xFF),
            Self::Text => RGBColor(0x1A, 0x1A, 0x1C),
            Self::Muted => RGBColor(0x5B, 0x5F, 0x66),
            Self::Grid => RGBColor(0xDD, 0xDF, 0xE3),
            Self::Blue => RGBColor(0x00, 0x72, 0xB2),
            Self::Orange => RGBColor(0xE6, 0x9F, 0x00),
            Self::Green => RGBColor(0x00, 0x9E, 0x73),
            Self::Sky => RGBColor(0x56, 0xB4, 0xE9),
            Self::Red => RGBColor(0xD5, 0x5E, 0x00),
            Self::Purple => RGBColor(0xCC, 0x79, 0xA7),
            Self::Yellow => RGBColor(0xF0, 0xE4, 0x42),
            Self::Gray => RGBColor(0x9A, 0x9E, 0xA6),
        }
    }

    /// Its CSS variable on a page.
    pub const fn variable(self) -> &'static str {
        match self {
            Self::Paper => "var(--paper)",
            Self::Text => "var(--text)",
            Self::Muted => "var(--muted)",
            Self::Grid => "var(--grid)",
            Self::Blue => "var(--blue)",
            Self::Orange => "var(--orange)",
            Self::Green => "var(--green)",
            Self::Sky => "var(--sky)",
            Self::Red => "var(--red)",
            Self::Purple => "var(--purple)",
            Self::Yellow => "var(--yellow)",
            Self::Gray => "var(--gray)",
        }
    }

    /// The colour as the drawing writes it: `#0072B2`.
    fn hex(self) -> String {
        let RGBColor(red, green, blue) = self.on_white();
        format!("#{red:02X}{green:02X}{blue:02X}")
    }
}

/// A drawing for a page: each colour becomes the variable of its role.
pub fn with_variables(svg: &str) -> String {
    let mut themed = svg.to_owned();
    for ink in Ink::ALL {
        for attribute in ["fill", "stroke"] {
            let colour = format!(" {attribute}=\"{}\"", ink.hex());
            themed = themed.replace(&colour, &format!(" {attribute}=\"{}\"", ink.variable()));
        }
    }
    themed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_has_its_own_colour() {
        for (index, ink) in Ink::ALL.iter().enumerate() {
            assert!(Ink::ALL[..index].iter().all(|other| other.hex() != ink.hex()), "{ink:?}");
        }
    }

    #[test]
    fn text_cannot_pass_for_a_colour() {
        let label = "<text fill=\"#0072B2\">\n fill=&quot;#0072B2&quot;\n</text>";
        assert_eq!(with_variables(label), label.replacen("#0072B2", "var(--blue)", 1));
    }
}
