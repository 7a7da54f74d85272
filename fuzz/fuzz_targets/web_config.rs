#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| (fuzzing::target("web_config").check)(input));
