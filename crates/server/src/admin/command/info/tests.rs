//! Tests of what is derived from the rows.

use super::*;

fn range_of(name: &str) -> (i64, i64, i64) {
    let (_, spec) = spec::command::iter()
        .find(|(_, spec)| spec.parent.is_none() && spec.name == name)
        .expect("a command");
    let LegacyRange { first, last, step } = legacy_range(spec.keys);
    (first, last, step)
}

#[test]
fn ranges_are_those_that_old_clients_know() {
    let cases = [
        ("ping", (0, 0, 0)),
        ("get", (1, 1, 1)),
        ("mset", (1, -1, 2)),
        ("del", (1, -1, 1)),
        ("rename", (1, 2, 1)),
        ("lmove", (1, 2, 1)),
        ("bitop", (2, -1, 1)),
        ("blpop", (1, -2, 1)),
        ("zunionstore", (1, 1, 1)),
        ("eval", (0, 0, 0)),
        ("xread", (0, 0, 0)),
        ("sort", (1, 1, 1)),
        ("georadius", (1, 1, 1)),
        ("msetex", (0, 0, 0)),
        ("sdiffstore", (1, -1, 1)),
    ];
    for (name, range) in cases {
        assert_eq!(range_of(name), range, "{name}");
    }
}
