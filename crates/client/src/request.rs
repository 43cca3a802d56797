//! What can be run: one command, several at once, a transaction, a script.
//!
//! A request says which units to send and reads their answers. Must not know connections, so that
//! the same requests serve the blocking and the asynchronous client.

use std::marker::PhantomData;

use resp::Value;
use sha1::{Digest, Sha1};

use crate::command::{Argument, Command, Unit};
use crate::error::{Error, Result, ServerError};
use crate::reply::{FromReply, wrong};

/// Answers in the order of the units.
pub type Answers<'a> = &'a mut dyn Iterator<Item = Result<Value>>;

/// Something to run.
///
/// Tuples and `Vec`s of requests are requests too: pipelines. They are sent at once, and each
/// part has a result of its own.
pub trait Request {
    /// What comes of it.
    type Output;

    /// The units to send, in order.
    fn units(&self, units: &mut Vec<Unit>);

    /// Takes as many answers as it has units.
    fn output(&self, answers: Answers<'_>) -> Self::Output;
}

/// The next answer; there is one for each unit.
fn next(answers: Answers<'_>) -> Result<Value> {
    answers.next().unwrap_or(Err(Error::Unsupported("fewer answers than units")))
}

/// A command whose reply is any value; error replies are `Err`.
impl Request for Command {
    type Output = Result<Value>;

    fn units(&self, units: &mut Vec<Unit>) {
        units.push(Unit::single(self.clone()));
    }

    fn output(&self, answers: Answers<'_>) -> Result<Value> {
        next(answers).and_then(Value::from_reply)
    }
}

/// A command and the type of its reply.
#[derive(Clone, Debug)]
pub struct Typed<T> {
    unit: Unit,
    reply: PhantomData<fn() -> T>,
}

impl<T: FromReply> Typed<T> {
    /// The command, its reply read as `T`.
    #[must_use]
    pub fn new(command: Command) -> Typed<T> {
        Typed { unit: Unit::single(command), reply: PhantomData }
    }

    /// Its reply may come from the client-side cache.
    #[must_use]
    pub fn cached(mut self) -> Typed<T> {
        self.unit = self.unit.cached();
        self
    }

    /// As [`Command::may_repeat`].
    #[must_use]
    pub fn may_repeat(mut self) -> Typed<T> {
        self.unit.commands = self.unit.commands.into_iter().map(Command::may_repeat).collect();
        self
    }

    /// The reply read as another type.
    #[must_use]
    pub fn reading<U: FromReply>(self) -> Typed<U> {
        Typed { unit: self.unit, reply: PhantomData }
    }
}

impl<T: FromReply> Request for Typed<T> {
    type Output = Result<T>;

    fn units(&self, units: &mut Vec<Unit>) {
        units.push(self.unit.clone());
    }

    fn output(&self, answers: Answers<'_>) -> Result<T> {
        next(answers).and_then(T::from_reply)
    }
}

impl<R: Request> Request for Vec<R> {
    type Output = Vec<R::Output>;

    fn units(&self, units: &mut Vec<Unit>) {
        self.iter().for_each(|request| request.units(units));
    }

    fn output(&self, answers: Answers<'_>) -> Self::Output {
        self.iter().map(|request| request.output(&mut *answers)).collect()
    }
}

macro_rules! tuple_requests {
    ($(($($name:ident $index:tt),+)),+) => {$(
        impl<$($name: Request),+> Request for ($($name,)+) {
            type Output = ($($name::Output,)+);

            fn units(&self, units: &mut Vec<Unit>) {
                $(self.$index.units(units);)+
            }

            fn output(&self, answers: Answers<'_>) -> Self::Output {
                ($(self.$index.output(&mut *answers),)+)
            }
        }
    )+};
}

tuple_requests!(
    (A 0),
    (A 0, B 1),
    (A 0, B 1, C 2),
    (A 0, B 1, C 2, D 3),
    (A 0, B 1, C 2, D 3, E 4),
    (A 0, B 1, C 2, D 3, E 4, F 5),
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6),
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7)
);

/// Runs a request between `MULTI` and `EXEC`: all of it or nothing, and nobody in between.
///
/// `None` if a watched key had changed. The parts have results of their own, since one may fail
/// after others were done.
///
/// ```no_run
/// # use client::{Client, Transaction, cmd};
/// # fn main() -> client::Result<()> {
/// # let mut client = Client::open("redis://")?;
/// let both = Transaction(vec![cmd::incrby("from", -5), cmd::incrby("to", 5)]);
/// let done = client.run(both)?;
/// # let _ = done;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Transaction<R>(
    /// What is to run.
    pub R,
);

impl<R: Request> Transaction<R> {
    /// All of it as one unit.
    pub(crate) fn unit(&self) -> Unit {
        let mut units = Vec::new();
        self.0.units(&mut units);
        // A script's source goes along, since nothing can be sent later in its place.
        let whole = |unit: Unit| unit.fallback.map_or(unit.commands, |fallback| fallback.commands);
        Unit::transaction(units.into_iter().flat_map(whole))
    }

    /// The results of its parts, from the reply to `EXEC`.
    pub(crate) fn read(&self, answer: Result<Value>) -> Result<Option<R::Output>> {
        match answer.and_then(Value::from_reply)? {
            Value::Null | Value::NullArray => Ok(None),
            Value::Array(items) => Ok(Some(self.0.output(&mut items.into_iter().map(Ok)))),
            other => Err(wrong("the replies of a transaction", &other)),
        }
    }
}

impl<R: Request> Request for Transaction<R> {
    type Output = Result<Option<R::Output>>;

    fn units(&self, units: &mut Vec<Unit>) {
        units.push(self.unit());
    }

    fn output(&self, answers: Answers<'_>) -> Self::Output {
        self.read(next(answers))
    }
}

/// A script that is sent by its digest, and whole only when the server does not know it.
///
/// ```
/// let script = client::Script::new("return ARGV[1]");
/// assert_eq!(script.digest().len(), 40);
/// ```
#[derive(Clone, Debug)]
pub struct Script {
    source: String,
    digest: String,
    reads: bool,
}

impl Script {
    /// A script from its source.
    #[must_use]
    pub fn new(source: impl Into<String>) -> Script {
        let source = source.into();
        let hash = Sha1::digest(source.as_bytes());
        let digest = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        Script { source, digest, reads: false }
    }

    /// The script only reads (`EVAL_RO`), and may be repeated.
    #[must_use]
    pub fn reading_only(mut self) -> Script {
        self.reads = true;
        self
    }

    /// The digest by which servers know it.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Calls it with these keys and arguments.
    #[must_use]
    pub fn call<T: FromReply>(&self, keys: &[&str], arguments: &[&dyn Argument]) -> Typed<T> {
        let with = |verb: &str, script: &str| {
            let verb = if self.reads { format!("{verb}_RO") } else { verb.to_owned() };
            let command = Command::new(&verb).arg(script).arg(keys.len()).args(keys);
            let command = arguments.iter().fold(command, |command, argument| {
                let mut bytes = Vec::new();
                argument.write(&mut bytes);
                command.arg(bytes)
            });
            if self.reads { command.may_repeat() } else { command }
        };
        let unit = Unit::single(with("EVALSHA", &self.digest)).or_else(with("EVAL", &self.source));
        Typed { unit, reply: PhantomData }
    }
}

/// The refusal of a greeting, as an error.
pub(crate) fn refusal(value: &Value) -> Error {
    match value {
        Value::Error(text) | Value::BulkError(text) => Error::Server(ServerError::new(text)),
        other => wrong("a greeting", other),
    }
}
