//! Same seed, same bytes: for repeated runs and for any number of threads.

mod support;

use billcast::report::artefacts;
use billcast::scenario::{Overrides, load};

#[test]
fn every_artefact_is_the_same_on_any_number_of_threads() {
    let world = load("weekend-upward", &Overrides::default()).expect("a built-in scenario");
    let files = |threads| artefacts(&support::forecast_of(&world, 7, 40, threads));
    let reference = files(1);
    assert!(reference.iter().any(|file| file.file_name == "forecast.json"));
    for threads in [1, 2, 3, 8] {
        for (file, same) in files(threads).iter().zip(&reference) {
            assert_eq!(file.file_name, same.file_name);
            assert!(file.bytes == same.bytes, "{} differs on {threads} threads", file.file_name);
        }
    }
}

#[test]
fn a_run_depends_on_its_number_and_not_on_its_company() {
    let world = load("weekend-upward", &Overrides::default()).expect("a built-in scenario");
    let forecast = support::forecast_of(&world, 3, 5, 2);
    for row in &forecast.runs {
        let alone = support::run(&world, 3, row.run);
        assert_eq!((alone.ledger.total(), alone.requests, alone.attempts), (row.bill, row.requests, row.attempts));
    }
}
