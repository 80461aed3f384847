use super::*;
use crate::experiment::forecast::LatencyStats;
use crate::ledger::Causes;
use crate::units::Money;

fn gate(text: &str) -> Gate {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Runs with these bills in dollars, and a tenth of 1,000 requests failed.
fn rows(bills: impl IntoIterator<Item = f64>) -> Vec<RunRow> {
    let row = |(run, bill): (usize, f64)| RunRow {
        run: run as u64,
        bill: Money::from_picos((bill * 1e12) as i128),
        by_cause: Causes::default(),
        requests: 1000,
        served: 900,
        cache_hits: 0,
        failed: 100,
        rejected: 0,
        abandoned: 0,
        lost: 0,
        in_flight: 0,
        client_retries: 0,
        fallbacks: 0,
        attempts: 1200,
        most_attempts: 6,
        fallback_premium: Money::ZERO,
        reported_spend: Money::ZERO,
        latency_s: Some(LatencyStats { p50: 1.0, p95: 2.0, p99: 3.0 }),
    };
    bills.into_iter().enumerate().map(row).collect()
}

fn decision(text: &str, rows: &[RunRow]) -> Decision {
    gate(text).judge(Level::Fail, "", None, rows).decision
}

#[test]
fn policies_are_read() {
    let limit = |text: &str| gate(text).limit.value;
    assert_eq!([limit("bill.p95>500"), limit("bill > $1.5k"), limit("bill.max >= 20 USD")], [500.0, 1500.0, 20.0]);
    assert_eq!(
        [limit("failure_rate.p95 > 1%"), limit("fallback_share < 0.05"), limit("latency.p95 > 800ms")],
        [0.01, 0.05, 0.8]
    );
    let relative = gate(" delta.bill.p95 > +20% ");
    assert!(relative.is_delta && relative.limit == Limit { value: 0.2, is_relative: true });
    assert!(!gate("delta.failure_rate > 0.5%").limit.is_relative, "of shares: percentage points");
    assert_eq!(gate("p(bill > 1000) > 1%").quantity, Quantity::Chance(Metric::Bill, Relation::Greater, 1000.0));
    assert_eq!(gate("max_attempts > 6").quantity, Quantity::Stat(Metric::MaxAttempts, Stat::Max));
}

#[test]
fn slips_in_policies_are_named_with_their_place() {
    let cases = [
        ("bil.p95 > 500", "1:1: error [BC505]: `bil` is nothing that is measured; did you mean `bill`?"),
        ("bill.p905 > 500", "1:6: error [BC505]: `p905` is not a statistic"),
        ("bill.p95 > 20%", "1:12: error [BC505]: `%` does not fit here"),
        ("bill.p95 500", "1:10: error [BC505]: expected `>`"),
        ("bill.p95 >", "1:11: error [BC505]: expected a number"),
        ("bill.p95 > 500 or so", "1:12: error [BC505]: `or` does not fit here"),
        ("p(bill.p95 > 500) > 1%", "1:3: error [BC505]: a probability is about single runs"),
        ("p(bill > 500 > 1%", "1:14: error [BC505]: expected `)`"),
        ("latency > 1s", "1:1: error [BC505]: which latency?"),
        ("", "1:1: error [BC505]: expected what is limited"),
        ("ä > 1", "1:1: error [BC505]"),
    ];
    for (text, expected) in cases {
        let message = text.parse::<Gate>().unwrap_err().to_string();
        assert!(message.contains(expected), "{text}: {message}");
    }
}

#[test]
fn a_decision_needs_the_whole_interval() {
    let rows = rows((0..200).map(|run| 100.0 + f64::from(run % 20)));
    assert_eq!(decision("bill.mean > 90", &rows), Decision::Violated);
    assert_eq!(decision("bill.mean > 130", &rows), Decision::Kept);
    assert_eq!(decision("bill.mean > 109.5", &rows), Decision::Open);
    assert_eq!(decision("bill.mean < 130", &rows), Decision::Violated);
    assert_eq!(decision("p(bill > 200) > 5%", &rows), Decision::Kept);
    assert_eq!(decision("p(bill > 105) > 5%", &rows), Decision::Violated);
    assert_eq!(decision("failure_rate > 9%", &rows), Decision::Violated);
    assert_eq!(decision("max_attempts > 6", &rows), Decision::Kept);
    assert_eq!(decision("max_attempts >= 6", &rows), Decision::Violated);
    assert_eq!(decision("bill.p95 > 1000", &rows[..20]), Decision::Open, "20 runs do not bound a 95th percentile");
}

#[test]
fn an_open_decision_says_how_many_runs_would_settle_it() {
    let verdict = |text: &str, runs: usize| {
        gate(text).judge(Level::Fail, "", None, &rows((0..runs).map(|run| 100.0 + (run % 20) as f64)))
    };
    // Mean 109.5, standard deviation 5.8: the interval of 200 runs reaches 0.8, so 0.4 away takes about four times as
    // many.
    let open = verdict("bill.mean > 109.9", 200);
    assert_eq!(open.decision, Decision::Open);
    assert!((600..1200).contains(&open.runs_to_settle.unwrap()), "{open:?}");
    assert_eq!(verdict("bill.mean > 109.9", 2000).decision, Decision::Kept);
    assert_eq!(verdict("bill.p95 > 1000", 20).runs_to_settle, Some(72));
    assert_eq!(verdict("bill.mean > 109.5", 200).runs_to_settle, None, "no number of runs tells equal from equal");
}

#[test]
fn differences_are_judged_run_by_run() {
    let base = rows((0..100).map(|run| 100.0 + f64::from(run)));
    let other = rows((0..100).map(|run| 1.1 * (100.0 + f64::from(run))));
    let judge = |text: &str| gate(text).judge(Level::Fail, "other", Some(&base), &other).decision;
    assert_eq!(judge("delta.bill.p95 > 20%"), Decision::Kept);
    assert_eq!(judge("delta.bill.mean > 5%"), Decision::Violated);
    assert_eq!(judge("delta.bill.mean > 30"), Decision::Kept);
    assert_eq!(judge("p(delta.bill > 0) > 1%"), Decision::Violated);
    assert_eq!(judge("delta.failure_rate > 0.1%"), Decision::Kept);
    let same = gate("delta.bill.mean > 0").judge(Level::Fail, "", Some(&base), &base);
    assert_eq!((same.decision, same.value.interval.high), (Decision::Kept, 0.0));
}

/// A policy that can never be violated guards nothing.
#[test]
fn no_share_is_more_than_all() {
    for text in ["failure_rate > 5", "p(bill > 1) > 200%", "p(failure_rate > 5) > 1%", "bill.p95 > 1,5"] {
        assert!(text.parse::<Gate>().is_err(), "{text}");
    }
    for text in ["failure_rate > 5%", "failure_rate.p95 > 1", "bill.p95 > 1,500", "delta.bill.p95 > 200%"] {
        gate(text);
    }
}
