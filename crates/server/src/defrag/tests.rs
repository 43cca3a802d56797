//! How much time is worth it.

use super::*;

const TERMS: Terms = Terms {
    is_on: true,
    ignored_bytes: 1000,
    lower: 10,
    upper: 100,
    least: 1,
    most: 25,
    slice_us: 500,
};

#[test]
fn effort_grows_with_what_is_lost() {
    let cases = [
        ((999, 1000), 0),
        ((1000, 10_001), 0),
        ((1000, 10_000), 1),
        ((5500, 10_000), 13),
        ((10_000, 10_000), 25),
        ((90_000, 10_000), 25),
        ((5000, 0), 0),
    ];
    for (loss, want) in cases {
        assert_eq!(effort(&TERMS, loss), want, "{loss:?}");
    }
}

#[test]
fn bounds_in_the_wrong_order_are_no_accident() {
    let terms = Terms { lower: 50, upper: 20, least: 40, most: 30, ..TERMS };
    assert_eq!(effort(&terms, (4900, 10_000)), 0);
    assert_eq!(effort(&terms, (5000, 10_000)), 30);
}

#[test]
fn time_is_counted_while_it_runs() {
    let defrag = Defrag::default();
    defrag.since_us.store(1_000_000, Ordering::Relaxed);
    defrag.effort.store(5, Ordering::Relaxed);
    let figures = defrag.figures(1_250_000);
    assert_eq!((figures.current_ms, figures.total_ms, figures.effort), (250, 250, 5));
    defrag.decide(&Terms::default(), 1_500_000);
    let figures = defrag.figures(9_000_000);
    assert_eq!((figures.current_ms, figures.total_ms, figures.effort), (0, 500, 0));
}
