//! A run of entries in one listpack, laid out as Redis and Valkey keep and save it.
//!
//! In front stands the master entry: live entries, deleted entries, number of fields, the fields,
//! and a zero. Each entry is: flags, milliseconds and number as differences to the master's id,
//! (number of fields, unless they are the master's,) fields and values or values alone, and the
//! number of elements of the entry, which is how it is found from behind.

use crate::compact::listpack::{Iter, Listpack, Position};
use crate::compact::{Corrupt, Element};

use super::Id;

/// The entry was deleted and is only passed over.
const DELETED: i64 = 1;

/// The entry has the master's fields and holds values alone.
const SAME_FIELDS: i64 = 2;

/// What a deletion leaves behind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Counts {
    pub live: u64,
    pub deleted: u64,
}

/// A run of entries. The master's id is its key in the stream.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pack: Listpack,
}

/// One entry of a stream.
#[derive(Clone)]
pub struct Entry<'a> {
    id: Id,
    flags: i64,
    at: Position,
    len: usize,
    names: Option<Iter<'a>>,
    rest: Iter<'a>,
}

/// The fields of an entry with their values.
#[derive(Clone)]
pub struct Pairs<'a> {
    left: usize,
    names: Option<Iter<'a>>,
    rest: Iter<'a>,
}

impl Node {
    /// A node with one entry, whose fields become the master's.
    pub fn new(pairs: &[&[u8]]) -> Node {
        let fields = pairs.len() / 2;
        let mut elements = Vec::with_capacity(pairs.len() + 8);
        elements.extend([Element::Int(1), Element::Int(0), Element::Int(fields as i64)]);
        elements.extend(pairs.iter().step_by(2).map(|name| Element::Str(name)));
        elements.extend([0, SAME_FIELDS, 0, 0].map(Element::Int));
        elements.extend(pairs.iter().skip(1).step_by(2).map(|value| Element::Str(value)));
        elements.push(Element::Int(fields as i64 + 3));
        Node { pack: Listpack::of(&elements) }
    }

    /// A node from outside, after a look at every entry: what it says of itself is true, and its
    /// ids ascend from the master's on.
    pub fn checked(pack: Listpack, master: Id) -> Result<Node, Corrupt> {
        match Checker::new(&pack, master).run() {
            Some(()) => Ok(Node { pack }),
            None => Err(Corrupt { offset: 0, what: "stream node whose entries make no sense" }),
        }
    }

    /// The listpack, as it is saved.
    pub fn pack(&self) -> &Listpack {
        &self.pack
    }

    /// Entries that are there and entries that are passed over.
    pub fn counts(&self) -> Counts {
        let mut all = self.pack.iter();
        Counts { live: int(&mut all) as u64, deleted: int(&mut all) as u64 }
    }

    /// Adds an entry behind all others.
    pub fn push(&mut self, master: Id, id: Id, pairs: &[&[u8]]) {
        let mut all = self.pack.iter();
        let (first, live) = all.next().expect("a node has a master entry");
        let live = as_int(live);
        int(&mut all);
        let fields = pairs.len() / 2;
        let same = int(&mut all) == fields as i64 && self.names_match(all, pairs);
        let mut elements = Vec::with_capacity(pairs.len() + 5);
        elements.push(Element::Int(if same { SAME_FIELDS } else { 0 }));
        elements.push(Element::Int(id.ms.wrapping_sub(master.ms) as i64));
        elements.push(Element::Int(id.seq.wrapping_sub(master.seq) as i64));
        if same {
            elements.extend(pairs.iter().skip(1).step_by(2).map(|value| Element::Str(value)));
        } else {
            elements.push(Element::Int(fields as i64));
            elements.extend(pairs.iter().map(|text| Element::Str(text)));
        }
        elements.push(Element::Int(elements.len() as i64));
        self.pack.append(&elements);
        self.pack.replace(first, live + 1);
    }

    /// Whether the names in `pairs` are the master's, which begin at `names`.
    fn names_match(&self, names: Iter<'_>, pairs: &[&[u8]]) -> bool {
        let mut room = crate::number::Text::new();
        names.zip(pairs.iter().step_by(2)).all(|((_, own), name)| own.text(&mut room) == *name)
    }

    /// All entries, deleted ones too.
    pub fn entries(&self, master: Id) -> Entries<'_> {
        let head = Head::new(&self.pack, master);
        Entries { rest: head.behind.clone(), head }
    }

    /// All entries from the last to the first, deleted ones too.
    pub fn entries_back(&self, master: Id) -> EntriesBack<'_> {
        let head = Head::new(&self.pack, master);
        EntriesBack { pack: &self.pack, rest: self.pack.iter(), head }
    }

    /// The id of the last entry, deleted or not.
    pub fn last_id(&self, master: Id) -> Id {
        self.entries_back(master).next().map_or(master, |entry| entry.id)
    }

    /// Marks entries as deleted: those at `marks`, which are live ones.
    pub fn delete(&mut self, marks: &[(Position, i64)]) -> Counts {
        // The flags are numbers below 64, so the entries keep their size and their places.
        for &(at, flags) in marks {
            self.pack.replace(at, flags | DELETED);
        }
        let before = self.counts();
        let deleted = marks.len() as u64;
        let counts = Counts { live: before.live - deleted, deleted: before.deleted + deleted };
        let first = self.pack.first().expect("a node has a master entry");
        self.pack.replace(first, counts.live as i64);
        let second = self.pack.next(first).expect("a master entry has two counts");
        self.pack.replace(second, counts.deleted as i64);
        counts
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
        Pairs { left: self.len, names: self.names.clone(), rest: self.rest.clone() }
    }

    /// Whether it was deleted.
    pub(super) fn is_deleted(&self) -> bool {
        self.flags & DELETED != 0
    }

    /// What [`Node::delete`] needs to know of it.
    pub(super) fn mark(&self) -> (Position, i64) {
        (self.at, self.flags)
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (Element<'a>, Element<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let (_, name) = self.names.as_mut().unwrap_or(&mut self.rest).next()?;
        let (_, value) = self.rest.next()?;
        Some((name, value))
    }
}

/// What all entries of a node share.
#[derive(Clone)]
struct Head<'a> {
    master: Id,
    fields: usize,
    names: Iter<'a>,
    behind: Iter<'a>,
}

impl<'a> Head<'a> {
    #[inline]
    fn new(pack: &'a Listpack, master: Id) -> Head<'a> {
        let mut all = pack.iter();
        int(&mut all);
        int(&mut all);
        let fields = int(&mut all) as usize;
        let names = all.clone();
        for _ in 0..=fields {
            all.next();
        }
        Head { master, fields, names, behind: all }
    }

    /// The entry that begins at `rest`, which stands behind it afterwards.
    #[inline]
    fn entry(&self, rest: &mut Iter<'a>) -> Option<Entry<'a>> {
        let (at, flags) = rest.next()?;
        let flags = as_int(flags);
        let ms = self.master.ms.wrapping_add(int(rest) as u64);
        let seq = self.master.seq.wrapping_add(int(rest) as u64);
        let same = flags & SAME_FIELDS != 0;
        let len = if same { self.fields } else { int(rest) as usize };
        let names = same.then(|| self.names.clone());
        let entry = Entry { id: Id { ms, seq }, flags, at, len, names, rest: rest.clone() };
        for _ in 0..if same { len } else { 2 * len } {
            rest.next();
        }
        rest.next();
        Some(entry)
    }
}

/// Looks at a node that nobody has looked at; each step is nothing when something is wrong.
struct Checker<'a> {
    all: Iter<'a>,
    master: Id,
}

impl<'a> Checker<'a> {
    fn new(pack: &'a Listpack, master: Id) -> Self {
        Self { all: pack.iter(), master }
    }

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

    fn run(mut self) -> Option<()> {
        let (live, deleted) = (self.count()?, self.count()?);
        let fields = self.count()?;
        self.skip(fields)?;
        (self.int()? == 0).then_some(())?;
        let total = live.checked_add(deleted)?;
        let (mut marked, mut before) = (0, None);
        for _ in 0..total {
            let (id, is_deleted) = self.entry(fields)?;
            (id >= self.master && before.is_none_or(|before| id > before)).then_some(())?;
            before = Some(id);
            marked += u64::from(is_deleted);
        }
        (marked == deleted && self.all.next().is_none()).then_some(())
    }

    /// The id of the next entry, and whether it is deleted.
    fn entry(&mut self, fields: u64) -> Option<(Id, bool)> {
        let flags = self.int()?;
        (flags & !(DELETED | SAME_FIELDS) == 0).then_some(())?;
        let ms = self.master.ms.wrapping_add(self.int()? as u64);
        let seq = self.master.seq.wrapping_add(self.int()? as u64);
        let elements = if flags & SAME_FIELDS != 0 {
            self.skip(fields)?;
            fields.checked_add(3)?
        } else {
            let own = self.count()?;
            self.skip(own.checked_mul(2)?)?;
            own.checked_mul(2)?.checked_add(4)?
        };
        (self.count()? == elements).then_some((Id { ms, seq }, flags & DELETED != 0))
    }
}

/// The entries of a node.
#[derive(Clone)]
pub(super) struct Entries<'a> {
    head: Head<'a>,
    rest: Iter<'a>,
}

impl<'a> Iterator for Entries<'a> {
    type Item = Entry<'a>;

    #[inline]
    fn next(&mut self) -> Option<Entry<'a>> {
        self.head.entry(&mut self.rest)
    }
}

/// The entries of a node from the last to the first.
#[derive(Clone)]
pub(super) struct EntriesBack<'a> {
    pack: &'a Listpack,
    head: Head<'a>,
    rest: Iter<'a>,
}

impl<'a> Iterator for EntriesBack<'a> {
    type Item = Entry<'a>;

    #[inline]
    fn next(&mut self) -> Option<Entry<'a>> {
        let (_, elements) = self.rest.next_back()?;
        // The master entry ends in a zero, where an entry has the number of its elements.
        let before = usize::try_from(as_int(elements)).ok()?.checked_sub(1)?;
        let (at, _) = self.rest.nth_back(before)?;
        self.head.entry(&mut self.pack.iter_from(at))
    }
}

#[inline]
fn int(elements: &mut Iter<'_>) -> i64 {
    elements.next().map_or(0, |(_, element)| as_int(element))
}

#[inline]
fn as_int(element: Element<'_>) -> i64 {
    match element {
        Element::Int(value) => value,
        Element::Str(_) => 0,
    }
}
