//! Random worlds as the two files of a scenario (and those that they name), for tests of what must hold in all of them.
#![allow(dead_code, reason = "each test binary uses its own part")]

use billcast::scenario::{Overrides, World};
use proptest::prelude::*;

use crate::support::load_files;

/// So many random worlds, unless PROPTEST_CASES asks for more.
pub fn cases(usual: u32) -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|number| number.parse().ok()).unwrap_or(usual)
}

const MODELS: [&str; 8] = [
    "openai/gpt-4o-mini",
    "openai/gpt-4o",
    "anthropic/claude-haiku-5-5",
    "deepseek/deepseek-chat",
    "openai/no-such-price",
    "deepinfra/no-such-price",
    "gemini/gemini-3.5-flash",
    "azure/gpt-4o",
];
const STRATEGIES: [&str; 6] = [
    "simple-shuffle",
    "least-busy",
    "latency-based-routing",
    "cost-based-routing",
    "usage-based-routing",
    "usage-based-routing-v2",
];

/// A gateway with three groups, drawn at random.
pub fn gateway() -> impl Strategy<Value = String> {
    let deployment = (0usize..3, 0usize..MODELS.len(), 0u32..4, 0u32..3);
    let deployments = prop::collection::vec(deployment, 4..9);
    let router = (0usize..6, 0u32..4, 0i64..4, 0u32..40, any::<bool>(), any::<bool>());
    (deployments, router, 0u32..8, any::<bool>()).prop_map(|(deployments, router, edges, cache)| {
        let mut text = String::from("model_list:\n");
        for (index, (group, model, weight, limit)) in deployments.iter().enumerate() {
            let group = if index < 3 { index } else { *group };
            // The troubles of the scenario are those of four providers, so there must be a deployment of each.
            let model = [0, 2, 3, 5].get(index).unwrap_or(model);
            text += &format!("- model_name: group{group}\n  litellm_params:\n    model: {}\n", MODELS[*model]);
            text += ["", "    weight: 1\n", "    weight: 3\n", "    rpm: 40\n"][*weight as usize];
            text += ["", "    max_parallel_requests: 2\n", "    max_budget: 0.05\n    budget_duration: 1h\n"]
                [*limit as usize];
        }
        let (strategy, retries, fails, cooldown, pre_call, failover) = router;
        text += &format!("router_settings:\n  routing_strategy: {}\n  num_retries: {retries}\n", STRATEGIES[strategy]);
        text +=
            &format!("  allowed_fails: {fails}\n  cooldown_time: {cooldown}\n  enable_pre_call_checks: {pre_call}\n");
        text += &format!("  enable_weighted_failover: {failover}\n  fallbacks:\n");
        for (bit, edge) in ["group0: [group1]", "group1: [group2, group0]", "group2: [group0]"].iter().enumerate() {
            if edges >> bit & 1 == 1 {
                text += &format!("  - {edge}\n");
            }
        }
        if edges == 0 {
            text += "  - group0: [group2]\n";
        }
        if edges & 2 == 2 {
            text += "  default_fallbacks: [group2]\n  context_window_fallbacks: [{group0: [group1]}]\n";
            text += "  content_policy_fallbacks: [{group1: [group2]}]\n";
        }
        if edges & 4 == 4 {
            text += "  timeout: 20\n  stream_timeout: 5\n  retry_after: 1\n  max_fallbacks: 2\n";
            text += "  allowed_fails_policy: {RateLimitErrorAllowedFails: 1, InternalServerErrorAllowedFails: 2}\n";
            text += "  retry_policy: {TimeoutErrorRetries: 1, RateLimitErrorRetries: 3}\n";
        }
        if pre_call && failover {
            text += "  provider_budget_config: {openai: {budget_limit: 0.1, time_period: 1h}}\n";
        }
        if cache {
            text += "litellm_settings:\n  cache: true\n  cache_params: {type: local, ttl: 600}\n";
        }
        text
    })
}

/// Traffic and troubles, drawn at random.
pub fn scenario() -> impl Strategy<Value = String> {
    let troubles = (0u32..100, 1u32..30, 0u32..20, any::<bool>());
    let clients = (0u32..60, 0u32..40, 1u32..30, any::<bool>());
    (troubles, clients, 5u32..40).prop_map(
        |((burst, minutes, errors, limits), (stream, repeats, patience, keys), rate)| {
            let mut text = String::from("hours: 2\nvolume_uncertainty: 0\n");
            // Half of the worlds have several processes that end now and then.
            if rate % 3 == 0 {
                text += "commitments: {ptu: {of: group0, tokens: 3k, price: 1.5}, idle: {of: group2, tokens: 1, price: 0.25}}\n";
            }
            if rate % 2 == 0 {
                let redis = ["none", "router", "proxy"][rate as usize / 2 % 3];
                text += &format!("fleet:\n  replicas: 2\n  workers: 2\n  redis: {redis}\n  overhead: 0.02\n");
                text += "  concurrency: {soft: 10, hard: 40}\n  crashes: [{every: 10m}, {at: [1h], of: all}]\n";
                text += "  deploys: [{every: 25m, grace: 2}]\n";
            }
            // Without limits of keys, plain requests take the fast lane.
            let limited = patience % 3 > 0;
            if limited {
                text += "keys:\n  team: {rpm_limit: 30, tpm_limit: 40000, max_parallel_requests: 4, max_budget: 0.2}\n";
            }
            text += "traffic:\n";
            for (class, key) in [(0, keys), (1, false), (2, !keys)] {
                text +=
                    &format!("  class{class}:\n    model: group{class}\n    rate: {rate}/min\n    stream: {stream}%\n");
                text += &format!(
                    "    repeats: {{share: {repeats}%, within: 20m}}\n    input: lognormal(median=400, p95=2500)\n"
                );
                text += "    output: lognormal(median=150, p95=600)\n";
                text += "    stops_reading: {share: 10%, after_chunks: exponential(mean=20)}\n";
                text += &format!("    leaves: {{share: 20%, after: exponential(mean={patience})}}\n");
                text += &format!("    retries: {}\n    timeout: {}s\n", (patience + class) % 3, 4 * patience);
                if key && limited {
                    text += "    key: team\n";
                }
            }
            text += "upstream:\n  openai:\n";
            text += &format!("    bursts: {{every: 20m, lasts: {minutes}m, share: {burst}%}}\n");
            text += &format!("    errors: {{500: {errors}%, hang: 1%, cut: 2%, connection: 1%}}\n");
            text += "    slow: {between: 40m, lasts: 10m, latency_factor: 8}\n";
            text += "    outages: [{at: 30m, lasts: 6m, fails: 503, retry_after: 3}]\n";
            text += if limits { "    limits: {rpm: 50, tpm: 60k, concurrency: 6}\n" } else { "" };
            text += "  deepinfra:\n    errors: {503: 6%, connection: 3%, hang: 2%, cut: 2%}\n";
            if !limits {
                text += "  anthropic:\n    incidents: {between: exponential(mean=50m), lasts: 9m, share: 60%, fails: 529}\n";
                text += "  deepseek:\n    errors: {hang: 5%, cut: 5%, content-policy: 3%}\n";
            }
            text
        },
    )
}

/// Everything that a scenario may have beside the plainest classes and troubles: a bit each.
pub const EXTRAS: [Extra; 17] = [
    Extra::Wildcard,
    Extra::Holders,
    Extra::Sessions,
    Extra::Loops,
    Extra::Embeddings,
    Extra::Crowd,
    Extra::Region,
    Extra::Queue,
    Extra::SpendLimits,
    Extra::Unauthorized,
    Extra::Tape,
    Extra::Ticks,
    Extra::Redirected,
    Extra::Retired,
    Extra::Alerts,
    Extra::Slots,
    Extra::Crammed,
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extra {
    /// Names that a pattern of the gateway takes in.
    Wildcard,
    /// Users and teams with limits and budgets.
    Holders,
    /// Conversations whose context grows.
    Sessions,
    /// Users in a loop.
    Loops,
    /// Requests that bring an embedding and others along.
    Embeddings,
    /// Clients of unequal size, and a spike.
    Crowd,
    /// Trouble that two providers share.
    Region,
    /// A provider with a line and a cache of prefixes.
    Queue,
    /// Dollars that an account may spend.
    SpendLimits,
    /// A key that the provider takes no more.
    Unauthorized,
    /// Recorded traffic: several rows at the same moments.
    Tape,
    /// Everything that can be fixed takes whole seconds, so that much ends and begins at the same moments.
    Ticks,
    /// A name that changes its model.
    Redirected,
    /// A model that is gone.
    Retired,
    /// People who are told, and a budget.
    Alerts,
    /// Few calls at once.
    Slots,
    /// More deployments with limits than the router's cache has room for.
    Crammed,
}

/// The extras whose bits are set.
#[derive(Debug, Clone, Copy)]
pub struct Extras(u32);

impl Extras {
    /// Any of them, each as likely as not.
    pub fn any() -> impl Strategy<Value = Self> {
        (0u32..1 << EXTRAS.len()).prop_map(Self)
    }

    fn has(self, extra: Extra) -> bool {
        self.0 >> extra as u32 & 1 == 1
    }

    fn pick(self, extra: Extra, text: &'static str) -> &'static str {
        if self.has(extra) { text } else { "" }
    }
}

/// The texts of a world's files.
#[derive(Debug, Clone)]
pub struct Files {
    pub gateway: String,
    pub scenario: String,
    pub trace: String,
}

impl Files {
    pub fn load(&self) -> World {
        let texts = [("gateway.yaml", &self.gateway), ("scenario.yaml", &self.scenario), ("trace.csv", &self.trace)];
        load_files(&texts.map(|(name, text)| (name, text.as_str())), &Overrides::default())
            .unwrap_or_else(|message| panic!("{message}\n{}\n{}", self.gateway, self.scenario))
    }
}

/// A world with everything that the bits say.
pub fn files() -> impl Strategy<Value = Files> {
    (gateway(), scenario(), Extras::any()).prop_map(|(gateway, scenario, extras)| Files {
        gateway: extended_gateway(gateway, extras),
        scenario: format!("gateway: gateway.yaml\n{}", extended_scenario(&scenario, extras)),
        trace: trace(),
    })
}

fn extended_gateway(gateway: String, extras: Extras) -> String {
    let wildcard = "- model_name: openai/*\n  litellm_params:\n    model: openai/*\nrouter_settings:\n";
    let gateway = if extras.has(Extra::Wildcard) { gateway.replace("router_settings:\n", wildcard) } else { gateway };
    let gateway = if extras.has(Extra::Crammed) { crammed(&gateway) } else { gateway };
    let slots = "router_settings:\n  default_max_parallel_requests: 3\n";
    if extras.has(Extra::Slots) { gateway.replace("router_settings:\n", slots) } else { gateway }
}

/// The same gateway with ten deployments more that have limits: the router's cache forgets.
pub fn crammed(gateway: &str) -> String {
    let model = |n: usize| MODELS[[0, 2, 3, 5][n % 4]];
    let deployment =
        |n| format!("- model_name: group0\n  litellm_params: {{model: {}, rpm: {}, tpm: 90000}}\n", model(n), 4 + n);
    let more: String = (0..10).map(deployment).collect();
    gateway.replace("router_settings:\n", &format!("{more}router_settings:\n"))
}

fn extended_scenario(scenario: &str, extras: Extras) -> String {
    let keys = "  ada: {user: u, team: t, model_rpm_limit: {group0: 5}, model_max_budget: {group1: {max_budget: 0.01, \
                budget_duration: 1h}}, max_budget: 0.1, budget_duration: 30m, spent: 0.05}\n  bob: {user: u}\n";
    let holders = "users:\n  u: {rpm_limit: 20, max_budget: 0.3, budget_duration: 1h}\nteams:\n  t: {tpm_limit: 20000, \
                   max_budget: 0.4, model_tpm_limit: {group0: 9000}, members: {u: {max_budget: 0.2, rpm_limit: 9}}}\n";
    let scenario = match extras.has(Extra::Holders) {
        true if scenario.contains("keys:\n") => scenario.replacen("keys:\n", &format!("{holders}keys:\n{keys}"), 1),
        true => format!("{holders}keys:\n{keys}{scenario}"),
        false => scenario.to_owned(),
    };
    let (classes, groups) = (extra_classes(extras), extra_groups(extras));
    let scenario = scenario.replacen("upstream:\n", &format!("{classes}upstream:\n{groups}"), 1);
    let alerts = "budget: {run: 1, day: 0.5}\nalerts: {budget_share: 50%, act_within: 5m, fallback_share: 2%, fallback_window: 1m}\n";
    let scenario = if extras.has(Extra::Ticks) { with_whole_seconds(scenario) } else { scenario };
    format!("{}{scenario}", extras.pick(Extra::Alerts, alerts))
}

fn extra_classes(extras: Extras) -> String {
    let key = extras.pick(Extra::Holders, "    keys: {ada: 2, bob: 1}\n");
    let classes = [
        (
            Extra::Wildcard,
            "  wild:\n    model: openai/gpt-4o-mini\n    rate: 3/min\n    input: 300\n    output: 90\n    on_off: {busy: 10m, quiet: 5m, quiet_rate: 10%}\n",
        ),
        (
            Extra::Sessions,
            "  talks:\n    model: group0\n    rate: 1/min\n    input: 200\n    output: 80\n    \
                  session: {turns: 4, think: 20, follow_up: 50}\n",
        ),
        (
            Extra::Loops,
            "  loops:\n    model: group1\n    input: 500\n    output: 40\n    \
                  workers: {count: 4, think: 10, start: 5m, ramp: 2m, lasts: 1h}\n",
        ),
        (
            Extra::Embeddings,
            "  looks:\n    model: group2\n    rate: 4/min\n    input: 300\n    output: 30\n    \
                  embeds: {model: group0, input: 300}\n    excites: {share: 50%, within: 1m}\n",
        ),
        (
            Extra::Crowd,
            "  crowd:\n    model: group0\n    rate: 6/min\n    input: 300\n    output: 30\n    clients: 5\n    \
                  spikes: [{at: 20m, lasts: 5m, extra: 40/min}]\n",
        ),
        (
            Extra::Tape,
            "  tape:\n    model: group0\n    replay: {file: trace.csv, loop: 30m}\n    stream: 30%\n    timeout: 6s\n    \
                  retries: 1\n",
        ),
        (
            Extra::Ticks,
            "  ticks:\n    model: group1\n    input: 400\n    output: 30\n    stream: 50%\n    timeout: 4s\n    \
                  workers: {count: 6, think: 3, start: 1m, lasts: 1h}\n",
        ),
    ];
    classes.iter().filter(|(extra, _)| extras.has(*extra)).map(|(_, text)| format!("{text}{key}")).collect()
}

fn extra_groups(extras: Extras) -> String {
    let groups = [
        (
            "region",
            [
                (
                    Extra::Region,
                    "    of: [openai, anthropic]\n    incidents: {between: exponential(mean=30m), lasts: 6m, share: 80%, fails: 503}\n",
                ),
                (Extra::Region, ""),
            ],
        ),
        (
            "group0",
            [
                (
                    Extra::Queue,
                    "    limits: {concurrency: 2, queue: 10s}\n    prompt_cache: {ttl: 5m, least_tokens: 100, hit: 80%, writes: 5m}\n",
                ),
                (Extra::Queue, ""),
            ],
        ),
        ("group0/1", [(Extra::Redirected, "    redirected: {at: 9m, to: gpt-4o}\n"), (Extra::Redirected, "")]),
        (
            "group1",
            [
                (
                    Extra::SpendLimits,
                    "    limits: {spend_10min: 0.02, spend_month: 0.5, spent: 0.45, failures_count: true}\n",
                ),
                (Extra::SpendLimits, ""),
            ],
        ),
        (
            "group2",
            [(Extra::Unauthorized, "    unauthorized_from: 80m\n"), (Extra::Retired, "    retired_from: 12m\n")],
        ),
    ];
    let entry = |(name, settings): &(&str, [(Extra, &'static str); 2])| {
        let settings: String = settings.iter().map(|(extra, text)| extras.pick(*extra, text)).collect();
        if settings.is_empty() { settings } else { format!("  {name}:\n{settings}") }
    };
    groups.iter().map(entry).collect()
}

/// Providers that answer after whole seconds, well or badly.
fn with_whole_seconds(mut scenario: String) -> String {
    for provider in ["openai", "anthropic", "deepseek", "deepinfra"] {
        let entry = format!("\n  {provider}:\n");
        let fixed = format!("{entry}    preset: none\n    latency: 2\n    error_answer: 1\n");
        match scenario.contains(&entry) {
            true => scenario = scenario.replacen(&entry, &fixed, 1),
            false => scenario += &fixed[1..],
        }
    }
    scenario
}

/// Rows of equal times, and of equal prompts.
fn trace() -> String {
    let row = |n: u32| format!("{},{},{},p{}\n", n / 4 * 10, 100 + n * 37 % 900, 10 + n * 13 % 90, n * 7 % 50);
    format!("time,input,output,prompt\n{}", (0..300).map(row).collect::<String>())
}

/// The same world with nothing in it that keeps requests from the fast lane.
pub fn plain(gateway: &str, scenario: &str) -> (String, String) {
    const HOLDS: [&str; 5] =
        ["max_parallel_requests", "pre_call_checks", "cache", "litellm_settings", "routing_strategy"];
    const HOLDS_KEYS_OR_FLEET: [&str; 8] =
        ["keys:", "  team:", "key: team", "fleet:", "  replicas:", "  workers:", "  concurrency: {soft", "  deploys:"];
    let without = |text: &str, words: &[&str]| {
        let kept = |line: &&str| !words.iter().any(|word| line.contains(word));
        text.lines().filter(kept).map(|line| format!("{line}\n")).collect::<String>()
    };
    let fleet = ["  redis:", "  overhead:", "  crashes:"];
    (without(gateway, &HOLDS), without(&without(scenario, &HOLDS_KEYS_OR_FLEET), &fleet))
}

/// LiteLLM's price map with prices of every size for some models and none for others; empty for the built-in prices.
pub fn prices() -> impl Strategy<Value = String> {
    let price = prop_oneof![Just(0.0), 1e-9..1e-3f64];
    prop::option::of(prop::collection::vec((price.clone(), price), 3)).prop_map(|prices| {
        let Some(prices) = prices else { return String::new() };
        let entry = |(model, (input, output)): (&str, &(f64, f64))| {
            format!(
                "\"{model}\": {{\"mode\": \"chat\", \"litellm_provider\": \"openai\", \"input_cost_per_token\": {input:e}, \
                 \"output_cost_per_token\": {output:e}}}"
            )
        };
        let entries: Vec<String> = ["gpt-4o-mini", "gpt-4o", "deepseek/deepseek-chat"].into_iter().zip(&prices).map(entry).collect();
        format!("{{{}}}", entries.join(", "))
    })
}
