//! Sorted sets: members, each with a score, in the order of scores and then of bytes.
//!
//! Knows no key, reply or command. A small one is a listpack of member, score, member, score ...
//! in order, byte for byte as Redis keeps it; a large one (`large`) is a tree and a table over
//! the same members, which clients know as `skiplist`. It never becomes small again by itself.
//! Every place in it is a rank, counted from the lowest score: ranges of scores or of members are
//! turned into ranges of ranks first. Scores are never NaN. `docs/design/zset.md` has the reasons.

use std::ops::Range;

use crate::compact::word::{Form as Inner, Marker, Pair};
use crate::compact::{Element, Listpack};
use crate::number::Text;
use crate::{KeyHash, Limits, Pays, Step};

mod iter;
mod large;
mod member;
mod parts;
mod range;
mod rest;
mod score;
mod small;
mod tree;

#[cfg(test)]
mod tests;

pub use iter::Iter;
pub use parts::Refused;
pub use range::{LexBound, LexRange, ScoreRange};
pub use rest::Last;

use large::Large;

/// What decides when a sorted set becomes large, and what its table hashes with.
#[derive(Clone, Copy)]
pub struct Form<'a> {
    /// `zset-max-listpack-entries` and `zset-max-listpack-value`.
    pub limits: &'a Limits,
    /// The hash of keys.
    pub hash: &'a KeyHash,
}

impl Form<'_> {
    fn is_small(&self, count: usize, longest: usize) -> bool {
        count <= self.limits.zset_entries && longest <= self.limits.zset_value
    }
}

/// A sorted set.
#[derive(Clone)]
pub struct Zset(Pair<Listpack, Marker<Large, LARGE>>);

/// The mark of a large one's handle.
const LARGE: usize = 1;

/// Above the cursors of a table.
const RANKS: u64 = 1 << 48;

impl Zset {
    /// An empty small one.
    pub fn new() -> Zset {
        Zset(Inner::Small(Listpack::new()).into())
    }

    /// See [`crate::ValueMut::relocate`]: a cursor is the table's, and then, beyond all of these,
    /// a rank.
    pub(crate) fn relocate(&mut self, cursor: u64, count: usize, pays: Pays<'_>) -> u64 {
        let large = match self.0.view_mut() {
            Inner::Small(pack) => {
                pack.relocate(pays);
                return 0;
            }
            Inner::Large(large) => large,
        };
        if cursor == 0 {
            large.relocate(pays);
        }
        if let Some(rank) = cursor.checked_sub(RANKS) {
            let next = large.relocate_nodes(rank as usize, count, pays);
            return next.map_or(0, |rank| RANKS + rank as u64);
        }
        match large.relocate_members(cursor, count, pays) {
            0 => RANKS,
            next => next,
        }
    }

    /// One of members that ascend in score and then in bytes; `longest` is the length of the
    /// longest of the `count` members.
    pub fn of_ascending<'m>(
        members: impl Iterator<Item = (&'m [u8], f64)>,
        count: usize,
        longest: usize,
        form: Form<'_>,
    ) -> Zset {
        let mut zset = Zset::new();
        zset.expect(count, longest, form);
        match zset.0.view_mut() {
            Inner::Small(pack) => members.for_each(|(name, score)| small::push(pack, name, score)),
            Inner::Large(large) => members.for_each(|(name, score)| large.add(name, score)),
        }
        zset
    }

    /// Makes it large at once when so many members, the longest of them so long, could not stand
    /// in a small one. The members that it has are not counted: Redis does not either.
    pub fn expect(&mut self, count: usize, longest: usize, form: Form<'_>) {
        if !form.is_small(count, longest) {
            self.enlarge(form);
        }
    }

    /// See [`crate::ValueView::is_hashed`].
    #[inline]
    pub(crate) fn is_hashed(&self) -> bool {
        matches!(self.0.view(), Inner::Large(_))
    }

    /// See [`crate::ValueView::line`].
    #[inline]
    pub(crate) fn line(&self, step: Step) -> Option<*const u8> {
        match self.0.view() {
            Inner::Small(pack) => pack.line(step),
            Inner::Large(large) => large.line(step),
        }
    }

    /// The number of members.
    pub fn len(&self) -> usize {
        match self.0.view() {
            Inner::Small(pack) => pack.len() / 2,
            Inner::Large(large) => large.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        match self.0.view() {
            Inner::Small(pack) => pack.is_empty(),
            Inner::Large(large) => large.len() == 0,
        }
    }

    /// The score of a member.
    pub fn score(&self, name: &[u8]) -> Option<f64> {
        match self.0.view() {
            Inner::Small(pack) => small::find(pack, name).map(|(_, score)| score),
            Inner::Large(large) => large.score(name),
        }
    }

    /// The rank and the score of a member.
    pub fn rank(&self, name: &[u8]) -> Option<(usize, f64)> {
        match self.0.view() {
            Inner::Small(pack) => small::rank(pack, name),
            Inner::Large(large) => large.rank(name),
        }
    }

    /// Sets the score of a member to what `decide` says of its present score (`None`: there is no
    /// such member); when it says `None`, nothing changes. Equal scores leave everything as it is.
    pub fn update(
        &mut self,
        name: &[u8],
        form: Form<'_>,
        decide: impl FnOnce(Option<f64>) -> Option<f64>,
    ) {
        match self.0.view_mut() {
            Inner::Large(large) => large.update(name, decide),
            Inner::Small(pack) => {
                let found = small::find(pack, name);
                let Some(score) = decide(found.map(|(_, score)| score)) else { return };
                match found {
                    Some((_, old)) if old == score => {}
                    Some((at, old)) => small::move_to(pack, at, name, old, score),
                    None if form.is_small(pack.len() / 2 + 1, name.len())
                        && pack.fits(name.len()) =>
                    {
                        small::insert(pack, name, score);
                    }
                    None => self.enlarge(form).add(name, score),
                }
            }
        }
    }

    /// Removes a member; its score, if it was there.
    pub fn remove(&mut self, name: &[u8]) -> Option<f64> {
        match self.0.view_mut() {
            Inner::Small(pack) => small::remove(pack, name),
            Inner::Large(large) => large.remove(name),
        }
    }

    /// Removes the members of these ranks.
    ///
    /// # Panics
    /// When the range reaches beyond the last member.
    pub fn remove_ranks(&mut self, ranks: Range<usize>) {
        match self.0.view_mut() {
            Inner::Small(pack) => pack.delete_range(ranks.start * 2, ranks.len() * 2),
            Inner::Large(large) => large.remove_ranks(ranks),
        }
    }

    /// The members of these ranks with their scores, from the lowest or from the highest.
    ///
    /// # Panics
    /// When the range reaches beyond the last member.
    pub fn iter(&self, ranks: Range<usize>, reverse: bool) -> Iter<'_> {
        match self.0.view() {
            Inner::Small(pack) => Iter::small(pack, ranks, reverse),
            Inner::Large(large) => Iter::large(large.iter(ranks, reverse)),
        }
    }

    /// All members with their scores, from the lowest.
    pub fn all(&self) -> Iter<'_> {
        self.iter(0..self.len(), false)
    }

    /// The member of one rank, which must exist.
    pub fn at(&self, rank: usize) -> (Element<'_>, f64) {
        self.iter(rank..rank + 1, false).next().expect("the rank of a member")
    }

    /// The ranks of the members within a range of scores.
    pub fn ranks_of_scores(&self, range: &ScoreRange) -> Range<usize> {
        let (start, end) = match self.0.view() {
            Inner::Small(pack) => small::ranks_of_scores(pack, range),
            Inner::Large(large) => large.ranks_of_scores(range),
        };
        start.min(end)..end
    }

    /// The ranks of the members within a range of bytes, when all have the same score. When they
    /// do not, a small one gives the run that Redis finds from the end that `reverse` says.
    pub fn ranks_of_names(&self, range: &LexRange<'_>, reverse: bool) -> Range<usize> {
        let (start, end) = match self.0.view() {
            Inner::Small(pack) => small::ranks_of_names(pack, range, reverse),
            Inner::Large(large) => large.ranks_of_names(range),
        };
        start.min(end)..end
    }

    /// Calls `f` with some members, from a cursor on, and gives the next cursor: 0 starts, and 0
    /// is given at the end. About `count` members a call, all at once when it is small.
    pub fn scan(&self, cursor: u64, count: u64, f: &mut dyn FnMut(Element<'_>, f64)) -> u64 {
        match self.0.view() {
            Inner::Small(_) => {
                self.all().for_each(|(name, score)| f(name, score));
                0
            }
            Inner::Large(large) => large.scan(cursor, count, f),
        }
    }

    /// The listpack of a small one.
    pub fn listpack(&self) -> Option<&Listpack> {
        match self.0.view() {
            Inner::Small(pack) => Some(pack),
            Inner::Large(_) => None,
        }
    }

    /// What OBJECT ENCODING replies.
    pub fn encoding(&self) -> &'static str {
        match self.0.view() {
            Inner::Small(_) => "listpack",
            Inner::Large(_) => "skiplist",
        }
    }

    /// Whether a key that holds it ceases to exist.
    pub fn is_vacant(&self) -> bool {
        self.is_empty()
    }

    /// Bytes asked of the allocator; for a large one estimated from `samples` members, 0 for all.
    pub fn memory(&self, samples: usize) -> usize {
        match self.0.view() {
            Inner::Small(pack) => pack.allocated(),
            Inner::Large(large) => large.memory(samples),
        }
    }

    /// How many allocations freeing it takes, roughly.
    pub fn effort(&self) -> usize {
        match self.0.view() {
            Inner::Small(_) => 1,
            Inner::Large(large) => large.len(),
        }
    }

    fn enlarge(&mut self, form: Form<'_>) -> &mut Large {
        if let Inner::Small(pack) = self.0.view() {
            let mut large = Large::new(*form.hash);
            let mut room = Text::new();
            for (name, score) in Iter::small(pack, 0..pack.len() / 2, false) {
                large.add(name.text(&mut room), score);
            }
            self.0 = Inner::Large(Marker::new(large)).into();
        }
        match self.0.view_mut() {
            Inner::Large(large) => large,
            Inner::Small(_) => unreachable!("it was made large above"),
        }
    }
}

impl Default for Zset {
    fn default() -> Zset {
        Zset::new()
    }
}

impl std::fmt::Debug for Zset {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut map = out.debug_map();
        for (name, score) in self.all() {
            map.entry(&name.text(&mut Text::new()).escape_ascii().to_string(), &score);
        }
        map.finish()
    }
}
