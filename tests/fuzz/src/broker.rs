//! libFuzzer in front of the target `broker`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| leveret_fuzz::fuzz::broker::run(input));
