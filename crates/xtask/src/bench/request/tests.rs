//! The bytes of requests, and replies counted however they are cut.

use super::*;

#[test]
fn keys_are_filled_where_the_pattern_has_them() {
    let mut random = fastrand::Rng::with_seed(1);
    let mut keys = Keys::Sequence(41, 44);
    let mut request = Request::new("SET {k} xy;DEL {=}", 2);
    assert_eq!(request.replies(), 4);
    let sent = String::from_utf8(request.fill(&mut keys, &mut random).unwrap().to_vec()).unwrap();
    let pair = |key: &str| {
        format!(
            "*3\r\n$3\r\nSET\r\n$16\r\n{key}\r\n$2\r\nxy\r\n*2\r\n$3\r\nDEL\r\n$16\r\n{key}\r\n"
        )
    };
    assert_eq!(sent, pair("key:000000000041") + &pair("key:000000000042"));
    let sent = String::from_utf8(request.fill(&mut keys, &mut random).unwrap().to_vec()).unwrap();
    assert_eq!(sent, pair("key:000000000043") + &pair("key:000000000043"));
    assert!(request.fill(&mut keys, &mut random).is_none());
}

#[test]
fn a_request_without_keys_stays_as_it_is() {
    let mut random = fastrand::Rng::with_seed(1);
    let mut request = Request::new("PING", 2);
    let sent = request.fill(&mut Keys::Random(10), &mut random).unwrap();
    assert_eq!(sent, b"*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nPING\r\n");
}

#[test]
fn placeholders_say_where_their_numbers_come_from() {
    let mut random = fastrand::Rng::with_seed(1);
    let mut keys = Keys::Sequence(2, 4);
    let mut request = Request::new("ZADD z{k} 1.{~} {=m} {#}", 1);
    let sent = String::from_utf8(request.fill(&mut keys, &mut random).unwrap().to_vec()).unwrap();
    let words: Vec<&str> = sent.split("\r\n").skip(2).step_by(2).collect();
    assert_eq!(
        words,
        ["ZADD", "zkey:000000000002", "1.85410197", "m:000000000003", "00000003"],
        "a sequence that is used up repeats its last number"
    );
    for _ in 0..100 {
        let mut request = Request::new("GET {x<10}", 1);
        let sent = request.fill(&mut Keys::Random(1 << 20), &mut random).unwrap().to_vec();
        assert!(String::from_utf8(sent).unwrap().contains("x:00000000000"));
    }
    let mut inline = Request::new("!PING", 2);
    assert_eq!(inline.replies(), 2);
    assert_eq!(inline.fill(&mut Keys::Random(1), &mut random).unwrap(), b"PING\r\nPING\r\n");
}

#[test]
fn replies_are_counted_however_they_are_cut() {
    let stream: &[u8] = b"+OK\r\n:12\r\n$5\r\n*a\r\nb\r\n$-1\r\n$0\r\n\r\n\
        *2\r\n$1\r\nx\r\n*1\r\n:1\r\n*0\r\n*-1\r\n%1\r\n+a\r\n_\r\n";
    for first in 0..stream.len() {
        for second in first..stream.len() {
            let mut replies = Replies::new();
            let parts = [&stream[..first], &stream[first..second], &stream[second..]];
            let total: usize = parts.iter().map(|part| replies.count(part).unwrap()).sum();
            assert_eq!(total, 9, "cut at {first} and {second}");
        }
    }
}

#[test]
fn an_error_reply_is_not_counted_as_an_answer() {
    let mut replies = Replies::new();
    assert_eq!(replies.count(b"+OK\r\n-ERR unkn"), Ok(1));
    assert_eq!(replies.count(b"own\r\n"), Err("ERR unknown".to_owned()));
}
