//! Runs commands for whoever types them: connects when there is need, keeps track of what the
//! session is in (database, transaction, subscriptions), and prints replies.

use std::cell::Cell;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use client::{Endpoint, ServerError, Value};

use super::connection::{Broken, Connection};
use super::options::{Options, Output, Protocol};
use super::{Done, Failure, format, out};

/// What becomes of pushes that nobody asked for just now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Pushes {
    Printed,
    Dropped,
    /// They are read as replies are, while subscriptions stand.
    Read,
}

/// How often a command is sent somewhere else; nodes that do not agree would go on for ever.
const REDIRECTIONS_MAX: usize = 16;

/// See the module's text.
#[derive(Debug)]
pub(super) struct Operator {
    pub(super) options: Options,
    pub(super) connection: Option<Connection>,
    pub(super) interrupted: Arc<AtomicBool>,
    /// Somebody is there to read on after an error.
    pub(super) interactive: bool,
    pub(super) resp3: bool,
    /// The database of the connection.
    database: i64,
    /// The database to come back to when a transaction fails.
    database_before: i64,
    pub(super) in_multi: bool,
    channels: i64,
    shard_channels: i64,
    pushes: Pushes,
    auth_failed: bool,
    shutdown: bool,
    /// Where the command is to be sent again, and whether for this once.
    redirected: Option<bool>,
    paged: Cell<bool>,
}

/// How a command went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Went {
    Answered,
    /// The answer is an error.
    Refused,
    /// There is no connection any more; what was to be said about it was said.
    Lost,
}

impl Operator {
    pub(super) fn new(options: Options) -> Operator {
        let pushes = if options.show_pushes { Pushes::Printed } else { Pushes::Dropped };
        Operator {
            options,
            connection: None,
            interrupted: Arc::default(),
            interactive: false,
            resp3: false,
            database: 0,
            database_before: 0,
            in_multi: false,
            channels: 0,
            shard_channels: 0,
            pushes,
            auth_failed: false,
            shutdown: false,
            redirected: None,
            paged: Cell::new(false),
        }
    }

    /// Whether subscriptions stand.
    pub(super) fn is_subscribed(&self) -> bool {
        self.channels + self.shard_channels > 0
    }

    /// What stands in front of a command that is typed.
    pub(super) fn prompt(&self) -> String {
        if self.connection.is_none() {
            return "not connected> ".to_owned();
        }
        let mut prompt = match &self.options.endpoint {
            Endpoint::Unix(path) => {
                format!("{} {}", self.options.server_name().to_lowercase(), path.display())
            }
            endpoint => endpoint.to_string(),
        };
        if self.database != 0 {
            prompt.push_str(&format!("[{}]", self.database));
        }
        prompt.push_str(if self.in_multi { "(TX)" } else { "" });
        prompt.push_str(if self.is_subscribed() { "(subscribed mode)" } else { "" });
        prompt + "> "
    }

    /// Connects, authenticates, selects the database and the protocol.
    pub(super) fn connect(&mut self) -> Done {
        self.connection = None;
        (self.resp3, self.in_multi, self.database) = (false, false, 0);
        (self.channels, self.shard_channels) = (0, 0);
        let connection = Connection::open(&self.options, &self.interrupted).map_err(|error| {
            let (name, place) = (self.options.server_name(), &self.options.endpoint);
            format!("Could not connect to {name} at {place}: {}", plain(&error))
        })?;
        self.connection = Some(connection);
        self.pushes = if self.options.show_pushes { Pushes::Printed } else { Pushes::Dropped };
        let greeted = self.greet();
        if greeted.is_err() {
            self.connection = None;
        }
        greeted
    }

    fn greet(&mut self) -> Done {
        let user = self.options.user.clone();
        if let Some(password) = self.options.password.clone() {
            let mut words = vec!["AUTH".to_owned()];
            words.extend(user);
            words.push(password);
            if let Value::Error(text) = self.quiet_call(&words)? {
                // A server without a password says so, and serves nevertheless.
                out::problem(format_args!("AUTH failed: {}", String::from_utf8_lossy(&text)));
                self.auth_failed = true;
                return Ok(());
            }
        }
        self.select()?;
        let (first, must) = match self.options.protocol {
            Protocol::Resp3 => (true, true),
            Protocol::PreferResp3 => (true, false),
            Protocol::Default | Protocol::Resp2 | Protocol::Both => (false, false),
        };
        if first {
            match self.quiet_call(&["HELLO", "3"])? {
                Value::Error(text) => {
                    let text = format!("HELLO 3 failed: {}", String::from_utf8_lossy(&text));
                    if must {
                        return Err(Failure::Text(text));
                    }
                    out::problem(text);
                }
                _ => self.resp3 = true,
            }
        }
        Ok(())
    }

    fn select(&mut self) -> Done {
        if self.options.database == self.database {
            return Ok(());
        }
        let number = self.options.database.to_string();
        match self.quiet_call(&["SELECT", &number])? {
            Value::Error(text) => {
                let text = String::from_utf8_lossy(&text);
                out::problem(format_args!("SELECT {number} failed: {text}"));
            }
            _ => self.database = self.options.database,
        }
        Ok(())
    }

    /// Runs a command of which nothing is printed; loses the connection with a text for it.
    pub(super) fn quiet_call<A: AsRef<[u8]>>(&mut self, words: &[A]) -> Result<Value, Failure> {
        let Some(connection) = &mut self.connection else {
            return Err(Failure::Text("Error: not connected".to_owned()));
        };
        connection.call(words).map_err(|error| Failure::Text(format!("Error: {error}")))
    }

    /// Puts what the standard input has where `-x` or `-X` say.
    pub(super) fn fill_in(&self, words: &mut Vec<Vec<u8>>) -> Done {
        let read = || {
            let mut bytes = Vec::new();
            let read = io::stdin().lock().read_to_end(&mut bytes);
            read.map(|_| bytes).map_err(|error| format!("Error reading from stdin: {error}"))
        };
        if self.options.last_from_stdin {
            words.push(read()?);
        } else if let Some(tag) = &self.options.tag_from_stdin {
            let Some(word) = words.iter_mut().find(|word| *word == tag) else {
                return Err("Using -X option but stdin tag not match.".into());
            };
            *word = read()?;
        }
        Ok(())
    }

    /// Runs the one command of a command line, and listens if it subscribes.
    pub(super) fn run_alone(&mut self, words: &[Vec<u8>]) -> Done {
        let went = self.issue(words, self.options.repeat)?;
        while self.is_subscribed() {
            let value = self.receive_printed()?;
            self.follow_subscriptions(&value);
        }
        match went {
            Went::Answered => Ok(()),
            // After a refused password the answer says nothing else.
            Went::Refused if self.auth_failed => Err(Failure::Told),
            Went::Refused => Ok(()),
            Went::Lost => Err(Failure::Told),
        }
    }

    /// Runs a command so many times, connecting first if there is need, and following
    /// redirections if that was asked for.
    pub(super) fn issue(&mut self, words: &[Vec<u8>], repeat: i64) -> Result<Went, Failure> {
        if is(words, 0, "help") || is(words, 0, "?") {
            super::help::show(self, &words[1..]);
            return Ok(Went::Answered);
        }
        for _ in 0..=REDIRECTIONS_MAX {
            if self.connection.is_none() || self.redirected.is_some() {
                self.connect()?;
            }
            if self.redirected.take() == Some(true) {
                self.quiet_call(&["ASKING"])?;
            }
            let went = self.send_repeatedly(words, repeat)?;
            if self.redirected.is_none() {
                return Ok(went);
            }
        }
        self.redirected = None;
        Err(format!("Error: redirected more than {REDIRECTIONS_MAX} times").into())
    }

    fn send_repeatedly(&mut self, words: &[Vec<u8>], repeat: i64) -> Result<Went, Failure> {
        let mut left = repeat;
        let mut went = Went::Answered;
        while left != 0 {
            left -= i64::from(left > 0);
            went = match self.send_once(words) {
                Ok(went) => went,
                Err(broken) => return self.broken(broken),
            };
            if self.redirected.is_some() || went == Went::Lost {
                break;
            }
            if !self.options.interval.is_zero() {
                std::thread::sleep(self.options.interval);
            }
        }
        Ok(went)
    }

    /// The connection is gone, or has to go.
    fn broken(&mut self, broken: Broken) -> Result<Went, Failure> {
        self.connection = None;
        (self.channels, self.shard_channels) = (0, 0);
        match broken {
            Broken::Closed if self.shutdown => return Ok(Went::Answered),
            Broken::Interrupted if self.interactive => return Ok(Went::Lost),
            _ => {}
        }
        let text = format!("Error: {broken}");
        if !self.interactive {
            return Err(Failure::Text(text));
        }
        out::problem(text);
        Ok(Went::Lost)
    }

    fn send_once(&mut self, words: &[Vec<u8>]) -> Result<Went, Broken> {
        self.shutdown = is(words, 0, "shutdown");
        let expected = self.expected_confirmations(words);
        if expected > 0 {
            self.pushes = Pushes::Read;
        }
        let Some(connection) = &mut self.connection else { return Err(Broken::Closed) };
        connection.send(words)?;
        if is(words, 0, "monitor") {
            return self.monitor();
        }
        if is(words, 0, "sync") || is(words, 0, "psync") {
            out::text("Entering replica output mode...  (press Ctrl-C to quit)\n");
            super::transfer::log_commands(self)?;
            return Ok(Went::Lost);
        }
        let value = self.answer(words, expected)?;
        if self.redirected.is_none() {
            self.learn(words, &value);
        }
        if matches!(value, Value::Error(_)) { Ok(Went::Refused) } else { Ok(Went::Answered) }
    }

    /// One confirmation comes for each channel; for none at least one comes.
    fn expected_confirmations(&self, words: &[Vec<u8>]) -> usize {
        const VERBS: [&str; 6] = [
            "subscribe",
            "psubscribe",
            "ssubscribe",
            "unsubscribe",
            "punsubscribe",
            "sunsubscribe",
        ];
        let any = VERBS.iter().any(|verb| is(words, 0, verb));
        if any { words.len().max(2) - 1 } else { 0 }
    }

    /// Prints everything that comes until Ctrl-C.
    fn monitor(&mut self) -> Result<Went, Broken> {
        loop {
            let value = self.receive(false)?;
            if matches!(value, Value::Error(_)) {
                return Ok(Went::Refused);
            }
        }
    }

    /// Prints what comes until the command is answered.
    fn answer(&mut self, words: &[Vec<u8>], expected: usize) -> Result<Value, Broken> {
        let verbatim = !self.in_multi && is_for_people(words);
        let mut expected = expected;
        loop {
            let value = self.receive(verbatim)?;
            if !(self.is_subscribed() || expected > 0) {
                return Ok(value);
            }
            if let Some(kind) = self.follow_subscriptions(&value) {
                if expected == 0 || !kind.eq_ignore_ascii_case(&words[0]) {
                    continue;
                }
                expected -= 1;
                if expected > 0 {
                    continue;
                }
            } else if matches!(value, Value::Push(_)) {
                continue;
            }
            return Ok(value);
        }
    }

    /// Reads a reply and prints it. Pushes that nobody asked for go their own way.
    fn receive(&mut self, verbatim: bool) -> Result<Value, Broken> {
        loop {
            let Some(connection) = &mut self.connection else { return Err(Broken::Closed) };
            let value = connection.receive()?;
            if matches!(value, Value::Push(_)) && self.pushes != Pushes::Read {
                if self.pushes == Pushes::Printed {
                    self.print_push(&value);
                }
                continue;
            }
            self.print(&value, verbatim);
            return Ok(value);
        }
    }

    /// Prints a message that came while subscriptions stand.
    pub(super) fn show_message(&mut self, value: &Value) {
        self.print(value, false);
        self.follow_subscriptions(value);
    }

    /// Shows long replies by a pager from now on, or no more.
    pub(super) fn page(&self, on: bool) {
        self.paged.set(on);
    }

    /// As `receive`, for replies that no command asked for.
    pub(super) fn receive_printed(&mut self) -> Result<Value, Failure> {
        self.receive(false).map_err(|broken| Failure::Text(format!("Error: {broken}")))
    }

    fn print(&mut self, value: &Value, verbatim: bool) {
        if let Value::Error(text) = value {
            if self.options.follow_redirects
                && let Some(redirect) = ServerError::new(text).redirect()
            {
                self.follow(&redirect);
                return;
            }
            if self.options.fail_on_error && !self.interactive {
                out::problem(String::from_utf8_lossy(text));
                std::process::exit(1);
            }
        }
        let text = if verbatim {
            format::verbatim(&self.options, value)
        } else {
            format::reply(&self.options, value)
        };
        if self.paged.get() { out::paged(&text) } else { out::bytes(&text) }
    }

    fn follow(&mut self, redirect: &client::Redirect) {
        let host = match (&self.options.endpoint, redirect.host.as_str()) {
            (Endpoint::Tcp { host, .. }, "") => host.clone(),
            (_, host) => host.to_owned(),
        };
        if self.interactive {
            let (slot, port) = (redirect.slot, redirect.port);
            let text = format!("-> Redirected to slot [{slot}] located at {host}:{port}\n");
            out::text(text);
        }
        self.options.endpoint = Endpoint::Tcp { host, port: redirect.port };
        self.redirected = Some(redirect.ask);
    }

    fn print_push(&self, value: &Value) {
        match value {
            Value::Push(items) if self.options.output == Output::Standard => match &items[..] {
                [Value::Bulk(kind), Value::Array(keys)] if kind == b"invalidate" => {
                    let mut line = b"-> invalidate: ".to_vec();
                    for (index, key) in keys.iter().enumerate() {
                        line.extend_from_slice(if index == 0 { b"'" } else { b", '" });
                        if let Value::Bulk(key) = key {
                            line.extend_from_slice(key);
                        }
                        line.push(b'\'');
                    }
                    line.push(b'\n');
                    out::bytes(&line);
                }
                _ => out::bytes(&format::reply(&self.options, value)),
            },
            value => out::bytes(&format::reply(&self.options, value)),
        }
    }

    /// Takes note of a message about subscriptions; its kind, if it is one.
    pub(super) fn follow_subscriptions(&mut self, value: &Value) -> Option<Vec<u8>> {
        let items = match value {
            Value::Push(items) if self.resp3 => items,
            Value::Array(items) if !self.resp3 => items,
            _ => return None,
        };
        let (Some(Value::Bulk(kind)), true) = (items.first(), items.len() >= 3) else {
            return None;
        };
        if !kind.ends_with(b"message") && !kind.ends_with(b"subscribe") {
            return None;
        }
        if let Value::Int(count) = items[2] {
            match kind.as_slice() {
                b"subscribe" | b"psubscribe" | b"unsubscribe" | b"punsubscribe" => {
                    self.channels = count;
                }
                b"ssubscribe" | b"sunsubscribe" => self.shard_channels = count,
                _ => {}
            }
        }
        Some(kind.clone())
    }

    /// Keeps track of what an answered command changed.
    fn learn(&mut self, words: &[Vec<u8>], value: &Value) {
        let failed = matches!(value, Value::Error(_));
        let alone = words.len() == 1;
        if is(words, 0, "select") && words.len() == 2 && !failed {
            let number = String::from_utf8_lossy(&words[1]).parse().unwrap_or(0);
            (self.database, self.options.database) = (number, number);
        } else if is(words, 0, "auth") && !failed {
            self.auth_failed = false;
            self.select().ok();
        } else if is(words, 0, "multi") && alone && !failed {
            (self.in_multi, self.database_before) = (true, self.database);
        } else if is(words, 0, "exec") && alone && self.in_multi {
            self.in_multi = false;
            if failed || matches!(value, Value::Null | Value::NullArray) {
                self.return_to(self.database_before);
            }
        } else if is(words, 0, "discard") && alone && !failed {
            self.in_multi = false;
            self.return_to(self.database_before);
        } else if is(words, 0, "reset") && alone && !failed {
            (self.in_multi, self.resp3) = (false, false);
            (self.channels, self.shard_channels) = (0, 0);
            self.return_to(0);
        } else if is(words, 0, "hello") {
            match value {
                Value::Map(_) => self.resp3 = true,
                Value::Array(_) => self.resp3 = false,
                _ => {}
            }
        }
        if !self.is_subscribed() && self.pushes == Pushes::Read {
            let shown = self.options.show_pushes;
            self.pushes = if shown { Pushes::Printed } else { Pushes::Dropped };
        }
    }

    fn return_to(&mut self, database: i64) {
        (self.database, self.options.database) = (database, database);
    }
}

/// Whether the word at `index` is this one, in any case.
pub(super) fn is(words: &[Vec<u8>], index: usize, word: &str) -> bool {
    words.get(index).is_some_and(|found| found.eq_ignore_ascii_case(word.as_bytes()))
}

/// Replies that are pages for people, which no form makes better.
fn is_for_people(words: &[Vec<u8>]) -> bool {
    let second = |words_for: &[&str]| words_for.iter().any(|word| is(words, 1, word));
    let count = words.len();
    is(words, 0, "info")
        || is(words, 0, "lolwut")
        || is(words, 0, "debug") && second(&["htstats", "htstats-key", "client-eviction"])
        || is(words, 0, "memory") && second(&["malloc-stats", "doctor"])
        || is(words, 0, "cluster") && count == 2 && second(&["nodes", "info"])
        || is(words, 0, "client") && second(&["list", "info"])
        || is(words, 0, "latency") && count == 3 && second(&["graph"])
        || is(words, 0, "latency") && count == 2 && second(&["doctor"])
        || is(words, 0, "proxy") && second(&["info"])
}

/// The system's words for an error, without its number.
pub(super) fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}
