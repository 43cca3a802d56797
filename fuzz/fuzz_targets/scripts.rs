//! Random programs over what scripts can reach: they end, within their memory and their
//! instructions, and leave the interpreter as it was.
//!
//! The bytes choose the words of a program, so that nearly every one compiles.
#![no_main]

use std::cell::RefCell;

use libfuzzer_sys::fuzz_target;
use resp::{Proto, Writer};
use script::{About, Host, Interp, Level, Propagation, Role};

/// Bytes that a program may use beside the sandbox.
const MEMORY_MAX: usize = 4 << 20;
const INSTRUCTIONS_MAX: u64 = 200_000;
/// Programs between two new interpreters.
const RUNS: u32 = 2000;

/// What functions are called with, and what values are made of.
const VALUES: &[&str] = &[
    "nil",
    "true",
    "false",
    "0",
    "-1",
    "1.5",
    "7",
    "255",
    "1e15",
    "-2147483648",
    "2147483647",
    "4294967296",
    "9007199254740993",
    "1e308*10",
    "0/0",
    "''",
    "'a'",
    "'%d'",
    "'abc\\0def'",
    "'\\255\\254'",
    "'[1,{\"a\":null}]'",
    "'\\145\\146\\1\\2'",
    "'\\219\\255\\255\\255\\255'",
    "'>I4'",
    "'<i8s!4bhc0'",
    "'(a*)%1'",
    "'%b()'",
    "'.-b'",
    "'[^%w]+'",
    "'%99d%s%q'",
    "{}",
    "{1,2,3}",
    "{a=1}",
    "{ok='fine'}",
    "{err='bad'}",
    "{map={a=1}}",
    "{double=1.5}",
    "{[2147483647]=1}",
    "{{{{}}}}",
    "function(...) return ... end",
    "function() error({}) end",
    "KEYS",
    "ARGV",
    "KEYS[1]",
    "ARGV[1]",
    "string",
    "cjson",
    "redis",
    "_G",
    "cjson.null",
    "a",
    "b",
    "t",
    "string.rep('x',99999)",
    "string.rep('(',9999)",
    "coroutine.create(function() a=1 end)",
    "setmetatable({},t)",
];
const FUNCTIONS: &[&str] = &[
    "string.byte",
    "string.char",
    "string.dump",
    "string.find",
    "string.format",
    "string.gmatch",
    "string.gsub",
    "string.len",
    "string.lower",
    "string.match",
    "string.rep",
    "string.reverse",
    "string.sub",
    "string.upper",
    "table.concat",
    "table.foreach",
    "table.foreachi",
    "table.getn",
    "table.insert",
    "table.maxn",
    "table.remove",
    "table.sort",
    "math.floor",
    "math.fmod",
    "math.random",
    "math.randomseed",
    "math.max",
    "math.ldexp",
    "cjson.encode",
    "cjson.decode",
    "cjson.encode_sparse_array",
    "cjson.encode_max_depth",
    "cjson.decode_max_depth",
    "cjson.encode_number_precision",
    "cjson.encode_keep_buffer",
    "cjson.encode_invalid_numbers",
    "cjson.decode_invalid_numbers",
    "cjson.new",
    "cmsgpack.pack",
    "cmsgpack.unpack",
    "cmsgpack.unpack_one",
    "cmsgpack.unpack_limit",
    "struct.pack",
    "struct.unpack",
    "struct.size",
    "bit.tobit",
    "bit.tohex",
    "bit.bnot",
    "bit.band",
    "bit.bor",
    "bit.bxor",
    "bit.lshift",
    "bit.rshift",
    "bit.arshift",
    "bit.rol",
    "bit.ror",
    "bit.bswap",
    "redis.call",
    "redis.pcall",
    "redis.log",
    "redis.sha1hex",
    "redis.error_reply",
    "redis.status_reply",
    "redis.setresp",
    "redis.set_repl",
    "redis.acl_check_cmd",
    "redis.breakpoint",
    "redis.debug",
    "redis.replicate_commands",
    "os.clock",
    "pairs",
    "ipairs",
    "next",
    "rawget",
    "rawset",
    "rawequal",
    "select",
    "tonumber",
    "tostring",
    "type",
    "unpack",
    "pcall",
    "xpcall",
    "error",
    "assert",
    "load",
    "loadstring",
    "getmetatable",
    "setmetatable",
    "collectgarbage",
    "coroutine.create",
    "coroutine.resume",
    "coroutine.wrap",
    "coroutine.yield",
    "coroutine.status",
    "coroutine.running",
];
const OPERATORS: &[&str] =
    &["+", "-", "*", "/", "%", "^", "..", "==", "~=", "<", "<=", ">", ">=", " and ", " or "];

/// The bytes that choose; zeroes when they are used up, and zeroes end everything.
struct Choices<'a>(&'a [u8]);

impl Choices<'_> {
    fn next(&mut self) -> usize {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        usize::from(*first)
    }

    fn of<'t>(&mut self, words: &[&'t str]) -> &'t str {
        words[self.next() % words.len()]
    }
}

fn expression(out: &mut String, from: &mut Choices<'_>, depth: usize) {
    match from.next() % if depth > 4 { 4 } else { 12 } {
        0..4 => out.push_str(from.of(VALUES)),
        4..9 => call(out, from, depth + 1),
        9 => {
            out.push('(');
            expression(out, from, depth + 1);
            out.push_str(from.of(OPERATORS));
            expression(out, from, depth + 1);
            out.push(')');
        }
        10 => {
            out.push('{');
            expression(out, from, depth + 1);
            out.push(',');
            expression(out, from, depth + 1);
            out.push_str(",[1+#'a']=");
            expression(out, from, depth + 1);
            out.push('}');
        }
        _ => {
            out.push_str("t[");
            expression(out, from, depth + 1);
            out.push(']');
        }
    }
}

fn call(out: &mut String, from: &mut Choices<'_>, depth: usize) {
    let count = from.next() % 5;
    if from.next() % 4 > 0 {
        out.push_str("pcall(");
        out.push_str(from.of(FUNCTIONS));
        (0..count).for_each(|_| {
            out.push(',');
            expression(out, from, depth);
        });
    } else {
        out.push_str(from.of(FUNCTIONS));
        out.push('(');
        (0..count).for_each(|n| {
            if n > 0 {
                out.push(',');
            }
            expression(out, from, depth);
        });
    }
    out.push(')');
}

fn statement(out: &mut String, from: &mut Choices<'_>, depth: usize) {
    let kind = from.next() % if depth > 3 { 5 } else { 9 };
    match kind {
        0 | 1 => {
            out.push_str(from.of(&["a=", "b=", "t[a]=", "t[1]=", "_,a="]));
            call(out, from, 0);
        }
        2 => {
            out.push_str(from.of(&["a=", "b=", "t.x="]));
            expression(out, from, 0);
        }
        3 => {
            out.push_str("t[#t+1]=");
            expression(out, from, 0);
        }
        4 => out.push_str(from.of(&[
            "t={t,t}",
            "a=a..a",
            "t=setmetatable({},{__index=t})",
            "a,b=b,a",
        ])),
        5 => block(out, from, "for i=1,99 do ", depth),
        6 => block(out, from, "while true do ", depth),
        7 => block(out, from, "for k,v in pairs(t) do a=v ", depth),
        _ => block(out, from, "f=function(...) ", depth),
    }
    out.push_str("; ");
}

fn block(out: &mut String, from: &mut Choices<'_>, head: &str, depth: usize) {
    out.push_str(head);
    (0..=from.next() % 3).for_each(|_| statement(out, from, depth + 1));
    out.push_str("end");
}

fn program(bytes: &[u8]) -> String {
    let mut from = Choices(bytes);
    let mut out = "local a,b,t,f,_='x',1,{}; ".to_owned();
    while !from.0.is_empty() && out.len() < 10_000 {
        statement(&mut out, &mut from, 0);
    }
    out.push_str("return {a,b,t,pcall(f,a,b,t)}");
    out
}

/// A host whose replies depend on the command, in every form that a reply has.
struct Answers;

impl Host for Answers {
    fn call(&mut self, args: &[&[u8]], reply: &mut Writer) {
        const REPLIES: &[&[u8]] = &[
            b"+OK\r\n",
            b"-ERR bad\r\n",
            b":-7\r\n",
            b"$3\r\nabc\r\n",
            b"$-1\r\n",
            b"*-1\r\n",
            b"*2\r\n*0\r\n:1\r\n",
            b"%1\r\n+a\r\n:1\r\n",
            b"~2\r\n:1\r\n:2\r\n",
            b",1.5\r\n",
            b"#t\r\n",
            b"_\r\n",
            b"(123\r\n",
            b"=7\r\ntxt:abc\r\n",
            b"|1\r\n+a\r\n:1\r\n:2\r\n",
        ];
        let sum = args.iter().map(|arg| arg.len() + usize::from(*arg.first().unwrap_or(&0)));
        reply.raw(REPLIES[sum.sum::<usize>() % REPLIES.len()]);
    }

    fn may_run(&mut self, args: &[&[u8]]) -> Option<bool> {
        [Some(true), Some(false), None][args[0].len() % 3]
    }

    fn log(&mut self, _: Level, _: &[u8]) {}

    fn set_propagation(&mut self, _: Propagation) {}

    fn interrupt(&mut self) -> Option<&'static str> {
        None
    }
}

/// An interpreter, what it used at first, and how often it ran.
fn fresh() -> (Interp, usize, u32) {
    let redis = "7.2.4".to_owned();
    let about = About { server: "fuzz", redis, valkey: "9.1.2", insecure: false };
    let mut interp = Interp::new(Role::Scripts, about);
    let used = interp.used();
    interp.set_memory_max(used + MEMORY_MAX);
    interp.set_budget(Some(INSTRUCTIONS_MAX));
    (interp, used, 0)
}

thread_local! {
    static INTERP: RefCell<(Interp, usize, u32)> = RefCell::new(fresh());
}

fuzz_target!(|bytes: &[u8]| {
    INTERP.with_borrow_mut(|place| {
        if place.2 == RUNS {
            *place = fresh();
        }
        place.2 += 1;
        let (interp, begin, _) = place;
        let code = program(bytes);
        let Ok(script) = interp.compile(code.as_bytes()) else { return };
        let mut out = Writer::new(if bytes.len() % 2 == 0 { Proto::Resp2 } else { Proto::Resp3 });
        let _ = interp.run(script, &[b"key"], &[b"argument"], &mut Answers, &mut out);
        interp.forget(script);
        assert!(interp.used() <= *begin + MEMORY_MAX, "{} bytes", interp.used());
        let script = interp.compile(b"return #KEYS + 1").expect("there is memory again");
        let mut out = Writer::new(Proto::Resp2);
        interp.run(script, &[b"key"], &[], &mut Answers, &mut out).expect("it runs");
        interp.forget(script);
        assert!(out.chunks(0).eq([b":2\r\n"]), "the interpreter is as it was");
    });
});
