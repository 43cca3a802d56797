//! What `/proc` and the servers' own words are read as.

use loadgen::usage::Usage;

use super::*;

#[test]
fn program_names_are_short() {
    let long = "Valkey server v=9.1.2 sha=00000000:1 malloc=jemalloc-5.3.0 bits=64";
    assert_eq!(program_name(long), "Valkey 9.1.2");
    assert_eq!(program_name("reddle 0.0.1"), "reddle 0.0.1");
    assert_eq!(program_name(""), "unknown");
}

#[test]
#[cfg(target_os = "linux")]
fn usage_of_this_process_grows_with_its_work() {
    let own = std::process::id();
    let before = Usage::of(own).unwrap();
    let mut sum = 0u64;
    while Usage::of(own).unwrap().since(before).busy_ns < 1_000_000 {
        sum = std::hint::black_box(sum + 1);
    }
    assert!(resident(own).unwrap() > 100_000);
    assert!(Usage::of(0).is_err());
}
