//! Portions of values: elements from a place on, so that a large value can be spelled in several
//! goes.
//!
//! It knows no format. Invariant: while a value does not change, the portions from the first place
//! to the end have each of its elements once.

use keyspace::{Entry, ValueRef, ValueView};
use value::array::{Array, INDEX_MAX};
use value::compact::{Element, Listpack};
use value::list::{List, Part};
use value::stream::{self, Id, Stream};
use value::{Hash, Set, Zset};

/// Elements of a portion. They may be long, so there are few.
pub const SOME: usize = 32;
/// All that there are.
pub const ALL: usize = usize::MAX;
/// Listpacks of a portion, each of them up to some kilobytes.
const PACKS: usize = 2;
/// Values with more elements are spelled in several goes, and strings with more bytes.
const LARGE: u64 = 2048;
const LONG: usize = 64 << 10;

/// How far a value is spelled.
#[derive(Clone, Copy, Default)]
pub struct Place {
    /// Whether something of it is there already.
    pub is_begun: bool,
    /// Which of the steps that a format has is the present one.
    pub step: u8,
    /// How many elements there are already in this step.
    pub count: u64,
    /// The type that a file gives the value.
    pub kind: u8,
    cursor: u64,
    id: Option<Id>,
}

impl Place {
    /// The beginning of a value of this type of a file.
    pub fn of(kind: u8) -> Self {
        Self { kind, ..Self::default() }
    }

    /// The beginning of another step over the same value.
    pub fn next_step(&mut self) {
        *self = Self { is_begun: true, step: self.step + 1, kind: self.kind, ..Self::default() };
    }

    fn go(&mut self, next: u64) -> bool {
        self.cursor = next;
        next == 0
    }
}

/// Whether an entry's value is spelled in several goes.
pub fn is_large(entry: &Entry) -> bool {
    let value = match entry.value() {
        ValueRef::Object(value) => value,
        ValueRef::Inline(bytes) | ValueRef::Shared(bytes) => return bytes.len() > LONG,
        ValueRef::Int(_) => return false,
    };
    let elements = match value {
        ValueView::List(list) => list.len() as u64,
        ValueView::Set(set) => set.len() as u64,
        ValueView::Zset(zset) => zset.len() as u64,
        ValueView::Hash(hash) => hash.len() as u64,
        ValueView::Stream(stream) => stream.len(),
        ValueView::Array(array) => array.count(),
    };
    elements > LARGE
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
    let next = match count {
        ALL => {
            set.each(counted);
            0
        }
        _ => set.scan(place.cursor, count as u64, &mut counted),
    };
    place.count = number;
    place.go(next)
}

/// Members of a sorted set by their ranks; whether none is left.
pub fn scored(
    zset: &Zset,
    place: &mut Place,
    count: usize,
    reverse: bool,
    mut each: impl FnMut(u64, Element<'_>, f64),
) -> bool {
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
    let next = match count {
        ALL => {
            let pairs = hash.iter();
            pairs.for_each(|pair| counted(pair.name(), pair.value(), pair.deadline_ms()));
            0
        }
        _ => hash.scan_timed(place.cursor, count as u64, &mut counted),
    };
    place.count = number;
    place.go(next)
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
