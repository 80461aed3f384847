//! One test for each key as it is published in blog posts, and what the gateway was seen to do with it; then the rules.

use crate::diagnostic::codes;
use crate::diagnostic::{Diagnostic, Severity};
use crate::gateway::litellm::keys::check;

/// Two deployments and room for the rest.
const MODELS: &str = "model_list:
  - model_name: a
    litellm_params: {model: openai/gpt-4o}
  - model_name: b
    litellm_params: {model: openai/gpt-4o-mini}
";

fn findings(text: &str) -> Vec<Diagnostic> {
    check("config.yaml", text)
}

/// Findings of a config with this text after the two deployments.
fn with(rest: &str) -> Vec<Diagnostic> {
    findings(&format!("{MODELS}{rest}\n"))
}

/// Findings of a config whose only deployment has these parameters.
fn with_params(params: &str) -> Vec<Diagnostic> {
    findings(&format!("model_list:\n  - model_name: a\n    litellm_params: {{model: openai/gpt-4o, {params}}}\n"))
}

/// The one finding there is.
#[track_caller]
fn only(found: Vec<Diagnostic>) -> Diagnostic {
    assert_eq!(found.len(), 1, "{found:#?}");
    found.into_iter().next().expect("one")
}

/// The one finding there is has this code, and its message and help hold these words.
#[track_caller]
fn expect(found: Vec<Diagnostic>, code: &str, words: &[&str]) {
    let found = only(found);
    assert_eq!(found.code, code, "{found}");
    for word in words {
        assert!(found.to_string().contains(word), "{word}: {found}");
    }
    assert!(found.span.line > 0 && found.span.column > 0);
}

/// Nothing to say.
#[track_caller]
fn clean(found: Vec<Diagnostic>) {
    assert_eq!(found, [], "expected none");
}

// The table of published keys, row by row.

#[test]
fn a_deployment_budget_without_a_period_never_stops_anything() {
    expect(with_params("max_budget: 50"), codes::BUDGET_WITHOUT_PERIOD, &["no effect", "budget_duration"]);
    expect(with_params("budget_duration: 1d"), codes::BUDGET_WITHOUT_PERIOD, &["no effect"]);
    clean(with_params("max_budget: 50, budget_duration: 30d"));
}

#[test]
fn cooldown_time_in_litellm_settings_is_ignored() {
    let found = with("litellm_settings: {cooldown_time: 60}");
    expect(found, codes::INERT_KEY, &["litellm_settings.cooldown_time", "5 seconds", "router_settings.cooldown_time"]);
}

#[test]
fn max_fallbacks_is_honoured_as_depth() {
    let found = only(with("litellm_settings: {max_fallbacks: 2}"));
    assert_eq!((found.code, found.severity), (codes::FALLBACK_DEPTH, Severity::Note));
}

#[test]
fn retry_after_in_litellm_settings_is_ignored() {
    let found = with("litellm_settings: {retry_after: 5}");
    expect(found, codes::INERT_KEY, &["router_settings.retry_after", "least pause"]);
    clean(with("router_settings: {retry_after: 5}"));
}

#[test]
fn fallbacks_are_honoured_in_both_places_and_spellings() {
    clean(with("litellm_settings: {fallbacks: [{a: [b]}]}"));
    clean(with("router_settings:\n  fallbacks:\n    - a: [\"b\"]\n    - {\"b\": [\"a\"]}"));
    clean(with("router_settings: {fallbacks: [{a: [{model: b, temperature: 0}]}]}"));
}

#[test]
fn router_cooldown_time_is_honoured_and_unknown_targets_fail() {
    clean(with("router_settings: {cooldown_time: 60}"));
    let found = with("router_settings: {fallbacks: [{a: [claude-3-opus, b]}]}");
    expect(found, codes::FALLBACK_TO_NOTHING, &["`claude-3-opus`", "fails when it is reached"]);
}

#[test]
fn streaming_client_disconnect_does_not_exist() {
    let found = with("router_settings: {streaming_client_disconnect: true}");
    expect(found, codes::INERT_KEY, &["ignored with a warning", "cancel_on_disconnect"]);
}

#[test]
fn stream_options_in_litellm_settings_are_ignored() {
    expect(with("litellm_settings: {stream_options: {include_usage: true}}"), codes::INERT_KEY, &["never read"]);
}

#[test]
fn max_retries_has_no_effect_behind_the_router() {
    expect(with_params("max_retries: 2"), codes::INERT_KEY, &["behind the router", "num_retries"]);
}

#[test]
fn cache_in_params_breaks_calls_when_caching_is_on() {
    let quiet = only(with_params("cache: true"));
    assert_eq!((quiet.code, quiet.severity), (codes::INERT_KEY, Severity::Warning));
    let on = "litellm_settings: {cache: true, cache_params: {type: local}}\n";
    let text =
        format!("model_list:\n  - model_name: a\n    litellm_params: {{model: openai/gpt-4o, cache: true}}\n{on}");
    let found = only(findings(&text));
    assert_eq!((found.code, found.severity), (codes::BREAKS_CALLS, Severity::Error));
}

#[test]
fn fallbacks_in_params_double_the_calls() {
    expect(with_params("fallbacks: [b]"), codes::FALLBACK_IN_PARAMS, &["double", "router_settings.fallbacks"]);
}

#[test]
fn allowed_fails_in_params_is_not_read() {
    expect(with_params("allowed_fails: 1"), codes::INERT_KEY, &["not read", "model_info.allowed_fails"]);
}

#[test]
fn a_retry_policy_in_litellm_settings_is_ignored_and_in_the_router_drops_keys_it_does_not_know() {
    let shape = "{InternalServerError: {retries: 1}}";
    let found = with(&format!("litellm_settings: {{retry_policy: {shape}}}"));
    expect(found, codes::INERT_KEY, &["never read", "router_settings"]);
    let found = with(&format!("router_settings: {{retry_policy: {shape}}}"));
    expect(found, codes::UNKNOWN_KEY, &["drops it without a word", "`InternalServerErrorRetries`"]);
    clean(with("router_settings: {retry_policy: {InternalServerErrorRetries: 1, DefaultRetries: 0}}"));
    let found = with("router_settings: {model_group_retry_policy: {a: {RateLimitRetries: 1}}}");
    expect(found, codes::UNKNOWN_KEY, &["`RateLimitErrorRetries`"]);
}

#[test]
fn the_budget_of_the_proxy_needs_a_database() {
    let found = with("litellm_settings: {max_budget: 100, budget_duration: 30d}");
    expect(found, codes::GLOBAL_BUDGET, &["never stops anything", "database_url"]);
    let found = with("litellm_settings: {max_budget: 100}\ngeneral_settings: {database_url: os.environ/DB}");
    expect(found, codes::NOT_SIMULATED, &["not simulated", "429"]);
    expect(with("litellm_settings: {budget_duration: 30d}"), codes::GLOBAL_BUDGET, &["without `max_budget`"]);
}

#[test]
fn rpm_limit_in_litellm_settings_is_ignored() {
    expect(with("litellm_settings: {rpm_limit: 100}"), codes::INERT_KEY, &["no limit for the whole proxy"]);
}

#[test]
fn proxy_budget_respecting_alerting_is_ignored() {
    expect(with("litellm_settings: {proxy_budget_respecting_alerting: true}"), codes::INERT_KEY, &["never read"]);
}

#[test]
fn alerting_threshold_is_seconds_not_a_share() {
    expect(with("general_settings: {alerting_threshold: 0.8}"), codes::ALERTING_SECONDS, &["seconds"]);
    clean(with("general_settings: {alerting_threshold: 300}"));
}

#[test]
fn cache_key_include_models_is_swallowed() {
    let found = with("litellm_settings: {cache: true, cache_params: {type: local, cache_key_include_models: true}}");
    expect(found, codes::INERT_KEY, &["always part of the key"]);
}

#[test]
fn default_fallbacks_are_honoured() {
    clean(with("litellm_settings: {default_fallbacks: [b]}"));
    clean(with("router_settings: {default_fallbacks: [b]}"));
}

#[test]
fn request_timeout_in_general_settings_is_ignored() {
    let found = with("general_settings: {request_timeout: 90}");
    expect(found, codes::INERT_KEY, &["6000 seconds", "litellm_settings.request_timeout"]);
}

#[test]
fn stream_timeout_in_litellm_settings_is_ignored() {
    expect(with("litellm_settings: {stream_timeout: 60}"), codes::INERT_KEY, &["router_settings.stream_timeout"]);
}

#[test]
fn allowed_fails_has_no_effect_at_its_default_and_in_litellm_settings() {
    expect(with("router_settings: {allowed_fails: 3}"), codes::ALLOWED_FAILS, &["default"]);
    expect(with("litellm_settings: {allowed_fails: 3}"), codes::ALLOWED_FAILS, &["router_settings.allowed_fails"]);
    expect(with("litellm_settings: {allowed_fails: 1}"), codes::ALLOWED_FAILS, &["no effect"]);
    clean(with("router_settings: {allowed_fails: 1}"));
    let both = with("router_settings: {allowed_fails: 1}\nlitellm_settings: {allowed_fails: 1}");
    assert_eq!(both.len(), 2, "the router compares its value with the module's");
    clean(with("router_settings: {allowed_fails: 3, allowed_fails_policy: {TimeoutErrorAllowedFails: 1}}"));
}

#[test]
fn weight_zero_is_a_standby_and_no_weight_beside_one_gets_nothing() {
    let group = |weights: [&str; 2]| {
        let entry = |weight| format!("  - model_name: a\n    litellm_params: {{model: openai/gpt-4o{weight}}}\n");
        findings(&format!("model_list:\n{}{}", entry(weights[0]), entry(weights[1])))
    };
    expect(group([", weight: 1", ", weight: 0"]), codes::STANDBY, &["standby"]);
    expect(group([", weight: 1", ""]), codes::STANDBY, &["gets no traffic"]);
    clean(group([", weight: 1", ", weight: 2"]));
    clean(group(["", ""]));
}

#[test]
fn stream_in_params_is_ignored_and_max_tokens_honoured() {
    expect(with_params("stream: true"), codes::INERT_KEY, &["the request decides"]);
    clean(with_params("max_tokens: 100"));
}

#[test]
fn an_invalid_provider_drops_the_deployment() {
    let text = "model_list:\n  - model_name: a\n    litellm_params: {model: claude/claude-3-haiku}\n";
    let mut found = findings(text);
    let nothing_left = found.iter().position(|found| found.code == codes::NO_MODELS).expect("nothing is left");
    assert_eq!(found.remove(nothing_left).severity, Severity::Error);
    let found = only(found);
    assert_eq!((found.code, found.severity), (codes::DROPPED_DEPLOYMENT, Severity::Warning));
    assert_eq!((found.span.line, found.span.column), (3, 29));
}

#[test]
fn an_unknown_callback_breaks_the_start() {
    for callbacks in ["stream_cost_logger", "[stream_cost_logger]"] {
        let found = only(with(&format!("litellm_settings: {{callbacks: {callbacks}}}")));
        assert_eq!((found.code, found.severity), (codes::BREAKS_START, Severity::Error), "{callbacks}");
    }
    clean(with("litellm_settings: {callbacks: [langfuse, my_module.handler], success_callback: [foo]}"));
    clean(with("litellm_settings: {callbacks: [hook]}\ncallback_settings: {hook: {callback_type: generic_api}}"));
}

#[test]
fn the_redis_transaction_buffer_needs_redis() {
    let found = with("general_settings: {use_redis_transaction_buffer: true}");
    expect(found, codes::REDIS_ADDRESS, &["does not start", "type: redis"]);
    let redis = "litellm_settings: {cache: true, cache_params: {type: redis, host: h, port: 6379}}";
    clean(with(&format!("general_settings: {{use_redis_transaction_buffer: true}}\n{redis}")));
}

#[test]
fn prometheus_needs_its_package() {
    for list in ["callbacks: [prometheus]", "success_callback: [prometheus]", "service_callback: [prometheus_system]"] {
        expect(with(&format!("litellm_settings: {{{list}}}")), codes::NEEDS_PACKAGE, &["prometheus_client"]);
    }
    clean(with("litellm_settings: {failure_callback: [prometheus], success_callback: [langfuse]}"));
}

// Section a: what is silently ignored in litellm_settings.

#[test]
fn all_that_litellm_settings_silently_ignore_is_reported_with_its_place() {
    let ignored = [
        ("cooldown_time: 1", "router_settings.cooldown_time"),
        ("retry_after: 1", "router_settings.retry_after"),
        ("retry_policy: {}", "router_settings"),
        ("stream_timeout: 1", "router_settings.stream_timeout"),
        ("routing_strategy: least-busy", "router_settings"),
        ("timeout: 1", "litellm_settings.request_timeout"),
        ("rpm_limit: 1", "virtual key"),
        ("tpm_limit: 1", "virtual key"),
        ("stream_options: {}", "request body"),
        ("proxy_budget_respecting_alerting: true", "never read"),
        ("model_group_alias: {x: a}", "router_settings"),
        ("enable_pre_call_checks: true", "router_settings"),
    ];
    for (setting, place) in ignored {
        expect(with(&format!("litellm_settings: {{{setting}}}")), codes::INERT_KEY, &[place]);
    }
}

#[test]
fn the_same_setting_in_two_places_counts_once() {
    let found = with("router_settings: {num_retries: 1}\nlitellm_settings: {num_retries: 5}");
    expect(found, codes::OVERRIDDEN, &["litellm_settings.num_retries", "wins"]);
    let found = with("router_settings: {timeout: 10}\nlitellm_settings: {request_timeout: 20}");
    expect(found, codes::OVERRIDDEN, &["router_settings.timeout", "litellm_settings.request_timeout wins"]);
}

// Unknown and misplaced keys.

#[test]
fn unknown_keys_get_a_suggestion_and_their_fate() {
    let cases = [
        ("router_settings: {num_retires: 3}", "`num_retries`", "ignores it with a warning"),
        ("litellm_settings: {drop_parms: true}", "`drop_params`", "nothing reads it"),
        ("general_settings: {cancel_on_disconect: true}", "`cancel_on_disconnect`", "does not read it"),
        ("routr_settings: {}", "`router_settings`", "does not read it"),
        ("litellm_settings: {cache: true, cache_params: {type: local, tttl: 5}}", "`ttl`", "does not read it"),
    ];
    for (text, near, fate) in cases {
        expect(with(text), codes::UNKNOWN_KEY, &[near, fate]);
    }
    expect(with_params("weigth: 3"), codes::UNKNOWN_KEY, &["`weight`", "sends it to the provider"]);
}

#[test]
fn misplaced_keys_are_sent_home() {
    expect(with("general_settings: {num_retries: 3}"), codes::INERT_KEY, &["router_settings.num_retries"]);
    expect(with("num_retries: 3"), codes::INERT_KEY, &["router_settings.num_retries"]);
    expect(with("router_settings: {master_key: os.environ/K}"), codes::INERT_KEY, &["general_settings.master_key"]);
    let beside = "model_list:\n  - model_name: a\n    weight: 3\n    litellm_params: {model: openai/gpt-4o}\n";
    expect(findings(beside), codes::INERT_KEY, &["litellm_params.weight"]);
    expect(with("router_settings: {health_check_interval: 5}"), codes::BREAKS_START, &["general_settings"]);
}

#[test]
fn notes_in_model_info_are_not_worth_a_warning() {
    let text =
        "model_list:\n  - model_name: a\n    litellm_params: {model: openai/gpt-4o}\n    model_info: {owner_team: x}\n";
    assert_eq!(only(findings(text)).severity, Severity::Note);
}

#[test]
fn what_is_real_but_not_simulated_is_said() {
    expect(with("router_settings: {cache_kwargs: {host: h}}"), codes::NOT_SIMULATED, &["fleet"]);
    clean(with("router_settings: {redis_host: h}\ngeneral_settings: {coordination_redis: {host: h}}"));
    expect(with("router_settings: {routing_strategy: lar1}"), codes::NOT_SIMULATED, &["lar1"]);
    expect(with("guardrails: []"), codes::NOT_SIMULATED, &["guardrails"]);
    let entry = |params: &str| with(&format!("router_settings: {{fallbacks: [{{a: [{{model: b, {params}}}]}}]}}"));
    expect(entry("metadata: {}"), codes::NOT_SIMULATED, &["`metadata`"]);
    expect(entry("fallbacks: [{model: b, stream: true}]"), codes::NOT_SIMULATED, &["`stream`"]);
    clean(entry("timeout: 5, num_retries: 1, disable_fallbacks: true, fallbacks: [], mock_response: hi"));
    expect(with_params("mock_response: hello"), codes::MADE_UP_ANSWERS, &["no provider is called"]);
    expect(with_params("mock_timeout: true"), codes::MADE_UP_ANSWERS, &["no provider is called"]);
    clean(with_params("mock_response: ''"));
}

// Rules about names.

#[test]
fn names_that_lead_nowhere_are_reported() {
    expect(with("router_settings: {fallbacks: [{c: [b]}]}"), codes::FALLBACK_OF_NOTHING, &["`c`"]);
    expect(with("router_settings: {fallbacks: [{a: [a]}]}"), codes::FALLBACK_TO_ITSELF, &["`a`"]);
    expect(with("router_settings: {fallbacks: [{a: [b]}, {a: [b]}]}"), codes::FALLBACK_TWICE, &["line 6"]);
    expect(with("router_settings: {model_group_alias: {x: nope}}"), codes::ALIAS_OF_NOTHING, &["400"]);
    expect(with("router_settings: {model_group_alias: {a: b}}"), codes::ALIAS_HIDES_GROUP, &["hides"]);
    clean(with("router_settings: {model_group_alias: {x: a}, fallbacks: [{x: [b]}, {\"*\": [a]}]}"));
    expect(with("router_settings: {default_fallbacks: [nope]}"), codes::FALLBACK_TO_NOTHING, &["`nope`"]);
}

#[test]
fn a_fallback_to_a_dropped_deployment_says_so() {
    let text = "model_list:\n  - model_name: a\n    litellm_params: {model: openai/gpt-4o}\n  - model_name: b\n    \
                litellm_params: {model: nobody/x}\nrouter_settings: {fallbacks: [{a: [b]}]}\n";
    let found = findings(text);
    let dropped = found.iter().find(|d| d.code == codes::FALLBACK_TO_NOTHING).expect("a finding");
    assert!(dropped.message.contains("dropped"), "{dropped}");
}

#[test]
fn a_key_without_its_provider_is_looked_up_too() {
    let text = "model_list:\n  - {model_name: openai/gpt-4o, litellm_params: {model: openai/gpt-4o}}\n  - \
        {model_name: b, \
                litellm_params: {model: openai/gpt-4o-mini}}\nrouter_settings: {fallbacks: [{gpt-4o: [b]}]}\n";
    clean(findings(text));
}

#[test]
fn fallbacks_written_as_text_are_tried_letter_by_letter() {
    let found = with("router_settings: {fallbacks: [{a: fallback}]}");
    expect(found, codes::FALLBACK_LETTERS, &["each letter", "brackets"]);
}

#[test]
fn fallbacks_for_long_prompts_hide_the_regular_ones() {
    let found = with("router_settings: {fallbacks: [{a: [b]}], context_window_fallbacks: [{b: [a]}]}");
    clean(found);
    let mut text = format!("{MODELS}  - model_name: c\n    litellm_params: {{model: openai/gpt-4o}}\n");
    text += "router_settings: {context_window_fallbacks: [{a: [b]}]}\n";
    expect(findings(&text), codes::CONTEXT_FALLBACK_MISSING, &["`c`"]);
}

#[test]
fn duplicate_ids_and_strategies_that_do_not_exist() {
    let entry = "  - {model_name: a, litellm_params: {model: openai/gpt-4o}, model_info: {id: x}}\n";
    expect(findings(&format!("model_list:\n{entry}{entry}")), codes::DUPLICATE_ID, &["line 2"]);
    let found = with("router_settings: {routing_strategy: least_busy}");
    expect(found, codes::BREAKS_START, &["`least-busy`"]);
}

// Rules about limits, prices, cooldowns and the cache.

#[test]
fn rpm_under_simple_shuffle_is_a_weight() {
    expect(with_params("rpm: 60"), codes::LIMIT_IS_WEIGHT, &["no limits", "enforce_model_rate_limits"]);
    let base = "model_list:\n  - model_name: a\n    litellm_params: {model: openai/gpt-4o, rpm: 60}\nrouter_settings: ";
    clean(findings(&format!("{base}{{enable_pre_call_checks: true}}\n")));
    clean(findings(&format!("{base}{{optional_pre_call_checks: [enforce_model_rate_limits]}}\n")));
    clean(findings(&format!("{base}{{routing_strategy: usage-based-routing-v2}}\n")));
}

#[test]
fn a_price_for_input_alone_makes_output_free() {
    expect(with_params("input_cost_per_token: 1.0e-6"), codes::FREE_OUTPUT, &["output_cost_per_token"]);
    clean(with_params("input_cost_per_token: 1.0e-6, output_cost_per_token: 2.0e-6"));
}

#[test]
fn cooldown_zero_and_failures_of_single_deployments() {
    expect(with("router_settings: {cooldown_time: 0}"), codes::COOLDOWN_ZERO, &["disable_cooldowns"]);
    let single =
        "model_list:\n  - {model_name: a, litellm_params: {model: openai/gpt-4o}, model_info: {allowed_fails: 1}}\n";
    expect(findings(single), codes::ALLOWED_FAILS, &["group of one"]);
}

#[test]
fn caches_that_are_off_or_cannot_be_made() {
    expect(with("litellm_settings: {cache_params: {type: local}}"), codes::CACHE_OFF, &["cache: true"]);
    expect(with("litellm_settings: {cache: true}"), codes::REDIS_ADDRESS, &["REDIS_HOST"]);
    expect(with("litellm_settings: {cache: true, cache_params: {type: redis}}"), codes::REDIS_ADDRESS, &[]);
    expect(with("litellm_settings: {cache: true, cache_params: {type: foo}}"), codes::BREAKS_START, &["local"]);
    clean(with("litellm_settings: {cache: true, cache_params: {ttl: 60}}"));
}

#[test]
fn findings_stand_in_the_order_of_the_file() {
    let found = with("general_settings: {request_timeout: 1}\nlitellm_settings: {timeout: 1}\nrouter_settings: {x: 1}");
    let lines: Vec<usize> = found.iter().map(|finding| finding.span.line).collect();
    assert_eq!(lines, [6, 7, 8]);
}

#[test]
fn settings_of_the_wrong_shape_keep_the_gateway_from_starting() {
    let broken = [
        "litellm_settings: {max_budget: null}",
        "litellm_settings: {max_ui_session_budget: x}",
        "litellm_settings: {budget_reset_time: x}",
        "litellm_settings: {upperbound_key_generate_params: 5}",
        "litellm_settings: {default_team_settings: [{a: 1}]}",
        "litellm_settings: {guardrails: x}",
        "litellm_settings: {responses: x}",
        "litellm_settings: {custom_provider_map: [{provider: p}]}",
        "litellm_settings: {cache: true, cache_params: 5}",
        "litellm_settings: {cache: true, cache_params: {type: null}}",
        "general_settings: {user_api_key_cache_ttl: x}",
        "general_settings: {pass_through_endpoints: 5}",
        "general_settings: {role_permissions: x}",
        "general_settings: {custom_auth: x}",
        "general_settings: {key_management_system: foo}",
        "router_settings: {routing_groups: [{a: [b]}]}",
        "environment_variables: 5",
    ];
    for rest in broken {
        let errors: Vec<_> = with(rest).into_iter().filter(|finding| finding.severity == Severity::Error).collect();
        assert_eq!(errors.iter().map(|error| error.code).collect::<Vec<_>>(), [codes::BREAKS_START], "{rest}");
    }
    expect(with("general_settings: {allowed_ips: [1.2.3.4]}"), codes::NEEDS_LICENCE, &["LITELLM_LICENSE"]);
}

#[test]
fn the_published_configs_are_read_and_told_what_they_do() {
    let config_000 = "model_list:
  - {model_name: deepseek-chat, litellm_params: {model: openai/deepseek-chat, max_budget: 50}, model_info: {id: ds}}
  - {model_name: gemini-flash, litellm_params: {model: openai/gemini-1.5-flash, max_budget: 50}, model_info: {id: gf}}
litellm_settings:
  num_retries: 2
  allowed_fails: 3
  cooldown_time: 60
  fallbacks: [{deepseek-chat: [gemini-flash]}, {gemini-flash: [deepseek-chat]}]
  cache: false
";
    let found: Vec<_> = findings(config_000).iter().map(|finding| (finding.code, finding.span.line)).collect();
    let budget = codes::BUDGET_WITHOUT_PERIOD;
    assert_eq!(found, [(budget, 2), (budget, 3), (codes::ALLOWED_FAILS, 6), (codes::INERT_KEY, 7)]);
    let config_003 = "model_list:
  - {model_name: xai/grok-4.3, litellm_params: {model: xai/grok-4.3, api_key: os.environ/XAI}}
  - {model_name: anthropic/claude-sonnet-4-6, litellm_params: {model: anthropic/claude-sonnet-4-6}}
router_settings:
  routing_strategy: simple-shuffle
  num_retries: 3
  allowed_fails: 3
  cooldown_time: 30
  fallbacks: [{xai/grok-4.3: [anthropic/claude-sonnet-4-6]}]
litellm_settings: {drop_params: true, stream_timeout: 60, default_fallbacks: [anthropic/claude-haiku-4-5]}
general_settings: {request_timeout: 90}
";
    let found: Vec<_> = findings(config_003).iter().map(|finding| (finding.code, finding.span.line)).collect();
    let expected =
        [(codes::ALLOWED_FAILS, 7), (codes::INERT_KEY, 10), (codes::FALLBACK_TO_NOTHING, 10), (codes::INERT_KEY, 11)];
    assert_eq!(found, expected);
}

#[test]
fn the_clock_of_budgets_must_exist() {
    let with_clock = |settings: &str| with(&format!("litellm_settings: {{ {settings} }}"));
    clean(with_clock("timezone: Asia/Tokyo, budget_reset_time: \"06:30\""));
    expect(with_clock("timezone: Berlin"), codes::BUDGET_PERIOD, &["begin anew by UTC"]);
    expect(with_clock("budget_reset_time: \"25:00\""), codes::BREAKS_START, &["time of day"]);
}
