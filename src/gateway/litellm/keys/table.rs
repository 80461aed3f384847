//! The table of keys (`table.txt`): what each key of each section does.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// What a key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is simulated.
    Modelled,
    /// It changes neither cost nor failures.
    Irrelevant,
    /// It works in the gateway, and is not simulated.
    NotSimulated,
    /// The gateway does nothing with it where it stands.
    Inert,
    /// The gateway does not start with it.
    Breaks,
}

/// What is known about a key.
#[derive(Debug, PartialEq, Eq)]
pub struct Row {
    /// What it does.
    pub verdict: Verdict,
    /// Why; empty when there is nothing to say.
    pub why: &'static str,
    /// Where it works; empty when nowhere.
    pub works_as: &'static str,
}

impl Row {
    /// Whether the key does something where it stands.
    const fn works(&self) -> bool {
        !matches!(self.verdict, Verdict::Inert | Verdict::Breaks)
    }
}

/// Sections in which a misplaced key may belong, the likeliest first.
const HOMES: [&str; 6] =
    ["router_settings", "litellm_params", "litellm_settings", "general_settings", "model_info", "cache_params"];

static TABLE: LazyLock<BTreeMap<&'static str, BTreeMap<&'static str, Row>>> = LazyLock::new(load);

fn load() -> BTreeMap<&'static str, BTreeMap<&'static str, Row>> {
    let mut table: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
    let lines = include_str!("table.txt").lines().filter(|line| !line.starts_with('#'));
    for cells in lines.map(|line| line.split('|').collect::<Vec<_>>()) {
        let [section, verdict, keys, why, works_as] = cells[..] else { continue };
        let Some(verdict) = verdict_named(verdict) else { continue };
        let section = table.entry(section).or_default();
        section.extend(keys.split(' ').map(|key| (key, Row { verdict, why, works_as })));
    }
    table
}

fn verdict_named(name: &str) -> Option<Verdict> {
    Some(match name {
        "modelled" => Verdict::Modelled,
        "irrelevant" => Verdict::Irrelevant,
        "not_simulated" => Verdict::NotSimulated,
        "inert" => Verdict::Inert,
        "breaks" => Verdict::Breaks,
        _ => return None,
    })
}

/// What is known about a key of a section.
pub fn row(section: &str, key: &str) -> Option<&'static Row> {
    TABLE.get(section)?.get(key)
}

/// The keys of a section that do something there.
pub fn working_keys(section: &str) -> impl Iterator<Item = &'static str> {
    let rows = TABLE.get(section).into_iter().flatten();
    rows.filter(|(_, row)| row.works()).map(|(key, _)| *key)
}

/// Another section in which a key works.
pub fn home(section: &str, key: &str) -> Option<&'static str> {
    let works_in = |home: &&str| *home != section && row(home, key).is_some_and(Row::works);
    HOMES.into_iter().find(works_in)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::litellm::wire;
    use std::collections::HashSet;

    #[test]
    fn every_line_of_the_table_is_read_and_no_key_stands_twice() {
        let mut seen = HashSet::new();
        for line in include_str!("table.txt").lines().filter(|line| !line.starts_with('#')) {
            let cells: Vec<&str> = line.split('|').collect();
            assert_eq!(cells.len(), 5, "{line}");
            assert!(verdict_named(cells[1]).is_some(), "{line}");
            for key in cells[2].split(' ') {
                assert!(!key.is_empty() && seen.insert((cells[0], key)), "{} {key}", cells[0]);
            }
            let must_say_why = matches!(cells[1], "inert" | "not_simulated" | "breaks");
            assert_eq!(must_say_why, !cells[3].is_empty(), "{line}");
        }
    }

    #[test]
    fn every_key_that_the_mirror_reads_is_classified() {
        let sections = [
            ("litellm_params", wire::LitellmParams::KEYS),
            ("model_info", wire::ModelInfo::KEYS),
            ("router_settings", wire::RouterSettings::KEYS),
            ("litellm_settings", wire::LitellmSettings::KEYS),
            ("general_settings", wire::GeneralSettings::KEYS),
            ("cache_params", wire::CacheParams::KEYS),
            ("routing_strategy_args", wire::StrategyArgs::KEYS),
        ];
        for (section, keys) in sections {
            for key in keys.iter().map(|key| key.trim_start_matches("r#")) {
                assert!(row(section, key).is_some(), "{section}.{key}");
            }
        }
    }
}
