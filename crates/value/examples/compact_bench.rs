//! What the small encodings cost, in nanoseconds: `cargo run --release --example compact_bench`.
//!
//! The lists look like small hashes: names of fields and values, half of these numbers.

use std::hint::black_box;
use std::time::Instant;

use value::compact::lzf::{Compressor, decompress};
use value::compact::{Element, Intset, Listpack};

/// The server's allocator: what a change of size costs is a part of the figures.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() {
    for fields in [16, 64] {
        listpack(fields);
    }
    intset(512);
    lzf();
}

/// The best of several rounds, so that what else the machine does counts least.
fn measure(what: &str, operations: usize, mut round: impl FnMut()) {
    const ROUNDS: usize = 400;
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        round();
        best = best.min(start.elapsed().as_secs_f64());
    }
    let each = best * 1e9 / operations as f64;
    print(&format!("{what:<40}{each:>9.1} ns"));
}

#[allow(clippy::print_stdout)]
fn print(line: &str) {
    println!("{line}");
}

fn listpack(fields: usize) {
    let names: Vec<_> = (0..fields).map(|n| format!("field:{n:04}").into_bytes()).collect();
    let values: Vec<_> = (0..fields)
        .map(|n| if n % 2 == 0 { format!("{}", n * 1001) } else { format!("value {n} of this") })
        .map(String::into_bytes)
        .collect();
    let entries = 2 * fields;
    let build = || {
        let mut pack = Listpack::new();
        for (name, value) in names.iter().zip(&values) {
            pack.push_back(name);
            pack.push_back(value);
        }
        pack
    };
    let mut pack = build();
    measure(&format!("{entries} entries: push_back, each"), entries, || {
        black_box(build());
    });
    measure(&format!("{entries} entries: find, mean of all fields"), fields, || {
        for name in &names {
            black_box(pack.find(black_box(name), 1));
        }
    });
    measure(&format!("{entries} entries: find nothing"), 10, || {
        for _ in 0..10 {
            black_box(pack.find(black_box(b"field:none"), 1));
        }
    });
    measure(&format!("{entries} entries: iterate, each"), entries, || {
        let mut sum = 0;
        for (_, element) in &pack {
            sum += match element {
                Element::Int(value) => value as usize,
                Element::Str(text) => text.len() + usize::from(text[0]),
            };
        }
        black_box(sum);
    });
    measure(&format!("{entries} entries: seek, mean"), entries, || {
        for index in 0..entries {
            black_box(pack.seek(black_box(index)));
        }
    });
    let found: Vec<_> = (0..fields).map(|n| pack.seek(2 * n + 1)).collect();
    measure(&format!("{entries} entries: replace, same size"), fields, || {
        for (position, value) in found.iter().flatten().zip(&values) {
            pack.replace(*position, black_box(value));
        }
    });
    measure(&format!("{entries} entries: push_front and pop"), 2 * fields, || {
        for value in &values {
            pack.push_front(black_box(value));
            pack.delete_range(0, 1);
        }
    });
    let blob = pack.as_bytes().to_vec();
    measure(&format!("{entries} entries: check, all"), 1, || {
        black_box(Listpack::from_bytes(black_box(&blob))).expect("its own bytes");
    });
    let elements: Vec<Element<'_>> = pack.iter().map(|(_, element)| element).collect();
    measure(&format!("{entries} entries: append at once, each"), entries, || {
        black_box(Listpack::of(black_box(&elements)));
    });
}

fn intset(len: i64) {
    let mut set = Intset::new();
    let mut random = fastrand::Rng::with_seed(3);
    let values: Vec<i64> = (0..len).map(|_| random.i64(0..100_000)).collect();
    for value in &values {
        black_box(set.insert(*value));
    }
    measure(&format!("intset of {len}: contains"), values.len(), || {
        for value in &values {
            black_box(set.contains(black_box(*value)));
        }
    });
    measure(&format!("intset of {len}: insert, each"), values.len(), || {
        let mut set = Intset::new();
        for value in &values {
            black_box(set.insert(*value));
        }
    });
}

fn lzf() {
    let text: Vec<u8> = (0..).flat_map(|n| format!("item:{n} ").into_bytes()).take(8000).collect();
    let mut compressor = Compressor::new();
    for len in [60, 8000] {
        let mut out = Vec::with_capacity(len);
        measure(&format!("lzf: compress {len} bytes"), 1, || {
            out.clear();
            black_box(compressor.compress(&text[..len], usize::MAX, &mut out));
        });
        let mut back = Vec::with_capacity(len);
        measure(&format!("lzf: decompress from {} bytes", out.len()), 1, || {
            back.clear();
            decompress(&out, len, &mut back).expect("its own stream");
        });
    }
}
