#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| isotp_oracles::hold("router", input));
