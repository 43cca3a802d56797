//! Scripts are read as they were written.

use super::*;

#[test]
fn a_script_survives_being_written() {
    let script = Script {
        protocol: 3,
        rule: Rule::Near(20),
        commands: vec![
            vec![b"SET".to_vec(), b"a \"b\"\r\n\x00\xff".to_vec(), Vec::new()],
            vec![b"# no comment".to_vec()],
        ],
    };
    assert_eq!(Script::parse(&script.text()), Ok(script));
}

#[test]
fn comments_and_empty_lines_mean_nothing() {
    let script = Script::parse("# found yesterday\n\nGET k\n").expect("a script");
    assert_eq!(script.commands, [vec![b"GET".to_vec(), b"k".to_vec()]]);
    assert_eq!((script.protocol, script.rule), (2, Rule::Exact));
}

#[test]
fn what_is_not_understood_is_named() {
    assert_eq!(Script::parse("# rule x\n"), Err("not understood: # rule x".to_owned()));
    assert_eq!(Script::parse("SET \"a\n"), Err("not understood: SET \"a".to_owned()));
}
