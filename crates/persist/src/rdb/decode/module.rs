//! What modules leave in files. There are no modules here, so it is refused by their names, or
//! passed over where they allow that.

use super::Decoder;
use crate::rdb::Error;
use crate::rdb::code::module;
use crate::rdb::source::Source;

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

impl<S: Source> Decoder<'_, S> {
    /// What modules say of the next key, in Redis's dialect: each with its name and whether it can
    /// be left out.
    pub(in crate::rdb) fn metadata(&mut self) -> Result<(), Error> {
        for _ in 0..self.length()? {
            let class = u32::from_le_bytes(self.array()?);
            if class & module::MAY_BE_IGNORED == 0 {
                return Err(Error::Metadata { name: class_name(class) });
            }
            self.pass_over_module()?;
        }
        Ok(())
    }

    /// What a module has written, up to its end.
    fn pass_over_module(&mut self) -> Result<(), Error> {
        loop {
            match self.length()? {
                module::END => return Ok(()),
                module::INT | module::UNSIGNED => drop(self.length()?),
                module::FLOAT => drop(self.array::<4>()?),
                module::DOUBLE => drop(self.array::<8>()?),
                module::STRING => drop(self.string()?.len()),
                _ => return self.corrupt("unknown part of a module's value"),
            }
        }
    }
}

/// The name in the number of a module's type: nine letters of six bits, above ten bits of version.
pub(in crate::rdb) fn module_name(id: u64) -> String {
    letters(id >> 10, 9)
}

/// The name in the number of a class of metadata: four letters above eight bits of version and
/// flags.
fn class_name(class: u32) -> String {
    letters(u64::from(class >> 8), 4)
}

fn letters(number: u64, count: u32) -> String {
    let letter = |at: u32| char::from(LETTERS[(number >> (6 * (count - 1 - at)) & 63) as usize]);
    (0..count).map(letter).collect()
}
