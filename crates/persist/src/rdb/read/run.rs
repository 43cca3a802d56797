//! A file in pieces that several threads can decode: runs of keys, and what stands between them.

use super::{Item, Key, Reader};
use crate::rdb::decode::{Decoder, Rules};
use crate::rdb::skip::{self, Stop};
use crate::rdb::{Error, Peek, Settings, Slice};

/// A run ends with the first key that reaches beyond so many bytes.
const RUN: usize = 128 << 10;
/// A key that is longer is decoded from the file instead of being brought into memory as it is.
const KEY_MAX: usize = 4 << 20;

/// What stands in a file, in larger pieces.
pub enum Piece {
    /// Some keys.
    Run(Run),
    /// Something else, or a very long key.
    Item(Item),
}

/// The bytes of some keys one after the other, whole but not looked at.
pub struct Run {
    bytes: Vec<u8>,
    /// Where it begins in the file.
    at: u64,
    is_valkey: bool,
}

impl<S: Peek> Reader<'_, S> {
    /// The next piece; none at the end, when all was in order but what stands in runs.
    pub fn next_piece(&mut self) -> Result<Option<Piece>, Error> {
        let is_valkey = self.is_valkey;
        loop {
            let source = self.decoder.source_mut();
            let ahead = source.ahead();
            let (len, stop) = skip::keys(ahead, RUN, is_valkey);
            if len > 0 {
                let run = Run { bytes: ahead[..len].to_vec(), at: source.position(), is_valkey };
                source.take(len)?;
                return Ok(Some(Piece::Run(run)));
            }
            let len = ahead.len();
            let wants_more = stop == Stop::More && len < KEY_MAX;
            if !wants_more || !bring(source, 2 * len)? {
                // What is missing or wrong is for the decoder to say.
                return Ok(self.next_item()?.map(Piece::Item));
            }
        }
    }
}

/// Brings bytes until there are so many, or a few when there are none; whether any came.
fn bring(source: &mut impl Peek, len: usize) -> Result<bool, Error> {
    let mut came = false;
    while (!came || source.ahead().len() < len) && source.more()? {
        came = true;
    }
    Ok(came)
}

impl Run {
    /// How many bytes it has.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Calls `visit` with every key. The clock of accesses is in seconds; `is_lfu` says whether
    /// accesses are counted.
    pub fn each_key(
        &self,
        rules: Rules<'_>,
        (now_s, is_lfu): (u32, bool),
        mut visit: impl FnMut(Key),
    ) -> Result<(), Error> {
        let mut decoder = Decoder::new(Slice::within(&self.bytes, self.at), rules);
        decoder.set_dialect(self.is_valkey);
        let end = self.at + self.bytes.len() as u64;
        let mut reader = Reader::of(decoder, Settings::default(), 0, self.is_valkey);
        reader = reader.with_access(now_s, is_lfu);
        while reader.position() < end {
            match reader.next_item()? {
                Some(Item::Key(key)) => visit(key),
                _ => return reader.decoder.corrupt("something else between keys"),
            }
        }
        Ok(())
    }
}
