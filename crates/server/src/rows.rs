//! The commands this server has: each row of the table that has a handler, with what dispatch needs
//! derived from it once, and the lookup by name.
//!
//! A command name is compared as text here and nowhere else.

use commands::{Args, Error, Handler};
use spec::command::{Begin, Command, Find, Flags, Group, Id, KeySpec};

use crate::call::Call;
use crate::secrets::Secrets;

mod names;

use names::Names;

/// A command that looks at the session or the server, beside or instead of data.
pub type SessionHandler = fn(&mut Call<'_, '_>, &Args<'_>) -> Result<(), Error>;

/// What runs a command.
#[derive(Clone, Copy)]
pub enum Run {
    /// A function of the `commands` crate.
    Data(Handler),
    /// A function of this crate.
    Session(SessionHandler),
    /// A container: one of its subcommands runs, or this when no subcommand is named.
    Container(Option<SessionHandler>),
    /// EXEC: the commands that were queued.
    Exec,
}

/// Where the keys are, for the common forms without looking at the specs again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyPlan {
    /// No keys.
    None,
    /// Argument 1 and nothing else.
    First,
    /// Whatever the specs say.
    Specs,
    /// No keys, but all shards one after another: the command need not see them at one moment. It
    /// runs alone where it must, in a transaction for one.
    Walk,
}

/// What a command reads of the collection under its first key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Inner {
    /// Nothing, or what cannot be said beforehand.
    Nothing,
    /// Elements at one of its ends, or all.
    Content,
    /// The member that this argument names.
    Member(u8),
}

impl Inner {
    /// Which argument names the member.
    #[inline]
    pub fn argument(self) -> Option<usize> {
        if let Self::Member(at) = self { Some(usize::from(at)) } else { None }
    }
}

/// The commands that look for a member, and which argument names the first of these.
const MEMBERS: &[(u8, &[&str])] = &[
    (
        2,
        &[
            "geohash",
            "geopos",
            "hdel",
            "hexists",
            "hget",
            "hincrby",
            "hincrbyfloat",
            "hmget",
            "hmset",
            "hset",
            "hsetnx",
            "hstrlen",
            "sadd",
            "sismember",
            "smismember",
            "srem",
            "zmscore",
            "zrank",
            "zrem",
            "zrevrank",
            "zscore",
        ],
    ),
    (3, &["zadd", "zincrby"]),
];

/// One command or subcommand that works.
pub struct Row {
    /// Its number, the same as in the table.
    pub id: Id,
    /// Its full name, `parent|name` for a subcommand.
    pub name: &'static str,
    /// Its row in the table.
    pub spec: &'static Command,
    /// What runs it.
    pub run: Run,
    /// Where its keys are.
    pub keys: KeyPlan,
    /// What is read behind the key's entry, for asking for it beforehand.
    pub inner: Inner,
    /// Whether it runs alone.
    pub exclusive: bool,
    /// What becomes of it after MULTI.
    pub in_multi: InMulti,
    /// Which of its arguments are shown nowhere.
    pub secrets: Secrets,
    /// Whether its replies are pushes: subscriptions and their ends.
    pub pushes: bool,
    /// Whether a subscriber may send it that could not tell messages from replies.
    pub for_subscribers: bool,
    /// Whether it tells that the data set cannot be saved, although it changes nothing.
    pub tells_health: bool,
}

/// The commands that a subscriber may send in RESP2, beside those that push.
const FOR_SUBSCRIBERS: &[&str] = &["ping", "quit", "reset"];

/// What becomes of a command after MULTI.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InMulti {
    /// It is kept for EXEC.
    Queued,
    /// It runs at once.
    Runs,
    /// It is answered with this.
    Refused(&'static str),
}

impl InMulti {
    fn of(name: &str, spec: &Command) -> Self {
        match name {
            "discard" | "exec" | "quit" | "reset" => Self::Runs,
            "multi" => Self::Refused(spec::error::NESTED_MULTI),
            "watch" => Self::Refused(spec::error::WATCH_IN_MULTI),
            _ if spec.flags.contains(Flags::NO_MULTI) => Self::Refused(spec::error::NOT_IN_MULTI),
            _ => Self::Queued,
        }
    }
}

impl Row {
    /// Whether a number of arguments (the name included) fits.
    pub fn takes(&self, count: usize) -> bool {
        let arity = self.spec.arity;
        if arity >= 0 { count == arity as usize } else { count >= arity.unsigned_abs() as usize }
    }

    /// Whether a command with so many arguments runs nothing: a container's subcommand is missing
    /// or unknown.
    #[inline]
    pub fn lacks_subcommand(&self, count: usize) -> bool {
        matches!(self.run, Run::Container(own) if own.is_none() || count > 1)
    }

    /// Whether it has a flag.
    pub fn has(&self, flag: Flags) -> bool {
        self.spec.flags.contains(flag)
    }
}

/// All commands that work, by number and by name.
pub struct Rows {
    rows: Vec<Option<Row>>,
    names: Names,
}

impl Rows {
    /// Every row with a handler. `renamed` gives commands other names, or none when the new name
    /// is empty (`rename-command`).
    pub fn new(renamed: &[(String, String)]) -> Self {
        let handlers = all_handlers();
        let rows: Vec<Option<Row>> =
            spec::command::iter().map(|(id, spec)| row(id, spec, &handlers)).collect();
        let mut names = Vec::new();
        for row in rows.iter().flatten().filter(|row| row.spec.parent.is_none()) {
            let new_name = renamed.iter().find(|(old, _)| old.eq_ignore_ascii_case(row.name));
            let name = new_name.map_or(row.name, |(_, new)| new.as_str());
            if !name.is_empty() {
                names.push((name.as_bytes().to_ascii_lowercase().into_boxed_slice(), row.id));
            }
        }
        Self { rows, names: Names::new(names) }
    }

    /// The command of that name, in any case.
    #[inline]
    pub fn find(&self, name: &[u8]) -> Option<&Row> {
        self.by_id(self.names.find(name)?)
    }

    /// The row of a number, when it works.
    pub fn by_id(&self, id: Id) -> Option<&Row> {
        self.rows.get(usize::from(id)).and_then(Option::as_ref)
    }

    /// A container's subcommand, in any case of letters.
    pub fn subcommand(&self, container: &Row, name: &[u8]) -> Option<&Row> {
        let names = container.spec.subcommands.iter();
        let at = names.enumerate().find(|(_, sub)| name.eq_ignore_ascii_case(sub.name.as_bytes()));
        at.and_then(|(at, _)| self.by_id(container.id + 1 + at as Id))
    }

    /// The working subcommands of a container.
    pub fn subcommands<'r>(&'r self, container: &'r Row) -> impl Iterator<Item = &'r Row> {
        let first = usize::from(container.id) + 1;
        self.rows[first..first + container.spec.subcommands.len()].iter().flatten()
    }

    /// The working top-level commands with the names they go by, in no particular order.
    pub fn top_level(&self) -> impl ExactSizeIterator<Item = (&[u8], &Row)> {
        self.names.iter().map(|(name, id)| {
            let row = self.by_id(id);
            (name, row.expect("a name leads to a row that works"))
        })
    }

    /// Every working command and subcommand.
    pub fn iter(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().flatten()
    }
}

/// The full names of everything that works, containers included.
pub fn implemented_commands() -> Vec<&'static str> {
    Rows::new(&[]).iter().map(|row| row.name).collect()
}

fn all_handlers() -> Vec<(&'static str, Run)> {
    let data = commands::handlers().map(|(name, handler)| (name, Run::Data(handler)));
    let session = crate::admin::handlers().map(|(name, handler)| (name, Run::Session(handler)));
    let own = crate::multi::HANDLERS
        .iter()
        .chain(crate::pubsub::HANDLERS)
        .chain(crate::migrate::HANDLERS)
        .chain(crate::monitor::HANDLERS);
    let own = own.map(|(name, handler)| (*name, Run::Session(*handler)));
    data.chain(session).chain(own).chain([("exec", Run::Exec)]).collect()
}

fn row(id: Id, spec: &'static Command, handlers: &[(&'static str, Run)]) -> Option<Row> {
    let name = match spec.parent {
        None => spec.name,
        Some(parent) => Box::leak(format!("{parent}|{}", spec.name).into_boxed_str()),
    };
    let own = handlers.iter().find(|(known, _)| *known == name).map(|(_, run)| *run);
    let works = |sub: &Command| {
        handlers.iter().any(|(known, _)| known.split_once('|') == Some((spec.name, sub.name)))
    };
    let run = match own {
        Some(Run::Session(handler)) if !spec.subcommands.is_empty() => {
            Run::Container(Some(handler))
        }
        Some(own) => own,
        None => spec.subcommands.iter().any(works).then_some(Run::Container(None))?,
    };
    let pushes = spec.flags.contains(Flags::PUBSUB.union(Flags::NOSCRIPT));
    Some(Row {
        id,
        name,
        spec,
        run,
        keys: key_plan(spec),
        inner: inner(name, spec),
        exclusive: spec.exclusive,
        in_multi: InMulti::of(name, spec),
        secrets: Secrets::of(name),
        pushes,
        for_subscribers: pushes || FOR_SUBSCRIBERS.contains(&name),
        tells_health: name == "ping",
    })
}

fn inner(name: &str, spec: &Command) -> Inner {
    use Group::{Array, Geo, Hash, List, Set, SortedSet, Stream};
    if key_plan(spec) != KeyPlan::First {
        return Inner::Nothing;
    }
    match MEMBERS.iter().find(|(_, names)| names.contains(&name)) {
        Some((at, _)) => Inner::Member(*at),
        None => match spec.group {
            Array | Geo | Hash | List | Set | SortedSet | Stream => Inner::Content,
            _ => Inner::Nothing,
        },
    }
}

fn key_plan(spec: &Command) -> KeyPlan {
    match spec.keys {
        [] if spec.flags.contains(Flags::TOUCHES_ARBITRARY_KEYS) => KeyPlan::Walk,
        [] => KeyPlan::None,
        [KeySpec { begin: Begin::Index(1), find: Find::Range { last: 0, .. }, .. }] => {
            KeyPlan::First
        }
        _ => KeyPlan::Specs,
    }
}

#[cfg(test)]
mod tests;
