//! Tests of what words mean.

use super::*;

const NOW_MS: i64 = 1_700_000_000_000;

fn terms(usage: Usage) -> Terms {
    Terms { usage, ..Terms::default() }
}

fn at(now_ms: i64, usage: Usage, draw: f64) -> Stamp {
    Stamp::new(now_ms, &terms(usage), || draw)
}

#[test]
fn a_clock_tells_seconds() {
    let stamp = at(NOW_MS, Usage::Clock, 0.5);
    assert_eq!(stamp, Stamp::at(NOW_MS));
    let later = Stamp::at(NOW_MS + 61_000);
    assert_eq!(later.idle_s(stamp.access), 61);
    assert_eq!(
        (later.used(stamp.access), later.changed(stamp.access)),
        (later.access, later.access)
    );
    // The clock has come round meanwhile.
    assert_eq!(Stamp::at(0).idle_s(MASK), 1);
}

#[test]
fn a_read_is_no_change() {
    let first = at(NOW_MS, Usage::Modified, 0.5).access;
    let later = at(NOW_MS + 5000, Usage::Modified, 0.5);
    assert_eq!(later.used(first), first);
    assert_eq!(later.changed(first), later.access);
    assert_eq!(later.idle_s(first), 5);
}

#[test]
fn a_counter_grows_more_slowly_the_higher_it_is() {
    let mut rng = fastrand::Rng::with_seed(7);
    for (uses, lowest, highest) in [(100, 8, 13), (1000, 14, 22), (100_000, 110, 180)] {
        let mut word = at(NOW_MS, Usage::Frequency, 0.5).access;
        for _ in 0..uses {
            word = at(NOW_MS, Usage::Frequency, rng.f64()).used(word);
        }
        // Redis's page about eviction tells 10, 18 and 142 for the factor 10.
        let counter = at(NOW_MS, Usage::Frequency, 0.5).counter(word);
        assert!((lowest..=highest).contains(&counter), "{uses} uses: {counter}");
    }
}

#[test]
fn a_counter_at_its_first_value_always_grows() {
    for draw in [0.0, 1e-9, 0.5, 0.999_999, 1.0] {
        let stamp = at(NOW_MS, Usage::Frequency, draw);
        assert_eq!(stamp.counter(stamp.used(stamp.access)), 6, "{draw}");
        assert_eq!(stamp.counter(stamp.used(stamp.access & !0xff)), 1, "{draw}");
        assert_eq!(stamp.counter(stamp.used(stamp.access | 0xff)), 255, "{draw}");
    }
}

#[test]
fn the_factor_zero_counts_every_use() {
    let terms = Terms { usage: Usage::Frequency, log_factor: 0, decay_minutes: 1 };
    let stamp = Stamp::new(NOW_MS, &terms, || 1.0);
    let word = (0..100).fold(stamp.access, |word, _| stamp.used(word));
    assert_eq!(stamp.counter(word), 105);
}

#[test]
fn a_counter_fades_by_one_a_period() {
    let word = counter_word(NOW_MS, 50);
    for (decay_minutes, minutes, left) in
        [(1, 0, 50), (1, 3, 47), (1, 60, 0), (10, 29, 48), (0, 60, 50), (70_000, 60_000, 50)]
    {
        let terms = Terms { usage: Usage::Frequency, log_factor: 10, decay_minutes };
        let stamp = Stamp::new(NOW_MS + minutes * 60_000, &terms, || 1.0);
        assert_eq!(stamp.counter(word), left, "{decay_minutes} {minutes}");
    }
}

#[test]
fn uses_are_counted_up_to_a_few() {
    let stamp = at(NOW_MS, Usage::Recurrence, 0.5);
    let words: Vec<u32> =
        std::iter::successors(Some(stamp.access), |word| Some(stamp.used(*word))).take(6).collect();
    assert_eq!(words.iter().map(|word| uses(*word)).collect::<Vec<_>>(), [0, 1, 2, 3, 3, 3]);
    // Who is met while young is not young any more; the others lose a use each time.
    let met = std::iter::successors(Some(words[2]), |word| spared(*word));
    assert_eq!(met.map(uses).collect::<Vec<_>>(), [2, 2, 1, 0]);
    assert_eq!(spared(KNOWN).and_then(spared), None);
}
