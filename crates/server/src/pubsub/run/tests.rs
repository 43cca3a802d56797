//! Who gets which part of a run, and what may be joined.

use super::super::message::Kind;
use super::*;

fn message(number: u64, channel: &[u8], payload: &[u8]) -> Arc<Message> {
    Arc::new(Message::new(number, (Kind::Channel, None), channel, payload, Vec::new()))
}

#[test]
fn each_gets_what_it_has_not_seen() {
    let mut run = Run::new(message(3, b"c", b"one"));
    run.messages.push(message(5, b"c", b"two"));
    run.messages.push(message(6, b"c", b"three"));
    let all = [3, 5, 6].map(|number| {
        let at = [3, 5, 6].iter().position(|other| *other == number).expect("one of them");
        run.messages[at].plain(Proto::Resp2).to_vec()
    });
    for (seen, from) in [(0, 0), (2, 0), (3, 1), (4, 1), (5, 2)] {
        let got = run.since(seen, Proto::Resp2).expect("something is unseen");
        assert_eq!(*got, all[from..].concat(), "seen {seen}");
    }
    assert!(run.since(6, Proto::Resp2).is_none());
    let pushed = run.since(0, Proto::Resp3).expect("all are unseen");
    assert!(pushed.starts_with(b">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$3\r\none\r\n>3"));
}

#[test]
fn only_small_messages_of_one_channel_without_patterns_are_joined() {
    let run = Run::new(message(1, b"c", b"one"));
    assert!(run.takes(&message(2, b"c", b"two")));
    assert!(!run.takes(&message(2, b"d", b"two")));
    assert!(!run.takes(&Message::new(2, (Kind::Shard, None), b"c", b"two", Vec::new())));
    assert!(!run.takes(&Message::new(
        2,
        (Kind::Channel, None),
        b"c",
        b"two",
        vec![Arc::from(&b"*"[..])]
    )));
    assert!(!run.takes(&message(2, b"c", &vec![0; SHARED_MIN])));
    let big = Run::new(message(1, b"c", &vec![0; SHARED_MIN]));
    assert!(!big.takes(&message(2, b"c", b"two")));
    let by_pattern =
        Message::new(1, (Kind::Channel, None), b"c", b"one", vec![Arc::from(&b"*"[..])]);
    assert!(!Run::new(Arc::new(by_pattern)).takes(&message(2, b"c", b"two")));
}
