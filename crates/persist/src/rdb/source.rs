//! Where bytes come from.

use std::io;

use super::Error;
use super::crc64::crc64;

/// Bytes one after the other.
pub trait Source {
    /// Moves over the next `len` bytes. It must not take memory for bytes that are not there.
    fn take(&mut self, len: usize) -> Result<(), Error>;

    /// The bytes that were moved over last.
    fn taken(&self) -> &[u8];

    /// How many bytes were taken.
    fn position(&self) -> u64;

    /// The checksum of the bytes that were taken; none when nobody wants it.
    fn checksum(&self) -> Option<u64>;
}

/// Bytes that can be looked at before they are taken.
pub trait Peek: Source {
    /// The bytes that were brought and not taken.
    fn ahead(&self) -> &[u8];

    /// Brings more bytes; whether there are any. What was taken last may be gone afterwards.
    fn more(&mut self) -> io::Result<bool>;

    /// How many bytes there are in all.
    fn size(&self) -> u64;
}

/// Bytes in memory.
pub struct Slice<'a> {
    bytes: &'a [u8],
    at: usize,
    taken: usize,
    /// Bytes in front of them, for positions.
    before: u64,
}

impl<'a> Slice<'a> {
    /// All of them.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self::within(bytes, 0)
    }

    /// All of them, which stand behind so many others.
    pub(super) fn within(bytes: &'a [u8], before: u64) -> Self {
        Self { bytes, at: 0, taken: 0, before }
    }
}

impl Source for Slice<'_> {
    fn take(&mut self, len: usize) -> Result<(), Error> {
        let end = self.at.checked_add(len).filter(|end| *end <= self.bytes.len());
        self.at = end.ok_or(Error::Short { at: self.position() })?;
        self.taken = len;
        Ok(())
    }

    fn taken(&self) -> &[u8] {
        &self.bytes[self.at - self.taken..self.at]
    }

    fn position(&self) -> u64 {
        self.before + self.at as u64
    }

    fn checksum(&self) -> Option<u64> {
        Some(crc64(&self.bytes[..self.at]))
    }
}

impl Peek for Slice<'_> {
    fn ahead(&self) -> &[u8] {
        &self.bytes[self.at..]
    }

    fn more(&mut self) -> io::Result<bool> {
        Ok(false)
    }

    fn size(&self) -> u64 {
        self.bytes.len() as u64
    }
}
