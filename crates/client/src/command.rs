//! Commands as bytes, and units of them that stand or fall together.

#[cfg(test)]
mod tests;

use resp::number::{write_double, write_i64};

/// What can be an argument of a command.
pub trait Argument {
    /// Appends the argument's bytes.
    fn write(&self, out: &mut Vec<u8>);
}

macro_rules! bytes_arguments {
    ($($kind:ty),*) => {$(
        impl Argument for $kind {
            fn write(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(self.as_ref());
            }
        }
    )*};
}

bytes_arguments!(str, String, [u8], Vec<u8>);

macro_rules! integer_arguments {
    ($($kind:ty),*) => {$(
        impl Argument for $kind {
            fn write(&self, out: &mut Vec<u8>) {
                write_i64(out, i64::from(*self));
            }
        }
    )*};
}

integer_arguments!(i8, u8, i16, u16, i32, u32, i64);

impl Argument for u64 {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.to_string().as_bytes());
    }
}

impl Argument for usize {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.to_string().as_bytes());
    }
}

impl Argument for f64 {
    fn write(&self, out: &mut Vec<u8>) {
        write_double(out, *self);
    }
}

impl<const N: usize> Argument for [u8; N] {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }
}

impl<A: Argument + ?Sized> Argument for &A {
    fn write(&self, out: &mut Vec<u8>) {
        (**self).write(out);
    }
}

/// One command: its name and arguments.
///
/// ```
/// let command = client::Command::new("SET").arg("key").arg(7).args(["EX", "60"]);
/// assert_eq!(command.words().count(), 5);
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Command {
    /// The words, one behind the other.
    bytes: Vec<u8>,
    /// Where each word ends.
    ends: Vec<usize>,
    repeatable: bool,
    key: Option<usize>,
}

impl Command {
    /// A command without arguments. It is taken for one that writes.
    #[must_use]
    pub fn new(name: &str) -> Command {
        let bytes = name.as_bytes().to_vec();
        Command { ends: vec![bytes.len()], bytes, repeatable: false, key: None }
    }

    /// A command from all its words, of which the first is the name; `None` if there are none.
    pub fn from_words<A: Argument>(words: impl IntoIterator<Item = A>) -> Option<Command> {
        let mut words = words.into_iter();
        let mut bytes = Vec::new();
        words.next()?.write(&mut bytes);
        let command = Command { ends: vec![bytes.len()], bytes, repeatable: false, key: None };
        Some(command.args(words))
    }

    /// With one more argument.
    #[must_use]
    pub fn arg(mut self, argument: impl Argument) -> Command {
        argument.write(&mut self.bytes);
        self.ends.push(self.bytes.len());
        self
    }

    /// With one more argument, which is the key that the command's reply depends on.
    #[must_use]
    pub fn key(mut self, key: impl Argument) -> Command {
        self.key = Some(self.ends.len());
        self.arg(key)
    }

    /// With more arguments.
    #[must_use]
    pub fn args<A: Argument>(mut self, arguments: impl IntoIterator<Item = A>) -> Command {
        for argument in arguments {
            self = self.arg(argument);
        }
        self
    }

    /// Allows that the command be sent again when a connection broke before its answer, though it
    /// may have run: for what only reads, and for writes that do not mind being done twice.
    #[must_use]
    pub fn may_repeat(mut self) -> Command {
        self.repeatable = true;
        self
    }

    /// Whether it may be sent again.
    #[must_use]
    pub fn is_repeatable(&self) -> bool {
        self.repeatable
    }

    /// The name and the arguments.
    pub fn words(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &self.bytes[start..*end])
    }

    /// The word at `index`; the name is the first.
    #[must_use]
    pub fn word(&self, index: usize) -> Option<&[u8]> {
        let start =
            index.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied())?;
        Some(&self.bytes[start..*self.ends.get(index)?])
    }

    /// The key that was given by [`Command::key`].
    #[must_use]
    pub fn named_key(&self) -> Option<&[u8]> {
        self.word(self.key?)
    }

    /// Whether the word at `index` is this one, in any case.
    pub(crate) fn is(&self, index: usize, word: &str) -> bool {
        self.word(index).is_some_and(|found| found.eq_ignore_ascii_case(word.as_bytes()))
    }

    /// Appends the command as servers expect it.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let header = |out: &mut Vec<u8>, lead: u8, count: usize| {
            out.push(lead);
            write_i64(out, i64::try_from(count).unwrap_or(i64::MAX));
            out.extend_from_slice(b"\r\n");
        };
        header(out, b'*', self.ends.len());
        for word in self.words() {
            header(out, b'$', word.len());
            out.extend_from_slice(word);
            out.extend_from_slice(b"\r\n");
        }
    }
}

/// What is sent, answered and repeated as one: a command, or a whole transaction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unit {
    /// In order; more than one only between `MULTI` and `EXEC`.
    pub(crate) commands: Vec<Command>,
    /// Sent instead when the server does not know a script's digest.
    pub(crate) fallback: Option<Box<Unit>>,
    /// Its answer may come from and go into the client-side cache.
    pub(crate) cached: bool,
    /// The connection it belongs to, if it means nothing on another.
    pub(crate) connection: Option<u64>,
}

impl Unit {
    /// A command by itself.
    #[must_use]
    pub fn single(command: Command) -> Unit {
        Unit { commands: vec![command], fallback: None, cached: false, connection: None }
    }

    /// The commands between `MULTI` and `EXEC`. One answer comes: that of `EXEC`, or the first
    /// refusal.
    #[must_use]
    pub fn transaction(commands: impl IntoIterator<Item = Command>) -> Unit {
        let begin = std::iter::once(Command::new("MULTI"));
        let end = std::iter::once(Command::new("EXEC"));
        let commands = begin.chain(commands).chain(end).collect();
        Unit { commands, fallback: None, cached: false, connection: None }
    }

    /// With what to send when the server answers `NOSCRIPT`.
    #[must_use]
    pub fn or_else(mut self, fallback: Command) -> Unit {
        self.fallback = Some(Box::new(Unit::single(fallback)));
        self
    }

    /// Lets the answer come from the client-side cache, if there is one.
    #[must_use]
    pub fn cached(mut self) -> Unit {
        self.cached = true;
        self
    }

    /// Ties it to the connection on which keys are watched.
    #[must_use]
    pub fn on_connection(mut self, connection: u64) -> Unit {
        self.connection = Some(connection);
        self
    }

    /// Whether all of it may be sent again.
    pub(crate) fn is_repeatable(&self) -> bool {
        self.commands.iter().all(Command::is_repeatable)
    }
}
