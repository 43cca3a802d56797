//! The large form: a tree over the members in order, and a table that finds them by name.
//!
//! Invariant: tree and table hold the same members with the same scores, and a member leaves the
//! tree before it leaves the table, which owns it.

use std::ops::Range;

use smallvec::SmallVec;
use table::Table;

use super::member::{Handle, Member};
use super::range::{LexRange, ScoreRange};
use super::rest::{self, Claimed};
use super::tree::{self, Tree};
use crate::compact::Element;
use crate::object::table_line;
use crate::relocate::TOGETHER;
use crate::{KeyHash, Pays, Step};

/// Buckets that a scan looks at before it gives up finding so many members, for each of them.
const SCAN_STEPS: u64 = 10;

/// Members whose removal waits for memory together.
const REMOVED_TOGETHER: usize = 32;
/// How far from the end that members are taken from the table's cells are fetched. The members
/// themselves are by then, as a walk fetches them from farther ahead.
const AHEAD: usize = 3;

/// See the module's text.
pub(super) struct Large {
    tree: Tree<Handle>,
    table: Table<Member, KeyHash>,
    /// What a reader has claimed.
    rest: Claimed,
}

impl Large {
    pub(super) fn new(hash: KeyHash) -> Large {
        Large { tree: Tree::new(), table: Table::new(hash), rest: None }
    }

    pub(super) fn line(&self, step: Step) -> Option<*const u8> {
        table_line(self, &self.table, step)
    }

    /// Moves the members that a scan of the table meets where that pays; the next cursor.
    pub(super) fn relocate_members(&mut self, cursor: u64, count: usize, pays: Pays<'_>) -> u64 {
        let Large { tree, table, .. } = self;
        table.scan_mut(cursor, count.min(TOGETHER), &mut |member: &mut Member| {
            let old = member.handle();
            if pays(old.pointer().as_ptr()) {
                let moved = Member::new(old.name(), old.score());
                // The old one lives until the tree has the new one in its place.
                tree.replace(old, moved.handle(), old.score());
                *member = moved;
            }
        })
    }

    /// Moves about `count` of the tree's nodes, from the member of a rank on, where that pays; the
    /// rank to go on with, none at the end.
    pub(super) fn relocate_nodes(
        &mut self,
        rank: usize,
        count: usize,
        pays: Pays<'_>,
    ) -> Option<usize> {
        self.tree.relocate(rank, count, pays)
    }

    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    pub(super) fn score(&self, name: &[u8]) -> Option<f64> {
        Some(self.table.get(self.hash(name), name)?.handle().score())
    }

    pub(super) fn rank(&self, name: &[u8]) -> Option<(usize, f64)> {
        let member = self.table.get(self.hash(name), name)?;
        let (handle, score) = (member.handle(), member.handle().score());
        Some((self.tree.rank_of(handle, score), score))
    }

    /// Adds a member that is absent.
    pub(super) fn add(&mut self, name: &[u8], score: f64) {
        let hash = self.hash(name);
        self.add_hashed(hash, name, score);
    }

    pub(super) fn update(&mut self, name: &[u8], decide: impl FnOnce(Option<f64>) -> Option<f64>) {
        let hash = self.hash(name);
        let Some(mut member) = self.table.get_mut(hash, name) else {
            if let Some(score) = decide(None) {
                self.add_hashed(hash, name, score);
            }
            return;
        };
        let handle = member.handle();
        let old = handle.score();
        let Some(score) = decide(Some(old)).filter(|score| *score != old) else { return };
        rest::keep(&mut self.rest, name, Some(old), Some(score));
        if self.tree.rescore(handle, old, score) {
            member.set_score(score);
            return;
        }
        self.tree.remove(handle, old);
        member.set_score(score);
        self.tree.insert(handle, score);
    }

    pub(super) fn remove(&mut self, name: &[u8]) -> Option<f64> {
        let hash = self.hash(name);
        let member = self.table.get_mut(hash, name)?;
        let score = member.handle().score();
        rest::keep(&mut self.rest, name, Some(score), None);
        self.tree.remove(member.handle(), score);
        drop(member.remove());
        Some(score)
    }

    pub(super) fn remove_ranks(&mut self, ranks: Range<usize>) {
        let (at_start, at_end) = (ranks.start == 0, ranks.end == self.len());
        let mut left = ranks.len();
        let mut removed = SmallVec::<[(Handle, u64); REMOVED_TOGETHER]>::new();
        while left > 0 {
            let some = ranks.start..ranks.start + left.min(REMOVED_TOGETHER);
            left -= some.len();
            removed.extend(self.tree.iter(some, false).map(|handle| (*handle, 0)));
            for (handle, hash) in &mut removed {
                *hash = self.hash(handle.name());
                table::prefetch(self.table.bucket_line(*hash));
            }
            for (handle, hash) in removed.drain(..) {
                rest::keep(&mut self.rest, handle.name(), Some(handle.score()), None);
                self.tree.remove_at(ranks.start);
                drop(self.table.remove_item(hash, handle.pointer()));
            }
        }
        // Who takes members from an end will come back for the next.
        let ahead = if at_start { Some(AHEAD) } else { ranks.start.checked_sub(AHEAD) };
        if let Some(rank) = ahead.filter(|rank| (at_start || at_end) && *rank < self.len())
            && let Some(next) = self.tree.iter(rank..rank + 1, at_end).next()
        {
            table::prefetch(self.table.bucket_line(self.hash(next.name())));
        }
    }

    pub(super) fn iter(&self, ranks: Range<usize>, reverse: bool) -> tree::Iter<'_, Handle> {
        self.tree.iter(ranks, reverse)
    }

    /// The first rank within a range, and the first behind it.
    pub(super) fn ranks_of_scores(&self, range: &ScoreRange) -> (usize, usize) {
        self.tree.run(|score, _| range.is_after(score), |score, _| range.reaches(score))
    }

    /// The first rank within a range, and the first behind it. Nothing is, as in Redis, when the
    /// first member comes behind the range or the last before it.
    pub(super) fn ranks_of_names(&self, range: &LexRange<'_>) -> (usize, usize) {
        let ends = self
            .tree
            .iter(0..self.len(), false)
            .next()
            .zip(self.tree.iter(0..self.len(), true).next());
        let is_outside = ends.is_none_or(|(first, last)| {
            !range.reaches(first.name()) || range.is_after(last.name())
        });
        if is_outside {
            return (0, 0);
        }
        let is_after = |_, member: &Handle| range.is_after(member.name());
        self.tree.run(is_after, |_, member| range.reaches(member.name()))
    }

    pub(super) fn scan(
        &self,
        mut cursor: u64,
        count: u64,
        f: &mut dyn FnMut(Element<'_>, f64),
    ) -> u64 {
        let mut seen = 0;
        for _ in 0..count.saturating_mul(SCAN_STEPS) {
            cursor = self.table.scan(cursor, &mut |member| {
                let handle = member.handle();
                f(Element::Str(handle.name()), handle.score());
                seen += 1;
            });
            if cursor == 0 || seen >= count {
                break;
            }
        }
        cursor
    }

    pub(super) fn rest(&self) -> &Claimed {
        &self.rest
    }

    pub(super) fn rest_mut(&mut self) -> &mut Claimed {
        &mut self.rest
    }

    /// The ranks of the `count` members behind a place, or of fewer where that is the end.
    pub(super) fn ranks_behind(
        &self,
        last: Option<(f64, &[u8])>,
        reverse: bool,
        count: usize,
    ) -> Range<usize> {
        let Some((score, name)) = last else {
            let len = self.len();
            return if reverse { len.saturating_sub(count)..len } else { 0..count.min(len) };
        };
        let stands = |at: f64, member: &Handle| rest::order((at, member.name()), (score, name));
        if reverse {
            let end = self.tree.count_while(|at, member| stands(at, member).is_lt());
            end.saturating_sub(count)..end
        } else {
            let start = self.tree.count_while(|at, member| stands(at, member).is_le());
            start..start.saturating_add(count).min(self.len())
        }
    }

    pub(super) fn memory(&self, samples: usize) -> usize {
        let len = self.len();
        let looked = if samples == 0 { len } else { samples.min(len) };
        let bytes: usize = self.tree.iter(0..looked, false).map(Handle::allocated).sum();
        let members = (bytes * len).checked_div(looked).unwrap_or(0);
        size_of::<Self>() + self.table.memory() + self.tree.memory(looked == len) + members
    }

    #[cfg(test)]
    pub(super) fn check(&self) {
        self.tree.check();
        assert_eq!(self.tree.iter(0..self.len(), false).count(), self.len());
    }

    fn hash(&self, name: &[u8]) -> u64 {
        self.table.hasher().of(name)
    }

    fn add_hashed(&mut self, hash: u64, name: &[u8], score: f64) {
        rest::keep(&mut self.rest, name, None, Some(score));
        let member = Member::new(name, score);
        let handle = member.handle();
        self.table.insert_new(hash, member);
        self.tree.insert(handle, score);
    }
}

impl Clone for Large {
    fn clone(&self) -> Large {
        let mut large = Large::new(*self.table.hasher());
        for member in self.tree.iter(0..self.len(), false) {
            large.add(member.name(), member.score());
        }
        large
    }
}
