//! What a scenario plans for after the end of its run: it never happens, which is rarely meant.

use crate::diagnostic::{Diagnostic, Severity, codes};
use crate::scenario::read::place;
use crate::scenario::reading::Reading;
use crate::units::{Seconds, SimDuration};

/// Says what never happens.
pub fn note(reading: &mut Reading, horizon: SimDuration) {
    let hours = horizon.as_secs_f64() / 3600.0;
    let late = |at: &Seconds| at.0 >= horizon.as_secs_f64();
    let mut found: Vec<(Vec<String>, &str, Seconds)> = Vec::new();
    for (name, entry) in reading.file.traffic.iter() {
        let spikes = entry.model.spikes.iter().flatten().map(|spike| spike.at);
        found.extend(spikes.filter(late).map(|at| (path("traffic", name, "spikes"), "spike", at)));
    }
    for (name, entry) in reading.file.upstream.iter() {
        let model = &entry.model;
        let outages = model.outages.iter().map(|outage| ("outages", "outage", outage.at));
        let revoked = model.unauthorized_from.map(|at| ("unauthorized_from", "refused key", at));
        let redirected = model.redirected.as_ref().map(|redirect| ("redirected", "redirection", redirect.at));
        let all = outages.chain(revoked).chain(redirected).filter(|(_, _, at)| late(at));
        found.extend(all.map(|(key, what, at)| (path("upstream", name, key), what, at)));
    }
    let fleet = &reading.file.fleet;
    let crashes = fleet.crashes.iter().flat_map(|crash| &crash.at).map(|at| ("crashes", "crash", *at));
    let deploys = fleet.deploys.iter().flat_map(|deploy| &deploy.at).map(|at| ("deploys", "deploy", *at));
    let late_ends = crashes.chain(deploys).filter(|(_, _, at)| late(at));
    found.extend(late_ends.map(|(key, what, at)| (vec!["fleet".to_owned(), key.to_owned()], what, at)));
    let said: Vec<Diagnostic> = found.iter().map(|(path, what, at)| finding(reading, path, what, *at, hours)).collect();
    reading.findings.extend(said);
}

fn path(section: &str, name: &str, key: &str) -> Vec<String> {
    [section, name, key].map(str::to_owned).to_vec()
}

fn finding(reading: &Reading, path: &[String], what: &str, at: Seconds, hours: f64) -> Diagnostic {
    let steps: Vec<&str> = path.iter().map(String::as_str).collect();
    let (file, span) = match reading.place_of(&steps) {
        Some((source, tree)) => (source.name.clone(), place(tree, &steps)),
        None => ("".into(), crate::diagnostic::Span::default()),
    };
    let at = at.0 / 3600.0;
    let message = format!("{}: the {what} at {at} h never comes, because a run ends after {hours} h", path.join("."));
    let help = Some("make `hours` longer, or let it begin earlier".to_owned());
    Diagnostic { code: codes::BEYOND_HORIZON, severity: Severity::Warning, file, span, message, help }
}
