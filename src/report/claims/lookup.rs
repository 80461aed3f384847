//! A value of forecast.json by its path.

use serde_json::Value;

/// The number at a path of keys with dots between them. A list of things with names is entered by name
/// (`deployments.gpt-4o/1.attempts`; names may hold dots); a list of runs or hours gives the mean over them.
///
/// # Errors
/// What is not there, and what is.
pub fn number_at(value: &Value, path: &str) -> Result<f64, String> {
    if path.is_empty() {
        return number(value);
    }
    match value {
        Value::Object(map) => {
            let (key, rest) = path.split_once('.').unwrap_or((path, ""));
            let inner = map.get(key).ok_or_else(|| missing(key, map.keys().map(String::as_str)))?;
            number_at(inner, rest)
        }
        Value::Array(rows) if rows.iter().any(|row| row.get("name").is_some()) => named(rows, path),
        Value::Array(rows) => mean(rows, path),
        _ => Err(format!("there is nothing below it called `{path}`")),
    }
}

/// Numbers, and money as decimal text.
fn number(value: &Value) -> Result<f64, String> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    number.ok_or_else(|| "it is not a number".to_owned())
}

/// The row whose name the path begins with: the longest such name.
fn named(rows: &[Value], path: &str) -> Result<f64, String> {
    let name_of = |row: &Value| row.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    let rest_of = |row: &Value| path.strip_prefix(&name_of(row))?.strip_prefix('.').map(str::to_owned);
    let found = rows.iter().filter_map(|row| Some((row, rest_of(row)?))).min_by_key(|(_, rest)| rest.len());
    match found {
        Some((row, rest)) => number_at(row, &rest),
        None => {
            let names: Vec<String> = rows.iter().map(name_of).collect();
            Err(missing(path, names.iter().map(String::as_str)))
        }
    }
}

fn mean(rows: &[Value], path: &str) -> Result<f64, String> {
    let sum = rows.iter().try_fold(0.0, |sum, row| number_at(row, path).map(|number| sum + number))?;
    if rows.is_empty() { Err("the list is empty".to_owned()) } else { Ok(sum / rows.len() as f64) }
}

fn missing<'a>(key: &str, known: impl Iterator<Item = &'a str>) -> String {
    format!("there is no `{key}`; possible here: {}", known.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_found() {
        let document = json!({
            "bill": {"mean": "12.50"},
            "deployments": [{"name": "gpt-5", "attempts": 1}, {"name": "gpt-5.4", "errors": {"server": 7}}],
            "run_results": [{"served": 10}, {"served": 20}],
            "hours": [],
            "latency_s": {"p50": null},
        });
        let at = |path: &str| number_at(&document, path);
        assert_eq!(at("bill.mean"), Ok(12.5));
        assert_eq!(at("deployments.gpt-5.attempts"), Ok(1.0));
        assert_eq!(at("deployments.gpt-5.4.errors.server"), Ok(7.0));
        assert_eq!(at("run_results.served"), Ok(15.0));
        for path in ["bill", "bill.median", "deployments.x.attempts", "hours.x", "bill.mean.x", "latency_s.p50"] {
            assert!(at(path).is_err(), "{path}");
        }
        assert!(at("bill.median").unwrap_err().contains("possible here: mean"));
    }
}
