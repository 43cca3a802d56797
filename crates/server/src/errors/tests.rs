//! Tests of the error counts.

use super::*;

fn count_of(counts: &ErrorCounts, word: &str) -> Option<u64> {
    counts.all().into_iter().find(|(known, _)| known == word).map(|(_, count)| count)
}

#[test]
fn errors_are_counted_by_their_first_word() {
    let counts = ErrorCounts::default();
    counts.count(b"-ERR syntax error\r\n");
    counts.count(b"-ERR no such key\r\n");
    counts.count(b"-NOAUTH\r\n");
    counts.count(b"-a#b:c d\r\n");
    assert_eq!(count_of(&counts, "ERR"), Some(2));
    assert_eq!(count_of(&counts, "NOAUTH"), Some(1));
    assert_eq!(count_of(&counts, "a_b_c"), Some(1));
    counts.reset();
    assert_eq!(counts.all(), []);
}

#[test]
fn invented_words_beyond_the_limit_share_one_count() {
    let counts = ErrorCounts::default();
    for number in 0..WORDS_MAX + 10 {
        counts.count(format!("-{number} mine\r\n").as_bytes());
    }
    assert_eq!(count_of(&counts, OVERFLOW), Some(10));
    counts.count(b"-ERR syntax error\r\n");
    counts.count(b"-1 mine\r\n");
    assert_eq!(count_of(&counts, "ERR"), Some(1));
    assert_eq!(count_of(&counts, "1"), Some(2));
    assert_eq!(count_of(&counts, OVERFLOW), Some(10));
}
