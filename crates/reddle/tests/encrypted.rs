//! Encrypted connections of `reddle cli` and `reddle bench`, to a server behind one that speaks
//! TLS.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

use std::process::{Command, Output};

use testkit::{Folder, Server, Terminator};

const BINARY: &str = env!("CARGO_BIN_EXE_reddle");

fn run(words: &[&str]) -> Output {
    Command::new(BINARY).args(words).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What a run that must end well prints.
fn printed(words: &[&str]) -> String {
    let output = run(words);
    assert!(output.status.success(), "{words:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// The one line of a run that must fail.
fn failure(words: &[&str]) -> String {
    let output = run(words);
    let line = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{words:?}: {line}");
    assert_eq!(line.lines().count(), 1, "{words:?}: {line}");
    line
}

#[test]
fn the_command_line_client_takes_the_options() {
    let (folder, server) = (Folder::new(), Server::start(&[]));
    let made = Terminator::start(&folder, server.port(), false);
    let (port, authority) = (made.port.to_string(), made.authority.to_str().unwrap().to_owned());
    let uri = format!("rediss://localhost:{port}/3");
    let known = ["cli", "-h", "localhost", "-p", &port, "--tls", "--cacert", &authority];
    assert_eq!(printed(&[&known[..], &["set", "a", "1"]].concat()), "OK\n");
    assert_eq!(printed(&["cli", "-u", &uri, "--cacert", &authority, "get", "a"]), "\n");
    let number = ["cli", "-h", "127.0.0.1", "-p", &port, "--tls"];
    assert_eq!(printed(&[&number[..], &["--insecure", "get", "a"]].concat()), "1\n");
    let named = ["--cacert", &authority, "--sni", "localhost", "get", "a"];
    assert_eq!(printed(&[&number[..], &named].concat()), "1\n");
    let folder = ["--cacertdir", folder.to_str().unwrap(), "--sni", "localhost", "get", "a"];
    assert_eq!(printed(&[&number[..], &folder].concat()), "1\n");

    let unknown = failure(&["cli", "-h", "localhost", "-p", &port, "--tls", "ping"]);
    assert!(unknown.contains("invalid peer certificate"), "{unknown}");
    let missing = [&number[..], &["--cacert", "/nowhere/at/all", "ping"]].concat();
    let missing = failure(&missing);
    assert!(missing.contains("/nowhere/at/all: No such file or directory"), "{missing}");
    let half = failure(&["cli", "--tls", "--cert", "x", "ping"]);
    assert!(half.contains("--cert and --key need each other"), "{half}");
    let plain = server.port().to_string();
    failure(&["cli", "-p", &plain, "--tls", "--insecure", "-t", "0.5", "ping"]);
    failure(&["cli", "-p", &port, "ping"]);
}

#[test]
fn a_server_may_ask_for_a_certificate() {
    let (folder, server) = (Folder::new(), Server::start(&[]));
    let made = Terminator::start(&folder, server.port(), true);
    let port = made.port.to_string();
    let (certificate, key) = (made.certificate.to_str().unwrap(), made.key.to_str().unwrap());
    let known = ["-h", "localhost", "-p", &port, "--tls", "--cacert"];
    let known = [&known[..], &[made.authority.to_str().unwrap()]].concat();
    let shown = [&known[..], &["--cert", certificate, "--key", key]].concat();
    assert_eq!(printed(&[&["cli"], &shown[..], &["ping"]].concat()), "PONG\n");
    printed(&[&["bench"], &shown[..], &["-q", "-n", "10", "ping"]].concat());
    failure(&[&["cli"], &known[..], &["ping"]].concat());
    failure(&[&["bench"], &known[..], &["-q", "-n", "10", "ping"]].concat());
}

#[test]
fn load_is_sent_encrypted_and_exactly_as_often_as_asked_for() {
    let (folder, server) = (Folder::new(), Server::start(&[]));
    let made = Terminator::start(&folder, server.port(), false);
    let (port, authority) = (made.port.to_string(), made.authority.to_str().unwrap().to_owned());
    let uri = format!("rediss://localhost:{port}");
    let known = ["bench", "-h", "localhost", "-p", &port, "--tls", "--cacert", &authority, "-q"];
    for words in [
        &["-n", "200", "-c", "7"][..],
        &["-n", "203", "-c", "3", "-P", "16", "-d", "20000"],
        &["-n", "100", "-c", "4", "--threads", "2", "-P", "5", "-3"],
        &["-n", "20", "-c", "3", "-k", "0"],
        &["-n", "20", "-c", "2", "--rate", "1000"],
    ] {
        server.client().call(&["CONFIG", "RESETSTAT"]);
        printed(&[&known[..], words, &["-t", "set,get"]].concat());
        for command in ["cmdstat_set", "cmdstat_get"] {
            let row: String = server.client().info(command);
            assert!(row.starts_with(&format!("calls={},", words[1])), "{words:?}: {row}");
        }
    }
    printed(&["bench", "-u", &uri, "--insecure", "-q", "-n", "10", "ping"]);
    let unknown = failure(&["bench", "-u", &uri, "-q", "-n", "10", "ping"]);
    assert!(unknown.contains("invalid peer certificate"), "{unknown}");
    failure(&["bench", "-p", &port, "-q", "-n", "10", "ping"]);
    let socket = failure(&["bench", "-s", "/some/where", "--tls", "ping"]);
    assert!(socket.contains("--tls goes with -h and -p"), "{socket}");
}
