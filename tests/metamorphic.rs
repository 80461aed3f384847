//! What must hold between two runs whatever the numbers are.

mod support;

use billcast::scenario::Overrides;
use billcast::units::Money;

const GATEWAY: &str = "model_list:
- {model_name: cheap, litellm_params: {model: openai/gpt-4o-mini}}
- {model_name: dear, litellm_params: {model: openai/gpt-4o}}
router_settings: {fallbacks: [{cheap: [dear]}]}
";
const SCENARIO: &str = "hours: 6
traffic: {x: {preset: chat, model: cheap, rate: 20/min}}
upstream: {openai: {errors: {429: 20%, 500: 5%}}}
";

/// The runs' bills.
fn bills(gateway: &str, scenario: &str) -> Vec<Money> {
    let world = support::world(gateway, scenario);
    (0..6).map(|replication| support::run(&world, 5, replication).ledger.total()).collect()
}

fn prices(factor: u32) -> String {
    let price = |dollars_per_million: u32| format!("{}e-6", dollars_per_million * factor);
    let model = |name: &str, input: u32, output: u32| {
        let (input, output) = (price(input), price(output));
        format!(
            r#""{name}": {{"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": {input}, "output_cost_per_token": {output}}}"#
        )
    };
    format!("{{{}, {}}}", model("gpt-4o-mini", 1, 3), model("gpt-4o", 5, 20))
}

#[test]
fn a_config_against_itself_differs_by_exactly_nothing() {
    assert_eq!(bills(GATEWAY, SCENARIO), bills(GATEWAY, SCENARIO));
}

#[test]
fn doubled_prices_double_every_bill() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let bills = |factor| -> Vec<Money> {
        let file = folder.path().join(format!("prices-{factor}.json"));
        std::fs::write(&file, prices(factor)).expect("a written file");
        let overrides = Overrides { prices: Some(file.to_string_lossy().into_owned()), ..Overrides::default() };
        let world = support::load_with(GATEWAY, SCENARIO, &overrides).expect("a world");
        (0..4).map(|replication| support::run(&world, 5, replication).ledger.total()).collect()
    };
    let (once, twice) = (bills(1), bills(2));
    assert!(once.iter().all(|bill| *bill > Money::ZERO));
    assert_eq!(twice, once.iter().map(|bill| *bill + *bill).collect::<Vec<_>>());
}

#[test]
fn what_the_gateway_reports_follows_its_own_prices_and_the_bill_does_not() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = |factor: u32| {
        let file = folder.path().join(format!("prices-{factor}.json"));
        std::fs::write(&file, prices(factor)).expect("a written file");
        Some(file.to_string_lossy().into_owned())
    };
    let overrides = Overrides { prices: file(2), gateway_prices: file(1), ..Overrides::default() };
    let world = support::load_with(GATEWAY, SCENARIO, &overrides).expect("a world");
    let run = support::run(&world, 5, 0);
    let answered = run.ledger.by_cause();
    use billcast::ledger::Cause::{Abandoned, FailedAttempt};
    let unreported = answered[FailedAttempt] + answered[Abandoned];
    assert!(run.reported_spend > Money::ZERO);
    // At half the price the reported spend is half of the bill, but for failures and for clients that were lost: of
    // those the gateway reports what it has seen, which may be a piece more than the provider bills.
    let (twice, bill) = (run.reported_spend + run.reported_spend, run.ledger.total());
    let apart = if twice > bill { twice - bill } else { bill - twice };
    assert!(apart <= unreported, "{twice} of {bill}, {unreported} unreported");
}

#[test]
fn a_group_that_nobody_asks_for_changes_nothing() {
    let more = GATEWAY
        .replace("router_settings", "- {model_name: unused, litellm_params: {model: openai/gpt-4.1}}\nrouter_settings");
    assert_eq!(bills(&more, SCENARIO), bills(GATEWAY, SCENARIO));
}

#[test]
fn a_further_class_does_not_change_what_the_others_pay() {
    let more = SCENARIO.replace("rate: 20/min}}", "rate: 20/min}, y: {preset: rag, model: dear, rate: 2/min}}");
    let (one, two) = (support::world(GATEWAY, SCENARIO), support::world(GATEWAY, &more));
    for replication in 0..4 {
        let alone = support::run(&one, 5, replication);
        let together = support::run(&two, 5, replication);
        assert_eq!(alone.classes[0].requests, together.classes[0].requests, "the same users come");
        assert!(together.ledger.by_class()[1] > Money::ZERO);
    }
}

#[test]
fn dearer_fallbacks_cost_more_and_fail_no_more() {
    let sideways = GATEWAY.replace("openai/gpt-4o}", "openai/gpt-4o-mini}");
    for (cheap, dear) in bills(&sideways, SCENARIO).into_iter().zip(bills(GATEWAY, SCENARIO)) {
        assert!(cheap < dear, "{cheap} at the same price class, {dear} upwards");
    }
}

#[test]
fn what_a_pattern_leads_to_costs_what_the_same_models_cost_in_entries_of_their_own() {
    // One deployment behind the pattern, and one a model: named alike, so that all draws are
    // the same but the cooldowns.
    let pattern = "model_list:
- {model_name: openai/*, litellm_params: {model: openai/*}, model_info: {id: a}}
- {model_name: dear, litellm_params: {model: anthropic/claude-opus-4-5}, model_info: {id: b}}
router_settings: {disable_cooldowns: true, num_retries: 0, fallbacks: [{openai/gpt-4o-mini: [dear]}, {dear: [openai/gpt-4o]}]}
";
    let entry = |model: &str| {
        pattern
            .replace("openai/*}", &format!("{model}}}"))
            .replace("model_name: openai/*", &format!("model_name: {model}"))
    };
    let scenario = |model: &str| {
        format!(
            "hours: 6\nvolume_uncertainty: 0\ntraffic: {{x: {{model: {model}, rate: 20/min, input: \"lognormal(median=500, p95=3000)\", output: 80}}}}
upstream: {{openai: {{preset: none, latency: 1}}, anthropic: {{preset: none, latency: 1, errors: {{500: 30%}}}}}}\n"
        )
    };
    for model in ["openai/gpt-4o", "openai/gpt-4o-mini"] {
        let single = entry(model).replace(", fallbacks: [{openai/gpt-4o-mini: [dear]}, {dear: [openai/gpt-4o]}]", "");
        let bill = bills(pattern, &scenario(model));
        assert!(bill.iter().all(|bill| *bill > Money::ZERO), "{model} is priced");
        assert_eq!(bill, bills(&single, &scenario(model)), "{model}");
    }
    // A fallback that leads through the pattern is priced by its own name.
    let through = bills(pattern, &scenario("dear"));
    assert_eq!(
        through,
        bills(&entry("openai/gpt-4o").replace("{openai/gpt-4o-mini: [dear]}, ", ""), &scenario("dear"))
    );
}

#[test]
fn a_spike_after_the_end_of_the_run_changes_nothing_and_costs_nothing() {
    let shapes = ["", ", shape: 'sine(amplitude=0.6, peak=14h)'", ", gaps: 'gamma(cv=2)'", ", growth_per_week: 0.1"];
    for shape in shapes {
        let with = |spikes: &str| {
            let line = format!("preset: chat, model: cheap, rate: 20/min{shape}{spikes}");
            let scenario = SCENARIO.replace("preset: chat, model: cheap, rate: 20/min", &line);
            let world = support::world(GATEWAY, &scenario);
            let runs: Vec<_> = (0..3).map(|number| format!("{:?}", support::run(&world, 5, number))).collect();
            runs
        };
        // At the end, soon after it, ten years later, and as late as the clock goes: each with 3,000 million requests,
        // which nobody would wait for if they were played and then left out.
        for at in ["6h", "7h", "3650d", "100000d"] {
            let spikes = format!(", spikes: [{{at: {at}, lasts: 1h, extra: 900k/s}}]");
            assert_eq!(with(&spikes), with(""), "{shape} {at}");
        }
        // One that begins before the end counts up to it.
        let (without, with) = (with(""), with(", spikes: [{at: 5.9h, lasts: 100000h, extra: 60/min}]"));
        assert!(without.iter().zip(&with).all(|(without, with)| without != with), "{shape}");
    }
}
