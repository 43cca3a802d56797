//! The page: what the syntax of well-known commands looks like, and what is listed where.

use std::collections::BTreeSet;

use super::{code, full_name, page, syntax};

fn syntax_of(name: &str) -> String {
    let (_, row) = spec::command::iter()
        .find(|(_, row)| full_name(row) == name)
        .unwrap_or_else(|| panic!("no row for {name}"));
    syntax(row)
}

#[test]
fn syntax_shows_options_choices_and_repetition() {
    let cases = [
        ("get", "GET key"),
        ("mset", "MSET key value [key value ...]"),
        ("del", "DEL key [key ...]"),
        ("expire", "EXPIRE key seconds [NX | XX | GT | LT]"),
        ("scan", "SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]"),
        ("client|pause", "CLIENT PAUSE timeout [WRITE | ALL]"),
        (
            "set",
            "SET key value [NX | XX | IFEQ ifeq-value | IFNE ifne-value | IFDEQ ifdeq-digest | \
             IFDNE ifdne-digest] [GET] [EX seconds | PX milliseconds | EXAT unix-time-seconds | \
             PXAT unix-time-milliseconds | KEEPTTL]",
        ),
        (
            "lmovem",
            "LMOVEM source destination <LEFT | RIGHT> <LEFT | RIGHT> \
             [<COUNT count | EXACTLY exactly> <OBO | BULK>]",
        ),
        (
            "xread",
            "XREAD [COUNT count] [BLOCK milliseconds] [MAXCOUNT maxcount] [MAXSIZE maxsize] \
             STREAMS key [key ...] ID [ID ...]",
        ),
        ("object", "OBJECT subcommand ..."),
        ("command", "COMMAND [subcommand ...]"),
    ];
    for (name, expected) in cases {
        assert_eq!(syntax_of(name), expected, "{name}");
    }
}

#[test]
fn a_bar_does_not_end_a_cell() {
    assert_eq!(code("<A | B>"), "`<A \\| B>`");
}

#[test]
fn a_command_is_either_in_a_table_or_missing() {
    let implemented: BTreeSet<String> = ["get", "client", "client|id"].map(String::from).into();
    let page = page(&implemented);
    assert!(page.contains("3 of "));
    let (tables, missing) = page.split_once("## Still missing").expect("both parts");
    assert!(tables.contains("\n| GET | 2 | `GET key` | 1.0.0 | O(1) |"));
    assert!(tables.contains("\n| CLIENT ID | 2 |") && tables.contains("\n## Connection\n"));
    assert!(!tables.contains("\n| SET |") && !tables.contains("\n## List\n"));
    assert!(missing.contains("SET,") && missing.contains("CLIENT KILL,"));
    assert!(!missing.contains(", GET,") && !missing.contains("CLIENT ID,"));
}

#[test]
fn every_table_line_has_six_cells() {
    let all: BTreeSet<String> = spec::command::iter().map(|(_, row)| full_name(row)).collect();
    let page = page(&all);
    assert!(!page.contains("## Still missing"));
    for line in page.lines().filter(|line| line.starts_with('|')) {
        let bars = line.replace("\\|", "").matches('|').count();
        assert_eq!(bars, 7, "{line}");
    }
}
