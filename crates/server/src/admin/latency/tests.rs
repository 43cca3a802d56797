//! Tests of the steps of LATENCY HISTOGRAM, which are those of Valkey 9.1.

use resp::{Proto, Writer};

use super::*;
use crate::histogram::Histogram;

fn shown(nanoseconds: &[u64]) -> String {
    let histogram = Histogram::default();
    nanoseconds.iter().for_each(|ns| histogram.record(*ns));
    let totals = Totals::of([&histogram].into_iter()).expect("something was recorded");
    let mut out = Writer::new(Proto::Resp2);
    let mark = out.mark();
    write_histogram(&mut out, &totals);
    let lines = String::from_utf8_lossy(out.since(mark)).into_owned();
    lines.split("\r\n").filter_map(|line| line.strip_prefix(':')).collect::<Vec<_>>().join(" ")
}

#[test]
fn each_step_counts_all_that_were_no_longer() {
    assert_eq!(shown(&[400_000, 1_500_000, 20_000_000, 20_000_001]), "4 528 1 2113 2 33816 4");
    assert_eq!(shown(&[10, 1000, 30_000]), "3 1 2 33 3");
}

#[test]
fn what_takes_longer_than_a_second_is_in_the_last_step() {
    assert_eq!(shown(&[700_000_000, 2_500_000_000]), "2 1073741 2");
}
