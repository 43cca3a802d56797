//! What a process or a thread has used of the processor, from `/proc`.

use std::fs;
use std::path::Path;

use crate::error::Error;

/// What a process has used since it started.
#[derive(Debug, Clone, Copy, Default)]
pub struct Usage {
    /// Time on a core, in nanoseconds, of all threads that are alive.
    pub busy_ns: u64,
    /// Time that threads were ready to run and had no core, in nanoseconds.
    pub waited_ns: u64,
    /// Ticks that found the process in user mode.
    pub user_ticks: u64,
    /// Ticks that found the process in kernel mode.
    pub system_ticks: u64,
}

impl Usage {
    /// # Errors
    /// `/proc` without the process, or in another form.
    pub fn of(pid: u32) -> Result<Usage, Error> {
        let wrong = |what: &str| Error::Usage(format!("/proc/{pid}/{what}: not as expected"));
        let mut usage = Usage::default();
        let tasks = fs::read_dir(format!("/proc/{pid}/task")).map_err(|_| wrong("task"))?;
        for task in tasks.flatten() {
            let Some((busy, waited)) = schedstat(&task.path()) else { continue };
            usage.busy_ns += busy;
            usage.waited_ns += waited;
        }
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).map_err(|_| wrong("stat"))?;
        // The name in parentheses may contain blanks; utime and stime are fields 14 and 15.
        let fields: Vec<&str> = stat
            .rsplit_once(')')
            .map(|(_, rest)| rest.split_whitespace().collect())
            .ok_or_else(|| wrong("stat"))?;
        let ticks = |at: usize| fields.get(at).and_then(|text| text.parse().ok());
        usage.user_ticks = ticks(11).ok_or_else(|| wrong("stat"))?;
        usage.system_ticks = ticks(12).ok_or_else(|| wrong("stat"))?;
        Ok(usage)
    }

    /// What was used between two moments.
    pub fn since(self, before: Usage) -> Usage {
        Usage {
            busy_ns: self.busy_ns.saturating_sub(before.busy_ns),
            waited_ns: self.waited_ns.saturating_sub(before.waited_ns),
            user_ticks: self.user_ticks.saturating_sub(before.user_ticks),
            system_ticks: self.system_ticks.saturating_sub(before.system_ticks),
        }
    }
}

/// Nanoseconds that the calling thread has been on a core; 0 where nobody tells.
pub fn of_thread() -> u64 {
    schedstat(Path::new("/proc/thread-self")).map_or(0, |(busy, _)| busy)
}

fn schedstat(task: &Path) -> Option<(u64, u64)> {
    let text = fs::read_to_string(task.join("schedstat")).ok()?;
    let mut fields = text.split_whitespace().map(str::parse::<u64>);
    Some((fields.next()?.ok()?, fields.next()?.ok()?))
}
