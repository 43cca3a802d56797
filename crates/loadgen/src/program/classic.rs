//! Results in the layout of redis-benchmark: scripts read it, so every blank counts.
//!
//! Its histogram has steps of eight microseconds at least and ends at three seconds, and so has the
//! one that is shown; the files of results have the whole one.

use std::fmt::Write as _;

use hdrhistogram::Histogram;

use super::measure::{Measured, Target};
use super::options::Options;
use crate::schedule::Since;

pub(super) const CSV_HEADER: &str = "\"test\",\"rps\",\"avg_latency_ms\",\"min_latency_ms\",\
\"p50_latency_ms\",\"p95_latency_ms\",\"p99_latency_ms\",\"max_latency_ms\"\n";

const LOWEST_US: u64 = 10;
const HIGHEST_US: u64 = 3_000_000;
/// Distance of the rows of the cumulative table, and behind the value from which it is coarser.
const STEP_US: u64 = 100;
const COARSE_STEP_US: u64 = 1000;
const COARSE_FROM_US: u64 = 2000;

/// What a test says at its end, by the options a report, a row or a line.
pub(super) fn report(measured: &Measured, options: &Options, target: &Target) -> String {
    let shown = shown(&measured.seen.latency, options.precision);
    let title = &measured.title;
    let rate = measured.per_second();
    let [mean, min, p50, p95, p99, max] = summary(&shown);
    if options.csv {
        return format!(
            "\"{title}\",\"{rate:.2}\",\"{mean:.3}\",\"{min:.3}\",\"{p50:.3}\",\"{p95:.3}\",\
             \"{p99:.3}\",\"{max:.3}\"\n"
        );
    }
    if options.quiet {
        return format!("{title}: {rate:.2} requests per second, p50={p50:.3} msec\n");
    }
    let mut text = head(measured, options, target);
    text += "\nLatency by percentile distribution:\n";
    percentiles(&mut text, &shown);
    text += "\nCumulative distribution of latencies:\n";
    cumulative(&mut text, &shown);
    text += "\nSummary:\n";
    let _ = writeln!(text, "  throughput summary: {rate:.2} requests per second");
    text += "  latency summary (msec):\n";
    text += "          avg       min       p50       p95       p99       max\n";
    let _ =
        writeln!(text, "    {mean:>9.3} {min:>9.3} {p50:>9.3} {p95:>9.3} {p99:>9.3} {max:>9.3}");
    parts(&mut text, measured);
    text
}

fn head(measured: &Measured, options: &Options, target: &Target) -> String {
    let mut text = format!("====== {} ======\n", measured.title);
    let (count, seconds) = (measured.seen.operations, measured.elapsed.as_secs_f64());
    let _ = writeln!(text, "  {count} requests completed in {seconds:.2} seconds");
    let _ = writeln!(text, "  {} parallel clients", options.clients);
    let _ = writeln!(text, "  {} bytes payload", measured.payload);
    let _ = writeln!(text, "  keep alive: {}", u8::from(options.keep_alive));
    if let Some([save, appendonly]) = &target.settings {
        let _ = writeln!(text, "  host configuration \"save\": {save}");
        let _ = writeln!(text, "  host configuration \"appendonly\": {appendonly}");
    }
    let threads = options.threads;
    let _ = writeln!(text, "  multi-thread: {}", if threads > 0 { "yes" } else { "no" });
    if threads > 0 {
        let _ = writeln!(text, "  threads: {threads}");
    }
    match options.rate {
        Some((rate, Since::Due)) => {
            let _ = writeln!(text, "  rate: {rate} requests per second, latency from when due");
        }
        Some((rate, Since::Sent)) => {
            let _ = writeln!(text, "  rate: at most {rate} requests per second");
        }
        None => {}
    }
    text
}

/// The parts of a mix, which the classic tools do not have.
fn parts(text: &mut String, measured: &Measured) {
    for (name, seen) in &measured.each {
        let ms = |quantile| seen.latency.value_at_quantile(quantile) as f64 / 1e6;
        let _ = writeln!(
            text,
            "  {name}: {} requests, p50={:.3} p99={:.3} max={:.3} msec",
            seen.operations,
            ms(0.5),
            ms(0.99),
            ms(1.0)
        );
    }
}

/// The histogram of microseconds that the classic tools would have.
fn shown(latency: &Histogram<u64>, precision: u8) -> Histogram<u64> {
    let mut shown =
        Histogram::new_with_bounds(LOWEST_US, HIGHEST_US, precision).expect("the bounds are valid");
    for value in latency.iter_recorded() {
        let us = (latency.median_equivalent(value.value_iterated_to()) / 1000).min(HIGHEST_US);
        shown.saturating_record_n(us, value.count_at_value());
    }
    shown
}

/// Mean, smallest, quantiles and largest, in milliseconds.
fn summary(shown: &Histogram<u64>) -> [f64; 6] {
    let quantile = |quantile| shown.value_at_quantile(quantile) as f64;
    let figures = [
        shown.mean(),
        shown.min() as f64,
        quantile(0.5),
        quantile(0.95),
        quantile(0.99),
        shown.max() as f64,
    ];
    figures.map(|us| us / 1000.0)
}

fn percentiles(text: &mut String, shown: &Histogram<u64>) {
    let (mut before, mut sum) = (None, 0);
    for step in shown.iter_quantiles(1) {
        sum += step.count_since_last_iteration();
        if before != Some(sum) || sum == shown.len() {
            let percent = step.quantile_iterated_to() * 100.0;
            row(text, percent, step.value_iterated_to(), sum);
        }
        before = Some(sum);
    }
}

fn cumulative(text: &mut String, shown: &Histogram<u64>) {
    let (mut level, mut step, mut before) = (STEP_US, STEP_US, None);
    loop {
        let top = shown.highest_equivalent(level);
        let sum = shown.count_between(0, top);
        if before != Some(sum) || sum == shown.len() {
            row(text, sum as f64 / shown.len() as f64 * 100.0, top, sum);
        }
        if sum == shown.len() {
            return;
        }
        before = Some(sum);
        level += step;
        if top > COARSE_FROM_US {
            step = COARSE_STEP_US;
        }
    }
}

fn row(text: &mut String, percent: f64, us: u64, sum: u64) {
    let ms = us as f64 / 1000.0;
    let _ = writeln!(text, "{percent:.3}% <= {ms:.3} milliseconds (cumulative count {sum})");
}

#[cfg(test)]
mod tests;
