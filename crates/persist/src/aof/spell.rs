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
use crate::snapshot::portion::{self, ALL, Place, SOME};
use crate::snapshot::{Sheet, Spell};

#[cfg(test)]
mod tests;

/// Elements that one command adds.
const ITEMS: u64 = 64;

/// See the module's text.
pub struct Spelling {
    sheet: Sheet,
    /// The database that is selected where the sheet ends.
    selected: Option<u32>,
    timed: Timed,
}

/// Fields that a command has set, with their deadlines in Unix milliseconds, which come behind it.
type Timed = Vec<(i64, Box<[u8]>)>;

impl Spelling {
    /// Spells on a sheet.
    pub fn new(sheet: Sheet) -> Self {
        Self { sheet, selected: None, timed: Timed::new() }
    }
}

impl Spelling {
    fn select(&mut self, db: u32) {
        if self.selected != Some(db) {
            self.commands().command(&[b"SELECT", db.to_string().as_bytes()]);
            self.selected = Some(db);
        }
    }

    fn commands(&mut self) -> Commands<'_> {
        Commands { sheet: &mut self.sheet, timed: &mut self.timed }
    }

    fn end_part(&mut self) {
        if self.sheet.end_part() {
            self.selected = None;
        }
    }
}

impl Spell for Spelling {
    fn rest(&mut self, db: u32, entry: &Entry, place: &mut Place) {
        self.select(db);
        self.commands().some(entry, place, ALL);
        self.end_part();
    }

    fn bit(&mut self, db: u32, entry: &Entry, place: &mut Place) -> bool {
        if !place.is_begun {
            self.select(db);
        }
        let is_last = Sheet::bit(
            self,
            |spelling| &spelling.sheet,
            |spelling| spelling.commands().some(entry, place, SOME),
        );
        if is_last {
            self.end_part();
        }
        is_last
    }

    fn flush(&mut self) {
        self.sheet.hand_over_all();
        self.selected = None;
    }
}

/// Writes commands.
struct Commands<'a> {
    sheet: &'a mut Sheet,
    timed: &'a mut Timed,
}

impl Commands<'_> {
    fn count(&mut self, count: usize) {
        self.line(b'*', count);
    }

    fn line(&mut self, letter: u8, number: usize) {
        self.sheet.put(&[letter]);
        self.sheet.put(Text::new().of(number as i64));
        self.sheet.put(b"\r\n");
    }

    fn arg(&mut self, bytes: &[u8]) {
        self.line(b'$', bytes.len());
        self.sheet.put(bytes);
        self.sheet.put(b"\r\n");
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
    fn front(&mut self, name: &[u8], key: &[u8], at: u64, all: u64, arguments: usize) {
        if at.is_multiple_of(ITEMS) {
            self.count(2 + arguments * (all - at).min(ITEMS) as usize);
            self.arg(name);
            self.arg(key);
        }
    }

    /// Up to so many elements of an entry's value from a place on, and behind the last one what
    /// follows them; whether none is left.
    fn some(&mut self, entry: &Entry, place: &mut Place, count: usize) -> bool {
        let is_first = !std::mem::replace(&mut place.is_begun, true);
        let (key, value) = (entry.key_bytes(), entry.value());
        let is_last = match &value {
            ValueRef::Int(number) => self.whole(&[b"SET", key, Text::new().of(*number)]),
            ValueRef::Inline(bytes) | ValueRef::Shared(bytes) => self.whole(&[b"SET", key, bytes]),
            ValueRef::Object(ValueView::List(list)) => self.list(key, list, place, count),
            ValueRef::Object(ValueView::Set(set)) => self.set(key, set, place, count),
            ValueRef::Object(ValueView::Zset(zset)) => self.zset(key, zset, place, count),
            ValueRef::Object(ValueView::Hash(hash)) => self.hash(key, hash, place, count),
            ValueRef::Object(ValueView::Stream(stream)) if !is_first || is_plain(stream) => {
                self.stream(key, stream, place, count)
            }
            ValueRef::Object(ValueView::Stream(_) | ValueView::Array(_)) => {
                let payload = rdb::dump(&value, Style::default());
                self.whole(&[b"RESTORE", key, b"0", &payload])
            }
        };
        if is_last && let Some(deadline_ms) = place.deadline_ms {
            self.command(&[b"PEXPIREAT", key, Text::new().of(deadline_ms)]);
        }
        is_last
    }

    /// A command that makes the whole value.
    fn whole(&mut self, args: &[&[u8]]) -> bool {
        self.command(args);
        true
    }

    fn list(&mut self, key: &[u8], list: &List, place: &mut Place, count: usize) -> bool {
        let len = place.len;
        portion::elements(list, place, count, |at, element| {
            self.front(b"RPUSH", key, at, len, 1);
            self.element(element);
        })
    }

    fn set(&mut self, key: &[u8], set: &Set, place: &mut Place, count: usize) -> bool {
        let len = place.len;
        portion::members(set, place, count, |at, member| {
            self.front(b"SADD", key, at, len, 1);
            self.element(member);
        })
    }

    fn zset(&mut self, key: &[u8], zset: &Zset, place: &mut Place, count: usize) -> bool {
        let len = place.len;
        portion::scored(zset, place, count, false, |at, member, score| {
            self.front(b"ZADD", key, at, len, 2);
            let mut text = Vec::with_capacity(32);
            resp::number::write_double(&mut text, score);
            self.arg(&text);
            self.element(member);
        })
    }

    /// Behind each command the deadlines of those of its fields that have one.
    fn hash(&mut self, key: &[u8], hash: &Hash, place: &mut Place, count: usize) -> bool {
        let len = place.len;
        let is_last = portion::fields(hash, place, count, |at, name, value, deadline_ms| {
            if at.is_multiple_of(ITEMS) {
                self.deadlines(key);
            }
            self.front(b"HMSET", key, at, len, 2);
            self.element(name);
            self.element(value);
            if let Some(deadline_ms) = deadline_ms {
                self.timed.push((deadline_ms, name.text(&mut Text::new()).into()));
            }
        });
        if is_last {
            self.deadlines(key);
        }
        is_last
    }

    fn deadlines(&mut self, key: &[u8]) {
        for (deadline_ms, name) in std::mem::take(self.timed) {
            self.count(6);
            self.arg(b"HPEXPIREAT");
            self.arg(key);
            self.number(deadline_ms);
            self.arg(b"FIELDS");
            self.arg(b"1");
            self.arg(&name);
        }
    }

    fn stream(&mut self, key: &[u8], stream: &Stream, place: &mut Place, count: usize) -> bool {
        let is_last = portion::entries(stream, place, count, |_, entry| {
            self.count(3 + 2 * entry.pairs().count());
            self.arg(b"XADD");
            self.arg(key);
            self.id(entry.id());
            for (name, value) in entry.pairs() {
                self.element(name);
                self.element(value);
            }
        });
        if is_last {
            self.stream_end(key, stream);
        }
        is_last
    }

    fn stream_end(&mut self, key: &[u8], stream: &Stream) {
        if stream.is_empty() {
            self.command(&[b"XADD", key, b"MAXLEN", b"0", b"0-1", b"x", b"y"]);
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
