//! What a connection is given before anything else, and again when it is made anew.
//!
//! Must not know connections: it says which commands to send, and learns from answered ones.

use std::collections::BTreeSet;
use std::fmt;

use resp::{Proto, Value};

use crate::command::Command;

/// How the server keeps track of what this side caches.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tracking {
    /// About every key with one of the prefixes, instead of those that were read.
    pub broadcast: bool,
    /// The prefixes, in broadcast mode; none means every key.
    pub prefixes: Vec<Vec<u8>>,
    /// Not about what this connection changes itself.
    pub no_loop: bool,
}

/// What belongs to a session and survives its connections.
#[derive(Clone)]
pub struct Setup {
    /// The protocol to ask for; a server that knows no HELLO is spoken to in RESP2.
    pub protocol: Proto,
    /// The user, if it is not the default one.
    pub user: Option<String>,
    /// The password.
    pub password: Option<String>,
    /// The connection's name.
    pub name: Option<String>,
    /// The selected database.
    pub database: u32,
    /// Tracking of keys for client-side caches.
    pub tracking: Option<Tracking>,
    pub(crate) channels: BTreeSet<Vec<u8>>,
    pub(crate) patterns: BTreeSet<Vec<u8>>,
    pub(crate) shards: BTreeSet<Vec<u8>>,
}

impl Default for Setup {
    fn default() -> Setup {
        Setup {
            protocol: Proto::Resp2,
            user: None,
            password: None,
            name: None,
            database: 0,
            tracking: None,
            channels: BTreeSet::new(),
            patterns: BTreeSet::new(),
            shards: BTreeSet::new(),
        }
    }
}

/// Without the password.
impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setup")
            .field("protocol", &self.protocol)
            .field("user", &self.user)
            .field("name", &self.name)
            .field("database", &self.database)
            .field("tracking", &self.tracking)
            .finish_non_exhaustive()
    }
}

impl Setup {
    /// The command that negotiates the protocol; `None` for RESP2, which needs none.
    pub(crate) fn hello(&self) -> Option<Command> {
        if self.protocol == Proto::Resp2 {
            return None;
        }
        let mut hello = Command::new("HELLO").arg(3);
        if let Some(password) = &self.password {
            let user = self.user.as_deref().unwrap_or("default");
            hello = hello.args(["AUTH", user, password.as_str()]);
        }
        if let Some(name) = &self.name {
            hello = hello.args(["SETNAME", name]);
        }
        Some(hello)
    }

    /// What HELLO would have done, for a connection without it.
    pub(crate) fn introduction(&self) -> Vec<Command> {
        let mut commands = Vec::new();
        if let Some(password) = &self.password {
            let auth = Command::new("AUTH").args(self.user.as_deref());
            commands.push(auth.arg(password.as_str()));
        }
        if let Some(name) = &self.name {
            commands.push(Command::new("CLIENT").args(["SETNAME", name]));
        }
        commands
    }

    /// Everything behind the introduction.
    pub(crate) fn restoration(&self) -> Vec<Command> {
        let mut commands = Vec::new();
        if self.database != 0 {
            commands.push(Command::new("SELECT").arg(self.database));
        }
        if let Some(tracking) = &self.tracking {
            let mut command = Command::new("CLIENT").args(["TRACKING", "ON"]);
            command = if tracking.broadcast { command.arg("BCAST") } else { command };
            for prefix in &tracking.prefixes {
                command = command.arg("PREFIX").arg(prefix);
            }
            command = if tracking.no_loop { command.arg("NOLOOP") } else { command };
            commands.push(command);
        }
        let sets = [
            ("SUBSCRIBE", &self.channels),
            ("PSUBSCRIBE", &self.patterns),
            ("SSUBSCRIBE", &self.shards),
        ];
        for (verb, names) in sets {
            // A cluster takes shard channels of one slot at a time.
            match verb {
                "SSUBSCRIBE" => {
                    commands.extend(names.iter().map(|name| Command::new(verb).arg(name)));
                }
                _ if names.is_empty() => {}
                _ => commands.push(Command::new(verb).args(names)),
            }
        }
        commands
    }

    /// Learns from a command that the server answered without an error.
    pub(crate) fn learn(&mut self, command: &Command, reply: &Value) {
        let text = |index: usize| {
            command.word(index).map(|word| String::from_utf8_lossy(word).into_owned())
        };
        if command.is(0, "SELECT") {
            let number = text(1).and_then(|word| word.parse().ok());
            self.database = number.unwrap_or(self.database);
        } else if command.is(0, "AUTH") {
            let named = command.word(2).is_some();
            self.user = text(1).filter(|_| named);
            self.password = text(if named { 2 } else { 1 });
        } else if command.is(0, "CLIENT") && command.is(1, "SETNAME") {
            self.name = text(2).filter(|name| !name.is_empty());
        } else if command.is(0, "CLIENT") && command.is(1, "TRACKING") {
            self.learn_tracking(command);
        } else if command.is(0, "HELLO") {
            self.learn_hello(command);
        } else if command.is(0, "RESET") && matches!(reply, Value::Simple(_)) {
            *self = Setup::default();
        }
    }

    fn learn_tracking(&mut self, command: &Command) {
        if !command.is(2, "ON") {
            self.tracking = None;
            return;
        }
        let mut tracking = Tracking::default();
        let mut words = command.words().skip(3);
        while let Some(word) = words.next() {
            match word.to_ascii_uppercase().as_slice() {
                b"BCAST" => tracking.broadcast = true,
                b"NOLOOP" => tracking.no_loop = true,
                b"PREFIX" => tracking.prefixes.extend(words.next().map(<[u8]>::to_vec)),
                _ => {}
            }
        }
        self.tracking = Some(tracking);
    }

    fn learn_hello(&mut self, command: &Command) {
        match command.word(1) {
            Some(b"2") => self.protocol = Proto::Resp2,
            Some(b"3") => self.protocol = Proto::Resp3,
            _ => {}
        }
        let text = |word: &[u8]| String::from_utf8_lossy(word).into_owned();
        let mut words = command.words().skip(2);
        while let Some(word) = words.next() {
            if word.eq_ignore_ascii_case(b"AUTH") {
                self.user = words.next().map(text);
                self.password = words.next().map(text);
            } else if word.eq_ignore_ascii_case(b"SETNAME") {
                self.name = words.next().map(text);
            }
        }
    }

    /// Takes note of a subscription as it is sent. The number of confirmations that will come.
    pub(crate) fn subscription(&mut self, command: &Command) -> Option<usize> {
        let (add, names) = match subscription_verb(command.word(0)?)? {
            "subscribe" => (true, &mut self.channels),
            "psubscribe" => (true, &mut self.patterns),
            "ssubscribe" => (true, &mut self.shards),
            "unsubscribe" => (false, &mut self.channels),
            "punsubscribe" => (false, &mut self.patterns),
            _ => (false, &mut self.shards),
        };
        let given: Vec<&[u8]> = command.words().skip(1).collect();
        if given.is_empty() {
            let count = names.len().max(1);
            names.clear();
            return Some(if add { 1 } else { count });
        }
        for name in &given {
            if add {
                names.insert(name.to_vec());
            } else {
                names.remove(*name);
            }
        }
        Some(given.len())
    }

    /// Takes a subscription back that was refused.
    pub(crate) fn subscription_refused(&mut self, command: &Command) {
        let names = match command.word(0).and_then(subscription_verb) {
            Some("subscribe") => &mut self.channels,
            Some("psubscribe") => &mut self.patterns,
            Some("ssubscribe") => &mut self.shards,
            _ => return,
        };
        for name in command.words().skip(1) {
            names.remove(name);
        }
    }

    /// Whether any subscription stands.
    pub(crate) fn is_subscribed(&self) -> bool {
        !(self.channels.is_empty() && self.patterns.is_empty() && self.shards.is_empty())
    }
}

/// The verb as confirmations spell it.
pub(crate) fn subscription_verb(word: &[u8]) -> Option<&'static str> {
    const VERBS: [&str; 6] =
        ["subscribe", "psubscribe", "ssubscribe", "unsubscribe", "punsubscribe", "sunsubscribe"];
    VERBS.into_iter().find(|verb| word.eq_ignore_ascii_case(verb.as_bytes()))
}
