//! Scripts in a sandbox with a host that answers from a list.

use resp::{Proto, Writer};

use crate::{About, Host, Interp, Level, Propagation, Role};

fn about() -> About {
    About { server: "reddle", redis: "7.2.4".to_owned(), valkey: "9.1.2", insecure: false }
}

/// A host that answers every command with the next of its replies and notes what was asked.
#[derive(Default)]
struct Canned {
    replies: Vec<&'static [u8]>,
    asked: Vec<String>,
    logged: Vec<String>,
    ends: Option<&'static str>,
}

impl Host for Canned {
    fn call(&mut self, args: &[&[u8]], reply: &mut Writer) {
        let words = args.iter().map(|arg| String::from_utf8_lossy(arg).into_owned());
        self.asked.push(words.collect::<Vec<_>>().join(" "));
        let answer = if self.replies.is_empty() { b"+OK\r\n" } else { self.replies.remove(0) };
        reply.raw(answer);
    }

    fn may_run(&mut self, args: &[&[u8]]) -> Option<bool> {
        match args[0] {
            b"get" => Some(true),
            b"set" => Some(false),
            _ => None,
        }
    }

    fn log(&mut self, level: Level, text: &[u8]) {
        self.logged.push(format!("{level:?} {}", String::from_utf8_lossy(text)));
    }

    fn set_propagation(&mut self, to: Propagation) {
        self.logged.push(format!("{to:?}"));
    }

    fn interrupt(&mut self) -> Option<&'static str> {
        self.ends
    }
}

/// The reply of a script, or its error.
fn eval_on(interp: &mut Interp, host: &mut Canned, proto: Proto, code: &str) -> String {
    let script = match interp.compile(code.as_bytes()) {
        Ok(script) => script,
        Err(error) => return format!("cannot compile: {}", String::from_utf8_lossy(&error)),
    };
    let mut out = Writer::new(proto);
    let keys: [&[u8]; 2] = [b"k1", b"k2"];
    let result = interp.run(script, &keys, &[b"a1"], host, &mut out);
    interp.forget(script);
    if let Err(failure) = result {
        let place = failure.place.map_or(String::new(), |(source, line)| {
            format!(" at {}:{}", String::from_utf8_lossy(&source), String::from_utf8_lossy(&line))
        });
        return format!("{}{place}", String::from_utf8_lossy(&failure.text));
    }
    let bytes: Vec<u8> = out.chunks(0).flatten().copied().collect();
    String::from_utf8_lossy(&bytes).replace("\r\n", "|")
}

fn eval(code: &str) -> String {
    let mut interp = Interp::new(Role::Scripts, about());
    eval_on(&mut interp, &mut Canned::default(), Proto::Resp2, code)
}

fn check(cases: &[(&str, &str)]) {
    let mut interp = Interp::new(Role::Scripts, about());
    for (code, expected) in cases {
        let got = eval_on(&mut interp, &mut Canned::default(), Proto::Resp2, code);
        assert_eq!(got, *expected, "{code}");
    }
}

#[test]
fn values_become_replies() {
    check(&[
        ("return 1", ":1|"),
        ("return 3.99", ":3|"),
        ("return -3.99", ":-3|"),
        ("return 'text'", "$4|text|"),
        ("return true", ":1|"),
        ("return false", "$-1|"),
        ("return nil", "$-1|"),
        ("return", "$-1|"),
        ("return {1, 'two', {3}}", "*3|:1|$3|two|*1|:3|"),
        ("return {1, nil, 3}", "*1|:1|"),
        ("return {ok='fine'}", "+fine|"),
        ("return {err='MY error'}", "-MY error|"),
        ("return {err='a\\r\\nb'}", "-a  b|"),
        ("return redis.error_reply('boom')", "-ERR boom|"),
        ("return redis.error_reply('MY boom')", "-MY boom|"),
        ("return redis.error_reply('-MY boom')", "-MY boom|"),
        ("return redis.status_reply('fine')", "+fine|"),
        ("return {double=3.5}", "$3|3.5|"),
        ("return {map={a=1}}", "*2|$1|a|:1|"),
        ("return {set={a=true}}", "*1|$1|a|"),
        ("return {big_number='123'}", "$3|123|"),
        ("return {verbatim_string={format='txt', string='x'}}", "$1|x|"),
        ("return {KEYS[1], KEYS[2], ARGV[1], #KEYS, #ARGV}", "*5|$2|k1|$2|k2|$2|a1|:2|:1|"),
    ]);
}

#[test]
fn values_become_replies_of_the_third_protocol() {
    let mut interp = Interp::new(Role::Scripts, about());
    let cases = [
        ("redis.setresp(3); return true", "#t|"),
        ("redis.setresp(3); return false", "#f|"),
        ("return {double=3.5}", ",3.5|"),
        ("return {map={a=1}}", "%1|$1|a|:1|"),
        ("return {set={a=true}}", "~1|$1|a|"),
        ("return {big_number='123'}", "(123|"),
        ("return {verbatim_string={format='txt', string='x'}}", "=5|txt:x|"),
        ("return nil", "_|"),
    ];
    for (code, expected) in cases {
        let got = eval_on(&mut interp, &mut Canned::default(), Proto::Resp3, code);
        assert_eq!(got, expected, "{code}");
    }
}

#[test]
fn replies_become_values() {
    let cases: [(&'static [u8], &str, &str); 15] = [
        (b"+OK\r\n", "return redis.call('x').ok", "$2|OK|"),
        (b":12\r\n", "return redis.call('x') + 1", ":13|"),
        (b"$-1\r\n", "return type(redis.call('x'))", "$7|boolean|"),
        (b"*-1\r\n", "return type(redis.call('x'))", "$7|boolean|"),
        (b"$3\r\nab\n\r\n", "return #redis.call('x')", ":3|"),
        (b"*2\r\n:1\r\n*1\r\n+OK\r\n", "return redis.call('x')[2][1].ok", "$2|OK|"),
        (b"_\r\n", "return type(redis.call('x'))", "$3|nil|"),
        (b"#t\r\n", "return tostring(redis.call('x'))", "$4|true|"),
        (b",3.5\r\n", "return tostring(redis.call('x').double)", "$3|3.5|"),
        (b"(123\r\n", "return redis.call('x').big_number", "$3|123|"),
        (b"=7\r\ntxt:abc\r\n", "return redis.call('x').verbatim_string.string", "$3|abc|"),
        (
            b"%1\r\n+a\r\n:1\r\n",
            "local n = 0 for k, v in pairs(redis.call('x').map) do n = v end return n",
            ":1|",
        ),
        (b"~1\r\n$1\r\na\r\n", "return tostring(redis.call('x').set.a)", "$4|true|"),
        (b"-MY fault\r\n", "return redis.pcall('x')", "-MY fault|"),
        (b"-MY fault\r\n", "return redis.call('x')", "MY fault at @user_script:1"),
    ];
    let mut interp = Interp::new(Role::Scripts, about());
    for (reply, code, expected) in cases {
        let mut host = Canned { replies: vec![reply], ..Canned::default() };
        let got = eval_on(&mut interp, &mut host, Proto::Resp2, code);
        assert_eq!(got, expected, "{code}");
    }
}

#[test]
fn arguments_of_commands_are_spelled_exactly() {
    let mut interp = Interp::new(Role::Scripts, about());
    let mut host = Canned::default();
    let code = "redis.call('set', 1, -3, 1e15, 0.1, 1/3, 3.0, 2^53, 1e300)";
    assert_eq!(eval_on(&mut interp, &mut host, Proto::Resp2, code), "$-1|");
    let expected = "set 1 -3 1000000000000000 0.1 0.3333333333333333 3 9007199254740992 1e+300";
    assert_eq!(host.asked, [expected]);
    let place = " at @user_script:1";
    let errors = [
        ("redis.call()", "ERR Please specify at least one argument for this call"),
        ("redis.call('set', {})", "ERR Command arguments must be strings or integers"),
        ("redis.call(nil)", "ERR Command arguments must be strings or integers"),
    ];
    for (code, expected) in errors {
        assert_eq!(eval(code), format!("{expected}{place}"), "{code}");
    }
}

#[test]
fn errors_tell_their_place() {
    check(&[
        ("error('boom')", "ERR user_script:1: boom at @user_script:1"),
        ("\n\nerror({err='MY boom'})", "MY boom at @user_script:3"),
        ("error({})", "ERR unknown error at @user_script:1"),
        ("error()", "ERR nil at @user_script:1"),
        (
            "return foo",
            "ERR user_script:1: Script attempted to access nonexistent global variable 'foo' at \
             @user_script:1",
        ),
        ("return 1 +", "cannot compile: user_script:1: unexpected symbol near '<eof>'"),
        ("local ok, e = pcall(error, {err='MY boom'}) return e", "$7|MY boom|"),
        ("local ok, e = pcall(function() error('x') end) return e", "$16|user_script:1: x|"),
        ("local ok, e = xpcall(function() error('x', 0) end, string.upper) return e", "$1|X|"),
        ("return {pcall(function() return 1, 2 end)}", "*3|:1|:1|:2|"),
        (
            "return {xpcall(function() return 1, 2 end, print)}",
            "ERR user_script:1: Script attempted to access nonexistent global variable 'print' at \
             @user_script:1",
        ),
    ]);
}

#[test]
fn the_sandbox_is_locked() {
    for code in [
        "foo = 1",
        "redis = 1",
        "redis.call = 1",
        "redis.new = 1",
        "_G.foo = 1",
        "rawset(_G, 'foo', 1)",
        "setmetatable(_G, {})",
        "getmetatable(_G).__index = nil",
        "string.rep = 1",
        "getmetatable('').__index = nil",
        "setmetatable(string, {})",
        "table.insert(bit, 1)",
        "cjson.encode = 1",
    ] {
        let got = eval(code);
        let ending = "Attempt to modify a readonly table at @user_script:1";
        assert!(got.ends_with(ending), "{code}: {got}");
    }
    for name in ["print", "dofile", "loadfile", "require", "io", "debug", "newproxy", "setfenv"] {
        let got = eval(&format!("return {name}"));
        assert!(got.contains("nonexistent global variable"), "{name}: {got}");
    }
    check(&[
        ("return loadstring(string.dump(function() return 1 end))", "$-1|"),
        ("local t = {} for k in pairs(os) do t[#t + 1] = k end return t", "*1|$5|clock|"),
        ("return type(os.clock())", "$6|number|"),
        ("local t = setmetatable({}, {__index = function() return 7 end}) return t.x", ":7|"),
    ]);
}

/// Every name that scripts can reach, and what it is: the same in Redis 7.4 and Valkey 9.
#[test]
fn the_globals_are_those_of_redis() {
    let code = "local out, seen = {}, {[KEYS] = true, [ARGV] = true} \
        local function walk(path, t) \
            if seen[t] then return end \
            seen[t] = true \
            for k, v in pairs(t) do \
                out[#out + 1] = path .. k .. ' ' .. type(v) \
                if type(v) == 'table' then walk(path .. k .. '.', v) end \
            end \
            if getmetatable(t) then walk(path .. '<metatable>.', getmetatable(t)) end \
        end \
        walk('', {redis = server}) walk('', _G) \
        walk('<string>.', getmetatable('')) table.sort(out) return table.concat(out, '\\n')";
    let got = eval(code);
    let (_, got) = got.split_once('|').expect("a string has a length");
    let known = include_str!("globals.txt").trim_end();
    assert_eq!(got.trim_end_matches('|'), known);
}

#[test]
fn known_holes_are_closed() {
    check(&[
        // CVE-2025-46817: the range of unpack overflows.
        ("return {pcall(unpack, {1, 2}, 0, 2147483647)}", "*2|$-1|$26|too many results to unpack|"),
        ("return {unpack({1, 2, 3}, -1, 1)}", "*0|"),
        ("return {unpack({1, 2, 3}, 2)}", "*2|:2|:3|"),
        // Compiled code is not loaded.
        ("return {loadstring('\\27Lua')}", "*0|"),
        ("local f, e = loadstring('\\27Lua') return e", "$27|compiled code is not loaded|"),
        (
            "local parts, n = {'\\27', 'Lua'}, 0 \
             local f, e = load(function() n = n + 1 return parts[n] end) return e",
            "$27|compiled code is not loaded|",
        ),
        ("return loadstring('return 1 + 1')()", ":2|"),
        ("local f, e = loadstring('x x', '@name') return e", "$29|name:1: '=' expected near 'x'|"),
        // A pattern that nests without end would use up the C stack.
        (
            "return {pcall(string.find, string.rep('a', 300000), string.rep('a?', 300000))}",
            "*2|$-1|$19|pattern too complex|",
        ),
    ]);
    // CVE-2025-49844: the collector runs while the parser holds the chunk's name.
    let code = "for n = 1, 200 do collectgarbage('setpause', 0) \
                loadstring('return ' .. string.rep('{', 50) .. string.rep('}', 50), '@' .. n) end \
                return 1";
    assert_eq!(eval(code), ":1|");
    // CVE-2025-46818: the metatables of basic types belong to nobody.
    assert!(eval("getmetatable('').__add = 1").contains("readonly"));
    check(&[(
        "local n = 0 for _, v in ipairs({1, true, tostring, coroutine.create(function() end)}) do \
         if getmetatable(v) then n = n + 1 end end return n",
        ":0|",
    )]);
    // CVE-2025-46819: the signs of `[===[` are counted in 32 bits.
    let code = vec![b'='; (256 << 20) + 1];
    let refused = Interp::new(Role::Scripts, about()).compile(&code);
    assert_eq!(refused, Err(b"the code is too long".to_vec()));
    check(&[("return [==[a]=]b]==]", "$5|a]=]b|")]);
}

#[test]
fn known_holes_of_the_libraries_are_closed() {
    check(&[
        // CVE-2024-31449: the number of digits cannot be negated.
        ("return bit.tohex(65535, -2147483648)", "$8|0000FFFF|"),
        ("return bit.tohex(65535, 2147483647)", "$8|0000ffff|"),
        ("return bit.tohex(65535, 0)", "$0||"),
        // CVE-2024-46981: nothing of a script's runs while the collector frees.
        ("return pcall(function() return newproxy end)", "$-1|"),
        (
            "local n = 0 for i = 1, 100 do setmetatable({}, {__gc = function() n = n + 1 end}) end \
             collectgarbage() collectgarbage() return n",
            ":0|",
        ),
        // CVE-2020-14147 and CVE-2018-11219: sizes and places of `struct` overflow.
        ("return {pcall(struct.pack, '>I2147483648', 10)}", "*2|$-1|$22|integral size overflow|"),
        (
            "return {pcall(struct.unpack, 'c0', 'x', 2147483647)}",
            "*2|$-1|$46|bad argument #2 to '?' (data string too short)|",
        ),
        ("return pcall(struct.unpack, 'I', 'x', -1)", "$-1|"),
        ("return pcall(struct.unpack, 'bc2147483647', 'aaa')", "$-1|"),
        ("return pcall(struct.unpack, '!2147483647i', 'aaaa')", "$-1|"),
        ("return pcall(struct.unpack, 'c0c0', string.char(255, 255, 255, 255))", "$-1|"),
        // CVE-2018-11218: lengths that `cmsgpack` is told and does not find.
        ("return pcall(cmsgpack.unpack, '\\221')", "$-1|"),
        ("return pcall(cmsgpack.unpack, '\\221\\221')", "$-1|"),
        ("return pcall(cmsgpack.unpack, '\\221\\255\\255\\255\\255')", "$-1|"),
        ("return pcall(cmsgpack.unpack, '\\223\\255\\255\\255\\255\\1')", "$-1|"),
        ("return pcall(cmsgpack.unpack, '\\219\\255\\255\\255\\255a')", "$-1|"),
        ("return pcall(cmsgpack.unpack_limit, 'a', 1, 2147483647)", "$-1|"),
        ("return pcall(cmsgpack.pack)", "$-1|"),
        // CVE-2021-32626: what nests deeply needs a place on Lua's stack for each level.
        ("return pcall(cmsgpack.unpack, string.rep('\\145', 100000))", "$-1|"),
        ("return pcall(cjson.decode, string.rep('[', 100000))", "$-1|"),
        (
            "cjson.decode_max_depth(2147483647) \
             return pcall(cjson.decode, string.rep('[', 100000))",
            "$-1|",
        ),
        (
            "cjson.decode_max_depth(2147483647) \
             return pcall(cjson.decode, string.rep('{\"a\":', 100000))",
            "$-1|",
        ),
        (
            "cjson.encode_max_depth(2147483647) local t = {} for i = 1, 100000 do t = {t} end \
             return pcall(cjson.encode, t)",
            "$-1|",
        ),
        ("local t = {} for i = 1, 100000 do t = {t} end return #cmsgpack.pack(t)", ":17|"),
        ("return pcall(cmsgpack.unpack, string.rep('\\1', 1000000))", "$-1|"),
    ]);
}

/// CVE-2022-24834: lengths of `cjson` and `cmsgpack` are counted in 32 bits.
#[test]
fn texts_of_libraries_are_bounded() {
    let mut interp = Interp::new(Role::Scripts, about());
    interp.set_memory_max(interp.used() + (32 << 20));
    let doubling = "local t = string.rep('\\1', 10000) for i = 1, 40 do t = {t, t} end ";
    for code in [
        "return cjson.encode(t)",
        "t = t[1] for i = 1, 38 do t = t[1] end for i = 1, 13 do t = {t, t} end \
         return cmsgpack.pack(t)",
        "return t",
        "return {map = {a = t}}",
        "return {set = {[t] = true}}",
        "cjson.encode_sparse_array(false, 0) return cjson.encode({[2147483647] = 1})",
        "return cjson.encode(string.rep('\\1', 20000000))",
    ] {
        let code = [doubling, code].concat();
        let got = eval_on(&mut interp, &mut Canned::default(), Proto::Resp2, &code);
        assert!(got.contains("not enough memory"), "{code}: {} bytes", got.len());
        assert_eq!(eval_on(&mut interp, &mut Canned::default(), Proto::Resp2, "return 1"), ":1|");
    }
}

/// What random programs have shown to differ from real servers.
#[test]
fn odd_values_are_told_as_in_redis() {
    check(&[
        (
            "return {1e100, -1e100, 0/0, 2^62, -2^62, -1.9}",
            concat!(
                "*6|:-9223372036854775808|:-9223372036854775808|:-9223372036854775808|",
                ":4611686018427387904|:-4611686018427387904|:-1|"
            ),
        ),
        ("error(true)", "ERR true at @user_script:1"),
        ("error(false)", "ERR false at @user_script:1"),
        ("error(nil)", "ERR nil at @user_script:1"),
        ("error(12)", "ERR user_script:1: 12 at @user_script:1"),
        (
            "struct.pack('^a', 1)",
            "ERR user_script:1: bad argument #1 to 'pack' (invalid format option '^') \
             at @user_script:1",
        ),
        (
            "bit.bxor(1, 'x', {})",
            "ERR user_script:1: bad argument #3 to 'bxor' (number expected, got table) \
             at @user_script:1",
        ),
    ]);
}

/// What runs long in one instruction counts as many.
#[test]
fn loops_of_libraries_end_with_the_script() {
    let mut interp = Interp::new(Role::Scripts, about());
    for code in [
        "return string.find(string.rep('a', 3000), string.rep('a-', 20) .. 'b')",
        "return string.find(string.rep('(', 1000000), '%b()')",
        "return string.find(string.rep('a', 200000), '(a*)%1b')",
        "return string.find(string.rep('a', 1e7), string.rep('a', 5e6) .. 'b', 1, true)",
        "table.insert({}, -2147483647, 1)",
        "local t = {} for i = 1, 1e6 do t[i] = 1 end for i = 1, 1e6 do t[i] = nil end \
         for i = 1, 1e5 do next(t) end",
        "local t = {} for i = 1, 40 do t = {t, t} end return t",
        "local t = {} for i = 1, 40 do t = {t, t} end return cjson.encode(t)",
        "local t = {} for i = 1, 14 do t = {t, t, t, t} end return cmsgpack.pack(t)",
        "local function f() for i = 1, 1000 do end end \
         while true do coroutine.wrap(f)() end",
        "local t = {} for i = 1, 2000 do t[i] = i % 3 end while true do table.sort(t) end",
        "while true do local s = string.rep('x', 1e7) end",
        "local kept = string.rep('x', 1e5) while true do string.rep('x', 1e5) end",
    ] {
        interp.set_budget(Some(3_000_000));
        let got = eval_on(&mut interp, &mut Canned::default(), Proto::Resp2, code);
        assert!(got.starts_with("ERR Script reached the instruction limit"), "{code}: {got}");
    }
    interp.set_budget(None);
    let quick = "return #string.rep('', 2147483647)";
    assert_eq!(eval_on(&mut interp, &mut Canned::default(), Proto::Resp2, quick), ":0|");
    let pieces = "local n = 0 return load(function() n = n + 1 \
         if n < 200000 then return ' ' elseif n == 200000 then return 'return 7' end end)()";
    assert_eq!(eval_on(&mut interp, &mut Canned::default(), Proto::Resp2, pieces), ":7|");
}

#[test]
fn a_script_that_must_end_cannot_catch_it() {
    let scripts = [
        "while true do end",
        "while true do pcall(function() while true do end end) end",
        "while true do xpcall(function() while true do end end, function() end) end",
        "local function f() while true do end end \
         while true do coroutine.resume(coroutine.create(f)) end",
        "local function f() pcall(f) end f() while true do pcall(f) end",
        "local function f() while true do end end while true do xpcall(f, f) end",
        "local function f() while true do end end while true do xpcall(error, f) end",
        "local function f(n) while true do if n > 0 then \
         coroutine.resume(coroutine.create(f), n - 1) end end end f(5)",
    ];
    for code in scripts {
        let mut interp = Interp::new(Role::Scripts, about());
        let mut host =
            Canned { ends: Some("Script killed by user with SCRIPT KILL."), ..Canned::default() };
        let got = eval_on(&mut interp, &mut host, Proto::Resp2, code);
        assert!(got.starts_with("ERR Script killed by user with SCRIPT KILL."), "{code}: {got}");
        host.ends = None;
        assert_eq!(eval_on(&mut interp, &mut host, Proto::Resp2, "return 1"), ":1|");
        interp.set_budget(Some(1_000_000));
        let got = eval_on(&mut interp, &mut host, Proto::Resp2, code);
        assert!(got.starts_with("ERR Script reached the instruction limit"), "{code}: {got}");
    }
}

#[test]
fn memory_is_bounded() {
    let mut interp = Interp::new(Role::Scripts, about());
    let before = interp.used();
    interp.set_memory_max(before + (4 << 20));
    let codes = [
        "return string.rep('x', 100000000)",
        "local t = {} while true do t[#t + 1] = {} end",
        "local s = 'x' while true do s = s .. s end",
        "return #cjson.encode({string.rep('x', 3000000), string.rep('y', 3000000)})",
    ];
    for code in codes {
        let got = eval_on(&mut interp, &mut Canned::default(), Proto::Resp2, code);
        assert!(got.contains("not enough memory"), "{code}: {got}");
        assert!(interp.used() < before + (5 << 20));
    }
    assert_eq!(eval_on(&mut interp, &mut Canned::default(), Proto::Resp2, "return 1"), ":1|");
}

/// Lua 5.1 does not collect when an allocation fails: it must have done so before.
#[test]
fn garbage_does_not_fill_the_memory() {
    let mut interp = Interp::new(Role::Scripts, about());
    interp.set_memory_max(interp.used() + (8 << 20));
    for code in [
        "local kept = string.rep('x', 1e6) \
         for i = 1, 1000 do local s = string.rep('y', 1e5) .. i end return 1",
        "local kept = {} for i = 1, 3e4 do kept[i] = {} end \
         for i = 1, 1e6 do local t = {} end return 1",
        "for i = 1, 20 do local t = {} for i = 1, 2e4 do t = {t} end end return 1",
        "return 1",
    ] {
        let got = eval_on(&mut interp, &mut Canned::default(), Proto::Resp2, code);
        assert_eq!(got, ":1|", "{code}");
    }
}

#[test]
fn the_server_is_told_and_asked() {
    let mut interp = Interp::new(Role::Scripts, about());
    let mut host = Canned::default();
    let mut run = |code: &str| eval_on(&mut interp, &mut host, Proto::Resp2, code);
    assert_eq!(run("redis.log(redis.LOG_WARNING, 'a', 1, 'b')"), "$-1|");
    assert_eq!(run("redis.set_repl(redis.REPL_AOF)"), "$-1|");
    assert_eq!(run("return redis.acl_check_cmd('get', 'x')"), ":1|");
    assert_eq!(run("return redis.acl_check_cmd('set', 'x')"), "$-1|");
    assert!(run("return redis.acl_check_cmd('foo')").contains("Invalid command passed to"));
    assert_eq!(run("return redis.sha1hex('')"), "$40|da39a3ee5e6b4b0d3255bfef95601890afd80709|");
    assert_eq!(
        run("return {redis.REDIS_VERSION, redis.REDIS_VERSION_NUM}"),
        "*2|$5|7.2.4|:459268|"
    );
    assert_eq!(run("return tostring(redis.breakpoint())"), "$5|false|");
    assert_eq!(run("return redis.replicate_commands()"), ":1|");
    assert_eq!(host.logged, ["Warning a 1 b", "Propagation(1)"]);
}

#[test]
fn random_numbers_are_those_of_redis() {
    let mut interp = Interp::new(Role::Scripts, about());
    let mut run = |code: &str| eval_on(&mut interp, &mut Canned::default(), Proto::Resp2, code);
    let seeded = "math.randomseed(7) return {math.random(1000000), math.random(10, 20)}";
    let first = run(seeded);
    assert_ne!(run("return math.random(1000000)"), run("return math.random(1000000)"));
    assert_eq!(run(seeded), first);
    assert!(eval("return math.random(0)").contains("interval is empty"));
}

#[test]
fn json() {
    check(&[
        ("return cjson.encode({1, 2, {a = 'x'}})", "$15|[1,2,{\"a\":\"x\"}]|"),
        ("return cjson.encode({})", "$2|{}|"),
        ("return cjson.encode({[1] = 1, [3] = 3})", "$10|[1,null,3]|"),
        ("return cjson.encode('a/\"\\\\\\n\\1\\127')", "$23|\"a\\/\\\"\\\\\\n\\u0001\\u007f\"|"),
        ("return cjson.encode(cjson.null)", "$4|null|"),
        ("return cjson.encode(0.1 + 0.2)", "$3|0.3|"),
        ("return cjson.encode(1e20)", "$5|1e+20|"),
        ("return cjson.encode(12345678901234)", "$14|12345678901234|"),
        ("return cjson.encode(123456789012345)", "$19|1.2345678901234e+14|"),
        ("return cjson.decode('[1, 2.5, \"x\"]')[3]", "$1|x|"),
        ("return cjson.decode('{\"a\": {\"b\": [true]}}').a.b[1]", ":1|"),
        ("return cjson.decode('\"\\\\u00e9\\\\ud83d\\\\ude00\"')", "$6|é😀|"),
        ("return tostring(cjson.decode('null') == cjson.null)", "$4|true|"),
        ("return cjson.decode('0x10')", ":16|"),
        ("return tostring(cjson.decode('[-1e3]')[1])", "$5|-1000|"),
    ]);
    let errors = [
        ("cjson.encode(1/0)", "Cannot serialise number: must not be NaN or Inf"),
        (
            "cjson.encode(print_nothing and 1 or tostring)",
            "Cannot serialise function: type not supported",
        ),
        ("cjson.encode({[1000] = 1})", "Cannot serialise table: excessively sparse array"),
        (
            "cjson.encode({[{}] = 1})",
            "Cannot serialise table: table key must be a number or string",
        ),
        ("local t = {} t[1] = t cjson.encode(t)", "Cannot serialise, excessive nesting (1001)"),
        ("cjson.decode('')", "Expected value but found T_END at character 1"),
        ("cjson.decode('[1,')", "Expected value but found T_END at character 4"),
        ("cjson.decode('{1}')", "Expected object key string but found T_NUMBER at character 2"),
        ("cjson.decode('[1 2]')", "Expected comma or array end but found T_NUMBER at character 4"),
        (
            "cjson.decode('\"\\\\x\"')",
            "Expected value but found invalid escape code at character 2",
        ),
        ("cjson.decode('tru')", "Expected value but found invalid token at character 1"),
        ("cjson.decode('1 1')", "Expected the end but found T_NUMBER at character 3"),
        ("cjson.decode(string.rep('[', 1001))", "Found too many nested data structures (1001)"),
    ];
    for (code, expected) in errors {
        let code = code.replace("print_nothing and 1 or ", "");
        let got = eval(&code);
        assert!(got.contains(expected), "{code}: {got}");
    }
}

#[test]
fn message_pack() {
    check(&[
        ("return cmsgpack.pack({1, 2, 3})", "$4|\u{fffd}\u{1}\u{2}\u{3}|"),
        ("return cmsgpack.unpack(cmsgpack.pack({a = {1, 'x', true}})).a[2]", "$1|x|"),
        (
            "return {cmsgpack.unpack(cmsgpack.pack(1, -1, 300, -300, 70000, -70000))}",
            "*6|:1|:-1|:300|:-300|:70000|:-70000|",
        ),
        (
            "return {cmsgpack.unpack(cmsgpack.pack(5000000000, -5000000000))}",
            "*2|:5000000000|:-5000000000|",
        ),
        ("return tostring(cmsgpack.unpack(cmsgpack.pack(0.5)))", "$3|0.5|"),
        ("return tostring(cmsgpack.unpack(cmsgpack.pack(0.1)))", "$3|0.1|"),
        ("return #cmsgpack.unpack(cmsgpack.pack(string.rep('x', 70000)))", ":70000|"),
        ("return {cmsgpack.unpack_one(cmsgpack.pack(1, 2))}", "*2|:1|:1|"),
        ("return {cmsgpack.unpack_one(cmsgpack.pack(1, 2), 1)}", "*2|:-1|:2|"),
        ("return {cmsgpack.unpack_limit(cmsgpack.pack(1, 2, 3), 2)}", "*3|:2|:1|:2|"),
        ("local t = {} t.t = t return #cmsgpack.pack(t) > 16 and 1", ":1|"),
    ]);
    assert!(eval("cmsgpack.unpack('\\145')").contains("Missing bytes in input."));
    assert!(eval("cmsgpack.unpack('\\193')").contains("Bad data format in input."));
    assert!(eval("cmsgpack.unpack('\\221\\255\\255\\255\\255')").contains("Missing bytes"));
    assert!(eval("cmsgpack.unpack(string.rep('\\145', 100000))").contains("Bad data format"));
    assert!(eval("cmsgpack.pack()").contains("MessagePack pack needs input."));
}

#[test]
fn packed_values() {
    check(&[
        ("return {struct.unpack('>I2h', struct.pack('>I2h', 258, -2))}", "*3|:258|:-2|:5|"),
        ("return struct.pack('>i4', 1)", "$4|\0\0\0\u{1}|"),
        ("return struct.size('!8bd')", ":16|"),
        ("return {struct.unpack('s', struct.pack('s', 'abc'))}", "*2|$3|abc|:5|"),
        ("return {struct.unpack('bc0', struct.pack('bc0', 3, 'abc'))}", "*2|$3|abc|:5|"),
        ("return tostring(struct.unpack('d', struct.pack('d', 0.1)))", "$3|0.1|"),
        ("return {struct.unpack('<l', struct.pack('<l', -5))}", "*2|:-5|:9|"),
        ("return {struct.unpack('b', 'xyz', 2)}", "*2|:121|:3|"),
    ]);
    assert!(
        eval("struct.unpack('i33', 'x')").contains("integral size 33 is larger than limit of 32")
    );
    assert!(eval("struct.unpack('i4', 'x')").contains("data string too short"));
    assert!(eval("struct.unpack('c2147483648', 'x')").contains("integral size overflow"));
    assert!(eval("struct.unpack('bc0', '\\200', 0)").contains("offset must be 1 or greater"));
    assert!(eval("struct.unpack('bc0', '\\200', -1)").contains("data string too short"));
    assert!(eval("struct.pack('!3i', 1)").contains("alignment 3 is not a power of 2"));
    assert!(eval("struct.pack('y', 1)").contains("invalid format option 'y'"));
    assert!(eval("struct.size('s')").contains("option 's' has no fixed size"));
    assert!(eval("struct.pack('c5', 'x')").contains("string too short"));
}

#[test]
fn bit_operations() {
    check(&[
        ("return bit.band(0xff, 0x0f, 0x3)", ":3|"),
        ("return bit.bor(1, 2, 4)", ":7|"),
        ("return bit.bxor(1, 3)", ":2|"),
        ("return bit.bnot(0)", ":-1|"),
        ("return bit.lshift(1, 31)", ":-2147483648|"),
        ("return bit.rshift(-1, 28)", ":15|"),
        ("return bit.arshift(-256, 4)", ":-16|"),
        ("return bit.rol(0x12345678, 12)", ":1164411171|"),
        ("return bit.ror(0x12345678, 12)", ":1736516421|"),
        ("return bit.bswap(0x12345678)", ":2018915346|"),
        ("return bit.tohex(255)", "$8|000000ff|"),
        ("return bit.tohex(255, -4)", "$4|00FF|"),
        ("return bit.tobit(0xffffffff)", ":-1|"),
    ]);
}

#[test]
fn libraries_register_functions() {
    let mut interp = Interp::new(Role::Functions, about());
    let mut host = Canned::default();
    let code = b"local n = 0\n\
        redis.register_function('f', function(keys, args) n = n + 1\n\
          return {keys[1], args[1], n} end)\n\
        redis.register_function{function_name = 'g', description = 'text', flags = {'no-writes'},\n\
          callback = function() return string.upper('x') end}";
    let functions = interp.load(code, &mut host).expect("the library is whole");
    assert_eq!(functions.len(), 2);
    assert_eq!(functions[1].description.as_deref(), Some(&b"text"[..]));
    assert!(functions[1].flags.any(crate::Flags::NO_WRITES));
    for n in 1..=2 {
        let mut out = Writer::new(Proto::Resp2);
        let result = interp.run(functions[0].callback, &[b"k"], &[b"a"], &mut host, &mut out);
        assert_eq!(result, Ok(()));
        let bytes: Vec<u8> = out.chunks(0).flatten().copied().collect();
        assert_eq!(
            String::from_utf8_lossy(&bytes),
            format!("*3\r\n$1\r\nk\r\n$1\r\na\r\n:{n}\r\n")
        );
    }
    let errors = [
        ("x x", "Error compiling function: user_function:1: '=' expected near 'x'"),
        ("return math.random()", "attempted to access nonexistent global variable 'math'"),
        ("redis.call('get')", "attempted to access nonexistent global variable 'call'"),
        ("foo = 1", "Attempt to modify a readonly table"),
        ("redis.register_function(1)", "calling server.register_function with a single argument"),
        ("redis.register_function('f', 1)", "second argument to server.register_function must be"),
        ("redis.register_function{callback = function() end}", "must get a function name argument"),
        ("redis.register_function{function_name = 'f', flags = {'x'}}", "unknown flag given"),
        ("redis.register_function()", "wrong number of arguments to server.register_function"),
    ];
    for (code, expected) in errors {
        let error = interp.load(code.as_bytes(), &mut host).expect_err(code);
        let error = String::from_utf8_lossy(&error).into_owned();
        assert!(error.contains(expected), "{code}: {error}");
    }
}

#[test]
fn tables_that_hold_themselves_end() {
    let got = eval("local t = {} t[1] = t return t");
    assert!(got.contains("reached lua stack limit"), "{}", &got[got.len().saturating_sub(80)..]);
}
