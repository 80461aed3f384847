//! What may be a secret, so that no message and no quoted line shows it.

use std::borrow::Cow;
use std::ops::Range;

/// Whether a text looks like a credential: a known prefix, or a long run without separators that mixes digits and
/// letters.
pub fn looks_secret(text: &str) -> bool {
    const PREFIXES: [&str; 9] = ["sk-", "sk_", "pk-", "AIza", "AKIA", "ghp_", "xox", "hf_", "Bearer "];
    if PREFIXES.iter().any(|prefix| text.starts_with(prefix)) && text.len() >= 8 {
        return true;
    }
    let longest = text.split(|c: char| !c.is_ascii_alphanumeric()).max_by_key(|run| run.len()).unwrap_or_default();
    let has = |test: fn(&char) -> bool| longest.chars().any(|c| test(&c));
    longest.len() >= 24 && has(char::is_ascii_digit) && has(char::is_ascii_alphabetic)
}

/// Whether a key's value is likely a secret.
pub fn is_secret_key(key: &str) -> bool {
    const SECRET: [&str; 17] = [
        "key",
        "secret",
        "token",
        "password",
        "passwd",
        "credential",
        "auth",
        "license",
        "webhook",
        "dsn",
        "private",
        "salt",
        "connection",
        "cookie",
        "header",
        "database_url",
        "environment_variables",
    ];
    let key = key.to_ascii_lowercase();
    let counts_tokens = key.contains("cost") || key.ends_with("tokens") || key.contains("token_limit");
    !counts_tokens && SECRET.iter().any(|word| key.contains(word))
}

/// Maps whose keys are names that the user chooses, and whose values are names too.
pub const OF_NAMES: [&str; 6] = [
    "fallbacks",
    "default_fallbacks",
    "context_window_fallbacks",
    "content_policy_fallbacks",
    "model_group_alias",
    "model_group_retry_policy",
];

/// Keys of a gateway's config whose texts are shown: names, kinds and periods.
pub const SHOWN: [&str; 66] = [
    "optional_pre_call_checks",
    "caching_groups",
    "group_name",
    "models",
    "supported_call_types",
    "model",
    "model_name",
    "custom_llm_provider",
    "base_model",
    "id",
    "mode",
    "type",
    "namespace",
    "budget_duration",
    "time_period",
    "budget_reset_time",
    "timezone",
    "routing_strategy",
    "callbacks",
    "success_callback",
    "failure_callback",
    "region_name",
    "tier",
    "timeout",
    "stream_timeout",
    "request_timeout",
    "rpm",
    "tpm",
    "weight",
    "num_retries",
    "max_fallbacks",
    "max_retries",
    "retry_after",
    "cooldown_time",
    "disable_cooldowns",
    "allowed_fails",
    "max_budget",
    "budget_limit",
    "max_parallel_requests",
    "order",
    "max_tokens",
    "input_cost_per_token",
    "output_cost_per_token",
    "ttl",
    "cache",
    "stream",
    "drop_params",
    "set_verbose",
    "enable_pre_call_checks",
    "TimeoutErrorRetries",
    "RateLimitErrorRetries",
    "InternalServerErrorRetries",
    "BadRequestErrorRetries",
    "ContentPolicyViolationErrorRetries",
    "TimeoutErrorAllowedFails",
    "RateLimitErrorAllowedFails",
    "InternalServerErrorAllowedFails",
    "BadRequestErrorAllowedFails",
    // Of trace cases.
    "layer",
    "start",
    "clock",
    "transport",
    "drain",
    "latency",
    "status",
    "every",
];

/// Whether a text under this key of a gateway's config is a name or a kind, and no secret.
pub fn may_be_shown(key: &str) -> bool {
    SHOWN.contains(&key) || OF_NAMES.contains(&key)
}

/// Whether a text under this key of a gateway's config is the name of a region, or a version of an interface, and looks
/// like one: no secret does. Anything else that stands there by mistake stays hidden.
pub fn names_place(key: &str, text: &str) -> bool {
    let text = text.trim_matches(QUOTES);
    match key {
        "aws_region_name" | "vertex_location" | "vertex_ai_location" => is_region(text),
        "api_version" => is_version(text),
        _ => false,
    }
}

/// `us-east-1`, `europe-west4`, `us-gov-west-1`, `northamerica-northeast1`, `global`.
fn is_region(text: &str) -> bool {
    const WHOLE: [&str; 4] = ["global", "us", "eu", "asia"];
    const FIRST: [&str; 16] = [
        "af",
        "ap",
        "asia",
        "australia",
        "ca",
        "cn",
        "eu",
        "europe",
        "il",
        "me",
        "mx",
        "northamerica",
        "sa",
        "southamerica",
        "us",
        "africa",
    ];
    let mut parts = text.split('-');
    let is_known = parts.next().is_some_and(|first| FIRST.contains(&first));
    let rest: Vec<&str> = parts.collect();
    // A point of the compass with a number behind it, or a number alone: `gov`, `west4`, `1`.
    let is_part = |part: &&str| {
        let name = part.trim_end_matches(|c: char| c.is_ascii_digit());
        let compass = ["north", "south", "east", "west", "central", "northeast", "northwest", "southeast", "southwest"];
        part.len() - name.len() <= 2
            && (name.is_empty() || matches!(name, "gov" | "iso" | "isob") || compass.contains(&name))
    };
    WHOLE.contains(&text) || (is_known && (1..=3).contains(&rest.len()) && rest.iter().all(is_part))
}

/// `2024-08-01-preview`, `v1`, `latest`.
fn is_version(text: &str) -> bool {
    let date = text.strip_suffix("-preview").unwrap_or(text);
    let is_date = date.len() == 10
        && date.bytes().enumerate().all(|(at, b)| if matches!(at, 4 | 7) { b == b'-' } else { b.is_ascii_digit() });
    is_date || matches!(text, "v1" | "v1beta" | "v1beta1" | "v2" | "latest" | "preview")
}

/// What stands in place of a secret.
pub const MASK: &str = "***";

/// A text for people without what looks like a secret: every message and help of a diagnostic, and every error that
/// ends a command, goes through this before anybody sees it.
pub fn masked(text: &str) -> Cow<'_, str> {
    let secrets = found_in(text);
    if secrets.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut at = 0;
    for secret in secrets {
        shown.push_str(&text[at..secret.start]);
        shown.push_str(MASK);
        at = secret.end;
    }
    shown.push_str(&text[at..]);
    Cow::Owned(shown)
}

/// The bytes of a text that look like secrets, wherever they stand: in order, without overlap. Texts may be long, so
/// each part of one is looked at a fixed number of times.
pub fn found_in(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    words(text, &mut found);
    addresses(text, &mut found);
    values(text, &mut found);
    bearers(text, &mut found);
    merged(found)
}

/// The same bytes in order, without overlap, and nothing that is empty.
pub fn merged(mut found: Vec<Range<usize>>) -> Vec<Range<usize>> {
    found.retain(|range| !range.is_empty());
    found.sort_by_key(|range| (range.start, std::cmp::Reverse(range.end)));
    let mut merged: Vec<Range<usize>> = Vec::new();
    for range in found {
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

/// Ends of files that people name in arguments: the name of such a file may hold a hash.
const FILES: [&str; 14] = [
    ".yaml", ".yml", ".json", ".jsonl", ".csv", ".gz", ".parquet", ".toml", ".txt", ".md", ".html", ".svg", ".png",
    ".xlsx",
];

/// Words that look like credentials.
fn words(text: &str, found: &mut Vec<Range<usize>>) {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '+' | '/' | '~');
    let mut start = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        match (start, is_part(c)) {
            (None, true) => start = Some(at),
            (Some(from), false) => {
                let word = text[from..at].trim_end_matches('.');
                let is_name = word.starts_with(REFERENCE) || FILES.iter().any(|end| word.ends_with(end));
                if !is_name && looks_secret(word) {
                    found.push(from..from + word.len());
                }
                start = None;
            }
            _ => {}
        }
    }
}

/// User and password of an address, and its query.
fn addresses(text: &str, found: &mut Vec<Range<usize>>) {
    let starts: Vec<usize> = text.match_indices("://").map(|(at, sign)| at + sign.len()).collect();
    for (number, &from) in starts.iter().enumerate() {
        let rest = &text[from..starts.get(number + 1).copied().unwrap_or(text.len())];
        // A password may hold what ends an address in a list.
        let wide = until(rest, |c| is_end(c) || matches!(c, '"' | '\''));
        let user = wide.rfind('@');
        let host = from + user.map_or(0, |at| at + 1);
        let address = until(&wide[host - from..], |c| matches!(c, ',' | '}' | ']'));
        let address = address.trim_end_matches([')', '.', ';', ':', '>']);
        let authority = address.split('/').next().unwrap_or_default();
        let port = authority.rsplit_once(':').map_or("", |(_, port)| port);
        match user {
            Some(user) => found.push(from..from + user),
            None if port.bytes().all(|b| b.is_ascii_digit()) => {}
            None => found.push(from..from + authority.len()),
        }
        if let Some(query) = address.find('?') {
            found.push(host + query + 1..host + address.len());
        }
    }
}

/// Values behind names of secrets: `NAME_KEY=value`, `password = "value"`, `"api_key":"value"`, `api_key: value`.
fn values(text: &str, found: &mut Vec<Range<usize>>) {
    let mut at = 0;
    while let Some(sign) = text[at..].find(['=', ':']).map(|found| at + found) {
        at = sign + 1;
        if !names_secret(&text[..sign], text.as_bytes()[sign] == b':') {
            continue;
        }
        let from = at + text[at..].len() - text[at..].trim_start_matches([' ', '\t']).len();
        let value = value(&text[from..]);
        at = from + value.len();
        let plain = value.trim_matches(QUOTES);
        if !plain.starts_with(REFERENCE) && !matches!(plain, "true" | "false" | "null" | "None" | "") {
            found.push(from..at);
        }
    }
}

/// Tokens behind the word `Bearer`, which no name of a key needs to stand before.
fn bearers(text: &str, found: &mut Vec<Range<usize>>) {
    for (at, word) in text.match_indices("Bearer ") {
        let token = until(&text[at + word.len()..], |c| is_end(c) || QUOTES.contains(&c));
        if token.contains(|c: char| c.is_ascii_digit() || c == '.') {
            found.push(at + word.len()..at + word.len() + token.trim_end_matches(MARKS).len());
        }
    }
}

/// A value that is read from the environment: its name is no secret.
const REFERENCE: &str = "os.environ/";
const QUOTES: [char; 2] = ['"', '\''];
/// What stands behind a value in prose and in lists.
const MARKS: [char; 8] = ['"', '\'', ',', '.', ';', ')', '}', ']'];
/// Lower case ends of names whose values are secrets. The name `key` alone is that of a virtual key, by its alias.
const ENDS: [&str; 17] = [
    "_key",
    "api-key",
    "apikey",
    "accesskey",
    "secretkey",
    "privatekey",
    "token",
    "secret",
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "credential",
    "credentials",
    "authorization",
    "_auth",
    "_pass",
];

/// Ends of names that sound like those, and are none.
const COUNTS: [&str; 3] = ["first_token", "per_token", "by_key"];

/// Whether a text ends with the name of a secret. Before a colon an ordinary word is prose, no name.
fn names_secret(before: &str, is_colon: bool) -> bool {
    let unquoted = before.trim_end_matches(if is_colon { ['"', '\'', '\\'] } else { [' ', '\t', '"'] });
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let name = &unquoted[unquoted.trim_end_matches(is_part).len()..];
    if !name.contains(|c: char| c.is_ascii_lowercase()) {
        return is_secret_key(name);
    }
    if is_colon && unquoted == before && !name.contains(['_', '-']) {
        return false;
    }
    let name = name.to_ascii_lowercase();
    let counts = name.contains("cost") || COUNTS.iter().any(|end| name.ends_with(end));
    !counts && ENDS.iter().any(|end| name.ends_with(end))
}

/// The value that a text begins with: all that is in its quotes, or its first word.
fn value(text: &str) -> &str {
    if text.starts_with(MASK) {
        return &text[..MASK.len()];
    }
    if let Some(quote) = text.chars().next().filter(|c| QUOTES.contains(c)) {
        return &text[..closing_quote(text, quote)];
    }
    // As it stands in a text in quotes.
    if let Some(inner) = text.strip_prefix("\\\"") {
        return inner.find('"').map_or(text, |end| &text[..end + 3]);
    }
    let word = until(text, is_end);
    // `authorization: Bearer x`.
    let is_scheme = ["bearer", "basic"].iter().any(|scheme| word.eq_ignore_ascii_case(scheme));
    let next = text[word.len()..].strip_prefix(' ').filter(|_| is_scheme);
    let next = next.map_or(0, |rest| 1 + until(rest, is_end).len());
    text[..word.len() + next].trim_end_matches(MARKS)
}

/// The length of a quoted text with its quotes; to the end when it is not closed.
pub fn closing_quote(text: &str, quote: char) -> usize {
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        let next_is_quote = chars.peek().is_some_and(|(_, next)| *next == quote);
        if (c == '\\' && quote == '"') || (c == '\'' && quote == '\'' && next_is_quote) {
            chars.next();
        } else if c == quote {
            return at + 1;
        }
    }
    text.len()
}

/// Whether a value or an address ends before this.
fn is_end(c: char) -> bool {
    c.is_whitespace() || c == '`'
}

fn until(text: &str, ends: impl Fn(char) -> bool) -> &str {
    &text[..text.find(ends).unwrap_or(text.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_told_from_names() {
        for secret in ["sk-abcdefgh", "AKIAIOSFODNN7EXAMPLE", "9f8e7d6c5b4a39281706abcdef012345", "Bearer abc.def"] {
            assert!(looks_secret(secret), "{secret}");
        }
        for name in ["gpt-4o", "anthropic/claude-3-5-sonnet-20241022", "sk-", "my-group", "us.anthropic.claude-v2:1"] {
            assert!(!looks_secret(name), "{name}");
        }
    }

    #[test]
    fn secrets_in_a_text_are_masked_and_the_rest_is_not() {
        let token = "sk-proj-abcdEFGH1234567890abcdEFGH1234";
        for (text, shown) in [
            ("`OPENAI_API_KEY=TOKEN` is not a column", "`OPENAI_API_KEY=***` is not a column"),
            ("`DB=postgres://u:hunter2pass@h/db` is not", "`DB=postgres://***@h/db` is not"),
            ("found `TOKEN`, a text.", "found `***`, a text."),
            ("cannot read `TOKEN`: no such file", "cannot read `***`: no such file"),
            ("write --set traffic.c.model=TOKEN.", "write --set traffic.c.model=***."),
            ("PGPASSWORD=p'w\"d, x", "PGPASSWORD=***, x"),
            ("API_TOKEN = \"two words\"; SECRET='a=b' c", "API_TOKEN = ***; SECRET=*** c"),
            ("{\"api_key\":\"hun\\\"ter2\",\"rpm\":5}", "{\"api_key\":***,\"rpm\":5}"),
            (r#"{\"password\": \"hunter2\", \"rpm\": 5}"#, r#"{\"password\": ***, \"rpm\": 5}"#),
            ("authorization: Bearer abc1, and Bearer tokens", "authorization: Bearer ***, and Bearer tokens"),
            ("`litellm_params.api_key=hunter2` and api_key: hunter2", "`litellm_params.api_key=***` and api_key: ***"),
            ("redis://:p,w]@h:1/0?pw=x, http://h:4000/v1.", "redis://***@h:1/0?***, http://h:4000/v1."),
            ("a KEY=*** stays, postgres://***@h too", "a KEY=*** stays, postgres://***@h too"),
        ] {
            let text = text.replace("TOKEN`", &format!("{token}`")).replace("=TOKEN", &format!("={token}"));
            assert_eq!(masked(&text), shown, "{text}");
            assert_eq!(masked(shown), shown, "again");
        }
    }

    #[test]
    fn names_are_not_masked() {
        for text in [
            "gpt-4o-2024-08-06, anthropic/claude-3-opus-20240229, us.anthropic.claude-3-5-sonnet-20241022-v2:0",
            "accounts/fireworks/models/llama-v3p1-405b-instruct, vertex_ai/claude-3-5-sonnet@20240620",
            "`3fa85f64-5717-4562-b3fc-2c963f66afa6` and `runs/9f8e7d6c5b4a39281706abcdef012345.jsonl`",
            "cannot read `../traces/2024-05-01_prod.csv.gz`: No such file or directory (os error 2)",
            "`api_key`: os.environ/OPENAI_API_KEY, api_key=os.environ/KEY, https://h.example:4000/v1",
            "traffic.chat.key=team-a, `key: team-a`, the key: it is unknown; max_tokens=5, \"model\": \"gpt-4o\"",
            "stale-key: claims.yaml: `bill.mean`; latency: { first_token: 0.5, per_token: 0.02 }; \"by_key\": 3",
            "input_cost_per_token=0.1; did you mean `master_key`? at 12:30, 5/min",
        ] {
            assert_eq!(masked(text), text);
        }
    }

    #[test]
    fn long_texts_are_looked_at_once() {
        for part in
            ["://", "A_KEY=", "A_KEY=os.environ/", "\"a_key\":", "a_key: '", "a=", "x@", "Bearer ", "sk-", "\" ="]
        {
            // Quadratic work would take minutes.
            assert!(masked(&part.repeat(300_000)).len() <= part.len() * 300_000, "{part}");
        }
    }
}
