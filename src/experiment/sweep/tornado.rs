//! Which assumption moves the bill most: one at a time, each from the lower to the upper end of its plausible range.

use std::collections::BTreeSet;

use crate::diagnostic::Severity;
use crate::document::{self, Format, Node, Value};
use crate::experiment::contrast::contrast;
use crate::experiment::fold::money_stats;
use crate::experiment::forecast::MoneyStats;
use crate::experiment::metric::Stat;
use crate::experiment::replicate::{Options, Progress};
use crate::experiment::sweep::axis::{number, split, written};
use crate::experiment::sweep::{Place, Played, bills, play};
use crate::scenario::{Edit, ModelKind, Problem, World, as_yaml, builtin_models, scalar_text};
use crate::stats::Estimate;

/// Longer values are not read from the list of assumptions.
const LONGEST_TOLD: usize = 100;

/// An assumption and the ends of its plausible range.
#[derive(Debug, Clone)]
pub struct Swing {
    /// What is assumed, e.g. `traffic.chat.output`.
    pub name: String,
    /// The value in the scenario.
    pub now: String,
    /// The values at both ends.
    pub ends: [String; 2],
    /// Both ends in a few words.
    pub range: String,
    /// The changes that give them.
    pub edits: [Edit; 2],
    /// Why it may lie there.
    pub why: &'static str,
}

impl Swing {
    /// Whether the range is an assumption itself, and nothing that somebody has measured.
    pub fn is_assumed(&self) -> bool {
        self.why.starts_with("assumed")
    }
}

/// What an assumption does to the bill.
#[derive(Debug, Clone)]
pub struct Bar {
    /// The assumption.
    pub swing: Swing,
    /// The bill at both ends.
    pub bills: [MoneyStats; 2],
    /// Mean bill at both ends less that of the scenario as it is, dollars, paired.
    pub deltas: [Estimate; 2],
}

impl Bar {
    /// How far apart the mean bills of the ends are, dollars.
    pub fn width(&self) -> f64 {
        (self.deltas[1].point - self.deltas[0].point).abs()
    }
}

/// Kinds of assumptions: the end of their path, the factors of their plausible range, and why. Where nothing is
/// measured, half and
/// twice are taken: the range is an assumption itself, and reports say so.
const KINDS: [(&str, [f64; 2], &str); 16] = [
    ("rate", [0.67, 1.5], "two standard deviations of a week's volume (ServeGen: log-sd 0.2)"),
    ("input", [0.7, 1.4], "assumed: lengths off by 1.4 either way"),
    ("output", [0.7, 1.4], "assumed: lengths off by 1.4 either way"),
    ("repeats.share", [0.5, 2.0], "assumed: half to twice"),
    ("leaves.share", [0.5, 2.0], "assumed: half to twice"),
    ("session.turns", [0.7, 1.4], "assumed: off by 1.4 either way"),
    ("bursts.every", [0.5, 2.0], "assumed: half to twice"),
    ("bursts.lasts", [0.5, 2.0], "assumed: half to twice"),
    ("bursts.share", [0.5, 1.5], "assumed: off by half"),
    ("incidents.between", [0.5, 2.0], "assumed: half to twice"),
    ("incidents.lasts", [0.5, 2.0], "assumed: half to twice"),
    ("incidents.share", [0.5, 1.5], "assumed: off by half"),
    ("slow.between", [0.5, 2.0], "assumed: half to twice"),
    ("slow.lasts", [0.5, 2.0], "assumed: half to twice"),
    ("latency", [0.7, 1.5], "assumed: off by half"),
    ("errors.", [0.5, 2.0], "assumed: half to twice"),
];

/// The assumptions of a scenario that have a plausible range: what its file says of traffic and upstreams, and what
/// the presets do.
pub fn swings(world: &World) -> Vec<Swing> {
    let mut all: Vec<Swing> = Vec::new();
    for section in ["traffic", "upstream"] {
        for part in world.trees.iter().filter_map(|tree| tree.get(section)).flat_map(Node::entries) {
            for field in part.value.entries() {
                collect(&[section, &part.key, &field.key], &field.value, &mut all);
            }
        }
    }
    for assumption in &world.assumptions {
        let mut parts = assumption.name.splitn(2, '.');
        let (Some(section), Some(rest)) = (parts.next(), parts.next()) else { continue };
        let Some((name, field)) = rest.rsplit_once('.').filter(|_| matches!(section, "traffic" | "upstream")) else {
            continue;
        };
        // A long value is cut in the list of assumptions, or holds lists that are only counted there: the model that it
        // is taken from has the whole.
        let is_long = assumption.value.chars().count() > LONGEST_TOLD || assumption.value.contains(" values");
        let value = if is_long { of_preset(world, section, name, field) } else { assumed(&assumption.value) };
        if let Some(value) = value {
            collect(&[section, name, field], &value, &mut all);
        }
    }
    // A file goes before its base, and both before what is assumed.
    let mut known = BTreeSet::new();
    all.retain(|swing: &Swing| known.insert(swing.name.clone()));
    // Of several files that say the same, the first counts.
    let mut seen: Vec<String> = Vec::new();
    all.retain(|swing| {
        let is_new = !seen.contains(&swing.name);
        seen.push(swing.name.clone());
        is_new
    });
    all
}

/// A field of the built-in model that a class or an upstream follows.
fn of_preset(world: &World, section: &str, name: &str, field: &str) -> Option<Node> {
    let kind = if section == "traffic" { ModelKind::Traffic } else { ModelKind::Provider };
    let preset = world.written(&format!("{section}.{name}.preset"))?;
    let model = builtin_models(kind).into_iter().find(|model| model.name == preset)?;
    let (tree, _) = document::read(model.name, model.text, Format::Yaml);
    tree?.get(field).cloned()
}

/// The value of an assumption as a tree. The list of assumptions shows texts without their quotes: a comma within
/// brackets, as in
/// `{share: 5%, after: lognormal(median=20, p95=60)}`, belongs to the text.
fn assumed(text: &str) -> Option<Node> {
    const COMMA: char = '¦';
    let mut depth = 0usize;
    let hide = |c: char| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth > 0 => return COMMA,
            _ => {}
        }
        c
    };
    let hidden: String = text.chars().map(hide).collect();
    let (value, found) = document::read("", &hidden, Format::Yaml);
    let mut value = value.filter(|_| found.iter().all(|slip| slip.severity < Severity::Error))?;
    show(&mut value, COMMA);
    Some(value)
}

/// Puts the commas back.
fn show(node: &mut Node, comma: char) {
    match &mut node.value {
        Value::Str(text) => *text = text.replace(comma, ",").into(),
        Value::Seq(items) => items.iter_mut().for_each(|item| show(item, comma)),
        Value::Map(entries) => entries.iter_mut().for_each(|entry| show(&mut entry.value, comma)),
        _ => {}
    }
}

/// Adds the swings of one field: of itself, or of its parts.
fn collect(path: &[&str; 3], field: &Node, all: &mut Vec<Swing>) {
    let quoted = |name: &str| if name.contains('.') { format!("\"{name}\"") } else { name.to_owned() };
    let place = format!("{}.{}.{}", path[0], quoted(path[1]), quoted(path[2]));
    if field.entries().is_empty() {
        let with = |text: &str| Some(text.to_owned());
        all.extend(swing(&place, path[2], field, &place, with));
        return;
    }
    for (index, entry) in field.entries().iter().enumerate() {
        let name = format!("{place}.{}", quoted(&entry.key));
        let with = |text: &str| {
            let mut whole = field.clone();
            let Value::Map(entries) = &mut whole.value else { return None };
            entries.get_mut(index)?.value.value = Value::Str(text.into());
            Some(as_yaml(&whole))
        };
        all.extend(swing(&name, &format!("{}.{}", path[2], entry.key), &entry.value, &place, with));
    }
}

/// The swing of a value; none when its kind has no plausible range, or its ends are the same.
fn swing(name: &str, kind: &str, value: &Node, place: &str, with: impl Fn(&str) -> Option<String>) -> Option<Swing> {
    let (kind, factors, why) = KINDS
        .iter()
        .find(|(ending, ..)| if ending.ends_with('.') { kind.starts_with(ending) } else { kind == *ending })?;
    let now = scalar_text(value)?;
    let is_share = kind.ends_with("share") || kind.starts_with("errors");
    let ends = [scaled(&now, factors[0], is_share)?, scaled(&now, factors[1], is_share)?];
    if ends[0] == ends[1] {
        return None;
    }
    let edit = |text: &str| Edit::set(place, &with(text)?).ok();
    let edits = [edit(&ends[0])?, edit(&ends[1])?];
    let range = match number(&now) {
        Some(_) => format!("{} … {}", ends[0], ends[1]),
        // A law is too long to be read twice.
        None => format!("× {} … × {}", factors[0], factors[1]),
    };
    Some(Swing { name: name.to_owned(), now, ends, range, edits, why })
}

/// A number or a distribution, made larger or smaller as a whole. A share stays at most 1.
fn scaled(text: &str, factor: f64, is_share: bool) -> Option<String> {
    if let Some((value, unit)) = number(text) {
        let most = if unit == "%" { 100.0 } else { 1.0 };
        let scaled = if is_share { (value * factor).min(most) } else { value * factor };
        return Some(written(scaled, &unit));
    }
    let (family, inner) = text.trim().strip_suffix(')')?.split_once('(')?;
    let parts: Option<Vec<String>> = if family.trim() == "mix" {
        let part = |part: &String| {
            let (weight, law) = part.split_once('*')?;
            Some(format!("{} * {}", weight.trim(), scaled(law, factor, false)?))
        };
        split(inner).iter().map(part).collect()
    } else {
        inner.split(',').map(|part| parameter(part, factor)).collect()
    };
    Some(format!("{}({})", family.trim(), parts?.join(", ")))
}

/// A parameter of a law. Shapes, spreads and shares of a law do not scale with it; the logarithm of a median is moved.
fn parameter(part: &str, factor: f64) -> Option<String> {
    let (name, value) = part.split_once('=').map_or((None, part), |(name, value)| (Some(name.trim()), value));
    let (value, unit) = number(value)?;
    let scaled = match name {
        Some("mu") => value + libm::log(factor),
        None | Some("mean" | "median" | "scale" | "min" | "max") => value * factor,
        Some(name) if name.trim_start_matches('p').parse::<f64>().is_ok() => value * factor,
        Some(_) => value,
    };
    let value = written(scaled, &unit);
    Some(name.map_or(value.clone(), |name| format!("{name}={value}")))
}

/// What has come of a tornado.
#[derive(Debug, Clone)]
pub struct Tornado {
    /// The bill as it is.
    pub base: MoneyStats,
    /// The assumptions that were moved, the widest first.
    pub bars: Vec<Bar>,
    /// Models without a price that were called: bills lack what goes there.
    pub unpriced: BTreeSet<String>,
    /// Whether it was interrupted: some assumptions, or some runs of the bill as it is, are missing.
    pub is_partial: bool,
    /// Replications of each; where it was interrupted before the first bar, those of the bill as it is.
    pub runs: u64,
}

/// Plays both ends of each assumption, all else as it is; the widest first.
///
/// # Errors
/// Those of `load`.
pub fn tornado<E: From<Problem>>(
    swings: &[Swing],
    options: &Options,
    progress: &dyn Progress,
    load: &dyn Fn(Vec<Edit>) -> Result<World, E>,
) -> Result<Tornado, E> {
    let of = swings.len() as u64 * 2 + 1;
    let Played { rows: base, mut unpriced } = play(&load(Vec::new())?, options, progress, Place { index: 0, of });
    let mut bars = Vec::new();
    for (number, swing) in swings.iter().enumerate() {
        let mut ends = Vec::new();
        for (end, edit) in swing.edits.iter().enumerate() {
            let place = Place { index: (number * 2 + end) as u64 + 1, of };
            let found = play(&load(vec![edit.clone()])?, options, progress, place);
            unpriced.extend(found.unpriced);
            let found = found.rows;
            let delta = contrast(&bills(&base), &bills(&found), Stat::Mean).delta;
            ends.push((found.len() as u64, money_stats(found.iter().map(|row| row.bill).collect()), delta));
        }
        let [(a, low, from), (b, high, to)] = <[_; 2]>::try_from(ends).unwrap_or_else(|_| unreachable!("two ends"));
        if a.min(b) < options.runs {
            break;
        }
        bars.push(Bar { swing: swing.clone(), bills: [low, high], deltas: [from, to] });
    }
    let is_partial = bars.len() < swings.len() || (base.len() as u64) < options.runs;
    bars.sort_by(|a, b| b.width().total_cmp(&a.width()));
    let runs = base.len() as u64;
    let base = money_stats(base.iter().map(|row| row.bill).collect());
    Ok(Tornado { base, bars, unpriced, is_partial, runs })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn laws_are_scaled_as_a_whole() {
        let cases = [
            ("4.2/min", "8.4/min"),
            ("800", "1600"),
            ("lognormal(median=800, p95=3500, max=4000)", "lognormal(median=1600, p95=7000, max=8000)"),
            ("gamma(shape=2, scale=3)", "gamma(shape=2, scale=6)"),
            ("uniform(1, 3)", "uniform(2, 6)"),
            ("exponential(mean=2)", "exponential(mean=4)"),
        ];
        for (text, doubled) in cases {
            assert_eq!(scaled(text, 2.0, false).as_deref(), Some(doubled));
        }
        assert_eq!(scaled("80%", 2.0, true).as_deref(), Some("100%"));
        let read = assumed("{share: 5%, after: lognormal(median=20, p95=60)}").unwrap();
        assert_eq!(read.get("after").and_then(Node::as_str), Some("lognormal(median=20, p95=60)"));
        let mixture = scaled("mix(0.7 * lognormal(median=1, p95=2), 0.3 * 30)", 2.0, false);
        assert_eq!(mixture.as_deref(), Some("mix(0.7 * lognormal(median=2, p95=4), 0.3 * 60)"));
        let logarithms = scaled("lognormal(mu=4, sigma=1, max=100)", 2.0, false);
        assert_eq!(logarithms.as_deref(), Some("lognormal(mu=4.69315, sigma=1, max=200)"));
    }
}
