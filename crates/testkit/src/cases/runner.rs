//! Plays a case file to a server.
//!
//! Every case begins with empty databases and connections of its own. What stands between two
//! expectations is sent in one write, so that several commands in a row are a pipeline. After a
//! failure the rest of that case is left out: its replies would be off by one.

use std::collections::BTreeMap;
use std::io;
use std::thread;
use std::time::{Duration, Instant};

use resp::Proto;
use resp::value::{Value, encode_command};

use super::expected::{Expected, Reply};
use super::file::{Action, Case, CaseFile};
use super::show;
use crate::client::is_closed;

/// How long `~>` tries.
const RETRY_LIMIT: Duration = Duration::from_secs(10);
const RETRY_INTERVAL: Duration = Duration::from_millis(5);

/// A server that cases can be played to, over sockets or in process.
pub trait Target {
    /// A new connection that speaks RESP2; failing is the target's to report.
    fn connect(&mut self) -> Box<dyn Link>;
}

/// One connection.
pub trait Link {
    /// Sends bytes as they are.
    ///
    /// # Errors
    /// Those of the connection.
    fn send(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// The next reply.
    ///
    /// # Errors
    /// When none comes in time, the connection is closed, or the bytes are not the protocol.
    fn receive(&mut self) -> io::Result<Value>;

    /// Whether something came that was not asked for.
    fn has_unread(&self) -> bool;
}

/// What came of a run.
#[derive(Debug, Default)]
pub struct Report {
    pub passed: usize,
    /// `file:line: title`, and below it what was expected and what came.
    pub failures: Vec<String>,
}

/// Plays every case that concerns the protocol.
pub fn run(file: &CaseFile, target: &mut dyn Target, proto: Proto) -> Report {
    let mut report = Report::default();
    let concerned = file.cases.iter().filter(|case| case.only.is_none_or(|only| only == proto));
    for case in concerned {
        match play(case, target, proto) {
            Ok(()) => report.passed += 1,
            Err((line, text)) => {
                report.failures.push(format!("{}:{line}: {}\n{text}", file.path, case.title));
            }
        }
    }
    report
}

type Failure = (usize, String);

fn play(case: &Case, target: &mut dyn Target, proto: Proto) -> Result<(), Failure> {
    let at_start = |text| (case.line, text);
    let mut control = target.connect();
    ask(&mut *control, &[b"FLUSHALL"]).map_err(at_start)?;
    let mut former = Vec::new();
    for (name, value) in &case.config {
        former.push((name, configure(&mut *control, name, value).map_err(at_start)?));
    }
    let mut player = Player { target, proto, links: BTreeMap::new(), sent: String::new() };
    let result = player.steps(case);
    for (name, value) in former {
        ask(&mut *control, &[b"CONFIG", b"SET", name.as_bytes(), &value]).map_err(at_start)?;
    }
    result
}

struct Player<'a> {
    target: &'a mut dyn Target,
    proto: Proto,
    links: BTreeMap<String, Wire>,
    /// What the failing expectation answers, as the file spells it.
    sent: String,
}

struct Wire {
    link: Box<dyn Link>,
    /// Gathered until something is expected.
    unsent: Vec<u8>,
}

impl Player<'_> {
    fn steps(&mut self, case: &Case) -> Result<(), Failure> {
        let mut retry = None;
        for step in &case.steps {
            let at_line = |text| (step.line, text);
            match &step.action {
                Action::Send(bytes, shown) => {
                    shown.clone_into(&mut self.sent);
                    self.wire(&step.link).map_err(at_line)?.unsent.extend_from_slice(bytes);
                }
                Action::Retry(bytes, shown) => {
                    shown.clone_into(&mut self.sent);
                    retry = Some(bytes);
                }
                Action::Expect(_, Some(proto)) if *proto != self.proto => {}
                Action::Expect(replies, _) => {
                    self.flush().map_err(at_line)?;
                    match retry.take() {
                        Some(bytes) => self.retry(&step.link, bytes, replies),
                        None => self.expect(&step.link, replies),
                    }
                    .map_err(at_line)?;
                }
            }
        }
        let (last, end) = (case.steps.last(), case.line);
        let at_end = |text| (last.map_or(end, |step| step.line), text);
        self.flush().map_err(at_end)?;
        if retry.is_some() {
            return Err(at_end("    nothing is expected of ~>".to_owned()));
        }
        match self.links.iter().find(|(_, wire)| wire.link.has_unread()) {
            Some((name, _)) => Err(at_end(format!("    more came than was expected {name}"))),
            None => Ok(()),
        }
    }

    fn wire(&mut self, name: &str) -> Result<&mut Wire, String> {
        if !self.links.contains_key(name) {
            let mut link = self.target.connect();
            if self.proto == Proto::Resp3 {
                ask(&mut *link, &[b"HELLO", b"3"])?;
            }
            self.links.insert(name.to_owned(), Wire { link, unsent: Vec::new() });
        }
        self.links.get_mut(name).ok_or_else(|| "a connection is gone".to_owned())
    }

    fn flush(&mut self) -> Result<(), String> {
        for wire in self.links.values_mut() {
            let bytes = std::mem::take(&mut wire.unsent);
            match wire.link.send(&bytes) {
                // That the server has closed shows at the next reply, where it may be expected.
                Err(error) if !is_closed(&error) => {
                    return Err(format!("    cannot send: {error}"));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn expect(&mut self, name: &str, replies: &[Reply]) -> Result<(), String> {
        let (proto, sent) = (self.proto, self.sent.clone());
        let wire = self.wire(name)?;
        for reply in replies {
            let got = wire.link.receive();
            if !is_expected(&reply.expected, &got, proto) {
                return Err(difference(&sent, reply, &got));
            }
        }
        Ok(())
    }

    fn retry(&mut self, name: &str, bytes: &[u8], replies: &[Reply]) -> Result<(), String> {
        let (proto, sent) = (self.proto, self.sent.clone());
        let wire = self.wire(name)?;
        let [reply] = replies else { return Err("    ~> needs one reply".to_owned()) };
        let end = Instant::now() + RETRY_LIMIT;
        loop {
            let got = wire.link.send(bytes).and_then(|()| wire.link.receive());
            if is_expected(&reply.expected, &got, proto) {
                return Ok(());
            }
            if got.is_err() || Instant::now() > end {
                return Err(difference(&sent, reply, &got));
            }
            thread::sleep(RETRY_INTERVAL);
        }
    }
}

fn is_expected(expected: &Expected, got: &io::Result<Value>, proto: Proto) -> bool {
    match got {
        Ok(value) => expected.matches(value, proto),
        Err(error) => *expected == Expected::Closed && is_closed(error),
    }
}

fn difference(sent: &str, reply: &Reply, got: &io::Result<Value>) -> String {
    let got = match got {
        Ok(value) => show(value),
        Err(error) => format!("no reply: {error}"),
    };
    format!("    > {sent}\n    expected {}\n    got      {got}", reply.spelled)
}

/// For the runner's own commands: everything but an error will do.
fn ask(link: &mut dyn Link, words: &[&[u8]]) -> Result<Value, String> {
    let mut bytes = Vec::new();
    encode_command(&mut bytes, words);
    let shown = words.iter().map(|word| word.escape_ascii().to_string()).collect::<Vec<_>>();
    match link.send(&bytes).and_then(|()| link.receive()) {
        Ok(Value::Error(text)) => Err(format!("    {}: {}", shown.join(" "), text.escape_ascii())),
        Ok(value) => Ok(value),
        Err(error) => Err(format!("    {}: {error}", shown.join(" "))),
    }
}

/// Sets an option and returns what it was.
fn configure(link: &mut dyn Link, name: &str, value: &str) -> Result<Vec<u8>, String> {
    let former = match ask(link, &[b"CONFIG", b"GET", name.as_bytes()])? {
        Value::Array(mut pair) if pair.len() == 2 => pair.pop(),
        _ => None,
    };
    let Some(Value::Bulk(former)) = former else { return Err(format!("    no option {name}")) };
    ask(link, &[b"CONFIG", b"SET", name.as_bytes(), value.as_bytes()])?;
    Ok(former)
}
