//! libFuzzer in front of the target `decoder`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| leveret_fuzz::fuzz::decoder::run(input));
