//! `reddle bench` against a server: what the server receives, what is printed, and how it fails.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::{Command, Output, Stdio};

use testkit::{Server, Value};

fn bench(port: u16, words: &[&str]) -> Command {
    let built = || env!("CARGO_BIN_EXE_reddle").into();
    let mut command = Command::new(std::env::var_os("REDDLE_BIN").unwrap_or_else(built));
    command.args(["bench", "-p", &port.to_string()]).args(words);
    command
}

fn run(port: u16, words: &[&str]) -> Output {
    bench(port, words).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Calls of a command since the last CONFIG RESETSTAT.
fn calls(server: &Server, command: &str) -> u64 {
    let Value::Bulk(info) = server.client().call(&["INFO", "commandstats"]) else { return 0 };
    let name = format!("cmdstat_{command}:calls=");
    let info = text(&info);
    let row = info.lines().find_map(|line| line.strip_prefix(&name));
    row.map_or(0, |row| row.split(',').next().unwrap().parse().unwrap())
}

/// The one line on the standard error of a run that must fail.
fn failure(output: &Output) -> String {
    let line = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{line}");
    assert_eq!(line.lines().count(), 1, "{line}");
    line.trim_end().to_owned()
}

#[test]
fn the_server_receives_exactly_what_was_asked_for() {
    let server = Server::start(&[]);
    for (count, words) in [
        (1000, &["-c", "7"][..]),
        (1003, &["-P", "16", "-c", "5"]),
        (1001, &["--threads", "3", "-P", "7", "-c", "10"]),
        (50, &["-k", "0", "-c", "3"]),
        (20, &["--rate", "1000", "-c", "2"]),
        (500, &["-3", "--dbnum", "2", "-r", "100", "--keys", "zipf", "-d", "1-90"]),
    ] {
        server.client().call(&["CONFIG", "RESETSTAT"]);
        let count_text = count.to_string();
        let mut all = vec!["-t", "set,get", "-q", "-n", &count_text];
        all.extend(words);
        let output = run(server.port(), &all);
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert_eq!((calls(&server, "set"), calls(&server, "get")), (count, count), "{words:?}");
    }
}

#[test]
fn every_test_runs_and_is_named() {
    let server = Server::start(&[]);
    let output = run(server.port(), &["--csv", "-n", "20", "-c", "2", "-r", "10"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let out = text(&output.stdout);
    let titles: Vec<&str> = out.lines().map(|line| line.split('"').nth(1).unwrap()).collect();
    let expected = [
        "test",
        "PING_INLINE",
        "PING_MBULK",
        "SET",
        "GET",
        "INCR",
        "LPUSH",
        "RPUSH",
        "LPOP",
        "RPOP",
        "SADD",
        "HSET",
        "SPOP",
        "ZADD",
        "ZPOPMIN",
        "LPUSH (needed to benchmark LRANGE)",
        "LRANGE_100 (first 100 elements)",
        "LRANGE_300 (first 300 elements)",
        "LRANGE_500 (first 500 elements)",
        "LRANGE_600 (first 600 elements)",
        "MSET (10 keys)",
        "MGET (10 keys)",
        "XADD",
    ];
    assert_eq!(titles, expected);
    let named = run(server.port(), &["-q", "-n", "20", "-t", "function_load,fcall"]);
    assert!(named.status.success(), "{}", text(&named.stderr));
    assert_eq!((calls(&server, "function|load"), calls(&server, "fcall")), (21, 20));
}

#[test]
fn a_mix_has_its_parts_and_results_are_written() {
    let (server, peer, folder) = (Server::start(&[]), Server::start(&[]), testkit::Folder::new());
    let (json, svg) = (folder.join("r.json"), folder.join("r.svg"));
    let mix = ["-n", "2000", "-r", "50", "--mix", "9:GET k:__rand_int__", "--mix"];
    let more = ["1:SET k:__rand_int__ __data__", "--json", json.to_str().unwrap(), "--svg"];
    let words = [&mix[..], &more[..], &[svg.to_str().unwrap()]].concat();
    let output = run(server.port(), &words);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(calls(&server, "get") + calls(&server, "set"), 2000);
    let json = std::fs::read_to_string(json).unwrap();
    assert!(json.contains("\"command\": \"GET k:__rand_int__\""), "{json}");
    assert!(std::fs::read_to_string(svg).unwrap().starts_with("<svg "));
    let peer = format!("127.0.0.1:{}", peer.port());
    let beside = ["-n", "300", "-t", "ping_mbulk", "--peer", &peer, "--markdown", "-"];
    let output = run(server.port(), &beside);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let table = text(&output.stdout);
    assert!(table.contains("| PING_MBULK") && table.contains(&peer), "{table}");
}

#[test]
fn the_last_argument_may_come_from_standard_input() {
    let server = Server::start(&[]);
    let mut command = bench(server.port(), &["-x", "-n", "5", "-q", "set", "key"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"two words").unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(server.client().call(&["GET", "key"]), Value::Bulk(b"two words".to_vec()));
}

#[test]
fn what_goes_wrong_is_one_line() {
    let server = Server::start(&[("requirepass", "secret")]);
    let port = server.port();
    let wrong = failure(&run(port, &["-q", "-n", "1", "-a", "guess"]));
    assert!(wrong.starts_with("Error from server: WRONGPASS"), "{wrong}");
    let missing = failure(&run(port, &["-q", "-n", "1"]));
    assert!(missing.starts_with("Error from server: NOAUTH"), "{missing}");
    let unknown = failure(&run(port, &["-q", "-a", "secret", "-n", "1", "NONSENSE"]));
    assert!(unknown.contains("unknown command"), "{unknown}");
    let place = "/nowhere/at/all.json";
    let file = failure(&run(port, &["-q", "-a", "secret", "-n", "1", "--json", place, "PING"]));
    assert_eq!(file, format!("reddle bench: {place}: No such file or directory (os error 2)"));
    let socket = failure(&run(port, &["-s", "/nowhere/at/all", "PING"]));
    assert!(socket.starts_with("Could not connect to server at /nowhere/at/all: "), "{socket}");
    // Nobody serves this port.
    let gone = failure(&run(1, &["-q", "PING"]));
    assert_eq!(gone, "Could not connect to server at 127.0.0.1:1: Connection refused");
    for words in [
        &["-t", "nothing"][..],
        &["--tls-ciphers", "x"],
        &["-c"],
        &["-n", "x"],
        &["--no-such-option"],
    ] {
        failure(&run(port, words));
    }
}

#[test]
fn a_server_that_talks_nonsense_or_dies_is_told() {
    for (nonsense, expected) in [
        (
            "HTTP/1.1 400 Bad Request\r\n\r\n",
            "Error: Protocol error, a reply begins with no known type",
        ),
        ("$5\r\nhel", "Error: Server closed the connection"),
        ("", "Error: Server closed the connection"),
    ] {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 1024]);
            stream.write_all(nonsense.as_bytes()).unwrap();
        });
        assert_eq!(failure(&run(port, &["-q", "-n", "10", "PING"])), expected);
        server.join().unwrap();
    }
}

#[test]
fn a_server_that_is_killed_under_load_ends_the_run() {
    let server = Server::start(&[]);
    let mut command = bench(server.port(), &["-q", "--seconds", "60", "--threads", "2", "PING"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while calls(&server, "ping") < 1000 {
        std::thread::yield_now();
    }
    drop(server);
    let line = failure(&child.wait_with_output().unwrap());
    assert!(line.starts_with("Error: ") || line.starts_with("Could not connect"), "{line}");
}
