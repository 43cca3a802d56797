//! Replies of both protocols as the same types.

use std::collections::BTreeMap;

use resp::Value;

use super::FromReply;
use crate::error::{Error, Fate};

fn read<T: FromReply>(reply: &str) -> Result<T, Error> {
    let reply = reply.replace(' ', "\r\n") + "\r\n";
    T::from_reply(resp::decode(reply.as_bytes()).unwrap().unwrap().0)
}

#[test]
fn both_protocols_read_alike() {
    for number in ["$3 1.5", ",1.5"] {
        assert_eq!(read::<f64>(number).unwrap(), 1.5);
        assert_eq!(read::<String>(number).unwrap(), "1.5");
    }
    let map = BTreeMap::from([("a".to_owned(), 1_i64), ("b".to_owned(), 2)]);
    for reply in ["*4 $1 a :1 $1 b $1 2", "%2 +a :1 +b :2", "*2 *2 +a :1 *2 +b :2"] {
        assert_eq!(read::<BTreeMap<String, i64>>(reply).unwrap(), map, "{reply}");
    }
    for null in ["$-1", "*-1", "_"] {
        assert_eq!(read::<Option<String>>(null).unwrap(), None);
    }
    for list in ["*2 $1 a $1 b", "~2 +a +b"] {
        assert_eq!(read::<Vec<String>>(list).unwrap(), ["a", "b"]);
    }
    assert!(read::<bool>("+OK").unwrap() && read::<bool>("#t").unwrap());
    assert!(!read::<bool>(":0").unwrap() && !read::<bool>("$-1").unwrap());
}

#[test]
fn errors_and_other_types() {
    let error = read::<()>("-WRONGTYPE no").unwrap_err();
    assert_eq!(error.server().unwrap().code(), "WRONGTYPE");
    let error = read::<i64>("$1 x").unwrap_err();
    assert_eq!(error.fate(), Fate::Ran);
    assert_eq!(error.to_string(), "expected an integer, the reply is Bulk([120])");
    assert!(matches!(read::<u64>(":-1"), Err(Error::Type { .. })));
    assert!(matches!(read::<BTreeMap<String, i64>>("*1 +a"), Err(Error::Type { .. })));
    let moved = read::<()>("-MOVED 12182 127.0.0.1:7001").unwrap_err();
    assert_eq!(moved.fate(), Fate::DidNotRun);
}

#[test]
fn redirections() {
    let error = crate::error::ServerError::new(b"ASK 5 ::1:7001");
    let redirect = error.redirect().unwrap();
    assert_eq!((redirect.ask, redirect.slot), (true, 5));
    assert_eq!((redirect.host.as_str(), redirect.port), ("::1", 7001));
    assert_eq!(crate::error::ServerError::new(b"ERR x").redirect(), None);
}

#[test]
fn a_value_is_itself_unless_it_is_an_error() {
    assert_eq!(read::<Value>(":1").unwrap(), Value::Int(1));
    assert!(read::<Value>("!3 ERR").is_err());
}
