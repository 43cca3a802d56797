//! The filters of CLIENT LIST and CLIENT KILL.
//!
//! Each has a NOT form. A filter that is given twice counts the second time, but for ID, whose
//! numbers add up.

use std::mem::discriminant;
use std::sync::atomic::Ordering;

use commands::Error;
use resp::number::parse_i64;

use super::line;
use crate::admin::connection::DEFAULT_USER;
use crate::refuse::lossy;
use crate::registry::Client;
use crate::session::State;

/// The letters that CLIENT LIST can show as flags and as capabilities.
const FLAGS: &[u8] = b"OSMPxbtRBdcuAUreTIiEN";
const CAPABILITIES: &[u8] = b"r";

/// What clients are chosen by.
pub(super) struct Filter<'a> {
    wanted: Vec<Test<'a>>,
    unwanted: Vec<Test<'a>>,
    skip_me: bool,
}

/// Why filters were refused.
pub(super) enum Refusal {
    /// For one of the usual reasons.
    Known(Error),
    /// With this line.
    Line(String),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Type {
    Normal,
    Primary,
    Replica,
    Pubsub,
}

/// One property.
enum Test<'a> {
    Id(Vec<i64>),
    Type(Type),
    Addr(&'a [u8]),
    Laddr(&'a [u8]),
    Ip(&'a [u8]),
    User(&'a [u8]),
    Name(&'a [u8]),
    LibName(&'a [u8]),
    LibVer(&'a [u8]),
    Flags(&'a [u8]),
    Capa(&'a [u8]),
    Db(i64),
    MaxAge(i64),
    Idle(i64),
}

impl<'a> Filter<'a> {
    /// Reads filters and their values.
    pub(super) fn read(words: &[&'a [u8]], skip_me: bool, databases: u32) -> Result<Self, Refusal> {
        let mut filter = Self { wanted: Vec::new(), unwanted: Vec::new(), skip_me };
        let mut rest = words;
        while let [word, values @ ..] = rest {
            let name = word.to_ascii_lowercase();
            let (is_not, name) = match name.strip_prefix(b"not-") {
                Some(name) => (true, name),
                None => (false, name.as_slice()),
            };
            rest = match (name, values) {
                (b"id", _) => filter.read_ids(is_not, values)?,
                (b"skipme", [value, rest @ ..]) if !is_not => {
                    filter.skip_me = yes_or_no(value)?;
                    rest
                }
                (_, [value, rest @ ..]) => {
                    let test = Test::read(name, value, is_not, databases)?;
                    put(filter.side(is_not), test);
                    rest
                }
                _ => return Err(Refusal::Known(Error::Syntax)),
            };
        }
        Ok(filter)
    }

    /// The filter of the old form of CLIENT KILL.
    pub(super) fn of_addr(addr: &'a [u8]) -> Self {
        Self { wanted: vec![Test::Addr(addr)], unwanted: Vec::new(), skip_me: false }
    }

    /// Whether a client is chosen; `me` is the number of the caller.
    pub(super) fn matches(&self, client: &Client, me: u64, now_ms: i64) -> bool {
        !(self.skip_me && client.id == me)
            && self.wanted.iter().all(|test| test.holds(client, now_ms))
            && !self.unwanted.iter().any(|test| test.holds(client, now_ms))
    }

    /// Takes numbers up to the first word that is none, and returns what follows.
    fn read_ids<'w>(
        &mut self,
        is_not: bool,
        mut words: &'w [&'a [u8]],
    ) -> Result<&'w [&'a [u8]], Refusal> {
        let side = self.side(is_not);
        let mut ids = Vec::new();
        while let [word, rest @ ..] = words
            && let Some(id) = parse_i64(word)
        {
            if id < 1 {
                return Err(positive("client-id"));
            }
            ids.push(id);
            words = rest;
        }
        let known = side.iter_mut().find_map(|test| match test {
            Test::Id(known) => Some(known),
            _ => None,
        });
        match known {
            Some(known) => known.extend(ids),
            None => side.push(Test::Id(ids)),
        }
        Ok(words)
    }

    fn side(&mut self, is_not: bool) -> &mut Vec<Test<'a>> {
        if is_not { &mut self.unwanted } else { &mut self.wanted }
    }
}

fn put<'a>(side: &mut Vec<Test<'a>>, test: Test<'a>) {
    side.retain(|other| discriminant(other) != discriminant(&test));
    side.push(test);
}

fn yes_or_no(word: &[u8]) -> Result<bool, Refusal> {
    match word {
        word if word.eq_ignore_ascii_case(b"yes") => Ok(true),
        word if word.eq_ignore_ascii_case(b"no") => Ok(false),
        _ => Err(Refusal::Known(Error::Syntax)),
    }
}

fn positive(what: &str) -> Refusal {
    Refusal::Line(format!("ERR {what} should be greater than 0"))
}

impl<'a> Test<'a> {
    /// Reads the value of any filter but ID and SKIPME.
    fn read(name: &[u8], value: &'a [u8], is_not: bool, databases: u32) -> Result<Self, Refusal> {
        Ok(match name {
            b"type" => Self::Type(Type::read(value)?),
            b"addr" => Self::Addr(value),
            b"laddr" => Self::Laddr(value),
            b"ip" => Self::Ip(value),
            b"user" => Self::User(known_user(value)?),
            b"name" => Self::Name(value),
            b"lib-name" => Self::LibName(value),
            b"lib-ver" => Self::LibVer(value),
            b"flags" => Self::Flags(letters(value, FLAGS, "flags", is_not)?),
            b"capa" => Self::Capa(letters(value, CAPABILITIES, "capa", is_not)?),
            b"db" => Self::Db(database(value, is_not, databases)?),
            b"maxage" if !is_not => Self::MaxAge(seconds(value, "maxage")?),
            b"idle" if !is_not => Self::Idle(seconds(value, "idle")?),
            _ => return Err(Refusal::Known(Error::Syntax)),
        })
    }

    fn holds(&self, client: &Client, now_ms: i64) -> bool {
        let is_set = |text: &[u8], wanted: &[u8]| !text.is_empty() && text == wanted;
        match self {
            Self::Id(ids) => ids.contains(&(client.id as i64)),
            Self::Type(kind) => {
                let is_subscriber = client.state().any(State::SUBSCRIBED);
                *kind == if is_subscriber { Type::Pubsub } else { Type::Normal }
            }
            Self::Addr(addr) => client.addr.as_bytes() == *addr,
            Self::Laddr(addr) => client.laddr.as_bytes() == *addr,
            Self::Ip(ip) => has_ip(&client.addr, ip),
            Self::User(user) => client.profile.lock().user.as_bytes() == *user,
            Self::Name(name) => is_set(&client.profile.lock().name, name),
            Self::LibName(name) => is_set(&client.profile.lock().lib_name, name),
            Self::LibVer(version) => is_set(&client.profile.lock().lib_ver, version),
            Self::Flags(letters) => has_letters(&line::flags(client), letters),
            Self::Capa(letters) => has_letters(&client.profile.lock().capa, letters),
            Self::Db(db) => i64::from(client.db.load(Ordering::Relaxed)) == *db,
            Self::MaxAge(age) => now_ms / 1000 - client.since_ms / 1000 >= *age,
            Self::Idle(idle) => client.idle_seconds(now_ms) >= *idle,
        }
    }
}

impl Type {
    fn read(word: &[u8]) -> Result<Self, Refusal> {
        match word.to_ascii_lowercase().as_slice() {
            b"normal" => Ok(Self::Normal),
            b"master" | b"primary" => Ok(Self::Primary),
            b"slave" | b"replica" => Ok(Self::Replica),
            b"pubsub" => Ok(Self::Pubsub),
            _ => Err(Refusal::Line(format!("ERR Unknown client type '{}'", lossy(word)))),
        }
    }
}

fn known_user(name: &[u8]) -> Result<&[u8], Refusal> {
    if name == DEFAULT_USER.as_bytes() {
        return Ok(name);
    }
    Err(Refusal::Line(format!("ERR No such user '{}'", lossy(name))))
}

fn letters<'a>(
    value: &'a [u8],
    known: &[u8],
    what: &str,
    is_not: bool,
) -> Result<&'a [u8], Refusal> {
    if value.iter().all(|letter| known.contains(letter)) {
        return Ok(value);
    }
    let place = match is_not {
        true => format!("NOT-{} filter", what.to_ascii_uppercase()),
        false => "provided filter".to_owned(),
    };
    Err(Refusal::Line(format!("ERR Unknown {what} found in the {place}: {}", lossy(value))))
}

fn seconds(value: &[u8], what: &str) -> Result<i64, Refusal> {
    match parse_i64(value) {
        Some(seconds) if seconds > 0 => Ok(seconds),
        Some(_) => Err(positive(what)),
        None => Err(Refusal::Line(format!("ERR {what} is not an integer or out of range"))),
    }
}

fn database(value: &[u8], is_not: bool, databases: u32) -> Result<i64, Refusal> {
    let name = if is_not { "NOT-DB" } else { "DB" };
    let number = parse_i64(value).filter(|number| i32::try_from(*number).is_ok());
    match number {
        Some(db) if (0..i64::from(databases)).contains(&db) => Ok(db),
        Some(_) => {
            let last = databases - 1;
            Err(Refusal::Line(format!("ERR {name} number should be between 0 and {last}")))
        }
        None => Err(Refusal::Line(format!("ERR {name} is not an integer or out of range"))),
    }
}

fn has_letters(shown: &str, letters: &[u8]) -> bool {
    letters.iter().all(|letter| shown.as_bytes().contains(letter))
}

/// Whether an address is that IP with a port; the path of a unix socket never is.
fn has_ip(addr: &str, ip: &[u8]) -> bool {
    let Some((host, port)) = addr.rsplit_once(':') else { return false };
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.as_bytes() == ip && !port.starts_with('0')
}

#[cfg(test)]
mod tests;
