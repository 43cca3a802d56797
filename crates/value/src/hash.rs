//! Hashes: fields with values, some of which may expire.
//!
//! A small hash is a listpack of names and values by turns, a large one a table with one
//! allocation a field; it never becomes small again. Knows no key, clock or random source.
//! Invariants: a small hash has no field that expires; exactly the fields that do stand in
//! [`Large::due`] with their deadline and the hash of their name.

use std::collections::{BTreeSet, HashSet};

use table::{Entry, Ref, Table};

use crate::compact::bytes::size_class;
use crate::compact::listpack::Iter as PackIter;
use crate::compact::word::{Form, Marker, Pair as Word};
use crate::compact::{Element, Listpack};
use crate::object::table_line;
use crate::relocate::TOGETHER;
use crate::rest::{Cursor, Rest};
use crate::{KeyHash, Limits, Pays, Step, relocate};

mod field;
mod parts;
mod rest;
#[cfg(test)]
mod tests;

pub use field::Field;

/// Random picks of a large hash go without a list of all fields when they are so few of it.
const FEW: usize = 3;
/// Places looked at for each field that was asked for, before a call of [`Hash::scan`] ends.
const STEPS_PER_FIELD: u64 = 10;

/// A hash.
#[derive(Clone, Debug)]
pub struct Hash(Word<Listpack, Marker<Large, LARGE>>);

/// The mark of a large hash's handle.
const LARGE: usize = 1;

struct Large {
    table: Table<Field, KeyHash>,
    due: BTreeSet<(i64, u64)>,
    /// What a reader has claimed.
    rest: Option<Box<Rest<Cursor, Field>>>,
}

/// What decides the form of a hash.
#[derive(Clone, Copy)]
pub struct Rules<'a> {
    /// Where small forms end.
    pub limits: &'a Limits,
    /// The hash function of tables.
    pub hasher: KeyHash,
}

/// What becomes of a field's deadline when its value is set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Time {
    /// It stays.
    Keep,
    /// The field does not expire.
    Never,
    /// At this time, in Unix milliseconds.
    At(i64),
}

/// A field of a hash, for looking at.
pub enum Pair<'a> {
    /// Of a small hash: name and value.
    Small(Element<'a>, Element<'a>),
    /// Of a large one.
    Large(Ref<'a, Field>),
}

impl Pair<'_> {
    /// The field's name.
    #[inline]
    pub fn name(&self) -> Element<'_> {
        match self {
            Self::Small(name, _) => *name,
            Self::Large(field) => Element::Str(field.name()),
        }
    }

    /// The value.
    #[inline]
    pub fn value(&self) -> Element<'_> {
        match self {
            Self::Small(_, value) => *value,
            Self::Large(field) => Element::Str(field.value()),
        }
    }

    /// When the field expires, in Unix milliseconds.
    pub fn deadline_ms(&self) -> Option<i64> {
        match self {
            Self::Small(..) => None,
            Self::Large(field) => field.deadline_ms(),
        }
    }
}

impl Default for Hash {
    fn default() -> Self {
        Self::new()
    }
}

impl Hash {
    /// An empty hash.
    pub fn new() -> Self {
        Self(Form::Small(Listpack::new()).into())
    }

    /// A hash of names and values by turns; the caller has checked that no name comes twice.
    pub fn from_listpack(pack: Listpack) -> Self {
        Self(Form::Small(pack).into())
    }

    /// The listpack of a small hash.
    pub fn listpack(&self) -> Option<&Listpack> {
        match self.0.view() {
            Form::Small(pack) => Some(pack),
            Form::Large(_) => None,
        }
    }

    /// See [`crate::ValueView::is_hashed`].
    #[inline]
    pub(crate) fn is_hashed(&self) -> bool {
        matches!(self.0.view(), Form::Large(_))
    }

    /// See [`crate::ValueView::line`].
    #[inline]
    pub(crate) fn line(&self, step: Step) -> Option<*const u8> {
        match self.0.view() {
            Form::Small(pack) => pack.line(step),
            Form::Large(large) => table_line(large, &large.table, step),
        }
    }

    /// See [`crate::ValueMut::relocate`].
    pub(crate) fn relocate(&mut self, cursor: u64, count: usize, pays: Pays<'_>) -> u64 {
        let large = match self.0.view_mut() {
            Form::Small(pack) => {
                pack.relocate(pays);
                return 0;
            }
            Form::Large(large) => large,
        };
        if cursor == 0 {
            large.relocate(pays);
            relocate::set(&mut large.due, pays);
        }
        large.table.scan_mut(cursor, count.min(TOGETHER), &mut |field: &mut Field| {
            if pays(field.address()) {
                *field = field.clone();
            }
        })
    }

    /// What OBJECT ENCODING replies.
    pub fn encoding(&self) -> &'static str {
        match self.0.view() {
            Form::Small(_) => "listpack",
            Form::Large(_) => "hashtable",
        }
    }

    /// Whether a key that holds it ceases to exist.
    pub fn is_vacant(&self) -> bool {
        match self.0.view() {
            Form::Small(pack) => pack.is_empty(),
            Form::Large(large) => large.table.is_empty(),
        }
    }

    /// Bytes asked of the allocator; of a large hash an estimate from `samples` fields (0: all).
    pub fn memory(&self, samples: usize) -> usize {
        let large = match self.0.view() {
            Form::Small(pack) => return pack.allocated(),
            Form::Large(large) => large,
        };
        let len = large.table.len();
        let seen = if samples == 0 { len } else { samples.min(len) };
        let fields: usize = large.table.iter().take(seen).map(|field| field.allocated()).sum();
        let due = large.due.len() * size_of::<(i64, u64)>() * 3 / 2;
        let fields = fields * len / seen.max(1);
        size_class(size_of::<Large>()) + large.table.memory() + due + fields
    }

    /// How many allocations freeing it takes, roughly.
    pub fn effort(&self) -> usize {
        match self.0.view() {
            Form::Small(_) => 1,
            Form::Large(large) => large.table.len(),
        }
    }

    /// The number of fields.
    pub fn len(&self) -> usize {
        match self.0.view() {
            Form::Small(pack) => pack.len() / 2,
            Form::Large(large) => large.table.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.is_vacant()
    }

    /// The field of a name.
    #[inline]
    pub fn get(&self, name: &[u8]) -> Option<Pair<'_>> {
        match self.0.view() {
            Form::Small(pack) => {
                let at = pack.find(name, 1)?;
                Some(Pair::Small(pack.get(at), pack.get(pack.next(at)?)))
            }
            Form::Large(large) => {
                let hash = large.table.hasher().of(name);
                large.table.get(hash, name).map(Pair::Large)
            }
        }
    }

    /// All fields.
    pub fn iter(&self) -> Iter<'_> {
        match self.0.view() {
            Form::Small(pack) => Iter::Small(pack.iter()),
            Form::Large(large) => Iter::Large(large.table.iter()),
        }
    }

    /// Makes the hash large if names and values that are going to be set ask for it: by their
    /// number, whether they are new or not, or by their length.
    pub fn make_room(&mut self, pairs: &[&[u8]], rules: Rules<'_>) {
        let Form::Small(pack) = self.0.view() else { return };
        let limits = rules.limits;
        let bytes = pairs.iter().fold(0, |sum: usize, part| sum.saturating_add(part.len()));
        if pairs.len() / 2 > limits.hash_entries
            || pairs.iter().any(|part| part.len() > limits.hash_value)
            || !pack.fits(bytes)
        {
            self.enlarge(rules.hasher);
        }
    }

    /// Sets a field; says whether it is new.
    pub fn set(&mut self, name: &[u8], value: &[u8], time: Time, rules: Rules<'_>) -> bool {
        if let Form::Small(pack) = self.0.view_mut() {
            let longest = name.len().max(value.len());
            let fits = longest <= rules.limits.hash_value && pack.fits(2 * longest);
            if fits && !matches!(time, Time::At(_)) {
                let is_new = set_small(pack, name, value);
                if pack.len() / 2 > rules.limits.hash_entries {
                    self.enlarge(rules.hasher);
                }
                return is_new;
            }
        }
        self.enlarge(rules.hasher).set(name, value, time)
    }

    /// Removes a field; says whether it was there.
    pub fn remove(&mut self, name: &[u8]) -> bool {
        match self.0.view_mut() {
            Form::Small(pack) => match pack.find(name, 1) {
                Some(at) => {
                    pack.delete_run(at, 2);
                    true
                }
                None => false,
            },
            Form::Large(large) => large.remove(name),
        }
    }

    /// Sets or removes the deadline of a field, in Unix milliseconds; says whether there is such a
    /// field. With a deadline the hash becomes large.
    pub fn set_deadline(&mut self, name: &[u8], deadline_ms: Option<i64>, hasher: KeyHash) -> bool {
        if let Form::Small(pack) = self.0.view() {
            let found = pack.find(name, 1).is_some();
            if !found || deadline_ms.is_none() {
                return found;
            }
        }
        self.enlarge(hasher).set_deadline(name, deadline_ms)
    }

    /// The earliest deadline of a field, in Unix milliseconds.
    #[inline]
    pub fn next_due_ms(&self) -> Option<i64> {
        match self.0.view() {
            Form::Small(_) => None,
            Form::Large(large) => large.due.first().map(|(deadline_ms, _)| *deadline_ms),
        }
    }

    /// Whether some field's time is over. It lives through the millisecond of its deadline.
    #[inline]
    pub fn is_due(&self, now_ms: i64) -> bool {
        self.next_due_ms().is_some_and(|deadline_ms| deadline_ms < now_ms)
    }

    /// Whether every field's time is over.
    pub fn is_over(&self, now_ms: i64) -> bool {
        let Form::Large(large) = self.0.view() else { return false };
        large.due.len() == large.table.len()
            && large.due.last().is_some_and(|(deadline_ms, _)| *deadline_ms < now_ms)
    }

    /// Removes up to `max` fields whose time is over, the earliest first, and gives their names.
    pub fn remove_due(&mut self, now_ms: i64, max: usize) -> Vec<Box<[u8]>> {
        let Form::Large(large) = self.0.view_mut() else { return Vec::new() };
        let mut names = Vec::new();
        while names.len() < max
            && let Some(&(deadline_ms, hash)) = large.due.first()
            && deadline_ms < now_ms
        {
            large.due.pop_first();
            let wanted = |field: &Field| field.deadline_ms() == Some(deadline_ms);
            let field = large.table.find_where(hash, wanted);
            let field = field.expect("every field with a deadline is in the table").remove();
            let actual = large.table.hasher().of(field.name());
            if actual != hash {
                // Another field of the same place and deadline: its own record finds the other.
                large.due.remove(&(deadline_ms, actual));
                large.due.insert((deadline_ms, hash));
            }
            if let Some(rest) = &mut large.rest {
                rest.keep(actual, field.name(), || Some(Field::clone(&field)));
            }
            names.push(field.name().into());
        }
        names
    }

    /// Walks on from a cursor until about `count` fields were met and returns the next cursor; 0
    /// starts, and 0 is returned at the end. A small hash is walked over in one go. Every field
    /// that is there from the first to the last call of a full walk is met at least once.
    pub fn scan(
        &self,
        cursor: u64,
        count: u64,
        each: &mut dyn FnMut(Element<'_>, Element<'_>),
    ) -> u64 {
        self.scan_timed(cursor, count, &mut |name, value, _| each(name, value))
    }

    /// As [`Self::scan`], with the deadline of each field that has one. While the hash does not
    /// change, every field is met once.
    pub fn scan_timed(
        &self,
        cursor: u64,
        count: u64,
        each: &mut dyn FnMut(Element<'_>, Element<'_>, Option<i64>),
    ) -> u64 {
        let large = match self.0.view() {
            Form::Large(large) => large,
            Form::Small(_) => {
                self.iter().for_each(|pair| each(pair.name(), pair.value(), pair.deadline_ms()));
                return 0;
            }
        };
        let (mut cursor, mut met) = (cursor & ((1 << 48) - 1), 0);
        for _ in 0..count.saturating_mul(STEPS_PER_FIELD) {
            cursor = large.table.scan(cursor, &mut |field| {
                met += 1;
                let (name, value) = (Element::Str(field.name()), Element::Str(field.value()));
                each(name, value, field.deadline_ms());
            });
            if cursor == 0 || met >= count {
                break;
            }
        }
        cursor
    }

    /// A random field, each as likely as another if `random` gives evenly spread numbers.
    pub fn pick(&self, random: &mut dyn FnMut() -> u64) -> Option<Pair<'_>> {
        match self.0.view() {
            Form::Small(pack) => {
                let at = pack.pick(2, &mut |end| below(random, end))?;
                Some(Pair::Small(pack.get(at), pack.get(pack.next(at)?)))
            }
            Form::Large(large) => large.table.random(random).map(Pair::Large),
        }
    }

    /// Random fields, each one picked without regard to the others, until `each` answers `false`.
    pub fn pick_many(
        &self,
        count: usize,
        random: &mut dyn FnMut() -> u64,
        each: &mut dyn FnMut(&Pair<'_>) -> bool,
    ) {
        for _ in 0..count {
            let Some(pair) = self.pick(random) else { return };
            if !each(&pair) {
                return;
            }
        }
    }

    /// So many different fields, or all of them if there are fewer; each choice is as likely as
    /// another, their order is not random.
    pub fn pick_unique(
        &self,
        count: usize,
        random: &mut dyn FnMut() -> u64,
        each: &mut dyn FnMut(&Pair<'_>),
    ) {
        let len = self.len();
        if matches!(self.0.view(), Form::Large(_)) && count <= len / FEW {
            return self.pick_few(count, random, each);
        }
        let mut wanted = count.min(len);
        for (pair, left) in self.iter().zip((1..=len).rev()) {
            if wanted == 0 {
                return;
            }
            if below(random, left) < wanted {
                each(&pair);
                wanted -= 1;
            }
        }
    }

    /// As [`Self::pick_unique`], for few of many: draws again what was drawn before.
    fn pick_few(
        &self,
        count: usize,
        random: &mut dyn FnMut() -> u64,
        each: &mut dyn FnMut(&Pair<'_>),
    ) {
        let mut drawn: HashSet<usize> = HashSet::with_capacity(count);
        while drawn.len() < count
            && let Some(pair) = self.pick(random)
        {
            // A name's address tells fields apart while nothing changes.
            let Element::Str(name) = pair.name() else { return };
            if drawn.insert(name.as_ptr().addr()) {
                each(&pair);
            }
        }
    }

    /// The large form, made from the small one when need be.
    fn enlarge(&mut self, hasher: KeyHash) -> &mut Large {
        if let Form::Small(pack) = self.0.view() {
            let mut large = Large { table: Table::new(hasher), due: BTreeSet::new(), rest: None };
            let (mut name, mut value) = (Vec::new(), Vec::new());
            for pair in Iter::Small(pack.iter()) {
                name.clear();
                value.clear();
                pair.name().write_to(&mut name);
                pair.value().write_to(&mut value);
                large.set(&name, &value, Time::Never);
            }
            self.0 = Form::Large(Marker::new(large)).into();
        }
        match self.0.view_mut() {
            Form::Large(large) => large,
            Form::Small(_) => unreachable!("it was made large just now"),
        }
    }
}

impl Large {
    fn set(&mut self, name: &[u8], value: &[u8], time: Time) -> bool {
        let hash = self.table.hasher().of(name);
        self.keep(hash, name);
        let (is_new, old, new);
        match self.table.entry(hash, name) {
            Entry::Vacant(vacant) => {
                (is_new, old) = (true, None);
                new = if let Time::At(deadline_ms) = time { Some(deadline_ms) } else { None };
                vacant.insert(Field::new(name, value, new));
            }
            Entry::Occupied(mut field) => {
                (is_new, old) = (false, field.deadline_ms());
                new = match time {
                    Time::Keep => old,
                    Time::Never => None,
                    Time::At(deadline_ms) => Some(deadline_ms),
                };
                if new != old {
                    field.set_deadline(new);
                }
                field.set_value(value);
            }
        }
        self.record(hash, old, new);
        is_new
    }

    fn remove(&mut self, name: &[u8]) -> bool {
        let hash = self.table.hasher().of(name);
        let Some(field) = self.table.remove(hash, name) else { return false };
        self.record(hash, field.deadline_ms(), None);
        if let Some(rest) = self.rest.as_mut().filter(|rest| rest.is_wanted()) {
            rest.keep(hash, name, || Some(field));
        }
        true
    }

    fn set_deadline(&mut self, name: &[u8], deadline_ms: Option<i64>) -> bool {
        let hash = self.table.hasher().of(name);
        if self.rest.is_some() && self.table.get(hash, name).is_none() {
            return false;
        }
        self.keep(hash, name);
        let Some(mut field) = self.table.get_mut(hash, name) else { return false };
        let old = field.deadline_ms();
        if old != deadline_ms {
            field.set_deadline(deadline_ms);
        }
        drop(field);
        self.record(hash, old, deadline_ms);
        true
    }

    /// Lets who has claimed the rest of the hash have a field that is about to change.
    #[inline]
    fn keep(&mut self, hash: u64, name: &[u8]) {
        if self.rest.is_some() {
            self.keep_now(hash, name);
        }
    }

    #[cold]
    fn keep_now(&mut self, hash: u64, name: &[u8]) {
        let Some(rest) = self.rest.as_mut().filter(|rest| rest.is_wanted()) else {
            self.rest = None;
            return;
        };
        let was = || self.table.get(hash, name).map(|field| Field::clone(&field));
        rest.keep(hash, name, was);
    }

    /// Keeps `due` in line with a field whose deadline was `old` and is `new`.
    #[inline]
    fn record(&mut self, hash: u64, old: Option<i64>, new: Option<i64>) {
        if old == new {
            return;
        }
        if let Some(old) = old {
            self.due.remove(&(old, hash));
        }
        if let Some(new) = new {
            self.due.insert((new, hash));
        }
    }
}

impl Clone for Large {
    fn clone(&self) -> Self {
        let mut table = Table::new(*self.table.hasher());
        for field in &self.table {
            table.insert_new(table.hasher().of(field.name()), Field::clone(&field));
        }
        Self { table, due: self.due.clone(), rest: None }
    }
}

impl std::fmt::Debug for Large {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Large({} fields, {} of them expire)", self.table.len(), self.due.len())
    }
}

/// The fields of a hash.
pub enum Iter<'a> {
    /// Of a small one.
    Small(PackIter<'a>),
    /// Of a large one.
    Large(table::Iter<'a, Field>),
}

impl<'a> Iterator for Iter<'a> {
    type Item = Pair<'a>;

    #[inline]
    fn next(&mut self) -> Option<Pair<'a>> {
        match self {
            Self::Small(pack) => {
                let (_, name) = pack.next()?;
                let (_, value) = pack.next()?;
                Some(Pair::Small(name, value))
            }
            Self::Large(fields) => fields.next().map(Pair::Large),
        }
    }
}

/// Says whether the name is new.
fn set_small(pack: &mut Listpack, name: &[u8], value: &[u8]) -> bool {
    match pack.find(name, 1).and_then(|at| pack.next(at)) {
        Some(at) => {
            pack.replace(at, value);
            false
        }
        None => {
            pack.push_back(name);
            pack.push_back(value);
            true
        }
    }
}

/// A number below `end`, from 64 random bits; the bias is below one in 2^32 for any hash there is.
fn below(random: &mut dyn FnMut() -> u64, end: usize) -> usize {
    ((u128::from(random()) * end as u128) >> 64) as usize
}
