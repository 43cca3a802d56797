//! Libraries of functions as a part of the data set: their codes, in files and between them.
//!
//! What the code means is `scripting`'s, which follows the changes here.

use parking_lot::Mutex;

use crate::scripting;

/// See the module's text.
#[derive(Default)]
pub struct Kept(Mutex<Codes>);

/// The codes of all libraries, and how often they have changed.
#[derive(Clone, Default)]
pub struct Codes {
    /// One code a library.
    pub codes: Vec<Vec<u8>>,
    /// Goes up with every change.
    pub generation: u64,
}

/// What becomes of libraries when others are loaded.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Clash {
    /// They go first.
    #[default]
    Clear,
    /// None of them may come again.
    Refuse,
    /// Those that come again are replaced.
    Replace,
}

impl Kept {
    /// The libraries.
    pub fn all(&self) -> Codes {
        self.0.lock().clone()
    }

    /// Which state they are in.
    pub fn generation(&self) -> u64 {
        self.0.lock().generation
    }

    /// Puts libraries in the place of those that were there; which state they are in now.
    pub fn replace(&self, codes: Vec<Vec<u8>>) -> u64 {
        let mut kept = self.0.lock();
        kept.codes = codes;
        kept.generation += 1;
        kept.generation
    }

    /// Adds a library from a file, in the place of one with its name if `replaces` says so.
    pub fn take_up(&self, code: Vec<u8>, replaces: bool) -> Result<(), &'static str> {
        let mut kept = self.0.lock();
        let name = scripting::library_name(&code);
        let same = kept
            .codes
            .iter()
            .position(|other| name.is_some() && scripting::library_name(other) == name);
        match same {
            Some(_) if !replaces => return Err("a library of functions that is there already"),
            Some(at) => kept.codes[at] = code,
            None => kept.codes.push(code),
        }
        kept.generation += 1;
        Ok(())
    }
}
