mod json;

use crate::audit::{Finding, Pricing, Side, Stake, Tried};
use crate::diagnostic::{Diagnostic, Severity};
use crate::report::diagnostics::{MOST_SHOWN, to_plain_text, to_text};
use crate::report::terminal::{Page, Style, TerminalOptions};
use crate::report::text::{clean, money, percent, plural};
use crate::scenario::Source;
use crate::units::Money;

pub use json::{json, sarif};

/// Changes that the summary lists.
const MOST: usize = 12;

/// What findings are priced under.
#[derive(Debug, Clone)]
pub struct Priced<'a> {
    /// The prices.
    pub pricing: &'a Pricing,
    /// The scenario in words: its name, or what was assumed in place of one.
    pub under: String,
    /// The begin of a command that tries a change: `billcast run weekend-upward`.
    pub command: String,
}

/// Findings with snippets out of their files, then what the changes are worth.
pub fn text(findings: &[Finding], sources: &[Source], priced: Option<&Priced<'_>>, options: TerminalOptions) -> String {
    let mut page = Page::new(options);
    for (number, finding) in findings.iter().take(MOST_SHOWN).enumerate() {
        if number > 0 {
            page.line("");
        }
        page.text.push_str(&quoted(&finding.diagnostic, sources, options.color));
        for tried in priced.iter().flat_map(|priced| &priced.pricing.findings[number]) {
            tell(&mut page, tried);
        }
    }
    if findings.len() > MOST_SHOWN {
        page.line(&format!("\n… and {} more", findings.len() - MOST_SHOWN));
    }
    if let Some(priced) = priced {
        summary(&mut page, findings, priced);
    }
    let count = |severity, noun| {
        plural(findings.iter().filter(|finding| finding.diagnostic.severity == severity).count() as u64, noun)
    };
    let (errors, warnings) = (count(Severity::Error, "error"), count(Severity::Warning, "warning"));
    if !findings.is_empty() {
        page.line("");
    }
    page.line(&format!("{errors}, {warnings}, {}", count(Severity::Note, "note")));
    page.text
}

/// A finding with its line.
fn quoted(diagnostic: &Diagnostic, sources: &[Source], colour: bool) -> String {
    let one = std::slice::from_ref(diagnostic);
    match sources.iter().find(|source| source.name == diagnostic.file) {
        Some(source) if source.is_quotable => to_plain_text(one, &source.text, colour),
        Some(source) => to_text(one, &source.text, colour),
        None => to_text(one, "", colour),
    }
}

/// One change: what it is, and what it does to the bill.
fn tell(page: &mut Page, tried: &Tried) {
    let change = clean(&tried.remedy.change);
    match &tried.stake {
        Ok(stake) => {
            let with = if change.starts_with("without ") { "  $ " } else { "  $ with " };
            page.wrapped(with, "         ", Some(Style::Bold), &change);
            page.wrapped("         ", "         ", None, &sides(stake));
            page.wrapped("         ", "         ", None, &verdict(stake));
        }
        Err(why) => page.wrapped("  $ not priced: ", "         ", None, &format!("{change}: {}", clean(why))),
    }
}

/// A share of failed requests.
fn failures(side: &Side) -> String {
    percent(side.failure_ppm as f64 / 1e6)
}

fn sides(stake: &Stake) -> String {
    let (with, without) = (&stake.with, &stake.without);
    let mean = format!("mean {} → {}", money(with.mean), money(without.mean));
    let p95 = format!("P95 {} → {}", money(with.p95), money(without.p95));
    format!("{mean}, {p95}, failures {} → {}", failures(with), failures(without))
}

/// What a change does to the bill, in words.
fn verdict(stake: &Stake) -> String {
    if stake.saved_mean == Money::ZERO && stake.saved_half_width == Money::ZERO && stake.saved_p95 == Money::ZERO {
        return "no difference in any run".to_owned();
    }
    let words = |amount: Money| match amount {
        amount if amount < Money::ZERO => format!("costs {} more", money(-amount)),
        amount => format!("saves {}", money(amount)),
    };
    let interval = money(stake.saved_half_width);
    let (mean, p95) = (words(stake.saved_mean), words(stake.saved_p95));
    let fails = if fails_more(stake) { "; but more requests fail" } else { "" };
    let hides = if hides_more(stake) {
        let calls = percent(stake.without.unpriced_ppm as f64 / 1e6);
        format!("; but then {calls} of the calls have no known price and are missing from the bill")
    } else {
        String::new()
    };
    format!("{mean} (± {interval}) a run on average, {p95} at P95{fails}{hides}")
}

/// Whether a change only seems to save because more calls have no price: more than one in a thousand.
const fn hides_more(stake: &Stake) -> bool {
    const TOLERATED_PPM: u64 = 1000;
    stake.without.unpriced_ppm > stake.with.unpriced_ppm + TOLERATED_PPM
}

/// Whether a change is paid for with failures: more than one in a thousand requests.
const fn fails_more(stake: &Stake) -> bool {
    const TOLERATED_PPM: u64 = 1000;
    stake.without.failure_ppm > stake.with.failure_ppm + TOLERATED_PPM
}

/// The changes by what they save.
fn summary(page: &mut Page, findings: &[Finding], priced: &Priced<'_>) {
    let pricing = priced.pricing;
    let mut all: Vec<(&Tried, &Stake, &'static str)> = Vec::new();
    for (finding, tried) in findings.iter().zip(&pricing.findings) {
        for one in tried {
            if let Ok(stake) = &one.stake
                && !all.iter().any(|(other, _, _)| other.remedy == one.remedy)
            {
                all.push((one, stake, finding.diagnostic.code));
            }
        }
    }
    let worth = |stake: &Stake| (!fails_more(stake) && !hides_more(stake), stake.saved_mean, stake.saved_p95);
    all.sort_by_key(|(_, stake, _)| std::cmp::Reverse(worth(stake)));
    page.title("What a change is worth");
    if pricing.runs == 0 {
        page.line(" Interrupted before the first run: nothing is priced.");
        return;
    }
    let (base, partial) = (&pricing.base, if pricing.partial { ", interrupted" } else { "" });
    let bill =
        format!("{} on average, {} at P95, {} of the requests fail", money(base.mean), money(base.p95), failures(base));
    let runs = plural(pricing.runs, "run");
    let base = format!("As it is: {bill}. Under {}; {runs} each{partial}, paired.", clean(&priced.under));
    page.wrapped(" ", " ", Some(Style::Dim), &base);
    if pricing.base.unpriced_ppm > 0 {
        let calls = percent(pricing.base.unpriced_ppm as f64 / 1e6);
        let caveat = format!("{calls} of the calls have no known price: they are missing from every bill here.");
        page.wrapped(" ! ", "   ", Some(Style::Alert), &caveat);
    }
    if all.is_empty() {
        let none = if pricing.partial {
            " It was interrupted before a change was priced."
        } else {
            " No finding has a change that could be priced."
        };
        page.line(none);
        return;
    }
    let headings = [("Change", false), ("Saves", true), ("at P95", true), ("Failures", true), ("Code", false)];
    let row = |(tried, stake, code): &(&Tried, &Stake, &'static str)| {
        let rates = format!("{} → {}", failures(&stake.with), failures(&stake.without));
        let change = clean(&tried.remedy.change);
        vec![change, money(stake.saved_mean), money(stake.saved_p95), rates, (*code).to_owned()]
    };
    let rows: Vec<Vec<String>> = all.iter().take(MOST).map(row).collect();
    page.table(&headings.map(|(text, numeric)| (text.to_owned(), numeric)), &rows);
    let mut order = "In order of what they save on average".to_owned();
    if all.iter().any(|(_, stake, _)| fails_more(stake) || hides_more(stake)) {
        order.push_str("; last come those with which more requests fail, or more calls have no known price");
    }
    if all.len() > MOST {
        order.push_str(&format!("; {} more stand at their findings", all.len() - MOST));
    }
    page.wrapped(" ", " ", Some(Style::Dim), &format!("{order}."));
    let worth_it =
        |stake: &Stake| stake.saved_mean > stake.saved_half_width && !fails_more(stake) && !hides_more(stake);
    if let Some((tried, _, _)) = all.iter().find(|(_, stake, _)| worth_it(stake)) {
        let flags: Vec<String> = tried.remedy.flags().map(|(flag, edit)| format!("--{flag} '{edit}'")).collect();
        page.wrapped(" Try it: ", "   ", Some(Style::Dim), &format!("{} {}", priced.command, clean(&flags.join(" "))));
    }
}
