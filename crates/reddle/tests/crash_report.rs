//! What a process that cannot go on leaves behind: its log tells the signal or the panic, the
//! stacks, the state, the command; and it dies of what it crashed by. Beside that: the watchdog,
//! SIGALRM, and the subcommands of DEBUG that start the program anew.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use testkit::{Client, Server, Value};

const DEBUG: (&str, &str) = ("enable-debug-command", "yes");
const SECTIONS: [&str; 8] = [
    "------ STACK TRACE ------",
    "------ STACK TRACE DONE ------",
    "------ REGISTERS ------",
    "------ INFO OUTPUT ------",
    "------ CLIENT LIST OUTPUT ------",
    "------ CURRENT CLIENT INFO ------",
    "------ MODULES INFO OUTPUT ------",
    "------ CONFIG DEBUG OUTPUT ------",
];

fn server(threads: &str, more: &[(&str, &str)]) -> Server {
    Server::start(&[&[DEBUG, ("threads", threads)], more].concat())
}

/// Runs a command that ends the process; how it ended, and its log.
fn end_by(mut server: Server, command: &[&str]) -> (ExitStatus, String) {
    let mut client = server.client();
    client.call(&["CLIENT", "SETNAME", "the-name"]);
    assert!(client.try_call(command).is_err(), "it goes on: {}", server.log());
    let status = server.wait();
    (status, server.log())
}

fn signal(server: &Server, name: &str) {
    let pid = server.pid().to_string();
    assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
}

fn wait_for(server: &Server, text: &str) -> String {
    let end = Instant::now() + Duration::from_secs(10);
    loop {
        let log = server.log();
        if log.contains(text) {
            return log;
        }
        assert!(Instant::now() < end, "no '{text}' in\n{log}");
        thread::sleep(Duration::from_millis(10));
    }
}

fn check_report(log: &str) {
    assert_eq!(log.matches("=== REDDLE BUG REPORT START").count(), 1, "{log}");
    assert_eq!(log.matches("=== REDDLE BUG REPORT END").count(), 1, "{log}");
    let mut at = 0;
    for section in SECTIONS {
        let found = log[at..].find(section);
        at += found.unwrap_or_else(|| panic!("'{section}' is missing behind {at} in\n{log}"));
    }
    assert!(!log.contains("(cannot be had)"), "{log}");
    assert!(log.contains("tcp_port:") && log.contains("cmdstat_client|setname"), "{log}");
}

#[test]
fn a_fault_is_reported_and_is_what_the_process_dies_of() {
    for threads in ["1", "4"] {
        let (status, log) = end_by(server(threads, &[]), &["DEBUG", "SEGFAULT"]);
        assert_eq!(status.signal(), Some(11), "{log}");
        check_report(&log);
        assert!(log.contains("crashed by signal: 11, si_code: 2"), "{log}");
        assert!(log.contains("RSP:") || log.contains("SP :"), "{log}");
        assert!(log.contains("segfault at "), "the place of the fault:\n{log}");
        let workers = log.matches(" worker-").count();
        assert_eq!(workers, threads.parse().unwrap(), "the stacks of all:\n{log}");
        let current = log.split("------ CURRENT CLIENT INFO ------").nth(1).unwrap();
        assert!(current.contains("argc: 2\nargv[0]: \"DEBUG\"\nargv[1]: 8 bytes\n"), "{log}");
        assert!(!log.contains("the-name"), "what users chose stays out of the log:\n{log}");
    }
}

#[test]
fn each_way_to_crash_has_its_title_and_its_end() {
    let ends = [
        ("ASSERT", "ASSERTION FAILED", "called by DEBUG ASSERT"),
        ("PANIC", "=== PANIC ===", "called by DEBUG PANIC"),
        ("OOM", "crashed by signal: 6", "Out of memory allocating"),
    ];
    for (word, title, text) in ends {
        let (status, log) = end_by(server("2", &[]), &["DEBUG", word]);
        assert_eq!(status.signal(), Some(6), "{log}");
        check_report(&log);
        assert!(log.contains(title) && log.contains(text), "{log}");
        assert!(log.contains("debug/end.rs:"), "the place:\n{log}");
    }
    let (status, log) = end_by(server("2", &[("use-exit-on-panic", "yes")]), &["DEBUG", "PANIC"]);
    assert_eq!(status.code(), Some(1), "{log}");
    check_report(&log);
}

#[test]
fn a_signal_from_outside_is_reported_whatever_the_workers_do() {
    let mut server = server("2", &[]);
    let mut client = server.client();
    client.call(&["CLIENT", "SETNAME", "the-name"]);
    client.send(b"DEBUG SLEEP 10\r\n").unwrap();
    thread::sleep(Duration::from_millis(100));
    signal(&server, "ABRT");
    assert_eq!(server.wait().signal(), Some(6), "{}", server.log());
    let log = server.log();
    check_report(&log);
    assert!(log.contains("Killed by PID: ") && log.contains("sleep at "), "{log}");
}

#[test]
fn data_of_users_is_shown_if_they_want_it_and_secrets_are_not() {
    let shows = [("hide-user-data-from-log", "no")];
    let (_, log) = end_by(server("1", &shows), &["DEBUG", "SEGFAULT"]);
    let current = log.split("------ CURRENT CLIENT INFO ------").nth(1).unwrap();
    assert!(
        current.contains("name=the-name") && current.contains("argv[1]: \"SEGFAULT\""),
        "{log}"
    );
    let server = server("1", &[("requirepass", "a-secret"), ("hide-user-data-from-log", "no")]);
    let mut client = server.client();
    client.call(&["AUTH", "a-secret"]);
    assert!(client.try_call(&["DEBUG", "SEGFAULT"]).is_err());
    let log = wait_for(&server, "BUG REPORT END");
    assert!(log.contains("CONFIG DEBUG OUTPUT") && !log.contains("a-secret"), "{log}");
}

#[test]
fn without_crash_log_enabled_the_system_has_the_last_word() {
    let (status, log) = end_by(server("2", &[("crash-log-enabled", "no")]), &["DEBUG", "SEGFAULT"]);
    assert_eq!(status.signal(), Some(11));
    assert!(!log.contains("BUG REPORT"), "{log}");
    let server = server("2", &[]);
    server.client().call(&["CONFIG", "SET", "crash-log-enabled", "no"]);
    let (status, log) = end_by(server, &["DEBUG", "SEGFAULT"]);
    assert_eq!(status.signal(), Some(11));
    assert!(!log.contains("BUG REPORT"), "{log}");
}

#[test]
fn the_report_goes_to_the_log_file() {
    // The file that the process is given as its output, by a name, so that it is opened.
    let server = server("2", &[("logfile", "/dev/stdout")]);
    let (status, log) = end_by(server, &["DEBUG", "SEGFAULT"]);
    assert_eq!(status.signal(), Some(11));
    check_report(&log);
}

#[test]
fn the_watchdog_shows_a_worker_that_does_not_come_back() {
    let server = server("2", &[]);
    let mut client = server.client();
    client.call(&["CONFIG", "SET", "watchdog-period", "1"]);
    let period = client.call(&["CONFIG", "GET", "watchdog-period"]);
    assert_eq!(period, Value::Array(vec![bulk("watchdog-period"), bulk("200")]));
    client.run("DEBUG SLEEP 1");
    let log = wait_for(&server, "STACK TRACE DONE");
    assert!(log.contains("WATCHDOG TIMER EXPIRED") && log.contains("sleep at "), "{log}");
    assert!(!log.contains("BUG REPORT"), "{log}");
    client.call(&["CONFIG", "SET", "watchdog-period", "0"]);
    thread::sleep(Duration::from_millis(300));
    let before = server.log().matches("WATCHDOG TIMER EXPIRED").count();
    client.run("DEBUG SLEEP 0.5");
    thread::sleep(Duration::from_millis(200));
    assert_eq!(server.log().matches("WATCHDOG TIMER EXPIRED").count(), before);
    assert_eq!(client.run("PING"), Value::Simple("PONG".into()));
}

#[test]
fn sigalrm_shows_the_stacks_and_harms_nobody() {
    let server = server("2", &[]);
    let mut client = server.client();
    client.send(b"DEBUG SLEEP 1\r\n").unwrap();
    thread::sleep(Duration::from_millis(200));
    signal(&server, "ALRM");
    let log = wait_for(&server, "STACK TRACE DONE");
    assert!(log.contains("Received SIGALRM") && log.contains("sleep at "), "{log}");
    assert_eq!(client.receive().unwrap(), Value::Simple("OK".into()));
    assert_eq!(client.run("PING"), Value::Simple("PONG".into()));
}

#[test]
fn debug_restart_keeps_the_data_and_crash_and_recover_does_not() {
    let server = server("2", &[("save", "3600 1")]);
    let mut client = server.client();
    client.run("SET kept 1");
    assert!(client.try_call(&["DEBUG", "RESTART", "10"]).is_err());
    let mut client = again(&server);
    assert_eq!(client.run("GET kept"), bulk("1"));
    client.run("SET lost 1");
    assert!(client.try_call(&["DEBUG", "CRASH-AND-RECOVER"]).is_err());
    let mut client = again(&server);
    assert_eq!(client.run("DBSIZE"), Value::Int(1));
    assert_eq!(client.run("GET kept"), bulk("1"));
    let Value::Bulk(info) = client.run("INFO server") else { panic!("INFO is text") };
    let pid = format!("process_id:{}\r", server.pid());
    assert!(String::from_utf8(info).unwrap().contains(&pid), "the process is the same");
}

/// Connects to the program that takes the place of the one before.
fn again(server: &Server) -> Client {
    let end = Instant::now() + Duration::from_secs(10);
    loop {
        thread::sleep(Duration::from_millis(20));
        if let Ok(mut client) = Client::connect(server.port())
            && client.try_call(&["PING"]).is_ok_and(|pong| pong == Value::Simple("PONG".into()))
        {
            return client;
        }
        assert!(Instant::now() < end, "{}", server.log());
    }
}

fn bulk(text: &str) -> Value {
    Value::Bulk(text.as_bytes().to_vec())
}
