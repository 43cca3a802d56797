//! Which replies count as the same.

use super::*;

const RULES: [Rule; 11] = [
    Rule::Exact,
    Rule::AnyOrder,
    Rule::Pairs,
    Rule::Scan,
    Rule::ScanPairs,
    Rule::Walk,
    Rule::Near(5),
    Rule::Near(20_000),
    Rule::Times,
    Rule::Replies,
    Rule::Shape,
];

fn argv(line: &str) -> Argv {
    line.split(' ').map(|word| word.as_bytes().to_vec()).collect()
}

#[test]
fn each_rule_leaves_open_what_it_says() {
    let cases: &[(Rule, &str, &str, bool)] = &[
        (Rule::Exact, ":1\r\n", ":1\r\n", true),
        (Rule::Exact, ":1\r\n", ":2\r\n", false),
        (Rule::Exact, "$1\r\n1\r\n", ":1\r\n", false),
        (Rule::AnyOrder, "*2\r\n:1\r\n:2\r\n", "*2\r\n:2\r\n:1\r\n", true),
        (Rule::AnyOrder, "~2\r\n:1\r\n:2\r\n", "~2\r\n:2\r\n:1\r\n", true),
        (Rule::AnyOrder, "~2\r\n:1\r\n:2\r\n", "*2\r\n:2\r\n:1\r\n", false),
        (Rule::AnyOrder, "*2\r\n:1\r\n:1\r\n", "*2\r\n:1\r\n:2\r\n", false),
        (Rule::Pairs, "*4\r\n:1\r\n:2\r\n:3\r\n:4\r\n", "*4\r\n:3\r\n:4\r\n:1\r\n:2\r\n", true),
        (Rule::Pairs, "*4\r\n:1\r\n:2\r\n:3\r\n:4\r\n", "*4\r\n:3\r\n:2\r\n:1\r\n:4\r\n", false),
        (Rule::Pairs, "%1\r\n:1\r\n:2\r\n", "%1\r\n:1\r\n:2\r\n", true),
        (Rule::Pairs, "%1\r\n:1\r\n:2\r\n", "%1\r\n:1\r\n:3\r\n", false),
        (
            Rule::Scan,
            "*2\r\n$1\r\n0\r\n*2\r\n:1\r\n:2\r\n",
            "*2\r\n$1\r\n0\r\n*2\r\n:2\r\n:1\r\n",
            true,
        ),
        (Rule::Scan, "*2\r\n$1\r\n0\r\n*1\r\n:1\r\n", "*2\r\n$1\r\n0\r\n*1\r\n:2\r\n", false),
        (Rule::Scan, "*2\r\n$1\r\n7\r\n*1\r\n:1\r\n", "*2\r\n$1\r\n0\r\n*1\r\n:2\r\n", true),
        (Rule::Walk, "*2\r\n$1\r\n0\r\n*1\r\n:1\r\n", "*2\r\n$1\r\n0\r\n*0\r\n", true),
        (Rule::Walk, "*2\r\n$1\r\n0\r\n*1\r\n:1\r\n", "*0\r\n", false),
        (Rule::Near(5), ":100\r\n", ":104\r\n", true),
        (Rule::Near(5), ":100\r\n", ":106\r\n", false),
        (Rule::Near(5), ":-1\r\n", ":-2\r\n", false),
        (Rule::Near(5), ":-1\r\n", ":0\r\n", false),
        (Rule::Near(5), "*2\r\n:-1\r\n:9\r\n", "*2\r\n:-1\r\n:8\r\n", true),
        (Rule::Times, ":1700000000000\r\n", ":1700000000009\r\n", true),
        (Rule::Times, ":1700000000000\r\n", ":1700009000000\r\n", false),
        (Rule::Times, ":17\r\n", ":18\r\n", false),
        (Rule::Times, "*2\r\n$4\r\nidle\r\n:5\r\n", "*2\r\n$4\r\nidle\r\n:9\r\n", true),
        (Rule::Times, "%1\r\n$4\r\nidle\r\n:5\r\n", "%1\r\n$4\r\nidle\r\n:9\r\n", true),
        (Rule::Times, "%1\r\n$4\r\nname\r\n:5\r\n", "%1\r\n$4\r\nname\r\n:9\r\n", false),
        (
            Rule::Times,
            "*4\r\n$3\r\n1-1\r\n$1\r\nc\r\n:5\r\n:1\r\n",
            "*4\r\n$3\r\n1-1\r\n$1\r\nc\r\n:7\r\n:1\r\n",
            true,
        ),
        (
            Rule::Times,
            "*4\r\n$3\r\n1-1\r\n$1\r\nc\r\n:5\r\n:1\r\n",
            "*4\r\n$3\r\n1-1\r\n$1\r\nc\r\n:5\r\n:2\r\n",
            false,
        ),
        (Rule::Times, "*2\r\n$12\r\nnacked-count\r\n:0\r\n", "*0\r\n", true),
        (Rule::Times, "%1\r\n$12\r\nnacked-count\r\n:0\r\n", "%0\r\n", true),
        (Rule::Replies, "*1\r\n*2\r\n:1\r\n:2\r\n", "*1\r\n*2\r\n:2\r\n:1\r\n", true),
        (Rule::Replies, "*2\r\n:1\r\n+OK\r\n", "*2\r\n:1\r\n+NO\r\n", false),
        (Rule::Replies, "*1\r\n:-1\r\n", "*1\r\n:1\r\n", false),
        (Rule::Shape, "*2\r\n:1\r\n:2\r\n", "*2\r\n:7\r\n:8\r\n", true),
        (Rule::Shape, "*2\r\n:1\r\n:2\r\n", "*1\r\n:7\r\n", false),
        (Rule::Shape, "$1\r\na\r\n", "$-1\r\n", false),
    ];
    for (rule, ours, theirs, expected) in cases {
        assert_eq!(same(*rule, ours.as_bytes(), theirs.as_bytes()), *expected, "{ours} {theirs}");
    }
}

#[test]
fn an_error_equals_nothing_but_itself() {
    for rule in RULES {
        assert!(same(rule, b"-ERR a\r\n", b"-ERR a\r\n"), "{rule:?}");
        assert!(!same(rule, b"-ERR a\r\n", b"-ERR b\r\n"), "{rule:?}");
        assert!(!same(rule, b"-ERR a\r\n", b"*0\r\n"), "{rule:?}");
    }
}

#[test]
fn a_rule_is_found_by_its_name() {
    for rule in RULES {
        assert_eq!(Rule::named(&rule.name()), Some(rule));
    }
    assert_eq!(Rule::named("near"), None);
}

#[test]
fn the_arguments_of_a_command_may_change_its_rule() {
    assert_eq!(Rule::Scan.of(&argv("SSCAN e0 0 COUNT 10")), Rule::Scan);
    assert_eq!(Rule::Scan.of(&argv("SSCAN e0 7")), Rule::Walk);
    assert_eq!(Rule::Scan.of(&argv("scan 7")), Rule::Walk);
    assert_eq!(Rule::AnyOrder.of(&argv("SRANDMEMBER e0 1000")), Rule::AnyOrder);
    assert_eq!(Rule::AnyOrder.of(&argv("SRANDMEMBER e0")), Rule::Shape);
    assert_eq!(Rule::Exact.of(&argv("SORT l0 BY w_* ALPHA")), Rule::AnyOrder);
    assert_eq!(Rule::Exact.of(&argv("SORT l0 BY w_*")), Rule::Exact);
}
