//! The notation of the tables.

use super::*;
use crate::differential::rows::GROUPS;

#[test]
fn every_form_of_the_tables_is_in_the_notation() {
    for row in GROUPS.iter().flat_map(|group| group.rows) {
        assert!(!parse(row.form).is_empty(), "{}", row.form);
    }
}

#[test]
fn a_form_is_read_into_its_parts() {
    let form = parse("ZADD <zset> [NX|XX] #{<float> a} ={b} {c} (d|e f) @");
    let shapes: Vec<&str> = form
        .iter()
        .map(|node| match node {
            Node::Word(word) => word,
            Node::Kind(_) => "kind",
            Node::Choice(all) if all.len() == 2 && all[1].len() == 2 => "choice",
            Node::Optional(all) if all.len() == 2 => "optional",
            Node::Repeat(one) if one.len() == 1 => "repeat",
            Node::Counted(two) if two.len() == 2 => "counted",
            Node::Same(one) if one.len() == 1 => "same",
            Node::Command => "command",
            other => panic!("{other:?}"),
        })
        .collect();
    let expected = ["ZADD", "kind", "optional", "counted", "same", "repeat", "choice", "command"];
    assert_eq!(shapes, expected);
}

#[test]
#[should_panic(expected = "no kind nosuch")]
fn an_unknown_kind_is_a_mistake() {
    parse("GET <nosuch>");
}

#[test]
#[should_panic(expected = "nothing opens")]
fn a_stray_bracket_is_a_mistake() {
    parse("GET a]");
}
