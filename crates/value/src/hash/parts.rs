//! Hashes that come from outside in their compact form.

use super::{Hash, Rules};
use crate::compact::{Listpack, are_distinct};

impl Hash {
    /// A hash of names and values by turns, a table when there are too many; none when a value is
    /// missing or a name comes twice.
    pub fn from_pack(pack: Listpack, rules: Rules<'_>) -> Option<Self> {
        let len = pack.len();
        if !len.is_multiple_of(2) || !are_distinct(&pack, 2) {
            return None;
        }
        let mut hash = Self::from_listpack(pack);
        if len / 2 > rules.limits.hash_entries {
            hash.enlarge(rules.hasher);
        }
        Some(hash)
    }

    /// Makes the hash a table when so many fields are too many for a listpack.
    pub fn expect(&mut self, fields: u64, rules: Rules<'_>) {
        if fields > rules.limits.hash_entries as u64 {
            self.enlarge(rules.hasher);
        }
    }
}
