mod json;
mod request;
mod words;

use crate::experiment::{Attributed, DriverKind, EdgeStory, Explanation, RefusingLimit, WindowStory};
use crate::report::plan::kind_words;
use crate::report::terminal::{Page, Style, TerminalOptions};
use crate::report::text::{clean, count, hours, money, percent, plural, short_count, unpriced};
use crate::report::view::Table;
use crate::units::Money;

pub use json::{SCHEMA, json};

/// Windows and edges that are told one by one unless everything is asked for.
const MOST: usize = 6;

/// The explanation for a terminal.
pub fn text(explanation: &Explanation, options: TerminalOptions) -> String {
    let mut page = Page::new(options);
    if let Some(story) = &explanation.request {
        request::tell(&mut page, explanation, story);
        return page.text;
    }
    heading(&mut page, explanation);
    why(&mut page, explanation);
    windows(&mut page, explanation, options.verbose);
    limits(&mut page, explanation, options.verbose);
    edges(&mut page, explanation, options.verbose);
    dearest(&mut page, explanation);
    page.line("");
    page.wrapped("Again: ", "  ", None, &clean(&explanation.about.command));
    page.text
}

fn heading(page: &mut Page, explanation: &Explanation) {
    let (about, run) = (&explanation.about, &explanation.run);
    let title = format!("{}: run {} of seed {}, told", clean(&about.scenario), run.run, about.seed);
    page.wrapped("", "  ", Some(Style::Bold), &title);
    let length = hours(about.horizon_hours);
    let facts = format!("{length} from {} · {} · {}", explanation.start, plural(about.runs, "run"), about.profile);
    page.wrapped("", "", Some(Style::Dim), &facts);
    if about.partial {
        let caveat = format!("Partial: interrupted after {}.", plural(about.runs, "run"));
        page.wrapped("! ", "  ", Some(Style::Alert), &caveat);
    }
    if let Some(caveat) = unpriced(&explanation.unpriced, "its bill") {
        page.wrapped("! ", "  ", Some(Style::Alert), &caveat);
    }
    page.line("");
    let cheaper = percent(explanation.cheaper_share);
    let median = match explanation.median.run == run.run {
        true => "It is the median run.".to_owned(),
        false => {
            format!("The median run (number {}) costs {}.", explanation.median.run, money(explanation.median.bill))
        }
    };
    let (amount, runs) = (money(run.bill), plural(about.runs, "run"));
    let bill = format!("This run costs {amount}: {cheaper} of {runs} are cheaper. {median}");
    page.wrapped("", "", None, &bill);
    let requests = format!(
        "{} requests made {} upstream calls; {} were answered by a fallback, {} got no good answer.",
        count(run.requests as f64),
        count(run.attempts as f64),
        count(run.fallbacks as f64),
        count((run.failed + run.rejected + run.lost) as f64),
    );
    page.wrapped("", "", None, &requests);
}

fn why(page: &mut Page, explanation: &Explanation) {
    let difference = explanation.run.bill - explanation.median.bill;
    if explanation.drivers.is_empty() {
        return;
    }
    let more = if difference < Money::ZERO { "cheaper" } else { "dearer" };
    page.title(&format!("Why it is {} {more} than the median run", money(absolute(difference))));
    let mut table = Table::new("drivers", "", &["#Dollars", "Because"]);
    for driver in &explanation.drivers {
        let because = words::because(driver.kind, driver.amount, &explanation.run, &explanation.median);
        table.rows.push(vec![signed(driver.amount), because]);
    }
    page.view_table(&table, usize::MAX);
}

/// What a driver is called in files.
const fn kind_name(kind: DriverKind) -> &'static str {
    match kind {
        DriverKind::Volume => "volume",
        DriverKind::PerRequest => "per_request",
        DriverKind::FallbackPremium => "fallback_premium",
        DriverKind::FailedAttempts => "failed_attempts",
        DriverKind::Abandoned => "abandoned",
        DriverKind::CacheWrites => "cache_writes",
        DriverKind::Commitment => "commitment",
    }
}

fn windows(page: &mut Page, explanation: &Explanation, all: bool) {
    let did_something = |window: &&WindowStory| window.did != Attributed::default();
    let mut told: Vec<&WindowStory> = explanation.windows.iter().filter(|w| all || did_something(w)).collect();
    let quiet = explanation.windows.len() - told.len();
    let most = if all { usize::MAX } else { MOST };
    if told.len() > most {
        told.sort_by_key(|window| std::cmp::Reverse((window.did.extra, window.did.failed_calls)));
        told.truncate(most);
        told.sort_by(|a, b| a.from_hour.total_cmp(&b.from_hour));
    }
    page.title("What went wrong, and what that cost");
    if told.is_empty() && explanation.outside == Attributed::default() {
        page.line(" Nothing: no call failed.");
        return;
    }
    let headings = ["When", "What", "#Failed calls", "#Fallbacks", "#No answer", "#Extra"];
    let mut table = Table::new("windows", "", &headings);
    for window in &told {
        table.rows.push(row(when(window), format!("{}: {}", clean(&window.target), window.kind), &window.did));
    }
    if explanation.outside != Attributed::default() {
        table.rows.push(row("at any time".to_owned(), "outside of all windows".to_owned(), &explanation.outside));
    }
    page.view_table(&table, usize::MAX);
    let left_out = explanation.windows.len() - quiet - told.len();
    let notes = [
        (quiet > 0).then(|| format!("{} without effect left out", plural(quiet as u64, "window"))),
        (left_out > 0).then(|| format!("{} that did less left out (--verbose)", plural(left_out as u64, "window"))),
        Some("Extra: premiums of fallbacks, and failed calls that were billed".to_owned()),
    ];
    let notes: Vec<String> = notes.into_iter().flatten().collect();
    page.wrapped(" ", " ", Some(Style::Dim), &notes.join("; "));
}

/// Which limits refused calls.
fn limits(page: &mut Page, explanation: &Explanation, all: bool) {
    if explanation.limits.is_empty() {
        return;
    }
    page.title("Which limits refused");
    let mut table = Table::new("limits", "", &["Limit", "#Refused", "First"]);
    let most = if all { usize::MAX } else { MOST };
    for story in explanation.limits.iter().take(most) {
        let what = match &story.limit {
            RefusingLimit::Provider { .. } => plural(story.refused, "call"),
            RefusingLimit::Key { .. } => plural(story.refused, "request"),
        };
        table.rows.push(vec![limit_words(&story.limit), what, story.first.clone()]);
    }
    page.view_table(&table, usize::MAX);
}

/// A limit, and what it is a limit of.
pub(super) fn limit_words(limit: &RefusingLimit) -> String {
    match limit {
        RefusingLimit::Provider { deployment, kind, limit } => {
            format!("{}: {} {} at the provider", clean(deployment), short_count(*limit), kind_words(*kind))
        }
        RefusingLimit::Key { key, why } => format!("key {}: {}", clean(key), why.words()),
    }
}

fn row(when: String, what: String, did: &Attributed) -> Vec<String> {
    let number = |n: u64| count(n as f64);
    vec![when, what, number(did.failed_calls), number(did.fallbacks), number(did.failed), money(did.extra)]
}

/// `2025-02-01 03:10–03:25`, with the second day where it is another.
fn when(window: &WindowStory) -> String {
    let (from, until) = (&window.from, &window.until);
    match (from.split_once(' '), until.split_once(' ')) {
        (Some((day, _)), Some((same, clock))) if day == same => format!("{from}–{clock}"),
        _ => format!("{from} – {until}"),
    }
}

fn edges(page: &mut Page, explanation: &Explanation, all: bool) {
    let most = if all { usize::MAX } else { MOST };
    if explanation.edges.is_empty() {
        return;
    }
    page.title("Where the fallbacks went");
    for edge in explanation.edges.iter().take(most) {
        page.wrapped(" ", "   ", None, &edge_words(edge));
    }
}

fn edge_words(edge: &EdgeStory) -> String {
    let (from, to) = (clean(&edge.from), clean(&edge.to));
    let answers = format!("{} → {}: {}, {}", from, to, plural(edge.answers, "answer"), money(edge.amount));
    let Some(premium) = edge.premium else {
        return format!("{answers}; nobody knows what {from} would have charged: it has no price.");
    };
    match premium {
        premium if premium > Money::ZERO => format!(
            "{answers}; at the prices of {from} {}. This edge costs {} more in this run ({} in the median run): \
             a fallback of the same price class saves that.",
            money(edge.amount - premium),
            money(premium),
            money(edge.median_premium),
        ),
        premium if premium < Money::ZERO => {
            format!("{answers}; {} less than {from} would have charged.", money(-premium))
        }
        _ => format!("{answers}; the same as {from} would have charged."),
    }
}

fn dearest(page: &mut Page, explanation: &Explanation) {
    if explanation.dearest.iter().all(|request| request.amount == Money::ZERO) {
        return;
    }
    page.title("Dearest requests");
    let mut table = Table::new("dearest", "", &["Request", "Arrived", "#Calls", "#Cost", "#Premium"]);
    for request in &explanation.dearest {
        let (calls, cost) = (request.attempts.to_string(), money(request.amount));
        let premium = request.premium.map_or_else(|| "unknown".to_owned(), money);
        table.rows.push(vec![clean(&request.name), request.at.clone(), calls, cost, premium]);
    }
    page.view_table(&table, usize::MAX);
    if let Some(first) = explanation.dearest.first() {
        let run = explanation.run.run;
        let hint = format!("Tell one of them: the same command with --run {run} --request {}", clean(&first.name));
        page.wrapped(" ", "   ", Some(Style::Dim), &hint);
    }
}

/// An amount without its sign.
fn absolute(amount: Money) -> Money {
    if amount < Money::ZERO { -amount } else { amount }
}

/// `+$1.20` or `−$1.20`.
fn signed(amount: Money) -> String {
    if amount > Money::ZERO { format!("+{}", money(amount)) } else { money(amount) }
}
