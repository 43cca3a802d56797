//! Tests of the series and of their pictures.

use super::*;

fn series(samples: &[(i64, u64)]) -> Series {
    let mut series = Series::default();
    for (seconds, ms) in samples {
        series.add(*seconds, *ms);
    }
    series
}

#[test]
fn a_second_has_one_sample_the_worst() {
    let series = series(&[(10, 5), (10, 9), (10, 7), (11, 3)]);
    let samples = [Sample { seconds: 10, ms: 9 }, Sample { seconds: 11, ms: 3 }];
    assert_eq!(Vec::from(series.samples), samples);
    assert_eq!((series.max, series.sum, series.count), (9, 24, 4));
}

#[test]
fn a_clock_that_goes_back_leaves_the_order_as_it_is() {
    let series = series(&[(10, 5), (9, 8)]);
    assert_eq!(Vec::from(series.samples), [Sample { seconds: 10, ms: 8 }]);
}

#[test]
fn the_oldest_samples_are_forgotten() {
    let many: Vec<_> = (0..200).map(|second| (second, second as u64)).collect();
    let series = series(&many);
    assert_eq!(series.samples.len(), SAMPLES_MAX);
    assert_eq!(series.samples[0].seconds, 40);
    assert_eq!(series.count, 200);
}

#[test]
fn a_summary_has_mean_deviation_and_period() {
    let summary = series(&[(10, 10), (12, 20), (16, 60)]).summary(20);
    assert_eq!((summary.mean, summary.deviation), (30, 20));
    assert!((summary.period - 10.0 / 3.0).abs() < 1e-9);
}

#[test]
fn only_what_is_long_enough_is_kept() {
    let monitor = Monitor::default();
    monitor.note("command", Duration::from_secs(9));
    assert!(monitor.all().is_empty());
    monitor.set_threshold(5);
    monitor.note("command", Duration::from_micros(4999));
    assert!(monitor.all().is_empty());
    monitor.note("command", Duration::from_millis(5));
    monitor.note("fork", Duration::from_millis(7));
    assert_eq!(
        monitor.all().iter().map(|(name, _)| *name).collect::<Vec<_>>(),
        ["command", "fork"]
    );
    assert!(monitor.get(b"comman").is_none());
    assert_eq!(monitor.reset(|event| event == "fork"), 1);
    assert_eq!(monitor.reset(|_| true), 1);
    monitor.set_threshold(0);
    assert!(!monitor.is_on());
}

#[test]
fn a_graph_has_a_column_a_sample_and_its_age_below() {
    let series = series(&[(0, 100), (3500, 200), (3590, 150)]);
    let expected = "command - high 200 ms, low 100 ms (all time high 200 ms)\n".to_owned()
        + &"-".repeat(80)
        + "\n # \n |_\n ||\n_||\n   \n111\nhm0\n  s\n";
    assert_eq!(series.graph("command", 3600), expected);
}

#[test]
fn a_wide_graph_goes_on_below() {
    let many: Vec<_> = (0..100).map(|second| (second, 1)).collect();
    let text = series(&many).graph("fork", 100);
    assert!(text.lines().skip(1).all(|line| line.len() <= 80), "{text}");
    assert!(text.lines().any(|line| line.len() == 20), "{text}");
}
