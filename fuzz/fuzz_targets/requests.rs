//! The request parser: how the input is cut into reads must not change what is found.

#![no_main]

use libfuzzer_sys::fuzz_target;
use resp::Limits;

#[path = "../../crates/resp/tests/driver/mod.rs"]
#[allow(dead_code)]
mod driver;

use driver::Connection;

fuzz_target!(|input: &[u8]| {
    let Some((flags, input)) = input.split_first() else { return };
    // Inputs are far below the length limit of a line, the one rule that depends on the cuts.
    let limits = Limits {
        max_bulk: 1000,
        big_min: usize::from(flags & 0x7F),
        unauthenticated: flags & 0x80 != 0,
        ..Limits::default()
    };
    let whole = Connection::run(input, &[input.len()], limits);
    assert_eq!(Connection::run(input, &[1], limits), whole, "byte by byte");
    for cut in 1..input.len().min(600) {
        assert_eq!(Connection::run(input, &[cut, input.len()], limits), whole, "cut at {cut}");
    }
});
