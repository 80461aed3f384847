//! Quantile tables: a draw is one uniform number, one look-up and one multiplication (2–3 ns where `exp` and the normal
//! quantile cost 15). The slow twin is `Law::quantile`.
//!
//! The body has cells of equal probability; the outermost 1/64 on each side has cells that shrink with the distance to
//! the end (sixteen an octave), so the relative error stays the same out to 2^-53. Values rise with the uniform number,
//! so draws may be paired, mirrored and stratified. An octave of a tail is made when something first falls into it: a
//! million draws reach fourteen of its forty-seven.

use std::sync::{Arc, OnceLock};

use crate::random::addressed::Unit;
use crate::random::law::{Law, Level, Side};

/// Cells of equal probability, of which the outermost on each side belong to the tails.
pub(super) const CELLS: usize = 1024;
pub(super) const EDGE_CELLS: usize = 16;
/// Mantissa bits that choose the cell within an octave.
const OCTAVE_BITS: u32 = 4;
const CELL_SHIFT: u32 = 52 - OCTAVE_BITS;
const LAST_OCTAVE: u64 = 53;
const FIRST_OCTAVE: u64 = 6;
const OCTAVE_CELLS: usize = 1 << OCTAVE_BITS;
const OCTAVES: usize = (LAST_OCTAVE - FIRST_OCTAVE) as usize;
pub(super) const TAIL_CELLS: usize = OCTAVES << OCTAVE_BITS;
/// The upper bits of 2^-53, where the tail tables begin.
const TAIL_BASE: u64 = (1023 - LAST_OCTAVE) << OCTAVE_BITS;

/// Precomputed quantiles of one law. Knots are `f32`: 6e-8 is far below the error of interpolation, and the table of a
/// whole distribution stays within 4 KiB plus its rarely touched tails.
#[derive(Debug)]
pub struct Table {
    law: Arc<Law>,
    body: [f32; CELLS + 1],
    lower: Tail,
    upper: Tail,
    /// Asked for again and again, and takes all of the table.
    mean: OnceLock<f64>,
}

/// The knots of one end of a distribution, octave by octave of the distance to it, the farthest out first.
#[derive(Debug)]
struct Tail {
    end: Side,
    octaves: [OnceLock<[f32; OCTAVE_CELLS + 1]>; OCTAVES],
}

/// The distance from the end of the distribution at which the tail cell `index` begins.
pub(super) fn tail_edge(index: usize) -> f64 {
    f64::from_bits((TAIL_BASE + index as u64) << CELL_SHIFT)
}

/// The cell of the body with a uniform number, and how much of it lies below; `None` in a tail.
#[inline(always)]
pub(super) fn body_place(unit: Unit) -> Option<(usize, f64)> {
    const PART_BITS: u32 = Unit::BITS - CELLS.trailing_zeros();
    const PARTS: u64 = 1 << PART_BITS;
    let cell = (unit.lattice() >> PART_BITS) as usize;
    let part = (unit.lattice() & (PARTS - 1)) as i64 as f64 * (1.0 / PARTS as f64);
    (cell.wrapping_sub(EDGE_CELLS) < CELLS - 2 * EDGE_CELLS).then_some((cell, part))
}

/// The tail cell with this distance from the end, and how much of it lies farther out. What is nearer than its table
/// reaches has the value of the outermost knot, what is where the body begins that of the innermost.
#[inline]
pub(super) fn tail_place(distance: f64) -> (usize, f64) {
    let bits = distance.clamp(tail_edge(0), tail_edge(TAIL_CELLS)).to_bits();
    let cell = ((bits >> CELL_SHIFT) - TAIL_BASE) as usize;
    let part = (bits & ((1 << CELL_SHIFT) - 1)) as f64 / (1u64 << CELL_SHIFT) as f64;
    if cell < TAIL_CELLS { (cell, part) } else { (TAIL_CELLS - 1, 1.0) }
}

/// The levels of the knots of a body, from the first to the last.
fn knot_levels() -> impl Iterator<Item = Level> {
    (EDGE_CELLS..=CELLS - EDGE_CELLS).map(|knot| Level::below(knot as f64 / CELLS as f64))
}

/// Their normal scores, which all lognormals share: most tables are theirs, and an exponential takes a fifth of the
/// time of a normal quantile.
pub(super) fn knot_scores() -> &'static [f64] {
    static SCORES: OnceLock<Box<[f64]>> = OnceLock::new();
    SCORES.get_or_init(|| knot_levels().map(Level::normal).collect())
}

impl Table {
    /// Tabulates a law.
    pub fn new(law: &Arc<Law>) -> Self {
        let (lower, upper) = (Tail::new(Side::Below), Tail::new(Side::Above));
        let mut table = Self { law: Arc::clone(law), body: [0.0; CELLS + 1], lower, upper, mean: OnceLock::new() };
        let body = &mut table.body[EDGE_CELLS..=CELLS - EDGE_CELLS];
        match **law {
            Law::LogNormal { mu, sigma } if sigma > 0.0 => {
                let knots = body.iter_mut().zip(knot_scores());
                knots.for_each(|(knot, score)| *knot = libm::exp(mu + sigma * score) as f32);
            }
            _ => {
                let knots = body.iter_mut().zip(law.rising(knot_levels()));
                knots.for_each(|(knot, value)| *knot = value as f32);
            }
        }
        table
    }

    /// The value at a uniform number: what [`Table::at`], its slow twin, gives for it, without converting to and fro (a
    /// quarter fewer instructions).
    #[inline(always)]
    pub fn draw(&self, unit: Unit) -> f64 {
        match body_place(unit) {
            Some((cell, part)) => between(self.body[cell], self.body[cell + 1], part),
            None => self.tail(unit.as_f64()),
        }
    }

    /// The value at `u` in [0, 1).
    #[inline]
    pub fn at(&self, u: f64) -> f64 {
        let place = u * CELLS as f64;
        // By way of `i32`: one conversion instruction each way, where `usize` takes fifteen on baseline x86-64.
        let whole = place as i32;
        let cell = whole as usize;
        if cell.wrapping_sub(EDGE_CELLS) < CELLS - 2 * EDGE_CELLS {
            return between(self.body[cell], self.body[cell + 1], place - f64::from(whole));
        }
        self.tail(u)
    }

    #[cold]
    fn tail(&self, u: f64) -> f64 {
        if u < 0.5 { self.lower.at(&self.law, u) } else { self.upper.at(&self.law, 1.0 - u) }
    }

    /// The exact mean of what [`Table::at`] draws.
    pub fn mean(&self) -> f64 {
        let piece = |sum, (share, low, high)| sum + share * 0.5 * (low + high);
        *self.mean.get_or_init(|| self.pieces().fold(0.0, piece))
    }

    /// The value `x` with ∫ of all values up to `x` = `part` of the whole mean: a draw in proportion to size.
    pub fn size_biased(&self, part: f64) -> f64 {
        let wanted = part * self.mean();
        let mut sum = 0.0;
        let mut last = 0.0;
        for (share, low, high) in self.pieces() {
            let piece = share * 0.5 * (low + high);
            if sum + piece > wanted {
                return low + (high - low) * (wanted - sum) / piece;
            }
            sum += piece;
            last = high;
        }
        last
    }

    /// The linear pieces in rising order: share, value at the lower end, value at the upper end.
    fn pieces(&self) -> impl Iterator<Item = (f64, f64, f64)> {
        let width = |i| tail_edge(i + 1) - tail_edge(i);
        let inside = |i: usize| (f64::from(self.body[i]), f64::from(self.body[i + 1]));
        let lower =
            (0..TAIL_CELLS).map(move |i| (width(i), self.lower.ends(&self.law, i).0, self.lower.ends(&self.law, i).1));
        let body = (EDGE_CELLS..CELLS - EDGE_CELLS).map(move |i| (1.0 / CELLS as f64, inside(i).0, inside(i).1));
        let upper = (0..TAIL_CELLS)
            .rev()
            .map(move |i| (width(i), self.upper.ends(&self.law, i).1, self.upper.ends(&self.law, i).0));
        lower.chain(body).chain(upper)
    }
}

/// The value at this part of the way from one knot to the next.
#[inline(always)]
pub(super) fn between(low: f32, high: f32, part: f64) -> f64 {
    let low = f64::from(low);
    low + (f64::from(high) - low) * part
}

impl Tail {
    fn new(end: Side) -> Self {
        Self { end, octaves: [const { OnceLock::new() }; OCTAVES] }
    }

    /// The value at `distance` from the end of the distribution.
    fn at(&self, law: &Law, distance: f64) -> f64 {
        let (cell, part) = tail_place(distance);
        let (octave, place) = (self.octave(law, cell / OCTAVE_CELLS), cell % OCTAVE_CELLS);
        between(octave[place], octave[place + 1], part)
    }

    /// The values at the outer and at the inner end of a cell.
    fn ends(&self, law: &Law, cell: usize) -> (f64, f64) {
        let (octave, place) = (self.octave(law, cell / OCTAVE_CELLS), cell % OCTAVE_CELLS);
        (octave[place].into(), octave[place + 1].into())
    }

    fn octave(&self, law: &Law, octave: usize) -> &[f32; OCTAVE_CELLS + 1] {
        self.octaves[octave].get_or_init(|| {
            let edge = |place| tail_edge(octave * OCTAVE_CELLS + place);
            let mut knots = [0.0; OCTAVE_CELLS + 1];
            // The farthest out is the lowest value at the lower end, the highest at the upper one.
            match self.end {
                Side::Below => {
                    let values = law.rising((0..=OCTAVE_CELLS).map(edge).map(Level::below));
                    knots.iter_mut().zip(values).for_each(|(knot, value)| *knot = value as f32);
                }
                Side::Above => {
                    let values = law.rising((0..=OCTAVE_CELLS).rev().map(edge).map(Level::above));
                    knots.iter_mut().rev().zip(values).for_each(|(knot, value)| *knot = value as f32);
                }
            }
            knots
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOGNORMAL: Law = Law::LogNormal { mu: 6.7, sigma: 0.9 };

    #[test]
    fn tails_have_the_knots_of_the_law_and_only_where_something_fell() {
        let (table, edges) = (Table::new(&Arc::new(LOGNORMAL)), [0, 16, 400, TAIL_CELLS - 1]);
        let made = |tail: &Tail| tail.octaves.iter().filter(|octave| octave.get().is_some()).count();
        for cell in edges {
            let edge = tail_edge(cell);
            assert_eq!(table.at(edge), f64::from(LOGNORMAL.quantile(Level::below(edge)) as f32), "{cell}");
            assert_eq!(table.at(1.0 - edge), f64::from(LOGNORMAL.quantile(Level::above(edge)) as f32), "{cell}");
        }
        assert_eq!((made(&table.lower), made(&table.upper)), (4, 4));
        assert!(table.mean() > 0.0);
        assert_eq!((made(&table.lower), made(&table.upper)), (OCTAVES, OCTAVES));
    }

    #[test]
    fn the_table_follows_the_exact_quantiles() {
        let table = Table::new(&Arc::new(LOGNORMAL));
        for k in 1..100_000u32 {
            let u = f64::from(k) / 100_000.0;
            let exact = LOGNORMAL.quantile(Level::below(u));
            assert!((table.at(u) / exact - 1.0).abs() < 4e-4, "at {u}: {} against {exact}", table.at(u));
        }
        for power in 8..53 {
            let distance = 2f64.powi(-power) * 1.05;
            let (low, high) = (table.at(distance), table.at(1.0 - distance));
            assert!((low / LOGNORMAL.quantile(Level::below(distance)) - 1.0).abs() < 3e-4, "2^-{power}");
            let above = 1.0 - (1.0 - distance);
            assert!((high / LOGNORMAL.quantile(Level::above(above)) - 1.0).abs() < 3e-4, "1-2^-{power}");
        }
    }

    #[test]
    fn draws_are_the_values_at_their_numbers() {
        use crate::random::{Addressed, Purpose, Replication, Seed};
        let table = Table::new(&Arc::new(LOGNORMAL));
        let mut draws = Addressed::new(Seed(5), Replication(0));
        for request in 0..100_000 {
            draws.begin_request(0, request);
            let unit = draws.here().unit(Purpose::Pace, 0, 0);
            assert_eq!(table.draw(unit).to_bits(), table.at(unit.as_f64()).to_bits(), "{unit:?}");
        }
    }

    #[test]
    fn values_rise_with_the_uniform_number() {
        let law = Law::Mixture(vec![(0.999, LOGNORMAL), (0.001, Law::Uniform { low: 3e4, high: 6e4 })]);
        let table = Table::new(&Arc::new(law));
        let mut last = 0.0;
        for k in 0..1_000_000u32 {
            let value = table.at(f64::from(k) / 1e6);
            assert!(value >= last, "at {k}: {value} after {last}");
            last = value;
        }
        assert!(table.at(0.0) > 0.0 && table.at(1.0 - f64::EPSILON / 2.0).is_finite());
    }

    #[test]
    fn means_agree_with_closed_forms() {
        let mean = |law: &Law| Table::new(&Arc::new(law.clone())).mean();
        let lognormal = libm::exp(6.7 + 0.405);
        let bias = mean(&LOGNORMAL) / lognormal - 1.0;
        assert!(bias.abs() < 2e-5, "{bias}");
        assert!((mean(&Law::Exponential { mean: 3.0 }) / 3.0 - 1.0).abs() < 2e-5);
        // Γ(1 + 1/k) for k = 1/3 is 6.
        assert!((mean(&Law::Weibull { shape: 1.0 / 3.0, scale: 1.0 }) / 6.0 - 1.0).abs() < 1e-4);
    }

    #[test]
    fn size_biased_draws_follow_theory() {
        // A lognormal in proportion to size is lognormal with mu + sigma².
        let table = Table::new(&Arc::new(LOGNORMAL));
        let biased = Law::LogNormal { mu: 6.7 + 0.81, sigma: 0.9 };
        for part in [0.01, 0.3, 0.5, 0.9, 0.99] {
            assert!((table.size_biased(part) / biased.quantile(Level::below(part)) - 1.0).abs() < 2e-3, "{part}");
        }
    }
}
