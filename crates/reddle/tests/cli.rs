//! The command line client as a program: what it prints for commands that are piped in, compared
//! with recordings of valkey-cli 9.1.2 and redis-cli 7.0.15; redirections; and what goes wrong.
//!
//! `REDDLE_CLI_RECORD` names a program whose output becomes the recording of its name.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use testkit::{Folder, Server, Value};

const BINARY: &str = env!("CARGO_BIN_EXE_reddle");

fn files() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cli")
}

fn start() -> Server {
    Server::start_binary(Path::new(BINARY), &[])
}

fn cli(server: &Server) -> Command {
    let mut command = Command::new(BINARY);
    command.args(["cli", "-p", &server.port().to_string()]).env_remove("FAKETTY");
    command
}

fn run(command: &mut Command, input: &[u8]) -> Output {
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = pipes.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).ok();
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn piped_commands_print_what_valkey_cli_prints() {
    hold("valkey-cli", |_| true);
}

#[test]
fn piped_commands_print_what_redis_cli_prints() {
    // It has no words of its own, and does not read on while it is subscribed.
    hold("redis-cli", |line| !line.starts_with(':') && !line.contains("subscribe"));
}

/// Compares under that program's name with what was recorded of it, for all lines of which
/// `knows` is true.
fn hold(name: &str, knows: fn(&str) -> bool) {
    let debug = [("enable-debug-command", "yes")];
    let (folder, server) = (Folder::new(), Server::start_binary(Path::new(BINARY), &debug));
    let commands = fs::read_to_string(files().join("commands.txt")).unwrap();
    let known = commands.split_inclusive('\n').filter(|line| knows(line));
    let commands: String = known.collect();
    let recorder = std::env::var_os("REDDLE_CLI_RECORD").map(PathBuf::from);
    let recorder = recorder.filter(|program| program.ends_with(name));
    let link = folder.join(name);
    std::os::unix::fs::symlink(BINARY, &link).unwrap();
    for protocol in ["-2", "-3"] {
        for form in ["--no-raw", "--raw", "--csv", "--json", "--quoted-json"] {
            server.client().run("FLUSHALL");
            server.client().run("SCRIPT FLUSH");
            let mut command = Command::new(recorder.as_ref().unwrap_or(&link));
            command.args(["-p", &server.port().to_string(), protocol, form]);
            let printed = run(command.env_remove("FAKETTY"), commands.as_bytes());
            assert!(printed.status.success(), "{}", text(&printed.stderr));
            let lines = text(&printed.stdout);
            // How long something took on a busy machine.
            let timed = |line: &&str| line.starts_with('(') && line.ends_with("s)");
            let lines: Vec<&str> = lines.split('\n').filter(|line| !timed(line)).collect();
            let path = files().join(format!("{name}{protocol}{}.txt", &form[1..]));
            if recorder.is_some() {
                fs::write(&path, lines.join("\n")).unwrap();
                continue;
            }
            let expected = text(&fs::read(&path).unwrap());
            for (number, (line, expected)) in lines.iter().zip(expected.split('\n')).enumerate() {
                assert_eq!(*line, expected, "{}:{}", path.display(), number + 1);
            }
            assert_eq!(lines.len(), expected.split('\n').count(), "{}", path.display());
        }
    }
}

#[test]
fn arguments_from_the_standard_input_and_repeated_commands() {
    let server = start();
    let out = |arguments: &[&str], input: &str| {
        let done = run(cli(&server).args(arguments), input.as_bytes());
        assert!(done.status.success(), "{arguments:?}: {}", text(&done.stderr));
        text(&done.stdout)
    };
    assert_eq!(out(&["-x", "set", "k"], "from\nstdin"), "OK\n");
    assert_eq!(out(&["get", "k"], ""), "from\nstdin\n");
    assert_eq!(out(&["-X", "tag", "set", "tag", "v"], "k2"), "OK\n");
    assert_eq!(out(&["-r", "3", "-D", "|", "incr", "n"], ""), "1|2|3|");
    assert_eq!(out(&["--scan", "--pattern", "k?"], ""), "k2\n");
    assert_eq!(out(&["--scan", "--type", "list"], ""), "");
    assert_eq!(out(&["--quoted-input", "echo", "\"\\x41\""], ""), "A\n");
    let piped = out(&["--pipe"], "SET a 1\r\nGET a\r\n*1\r\n$4\r\nPING\r\n");
    assert!(piped.ends_with("errors: 0, replies: 3\n"), "{piped}");
    let big = out(&["--bigkeys"], "");
    assert!(big.contains("Biggest string found '\"k\"' has 10 bytes"), "{big}");
    assert!(out(&["--memkeys"], "").contains("Sampled 4 keys"));
    assert_eq!(out(&["--latency", "--csv", "-i", "0.01"], "").split(',').count(), 4);
    let folder = Folder::new();
    let script = folder.join("script.lua");
    fs::write(&script, "return {KEYS[1], ARGV[1]}").unwrap();
    assert_eq!(out(&["--eval", script.to_str().unwrap(), "k", ",", "a"], ""), "k\na\n");
}

#[test]
fn what_goes_wrong_is_one_line_and_an_exit_code() {
    let server = start();
    server.client().run("CONFIG SET requirepass pw");
    let port = server.port().to_string();
    let liar = |reply: &'static [u8]| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.read_exact(&mut [0; 14]).unwrap();
            stream.write_all(reply).unwrap();
        });
        port.to_string()
    };
    let cases: [(&[&str], &str); 9] = [
        (&["-p", "1", "ping"], "Could not connect to Reddle at 127.0.0.1"),
        (&["-s", "/nonexistent", "ping"], "No such file or directory"),
        (&["-p", &port, "-a", "no", "--no-auth-warning", "get", "a"], "AUTH failed: WRONGPASS"),
        (&["-p", &port, "-e", "get", "a"], "NOAUTH Authentication required."),
        (&["-p", &liar(b"HTTP/1.1 400\r\n"), "ping"], "Protocol error"),
        (&["-p", &liar(b"$100\r\nabc"), "ping"], "Server closed the connection"),
        (&["-p", &port, "-a", "pw", "--no-auth-warning", "--eval", "/nonexistent"], "Can't open"),
        (&["--nosuch"], "Unrecognized option or bad number of args for: '--nosuch'"),
        (&["-p", "99999"], "Invalid server port."),
    ];
    for (arguments, expected) in cases {
        let done = run(Command::new(BINARY).arg("cli").args(arguments), b"");
        let problem = text(&done.stderr);
        assert!(!done.status.success(), "{arguments:?}");
        assert!(problem.contains(expected) && problem.lines().count() == 1, "{problem}");
    }
}

/// A node that gives its replies to one connection each, and tells what it read there.
fn node(replies: Vec<String>) -> (u16, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let told = std::thread::spawn(move || {
        let mut heard = String::new();
        for reply in replies {
            let (mut stream, _) = listener.accept().unwrap();
            let (mut decoder, mut input) = (client::Decoder::new(), [0; 4096]);
            // One command, one reply.
            for reply in reply.split_inclusive('\n') {
                let command = loop {
                    if let Some(command) = decoder.next().unwrap() {
                        break command;
                    }
                    let count = stream.read(&mut input).unwrap();
                    assert!(count > 0, "{heard}");
                    decoder.feed(&input[..count]);
                };
                let Value::Array(words) = command else { panic!("{command:?}") };
                let word = |word: &Value| match word {
                    Value::Bulk(word) => text(word),
                    other => panic!("{other:?}"),
                };
                heard += &(words.iter().map(word).collect::<Vec<String>>().join(" ") + "\n");
                stream.write_all(reply.as_bytes()).unwrap();
            }
        }
        heard
    });
    (port, told)
}

#[test]
fn redirections_are_followed_when_that_is_asked_for() {
    let cli = |port: u16, words: &[&str]| {
        let arguments = ["cli", "-p", &port.to_string()].map(str::to_owned);
        run(Command::new(BINARY).args(arguments).args(words), b"")
    };
    let (target, heard) = node(vec!["+moved\r\n".to_owned()]);
    let (first, _) = node(vec![format!("-MOVED 866 127.0.0.1:{target}\r\n")]);
    assert_eq!(text(&cli(first, &["-c", "get", "a"]).stdout), "moved\n");
    assert_eq!(heard.join().unwrap(), "get a\n");

    let (target, heard) = node(vec!["+OK\r\n+asked\r\n".to_owned()]);
    // Without a host it is the one that answered.
    let (first, _) = node(vec![format!("-ASK 866 :{target}\r\n")]);
    assert_eq!(text(&cli(first, &["-c", "get", "a"]).stdout), "asked\n");
    assert_eq!(heard.join().unwrap(), "ASKING\nget a\n");

    let (first, _) = node(vec!["-MOVED 866 127.0.0.1:1\r\n".to_owned()]);
    let told = cli(first, &["get", "a"]);
    assert_eq!(text(&told.stdout), "MOVED 866 127.0.0.1:1\n\n");

    // Two nodes that send the client to each other.
    let (there, here) = (TcpListener::bind("127.0.0.1:0").unwrap(), "127.0.0.1");
    let port = there.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in there.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            stream.write_all(format!("-MOVED 1 {here}:{port}\r\n").as_bytes()).ok();
        }
    });
    let endless = cli(port, &["-c", "get", "a"]);
    assert_eq!(text(&endless.stderr), "Error: redirected more than 16 times\n");
    assert!(!endless.status.success());
}

#[test]
fn a_refused_password_in_the_environment_is_told_too() {
    let server = start();
    server.client().run("CONFIG SET requirepass pw");
    let mut command = cli(&server);
    let done = run(command.env("REDISCLI_AUTH", "pw").arg("ping"), b"");
    assert_eq!((text(&done.stdout), text(&done.stderr)), ("PONG\n".into(), String::new()));
}
