//! libFuzzer in front of the target `engine`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| leveret_fuzz::fuzz::engine::run(input));
