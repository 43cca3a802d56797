//! The RDB format: what a file or a DUMP payload holds, as bytes.
//!
//! Nothing here opens a file. Whatever comes from outside is looked at in full before it is used,
//! and takes no more memory than its own bytes account for. `docs/design/persistence.md` has the
//! layout and says which version is written when.

pub mod code;
mod crc64;
mod decode;
mod dump;
mod encode;
mod error;
mod read;
mod skip;
mod source;
mod write;

#[cfg(test)]
mod tests;

pub use crc64::{Crc64, crc64};
pub use decode::{Decoder, Loaded, Rules};
pub use dump::{Restored, dump, restore};
pub use encode::{Out, Style};
pub use error::Error;
pub use read::{Item, Key, Piece, Reader, Run, Settings};
pub use source::{Peek, Slice, Source};
pub use write::{Pieces, Usage, Usages, Writer};
