//! One test for each rule.

use super::{MODELS, clean, expect, findings, with, with_params};
use crate::diagnostic::Severity;
use crate::diagnostic::codes;

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

#[test]
fn numbers_below_zero_are_told_with_what_the_gateway_makes_of_them() {
    expect(with("router_settings: {cooldown_time: -5}"), codes::NEGATIVE, &["nothing ever rests"]);
    expect(with("router_settings: {timeout: -1}"), codes::NEGATIVE, &["every call ends in 408"]);
    expect(with("litellm_settings: {request_timeout: -1}"), codes::NEGATIVE, &["every call ends"]);
    expect(with_params("stream_timeout: -1"), codes::NEGATIVE, &["every stream here"]);
    expect(with_params("weight: -1"), codes::NEGATIVE, &["not picked for it"]);
    expect(
        with_params("input_cost_per_token: -0.001, output_cost_per_token: 0.001"),
        codes::NEGATIVE,
        &["money earned"],
    );
}

#[test]
fn aliases_are_looked_up_once() {
    let aliases = |aliases: &str| with(&format!("router_settings: {{model_group_alias: {{{aliases}}}}}"));
    let circle = aliases("p: q, q: p");
    assert_eq!(circle.iter().map(|found| found.code).collect::<Vec<_>>(), [codes::ALIAS_CHAIN; 2]);
    expect(aliases("p: p"), codes::ALIAS_CHAIN, &["only the first"]);
    clean(aliases("p: a"));
}
