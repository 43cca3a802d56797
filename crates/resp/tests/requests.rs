//! Requests as a server meets them: tables of input and outcome, each fed in every way of cutting
//! it in two and byte by byte, and random streams.

use proptest::collection::vec;
use proptest::prelude::*;
use resp::{Limits, ProtocolError, encode_command};

mod driver;

use driver::{Connection, Event};

fn check(limits: Limits, input: &[u8], expected: &[Event]) {
    let shown = input.escape_ascii();
    assert_eq!(Connection::run(input, &[input.len()], limits), expected, "{shown}");
    assert_eq!(Connection::run(input, &[1], limits), expected, "{shown}, byte by byte");
    for cut in 1..input.len() {
        let events = Connection::run(input, &[cut, input.len()], limits);
        assert_eq!(events, expected, "{shown}, cut at {cut}");
    }
}

fn owned(words: &[&str]) -> Vec<Vec<u8>> {
    words.iter().map(|word| word.as_bytes().to_vec()).collect()
}

fn command(words: &[&str]) -> Event {
    Event::Command(owned(words))
}

fn line(words: &[&str]) -> Event {
    Event::Inline(owned(words))
}

/// Small enough for the tables; a big argument is one of three bytes.
fn limits() -> Limits {
    Limits { max_bulk: 100_000, big_min: 3, ..Limits::default() }
}

#[test]
fn commands() {
    let ping = command(&["PING"]);
    let cases: &[(&[u8], &[Event])] = &[
        (b"*1\r\n$4\r\nPING\r\n", std::slice::from_ref(&ping)),
        (b"*2\r\n$1\r\na\r\n$0\r\n\r\n", &[command(&["a", ""])]),
        (b"*2\r\n$2\r\n\r\n\r\n$4\r\n*1\r\n\r\n", &[command(&["\r\n", "*1\r\n"])]),
        (b"\r\n*1\r\n$4\r\nPING\r\n", &[Event::Empty, ping.clone()]),
        (b"*0\r\n*-1\r\n*-10\r\n", &[Event::Empty, Event::Empty, Event::Empty]),
        (b"*-10\r\n*1\r\n$4\r\nPING\r\n", &[Event::Empty, ping.clone()]),
        (
            b"*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$12\r\nhello world!\r\n*1\r\n$4\r\nPING\r\n",
            &[command(&["SET", "key", "hello world!"]), ping.clone()],
        ),
        (b"*1\r\n$4\r\nPING\r\nPING\r\n", &[ping.clone(), line(&["PING"])]),
        (b"*1\r\n$4\r\nPI", &[]),
        (b"*1", &[]),
    ];
    for (input, expected) in cases {
        check(limits(), input, expected);
        check(Limits::default(), input, expected);
    }
}

#[test]
fn inline_commands() {
    let cases: &[(&[u8], &[Event])] = &[
        (b"\r\n", &[Event::Empty]),
        (b"\n\n", &[Event::Empty, Event::Empty]),
        (b"PING\n", &[line(&["PING"])]),
        (b"PING\r\nECHO hi\n", &[line(&["PING"]), line(&["ECHO", "hi"])]),
        (b" \t \r\n", &[line(&[])]),
        (b"a\rb\r\r\n", &[line(&["a", "b"])]),
        (b"$4\r\n", &[line(&["$4"])]),
        (b"set k \"a b\"\r\n", &[line(&["set", "k", "a b"])]),
        (b"set \"\"\"test-key\"\"\" v\r\n", &[Event::Error(ProtocolError::UnbalancedQuotes)]),
        (b"a\0b\nc\n", &[]),
    ];
    for (input, expected) in cases {
        check(limits(), input, expected);
    }
}

#[test]
fn errors() {
    use ProtocolError::{BulkLength, Crlf, ExpectedDollar, MultibulkLength};
    let cases: &[(&[u8], ProtocolError)] = &[
        (b"*3000000000\r\n", MultibulkLength),
        (b"*2147483648\r\n", MultibulkLength),
        (b"*\r\n", MultibulkLength),
        (b"*x\r\n", MultibulkLength),
        (b"*+1\r\n$4\r\nPING\r\n", MultibulkLength),
        (b"*01\r\n$4\r\nPING\r\n", MultibulkLength),
        (b"*00\r\n$4\r\nPING\r\n", MultibulkLength),
        (b"*-0\r\n", MultibulkLength),
        (b"* 1\r\n", MultibulkLength),
        (b"*99999999999999999999\r\n", MultibulkLength),
        (b"*3x\n$3\r\nSET\r\n", MultibulkLength),
        (b"*3\rx$3\r\nSET\r\n", Crlf),
        (b"*3\r\n$3\r\nSET\r\n$1\r\nx\r\nfooz\r\n", ExpectedDollar(b'f')),
        (b"*1\r\nfoo\r\n", ExpectedDollar(b'f')),
        (b"*1\r\n*1\r\n", ExpectedDollar(b'*')),
        (b"*1\r\n\r\n", ExpectedDollar(b'\r')),
        (b"*1\r\nx\rx", ExpectedDollar(b'x')),
        (b"*1\r\n$\r\n", BulkLength),
        (b"*1\r\n$-1\r\n", BulkLength),
        (b"*1\r\n$-10\r\n", BulkLength),
        (b"*1\r\n$blabla\r\n", BulkLength),
        (b"*1\r\n$04\r\nPING\r\n", BulkLength),
        (b"*1\r\n$+4\r\nPING\r\n", BulkLength),
        (b"*1\r\n$100001\r\n", BulkLength),
        (b"*1\r\n$99999999999999999999\r\n", BulkLength),
        (b"*1\r\n$3\rxSET\r\n", Crlf),
        (b"*1\r\n$3\r\nSET\rx", Crlf),
        (b"*1\r\n$3\r\nSETx\n", Crlf),
        (b"*1\r\n$2\r\nSETxx\r\n", Crlf),
        (b"*2\r\n$1\r\nG\r\n$20\r\n0123456789012345678901", Crlf),
    ];
    for (input, error) in cases {
        check(limits(), input, &[Event::Error(*error)]);
        check(Limits { big_min: 32 << 10, ..limits() }, input, &[Event::Error(*error)]);
    }
}

#[test]
fn limits_before_authentication() {
    let limits = Limits { unauthenticated: true, ..Limits::default() };
    let many = |n: usize| {
        let mut out = Vec::new();
        encode_command(&mut out, &vec!["x"; n]);
        out
    };
    check(limits, &many(10), &[command(&["x"; 10])]);
    let refused = Event::Error(ProtocolError::UnauthenticatedMultibulkLength);
    check(limits, &many(11), std::slice::from_ref(&refused));
    check(limits, b"*2000000\r\n", &[refused]);
    check(limits, b"*-11\r\n", &[Event::Empty]);
    check(limits, b"*1\r\n$16385\r\n", &[Event::Error(ProtocolError::UnauthenticatedBulkLength)]);
    let mut longest = Vec::new();
    encode_command(&mut longest, &[vec![b'x'; 16384]]);
    let expected = Event::Command(vec![vec![b'x'; 16384]]);
    assert_eq!(Connection::run(&longest, &[1000], limits), [expected]);
}

/// What a peer of some other protocol runs into, however it cuts its bytes.
#[test]
fn lines_without_an_end() {
    use ProtocolError::{BigBulkCount, BigInline, BigMultibulkCount};
    let cases: &[(&[u8], ProtocolError)] = &[
        (b"A", BigInline),
        (b"\0", BigInline),
        (b"\0\r\n\r\n", BigInline),
        (b"$\0", BigInline),
        (b"*\0", BigMultibulkCount),
        (b"*1\n", BigMultibulkCount),
        (b"*1\r\n$\0", BigBulkCount),
        (b"*1\r\nA", BigBulkCount),
        (b"*2\r\n$1\r\nx\r\n$1\n", BigBulkCount),
    ];
    for (start, error) in cases {
        let line_at = start.windows(2).rposition(|pair| pair == b"\r\n").map_or(0, |at| at + 2);
        let line_at = if start[0] == b'*' { line_at } else { 0 };
        let mut input = start.to_vec();
        input.resize(line_at + 65536, b'A');
        for pieces in [&[1usize][..], &[1000], &[input.len()]] {
            assert_eq!(Connection::run(&input, pieces, Limits::default()), [], "{error}");
        }
        input.push(b'A');
        for pieces in [&[1usize][..], &[1000], &[input.len()]] {
            let events = Connection::run(&input, pieces, Limits::default());
            assert_eq!(events, [Event::Error(*error)]);
        }
    }
}

fn stream() -> impl Strategy<Value = Vec<Vec<Vec<u8>>>> {
    let arg = prop_oneof![
        8 => vec(any::<u8>(), 0..20),
        2 => vec(any::<u8>(), 90..130),
        1 => vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'$'), Just(b'1')], 0..8),
        1 => vec(any::<u8>(), 9990..10010),
    ];
    vec(vec(arg, 1..6), 1..6)
}

fn encoded(commands: &[Vec<Vec<u8>>]) -> Vec<u8> {
    let mut out = Vec::new();
    for args in commands {
        encode_command(&mut out, args);
    }
    out
}

proptest! {
    #[test]
    fn streams_survive_every_cut(commands in stream(), big_min in 1usize..200) {
        let input = encoded(&commands);
        let expected: Vec<Event> = commands.into_iter().map(Event::Command).collect();
        let limits = Limits { big_min, ..Limits::default() };
        prop_assert_eq!(&Connection::run(&input, &[input.len()], limits), &expected);
        prop_assert_eq!(&Connection::run(&input, &[1], limits), &expected);
        // A step that is prime to the usual lengths keeps long streams affordable.
        for cut in (1..input.len()).step_by(1 + input.len() / 97) {
            let events = Connection::run(&input, &[cut, input.len()], limits);
            prop_assert_eq!(&events, &expected, "cut at {}", cut);
        }
    }

    #[test]
    fn streams_leave_nothing_over(commands in stream(), pieces in vec(1usize..300, 1..50)) {
        let input = encoded(&commands);
        let mut connection = Connection::new(Limits { big_min: 50, ..Limits::default() });
        let mut rest = &input[..];
        for piece in pieces.iter().cycle() {
            let (now, later) = rest.split_at((*piece).min(rest.len()));
            connection.feed(now);
            rest = later;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert!(connection.is_idle());
        prop_assert_eq!(connection.events.len(), commands.len());
    }

    #[test]
    fn any_bytes_give_the_same_however_they_are_cut(
        input in vec(any::<u8>(), 0..200),
        pieces in vec(1usize..20, 1..20),
    ) {
        let whole = Connection::run(&input, &[input.len()], limits());
        prop_assert_eq!(Connection::run(&input, &pieces, limits()), whole);
    }

    #[test]
    fn likely_bytes_give_the_same_however_they_are_cut(
        parts in vec(prop_oneof![
            Just("*"), Just("$"), Just("\r\n"), Just("\r"), Just("\n"), Just("0"), Just("1"),
            Just("2"), Just("-"), Just("\""), Just("'"), Just("x"), Just("\\x4"), Just("\0"),
            Just("*1\r\n"), Just("*2\r\n"), Just("$1\r\n"), Just("$4\r\nPING\r\n"),
        ], 0..40),
        pieces in vec(1usize..8, 1..20),
    ) {
        let input = parts.concat().into_bytes();
        let whole = Connection::run(&input, &[input.len()], limits());
        prop_assert_eq!(Connection::run(&input, &pieces, limits()), whole);
    }
}
