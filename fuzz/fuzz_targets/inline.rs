//! Splitting lines, and quoting what came out so that it comes out again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use resp::inline::{quote, split};

fuzz_target!(|line: &[u8]| {
    let mut quoted = Vec::new();
    quote(line, &mut quoted);
    assert_eq!(split(&quoted).as_deref(), Ok(&[line.to_vec()][..]));

    let Ok(args) = split(line) else { return };
    let mut again = Vec::new();
    for arg in &args {
        quote(arg, &mut again);
        again.push(b' ');
    }
    assert_eq!(split(&again), Ok(args));
});
