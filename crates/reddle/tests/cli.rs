//! The command line client as a program: what it prints for commands that are piped in, compared
//! with a recording of valkey-cli 9.1.2; what goes wrong; and sessions at a terminal.
//!
//! `REDDLE_CLI_RECORD` names a program whose output becomes the recording.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::tcgetattr;
use testkit::{Folder, Server};

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
    let debug = [("enable-debug-command", "yes")];
    let server = Server::start_binary(Path::new(BINARY), &debug);
    let commands = fs::read(files().join("commands.txt")).unwrap();
    let recorder = std::env::var_os("REDDLE_CLI_RECORD");
    for protocol in ["-2", "-3"] {
        for form in ["--no-raw", "--raw", "--csv", "--json", "--quoted-json"] {
            server.client().run("FLUSHALL");
            server.client().run("SCRIPT FLUSH");
            let name = format!("valkey-cli{protocol}{}.txt", &form[1..]);
            let mut command = cli(&server);
            if let Some(program) = &recorder {
                command = Command::new(program);
                command.args(["-p", &server.port().to_string()]);
            }
            let printed = run(command.args([protocol, form]), &commands);
            assert!(printed.status.success(), "{}", text(&printed.stderr));
            // The name of the program, and how long something took on a busy machine.
            let lines = text(&printed.stdout).replace("valkey-cli", "reddle cli");
            let timed = |line: &&str| line.starts_with('(') && line.ends_with("s)");
            let lines: Vec<&str> = lines.split('\n').filter(|line| !timed(line)).collect();
            let path = files().join(name);
            if recorder.is_some() {
                fs::write(&path, lines.join("\n")).unwrap();
                continue;
            }
            let expected = fs::read(&path).unwrap();
            let expected = text(&expected);
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
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
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
        (&["-p", &nobody.to_string(), "ping"], "Could not connect to Reddle at 127.0.0.1"),
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

#[test]
fn a_refused_password_in_the_environment_is_told_too() {
    let server = start();
    server.client().run("CONFIG SET requirepass pw");
    let mut command = cli(&server);
    let done = run(command.env("REDISCLI_AUTH", "pw").arg("ping"), b"");
    assert_eq!((text(&done.stdout), text(&done.stderr)), ("PONG\n".into(), String::new()));
}

/// A program at a terminal of its own.
struct Session {
    child: Child,
    terminal: File,
    seen: String,
}

impl Session {
    fn start(server: &Server, history: &Path) -> Session {
        let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&terminal).unwrap();
        unlockpt(&terminal).unwrap();
        let path = ptsname(&terminal, Vec::new()).unwrap().into_string().unwrap();
        let other = || File::options().read(true).write(true).open(&path).unwrap();
        let mut command = Command::new("setsid");
        command.args(["--ctty", "--wait", BINARY, "cli", "-p", &server.port().to_string()]);
        command.env("TERM", "xterm").env("REDDLECLI_HISTFILE", history);
        let child = command.stdin(other()).stdout(other()).stderr(other()).spawn().unwrap();
        Session { child, terminal: File::from(terminal), seen: String::new() }
    }

    fn send(&mut self, keys: &str) {
        self.terminal.write_all(keys.as_bytes()).unwrap();
    }

    /// Reads until this was printed, and forgets what stands before.
    fn expect(&mut self, text: &str) {
        let end = Instant::now() + Duration::from_secs(30);
        let mut buffer = [0; 4096];
        loop {
            if let Some(at) = self.seen.find(text) {
                self.seen.drain(..at + text.len());
                return;
            }
            let wait = end.saturating_duration_since(Instant::now()).as_secs();
            let wait = Timespec { tv_sec: wait as i64, tv_nsec: 0 };
            let mut polled = [PollFd::new(&self.terminal, PollFlags::IN)];
            let ready = poll(&mut polled, Some(&wait)).unwrap();
            assert!(ready > 0, "no {text:?} in {:?}", self.seen);
            let count = self.terminal.read(&mut buffer).unwrap_or(0);
            assert!(count > 0, "no {text:?} in {:?}", self.seen);
            self.seen.push_str(&String::from_utf8_lossy(&buffer[..count]));
        }
    }
}

#[test]
fn a_session_at_a_terminal() {
    let (server, folder) = (start(), Folder::new());
    let history = folder.join("history");
    let mut session = Session::start(&server, &history);
    let prompt = format!("127.0.0.1:{}> ", server.port());
    session.expect(&prompt);
    let before = format!("{:?}", tcgetattr(&session.terminal).unwrap().control_modes);
    session.send("set key \"a value\"\r");
    session.expect("OK");
    session.expect(&prompt);
    session.send("get key\r");
    session.expect("\"a value\"");
    session.expect(&prompt);
    // The name of a command is completed, and its arguments are shown.
    session.send("HGETAL\t");
    session.expect("HGETALL");
    session.send(" ");
    session.expect("key");
    session.send("nothing\r");
    session.expect("(empty array)");
    session.expect(&prompt);
    // So are keys.
    server.client().run("SET some:long:name found");
    session.send("get some:\t");
    session.expect("some:long:name");
    session.send("\r");
    session.expect("\"found\"");
    session.expect(&prompt);
    session.send("auth secret\r");
    session.expect("ERR AUTH");
    session.expect(&prompt);
    session.send("multi\r");
    session.expect("(TX)> ");
    session.send("discard\r");
    session.expect("OK");
    session.expect(&prompt);
    session.send("monitor\r");
    session.expect("OK");
    server.client().run("GET seen-by-monitor");
    session.expect("\"seen-by-monitor\"");
    session.send("\x03");
    session.expect("not connected> ");
    session.send("subscribe news\r");
    session.expect("Reading messages...");
    server.client().run("PUBLISH news hello");
    session.expect("\"hello\"");
    session.send("\x03");
    session.expect("Ready to reconnect");
    session.send("ping\r");
    session.expect("PONG");
    // Before the prompt the key would end a line that is not there.
    session.expect(&prompt);
    session.send("\x04");
    assert!(session.child.wait().unwrap().success());
    let after = format!("{:?}", tcgetattr(&session.terminal).unwrap().control_modes);
    assert_eq!(before, after);
    let kept = fs::read_to_string(&history).unwrap();
    assert!(kept.contains("get key") && !kept.contains("secret"), "{kept}");
}
