//! The layout, compared with what redis-benchmark 7.0.15 printed of the same latencies.

use std::time::Duration;

use super::*;
use crate::engine::Seen;

/// Latencies in microseconds, and how many requests had them.
const LATENCIES: &[(u64, u64)] = &[
    (16, 2),
    (60, 593),
    (75, 201),
    (90, 101),
    (100, 14),
    (130, 27),
    (155, 12),
    (204, 20),
    (300, 4),
    (404, 1),
    (500, 5),
    (2004, 2),
    (2820, 3),
    (3100, 2),
    (4100, 2),
    (4430, 1),
    (5100, 1),
    (5284, 3),
    (7100, 1),
    (9100, 1),
    (9108, 1),
    (9132, 2),
    (9156, 1),
];

const EXPECTED: &str = "\
====== SET ======
  1000 requests completed in 0.06 seconds
  5 parallel clients
  3 bytes payload
  keep alive: 1
  host configuration \"save\": 
  host configuration \"appendonly\": no
  multi-thread: no

Latency by percentile distribution:
0.000% <= 0.023 milliseconds (cumulative count 2)
50.000% <= 0.063 milliseconds (cumulative count 595)
75.000% <= 0.079 milliseconds (cumulative count 796)
87.500% <= 0.095 milliseconds (cumulative count 897)
93.750% <= 0.135 milliseconds (cumulative count 938)
96.875% <= 0.207 milliseconds (cumulative count 970)
98.438% <= 2.823 milliseconds (cumulative count 985)
99.219% <= 5.287 milliseconds (cumulative count 994)
99.609% <= 9.111 milliseconds (cumulative count 997)
99.805% <= 9.135 milliseconds (cumulative count 999)
99.902% <= 9.159 milliseconds (cumulative count 1000)
100.000% <= 9.159 milliseconds (cumulative count 1000)

Cumulative distribution of latencies:
91.100% <= 0.103 milliseconds (cumulative count 911)
97.000% <= 0.207 milliseconds (cumulative count 970)
97.400% <= 0.303 milliseconds (cumulative count 974)
97.500% <= 0.407 milliseconds (cumulative count 975)
98.000% <= 0.503 milliseconds (cumulative count 980)
98.200% <= 2.007 milliseconds (cumulative count 982)
98.700% <= 3.103 milliseconds (cumulative count 987)
98.900% <= 4.103 milliseconds (cumulative count 989)
99.100% <= 5.103 milliseconds (cumulative count 991)
99.400% <= 6.103 milliseconds (cumulative count 994)
99.500% <= 7.103 milliseconds (cumulative count 995)
99.600% <= 9.103 milliseconds (cumulative count 996)
100.000% <= 10.103 milliseconds (cumulative count 1000)

Summary:
  throughput summary: 16949.15 requests per second
  latency summary (msec):
          avg       min       p50       p95       p99       max
        0.166     0.016     0.063     0.159     4.431     9.159
";

fn measured() -> (Measured, Target) {
    let mut seen = Seen::default();
    for (us, count) in LATENCIES {
        seen.operations += count;
        seen.latency.record_n(us * 1000, *count).unwrap();
    }
    let measured = Measured {
        title: "SET".to_owned(),
        server: String::new(),
        seen,
        elapsed: Duration::from_micros(59_000),
        payload: 3,
        rates: vec![1000.0 / 0.059],
        each: Vec::new(),
        own_us: 0.0,
    };
    let address = crate::address::Address::Host(String::new(), 0);
    let settings = Some([String::new(), "no".to_owned()]);
    (measured, Target { name: String::new(), address, settings })
}

/// The mean rests on latencies that the recorded tables do not show.
fn without_mean(text: &str) -> String {
    let is_summary = |line: &&str| line.starts_with("     ") && line.contains("4.431");
    let mean = text.lines().find(is_summary).map(|line| &line[..13]);
    mean.map_or(text.to_owned(), |mean| text.replace(mean, "MEAN"))
}

#[test]
fn a_report_has_the_layout_of_the_classic_tool() {
    let (measured, target) = measured();
    let options = Options { clients: 5, ..Options::default() };
    let text = report(&measured, &options, &target);
    assert_eq!(without_mean(&text), without_mean(EXPECTED));
}

#[test]
fn a_line_and_a_row_have_its_layout_too() {
    let (measured, target) = measured();
    let quiet = Options { quiet: true, ..Options::default() };
    let line = report(&measured, &quiet, &target);
    assert_eq!(line, "SET: 16949.15 requests per second, p50=0.063 msec\n");
    let csv = Options { csv: true, ..Options::default() };
    let row = report(&measured, &csv, &target);
    assert!(row.starts_with("\"SET\",\"16949.15\",\"0."), "{row}");
    assert!(row.ends_with(",\"0.016\",\"0.063\",\"0.159\",\"4.431\",\"9.159\"\n"), "{row}");
}

#[test]
fn latencies_beyond_the_histogram_are_its_last() {
    let mut seen = Seen::default();
    seen.latency.record(5_000_000_000).unwrap();
    let shown = shown(&seen.latency, 3);
    assert_eq!(shown.len(), 1);
    assert!(shown.max() >= HIGHEST_US && shown.max() < HIGHEST_US + 2048);
}
