//! Logs cut at every place and with every byte changed, against where their records stand.

use proptest::prelude::*;

use super::*;
use crate::rdb::Slice;

/// What a record of a made log is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Made {
    Plain,
    Note,
    Multi,
    Inside,
    Exec,
}

/// A log, and where its records begin.
#[derive(Clone, Default, Debug)]
struct Sample {
    bytes: Vec<u8>,
    starts: Vec<(usize, Made)>,
}

impl Sample {
    fn command(&mut self, made: Made, args: &[&[u8]]) {
        self.starts.push((self.bytes.len(), made));
        self.bytes.extend_from_slice(format!("*{}\r\n", args.len()).as_bytes());
        for arg in args {
            self.bytes.extend_from_slice(format!("${}\r\n", arg.len()).as_bytes());
            self.bytes.extend_from_slice(arg);
            self.bytes.extend_from_slice(b"\r\n");
        }
    }

    fn note(&mut self, text: &str) {
        self.starts.push((self.bytes.len(), Made::Note));
        self.bytes.extend_from_slice(text.as_bytes());
        self.bytes.extend_from_slice(b"\r\n");
    }

    /// Where the record begins that holds the byte at `at`, and where it ends.
    fn record(&self, at: usize) -> (usize, usize) {
        let index = self.starts.partition_point(|(start, _)| *start <= at) - 1;
        let end = self.starts.get(index + 1).map_or(self.bytes.len(), |(start, _)| *start);
        (self.starts[index].0, end)
    }

    /// How the log must end when it is cut behind `len` bytes.
    fn end_at(&self, len: usize) -> End {
        let (mut keep, mut multi, mut whole) = (0, None, 0);
        for (index, (start, made)) in self.starts.iter().enumerate() {
            let end = self.starts.get(index + 1).map_or(self.bytes.len(), |(start, _)| *start);
            if end > len {
                break;
            }
            whole = end;
            match made {
                Made::Multi => multi = Some(*start as u64),
                Made::Exec => multi = None,
                Made::Plain | Made::Note | Made::Inside => {}
            }
            if multi.is_none() {
                keep = end as u64;
            }
        }
        let tail = match multi {
            _ if whole < len => Tail::Torn,
            Some(_) => Tail::Open,
            None => Tail::Whole,
        };
        End { tail, keep, size: len as u64, multi, element: 0, wanted: 0 }
    }
}

/// An end without what is said of the element that is not whole.
fn plain(end: End) -> End {
    End { element: 0, wanted: 0, ..end }
}

/// The records, written out again, and the end or the damage.
fn read(bytes: &[u8]) -> (Vec<Vec<u8>>, Result<End, Damage>, u64) {
    let mut log = Log::new(Slice::new(bytes));
    let mut records = Vec::new();
    loop {
        match log.next_record() {
            Ok(Some(Record::Command(command))) => {
                assert_eq!(&bytes[command.at as usize..command.end as usize], command.bytes());
                assert!(command.args().len() > 0 && !command.name().is_empty());
                records.push(command.bytes().to_vec());
            }
            Ok(Some(Record::Note { at, text })) => {
                assert!(bytes[at as usize..].starts_with(text));
                records.push(text.to_vec());
            }
            Ok(None) => return (records, Ok(plain(log.end())), log.end().keep),
            Err(Error::Damaged(damage)) => return (records, Err(damage), log.end().keep),
            Err(Error::Io(error)) => panic!("{error}"),
        }
    }
}

fn sample() -> Sample {
    let mut log = Sample::default();
    log.command(Made::Plain, &[b"SELECT", b"0"]);
    log.note("#TS:1700000000");
    log.command(Made::Plain, &[b"SET", b"key", b"a\r\nb*1\r\n$0\r\n"]);
    log.command(Made::Multi, &[b"MULTI"]);
    log.command(Made::Inside, &[b"RPUSH", b"list", &[0; 30], &[b'x'; 120], b""]);
    log.note("#TS:1700000001");
    log.command(Made::Inside, &[b"DEL", b"key"]);
    log.command(Made::Exec, &[b"EXEC"]);
    log.command(Made::Plain, &[b"SET", b"big", &[b'7'; 1500]]);
    log.command(Made::Plain, &[b"INCR", b"n"]);
    log.command(Made::Multi, &[b"multi"]);
    log.command(Made::Inside, &[b"INCR", b"n"]);
    log.command(Made::Exec, &[b"exec"]);
    log.command(Made::Plain, &[b"SET", b"last", b"value"]);
    log
}

#[test]
fn arguments_come_as_they_were_written() {
    let log = sample();
    let mut reader = Log::new(Slice::new(&log.bytes));
    let mut seen = Vec::new();
    while let Some(record) = reader.next_record().unwrap() {
        if let Record::Command(command) = record {
            let args: Vec<_> = command.args().map(|arg| arg.escape_ascii().to_string()).collect();
            seen.push((command.in_transaction, args.join(" ")));
        }
    }
    assert_eq!(seen[1], (false, "SET key a\\r\\nb*1\\r\\n$0\\r\\n".to_owned()));
    assert_eq!(seen[2], (true, "MULTI".to_owned()));
    assert_eq!(seen[4], (true, "DEL key".to_owned()));
    assert_eq!(seen[5], (true, "EXEC".to_owned()));
    assert_eq!(seen[7], (false, "INCR n".to_owned()));
    assert_eq!(reader.end(), log.end_at(log.bytes.len()));
}

#[test]
fn every_cut_is_classed() {
    let log = sample();
    for len in 0..=log.bytes.len() {
        let (_, end, _) = read(&log.bytes[..len]);
        assert_eq!(end, Ok(log.end_at(len)), "cut at {len}");
    }
}

#[test]
fn zeros_at_the_end_are_cut_off() {
    let log = sample();
    for len in 0..=log.bytes.len() {
        for zeros in [1, 2, 3, 4096] {
            let mut bytes = log.bytes[..len].to_vec();
            bytes.resize(len + zeros, 0);
            let (_, end, _) = read(&bytes);
            let expected = log.end_at(len);
            let end = end.unwrap_or_else(|damage| panic!("{zeros} zeros at {len}: {damage}"));
            // Zeros within an argument may be what was written.
            assert!(matches!(end.tail, Tail::Zeros | Tail::Torn), "{zeros} zeros at {len}");
            assert_eq!((end.keep, end.multi), (expected.keep, expected.multi), "at {len}");
        }
    }
    let mut bytes = log.bytes.clone();
    bytes.extend_from_slice(&[0; 5000]);
    bytes.push(b'*');
    let (_, end, keep) = read(&bytes);
    let damage = end.expect_err("something follows the zeros");
    assert_eq!((damage.at, damage.fault), (log.bytes.len() as u64, Fault::Start(0)));
    assert_eq!(keep, log.bytes.len() as u64);
}

/// Whatever byte changes: everything in front of its record is read as it was, and what is cut off
/// without an error is at most the last record, or a transaction that has lost its end.
fn check_changed(log: &Sample, at: usize, byte: u8) {
    let (before, ..) = read(&log.bytes);
    let mut bytes = log.bytes.clone();
    bytes[at] = byte;
    let (start, end) = log.record(at);
    let index = log.starts.partition_point(|(start, _)| *start <= at) - 1;
    let (after, outcome, keep) = read(&bytes);
    assert!(after.len() >= index && after[..index] == before[..index], "{at} to {byte}");
    match outcome {
        Ok(found) if found.tail == Tail::Whole => {}
        Ok(found) => {
            let is_last = end == log.bytes.len();
            let is_inside = log.end_at(end).multi.is_some() || log.starts[index].1 == Made::Exec;
            assert!(is_last || is_inside, "{at} to {byte}: {found:?}");
            assert_eq!(found.cut() + found.keep, log.bytes.len() as u64);
        }
        Err(damage) => {
            assert!(damage.at < bytes.len() as u64 && damage.element <= damage.at, "{damage:?}");
            assert!(damage.command <= damage.element && keep <= damage.command, "{damage:?}");
            assert!(damage.command >= start as u64, "{at} to {byte}: {damage:?}");
        }
    }
}

#[test]
fn every_changed_byte_is_found_or_harmless() {
    let log = sample();
    for at in 0..log.bytes.len() {
        for byte in [0, b'0', b'1', b'5', b'9', b'*', b'$', b'#', b'\r', b'\n', 255] {
            check_changed(&log, at, byte);
        }
        for bit in 0..8 {
            check_changed(&log, at, log.bytes[at] ^ 1 << bit);
        }
    }
}

#[test]
fn a_length_is_not_believed() {
    let mut log = sample();
    let whole = log.bytes.len() as u64;
    log.bytes.extend_from_slice(b"*2\r\n$4\r\nECHO\r\n$9000000000000000000\r\nabc");
    let (_, end, _) = read(&log.bytes);
    let size = log.bytes.len() as u64;
    let expected = End { tail: Tail::Torn, keep: whole, size, multi: None, element: 0, wanted: 0 };
    assert_eq!(end, Ok(expected));
    log.bytes.truncate(whole as usize);
    log.bytes.extend_from_slice(b"*2147483647\r\n$4\r\nECHO\r\n");
    assert_eq!(read(&log.bytes).1.unwrap().tail, Tail::Torn);
    for wrong in ["*0\r\n", "*2147483648\r\n", "*99999999999999999999999999\r\n", "*-1\r\n"] {
        log.bytes.truncate(whole as usize);
        log.bytes.extend_from_slice(wrong.as_bytes());
        log.bytes.extend_from_slice(b"$4\r\nPING\r\n");
        let damage = read(&log.bytes).1.expect_err(wrong);
        assert_eq!(damage.command, whole, "{wrong}");
    }
}

/// A source that brings what there is a few bytes at a time.
struct Dripping<'a>(Slice<'a>, usize, usize);

impl crate::rdb::Source for Dripping<'_> {
    fn take(&mut self, len: usize) -> Result<(), crate::rdb::Error> {
        assert!(len <= self.2, "nothing is taken that was not brought");
        self.2 -= len;
        self.0.take(len)
    }

    fn taken(&self) -> &[u8] {
        self.0.taken()
    }

    fn position(&self) -> u64 {
        self.0.position()
    }

    fn checksum(&self) -> Option<u64> {
        None
    }
}

impl Peek for Dripping<'_> {
    fn ahead(&self) -> &[u8] {
        &self.0.ahead()[..self.2]
    }

    fn more(&mut self) -> std::io::Result<bool> {
        let rest = self.0.ahead().len() - self.2;
        self.2 += self.1.min(rest);
        Ok(rest > 0)
    }

    fn size(&self) -> u64 {
        self.0.size()
    }
}

fn arb_log() -> impl Strategy<Value = Sample> {
    let arg = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..12),
        proptest::collection::vec(
            prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'*'), Just(b'$'), Just(b'1'), Just(0)],
            0..40
        ),
        (0..400usize).prop_map(|len| vec![b'v'; len]),
    ];
    let args = proptest::collection::vec(arg, 0..4);
    proptest::collection::vec((0..10u8, args), 1..12).prop_map(|steps| {
        let mut log = Sample::default();
        let mut open = false;
        for (step, args) in steps {
            let made = if open { Made::Inside } else { Made::Plain };
            match step {
                0 => log.note("#TS:1234"),
                1 | 2 if open => log.command(Made::Exec, &[b"EXEC"]),
                1 | 2 => log.command(Made::Multi, &[b"MULTI"]),
                _ => {
                    let args: Vec<&[u8]> =
                        [&b"DO"[..]].into_iter().chain(args.iter().map(|arg| &arg[..])).collect();
                    log.command(made, &args);
                }
            }
            open ^= matches!(step, 1 | 2);
        }
        log
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn random_logs_cut_anywhere(
        log in arb_log(),
        at in any::<prop::sample::Index>(),
        drip in 1..50usize,
    ) {
        let len = at.index(log.bytes.len() + 1);
        let expected = log.end_at(len);
        let (records, end, _) = read(&log.bytes[..len]);
        prop_assert_eq!(end, Ok(expected));
        let mut reader = Log::new(Dripping(Slice::new(&log.bytes[..len]), drip, 0));
        let mut count = 0;
        while reader.next_record().unwrap().is_some() {
            count += 1;
        }
        prop_assert_eq!((plain(reader.end()), count), (expected, records.len()));
    }

    #[test]
    fn random_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let (_, _, keep) = read(&bytes);
        prop_assert!(keep <= bytes.len() as u64);
    }
}
