//! Walking over members by their ranks, whatever the form.

use std::ops::Range;

use super::member::Handle;
use super::{small, tree};
use crate::compact::{Element, Listpack, listpack};

/// Members and their scores.
pub struct Iter<'a>(Walk<'a>);

enum Walk<'a> {
    Small { entries: listpack::Iter<'a>, left: usize, reverse: bool },
    Large(tree::Iter<'a, Handle>),
}

impl<'a> Iter<'a> {
    pub(super) fn small(pack: &'a Listpack, ranks: Range<usize>, reverse: bool) -> Iter<'a> {
        let left = ranks.len();
        if left == 0 {
            return Iter(Walk::Small { entries: pack.iter(), left, reverse });
        }
        let entries = if reverse {
            let last = pack.seek(ranks.end * 2 - 1).expect("a rank within the listpack");
            pack.iter_to(last)
        } else {
            let first = pack.seek(ranks.start * 2).expect("a rank within the listpack");
            pack.iter_from(first)
        };
        Iter(Walk::Small { entries, left, reverse })
    }

    pub(super) fn large(members: tree::Iter<'a, Handle>) -> Iter<'a> {
        Iter(Walk::Large(members))
    }
}

impl<'a> Iterator for Iter<'a> {
    type Item = (Element<'a>, f64);

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Walk::Large(members) => {
                let member = members.next()?;
                Some((Element::Str(member.name()), member.score()))
            }
            Walk::Small { entries, left, reverse } => {
                *left = left.checked_sub(1)?;
                let (name, score) = if *reverse {
                    let score = entries.next_back()?.1;
                    (entries.next_back()?.1, score)
                } else {
                    (entries.next()?.1, entries.next()?.1)
                };
                Some((name, small::score_of(score)))
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = match &self.0 {
            Walk::Small { left, .. } => *left,
            Walk::Large(members) => members.len(),
        };
        (left, Some(left))
    }
}

impl ExactSizeIterator for Iter<'_> {}
