//! The notation and the runner, against a target that answers from a script.

use std::collections::VecDeque;
use std::io;

use resp::Proto::{Resp2, Resp3};
use resp::value::Value;

use super::{CaseFile, Expected, Link, Report, Target, run, show};

fn bulk(text: &str) -> Value {
    Value::Bulk(text.as_bytes().to_vec())
}

fn status(text: &str) -> Value {
    Value::Simple(text.as_bytes().to_vec())
}

fn error(text: &str) -> Value {
    Value::Error(text.as_bytes().to_vec())
}

/// Whether the text, which is one reply, matches.
fn matches(text: &str, value: &Value, proto: resp::Proto) -> bool {
    let replies = Expected::read_all(text).unwrap();
    assert_eq!(replies.len(), 1, "{text}");
    assert_eq!(replies[0].spelled, text.trim());
    replies[0].expected.matches(value, proto)
}

#[test]
fn scalars() {
    let both = [
        ("OK", status("OK"), bulk("OK")),
        ("Background saving started", status("Background saving started"), status("Background")),
        ("\"OK\"", bulk("OK"), status("OK")),
        ("\"a\\x00\\n\\\"\"", bulk("a\0\n\""), bulk("a")),
        ("~\"v:?.*\"", bulk("v:7.2.4"), bulk("v:.")),
        ("~PO*", status("PONG"), status("PING")),
        ("(integer) -3", Value::Int(-3), Value::Int(3)),
        ("(integer) 90..100", Value::Int(100), Value::Int(101)),
        ("(integer) *", Value::Int(i64::MIN), bulk("1")),
        ("(nil)", Value::Null, bulk("")),
        ("(error) ERR no, not this", error("ERR no, not this"), error("ERR no")),
        ("(error) \"ERR with: \"", error("ERR with: "), error("ERR with:")),
        ("(error) ~WRONGTYPE *", error("WRONGTYPE a"), status("WRONGTYPE a")),
        ("*", error("any"), Value::Null),
    ];
    for (text, good, bad) in &both {
        for proto in [Resp2, Resp3] {
            assert!(matches(text, good, proto), "{text} {good:?}");
            assert!(*text == "*" || !matches(text, bad, proto), "{text} {bad:?}");
        }
    }
}

#[test]
fn scalars_of_resp3() {
    let downgraded = [
        ("(nil array)", Value::NullArray, Value::Null),
        ("(true)", Value::Int(1), Value::Bool(true)),
        ("(false)", Value::Int(0), Value::Bool(false)),
        ("(double) 1.50", bulk("1.50"), Value::Double(1.5)),
        ("(double) inf", bulk("inf"), Value::Double(f64::INFINITY)),
        ("(double) 1.4..1.6", bulk("1.5"), Value::Double(1.5)),
        ("(big) 123", bulk("123"), Value::BigNumber(b"123".to_vec())),
        ("(txt) ~\"a*\"", bulk("ab"), Value::Verbatim { ext: *b"txt", data: b"ab".to_vec() }),
    ];
    for (text, resp2, resp3) in &downgraded {
        assert!(matches(text, resp2, Resp2), "{text}");
        assert!(matches(text, resp3, Resp3), "{text}");
        assert!(!matches(text, resp2, Resp3), "{text} is strict in RESP3");
        assert!(!matches(text, resp3, Resp2), "{text} is strict in RESP2");
    }
    assert!(!matches("(double) 1.50", &bulk("1.5"), Resp2), "RESP2 shows the very text");
}

#[test]
fn aggregates() {
    let flat = Value::Array(vec![bulk("a"), Value::Int(1), bulk("b"), Value::Int(2)]);
    let map = Value::Map(vec![(bulk("a"), Value::Int(1)), (bulk("b"), Value::Int(2))]);
    let text = "{\"b\" => (integer) 2, \"a\" => (integer) 1}";
    assert!(matches(text, &flat, Resp2) && matches(text, &map, Resp3));
    assert!(!matches(text, &flat, Resp3) && !matches(text, &map, Resp2));
    assert!(matches("{\"a\" => *, ...}", &map, Resp3));
    assert!(!matches("{\"a\" => *}", &map, Resp3));
    assert!(!matches("{\"a\" => (integer) 2, \"b\" => *}", &map, Resp3));

    let array = Value::Array(vec![bulk("a"), status("OK"), Value::Array(vec![])]);
    assert!(matches("[\"a\", OK, []]", &array, Resp2));
    assert!(matches("[\n  \"a\",\n  OK,\n  [],\n]", &array, Resp3));
    assert!(matches("[\"a\", ...]", &array, Resp2));
    assert!(!matches("[OK, \"a\", []]", &array, Resp2));
    assert!(matches("(any order) [[], OK, \"a\"]", &array, Resp2));
    assert!(!matches("(any order) [[], OK, OK]", &array, Resp2));

    let members = vec![bulk("a"), bulk("b")];
    assert!(matches("(set) [\"b\", \"a\"]", &Value::Set(members.clone()), Resp3));
    assert!(matches("(set) [\"b\", \"a\"]", &Value::Array(members.clone()), Resp2));
    assert!(matches("(push) [\"a\", \"b\"]", &Value::Push(members.clone()), Resp3));
    assert!(matches("(push) [\"a\", \"b\"]", &Value::Array(members), Resp2));
}

#[test]
fn a_wildcard_takes_what_nothing_else_can() {
    let values = Value::Array(vec![bulk("a"), bulk("b")]);
    assert!(matches("(any order) [*, \"a\"]", &values, Resp2));
    assert!(matches("(any order) [\"b\", *]", &values, Resp2));
    assert!(!matches("(any order) [*, \"c\"]", &values, Resp2));
}

#[test]
fn malformed_expectations() {
    let bad = [
        "",
        "[\"a\"",
        "\"a",
        "(integer) x",
        "(what) 1",
        "OK\n[1 2",
        "{\"a\"}",
        "\"a\" \"b\"",
        "[..., OK]",
    ];
    for text in bad {
        assert!(Expected::read_all(text).is_err(), "{text}");
    }
    assert_eq!(Expected::read_all("OK\n[\n1]\n(nil)").unwrap().len(), 3);
}

#[test]
fn what_is_shown_reads_back() {
    let values = [
        status("OK"),
        status("a, b]"),
        status(" *"),
        error("ERR unknown command 'a', with args beginning with: "),
        bulk("\0\"x"),
        Value::Int(-1),
        Value::Null,
        Value::Double(0.5),
        Value::Verbatim { ext: *b"txt", data: b"a".to_vec() },
        Value::Map(vec![(status("a"), Value::Set(vec![Value::Bool(true)]))]),
        Value::Push(vec![Value::BigNumber(b"9".to_vec()), Value::Array(vec![error("E a")])]),
    ];
    for value in values {
        assert!(matches(&show(&value), &value, Resp3), "{}", show(&value));
    }
    assert!(matches(&show(&Value::NullArray), &Value::NullArray, Resp2));
}

/// Answers every write with the next entry of its script, and keeps what was written.
#[derive(Default)]
struct Script {
    answers: Vec<(&'static str, Vec<Value>)>,
}

struct ScriptLink {
    answers: VecDeque<(&'static str, Vec<Value>)>,
    pending: VecDeque<Value>,
}

impl Target for Script {
    fn connect(&mut self) -> Box<dyn Link> {
        let answers = self.answers.clone().into();
        Box::new(ScriptLink { answers, pending: VecDeque::new() })
    }
}

impl Link for ScriptLink {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let bytes = String::from_utf8_lossy(bytes);
        if bytes.contains("FLUSHALL") || bytes.contains("HELLO") || bytes.contains("CONFIG") {
            let pair = vec![bulk("name"), bulk("former")];
            self.pending.push_back(Value::Array(pair));
        } else if let Some((part, replies)) = self.answers.pop_front() {
            assert!(bytes.contains(part), "{bytes:?} lacks {part:?}");
            self.pending.extend(replies);
        }
        Ok(())
    }

    fn receive(&mut self) -> io::Result<Value> {
        self.pending.pop_front().ok_or(io::ErrorKind::UnexpectedEof.into())
    }

    fn has_unread(&self) -> bool {
        !self.pending.is_empty()
    }
}

fn play(text: &str, answers: &[(&'static str, Vec<Value>)], proto: resp::Proto) -> Report {
    let file = CaseFile::parse("a.txt", text).unwrap();
    run(&file, &mut Script { answers: answers.to_vec() }, proto)
}

#[test]
fn a_pipeline_is_one_write() {
    let text = "== two\n> SET a b\n> GET a\n< OK\n< \"b\"\n> GET c\n< (nil)\n";
    let answers = [
        ("SET\r\n$1\r\na\r\n$1\r\nb\r\n*2\r\n$3\r\nGET", vec![status("OK"), bulk("b")]),
        ("$1\r\nc", vec![Value::Null]),
    ];
    let report = play(text, &answers, Resp2);
    assert_eq!((report.passed, report.failures.len()), (1, 0), "{:?}", report.failures);
}

#[test]
fn a_failure_names_its_place() {
    let report = play("\n== one\n> GET a\n< \"b\"\n", &[("GET", vec![bulk("c")])], Resp2);
    assert_eq!(report.passed, 0);
    let text = "a.txt:4: one\n    > GET a\n    expected \"b\"\n    got      \"c\"";
    assert_eq!(report.failures, [text]);
}

#[test]
fn too_many_and_too_few_replies_fail() {
    let two = [("GET", vec![bulk("b"), bulk("b")])];
    assert_eq!(play("== one\n> GET a\n< \"b\"\n", &two, Resp2).failures.len(), 1);
    let none = [("GET", vec![])];
    assert_eq!(play("== one\n> GET a\n< \"b\"\n", &none, Resp2).failures.len(), 1);
    assert_eq!(play("== one\n> GET a\n< (closed)\n", &none, Resp2).passed, 1);
    assert_eq!(play("== one\n> GET a\n< (closed)\n", &two, Resp2).passed, 0);
}

#[test]
fn protocols_and_connections() {
    let text = "== both\n! \"PING\\r\\n\"\n<2 \"a\"\n<3 \"b\"\nother> GET a\nother< \"c\"\n";
    let file = CaseFile::parse("a.txt", text).unwrap();
    let mut target = Script { answers: vec![("", vec![bulk("b")])] };
    let report = run(&file, &mut target, Resp3);
    assert!(report.failures[0].contains("expected \"c\""), "{:?}", report.failures);
    target.answers = vec![("", vec![bulk("a")])];
    let report = run(&file, &mut target, Resp2);
    assert!(report.failures[0].starts_with("a.txt:6:"), "{:?}", report.failures);
    assert_eq!(play("== x\n@only resp3\n> PING\n< A\n", &[], Resp2).failures.len(), 0);
}

#[test]
fn a_retry_waits_for_its_reply() {
    let answers = [("EXISTS", vec![Value::Int(1)]), ("EXISTS", vec![Value::Int(0)])];
    let report = play("== gone\n~> EXISTS a\n< (integer) 0\n", &answers, Resp2);
    assert_eq!(report.passed, 1, "{:?}", report.failures);
    assert_eq!(play("== gone\n~> EXISTS a\n", &answers, Resp2).failures.len(), 1);
}

#[test]
fn malformed_files() {
    let bad = [
        "> GET a\n",
        "== a\nGET a\n",
        "== a\n> GET \"a\n",
        "== a\n>\n",
        "== a\n> GET a\n<\n",
        "== a\n@option b c\n",
        "@config b c\n",
        "== a\n@only resp4\n",
    ];
    for text in bad {
        assert!(CaseFile::parse("a.txt", text).is_err(), "{text}");
    }
    let text = "@option maxmemory 1mb\n# why\n== a\n@config b c d\n> GET a\n< [\n<   OK\n< ]\n";
    let file = CaseFile::parse("a.txt", text).unwrap();
    assert_eq!(file.options, [("maxmemory".to_owned(), "1mb".to_owned())]);
    assert_eq!(file.cases[0].config, [("b".to_owned(), "c d".to_owned())]);
    assert_eq!(file.cases[0].steps.len(), 2);
}
