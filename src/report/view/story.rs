//! The result in words: headline figures, caveats, three sentences.

use crate::experiment::{DeploymentRow, EdgeRow, Forecast, LatencyStats, MoneyStats, RateStats, UnpricedRow};
use crate::ledger::Cause;
use crate::report::text::{
    FEW_RUNS, clean, count, dollars, few_runs, hours, interrupted_after, money, money_interval, percent,
    percent_half_width, plural, seconds, short_count,
};
use crate::report::view::derive::{money_share, ratio};
use crate::report::view::{Answer, BudgetView, CauseLine, Figure, Percentile, interval_note};
use crate::units::Money;

/// What a cause is called and what it means.
pub const fn words(cause: Cause) -> (&'static str, &'static str) {
    match cause {
        Cause::FirstAttempt => ("First attempt", "the first attempt answered"),
        Cause::Retry => ("Retry", "a further attempt at the same group answered"),
        Cause::Fallback => ("Fallback", "another group answered"),
        Cause::Abandoned => ("Abandoned", "the client had gone; billed all the same"),
        Cause::FailedAttempt => ("Failed attempt", "the attempt failed and was billed"),
        Cause::CacheWrite => ("Cache write", "tokens written to the provider's prompt cache"),
        Cause::Commitment => ("Commitment", "paid capacity, used or idle"),
    }
}

/// Cause by cause, in the order of the ledger.
pub fn causes(forecast: &Forecast) -> Vec<CauseLine> {
    let line = |(cause, amount): (Cause, &Money)| {
        let (label, meaning) = words(cause);
        let share = money_share(*amount, forecast.bill.mean);
        CauseLine { cause, label, meaning, amount: *amount, text: money(*amount), share }
    };
    forecast.cost_by_cause.iter().map(line).collect()
}

/// What spreading the runs evenly gains, where it gains more than half as much again.
pub fn worth_runs(bill: &MoneyStats, runs: u64) -> Option<String> {
    let gains = bill.worth_runs.is_finite() && bill.worth_runs > 1.5 * runs as f64;
    gains.then(|| format!("the mean is as sure as that of {} independent runs", short_count(bill.worth_runs)))
}

/// Mean and percentiles of the bill.
pub fn percentiles(bill: &MoneyStats, runs: u64) -> Vec<Percentile> {
    let line = |label, amount: Money, interval: Option<[Money; 2]>| Percentile {
        label,
        amount,
        text: money(amount),
        ends: interval.filter(|_| has_intervals(runs)),
        interval: interval.filter(|_| has_intervals(runs)).map(crate::report::text::money_interval),
    };
    vec![
        line("mean", bill.mean, Some(bill.ci95_mean)),
        line("P5", bill.p5, None),
        line("P50", bill.p50, Some(bill.ci95_p50)),
        line("P80", bill.p80, None),
        line("P95", bill.p95, Some(bill.ci95_p95)),
        line("P99", bill.p99, None),
        line("max", bill.max, None),
    ]
}

/// One run says nothing about how far it is from the others.
const fn has_intervals(runs: u64) -> bool {
    runs >= 2
}

/// What limits the trust in the figures; most important first.
pub fn caveats(forecast: &Forecast) -> Vec<String> {
    let mut caveats = Vec::new();
    let runs = forecast.about.runs;
    if forecast.about.partial {
        let alerts = forecast.alerts.as_ref().filter(|alerts| alerts.of_run.is_none() && alerts.runs < runs);
        let fewer = alerts.map(|alerts| format!(" Budgets and alerts cover {}.", plural(alerts.runs, "run")));
        caveats.push(interrupted_after(runs) + &fewer.unwrap_or_default());
    }
    let unpriced: Vec<&UnpricedRow> = forecast.unpriced.iter().filter(|row| row.calls > 0.0).collect();
    if !unpriced.is_empty() {
        let tokens: f64 = unpriced.iter().map(|row| row.input_tokens + row.output_tokens).sum();
        let names: Vec<String> = unpriced.iter().take(3).map(|row| clean(&row.model)).collect();
        let more = unpriced.len().saturating_sub(names.len());
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let tokens = short_count(tokens);
        let nothing_known = match forecast.bill.max {
            Money::ZERO => " Nothing that was called has a price: the bill is unknown, and not $0.00.",
            _ => "",
        };
        caveats.push(format!(
            "Not in the bill: {tokens} tokens of models without a price ({}{more}).{nothing_known}",
            names.join(", ")
        ));
    }
    caveats.extend(retired(forecast));
    caveats.extend(few_runs(runs));
    caveats
}

/// What the retirement of models does to calls, deployment by deployment; no more than a few.
fn retired(forecast: &Forecast) -> Option<String> {
    const MOST: usize = 3;
    let told = |row: &DeploymentRow| {
        let name = format!("upstream.{}.retired_from", row.name);
        let day = forecast.assumptions.iter().find(|said| said.name == name && said.assumed_by != "user")?;
        let lost = percent(ratio(row.attempts - row.served, row.attempts));
        Some(format!(
            "{} ({} since {}): {lost} of its calls fail",
            clean(&row.name),
            clean(&row.model),
            clean(&day.value)
        ))
    };
    let all: Vec<String> = forecast.deployments.iter().filter_map(told).collect();
    let more = all.len().saturating_sub(MOST);
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    let some: Vec<String> = all.into_iter().take(MOST).collect();
    (!some.is_empty()).then(|| format!("Retired models answer 404: {}{more}.", some.join("; ")))
}

/// A figure out of its parts.
fn figure(label: &'static str, value: String, note: String) -> Figure {
    Figure { label, value, note }
}

/// The figures that matter first.
pub fn headline(forecast: &Forecast, budget: Option<&BudgetView>) -> [Figure; 4] {
    let (bill, runs) = (&forecast.bill, forecast.about.runs);
    let interval_note = |interval| match has_intervals(runs) {
        true => interval_note(interval),
        false => "one run: no interval".to_owned(),
    };
    let beyond = format!("one in 100: over {}", money(bill.p99));
    let last = match budget {
        Some(budget) => {
            let interval = budget.probability.interval;
            let odds = format!("95% CI {} to {}", percent(interval.low), percent(interval.high));
            let note = format!("over {}; {odds}", money(budget.amount));
            figure("Over budget: probability", percent(budget.probability.point), note)
        }
        None => figure("Mean bill", money(bill.mean), interval_note(bill.ci95_mean)),
    };
    [
        figure("P50: half cost less", money(bill.p50), interval_note(bill.ci95_p50)),
        figure("P80: one in 5 costs more", money(bill.p80), beyond),
        figure("P95: one in 20 costs more", money(bill.p95), interval_note(bill.ci95_p95)),
        last,
    ]
}

/// The figures that come next.
pub fn figures(forecast: &Forecast, calls_per_request: f64, premium_share: f64) -> [Figure; 5] {
    let rate = |label, rate: RateStats| {
        let half_width = percent_half_width(rate.mean, rate.ci95_half_width);
        let note = match has_intervals(forecast.about.runs) {
            true => format!("±{half_width} (95% CI), P95 {}", percent(rate.p95)),
            false => "one run: no interval".to_owned(),
        };
        figure(label, percent(rate.mean), note)
    };
    let [p50, p95, p99] = LatencyStats::quantiles(forecast.latency_s).map(seconds);
    let calls = format!("{} requests, {} calls", count(forecast.requests.mean), count(forecast.upstream_calls.mean));
    let tail = format!("P95 {p95}, P99 {p99}");
    [
        rate("Failure rate", forecast.failure_rate),
        rate("Fallback share", forecast.fallback_share),
        premium(forecast, premium_share),
        figure("Calls per request", format!("{calls_per_request:.3}"), calls),
        figure("Latency P50", p50, tail),
    ]
}

/// What fallbacks cost above the groups asked for, and whether all of that is known.
fn premium(forecast: &Forecast, share: f64) -> Figure {
    let unknown = forecast.edges.iter().filter(|edge| edge.premium.is_none()).count();
    let label = "Fallback premium";
    match unknown {
        0 => figure(label, money(forecast.fallback_premium), format!("{} of the bill", percent(share))),
        all if all == forecast.edges.len() => {
            figure(label, "unknown".to_owned(), "the groups asked for have no price".to_owned())
        }
        _ => {
            let note = format!("{} of the bill; not of groups without a price", percent(share));
            figure(label, money(forecast.fallback_premium), note)
        }
    }
}

/// How much, how sure, why, and what if it goes wrong: a sentence or two each.
pub fn answers(forecast: &Forecast, calls_per_request: f64, premium_share: f64) -> Vec<Answer> {
    let answer = |question, text| Answer { question, text };
    vec![
        answer("How much", how_much(forecast)),
        answer("How sure", how_sure(forecast)),
        answer("Why", why(forecast, premium_share)),
        answer("If it goes wrong", if_wrong(forecast)),
        answer("How well it serves", how_well(forecast, calls_per_request)),
    ]
}

fn how_sure(forecast: &Forecast) -> String {
    let (bill, runs) = (&forecast.bill, forecast.about.runs);
    let assumed = plural(forecast.assumptions.len() as u64, "value");
    if bill.max == Money::ZERO {
        return format!("All of {} agree. {assumed} are assumed.", plural(runs, "run"));
    }
    if !has_intervals(runs) {
        return format!(
            "One run says nothing about how sure this is: {FEW_RUNS} or more would. {assumed} are assumed."
        );
    }
    format!(
        "Chance alone leaves the mean within {} and the P95 within {} ({}, 95% confidence). Wrong assumptions come on \
         top: {assumed} are assumed.",
        money_interval(bill.ci95_mean),
        money_interval(bill.ci95_p95),
        plural(runs, "run"),
    )
}

/// The dearest run, told with what was special about it.
fn if_wrong(forecast: &Forecast) -> String {
    let Some(worst) = forecast.runs.iter().max_by_key(|run| run.bill).filter(|run| run.bill > Money::ZERO) else {
        return "Nothing was charged in any run: there is no dear one to tell of.".to_owned();
    };
    let times = ratio(dollars(worst.bill), dollars(forecast.bill.p50));
    let requests = worst.requests as f64;
    let lead = match forecast.about.runs {
        1 => format!("The only run costs {}", money(worst.bill)),
        runs => format!(
            "The dearest of {} costs {}, {times:.1} times the middle one",
            plural(runs, "run"),
            money(worst.bill)
        ),
    };
    format!(
        "{lead}: there {} of the requests are answered by a fallback and {} get no good answer.",
        percent(ratio(worst.fallbacks as f64, requests)),
        percent(ratio((worst.failed + worst.rejected + worst.lost) as f64, requests)),
    )
}

fn how_much(forecast: &Forecast) -> String {
    let bill = &forecast.bill;
    let horizon = hours(forecast.about.horizon_hours);
    if bill.max == Money::ZERO {
        return format!("In {horizon} nothing is charged in any of the runs.");
    }
    if !has_intervals(forecast.about.runs) {
        return format!("{horizon} of this gateway cost {} in the only run.", money(bill.mean));
    }
    format!(
        "{horizon} of this gateway cost {} on average; half of the runs stay below {}, and one in twenty costs more \
         than {}.",
        money(bill.mean),
        money(bill.p50),
        money(bill.p95)
    )
}

fn how_well(forecast: &Forecast, calls_per_request: f64) -> String {
    let failure = forecast.failure_rate;
    if forecast.requests.mean == 0.0 {
        return "No requests arrive.".to_owned();
    }
    // The shares are means over the runs, and not what the means of the counts give.
    let (of_runs, tail) = match has_intervals(forecast.about.runs) {
        true => (" a run, on average", format!(" (in one run of twenty: more than {})", percent(failure.p95))),
        false => ("", String::new()),
    };
    format!(
        "Of {} requests{of_runs} {} get no good answer{tail} and {} are answered by a fallback; a request takes \
         {calls_per_request:.3} upstream calls.",
        count(forecast.requests.mean),
        percent(failure.mean),
        percent(forecast.fallback_share.mean),
    )
}

fn why(forecast: &Forecast, premium_share: f64) -> String {
    let largest = causes(forecast).into_iter().max_by_key(|line| line.amount);
    let dearer = |edge: &&EdgeRow| edge.premium > Some(Money::ZERO);
    let edge = forecast.edges.iter().filter(dearer).max_by_key(|edge| edge.premium);
    let more = match forecast.edges.iter().any(|edge| edge.premium.is_none()) {
        true => "what fallbacks cost above groups without a price is not known",
        false => "fallbacks make it no dearer",
    };
    match (edge, largest) {
        (_, Some(line)) if line.cause == Cause::Commitment && line.share > 0.5 => {
            format!("{} of the bill is for paid capacity ({}), used or idle.", percent(line.share), line.text)
        }
        _ if forecast.fallback_premium < Money::ZERO => format!(
            "Fallbacks cost {} less than the groups asked for would have: they answer at lower prices.",
            money(-forecast.fallback_premium)
        ),
        (Some(edge), _) if forecast.fallback_premium > Money::ZERO => format!(
            "Fallbacks cost {} more than the groups asked for would have ({} of the bill); the edge from {} to {} \
             makes {} of that premium.",
            money(forecast.fallback_premium),
            percent(premium_share),
            clean(&edge.from),
            clean(&edge.to),
            percent(edge_share(forecast, edge.premium.unwrap_or_default())),
        ),
        (_, Some(line)) if line.amount > Money::ZERO => {
            format!("{} of the bill is for cases in which {}; {more}.", percent(line.share), line.meaning)
        }
        _ => "There is no cost to explain.".to_owned(),
    }
}

/// The share of one edge in all premiums above zero.
pub fn edge_share(forecast: &Forecast, premium: Money) -> f64 {
    let dearer: Money = forecast.edges.iter().filter_map(|edge| edge.premium).filter(|more| *more > Money::ZERO).sum();
    ratio(dollars(premium), dollars(dearer))
}
