//! The one view of a forecast that all renderers show: what is derived and how it is worded, once.

mod caches;
mod derive;
mod finance;
mod finance_tables;
mod reliability;
mod story;
mod table;
mod tables;

pub use caches::{CacheLine, MeterLine};
pub use derive::{Histogram, ModelSpend, UnitCosts};
pub use finance::{BudgetView, RegisterLine, TeamSpend};
pub use story::words;
pub use table::{Column, Table};

use crate::diagnostic::Severity;
use crate::experiment::{About, Forecast, Projection, month_ahead};
use crate::ledger::Cause;
use crate::report::month::MonthView;
use crate::report::text::{clean, hours, money, money_interval, partial_mark, plural};
use crate::units::Money;

/// A forecast made ready to be shown.
#[derive(Debug)]
pub struct View<'a> {
    /// The figures as they are.
    pub forecast: &'a Forecast,
    /// Name of the scenario, safe to show.
    pub title: String,
    /// What was simulated, in short labelled facts: seed, runs, price date, profile …
    pub facts: Vec<(&'static str, String)>,
    /// The same in one line, for the foot of a picture.
    pub stamp: String,
    /// What the reader must know before any figure: partial, unpriced, few runs.
    pub caveats: Vec<String>,
    /// The figures that matter first: the bill, and whether the budget holds.
    pub headline: [Figure; 4],
    /// Those that come next: failures, fallbacks, latency.
    pub figures: [Figure; 5],
    /// How much, how sure, why, and what if it goes wrong.
    pub story: Vec<Answer>,
    /// Mean and percentiles of the bill, with their intervals.
    pub percentiles: Vec<Percentile>,
    /// How many independent runs would tell the mean as well, in words; none where that is not worth telling.
    pub worth_runs: Option<String>,
    /// Cause by cause, those at zero as well.
    pub causes: Vec<CauseLine>,
    /// What a request, an answer and a token cost.
    pub unit_costs: UnitCosts,
    /// Upstream calls for one request.
    pub calls_per_request: f64,
    /// What the gateway's own books miss of the bill (negative when they say too much).
    pub unreported: Money,
    /// How the bills of the runs lie.
    pub histogram: Histogram,
    /// Spend by model, dearest first.
    pub models: Vec<ModelSpend>,
    /// What each meter of each model counts and costs, dearest first.
    pub meters: Vec<MeterLine>,
    /// What prompt caches do.
    pub caches: Vec<CacheLine>,
    /// Spend by team.
    pub teams: Vec<TeamSpend>,
    /// Every value that the figures rest on.
    pub register: Vec<RegisterLine>,
    /// How the bill stands to the budget, if there is one.
    pub budget: Option<BudgetView>,
    /// The budget in sentences.
    pub budget_story: Vec<String>,
    /// The month ahead, where whole weeks were simulated.
    pub projection: Option<Projection>,
    /// The month and its budget in sentences.
    pub month_story: Vec<String>,
    /// What caches do, in sentences.
    pub cache_story: Vec<String>,
    /// All tables, each ready to print.
    pub tables: Tables,
    /// Findings, safe to show.
    pub findings: Vec<FindingLine>,
    /// How many errors, warnings and notes there are, in words.
    pub diagnostics_summary: String,
    /// How many values were assumed and by whom, in words.
    pub assumptions_summary: String,
    /// The command that gives the result again, safe to show.
    pub command: String,
}

/// What a reader asks first, with the answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The question in a word or two.
    pub question: &'static str,
    /// A sentence or two.
    pub text: String,
}

/// A figure of the headline.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// What it is.
    pub label: &'static str,
    /// The figure with its unit.
    pub value: String,
    /// How sure it is, or what belongs to it.
    pub note: String,
}

/// One percentile of the bill.
#[derive(Debug, Clone, PartialEq)]
pub struct Percentile {
    /// `mean`, `P50` and so on.
    pub label: &'static str,
    /// The amount.
    pub amount: Money,
    /// The amount for people.
    pub text: String,
    /// The 95% confidence interval, where there is one.
    pub ends: Option<[Money; 2]>,
    /// The interval for people.
    pub interval: Option<String>,
}

/// What one cause costs.
#[derive(Debug, Clone, PartialEq)]
pub struct CauseLine {
    /// Which cause.
    pub cause: Cause,
    /// Its name for people.
    pub label: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// Mean of a horizon.
    pub amount: Money,
    /// The amount for people.
    pub text: String,
    /// Share of the mean bill, 0 to 1.
    pub share: f64,
}

/// A finding, safe to show.
#[derive(Debug, Clone, PartialEq)]
pub struct FindingLine {
    /// Stable id.
    pub code: &'static str,
    /// One sentence.
    pub title: String,
    /// Why, and what could be done.
    pub detail: String,
    /// Money at stake for people, if known and not yet told by the sentence.
    pub money: Option<String>,
}

/// Every table of the report.
#[derive(Debug, Default)]
pub struct Tables {
    /// Mean and percentiles of the bill.
    pub bill: Table,
    /// Cost by cause.
    pub causes: Table,
    /// The fallback graph with its money.
    pub edges: Table,
    /// Cost by deployment.
    pub deployments: Table,
    /// Errors, latency and cooldowns by deployment.
    pub reliability: Table,
    /// Demand against limits by deployment.
    pub demand: Table,
    /// Cost by traffic class.
    pub classes: Table,
    /// Cost by virtual key.
    pub keys: Table,
    /// Requests without a good answer, by what stood in the way.
    pub why_not: Table,
    /// The same by virtual key, where there are several.
    pub why_not_by_key: Table,
    /// Cost by model.
    pub models: Table,
    /// Cost by team.
    pub teams: Table,
    /// Errors by class and latency by provider.
    pub providers: Table,
    /// What prompt caches do, by provider and deployment.
    pub caches: Table,
    /// What each meter of each model costs.
    pub meters: Table,
    /// Models without a price.
    pub unpriced: Table,
    /// What the user wrote and what was assumed.
    pub register: Table,
    /// What was assumed and not written.
    pub assumptions: Table,
    /// What the readers had to say.
    pub diagnostics: Table,
}

impl<'a> View<'a> {
    /// Derives and words everything that the renderers show.
    pub fn new(forecast: &'a Forecast) -> Self {
        let causes = story::causes(forecast);
        let percentiles = story::percentiles(&forecast.bill, forecast.about.runs);
        let unit_costs = UnitCosts::of(forecast);
        let (models, teams) = (derive::models(forecast), finance::teams(forecast));
        let (register, budget) = (finance::register(forecast), finance::budget(forecast));
        let calls_per_request = derive::ratio(forecast.upstream_calls.mean, forecast.requests.mean);
        let premium_share = derive::money_share(forecast.fallback_premium, forecast.bill.mean);
        let projection = month_ahead(forecast);
        let mut view = Self {
            title: clean(&forecast.about.scenario),
            facts: facts(&forecast.about, plural(forecast.about.runs, "run")),
            stamp: stamp(forecast),
            caveats: story::caveats(forecast),
            headline: story::headline(forecast, budget.as_ref()),
            figures: story::figures(forecast, calls_per_request, premium_share),
            story: story::answers(forecast, calls_per_request, premium_share),
            tables: Tables::default(),
            budget_story: finance::budget_sentences(forecast, budget.as_ref()),
            month_story: finance::month_sentences(forecast, &projection),
            projection: projection.ok(),
            cache_story: caches::cache_sentences(forecast),
            budget,
            teams,
            register,
            causes,
            percentiles,
            worth_runs: story::worth_runs(&forecast.bill, forecast.about.runs),
            unit_costs,
            calls_per_request,
            unreported: forecast.bill.mean - forecast.reported_spend,
            histogram: Histogram::of(forecast),
            models,
            meters: caches::meters(forecast),
            caches: caches::caches(forecast),
            findings: forecast.findings.iter().map(finding).collect(),
            diagnostics_summary: diagnostics_summary(forecast),
            assumptions_summary: assumptions_summary(forecast),
            command: clean(&forecast.about.command),
            forecast,
        };
        view.tables = Tables::of(&view);
        view
    }

    /// Whether there is something to say of a month: one ahead, or a budget for one.
    pub const fn has_month(&self) -> bool {
        self.projection.is_some() || self.forecast.budget.month.is_some()
    }

    /// The month ahead, where whole weeks were simulated.
    pub fn month(&self) -> Option<MonthView<'_>> {
        let (about, budget) = (&self.forecast.about, self.forecast.budget.month);
        self.projection.as_ref().map(|projection| MonthView { about, projection, budget, growth: 0.0, spent: None })
    }

    /// Unit costs as labelled figures.
    pub fn unit_figures(&self) -> [Figure; 3] {
        let figure = |label, amount: Option<Money>, note: &str| Figure {
            label,
            value: amount.map_or_else(|| crate::report::text::NOTHING.to_owned(), money),
            note: note.to_owned(),
        };
        [
            figure("per 1,000 requests", self.unit_costs.per_1k_requests, "whole bill over all requests"),
            figure("per 1,000 good answers", self.unit_costs.per_1k_served, "failures are paid for by the answers"),
            figure(
                "per 1M tokens",
                self.unit_costs.per_million_tokens,
                "input and output of answered calls with a price",
            ),
        ]
    }
}

/// What was simulated, with labels.
pub fn facts(about: &About, runs: String) -> Vec<(&'static str, String)> {
    vec![
        ("Horizon", format!("{} from {}", hours(about.horizon_hours), local_start(&about.start))),
        ("Runs", runs),
        ("Seed", about.seed.to_string()),
        ("Gateway", format!("{} ({})", about.gateway, about.profile)),
        ("Prices as of", clean(&about.prices_as_of)),
        ("billcast", about.version.to_string()),
    ]
}

/// `2026-11-20T18:00:00+01:00[Europe/Berlin]` as `2026-11-20 18:00 (Europe/Berlin)`; any other text as it is.
pub fn local_start(start: &str) -> String {
    match start.parse::<jiff::Zoned>() {
        Ok(at) => format!("{} ({})", at.strftime("%F %H:%M"), at.time_zone().iana_name().unwrap_or("local time")),
        Err(_) => clean(start),
    }
}

/// What a picture needs to say about its origin.
fn stamp(forecast: &Forecast) -> String {
    let about = &forecast.about;
    let partial = partial_mark(about.partial);
    let scenario = crate::report::text::ellipsis(&clean(&about.scenario), 32);
    format!(
        "{partial}{scenario} · {} · seed {} · {} · prices {} · billcast {}",
        plural(about.runs, "run"),
        about.seed,
        about.profile,
        clean(&about.prices_as_of),
        about.version
    )
}

fn finding(finding: &crate::experiment::Finding) -> FindingLine {
    let untold = |amount: &Money| !finding.title.contains(&amount.to_cents());
    FindingLine {
        code: finding.code,
        title: clean(&finding.title),
        detail: clean(&finding.detail),
        money: finding.money.filter(untold).map(money),
    }
}

/// `1 error, 2 warnings, 3 notes`, or that there is nothing.
fn diagnostics_summary(forecast: &Forecast) -> String {
    let number = |severity| forecast.diagnostics.iter().filter(|d| d.severity == severity).count() as u64;
    let parts: Vec<String> = [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Note, "note")]
        .into_iter()
        .filter(|(severity, _)| number(*severity) > 0)
        .map(|(severity, noun)| plural(number(severity), noun))
        .collect();
    if parts.is_empty() { "nothing to remark on the input files".to_owned() } else { parts.join(", ") }
}

/// `14 values (9 by gateway default, 5 by billcast)`.
fn assumptions_summary(forecast: &Forecast) -> String {
    let mut by_whom: Vec<(&str, u64)> = Vec::new();
    for assumption in &forecast.assumptions {
        match by_whom.iter_mut().find(|(who, _)| *who == assumption.assumed_by) {
            Some((_, number)) => *number += 1,
            None => by_whom.push((assumption.assumed_by, 1)),
        }
    }
    if by_whom.is_empty() {
        return "nothing was assumed".to_owned();
    }
    let parts: Vec<String> = by_whom.iter().map(|(who, number)| format!("{number} by {who}")).collect();
    format!("{} ({})", plural(forecast.assumptions.len() as u64, "value"), parts.join(", "))
}

/// The 95% confidence interval in words.
fn interval_note(interval: [Money; 2]) -> String {
    format!("95% CI {}", money_interval(interval))
}
