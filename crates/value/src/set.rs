//! A set of strings.
//!
//! Whole numbers only and not many: one sorted run ([`Intset`]). Few and short: one listpack.
//! Otherwise a table with one allocation a member. The moments at which one form becomes the other
//! are those of Redis 7.2 and Valkey: OBJECT ENCODING shows them. A set never goes back to a
//! smaller form by losing members.
//!
//! Knows no key, no command and no source of random numbers. A source is a function that gives
//! evenly spread 64-bit numbers.

use std::ops::Deref;

use table::Table;

use crate::compact::word::Form3::{Ints, Large, Small};
use crate::compact::word::{Marker, Triple};
use crate::compact::{Element, Intset, Listpack};
use crate::number::{Text, parse_i64};
use crate::object::table_line;
use crate::relocate::TOGETHER;
use crate::rest::{Cursor, Rest};
use crate::{KeyHash, Limits, Pays, Step};

mod algebra;
mod member;
mod parts;
mod random;
mod rest;
#[cfg(test)]
mod tests;

pub use algebra::{diff, intersect, store_diff, store_intersection, store_union, unite};
pub use parts::Compact;

use member::Member;

/// What decides on the form of a set, and how its table hashes.
#[derive(Clone, Copy)]
pub struct Rules<'a> {
    /// Where small forms end.
    pub limits: &'a Limits,
    /// The hash function of large sets.
    pub hash: KeyHash,
}

impl Rules<'_> {
    /// The most members of a sorted run of numbers.
    fn ints_max(&self) -> usize {
        self.limits.set_intset_entries.min(Intset::LEN_MAX)
    }
}

/// A set. See the module's text.
pub struct Set {
    form: Triple<Intset, Listpack, Members>,
}

/// The mark of a large set's handle.
const LARGE: usize = 1;

type Members = Marker<Content, LARGE>;

/// What a large set is. It is looked at as its table, and changed in ways that a reader learns of.
struct Content {
    table: Table<Member, KeyHash>,
    /// What a reader has claimed.
    rest: Option<Box<Rest<Cursor, ()>>>,
}

impl Set {
    /// An empty set of numbers, as long as nothing else is added.
    pub fn new() -> Self {
        Self { form: Ints(Intset::new()).into() }
    }

    /// An empty set in the form that suits `count` members, the first one being `first`.
    pub fn sized(first: &[u8], count: usize, rules: &Rules<'_>) -> Self {
        let form = if parse_i64(first).is_some() && count <= rules.limits.set_intset_entries {
            Ints(Intset::new())
        } else if count <= rules.limits.set_entries {
            Small(Listpack::new())
        } else {
            Large(Marker::new(Content::new(rules.hash)))
        };
        Self { form: form.into() }
    }

    /// Makes the set large at once when `count` members about to be added are too many for a small
    /// one.
    pub fn make_room(&mut self, count: usize, rules: &Rules<'_>) {
        let is_small = match self.form.view() {
            Ints(_) => count <= rules.limits.set_intset_entries,
            Small(_) => count <= rules.limits.set_entries,
            Large(_) => true,
        };
        if !is_small {
            self.enlarge(rules);
        }
    }

    /// The listpack of a small set that is not of numbers only.
    pub fn listpack(&self) -> Option<&Listpack> {
        match self.form.view() {
            Small(pack) => Some(pack),
            Ints(_) | Large(_) => None,
        }
    }

    /// See [`crate::ValueView::is_hashed`].
    #[inline]
    pub(crate) fn is_hashed(&self) -> bool {
        matches!(self.form.view(), Large(_))
    }

    /// See [`crate::ValueView::line`].
    #[inline]
    pub(crate) fn line(&self, step: Step) -> Option<*const u8> {
        match self.form.view() {
            Ints(ints) => ints.line(step),
            Small(pack) => pack.line(step),
            Large(content) => table_line(content, &content.table, step),
        }
    }

    /// See [`crate::ValueMut::relocate`].
    pub(crate) fn relocate(&mut self, cursor: u64, count: usize, pays: Pays<'_>) -> u64 {
        let content = match self.form.view_mut() {
            Ints(ints) => {
                ints.relocate(pays);
                return 0;
            }
            Small(pack) => {
                pack.relocate(pays);
                return 0;
            }
            Large(content) => content,
        };
        if cursor == 0 {
            content.relocate(pays);
        }
        content.table.scan_mut(cursor, count.min(TOGETHER), &mut |member: &mut Member| {
            if pays(member.address().as_ptr()) {
                *member = member.clone();
            }
        })
    }

    /// What OBJECT ENCODING replies.
    pub fn encoding(&self) -> &'static str {
        match self.form.view() {
            Ints(_) => "intset",
            Small(_) => "listpack",
            Large(_) => "hashtable",
        }
    }

    /// Whether a key that holds it ceases to exist.
    #[inline]
    pub fn is_vacant(&self) -> bool {
        match self.form.view() {
            Ints(ints) => ints.is_empty(),
            Small(pack) => pack.is_empty(),
            Large(table) => table.is_empty(),
        }
    }

    /// Bytes asked of the allocator; of a large set from `samples` members (0: all).
    pub fn memory(&self, samples: usize) -> usize {
        match self.form.view() {
            Ints(ints) => ints.allocated(),
            Small(pack) => pack.allocated(),
            Large(table) => {
                let samples = if samples == 0 { table.len() } else { samples.min(table.len()) };
                let sampled: usize =
                    table.iter().take(samples).map(|member| member.allocated()).sum();
                let all = sampled.checked_div(samples).map_or(0, |each| each * table.len());
                let members = if samples == table.len() { sampled } else { all };
                size_of::<Content>() + table.memory() + members
            }
        }
    }

    /// How many allocations freeing it takes, roughly.
    pub fn effort(&self) -> usize {
        match self.form.view() {
            Ints(_) | Small(_) => 1,
            Large(table) => table.len(),
        }
    }

    /// The number of members.
    #[inline]
    pub fn len(&self) -> usize {
        match self.form.view() {
            Ints(ints) => ints.len(),
            Small(pack) => pack.len(),
            Large(table) => table.len(),
        }
    }

    /// Whether there is no member.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.is_vacant()
    }

    /// Whether a string is a member.
    #[inline]
    pub fn contains(&self, member: &[u8]) -> bool {
        match self.form.view() {
            Ints(ints) => ints.contains_text(member),
            Small(pack) => pack.find(member, 0).is_some(),
            Large(table) => table.get(table.hasher().of(member), member).is_some(),
        }
    }

    /// The same for an element of another set; numbers stay numbers where that helps.
    #[inline]
    fn contains_element(&self, element: Element<'_>) -> bool {
        match (self.form.view(), element) {
            (Ints(ints), Element::Int(number)) => ints.contains(number),
            (Small(pack), element) => pack.find(element, 0).is_some(),
            (_, element) => self.contains(element.text(&mut Text::new())),
        }
    }

    /// Adds a member; `false` if it was one already.
    #[inline]
    pub fn add(&mut self, member: &[u8], rules: &Rules<'_>) -> bool {
        match self.form.view_mut() {
            Ints(ints) => match parse_i64(member) {
                Some(number) => {
                    let is_new = ints.insert(number);
                    if is_new && ints.len() > rules.ints_max() {
                        self.enlarge(rules);
                    }
                    is_new
                }
                None => {
                    self.leave_ints(member, rules);
                    self.add(member, rules)
                }
            },
            Small(pack) => {
                if pack.find(member, 0).is_some() {
                    return false;
                }
                let limits = rules.limits;
                if pack.len() < limits.set_entries
                    && member.len() <= limits.set_value
                    && pack.fits(member.len())
                {
                    pack.push_back(member);
                    return true;
                }
                self.enlarge(rules);
                self.add(member, rules)
            }
            Large(content) => content.add(rules.hash.of(member), member),
        }
    }

    /// Adds an element of another set.
    fn add_element(&mut self, element: Element<'_>, rules: &Rules<'_>) -> bool {
        self.add(element.text(&mut Text::new()), rules)
    }

    /// Removes a member; `false` if it was none.
    #[inline]
    pub fn remove(&mut self, member: &[u8]) -> bool {
        match self.form.view_mut() {
            Ints(ints) => parse_i64(member).is_some_and(|number| ints.remove(number)),
            Small(pack) => match pack.find(member, 0) {
                Some(position) => {
                    pack.delete(position);
                    true
                }
                None => false,
            },
            Large(content) => {
                let hash = content.hasher().of(member);
                content.remove(hash, member)
            }
        }
    }

    fn remove_element(&mut self, element: Element<'_>) -> bool {
        self.remove(element.text(&mut Text::new()))
    }

    /// Calls `visit` with every member.
    #[inline]
    pub fn each(&self, mut visit: impl FnMut(Element<'_>)) {
        self.all(|element| {
            visit(element);
            true
        });
    }

    /// Calls `visit` with one member after the other until it answers `false`; whether it never
    /// did.
    #[inline]
    pub fn all(&self, mut visit: impl FnMut(Element<'_>) -> bool) -> bool {
        match self.form.view() {
            Ints(ints) => ints.iter().all(|number| visit(Element::Int(number))),
            Small(pack) => pack.iter().all(|(_, element)| visit(element)),
            Large(table) => table.iter().all(|member| visit(Element::Str(member.bytes()))),
        }
    }

    /// Calls `visit` with the members from a cursor on, about `count` of them, and gives the next
    /// cursor. A small set is visited at once. 0 starts and ends; a member that is there from the
    /// first to the last call is visited at least once.
    pub fn scan(&self, mut cursor: u64, count: u64, mut visit: impl FnMut(Element<'_>)) -> u64 {
        /// Places looked at for each member that was asked for.
        const STEPS_PER_MEMBER: u64 = 10;
        let Large(table) = self.form.view() else {
            self.each(visit);
            return 0;
        };
        let mut met = 0;
        for _ in 0..count.saturating_mul(STEPS_PER_MEMBER) {
            cursor = table.scan(cursor, &mut |member: &Member| {
                met += 1;
                visit(Element::Str(member.bytes()));
            });
            if cursor == 0 || met >= count {
                break;
            }
        }
        cursor
    }

    /// Makes room for a member that is no number: a listpack if that will hold them all.
    fn leave_ints(&mut self, member: &[u8], rules: &Rules<'_>) {
        let Ints(ints) = self.form.view() else { return };
        let mut text = Text::new();
        let ends = [ints.min(), ints.max()];
        let longest = ends.into_iter().flatten().map(|end| text.of(end).len()).max();
        let limits = rules.limits;
        if ints.len() < limits.set_entries
            && member.len() <= limits.set_value
            && longest.unwrap_or(0) <= limits.set_value
        {
            let elements: Vec<Element<'_>> = ints.iter().map(Element::Int).collect();
            self.form = Small(Listpack::of(&elements)).into();
        } else {
            self.enlarge(rules);
        }
    }

    /// Makes the set a table.
    #[cold]
    fn enlarge(&mut self, rules: &Rules<'_>) {
        let mut content = Content::new(rules.hash);
        self.each(|element| {
            let mut text = Text::new();
            let bytes = element.text(&mut text);
            content.table.insert_new(rules.hash.of(bytes), Member::new(bytes));
        });
        self.form = Large(Marker::new(content)).into();
    }

    /// Makes the set a sorted run of numbers, which all members are, unless there are too many.
    fn reduce_to_ints(&mut self, rules: &Rules<'_>) {
        if matches!(self.form.view(), Ints(_)) || self.len() > rules.ints_max() {
            return;
        }
        let mut numbers = Vec::with_capacity(self.len());
        self.each(|element| match element.recognised() {
            Element::Int(number) => numbers.push(number),
            Element::Str(_) => unreachable!("the caller knows all members to be numbers"),
        });
        numbers.sort_unstable();
        let mut ints = Intset::new();
        numbers.into_iter().for_each(|number| {
            ints.insert(number);
        });
        self.form = Ints(ints).into();
    }
}

impl Content {
    fn new(hash: KeyHash) -> Self {
        Self { table: Table::new(hash), rest: None }
    }

    #[inline]
    fn add(&mut self, hash: u64, member: &[u8]) -> bool {
        match self.table.entry(hash, member) {
            table::Entry::Occupied(_) => return false,
            table::Entry::Vacant(place) => place.insert(Member::new(member)),
        };
        self.keep(hash, member, false);
        true
    }

    #[inline]
    fn remove(&mut self, hash: u64, member: &[u8]) -> bool {
        let is_removed = self.table.remove(hash, member).is_some();
        if is_removed {
            self.keep(hash, member, true);
        }
        is_removed
    }

    /// Lets who has claimed the rest of the set know of a member that was there or not.
    #[inline]
    fn keep(&mut self, hash: u64, member: &[u8], was_there: bool) {
        if self.rest.is_some() {
            self.keep_now(hash, member, was_there);
        }
    }

    fn is_claimed(&self) -> bool {
        self.rest.as_ref().is_some_and(|rest| rest.is_wanted())
    }

    #[cold]
    fn keep_now(&mut self, hash: u64, member: &[u8], was_there: bool) {
        match &mut self.rest {
            Some(rest) if rest.is_wanted() => rest.keep(hash, member, || was_there.then_some(())),
            rest => *rest = None,
        }
    }
}

impl Deref for Content {
    type Target = Table<Member, KeyHash>;

    #[inline]
    fn deref(&self) -> &Self::Target {
        &self.table
    }
}

impl Default for Set {
    fn default() -> Self {
        Self::new()
    }
}

impl Clone for Set {
    fn clone(&self) -> Self {
        let form = match self.form.view() {
            Ints(ints) => Ints(ints.clone()),
            Small(pack) => Small(pack.clone()),
            Large(table) => {
                let mut copy = Content::new(*table.hasher());
                for member in table.iter() {
                    let hash = table.hasher().of(member.bytes());
                    copy.table.insert_new(hash, member.clone());
                }
                Large(Marker::new(copy))
            }
        };
        Self { form: form.into() }
    }
}

impl std::fmt::Debug for Set {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.form.view() {
            Ints(ints) => ints.fmt(out),
            Small(pack) => pack.fmt(out),
            Large(table) => write!(out, "a table of {} members", table.len()),
        }
    }
}
