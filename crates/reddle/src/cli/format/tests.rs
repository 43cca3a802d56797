//! Replies in each form; what real servers send is compared in the tests of the program.

use client::{Decoder, Value};

use super::{csv, json, raw, standard};

fn value(reply: &str) -> Value {
    let mut decoder = Decoder::keeping_spelling();
    decoder.feed(reply.replace(' ', "\r\n").as_bytes());
    decoder.feed(b"\r\n");
    decoder.next().unwrap().unwrap()
}

fn forms(reply: &str) -> [String; 4] {
    let value = value(reply);
    let mut out = [Vec::new(), Vec::new(), Vec::new(), Vec::new()];
    standard(&mut out[0], &value, "");
    raw(&mut out[1], &value, b"\n");
    csv(&mut out[2], &value);
    json(&mut out[3], &value, false);
    out.map(|bytes| String::from_utf8(bytes).unwrap())
}

#[test]
fn every_type() {
    let cases = [
        ("_", ["(nil)\n", "", "NULL", "null"]),
        ("+OK", ["OK\n", "OK", "\"OK\"", "\"OK\""]),
        ("-ERR", ["(error) ERR\n", "ERR\n", "ERROR,\"ERR\"", "error:\"ERR\""]),
        ("#t", ["(true)\n", "(true)", "true", "true"]),
        (",1.10", ["(double) 1.10\n", "1.10", "1.10", "1.10"]),
        (
            "(12345678901234567890",
            [
                "(big number) 12345678901234567890\n",
                "12345678901234567890",
                "12345678901234567890",
                "12345678901234567890",
            ],
        ),
        ("=7 txt:a\"b", ["a\"b\n", "a\"b", "\"a\\\"b\"", "\"a\\\"b\""]),
        ("~1 :1", ["1~ (integer) 1\n", "1", "1", "[1]"]),
        ("%1 :1 $1 a", ["1# (integer) 1 => \"a\"\n", "1 a", "1,\"a\"", "{\"1\":\"a\"}"]),
        ("|1 +ttl :1 :5", ["(integer) 5\n", "5", "5", "5"]),
        (">0", ["(empty push)\n", "", "", "[]"]),
    ];
    for (reply, expected) in cases {
        assert_eq!(forms(reply), expected, "{reply}");
    }
}

#[test]
fn what_is_inside_stands_below_its_number() {
    let [standard, ..] = forms("*2 *2 :1 :2 %2 +a *2 :1 :2 +b :3");
    let expected = [
        "1) 1) (integer) 1",
        "   2) (integer) 2",
        "2) 1# a => ",
        "      1) (integer) 1",
        "      2) (integer) 2",
        "   2# b => (integer) 3",
    ];
    let expected = expected.map(|line| format!("{line}\n")).concat();
    assert_eq!(standard, expected);
}

#[test]
fn numbers_of_elements_are_aligned() {
    let [standard, ..] = forms(&format!("*10{}", " :1".repeat(10)));
    assert!(standard.starts_with(" 1) (integer) 1\n 2) ") && standard.contains("\n10) "));
}
