//! From values to bytes.

use keyspace::{ValueRef, ValueView};
use value::array::Array;
use value::compact::lzf::Compressor;
use value::compact::{Element, Listpack};
use value::list::{List, Part};
use value::number::Text;
use value::set::{Compact, Set};
use value::stream::{Group, Id, Requests, Stream};
use value::{Hash, Zset};

use super::code::{self, element, kind, length, part, string};
use crate::snapshot::portion::{self, ALL, Place};

/// Strings up to this length are not worth compressing.
const COMPRESS_MIN: usize = 20;
/// Compression has to save at least so much.
const GAIN_MIN: usize = 4;

/// Strings up to this length, a quarter of a millisecond's work, are compressed in haste, too.
const HASTE_MAX: usize = 64 << 10;

/// Bytes of a long string that are compressed in one go, which takes some tens of microseconds, and
/// that are put in one go.
const COMPRESS_SOME: usize = 16 << 10;
const PUT_SOME: usize = 64 << 10;
/// So much of a long string is compressed to see whether that makes it shorter.
const TRIAL: usize = 256 << 10;
/// The steps of a long string: it is compressed, and what came of that is put, or itself.
const COMPRESSES: u8 = 0;
const PUTS_STREAM: u8 = 1;
const PUTS_PLAIN: u8 = 2;

/// Duration, size, producers, added and duplicates of a stream that no producer named requests to.
const NO_REQUESTS: [u64; 5] = [100, 100, 0, 0, 0];

/// Where bytes go.
pub trait Out {
    /// Adds bytes. What goes wrong is told when all is written.
    fn put(&mut self, bytes: &[u8]);
}

impl Out for Vec<u8> {
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// How values are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Style {
    /// The version that is wanted; 0 is the oldest that today's servers share. One that cannot
    /// hold the data is not heeded.
    pub version: u16,
    /// Whether long strings are compressed.
    pub compress: bool,
}

impl Default for Style {
    fn default() -> Self {
        Self { version: 0, compress: true }
    }
}

impl Style {
    /// The version of what has hash fields that expire, or has none.
    pub fn version_for(self, has_timed_fields: bool) -> u16 {
        let wanted = if self.version == 0 { code::VERSION } else { self.version };
        if has_timed_fields && wanted < code::REDIS_MIN { code::VALKEY } else { wanted }
    }
}

/// Writes values of one version.
pub(super) struct Encoder<O> {
    pub(super) out: O,
    version: u16,
    compress: bool,
    /// Whether somebody waits, so that long strings are not compressed.
    pub(super) in_haste: bool,
    compressor: Option<Compressor>,
    scratch: Vec<u8>,
}

impl<O: Out> Encoder<O> {
    pub(super) fn new(out: O, version: u16, compress: bool) -> Self {
        Self { out, version, compress, in_haste: false, compressor: None, scratch: Vec::new() }
    }

    pub(super) fn byte(&mut self, byte: u8) {
        self.out.put(&[byte]);
    }

    pub(super) fn length(&mut self, len: u64) {
        match len {
            0..0x40 => self.byte(len as u8),
            0x40..0x4000 => self.out.put(&[length::MIDDLE << 6 | (len >> 8) as u8, len as u8]),
            _ => match u32::try_from(len) {
                Ok(len) => {
                    self.byte(length::FOUR);
                    self.out.put(&len.to_be_bytes());
                }
                Err(_) => {
                    self.byte(length::EIGHT);
                    self.out.put(&len.to_be_bytes());
                }
            },
        }
    }

    pub(super) fn time_ms(&mut self, time_ms: i64) {
        self.out.put(&time_ms.to_le_bytes());
    }

    /// A string in the shortest way.
    pub(super) fn string(&mut self, bytes: &[u8]) {
        if let Some(number) = value::number::parse_i64(bytes)
            && self.short_int(number)
        {
            return;
        }
        let is_put_off = self.in_haste && bytes.len() > HASTE_MAX;
        let is_tried = self.compress && bytes.len() > COMPRESS_MIN && !is_put_off;
        if !is_tried || !self.lzf(bytes) {
            self.length(bytes.len() as u64);
            self.out.put(bytes);
        }
    }

    fn int(&mut self, number: i64) {
        if !self.short_int(number) {
            let mut text = Text::new();
            let text = text.of(number);
            self.length(text.len() as u64);
            self.out.put(text);
        }
    }

    /// A number of at most four bytes; false when it needs more.
    fn short_int(&mut self, number: i64) -> bool {
        let special = |encoding: u8| length::SPECIAL << 6 | encoding;
        let [a, b, c, d, ..] = number.to_le_bytes();
        match number {
            -0x80..=0x7f => self.out.put(&[special(string::INT_8), a]),
            -0x8000..=0x7fff => self.out.put(&[special(string::INT_16), a, b]),
            -0x8000_0000..=0x7fff_ffff => self.out.put(&[special(string::INT_32), a, b, c, d]),
            _ => return false,
        }
        true
    }

    fn lzf(&mut self, bytes: &[u8]) -> bool {
        let compressor = self.compressor.get_or_insert_with(Compressor::new);
        let mut stream = std::mem::take(&mut self.scratch);
        stream.clear();
        let len = compressor.compress(bytes, bytes.len() - GAIN_MIN, &mut stream);
        if len.is_some() {
            self.stream(&stream, bytes.len());
        }
        self.scratch = stream;
        len.is_some()
    }

    fn stream(&mut self, stream: &[u8], len: usize) {
        self.stream_head(stream.len(), len);
        self.out.put(stream);
    }

    fn stream_head(&mut self, stream_len: usize, len: usize) {
        self.byte(length::SPECIAL << 6 | string::LZF);
        self.length(stream_len as u64);
        self.length(len as u64);
    }

    /// A bit of a long string; whether that was the last. The streams of its parts, one behind the
    /// other, are a stream of the whole.
    fn long_string(&mut self, bytes: &[u8], place: &mut Place) -> bool {
        let at = place.count as usize;
        if place.step == COMPRESSES {
            self.compress_some(bytes, place);
            return false;
        }
        let source = if place.step == PUTS_STREAM { &self.scratch[..] } else { bytes };
        let end = source.len().min(at + PUT_SOME);
        self.out.put(&source[at..end]);
        place.count = end as u64;
        let is_last = end == source.len();
        if is_last {
            self.scratch = Vec::new();
        }
        is_last
    }

    /// Compresses a bit of a long string, and puts its head behind the last of them.
    fn compress_some(&mut self, bytes: &[u8], place: &mut Place) {
        let (at, mut gains) = (place.count as usize, false);
        if self.compress && !self.in_haste {
            if at == 0 {
                self.scratch.clear();
            }
            let end = bytes.len().min(at + COMPRESS_SOME);
            let compressor = self.compressor.get_or_insert_with(Compressor::new);
            compressor.compress(&bytes[at..end], usize::MAX, &mut self.scratch);
            place.count = end as u64;
            gains = self.scratch.len() + GAIN_MIN <= end;
            if end < bytes.len() && (gains || end < TRIAL) {
                return;
            }
        }
        place.next_step();
        if gains {
            place.step = PUTS_STREAM;
            self.stream_head(self.scratch.len(), bytes.len());
        } else {
            place.step = PUTS_PLAIN;
            self.length(bytes.len() as u64);
        }
    }

    fn element(&mut self, element: Element<'_>) {
        match element {
            Element::Int(number) => self.int(number),
            Element::Str(bytes) => self.string(bytes),
        }
    }

    fn pack(&mut self, pack: &Listpack) {
        self.string(pack.as_bytes());
    }

    /// The type of a value, as it is written in this version.
    pub(super) fn kind_of(&self, value: &ValueRef<'_>, place: &Place) -> u8 {
        let ValueRef::Object(value) = value else { return kind::STRING };
        match value {
            ValueView::List(list) if list.is_portable() => kind::LIST_QUICKLIST_2,
            ValueView::List(_) => kind::LIST,
            ValueView::Set(set) => match set.compact() {
                Some(Compact::Ints(_)) => kind::SET_INTSET,
                Some(Compact::Pack(pack))
                    if self.version > code::VERSION_7_0 && pack.is_portable() =>
                {
                    kind::SET_LISTPACK
                }
                _ => kind::SET,
            },
            ValueView::Zset(zset) => match zset.listpack() {
                Some(pack) if pack.is_portable() => kind::ZSET_LISTPACK,
                _ => kind::ZSET_2,
            },
            ValueView::Hash(hash) => self.kind_of_hash(hash, place),
            ValueView::Stream(stream) => self.kind_of_stream(stream),
            ValueView::Array(_) => kind::ARRAY,
        }
    }

    /// Pending entries without an owner, and what producers have sent, need types that only the
    /// newest servers read.
    fn kind_of_stream(&self, stream: &Stream) -> u8 {
        let has_unowned = |group: &Group| group.nacks(..).any(|(_, nack)| nack.owner().is_none());
        if stream.groups().any(|(_, group)| has_unowned(group)) {
            kind::STREAM_5
        } else if stream.requests().is_some() {
            kind::STREAM_4
        } else if self.version <= code::VERSION_7_0 {
            kind::STREAM_2
        } else {
            kind::STREAM_3
        }
    }

    fn kind_of_hash(&self, hash: &Hash, place: &Place) -> u8 {
        match hash.listpack() {
            Some(pack) if pack.is_portable() => kind::HASH_LISTPACK,
            _ if place.fields_due_ms.is_none() => kind::HASH,
            _ if self.version >= code::VALKEY => kind::HASH_2,
            _ => kind::HASH_EXPIRES,
        }
    }

    /// The whole value of a place, which has its type.
    pub(super) fn value(&mut self, value: &ValueRef<'_>, place: &mut Place) {
        self.some(value, place, ALL);
    }

    /// Up to so many elements of a value from a place on, which has its type, and at the first of
    /// them what stands before; whether none is left.
    pub(super) fn some(&mut self, value: &ValueRef<'_>, place: &mut Place, count: usize) -> bool {
        let is_first = !std::mem::replace(&mut place.is_begun, true);
        match value {
            ValueRef::Int(number) => self.int(*number),
            ValueRef::Inline(bytes) | ValueRef::Shared(bytes) if count != ALL => {
                return self.long_string(bytes, place);
            }
            ValueRef::Inline(bytes) | ValueRef::Shared(bytes) => self.string(bytes),
            ValueRef::Object(value) => return self.object(value, place, count, is_first),
        }
        true
    }

    fn object(
        &mut self,
        value: &ValueView<'_>,
        place: &mut Place,
        count: usize,
        is_first: bool,
    ) -> bool {
        match value {
            ValueView::List(list) => self.list(list, place, count, is_first),
            ValueView::Set(set) => self.set(set, place, count, is_first),
            ValueView::Zset(zset) => self.zset(zset, place, count, is_first),
            ValueView::Hash(hash) => self.hash(hash, place, count, is_first),
            ValueView::Stream(stream) => self.stream_value(stream, place, count, is_first),
            ValueView::Array(array) => self.array(array, place, count, is_first),
        }
    }

    fn list(&mut self, list: &List, place: &mut Place, count: usize, is_first: bool) -> bool {
        let is_plain = place.kind == kind::LIST;
        if is_first {
            self.length(if is_plain { list.len() } else { list.part_count() } as u64);
        }
        if is_plain {
            return portion::elements(list, place, count, |_, element| self.element(element));
        }
        portion::parts(list, place, count, |each| {
            let is_pack = matches!(each, Part::Pack(_) | Part::PackLzf(..));
            self.length(if is_pack { part::PACK } else { part::PLAIN });
            match each {
                Part::Pack(bytes) | Part::Plain(bytes) => self.string(bytes),
                Part::PackLzf(len, stream) | Part::PlainLzf(len, stream) => {
                    self.stream(stream, len);
                }
            }
        })
    }

    fn set(&mut self, set: &Set, place: &mut Place, count: usize, is_first: bool) -> bool {
        match set.compact() {
            Some(Compact::Ints(ints)) => self.string(ints.as_bytes()),
            Some(Compact::Pack(pack)) if place.kind == kind::SET_LISTPACK => self.pack(pack),
            _ => {
                if is_first {
                    self.length(place.len);
                }
                return portion::members(set, place, count, |_, member| self.element(member));
            }
        }
        true
    }

    /// Large ones from the highest score to the lowest, as servers do for the sake of their tables.
    fn zset(&mut self, zset: &Zset, place: &mut Place, count: usize, is_first: bool) -> bool {
        if let Some(pack) = zset.listpack().filter(|_| place.kind == kind::ZSET_LISTPACK) {
            self.pack(pack);
            return true;
        }
        if is_first {
            self.length(place.len);
        }
        portion::scored(zset, place, count, true, |_, member, score| {
            self.element(member);
            self.out.put(&score.to_le_bytes());
        })
    }

    fn hash(&mut self, hash: &Hash, place: &mut Place, count: usize, is_first: bool) -> bool {
        let kind = place.kind;
        if let Some(pack) = hash.listpack().filter(|_| kind == kind::HASH_LISTPACK) {
            self.pack(pack);
            return true;
        }
        let first_ms = place.fields_due_ms.unwrap_or(0);
        if is_first {
            if kind == kind::HASH_EXPIRES {
                self.time_ms(first_ms);
            }
            self.length(place.len);
        }
        portion::fields(hash, place, count, |_, name, value, deadline_ms| {
            if kind == kind::HASH_EXPIRES {
                // One more than the difference to the earliest, because zero says "never".
                let later = deadline_ms.map_or(0, |deadline_ms| deadline_ms - first_ms + 1);
                self.length(later as u64);
            }
            self.element(name);
            self.element(value);
            if kind == kind::HASH_2 {
                self.time_ms(deadline_ms.unwrap_or(-1));
            }
        })
    }

    fn stream_value(
        &mut self,
        stream: &Stream,
        place: &mut Place,
        count: usize,
        is_first: bool,
    ) -> bool {
        if is_first {
            self.length(stream.pack_count() as u64);
        }
        let is_through = portion::packs(stream, place, count, |master, pack| {
            self.string(&raw_id(master));
            self.pack(pack);
        });
        if is_through {
            self.stream_end(place.kind, stream);
        }
        is_through
    }

    fn stream_end(&mut self, kind: u8, stream: &Stream) {
        self.length(stream.len());
        for id in [stream.last_id(), stream.first_id(), stream.max_deleted_id()] {
            self.length(id.ms);
            self.length(id.seq);
        }
        self.length(stream.entries_added());
        let groups = stream.groups();
        self.length(groups.len() as u64);
        for (name, group) in groups {
            self.string(name);
            self.group(kind, group);
        }
        if kind >= kind::STREAM_4 {
            match stream.requests() {
                Some(requests) => self.requests(requests),
                None => NO_REQUESTS.into_iter().for_each(|number| self.length(number)),
            }
        }
    }

    fn group(&mut self, kind: u8, group: &Group) {
        self.length(group.last_id.ms);
        self.length(group.last_id.seq);
        self.length(group.entries_read.unwrap_or(-1) as u64);
        self.length(group.pending() as u64);
        for (id, nack) in group.nacks(..) {
            self.out.put(&raw_id(*id));
            self.time_ms(nack.time_ms);
            self.length(nack.count);
        }
        let consumers = group.consumers();
        self.length(consumers.len() as u64);
        for consumer in consumers {
            self.string(consumer.name());
            self.time_ms(consumer.seen_ms);
            if kind >= kind::STREAM_3 {
                self.time_ms(consumer.active_ms);
            }
            self.length(consumer.pending() as u64);
            for id in consumer.ids(..) {
                self.out.put(&raw_id(*id));
            }
        }
        if kind >= kind::STREAM_5 {
            let unowned = || group.nacks(..).filter(|(_, nack)| nack.owner().is_none());
            self.length(unowned().count() as u64);
            unowned().for_each(|(id, _)| self.out.put(&raw_id(*id)));
        }
    }

    fn requests(&mut self, requests: &Requests) {
        self.length(requests.duration_s() as u64);
        self.length(requests.size_max() as u64);
        self.length(requests.producers() as u64);
        requests.each_producer(|producer, known| {
            self.string(producer);
            self.length(known.len() as u64);
            for (request, id) in known {
                self.string(request);
                self.length(id.ms);
                self.length(id.seq);
            }
        });
        self.length(requests.added());
        self.length(requests.duplicates());
    }

    fn array(&mut self, array: &Array, place: &mut Place, count: usize, is_first: bool) -> bool {
        if is_first {
            self.length(array.count());
            self.length(array.last_insert().is_some().into());
            array.last_insert().into_iter().for_each(|index| self.length(index));
        }
        portion::places(array, place, count, |_, index, each| {
            self.length(index);
            match each {
                Element::Int(number) if (-element::INT_END..element::INT_END).contains(&number) => {
                    self.length(element::INT);
                    self.out.put(&number.to_le_bytes());
                }
                each => {
                    let mut text = Text::new();
                    let text = each.text(&mut text);
                    let is_short = text.len() <= element::SHORT_MAX;
                    self.length(if is_short { element::SHORT } else { element::LONG });
                    self.string(text);
                }
            }
        })
    }
}

/// An id in the order of its bytes.
fn raw_id(id: Id) -> [u8; 16] {
    let mut raw = [0; 16];
    raw[..8].copy_from_slice(&id.ms.to_be_bytes());
    raw[8..].copy_from_slice(&id.seq.to_be_bytes());
    raw
}
