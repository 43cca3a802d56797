//! Where keys end, without making their values: so that one thread cuts a file into runs of keys
//! which other threads decode.
//!
//! Nothing is judged here but lengths. Whatever is not a whole and ordinary key is left to the
//! reader, which decodes or refuses it.

use super::code::{element, kind, length, opcode, string};

/// Why no further key can be passed over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stop {
    /// The bytes end in the middle of a key.
    More,
    /// Something else than an ordinary key follows.
    Other,
}

/// The length of the whole keys that stand in front, up to the first one that reaches beyond
/// `max`, and why there is not another one.
pub(super) fn keys(bytes: &[u8], max: usize, is_valkey: bool) -> (usize, Stop) {
    let mut walk = Walk { bytes, at: 0 };
    loop {
        let begins = walk.at;
        if begins >= max {
            return (begins, Stop::More);
        }
        if let Err(stop) = walk.key(is_valkey) {
            return (begins, stop);
        }
    }
}

struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
}

type Moved = Result<(), Stop>;

impl Walk<'_> {
    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Stop> {
        let taken = self.bytes[self.at..].first_chunk::<N>().ok_or(Stop::More)?;
        self.at += N;
        Ok(*taken)
    }

    #[inline]
    fn skip(&mut self, len: u64) -> Moved {
        let left = (self.bytes.len() - self.at) as u64;
        if len > left {
            return Err(Stop::More);
        }
        self.at += len as usize;
        Ok(())
    }

    /// A length, or the encoding of a string.
    #[inline]
    fn length_or_encoding(&mut self) -> Result<Result<u64, u8>, Stop> {
        let [first] = self.array()?;
        let low = first & 0x3f;
        Ok(Ok(match first >> 6 {
            length::SHORT => low.into(),
            length::MIDDLE => {
                let [next] = self.array()?;
                u64::from(low) << 8 | u64::from(next)
            }
            length::SPECIAL => return Ok(Err(low)),
            _ if first == length::FOUR => u32::from_be_bytes(self.array()?).into(),
            _ if first == length::EIGHT => u64::from_be_bytes(self.array()?),
            _ => return Err(Stop::Other),
        }))
    }

    fn length(&mut self) -> Result<u64, Stop> {
        self.length_or_encoding()?.map_err(|_| Stop::Other)
    }

    fn lengths(&mut self, count: usize) -> Moved {
        (0..count).try_for_each(|_| self.length().map(drop))
    }

    #[inline]
    fn string(&mut self) -> Moved {
        match self.length_or_encoding()? {
            Ok(len) => self.skip(len),
            Err(string::INT_8) => self.skip(1),
            Err(string::INT_16) => self.skip(2),
            Err(string::INT_32) => self.skip(4),
            Err(string::LZF) => {
                let packed = self.length()?;
                self.length()?;
                self.skip(packed)
            }
            Err(_) => Err(Stop::Other),
        }
    }

    /// As many times as a length says.
    fn each(&mut self, mut part: impl FnMut(&mut Self) -> Moved) -> Moved {
        for _ in 0..self.length()? {
            part(self)?;
        }
        Ok(())
    }

    fn key(&mut self, is_valkey: bool) -> Moved {
        loop {
            let [code] = self.array()?;
            match code {
                opcode::EXPIRE_MS => self.skip(8)?,
                opcode::EXPIRE_S => self.skip(4)?,
                opcode::FREQ => self.skip(1)?,
                opcode::IDLE => self.length().map(drop)?,
                kind @ ..=kind::ARRAY => {
                    self.string()?;
                    return self.value(kind, is_valkey);
                }
                _ => return Err(Stop::Other),
            }
        }
    }

    fn value(&mut self, kind: u8, is_valkey: bool) -> Moved {
        match kind {
            kind::STRING
            | kind::HASH_ZIPMAP
            | kind::LIST_ZIPLIST
            | kind::SET_INTSET
            | kind::ZSET_ZIPLIST
            | kind::HASH_ZIPLIST
            | kind::HASH_LISTPACK
            | kind::ZSET_LISTPACK
            | kind::SET_LISTPACK
            | kind::HASH_EXPIRES_LISTPACK_OLD => self.string(),
            kind::LIST | kind::SET | kind::LIST_QUICKLIST => self.each(Self::string),
            kind::LIST_QUICKLIST_2 => self.each(|walk| {
                walk.length()?;
                walk.string()
            }),
            kind::ZSET_2 => self.each(|walk| {
                walk.string()?;
                walk.skip(8)
            }),
            kind::HASH => self.each(|walk| {
                walk.string()?;
                walk.string()
            }),
            kind::HASH_2 if is_valkey => self.each(|walk| {
                walk.string()?;
                walk.string()?;
                walk.skip(8)
            }),
            kind::HASH_EXPIRES => {
                self.skip(8)?;
                self.each(|walk| {
                    walk.length()?;
                    walk.string()?;
                    walk.string()
                })
            }
            kind::HASH_EXPIRES_LISTPACK => {
                self.skip(8)?;
                self.string()
            }
            kind::STREAM_2 | kind::STREAM_3 | kind::STREAM_4 | kind::STREAM_5 => self.stream(kind),
            kind::ARRAY => self.elements(),
            _ => Err(Stop::Other),
        }
    }

    fn stream(&mut self, kind: u8) -> Moved {
        self.each(|walk| {
            walk.string()?;
            walk.string()
        })?;
        // How many entries, the last, the first and the deleted id, how many there ever were.
        self.lengths(8)?;
        self.each(|walk| walk.group(kind))?;
        if kind >= kind::STREAM_4 {
            self.lengths(2)?;
            self.each(|walk| {
                walk.string()?;
                walk.each(|walk| {
                    walk.string()?;
                    walk.lengths(2)
                })
            })?;
            self.lengths(2)?;
        }
        Ok(())
    }

    fn group(&mut self, kind: u8) -> Moved {
        self.string()?;
        self.lengths(3)?;
        self.each(|walk| {
            walk.skip(16 + 8)?;
            walk.length().map(drop)
        })?;
        self.each(|walk| {
            walk.string()?;
            walk.skip(if kind >= kind::STREAM_3 { 16 } else { 8 })?;
            walk.each(|walk| walk.skip(16))
        })?;
        if kind >= kind::STREAM_5 {
            self.each(|walk| walk.skip(16))?;
        }
        Ok(())
    }

    fn elements(&mut self) -> Moved {
        let count = self.length()?;
        if self.length()? != 0 {
            self.length()?;
        }
        for _ in 0..count {
            self.length()?;
            match self.length()? {
                element::LONG | element::SHORT => self.string()?,
                element::INT | element::FLOAT => self.skip(8)?,
                _ => return Err(Stop::Other),
            }
        }
        Ok(())
    }
}
