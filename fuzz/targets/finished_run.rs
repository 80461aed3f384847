#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| billcast_fuzz::checks::finished_run(bytes));
