//! Append-only files: what a directory of them says of itself, and the commands they hold.
//!
//! [`Manifest`] is the list of files of one log, [`Names`] how they are called, [`find`] says what
//! stands in a folder. [`Log`] reads the commands of one file and says how the file ends: whole,
//! torn, with zeros where the disk wrote nothing, or in the middle of a transaction. [`Spelling`]
//! writes keys as commands. Nothing here runs a command or changes a file.

mod error;
mod layout;
mod manifest;
mod read;
mod spell;

pub use error::{Damage, Error, Fault};
pub use layout::{FindError, Found, Names, find, is_rdb};
pub use manifest::{Kind, Manifest, ManifestError, ManifestFault, Part};
pub use read::{Command, End, Log, Record, Tail};
pub use spell::Spelling;
