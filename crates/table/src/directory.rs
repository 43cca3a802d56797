//! The directory: which segment a hash prefix belongs to, and how segments grow, split, shrink
//! and merge. It knows words and addresses; what an item is and how its key is hashed is the
//! caller's.
//!
//! Invariants:
//! - there are 2^bits cells; a segment of depth d owns the 2^(bits-d) adjacent cells that share
//!   its prefix, each holds its word, and the first of them holds its count;
//! - a cell's word owns its array ([`Directory::attach`] and [`Directory::detach`] alone change
//!   words), so references to an array follow the borrow of the directory;
//! - a step of growth or shrinking touches one segment (two for a merge), and the directory when
//!   its size changes.

use std::ptr::NonNull;

use crate::bucket::{self, ADDRESS, Bucket, Filling, LOANED, SLOTS};
use crate::prefetch::prefetch;
use crate::segment::{self, BUCKETS_MAX, DEPTH_MAX, Segment};

/// Two buddies with at most so many items together become one segment: half its slots, so that
/// it does not split again soon.
const MERGE_MAX: u32 = (BUCKETS_MAX * SLOTS / 2) as u32;

/// The directory holds at most so many cells for each segment that holds items, which bounds it
/// when a weak hash gives many keys one long prefix.
const CELLS_PER_SEGMENT_MAX: usize = 8;

/// Below this size the directory may double whatever the segments are.
const CELLS_FREE: usize = 16;

/// How many buckets ahead of the one being split the items are fetched.
const SPLIT_AHEAD: usize = 2;

#[derive(Clone, Copy)]
struct Cell {
    segment: Segment,
    count: u32,
}

const VACANT: Cell = Cell { segment: Segment::empty(0), count: 0 };

/// Where a word is. Valid until the directory changes.
#[derive(Clone, Copy)]
pub(crate) struct Position {
    cell: u32,
    bucket: u32,
    slot: u32,
}

/// A bucket of a segment, by the segment's first cell.
#[derive(Clone, Copy, Debug)]
pub struct Spot {
    cell: u32,
    bucket: u32,
}

/// What a lookup reads comes first, so that it shares a cache line.
#[repr(C)]
pub(crate) struct Directory {
    cells: Box<[Cell]>,
    bits: u32,
    /// Segments whose depth is `bits`: when there are none, half the directory suffices.
    deepest: u32,
    /// The only cell while `bits` is 0, so that a small table needs no allocation for it.
    root: Cell,
    /// Segments with an array.
    segments: u32,
    /// The largest segment since the table was empty, in buckets.
    widest: u32,
    /// No cell before this one holds items; a hint for piecewise freeing.
    taken: u32,
    len: usize,
    buckets: usize,
}

/// Hashes the key of the item at an address.
pub(crate) type Rehash<'a> = &'a mut dyn FnMut(NonNull<u8>) -> u64;

impl Directory {
    pub(crate) fn new() -> Directory {
        Directory {
            root: VACANT,
            cells: Box::default(),
            bits: 0,
            deepest: 1,
            segments: 0,
            widest: 0,
            taken: 0,
            len: 0,
            buckets: 0,
        }
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn memory(&self) -> usize {
        self.buckets * size_of::<Bucket>() + size_of_val(&*self.cells)
    }

    /// Looks for a word with the hash's fragment whose item satisfies `same`.
    #[inline]
    pub(crate) fn find(
        &self,
        hash: u64,
        mut same: impl FnMut(NonNull<u8>) -> bool,
    ) -> Option<(Position, NonNull<u8>)> {
        let cell = self.index(hash);
        let segment = self.cells()[cell].segment;
        let fragment = segment.fragment(hash);
        let buckets = self.array(segment);
        let mut at = segment.home(hash);
        for _ in 0..buckets.len() {
            let bucket = &buckets[at];
            let mut matches = bucket.matches(fragment);
            while matches != 0 {
                let slot = matches.trailing_zeros();
                let word = bucket.0[slot as usize % SLOTS];
                if let Some(item) = item_at(word)
                    && same(item)
                {
                    let position = Position { cell: cell as u32, bucket: at as u32, slot };
                    return Some((position, item));
                }
                matches &= matches - 1;
            }
            if !bucket.is_full() {
                return None;
            }
            at = bucket::following(at, buckets.len());
        }
        None
    }

    /// Puts in an address that is not there yet, after [`Directory::make_room`] for its hash.
    #[inline]
    pub(crate) fn insert(&mut self, hash: u64, address: u64) -> Position {
        let first = self.first(self.index(hash));
        let segment = self.cells()[first].segment;
        let word = bucket::word(segment.fragment(hash), address);
        let (bucket, slot) = bucket::place(self.buckets_mut(first), word);
        self.cells_mut()[first].count += 1;
        self.len += 1;
        Position { cell: first as u32, bucket: bucket as u32, slot: slot as u32 }
    }

    /// Grows or splits until the hash's segment has room. A panic of `rehash` leaves the table
    /// whole.
    #[inline]
    pub(crate) fn make_room(&mut self, hash: u64, rehash: Rehash<'_>) {
        loop {
            let first = self.first(self.index(hash));
            let cell = self.cells()[first];
            if cell.count < segment::limit(cell.segment.bucket_count()) {
                return;
            }
            self.grow(first, rehash);
        }
    }

    /// Takes a word out, and gives memory back when its segment has become sparse.
    pub(crate) fn remove(&mut self, position: Position) {
        let first = self.first(position.cell as usize);
        let buckets = self.buckets_mut(first);
        bucket::remove(buckets, position.bucket as usize, position.slot as usize);
        let sparse = buckets.len() * SLOTS / 2;
        self.len -= 1;
        let count = &mut self.cells_mut()[first].count;
        *count -= 1;
        if (*count as usize) < sparse {
            self.shrink(first);
        }
    }

    /// The word's slot, to lend its item out and to write it back.
    #[inline]
    pub(crate) fn slot_mut(&mut self, position: Position) -> &mut u64 {
        let buckets = self.buckets_mut(position.cell as usize);
        &mut buckets[position.bucket as usize].0[position.slot as usize]
    }

    /// An empty segment has an address that is never read, which a prefetch may name.
    #[inline]
    pub(crate) fn bucket_line(&self, hash: u64) -> *const u8 {
        let segment = self.cells()[self.index(hash)].segment;
        segment.as_ptr().wrapping_add(segment.home(hash)).cast()
    }

    #[inline]
    pub(crate) fn item_line(&self, hash: u64) -> Option<*const u8> {
        self.likely(hash).map(|item| item.as_ptr().cast_const())
    }

    /// The first item of like fragment is nearly always the one; a displaced item is found one
    /// bucket further.
    #[inline]
    pub(crate) fn likely(&self, hash: u64) -> Option<NonNull<u8>> {
        let segment = self.cells()[self.index(hash)].segment;
        let fragment = segment.fragment(hash);
        let buckets = self.array(segment);
        let mut at = segment.home(hash);
        for _ in 0..buckets.len().min(2) {
            let matches = buckets[at].matches(fragment);
            if matches != 0 {
                let word = buckets[at].0[matches.trailing_zeros() as usize % SLOTS];
                return item_at(word);
            }
            if !buckets[at].is_full() {
                return None;
            }
            at = bucket::following(at, buckets.len());
        }
        None
    }

    /// Emits every item from the cursor to the end of its home bucket; returns that end, or 0
    /// behind the last one. A position is the top 48 bits of a hash and thus never moves.
    pub(crate) fn scan(&self, cursor: u64, emit: &mut dyn FnMut(Position, NonNull<u8>)) -> u64 {
        let hash = cursor << 16;
        let cell = self.index(hash);
        let segment = self.cells()[cell].segment;
        let buckets = self.array(segment);
        let count = buckets.len();
        let prefix_shift = 48 - segment.depth();
        let start = (hash >> 16 >> prefix_shift) << prefix_shift;
        let mut fragment_end = 1 << 16;
        if count > 0 {
            let fragment = segment.fragment(hash);
            let home = bucket::home(fragment, count);
            fragment_end = ((home as u64 + 1) << 16).div_ceil(count as u64);
            emit_home(buckets, home, fragment, &mut |bucket, slot, item| {
                emit(Position { cell: cell as u32, bucket, slot }, item);
            });
        }
        let end = start + (fragment_end << (prefix_shift - 16));
        if end == 1 << 48 { 0 } else { end }
    }

    /// An item, every one as likely as another: a random place, again and again until it is
    /// taken. After many misses (a weak hash) the next item behind a random place.
    pub(crate) fn random(&self, rng: &mut dyn FnMut() -> u64) -> Option<NonNull<u8>> {
        const TRIES: usize = 100;
        if self.len == 0 {
            return None;
        }
        for _ in 0..TRIES {
            let (first, place) = self.place_of(rng());
            let bucket = self.buckets(first).get(place / SLOTS);
            if let Some(item) = bucket.and_then(|b| item_at(b.0[place % SLOTS])) {
                return Some(item);
            }
        }
        let random = rng();
        let start = self.index(random);
        let cells = (start..self.cells().len()).chain(0..start);
        let mut words = cells.flat_map(|cell| {
            let buckets = self.buckets(cell);
            let skip = bucket::home(random as u16, buckets.len());
            let (front, back) = buckets.split_at(skip);
            bucket::words(back).chain(bucket::words(front))
        });
        words.find_map(item_at)
    }

    /// The place that a random number means: the first cell of a segment and a place in its array,
    /// or behind its end.
    #[inline]
    fn place_of(&self, random: u64) -> (usize, usize) {
        let regular = if self.bits == 0 { 1 } else { BUCKETS_MAX };
        let places = (regular.max(self.widest as usize) * SLOTS) as u64;
        let cell = self.index(random);
        let first = self.first(cell);
        // The cells of one segment stand for disjoint parts of it.
        let place = (u128::from(random << self.bits) * u128::from(places)) >> 64;
        (first, ((cell - first) as u64 * places + place as u64) as usize)
    }

    /// The cell that [`Self::spot`] reads for a random number, to be prefetched.
    #[inline]
    pub(crate) fn spot_line(&self, random: u64) -> *const u8 {
        std::ptr::from_ref(&self.cells()[self.index(random)]).cast()
    }

    /// The bucket that a random number means, if there is one, and its line, to be prefetched. Each
    /// bucket is as likely as another.
    #[inline]
    pub(crate) fn spot(&self, random: u64) -> Option<(Spot, *const u8)> {
        let (cell, place) = self.place_of(random);
        let bucket = self.buckets(cell).get(place / SLOTS)?;
        let spot = Spot { cell: cell as u32, bucket: (place / SLOTS) as u32 };
        Some((spot, std::ptr::from_ref(bucket).cast()))
    }

    /// The items of a bucket, each with the bits of its hash that the table knows: the upper ones,
    /// as many as it takes to find it while its segment does not split. Of a table that has changed
    /// since the bucket was named, any items or none.
    #[inline]
    pub(crate) fn items_at(&self, spot: Spot) -> impl Iterator<Item = (u64, NonNull<u8>)> {
        let cell = self.cells().get(spot.cell as usize).copied().unwrap_or(VACANT);
        let depth = cell.segment.depth();
        let prefix = u64::from(spot.cell) << 1 << (63 - self.bits);
        let words = self.array(cell.segment).get(spot.bucket as usize).map_or([0; SLOTS], |b| b.0);
        words.into_iter().filter_map(move |word| {
            let hash = prefix | u64::from(bucket::fragment_of(word)) << (48 - depth);
            item_at(word).map(|item| (hash, item))
        })
    }

    /// The arrays one by one; `from` is the cell to start at, the second result the next one.
    pub(crate) fn next_array(&self, from: usize) -> Option<(&[Bucket], usize)> {
        let cell = self.cells().get(from)?;
        let next = from + (1 << (self.bits - cell.segment.depth()));
        Some((self.array(cell.segment), next))
    }

    /// Detaches the first array that holds items; their count is that of its words.
    pub(crate) fn take_array(&mut self) -> Option<Box<[Bucket]>> {
        let mut at = self.taken as usize;
        while let Some(cell) = self.cells().get(at) {
            let depth = cell.segment.depth();
            if cell.segment.bucket_count() > 0 {
                let count = cell.count;
                let buckets = self.detach(at);
                self.attach(at, depth, Box::default(), 0);
                self.taken = at as u32;
                self.len -= count as usize;
                if self.segments == 0 {
                    *self = Directory::new();
                }
                return Some(buckets);
            }
            at += 1 << (self.bits - depth);
        }
        None
    }

    pub(crate) fn shape(&self) -> (usize, usize) {
        (self.cells().len(), self.segments as usize)
    }

    #[inline]
    fn cells(&self) -> &[Cell] {
        if self.bits == 0 { std::slice::from_ref(&self.root) } else { &self.cells }
    }

    #[inline]
    fn cells_mut(&mut self) -> &mut [Cell] {
        if self.bits == 0 { std::slice::from_mut(&mut self.root) } else { &mut self.cells }
    }

    #[inline]
    fn index(&self, hash: u64) -> usize {
        (hash >> 1 >> (63 - self.bits)) as usize
    }

    /// The first cell of the segment that owns this cell.
    #[inline]
    fn first(&self, cell: usize) -> usize {
        let span = 1 << (self.bits - self.cells()[cell].segment.depth());
        cell & !(span - 1)
    }

    #[inline]
    fn array(&self, segment: Segment) -> &[Bucket] {
        // SAFETY: every caller takes the segment from a cell, cells own their arrays, and an
        // array is changed or freed only through `&mut self`.
        unsafe { segment.buckets() }
    }

    fn buckets(&self, cell: usize) -> &[Bucket] {
        self.array(self.cells()[cell].segment)
    }

    #[inline]
    fn buckets_mut(&mut self, cell: usize) -> &mut [Bucket] {
        // SAFETY: cells own their arrays, no two segments share one, and `&mut self` excludes
        // every other reference.
        unsafe { self.cells()[cell].segment.buckets_mut() }
    }

    /// Makes the cells of a detached prefix hold this array.
    fn attach(&mut self, first: usize, depth: u32, buckets: Box<[Bucket]>, count: usize) {
        let bucket_count = buckets.len();
        self.deepest += u32::from(depth == self.bits);
        self.segments += u32::from(bucket_count > 0);
        self.buckets += bucket_count;
        self.widest = self.widest.max(bucket_count as u32);
        self.taken = 0;
        let segment = Segment::from_box(buckets, depth);
        let span = 1 << (self.bits - depth);
        let cells = &mut self.cells_mut()[first..first + span];
        cells.fill(Cell { segment, count: 0 });
        cells[0].count = count as u32;
    }

    /// Takes the array out of its cells; `attach` must follow for the whole prefix.
    fn detach(&mut self, first: usize) -> Box<[Bucket]> {
        let segment = self.cells()[first].segment;
        let depth = segment.depth();
        let span = 1 << (self.bits - depth);
        let empty = Cell { segment: Segment::empty(depth), count: 0 };
        self.cells_mut()[first..first + span].fill(empty);
        // SAFETY: the word came from a cell, which owned its array, and all cells that held the
        // word have just been overwritten.
        let buckets = unsafe { segment.into_box() };
        self.deepest -= u32::from(depth == self.bits);
        self.segments -= u32::from(!buckets.is_empty());
        self.buckets -= buckets.len();
        buckets
    }

    #[cold]
    fn grow(&mut self, first: usize, rehash: Rehash<'_>) {
        let count = self.cells()[first].segment.bucket_count();
        if count >= BUCKETS_MAX && self.can_split(first) {
            self.split(first, rehash);
        } else {
            self.resize(first, segment::grown(count));
        }
    }

    /// Whether a longer prefix is allowed and may part the segment's items.
    fn can_split(&self, first: usize) -> bool {
        let depth = self.cells()[first].segment.depth();
        let cells = self.cells().len() * 2;
        let doubles = depth == self.bits;
        let cells_max = CELLS_FREE.max(self.segments as usize * CELLS_PER_SEGMENT_MAX);
        if depth == DEPTH_MAX || (doubles && cells > cells_max) {
            return false;
        }
        let mut fragments = bucket::words(self.buckets(first)).map(bucket::fragment_of);
        let head = fragments.next();
        fragments.any(|fragment| Some(fragment) != head)
    }

    /// Moves a segment's words into an array of another size. Needs no item: a fragment stays.
    fn resize(&mut self, first: usize, bucket_count: usize) {
        let Cell { segment, count } = self.cells()[first];
        let mut filling = Filling::new(bucket_count);
        bucket::words(self.buckets(first)).for_each(|word| filling.place(word));
        let (buckets, placed) = filling.finish();
        drop(self.detach(first));
        self.attach(first, segment.depth(), buckets, placed);
        self.forget_lost(count, placed);
    }

    /// Makes two segments of one by the next bit of the hash, which is the fragment's top bit;
    /// the bit that enters the fragment below comes from the items' keys.
    fn split(&mut self, first: usize, rehash: Rehash<'_>) {
        let Cell { segment, count } = self.cells()[first];
        let depth = segment.depth();
        let mut counts = [0; 2];
        for word in bucket::words(self.buckets(first)) {
            counts[(word >> 63) as usize] += 1;
        }
        let mut halves = counts.map(|count: u32| Filling::new(segment::fitting(count)));
        let buckets = self.buckets(first);
        for (at, bucket) in buckets.iter().enumerate() {
            if let Some(ahead) = buckets.get(at + SPLIT_AHEAD) {
                for word in ahead.0 {
                    prefetch(std::ptr::without_provenance((word & ADDRESS) as usize));
                }
            }
            for word in bucket.0 {
                let Some(item) = item_at(word) else { continue };
                let fragment = bucket::fragment_of(word);
                let entering = (rehash(item) >> (47 - depth)) as u16 & 1;
                let moved = bucket::word(fragment << 1 | entering, word & ADDRESS);
                halves[usize::from(fragment >> 15)].place(moved);
            }
        }
        let mut first = first;
        if depth == self.bits {
            self.double();
            first *= 2;
        }
        drop(self.detach(first));
        let [(left, left_count), (right, right_count)] = halves.map(Filling::finish);
        let span = 1 << (self.bits - depth);
        self.attach(first, depth + 1, left, left_count);
        self.attach(first + span / 2, depth + 1, right, right_count);
        self.forget_lost(count, left_count + right_count);
    }

    /// Merges a sparse segment with its buddy, or gives it a smaller array.
    #[cold]
    fn shrink(&mut self, first: usize) {
        let mut first = first;
        while let Some(left) = self.mergeable(first) {
            first = self.merge(left);
        }
        let cell = self.cells()[first];
        let fitting = segment::fitting(cell.count);
        if fitting < cell.segment.bucket_count() {
            self.resize(first, fitting);
        }
    }

    /// The first cell of the left one of two buddies that fit into one segment.
    fn mergeable(&self, first: usize) -> Option<usize> {
        let cell = self.cells()[first];
        let depth = cell.segment.depth();
        if depth == 0 {
            return None;
        }
        let span = 1 << (self.bits - depth);
        let buddy = self.cells()[first ^ span];
        let fits = cell.count.saturating_add(buddy.count) <= MERGE_MAX;
        (fits && buddy.segment.depth() == depth).then_some(first & !span)
    }

    /// Makes one segment of two buddies; returns its first cell. Needs no item: the prefix bit
    /// enters the fragment above, and the lowest bit leaves it.
    fn merge(&mut self, left: usize) -> usize {
        let depth = self.cells()[left].segment.depth();
        let right = left + (1 << (self.bits - depth));
        let count = self.cells()[left].count + self.cells()[right].count;
        let mut filling = Filling::new(segment::fitting(count));
        for (prefix_bit, cell) in [(0, left), (1 << 15, right)] {
            for word in bucket::words(self.buckets(cell)) {
                let fragment = prefix_bit | bucket::fragment_of(word) >> 1;
                filling.place(bucket::word(fragment, word & ADDRESS));
            }
        }
        let (buckets, placed) = filling.finish();
        drop(self.detach(left));
        drop(self.detach(right));
        self.attach(left, depth - 1, buckets, placed);
        self.forget_lost(count, placed);
        if self.deepest > 0 {
            return left;
        }
        self.halve();
        left / 2
    }

    fn double(&mut self) {
        let twice = self.cells().iter().flat_map(|&cell| [cell, Cell { count: 0, ..cell }]);
        self.cells = twice.collect();
        self.bits += 1;
        self.deepest = 0;
        self.taken = 0;
    }

    fn halve(&mut self) {
        let half: Box<[Cell]> = self.cells.iter().step_by(2).copied().collect();
        self.bits -= 1;
        self.taken = 0;
        let bits = self.bits;
        self.deepest = half.iter().filter(|cell| cell.segment.depth() == bits).count() as u32;
        if bits == 0 {
            self.root = half[0];
            self.cells = Box::default();
        } else {
            self.cells = half;
        }
    }

    /// Slots whose item was lent out and never came back are not carried over by a move.
    fn forget_lost(&mut self, count: u32, placed: usize) {
        self.len -= count as usize - placed;
    }
}

impl Drop for Directory {
    /// Frees the arrays; the items in them are the owner's to free first.
    fn drop(&mut self) {
        let mut at = 0;
        while at < self.cells().len() {
            let depth = self.cells()[at].segment.depth();
            drop(self.detach(at));
            at += 1 << (self.bits - depth);
        }
    }
}

/// The item's address in a word, if it holds one.
#[inline]
pub(crate) fn item_at(word: u64) -> Option<NonNull<u8>> {
    if word & ADDRESS <= LOANED {
        return None;
    }
    NonNull::new(std::ptr::with_exposed_provenance_mut((word & ADDRESS) as usize))
}

/// Emits the items of one home bucket whose fragment is at least `fragment`, each with its bucket
/// and slot.
fn emit_home(
    buckets: &[Bucket],
    home: usize,
    fragment: u16,
    emit: &mut impl FnMut(u32, u32, NonNull<u8>),
) {
    let count = buckets.len();
    let mut at = home;
    for _ in 0..count {
        for (slot, word) in buckets[at].0.into_iter().enumerate() {
            let own = bucket::fragment_of(word);
            if own >= fragment
                && bucket::home(own, count) == home
                && let Some(item) = item_at(word)
            {
                emit(at as u32, slot as u32, item);
            }
        }
        if !buckets[at].is_full() {
            break;
        }
        at = bucket::following(at, count);
    }
}

/// Panics where an invariant of the directory or of an array is broken.
#[cfg(test)]
impl Directory {
    pub(crate) fn check(&self) {
        let (mut at, mut len, mut deepest, mut segments, mut total) = (0, 0, 0, 0, 0);
        assert_eq!(self.cells().len(), 1 << self.bits);
        while at < self.cells().len() {
            let Cell { segment, count } = self.cells()[at];
            let span = 1 << (self.bits - segment.depth());
            assert_eq!(at % span, 0, "a segment's cells start at its prefix");
            assert!(self.cells()[at..at + span].iter().all(|cell| cell.segment == segment));
            let buckets = self.buckets(at);
            bucket::check(buckets);
            let used: usize = buckets.iter().map(Bucket::len).sum();
            assert_eq!(used, count as usize, "the count is that of the slots in use");
            len += used;
            total += buckets.len();
            deepest += u32::from(segment.depth() == self.bits);
            segments += u32::from(!buckets.is_empty());
            at += span;
        }
        assert_eq!((len, deepest, segments), (self.len, self.deepest, self.segments));
        assert_eq!(total, self.buckets);
    }
}
