//! A trace, as JSON in the format of the recordings and as a waterfall for people.

use crate::diagnostic::{Diagnostic, Severity, Span, codes, masked};
use crate::engine::{MOST_TRACED, Trace, TraceAttempt, TraceCooldown, TraceRequest, TraceStatus, TraceStep, replay};
use crate::report::text::clean;
use crate::scenario::{PROFILE, read_case};
use crate::units::SimTime;
use serde_json::{Value, json};
use std::fmt::Write;
use std::sync::Arc;

/// Reads a case and plays it; also says what in the case does less than it seems to.
///
/// # Errors
/// What is wrong with the case. A gateway that would not start is no error: the trace says so.
pub fn trace(file_name: &str, text: &str) -> Result<(Trace, Vec<Diagnostic>), Vec<Diagnostic>> {
    match read_case(file_name, text) {
        Ok(case) => {
            let trace = replay(&case);
            if trace.is_cut { Err(vec![too_long(file_name)]) } else { Ok((trace, case.warnings)) }
        }
        Err(found) if found.iter().any(breaks_start) && found.iter().all(|d| breaks_start(d) || !is_error(d)) => {
            let reasons = found.iter().filter(|d| breaks_start(d)).map(|d| masked(&d.message).into_owned());
            let reasons: Vec<String> = reasons.collect();
            let others = found.into_iter().filter(|d| !breaks_start(d)).collect();
            Ok((Trace { fatal: Some(reasons.join("; ")), layer: "proxy", ..Trace::default() }, others))
        }
        Err(found) => Err(found),
    }
}

fn too_long(file_name: &str) -> Diagnostic {
    Diagnostic {
        code: codes::OUT_OF_RANGE,
        severity: Severity::Error,
        file: Arc::from(file_name),
        span: Span::default(),
        message: format!("the requests of this case lead to more than {MOST_TRACED} upstream calls"),
        help: Some("send fewer requests (`n`), or lower the retries, or shorten the lists of fallbacks".to_owned()),
    }
}

fn is_error(diagnostic: &Diagnostic) -> bool {
    diagnostic.severity == Severity::Error
}

fn breaks_start(diagnostic: &Diagnostic) -> bool {
    is_error(diagnostic) && diagnostic.code == codes::BREAKS_START
}

impl Trace {
    /// The trace in the format of the recordings: requests by id, times in seconds.
    pub fn to_json(&self) -> Value {
        let mut requests: Vec<&TraceRequest> = self.requests.iter().collect();
        requests.sort_by(|a, b| a.id.cmp(&b.id));
        let requests: Vec<Value> = requests.into_iter().map(request).collect();
        let cooldown =
            |c: &TraceCooldown| json!({"t": seconds(c.at), "dep": c.deployment, "expires": seconds(c.until)});
        let cooldowns: Vec<Value> = self.cooldowns.iter().map(cooldown).collect();
        let mut value = json!({
            "name": self.name,
            "profile": PROFILE,
            "layer": self.layer,
            "requests": requests,
            "cooldowns": cooldowns,
        });
        if let Some(fatal) = &self.fatal {
            value["fatal"] = json!(fatal);
        }
        value
    }

    /// The trace for people: what was tried, why, and what was skipped.
    pub fn explain(&self) -> String {
        let mut text = String::new();
        if let Some(fatal) = &self.fatal {
            return format!("The gateway does not start: {}\n", clean(fatal));
        }
        for request in &self.requests {
            explain_request(&mut text, request);
        }
        for cooldown in &self.cooldowns {
            let (at, until) = (seconds(cooldown.at), seconds(cooldown.until));
            let deployment = clean(&cooldown.deployment);
            let _ = writeln!(text, "{at:>10.3} s  {deployment} goes into cooldown until {until:.3} s");
        }
        text
    }
}

fn seconds(at: SimTime) -> f64 {
    (at.as_secs_f64() * 1e6).round() / 1e6
}

fn request(request: &TraceRequest) -> Value {
    let attempts: Vec<Value> = request.attempts.iter().enumerate().map(attempt).collect();
    json!({
        "id": request.id,
        "t": seconds(request.at),
        "end": request.end.map(seconds),
        "model": request.model,
        "stream": request.stream,
        "outcome": if request.ok { "ok" } else { "error" },
        "dep": request.deployment,
        "http_status": request.http_status,
        "attempts": attempts,
    })
}

fn attempt((index, attempt): (usize, &TraceAttempt)) -> Value {
    json!({
        "n": index + 1,
        "dep": attempt.deployment,
        "t": seconds(attempt.at),
        "end": attempt.end.map(seconds),
        "status": status(attempt.status),
    })
}

fn status(status: TraceStatus) -> Value {
    match status {
        TraceStatus::Http(status) => json!(status),
        TraceStatus::ConnectionError => json!("conn_error"),
        TraceStatus::ClientTimeout => json!("client_timeout"),
        TraceStatus::Cancelled => Value::Null,
    }
}

/// The end of an attempt.
fn ended(attempt: &TraceAttempt) -> String {
    let how = match attempt.status {
        TraceStatus::Http(status) => status.to_string(),
        TraceStatus::ConnectionError => "no connection".to_owned(),
        TraceStatus::ClientTimeout => "timeout".to_owned(),
        TraceStatus::Cancelled => "closed".to_owned(),
    };
    format!("← {} {how}", attempt.deployment)
}

/// Decisions and attempts of a request, in the order in which they happened.
fn explain_request(text: &mut String, request: &TraceRequest) {
    let stream = if request.stream { ", stream" } else { "" };
    let _ = writeln!(text, "{} asks for {}{stream}", clean(&request.id), clean(&request.model));
    for (at, step) in &request.steps {
        let line = match step {
            TraceStep::Decided(decision) => decision.clone(),
            TraceStep::Sent(nth) => format!("→ {}", request.attempts[*nth].deployment),
            TraceStep::Ended(nth) => ended(&request.attempts[*nth]),
        };
        let _ = writeln!(text, "{:>10.3} s  {}", seconds(*at), clean(&line));
    }
    let Some(end) = request.end else {
        let _ = writeln!(text, "            never ends\n");
        return;
    };
    let answer = match (&request.deployment, request.ok) {
        (Some(deployment), true) => format!("answered by {}", clean(deployment)),
        (None, true) => "answered".to_owned(),
        (_, false) => "error".to_owned(),
    };
    let http = request.http_status.map(|status| format!(" (HTTP {status})")).unwrap_or_default();
    let _ =
        writeln!(text, "{:>10.3} s  {answer}{http} after {:.3} s\n", seconds(end), (end - request.at).as_secs_f64());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(retries: u32, requests: &str) -> String {
        format!(
            r#"{{"config": {{"model_list": [{{"model_name": "a", "litellm_params": {{"model": "openai/x"}},
            "model_info": {{"id": "a1"}}}}], "router_settings": {{"num_retries": {retries}, "disable_cooldowns": true}}}},
            "upstream": {{"*": [{{"status": 500, "latency": 0}}]}}, "requests": [{{"t": 0, "model": "a"{requests}}}]}}"#
        )
    }

    #[test]
    fn causes_stand_before_effects_where_no_time_passes() {
        let (trace, warnings) = trace("case.json", &case(1, "")).unwrap();
        let told = trace.explain();
        let words: Vec<&str> = told.lines().filter_map(|line| line.split(" s  ").nth(1)).collect();
        let expected =
            ["picks a1", "\u{2192} a1", "\u{2190} a1 500", "waits 0.5 s", "picks a1", "\u{2192} a1", "\u{2190} a1 500"];
        assert_eq!(words[..expected.len()], expected, "{told}");
        assert!(warnings.is_empty());
    }

    #[test]
    fn names_cannot_drive_a_terminal_nor_forge_lines() {
        let hostile = case(0, "").replace(r#""a1""#, r#""a\u001b]0;x\u0007\u202e\n9.000 s""#);
        let told = trace("case.json", &hostile).unwrap().0.explain();
        assert!(told.contains("picks a\u{FFFD}]0;x\u{FFFD}\u{FFFD} 9.000 s"), "{told:?}");
        assert!(!told.lines().any(|line| line.chars().any(crate::report::text::is_unprintable)), "{told:?}");
    }

    #[test]
    fn a_case_that_leads_to_too_many_calls_ends_with_an_error() {
        let found = trace("case.json", &case(999, r#", "n": 1000"#)).unwrap_err();
        assert!(found[0].message.contains("more than 250000 upstream calls"), "{found:?}");
    }
}
