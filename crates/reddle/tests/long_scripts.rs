//! Scripts that take long: who is told of it, what ends them, and what they leave behind.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use fastrand::Rng;
use testkit::{Client, Server, Value};

const LIMIT: Duration = Duration::from_secs(20);
const ENDLESS: &str = "while true do end";

fn start(threads: &str, options: &[(&str, &str)]) -> Server {
    let mut all = vec![("threads", threads), ("busy-reply-threshold", "20")];
    all.extend_from_slice(options);
    Server::start_binary(Path::new(env!("CARGO_BIN_EXE_reddle")), &all)
}

/// A reply as text, an error with its code word.
fn show(value: &Value) -> String {
    match value {
        Value::Bulk(bytes) | Value::Simple(bytes) | Value::Error(bytes) => {
            String::from_utf8_lossy(bytes).into_owned()
        }
        Value::Array(values) => values.iter().map(show).collect::<Vec<_>>().join(" "),
        other => format!("{other:?}"),
    }
}

fn run(client: &mut Client, line: &str) -> String {
    show(&client.run(line))
}

fn begin(client: &mut Client, args: &[&str]) {
    let mut bytes = format!("*{}\r\n", args.len());
    for arg in args {
        bytes.push_str(&format!("${}\r\n{arg}\r\n", arg.len()));
    }
    client.send(bytes.as_bytes()).expect("the server reads");
}

fn end(client: &mut Client) -> String {
    show(&client.receive().expect("the server answers"))
}

/// Waits until a client is told that a script takes long, or no longer.
fn wait_for(client: &mut Client, is_busy: bool) {
    let until = Instant::now() + LIMIT;
    while run(client, "PING").starts_with("BUSY") != is_busy {
        assert!(Instant::now() < until, "busy is not {is_busy}");
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn every_client_is_told_and_any_can_end_it() {
    for threads in ["1", "2", "4"] {
        let server = start(threads, &[]);
        let mut clients: Vec<Client> = (0..9).map(|_| server.client()).collect();
        for killer in 1..clients.len() {
            begin(&mut clients[0], &["EVAL", ENDLESS, "0"]);
            wait_for(&mut clients[1], true);
            for client in &mut clients[1..] {
                assert!(run(client, "GET key").starts_with("BUSY"));
                assert!(run(client, "KEYS *").starts_with("BUSY"));
                assert!(run(client, "EVAL 'return 1' 0").starts_with("BUSY"));
            }
            // Many at once: they are more than are read together.
            let mut many: Vec<Client> = (0..40).map(|_| server.client()).collect();
            many.iter_mut().for_each(|client| begin(client, &["PING"]));
            assert!(many.iter_mut().all(|client| end(client).starts_with("BUSY")));
            let mut new = server.client();
            assert!(run(&mut new, "PING").starts_with("BUSY"));
            assert_eq!(run(&mut clients[killer], "FUNCTION KILL").split(' ').next(), Some("BUSY"));
            assert_eq!(run(&mut clients[killer], "SCRIPT KILL"), "OK");
            let reply = end(&mut clients[0]);
            assert!(reply.starts_with("ERR Script killed by user with SCRIPT KILL."), "{reply}");
            clients.iter_mut().for_each(|client| wait_for(client, false));
            assert!(run(&mut clients[killer], "SCRIPT KILL").starts_with("NOTBUSY"));
        }
    }
}

#[test]
fn what_touches_no_key_works_meanwhile() {
    for threads in ["1", "3"] {
        let server = start(threads, &[]);
        let [mut script, mut one, mut other] = [(); 3].map(|()| server.client());
        begin(&mut script, &["EVAL", ENDLESS, "0"]);
        wait_for(&mut one, true);
        for line in ["SELECT 3", "CLIENT SETNAME me", "MULTI", "DISCARD", "UNWATCH"] {
            assert_eq!(run(&mut one, line), "OK", "{line}");
        }
        assert_eq!(run(&mut one, "RESET"), "RESET");
        assert_eq!(run(&mut one, "MULTI"), "OK");
        assert!(run(&mut one, "SET key value").starts_with("BUSY"));
        assert!(
            run(&mut one, "EXEC").starts_with("EXECABORT Transaction discarded because of: BUSY")
        );
        assert!(run(&mut one, "SHUTDOWN").starts_with("BUSY"));
        let until = Instant::now() + LIMIT;
        while !run(&mut one, "FUNCTION STATS").contains(ENDLESS) {
            assert!(Instant::now() < until, "the script is not shown");
        }
        // WATCH looks at keys, so its answer comes after the script.
        begin(&mut other, &["WATCH", "key"]);
        assert_eq!(run(&mut one, "SCRIPT KILL"), "OK");
        assert_eq!(end(&mut other), "OK");
        end(&mut script);
    }
}

#[test]
fn nothing_in_a_script_keeps_it_alive() {
    let server = start("2", &[]);
    let [mut script, mut other] = [(); 2].map(|()| server.client());
    let bodies = [
        "local f = function() while true do redis.call('ping') end end while true do pcall(f) end",
        "while true do coroutine.wrap(function() while true do end end)() end",
        "while true do table.sort({3, 2, 1}, function(a, b) while true do end end) end",
        "while true do string.gsub('x', 'x', function() while true do end end) end",
        "while true do string.rep('x', 100000) end",
        "local function f() while true do end end while true do xpcall(f, f) end",
    ];
    for body in bodies {
        begin(&mut script, &["EVAL", body, "0"]);
        wait_for(&mut other, true);
        assert_eq!(run(&mut other, "SCRIPT KILL"), "OK", "{body}");
        let reply = end(&mut script);
        assert!(reply.starts_with("ERR Script killed by user"), "{body}: {reply}");
        wait_for(&mut other, false);
    }
}

#[test]
fn what_is_sent_meanwhile_is_run_afterwards() {
    for threads in ["1", "2"] {
        let server = start(threads, &[]);
        let [mut script, mut other] = [(); 2].map(|()| server.client());
        begin(&mut script, &["EVAL", ENDLESS, "0"]);
        begin(&mut script, &["ECHO", "first"]);
        wait_for(&mut other, true);
        begin(&mut script, &["ECHO", "second"]);
        thread::sleep(Duration::from_millis(30));
        assert_eq!(run(&mut other, "SCRIPT KILL"), "OK");
        assert!(end(&mut script).starts_with("ERR Script killed by user"));
        assert_eq!(end(&mut script), "first");
        assert_eq!(end(&mut script), "second");
    }
}

#[test]
fn functions_are_ended_by_their_own_command() {
    let server = start("2", &[]);
    let [mut script, mut other] = [(); 2].map(|()| server.client());
    let code = "#!lua name=l\nredis.register_function('f', function() while true do end end)";
    assert_eq!(show(&other.call(&["FUNCTION", "LOAD", code])), "l");
    begin(&mut script, &["FCALL", "f", "0"]);
    wait_for(&mut other, true);
    let reply = run(&mut other, "SCRIPT KILL");
    assert!(reply.contains("FUNCTION KILL"), "{reply}");
    assert_eq!(run(&mut other, "FUNCTION KILL"), "OK");
    assert!(end(&mut script).starts_with("ERR Script killed by user with FUNCTION KILL."));
    assert_eq!(run(&mut other, "PING"), "PONG");
}

#[test]
fn shutdown_ends_the_script_and_the_server() {
    for threads in ["1", "3"] {
        let mut server = start(threads, &[("appendonly", "yes")]);
        let [mut script, mut other] = [(); 2].map(|()| server.client());
        assert_eq!(run(&mut other, "SET key value"), "OK");
        let body = "for n = 1, 10 do redis.call('set', n, n) end while true do end";
        begin(&mut script, &["EVAL", body, "0"]);
        wait_for(&mut other, true);
        begin(&mut other, &["SHUTDOWN", "NOSAVE"]);
        assert!(server.wait().success());
        let log = logged(&server);
        assert!(log.contains("value") && !log.contains("MULTI"), "{log}");
    }
}

/// What the log has.
fn logged(server: &Server) -> String {
    let folder = server.folder().join("appendonlydir");
    let mut all = String::new();
    for file in fs::read_dir(folder).expect("there is a log") {
        let path = file.expect("it can be listed").path();
        if path.extension().is_some_and(|extension| extension == "aof") {
            all.push_str(&String::from_utf8_lossy(&fs::read(path).expect("it can be read")));
        }
    }
    all
}

/// Lua that changes keys of all types at random, `count` times.
fn random_changes(rng: &mut Rng, count: usize) -> String {
    let mut body = String::new();
    for _ in 0..count {
        let (key, n) = (rng.u32(0..12), rng.u32(0..40));
        let line = match rng.u32(0..24) {
            0 => format!("'set', 's{key}', 'value{n}'"),
            1 => format!("'append', 's{key}', 'more{n}'"),
            2 => format!("'setex', 's{key}', 1000, 'x{n}'"),
            3 => format!("'incrby', 'i{key}', {n}"),
            4 => format!("'rpush', 'l{key}', 'e{n}', 'e{n}'"),
            5 => format!("'lpop', 'l{key}', 3"),
            6 => format!("'lmove', 'l{key}', 'l{n}', 'left', 'right'"),
            7 => format!("'hset', 'h{key}', 'f{n}', {n}, 'g', 'text{n}'"),
            8 => format!("'hdel', 'h{key}', 'f{n}', 'g'"),
            9 => format!("'hpexpire', 'h{key}', 100000, 'fields', 1, 'f{n}'"),
            10 => format!("'sadd', 'u{key}', {n}, 'm{n}'"),
            11 => format!("'spop', 'u{key}', 2"),
            12 => format!("'zadd', 'z{key}', {n}, 'm{n}'"),
            13 => format!("'zremrangebyrank', 'z{key}', 0, 1"),
            14 => format!("'xadd', 'x{key}', '*', 'f', '{n}'"),
            15 => format!("'xtrim', 'x{key}', 'maxlen', 3"),
            16 => format!("'pfadd', 'p{key}', 'e{n}'"),
            17 => format!("'del', 's{key}', 'l{key}', 'h{n}', 'z{n}'"),
            18 => format!("'pexpire', 'h{key}', {}", 100_000 + n),
            19 => format!("'persist', 's{key}'"),
            20 => format!("'rename', 's{key}', 's{n}'"),
            21 => format!("'copy', 'z{key}', 'z{n}', 'replace'"),
            22 => format!("'setbit', 's{key}', {n}, 1"),
            _ => format!("'move', 's{key}', 2"),
        };
        body.push_str(&format!("redis.pcall({line})\n"));
    }
    body
}

fn digest(client: &mut Client) -> (String, String) {
    let dirty = run(client, "INFO persistence");
    let dirty = dirty.lines().find(|line| line.starts_with("rdb_changes_since")).map(str::to_owned);
    (run(client, "DEBUG DIGEST"), dirty.expect("there is such a line"))
}

#[test]
fn a_script_that_is_ended_has_changed_nothing() {
    let mut rng = Rng::with_seed(7);
    for threads in ["1", "2"] {
        // So that the log has what was answered.
        let log = [("appendonly", "yes"), ("appendfsync", "always")];
        let options = [log[0], log[1], ("enable-debug-command", "yes"), ("save", "")];
        let server = start(threads, &options);
        let [mut script, mut other, mut watcher] = [(); 3].map(|()| server.client());
        for round in 0..25 {
            // What is there before, some of it with a deadline.
            let count = rng.usize(0..60);
            let before = random_changes(&mut rng, count);
            assert!(!end_of(&mut other, &before).starts_with("ERR"));
            run(&mut other, "SELECT 0");
            run(&mut watcher, "GET s1");
            let (was, log) = (digest(&mut other), logged(&server));
            let in_multi = round % 3 == 2;
            let count = rng.usize(1..80);
            let body = format!("{}\n{ENDLESS}", random_changes(&mut rng, count));
            if in_multi {
                assert_eq!(run(&mut script, "MULTI"), "OK");
                begin(&mut script, &["EVAL", &body, "0"]);
                assert_eq!(end(&mut script), "QUEUED");
                begin(&mut script, &["EXEC"]);
            } else {
                begin(&mut script, &["EVAL", &body, "0"]);
            }
            wait_for(&mut other, true);
            assert_eq!(run(&mut other, "SCRIPT KILL"), "OK", "{body}");
            assert!(end(&mut script).contains("killed by user"));
            wait_for(&mut other, false);
            assert_eq!(digest(&mut other), was, "{threads} {round} {body}");
            assert_eq!(logged(&server), log);
        }
        // The log tells the same as the memory.
        let was = run(&mut other, "DEBUG DIGEST");
        assert_eq!(run(&mut other, "DEBUG LOADAOF"), "OK");
        assert_eq!(run(&mut other, "DEBUG DIGEST"), was);
    }
}

fn end_of(client: &mut Client, body: &str) -> String {
    begin(client, &["EVAL", body, "0"]);
    end(client)
}

#[test]
fn what_was_undone_still_expires() {
    let server = start("2", &[]);
    let [mut script, mut other] = [(); 2].map(|()| server.client());
    assert_eq!(run(&mut other, "SET short value PX 300"), "OK");
    let body = "redis.call('persist', KEYS[1]) redis.call('set', 'new', 1, 'px', 1) \
                while true do end";
    begin(&mut script, &["EVAL", body, "1", "short"]);
    wait_for(&mut other, true);
    assert_eq!(run(&mut other, "SCRIPT KILL"), "OK");
    end(&mut script);
    let until = Instant::now() + LIMIT;
    while run(&mut other, "DBSIZE") != "Int(0)" {
        assert!(Instant::now() < until, "the key stays");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn what_is_too_large_to_be_kept_makes_a_script_unkillable() {
    let mut server = start("2", &[]);
    let [mut script, mut other] = [(); 2].map(|()| server.client());
    for changes in ["redis.call('append', 'large', 'x')", "redis.call('flushall')"] {
        assert_eq!(show(&other.call(&["SET", "large", &"x".repeat(16 << 20)])), "OK");
        let body = format!("{changes} {ENDLESS}");
        begin(&mut script, &["EVAL", &body, "0"]);
        wait_for(&mut other, true);
        assert!(run(&mut other, "SCRIPT KILL").starts_with("UNKILLABLE"), "{changes}");
        if changes.contains("flushall") {
            break;
        }
        begin(&mut other, &["SHUTDOWN", "NOSAVE"]);
        assert!(server.wait().success());
        server = start("2", &[]);
        [script, other] = [(); 2].map(|()| server.client());
    }
    begin(&mut other, &["SHUTDOWN", "NOSAVE"]);
    assert!(server.wait().success());
}

#[test]
fn who_waits_is_served_only_by_what_stays() {
    let server = start("2", &[]);
    let [mut script, mut other, mut waits] = [(); 3].map(|()| server.client());
    begin(&mut waits, &["BLPOP", "list", "0"]);
    thread::sleep(Duration::from_millis(50));
    begin(&mut script, &["EVAL", "redis.call('rpush', 'list', 'undone') while true do end", "0"]);
    wait_for(&mut other, true);
    assert_eq!(run(&mut other, "SCRIPT KILL"), "OK");
    end(&mut script);
    assert_eq!(show(&other.call(&["RPUSH", "list", "stays"])), "Int(1)");
    assert_eq!(end(&mut waits), "list stays");
    assert_eq!(run(&mut other, "EXISTS list"), "Int(0)");
}

#[test]
fn limits_end_a_script_and_undo_it() {
    let server = start("2", &[("lua-instruction-limit", "1000000"), ("save", "")]);
    let mut client = server.client();
    let reply = end_of(&mut client, "redis.call('set', 'key', 1) while true do end");
    assert!(reply.starts_with("ERR Script reached the instruction limit"), "{reply}");
    assert_eq!(run(&mut client, "EXISTS key"), "Int(0)");
    assert_eq!(run(&mut client, "CONFIG SET lua-instruction-limit 0"), "OK");
    assert_eq!(show(&client.call(&["EVAL", "for n = 1, 1e6 do end return 'done'", "0"])), "done");
    assert_eq!(run(&mut client, "CONFIG SET lua-memory-limit 1mb"), "OK");
    let reply = end_of(&mut client, "return string.rep('x', 10000000)");
    assert!(reply.contains("not enough memory"), "{reply}");
    assert_eq!(run(&mut client, "CONFIG SET lua-memory-limit 0"), "OK");
    let body = "return #string.rep('x', 10000000)";
    assert_eq!(show(&client.call(&["EVAL", body, "0"])), "Int(10000000)");
}

#[test]
fn what_a_script_published_that_was_ended_reaches_nobody() {
    for threads in ["1", "2"] {
        let server = start(threads, &[("notify-keyspace-events", "KA")]);
        let mut clients: Vec<Client> = (0..4).map(|_| server.client()).collect();
        assert_eq!(run(&mut clients[0], "SUBSCRIBE news"), "subscribe news Int(1)");
        let pattern = "PSUBSCRIBE __keyspace@0__:*";
        assert_eq!(run(&mut clients[1], pattern), "psubscribe __keyspace@0__:* Int(1)");
        let script = "redis.call('set', 'key', redis.call('publish', 'news', ARGV[1])) \
                      while ARGV[2] do end return redis.call('get', 'key')";
        begin(&mut clients[2], &["EVAL", script, "0", "lost", "endless"]);
        wait_for(&mut clients[3], true);
        assert_eq!(run(&mut clients[3], "SCRIPT KILL"), "OK");
        assert!(end(&mut clients[2]).starts_with("ERR Script killed by user"));
        begin(&mut clients[2], &["EVAL", script, "0", "kept"]);
        assert_eq!(end(&mut clients[2]), "1");
        assert_eq!(end(&mut clients[0]), "message news kept");
        let event = "pmessage __keyspace@0__:* __keyspace@0__:key set";
        assert_eq!(end(&mut clients[1]), event);
        assert_eq!(run(&mut clients[3], "PUBLISH news more"), "Int(1)");
        assert_eq!(end(&mut clients[0]), "message news more");
    }
}
