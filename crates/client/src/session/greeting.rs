//! The beginning of a connection: protocol, authentication, and what an earlier one had.

use resp::{Proto, Value};

use super::{Event, Of, Pending, Session, State};
use crate::command::Command;

/// A step of the greeting.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Greeting {
    /// HELLO; older servers do not know it.
    Hello,
    /// Authentication, name, database and the like.
    Other,
    /// The same, and nothing follows.
    Last,
}

impl Session {
    pub(super) fn greet(&mut self) {
        self.state = State::Greeting;
        match self.setup.hello() {
            Some(hello) => self.send_greeting(Greeting::Hello, hello),
            None => self.introduce(self.setup.introduction()),
        }
    }

    /// Sends everything behind the negotiation at once.
    fn introduce(&mut self, mut commands: Vec<Command>) {
        commands.extend(self.setup.restoration());
        let Some(last) = commands.pop() else {
            self.become_ready();
            return;
        };
        for command in commands {
            self.send_greeting(Greeting::Other, command);
        }
        self.send_greeting(Greeting::Last, last);
    }

    fn send_greeting(&mut self, step: Greeting, command: Command) {
        let missing = self.encode(&command).unwrap_or(1);
        let (of, end) = (Of::Greeting(step, command), self.queued);
        self.in_flight.push_back(Pending { of, end, missing, refused: None });
    }

    /// A step was answered.
    pub(super) fn greeted(&mut self, step: Greeting, command: &Command, reply: Value) {
        if self.state != State::Greeting {
            return;
        }
        match (step, &reply) {
            (Greeting::Hello, Value::Error(text)) if is_unknown(text) => {
                self.introduce(self.setup.introduction());
            }
            (_, Value::Error(_)) => {
                self.setup.subscription_refused(command);
                self.state = State::Down;
                self.refusal = Some(reply);
            }
            (Greeting::Hello, _) => {
                self.protocol = Proto::Resp3;
                self.introduce(Vec::new());
            }
            (Greeting::Other, _) => {}
            (Greeting::Last, _) => self.become_ready(),
        }
    }

    fn become_ready(&mut self) {
        self.state = State::Ready;
        self.events.push_back(Event::Ready);
        if self.connection > 1 && (self.setup.is_subscribed() || self.setup.tracking.is_some()) {
            self.events.push_back(Event::Push(crate::push::Push::Gap));
        }
        self.send_waiting();
    }
}

/// Whether the server is too old for HELLO, or for the third protocol.
fn is_unknown(error: &[u8]) -> bool {
    error.starts_with(b"NOPROTO")
        || error.starts_with(b"ERR unknown command")
        || error.starts_with(b"ERR Unknown command")
}
