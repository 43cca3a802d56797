//! A whole file, item by item.

use std::io::Read;

use keyspace::{Entry, NewValue};

use super::error::{Error, Place};
use super::lex::{Lexer, tidy};
use super::{FORMAT, TYPES, VERSION, values};
use crate::rdb::{Item, Key, Loaded, Rules, Usage};

/// What a record may have, whatever it stands for.
const MEMBERS: &[&str] = &[
    "note",
    "function",
    "end",
    "keys",
    "db",
    "key",
    "type",
    "expires_ms",
    "idle_s",
    "frequency",
    "value",
];
const TYPE_FIRST: &str = "a value whose type does not stand in front of it";

/// Reads a file.
pub struct Reader<'r, R> {
    lexer: Lexer<R>,
    rules: Rules<'r>,
    /// The clock of accesses, in seconds.
    now_s: u32,
    is_lfu: bool,
    usage: Option<Usage>,
    keys: u64,
    /// The database of the last key.
    db: Option<u64>,
    /// A key whose database was told first.
    ahead: Option<Key>,
    is_over: bool,
    room: Vec<u8>,
}

/// What a record has said so far.
#[derive(Default)]
struct Record {
    note: Option<Vec<u8>>,
    function: Option<Vec<u8>>,
    is_end: bool,
    keys: Option<u64>,
    db: Option<u64>,
    key: Option<Vec<u8>>,
    kind: Option<value::Kind>,
    deadline_ms: Option<i64>,
    usage: Option<Usage>,
    value: Option<Made>,
}

/// What the value of a record has become.
enum Made {
    Value(NewValue<'static>),
    /// A string, in the reader's room.
    Text,
    Faded,
}

impl<'r, R: Read> Reader<'r, R> {
    /// Looks at the first record.
    pub fn new(input: R, rules: Rules<'r>) -> Result<Self, Error> {
        let mut lexer = Lexer::new(input);
        lexer.mark(b'[', "the array of records: '['")?;
        head(&mut lexer)?;
        Ok(Self {
            lexer,
            rules,
            now_s: 0,
            is_lfu: false,
            usage: None,
            keys: 0,
            db: None,
            ahead: None,
            is_over: false,
            room: Vec::new(),
        })
    }

    /// What the notes on the use of keys are told by: the clock of accesses in seconds, or whether
    /// accesses are counted.
    #[must_use]
    pub fn with_access(mut self, now_s: u32, is_lfu: bool) -> Self {
        (self.now_s, self.is_lfu) = (now_s, is_lfu);
        self
    }

    /// How far it is read, in bytes.
    pub fn position(&self) -> u64 {
        self.lexer.position()
    }

    /// What the file says of how the last key was used.
    pub fn usage(&self) -> Option<Usage> {
        self.usage
    }

    /// The next item; none at the end, when all was in order.
    pub fn next_item(&mut self) -> Result<Option<Item>, Error> {
        if let Some(key) = self.ahead.take() {
            return Ok(Some(Item::Key(key)));
        }
        if self.is_over {
            return Ok(None);
        }
        self.lexer.tidy();
        tidy(&mut self.room);
        self.lexer.mark(b',', "',' and the next record")?;
        let mut open = self.lexer.object("a record: '{'")?;
        let (place, mut seen, mut record) = (self.lexer.place(), 0, Record::default());
        while open {
            let member = self.lexer.member(MEMBERS, &mut seen)?;
            self.member(member, &mut record)?;
            open = self.lexer.next_member()?;
        }
        let names = MEMBERS.iter().enumerate().filter(|(at, _)| seen & 1 << at != 0);
        let names: Vec<&str> = names.map(|(_, name)| *name).collect();
        let result = match names[..] {
            ["note", "value"] => self.note(record),
            ["function"] => Ok(record.function.map(Item::Function)),
            ["end"] | ["end", "keys"] => return self.end(place, record.keys),
            [.., "value"] => self.key(record),
            _ => Err("a record that is neither a key nor a function, a note or the end"),
        };
        result.map_err(|what| Error::Refused { at: place, what })
    }

    fn member(&mut self, member: &str, record: &mut Record) -> Result<(), Error> {
        let lexer = &mut self.lexer;
        match member {
            "note" => record.note = Some(bytes(lexer)?),
            "function" => record.function = Some(bytes(lexer)?),
            "end" => {
                lexer.word("true")?;
                record.is_end = true;
            }
            "keys" => record.keys = Some(lexer.unsigned("a number of keys")?),
            "db" => record.db = Some(lexer.unsigned("the number of a database")?),
            "key" => record.key = Some(bytes(lexer)?),
            "type" => {
                lexer.string("a type, which is a string")?;
                let text = lexer.text();
                let known = TYPES.iter().find(|(name, _)| name.as_bytes() == text);
                let Some((_, kind)) = known else { return lexer.refuse("an unknown type") };
                record.kind = Some(*kind);
            }
            "expires_ms" => record.deadline_ms = Some(lexer.signed("Unix milliseconds")?),
            "idle_s" => {
                let idle_s = lexer.unsigned("a number of seconds")?;
                record.usage = Some(Usage::Idle(u32::try_from(idle_s).unwrap_or(u32::MAX)));
            }
            "frequency" => {
                let Ok(counter) = u8::try_from(lexer.unsigned("a number up to 255")?) else {
                    return lexer.refuse("a frequency above 255");
                };
                record.usage = Some(Usage::Frequency(counter));
            }
            _ => self.value(record)?,
        }
        Ok(())
    }

    fn value(&mut self, record: &mut Record) -> Result<(), Error> {
        let kind = match (record.kind, &record.note) {
            (Some(kind), _) => kind,
            (None, Some(_)) => value::Kind::String,
            (None, None) => {
                self.lexer.peek()?;
                return self.lexer.refuse(TYPE_FIRST);
            }
        };
        let is_string = kind == value::Kind::String;
        let loaded = values::read(&mut self.lexer, kind, self.rules, &mut self.room)?;
        record.value = Some(match loaded {
            _ if is_string => Made::Text,
            Loaded::Value(NewValue::Object(value)) => Made::Value(NewValue::Object(value)),
            _ => Made::Faded,
        });
        Ok(())
    }

    fn note(&mut self, record: Record) -> Result<Option<Item>, &'static str> {
        Ok(record.note.map(|name| Item::Aux(name, std::mem::take(&mut self.room))))
    }

    fn key(&mut self, record: Record) -> Result<Option<Item>, &'static str> {
        if record.note.is_some() || record.function.is_some() || record.is_end {
            return Err("a record of a key that is something else too");
        }
        if record.keys.is_some() {
            return Err("a record of a key that counts keys");
        }
        let key = record.key.ok_or("a record without its key")?;
        let db = record.db.ok_or("a record without its database")?;
        self.usage = record.usage;
        let access = Usage::access(record.usage, self.now_s, self.is_lfu);
        let value = match record.value {
            Some(Made::Value(value)) => Some(value),
            Some(Made::Text) => {
                let number = value::number::parse_i64(&self.room);
                Some(number.map_or(NewValue::Bytes(&self.room), NewValue::Int))
            }
            _ => None,
        };
        let key = match value {
            Some(value) => Key::Live(Entry::new(&key, value, record.deadline_ms, access)),
            None => Key::Faded(key),
        };
        self.keys += 1;
        if self.db != Some(db) {
            self.db = Some(db);
            self.ahead = Some(key);
            return Ok(Some(Item::Select(db)));
        }
        Ok(Some(Item::Key(key)))
    }

    /// Behind the last record nothing but the end of the array may stand.
    fn end(&mut self, place: Place, keys: Option<u64>) -> Result<Option<Item>, Error> {
        if keys.is_some_and(|keys| keys != self.keys) {
            let what = "another number of keys than there are records of keys";
            return Err(Error::Refused { at: place, what });
        }
        self.lexer.mark(b']', "']' behind the last record")?;
        match self.lexer.peek()? {
            None => {
                self.is_over = true;
                Ok(None)
            }
            Some(_) => self.lexer.refuse("something behind the end"),
        }
    }
}

fn bytes(lexer: &mut Lexer<impl Read>) -> Result<Vec<u8>, Error> {
    lexer.bytes("a string")?;
    Ok(lexer.text().to_vec())
}

/// The record that says what the file is.
fn head(lexer: &mut Lexer<impl Read>) -> Result<(), Error> {
    let (mut seen, mut version) = (0, None);
    let mut open = lexer.object("the record of the format: '{'")?;
    let place = lexer.place();
    while open {
        if lexer.member(&["format", "version"], &mut seen)? == "format" {
            lexer.string("the name of the format")?;
            if lexer.text() != FORMAT.as_bytes() {
                return lexer.refuse("the name of another format");
            }
        } else {
            version = Some(lexer.unsigned("the version of the format")?);
            if version != Some(VERSION) {
                return lexer.refuse("a version of the format that is not known");
            }
        }
        open = lexer.next_member()?;
    }
    match seen {
        0b11 if version.is_some() => Ok(()),
        _ => Err(Error::Refused { at: place, what: "a first record without format and version" }),
    }
}
