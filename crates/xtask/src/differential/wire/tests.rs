//! Where a reply ends.

use super::*;

#[test]
fn the_length_of_a_reply_is_found_without_reading_it() {
    let replies: &[&[u8]] = &[
        b"+OK\r\n",
        b"-ERR a b\r\n",
        b":-12\r\n",
        b"_\r\n",
        b"#t\r\n",
        b",1.5\r\n",
        b"(123\r\n",
        b"$-1\r\n",
        b"*-1\r\n",
        b"$0\r\n\r\n",
        b"$4\r\na\r\nb\r\n",
        b"=5\r\ntxt:a\r\n",
        b"*0\r\n",
        b"*2\r\n*1\r\n:1\r\n$1\r\na\r\n",
        b"%2\r\n:1\r\n:2\r\n:3\r\n*0\r\n",
        b"~1\r\n:1\r\n",
        b"|1\r\n+a\r\n+b\r\n:1\r\n",
    ];
    for reply in replies {
        let more = [reply, &b":1\r\n"[..]].concat();
        assert_eq!(length(&more), Ok(Some(reply.len())), "{}", reply.escape_ascii());
        for end in 0..reply.len() {
            assert_eq!(length(&reply[..end]), Ok(None), "{}", reply[..end].escape_ascii());
        }
    }
}

#[test]
fn what_is_no_reply_is_told() {
    assert_eq!(length(b"hello\r\n"), Err(Malformed));
    assert_eq!(length(b"*x\r\n"), Err(Malformed));
    assert_eq!(length(b"\r\n"), Err(Malformed));
}
