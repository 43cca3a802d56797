//! The decoder of streams gives what the decoder of whole replies gives, however bytes are cut.

use crate::value::{DEPTH_MAX, DecodeError, Decoder, Value, decode};

const REPLIES: &[&[u8]] = &[
    b"+OK\r\n",
    b"-ERR no\r\n",
    b":-7\r\n",
    b"$-1\r\n",
    b"*-1\r\n",
    b"_\r\n",
    b"*0\r\n",
    b"$5\r\na\r\nb\0\r\n",
    b"%2\r\n+a\r\n*2\r\n:1\r\n:2\r\n+b\r\n~0\r\n",
    b"|1\r\n+ttl\r\n:3\r\n*1\r\n,1.5\r\n",
    b">2\r\n+invalidate\r\n*1\r\n$1\r\nk\r\n",
    b"*3\r\n*0\r\n%0\r\n*1\r\n*0\r\n",
    b"=7\r\ntxt:abc\r\n",
    b"(123456789012345678901234567890\r\n",
    b"#t\r\n",
];

#[test]
fn cut_anywhere() {
    let stream = REPLIES.concat();
    let mut expected = Vec::new();
    let mut at = 0;
    while let Ok(Some((value, length))) = decode(&stream[at..]) {
        expected.push(value);
        at += length;
    }
    assert_eq!((expected.len(), at), (REPLIES.len(), stream.len()));
    for size in 1..stream.len() {
        let mut decoder = Decoder::new();
        let mut got = Vec::new();
        for piece in stream.chunks(size) {
            decoder.feed(piece);
            while let Some(value) = decoder.next().unwrap() {
                got.push(value);
            }
        }
        assert_eq!(got, expected, "pieces of {size} bytes");
        assert!(!decoder.is_within());
    }
}

#[test]
fn a_spelling_is_kept_when_asked_for() {
    let mut decoder = Decoder::keeping_spelling();
    decoder.feed(b",0.10000000000000001\r\n,x\r\n");
    assert_eq!(decoder.next(), Ok(Some(Value::DoubleText(b"0.10000000000000001".to_vec()))));
    assert_eq!(decoder.next(), Err(DecodeError::Content));
}

#[test]
fn depth_is_bounded() {
    let mut decoder = Decoder::new();
    decoder.feed(&b"*1\r\n".repeat(DEPTH_MAX));
    assert_eq!(decoder.next(), Ok(None));
    decoder.feed(b"*1\r\n");
    assert_eq!(decoder.next(), Err(DecodeError::Depth));
}

#[test]
fn what_is_not_decoded_can_be_taken() {
    let mut decoder = Decoder::new();
    decoder.feed(b"+OK\r\nREDIS0011");
    assert_eq!(decoder.next(), Ok(Some(Value::Simple(b"OK".to_vec()))));
    assert_eq!(decoder.take_rest(), b"REDIS0011");
    assert!(!decoder.is_within());
}
