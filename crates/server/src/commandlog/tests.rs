//! What the logs keep.

use super::*;

fn entry(figure: u64) -> Entry {
    let (argv, addr, name) = (Vec::new(), String::new(), Vec::new());
    Entry { id: 0, seconds: 0, figure, argv, addr, name }
}

#[test]
fn the_newest_are_kept_and_numbers_go_on() {
    let log = CommandLog::default();
    (0..5).for_each(|figure| log.push(Kind::Slow, entry(figure), 3));
    let kept = |log: &CommandLog| -> Vec<u64> {
        log.newest(Kind::Slow, 10).iter().map(|entry| entry.id).collect()
    };
    assert_eq!(kept(&log), [4, 3, 2]);
    assert_eq!(log.newest(Kind::Slow, 1).len(), 1);
    log.reset(Kind::Slow);
    log.push(Kind::Slow, entry(7), 3);
    assert_eq!(kept(&log), [5]);
    assert_eq!(log.totals(Kind::Slow), Totals { count: 6, sum: 17, max: 7 });
    assert_eq!(log.len(Kind::LargeReply), 0);
}

#[test]
fn a_negative_threshold_and_an_empty_log_log_nothing() {
    assert_eq!(Threshold::new(-1, 10).from, u64::MAX);
    assert_eq!(Threshold::new(5, 0).from, u64::MAX);
    assert_eq!(Threshold::new(0, 1), Threshold { from: 0, len: 1 });
}

#[test]
fn long_arguments_are_cut() {
    assert_eq!(cut(&[b'a'; ARG_MAX]), vec![b'a'; ARG_MAX]);
    assert!(cut(&[b'a'; ARG_MAX + 7]).ends_with(b"a... (7 more bytes)"));
}
