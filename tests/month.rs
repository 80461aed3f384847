//! Months put together from weeks are like months that are simulated as a whole; and the volume does not average out.

use billcast::experiment::{Forecast, MonthOptions, Options, Projection, Unwatched, forecast, project};
use billcast::random::Seed;
use billcast::scenario::{Edit, Overrides, load};
use billcast::units::Money;
use jiff::civil::date;

/// A small gateway over a month of 30 days that begins on a Monday.
fn simulated(start: &str, hours: u32, uncertainty: &str, runs: u64) -> Forecast {
    simulated_from(&format!("{start} 00:00"), hours, uncertainty, runs)
}

/// The same from a moment within a day on.
fn simulated_from(start: &str, hours: u32, uncertainty: &str, runs: u64) -> Forecast {
    let sets = [
        ("start", format!("{start} Europe/Berlin")),
        ("hours", hours.to_string()),
        ("volume_uncertainty", uncertainty.to_owned()),
        ("traffic.chat.rate", "20/h".to_owned()),
    ];
    let edits = sets.iter().map(|(path, value)| Edit::set(path, value).unwrap()).collect();
    let world = load("tests/scenarios/month", &Overrides { edits, ..Overrides::default() }).unwrap();
    let options = Options { runs, seed: Seed(5), threads: 0, precision: None, command: String::new() };
    forecast(&world, &options, &Unwatched)
}

fn options(first: &str, months: u32) -> MonthOptions {
    MonthOptions {
        first: format!("{first}T00:00[Europe/Berlin]").parse().unwrap(),
        months,
        growth: 0.0,
        growth_from: date(2026, 6, 1),
        budget: None,
        spent: None,
        holidays: Vec::new(),
        paths: 1_000,
        seed: Seed(5),
    }
}

fn dollars(amount: Money) -> f64 {
    amount.picos() as f64 / 1e12
}

/// Standard deviation over mean, from the 5th and 95th percentile.
fn spread(projection: &Projection) -> f64 {
    let bill = &projection.months[0].bill;
    (dollars(bill.p95) - dollars(bill.p5)) / dollars(bill.p50)
}

#[test]
fn a_month_of_weeks_is_like_a_month_simulated_whole() {
    let (week, month) = (simulated("2026-06-01", 168, "0.3", 300), simulated("2026-06-01", 720, "0.3", 300));
    let projection = project(&[&week], &options("2026-06-01", 1)).unwrap();
    let (put_together, whole) = (&projection.months[0].bill, &month.bill);
    // 300 runs give the P50 within ±4% and the outer percentiles within ±12%, at three standard errors.
    for (name, a, b, within) in [
        ("mean", put_together.mean, whole.mean, 0.05),
        ("P50", put_together.p50, whole.p50, 0.07),
        ("P5", put_together.p5, whole.p5, 0.15),
        ("P95", put_together.p95, whole.p95, 0.15),
    ] {
        let ratio = dollars(a) / dollars(b);
        assert!((ratio - 1.0).abs() < within, "{name}: {a} put together, {b} simulated");
    }
}

#[test]
fn what_is_common_to_all_weeks_does_not_average_out() {
    let common = project(&[&simulated("2026-06-01", 168, "0.3", 200)], &options("2026-06-01", 1)).unwrap();
    let none = project(&[&simulated("2026-06-01", 168, "0", 200)], &options("2026-06-01", 1)).unwrap();
    // A lognormal factor with a log-sd of 0.3 alone has (P95 − P5)/P50 = 2 sinh(1.645 · 0.3) = 1.03.
    assert!(spread(&common) > 0.85, "{}", spread(&common));
    assert!(spread(&none) < 0.25, "{}", spread(&none));
}

#[test]
fn the_calendar_counts() {
    let week = simulated("2026-06-01", 168, "0", 40);
    let projection = project(&[&week], &options("2026-03-01", 8)).unwrap();
    let hours: Vec<u32> = projection.months.iter().map(|month| month.hours).collect();
    // March 2026 loses an hour in Berlin, October gains one.
    assert_eq!(hours, [743, 720, 744, 720, 744, 744, 720, 745]);
    let growing = MonthOptions { growth: 0.1, ..options("2026-07-01", 2) };
    let grown = project(&[&week], &growing).unwrap();
    let ratio = dollars(grown.months[1].bill.mean) / dollars(grown.months[0].bill.mean);
    assert!((ratio - 1.1).abs() < 0.04, "{ratio}");
}

#[test]
fn growth_counts_from_one_day_wherever_the_months_begin() {
    let week = simulated("2026-06-01", 168, "0", 20);
    let told = |growth: f64, growth_from, first: &str, months: u32| {
        let asked = MonthOptions { growth, growth_from, ..options(first, months) };
        project(&[&week], &asked).unwrap().months.last().unwrap().bill.mean
    };
    let start = date(2026, 6, 1);
    assert_eq!(told(0.1, start, "2026-12-01", 1), told(0.1, start, "2026-07-01", 6));
    // Half a year more is (1 + growth)^6, and days before the start have less than was simulated.
    let ratio = dollars(told(0.1, start, "2026-12-01", 1)) / dollars(told(0.0, start, "2026-12-01", 1));
    assert!((ratio / 1.1f64.powf((183.0 + 15.0) / 30.436_875) - 1.0).abs() < 0.02, "{ratio}");
    let ratio = dollars(told(0.1, date(2026, 7, 1), "2026-06-01", 1)) / dollars(told(0.0, start, "2026-06-01", 1));
    assert!((ratio / 1.1f64.powf(-15.5 / 30.436_875) - 1.0).abs() < 0.02, "{ratio}");
}

#[test]
fn what_was_spent_and_what_is_left() {
    let week = simulated("2026-06-01", 168, "0.2", 60);
    let plain = project(&[&week], &options("2026-06-01", 1)).unwrap();
    let spent: Money = "1000.00".parse().unwrap();
    let budget = spent + plain.months[0].bill.mean.divided_by(4);
    let asked =
        MonthOptions { spent: Some((spent, date(2026, 6, 16))), budget: Some(budget), ..options("2026-06-01", 1) };
    let projection = project(&[&week], &asked).unwrap();
    assert_eq!(projection.days[14].p50, spent, "by the end of the day before");
    let remainder = dollars(projection.months[0].bill.mean) - 1000.0;
    let half = dollars(plain.months[0].bill.mean) / 2.0;
    assert!((remainder / half - 1.0).abs() < 0.1, "{remainder} against {half}");
    let day = projection.months[0].used_up[1].expect("a quarter of a month is gone in a week or so");
    assert!((date(2026, 6, 19)..date(2026, 6, 28)).contains(&day), "{day}");
    assert!(projection.months[0].over_budget.unwrap().point > 0.95);
}

#[test]
fn a_weekend_is_no_month() {
    let weekend = simulated("2026-06-06", 48, "0.2", 5);
    let error = project(&[&weekend], &options("2026-06-01", 1)).unwrap_err().to_string();
    assert!(error.contains("Monday"), "{error}");
}

#[test]
fn days_begin_at_midnight_whenever_the_run_begins() {
    let forecast = simulated_from("2026-06-05 23:45", 49, "0", 3);
    let hours: Vec<f64> = forecast.days.iter().map(|day| (day.hours * 100.0).round() / 100.0).collect();
    assert_eq!(hours, [0.25, 24.0, 24.0, 0.75]);
    assert_eq!(forecast.days.iter().map(|day| day.is_whole()).collect::<Vec<_>>(), [false, true, true, false]);
    for (run, row) in forecast.runs.iter().enumerate() {
        assert_eq!(forecast.days.iter().map(|day| day.bills[run]).sum::<Money>(), row.bill);
    }
    // A quarter of an hour, and not the hour that it is part of.
    let [first, whole] = [0, 1].map(|day| dollars(forecast.days[day].bills.iter().copied().sum()));
    assert!(first < 0.05 * whole, "{first} of {whole}");
}

#[test]
fn a_week_from_friday_evening_has_all_seven_days() {
    let (monday, friday) =
        (simulated("2026-06-01", 168, "0.2", 60), simulated_from("2026-06-05 18:00", 168, "0.2", 60));
    assert_eq!(friday.days.iter().filter(|day| day.is_whole()).count(), 6);
    let [a, b] = [&monday, &friday].map(|week| project(&[week], &options("2026-06-01", 1)).unwrap().months[0].clone());
    // The bill of a month of 30 days is within a few standard errors of 60 runs whichever way the week is cut.
    let ratio = dollars(a.bill.mean) / dollars(b.bill.mean);
    assert!((ratio - 1.0).abs() < 0.1, "{} and {}", a.bill.mean, b.bill.mean);
    // Not a whole week: no Friday is put together from two pieces that leave a gap.
    let short = simulated_from("2026-06-05 18:00", 160, "0.2", 2);
    assert!(project(&[&short], &options("2026-06-01", 1)).is_err());
}
