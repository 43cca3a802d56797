//! Sorted sets that change while somebody reads them bit by bit, in one of the two orders.

use std::cmp::Ordering;

use super::{Inner, Zset};
use crate::Claim;
use crate::compact::Element;
use crate::rest::Rest;

/// What a reader has claimed.
pub(super) type Claimed = Option<Box<Rest<Read, f64>>>;

/// How far a reader is.
pub(super) struct Read {
    reverse: bool,
    last: Last,
    is_all: bool,
}

/// The last member that was read with its score, unless none was.
pub type Last = Option<(f64, Box<[u8]>)>;

impl Zset {
    /// Keeps what a reader has not seen, who has read this member last, from the lowest or from the
    /// highest score on; false for a small sorted set, which is read at once.
    pub fn claim(&mut self, claim: &Claim, reverse: bool, last: Last) -> bool {
        let Inner::Large(large) = self.0.view_mut() else { return false };
        let read = Read { reverse, last, is_all: false };
        *large.rest_mut() = Some(Box::new(Rest::new(claim, read)));
        true
    }

    /// Whose claim it was that was made last.
    pub fn claim_id(&self) -> Option<usize> {
        let Inner::Large(large) = self.0.view() else { return None };
        large.rest().as_ref().map(|rest| rest.claim_id())
    }

    /// Says which member the reader who has claimed it has read last; `None` is the end of all.
    pub fn set_read(&mut self, reverse: bool, last: Last) {
        if let Inner::Large(large) = self.0.view_mut()
            && let Some(rest) = large.rest_mut()
        {
            rest.read = Read { reverse, is_all: last.is_none(), last };
        }
    }

    /// Lets go what was kept up to a name, for the reader who has read all else and this.
    pub fn forget_kept(&mut self, upto: &[u8]) {
        if let Inner::Large(large) = self.0.view_mut()
            && let Some(rest) = large.rest_mut()
        {
            rest.forget(upto);
        }
    }

    /// Keeps nothing for a reader any more.
    pub fn release(&mut self) {
        if let Inner::Large(large) = self.0.view_mut() {
            *large.rest_mut() = None;
        }
    }

    /// Looks at up to `count` members behind one, and shows those to who has claimed them that are
    /// left to be read. Returns the last one, or nothing at the end.
    pub fn show_left(
        &self,
        last: Option<(f64, &[u8])>,
        reverse: bool,
        count: usize,
        mut each: impl FnMut(Element<'_>, f64),
    ) -> Last {
        let Inner::Large(large) = self.0.view() else { return None };
        let rest = large.rest().as_ref()?;
        let ranks = large.ranks_behind(last, reverse, count);
        let is_end = if reverse { ranks.start == 0 } else { ranks.end == large.len() };
        let mut last = None;
        for member in large.iter(ranks, reverse) {
            if !rest.has_noted(member.name()) {
                each(Element::Str(member.name()), member.score());
            }
            last = Some(member);
        }
        last.filter(|_| !is_end).map(|member| (member.score(), member.name().into()))
    }

    /// Shows up to so many members that were kept, with the scores that they had, from behind one
    /// on. Returns the last one that was looked at, or nothing when none is left.
    pub fn show_kept(
        &self,
        behind: Option<&[u8]>,
        count: usize,
        mut each: impl FnMut(Element<'_>, f64),
    ) -> Option<Box<[u8]>> {
        let Inner::Large(large) = self.0.view() else { return None };
        let rest = large.rest().as_ref()?;
        rest.show_noted(behind, count, |name, score| each(Element::Str(name), *score))
    }
}

impl Read {
    fn has_passed(&self, score: f64, name: &[u8]) -> bool {
        let Some((last_score, last_name)) = &self.last else { return self.is_all };
        let order = order((score, name), (*last_score, last_name));
        if self.reverse { order.is_ge() } else { order.is_le() }
    }
}

/// How two members with their scores stand to each other.
pub(super) fn order(one: (f64, &[u8]), other: (f64, &[u8])) -> Ordering {
    let by_score = one.0.partial_cmp(&other.0).expect("no score is NaN");
    by_score.then_with(|| one.1.cmp(other.1))
}

/// Lets who has claimed the rest know of a member that is about to have another score, to come or
/// to go.
#[inline]
pub(super) fn keep(rest: &mut Claimed, name: &[u8], old: Option<f64>, new: Option<f64>) {
    if rest.is_some() {
        keep_now(rest, name, old, new);
    }
}

#[cold]
fn keep_now(claimed: &mut Claimed, name: &[u8], old: Option<f64>, new: Option<f64>) {
    let Some(rest) = claimed.as_mut().filter(|rest| rest.is_wanted()) else {
        *claimed = None;
        return;
    };
    let is_ahead = |score: &f64| !rest.read.has_passed(*score, name);
    let was = old.filter(is_ahead);
    // One that was read, or is new, is not to be met where it goes.
    if (was.is_some() || new.is_some_and(|score| is_ahead(&score))) && !rest.has_noted(name) {
        rest.note(name, was);
    }
}
