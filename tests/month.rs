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

/// A folder with a small gateway and a scenario for it.
fn folder(scenario: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let gateway = "model_list:\n- {model_name: chat, litellm_params: {model: openai/gpt-4o, api_key: k}}\n";
    std::fs::write(folder.path().join("gateway.yaml"), gateway).unwrap();
    let upstream = if scenario.contains("upstream:") { "" } else { "upstream: {openai: {preset: none, latency: 1}}\n" };
    std::fs::write(folder.path().join("scenario.yaml"), format!("gateway: gateway.yaml\n{upstream}{scenario}"))
        .unwrap();
    folder
}

/// What the program prints; the command must end well.
fn printed(folder: &std::path::Path, args: &str) -> String {
    let mut command = assert_cmd::Command::cargo_bin("billcast").unwrap();
    let output = command.current_dir(folder).env("NO_COLOR", "1").args(args.split_whitespace()).output().unwrap();
    assert!(output.status.success(), "{args}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn value(folder: &std::path::Path, args: &str) -> serde_json::Value {
    serde_json::from_str(&printed(folder, &format!("{args} --quiet --format json"))).unwrap()
}

const DECEMBER: &str = "start: 2026-12-01 00:00 UTC\nvolume_uncertainty: 0.2\nruns: 5\n";

#[test]
fn a_budget_that_lasts_for_a_month_holds_in_a_month() {
    // The class costs some $60 a month without the budget.
    let traffic = "traffic: {x: {model: chat, key: a, rate: 6/h, shape: flat, input: 4000, output: 400}}\n";
    for (keys, what) in [
        ("keys: {a: {max_budget: 20, budget_duration: 30d}}\n", "the budget of key a ($20.00 in 30d)"),
        ("keys: {a: {max_budget: 20}}\n", "the budget of key a ($20.00 in all)"),
        ("keys: {a: {team: t}}\nteams: {t: {max_budget: 20, budget_duration: 1mo}}\n", "team t ($20.00 in 1mo)"),
    ] {
        let folder = folder(&format!("{DECEMBER}{traffic}{keys}"));
        let month = value(folder.path(), "month . --from 2026-12");
        let whole = value(folder.path(), "run . --set hours=744");
        assert_eq!(month["months"][0]["bill"]["mean"], whole["bill"]["mean"], "{keys}");
        assert_eq!((&month["in_one_piece"], &month["paths"]), (&true.into(), &5.into()));
        assert!(month["lasting"][0]["what"].as_str().unwrap().ends_with(what), "{}", month["lasting"]);
        let bill: f64 = month["months"][0]["bill"]["mean"].as_str().unwrap().parse().unwrap();
        assert!((19.9..20.5).contains(&bill), "{keys}: {bill}");
        // The month after the scenario's own begins where that ends, with a budget that may be used up.
        let january = value(folder.path(), "month .");
        let bill: f64 = january["months"][0]["bill"]["mean"].as_str().unwrap().parse().unwrap();
        assert!(if keys.contains("1mo") || keys.contains("30d") { bill > 19.9 } else { bill == 0.0 }, "{keys}: {bill}");
    }
    // Budgets of days and weeks are in simulated weeks as well.
    let folder = folder(&format!("{DECEMBER}{traffic}keys: {{a: {{max_budget: 9, budget_duration: 7d}}}}\n"));
    let month = value(folder.path(), "month . --from 2026-12");
    assert_eq!((&month["in_one_piece"], &month["lasting"]), (&false.into(), &serde_json::json!([])));
}

#[test]
fn a_price_that_changes_within_a_month_is_that_of_each_day() {
    let folder = tempfile::tempdir().unwrap();
    let month = value(folder.path(), "month price-change --from 2025-02 --runs 2");
    let whole = value(folder.path(), "run price-change --runs 2");
    assert_eq!(month["months"][0]["bill"]["mean"], whole["bill"]["mean"]);
    assert_eq!(month["lasting"][0]["kind"], "price");
    let fixed = value(folder.path(), "month price-change --from 2025-02 --runs 2 --set prices_at=2025-02-01");
    assert_eq!(fixed["in_one_piece"], false, "one price throughout needs no piece");
}

#[test]
fn what_comes_at_a_known_time_comes_once_in_a_month() {
    let traffic = "traffic: {x: {model: chat, rate: 20/h, shape: flat, input: 4000, output: 400}}\n";
    let outage = "upstream: {openai: {preset: none, latency: 1, outages: [{at: 40h, lasts: 48h}]}}\n";
    let folder = folder(&format!("{DECEMBER}{traffic}{outage}"));
    let month = value(folder.path(), "month . --from 2026-12");
    let whole = value(folder.path(), "run . --set hours=744");
    assert_eq!(month["months"][0]["bill"]["mean"], whole["bill"]["mean"]);
    assert_eq!((&month["in_one_piece"], &month["lasting"][0]["kind"]), (&true.into(), &"moment".into()));
    let never = value(folder.path(), "month . --from 2026-12 --set upstream.openai.outages=[]");
    assert_eq!(never["in_one_piece"], false);
    let mean =
        |told: &serde_json::Value| -> f64 { told["months"][0]["bill"]["mean"].as_str().unwrap().parse().unwrap() };
    let share = 1.0 - mean(&month) / mean(&never);
    assert!((share - 2.0 / 31.0).abs() < 0.03, "two days of a month, and not of each week: {share}");
    // A finished week has it in every week of its months, and says so.
    printed(folder.path(), "run . --set hours=168 --out week --quiet");
    let shown = printed(folder.path(), "month week").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(shown.contains("have the outages of openai at known times in every week"), "{shown}");
}

#[test]
fn an_account_has_its_limit_each_month() {
    // The class costs some $200 a month without the limit.
    let traffic = "traffic: {x: {model: chat, rate: 20/h, shape: flat, input: 4000, output: 400}}\n";
    let account = "upstream: {openai: {preset: none, latency: 1, limits: {spend_month: 20, spent: 5}}}\n";
    let folder = folder(&format!("{DECEMBER}{traffic}{account}"));
    let months = value(folder.path(), "month . --from 2026-12 --months 3");
    assert_eq!((&months["in_one_piece"], &months["lasting"][0]["kind"]), (&true.into(), &"account".into()));
    for (place, limit) in [(0, 15.0), (1, 20.0), (2, 20.0)] {
        let bill: f64 = months["months"][place]["bill"]["mean"].as_str().unwrap().parse().unwrap();
        assert!((limit - 0.1..limit + 0.5).contains(&bill), "month {place}: {bill}");
    }
    let shown = printed(folder.path(), "month . --from 2026-12 --months 3");
    assert!(!shown.contains("Not month by month"), "{shown}");
}

#[test]
fn traffic_that_grows_or_shrinks_does_so_in_months() {
    let traffic =
        "traffic: {x: {model: chat, rate: 20/h, shape: flat, input: 4000, output: 400, growth_per_week: 20%}}\n";
    let folder = folder(&format!("{DECEMBER}{traffic}"));
    let month = value(folder.path(), "month . --from 2026-12 --months 2");
    let whole = value(folder.path(), "run . --set hours=1488");
    assert_eq!((&month["together"]["mean"], &month["lasting"][0]["kind"]), (&whole["bill"]["mean"], &"growth".into()));
    // A shrinking bill, with traffic that stays.
    let flat = "month . --from 2026-12 --months 3 --set traffic.x.growth_per_week=0";
    let [level, less] = ["", " --growth=-20%"].map(|growth| value(folder.path(), &format!("{flat}{growth}")));
    for (place, days) in [(0, 15.0), (1, 46.0), (2, 75.0)] {
        let [a, b] = [&level, &less]
            .map(|told| -> f64 { told["months"][place]["bill"]["mean"].as_str().unwrap().parse().unwrap() });
        let expected = 0.8f64.powf(days / 30.436_875);
        assert!(b > 0.0 && (b / a / expected - 1.0).abs() < 0.03, "{b} of {a}, {expected}");
    }
}

#[test]
fn a_finished_week_says_what_its_months_lack() {
    let traffic = "traffic: {x: {model: chat, key: a, rate: 6/h, shape: flat, input: 4000, output: 400}}\n";
    let keys = "keys: {a: {max_budget: 40, budget_duration: 30d}}\n";
    let folder = folder(&format!("{DECEMBER}{traffic}{keys}budget: {{month: 500}}\n"));
    printed(folder.path(), "run . --set hours=168 --out week --quiet");
    let lacks = "months put together from them lack the budget of key a";
    let instead = "--set 'start=2027-01-01 00:00 UTC' --set hours=744";
    let one_line = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let shown = one_line(printed(folder.path(), "month week"));
    assert!(shown.contains(lacks) && shown.contains("upper bounds") && shown.contains(instead), "{shown}");
    for format in ["md", "html"] {
        let shown = printed(folder.path(), &format!("month week --format {format}"));
        assert!(shown.contains(lacks), "{format}: {shown}");
    }
    assert_eq!(value(folder.path(), "month week")["lasting"][0]["kind"], "budget");
    for format in ["md", "html"] {
        let report = std::fs::read_to_string(folder.path().join("week").join(format!("report.{format}"))).unwrap();
        assert!(report.contains(lacks), "{format}");
    }
    // A run of the month itself lacks nothing.
    printed(folder.path(), "run . --set hours=744 --out december --quiet");
    let december = value(folder.path(), "month december --from 2026-12");
    assert_eq!((&december["in_one_piece"], &december["paths"]), (&true.into(), &5.into()));
}

#[test]
fn a_week_does_not_say_that_the_budget_of_a_month_is_never_used_up() {
    let traffic = "traffic: {x: {model: chat, rate: 6/h, shape: flat, input: 4000, output: 400}}\n";
    let folder = folder(&format!("{DECEMBER}{traffic}budget: {{month: 500, day: 100}}\n"));
    let row = |hours: u32, budget: &str| {
        let report = printed(folder.path(), &format!("report . --set hours={hours} --runs 2 --format md --quiet"));
        assert_eq!(report.contains("they hold no whole"), hours < 744, "{hours}");
        report.lines().find(|line| line.starts_with(&format!("| \\${budget}"))).unwrap().to_owned()
    };
    assert!(row(168, "500.00 a month").contains("| not within 168 h |"));
    assert!(row(168, "100.00 a day").contains("| never |"), "it has seven whole days");
    assert!(row(12, "100.00 a day").contains("| not within 12 h |"));
    assert!(row(744, "500.00 a month").contains("| never |"), "it is December");
}

#[test]
fn months_take_prices_and_threads_as_runs_do() {
    let folder = folder(&format!("{DECEMBER}traffic: {{x: {{model: chat, rate: 20/h, input: 4000, output: 400}}}}\n"));
    let map = |times: f64| {
        let (input, output) = (2.5e-6 * times, 1e-5 * times);
        format!(
            r#"{{"gpt-4o": {{"input_cost_per_token": {input:e}, "output_cost_per_token": {output:e}, "mode": "chat",
            "litellm_provider": "openai"}}}}"#
        )
    };
    std::fs::write(folder.path().join("one.json"), map(1.0)).unwrap();
    std::fs::write(folder.path().join("two.json"), map(2.0)).unwrap();
    let mean = |args: &str| -> f64 {
        let told = value(folder.path(), &format!("month . --runs 2 {args}"));
        told["months"][0]["bill"]["mean"].as_str().unwrap().parse().unwrap()
    };
    let [one, two] = ["one.json", "two.json"].map(|file| mean(&format!("--prices {file} --threads 1")));
    assert!((two / one - 2.0).abs() < 1e-9, "{one} and {two}");
    assert_eq!(mean("--prices one.json --gateway-prices two.json"), one, "what the gateway believes is no bill");
    let report =
        "report . --runs 2 --set hours=24 --prices one.json --gateway-prices two.json --threads 1 --quiet --format";
    let told: serde_json::Value = serde_json::from_str(&printed(folder.path(), &format!("{report} json"))).unwrap();
    let number = |value: &serde_json::Value| value.as_str().unwrap().parse::<f64>().unwrap();
    let reported = number(&told["reported_spend"]["mean"]) / number(&told["bill"]["mean"]);
    assert!((reported - 2.0).abs() < 0.01, "{reported}");
    assert!(told["command"].as_str().unwrap().contains("--gateway-prices two.json"), "{}", told["command"]);
}
