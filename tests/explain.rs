//! What `explain` tells adds up to what the run cost.

mod support;

use billcast::experiment::{Choice, Explanation, Options, RequestName, Step, Unwatched, explain};
use billcast::ledger::Cause;
use billcast::random::Seed;
use billcast::scenario::{Overrides, World, load};
use billcast::units::Money;

const RUNS: u64 = 12;

fn options(seed: u64) -> Options {
    Options { runs: RUNS, seed: Seed(seed), threads: 1, precision: None, command: String::new() }
}

fn told(world: &World, choice: Choice) -> Explanation {
    explain(world, &options(4), choice, None, &Unwatched).unwrap()
}

fn sum<T>(all: &[T], of: impl Fn(&T) -> u64) -> u64 {
    all.iter().map(of).sum()
}

#[test]
fn windows_and_the_rest_account_for_every_failure_fallback_and_premium() {
    for scenario in ["weekend-upward", "weekend-sideways"] {
        let world = load(scenario, &Overrides::default()).unwrap();
        let told = told(&world, Choice::At(0.9));
        let run = support::run(&world, 4, told.run.run);
        let (windows, rest) = (&told.windows, &told.outside);
        assert!(sum(windows, |w| w.did.failed_calls) > 0, "{scenario} has bursts");
        let failed: u64 = run.deployments.iter().map(|d| d.errors.iter().take(5).sum::<u64>()).sum();
        assert_eq!(sum(windows, |w| w.did.failed_calls) + rest.failed_calls, failed);
        assert_eq!(sum(windows, |w| w.did.fallbacks) + rest.fallbacks, run.fallbacks);
        let extra: Money = windows.iter().map(|w| w.did.extra).sum::<Money>() + rest.extra;
        let premium = run.ledger.fallback_premium();
        let causes = run.ledger.by_cause();
        // All of a failed call is extra, and the premium of one that fell back sideways may be negative.
        let failed = causes[Cause::FailedAttempt];
        assert!(extra >= premium && extra <= premium + failed + failed + causes[Cause::CacheWrite]);
        let edges: Money = told.edges.iter().filter_map(|edge| edge.premium).sum();
        assert_eq!(edges, premium);
        let difference: Money = told.drivers.iter().map(|driver| driver.amount).sum();
        assert_eq!(difference, told.run.bill - told.median.bill);
    }
}

#[test]
fn the_run_at_a_percentile_is_the_run_at_its_rank() {
    let world = load("weekend-upward", &Overrides::default()).unwrap();
    let (cheapest, dearest) = (told(&world, Choice::At(0.0)), told(&world, Choice::At(1.0)));
    assert_eq!((cheapest.cheaper_share, cheapest.median.bill), (0.0, dearest.median.bill));
    assert!((dearest.cheaper_share - (RUNS - 1) as f64 / RUNS as f64).abs() < 1e-12);
    let again = told(&world, Choice::Run(dearest.run.run));
    assert_eq!(again.run, dearest.run);
}

#[test]
fn a_request_is_told_to_its_last_cent_and_told_the_same_twice() {
    let world = load("weekend-upward", &Overrides::default()).unwrap();
    let dear = told(&world, Choice::At(0.9)).dearest[0].clone();
    let (class, number) = dear.name.split_once(':').unwrap();
    let name = RequestName { class: Some(class.to_owned()), number: number.parse().unwrap() };
    let tell = || explain(&world, &options(4), Choice::At(0.9), Some(&name), &Unwatched).unwrap().request.unwrap();
    let story = tell();
    assert_eq!((story.amount, story.premium, story.attempts), (dear.amount, dear.premium, dear.attempts));
    let sent = story.events.iter().filter(|event| matches!(event.step, Step::Sent { .. })).count();
    let ended = story.events.iter().filter(|event| matches!(event.step, Step::Ended { .. })).count();
    assert_eq!((sent, ended), (dear.attempts as usize, dear.attempts as usize));
    assert!(matches!(story.events.last().unwrap().step, Step::Answered { .. }));
    assert!(story.events.windows(2).all(|pair| pair[0].after_s <= pair[1].after_s));
    assert_eq!(tell(), story);
}

#[test]
fn a_request_that_never_came_is_an_error_that_says_so() {
    let world = load("weekend-upward", &Overrides::default()).unwrap();
    let name = |class: Option<&str>, number| RequestName { class: class.map(str::to_owned), number };
    let error = |name| explain(&world, &options(4), Choice::Run(0), Some(&name), &Unwatched).unwrap_err().to_string();
    assert!(error(name(Some("chat"), 1 << 40)).contains("has no request chat:1099511627776"));
    assert!(error(name(Some("chart"), 1)).contains("expected one of chat"));
}
