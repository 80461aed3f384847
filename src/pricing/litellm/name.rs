//! Model names: prefixes, regions, versions (LiteLLM 1.102.4, `utils.py` and `llms/bedrock/common_utils.py`).

use super::providers::is_bedrock_region;

const BEDROCK_ROUTES: [&str; 6] = ["bedrock/", "converse/", "invoke/", "openai/", "nova-2/", "nova/"];
const BEDROCK_GEOGRAPHIES: [&str; 7] = ["global", "us", "eu", "apac", "jp", "au", "us-gov"];

/// The name without the version or suffix that the provider's price list leaves out (`_strip_model_name`).
pub fn without_version(model: &str, provider: &str) -> String {
    match provider {
        "bedrock" | "bedrock_converse" => bedrock_base(model),
        "vertex_ai" | "gemini" | "databricks" => without_number(model).to_owned(),
        _ if model.contains("ft:") => without_finetune(model).to_owned(),
        _ => model.to_owned(),
    }
}

/// Bedrock's routing prefixes, each stripped once, in their order.
pub fn without_bedrock_route(model: &str) -> &str {
    BEDROCK_ROUTES.iter().fold(model, |name, route| name.strip_prefix(route).unwrap_or(name))
}

/// Azure's older names for OpenAI's models.
pub fn azure_alias(model: &str) -> &str {
    match model {
        "gpt-35-turbo" => "azure/gpt-35-turbo",
        "gpt-35-turbo-16k" => "azure/gpt-35-turbo-16k",
        "gpt-35-turbo-instruct" => "azure/gpt-35-turbo-instruct",
        "azure/gpt-41" => "gpt-4.1",
        "azure/gpt-41-mini" => "gpt-4.1-mini",
        "azure/gpt-41-nano" => "gpt-4.1-nano",
        "ada" => "azure/ada",
        other => other,
    }
}

/// The price list's name of a Databricks endpoint (`llms/databricks/cost_calculator.py`).
pub fn databricks_endpoint(model: &str) -> &str {
    const LEGACY: [(&str, &str); 7] = [
        ("dbrx-instruct", "databricks-dbrx-instruct"),
        ("meta-llama-3.1-70b-instruct", "databricks-meta-llama-3-1-70b-instruct"),
        ("meta-llama-3.1-405b-instruct", "databricks-meta-llama-3-1-405b-instruct"),
        ("mixtral-8x7b-instruct-v0.1", "databricks-mixtral-8x7b-instruct"),
        ("bge-large-en", "databricks-bge-large-en"),
        ("gte-large-en", "databricks-gte-large-en"),
        ("llama-2-70b-chat", "databricks-llama-2-70b-chat"),
    ];
    let name = model.strip_prefix("databricks/").unwrap_or(model);
    LEGACY.iter().find(|(legacy, _)| name.starts_with(legacy)).map_or(name, |(_, key)| key)
}

/// `us.meta.llama3-2-11b-instruct-v1:0` → `meta.llama3-2-11b-instruct-v1:0`, also behind routes, ARNs and regions.
fn bedrock_base(model: &str) -> String {
    let routed = ["bedrock/converse/", "bedrock/", "converse/"].iter().find_map(|route| model.strip_prefix(route));
    let bare = routed.unwrap_or(model);
    if bare.starts_with("nova-2/") {
        return "amazon.nova-2-custom".to_owned();
    }
    if bare.starts_with("nova/") {
        return "amazon.nova-custom".to_owned();
    }
    let name = without_bedrock_route(model);
    let is_arn = name.to_lowercase().contains("arn");
    let name = if is_arn { name.rsplit('/').next().unwrap_or(name) } else { name };
    let name = without_throughput(name);
    match (name.split_once('.'), name.split_once('/')) {
        (Some((geography, rest)), _) if BEDROCK_GEOGRAPHIES.contains(&geography) => rest.to_owned(),
        (_, Some((region, rest))) if is_bedrock_region(region) => rest.to_owned(),
        _ => name.to_owned(),
    }
}

/// Drops `:51k` behind a version number, and a context window such as `[1m]`.
fn without_throughput(name: &str) -> &str {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let name = match name.rsplit_once(':') {
        Some((version, size)) if size.strip_suffix('k').is_some_and(digits) => {
            let numbered = version.rsplit_once(':').is_some_and(|(_, number)| digits(number));
            if numbered { version } else { name }
        }
        _ => name,
    };
    let word = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_');
    match name.strip_suffix(']').and_then(|rest| rest.rsplit_once('[')) {
        Some((base, window)) if word(window) => base,
        _ => name,
    }
}

/// Drops a trailing `-001`.
fn without_number(model: &str) -> &str {
    match model.rsplit_once('-') {
        Some((base, number)) if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) => base,
        _ => model,
    }
}

/// `ft:gpt-4o:org:suffix:id` → `ft:gpt-4o`: the last three parts go, if there are that many.
fn without_finetune(model: &str) -> &str {
    model.rmatch_indices(':').nth(2).map_or(model, |(at, _)| &model[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_regions_are_stripped() {
        for (model, provider, expected) in [
            ("us.meta.llama3-2-11b-instruct-v1:0", "bedrock", "meta.llama3-2-11b-instruct-v1:0"),
            ("bedrock/converse/anthropic.claude-3-haiku", "bedrock", "anthropic.claude-3-haiku"),
            ("anthropic.claude-3-5-sonnet-20241022-v2:0:51k", "bedrock", "anthropic.claude-3-5-sonnet-20241022-v2:0"),
            ("us-east-1/anthropic.claude-v2", "bedrock", "anthropic.claude-v2"),
            ("us.anthropic.claude-opus-4-6-v1[1m]", "bedrock", "anthropic.claude-opus-4-6-v1"),
            ("gemini-1.5-flash-001", "gemini", "gemini-1.5-flash"),
            ("ft:gpt-4o-2024-08-06:my-org::id", "openai", "ft:gpt-4o-2024-08-06"),
            ("gpt-4o", "openai", "gpt-4o"),
        ] {
            assert_eq!(without_version(model, provider), expected, "{model}");
        }
    }
}
