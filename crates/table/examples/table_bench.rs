//! Prints what the table costs: time an operation, bytes a key, and the worst single insertion.
//!
//! `cargo run --release -p table --example table_bench [speed [keys]|memory|stall]`

#![expect(clippy::print_stdout, reason = "this program's purpose is to print")]

use std::alloc::{Layout, alloc, dealloc};
use std::hint::black_box;
use std::ptr::NonNull;
use std::time::Duration;

use table::{Item, KeyHash, Table, prefetch, prefetch_two};

const KEY_LEN: usize = 16;
const BATCH: usize = 16;
const TABLES: usize = 256;

type Key = [u8; KEY_LEN];

/// A boxed 16-byte key.
struct Boxed(NonNull<Key>);

impl Boxed {
    fn new(key: Key) -> Boxed {
        // SAFETY: the layout has a size, and the pointer is checked before it is written.
        unsafe {
            let raw: *mut Key = alloc(Layout::new::<u128>()).cast();
            let raw = NonNull::new(raw).expect("memory for a key");
            raw.write(key);
            Boxed(raw)
        }
    }
}

impl Drop for Boxed {
    fn drop(&mut self) {
        // SAFETY: allocated by `new` with this layout.
        unsafe { dealloc(self.0.as_ptr().cast(), Layout::new::<u128>()) }
    }
}

// SAFETY: the pointer is that of an allocation of its own, 16-aligned, in user space.
unsafe impl Item for Boxed {
    fn into_raw(self) -> NonNull<u8> {
        std::mem::ManuallyDrop::new(self).0.cast()
    }

    unsafe fn from_raw(raw: NonNull<u8>) -> Self {
        Boxed(raw.cast())
    }

    fn key(&self) -> &[u8] {
        // SAFETY: the key lives as long as its item.
        unsafe { self.0.as_ref() }
    }
}

/// A cheap mixer: the table's cost shall not hide behind the hash's.
#[derive(Clone, Copy)]
struct Mix;

impl KeyHash for Mix {
    #[inline]
    fn hash(&self, key: &[u8]) -> u64 {
        let word = |at| u64::from_le_bytes(key[at..at + 8].try_into().expect("eight bytes"));
        mix(word(0) ^ mix(word(8)))
    }
}

#[inline]
fn mix(x: u64) -> u64 {
    let x = (x ^ (x >> 32)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let x = (x ^ (x >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x ^ (x >> 32)
}

fn key(number: u64) -> Key {
    let mut key = *b"key:000000000000";
    let mut rest = number;
    for digit in key.iter_mut().rev().take(12) {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    key
}

/// Which table, and the hash within it.
#[inline]
fn place(key: &Key) -> (usize, u64) {
    let hash = Mix.hash(key);
    (hash as usize % TABLES, hash)
}

/// hashbrown takes its position from the bits that chose the table, so it gets other ones.
fn spread(hash: u64) -> u64 {
    hash.rotate_right(16)
}

/// Keys of the speed test.
fn key_count() -> u64 {
    std::env::args().nth(2).and_then(|count| count.parse().ok()).unwrap_or(1_000_000)
}

fn main() {
    let which = std::env::args().nth(1).unwrap_or_default();
    if which.is_empty() || which == "speed" {
        speed();
    }
    if which.is_empty() || which == "memory" {
        memory();
    }
    if which.is_empty() || which == "stall" {
        stall();
    }
}

fn speed() {
    let numbers = shuffled(key_count());
    let keys: Vec<Key> = numbers.iter().map(|&n| key(n)).collect();
    let absent: Vec<Key> = numbers.iter().map(|&n| key(n + key_count())).collect();
    let mut tables: Vec<Table<Boxed, Mix>> = (0..TABLES).map(|_| Table::new(Mix)).collect();
    println!("ns/op, {} keys in {TABLES} tables", key_count());
    let start = thread_time();
    for key in &keys {
        let (table, hash) = place(key);
        tables[table].insert_new(hash, Boxed::new(*key));
    }
    report("insert (with allocating the item)", start);
    let looked_up = shuffled(key_count()).iter().map(|&n| key(n)).collect::<Vec<_>>();
    for (name, keys) in [("hit", &looked_up), ("miss", &absent)] {
        best(&format!("get {name}"), || {
            for key in keys {
                let (table, hash) = place(key);
                black_box(tables[table].get(hash, key).is_some());
            }
        });
        best(&format!("get {name}, each waiting for the one before"), || {
            let mut wait = 0;
            for key in keys {
                let (table, hash) = place(key);
                let found = tables[table ^ wait].get(hash, key).is_some();
                wait = black_box(usize::from(found)) >> 1;
            }
        });
        best(&format!("get {name}, batches of {BATCH} prefetched"), || {
            for batch in keys.chunks(BATCH) {
                batched(&tables, batch);
            }
        });
    }
    let start = thread_time();
    for key in &looked_up {
        let (table, hash) = place(key);
        black_box(tables[table].remove(hash, key).is_some());
    }
    report("remove (with freeing the item)", start);
    hashbrown_speed(&keys, &looked_up, &absent);
}

fn batched(tables: &[Table<Boxed, Mix>], batch: &[Key]) {
    let mut places = [(0, 0); BATCH];
    for (slot, key) in places.iter_mut().zip(batch) {
        *slot = place(key);
        prefetch_two(tables[slot.0].bucket_line(slot.1));
    }
    for (table, hash) in &places[..batch.len()] {
        tables[*table].item_line(*hash).inspect(|line| prefetch(*line));
    }
    for ((table, hash), key) in places.iter().zip(batch) {
        black_box(tables[*table].get(*hash, key).is_some());
    }
}

/// The yardstick: hashbrown's table of pointers, which has a pause at each doubling.
fn hashbrown_speed(keys: &[Key], looked_up: &[Key], absent: &[Key]) {
    let mut tables: Vec<hashbrown::HashTable<Boxed>> = Vec::new();
    tables.resize_with(TABLES, hashbrown::HashTable::new);
    let start = thread_time();
    for key in keys {
        let (table, hash) = place(key);
        let (hash, item) = (spread(hash), Boxed::new(*key));
        tables[table].insert_unique(hash, item, |item| spread(Mix.hash(item.key())));
    }
    report("hashbrown insert", start);
    for (name, keys) in [("hit", looked_up), ("miss", absent)] {
        best(&format!("hashbrown get {name}"), || {
            for key in keys {
                let (table, hash) = place(key);
                black_box(tables[table].find(spread(hash), |item| item.key() == key).is_some());
            }
        });
    }
    let bytes: usize = tables.iter().map(hashbrown::HashTable::allocation_size).sum();
    println!("hashbrown bytes a key: {:.2}", bytes as f64 / key_count() as f64);
}

fn memory() {
    println!("one table: bytes a key, load, full buckets, mean and farthest distance from home");
    let mut table = Table::new(Mix);
    let mut count = 0;
    let mut next = 1000;
    let (mut worst, mut sum, mut samples) = (0.0_f64, 0.0, 0);
    while count < 10_000_000 {
        let key = key(count);
        table.insert_new(Mix.hash(&key), Boxed::new(key));
        count += 1;
        if count >= 4000 && count % (count / 50) == 0 {
            let bytes = table.memory() as f64 / count as f64;
            worst = worst.max(bytes);
            sum += bytes;
            samples += 1;
        }
        if count == next {
            print_shape(&table);
            next = if next % 3 == 0 { next / 3 * 10 } else { next * 3 };
        }
    }
    let mean = sum / f64::from(samples);
    println!("4 k to 10 M keys: mean {mean:.2}, worst {worst:.2} bytes a key");
    let mut left = count;
    for target in [5_000_000, 1_000_000, 100_000, 10_000, 1000, 10, 0] {
        while left > target {
            left -= 1;
            let key = key(left);
            table.remove(Mix.hash(&key), &key);
        }
        print!("after removals: ");
        print_shape(&table);
    }
}

fn print_shape(table: &Table<Boxed, Mix>) {
    let stats = table.stats();
    let items = stats.items.max(1) as f64;
    let steps: usize = stats.probes.iter().enumerate().map(|(i, n)| i * n).sum();
    println!(
        "{:>9}: {:6.2} B/key, load {:.3}, full {:.3}, distance {:.3} / {}, {} segments, {} B",
        stats.items,
        stats.memory as f64 / items,
        stats.load(),
        stats.full_buckets as f64 / stats.buckets.max(1) as f64,
        steps as f64 / items,
        stats.farthest,
        stats.segments,
        stats.memory,
    );
}

/// Each insertion's best time of three rounds: every round does the same work, so what differs
/// is the machine's doing.
fn stall() {
    const COUNT: usize = 10_000_000;
    let mut times = vec![Duration::MAX; COUNT];
    let mut table = Table::new(Mix);
    for _ in 0..3 {
        table = Table::new(Mix);
        for (number, best) in times.iter_mut().enumerate() {
            let key = key(number as u64);
            let item = Boxed::new(key);
            let hash = Mix.hash(&key);
            let start = thread_time();
            table.insert_new(hash, item);
            *best = (thread_time() - start).min(*best);
        }
    }
    times.sort_unstable();
    let at = |part: f64| times[(times.len() as f64 * part) as usize - 1];
    println!("one insertion while growing to 10 M: p50 {:?}, p99 {:?}", at(0.5), at(0.99));
    println!("p99.99 {:?}, p99.9999 {:?}, worst {:?}", at(0.9999), at(0.999_999), at(1.0));
    let start = thread_time();
    let (mut worst, mut seen, mut cursor) = (Duration::ZERO, 0, 0);
    loop {
        let step = thread_time();
        cursor = table.scan(cursor, &mut |_| seen += 1);
        worst = worst.max(thread_time() - step);
        if cursor == 0 {
            break;
        }
    }
    println!("full scan of {seen} items: {:?}, worst step {worst:?}", thread_time() - start);
}

/// The best of several rounds: the others were disturbed.
fn best(what: &str, mut round: impl FnMut()) {
    let times = (0..5).map(|_| {
        let start = thread_time();
        round();
        thread_time() - start
    });
    let best = times.min().unwrap_or_default();
    println!("{:7.1}  {what}", best.as_nanos() as f64 / key_count() as f64);
}

/// Processor time of this thread, so that a busy machine does not look like a stall.
fn thread_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid place for the result.
    let result = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    assert_eq!(result, 0, "the clock exists");
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn report(what: &str, start: Duration) {
    println!("{:7.1}  {what}", (thread_time() - start).as_nanos() as f64 / key_count() as f64);
}

fn shuffled(count: u64) -> Vec<u64> {
    let mut numbers: Vec<u64> = (0..count).collect();
    let mut state = 42;
    for i in (1..numbers.len()).rev() {
        state = mix(state + i as u64);
        numbers.swap(i, (state % (i as u64 + 1)) as usize);
    }
    numbers
}
