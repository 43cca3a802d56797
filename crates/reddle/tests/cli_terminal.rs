//! The command line client at a terminal: prompt, history, pager, passwords, and that the terminal
//! is afterwards as it was before, whatever happened.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};
use testkit::{Folder, Server};

const BINARY: &str = env!("CARGO_BIN_EXE_reddle");

fn start() -> Server {
    Server::start_binary(Path::new(BINARY), &[])
}

/// Everything that a program can change of a terminal.
fn modes(terminal: impl std::os::fd::AsFd) -> String {
    let modes = tcgetattr(terminal).unwrap();
    let (input, output) = (modes.input_modes, modes.output_modes);
    format!("{input:?} {output:?} {:?} {:?}", modes.control_modes, modes.local_modes)
}

/// A program at a terminal of its own.
struct Session {
    child: Child,
    terminal: File,
    seen: String,
    /// The terminal's modes before the program began.
    before: String,
}

impl Session {
    /// At a terminal of so many rows and columns; with zeros it has no size.
    fn start(port: u16, size: (u16, u16), words: &[&str], set: &[(&str, &str)]) -> Session {
        let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&terminal).unwrap();
        unlockpt(&terminal).unwrap();
        let (ws_row, ws_col) = size;
        let size = Winsize { ws_row, ws_col, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&terminal, size).unwrap();
        let path = ptsname(&terminal, Vec::new()).unwrap().into_string().unwrap();
        let other = || File::options().read(true).write(true).open(&path).unwrap();
        let mut command = Command::new("setsid");
        command.args(["--ctty", "--wait", BINARY, "cli", "-p", &port.to_string()]).args(words);
        command.env("TERM", "xterm").env("REDDLECLI_HISTFILE", "/dev/null");
        command.envs(set.iter().copied());
        command.stdin(other()).stdout(other()).stderr(other());
        let before = modes(&terminal);
        let child = command.spawn().unwrap();
        Session { child, terminal: File::from(terminal), seen: String::new(), before }
    }

    /// The program has ended: how, and its terminal is as it was.
    fn ended(&mut self) -> bool {
        let status = self.child.wait().unwrap();
        assert_eq!(self.before, modes(&self.terminal));
        status.success()
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
    let set = [("REDDLECLI_HISTFILE", history.to_str().unwrap())];
    let mut session = Session::start(server.port(), (0, 0), &[], &set);
    let prompt = format!("127.0.0.1:{}> ", server.port());
    session.expect(&prompt);
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
    assert!(session.ended());
    let kept = fs::read_to_string(&history).unwrap();
    assert!(kept.contains("get key") && !kept.contains("secret"), "{kept}");
}

#[test]
fn long_replies_go_through_the_pager() {
    let server = start();
    for number in 1..=30 {
        server.client().run(&format!("RPUSH list e{number}"));
    }
    let prompt = format!("127.0.0.1:{}> ", server.port());
    let pager = [("PAGER", "sed s/^/paged:/")];
    let mut session = Session::start(server.port(), (10, 80), &[], &pager);
    session.expect(&prompt);
    session.send("lrange list 0 -1\r");
    session.expect("\n30) \"e30\"");
    session.expect(&prompt);
    session.send(":set pager\r");
    session.expect(&prompt);
    session.send("lrange list 0 -1\r");
    session.expect("paged: 1) \"e1\"");
    session.expect("paged:30) \"e30\"");
    session.expect(&prompt);
    // What fits on the terminal needs none.
    session.send("lrange list 0 1\r");
    session.expect("\n1) \"e1\"");
    session.expect(&prompt);
    session.send(":set nopager\r");
    session.expect(&prompt);
    session.send("lrange list 0 -1\r");
    session.expect("\n30) \"e30\"");
    session.expect(&prompt);
    session.send("\x04");
    assert!(session.ended());
}

#[test]
fn a_pager_that_is_not_there_hides_nothing() {
    let server = start();
    server.client().run("RPUSH list a b c d e f");
    let prompt = format!("127.0.0.1:{}> ", server.port());
    let pager = [("PAGER", "/nowhere/at/all")];
    let mut session = Session::start(server.port(), (4, 80), &[], &pager);
    session.expect(&prompt);
    session.send(":set pager\r");
    session.expect(&prompt);
    session.send("lrange list 0 -1\r");
    session.expect("\n6) \"f\"");
    session.expect(&prompt);
    session.send("\x04");
    assert!(session.ended());
}

#[test]
fn a_terminal_that_is_too_narrow_is_no_reason_to_stop() {
    let server = start();
    for size in [(1, 1), (2, 4), (3, 12), (24, 20)] {
        let mut session = Session::start(server.port(), size, &[], &[]);
        session.expect("> ");
        session.send("set key value\r");
        session.expect("OK");
        session.send("get key\r");
        session.expect("\"value\"");
        // More candidates than there is room for.
        session.send("h\t\t");
        session.send("\x15");
        session.send("echo done\r");
        session.expect("\"done\"");
        session.expect("> ");
        session.send("\x04");
        assert!(session.ended(), "{size:?}");
    }
}

#[test]
fn a_password_is_asked_for_and_not_shown() {
    let server = start();
    server.client().run("CONFIG SET requirepass pass:word");
    let mut session = Session::start(server.port(), (24, 80), &["--askpass", "ping"], &[]);
    session.expect("Please input password: ");
    assert!(!tcgetattr(&session.terminal).unwrap().local_modes.contains(LocalModes::ECHO));
    session.send("pass:worx\x7fd\r");
    session.expect("PONG");
    assert!(!session.seen.contains("pass:"), "{}", session.seen);
    assert!(session.ended());

    let mut session = Session::start(server.port(), (24, 80), &["--askpass", "ping"], &[]);
    session.expect("Please input password: ");
    session.send("half\x03");
    session.expect("Interrupted");
    assert!(!session.ended());
}

#[test]
fn a_server_that_goes_away_is_told_at_the_prompt() {
    let server = start();
    let prompt = format!("127.0.0.1:{}> ", server.port());
    let mut session = Session::start(server.port(), (24, 80), &[], &[]);
    session.expect(&prompt);
    session.send("ping\r");
    session.expect("PONG");
    session.expect(&prompt);
    drop(server);
    session.send("get a\r");
    session.expect("Error: Server closed the connection");
    session.expect("not connected> ");
    session.send("get a\r");
    session.expect("Could not connect to Reddle at 127.0.0.1");
    session.expect("not connected> ");
    session.send("\x04");
    assert!(session.ended());
}

#[test]
fn garbage_and_half_replies_are_told_at_the_prompt() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let (mut seen, mut input) = (String::new(), [0; 4096]);
            // Every other command is answered, so that there is a prompt.
            while let Ok(count @ 1..) = stream.read(&mut input) {
                seen += &String::from_utf8_lossy(&input[..count]);
                let half = seen.contains("half\r\n");
                let garbage = seen.contains("garbage\r\n");
                let reply = match (half, garbage) {
                    (true, _) => "$100\r\nabc",
                    (_, true) => "HTTP/1.1 400 Bad Request\r\n",
                    _ => "-ERR no such command\r\n",
                };
                let written = stream.write_all(reply.as_bytes());
                if half || garbage || written.is_err() {
                    break;
                }
            }
        }
    });
    let prompt = format!("127.0.0.1:{port}> ");
    for (word, told) in
        [("half", "Error: Server closed the connection"), ("garbage", "Error: Protocol error")]
    {
        let mut session = Session::start(port, (24, 80), &[], &[]);
        session.expect(&prompt);
        session.send(&format!("{word}\r"));
        session.expect(told);
        session.expect("not connected> ");
        session.send("\x04");
        assert!(session.ended());
    }
}
