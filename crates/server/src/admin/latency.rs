//! LATENCY: when the server was slow and why, and how long commands took.

mod doctor;

use commands::{Args, Error};

use super::help::help;
use crate::call::Call;
use crate::histogram::Totals;
use crate::latency::Sample;
use crate::rows::{Row, SessionHandler};
use crate::{clock, stats};

pub(crate) const HANDLERS: &[(&str, SessionHandler)] = &[
    ("latency|doctor", latency_doctor),
    ("latency|graph", latency_graph),
    ("latency|help", latency_help),
    ("latency|histogram", latency_histogram),
    ("latency|history", latency_history),
    ("latency|latest", latency_latest),
    ("latency|reset", latency_reset),
];

/// The first step of LATENCY HISTOGRAM in nanoseconds; each is twice the one before.
const STEP_FIRST: u64 = 1024;
/// Steps; what takes longer than the last one counts as that.
const STEPS: u32 = 21;
/// What the last step is called, in microseconds.
const STEP_LAST_US: u64 = 1_073_741;

/// LATENCY LATEST - O(N) with N events.
fn latency_latest(call: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    let all = call.server.latency.all();
    call.out.array(all.len());
    for (event, series) in all {
        let last = series.samples.back().copied();
        let last = last.unwrap_or(Sample { seconds: 0, ms: 0 });
        call.out.array(6);
        call.out.bulk(event.as_bytes());
        call.out.int(last.seconds);
        for number in [last.ms, series.max, series.sum, series.count] {
            call.out.int(number as i64);
        }
    }
    Ok(())
}

/// LATENCY HISTORY event - O(1).
fn latency_history(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let found = call.server.latency.get(args[2]);
    let samples = found.map(|(_, series)| series.samples).unwrap_or_default();
    call.out.array(samples.len());
    for sample in samples {
        call.out.array(2);
        call.out.int(sample.seconds);
        call.out.int(sample.ms as i64);
    }
    Ok(())
}

/// LATENCY RESET \[event ...\] - O(N) with N events.
fn latency_reset(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let meant = args.from(2);
    let is_meant = |event: &str| {
        let is = |word: &&[u8]| word.eq_ignore_ascii_case(event.as_bytes());
        meant.is_empty() || meant.iter().any(is)
    };
    let count = call.server.latency.reset(is_meant);
    call.out.int(count as i64);
    Ok(())
}

/// LATENCY GRAPH event - O(1).
fn latency_graph(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    match call.server.latency.get(args[2]) {
        Some((event, series)) => {
            let text = series.graph(event, clock::unix_ms() / 1000);
            call.out.verbatim("txt", text.as_bytes());
            Ok(())
        }
        None => {
            let head: &[u8] = b"ERR No samples available for event '";
            call.fail([head, args[2], b"'"].concat())
        }
    }
}

/// LATENCY DOCTOR - O(N) with N events.
fn latency_doctor(call: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    let monitor = &call.server.latency;
    let report = doctor::report(&monitor.all(), monitor.is_on(), clock::unix_ms() / 1000);
    call.out.verbatim("txt", report.as_bytes());
    Ok(())
}

/// LATENCY HISTOGRAM \[command ...\] - O(N * W) with N commands and W workers.
fn latency_histogram(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let server = call.server;
    let later = call.out.map_later();
    let mut shown = 0;
    let mut show = |row: &Row| {
        if let Some(totals) = stats::latency_of(server, row.id) {
            call.out.bulk(row.name.as_bytes());
            write_histogram(call.out, &totals);
            shown += 1;
        }
    };
    if args.len() == 2 {
        server.rows.iter().for_each(&mut show);
    }
    for name in args.from(2) {
        let is = |row: &Row| row.name.as_bytes().eq_ignore_ascii_case(name);
        let parent_is = |row: &Row| {
            row.spec.parent.is_some_and(|parent| parent.as_bytes().eq_ignore_ascii_case(name))
        };
        server.rows.iter().filter(|row| is(row) || parent_is(row)).for_each(&mut show);
    }
    call.out.finish(later, shown);
    Ok(())
}

/// How many calls took at most as long as each step, for steps in which there are any.
fn write_histogram(out: &mut resp::Writer, totals: &Totals) {
    out.map(2);
    out.bulk(b"calls");
    out.int(totals.count() as i64);
    out.bulk(b"histogram_usec");
    let later = out.map_later();
    let (mut before, mut shown) = (0, 0);
    for step in 0..STEPS {
        let is_last = step + 1 == STEPS;
        let limit = STEP_FIRST << step;
        let count = if is_last { totals.count() } else { totals.up_to(limit) };
        if count > before {
            let us = if is_last { STEP_LAST_US } else { limit * 129 / 128 / 1000 };
            out.int(us as i64);
            out.int(count as i64);
            shown += 1;
            before = count;
        }
    }
    out.finish(later, shown);
}

/// LATENCY HELP - O(1).
fn latency_help(call: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    help(call, HELP)
}

const HELP: &[&str] = &[
    "DOCTOR",
    "    Explain in words what made the server slow, and what helps.",
    "GRAPH <event>",
    "    Draw the delays of an event over time.",
    "HISTOGRAM [<command> ...]",
    "    How many calls of each command took at most so many microseconds.",
    "HISTORY <event>",
    "    The Unix times and delays of an event, in milliseconds.",
    "LATEST",
    "    For each event its last time and delay, and the worst, the sum and the number of all.",
    "RESET [<event> ...]",
    "    Forget the delays of some events, or of all.",
];

#[cfg(test)]
mod tests;
