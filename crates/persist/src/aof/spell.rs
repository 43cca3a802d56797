//! Keys as the commands that make them, for a base of commands.
//!
//! What no command of today's servers can make (arrays, pending entries that are gone from their
//! stream or have no owner, what producers of a stream have sent) is a RESTORE. Pieces of several
//! spellers are written one after another, so each piece selects its database itself.

use keyspace::{Entry, ValueRef, ValueView};
use value::compact::Element;
use value::hash::Hash;
use value::list::List;
use value::number::Text;
use value::set::Set;
use value::stream::{Group, Id, Stream};
use value::zset::Zset;

use crate::rdb::{self, Out, Style};
use crate::snapshot::{Sheet, Spell};

#[cfg(test)]
mod tests;

/// Elements that one command adds.
const ITEMS: usize = 64;

/// See the module's text.
pub struct Spelling {
    sheet: Sheet,
    /// The database that is selected where the sheet ends.
    selected: Option<u32>,
}

impl Spelling {
    /// Spells on a sheet.
    pub fn new(sheet: Sheet) -> Self {
        Self { sheet, selected: None }
    }
}

impl Spell for Spelling {
    fn key(&mut self, db: u32, entry: &Entry) {
        let mut out = Commands(&mut self.sheet);
        if self.selected != Some(db) {
            out.command(&[b"SELECT", db.to_string().as_bytes()]);
        }
        out.entry(entry);
        let is_handed_over = self.sheet.end_part();
        self.selected = (!is_handed_over).then_some(db);
    }

    fn flush(&mut self) {
        self.sheet.hand_over_all();
        self.selected = None;
    }
}

/// Writes commands.
struct Commands<'a>(&'a mut Sheet);

impl Commands<'_> {
    fn count(&mut self, count: usize) {
        self.line(b'*', count);
    }

    fn line(&mut self, letter: u8, number: usize) {
        self.0.put(&[letter]);
        self.0.put(Text::new().of(number as i64));
        self.0.put(b"\r\n");
    }

    fn arg(&mut self, bytes: &[u8]) {
        self.line(b'$', bytes.len());
        self.0.put(bytes);
        self.0.put(b"\r\n");
    }

    fn number(&mut self, number: i64) {
        self.arg(Text::new().of(number));
    }

    fn element(&mut self, element: Element<'_>) {
        self.arg(element.text(&mut Text::new()));
    }

    fn id(&mut self, id: Id) {
        self.arg(format!("{}-{}", id.ms, id.seq).as_bytes());
    }

    fn command(&mut self, args: &[&[u8]]) {
        self.count(args.len());
        args.iter().for_each(|arg| self.arg(arg));
    }

    /// The front of a command that adds elements, each of so many arguments, if the element of this
    /// number is the first of one.
    fn front(&mut self, name: &[u8], key: &[u8], at: usize, all: usize, arguments: usize) {
        if at.is_multiple_of(ITEMS) {
            self.count(2 + arguments * (all - at).min(ITEMS));
            self.arg(name);
            self.arg(key);
        }
    }

    fn entry(&mut self, entry: &Entry) {
        let (key, value) = (entry.key_bytes(), entry.value());
        match &value {
            ValueRef::Int(number) => self.command(&[b"SET", key, Text::new().of(*number)]),
            ValueRef::Inline(bytes) | ValueRef::Shared(bytes) => {
                self.command(&[b"SET", key, bytes]);
            }
            ValueRef::Object(ValueView::List(list)) => self.list(key, list),
            ValueRef::Object(ValueView::Set(set)) => self.set(key, set),
            ValueRef::Object(ValueView::Zset(zset)) => self.zset(key, zset),
            ValueRef::Object(ValueView::Hash(hash)) => self.hash(key, hash),
            ValueRef::Object(ValueView::Stream(stream)) if is_plain(stream) => {
                self.stream(key, stream);
            }
            ValueRef::Object(ValueView::Stream(_) | ValueView::Array(_)) => {
                let payload = rdb::dump(&value, Style::default());
                self.command(&[b"RESTORE", key, b"0", &payload]);
            }
        }
        if let Some(deadline_ms) = entry.deadline_ms() {
            self.command(&[b"PEXPIREAT", key, Text::new().of(deadline_ms)]);
        }
    }

    fn list(&mut self, key: &[u8], list: &List) {
        let (mut at, all) = (0, list.len());
        list.range(0, all, |element| {
            self.front(b"RPUSH", key, at, all, 1);
            self.element(element);
            at += 1;
        });
    }

    fn set(&mut self, key: &[u8], set: &Set) {
        let (mut at, all) = (0, set.len());
        set.each(|member| {
            self.front(b"SADD", key, at, all, 1);
            self.element(member);
            at += 1;
        });
    }

    fn zset(&mut self, key: &[u8], zset: &Zset) {
        let all = zset.len();
        for (at, (member, score)) in zset.iter(0..all, false).enumerate() {
            self.front(b"ZADD", key, at, all, 2);
            let mut text = Vec::with_capacity(32);
            resp::number::write_double(&mut text, score);
            self.arg(&text);
            self.element(member);
        }
    }

    fn hash(&mut self, key: &[u8], hash: &Hash) {
        let all = hash.len();
        for (at, pair) in hash.iter().enumerate() {
            self.front(b"HMSET", key, at, all, 2);
            self.element(pair.name());
            self.element(pair.value());
        }
        for pair in hash.iter() {
            if let Some(deadline_ms) = pair.deadline_ms() {
                self.count(6);
                self.arg(b"HPEXPIREAT");
                self.arg(key);
                self.number(deadline_ms);
                self.arg(b"FIELDS");
                self.arg(b"1");
                self.element(pair.name());
            }
        }
    }

    fn stream(&mut self, key: &[u8], stream: &Stream) {
        if stream.is_empty() {
            self.command(&[b"XADD", key, b"MAXLEN", b"0", b"0-1", b"x", b"y"]);
        }
        for entry in stream.range(Id::MIN, Id::MAX) {
            self.count(3 + 2 * entry.pairs().count());
            self.arg(b"XADD");
            self.arg(key);
            self.id(entry.id());
            for (name, value) in entry.pairs() {
                self.element(name);
                self.element(value);
            }
        }
        self.count(7);
        self.arg(b"XSETID");
        self.arg(key);
        self.id(stream.last_id());
        self.arg(b"ENTRIESADDED");
        self.arg(stream.entries_added().to_string().as_bytes());
        self.arg(b"MAXDELETEDID");
        self.id(stream.max_deleted_id());
        for (name, group) in stream.groups() {
            self.group(key, name, group);
        }
    }

    fn group(&mut self, key: &[u8], name: &[u8], group: &Group) {
        self.count(7);
        self.arg(b"XGROUP");
        self.arg(b"CREATE");
        self.arg(key);
        self.arg(name);
        self.id(group.last_id);
        self.arg(b"ENTRIESREAD");
        self.number(group.entries_read.unwrap_or(-1));
        for consumer in group.consumers().filter(|consumer| consumer.pending() == 0) {
            self.command(&[b"XGROUP", b"CREATECONSUMER", key, name, consumer.name()]);
        }
        for (id, nack) in group.nacks(..) {
            self.count(12);
            for arg in [b"XCLAIM", key, name, group.owner_name(nack), b"0"] {
                self.arg(arg);
            }
            self.id(*id);
            self.arg(b"TIME");
            self.number(nack.time_ms);
            self.arg(b"RETRYCOUNT");
            self.arg(nack.count.to_string().as_bytes());
            self.arg(b"JUSTID");
            self.arg(b"FORCE");
        }
    }
}

/// Whether commands can make a stream as it is.
fn is_plain(stream: &Stream) -> bool {
    let is_there = |id: Id| stream.range(id, id).next().is_some();
    let is_plain =
        |group: &Group| group.nacks(..).all(|(id, nack)| nack.owner().is_some() && is_there(*id));
    stream.requests().is_none() && stream.groups().all(|(_, group)| is_plain(group))
}
