//! Hashes as templates of Redis 8.10: the names of their fields stand in the file once, and each
//! hash has its values alone. In a payload of DUMP the names stand in front of the values.
//!
//! Names ascend, shorter ones first. What is made of them is an ordinary hash.

use std::sync::Arc;

use value::Hash;
use value::compact::Element;
use value::hash::Time;
use value::number::Text;

use super::hash::{loaded, set};
use super::{Decoder, Loaded};
use crate::rdb::Error;
use crate::rdb::code::{kind, names};
use crate::rdb::source::Source;

#[cfg(test)]
mod tests;

/// The names of the fields of some hashes.
pub(super) type Names = Arc<[Box<[u8]>]>;

const UNKNOWN: &str = "hash of a template that is not in the file";

impl<S: Source> Decoder<'_, S> {
    /// A template of the file: its number, and its names.
    pub(in crate::rdb) fn template(&mut self) -> Result<(), Error> {
        let id = self.length()?;
        let names = self.names()?;
        match self.templates.insert(id, names) {
            None => Ok(()),
            Some(_) => self.corrupt("template of hashes twice"),
        }
    }

    /// A hash of a template.
    pub(super) fn hash_of_template(&mut self, kind: u8) -> Result<Loaded<'_>, Error> {
        let own = match kind {
            kind::HASH_TEMPLATE_LISTPACK | kind::HASH_TEMPLATE_ARRAY => Some(self.own_names()?),
            _ => None,
        };
        match kind {
            kind::HASH_TEMPLATE_LISTPACK | kind::HASH_TEMPLATE_LISTPACK_REF => {
                self.packed_values(own)
            }
            _ => self.values(own),
        }
    }

    /// Names in front of a hash, as a listpack or one by one.
    fn own_names(&mut self) -> Result<Names, Error> {
        match self.length()? {
            names::LISTPACK => {
                let pack = self.pack()?;
                let mut room = Text::new();
                let names = pack.iter().map(|(_, element)| element.text(&mut room).into());
                let names = names.collect();
                self.in_order(names)
            }
            names::PLAIN => self.names(),
            _ => self.corrupt("unknown form of a template of hashes"),
        }
    }

    fn names(&mut self) -> Result<Names, Error> {
        let count = self.length()?;
        let mut names: Vec<Box<[u8]>> = Vec::new();
        for _ in 0..count {
            names.push(self.string()?.into());
        }
        self.in_order(names)
    }

    fn in_order(&self, names: Vec<Box<[u8]>>) -> Result<Names, Error> {
        if names.is_empty() {
            return self.corrupt("template of hashes without a field");
        }
        let ascend = |pair: &[Box<[u8]>]| (pair[0].len(), &pair[0]) < (pair[1].len(), &pair[1]);
        match names.windows(2).all(ascend) {
            true => Ok(names.into()),
            false => self.corrupt("template of hashes whose fields are not in order"),
        }
    }

    /// A listpack of the template's number, which counts unless the hash has names of its `own`,
    /// and of the values.
    fn packed_values(&mut self, own: Option<Names>) -> Result<Loaded<'_>, Error> {
        let pack = self.pack()?;
        let mut elements = pack.iter().map(|(_, element)| element);
        let Some(Element::Int(id)) = elements.next() else {
            return self.corrupt("hash without the number of its template");
        };
        let known = u64::try_from(id).ok().and_then(|id| self.templates.get(&id).cloned());
        let Some(names) = own.or(known) else { return self.corrupt(UNKNOWN) };
        if names.len() + 1 != pack.len() {
            return self.corrupt("hash with more or fewer values than its template has fields");
        }
        let (mut hash, mut room) = (self.room_for(&names), Text::new());
        for (name, element) in names.iter().zip(elements) {
            set(&mut hash, name, element.text(&mut room), Time::Never, self.rules);
        }
        Ok(loaded(hash))
    }

    /// The template's number, unless the hash has names of its `own`, and the values.
    fn values(&mut self, own: Option<Names>) -> Result<Loaded<'_>, Error> {
        let names = match own {
            Some(names) => names,
            None => {
                let id = self.length()?;
                let Some(names) = self.templates.get(&id) else { return self.corrupt(UNKNOWN) };
                Arc::clone(names)
            }
        };
        let (mut hash, rules) = (self.room_for(&names), self.rules);
        for name in &*names {
            set(&mut hash, name, self.string()?, Time::Never, rules);
        }
        Ok(loaded(hash))
    }

    fn room_for(&self, names: &Names) -> Hash {
        let mut hash = Hash::new();
        hash.expect(names.len() as u64, self.rules.of_hash());
        hash
    }
}
