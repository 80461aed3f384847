//! `forecast.json` back into a forecast, so that every artefact can be made again without simulating again.

mod alerts;
mod document;
mod hours;
mod lasting;
mod told;

use std::borrow::Cow;

use serde_json::Value;

use crate::experiment::{
    About, ChargeRow, CountStats, DayRow, Demand, DeploymentRow, EdgeRow, ErrorCounts, Forecast, Gate, LatencyStats,
    Level, MeterRow, MoneyStats, PercentileRun, ProviderRow, RateStats, RunRow, ShareRow, Timeline, TimelineStep,
    UnpricedRow, Verdict, WhyNotRow, Window,
};
use crate::ledger::{Cause, Causes};
use crate::report::json::SCHEMA;
use crate::scenario::Budget;
use crate::units::{Money, TokenKind, WhyNot};

/// Why a file is no forecast.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// No JSON at all.
    #[error("it is no JSON: {0}")]
    Syntax(String),
    /// Another layout.
    #[error("its schema is {0}, not `{SCHEMA}`: write it again with this version of billcast")]
    Schema(String),
    /// More than anybody writes.
    #[error("it holds more than {0} values beside its runs")]
    TooMany(usize),
    /// A key is missing or holds something else.
    #[error("`{0}` is not {1}")]
    Field(String, &'static str),
}

type Result<T> = std::result::Result<T, ReadError>;

/// A value and the path to it.
struct Place<'a> {
    value: &'a Value,
    path: String,
}

/// Larger numbers than these are in no forecast, and the sums of ten million of them would be none: tokens and other
/// figures; requests and calls of a run; picodollars.
const LARGEST: f64 = 1e18;
const MOST: u64 = 10u64.pow(12);
const MOST_PICOS: u128 = 10u128.pow(30);

const NULL: &Value = &Value::Null;

impl<'a> Place<'a> {
    fn at(&self, key: &str) -> Self {
        let path = if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) };
        Self { value: self.value.get(key).unwrap_or(NULL), path }
    }

    fn wrong<T>(&self, expected: &'static str) -> Result<T> {
        Err(ReadError::Field(self.path.clone(), expected))
    }

    fn or_wrong<T>(&self, found: Option<T>, expected: &'static str) -> Result<T> {
        found.map_or_else(|| self.wrong(expected), Ok)
    }

    fn str(&self, key: &str) -> Result<&'a str> {
        let at = self.at(key);
        at.or_wrong(at.value.as_str(), "a text")
    }

    fn string(&self, key: &str) -> Result<String> {
        self.str(key).map(str::to_owned)
    }

    /// A text, empty where there is none.
    fn string_or_empty(&self, key: &str) -> String {
        self.at(key).value.as_str().unwrap_or_default().to_owned()
    }

    /// A number; what has no value was written as `null`.
    fn number(&self, key: &str) -> Result<f64> {
        self.at(key).as_number()
    }

    fn as_number(&self) -> Result<f64> {
        let number = self.value.as_f64().filter(|number| number.abs() <= LARGEST);
        if self.value.is_null() { Ok(f64::NAN) } else { self.or_wrong(number, "a number, at most 10^18") }
    }

    fn optional(&self, key: &str) -> Result<Option<f64>> {
        let at = self.at(key);
        if at.value.is_null() { Ok(None) } else { at.as_number().map(Some) }
    }

    /// How many of something there were; the sum of those of a million runs is a number still.
    fn count(&self, key: &str) -> Result<u64> {
        let at = self.at(key);
        at.or_wrong(at.value.as_u64().filter(|count| *count <= MOST), "a whole number, at most 10^12")
    }

    /// A seed, or tokens of one charge: nobody adds them up.
    fn whole(&self, key: &str) -> Result<u64> {
        let at = self.at(key);
        at.or_wrong(at.value.as_u64(), "a whole number")
    }

    fn flag(&self, key: &str) -> bool {
        self.at(key).value.as_bool().unwrap_or_default()
    }

    fn money(&self, key: &str) -> Result<Money> {
        self.at(key).as_money()
    }

    fn as_money(&self) -> Result<Money> {
        let amount = self.value.as_str().and_then(|text| text.parse::<Money>().ok());
        let amount = amount.filter(|amount| amount.picos().unsigned_abs() <= MOST_PICOS);
        self.or_wrong(amount, "an amount such as \"12.34\", at most 10^18 dollars")
    }

    fn money_or_none(&self, key: &str) -> Result<Option<Money>> {
        let at = self.at(key);
        if at.value.is_null() { Ok(None) } else { at.as_money().map(Some) }
    }

    fn interval(&self, key: &str) -> Result<[Money; 2]> {
        let ends = self.list(key, |end| end.as_money())?;
        self.at(key).or_wrong(ends.try_into().ok(), "a pair of amounts")
    }

    fn date(&self, key: &str) -> Result<jiff::civil::Date> {
        self.at(key).as_date()
    }

    fn as_date(&self) -> Result<jiff::civil::Date> {
        self.or_wrong(self.value.as_str().and_then(|text| text.parse().ok()), "a date")
    }

    /// Item by item; nothing where there is no list, as in files of earlier versions.
    fn list<T>(&self, key: &str, read: impl Fn(&Place<'_>) -> Result<T>) -> Result<Vec<T>> {
        let at = self.at(key);
        if at.value.is_null() {
            return Ok(Vec::new());
        }
        let items = at.or_wrong(at.value.as_array(), "a list")?;
        let item = |(index, value)| read(&Place { value, path: format!("{}[{index}]", at.path) });
        items.iter().enumerate().map(item).collect()
    }
}

/// Reads what [`crate::report::json()`] wrote.
///
/// # Errors
/// When it is no forecast of this layout; with the key that cannot be used.
pub fn read(bytes: &[u8]) -> Result<Forecast> {
    let (value, runs) = document::parts(bytes)?;
    let all = Place { value: &value, path: String::new() };
    match value.get("schema").and_then(Value::as_str) {
        Some(SCHEMA) => {}
        Some(other) => return Err(ReadError::Schema(format!("`{}`", other.escape_debug()))),
        None => return Err(ReadError::Schema("missing".to_owned())),
    }
    Ok(Forecast {
        alerts: alerts::alerts(&all.at("alerts"))?,
        policies: all.list("policies", |at| policy(at, &runs))?,
        about: about(&all)?,
        bill: bill(&all.at("bill"))?,
        failure_rate: rate(&all.at("failure_rate"))?,
        fallback_share: rate(&all.at("fallback_share"))?,
        intents: counts(&all.at("intents"))?,
        unanswered_rate: rate(&all.at("unanswered_rate"))?,
        requests: counts(&all.at("requests"))?,
        upstream_calls: counts(&all.at("upstream_calls"))?,
        latency_s: latency(&all.at("latency_s"))?,
        cost_by_cause: causes(&all.at("cost_by_cause"))?,
        fallback_premium: all.at("fallback_premium").money("mean")?,
        reported_spend: all.at("reported_spend").money("mean")?,
        unpriced: all.list("unpriced", unpriced)?,
        runs,
        hours: all.list("hours", hours::hour)?,
        deployments: all.list("deployments", deployment)?,
        providers: all.list("providers", provider)?,
        days: all.list("days", day)?,
        percentile_runs: all.list("percentile_runs", percentile_run)?,
        budget: budget(&all.at("budget"))?,
        holidays: all.list("holidays", |at| at.as_date())?,
        lasting: all.list("lasting", lasting::lasting)?,
        written: all.list("written", told::assumption)?,
        classes: all.list("classes", share)?,
        keys: all.list("keys", share)?,
        why_not: all.list("failed_by_reason", why_not)?,
        edges: all.list("edges", edge)?,
        next: all.at("next").value.as_str().map(str::to_owned),
        expensive: expensive(&all.at("expensive_run"))?,
        findings: all.list("findings", told::finding)?,
        assumptions: all.list("assumptions", told::assumption)?,
        diagnostics: all.list("diagnostics", told::diagnostic)?,
    })
}

fn about(all: &Place<'_>) -> Result<About> {
    let gateway = all.at("gateway");
    Ok(About {
        scenario: all.string("scenario")?,
        description: all.string("description")?,
        seed: all.whole("seed")?,
        runs: all.count("runs")?,
        partial: all.flag("partial"),
        horizon_hours: all.number("horizon_hours")?,
        start: all.string("start")?,
        gateway: Cow::Owned(gateway.string("name")?),
        profile: Cow::Owned(gateway.string("profile")?),
        prices_as_of: all.string("prices_as_of")?,
        version: Cow::Owned(all.string("billcast_version")?),
        command: all.string("command")?,
    })
}

fn bill(at: &Place<'_>) -> Result<MoneyStats> {
    Ok(MoneyStats {
        mean: at.money("mean")?,
        ci95_mean: at.interval("ci95_mean")?,
        p5: at.money("p5")?,
        p50: at.money("p50")?,
        ci95_p50: at.interval("ci95_p50")?,
        p80: at.money("p80")?,
        p95: at.money("p95")?,
        ci95_p95: at.interval("ci95_p95")?,
        p99: at.money("p99")?,
        max: at.money("max")?,
        worth_runs: at.optional("mean_worth_runs")?.unwrap_or_default(),
    })
}

fn rate(at: &Place<'_>) -> Result<RateStats> {
    Ok(RateStats {
        mean: at.number("mean")?,
        ci95_half_width: at.number("ci95_half_width")?,
        p50: at.number("p50")?,
        p95: at.number("p95")?,
    })
}

fn counts(at: &Place<'_>) -> Result<CountStats> {
    Ok(CountStats { mean: at.number("mean")?, p5: at.number("p5")?, p95: at.number("p95")? })
}

fn latency(at: &Place<'_>) -> Result<Option<LatencyStats>> {
    let stats = LatencyStats { p50: at.number("p50")?, p95: at.number("p95")?, p99: at.number("p99")? };
    Ok(Some(stats).filter(|stats| !(stats.p50.is_nan() && stats.p95.is_nan() && stats.p99.is_nan())))
}

fn causes(at: &Place<'_>) -> Result<Causes<Money>> {
    let mut all = Causes::default();
    for cause in Cause::ALL {
        all[cause] = at.money(cause.name())?;
    }
    Ok(all)
}

/// A policy is judged again: the runs are all that it depends on.
fn policy(at: &Place<'_>, runs: &[RunRow]) -> Result<Verdict> {
    let gate: Option<Gate> = at.str("policy")?.parse().ok();
    let level = if at.str("level")? == "warn" { Level::Warn } else { Level::Fail };
    Ok(at.at("policy").or_wrong(gate, "a policy")?.judge(level, &at.string_or_empty("subject"), None, runs))
}

fn budget(at: &Place<'_>) -> Result<Budget> {
    Ok(Budget { horizon: at.money_or_none("run")?, day: at.money_or_none("day")?, month: at.money_or_none("month")? })
}

fn unpriced(at: &Place<'_>) -> Result<UnpricedRow> {
    Ok(UnpricedRow {
        model: at.string("model")?,
        calls: at.number("calls")?,
        input_tokens: at.number("input_tokens")?,
        output_tokens: at.number("output_tokens")?,
    })
}

fn run(at: &Place<'_>) -> Result<RunRow> {
    Ok(RunRow {
        run: at.count("run")?,
        bill: at.money("bill")?,
        by_cause: causes(&at.at("cost_by_cause"))?,
        requests: at.count("requests")?,
        served: at.count("served")?,
        cache_hits: at.count("cache_hits")?,
        failed: at.count("failed")?,
        rejected: at.count("rejected")?,
        abandoned: at.count("abandoned")?,
        lost: at.count("lost")?,
        in_flight: at.count("in_flight")?,
        client_retries: at.count("client_retries")?,
        most_attempts: u32::try_from(at.count("most_upstream_calls")?).unwrap_or(u32::MAX),
        fallbacks: at.count("fallbacks")?,
        attempts: at.count("upstream_calls")?,
        fallback_premium: at.money("fallback_premium")?,
        reported_spend: at.money("reported_spend")?,
        latency_s: latency(&at.at("latency_s"))?,
    })
}

fn errors(at: &Place<'_>) -> Result<ErrorCounts> {
    Ok(ErrorCounts {
        rate_limited: at.number("rate_limited")?,
        server: at.number("server")?,
        timeout: at.number("timeout")?,
        auth: at.number("auth")?,
        client: at.number("client")?,
        cancelled: at.number("cancelled")?,
    })
}

fn demand(at: &Place<'_>) -> Result<(Demand, Option<f64>)> {
    let demand =
        Demand { p50: at.number("p50")?, p95: at.number("p95")?, p999: at.number("p999")?, peak: at.number("peak")? };
    Ok((demand, at.optional("limit")?))
}

fn deployment(at: &Place<'_>) -> Result<DeploymentRow> {
    let (requests_per_minute, rpm_limit) = demand(&at.at("requests_per_minute"))?;
    let (tokens_per_minute, tpm_limit) = demand(&at.at("tokens_per_minute"))?;
    let (concurrency, concurrency_limit) = demand(&at.at("concurrency"))?;
    Ok(DeploymentRow {
        name: at.string("name")?,
        group: at.string("group")?,
        model: at.string("model")?,
        provider: at.string("provider")?,
        priced: at.flag("priced"),
        bill_mean: at.money_or_none("bill_mean")?.unwrap_or_default(),
        bill_p95: at.money_or_none("bill_p95")?.unwrap_or_default(),
        attempts: at.number("attempts")?,
        served: at.number("served")?,
        errors: errors(&at.at("errors"))?,
        input_tokens: at.number("input_tokens")?,
        output_tokens: at.number("output_tokens")?,
        unpriced_tokens: at.optional("unpriced_tokens")?.unwrap_or_default(),
        latency_s: latency(&at.at("latency_s"))?,
        cooldowns: at.number("cooldowns")?,
        cooldown_share: at.number("cooldown_share")?,
        requests_per_minute,
        tokens_per_minute,
        concurrency,
        rpm_limit,
        tpm_limit,
        concurrency_limit,
        meters: at.list("meters", meter)?,
    })
}

fn meter(at: &Place<'_>) -> Result<MeterRow> {
    Ok(MeterRow { kind: kind(at)?, quantity: at.number("quantity")?, amount: at.money("amount_mean")? })
}

/// What a charge is for.
fn kind(at: &Place<'_>) -> Result<TokenKind> {
    let name = at.str("kind")?;
    at.at("kind").or_wrong(TokenKind::ALL.into_iter().find(|known| known.name() == name), "a kind of token")
}

fn provider(at: &Place<'_>) -> Result<ProviderRow> {
    Ok(ProviderRow {
        name: at.string("name")?,
        bill_mean: at.money_or_none("bill_mean")?.unwrap_or_default(),
        bill_p95: at.money_or_none("bill_p95")?.unwrap_or_default(),
        attempts: at.number("attempts")?,
        served: at.number("served")?,
        errors: errors(&at.at("errors"))?,
        latency_s: latency(&at.at("latency_s"))?,
        priced: at.money_or_none("bill_mean")?.is_some(),
    })
}

fn day(at: &Place<'_>) -> Result<DayRow> {
    let small = |key| at.count(key).map(|count| u32::try_from(count).unwrap_or(u32::MAX));
    Ok(DayRow {
        date: at.date("date")?,
        hours: at.number("hours")?,
        of_hours: small("of_hours")?,
        holiday: at.flag("holiday"),
        bills: at.list("bills", |at| at.as_money())?,
    })
}

fn percentile_run(at: &Place<'_>) -> Result<PercentileRun> {
    Ok(PercentileRun {
        percentile: u8::try_from(at.count("percentile")?).unwrap_or(u8::MAX),
        run: at.count("run")?,
        bill: at.money("bill")?,
        charges: at.list("charges", charge)?,
    })
}

fn charge(at: &Place<'_>) -> Result<ChargeRow> {
    let index = |key| at.count(key).map(|count| usize::try_from(count).unwrap_or(usize::MAX));
    let cause = at.str("cause")?;
    let known_cause = Cause::ALL.into_iter().find(|known| known.name() == cause);
    Ok(ChargeRow {
        day: at.date("day")?,
        deployment: index("deployment")?,
        key: index("key")?,
        model: at.at("model").value.as_str().map(str::to_owned),
        commitment: at.at("commitment").value.as_str().map(str::to_owned),
        cause: at.at("cause").or_wrong(known_cause, "a cause")?,
        kind: kind(at)?,
        quantity: at.whole("quantity")?,
        amount: at.money("amount")?,
    })
}

fn share(at: &Place<'_>) -> Result<ShareRow> {
    Ok(ShareRow {
        name: at.string("name")?,
        team: at.at("team").value.as_str().map(str::to_owned),
        requests: at.number("requests")?,
        failed: at.number("failed")?,
        bill_mean: at.money_or_none("bill_mean")?.unwrap_or_default(),
        bill_p95: at.money_or_none("bill_p95")?.unwrap_or_default(),
        priced: at.money_or_none("bill_mean")?.is_some(),
        why_not: at.list("failed_by_reason", why_not)?,
    })
}

fn why_not(at: &Place<'_>) -> Result<WhyNotRow> {
    let name = at.str("reason")?;
    let why = WhyNot::ALL.into_iter().find(|known| known.name() == name);
    Ok(WhyNotRow { why: at.at("reason").or_wrong(why, "a reason")?, requests: at.number("requests")? })
}

fn edge(at: &Place<'_>) -> Result<EdgeRow> {
    Ok(EdgeRow {
        from: at.string("from")?,
        to: at.string("to")?,
        charges: at.number("charges")?,
        amount: at.money("amount_mean")?,
        premium: at.money_or_none("premium_mean")?,
    })
}

fn expensive(at: &Place<'_>) -> Result<Option<Timeline>> {
    if at.value.is_null() {
        return Ok(None);
    }
    let step = |at: &Place<'_>| {
        Ok(TimelineStep {
            requests: at.count("requests")?,
            failed: at.count("failed")?,
            fallbacks: at.count("fallbacks")?,
            attempts: at.count("upstream_calls")?,
            spend: at.money("spend")?,
        })
    };
    let window = |at: &Place<'_>| {
        Ok(Window {
            target: at.string("target")?,
            kind: Cow::Owned(at.string("kind")?),
            from_hour: at.number("from_hour")?,
            to_hour: at.number("to_hour")?,
        })
    };
    Ok(Some(Timeline {
        run: at.count("run")?,
        bill: at.money("bill")?,
        step_minutes: at.number("step_minutes")?,
        start: at.string("start")?,
        steps: at.list("steps", step)?,
        windows: at.list("windows", window)?,
    }))
}
