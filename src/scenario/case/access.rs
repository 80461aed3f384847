//! Whom the proxy lets in, and what it makes of a request before it asks for limits and budgets (`proxy/auth`,
//! `proxy/litellm_pre_call_utils.py`).

use super::fields::Reader;
use crate::document::{Node, Value};
use crate::gateway::litellm::wire::OwnFallbacks;
use crate::units::SimTime;

/// What the proxy says to whom it does not know, or knows no longer.
const UNAUTHORIZED: u16 = 401;
/// What it says to a team that may not have the model.
const FORBIDDEN: u16 = 403;
/// What it says to a key whose team it cannot find.
const NOT_FOUND: u16 = 404;
/// Parameters that would send a request elsewhere, or price it otherwise: the proxy takes them from
/// nobody (`auth_utils.py`).
const BANNED: &[&str] = &[
    "api_base",
    "base_url",
    "user_config",
    "model_list",
    "vertex_credentials",
    "vertex_ai_credentials",
    "azure_ad_token",
    "bedrock_tags",
    "s3_endpoint_url",
    "sagemaker_base_url",
    "deployment_url",
    "nvcf_function_id",
    "use_ssl",
    "rust",
    "tiered_pricing",
    "output_vector_size",
    "regional_processing_uplift_multiplier_eu",
    "regional_processing_uplift_multiplier_us",
    "regional_endpoint_uplift_multiplier",
    "gcs_bucket_name",
    "gcs_path_service_account",
    "slack_webhook_url",
    "turn_off_message_logging",
    "user_api_key_auth_metadata",
    "weave_project_id",
    "langfuse_environment",
];
/// How others of them begin.
const BANNED_BEGINNINGS: &[&str] =
    &["aws_", "arize_", "braintrust_", "dd_", "humanloop_", "langsmith_", "posthog_", "newrelic_"];
/// How others of them end.
const BANNED_ENDS: &[&str] = &["langfuse_host", "langfuse_secret", "_public_key", "_secret_key", "wandb_api_key"];
/// What begins like them and is taken.
const TAKEN: &[&str] = &["langsmith_sampling_rate", "aws_region_name", "aws_access_key_id", "aws_session_token"];

/// What the proxy knows of a key besides its limits.
#[derive(Default)]
pub(super) struct Granted {
    /// The key, as it is sent; empty for the master key.
    pub name: String,
    /// Tags of the key and its team (`litellm_pre_call_utils.py:add_key_level_controls`) [T 224].
    pub tags: Vec<String>,
    /// `disable_fallbacks`.
    pub disable_fallbacks: Option<bool>,
    /// `allow_client_mock_response` in the metadata of the key or its team: bodies may make up answers [T 293].
    pub takes_mocks: bool,
    /// `router_settings`: they stand in place of those of the body [T 262].
    pub settings: Option<Node>,
    /// `allowed_model_region`.
    pub region: Option<String>,
    /// When it expires.
    expires: Option<SimTime>,
    /// It is blocked.
    is_blocked: bool,
    /// It belongs to a team of which there is no row.
    is_stray: bool,
    /// That team is blocked, by what the key says.
    has_blocked_team: bool,
    /// The models that such a team may have, by what the key says.
    team_models: Vec<String>,
    /// Other names for models: those of its team, its own, and those of its router settings.
    aliases: [Vec<(String, String)>; 3],
}

impl Granted {
    /// What stands in the row of a key.
    pub fn read((name, node): (&str, &Node), case: &Node, start_nanos: i128, reader: &mut Reader) -> Self {
        let metadata = node.get("metadata");
        let team = node.get("team_id").and_then(Node::as_str);
        let row = team.and_then(|team| case.get("teams")?.get(team));
        let team_metadata = row.and_then(|row| row.get("metadata"));
        let all = [metadata, node.get("team_metadata"), team_metadata].into_iter().flatten();
        let tags = all.filter_map(|metadata| metadata.get("tags")).flat_map(Node::items).filter_map(Node::as_str);
        let is_on = |metadata: &Node| is_true(metadata, "allow_client_mock_response");
        let takes_mocks = [metadata, node.get("team_metadata").or(team_metadata)].into_iter().flatten().any(is_on);
        let settings = [Some(node), row].into_iter().flatten().filter_map(|node| node.get("router_settings"));
        let settings = settings.into_iter().find(|settings| !settings.entries().is_empty());
        let expires = reader.moment(node, "expires").map(|nanos| nanos.saturating_sub(start_nanos));
        let is_stray = team.is_some() && row.is_none();
        Self {
            name: name.to_owned(),
            tags: tags.map(str::to_owned).collect(),
            takes_mocks,
            disable_fallbacks: metadata.and_then(|metadata| flag(metadata.get("disable_fallbacks")?)),
            settings: settings.cloned(),
            region: node.get("allowed_model_region").and_then(Node::as_str).map(str::to_owned),
            expires: expires.map(|nanos| SimTime(nanos.clamp(i64::MIN.into(), i64::MAX.into()) as i64)),
            is_blocked: is_true(node, "blocked"),
            is_stray,
            has_blocked_team: is_true(node, "team_blocked"),
            team_models: texts(node.get("team_models")),
            aliases: [
                aliases(node.get("team_model_aliases")),
                aliases(node.get("aliases")),
                aliases(settings.and_then(|settings| settings.get("model_group_alias"))),
            ],
        }
    }

    /// The master key's: nothing is asked of it.
    pub const fn is_master(&self) -> bool {
        self.name.is_empty()
    }

    /// The status with which the proxy turns a request away, before it asks for anything that is counted [T 262].
    pub fn turns_away(&self, model: &str, at: SimTime) -> Option<u16> {
        if self.is_blocked || self.expires.is_some_and(|expires| expires < at) {
            return Some(UNAUTHORIZED);
        }
        if !self.is_stray {
            return None;
        }
        if self.team_models.is_empty() {
            return Some(NOT_FOUND);
        }
        if self.has_blocked_team {
            return Some(UNAUTHORIZED);
        }
        let fits = |allowed: &String| match allowed.strip_suffix('*') {
            Some(beginning) => model.starts_with(beginning),
            None => allowed == model || allowed == "all-proxy-models",
        };
        (!self.team_models.iter().any(fits)).then_some(FORBIDDEN)
    }

    /// The model that a request of this key is for: first by the names of its team, then by its own, then by
    /// those of its router settings.
    pub fn renamed<'m>(&'m self, model: &'m str) -> &'m str {
        self.aliases.iter().fold(model, |model, aliases| {
            aliases.iter().find(|(alias, _)| alias == model).map_or(model, |(_, target)| target)
        })
    }
}

/// With which status a body is refused because it holds what the proxy takes from nobody [T 262].
pub(super) fn refusal(params: &Node) -> Option<u16> {
    const NESTED: [&str; 4] = ["extra_body", "litellm_embedding_config", "metadata", "litellm_metadata"];
    let inside = NESTED.into_iter().filter_map(|key| params.get(key));
    let all = [params].into_iter().chain(inside).flat_map(Node::entries);
    let is_banned = |key: &str| {
        let begins = || BANNED_BEGINNINGS.iter().any(|beginning| key.starts_with(beginning)) && !TAKEN.contains(&key);
        key.contains("_cost") || BANNED.contains(&key) || begins() || BANNED_ENDS.iter().any(|end| key.ends_with(end))
    };
    all.map(|entry| &*entry.key).any(is_banned).then_some(UNAUTHORIZED)
}

fn texts(list: Option<&Node>) -> Vec<String> {
    list.map(Node::items).unwrap_or_default().iter().filter_map(Node::as_str).map(str::to_owned).collect()
}

/// A map from names to models, or to maps with a `model`.
fn aliases(map: Option<&Node>) -> Vec<(String, String)> {
    let model = |target: &Node| target.as_str().or_else(|| target.get("model")?.as_str()).map(str::to_owned);
    let entries = map.map(Node::entries).unwrap_or_default();
    entries.iter().filter_map(|entry| Some((entry.key.to_string(), model(&entry.value)?))).collect()
}

/// The names in the fallbacks of a body, and in those of its `router_settings_override`, that the proxy looks up for
/// keys (`auth_utils.py:iter_request_fallback_targets`) [T 296].
pub fn fallback_names(params: Option<&Node>) -> Vec<String> {
    let mut names = Vec::new();
    for source in [params, params.and_then(|params| params.get("router_settings_override"))].into_iter().flatten() {
        OwnFallbacks::KEYS.iter().filter_map(|key| source.get(key)).for_each(|list| add_names(list, &mut names));
    }
    names
}

fn add_names(list: &Node, names: &mut Vec<String>) {
    for item in list.items() {
        let model = item.get("model").and_then(Node::as_str);
        names.extend(item.as_str().or(model).map(str::to_owned));
        match model {
            Some(_) => {
                OwnFallbacks::KEYS.iter().filter_map(|key| item.get(key)).for_each(|list| add_names(list, names))
            }
            None => item.entries().iter().for_each(|entry| add_names(&entry.value, names)),
        }
    }
}

fn flag(node: &Node) -> Option<bool> {
    match node.value {
        Value::Bool(on) => Some(on),
        _ => None,
    }
}

fn is_true(node: &Node, key: &str) -> bool {
    node.get(key).and_then(flag) == Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Format, read};

    fn node(text: &str) -> Node {
        read("case.json", text, Format::Json).0.expect("JSON")
    }

    fn granted(key: &str) -> Granted {
        let case = node(r#"{"teams": {"known": {}}}"#);
        Granted::read(("sk-a", &node(key)), &case, 0, &mut Reader::new("case.json"))
    }

    #[test]
    fn a_key_is_turned_away_once_it_has_expired() {
        let key = granted(r#"{"expires": "1970-01-01T00:00:10Z"}"#);
        let at = |secs: i64| key.turns_away("m", SimTime(secs * 1_000_000_000));
        assert_eq!([at(9), at(10), at(11)], [None, None, Some(401)]);
        assert_eq!(granted(r#"{"blocked": true}"#).turns_away("m", SimTime::ZERO), Some(401));
    }

    #[test]
    fn a_team_without_row_needs_models_that_its_key_tells() {
        let says = |key: &str, model: &str| granted(key).turns_away(model, SimTime::ZERO);
        assert_eq!(says(r#"{"team_id": "known"}"#, "m"), None);
        assert_eq!(says(r#"{"team_id": "t"}"#, "m"), Some(404));
        let key = r#"{"team_id": "t", "team_models": ["m", "openai/*"]}"#;
        assert_eq!([says(key, "m"), says(key, "openai/o3"), says(key, "n")], [None, None, Some(403)]);
    }

    #[test]
    fn names_are_changed_by_team_key_and_router_settings_in_this_order() {
        let key = granted(
            r#"{"team_model_aliases": {"a": "b"}, "aliases": {"b": "c"},
                "router_settings": {"model_group_alias": {"c": {"model": "d"}, "a": "wrong"}}}"#,
        );
        assert_eq!([key.renamed("a"), key.renamed("c"), key.renamed("x")], ["d", "d", "x"]);
    }

    #[test]
    fn bodies_with_what_the_proxy_takes_from_nobody_are_refused() {
        for banned in ["api_base", "input_cost_per_token", "aws_role_name", "langfuse_host", "model_list"] {
            for body in [format!(r#"{{"{banned}": 1}}"#), format!(r#"{{"metadata": {{"{banned}": 1}}}}"#)] {
                assert_eq!(refusal(&node(&body)), Some(401), "{body}");
            }
        }
        for taken in ["temperature", "langsmith_sampling_rate", "aws_region_name", "langfuse_prompt_version", "api_key"]
        {
            assert_eq!(refusal(&node(&format!(r#"{{"{taken}": 1}}"#))), None, "{taken}");
        }
    }
}
