//! What the commands of a history mean: three strings and two lists, WATCH and EXEC.
//!
//! The model is sequential and tells every reply, that of a command which waited in vain too: it
//! may only have given up at a moment in which there was nothing for it.

use std::collections::VecDeque;

use resp::value::Value;

use super::check::Model;

/// Strings are the keys from 0 on, lists those behind them.
pub const STRINGS: usize = 3;
/// Lists.
pub const LISTS: usize = 2;
/// The string that is counted.
pub const COUNTER: usize = 2;

/// A command; lists are counted from 0 as strings are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// GET.
    Get(usize),
    /// SET with GET.
    Swap(usize, i64),
    /// INCR of the counter.
    Count,
    /// MSET of several strings.
    SetAll(Vec<(usize, i64)>),
    /// MGET of all strings.
    GetAll,
    /// RPUSH.
    Push(usize, i64),
    /// LPOP.
    Pop(usize),
    /// LRANGE of all.
    Range(usize),
    /// LMOVE from the left of the first to the right of the second.
    Move(usize, usize),
    /// BLPOP of both, beginning with this one.
    WaitPop(usize),
    /// BLMOVE.
    WaitMove(usize, usize),
    /// WATCH of a string.
    WatchString(usize),
    /// WATCH of a list.
    WatchList(usize),
    /// MULTI, these, EXEC.
    Transaction(Vec<Command>),
}

impl Command {
    /// The words to send, with the keys of a group. `wait` is how long, in seconds.
    pub fn words(&self, group: u64, wait: &str) -> Vec<String> {
        let string = |key: &usize| format!("{group}:{key}");
        let list = |key: &usize| format!("{group}:{}", STRINGS + key);
        let line = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        match self {
            Self::Get(key) => line(&["GET", &string(key)]),
            Self::Swap(key, value) => line(&["SET", &string(key), &value.to_string(), "GET"]),
            Self::Count => line(&["INCR", &string(&COUNTER)]),
            Self::SetAll(pairs) => {
                let pairs = pairs.iter().flat_map(|(key, value)| [string(key), value.to_string()]);
                std::iter::once("MSET".to_owned()).chain(pairs).collect()
            }
            Self::GetAll => {
                let keys = (0..STRINGS).map(|key| string(&key));
                std::iter::once("MGET".to_owned()).chain(keys).collect()
            }
            Self::Push(key, value) => line(&["RPUSH", &list(key), &value.to_string()]),
            Self::Pop(key) => line(&["LPOP", &list(key)]),
            Self::Range(key) => line(&["LRANGE", &list(key), "0", "-1"]),
            Self::Move(from, to) => line(&["LMOVE", &list(from), &list(to), "LEFT", "RIGHT"]),
            Self::WaitPop(key) => line(&["BLPOP", &list(key), &list(&(LISTS - 1 - key)), wait]),
            Self::WaitMove(from, to) => {
                line(&["BLMOVE", &list(from), &list(to), "LEFT", "RIGHT", wait])
            }
            Self::WatchString(key) => line(&["WATCH", &string(key)]),
            Self::WatchList(key) => line(&["WATCH", &list(key)]),
            Self::Transaction(_) => line(&["EXEC"]),
        }
    }
}

/// A reply as far as it matters: the two kinds of nothing are one, and numbers are numbers however
/// they are spelled.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reply {
    /// Null, or a null array.
    Nothing,
    /// OK.
    Done,
    /// An integer, or a string that is one.
    Number(i64),
    /// An array. The key in BLPOP's is left out.
    Several(Vec<Reply>),
    /// Anything else, which no model gives.
    Other(String),
}

impl From<&Value> for Reply {
    fn from(value: &Value) -> Self {
        match value {
            Value::Null | Value::NullArray => Self::Nothing,
            Value::Simple(text) if text == b"OK" => Self::Done,
            Value::Int(number) => Self::Number(*number),
            Value::Bulk(bytes) => {
                let text = String::from_utf8_lossy(bytes);
                text.parse().map_or_else(|_| Self::Other(text.clone().into_owned()), Self::Number)
            }
            Value::Array(parts) => Self::Several(parts.iter().map(Self::from).collect()),
            other => Self::Other(format!("{other:?}")),
        }
    }
}

/// What a group of keys holds.
#[derive(Clone, PartialEq, Eq, Hash, Default, Debug)]
pub struct Store {
    strings: [Option<i64>; STRINGS],
    lists: [VecDeque<i64>; LISTS],
    /// Which keys each connection watches, a bit a key.
    watched: Vec<u8>,
    /// Whether one of them has changed.
    is_stale: Vec<bool>,
}

impl Store {
    /// Empty, for so many connections.
    pub fn new(connections: usize) -> Self {
        let (watched, is_stale) = (vec![0; connections], vec![false; connections]);
        Self { watched, is_stale, ..Self::default() }
    }

    /// A key has changed.
    fn touch(&mut self, key: usize) {
        for (watched, is_stale) in self.watched.iter().zip(&mut self.is_stale) {
            *is_stale |= watched & (1 << key) != 0;
        }
    }

    fn set(&mut self, key: usize, value: i64) -> Reply {
        self.touch(key);
        self.strings[key].replace(value).map_or(Reply::Nothing, Reply::Number)
    }

    fn pop(&mut self, list: usize) -> Option<i64> {
        let value = self.lists[list].pop_front()?;
        self.touch(STRINGS + list);
        Some(value)
    }

    fn push(&mut self, list: usize, value: i64) {
        self.lists[list].push_back(value);
        self.touch(STRINGS + list);
    }

    fn shift(&mut self, from: usize, to: usize) -> Reply {
        let Some(value) = self.pop(from) else { return Reply::Nothing };
        self.push(to, value);
        Reply::Number(value)
    }

    fn watch(&mut self, connection: usize, key: usize) -> Reply {
        self.watched[connection] |= 1 << key;
        Reply::Done
    }

    fn exec(&mut self, connection: usize, commands: &[Command]) -> Reply {
        self.watched[connection] = 0;
        if std::mem::take(&mut self.is_stale[connection]) {
            return Reply::Nothing;
        }
        Reply::Several(commands.iter().map(|one| self.apply(connection, one)).collect())
    }
}

impl Model for Store {
    type Input = Command;
    type Output = Reply;

    fn apply(&mut self, connection: usize, command: &Command) -> Reply {
        let number = |value: Option<i64>| value.map_or(Reply::Nothing, Reply::Number);
        match command {
            Command::Get(key) => number(self.strings[*key]),
            Command::Swap(key, value) => self.set(*key, *value),
            Command::Count => {
                let value = self.strings[COUNTER].unwrap_or(0) + 1;
                self.set(COUNTER, value);
                Reply::Number(value)
            }
            Command::SetAll(pairs) => {
                for (key, value) in pairs {
                    self.set(*key, *value);
                }
                Reply::Done
            }
            Command::GetAll => Reply::Several(self.strings.iter().map(|v| number(*v)).collect()),
            Command::Push(list, value) => {
                self.push(*list, *value);
                Reply::Number(self.lists[*list].len() as i64)
            }
            Command::Pop(list) => number(self.pop(*list)),
            Command::Range(list) => {
                Reply::Several(self.lists[*list].iter().map(|v| Reply::Number(*v)).collect())
            }
            Command::Move(from, to) | Command::WaitMove(from, to) => self.shift(*from, *to),
            Command::WaitPop(first) => {
                let of = |list: usize, value| {
                    Reply::Several(vec![Reply::Number(list as i64), Reply::Number(value)])
                };
                let other = LISTS - 1 - first;
                let popped = self.pop(*first).map(|value| of(*first, value));
                let popped = popped.or_else(|| self.pop(other).map(|value| of(other, value)));
                popped.unwrap_or(Reply::Nothing)
            }
            Command::WatchString(key) => self.watch(connection, *key),
            Command::WatchList(list) => self.watch(connection, STRINGS + list),
            Command::Transaction(commands) => self.exec(connection, commands),
        }
    }
}
