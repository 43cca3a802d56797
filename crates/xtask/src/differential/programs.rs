//! Random programs for EVAL: what the libraries of scripts answer, how values become replies and
//! back, and what errors say.
//!
//! Nothing is used whose result is an address, a time or the order of a table's names.

use fastrand::Rng;

/// Values that can be shown.
const SCALARS: &[&str] = &[
    "nil",
    "true",
    "false",
    "0",
    "-0",
    "1",
    "-1",
    "3",
    "0.1",
    "1/3",
    "-2.5",
    "3.99999999",
    "1e15",
    "1e14+0.5",
    "123456789012345",
    "1e100",
    "2^31",
    "-2^31",
    "2^32+1",
    "2^53",
    "2^63",
    "-2^63",
    "1e308*10",
    "-1e308*10",
    "0x10",
    "''",
    "'a'",
    "'abc'",
    "'10'",
    "' 7 '",
    "'0x1F'",
    "'1e2'",
    "'5.'",
    "'line\\r\\nend'",
    "'\\0\\255'",
    "'\\\\\"/\\t'",
    "KEYS[1]",
    "KEYS[2]",
    "KEYS[3]",
    "ARGV[1]",
    "ARGV[2]",
    "#ARGV[1]",
    "string.rep('ab', 20)",
];
const TABLES: &[&str] = &[
    "{}",
    "{1, 2, 3}",
    "{'a', {}, {{1}}}",
    "{1, nil, 3}",
    "{a = 1}",
    "{[1] = 1, [3] = 3}",
    "{ok = 'fine'}",
    "{ok = 'two\\r\\nlines'}",
    "{err = 'MY fault'}",
    "{err = 'bad'}",
    "{err = ''}",
    "{ok = 1}",
    "{double = 2.5}",
    "{double = 'x'}",
    "{map = {a = 1}}",
    "{map = {}}",
    "{set = {a = true}}",
    "{big_number = '12345678901234567890'}",
    "{verbatim_string = {format = 'txt', string = 'text'}}",
    "{verbatim_string = {string = 'text'}}",
    "{null = true}",
    "KEYS",
    "ARGV",
];
/// Functions of values, with as many arguments as they like most.
const FUNCTIONS: &[(&str, usize)] = &[
    ("tonumber", 1),
    ("tonumber", 2),
    ("type", 1),
    ("string.len", 1),
    ("string.lower", 1),
    ("string.upper", 1),
    ("string.reverse", 1),
    ("string.sub", 3),
    ("string.byte", 3),
    ("string.char", 2),
    ("string.find", 3),
    ("string.match", 2),
    ("string.gsub", 3),
    ("string.format", 3),
    ("math.floor", 1),
    ("math.ceil", 1),
    ("math.abs", 1),
    ("math.fmod", 2),
    ("math.max", 2),
    ("math.min", 2),
    ("math.sqrt", 1),
    ("math.pow", 2),
    ("math.modf", 1),
    ("math.frexp", 1),
    ("math.ldexp", 2),
    ("select", 3),
    ("bit.tobit", 1),
    ("bit.tohex", 2),
    ("bit.bnot", 1),
    ("bit.band", 2),
    ("bit.bor", 2),
    ("bit.bxor", 3),
    ("bit.lshift", 2),
    ("bit.rshift", 2),
    ("bit.arshift", 2),
    ("bit.rol", 2),
    ("bit.ror", 2),
    ("bit.bswap", 1),
    ("redis.sha1hex", 1),
    ("redis.status_reply", 1),
    ("redis.error_reply", 1),
    ("cjson.decode", 1),
    ("cmsgpack.unpack", 1),
    ("struct.pack", 3),
    ("struct.unpack", 2),
    ("struct.size", 1),
    ("loadstring", 1),
];
/// Functions of tables.
const OF_TABLES: &[&str] = &[
    "cjson.encode(T)",
    "cjson.decode(cjson.encode(T))",
    "cmsgpack.pack(T)",
    "cmsgpack.unpack(cmsgpack.pack(T))",
    "table.concat(T, S)",
    "table.concat(T, ',', S, S)",
    "unpack(T)",
    "unpack(T, S, S)",
    "#T",
    "table.getn(T)",
    "table.maxn(T)",
    "table.remove(T)",
    "next({})",
    "T[S]",
    "string.rep(S, 3)",
    "string.rep(S, S == 2 and 7)",
    "(T)[1]",
    "rawget(T, S)",
    "select('#', unpack(T))",
    "setmetatable({}, {__index = function(t, k) return k end})[S]",
];
/// What formats, patterns, JSON and the like are.
const TEXTS: &[&str] = &[
    "'%d'",
    "'%s|%q'",
    "'%5.2f'",
    "'%x%X%o'",
    "'%g'",
    "'%e'",
    "'%c'",
    "'%i%u'",
    "'%10s|%-10s'",
    "'%'",
    "'%z'",
    "'%.20s'",
    "'%a+'",
    "'(%w)(%d*)'",
    "'[^a]-'",
    "'^a'",
    "'.-b$'",
    "'%b()'",
    "'[a-'",
    "'(()'",
    "'%1'",
    "'[1,2.5,null,true,\"x\"]'",
    "'{\"a\":[]}'",
    "'[1,]'",
    "'nul'",
    "'\"\\\\u00e9\\\\ud83d\\\\ude00\"'",
    "'1e400'",
    "'-0'",
    "'[[[['",
    "' 12 '",
    "'0x10'",
    "'\\147\\1\\2\\3'",
    "'\\129\\161a\\192'",
    "'\\203\\64\\9\\33\\251\\84\\68\\45\\24'",
    "'\\204'",
    "'\\193'",
    "'\\222\\0'",
    "'>I2b'",
    "'<i4d'",
    "'!4bi8'",
    "'s'",
    "'c3'",
    "'c0'",
    "'bs'",
    "'i33'",
    "'!3b'",
    "'return 1'",
    "'return return'",
    "'x ='",
];
const COMMANDS: &[&str] = &[
    "'get', KEYS[1]",
    "'set', KEYS[1], S",
    "'set', KEYS[1], S, 'get'",
    "'incr', KEYS[1]",
    "'incrbyfloat', KEYS[1], S",
    "'del', KEYS[1]",
    "'exists', KEYS[1], KEYS[2]",
    "'type', KEYS[2]",
    "'rpush', 'l0', S, S",
    "'lrange', 'l0', 0, -1",
    "'hset', 'h0', 'f', S",
    "'hget', 'h0', 'f'",
    "'hgetall', 'h9'",
    "'zadd', 'z0', S, 'm'",
    "'zscore', 'z0', 'm'",
    "'zrange', 'z0', 0, -1, 'withscores'",
    "'sadd', 'e0', S",
    "'sismember', 'e0', S",
    "'ping'",
    "'ping', S",
    "'echo', S",
    "'getrange', KEYS[1], S, S",
    "'setrange', KEYS[1], S, 'x'",
    "'lpop', 'l0'",
    "'select', S",
    "'dbsize', S",
    "'nothing', S",
    "'multi'",
    "'subscribe', 'c'",
    "'blpop', 'l9', S",
    "'get'",
    "S",
    "T",
    "'eval', 'return 1', 0",
];
const STATEMENTS: &[&str] = &[
    "local a = E",
    "local a, b = E, E",
    "local t = T\nt[#t + 1] = E",
    "local ok, e = pcall(function() return E end)\nlocal a = {ok, e}",
    "local ok, e = pcall(redis.call, C)\nlocal a = {ok, e}",
    "local a = redis.pcall(C)",
    "local a = redis.call(C)",
    "redis.setresp(3)\nlocal a = redis.call(C)",
    "redis.setresp(2)",
    "redis.setresp(S)",
    "if E then\n return E\nend",
    "for i = 1, 3 do\n redis.call(C)\nend",
    "local s = ''\nfor i, v in ipairs(T) do\n s = s .. i .. type(v)\nend\nlocal a = s",
    "local a = #(E)",
    "local a = E .. E",
    "local a = E + E",
    "local a = E < E",
    "local a = -(E)",
    "error(S)",
    "error({err = S})",
    "error(T)",
    "assert(E, S)",
    "foo = 1",
    "local a = foo",
    "redis.foo()",
    "table.insert(cjson, 1)",
    "local f = function() return E end\nlocal a = f()",
    "local c = coroutine.wrap(function(x)\n coroutine.yield(x)\n return E\nend)\n\
     local a = {c(1), c()}",
    "math.randomseed(S)\nlocal a = {math.random(), math.random(10), math.random(5, 7)}",
    "local a = cjson.decode(cjson.encode({E}))",
    "local t = {5, 2, 9, 1}\ntable.sort(t, function(x, y) return x > y end)\nlocal a = t",
    "local a = redis.acl_check_cmd(S)",
    "local a = tostring(S)",
];

/// A program.
pub(super) fn program(rng: &mut Rng) -> Vec<u8> {
    let mut out = String::new();
    if rng.u8(0..12) == 0 {
        out.push_str(pick(
            rng,
            &[
                "#!lua\n",
                "#!lua flags=no-writes\n",
                "#!lua flags=allow-oom,no-cluster\n",
                "#!lua flags=none\n",
                "#!lua x\n",
                "#!js\n",
                "#!lua",
            ],
        ));
    }
    for _ in 0..rng.u8(0..4) {
        let statement = pick(rng, STATEMENTS);
        fill(&mut out, statement, rng, 0);
        out.push('\n');
    }
    let end =
        pick(rng, &["return E", "return {E, E}", "return a", "return T", "return {a, E}", ""]);
    fill(&mut out, end, rng, 0);
    if rng.u8(0..20) == 0 {
        out.truncate(
            (0..=rng.usize(0..=out.len())).rev().find(|at| out.is_char_boundary(*at)).unwrap_or(0),
        );
    }
    out.into_bytes()
}

/// The code of a library with one function.
pub(super) fn library(rng: &mut Rng) -> Vec<u8> {
    let mut out = pick(
        rng,
        &[
            "#!lua name=one\n",
            "#!lua name=one\n",
            "#!lua name=two\n",
            "#!lua\n",
            "#!LUA name=one\n",
            "#!lua name=one name=two\n",
            "#!lua name=a-b\n",
            "#!lua foo=one\n",
            "",
            "#!js name=one\n",
        ],
    )
    .to_owned();
    let head = pick(
        rng,
        &[
            "redis.register_function('f1', function(KEYS, ARGV)\n",
            "server.register_function('f2', function(KEYS, ARGV)\n",
            "redis.register_function{function_name = 'f1', flags = {'no-writes'}, \
             callback = function(KEYS, ARGV)\n",
            "redis.register_function{function_name = 'f2', description = 'D', \
             callback = function(KEYS, ARGV)\n",
            "redis.register_function{function_name = S, callback = function(KEYS, ARGV)\n",
            "redis.register_function(S, function(KEYS, ARGV)\n",
        ],
    );
    fill(&mut out, head, rng, 1);
    let body = pick(rng, STATEMENTS);
    fill(&mut out, body, rng, 1);
    fill(&mut out, "\nreturn E\nend", rng, 0);
    out.push(if head.contains('{') { '}' } else { ')' });
    if rng.u8(0..8) == 0 {
        let statement = pick(rng, STATEMENTS);
        out.push('\n');
        fill(&mut out, statement, rng, 1);
    }
    out.into_bytes()
}

fn pick<'t>(rng: &mut Rng, list: &[&'t str]) -> &'t str {
    list[rng.usize(0..list.len())]
}

/// Puts something in the place of every letter that stands alone: S a scalar, T a table, E an
/// expression, C a command.
fn fill(out: &mut String, text: &str, rng: &mut Rng, depth: usize) {
    let bytes = text.as_bytes();
    let is_word =
        |at: usize| bytes.get(at).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    for (at, letter) in text.char_indices() {
        let stands_alone =
            !is_word(at + 1) && at.checked_sub(1).is_none_or(|before| !is_word(before));
        match letter {
            'S' if stands_alone => scalar(out, rng),
            'T' if stands_alone => out.push_str(pick(rng, TABLES)),
            'E' if stands_alone => expression(out, rng, depth + 1),
            'C' if stands_alone => {
                let command = pick(rng, COMMANDS);
                fill(out, command, rng, depth);
            }
            _ => out.push(letter),
        }
    }
}

fn scalar(out: &mut String, rng: &mut Rng) {
    let list = if rng.u8(0..4) == 0 { TEXTS } else { SCALARS };
    out.push_str(pick(rng, list));
}

fn expression(out: &mut String, rng: &mut Rng, depth: usize) {
    match rng.u8(0..if depth > 3 { 4 } else { 16 }) {
        0..3 => scalar(out, rng),
        3 => out.push_str(pick(rng, TABLES)),
        4..9 => {
            let (name, count) = FUNCTIONS[rng.usize(0..FUNCTIONS.len())];
            let guard = rng.u8(0..3) == 0;
            out.push_str(if guard { "{pcall(" } else { "" });
            out.push_str(name);
            out.push(if guard { ',' } else { '(' });
            let count = if rng.u8(0..8) == 0 { rng.usize(0..4) } else { count };
            for n in 0..count {
                if n > 0 {
                    out.push_str(", ");
                }
                if n == 0 && rng.bool() {
                    out.push_str(pick(rng, TEXTS))
                } else {
                    expression(out, rng, depth + 2)
                }
            }
            // A guard without arguments would end in a comma.
            out.push_str(match (guard, count) {
                (true, 0) => "nil)}",
                (true, _) => ")}",
                _ => ")",
            });
        }
        9..12 => {
            let call = pick(rng, OF_TABLES);
            fill(out, call, rng, depth);
        }
        12..14 => {
            out.push_str(if rng.bool() { "redis.call(" } else { "redis.pcall(" });
            let command = pick(rng, COMMANDS);
            fill(out, command, rng, depth);
            out.push(')');
        }
        _ => {
            out.push('(');
            expression(out, rng, depth + 1);
            out.push_str(pick(
                rng,
                &[" + ", " - ", " * ", " / ", " % ", " ^ ", " .. ", " == ", " < ", " and ", " or "],
            ));
            expression(out, rng, depth + 1);
            out.push(')');
        }
    }
}
