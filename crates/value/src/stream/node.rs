//! A run of entries, in fewer bytes than the listpack that Redis and Valkey keep and save.
//!
//! What the listpack says of every entry though it follows from the rest is left out: the length
//! behind each element, the number of elements of an entry, and a number of its own for what fits
//! a few bits. [`Node::pack`] makes the listpack, byte for byte, and [`Node::pack_size`] says how
//! long it is, since that is what ends a node. The layout, numbers of four bytes little endian,
//! others with seven bits a byte, the low ones first:
//!
//! ```text
//! length (4), live entries (4), deleted entries (4), bytes of the listpack but these counts (4)
//! number of the master's fields, their names
//! entry ...: flags, milliseconds beyond the master's id, [number beyond it,] [number of fields,]
//!            fields and values or values alone, bytes of all this, to be read from its end
//! ```
//!
//! The flags are: deleted (1), the master's fields (2), and in the upper six bits the entry's
//! number as a difference to the master's (0, -1, 1, -2 ... as 0, 1, 2, 3 ...), or 63 when that
//! stands apart. Elements are spelled as in a listpack.
//!
//! Invariant: the master's id, which is the node's key in the stream, is at most every entry's.

use crate::Pays;
use crate::compact::bytes::Bytes;
use crate::compact::listpack::bare::{self, Buffer};
use crate::compact::listpack::{Iter as PackIter, Listpack};
use crate::compact::{Corrupt, Element};

use super::Id;

/// The entry was deleted and is only passed over.
const DELETED: u8 = 1;

/// The entry has the master's fields and holds values alone.
const SAME_FIELDS: u8 = 2;

/// Where the number's difference begins in the flags.
const SEQ_SHIFT: u32 = 2;

/// The number's difference stands apart.
const SEQ_APART: u64 = 63;

/// Where the counts stand in the content: live, deleted, bytes of the listpack.
const LIVE: usize = 0;
const GONE: usize = 4;
const SIZE: usize = 8;

/// Where the number of the master's fields stands in the content.
const FIELDS: usize = 12;

/// Bytes in front of the content, which its length takes.
const PREFIX: usize = crate::compact::bytes::PREFIX;

/// Bytes of a listpack without entries, and of the zero behind the master's fields.
const PACK_FRAME: usize = 7 + 2;

/// What a deletion leaves behind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Counts {
    pub live: u64,
    pub deleted: u64,
}

/// A run of entries. The master's id is its key in the stream.
#[derive(Clone, Debug)]
pub(super) struct Node {
    bytes: Bytes,
}

/// Where an entry begins; it stays valid until entries are added.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark(usize);

/// One entry of a stream.
#[derive(Clone)]
pub struct Entry<'a> {
    id: Id,
    flags: u8,
    at: usize,
    len: usize,
    names: Option<Reader<'a>>,
    rest: Reader<'a>,
}

/// The fields of an entry with their values.
#[derive(Clone)]
pub struct Pairs<'a> {
    left: usize,
    names: Option<Reader<'a>>,
    rest: Reader<'a>,
}

/// A place in the content that moves forward.
#[derive(Clone, Copy)]
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Node {
    /// A node with one entry, whose fields become the master's.
    pub fn new(id: Id, pairs: &[&[u8]]) -> Node {
        let names = pairs.iter().step_by(2).map(|name| Element::Str(name));
        let mut node = Node::of_fields(pairs.len() / 2, names);
        node.push(id, id, pairs);
        node
    }

    /// Moves the entries where that pays.
    pub fn relocate(&mut self, pays: Pays<'_>) {
        self.bytes.relocate(pays);
    }

    /// A node without entries.
    fn of_fields<'e>(fields: usize, names: impl Iterator<Item = Element<'e>>) -> Node {
        let mut head = Buffer::from_slice(&[0; FIELDS]);
        let mut size = PACK_FRAME + Element::Int(fields as i64).size();
        put_number(fields as u64, &mut head);
        for name in names {
            size += bare::write(name, &mut head);
        }
        let mut node = Node { bytes: Bytes::new(&head) };
        node.set(SIZE, size);
        node
    }

    /// A node from outside, after a look at every entry: what it says of itself is true, and its
    /// ids ascend from the master's on.
    pub fn checked(pack: &Listpack, master: Id) -> Result<Node, Corrupt> {
        let wrong = Corrupt { offset: 0, what: "stream node whose entries make no sense" };
        Loader { all: pack.iter(), master }.run().ok_or(wrong)
    }

    /// The listpack, as it is saved.
    pub fn pack(&self, master: Id) -> Listpack {
        let (head, counts) = (Head::new(self, master), self.counts());
        let mut elements = vec![counts.live as i64, counts.deleted as i64, head.fields as i64]
            .into_iter()
            .map(Element::Int)
            .collect::<Vec<_>>();
        let mut names = head.names;
        elements.extend((0..head.fields).map(|_| names.element()));
        elements.push(Element::Int(0));
        for entry in self.entries(master) {
            let before = elements.len();
            let flags = entry.flags & (DELETED | SAME_FIELDS);
            elements.push(Element::Int(i64::from(flags)));
            elements.push(Element::Int(entry.id.ms.wrapping_sub(master.ms) as i64));
            elements.push(Element::Int(entry.id.seq.wrapping_sub(master.seq) as i64));
            let mut texts = entry.len;
            if entry.names.is_none() {
                elements.push(Element::Int(entry.len as i64));
                texts *= 2;
            }
            let mut rest = entry.rest;
            elements.extend((0..texts).map(|_| rest.element()));
            elements.push(Element::Int((elements.len() - before) as i64));
        }
        Listpack::of(&elements)
    }

    /// Bytes of the listpack.
    #[inline]
    pub fn pack_size(&self) -> usize {
        let count = |at| Element::Int(i64::from(self.get(at))).size();
        self.get(SIZE) as usize + count(LIVE) + count(GONE)
    }

    /// What the allocation takes, in bytes.
    pub fn allocated(&self) -> usize {
        self.bytes.allocated()
    }

    /// Entries that are there and entries that are passed over.
    #[inline]
    pub fn counts(&self) -> Counts {
        Counts { live: self.get(LIVE).into(), deleted: self.get(GONE).into() }
    }

    /// Adds an entry behind all others.
    pub fn push(&mut self, master: Id, id: Id, pairs: &[&[u8]]) {
        let mut names = Reader { bytes: self.bytes.content(), at: FIELDS };
        let same = names.number() == pairs.len() as u64 / 2 && names.match_names(pairs);
        let step = if same { 2 } else { 1 };
        let texts = pairs.iter().skip(step - 1).step_by(step).map(|text| Element::Str(text));
        self.append(master, id, same, false, pairs.len() / 2, texts);
    }

    /// Adds an entry of so many fields behind all others; `texts` are values, or fields and values.
    #[inline]
    fn append<'e>(
        &mut self,
        master: Id,
        id: Id,
        same: bool,
        deleted: bool,
        fields: usize,
        texts: impl Iterator<Item = Element<'e>>,
    ) {
        let (ms, seq) = (id.ms.wrapping_sub(master.ms), id.seq.wrapping_sub(master.seq) as i64);
        let (folded, mut entry) = (fold(seq), Buffer::new());
        let flags = u8::from(deleted) * DELETED + u8::from(same) * SAME_FIELDS;
        entry.push(flags | (folded.min(SEQ_APART) as u8) << SEQ_SHIFT);
        put_number(ms, &mut entry);
        // The flags have two bytes in a listpack.
        let mut size = 2 + Element::Int(ms as i64).size() + Element::Int(seq).size();
        if folded >= SEQ_APART {
            put_number(folded, &mut entry);
        }
        let mut elements = 3;
        if !same {
            put_number(fields as u64, &mut entry);
            size += Element::Int(fields as i64).size();
            elements += 1;
        }
        for text in texts {
            size += bare::write(text, &mut entry);
            elements += 1;
        }
        size += Element::Int(elements).size();
        let len = entry.len();
        bare::write_length(len, &mut entry);
        self.bytes.splice(self.bytes.len(), 0, [&entry, &[], &[]]);
        let count = if deleted { GONE } else { LIVE };
        self.set(count, self.get(count) as usize + 1);
        self.set(SIZE, self.get(SIZE) as usize + size);
    }

    /// All entries, deleted ones too.
    #[inline]
    pub fn entries(&self, master: Id) -> Entries<'_> {
        let head = Head::new(self, master);
        Entries { rest: head.behind, head }
    }

    /// All entries from the last to the first, deleted ones too.
    #[inline]
    pub fn entries_back(&self, master: Id) -> EntriesBack<'_> {
        EntriesBack { end: self.bytes.len() - PREFIX, head: Head::new(self, master) }
    }

    /// The id of the last entry, deleted or not.
    pub fn last_id(&self, master: Id) -> Id {
        self.entries_back(master).next().map_or(master, |entry| entry.id)
    }

    /// Marks entries as deleted, which are live ones.
    pub fn delete(&mut self, marks: &[Mark]) -> Counts {
        for &Mark(at) in marks {
            self.bytes.content_mut()[at] |= DELETED;
        }
        self.set(LIVE, self.get(LIVE) as usize - marks.len());
        self.set(GONE, self.get(GONE) as usize + marks.len());
        self.counts()
    }

    #[inline]
    fn get(&self, at: usize) -> u32 {
        let mut number = [0; 4];
        number.copy_from_slice(&self.bytes.content()[at..at + 4]);
        u32::from_le_bytes(number)
    }

    #[inline]
    fn set(&mut self, at: usize, number: usize) {
        let number = u32::try_from(number).expect("a node is far below 4 GiB");
        self.bytes.content_mut()[at..at + 4].copy_from_slice(&number.to_le_bytes());
    }
}

impl<'a> Entry<'a> {
    /// Its id.
    pub fn id(&self) -> Id {
        self.id
    }

    /// How many fields it has.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it has no field, which no command makes.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Its fields with their values.
    pub fn pairs(&self) -> Pairs<'a> {
        Pairs { left: self.len, names: self.names, rest: self.rest }
    }

    /// Whether it was deleted.
    pub(super) fn is_deleted(&self) -> bool {
        self.flags & DELETED != 0
    }

    /// What [`Node::delete`] needs to know of it.
    pub(super) fn mark(&self) -> Mark {
        Mark(self.at)
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (Element<'a>, Element<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let name = self.names.as_mut().unwrap_or(&mut self.rest).element();
        Some((name, self.rest.element()))
    }
}

impl<'a> Reader<'a> {
    /// A number with seven bits a byte.
    #[inline]
    fn number(&mut self) -> u64 {
        let (mut number, mut shift) = (0, 0);
        loop {
            let byte = self.bytes[self.at];
            self.at += 1;
            number |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return number;
            }
            shift += 7;
        }
    }

    #[inline]
    fn element(&mut self) -> Element<'a> {
        let (element, size) = bare::read(self.bytes, self.at);
        self.at += size;
        element
    }

    #[inline]
    fn skip(&mut self, elements: usize) {
        for _ in 0..elements {
            self.at += bare::size(self.bytes, self.at);
        }
    }

    /// Whether the names in `pairs` stand here.
    #[inline]
    fn match_names(mut self, pairs: &[&[u8]]) -> bool {
        let mut room = crate::number::Text::new();
        pairs.iter().step_by(2).all(|name| self.element().text(&mut room) == *name)
    }
}

/// What all entries of a node share.
#[derive(Clone)]
struct Head<'a> {
    master: Id,
    fields: usize,
    names: Reader<'a>,
    behind: Reader<'a>,
}

impl<'a> Head<'a> {
    #[inline]
    fn new(node: &'a Node, master: Id) -> Head<'a> {
        let mut behind = Reader { bytes: node.bytes.content(), at: FIELDS };
        let fields = behind.number() as usize;
        let names = behind;
        behind.skip(fields);
        Head { master, fields, names, behind }
    }

    /// The entry that begins at `rest`, which stands behind it afterwards.
    #[inline]
    fn entry(&self, rest: &mut Reader<'a>) -> Entry<'a> {
        let at = rest.at;
        let flags = rest.bytes[at];
        rest.at += 1;
        let ms = self.master.ms.wrapping_add(rest.number());
        let mut folded = u64::from(flags >> SEQ_SHIFT);
        if folded == SEQ_APART {
            folded = rest.number();
        }
        let seq = self.master.seq.wrapping_add(unfold(folded) as u64);
        let same = flags & SAME_FIELDS != 0;
        let len = if same { self.fields } else { rest.number() as usize };
        let names = same.then_some(self.names);
        let entry = Entry { id: Id { ms, seq }, flags, at, len, names, rest: *rest };
        rest.skip(if same { len } else { 2 * len });
        entry
    }
}

/// Makes a node of a listpack that nobody has looked at; each step is nothing when something is
/// wrong.
struct Loader<'a> {
    all: PackIter<'a>,
    master: Id,
}

impl Loader<'_> {
    fn int(&mut self) -> Option<i64> {
        match self.all.next()?.1 {
            Element::Int(value) => Some(value),
            Element::Str(_) => None,
        }
    }

    fn count(&mut self) -> Option<u64> {
        u64::try_from(self.int()?).ok()
    }

    fn skip(&mut self, elements: u64) -> Option<()> {
        (0..elements).try_for_each(|_| self.all.next().map(|_| ()))
    }

    fn run(mut self) -> Option<Node> {
        let (live, deleted) = (self.count()?, self.count()?);
        let fields = self.count()?;
        let names = self.all.clone();
        self.skip(fields)?;
        (self.int()? == 0).then_some(())?;
        let names = names.take(fields as usize).map(|(_, name)| name);
        let mut node = Node::of_fields(fields as usize, names);
        let mut before = None;
        for _ in 0..live.checked_add(deleted)? {
            let id = self.entry(fields, &mut node)?;
            (id >= self.master && before.is_none_or(|before| id > before)).then_some(())?;
            before = Some(id);
        }
        (node.counts() == Counts { live, deleted } && self.all.next().is_none()).then_some(node)
    }

    /// Takes the next entry; gives its id.
    fn entry(&mut self, fields: u64, node: &mut Node) -> Option<Id> {
        let flags = u8::try_from(self.int()?).ok()?;
        (flags & !(DELETED | SAME_FIELDS) == 0).then_some(())?;
        let ms = self.master.ms.wrapping_add(self.int()? as u64);
        let seq = self.master.seq.wrapping_add(self.int()? as u64);
        let same = flags & SAME_FIELDS != 0;
        let fields = if same { fields } else { self.count()? };
        let texts = if same { fields } else { fields.checked_mul(2)? };
        let all = self.all.clone();
        self.skip(texts)?;
        (self.count()? == texts.checked_add(if same { 3 } else { 4 })?).then_some(())?;
        let (id, is_deleted) = (Id { ms, seq }, flags & DELETED != 0);
        let texts = all.take(texts as usize).map(|(_, text)| text);
        node.append(self.master, id, same, is_deleted, fields as usize, texts);
        Some(id)
    }
}

/// The entries of a node.
#[derive(Clone)]
pub(super) struct Entries<'a> {
    head: Head<'a>,
    rest: Reader<'a>,
}

impl<'a> Iterator for Entries<'a> {
    type Item = Entry<'a>;

    #[inline]
    fn next(&mut self) -> Option<Entry<'a>> {
        if self.rest.at == self.rest.bytes.len() {
            return None;
        }
        let entry = self.head.entry(&mut self.rest);
        self.rest.at += bare::length_size(self.rest.at - entry.at);
        Some(entry)
    }
}

/// The entries of a node from the last to the first.
#[derive(Clone)]
pub(super) struct EntriesBack<'a> {
    head: Head<'a>,
    end: usize,
}

impl<'a> Iterator for EntriesBack<'a> {
    type Item = Entry<'a>;

    #[inline]
    fn next(&mut self) -> Option<Entry<'a>> {
        let first = self.head.behind;
        if self.end == first.at {
            return None;
        }
        let (len, width) = bare::read_length(&first.bytes[..self.end]);
        self.end -= len + width;
        Some(self.head.entry(&mut Reader { at: self.end, ..first }))
    }
}

/// Numbers near zero, of either sign, as small ones.
#[inline]
fn fold(number: i64) -> u64 {
    (number << 1 ^ number >> 63) as u64
}

/// What [`fold`] made of it.
#[inline]
fn unfold(folded: u64) -> i64 {
    (folded >> 1) as i64 ^ -((folded & 1) as i64)
}

/// Appends a number with seven bits a byte.
#[inline]
fn put_number(mut number: u64, out: &mut Buffer) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}
