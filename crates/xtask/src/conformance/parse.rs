//! Reads what the suite's runner prints: one line a message, with bodies that span lines.
//!
//! The runner is started for one unit with one client and `--durable`, so messages arrive in the
//! order in which the tests ran. It must not know files, lists or processes.
//!
//! Invariant: a test whose body was cut short is never counted as passed. An exception inside a
//! server block that is nested in a test is reported by the runner without the test's name, and
//! the test itself as `ok` afterwards; such an `ok` counts as failed here.

#[cfg(test)]
mod tests;

/// How one test ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Passed,
    /// With the first line of the cause.
    Failed(String),
    /// It made no progress until the stall limit passed.
    Hung,
    /// By the skip list or by `--only`.
    Skipped,
    /// By a tag that this run denies, with the runner's reason.
    Ignored(String),
}

/// Why a unit did not reach its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum EarlyEnd {
    /// An error outside every test; the text's first line.
    Exception(String),
    /// No progress; the test that was running, if the runner named it.
    Stall(Option<String>),
    /// The output just ends, with this line: the runner was killed or died.
    Silence(String),
}

/// Everything that one run of a unit said.
#[derive(Clone, Debug, Default)]
pub(super) struct UnitLog {
    /// In the order in which they ran; a name can occur several times.
    pub(super) tests: Vec<(String, Outcome)>,
    /// Errors that belong to no test: a server block that could not be set up or was cut short.
    pub(super) loose_errors: Vec<String>,
    /// Reasons for which whole blocks were left out.
    pub(super) ignored_blocks: Vec<String>,
    pub(super) end: Option<EarlyEnd>,
    /// Tests in which a nested server block was cut short. The runner then loses track of its
    /// servers, so what the rest of the unit says is not to be trusted.
    pub(super) cut_short: Vec<String>,
    /// Tests that passed only when the unit ran again, alone.
    pub(super) second_try: Vec<String>,
}

/// Numbers of tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) passed: usize,
    pub(super) failed: usize,
    pub(super) skipped: usize,
}

impl UnitLog {
    /// The outcome of `name` over all its occurrences: the worst one counts.
    pub(super) fn outcome(&self, name: &str) -> Option<&Outcome> {
        let of_name = self.tests.iter().filter(|(test, _)| test == name).map(|(_, out)| out);
        of_name.max_by_key(|outcome| severity(outcome))
    }

    /// The names without repetition, in the order of their first occurrence.
    pub(super) fn names(&self) -> Vec<&str> {
        let mut seen = std::collections::HashSet::new();
        self.tests.iter().map(|(name, _)| name.as_str()).filter(|name| seen.insert(*name)).collect()
    }

    /// How many tests ended in which way, each name once.
    pub(super) fn counts(&self) -> Counts {
        let mut counts = Counts { skipped: self.ignored_blocks.len(), ..Counts::default() };
        for name in self.names() {
            match self.outcome(name) {
                Some(Outcome::Passed) => counts.passed += 1,
                Some(Outcome::Failed(_) | Outcome::Hung) => counts.failed += 1,
                Some(Outcome::Skipped | Outcome::Ignored(_)) | None => counts.skipped += 1,
            }
        }
        counts
    }

    /// Names the test in which a run that just stopped was.
    pub(super) fn end_in(&mut self, test: Option<String>) {
        if let Some(name) = &test
            && self.outcome(name).is_none()
        {
            self.tests.push((name.clone(), Outcome::Hung));
            self.end = Some(EarlyEnd::Stall(test));
        }
    }

    /// Takes over the tests that passed in a second run of the same unit.
    pub(super) fn adopt(&mut self, second: UnitLog) {
        let passed: Vec<String> = second.names().into_iter().map(str::to_owned).collect();
        for name in passed {
            if second.outcome(&name) == Some(&Outcome::Passed)
                && self.outcome(&name) != Some(&Outcome::Passed)
            {
                self.tests.retain(|(test, _)| *test != name);
                self.tests.push((name.clone(), Outcome::Passed));
                self.second_try.push(name);
            }
        }
        if second.end.is_none() {
            self.end = None;
            self.loose_errors = second.loose_errors;
        }
    }

    /// Reads the whole output of the runner for `unit` (`unit/type/string`).
    pub(super) fn read(unit: &str, output: &str) -> UnitLog {
        let mut reader = Reader { unit, log: UnitLog::default(), cut_short: None, ended: false };
        let mut lines = output.lines().peekable();
        while let Some(line) = lines.next() {
            let mut body = String::new();
            while let Some(more) = lines.next_if(|next| !starts_message(next)) {
                body.push_str(more);
                body.push('\n');
            }
            reader.message(line, body.trim_end());
        }
        reader.finish(output)
    }
}

struct Reader<'a> {
    unit: &'a str,
    log: UnitLog,
    /// An error without a name that may belong to the test whose end comes next.
    cut_short: Option<String>,
    ended: bool,
}

impl Reader<'_> {
    fn message(&mut self, line: &str, body: &str) {
        if let Some(rest) = line.strip_prefix("[ok]: ") {
            let name = without_duration(rest).to_owned();
            let outcome = match self.cut_short.take() {
                Some(cause) => {
                    self.log.cut_short.push(name.clone());
                    Outcome::Failed(cause)
                }
                None => Outcome::Passed,
            };
            self.log.tests.push((name, outcome));
        } else if let Some(rest) = line.strip_prefix("[err]: ") {
            self.error(rest, body);
        } else if let Some(rest) = line.strip_prefix("[skip]: ") {
            self.log.tests.push((rest.to_owned(), Outcome::Skipped));
        } else if let Some(rest) = line.strip_prefix("[ignore]: ") {
            self.ignored(rest);
        } else if let Some(rest) = line.strip_prefix("[exception]: ") {
            let text = rest.strip_prefix("Executing test client: ").unwrap_or(rest);
            self.log.end = Some(EarlyEnd::Exception(text.trim_end_matches('.').to_owned()));
        } else if line.starts_with("[TIMEOUT]: ") {
            self.log.end = Some(EarlyEnd::Stall(test_in_progress(body)));
        } else if is_done(line) {
            self.ended = true;
        }
    }

    fn error(&mut self, rest: &str, body: &str) {
        let place = format!(" in tests/{}.tcl", self.unit);
        match rest.strip_suffix(place.as_str()) {
            Some(name) => {
                let cause = self.cut_short.take().unwrap_or_else(|| cause(body));
                self.log.tests.push((name.to_owned(), Outcome::Failed(cause)));
            }
            None => {
                // Here the runner puts the message, without its first ten bytes, in the line of
                // the test's name.
                let text = cause(&format!("{rest}\n{body}"));
                self.cut_short = Some(text.clone());
                self.log.loose_errors.push(text);
            }
        }
    }

    fn ignored(&mut self, rest: &str) {
        match rest.rsplit_once(": ") {
            Some((name, reason)) if !rest.starts_with("Tag: ") => {
                let (name, reason) = match name.strip_suffix(": Tag") {
                    Some(name) => (name, format!("Tag: {reason}")),
                    None => (name, reason.to_owned()),
                };
                self.log.tests.push((name.to_owned(), Outcome::Ignored(reason)));
            }
            _ => self.log.ignored_blocks.push(rest.to_owned()),
        }
    }

    fn finish(mut self, output: &str) -> UnitLog {
        match &self.log.end {
            Some(EarlyEnd::Stall(Some(name))) => {
                self.log.tests.push((name.clone(), Outcome::Hung));
            }
            None if !self.ended => {
                let last = output.lines().rev().find(|line| !line.trim().is_empty());
                let last = last.unwrap_or("no output").to_owned();
                self.log.end = Some(EarlyEnd::Silence(last));
            }
            _ => {}
        }
        self.log
    }
}

fn severity(outcome: &Outcome) -> u8 {
    match outcome {
        Outcome::Ignored(_) => 0,
        Outcome::Skipped => 1,
        Outcome::Passed => 2,
        Outcome::Hung => 3,
        Outcome::Failed(_) => 4,
    }
}

fn starts_message(line: &str) -> bool {
    const STARTS: &[&str] = &[
        "[ok]: ",
        "[err]: ",
        "[skip]: ",
        "[ignore]: ",
        "[exception]: ",
        "[ready]: ",
        "[TIMEOUT]: ",
        "Testing ",
        "!!! WARNING The following tests failed",
    ];
    STARTS.iter().any(|start| line.starts_with(start)) || is_done(line) || line.trim() == "The End"
}

/// `[1/1 done]: unit/quit (0 seconds)`.
fn is_done(line: &str) -> bool {
    line.starts_with('[') && line.split_once(" done]: ").is_some()
}

/// `name (12 ms)` without the time.
fn without_duration(text: &str) -> &str {
    match text.rsplit_once(" (") {
        Some((name, time)) if time.ends_with(" ms)") => name,
        _ => text,
    }
}

/// `sock1 => (IN PROGRESS) name` among the lines of a stall's report.
fn test_in_progress(body: &str) -> Option<String> {
    let line = body.lines().find_map(|line| line.split_once("=> (IN PROGRESS) "));
    line.map(|(_, name)| name.to_owned())
}

/// The first line of what went wrong.
///
/// For an error that is no assertion the runner prints the message without its first ten bytes
/// (it takes them for a prefix that only assertions have) and then Tcl's stack trace, which starts
/// with the whole message: `<message[10..]>\n<message>\n    while executing`.
fn cause(body: &str) -> String {
    let Some(end) = trace_start(body) else {
        return first_line(body);
    };
    let both = &body[..end];
    for (at, _) in both.match_indices('\n').chain(Some((0, ""))) {
        let (short, whole) = both.split_at(at);
        let whole = whole.strip_prefix('\n').unwrap_or(whole);
        let cut = whole.char_indices().nth(10).map_or("", |(index, _)| &whole[index..]);
        if cut == short {
            return first_line(whole);
        }
    }
    first_line(both)
}

fn trace_start(body: &str) -> Option<usize> {
    let marks = ["\n    while executing", "\n    invoked from within", "\n    (\"uplevel\" body"];
    marks.iter().filter_map(|mark| body.find(mark)).min()
}

fn first_line(text: &str) -> String {
    text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("no message").to_owned()
}
