mod json;

use crate::experiment::{
    BudgetOf, BudgetPlan, CapacityPlan, Commitment, Demand, LimitKind, LimitPlan, MOST_BUDGETS, MOST_GROWTH, Missing,
    Outcome, PoolPlan, SpendPeriod, SpendPlan, TokensOf,
};
use crate::report::Artefact;
use crate::report::chart::plan::files;
use crate::report::terminal::{Page, Style, TerminalOptions};
use crate::report::text::{clean, hours, money, money_of, percent, plural, short_count, unpriced};
use crate::report::view::Table;

pub use json::{SCHEMA, json};

/// Every file of a plan.
pub fn artefacts(plan: &CapacityPlan) -> Vec<Artefact> {
    let mut all = vec![Artefact { file_name: "plan.json".to_owned(), bytes: json(plan) }];
    all.extend(files(plan));
    all
}

/// The plan for a terminal.
pub fn text(plan: &CapacityPlan, options: TerminalOptions) -> String {
    let mut page = Page::new(options);
    let about = &plan.about;
    let title = format!("{}: capacity", clean(&about.scenario));
    page.wrapped("", "  ", Some(Style::Bold), &title);
    let length = hours(about.horizon_hours);
    let target = percent(plan.target);
    let facts = format!(
        "{length} · {} · seed {} · target: limits refuse at most {target} of the calls",
        plural(about.runs, "run"),
        about.seed
    );
    page.wrapped("", "", Some(Style::Dim), &facts);
    let caveats = caveat(plan).into_iter().chain(unpriced(&plan.unpriced, "any amount"));
    caveats.for_each(|caveat| page.wrapped("! ", "  ", Some(Style::Alert), &caveat));
    demand(&mut page, plan);
    limits(&mut page, plan);
    spends(&mut page, plan);
    budgets(&mut page, plan);
    page.title("What that comes to");
    page.wrapped(" Today:   ", "          ", None, &outcome(&plan.today));
    page.wrapped(" Planned: ", "          ", None, &plan.planned.as_ref().map_or_else(unknown, outcome));
    if !plan.commitments.is_empty() {
        page.title("Paid capacity");
        plan.commitments.iter().for_each(|commitment| page.wrapped(" ", "   ", None, &commitment_words(commitment)));
        page.wrapped(" ", " ", Some(Style::Dim), COMMITMENT_NOTE);
    }
    page.line("");
    page.wrapped("Taken into account: ", "  ", Some(Style::Dim), ACCOUNTED);
    page.line("");
    page.wrapped("Again: ", "  ", None, &clean(&about.command));
    page.text
}

/// What stands in the place of what an interrupted plan lacks.
fn unknown() -> String {
    "?".to_owned()
}

/// What the reader must know before any figure.
fn caveat(plan: &CapacityPlan) -> Option<String> {
    let word = |missing: &Missing| match missing {
        Missing::Smallest => "the smallest limits",
        Missing::Together => "what meets the target together",
        Missing::Growth => "the growth that limits bear",
        Missing::Spends if plan.spends.is_empty() => "what accounts would spend",
        Missing::Spends => "what the other accounts would spend",
        Missing::Commitments if plan.commitments.is_empty() => "what paid capacity is worth",
        Missing::Commitments => "what the other offers are worth",
        Missing::Budgets if plan.budgets.is_empty() => "budgets",
        Missing::Budgets => "the other budgets",
    };
    let lacks = plan.missing.iter().map(word).collect::<Vec<_>>().join(", ");
    let runs = plural(plan.about.runs, "run");
    plan.about
        .partial
        .then(|| format!("Partial: interrupted after {runs} with today's limits; not found out: {lacks}."))
}

/// What a plan is about, and what it is not about.
const ACCOUNTED: &str = "providers' limits on requests, tokens and calls at once, waiting in line, and what accounts may \
    spend. The gateway's own limits (keys, deployments, budgets) and its cache act before these and stay as they are.";

/// What the figures of paid capacity include.
const COMMITMENT_NOTE: &str = "Reckoned minute by minute from the traffic as it is: the price of the units for the whole run, \
    used or idle, and the tokens above them at the prices on demand. The bills above are those of the scenario; with the \
    `--set` behind `try` the units are in them, and in every report of `billcast run`. They lift no limit.";

/// What a pool is called: its deployments, or their model.
pub fn pool_name(pool: &PoolPlan) -> String {
    match pool.deployments.as_slice() {
        [one] => clean(one),
        several => format!("{} ({})", clean(&pool.model), plural(several.len() as u64, "deployment")),
    }
}

fn demand(page: &mut Page, plan: &CapacityPlan) {
    page.title("What is asked of each, today (minutes: P50/P95/P99.9/peak)");
    let headings =
        [("Deployment", false), ("", false), ("Calls a minute", true), ("Tokens a minute", true), ("At once", true)];
    let mut rows = Vec::new();
    let four = |d: crate::experiment::Demand| {
        let [a, b, c, e] = [d.p50, d.p95, d.p999, d.peak].map(short_count);
        format!("{a}/{b}/{c}/{e}")
    };
    for pool in &plan.pools {
        let (offered, admitted) = (&pool.offered, &pool.admitted);
        let at_once = four(offered.concurrency);
        rows.push(vec![pool_name(pool), "offered".to_owned(), four(offered.calls), four(offered.tokens), at_once]);
        if pool.offered.calls != pool.admitted.calls {
            let at_once = four(admitted.concurrency);
            let row = vec![String::new(), "taken up".to_owned(), four(admitted.calls), four(admitted.tokens), at_once];
            rows.push(row);
        }
    }
    page.table(&headings.map(|(text, numeric)| (text.to_owned(), numeric)), &rows);
}

fn limits(page: &mut Page, plan: &CapacityPlan) {
    page.title("Limits");
    let headings = ["Deployment", "Limit", "#Today", "#P99.9 used", "#Headroom", "#Smallest", "#Together"];
    let mut table = Table::new("limits", "", &headings);
    for pool in &plan.pools {
        for (number, limit) in pool.limits.iter().enumerate() {
            let name = if number == 0 { pool_name(pool) } else { String::new() };
            table.rows.push(limit_row(name, limit));
        }
    }
    page.view_table(&table, usize::MAX);
    let note = "P99.9 used: what the busiest minute (or other period of the limit) of a thousand would take if no call were \
        refused; calls at once: what 99.9% of the time would need. Headroom: the part of today's limit that this leaves free. \
        Smallest: what refuses no more than the target with the others lifted. Together: what meets the target with all of \
        them in force, simulated again.";
    page.wrapped(" ", " ", Some(Style::Dim), note);
    for pool in &plan.pools {
        page.wrapped(" ", "   ", None, &verdict(pool, plan));
    }
}

/// What accounts may spend.
fn spends(page: &mut Page, plan: &CapacityPlan) {
    if plan.spends.is_empty() {
        return;
    }
    page.title("What accounts may spend (US dollars, if no limit refused anything)");
    let headings = ["Account", "Period", "#Limit", "#P50", "#P95", "#P99.9", "#Peak", "#Headroom", "#Runs over"];
    let row = |spend: &SpendPlan| {
        let Demand { p50, p95, p999, peak } = spend.used;
        let [limit, p50, p95, p999, peak] = [spend.limit, p50, p95, p999, peak].map(money_of);
        let (headroom, over) = (free(spend.headroom), percent(spend.over_share));
        [clean(&spend.provider), period_words(spend.period), limit, p50, p95, p999, peak, headroom, over]
    };
    let table = Table::new("spends", "", &headings).with_rows(plan.spends.iter().map(row));
    page.view_table(&table, usize::MAX);
}

/// Budgets of the gateway.
fn budgets(page: &mut Page, plan: &CapacityPlan) {
    if plan.budgets.is_empty() {
        return;
    }
    page.title("Budgets of the gateway");
    let headings = ["Budget of", "Within", "#Today", "#P50", "#Most", "#Smallest", "#Failures", "#Bill"];
    let row = |budget: &BudgetPlan| {
        let spent = |index: usize| budget.used.map_or_else(|| "–".to_owned(), |used| money(used[index]));
        [
            format!("{} {}", budget_of(budget.of), clean(&budget.name)),
            budget.period.as_deref().map_or_else(|| "a run".to_owned(), clean),
            budget.today.map_or_else(|| "none".to_owned(), money),
            spent(0),
            spent(2),
            money(budget.smallest),
            percent(budget.failure_rate),
            bill(budget),
        ]
    };
    let table = Table::new("budgets", "", &headings).with_rows(plan.budgets.iter().map(row));
    page.view_table(&table, usize::MAX);
    let note = format!(
        "Smallest: with which no more than {} of the requests more fail than without it, and the bill is no higher (a \
         budget of a deployment may send requests to a dearer one), the other budgets as they are (sought in up to 16 of \
         the runs, to 1%). P50, most: spent in a run without it. Bill: on average without it and with the smallest, where \
         they differ. At most {MOST_BUDGETS} are sought, those of today first.",
        percent(plan.target)
    );
    page.wrapped(" ", " ", Some(Style::Dim), &note);
}

/// What the bill is without a budget and with the smallest.
fn bill(budget: &BudgetPlan) -> String {
    let [without, with] = budget.bill.map(money);
    if without == with { with } else { format!("{without} → {with}") }
}

/// Whose budget it is.
pub const fn budget_of(of: BudgetOf) -> &'static str {
    match of {
        BudgetOf::Key => "key",
        BudgetOf::User => "user",
        BudgetOf::Team => "team",
        BudgetOf::Deployment => "deployment",
    }
}

/// The free part of a limit; a negative one is what is missing.
fn free(headroom: f64) -> String {
    percent(headroom)
}

fn period_words(period: SpendPeriod) -> String {
    match period {
        SpendPeriod::Run => "a run".to_owned(),
        SpendPeriod::FirstMonth => "the first month".to_owned(),
        SpendPeriod::LaterMonth => "a later month".to_owned(),
        SpendPeriod::Seconds(seconds) if seconds % 60 == 0 => format!("{} min", seconds / 60),
        SpendPeriod::Seconds(seconds) => format!("{seconds} s"),
    }
}

fn limit_row(name: String, limit: &LimitPlan) -> Vec<String> {
    let none = || "none".to_owned();
    let is_unknown = limit.today.is_some() && limit.used.is_none();
    let headroom = limit.headroom.map_or_else(|| if is_unknown { unknown() } else { "–".to_owned() }, free);
    let today = limit.today.map_or_else(none, short_count);
    let or_unknown = |figure: Option<f64>| figure.map_or_else(unknown, short_count);
    vec![
        name,
        kind_words(limit.kind),
        today,
        or_unknown(limit.used.map(|used| used.p999)),
        headroom,
        or_unknown(limit.needed),
        or_unknown(limit.proposed),
    ]
}

/// What a limit counts, in words.
pub fn kind_words(kind: LimitKind) -> String {
    let per = |seconds: i64| match seconds {
        60 => "a minute".to_owned(),
        86_400 => "a day".to_owned(),
        other => format!("in {other} s"),
    };
    match kind {
        LimitKind::Requests(seconds) => format!("requests {}", per(seconds)),
        LimitKind::Tokens(seconds, of) => {
            let of = match of {
                TokensOf::All => "tokens",
                TokensOf::Input => "input tokens",
                TokensOf::Output => "output tokens",
            };
            format!("{of} {}", per(seconds))
        }
        LimitKind::Dollars(seconds) => format!("US dollars {}", per(seconds)),
        LimitKind::Concurrency => "calls at once".to_owned(),
    }
}

/// Which limit binds, when, and how much more traffic they bear.
fn verdict(pool: &PoolPlan, plan: &CapacityPlan) -> String {
    let name = pool_name(pool);
    let growth = match pool.growth {
        None if plan.missing.contains(&Missing::Growth) => String::new(),
        Some(factor) if factor < 1.0 => format!("; they bear {} of this traffic", percent(factor)),
        Some(factor) => format!("; they bear {factor:.2} times this traffic"),
        None if pool.limits.iter().all(|limit| limit.today.is_none()) => String::new(),
        None => format!("; they bear more than {MOST_GROWTH} times this traffic"),
    };
    match &pool.binds {
        Some(binding) => format!(
            "{name}: {} binds first, in {} of the runs, in the middle one at {}; its limits refuse {} of the calls{growth}.",
            kind_words(binding.kind),
            percent(binding.run_share),
            binding.at,
            percent(pool.refused_share),
        ),
        None if pool.limits.iter().all(|limit| limit.today.is_none()) => format!("{name}: no limit is stated."),
        None => format!("{name}: no limit is ever hit (target {}){growth}.", percent(plan.target)),
    }
}

fn outcome(outcome: &Outcome) -> String {
    let worst = outcome.refused.iter().copied().fold(0.0, f64::max);
    format!(
        "{} a run on average; {} of the requests fail, {} fall back; limits refuse up to {} of a deployment's calls",
        money(outcome.bill),
        percent(outcome.failure_rate),
        percent(outcome.fallback_share),
        percent(worst),
    )
}

fn commitment_words(commitment: &Commitment) -> String {
    let Commitment { offer, units, .. } = commitment;
    let unit = format!("{} tokens a minute at {} an hour", short_count(offer.unit_tokens as f64), money(offer.hourly));
    let break_even = format!("the first unit pays below {} an hour", money(commitment.break_even));
    if *units == 0 {
        let bill = money(commitment.on_demand);
        return format!(
            "{}: {unit} is not worth it: pay as you go costs {bill} a run, {break_even}.",
            clean(&offer.target)
        );
    }
    format!(
        "{}: {} of {unit} make the bill smallest: {} a run instead of {} as you go. {} of the capacity is used, {} lies \
         idle; {} of the tokens spill over for {}; {break_even}; try --set '{}'.",
        clean(&offer.target),
        plural(*units, "unit"),
        money(commitment.with_units),
        money(commitment.on_demand),
        percent(commitment.used_share),
        money(commitment.idle),
        percent(commitment.spill_share),
        money(commitment.spill),
        clean(&commitment.edit().unwrap_or_default()),
    )
}
