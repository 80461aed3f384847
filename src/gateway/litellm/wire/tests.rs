//! What the real loader does with each of these was recorded: kept, dropped, refused to start, or failed in calls.

use crate::diagnostic::codes;
use crate::diagnostic::{Diagnostic, Severity};
use crate::document;
use crate::document::Format;
use crate::gateway::litellm::wire::{Deployment, Endpoint, MOST_TRIES, Secret, Wire, read};
use crate::units::UnitPrice;

fn wire(text: &str) -> (Wire, Vec<Diagnostic>) {
    let (wire, diagnostics) = read("config.yaml", text);
    (wire.unwrap_or_else(|| panic!("{diagnostics:?}")), diagnostics)
}

/// A config with one deployment, these parameters and this rest.
fn config(params: &str, rest: &str) -> String {
    format!(
        "model_list:\n  - model_name: a\n    litellm_params: {{model: openai/gpt-4o, api_key: x{params}}}\n{rest}\n"
    )
}

#[test]
fn a_config_is_mirrored_with_places() {
    let text = config(
        ", rpm: \"60\", api_base: \"https://me:pw@h.example:8080/v1?key=x\", input_cost_per_token: 15e-8",
        "litellm_settings:\n  cache: true\n  cache_params: {type: local, ttl: 60}\n  fallbacks: [{a: [b]}, {\"b\": \
         [\"a\"]}]",
    );
    let (wire, found) = wire(&text);
    assert_eq!(found, []);
    let deployment = &wire.model_list[0];
    let params = &deployment.litellm_params;
    let rpm = params.rpm.as_ref().unwrap();
    assert_eq!((rpm.value, rpm.span.line, &text[rpm.span.start..rpm.span.end]), (60, 3, "\"60\""));
    assert_eq!(params.api_base.as_ref().unwrap().value, Endpoint::Host("https://h.example:8080".into()));
    assert_eq!(deployment.params_prices[0].1.value, "15e-8".parse::<UnitPrice>().unwrap());
    assert_eq!((deployment.provider, deployment.dropped), (Some("openai"), false));
    let cache = wire.litellm_settings.cache_params.unwrap().value;
    assert_eq!(cache.r#type.unwrap().value, "local");
    let fallbacks = wire.litellm_settings.fallbacks.unwrap().value.0;
    assert_eq!((fallbacks[1].group.value.as_str(), fallbacks[1].targets[0].value.model.as_str()), ("b", "a"));
}

#[test]
fn a_part_of_a_json_case_is_read_the_same_way() {
    let case = r#"{"name": "x", "config": {"model_list": [{"model_name": "a", "litellm_params":
        {"model": "openai/gpt-4o", "timeout": null, "order": 2}, "model_info": {"id": 7}, "rpm": 5}]}}"#;
    let (node, _) = document::read("case.json", case, Format::Json);
    let (wire, found) = Wire::from_node("case.json", node.unwrap().get("config").unwrap());
    assert_eq!(found, []);
    let deployment = &wire.unwrap().model_list[0];
    let params = &deployment.litellm_params;
    assert_eq!(params.timeout, None);
    assert_eq!((params.order.as_ref().unwrap().value, params.rpm.as_ref().unwrap().value), (2.0, 5));
    assert_eq!(deployment.model_info.id.as_ref().unwrap().value.0, "7");
}

#[test]
fn numbers_as_text_are_taken_where_the_gateway_takes_them() {
    let kept = [
        "rpm: \"60\"",
        "rpm: 60.0",
        "rpm: \" 60 \"",
        "rpm: \"1_000\"",
        "rpm: true",
        "stream_timeout: \"30\"",
        "max_budget: \"50\"",
        "input_cost_per_token: \"1e-6\"",
        "order: \"1\"",
        "timeout: os.environ/T",
        "rpm: os.environ/R",
        "api_key: null",
        "rpm: -1",
    ];
    for params in kept {
        let (wire, found) = wire(&config(&format!(", {params}"), ""));
        assert!(!wire.model_list[0].dropped, "{params}");
        assert!(
            found.iter().all(|d| d.severity == Severity::Note || d.code == codes::DUPLICATE_KEY),
            "{params}: {found:?}"
        );
    }
}

#[test]
fn what_fails_validation_is_dropped_with_a_warning() {
    let dropped = [
        "rpm: 60.5",
        "rpm: x",
        "rpm: [1]",
        "tpm: 1e3",
        "max_retries: x",
        "max_retries: 2.5",
        "max_budget: x",
        "budget_duration: 30",
        "tags: x",
        "input_cost_per_token: x",
        "api_base: 5",
        "region_name: 5",
        "custom_llm_provider: zzz",
    ];
    for params in dropped {
        let (wire, found) = wire(&config(&format!(", {params}"), ""));
        assert!(wire.model_list[0].dropped, "{params}");
        let summary: Vec<_> = found.iter().map(|d| (d.code, d.severity)).collect();
        assert_eq!(summary, [(codes::DROPPED_DEPLOYMENT, Severity::Warning)], "{params}: {found:?}");
    }
    for info in ["id: [1]", "base_model: 5", "input_cost_per_token: x"] {
        let (wire, _) = wire(&config("", &format!("    model_info: {{{info}}}")));
        assert!(wire.model_list[0].dropped, "{info}");
    }
}

/// The codes and severities of a config with these settings.
fn outcome(rest: &str) -> Vec<(&'static str, Severity)> {
    let (_, found) = read("config.yaml", &config("", rest));
    found.iter().map(|d| (d.code, d.severity)).collect()
}

#[test]
fn what_keeps_the_gateway_from_starting_is_an_error() {
    let broken = [
        "router_settings: {fallbacks: {a: [b]}}",
        "router_settings: {fallbacks: [a]}",
        "router_settings: {fallbacks: [{a: [b], c: [d]}]}",
        "router_settings: {content_policy_fallbacks: {a: [b]}}",
        "router_settings: {retry_policy: {InternalServerErrorRetries: x}}",
        "router_settings: {model_group_alias: x}",
        "router_settings: {model_group_alias: {x: {model: a}}}",
        "router_settings: {provider_budget_config: {openai: 5}}",
        "litellm_settings: [1]",
        "general_settings: [1]",
        "general_settings: {master_key: 5}",
        "general_settings: {database_url: 5}",
        "litellm_settings: {max_budget: x}",
        "litellm_settings: {fallbacks: {a: [b]}}",
        "    model_info:",
        "  - a",
    ];
    for rest in broken {
        assert_eq!(outcome(rest), [(codes::BREAKS_START, Severity::Error)], "{rest}");
    }
    for text in ["model_list:\n  - model_name: a\n", "model_list:\n  - litellm_params: {model: gpt-4o}\n"] {
        let (_, found) = read("config.yaml", text);
        assert_eq!(found[0].code, codes::MISSING_KEY, "{text}");
    }
    for text in
        ["- a\n", "hello\n", "model_list: {a: b}\n", "model_list:\n  - {model_name: a, litellm_params: {model: 5}}\n"]
    {
        let (_, found) = read("config.yaml", text);
        assert_eq!(found[0].code, codes::BREAKS_START, "{text}: {found:?}");
    }
}

#[test]
fn what_breaks_calls_is_an_error() {
    let broken = [
        "router_settings: {num_retries: \"3\"}",
        "router_settings: {num_retries: 1.0}",
        "router_settings: {retry_after: \"1\"}",
        "router_settings: {max_fallbacks: \"2\"}",
        "router_settings: {timeout: x}",
        "litellm_settings: {num_retries: \"3\"}",
        "router_settings: {num_retries: os.environ/N}",
        "litellm_settings: {cache: \"true\"}",
    ];
    for rest in broken {
        assert_eq!(outcome(rest), [(codes::BREAKS_CALLS, Severity::Error)], "{rest}");
    }
    for params in ["weight: \"3\"", "max_parallel_requests: \"2\"", "timeout: x"] {
        let (_, found) = read("config.yaml", &config(&format!(", {params}"), ""));
        assert_eq!(found[0].code, codes::BREAKS_CALLS, "{params}");
    }
}

#[test]
fn what_merely_does_not_work_is_a_warning() {
    let inert = [
        "router_settings: {cooldown_time: \"30\"}",
        "router_settings: {allowed_fails: \"1\"}",
        "router_settings: [1]",
        "router_settings: {retry_policy: 5}",
        "router_settings: {enable_pre_call_checks: \"false\"}",
        "litellm_settings: {cost_discount_config: 5}",
        "router_settings: {context_window_fallbacks: {a: [b]}}",
    ];
    for rest in inert {
        assert_eq!(outcome(rest), [(codes::WRONG_TYPE, Severity::Warning)], "{rest}");
    }
    let (wire, _) = wire(&config("", "router_settings: {enable_pre_call_checks: \"false\"}"));
    assert!(wire.router_settings.enable_pre_call_checks.unwrap().value, "Python takes text for true");
}

#[test]
fn numbers_that_cannot_be_counted_with_are_errors() {
    for value in [".inf", ".nan", "\"1e999\""] {
        let (_, found) = read("config.yaml", &config(&format!(", rpm: {value}"), ""));
        assert!(found.iter().any(|d| d.severity >= Severity::Warning), "{value}");
    }
    let (noisy, found) = wire(&config(", input_cost_per_token: 1.2345678901234567e-13", ""));
    let rounded = "1.23456789012346e-13".parse().unwrap();
    assert_eq!((found, noisy.model_list[0].params_prices[0].1.value), (vec![], rounded));
    let (_, found) = read("config.yaml", &config(", input_cost_per_token: 1.0e-30", ""));
    assert_eq!(found[0].code, codes::OUT_OF_RANGE);
}

#[test]
fn more_retries_than_can_be_simulated_are_errors() {
    let places = [
        (", num_retries: N", ""),
        ("", "router_settings: {num_retries: N}"),
        ("", "litellm_settings: {num_retries: N}"),
        ("", "router_settings: {max_fallbacks: N}"),
        ("", "litellm_settings: {max_fallbacks: N}"),
        ("", "router_settings: {retry_policy: {TimeoutErrorRetries: N}}"),
        ("", "router_settings: {model_group_retry_policy: {a: {RateLimitErrorRetries: N}}}"),
        ("", "router_settings: {fallbacks: [{a: [{model: b, num_retries: N}]}]}"),
    ];
    for (params, rest) in places {
        let of = |n: i64| read("config.yaml", &config(params, rest).replace('N', &n.to_string())).1;
        assert_eq!(of(MOST_TRIES), [], "{params}{rest}");
        let found = of(1_000_000_000);
        let [only] = &found[..] else { panic!("{found:?}") };
        assert_eq!((only.code, only.severity), (codes::OUT_OF_RANGE, Severity::Error), "{params}{rest}");
        assert!(only.message.contains("at most 10000"), "{}", only.message);
    }
}

#[test]
fn calls_of_one_request_are_bounded_whatever_way_leads_to_them() {
    let ring = |groups: usize, retries: u32| {
        let entry = |i| format!("  - {{model_name: g{i}, litellm_params: {{model: openai/x}}}}\n");
        let all = (0..groups).map(|i| format!("g{i}")).collect::<Vec<_>>().join(", ");
        let lists = (0..groups).map(|i| format!("{{g{i}: [{all}]}}")).collect::<Vec<_>>().join(", ");
        format!(
            "model_list:\n{}router_settings: {{num_retries: {retries}, max_fallbacks: 10000, fallbacks: [{lists}]}}\n",
            (0..groups).map(entry).collect::<String>()
        )
    };
    // Each group leads to every other one, as deep as anybody likes: each is still tried once for a request.
    assert_eq!(read("config.yaml", &ring(40, 2)).1, []);
    let found = read("config.yaml", &ring(40, 5000)).1;
    let [only] = &found[..] else { panic!("{found:?}") };
    assert_eq!((only.code, only.severity, only.span.line), (codes::OUT_OF_RANGE, Severity::Error, 42));
    assert!(only.message.contains("205041 upstream calls (5001 tries at each of 41 targets)"), "{}", only.message);
}

#[test]
fn both_shapes_of_margins_budgets_and_aliases_are_read() {
    let rest = "litellm_settings: {cost_margin_config: {global: 0.2, openai: {percentage: 0.1, fixed_amount: 0.001}}}\n\
                router_settings:\n  provider_budget_config: {openai: {budget_limit: 5, time_period: 1d}, \
                xai: {max_budget: 1}}\n  model_group_alias: {x: a, y: {model: a, hidden: true}}";
    let (wire, found) = wire(&config("", rest));
    assert_eq!(found, []);
    let margins = wire.litellm_settings.cost_margin_config.unwrap().value;
    assert_eq!(&*margins[0].1.value.fraction.as_ref().unwrap().text, "0.2");
    assert_eq!(margins[1].1.value.fixed, "0.001".parse().ok());
    let budgets = wire.router_settings.provider_budget_config.unwrap().value;
    assert_eq!(budgets[0].1.value.period.as_ref().unwrap().value, "1d");
    assert_eq!(budgets[1].1.value.limit.as_ref().unwrap().value, "1".parse().unwrap());
    let aliases = wire.router_settings.model_group_alias.unwrap().value;
    assert!(aliases[1].1.value.hidden && aliases[0].1.value.model == "a");
}

#[test]
fn secrets_leave_nothing_but_their_name() {
    let (wire, _) =
        wire(&config("", "general_settings: {master_key: os.environ/MASTER, database_url: postgres://me:pw@h/db}"));
    assert_eq!(wire.general_settings.master_key.as_ref().unwrap().value, Secret::Environment("MASTER".into()));
    assert_eq!(wire.general_settings.database_url.as_ref().unwrap().value, Secret::Literal);
    assert_eq!(format!("{} {:?}", Secret::Literal, Secret::Environment("X".into())), "*** ***");
}

#[test]
fn deployments_whose_model_stands_in_the_environment_are_left_out_and_told() {
    let text = "model_list:\n  - {model_name: a, litellm_params: {model: os.environ/MODEL}}\n  \
                - {model_name: os.environ/GROUP, litellm_params: {model: openai/gpt-4o}}\n  \
                - {model_name: c, litellm_params: {model: os.environ/THE_API_KEY}}\n";
    let (wire, found) = read("config.yaml", text);
    let wire = wire.unwrap();
    let told: Vec<(&str, Severity)> = found.iter().map(|one| (one.code, one.severity)).collect();
    assert_eq!(told, [(codes::FROM_ENVIRONMENT, Severity::Warning); 3], "{found:#?}");
    assert!(found[0].message.contains("`MODEL`, which is not set here"), "{}", found[0].message);
    assert_eq!(found[0].help.as_deref(), Some("set MODEL, or write the model"));
    assert!(found[2].message.contains("called like a secret"), "{}", found[2].message);
    let (why, _) = wire.why_nothing().unwrap();
    assert!(why.contains("`MODEL`, `GROUP`, `THE_API_KEY`") && !why.contains("drops"), "{why}");
    let (wire, _) =
        read("config.yaml", &format!("{text}  - {{model_name: d, litellm_params: {{model: openai/gpt-4o}}}}\n"));
    assert_eq!(wire.unwrap().why_nothing(), None);
}

#[test]
fn providers_with_a_handler_of_the_users_own_are_known() {
    let text = "model_list:\n  - {model_name: a, litellm_params: {model: my-llm/x}}\n  \
                - {model_name: b, litellm_params: {model: y, custom_llm_provider: my-llm}}\n  \
                - {model_name: c, litellm_params: {model: other/x}}\n\
                litellm_settings: {custom_provider_map: [{provider: my-llm, custom_handler: my.handler}]}\n";
    let (wire, found) = read("config.yaml", text);
    assert_eq!(found.iter().map(|one| one.code).collect::<Vec<_>>(), [codes::DROPPED_DEPLOYMENT], "{found:#?}");
    let of_entry = |entry: &Deployment| (entry.provider, entry.dropped);
    let own = (Some("custom_handler"), false);
    assert_eq!(wire.unwrap().model_list.iter().map(of_entry).collect::<Vec<_>>(), [own, own, (None, true)]);
}

#[test]
fn an_empty_list_is_told_as_such_and_no_error_beside_a_database() {
    let of = |text: &str| read("config.yaml", text).1.remove(0);
    let missing = of("general_settings: {}\n");
    assert!(missing.message.starts_with("no `model_list`: ") && missing.severity == Severity::Error);
    let empty = of("model_list: []\n");
    assert!(empty.message.starts_with("`model_list` is empty: ") && empty.severity == Severity::Error, "{empty}");
    for list in ["", "model_list: []\n"] {
        let text = format!("{list}general_settings: {{store_model_in_db: true}}\n");
        let (wire, found) = read("config.yaml", &text);
        assert_eq!((found[0].code, found[0].severity), (codes::NO_MODELS, Severity::Note), "{found:#?}");
        assert!(wire.unwrap().why_nothing().unwrap().0.contains("database"));
    }
}

#[test]
fn fallbacks_inside_attempts_may_be_maps() {
    let params = ", fallbacks: [openai/x, {model: mistral/y, api_key: os.environ/K}, {api_key: k}]";
    let (wire, found) = wire(&config(params, ""));
    assert_eq!((found, wire.model_list[0].litellm_params.fallbacks.as_ref().unwrap().value.len()), (vec![], 3));
    let (_, found) = read("config.yaml", &config(", fallbacks: [5]", ""));
    assert_eq!(found[0].code, codes::WRONG_TYPE);
}
