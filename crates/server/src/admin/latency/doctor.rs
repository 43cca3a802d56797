//! What the delays mean, in words.

use std::fmt::Write;

use crate::latency::Series;

/// An event by the beginning of its name, and what to do about it.
const ADVICE: &[(&str, &str)] = &[
    (
        "command",
        "SLOWLOG GET names the commands that took long. Look for those that walk through large \
         collections or many keys, and give them smaller portions (SCAN in place of KEYS, LRANGE \
         of a part, UNLINK for what is large).",
    ),
    (
        "fast-command",
        "A command that is always quick was slow, so the machine was: too many processes for its \
         cores, a hypervisor that took the processor away, or memory that had been swapped out. \
         'reddle --check-system' looks at some of that.",
    ),
    (
        "queue",
        "Requests waited before they ran while their worker was busy with other clients. Compare \
         with the times of 'command': a slow one holds up all clients of its worker, and one that \
         runs alone holds up everybody. More threads help if the workers are simply busy.",
    ),
    (
        "flush",
        "Replies were ready but could not be sent at once: large replies, a slow network, or \
         clients that do not read what they asked for.",
    ),
    (
        "aof-",
        "The disk was slow for the append only file. 'appendfsync everysec' asks less of it than \
         'always'; other programs that write to the same disk, and snapshots, are rivals.",
    ),
    (
        "snapshot",
        "A snapshot or a rewrite began while everybody waited. What is freed then, and the first \
         file, take their time: look whether 'dir' is on a slow disk.",
    ),
    (
        "expire",
        "Many keys, or large ones, expired at the same time. Spread the times of expiry a little, \
         and keep 'lazyfree-lazy-expire yes', so that large values are freed in the background.",
    ),
    (
        "eviction",
        "Keys had to go so that new data found room. Raise maxmemory, give keys a time to live, \
         and keep 'lazyfree-lazy-eviction yes'.",
    ),
    (
        "active-defrag",
        "Moving together what lies scattered took its time. A smaller active-defrag-cycle-us makes \
         each slice shorter.",
    ),
];

/// The report on all events that were too long.
pub(super) fn report(events: &[(&'static str, Series)], is_on: bool, now_s: i64) -> String {
    if !is_on && events.is_empty() {
        return "Latency monitoring is off, so nothing is known. CONFIG SET \
                latency-monitor-threshold <milliseconds> turns it on.\n"
            .to_owned();
    }
    if events.is_empty() {
        return "Nothing was slower than latency-monitor-threshold so far.\n".to_owned();
    }
    let mut text = "Some things were slower than latency-monitor-threshold:\n\n".to_owned();
    for (number, (event, series)) in events.iter().enumerate() {
        let summary = series.summary(now_s);
        writeln!(
            text,
            "{}. {event}: {} latency spikes (average {}ms, mean deviation {}ms, period {:.2} \
             sec). Worst all time event {}ms.",
            number + 1,
            series.samples.len(),
            summary.mean,
            summary.deviation,
            summary.period,
            series.max,
        )
        .expect("a string takes everything");
    }
    let is_about = |part: &str| events.iter().any(|(event, _)| event.starts_with(part));
    let mut advice = ADVICE.iter().filter(|(part, _)| is_about(part)).peekable();
    if advice.peek().is_some() {
        text.push_str("\nWhat helps:\n\n");
    }
    for (_, words) in advice {
        writeln!(text, "- {words}").expect("a string takes everything");
    }
    text
}

#[cfg(test)]
mod tests;
