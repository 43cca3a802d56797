//! Sets as they are saved and as they come back.

use super::{Rules, Set};
use crate::compact::word::Form3;
use crate::compact::{Intset, Listpack, are_distinct};

/// The compact form of a set.
#[derive(Clone, Copy, Debug)]
pub enum Compact<'a> {
    /// Numbers.
    Ints(&'a Intset),
    /// Strings.
    Pack(&'a Listpack),
}

impl Set {
    /// The compact form, unless the set is a table.
    pub fn compact(&self) -> Option<Compact<'_>> {
        match self.form.view() {
            Form3::Ints(ints) => Some(Compact::Ints(ints)),
            Form3::Small(pack) => Some(Compact::Pack(pack)),
            Form3::Large(_) => None,
        }
    }

    /// A set of these numbers; a table when there are too many.
    pub fn from_ints(ints: Intset, rules: &Rules<'_>) -> Self {
        let is_small = ints.len() <= rules.ints_max();
        let mut set = Self { form: Form3::Ints(ints).into() };
        if !is_small {
            set.enlarge(rules);
        }
        set
    }

    /// A set of these members, a table when there are too many; none when one comes twice.
    pub fn from_pack(pack: Listpack, rules: &Rules<'_>) -> Option<Self> {
        if !are_distinct(&pack, 1) {
            return None;
        }
        let is_small = pack.len() <= rules.limits.set_entries;
        let mut set = Self { form: Form3::Small(pack).into() };
        if !is_small {
            set.enlarge(rules);
        }
        Some(set)
    }
}
