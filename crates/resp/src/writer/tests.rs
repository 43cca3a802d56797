//! Spelling of every reply in both protocols, late headers, shared blobs, partial sends.

use proptest::prelude::*;

use super::*;

fn bytes(writer: &Writer) -> Vec<u8> {
    let all: Vec<u8> = writer.chunks(0).flatten().copied().collect();
    assert_eq!(all.len(), writer.len());
    all
}

fn written(proto: Proto, write: impl Fn(&mut Writer)) -> String {
    let mut writer = Writer::new(proto);
    write(&mut writer);
    String::from_utf8(bytes(&writer)).unwrap()
}

type Write = fn(&mut Writer);

#[test]
fn spellings() {
    let cases: &[(Write, &str, &str)] = &[
        (|w| w.ok(), "+OK\r\n", "+OK\r\n"),
        (|w| w.simple("a\r\nb"), "+a  b\r\n", "+a  b\r\n"),
        (|w| w.error("ERR a\nb\r"), "-ERR a b\r\n", "-ERR a b\r\n"),
        (|w| w.error_bytes(b"ERR x"), "-ERR x\r\n", "-ERR x\r\n"),
        (|w| w.int(-42), ":-42\r\n", ":-42\r\n"),
        (|w| w.bulk(b""), "$0\r\n\r\n", "$0\r\n\r\n"),
        (|w| w.bulk(b"a\r\nb"), "$4\r\na\r\nb\r\n", "$4\r\na\r\nb\r\n"),
        (|w| w.bulk(&[b'x'; 12]), "$12\r\nxxxxxxxxxxxx\r\n", "$12\r\nxxxxxxxxxxxx\r\n"),
        (
            |w| w.bulk_int(i64::MIN),
            "$20\r\n-9223372036854775808\r\n",
            "$20\r\n-9223372036854775808\r\n",
        ),
        (|w| w.bulk_shared(&Arc::new(b"abc".to_vec())), "$3\r\nabc\r\n", "$3\r\nabc\r\n"),
        (|w| w.bulk_shared(&Arc::default()), "$0\r\n\r\n", "$0\r\n\r\n"),
        (|w| w.null(), "$-1\r\n", "_\r\n"),
        (|w| w.null_array(), "*-1\r\n", "_\r\n"),
        (|w| w.array(0), "*0\r\n", "*0\r\n"),
        (|w| w.array(1234), "*1234\r\n", "*1234\r\n"),
        (|w| w.map(2), "*4\r\n", "%2\r\n"),
        (|w| w.set(99), "*99\r\n", "~99\r\n"),
        (|w| w.push(100), "*100\r\n", ">100\r\n"),
        (|w| w.double(0.1), "$3\r\n0.1\r\n", ",0.1\r\n"),
        (|w| w.double(3.0), "$1\r\n3\r\n", ",3\r\n"),
        (|w| w.double_text(b"0.25"), "$4\r\n0.25\r\n", ",0.25\r\n"),
        (|w| w.double(f64::INFINITY), "$3\r\ninf\r\n", ",inf\r\n"),
        (|w| w.double(f64::NEG_INFINITY), "$4\r\n-inf\r\n", ",-inf\r\n"),
        (|w| w.double(f64::NAN), "$3\r\nnan\r\n", ",nan\r\n"),
        (|w| w.bool(true), ":1\r\n", "#t\r\n"),
        (|w| w.bool(false), ":0\r\n", "#f\r\n"),
        (|w| w.big_number("-123"), "$4\r\n-123\r\n", "(-123\r\n"),
        (|w| w.verbatim("txt", b"hi"), "$2\r\nhi\r\n", "=6\r\ntxt:hi\r\n"),
        (|w| w.verbatim("x", b"hi"), "$2\r\nhi\r\n", "=6\r\nx  :hi\r\n"),
        (|w| w.verbatim("toolong", b""), "$0\r\n\r\n", "=4\r\ntoo:\r\n"),
        (|w| assert_eq!(w.attribute(1), w.proto() == Proto::Resp3), "", "|1\r\n"),
        (|w| w.raw(b"abc"), "abc", "abc"),
    ];
    for (write, resp2, resp3) in cases {
        assert_eq!(written(Proto::Resp2, write), *resp2);
        assert_eq!(written(Proto::Resp3, write), *resp3);
    }
}

#[test]
fn the_protocol_changes_in_between() {
    let mut writer = Writer::new(Proto::Resp2);
    writer.null();
    writer.set_proto(Proto::Resp3);
    writer.null();
    assert_eq!(bytes(&writer), b"$-1\r\n_\r\n");
}

#[test]
fn headers_that_come_later() {
    let nested: Write = |w| {
        w.int(1);
        let outer = w.array_later();
        let map = w.map_later();
        w.bulk(b"k");
        w.bulk_shared(&Arc::new(b"v".to_vec()));
        w.finish(map, 1);
        let set = w.set_later();
        w.finish(set, 0);
        w.finish(outer, 2);
        w.int(2);
    };
    let resp2 = ":1\r\n*2\r\n*2\r\n$1\r\nk\r\n$1\r\nv\r\n*0\r\n:2\r\n";
    assert_eq!(written(Proto::Resp2, nested), resp2);
    let resp3 = ":1\r\n*2\r\n%1\r\n$1\r\nk\r\n$1\r\nv\r\n~0\r\n:2\r\n";
    assert_eq!(written(Proto::Resp3, nested), resp3);
}

/// Nested headers around pieces of every kind, finished in every order, against plain appending.
#[test]
fn headers_in_any_order() {
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    for order in orders {
        for size in [0, 10, MOVED_MAX + 1] {
            let payload = Arc::new(vec![b'x'; size]);
            let mut writer = Writer::new(Proto::Resp3);
            let mut expected = Writer::new(Proto::Resp3);
            let mut laters = Vec::new();
            for n in 0..3 {
                writer.bulk_shared(&payload);
                laters.push(Some(writer.array_later()));
                writer.bulk(&payload);
                expected.bulk(&payload);
                expected.array(1000 * (n + 1));
                expected.bulk(&payload);
            }
            writer.bulk_shared(&payload);
            expected.bulk(&payload);
            for n in order {
                writer.finish(laters[n].take().unwrap(), 1000 * (n + 1));
            }
            assert!(bytes(&writer) == bytes(&expected), "{order:?}, {size}");
        }
    }
}

#[test]
fn half_written_replies_are_taken_back() {
    let mut writer = Writer::new(Proto::Resp3);
    let outer = writer.array_later();
    writer.bulk_shared(&Arc::new(vec![b'a'; 5]));
    let mark = writer.mark();
    let _inner = writer.map_later();
    writer.bulk(b"gone");
    writer.bulk_shared(&Arc::new(vec![b'b'; 7]));
    assert!(writer.since(mark).starts_with(b"$4\r\ngone\r\n"));
    writer.truncate_to(mark);
    assert!(writer.since(mark).is_empty());
    writer.error("ERR no");
    assert_eq!(writer.since(mark), b"-ERR no\r\n");
    writer.finish(outer, 2);
    assert_eq!(bytes(&writer), b"*2\r\n$5\r\naaaaa\r\n-ERR no\r\n");
    writer.consume(writer.len());
    assert!(writer.is_empty());
}

#[test]
fn nothing_is_copied_that_is_shared() {
    let payload = Arc::new(vec![b'x'; 1 << 20]);
    let mut writer = Writer::new(Proto::Resp2);
    writer.bulk_shared(&payload);
    let pieces: Vec<&[u8]> = writer.chunks(0).collect();
    assert_eq!(pieces.len(), 3);
    assert!(std::ptr::eq(pieces[1], payload.as_slice()));
    assert!(writer.capacity() < 100);
    assert_eq!(Arc::strong_count(&payload), 2);
    writer.consume(writer.len() - 1);
    assert_eq!(Arc::strong_count(&payload), 1);
    assert_eq!(bytes(&writer), b"\n");
}

#[test]
fn clear_keeps_a_bounded_buffer() {
    let mut writer = Writer::new(Proto::Resp2);
    writer.bulk(&vec![b'x'; 1 << 20]);
    writer.clear();
    assert!(writer.is_empty());
    assert!((KEPT_CAPACITY..2 * KEPT_CAPACITY).contains(&writer.capacity()));
}

#[test]
fn a_slow_reader_does_not_keep_what_it_read() {
    let mut writer = Writer::new(Proto::Resp2);
    let message = vec![b'x'; 1000];
    for _ in 0..10_000 {
        writer.bulk(&message);
        writer.consume(1000.min(writer.len() - 1));
    }
    let waiting = writer.len();
    assert!(waiting < 200_000, "{waiting}");
    assert!(writer.capacity() < 1 << 20, "{}", writer.capacity());
}

proptest! {
    /// Whatever is written and however it is sent, the bytes come out in order.
    #[test]
    fn sending_in_pieces(
        pieces in proptest::collection::vec((any::<bool>(), 0usize..40_000), 0..12),
        sends in proptest::collection::vec((1usize..60_000, 0usize..100), 1..12),
    ) {
        let mut writer = Writer::new(Proto::Resp2);
        let mut model: Vec<u8> = Vec::new();
        let mut sent: Vec<u8> = Vec::new();
        let mut sends = sends.iter().cycle();
        for (index, (shared, len)) in pieces.iter().enumerate() {
            let payload = vec![b'a' + index as u8; *len];
            model.extend_from_slice(format!("${len}\r\n").as_bytes());
            model.extend_from_slice(&payload);
            model.extend_from_slice(b"\r\n");
            if *shared {
                writer.bulk_shared(&Arc::new(payload));
            } else {
                writer.bulk(&payload);
            }
            let (amount, skip) = sends.next().unwrap();
            let rest: Vec<u8> = writer.chunks(*skip).flatten().copied().collect();
            prop_assert!(rest == bytes(&writer)[(*skip).min(writer.len())..]);
            let amount = (*amount).min(writer.len());
            sent.extend_from_slice(&bytes(&writer)[..amount]);
            writer.consume(amount);
        }
        sent.extend_from_slice(&bytes(&writer));
        prop_assert!(sent == model);
    }
}
