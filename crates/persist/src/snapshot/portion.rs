//! Portions of values: elements from a place on, so that a large value can be spelled in several
//! goes.
//!
//! It knows no format. Invariant: the portions from the first place to the end have each element
//! once that the value had when the place was made, while the value does not change, or from the
//! moment on when it was claimed for the place ([`Place::claim`]).

use keyspace::{Entry, ValueMut, ValueRef, ValueView};
use value::array::{Array, INDEX_MAX};
use value::compact::{Element, Listpack};
use value::hash::Field;
use value::list::{List, Part};
use value::number::Text;
use value::stream::{self, Id, Stream};
use value::zset::Last;
use value::{Claim, Hash, Set, Zset};

/// Elements of a portion. They may be long, so there are few.
pub const SOME: usize = 32;
/// All that there are.
pub const ALL: usize = usize::MAX;
/// Listpacks of a portion, each of them up to some kilobytes.
const PACKS: usize = 2;
/// Values with more elements are spelled in several goes, and strings with more bytes.
const LARGE: u64 = 2048;
const LONG: usize = 64 << 10;

/// How far a value is spelled, and what it was when the place was made.
#[derive(Default)]
pub struct Place {
    /// Whether something of it is there already.
    pub is_begun: bool,
    /// Which of the steps that a format has is the present one.
    pub step: u8,
    /// How many elements there are already in this step.
    pub count: u64,
    /// The type that a file gives the value.
    pub kind: u8,
    /// How many elements it has.
    pub len: u64,
    /// When the key expires, in Unix milliseconds.
    pub deadline_ms: Option<i64>,
    /// When the first field expires, in Unix milliseconds.
    pub fields_due_ms: Option<i64>,
    /// The key's access word.
    pub access: u32,
    /// The order of a sorted set.
    reverse: bool,
    cursor: u64,
    id: Option<Id>,
    left: Option<Box<Left>>,
}

/// How far a value is spelled that changes meanwhile.
struct Left {
    claim: Claim,
    /// The member of a sorted set that was spelled last.
    last: Last,
    /// Whether only what the value has kept is left, and the last name of that.
    is_for_kept: bool,
    behind: Option<Box<[u8]>>,
}

impl Place {
    /// The beginning of an entry's value.
    pub fn of(entry: &Entry) -> Self {
        let place = Self::of_value(&entry.value());
        Self { deadline_ms: entry.deadline_ms(), access: entry.access(), ..place }
    }

    /// The beginning of a value.
    pub fn of_value(value: &ValueRef<'_>) -> Self {
        let ValueRef::Object(value) = value else { return Self::default() };
        let fields_due_ms = match value {
            ValueView::Hash(hash) => hash.next_due_ms(),
            _ => None,
        };
        Self { len: value.elements(), fields_due_ms, ..Self::default() }
    }

    /// The beginning of another step over the same value.
    pub fn next_step(&mut self) {
        (self.step, self.count, self.cursor) = (self.step + 1, 0, 0);
    }

    /// Lets an entry's value keep what is not spelled yet while it changes. False when it cannot:
    /// then the rest is to be spelled before it changes.
    pub fn claim(&mut self, entry: &mut Entry) -> bool {
        let (claim, mut last) = (Claim::default(), None);
        let is_kept = match entry.object_mut() {
            Some(ValueMut::Hash(hash)) => hash.claim(&claim, self.cursor),
            Some(ValueMut::Set(set)) => set.claim(&claim, self.cursor),
            Some(ValueMut::Zset(zset)) => {
                last = self.last_of(zset);
                zset.claim(&claim, self.reverse, last.clone())
            }
            _ => false,
        };
        if is_kept {
            self.left = Some(Box::new(Left { claim, last, is_for_kept: false, behind: None }));
        }
        is_kept
    }

    /// What tells the claim from others, once there is one.
    pub fn claim_id(&self) -> Option<usize> {
        self.left.as_ref().map(|left| left.claim.id())
    }

    /// Tells a value that was claimed how far it is spelled, and that what was kept until there
    /// need not be kept any more.
    pub fn tell(&self, entry: &mut Entry) {
        let is_met = |left: &Left| self.count > 0 || self.cursor > 0 || left.is_for_kept;
        let Some(left) = self.left.as_deref().filter(|left| is_met(left)) else { return };
        let cursor = if left.is_for_kept { 0 } else { self.cursor };
        match entry.object_mut() {
            Some(ValueMut::Hash(hash)) => hash.set_read(cursor),
            Some(ValueMut::Set(set)) => set.set_read(cursor),
            Some(ValueMut::Zset(zset)) => zset.set_read(self.reverse, left.last.clone()),
            _ => {}
        }
        // Bit by bit, as it was spelled: to let go millions at once would take long.
        let Some(behind) = left.behind.as_deref() else { return };
        match entry.object_mut() {
            Some(ValueMut::Hash(hash)) => hash.forget_kept(behind),
            Some(ValueMut::Set(set)) => set.forget_kept(behind),
            Some(ValueMut::Zset(zset)) => zset.forget_kept(behind),
            _ => {}
        }
    }

    /// Whether a value that was claimed has been spelled with as many elements as it had.
    pub fn is_sound(&self) -> bool {
        self.left.is_none() || self.count == self.len
    }

    /// The member of a sorted set behind which the next one is spelled.
    fn last_of(&self, zset: &Zset) -> Last {
        let count = self.count as usize;
        let rank = if self.reverse { zset.len().checked_sub(count) } else { count.checked_sub(1) };
        let (name, score) = zset.at(rank.filter(|_| count > 0)?);
        Some((score, name.text(&mut Text::new()).into()))
    }

    fn is_for_kept(&self) -> bool {
        self.left.as_ref().is_some_and(|left| left.is_for_kept)
    }

    /// Goes on behind a walk over a table; whether that is at its end.
    fn go(&mut self, next: u64) -> bool {
        self.cursor = next;
        if let Some(left) = &mut self.left {
            left.is_for_kept = next == 0;
        }
        next == 0
    }
}

/// What tells the claim on an entry's value from others, if there is one.
pub fn claim_id(entry: &Entry) -> Option<usize> {
    entry.object().and_then(ValueView::claim_id)
}

/// Whether an entry's value is spelled in several goes.
pub fn is_large(entry: &Entry) -> bool {
    let value = match entry.value() {
        ValueRef::Object(value) => value,
        ValueRef::Inline(bytes) | ValueRef::Shared(bytes) => return bytes.len() > LONG,
        ValueRef::Int(_) => return false,
    };
    value.elements() > LARGE
}

/// Parts of a list; whether none is left.
pub fn parts(list: &List, place: &mut Place, count: usize, each: impl FnMut(Part<'_>)) -> bool {
    let (from, count) = (place.cursor as usize, count.div_ceil(SOME / PACKS));
    place.cursor += count as u64;
    list.parts(from, count, each)
}

/// Elements of a list; whether none is left.
pub fn elements(
    list: &List,
    place: &mut Place,
    count: usize,
    mut each: impl FnMut(u64, Element<'_>),
) -> bool {
    let (from, parts) = (place.cursor as usize, count.div_ceil(SOME / PACKS));
    place.cursor += parts as u64;
    list.elements_of_parts(from, parts, |element| {
        each(place.count, element);
        place.count += 1;
    })
}

/// Members of a set; whether none is left.
pub fn members(
    set: &Set,
    place: &mut Place,
    count: usize,
    mut each: impl FnMut(u64, Element<'_>),
) -> bool {
    let mut number = place.count;
    let mut counted = |member: Element<'_>| {
        each(number, member);
        number += 1;
    };
    let is_through = place.is_for_kept() || {
        let next = match count {
            _ if place.left.is_some() => set.scan_left(place.cursor, count as u64, &mut counted),
            ALL => {
                set.each(&mut counted);
                0
            }
            _ => set.scan(place.cursor, count as u64, &mut counted),
        };
        place.go(next)
    };
    let is_last = is_through
        && place.left.as_mut().is_none_or(|left| {
            left.behind = set.show_kept(left.behind.as_deref(), count, counted);
            left.behind.is_none()
        });
    place.count = number;
    is_last
}

/// Members of a sorted set by their ranks; whether none is left.
pub fn scored(
    zset: &Zset,
    place: &mut Place,
    count: usize,
    reverse: bool,
    mut each: impl FnMut(u64, Element<'_>, f64),
) -> bool {
    place.reverse = reverse;
    if let Some(left) = &mut place.left {
        let mut number = place.count;
        let mut counted = |member: Element<'_>, score| {
            each(number, member, score);
            number += 1;
        };
        if !left.is_for_kept {
            let last = left.last.as_ref().map(|(score, member)| (*score, &**member));
            left.last = zset.show_left(last, reverse, count, &mut counted);
            left.is_for_kept = left.last.is_none();
        }
        let is_last = left.is_for_kept && {
            left.behind = zset.show_kept(left.behind.as_deref(), count, counted);
            left.behind.is_none()
        };
        place.count = number;
        return is_last;
    }
    let (len, from) = (zset.len(), place.count as usize);
    let end = from.saturating_add(count).min(len);
    let ranks = if reverse { len - end..len - from } else { from..end };
    for (number, (member, score)) in (place.count..).zip(zset.iter(ranks, reverse)) {
        each(number, member, score);
    }
    place.count = end as u64;
    end == len
}

/// Fields of a hash with their deadlines; whether none is left.
pub fn fields(
    hash: &Hash,
    place: &mut Place,
    count: usize,
    mut each: impl FnMut(u64, Element<'_>, Element<'_>, Option<i64>),
) -> bool {
    let mut number = place.count;
    let mut counted = |name: Element<'_>, value: Element<'_>, deadline_ms| {
        each(number, name, value, deadline_ms);
        number += 1;
    };
    let is_through = place.is_for_kept() || {
        let next = match count {
            _ if place.left.is_some() => {
                hash.scan_left(place.cursor, count as u64, &mut |field| show(field, &mut counted))
            }
            ALL => {
                let pairs = hash.iter();
                pairs.for_each(|pair| counted(pair.name(), pair.value(), pair.deadline_ms()));
                0
            }
            _ => hash.scan_timed(place.cursor, count as u64, &mut counted),
        };
        place.go(next)
    };
    let is_last = is_through
        && place.left.as_mut().is_none_or(|left| {
            let behind = left.behind.as_deref();
            left.behind = hash.show_kept(behind, count, |field| show(field, &mut counted));
            left.behind.is_none()
        });
    place.count = number;
    is_last
}

fn show(field: &Field, each: &mut impl FnMut(Element<'_>, Element<'_>, Option<i64>)) {
    each(Element::Str(field.name()), Element::Str(field.value()), field.deadline_ms());
}

/// Nodes of a stream; whether none is left.
pub fn packs(
    stream: &Stream,
    place: &mut Place,
    count: usize,
    mut each: impl FnMut(Id, &Listpack),
) -> bool {
    let count = count.div_ceil(SOME / PACKS);
    let mut met = 0;
    for (master, pack) in stream.packs(place.id.unwrap_or(Id::MIN)).take(count) {
        each(master, &pack);
        met += 1;
        place.id = master.next();
    }
    met < count || place.id.is_none()
}

/// Entries of a stream; whether none is left.
pub fn entries(
    stream: &Stream,
    place: &mut Place,
    count: usize,
    mut each: impl FnMut(u64, &stream::Entry<'_>),
) -> bool {
    let mut met = 0;
    for entry in stream.range(place.id.unwrap_or(Id::MIN), Id::MAX).take(count) {
        each(place.count, &entry);
        place.count += 1;
        met += 1;
        place.id = entry.id().next();
    }
    met < count || place.id.is_none()
}

/// Elements of an array with their indexes; whether none is left.
pub fn places(
    array: &Array,
    place: &mut Place,
    count: usize,
    mut each: impl FnMut(u64, u64, Element<'_>),
) -> bool {
    let mut left = count;
    array.walk(place.cursor, INDEX_MAX, |index, element| {
        if left == 0 {
            return false;
        }
        each(place.count, index, element);
        place.count += 1;
        place.cursor = index.saturating_add(1);
        left -= 1;
        true
    });
    place.count == array.count()
}

#[cfg(test)]
mod tests;
