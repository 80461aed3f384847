//! Costs that the real LiteLLM 1.102.4 computed (`tests/conformance/prices/record.py`) against ours.

use billcast::pricing::{CostMap, Found, ServiceTier};
use billcast::units::Usage;
use jiff::Timestamp;

const MAP: &[u8] = include_bytes!("conformance/prices/map.json");
const COSTS: &[u8] = include_bytes!("conformance/prices/costs.csv");

/// LiteLLM adds floats; ours are exact.
const TOLERANCE: f64 = 1e-9;

/// Our cost as text, or None where LiteLLM raises because it does not know the model.
fn our_cost(map: &CostMap, row: &csv::StringRecord) -> Option<String> {
    let tokens = |column: usize| row[column].parse().expect("a recorded number of tokens");
    let usage = Usage {
        input: tokens(2),
        output: tokens(3),
        cached: tokens(4),
        cache_write: tokens(5),
        cache_write_1h: tokens(6),
        reasoning: tokens(7),
    };
    let provider = Some(&row[1]).filter(|provider| !provider.is_empty());
    let tariff = map.find(&row[0], provider).map(Found::into_tariff)?;
    let at: Timestamp = row[9].parse().expect("a recorded time");
    let cost = tariff.cost(&usage, ServiceTier::as_litellm_reads(&row[8]), at).expect("in range");
    Some(cost.total().expect("in range").to_string())
}

#[test]
fn every_recorded_cost_is_the_same() {
    let map = CostMap::from_json("map.json", MAP).expect("the recorded map");
    let mut reader = csv::Reader::from_reader(COSTS);
    let mut differences = Vec::new();
    let mut rows = 0;
    for row in reader.records() {
        let row = row.expect("a recorded row");
        rows += 1;
        let ours = our_cost(&map, &row);
        let same = match (&row[10], &ours) {
            // A local server costs nothing, whether the map knows the model or not.
            (recorded, None) => recorded == "error" || &row[1] == "lemonade" || row[0].starts_with("lemonade/"),
            ("error", Some(_)) => false,
            (recorded, Some(ours)) => {
                let (theirs, ours): (f64, f64) = (recorded.parse().unwrap(), ours.parse().unwrap());
                (theirs - ours).abs() <= TOLERANCE * theirs.abs()
            }
        };
        if !same {
            differences.push(format!("{row:?}: ours {ours:?}"));
        }
    }
    assert_eq!(rows, 1500);
    assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), differences.join("\n"));
}
