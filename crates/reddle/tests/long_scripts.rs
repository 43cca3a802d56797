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
        assert!(run(&mut one, "EXEC").starts_with("EXECABORT Transaction discarded because of: BUSY"));
        assert!(run(&mut one, "SHUTDOWN").starts_with("BUSY"));
        let stats = run(&mut one, "FUNCTION STATS");
        assert!(stats.contains("duration_ms") || stats.contains("running_script"), "{stats}");
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
