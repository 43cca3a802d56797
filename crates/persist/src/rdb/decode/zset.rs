//! Sorted sets of every age.

use value::Zset;

use super::Decoder;
use crate::rdb::Error;
use crate::rdb::code::kind;
use crate::rdb::source::Source;

/// In the place of a text's length: not a number, and the infinities.
const NAN: u8 = 253;
const INFINITY: u8 = 254;
const NEGATIVE_INFINITY: u8 = 255;

impl<S: Source> Decoder<'_, S> {
    /// A sorted set, member by member; none without members.
    pub(super) fn zset(&mut self, kind: u8) -> Result<Option<Zset>, Error> {
        let len = self.length()?;
        let rules = self.rules;
        let mut zset = Zset::new();
        zset.expect(usize::try_from(len).unwrap_or(usize::MAX), 0, rules.of_zset());
        for _ in 0..len {
            self.first_string()?;
            let score = match kind {
                kind::ZSET => self.text_score()?,
                _ => f64::from_le_bytes(self.array()?),
            };
            if score.is_nan() {
                return self.corrupt("sorted set with a score that is no number");
            }
            let mut is_new = true;
            zset.update(&self.first, rules.of_zset(), |old| {
                is_new = old.is_none();
                Some(score)
            });
            if !is_new {
                return self.corrupt("sorted set with a member twice");
            }
        }
        Ok((len > 0).then_some(zset))
    }

    fn text_score(&mut self) -> Result<f64, Error> {
        let len = match self.byte()? {
            NAN => return Ok(f64::NAN),
            INFINITY => return Ok(f64::INFINITY),
            NEGATIVE_INFINITY => return Ok(f64::NEG_INFINITY),
            len => len,
        };
        self.source_mut().take(len.into())?;
        let text = std::str::from_utf8(self.source().taken()).ok();
        match text.and_then(|text| text.parse().ok()) {
            Some(score) => Ok(score),
            None => self.corrupt("sorted set with a score that is no number"),
        }
    }

    /// A sorted set in a compact form; none without members.
    pub(super) fn zset_of_pack(&mut self, kind: u8) -> Result<Option<Zset>, Error> {
        let pack = match kind {
            kind::ZSET_ZIPLIST => self.pack_of_ziplist()?,
            _ => self.pack()?,
        };
        if pack.is_empty() {
            return Ok(None);
        }
        match Zset::from_pack(pack, self.rules.of_zset()) {
            Ok(zset) => Ok(Some(zset)),
            Err(refused) => self.corrupt(refused.0),
        }
    }
}
