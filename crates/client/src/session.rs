//! The protocol of one session without any I/O: bytes in, bytes out, and what happened.
//!
//! A session outlives its connections. Its owner says [`Session::connected`] and
//! [`Session::lost`], writes what [`Session::outgoing`] has and says how much of it was taken,
//! gives what was read to [`Session::received`], and takes [`Session::event`]s.
//!
//! Invariants: every submitted unit gets exactly one event, a reply or a failure. A unit of which
//! the last byte was handed to the system is never sent again unless it says that it may be; one
//! of which bytes were left did not run, since servers run whole commands only. Must not know
//! sockets, clocks or threads.

mod greeting;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use resp::{DecodeError, Decoder, Proto, Value};

use crate::cache::Cache;
use crate::command::{Command, Unit};
use crate::error::Fate;
use crate::push::{Push, bytes};
use crate::setup::{Setup, subscription_verb};
use greeting::Greeting;

/// Names a submitted unit.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Ticket(u64);

/// Something that happened.
#[derive(Clone, PartialEq, Debug)]
pub enum Event {
    /// The connection is greeted and takes commands.
    Ready,
    /// A unit's answer; errors are answers.
    Reply(Ticket, Value),
    /// A unit has no answer and will have none.
    Failed(Ticket, Fate),
    /// The server sent something by itself.
    Push(Push),
}

/// One session.
#[derive(Debug)]
pub struct Session {
    setup: Setup,
    state: State,
    /// The protocol of this connection.
    protocol: Proto,
    /// Counts connections.
    connection: u64,
    decoder: Decoder,
    out: Vec<u8>,
    /// Positions in this connection's stream of requests: of the end of `out`, and of its start.
    queued: u64,
    handed: u64,
    waiting: VecDeque<Submitted>,
    in_flight: VecDeque<Pending>,
    events: VecDeque<Event>,
    cache: Option<Cache>,
    next_ticket: u64,
    refusal: Option<Value>,
}

/// A unit without an answer.
#[derive(Debug)]
struct Submitted {
    ticket: Ticket,
    unit: Unit,
    /// Whether it was sent whole on an earlier connection.
    sent: bool,
}

impl Submitted {
    /// What may have become of it on earlier connections.
    fn fate(&self) -> Fate {
        if self.sent { Fate::MayHaveRun } else { Fate::DidNotRun }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Down,
    Greeting,
    Ready,
}

/// A command or unit that was encoded and is not answered.
#[derive(Debug)]
struct Pending {
    of: Of,
    /// Where its last byte stands in the stream of requests.
    end: u64,
    /// How many replies or confirmations are still to come.
    missing: usize,
    /// The first error among a transaction's replies.
    refused: Option<Value>,
}

/// Whose it is.
#[derive(Debug)]
enum Of {
    Greeting(Greeting, Command),
    Unit(Submitted),
}

impl Session {
    /// A session that has no connection yet.
    #[must_use]
    pub fn new(setup: Setup) -> Session {
        Session {
            setup,
            state: State::Down,
            protocol: Proto::Resp2,
            connection: 0,
            decoder: Decoder::new(),
            out: Vec::new(),
            queued: 0,
            handed: 0,
            waiting: VecDeque::new(),
            in_flight: VecDeque::new(),
            events: VecDeque::new(),
            cache: None,
            next_ticket: 0,
            refusal: None,
        }
    }

    /// Keeps up to so many replies on this side; takes effect where tracking does.
    pub fn set_cache(&mut self, entries_max: usize) {
        self.cache = Some(Cache::new(entries_max));
    }

    /// How often the cache had a reply, and how often not.
    #[must_use]
    pub fn cache_hits_misses(&self) -> (u64, u64) {
        self.cache.as_ref().map_or((0, 0), |cache| (cache.hits, cache.misses))
    }

    /// What is restored on the next connection.
    #[must_use]
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// The number of the connection, which grows with each.
    #[must_use]
    pub fn connection(&self) -> u64 {
        self.connection
    }

    /// Takes a unit to send as soon as the connection is ready.
    pub fn submit(&mut self, unit: Unit) -> Ticket {
        let ticket = Ticket(self.next_ticket);
        self.next_ticket += 1;
        if let Some(reply) = self.cached_reply(&unit) {
            self.events.push_back(Event::Reply(ticket, reply));
        } else {
            self.waiting.push_back(Submitted { ticket, unit, sent: false });
            self.send_waiting();
        }
        ticket
    }

    /// Nobody waits for this unit any more. It is not sent if it was not, and its answer is
    /// dropped; says whether it may run.
    pub fn cancel(&mut self, ticket: Ticket) -> Fate {
        let index = self.waiting.iter().position(|waiting| waiting.ticket == ticket);
        match index.and_then(|index| self.waiting.remove(index)) {
            Some(waiting) => waiting.fate(),
            None => Fate::MayHaveRun,
        }
    }

    /// A new connection stands: the greeting begins.
    pub fn connected(&mut self) {
        self.connection += 1;
        self.decoder = Decoder::new();
        self.out.clear();
        (self.queued, self.handed) = (0, 0);
        self.protocol = Proto::Resp2;
        self.refusal = None;
        self.greet();
    }

    /// The connection is gone. What may be sent again waits for the next one, the rest fails.
    pub fn lost(&mut self) {
        self.state = State::Down;
        if let Some(cache) = &mut self.cache {
            cache.clear();
        }
        let mut again = Vec::new();
        for pending in std::mem::take(&mut self.in_flight) {
            let Of::Unit(mut submitted) = pending.of else { continue };
            submitted.sent |= pending.end <= self.handed;
            if submitted.sent && !submitted.unit.is_repeatable() {
                self.events.push_back(Event::Failed(submitted.ticket, Fate::MayHaveRun));
            } else {
                again.push(submitted);
            }
        }
        for submitted in again.into_iter().rev() {
            self.waiting.push_front(submitted);
        }
        self.out.clear();
    }

    /// Gives up what waits for a connection.
    pub fn give_up(&mut self) {
        for waiting in std::mem::take(&mut self.waiting) {
            self.events.push_back(Event::Failed(waiting.ticket, waiting.fate()));
        }
    }

    /// The server's error by which it refused the greeting: a wrong password, mostly.
    #[must_use]
    pub fn refusal(&self) -> Option<&Value> {
        self.refusal.as_ref()
    }

    /// What is to be written.
    #[must_use]
    pub fn outgoing(&self) -> &[u8] {
        &self.out
    }

    /// The system took so many bytes of [`Session::outgoing`].
    pub fn handed(&mut self, count: usize) {
        self.out.drain(..count);
        self.handed += count as u64;
    }

    /// Takes what was read.
    ///
    /// # Errors
    /// When it is not the protocol: the connection is of no further use.
    pub fn received(&mut self, bytes: &[u8]) -> Result<(), DecodeError> {
        self.decoder.feed(bytes);
        while let Some(value) = self.decoder.next()? {
            self.value(value);
        }
        Ok(())
    }

    /// The next thing that happened.
    pub fn event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Whether the connection takes commands.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.state == State::Ready
    }

    /// Whether something was sent that is not answered.
    #[must_use]
    pub fn has_in_flight(&self) -> bool {
        !self.in_flight.is_empty()
    }

    fn cached_reply(&mut self, unit: &Unit) -> Option<Value> {
        let cache = self.cache.as_mut().filter(|_| unit.cached && self.state == State::Ready)?;
        let command = unit.commands.first()?;
        let mut encoded = Vec::new();
        command.encode(&mut encoded);
        cache.get(command.named_key()?, &encoded)
    }

    fn send_waiting(&mut self) {
        while self.state == State::Ready
            && let Some(submitted) = self.waiting.pop_front()
        {
            let unit = &submitted.unit;
            if unit.connection.is_some_and(|connection| connection != self.connection) {
                self.events.push_back(Event::Failed(submitted.ticket, submitted.fate()));
                continue;
            }
            let mut missing = unit.commands.len();
            for command in &unit.commands {
                missing = self.encode(command).unwrap_or(missing);
            }
            let (of, end) = (Of::Unit(submitted), self.queued);
            self.in_flight.push_back(Pending { of, end, missing, refused: None });
        }
    }

    /// Appends a command. The number of confirmations, if it is a subscription.
    fn encode(&mut self, command: &Command) -> Option<usize> {
        let before = self.out.len();
        command.encode(&mut self.out);
        self.queued += (self.out.len() - before) as u64;
        self.setup.subscription(command)
    }

    fn value(&mut self, value: Value) {
        let value = match value {
            Value::Attribute { value, .. } => *value,
            value => value,
        };
        match value {
            Value::Push(items) => self.push(items),
            Value::Array(items) if self.protocol == Proto::Resp2 && self.is_push(&items) => {
                self.push(items);
            }
            value => self.reply(value),
        }
    }

    /// In RESP2, messages look as replies do, and only what was asked for tells them apart.
    fn is_push(&self, items: &[Value]) -> bool {
        let kind = items.first().and_then(bytes).unwrap_or_default();
        let confirms = subscription_verb(kind).is_some() && self.confirmed(kind);
        let message = matches!(kind, b"message" | b"pmessage" | b"smessage")
            && matches!(items.len(), 3 | 4)
            && self.setup.is_subscribed();
        confirms || message
    }

    /// Whether the oldest pending command waits for a confirmation of this kind.
    fn confirmed(&self, kind: &[u8]) -> bool {
        let command = self.in_flight.front().and_then(|pending| match &pending.of {
            Of::Greeting(_, command) => command.word(0),
            Of::Unit(submitted) => submitted.unit.commands.first()?.word(0),
        });
        command.and_then(subscription_verb).is_some_and(|verb| verb.as_bytes() == kind)
    }

    fn push(&mut self, items: Vec<Value>) {
        if self.confirmed(items.first().and_then(bytes).unwrap_or_default()) {
            self.reply(Value::Simple(b"OK".to_vec()));
            return;
        }
        let push = Push::new(items);
        if let (Push::Invalidate(keys), Some(cache)) = (&push, &mut self.cache) {
            match keys {
                Some(keys) => keys.iter().for_each(|key| cache.forget(key)),
                None => cache.clear(),
            }
        }
        self.events.push_back(Event::Push(push));
    }

    /// The next reply belongs to the oldest command that is not answered.
    fn reply(&mut self, value: Value) {
        let Some(pending) = self.in_flight.front_mut() else {
            // A server that talks unasked: told, so that nothing gets lost without a trace.
            self.events.push_back(Event::Push(Push::Other(vec![value])));
            return;
        };
        let failed = matches!(value, Value::Error(_) | Value::BulkError(_));
        let lone = !matches!(&pending.of, Of::Unit(of) if of.unit.commands.len() > 1);
        pending.missing -= 1;
        if pending.missing > 0 && !(failed && lone) {
            if failed && pending.refused.is_none() {
                pending.refused = Some(value);
            }
            return;
        }
        let Some(pending) = self.in_flight.pop_front() else { return };
        match pending.of {
            Of::Greeting(greeting, command) => self.greeted(greeting, &command, value),
            Of::Unit(submitted) => {
                self.answered(submitted, pending.refused.filter(|_| failed), value);
            }
        }
    }

    fn answered(&mut self, submitted: Submitted, refused: Option<Value>, value: Value) {
        let Submitted { ticket, unit, sent } = submitted;
        let failed = matches!(value, Value::Error(_) | Value::BulkError(_));
        if let (Value::Error(text), Some(fallback)) = (&value, &unit.fallback)
            && text.starts_with(b"NOSCRIPT")
        {
            let unit = (**fallback).clone();
            self.waiting.push_front(Submitted { ticket, unit, sent });
            self.send_waiting();
            return;
        }
        if let [command] = unit.commands.as_slice() {
            if failed {
                self.setup.subscription_refused(command);
            } else {
                self.learn(command, &value);
            }
            if unit.cached && !failed {
                self.store(command, &value);
            }
        }
        self.events.push_back(Event::Reply(ticket, refused.unwrap_or(value)));
    }

    fn learn(&mut self, command: &Command, reply: &Value) {
        self.setup.learn(command, reply);
        if command.is(0, "HELLO") || command.is(0, "RESET") {
            self.protocol = self.setup.protocol;
        }
    }

    /// Keeps a reply, if the server tells when it is outdated.
    fn store(&mut self, command: &Command, value: &Value) {
        let told = self.protocol == Proto::Resp3 && self.setup.tracking.is_some();
        if let (Some(cache), Some(key), true) = (&mut self.cache, command.named_key(), told) {
            let mut encoded = Vec::new();
            command.encode(&mut encoded);
            cache.put(key, encoded, value.clone());
        }
    }
}
