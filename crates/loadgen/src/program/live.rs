//! The line that tells how a test goes on, written over itself.

use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::options::Options;
use crate::engine::Progress;

const INTERVAL: Duration = Duration::from_millis(250);

/// Where a test stands.
#[derive(Clone, Copy, Default)]
struct Mark {
    at: Duration,
    replies: u64,
    latency_ns: u64,
}

/// One test's line.
pub(super) struct Live<'a> {
    title: &'a str,
    progress: &'a Progress,
    began: Instant,
    last: Mark,
    written: usize,
    by_time: bool,
    warmup: f64,
    /// What is counted from: the end of the warm-up.
    first: Mark,
    to: To,
}

/// The classic tools write it to their standard output; where that is read by a program that asked
/// for a table, it goes to a terminal or nowhere.
#[derive(PartialEq, Eq)]
enum To {
    Out,
    Error,
    Nowhere,
}

impl<'a> Live<'a> {
    pub(super) fn new(options: &Options, title: &'a str, progress: &'a Progress) -> Live<'a> {
        let aside = options.is_piped() || options.peer.is_some();
        let to = match (options.csv || aside, std::io::stderr().is_terminal()) {
            (false, _) => To::Out,
            (true, true) => To::Error,
            (true, false) => To::Nowhere,
        };
        Live {
            title,
            progress,
            began: Instant::now(),
            last: Mark::default(),
            written: 0,
            by_time: options.seconds.is_some(),
            warmup: options.warmup,
            first: Mark::default(),
            to,
        }
    }

    /// Shows the line until the flag is set; whoever sets it wakes this thread.
    pub(super) fn show_until(&mut self, done: &AtomicBool) {
        let mut next = Instant::now() + INTERVAL;
        while !done.load(Ordering::Acquire) {
            let now = Instant::now();
            if now < next {
                std::thread::park_timeout(next - now);
                continue;
            }
            next += INTERVAL;
            self.show();
        }
    }

    /// Leaves a clean line behind, as the classic tools do in front of each report.
    pub(super) fn clear(&mut self) {
        let blanks = format!("{:width$}\r", " ", width = self.written.max(1));
        self.write(&blanks);
    }

    fn show(&mut self) {
        let mark = Mark {
            at: self.began.elapsed(),
            replies: self.progress.replies.load(Ordering::Relaxed),
            latency_ns: self.progress.latency_ns.load(Ordering::Relaxed),
        };
        let is_warming = mark.at.as_secs_f64() < self.warmup;
        let text = self.text(mark, is_warming);
        if is_warming {
            self.first = mark;
        }
        self.last = mark;
        let width = self.written.max(1);
        self.write(&format!("{:width$}\r{text}\r", " "));
        self.written = text.len();
    }

    fn text(&self, mark: Mark, is_warming: bool) -> String {
        let rate = |from: Mark| {
            (mark.replies - from.replies) as f64 / (mark.at - from.at).as_secs_f64().max(1e-9)
        };
        let mean = |from: Mark| {
            let replies = (mark.replies - from.replies).max(1);
            (mark.latency_ns - from.latency_ns) as f64 / replies as f64 / 1e6
        };
        let mut text = if is_warming { "Warming up ".to_owned() } else { String::new() };
        text += &format!(
            "{}: rps={:.1} (overall: {:.1}) avg_msec={:.3} (overall: {:.3})",
            self.title,
            rate(self.last),
            rate(self.first),
            mean(self.last),
            mean(self.first)
        );
        if self.by_time || is_warming {
            let since = if is_warming { Duration::ZERO } else { self.first.at };
            text + &format!(" {:.1} seconds", (mark.at - since).as_secs_f64())
        } else {
            text + &format!(" {} requests", mark.replies - self.first.replies)
        }
    }

    fn write(&self, text: &str) {
        // Progress that nobody sees is no reason to end.
        match self.to {
            To::Out => {
                let mut out = std::io::stdout().lock();
                out.write_all(text.as_bytes()).and_then(|()| out.flush()).ok();
            }
            To::Error => _ = std::io::stderr().write_all(text.as_bytes()).ok(),
            To::Nowhere => {}
        }
    }
}
