//! The commands that ran, the errors they got, the time they took.

use std::fmt::Write;

use spec::config::Id;

use super::Report;
use crate::felt::Parts;
use crate::histogram::{Histogram, Totals};
use crate::hotkeys;
use crate::stats::{self, CommandStats};

pub(super) fn commandstats(report: &mut Report<'_, '_>) {
    let server = report.server;
    for row in server.rows.iter() {
        let sum = |counter: fn(&CommandStats) -> u64| {
            server.sum(|stats| counter(&stats.commands[usize::from(row.id)]))
        };
        let calls = sum(|stats| stats.calls.get());
        let rejected = sum(|stats| stats.rejected.get());
        let failed = sum(|stats| stats.failed.get());
        if calls == 0 && rejected == 0 && failed == 0 {
            continue;
        }
        let usec = sum(|stats| stats.nanoseconds.get()) / 1000;
        let each = if calls == 0 { 0.0 } else { usec as f64 / calls as f64 };
        report.line(format_args!(
            "cmdstat_{}:calls={calls},usec={usec},usec_per_call={each:.2},\
             rejected_calls={rejected},failed_calls={failed}",
            row.name,
        ));
    }
}

pub(super) fn errorstats(report: &mut Report<'_, '_>) {
    for (word, count) in report.server.errors.all() {
        report.line(format_args!("errorstat_{word}:count={count}"));
    }
}

pub(super) fn latencystats(report: &mut Report<'_, '_>) {
    let server = report.server;
    let Some(percentiles) = percentiles(report) else { return };
    for row in server.rows.iter() {
        let Some(totals) = stats::latency_of(server, row.id) else { continue };
        let shown = shown(&totals, &percentiles);
        report.line(format_args!("latency_percentiles_usec_{}:{shown}", row.name));
    }
}

/// The keys that were used most in the last window, by sampled commands.
pub(super) fn hotkeys(report: &mut Report<'_, '_>) {
    let server = report.server;
    let tunables = server.tunables.load();
    let window = hotkeys::window_at(report.now_us / 1000, tunables.hotkeys_window_s);
    let entries = hotkeys::last_window(server, tunables.hotkeys_shown, window);
    for (number, entry) in entries.iter().enumerate() {
        let qps = hotkeys::per_second(entry.count, &tunables);
        let key = entry.key.escape_ascii();
        report.line(format_args!("hotkey_{number}:db={},qps={qps},key={key}", entry.db));
    }
}

/// How long clients waited: until their requests were taken up, while these ran, until the replies
/// were sent, and in all.
pub(super) fn clientlatency(report: &mut Report<'_, '_>) {
    let server = report.server;
    let Some(percentiles) = percentiles(report) else { return };
    let totals = ["queue", "execution", "flush", "total"].map(|name| {
        let parts = server.workers.iter().map(|worker| &worker.stats.felt);
        (name, Totals::of(parts.map(|parts| part(parts, name))))
    });
    let samples = totals[3].1.as_ref().map_or(0, Totals::count);
    report.field("client_latency_samples", samples);
    for (name, totals) in totals {
        let Some(totals) = totals else { continue };
        let max = totals.percentile(100.0) as f64 / 1000.0;
        let shown = shown(&totals, &percentiles);
        let comma = if shown.is_empty() { "" } else { "," };
        report.line(format_args!("client_latency_usec_{name}:{shown}{comma}max={max:.3}"));
    }
}

fn part<'p>(parts: &'p Parts, name: &str) -> &'p Histogram {
    match name {
        "queue" => &parts.queue,
        "execution" => &parts.execution,
        "flush" => &parts.flush,
        _ => &parts.total,
    }
}

/// The percentiles that are shown; `None` when latencies are not recorded.
fn percentiles(report: &Report<'_, '_>) -> Option<Vec<f64>> {
    let config = report.server.config.lock();
    config.bool(Id::LatencyTracking).then(|| config.percentiles().to_vec())
}

fn shown(totals: &Totals, percentiles: &[f64]) -> String {
    let mut shown = String::new();
    for (at, percent) in percentiles.iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        let us = totals.percentile(*percent) as f64 / 1000.0;
        write!(shown, "{comma}p{percent}={us:.3}").expect("a string takes everything");
    }
    shown
}
