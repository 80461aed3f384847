#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| billcast_fuzz::checks::focus_csv(bytes));
