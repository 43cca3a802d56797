//! The parser's own duties: spans, big arguments, moved buffers, no repeated work. What requests
//! mean is in `tests/requests.rs`.

use super::*;

fn next(parser: &mut Parser, buf: &[u8], cursor: &mut usize, args: &mut Vec<Span>) -> Step {
    parser.next(buf, cursor, args, &Limits::default()).unwrap()
}

#[test]
fn spans_are_appended_behind_those_of_earlier_commands() {
    let buf = b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n*1\r\n$4\r\nPING\r\n";
    let (mut parser, mut cursor, mut args) = (Parser::new(), 0, Vec::new());
    assert_eq!(next(&mut parser, buf, &mut cursor, &mut args), Step::Command);
    assert_eq!(cursor, 20);
    assert_eq!(next(&mut parser, buf, &mut cursor, &mut args), Step::Command);
    assert_eq!(cursor, buf.len());
    let words: Vec<&[u8]> = args.iter().map(|span| &buf[span.range()]).collect();
    assert_eq!(words, [&b"GET"[..], b"a", b"PING"]);
    assert_eq!(next(&mut parser, buf, &mut cursor, &mut args), Step::Incomplete);
    assert!(parser.is_idle());
}

#[test]
fn a_big_argument_is_announced_until_it_is_done() {
    let (mut parser, mut cursor, mut args) = (Parser::new(), 0, Vec::new());
    let mut buf = b"*2\r\n$3\r\nGET\r\n$40000\r\nxyz".to_vec();
    let big = Step::Big { len: 40000 };
    assert_eq!(next(&mut parser, &buf, &mut cursor, &mut args), big);
    assert_eq!(next(&mut parser, &buf, &mut cursor, &mut args), big);
    assert_eq!(&buf[cursor..], b"xyz");
    assert_eq!(parser.pending_args(), 1);
    assert!(!parser.is_idle());
    args.push(Span::owned(7));
    cursor = buf.len();
    assert!(parser.big_done());
    assert!(parser.is_idle());
    assert_eq!(args[1].as_owned(), Some(7));
    assert_eq!(args[0].as_owned(), None);

    buf.truncate(cursor - 3);
    buf.resize(buf.len() + 40000, b'x');
    buf.extend_from_slice(b"\r\n");
    let (mut parser, mut cursor, mut args) = (Parser::new(), 0, Vec::new());
    assert_eq!(next(&mut parser, &buf, &mut cursor, &mut args), Step::Command);
    assert_eq!(args[1].range().len(), 40000);
}

#[test]
fn big_arguments_that_are_not_the_last() {
    let (mut parser, mut cursor, mut args) = (Parser::new(), 0, Vec::new());
    let buf = b"*2\r\n$40000\r\n";
    assert_eq!(next(&mut parser, buf, &mut cursor, &mut args), Step::Big { len: 40000 });
    assert!(!parser.big_done());
    assert_eq!(parser.pending_args(), 1);
}

#[test]
fn rebase_leaves_owned_arguments_alone() {
    let mut args = [Span { start: 30, len: 2 }, Span::owned(5), Span { start: 20, len: 0 }];
    rebase(&mut args, 20);
    assert_eq!(args, [Span { start: 10, len: 2 }, Span::owned(5), Span { start: 0, len: 0 }]);
}

/// The count of searched bytes is what keeps a slow sender from costing quadratic time.
#[test]
fn no_byte_is_searched_twice() {
    for start in [&b"*1"[..], b"GET", b"*1\r\n$1", b"\0"] {
        let (mut parser, mut cursor, mut args) = (Parser::new(), 0, Vec::new());
        let mut buf = start.to_vec();
        for _ in 0..3 {
            assert_eq!(next(&mut parser, &buf, &mut cursor, &mut args), Step::Incomplete);
            let expected = if start == b"\0" { 0 } else { buf.len() - cursor };
            assert_eq!(parser.scanned, expected);
            buf.extend_from_slice(b"000");
        }
    }
}

#[test]
fn an_announced_count_allocates_nothing() {
    let (mut parser, mut cursor, mut args) = (Parser::new(), 0, Vec::new());
    let buf = b"*2147483647\r\n$1\r\n";
    assert_eq!(next(&mut parser, buf, &mut cursor, &mut args), Step::Incomplete);
    assert_eq!(parser.pending_args(), i32::MAX.unsigned_abs());
    assert_eq!(args.capacity(), 0);
}

#[test]
fn short_lines() {
    type Case = (&'static [u8], Option<(u32, usize)>);
    let cases: &[Case] = &[
        (b"$0\r\n....", Some((0, 4))),
        (b"$9\r\n....", Some((9, 4))),
        (b"$10\r\n...", Some((10, 5))),
        (b"$123\r\n..", Some((123, 6))),
        (b"$1234\r\n.", Some((1234, 7))),
        (b"$65535\r\n", Some((65535, 8))),
        (b"$123456\r\n", None),
        (b"$00\r\n...", None),
        (b"$01\r\n...", None),
        (b"$-1\r\n...", None),
        (b"$\r\n.....", None),
        (b"$1\n......", None),
        (b"$1\r\r....", None),
        (b"$1:\r\n...", None),
        (b"$/1\r\n...", None),
        (b"*1\r\n....", None),
        (b"$1\r\n...", None),
    ];
    for (text, expected) in cases {
        assert_eq!(short_line(text, b'$'), *expected, "{}", text.escape_ascii());
    }
}

#[test]
fn texts() {
    let cases = [
        (ProtocolError::MultibulkLength, "invalid multibulk length"),
        (ProtocolError::BulkLength, "invalid bulk length"),
        (ProtocolError::ExpectedDollar(b'f'), "expected '$', got 'f'"),
        (ProtocolError::BigInline, "too big inline request"),
        (ProtocolError::BigMultibulkCount, "too big mbulk count string"),
        (ProtocolError::BigBulkCount, "too big bulk count string"),
        (ProtocolError::Crlf, "invalid CRLF in request"),
        (ProtocolError::UnbalancedQuotes, "unbalanced quotes in request"),
        (ProtocolError::UnauthenticatedMultibulkLength, "unauthenticated multibulk length"),
        (ProtocolError::UnauthenticatedBulkLength, "unauthenticated bulk length"),
    ];
    for (error, text) in cases {
        assert_eq!(error.to_string(), text);
        assert_eq!(error.text(), format!("ERR Protocol error: {text}"));
    }
}
