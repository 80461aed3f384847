//! What a case may hold: the recorder's own words are among it. Everything else is a slip, and is told with its place
//! and the nearest word that means something.

use super::fields::Reader;
use crate::document::{Node, Value};
use crate::gateway::litellm::wire::{OwnFallbacks, unread_in_list};

const CASE: &[&str] = &[
    "name",
    "doc",
    "config",
    "upstream",
    "requests",
    "keys",
    "users",
    "teams",
    "members",
    "layer",
    "seed",
    "jitter",
    "start",
    "drain",
    "logs",
    "clock",
    "transport",
    "align",
    "keep_api_base",
];
const CONFIG: &[&str] = &["model_list", "router_settings", "litellm_settings", "general_settings"];
const REQUEST: &[&str] = &[
    "t",
    "model",
    "id",
    "n",
    "every",
    "stream",
    "prompt_tokens",
    "completion_tokens",
    "content",
    "real_tokens",
    "params",
    "headers",
    "key",
    "disconnect_after",
    "disconnect_at",
    "path",
];
const RULE: &[&str] = &[
    "calls",
    "t",
    "stream",
    "requests",
    "over_tokens",
    "rpm",
    "status",
    "latency",
    "retry_after",
    "headers",
    "message",
    "type",
    "code",
    "ok",
    "context_window",
    "content_policy",
    "conn_error",
    "hang",
    "ttft",
    "chunks",
    "abort_after",
];
/// Fields of a key that are simulated.
const KEY: &[&str] = &[
    "user_id",
    "team_id",
    "rpm_limit",
    "tpm_limit",
    "user_rpm_limit",
    "user_tpm_limit",
    "team_rpm_limit",
    "team_tpm_limit",
    "team_member_rpm_limit",
    "team_member_tpm_limit",
    "max_parallel_requests",
    "max_budget",
    "spend",
    "model_max_budget",
    "metadata",
    "aliases",
    "team_model_aliases",
    "user_max_budget",
    "user_spend",
    "blocked",
    "team_blocked",
    "expires",
    "allowed_model_region",
    "team_models",
    "router_settings",
    "end_user_id",
    "end_user_rpm_limit",
    "end_user_tpm_limit",
    "org_id",
    "organization_id",
    "organization_rpm_limit",
    "organization_tpm_limit",
];
/// Fields of users, teams and members that are simulated.
const ROW: &[&str] = &["max_budget", "spend", "rpm_limit", "tpm_limit", "model_max_budget", "metadata"];
/// Further fields that keys, users and teams have in the database; they name things, or limit what is not simulated.
const OF_DATABASE: &[&str] = &[
    "token",
    "key_name",
    "key_alias",
    "team_alias",
    "user_email",
    "user_role",
    "user_alias",
    "models",
    "config",
    "tags",
    "created_at",
    "updated_at",
    "permissions",
    "budget_duration",
    "budget_reset_at",
    "budget_id",
    "budget_limits",
    "soft_budget",
    "team_soft_budget",
    "team_max_budget",
    "team_spend",
    "team_member",
    "team_member_spend",
    "team_metadata",
    "user_model_max_budget",
    "model_spend",
    "rpm_limit_per_model",
    "tpm_limit_per_model",
    "rpm_limit_type",
    "tpm_limit_type",
    "end_user_max_budget",
    "organization_alias",
    "organization_max_budget",
    "project_id",
    "project_alias",
    "agent_id",
    "allowed_cache_controls",
    "allowed_routes",
    "max_parallel_requests",
];
/// Parameters of a body that the gateway acts on, and one that looks like one of them; a body may hold any others.
const PARAMS: &[&str] = &[
    "num_retries",
    "timeout",
    "request_timeout",
    "stream_timeout",
    "fallbacks",
    "context_window_fallbacks",
    "content_policy_fallbacks",
    "disable_fallbacks",
    "max_fallbacks",
    "metadata",
    "tags",
    "cache",
    "max_tokens",
    "max_completion_tokens",
    "max_retries",
    "cooldown_time",
    "allowed_model_region",
];
/// Parameters of a body that the gateway acts on and that are not simulated (seen in the real proxy).
const NOT_SIMULATED: &[&str] = &["fastest_response", "api_key", "no-log"];
/// Strategies that a body may ask for in place of the router's; others are passed over.
const STRATEGIES: &[&str] = &[
    "simple-shuffle",
    "least-busy",
    "latency-based-routing",
    "cost-based-routing",
    "usage-based-routing",
    "usage-based-routing-v2",
];
/// Headers that the gateway acts on.
const HEADERS: &[&str] = &[
    "x-litellm-timeout",
    "x-litellm-stream-timeout",
    "x-litellm-keepalive-seconds",
    "x-litellm-num-retries",
    "x-litellm-tags",
];

/// Reports what is not part of a case.
pub(super) fn check(case: &Node, reader: &mut Reader) {
    reader.only(case, "case", CASE);
    reader.one_of(case, "layer", &["proxy", "router"]);
    reader.one_of(case, "clock", &["virtual", "real"]);
    reader.one_of(case, "transport", &["inproc", "socket"]);
    reader.number(case, "drain");
    reader.flag(case, "logs");
    if let Some(config) = case.get("config") {
        for entry in config.entries() {
            reader.warn_if_near(entry, CONFIG);
        }
    }
    for entry in reader.map(case, "keys") {
        database_row(&entry.value, "virtual key", KEY, reader);
    }
    for rows in ["users", "teams", "members"] {
        for entry in reader.map(case, rows) {
            database_row(&entry.value, "row", ROW, reader);
        }
    }
    for entry in reader.map(case, "upstream") {
        if !matches!(entry.value.value, Value::Seq(_)) {
            reader.expected(&entry.value, "a list of rules");
        }
        for rule in entry.value.items() {
            reader.only(rule, "rule", RULE);
            reader.map(rule, "headers");
        }
    }
    let strategy =
        case.get("config").and_then(|config| config.get("router_settings")?.get("routing_strategy")?.as_str());
    for request in case.get("requests").map(Node::items).unwrap_or_default() {
        check_request(request, strategy.unwrap_or("simple-shuffle"), reader);
    }
}

fn database_row(row: &Node, what: &str, known: &[&str], reader: &mut Reader) {
    if !matches!(row.value, Value::Map(_)) {
        return reader.expected(row, "a map of limits");
    }
    let all: Vec<&str> = known.iter().chain(OF_DATABASE).copied().collect();
    reader.only(row, what, &all);
    for key in ["aliases", "team_model_aliases", "router_settings", "metadata"] {
        reader.map(row, key);
    }
    for entry in row.entries().iter().filter(|entry| all.contains(&&*entry.key) && !known.contains(&&*entry.key)) {
        reader.warn(entry.key_span, format!("`{}` of a {what} is not simulated", entry.key));
    }
}

fn check_request(request: &Node, strategy: &str, reader: &mut Reader) {
    if !matches!(request.value, Value::Map(_)) {
        return reader.expected(request, "a request such as `{\"t\": 0, \"model\": \"gpt-4o\"}`");
    }
    reader.only(request, "request", REQUEST);
    for entry in reader.map(request, "params") {
        reader.warn_if_near(entry, PARAMS);
        for (span, message) in unread_in_list(&entry.value) {
            if OwnFallbacks::KEYS.contains(&&*entry.key) {
                reader.warn(span, message);
            }
        }
        let is_other = |asked: &str| asked != strategy && STRATEGIES.contains(&asked);
        let asks_otherwise = &*entry.key == "routing_strategy" && entry.value.as_str().is_some_and(is_other);
        if asks_otherwise || NOT_SIMULATED.contains(&&*entry.key) {
            reader.warn(entry.key_span, format!("`{}` of a body is not simulated", entry.key));
        }
    }
    if let Some(model) = request.get("model").filter(|model| model.as_str().is_some_and(|name| name.contains(','))) {
        reader
            .warn(model.span, "several models in one request, with commas between them, are not simulated".to_owned());
    }
    for entry in reader.map(request, "headers") {
        if !entry.key.eq_ignore_ascii_case("authorization") {
            reader.warn_if_near(entry, HEADERS);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::scenario::read_case;

    const CONFIG: &str = r#""config": {"model_list": [
        {"model_name": "a", "litellm_params": {"model": "openai/x"}, "model_info": {"id": "a1"}}]}"#;

    fn told(rest: &str) -> Vec<String> {
        let text = format!("{{{CONFIG}, {rest}}}");
        let found = match read_case("case.json", &text) {
            Ok(case) => case.warnings,
            Err(found) => found,
        };
        found.into_iter().map(|d| format!("{} {} {}", d.severity, d.message, d.help.unwrap_or_default())).collect()
    }

    fn request(more: &str) -> String {
        format!(r#""requests": [{{"t": 0, "model": "a"{more}}}]"#)
    }

    #[test]
    fn requests_beyond_all_time_are_refused() {
        for times in [r#""t": -1e308"#, r#""t": 1e10"#, r#""t": 0, "n": 3, "every": 1e9"#] {
            let found = told(&format!(r#""requests": [{{{times}, "model": "a"}}]"#));
            assert!(matches!(&found[..], [one] if one.contains("a billion seconds")), "{times}: {found:?}");
        }
    }

    #[test]
    fn what_a_config_does_that_is_not_simulated_is_told() {
        let config = CONFIG.replacen("]}", r#"], "router_settings": {"default_litellm_params": {"timeout": 3}}}"#, 1);
        let text = format!("{{{config}, {}}}", request(""));
        let found: Vec<_> = read_case("case.json", &text).unwrap().warnings.into_iter().map(|d| d.message).collect();
        assert!(matches!(&found[..], [one] if one.contains("default_litellm_params` is not simulated")), "{found:?}");
    }

    #[test]
    fn slips_are_told_with_the_nearest_word() {
        let plain = request("");
        let cases = [
            (r#""reqests": [], "requests": []"#.to_owned(), "`reqests` is no key of a case did you mean `requests`?"),
            (format!(r#""layer": "rooter", {plain}"#), "`layer`: expected `proxy` or `router`"),
            (format!(r#""upstream": {{"a2": []}}, {plain}"#), "no deployment of this name did you mean `a1`?"),
            (format!(r#""upstream": {{"a1": {{}}}}, {plain}"#), "expected a list of rules"),
            (format!(r#""upstream": {{"a1": [{{"statsu": 500}}]}}, {plain}"#), "did you mean `status`?"),
            (format!(r#""upstream": {{"a1": [{{"requests": ["r1"]}}]}}, {plain}"#), "no request has this id"),
            (format!(r#""upstream": {{"a1": [{{"latency": "1s"}}]}}, {plain}"#), "`latency`: expected a number"),
            (format!(r#""keys": {{"k": {{"rpm_limt": 5}}}}, {plain}"#), "did you mean `rpm_limit`?"),
            (request(r#", "key": "k2""#), "`key`: there is no such key"),
            (format!(r#""keys": {{"k": {{"aliases": ["a"]}}}}, {plain}"#), "`aliases`: expected a map, found a list"),
            (format!(r#""keys": {{"k": {{"router_settings": "a"}}}}, {plain}"#), "`router_settings`: expected a map"),
            (request(r#", "steam": true"#), "did you mean `stream`?"),
            (request(r#", "stream": "yes""#), "`stream`: expected true or false"),
            (request(r#", "prompt_tokens": 4000000000, "real_tokens": true"#), "may have 20000000"),
        ];
        for (rest, expected) in cases {
            let found = told(&rest);
            assert!(found.iter().any(|line| line.starts_with("error") && line.contains(expected)), "{rest}: {found:?}");
        }
    }

    #[test]
    fn what_may_be_meant_otherwise_is_a_warning() {
        let cases = [
            (request(r#", "params": {"num_retires": 1}"#), "did you mean `num_retries`?"),
            (request(r#", "headers": {"X-LiteLLM-Num-Retry": "1"}"#), "did you mean `x-litellm-num-retries`?"),
            (
                request(r#", "params": {"routing_strategy": "least-busy"}"#),
                "`routing_strategy` of a body is not simulated",
            ),
            (request(r#", "params": {"api_key": "k"}"#), "`api_key` of a body is not simulated"),
            (
                request(
                    r#", "params": {"fallbacks": [{"model": "a", "fallbacks": [{"model": "a", "stream": true}]}]}"#,
                ),
                "`stream` of a fallback entry is not simulated",
            ),
            (r#""requests": [{"t": 0, "model": "a,b"}]"#.to_owned(), "several models in one request"),
            (
                format!(r#""keys": {{"k": {{"models": ["a"]}}}}, {}"#, request("")),
                "`models` of a virtual key is not simulated",
            ),
        ];
        for (rest, expected) in cases {
            let found = told(&rest);
            assert!(
                matches!(&found[..], [only] if only.starts_with("warning") && only.contains(expected)),
                "{rest}: {found:?}"
            );
        }
        for strategy in ["simple-shuffle", "nonsense"] {
            assert_eq!(told(&request(&format!(r#", "params": {{"routing_strategy": "{strategy}"}}"#))), [""; 0]);
        }
        assert_eq!(told(&request(r#", "params": {"max_retries": 1, "temperature": 0, "user": "x"}"#)), [""; 0]);
    }

    #[test]
    fn calls_of_one_request_are_bounded() {
        let fallbacks = |n: usize| {
            let names: Vec<String> = (0..n).map(|i| format!("\"g{i}\"")).collect();
            request(&format!(r#", "params": {{"num_retries": 9999, "fallbacks": [{}]}}"#, names.join(", ")))
        };
        assert_eq!(told(&fallbacks(9)), [""; 0]);
        assert!(told(&fallbacks(10))[0].contains("one request can lead to 110000 upstream calls"));
    }
}
