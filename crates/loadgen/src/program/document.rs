//! Results as JSON and as Markdown.

use serde_json::{Value, json};

use super::beside;
use super::measure::Measured;
use super::options::Options;
use super::table::Table;
use crate::engine::Seen;
use crate::schedule::Since;

/// Everything that is known, with the quantiles of the whole histogram.
pub(super) fn json(options: &Options, program: &str, servers: &[&[Measured]]) -> String {
    let tests: Vec<Value> = servers.iter().copied().flatten().map(test).collect();
    let document = json!({
        "tool": program,
        "version": env!("CARGO_PKG_VERSION"),
        "settings": {
            "clients": options.clients,
            "threads": options.threads.max(1),
            "pipeline": options.depth,
            "keep_alive": options.keep_alive,
            "requests": options.requests,
            "seconds": options.seconds,
            "warmup_seconds": options.warmup,
            "keyspace": options.range,
            "keys": format!("{:?}", options.choice).to_ascii_lowercase(),
            "value_size": format!("{:?}", options.sizes).to_ascii_lowercase(),
            "rate": options.rate.map(|(rate, _)| rate),
            "latency_from_when_due": matches!(options.rate, Some((_, Since::Due))),
        },
        "tests": tests,
    });
    format!("{document:#}\n")
}

fn test(measured: &Measured) -> Value {
    let parts: Vec<Value> = measured
        .each
        .iter()
        .map(|(name, seen)| {
            json!({ "command": name, "requests": seen.operations, "latency_ms": latency(seen) })
        })
        .collect();
    json!({
        "name": measured.title,
        "server": measured.server,
        "requests": measured.seen.operations,
        "seconds": measured.elapsed.as_secs_f64(),
        "requests_per_second": measured.per_second(),
        "rounds": measured.rates,
        "payload_bytes": measured.payload,
        "latency_ms": latency(&measured.seen),
        "percentiles": percentiles(&measured.seen),
        "generator_cpu_us_per_request": measured.own_us,
        "parts": parts,
    })
}

fn latency(seen: &Seen) -> Value {
    let ms = |quantile| seen.latency.value_at_quantile(quantile) as f64 / 1e6;
    json!({
        "mean": seen.latency.mean() / 1e6,
        "min": seen.latency.min() as f64 / 1e6,
        "p50": ms(0.5),
        "p90": ms(0.9),
        "p95": ms(0.95),
        "p99": ms(0.99),
        "p99_9": ms(0.999),
        "p99_99": ms(0.9999),
        "max": seen.latency.max() as f64 / 1e6,
    })
}

/// Pairs of a percentage and milliseconds, denser towards the end.
fn percentiles(seen: &Seen) -> Vec<[f64; 2]> {
    let step = |step: hdrhistogram::iterators::IterationValue<u64>| {
        [step.quantile_iterated_to() * 100.0, step.value_iterated_to() as f64 / 1e6]
    };
    seen.latency.iter_quantiles(5).map(step).collect()
}

/// A table to paste into a report.
pub(super) fn markdown(options: &Options, _: &str, servers: &[&[Measured]]) -> String {
    let mut rate = String::new();
    if let Some((wanted, Since::Due)) = options.rate {
        rate = format!(", {wanted} requests a second, latency from when due");
    }
    let mut text = format!(
        "{} connections, {} threads, pipeline {}{rate}.\n\n",
        options.clients,
        options.threads.max(1),
        options.depth
    );
    if let [first, second] = servers {
        return text + &beside::table([first, second], options).to_markdown();
    }
    let head = ["test", "requests", "req/s", "mean ms", "p50 ms", "p99 ms", "p99.9 ms", "max ms"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for measured in servers.iter().copied().flatten() {
        rows.push(row(&measured.title, &measured.seen, measured.per_second()));
        let whole = measured.seen.operations.max(1) as f64;
        for (name, seen) in &measured.each {
            let share = seen.operations as f64 / whole;
            rows.push(row(name, seen, measured.per_second() * share));
        }
    }
    text += &Table(rows).to_markdown();
    text
}

fn row(name: &str, seen: &Seen, per_second: f64) -> Vec<String> {
    let mut row = vec![name.to_owned(), seen.operations.to_string(), format!("{per_second:.0}")];
    row.push(format!("{:.3}", seen.latency.mean() / 1e6));
    let quantiles = [0.5, 0.99, 0.999, 1.0];
    let ms = |quantile| format!("{:.3}", seen.latency.value_at_quantile(quantile) as f64 / 1e6);
    row.extend(quantiles.map(ms));
    row
}
