//! Nanoseconds a command: `cargo bench -p resp`. Prints the best of several rounds, because other
//! work on the machine only ever adds.

#![allow(clippy::print_stdout)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use resp::{Limits, Parser, Proto, Step, Writer, encode_command};

const BATCH: usize = 100;
const ROUNDS: usize = 200;
const REPEATS: usize = 50;

fn main() {
    parse("SET, 16-byte key, 16-byte value", &[&[b's'; 3], &[b'k'; 16], &[b'v'; 16]]);
    parse("SET, 16-byte key, 64-byte value", &[&[b's'; 3], &[b'k'; 16], &[b'v'; 64]]);
    parse("SET, 16-byte key, 1 KiB value", &[&[b's'; 3], &[b'k'; 16], &[b'v'; 1024]]);
    parse("GET, 16-byte key", &[&[b'g'; 3], &[b'k'; 16]]);
    write("+OK", Writer::ok);
    write("64-byte string", |writer| writer.bulk(&[b'v'; 64]));
    write("1 KiB string", |writer| writer.bulk(&[b'v'; 1024]));
    write("integer", |writer| writer.int(1234));
    write("double", |writer| writer.double(1234.5678));
    write("null", Writer::null);
    let shared = Arc::new(vec![b'v'; 64 << 10]);
    write("64 KiB string, shared", move |writer| writer.bulk_shared(&shared));
}

fn parse(name: &str, args: &[&[u8]]) {
    let mut buf = Vec::new();
    for _ in 0..BATCH {
        encode_command(&mut buf, args);
    }
    let limits = Limits::default();
    let mut spans = Vec::new();
    measure(name, || {
        let (mut parser, mut cursor) = (Parser::new(), 0);
        let buf = black_box(&buf[..]);
        spans.clear();
        while let Ok(Step::Command) = parser.next(buf, &mut cursor, &mut spans, &limits) {}
        assert_eq!(black_box(&spans).len(), BATCH * args.len());
    });
}

fn write(name: &str, reply: impl Fn(&mut Writer)) {
    let mut writer = Writer::new(Proto::Resp3);
    measure(name, || {
        for _ in 0..BATCH {
            reply(black_box(&mut writer));
        }
        writer.clear();
    });
}

fn measure(name: &str, mut batch: impl FnMut()) {
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for _ in 0..REPEATS {
            batch();
        }
        let each = start.elapsed().as_nanos() as f64 / (REPEATS * BATCH) as f64;
        best = best.min(each);
    }
    println!("{best:7.1} ns  {name}");
}
