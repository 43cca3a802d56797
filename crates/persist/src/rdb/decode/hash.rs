//! Hashes of every age and both dialects.

use keyspace::{NewValue, Value};
use value::Hash;
use value::compact::{Element, Listpack};
use value::hash::Time;
use value::number::Text;

use super::old::zipmap;
use super::{Decoder, Loaded};
use crate::rdb::Error;
use crate::rdb::code::kind;
use crate::rdb::source::Source;

/// The latest deadline of a field that servers have, 46 bits.
const DEADLINE_MAX: u64 = (1 << 46) - 1;

/// How the deadlines of fields stand.
#[derive(Clone, Copy)]
enum Deadlines {
    /// There are none.
    None,
    /// Behind each value, -1 for none.
    Behind,
    /// In front of each name; 0 for none, else one more than the difference to the earliest.
    Since(i64),
    /// In front of each name, 0 for none.
    Absolute,
}

impl<S: Source> Decoder<'_, S> {
    /// A hash.
    pub(super) fn hash(&mut self, kind: u8) -> Result<Loaded<'_>, Error> {
        match kind {
            kind::HASH => self.fields(Deadlines::None),
            kind::HASH_2 if self.is_valkey => self.fields(Deadlines::Behind),
            kind::HASH_EXPIRES_OLD => self.fields(Deadlines::Absolute),
            kind::HASH_EXPIRES => {
                let first_ms = self.time_ms()?;
                self.fields(Deadlines::Since(first_ms))
            }
            kind::HASH_EXPIRES_LISTPACK_OLD => self.triples(),
            kind::HASH_EXPIRES_LISTPACK => {
                self.time_ms()?;
                self.triples()
            }
            kind::HASH_ZIPLIST => {
                let pack = self.pack_of_ziplist()?;
                self.hash_of_pack(pack)
            }
            kind::HASH_ZIPMAP => self.hash_of_zipmap(),
            _ => {
                let pack = self.pack()?;
                self.hash_of_pack(pack)
            }
        }
    }

    /// A zipmap may have longer values than a small hash is to have.
    fn hash_of_zipmap(&mut self) -> Result<Loaded<'_>, Error> {
        let rules = self.rules;
        let mut parts: Vec<&[u8]> = Vec::new();
        let read = zipmap(self.string()?, |part| parts.push(part));
        let mut hash = Hash::new();
        hash.expect(parts.len() as u64 / 2, rules.of_hash());
        let mut fields = parts.chunks_exact(2);
        let is_whole = fields.all(|field| set(&mut hash, field[0], field[1], Time::Never, rules));
        match read {
            Err(corrupt) => self.refuse(corrupt),
            Ok(()) if !is_whole => self.corrupt("hash with a field twice"),
            Ok(()) if hash.is_empty() => self.corrupt("no field"),
            Ok(()) => Ok(loaded(hash)),
        }
    }

    fn hash_of_pack(&mut self, pack: Listpack) -> Result<Loaded<'_>, Error> {
        if pack.is_empty() {
            return Ok(Loaded::Empty);
        }
        match Hash::from_pack(pack, self.rules.of_hash()) {
            Some(hash) => Ok(loaded(hash)),
            None => self.corrupt("hash with a field twice or without a value"),
        }
    }

    fn fields(&mut self, deadlines: Deadlines) -> Result<Loaded<'_>, Error> {
        let len = self.length()?;
        if len == 0 {
            return Ok(Loaded::Empty);
        }
        let rules = self.rules;
        let mut hash = Hash::new();
        hash.expect(len, rules.of_hash());
        for _ in 0..len {
            let mut deadline_ms = match deadlines {
                Deadlines::Since(first_ms) => self
                    .length()?
                    .checked_sub(1)
                    .map(|later| u64::try_from(first_ms).unwrap_or(0).saturating_add(later)),
                Deadlines::Absolute => Some(self.length()?).filter(|deadline| *deadline > 0),
                Deadlines::None | Deadlines::Behind => None,
            };
            self.first_string()?;
            let first = std::mem::take(&mut self.first);
            // The value is copied only when a deadline stands between it and the next name.
            let mut value = Vec::new();
            if let Deadlines::Behind = deadlines {
                value.extend_from_slice(self.string()?);
                deadline_ms = self.deadline_behind()?;
            }
            let time = self.time(deadline_ms)?;
            let is_new = match deadlines {
                Deadlines::Behind => set(&mut hash, &first, &value, time, rules),
                _ => set(&mut hash, &first, self.string()?, time, rules),
            };
            self.first = first;
            if !is_new {
                return self.corrupt("hash with a field twice");
            }
        }
        Ok(if hash.is_empty() { Loaded::Faded } else { loaded(hash) })
    }

    fn deadline_behind(&mut self) -> Result<Option<u64>, Error> {
        match self.time_ms()? {
            -1 => Ok(None),
            deadline_ms => match u64::try_from(deadline_ms) {
                Ok(deadline_ms) => Ok(Some(deadline_ms)),
                Err(_) => self.corrupt("hash field with a negative deadline"),
            },
        }
    }

    fn time(&self, deadline_ms: Option<u64>) -> Result<Time, Error> {
        match deadline_ms {
            None => Ok(Time::Never),
            Some(deadline_ms) if deadline_ms <= DEADLINE_MAX => Ok(Time::At(deadline_ms as i64)),
            Some(_) => self.corrupt("hash field with a deadline too far away"),
        }
    }

    /// Name, value and deadline by turns.
    fn triples(&mut self) -> Result<Loaded<'_>, Error> {
        let pack = self.pack()?;
        if pack.is_empty() {
            return Ok(Loaded::Empty);
        }
        let rules = self.rules;
        let mut hash = Hash::new();
        hash.expect(pack.len() as u64 / 3, rules.of_hash());
        let mut elements = pack.iter().map(|(_, element)| element);
        while let Some(name) = elements.next() {
            let (Some(value), Some(Element::Int(deadline_ms))) = (elements.next(), elements.next())
            else {
                return self.corrupt("hash with a field that lacks its value or deadline");
            };
            let deadline_ms = u64::try_from(deadline_ms).unwrap_or(u64::MAX);
            let time = self.time(Some(deadline_ms).filter(|deadline| *deadline > 0))?;
            let (mut name_room, mut value_room) = (Text::new(), Text::new());
            let (name, value) = (name.text(&mut name_room), value.text(&mut value_room));
            if !set(&mut hash, name, value, time, rules) {
                return self.corrupt("hash with a field twice");
            }
        }
        Ok(if hash.is_empty() { Loaded::Faded } else { loaded(hash) })
    }
}

/// Sets a field unless its time is over; false when there is one of that name.
pub(super) fn set(
    hash: &mut Hash,
    name: &[u8],
    value: &[u8],
    time: Time,
    rules: super::Rules<'_>,
) -> bool {
    if matches!(time, Time::At(deadline_ms) if deadline_ms < rules.since_ms) {
        return true;
    }
    hash.set(name, value, time, rules.of_hash())
}

pub(super) fn loaded(hash: Hash) -> Loaded<'static> {
    Loaded::Value(NewValue::Object(Value::Hash(hash)))
}
