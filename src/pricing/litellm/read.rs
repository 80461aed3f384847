//! Reads a price map as a stream: numbers as decimal text, entries one at a time, everything unknown skipped.

use std::fmt;
use std::sync::Arc;

use jiff::tz::TimeZone;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use super::fields::PriceField;
use super::{CostMap, MapEntry};
use crate::diagnostic::Severity;
use crate::pricing::card::{PromptTier, RateCard};
use crate::pricing::error::{PriceFileError, code, error_at};
use crate::pricing::off_peak::{OffPeak, Window, weekday};
use crate::pricing::rates::Rates;
use crate::pricing::service_tier::ServiceTier;
use crate::units::UnitPrice;

/// Top-level keys that are no models.
const NOT_MODELS: [&str; 2] = ["sample_spec", "fallback_generalizations"];

/// Reads the text of a price map.
pub fn read(file: &str, bytes: &[u8]) -> Result<CostMap, PriceFileError> {
    let file: Arc<str> = file.into();
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.trim_ascii().is_empty() {
        let expected = "the file is empty; expected a JSON object of models as LiteLLM publishes it".to_owned();
        return Err(error_at(&file, 1, 1, code::SYNTAX, expected).into());
    }
    let mut duplicates = Vec::new();
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let read = MapSeed { duplicates: &mut duplicates }.deserialize(&mut json);
    let mut map = read.and_then(|map| json.end().map(|()| map)).map_err(|error| from_json(&file, &error))?;
    map.warnings = duplicates.iter().map(|key| duplicate(&file, bytes, key)).collect();
    Ok(map)
}

fn from_json(file: &Arc<str>, error: &serde_json::Error) -> PriceFileError {
    let text = error.to_string();
    let message = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message);
    let code = if error.is_data() { code::VALUE } else { code::SYNTAX };
    error_at(file, error.line(), error.column().max(1), code, message.to_owned()).into()
}

/// Warns at the last place where the key stands, which is the one that counts.
fn duplicate(file: &Arc<str>, bytes: &[u8], key: &str) -> crate::diagnostic::Diagnostic {
    let quoted = Value::from(key).to_string();
    let at = bytes.windows(quoted.len()).rposition(|window| window == quoted.as_bytes());
    let line = at.map_or(0, |at| 1 + bytes[..at].iter().filter(|&&byte| byte == b'\n').count());
    let message = format!("model {quoted} occurs twice; the last entry counts, as in LiteLLM");
    let mut warning = error_at(file, line, 1, code::DUPLICATE, message);
    warning.severity = Severity::Warning;
    warning
}

struct MapSeed<'a> {
    duplicates: &'a mut Vec<String>,
}

impl<'de> DeserializeSeed<'de> for MapSeed<'_> {
    type Value = CostMap;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<CostMap, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for MapSeed<'_> {
    type Value = CostMap;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of models as LiteLLM publishes it")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<CostMap, A::Error> {
        let mut map = CostMap::default();
        while let Some(key) = access.next_key::<String>()? {
            if NOT_MODELS.contains(&key.as_str()) {
                access.next_value::<IgnoredAny>()?;
                continue;
            }
            let entry = access.next_value_seed(EntrySeed { key })?;
            let key = entry.key.clone();
            // A key repeated a thousand times is one finding.
            if map.insert(entry) && !self.duplicates.contains(&key) && self.duplicates.len() < 20 {
                self.duplicates.push(key);
            }
        }
        Ok(map)
    }
}

struct EntrySeed {
    key: String,
}

impl<'de> DeserializeSeed<'de> for EntrySeed {
    type Value = MapEntry;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<MapEntry, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for EntrySeed {
    type Value = MapEntry;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with the prices of `{}`", self.key)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<MapEntry, A::Error> {
        let mut entry = MapEntry { key: self.key, ..MapEntry::default() };
        while let Some(name) = access.next_key::<String>()? {
            if is_read(&name) {
                let value = access.next_value::<Value>()?;
                set_field(&mut entry, &name, &value).map_err(A::Error::custom)?;
            } else {
                access.next_value::<IgnoredAny>()?;
            }
        }
        Ok(entry)
    }
}

fn is_read(name: &str) -> bool {
    matches!(
        name,
        "litellm_provider"
            | "mode"
            | "deprecation_date"
            | "max_input_tokens"
            | "max_output_tokens"
            | "tiered_pricing"
            | "off_peak_pricing"
            | "input_cost_per_second"
            | "output_cost_per_second"
    ) || PriceField::named(name).is_some()
}

fn set_field(entry: &mut MapEntry, name: &str, value: &Value) -> Result<(), String> {
    let text = || value.as_str().map(str::to_owned);
    match name {
        "litellm_provider" => entry.provider = text(),
        "mode" => entry.mode = text(),
        "deprecation_date" => entry.deprecation_date = text(),
        _ => {
            let problem = |message| format!("`{}`: `{name}`: {message}", entry.key);
            set_card_field(&mut entry.card, name, value).map_err(problem)?;
        }
    }
    Ok(())
}

/// Puts one field of a map entry, or of a deployment with prices of its own, into a card. Fields that no rule reads
/// are skipped.
pub fn set_card_field(card: &mut RateCard, name: &str, value: &Value) -> Result<(), String> {
    match name {
        "max_input_tokens" => card.max_input_tokens = bound(value).ok(),
        "max_output_tokens" => card.max_output_tokens = bound(value).ok(),
        "tiered_pricing" => card.tiers = tiers(value)?,
        "off_peak_pricing" => card.off_peak = off_peak(value)?,
        "input_cost_per_second" => card.input_per_second = price(value)?,
        "output_cost_per_second" => card.output_per_second = price(value)?,
        _ => {
            if let Some(field) = PriceField::named(name)
                && let Some(price) = price(value)?
            {
                field.set(card, price);
            }
        }
    }
    Ok(())
}

/// A price: a number, or a number as text as YAML configs have it; null means none.
fn price(value: &Value) -> Result<Option<UnitPrice>, String> {
    let text = match value {
        Value::Null => return Ok(None),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        other => return Err(format!("expected a price in dollars per token, found {}", kind(other))),
    };
    let price: UnitPrice = text.parse().map_err(|error| format!("{error}"))?;
    if price.is_negative() {
        return Err(format!("the price {text} is negative"));
    }
    Ok(Some(price))
}

const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// `tiered_pricing`, sorted by the start of the ranges. Entries without a range of two numbers are skipped, as LiteLLM
/// skips them.
fn tiers(value: &Value) -> Result<Option<Vec<PromptTier>>, String> {
    let Some(list) = value.as_array() else { return Ok(None) };
    let mut tiers = Vec::new();
    for item in list {
        let Some([over, up_to]) = item.get("range").and_then(Value::as_array).map(Vec::as_slice) else { continue };
        let mut card = RateCard::default();
        for (name, value) in item.as_object().into_iter().flatten().filter(|(name, _)| name.as_str() != "range") {
            set_card_field(&mut card, name, value)?;
        }
        tiers.push(PromptTier { over: bound(over)?, up_to: bound(up_to)?, rates: *card.standard() });
    }
    tiers.sort_by_key(|tier| tier.over);
    Ok(Some(tiers))
}

/// A number of tokens, also written `256000.0` or `1e6`.
fn bound(value: &Value) -> Result<u64, String> {
    let expected = || format!("expected a number of tokens, found {value}");
    let number = value.as_number().ok_or_else(expected)?.to_string();
    let tokens: crate::units::Money = number.parse().map_err(|_| expected())?;
    u64::try_from(tokens.picos() / 1_000_000_000_000).map_err(|_| expected())
}

/// `off_peak_pricing`; malformed windows and days are skipped, as LiteLLM skips them.
fn off_peak(value: &Value) -> Result<Option<OffPeak>, String> {
    let Some(block) = value.as_object() else { return Ok(None) };
    let mut windows: Vec<Window> = hours(block.get("hours_utc"), [true; 7]);
    for rule in block.get("windows").and_then(Value::as_array).into_iter().flatten() {
        windows.extend(hours(rule.get("hours_utc"), days(rule.get("weekdays"))));
    }
    let mut card = RateCard::default();
    for (name, value) in block {
        set_card_field(&mut card, name, value)?;
    }
    let zone = block.get("weekday_timezone").and_then(Value::as_str).map(str::trim);
    let calendar = zone.and_then(|name| TimeZone::get(name).ok()).unwrap_or(TimeZone::UTC);
    // The block has no field for one-hour cache writes.
    let rates = Rates { cache_write_1h: None, ..*card.base.of(ServiceTier::Standard) };
    Ok(Some(OffPeak { windows, calendar, rates }))
}

fn hours(value: Option<&Value>, days: [bool; 7]) -> Vec<Window> {
    let texts = match value {
        Some(Value::String(text)) => vec![text.as_str()],
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    // `24:00` is no time of day to LiteLLM.
    texts
        .into_iter()
        .filter(|text| !text.contains("24:"))
        .filter_map(Window::daily)
        .map(|window| Window { days, ..window })
        .collect()
}

/// Absent means every day; numbers are ISO (Monday = 1).
fn days(value: Option<&Value>) -> [bool; 7] {
    let Some(value) = value.filter(|value| !value.is_null()) else { return [true; 7] };
    let mut days = [false; 7];
    for day in value.as_array().into_iter().flatten() {
        let number = day.as_u64().and_then(|day| usize::try_from(day).ok()?.checked_sub(1));
        let index = number.or_else(|| weekday(day.as_str()?));
        if let Some(slot) = index.and_then(|index| days.get_mut(index)) {
            *slot = true;
        }
    }
    days
}
