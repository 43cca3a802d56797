//! The compact forms of before Redis 7: ziplist and zipmap. They are only read.
//!
//! A ziplist is: its bytes (4), the place of its last entry (4), its count (2, all ones when it is
//! larger), entries, and an end mark. An entry is: the bytes of the one in front (1, or 5 behind
//! a mark), its encoding, its element. A zipmap is: its count (1, 254 when it is larger), then
//! name and value by turns, each behind its length (1, or 5 behind a mark), and behind a value's
//! length the number of unused bytes that follow it (1).

use value::compact::{Corrupt, Element};

const END: u8 = 0xff;
/// A length of four bytes follows.
const LONG: u8 = 254;
const HEADER: usize = 10;
const COUNT_UNKNOWN: u16 = u16::MAX;

const INT_16: u8 = 0xc0;
const INT_32: u8 = 0xd0;
const INT_64: u8 = 0xe0;
const INT_24: u8 = 0xf0;
const INT_8: u8 = 0xfe;
/// From here to [`SMALL_MAX`] the element is one less than the low four bits.
const SMALL_MIN: u8 = 0xf1;
const SMALL_MAX: u8 = 0xfd;

/// Walks over bytes without ever reaching beyond them.
struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Walk<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], Corrupt> {
        let end = self.at.checked_add(len).filter(|end| *end <= self.bytes.len());
        let end = end.ok_or(Corrupt { offset: self.at, what: "entry reaches beyond the end" })?;
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Corrupt> {
        Ok(self.take(N)?.try_into().expect("as many bytes as were asked for"))
    }

    fn byte(&mut self) -> Result<u8, Corrupt> {
        Ok(self.array::<1>()?[0])
    }

    fn refuse<T>(&self, what: &'static str) -> Result<T, Corrupt> {
        Err(Corrupt { offset: self.at, what })
    }

    /// A length of one byte, or of four behind a mark.
    fn length(&mut self) -> Result<usize, Corrupt> {
        match self.byte()? {
            LONG => Ok(u32::from_le_bytes(self.array()?) as usize),
            END => self.refuse("end mark in the place of a length"),
            short => Ok(short.into()),
        }
    }
}

/// Calls `visit` with every element of a ziplist. When it is not in order, some were visited.
pub(super) fn ziplist<'a>(
    bytes: &'a [u8],
    mut visit: impl FnMut(Element<'a>),
) -> Result<(), Corrupt> {
    let mut walk = Walk { bytes, at: 0 };
    let (total, last) = (u32::from_le_bytes(walk.array()?), u32::from_le_bytes(walk.array()?));
    let count = u16::from_le_bytes(walk.array()?);
    if total as usize != bytes.len() {
        return walk.refuse("ziplist is not as long as it says");
    }
    let (mut found, mut before, mut begins) = (0u64, 0, HEADER);
    loop {
        let start = walk.at;
        if walk.bytes.get(start) == Some(&END) {
            break;
        }
        if walk.length()? != before {
            return walk.refuse("ziplist whose entries do not lead back");
        }
        visit(element(&mut walk)?);
        (before, begins) = (walk.at - start, start);
        found += 1;
    }
    let is_last = walk.at + 1 == bytes.len();
    if !is_last || last as usize != begins {
        return walk.refuse("ziplist with another end than it says");
    }
    if count != COUNT_UNKNOWN && u64::from(count) != found {
        return walk.refuse("ziplist with a wrong count");
    }
    Ok(())
}

fn element<'a>(walk: &mut Walk<'a>) -> Result<Element<'a>, Corrupt> {
    let encoding = walk.byte()?;
    let len = match encoding >> 6 {
        0 => usize::from(encoding),
        1 => usize::from(encoding & 0x3f) << 8 | usize::from(walk.byte()?),
        2 => u32::from_be_bytes(walk.array()?) as usize,
        _ => return Ok(Element::Int(number(walk, encoding)?)),
    };
    Ok(Element::Str(walk.take(len)?))
}

fn number(walk: &mut Walk<'_>, encoding: u8) -> Result<i64, Corrupt> {
    Ok(match encoding {
        INT_8 => i8::from_le_bytes(walk.array()?).into(),
        INT_16 => i16::from_le_bytes(walk.array()?).into(),
        INT_24 => {
            let [low, middle, high] = walk.array()?;
            i64::from(i32::from_le_bytes([0, low, middle, high]) >> 8)
        }
        INT_32 => i32::from_le_bytes(walk.array()?).into(),
        INT_64 => i64::from_le_bytes(walk.array()?),
        SMALL_MIN..=SMALL_MAX => i64::from(encoding & 0x0f) - 1,
        _ => return walk.refuse("unknown encoding of an entry"),
    })
}

/// Calls `visit` with every name and value of a zipmap. When it is not in order, some were visited.
pub(super) fn zipmap<'a>(bytes: &'a [u8], mut visit: impl FnMut(&'a [u8])) -> Result<(), Corrupt> {
    let mut walk = Walk { bytes, at: 0 };
    let count = walk.byte()?;
    let mut found = 0u64;
    while walk.bytes.get(walk.at) != Some(&END) {
        let len = walk.length()?;
        visit(walk.take(len)?);
        let len = walk.length()?;
        let unused = walk.byte()?;
        visit(walk.take(len)?);
        walk.take(unused.into())?;
        found += 1;
    }
    if walk.at + 1 != bytes.len() {
        return walk.refuse("zipmap with bytes behind its end");
    }
    if count < LONG && u64::from(count) != found {
        return walk.refuse("zipmap with a wrong count");
    }
    Ok(())
}
