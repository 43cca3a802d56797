//! `--check-system`: settings of a Linux system that slow a server down.

use std::fs;
use std::path::Path;

/// Name, file below the root, and what is wrong with the file's content.
type Check = (&'static str, &'static str, fn(&str) -> Option<String>);

const CLOCK: &str = "sys/devices/system/clocksource/clocksource0/current_clocksource";
const HUGE_PAGES: &str = "sys/kernel/mm/transparent_hugepage/enabled";
const BACKLOG: &str = "proc/sys/net/core/somaxconn";
const BACKLOG_WANTED: u32 = 511;

/// Reads the settings below `root`. A setting that cannot be read is skipped; the flag says that
/// none of the others is bad.
pub(super) fn check(root: &Path) -> (String, bool) {
    let mut text = String::new();
    let mut well = true;
    let checks: [Check; 3] = [
        ("clock source", CLOCK, slow_clock),
        ("transparent huge pages", HUGE_PAGES, forced_huge_pages),
        ("connection backlog", BACKLOG, short_backlog),
    ];
    for (name, file, fault) in checks {
        let verdict = match fs::read_to_string(root.join(file)) {
            Err(_) => "skipped".to_owned(),
            Ok(setting) => match fault(setting.trim()) {
                None => "OK".to_owned(),
                Some(advice) => {
                    well = false;
                    format!("WARNING\n{advice}\n")
                }
            },
        };
        text.push_str(&format!("[{name}]...{verdict}\n"));
    }
    (text, well)
}

fn slow_clock(name: &str) -> Option<String> {
    let slow = ["hpet", "acpi_pm", "xen", "jiffies", "pit"].contains(&name);
    slow.then(|| {
        format!(
            "Reading the clock '{name}' takes a system call each time. If \
             /sys/devices/system/clocksource/clocksource0/available_clocksource lists a faster \
             one such as tsc, choose it."
        )
    })
}

fn forced_huge_pages(modes: &str) -> Option<String> {
    modes.contains("[always]").then(|| {
        "Transparent huge pages are always on, so the process can hold more memory than its data \
         needs. Write 'madvise' to /sys/kernel/mm/transparent_hugepage/enabled."
            .to_owned()
    })
}

fn short_backlog(limit: &str) -> Option<String> {
    let limit: u32 = limit.parse().ok()?;
    (limit < BACKLOG_WANTED).then(|| {
        format!(
            "The system lets only {limit} connections wait to be accepted, fewer than the default \
             tcp-backlog of {BACKLOG_WANTED}. Raise net.core.somaxconn."
        )
    })
}

#[cfg(test)]
mod tests;
