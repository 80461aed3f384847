//! Clients that try again: what they want and what the gateway sees are both conserved.

mod support;

use billcast::engine::Run;
use billcast::units::Money;

const GATEWAY: &str = "model_list:
- {model_name: a, litellm_params: {model: openai/gpt-4o-mini}}
router_settings: {disable_cooldowns: true, num_retries: 0}
";

fn run(class: &str, upstream: &str) -> Run {
    let scenario = format!(
        "hours: 1\nvolume_uncertainty: 0\ntraffic: {{x: {{model: a, rate: 1/s, input: 100, output: 50, {class}}}}}\n\
         upstream: {{openai: {{preset: none, {upstream}}}}}\n"
    );
    support::run(&support::world(GATEWAY, &scenario), 1, 0)
}

/// What clients want.
fn intents(run: &Run) -> u64 {
    run.requests - run.client_retries
}

#[test]
fn every_failed_request_is_sent_again_as_often_as_said() {
    for most in [0, 1, 2, 5] {
        let all_fail = run(&format!("retries: {most}"), "latency: 1, errors: {500: 100%}");
        // 3,600 ± 4 √3,600; each is sent once and `most` times more, but for the last seconds of the hour.
        assert!((intents(&all_fail) as f64 - 3600.0).abs() < 240.0);
        let missing = most * intents(&all_fail) - all_fail.client_retries;
        assert!(missing <= 40 * most, "{most}: {missing} retries would have come after the end");
        assert_eq!(all_fail.served, 0);
    }
}

#[test]
fn retries_are_a_geometric_series_of_the_error_rate() {
    // Errors of 30%, independent from try to try: 1 + 0.3 + 0.09 requests per intent, 0.027 without an answer.
    let often = run("retries: 2", "latency: 1, errors: {503: 30%}");
    let wanted = intents(&often) as f64;
    let sent = often.requests as f64 / wanted;
    // Variance of the tries per intent: 0.3·0.7 + 0.09·0.91 + 2·0.09·0.7 = 0.418; 4 standard errors.
    assert!((sent - 1.39).abs() < 4.0 * (0.418f64 / wanted).sqrt(), "{sent}");
    let unanswered = (often.requests - often.served - often.client_retries) as f64 / wanted;
    assert!((unanswered - 0.027).abs() < 4.0 * (0.027 * 0.973 / wanted).sqrt(), "{unanswered}");
    // The first tries are those of a world without retries: what is new shifts nothing.
    let never = run("retries: 0", "latency: 1, errors: {503: 30%}");
    assert_eq!(never.requests, intents(&often));
}

#[test]
fn what_cannot_pass_is_not_tried_again() {
    let bad = run("retries: 2", "latency: 1, errors: {400: 50%}");
    assert_eq!(bad.client_retries, 0);
    assert!(bad.failed > 1000);
}

#[test]
fn a_client_that_times_out_pays_for_every_try() {
    // Answers take 30 s, the client waits 10 s and asks twice more; the proxy lets each call run on, and it is billed.
    let slow = run("timeout: 10s, retries: 2", "latency: 30");
    let (wanted, sent) = (intents(&slow), slow.requests);
    assert!(sent > 2 * wanted + wanted / 2, "{sent} requests for {wanted}");
    assert_eq!((slow.served, slow.abandoned), (0, sent));
    let patient = run("timeout: 40s, retries: 2", "latency: 30");
    assert_eq!((patient.served, patient.client_retries), (patient.requests, 0));
    assert!(slow.ledger.total() > patient.ledger.total() + patient.ledger.total(), "more than twice the money");
    assert_eq!(slow.ledger.total(), Money::from_picos(45_000_000 * i128::from(sent)), "every try is billed in full");
}

#[test]
fn a_stream_that_has_begun_is_waited_for() {
    // First token after 5 s, then 50 tokens in 49 s: longer than the timeout, but something comes all the time.
    let latency = "latency: {first_token: 5, per_token: 1}";
    let stream = run("stream: 100%, timeout: 10s, retries: 2", latency);
    assert_eq!((stream.served, stream.client_retries), (stream.requests, 0));
    let silent = run("stream: 0, timeout: 10s, retries: 2", latency);
    assert_eq!(silent.served, 0);
}

#[test]
fn workers_wait_for_their_last_try() {
    let scenario = "hours: 1\nvolume_uncertainty: 0\n\
        traffic: {x: {model: a, workers: {count: 1, think: 10}, input: 100, output: 50, retries: {most: 1, first: 4, longest: 4}}}\n\
        upstream: {openai: {preset: none, latency: 1, errors: {500: 100%}, error_answer: 1}}\n";
    let run = support::run(&support::world(GATEWAY, scenario), 1, 0);
    // A round: 1 s, a pause of 3 to 4 s, 1 s, 10 s of thought: 3600 / 15.5.
    let rounds = intents(&run) as f64;
    assert!((rounds - 3600.0 / 15.5).abs() < 3.0, "{rounds}");
    assert!(intents(&run) - run.client_retries <= 1);
}

#[test]
fn the_gateways_own_wish_is_obeyed() {
    // A key limit answers 429 with `Retry-After: 60`: the window is over by then.
    let world = |retries| {
        let scenario = format!(
            "hours: 1\nvolume_uncertainty: 0\nkeys: {{k: {{rpm_limit: 50}}}}\n\
             traffic: {{x: {{model: a, key: k, rate: 55/min, input: 100, output: 50, retries: {retries}}}}}\n\
             upstream: {{openai: {{preset: none, latency: 1}}}}\n"
        );
        support::run(&support::world(GATEWAY, &scenario), 1, 0)
    };
    let (without, with) = (world(0), world(2));
    assert!(without.rejected > 100);
    assert!(with.client_retries > 100);
    assert_eq!(with.served + with.rejected, with.requests);
    let unanswered = with.requests - with.served - with.client_retries;
    assert!(unanswered < intents(&with), "{unanswered} of {}", intents(&with));
}

#[test]
fn mistakes_are_named() {
    let error = |class: &str| {
        let scenario = format!("traffic: {{x: {{model: a, rate: 1, input: 1, output: 1, {class}}}}}\n");
        support::try_world(GATEWAY, &scenario).unwrap_err()
    };
    assert!(error("retries: {mots: 2}").contains("did you mean `most`"), "{}", error("retries: {mots: 2}"));
    assert!(error("retries: 300").contains("at most 255"));
    assert!(error("retrys: 2").contains("did you mean `retries`"), "{}", error("retrys: 2"));
}

#[test]
fn each_request_brings_its_embedding_along() {
    let gateway = "model_list:
- {model_name: a, litellm_params: {model: openai/gpt-4o-mini}}
- {model_name: embed, litellm_params: {model: openai/text-embedding-3-small}}
";
    let play = |embeds: &str| {
        let scenario = format!(
            "hours: 1\nvolume_uncertainty: 0\ntraffic: {{x: {{model: a, rate: 1/s, input: 100, output: 50, {embeds}}}}}\n\
             upstream: {{openai: {{preset: none, latency: 1}}}}\n"
        );
        let world = support::world(gateway, &scenario);
        (support::run(&world, 1, 0), world)
    };
    let (alone, _) = play("stream: 0");
    let (whole, world) = play("embeds: embed");
    let (question, _) = play("embeds: {model: embed, input: 30}");
    assert_eq!(world.names.classes, ["x", "x.embedding"]);
    let chats = alone.requests;
    assert_eq!((whole.classes[0].requests, whole.classes[1].requests), (chats, chats));
    // text-embedding-3-small: 0.02 dollars a million tokens; the chats cost what they did.
    let dollars_of = |run: &Run, class: usize| run.ledger.by_class()[class];
    assert_eq!(dollars_of(&whole, 0), alone.ledger.total());
    assert_eq!(dollars_of(&whole, 1), Money::from_picos(20_000 * 100 * i128::from(chats)));
    assert_eq!(dollars_of(&question, 1), Money::from_picos(20_000 * 30 * i128::from(chats)));
    let scenario = "traffic: {x: {model: a, rate: 1/s, input: 1, output: 1, embeds: embd}}\n";
    let error = support::try_world(gateway, scenario).unwrap_err();
    assert!(error.contains("did you mean `embed`"), "{error}");
}

#[test]
fn a_budget_with_a_duration_begins_anew() {
    // Each answer costs 45 microdollars, the budget is used up by the 20th of them (reservations are off); a period of
    // an hour ends on the hour, and the job that resets comes by at most ten minutes later.
    let gateway = format!("{GATEWAY}general_settings: {{disable_budget_reservation: true}}\n");
    let served = |duration: &str| {
        let scenario = format!(
            "hours: 5\nstart: 2026-11-20 18:00\nvolume_uncertainty: 0\nkeys: {{k: {{max_budget: 0.00088{duration}}}}}\n\
             traffic: {{x: {{model: a, key: k, rate: 2/min, input: 100, output: 50}}}}\n\
             upstream: {{openai: {{preset: none, latency: 0.1}}}}\n"
        );
        support::run(&support::world(&gateway, &scenario), 1, 0).served
    };
    assert_eq!(served(""), 20);
    assert_eq!(served(", budget_duration: 1h"), 100, "five hours, each with its own budget");
    assert_eq!(served(", budget_duration: 30d"), 20);
    let error = support::try_world(
        &gateway,
        "keys: {k: {budget_duration: 1y}}\ntraffic: {x: {model: a, rate: 1, input: 1, output: 1}}\n",
    );
    assert!(error.unwrap_err().contains("not a period"));
}
