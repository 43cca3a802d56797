//! The commands that ran, the errors they got, the time they took.

use std::fmt::Write;

use super::Report;
use crate::histogram::Totals;
use crate::stats::CommandStats;

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
    let percentiles = {
        let config = server.config.lock();
        if !config.bool(spec::config::Id::LatencyTracking) {
            return;
        }
        config.percentiles().to_vec()
    };
    for row in server.rows.iter() {
        let histograms = server.workers.iter().map(|worker| &worker.stats.commands);
        let latencies = histograms.map(|commands| &commands[usize::from(row.id)].latency);
        let Some(totals) = Totals::of(latencies) else { continue };
        let mut shown = String::new();
        for (at, percent) in percentiles.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            let us = totals.percentile(*percent) as f64 / 1000.0;
            write!(shown, "{comma}p{percent}={us:.3}").expect("a string takes everything");
        }
        report.line(format_args!("latency_percentiles_usec_{}:{shown}", row.name));
    }
}
