//! What scripts decode: MessagePack, packed values, JSON and patterns of random bytes end with
//! values or an error, within the memory and the instructions that the interpreter may use; and
//! what was decoded can be encoded.
#![no_main]

use std::cell::RefCell;

use libfuzzer_sys::fuzz_target;
use resp::{Proto, Writer};
use script::{About, Host, Interp, Level, Propagation, Role, Script};

const MEMORY_MAX: usize = 16 << 20;
const INSTRUCTIONS_MAX: u64 = 1_000_000;

/// Each gets the bytes in two pieces.
const PROGRAMS: [&str; 8] = [
    "return cmsgpack.pack(cmsgpack.unpack(ARGV[1] .. ARGV[2]))",
    "return {cmsgpack.unpack_one(ARGV[2], #ARGV[1])}",
    "return {cmsgpack.unpack_limit(ARGV[2], #ARGV[1], 1)}",
    "return {struct.unpack(ARGV[1], ARGV[2])}",
    "return {pcall(struct.size, ARGV[1]), struct.unpack(ARGV[1], ARGV[2], 2), \
     #struct.pack(ARGV[1], 1, 2, 'abc')}",
    "return cjson.encode(cjson.decode(ARGV[1] .. ARGV[2]))",
    "return {string.find(ARGV[2], ARGV[1])}",
    "return {pcall(string.format, ARGV[1], 1.5, ARGV[2], 7), string.gsub(ARGV[2], ARGV[1], '%1')}",
];

struct Nobody;

impl Host for Nobody {
    fn call(&mut self, _: &[&[u8]], reply: &mut Writer) {
        reply.ok();
    }

    fn may_run(&mut self, _: &[&[u8]]) -> Option<bool> {
        None
    }

    fn log(&mut self, _: Level, _: &[u8]) {}

    fn set_propagation(&mut self, _: Propagation) {}

    fn interrupt(&mut self) -> Option<&'static str> {
        None
    }
}

fn fresh() -> (Interp, Vec<Script>, usize) {
    let redis = "7.2.4".to_owned();
    let about = About { server: "fuzz", redis, valkey: "9.1.2", insecure: false };
    let mut interp = Interp::new(Role::Scripts, about);
    let compile = |code: &&str| interp.compile(code.as_bytes()).expect("it compiles");
    let scripts = PROGRAMS.iter().map(compile).collect();
    let bound = interp.used() + MEMORY_MAX;
    interp.set_memory_max(bound);
    interp.set_budget(Some(INSTRUCTIONS_MAX));
    (interp, scripts, bound)
}

thread_local! {
    static INTERP: RefCell<(Interp, Vec<Script>, usize)> = RefCell::new(fresh());
}

fuzz_target!(|bytes: &[u8]| {
    let [program, cut, bytes @ ..] = bytes else { return };
    INTERP.with_borrow_mut(|(interp, scripts, bound)| {
        let (one, other) = bytes.split_at(bytes.len().min(usize::from(*cut)));
        let script = scripts[usize::from(*program) % scripts.len()];
        let mut out = Writer::new(Proto::Resp3);
        let _ = interp.run(script, &[], &[one, other], &mut Nobody, &mut out);
        assert!(interp.used() <= *bound, "{} bytes", interp.used());
    });
});
