//! Logs: reading ends with a kind of end or with damage, every position is in order, what was
//! returned stands where it is said to stand, and what is kept is a log that is whole.
#![no_main]

use libfuzzer_sys::fuzz_target;
use persist::aof::{Damage, End, Error, Log, Record, Tail};
use persist::rdb::Slice;

fuzz_target!(|input: &[u8]| {
    let (outcome, keep, count) = read(input);
    match outcome {
        Ok(end) => assert!(end.size == input.len() as u64 && end.keep == keep),
        Err(Damage { at, element, command, .. }) => {
            assert!(keep <= command && command <= element && element <= at);
            assert!(at < input.len() as u64);
        }
    }
    assert!(keep <= input.len() as u64);
    let (again, kept, records) = read(&input[..keep as usize]);
    assert!(again.is_ok_and(|end| end.tail == Tail::Whole) && kept == keep && records <= count);
});

fn read(input: &[u8]) -> (Result<End, Damage>, u64, usize) {
    let mut log = Log::new(Slice::new(input));
    let (mut count, mut last) = (0, 0);
    loop {
        match log.next_record() {
            Ok(Some(Record::Command(command))) => {
                assert!(command.at >= last && command.end > command.at);
                last = command.end;
                assert_eq!(command.bytes(), &input[command.at as usize..last as usize]);
                assert!(command.args().all(|arg| arg.len() < command.bytes().len()));
            }
            Ok(Some(Record::Note { at, text })) => {
                assert!(at >= last && input[at as usize..].starts_with(text));
            }
            Ok(None) => return (Ok(log.end()), log.end().keep, count),
            Err(Error::Damaged(damage)) => return (Err(damage), log.end().keep, count),
            Err(Error::Io(error)) => panic!("{error}"),
        }
        count += 1;
    }
}
