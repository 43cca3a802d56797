//! The small form: a listpack of member, score, member, score ... in order.

use std::cmp::Ordering;

use super::range::{LexRange, ScoreRange};
use super::score::{self, Room};
use crate::compact::listpack::Iter;
use crate::compact::{Element, Listpack, Position};
use crate::number::Text;

/// The score that an element of the listpack stands for.
pub(super) fn score_of(element: Element<'_>) -> f64 {
    score::parse(element)
}

/// Where a member stands, and its score.
pub(super) fn find(pack: &Listpack, name: &[u8]) -> Option<(Position, f64)> {
    let at = pack.find(name, 1)?;
    let score = pack.next(at).expect("a score stands behind each member");
    Some((at, score_of(pack.get(score))))
}

/// The rank and the score of a member.
pub(super) fn rank(pack: &Listpack, name: &[u8]) -> Option<(usize, f64)> {
    let (at, score) = find(pack, name)?;
    Some((pack.iter_to(at).count() / 2, score))
}

/// Adds a member that is absent, in its place.
pub(super) fn insert(pack: &mut Listpack, name: &[u8], score: f64) {
    match first_behind(pairs(pack), name, score) {
        Some(at) => put(pack, at, name, score),
        None => push(pack, name, score),
    }
}

/// Adds a member that comes behind all others.
pub(super) fn push(pack: &mut Listpack, name: &[u8], score: f64) {
    let mut room = Room::new();
    pack.append(&[Element::Str(name), room.element(score)]);
}

/// Gives the member at `at`, whose score is `old`, another score. Only the members between its
/// place and the new one are looked at when the score rises.
pub(super) fn move_to(pack: &mut Listpack, at: Position, name: &[u8], old: f64, score: f64) {
    let score_at = pack.next(at).expect("a score stands behind each member");
    let rest = pack.next(score_at);
    if score < old {
        let to = first_behind(pairs(pack), name, score).expect("its old place is behind the new");
        if to == at {
            return pack.replace(score_at, Room::new().element(score));
        }
        pack.delete_run(at, 2);
        return put(pack, to, name, score);
    }
    let others = rest.map(|rest| pairs_of(pack.iter_from(rest)));
    match others.map(|others| first_behind(others, name, score)) {
        // What is behind the present place stays there, or nothing is.
        None => pack.replace(score_at, Room::new().element(score)),
        Some(to) if to == rest => pack.replace(score_at, Room::new().element(score)),
        Some(to) => {
            match to {
                Some(to) => put(pack, to, name, score),
                None => push(pack, name, score),
            }
            pack.delete_run(at, 2);
        }
    }
}

/// Removes a member; its score, if it was there.
pub(super) fn remove(pack: &mut Listpack, name: &[u8]) -> Option<f64> {
    let (at, score) = find(pack, name)?;
    pack.delete_run(at, 2);
    Some(score)
}

/// The first rank within a range, and the first behind it.
pub(super) fn ranks_of_scores(pack: &Listpack, range: &ScoreRange) -> (usize, usize) {
    let mut ranks = (0, 0);
    for (_, _, score) in pairs(pack) {
        if !range.reaches(score) {
            break;
        }
        ranks.0 += usize::from(range.is_after(score));
        ranks.1 += 1;
    }
    ranks
}

/// The run of members within a range that begins with the first member, or ends with the last,
/// that is not outside at that end. It matters only when scores differ.
pub(super) fn ranks_of_names(
    pack: &Listpack,
    range: &LexRange<'_>,
    reverse: bool,
) -> (usize, usize) {
    let mut room = Text::new();
    let (mut is_after, mut reaches) = (Vec::new(), Vec::new());
    for (_, name, _) in pairs(pack) {
        let name = name.text(&mut room);
        is_after.push(range.is_after(name));
        reaches.push(range.reaches(name));
    }
    let len = reaches.len();
    let is_outside = is_after.last().is_none_or(|after| *after) || !reaches[0];
    if is_outside {
        return (0, 0);
    }
    if reverse {
        let end = (0..len).rev().find(|&rank| reaches[rank]).map_or(0, |rank| rank + 1);
        let start = (0..end).rev().find(|&rank| is_after[rank]).map_or(0, |rank| rank + 1);
        return (start, end);
    }
    let start = (0..len).find(|&rank| !is_after[rank]).unwrap_or(len);
    let end = (start..len).find(|&rank| !reaches[rank]).unwrap_or(len);
    (start, end)
}

/// Puts a member in front of the one at `at`.
fn put(pack: &mut Listpack, at: Position, name: &[u8], score: f64) {
    pack.insert_all_before(at, &[Element::Str(name), Room::new().element(score)]);
}

/// The first of the pairs that comes behind a member with this score.
fn first_behind<'a>(
    mut pairs: impl Iterator<Item = (Position, Element<'a>, f64)>,
    name: &[u8],
    score: f64,
) -> Option<Position> {
    let found = pairs.find(|(_, other, other_score)| match other_score.partial_cmp(&score) {
        Some(Ordering::Greater) => true,
        Some(Ordering::Equal) => other.text(&mut Text::new()) >= name,
        _ => false,
    });
    found.map(|(at, ..)| at)
}

fn pairs(pack: &Listpack) -> impl Iterator<Item = (Position, Element<'_>, f64)> {
    pairs_of(pack.iter())
}

fn pairs_of(mut entries: Iter<'_>) -> impl Iterator<Item = (Position, Element<'_>, f64)> {
    std::iter::from_fn(move || {
        let (at, name) = entries.next()?;
        let (_, score) = entries.next()?;
        Some((at, name, score_of(score)))
    })
}
