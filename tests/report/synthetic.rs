//! Synthetic forecasts for the tests of `report`: coherent figures from a small deterministic world, no simulation.

use billcast::diagnostic::{Diagnostic, Severity, Span};
use billcast::experiment::{
    About, Assumption, Band, CountStats, Demand, DeploymentRow, EdgeRow, ErrorCounts, Finding, Forecast, HourRow,
    LatencyStats, MeterRow, MoneyBand, MoneyStats, RateStats, RunRow, ShareRow, Timeline, TimelineStep, UnpricedRow,
    Window,
};
use billcast::experiment::{ChargeRow, DayRow, PercentileRun, ProviderRow};
use billcast::ledger::{Cause, Causes};
use billcast::scenario::{Budget, Lasting, LastingKind};
use billcast::units::{Money, TokenKind};

/// What kind of forecast to make.
#[derive(Debug, Clone, Copy)]
pub struct Recipe {
    pub runs: u64,
    pub deployments: usize,
    pub hours: u32,
    /// Every request costs nothing.
    pub free: bool,
    /// No request gets an answer.
    pub broken: bool,
    /// Names that try to escape from every format.
    pub hostile: bool,
    /// One run in a few hundred is far dearer than all others.
    pub outlier: bool,
}

pub const USUAL: Recipe =
    Recipe { runs: 400, deployments: 3, hours: 48, free: false, broken: false, hostile: false, outlier: false };

/// Names that would break out of HTML, SVG, CSV, JSON or a terminal.
pub const HOSTILE: [&str; 6] = [
    "</text><script>alert(1)</script>",
    "=HYPERLINK(\"http://x.example\",\"pay\")",
    "\u{1b}[2J\u{1b}]0;owned\u{7}red\u{9b}31m",
    "\" onload=\"alert(1)\" x='&amp;<b>",
    "@SUM(A1:A9)\r\n+cmd|' /C calc'!A0",
    "\u{202e}txt.exe\u{2028}{{7*7}}]]>-->",
];

/// Steele and Vigna's splitmix64: enough for pictures.
struct Dice(u64);

impl Dice {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * (1.0 - self.unit()).ln()).sqrt() * (std::f64::consts::TAU * self.unit()).cos()
    }
}

/// One run, hour by hour.
struct World {
    bursts: Vec<(f64, f64)>,
    requests: Vec<f64>,
    failed: Vec<f64>,
    fallbacks: Vec<f64>,
    attempts: Vec<f64>,
    /// Dollars by hour and deployment.
    spend: Vec<Vec<f64>>,
    row: RunRow,
}

fn money(dollars: f64) -> Money {
    Money::from_picos((dollars * 1e12).round() as i128)
}

fn quantile(sorted: &[f64], q: f64) -> f64 {
    sorted[((sorted.len() - 1) as f64 * q).round() as usize]
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

fn band(values: impl Iterator<Item = f64>) -> Band {
    let all = sorted(values);
    let mean = all.iter().sum::<f64>() / all.len() as f64;
    Band { p5: quantile(&all, 0.05), p50: quantile(&all, 0.5), mean, p95: quantile(&all, 0.95) }
}

fn bursts(dice: &mut Dice, hours: u32) -> Vec<(f64, f64)> {
    let mut bursts = Vec::new();
    let mut at = -8.0 * (1.0 - dice.unit()).ln();
    while at < f64::from(hours) {
        let length = 0.6 * (0.9 * dice.normal()).exp();
        bursts.push((at, (at + length).min(f64::from(hours))));
        at += length - 9.0 * (1.0 - dice.unit()).ln();
    }
    bursts
}

/// Share of an hour in which a burst is on.
fn burst_share(bursts: &[(f64, f64)], hour: f64) -> f64 {
    bursts.iter().map(|(from, to)| (to.min(hour + 1.0) - from.max(hour)).max(0.0)).sum::<f64>().min(1.0)
}

fn world(recipe: Recipe, run: u64) -> World {
    let mut dice = Dice(run.wrapping_mul(7919).wrapping_add(11));
    let bursts = bursts(&mut dice, recipe.hours);
    let level = (0.08 * dice.normal()).exp() * if recipe.outlier && run % 199 == 50 { 9.0 } else { 1.0 };
    let (mut requests, mut failed, mut fallbacks, mut attempts) = (vec![], vec![], vec![], vec![]);
    let mut spend = Vec::new();
    for hour in 0..recipe.hours {
        let clock = f64::from(hour) + 18.0;
        let shape = 1.0 + 0.75 * ((clock - 15.0) / 24.0 * std::f64::consts::TAU).cos();
        let arrived = (900.0 * level * shape * (0.05 * dice.normal()).exp()).round();
        let hit = burst_share(&bursts, f64::from(hour));
        let fell = (arrived * (0.004 + 0.9 * hit)).min(arrived).round();
        let lost = if recipe.broken { arrived } else { (arrived * (0.001 + 0.03 * hit * dice.unit())).round() };
        requests.push(arrived);
        fallbacks.push(if recipe.broken { 0.0 } else { fell });
        failed.push(lost);
        attempts.push(arrived + fell * 2.2);
        let cheap = (arrived - fell) * 0.00056;
        let dear = fell * 0.0093;
        let hourly = |index: usize| match (recipe.free || recipe.broken, index) {
            (true, _) => 0.0,
            (_, 0) => cheap * if recipe.deployments == 1 { 3.0 } else { 0.7 },
            (_, 1) => dear,
            (_, index) => cheap * 0.3 * (1.0 + index as f64 % 3.0) / (recipe.deployments as f64 - 2.0),
        };
        spend.push((0..recipe.deployments).map(hourly).collect::<Vec<_>>());
    }
    let row = run_row(run, &spend, [&requests, &failed, &fallbacks, &attempts]);
    World { bursts, requests, failed, fallbacks, attempts, spend, row }
}

fn run_row(run: u64, spend: &[Vec<f64>], counts: [&Vec<f64>; 4]) -> RunRow {
    let [requests, failed, fallbacks, attempts] = counts.map(|hours| hours.iter().sum::<f64>() as u64);
    let column = |index: usize| spend.iter().map(|hour| hour.get(index).copied().unwrap_or(0.0)).sum::<f64>();
    let all: f64 = spend.iter().flatten().sum();
    let mut by_cause = Causes::default();
    by_cause[Cause::Fallback] = money(column(1));
    let rest = all - column(1);
    by_cause[Cause::Retry] = money(rest * 0.06);
    by_cause[Cause::FailedAttempt] = money(rest * 0.021);
    by_cause[Cause::Abandoned] = money(rest * 0.034);
    by_cause[Cause::FirstAttempt] = money(rest * 0.885);
    RunRow {
        run,
        bill: by_cause.total(),
        by_cause,
        requests,
        served: requests - failed,
        cache_hits: 0,
        failed,
        rejected: 0,
        lost: 0,
        abandoned: 0,
        in_flight: 0,
        client_retries: 0,
        fallbacks,
        attempts,
        most_attempts: 6,
        fallback_premium: money(column(1) * 0.94),
        reported_spend: money(all * 0.945),
        latency_s: Some(LatencyStats { p50: 1.21, p95: 7.9, p99: 16.4 }),
    }
}

/// A forecast by a recipe.
pub fn forecast(recipe: Recipe) -> Forecast {
    let worlds: Vec<World> = (0..recipe.runs).map(|run| world(recipe, run)).collect();
    let names = Names { recipe };
    let cost_by_cause = mean_causes(&worlds);
    let bill = bill(&worlds, cost_by_cause.total());
    let edges = edges(&worlds, &names);
    Forecast {
        about: about(recipe, &names),
        failure_rate: rate(worlds.iter().map(|w| w.row.failed as f64 / w.row.requests as f64)),
        fallback_share: rate(worlds.iter().map(|w| w.row.fallbacks as f64 / w.row.requests as f64)),
        requests: counts(worlds.iter().map(|w| w.row.requests as f64)),
        intents: counts(worlds.iter().map(|w| w.row.intents() as f64)),
        unanswered_rate: rate(worlds.iter().map(|w| w.row.unanswered() as f64 / w.row.requests as f64)),
        upstream_calls: counts(worlds.iter().map(|w| w.row.attempts as f64)),
        latency_s: Some(LatencyStats { p50: 1.21, p95: 7.93, p99: 16.4 }),
        fallback_premium: mean(&worlds, |w| w.row.fallback_premium),
        reported_spend: mean(&worlds, |w| w.row.reported_spend),
        unpriced: unpriced(&names),
        hours: hours(recipe, &worlds),
        deployments: deployments(recipe, &worlds, &names, bill.mean),
        providers: providers(&worlds),
        days: days(recipe, &worlds),
        percentile_runs: percentile_runs(&worlds, &bill),
        budget: Budget { horizon: Some(bill.p80), day: None, month: Some(bill.p80 + bill.p95 + bill.max) },
        holidays: vec![jiff::civil::date(2026, 12, 25)],
        lasting: lasting(&names),
        written: written(&names),
        classes: shares(&["chat", "summaries", "agents"], &names, bill.mean),
        keys: shares(&["web-frontend", "nightly-batch", "support-bot", "research"], &names, bill.mean),
        findings: findings(&edges),
        next: None,
        policies: Vec::new(),
        alerts: None,
        why_not: Vec::new(),
        edges,
        expensive: expensive(recipe, &worlds, &names),
        runs: worlds.into_iter().map(|w| w.row).collect(),
        assumptions: assumptions(&names),
        diagnostics: diagnostics(&names),
        cost_by_cause,
        bill,
    }
}

/// Names, friendly or not.
struct Names {
    recipe: Recipe,
}

impl Names {
    fn of(&self, index: usize, friendly: &str) -> String {
        if self.recipe.hostile { format!("{} {index}", HOSTILE[index % HOSTILE.len()]) } else { friendly.to_owned() }
    }

    fn deployment(&self, index: usize) -> [String; 4] {
        const KNOWN: [[&str; 4]; 3] = [
            ["deepseek-chat/1", "deepseek-chat", "deepseek/deepseek-chat", "deepseek"],
            ["gpt-4o/1", "gpt-4o", "openai/gpt-4o", "openai"],
            ["gemini-flash/1", "gemini-flash", "gemini/gemini-2.0-flash", "gemini"],
        ];
        match KNOWN.get(index) {
            Some(known) => known.map(|name| self.of(index, name)),
            None => [
                self.of(index, &format!("tenant-eu-central-1/claude-sonnet-4-5-production-{index}")),
                self.of(index, "claude-sonnet"),
                self.of(index, &format!("anthropic/claude-sonnet-{}", index % 9)),
                "anthropic".to_owned(),
            ],
        }
    }
}

fn about(recipe: Recipe, names: &Names) -> About {
    About {
        scenario: names.of(0, "weekend-upward"),
        description: names.of(1, "A cheap primary that falls back to a premium model"),
        seed: 7,
        runs: recipe.runs,
        partial: recipe.runs == 1,
        horizon_hours: f64::from(recipe.hours),
        start: "2026-11-20T18:00:00+01:00[Europe/Berlin]".to_owned(),
        gateway: "litellm".into(),
        profile: "litellm-1.102".into(),
        prices_as_of: "2026-11-01".to_owned(),
        version: "0.1.0".into(),
        command: names.of(3, "billcast run weekend-upward --seed 7 --runs 400"),
    }
}

fn mean(worlds: &[World], amount: impl Fn(&World) -> Money) -> Money {
    worlds.iter().map(amount).sum::<Money>().divided_by(worlds.len() as u64)
}

fn mean_causes(worlds: &[World]) -> Causes<Money> {
    let mut means = Causes::default();
    for cause in Cause::ALL {
        means[cause] = mean(worlds, |w| w.row.by_cause[cause]);
    }
    means
}

fn bill(worlds: &[World], mean: Money) -> MoneyStats {
    let mut all: Vec<Money> = worlds.iter().map(|w| w.row.bill).collect();
    all.sort();
    let at = |q: f64| all[((all.len() - 1) as f64 * q).round() as usize];
    let around = |q: f64| [at((q - 0.02).max(0.0)), at((q + 0.02).min(1.0))];
    MoneyStats {
        mean,
        ci95_mean: [mean - mean.divided_by(40), mean + mean.divided_by(40)],
        worth_runs: 0.0,
        p5: at(0.05),
        p50: at(0.5),
        ci95_p50: around(0.5),
        p80: at(0.8),
        p95: at(0.95),
        ci95_p95: around(0.95),
        p99: at(0.99),
        max: at(1.0),
    }
}

fn rate(values: impl Iterator<Item = f64>) -> RateStats {
    let band = band(values);
    RateStats { mean: band.mean, ci95_half_width: band.mean * 0.03, p50: band.p50, p95: band.p95 }
}

fn counts(values: impl Iterator<Item = f64>) -> CountStats {
    let band = band(values);
    CountStats { mean: band.mean, p5: band.p5, p95: band.p95 }
}

fn label(hour: u32) -> String {
    let start = jiff::civil::date(2026, 11, 20).at(18, 0, 0, 0);
    (start + jiff::Span::new().hours(hour)).strftime("%F %H:%M").to_string()
}

fn hours(recipe: Recipe, worlds: &[World]) -> Vec<HourRow> {
    let row = |hour: u32| {
        let at = hour as usize;
        let spent = |w: &World, to: usize| w.spend[..=to].iter().flatten().sum::<f64>();
        HourRow {
            hour,
            label: label(hour),
            requests: band(worlds.iter().map(|w| w.requests[at])),
            attempts: band(worlds.iter().map(|w| w.attempts[at])),
            failure_rate: band(worlds.iter().map(|w| w.failed[at] / w.requests[at].max(1.0))),
            fallback_share: band(worlds.iter().map(|w| w.fallbacks[at] / w.requests[at].max(1.0))),
            spend: MoneyBand::of_dollars(band(worlds.iter().map(|w| w.spend[at].iter().sum()))),
            cumulative_spend: MoneyBand::of_dollars(band(worlds.iter().map(|w| spent(w, at)))),
            spend_by_deployment: (0..recipe.deployments)
                .map(|d| money(worlds.iter().map(|w| w.spend[at][d]).sum::<f64>() / worlds.len() as f64))
                .collect(),
        }
    };
    (0..recipe.hours).map(row).collect()
}

fn demand(scale: f64, whole: bool) -> Demand {
    let round = |value: f64| if whole { value.round() } else { value };
    Demand { p50: round(scale), p95: round(scale * 2.1), p999: round(scale * 3.9), peak: round(scale * 5.2) }
}

fn deployments(recipe: Recipe, worlds: &[World], names: &Names, bill: Money) -> Vec<DeploymentRow> {
    let mut left = bill;
    let row = |index: usize| {
        let [name, group, model, provider] = names.deployment(index);
        let cost: f64 = worlds.iter().flat_map(|w| &w.spend).map(|hour| hour[index]).sum();
        let last = index + 1 == recipe.deployments;
        let bill_mean = if last { left } else { money(cost / worlds.len() as f64) };
        left = left - bill_mean;
        let scale = 31.0 / (1.0 + index as f64 * 0.6);
        DeploymentRow {
            name,
            group,
            model,
            provider,
            priced: true,
            bill_mean,
            bill_p95: bill_mean + bill_mean.divided_by(2),
            attempts: 41_234.5 / (1.0 + index as f64),
            served: if recipe.broken { 0.0 } else { 38_000.25 / (1.0 + index as f64) },
            errors: ErrorCounts {
                rate_limited: 2_900.0 / (1.0 + index as f64),
                server: 212.5 / (2.0 + index as f64),
                timeout: 31.25 / (3.0 + index as f64),
                ..ErrorCounts::default()
            },
            input_tokens: 18_400_000.0 / (1.0 + index as f64),
            output_tokens: 6_100_000.0 / (1.0 + index as f64),
            unpriced_tokens: 0.0,
            latency_s: Some(LatencyStats { p50: 0.84 + index as f64 * 0.2, p95: 6.1, p99: 15.2 }),
            cooldowns: 4.2,
            cooldown_share: 0.031,
            requests_per_minute: demand(if index == 4 { 0.0 } else { scale }, true),
            tokens_per_minute: demand(scale * 590.0, true),
            concurrency: demand(scale / 12.0, true),
            rpm_limit: (index % 3 != 1).then_some(120.0),
            tpm_limit: index.is_multiple_of(2).then_some(40_000.0),
            concurrency_limit: (index == 1).then_some(25.0),
            meters: meters(index, bill_mean),
        }
    };
    (0..recipe.deployments).map(row).collect()
}

/// Meters that sum to the bill; every other deployment has a prompt cache.
fn meters(index: usize, bill: Money) -> Vec<MeterRow> {
    let meter = |kind, quantity, amount| MeterRow { kind, quantity, amount };
    let (half, tenth) = (bill.divided_by(2), bill.divided_by(10));
    match index.is_multiple_of(2) {
        true => vec![
            meter(TokenKind::Input, 9_200_000.5, half),
            meter(TokenKind::CacheRead, 4_100_000.25, tenth),
            meter(TokenKind::Output, 6_100_000.0, bill - half - tenth),
        ],
        false => vec![meter(TokenKind::Input, 13_000_000.0, half), meter(TokenKind::Output, 5_000_000.5, bill - half)],
    }
}

fn shares(friendly: &[&str], names: &Names, bill: Money) -> Vec<ShareRow> {
    let part = bill.divided_by(friendly.len() as u64);
    let row = |(index, name): (usize, &&str)| ShareRow {
        name: names.of(index, name),
        team: (index % 2 == 0).then(|| names.of(index + 1, "platform")),
        requests: 12_000.0,
        failed: 61.5,
        bill_mean: if index == 0 { bill - (1..friendly.len()).map(|_| part).sum::<Money>() } else { part },
        bill_p95: part + part.divided_by(3),
        priced: true,
        why_not: Vec::new(),
    };
    friendly.iter().enumerate().map(row).collect()
}

fn edges(worlds: &[World], names: &Names) -> Vec<EdgeRow> {
    let amount = mean(worlds, |w| w.row.by_cause[Cause::Fallback]);
    if amount == Money::ZERO {
        return Vec::new();
    }
    let [_, primary, ..] = names.deployment(0);
    let [_, premium, ..] = names.deployment(1);
    let [_, side, ..] = names.deployment(2);
    let small = amount.divided_by(50);
    vec![
        EdgeRow {
            from: primary.clone(),
            to: premium,
            charges: 3_321.4,
            amount: amount - small,
            premium: Some(mean(worlds, |w| w.row.fallback_premium) - small.divided_by(3)),
        },
        EdgeRow { from: primary, to: side, charges: 120.2, amount: small, premium: Some(small.divided_by(3)) },
    ]
}

fn findings(edges: &[EdgeRow]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = edges
        .iter()
        .map(|edge| Finding {
            code: "dear-fallback",
            title: format!("Falling back from {} to {} costs more than staying", edge.from, edge.to),
            detail: "Each answer there costs 16 times as much; a fallback in the same price range would avoid it."
                .to_owned(),
            money: edge.premium,
        })
        .collect();
    findings.push(Finding {
        code: "billed-failures",
        title: "Cooldown time of 60 s is ignored where it stands".to_owned(),
        detail: "It belongs under router_settings; the gateway uses 5 s.".to_owned(),
        money: None,
    });
    findings
}

fn unpriced(names: &Names) -> Vec<UnpricedRow> {
    if !names.recipe.hostile {
        return Vec::new();
    }
    vec![UnpricedRow { model: names.of(2, ""), calls: 12.5, input_tokens: 81_000.0, output_tokens: 9_120.0 }]
}

fn expensive(recipe: Recipe, worlds: &[World], names: &Names) -> Option<Timeline> {
    let mut order: Vec<&World> = worlds.iter().collect();
    order.sort_by_key(|w| w.row.bill);
    let world = order[((order.len() - 1) as f64 * 0.95).round() as usize];
    let mut dice = Dice(99);
    let step = |index: usize| {
        let hour = index / 4;
        let share = burst_share_quarter(&world.bursts, index as f64 / 4.0);
        let requests = (world.requests[hour] / 4.0 * (0.1 * dice.normal()).exp()).round();
        let fell = requests * (0.004 + 0.9 * share);
        let free = recipe.free || recipe.broken;
        TimelineStep {
            requests: requests as u64,
            failed: if recipe.broken { requests as u64 } else { (requests * 0.02 * share) as u64 },
            fallbacks: fell as u64,
            attempts: (requests + 2.0 * fell) as u64,
            spend: money(if free { 0.0 } else { requests * 0.0006 + fell * 0.0093 }),
        }
    };
    let mut windows: Vec<Window> = world
        .bursts
        .iter()
        .map(|(from, to)| Window {
            target: names.of(0, "deepseek"),
            kind: "429 burst".into(),
            from_hour: *from,
            to_hour: *to,
        })
        .collect();
    let hours = f64::from(recipe.hours);
    windows.push(Window {
        target: names.of(1, "openai"),
        kind: "outage".into(),
        from_hour: hours * 0.6,
        to_hour: hours * 0.64,
    });
    Some(Timeline {
        run: world.row.run,
        bill: world.row.bill,
        step_minutes: 15.0,
        start: label(0),
        steps: (0..recipe.hours as usize * 4).map(step).collect(),
        windows,
    })
}

fn burst_share_quarter(bursts: &[(f64, f64)], from: f64) -> f64 {
    bursts.iter().map(|(start, end)| (end.min(from + 0.25) - start.max(from)).max(0.0) * 4.0).sum::<f64>().min(1.0)
}

fn assumptions(names: &Names) -> Vec<Assumption> {
    let all = [
        ("gateway.num_retries", "2", "gateway default", "litellm 1.102.4", ""),
        ("gateway.cooldown_time", "5 s", "gateway default", "litellm 1.102.4", ""),
        ("traffic.chat.input_tokens", "lognormal, median 1,020, P95 5,900", "billcast", "Azure LLM trace", "2024-05"),
        ("providers.openai.burst.mean_length", "41 min", "billcast", "public status pages", "2026-10"),
    ];
    let row = |(index, row): (usize, (&str, &str, &'static str, &str, &str))| Assumption {
        name: names.of(index, row.0),
        value: row.1.to_owned(),
        assumed_by: row.2,
        source: names.of(index + 1, row.3),
        as_of: row.4.to_owned(),
    };
    all.into_iter().enumerate().map(row).collect()
}

fn diagnostics(names: &Names) -> Vec<Diagnostic> {
    let diagnostic = |code, severity, line, message: &str, help: Option<&str>| Diagnostic {
        code,
        severity,
        file: "config.yaml".into(),
        span: Span { start: 0, end: 0, line, column: 3 },
        message: names.of(4, message),
        help: help.map(str::to_owned),
    };
    vec![
        diagnostic("BC301", Severity::Note, 12, "`set_verbose` does not change cost or failures", None),
        diagnostic(
            "BC201",
            Severity::Warning,
            31,
            "`cooldown_time` has no effect under litellm_settings",
            Some("move it to router_settings"),
        ),
    ]
}

fn providers(worlds: &[World]) -> Vec<ProviderRow> {
    let spend = |world: &World| money(world.spend.iter().map(|hour| hour[0]).sum());
    vec![ProviderRow {
        name: "deepseek".to_owned(),
        bill_mean: mean(worlds, spend),
        bill_p95: worlds.iter().map(spend).max().unwrap_or_default(),
        attempts: 900.0,
        served: 880.0,
        errors: ErrorCounts { rate_limited: 20.0, ..ErrorCounts::default() },
        latency_s: Some(LatencyStats { p50: 1.2, p95: 7.9, p99: 16.0 }),
        priced: true,
    }]
}

/// All of a run's bill on its first day, nothing on the others.
fn days(recipe: Recipe, worlds: &[World]) -> Vec<DayRow> {
    let first = jiff::civil::date(2026, 11, 20);
    let day = |index: u32| DayRow {
        date: first.saturating_add(jiff::Span::new().days(i64::from(index))),
        hours: if index == 0 { 6.0 } else { 24.0 },
        of_hours: 24,
        holiday: false,
        bills: worlds.iter().map(|w| if index == 0 { w.row.bill } else { Money::ZERO }).collect(),
    };
    (0..recipe.hours / 24).map(day).collect()
}

/// The runs at the percentiles: two charges each.
fn percentile_runs(worlds: &[World], bill: &MoneyStats) -> Vec<PercentileRun> {
    let run = |(percentile, amount): (u8, Money)| {
        let world = worlds.iter().find(|world| world.row.bill == amount)?;
        let charge = |kind, quantity, amount| ChargeRow {
            day: jiff::civil::date(2026, 11, 20),
            deployment: 0,
            key: 0,
            model: None,
            commitment: None,
            cause: Cause::FirstAttempt,
            kind,
            quantity,
            amount,
        };
        let half = amount.divided_by(2);
        let charges = vec![
            charge(TokenKind::Input, 1_234_567, half),
            charge(TokenKind::CacheRead, 99_000, Money::ZERO),
            charge(TokenKind::Output, 34_567, amount - half),
        ];
        Some(PercentileRun { percentile, run: world.row.run, bill: amount, charges })
    };
    [(50, bill.p50), (80, bill.p80), (95, bill.p95)].into_iter().filter_map(run).collect()
}

fn lasting(names: &Names) -> Vec<Lasting> {
    vec![Lasting { kind: LastingKind::Budget, what: names.of(5, "the budget of key research ($50.00 in 30d)") }]
}

fn written(names: &Names) -> Vec<Assumption> {
    vec![Assumption {
        name: names.of(2, "traffic.chat.output"),
        value: names.of(3, "lognormal(median=300, p95=900)"),
        assumed_by: "user",
        source: names.of(4, "scenario.yaml:7"),
        as_of: String::new(),
    }]
}
