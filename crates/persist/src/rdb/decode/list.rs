//! Lists of every age.

use value::compact::{Element, Listpack};
use value::list::{Builder, List};
use value::number::Text;

use super::Decoder;
use super::old::ziplist;
use crate::rdb::Error;
use crate::rdb::code::{kind, part};
use crate::rdb::source::Source;

impl<S: Source> Decoder<'_, S> {
    /// A list; none without elements.
    pub(super) fn list(&mut self, kind: u8) -> Result<Option<List>, Error> {
        let limits = self.rules.limits;
        let mut list = Builder::new(limits);
        let parts = if kind == kind::LIST_ZIPLIST { 1 } else { self.length()? };
        for _ in 0..parts {
            match kind {
                kind::LIST => list.push(self.string()?),
                kind::LIST_ZIPLIST => self.old_list(&mut list)?,
                kind::LIST_QUICKLIST => list.push_pack(self.pack_of_ziplist()?),
                _ => self.part(&mut list)?,
            }
        }
        let list = list.finish(limits);
        Ok((!list.is_empty()).then_some(list))
    }

    fn part(&mut self, list: &mut Builder) -> Result<(), Error> {
        match self.length()? {
            part::PACK => list.push_pack(self.pack()?),
            part::PLAIN => {
                let element = self.string()?;
                if element.is_empty() {
                    return self.corrupt("empty part of a list");
                }
                list.push_plain(element);
            }
            _ => return self.corrupt("unknown part of a list"),
        }
        Ok(())
    }

    fn old_list(&mut self, list: &mut Builder) -> Result<(), Error> {
        let read = ziplist(self.string()?, |element| {
            list.push(element.text(&mut Text::new()));
        });
        read.or_else(|corrupt| self.refuse(corrupt))
    }

    /// A ziplist as a listpack.
    pub(super) fn pack_of_ziplist(&mut self) -> Result<Listpack, Error> {
        let bytes = self.string()?;
        let mut elements: Vec<Element<'_>> = Vec::new();
        let read = ziplist(bytes, |element| elements.push(element));
        let pack = Listpack::of(&elements);
        read.map(|()| pack).or_else(|corrupt| self.refuse(corrupt))
    }
}
