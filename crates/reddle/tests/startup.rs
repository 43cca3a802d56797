//! Starting and stopping: the process, its log, its files, and what it says when it cannot start.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

use std::fs::{self, File};
use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use testkit::{Client, Value};

const LIMIT: Duration = Duration::from_secs(20);

/// The server to test.
fn program() -> PathBuf {
    let built = || env!("CARGO_BIN_EXE_reddle").into();
    std::env::var_os("REDDLE_BIN").unwrap_or_else(built).into()
}

/// A folder of one test, and the server that runs in it.
struct Place {
    folder: PathBuf,
    port: u16,
    child: Option<Child>,
}

impl Place {
    fn new() -> Place {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("reddle-startup-{}-{count}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        Place { folder: folder.canonicalize().unwrap(), port, child: None }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    fn command(&self) -> Command {
        let mut command = Command::new(program());
        command.current_dir(&self.folder).stdin(Stdio::null()).env_remove("NOTIFY_SOCKET");
        command
    }

    /// Starts the server with its port and these words, and waits until it answers.
    fn start(&mut self, words: &[&str]) -> Client {
        let mut command = self.command();
        command.args(["--port", &self.port.to_string(), "--bind", "127.0.0.1"]).args(words);
        self.spawn(command);
        self.wait_for_log("Ready to accept connections tcp");
        self.client()
    }

    fn spawn(&mut self, mut command: Command) {
        let log = File::create(self.path("out")).unwrap();
        command.stdout(log.try_clone().unwrap()).stderr(log);
        self.child = Some(command.spawn().unwrap());
    }

    fn client(&self) -> Client {
        Client::connect(self.port).unwrap()
    }

    fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    fn wait_for_log(&mut self, text: &str) {
        let end = Instant::now() + LIMIT;
        while !self.read("out").contains(text) {
            let ended = self.child.as_mut().is_none_or(|child| child.try_wait().unwrap().is_some());
            assert!(!ended && Instant::now() < end, "no {text:?} in:\n{}", self.read("out"));
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn signal(&self, name: &str) {
        signal(self.pid(), name);
    }

    fn wait(&mut self) -> ExitStatus {
        let mut child = self.child.take().unwrap();
        wait_until(|| child.try_wait().unwrap().is_some(), "the process ends");
        child.wait().unwrap()
    }

    /// Runs the program to its end.
    fn output(&self, words: &[&str]) -> Output {
        self.command().args(words).output().unwrap()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            child.kill().ok();
            child.wait().ok();
        }
        fs::remove_dir_all(&self.folder).ok();
    }
}

fn signal(pid: u32, name: &str) {
    let status = Command::new("kill").args(["-s", name, &pid.to_string()]).status().unwrap();
    assert!(status.success());
}

fn wait_until(mut is_so: impl FnMut() -> bool, what: &str) {
    let end = Instant::now() + LIMIT;
    while !is_so() {
        assert!(Instant::now() < end, "in vain: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What CONFIG GET answers, as one text a setting.
fn settings(client: &mut Client, pattern: &str) -> Vec<String> {
    let Value::Array(items) = client.call(&["CONFIG", "GET", pattern]) else { panic!("no array") };
    let shown = |value: &Value| match value {
        Value::Bulk(bytes) => text(bytes),
        other => panic!("{other:?}"),
    };
    items.chunks(2).map(|pair| format!("{} {}", shown(&pair[0]), shown(&pair[1]))).collect()
}

#[test]
fn the_log_tells_that_the_server_is_ready() {
    let mut place = Place::new();
    let socket = place.path("socket");
    place.start(&["--always-show-logo", "yes", "--unixsocket", socket.to_str().unwrap()]);
    place.wait_for_log("Ready to accept connections unix");
    let log = place.read("out");
    let pid = place.pid();
    let at = |part: &str| log.find(part).unwrap_or_else(|| panic!("no {part:?} in:\n{log}"));
    assert!(at(&format!(" PID: {pid}\n")) < at(" * Server initialized\n"));
    assert!(at(" * Server initialized\n") < at(" * Ready to accept connections tcp\n"));
    let line = log.lines().find(|line| line.ends_with("Server initialized")).unwrap();
    let words: Vec<&str> = line.split(' ').collect();
    assert_eq!(words[0], format!("{pid}:M"));
    assert_eq!((words[1].len(), words[2].len(), words[3].len()), (2, 3, 4));
    assert_eq!((words[4].len(), words[5]), ("12:34:56.789".len(), "*"));
}

#[test]
fn log_lines_can_be_json_and_their_level_changes_while_serving() {
    let mut place = Place::new();
    let file = place.path("log");
    let words = ["--log-format", "json", "--logfile", "log", "--enable-debug-command", "yes"];
    let mut command = place.command();
    command.args(["--port", &place.port.to_string()]).args(words);
    place.spawn(command);
    wait_until(|| place.read("log").contains("Ready to accept"), "the log has the last line");
    assert_eq!(place.read("out"), "");
    let mut client = place.client();
    client.call(&["DEBUG", "LOG", "first \"one\""]);
    assert!(
        place.read("log").contains(r#","level":"warning","message":"DEBUG LOG: first \"one\""}"#)
    );
    client.run("CONFIG SET loglevel nothing");
    client.run("DEBUG LOG second");
    client.run("CONFIG SET loglevel warning log-format legacy");
    // A file that was moved away is begun anew.
    fs::rename(&file, place.path("old")).unwrap();
    client.run("DEBUG LOG third");
    let (old, new) = (place.read("old"), place.read("log"));
    assert!(!old.contains("second") && !old.contains("third"));
    assert!(new.contains(" # DEBUG LOG: third\n") && !new.contains("second"), "{new}");
}

#[test]
fn what_clients_sent_stays_out_of_the_log() {
    for (hide, shown) in [("yes", false), ("no", true)] {
        let mut place = Place::new();
        let words = ["--loglevel", "verbose", "--hide-user-data-from-log", hide];
        let mut client = place.start(&words);
        client.run("CLIENT SETNAME secretname");
        client.send(b"*1\r\n!secretdata\r\n").unwrap();
        client.receive_to_end().unwrap();
        place.wait_for_log("Protocol error");
        let log = place.read("out");
        assert_eq!(log.contains("secretname"), shown, "{log}");
        assert_eq!(log.contains("secretdata"), shown, "{log}");
    }
}

#[test]
fn a_daemon_leaves_its_terminal_and_a_pid_file() {
    let mut place = Place::new();
    let (port, log) = (place.port.to_string(), place.path("log"));
    let words = ["--port", &port, "--daemonize", "yes", "--pidfile", "pid", "--logfile", "log"];
    let parent = place.command().args(words).spawn().unwrap();
    let parent_pid = parent.id();
    place.child = Some(parent);
    assert!(place.wait().success());
    wait_until(|| log.exists() && place.read("log").contains("Ready to accept"), "the log");
    let pid: u32 = place.read("pid").trim().parse().unwrap();
    assert_ne!(pid, parent_pid);
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let session = stat.rsplit(") ").next().unwrap().split(' ').nth(3).unwrap();
    assert_eq!(session, pid.to_string());
    assert_eq!(fs::read_link(format!("/proc/{pid}/fd/1")).unwrap(), Path::new("/dev/null"));
    assert_eq!(place.client().run("PING"), Value::Simple("PONG".into()));
    signal(pid, "TERM");
    wait_until(|| !place.path("pid").exists(), "the pid file goes");
    wait_until(|| !Path::new(&format!("/proc/{pid}")).exists(), "the daemon ends");
}

#[test]
fn a_second_signal_ends_a_server_that_cannot_end() {
    let mut place = Place::new();
    let mut client = place.start(&["--save", "", "--enable-debug-command", "yes"]);
    client.send(b"DEBUG SLEEP 60\r\n").unwrap();
    // Ample time for the command to hold every shard, and for the first wish to wait for them.
    thread::sleep(Duration::from_millis(200));
    place.signal("TERM");
    thread::sleep(Duration::from_millis(400));
    place.signal("TERM");
    assert_eq!(place.wait().code(), Some(1), "{}", place.read("out"));
    assert!(place.read("out").contains("You insist"), "{}", place.read("out"));
}

#[test]
fn signals_to_the_process_and_its_group_do_not_cost_the_last_save() {
    let mut place = Place::new();
    let mut client = place.start(&["--save", "3600 1"]);
    client.run("SET key value");
    let pid = place.pid().to_string();
    assert!(Command::new("kill").args(["-s", "TERM", &pid, &pid]).status().unwrap().success());
    assert!(place.wait().success(), "{}", place.read("out"));
    assert!(place.path("dump.rdb").exists(), "{}", place.read("out"));
}

#[test]
fn signals_end_the_server_in_order_and_leave_nothing_behind() {
    for name in ["TERM", "INT"] {
        let mut place = Place::new();
        let words = ["--pidfile", "pid", "--unixsocket", "s", "--unixsocketperm", "750"];
        place.start(&words);
        let socket = fs::metadata(place.path("s")).unwrap();
        assert!(socket.file_type().is_socket());
        assert_eq!(socket.permissions().mode() & 0o777, 0o750);
        UnixStream::connect(place.path("s")).unwrap();
        assert_eq!(place.read("pid"), format!("{}\n", place.pid()));
        place.signal("HUP");
        assert_eq!(place.client().run("PING"), Value::Simple("PONG".into()));
        place.signal(name);
        assert_eq!(place.wait().code(), Some(0), "{}", place.read("out"));
        assert!(place.read("out").contains(&format!("Received SIG{name} scheduling shutdown")));
        assert!(!place.path("pid").exists() && !place.path("s").exists());
    }
}

#[test]
fn a_panic_ends_the_process_and_tells_why() {
    use std::os::unix::process::ExitStatusExt;
    for threads in ["1", "4"] {
        let mut place = Place::new();
        let words = ["--threads", threads, "--enable-debug-command", "yes"];
        let mut client = place.start(&words);
        assert!(client.try_call(&["DEBUG", "PANIC"]).is_err());
        assert_eq!(place.wait().signal(), Some(6), "{}", place.read("out"));
        let log = place.read("out");
        assert!(log.contains("BUG REPORT START") && log.contains("BUG REPORT END"), "{log}");
        let tells = log.contains("called by DEBUG PANIC") && log.contains("in thread worker-");
        assert!(tells, "{log}");
    }
}

#[test]
fn the_title_is_what_the_template_makes() {
    let mut place = Place::new();
    let mut client = place.start(&[]);
    let title = |place: &Place| {
        let line = fs::read(format!("/proc/{}/cmdline", place.pid())).unwrap();
        text(&line).trim_end_matches('\0').to_owned()
    };
    let program = program().display().to_string();
    let port = place.port;
    assert_eq!(title(&place), format!("{program} 127.0.0.1:{port}"));
    let long = "long ".repeat(40);
    let template = format!("{{title}} {{port}} {{tls-port}} {{config-file}} {long}!");
    client.call(&["CONFIG", "SET", "proc-title-template", &template]);
    assert_eq!(title(&place), format!("{program} {port} 0 - {long}!"));
}

#[test]
fn systemd_hears_when_the_server_is_ready_and_when_it_ends() {
    let mut place = Place::new();
    let socket = UnixDatagram::bind(place.path("notify")).unwrap();
    socket.set_read_timeout(Some(LIMIT)).unwrap();
    let mut command = place.command();
    command.env("NOTIFY_SOCKET", place.path("notify"));
    // A supervised server stays in the foreground.
    command.args(["--supervised", "auto", "--daemonize", "yes"]);
    // A long title takes the memory of the environment, which must have moved away.
    command.args(["--proc-title-template", &"long ".repeat(1000)]);
    command.args(["--port", &place.port.to_string()]);
    place.spawn(command);
    let next = || {
        let mut buffer = [0; 256];
        loop {
            match socket.recv(&mut buffer) {
                Ok(len) => return text(&buffer[..len]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => panic!("{error}"),
            }
        }
    };
    let said = [next(), next(), next()];
    assert!(said[0].starts_with("STATUS=") && said[0].contains("loading"), "{said:?}");
    assert_eq!(said[2], "READY=1\n");
    assert_eq!(place.client().run("PING"), Value::Simple("PONG".into()));
    place.signal("TERM");
    assert_eq!(next(), "STOPPING=1\n");
    assert!(place.wait().success());
}

#[test]
fn a_taken_port_and_a_missing_folder_stop_the_start() {
    let place = Place::new();
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, place.port)).unwrap();
    let port = place.port.to_string();
    let output = place.output(&["--port", &port, "--bind", "127.0.0.1"]);
    drop(taken);
    assert_eq!(output.status.code(), Some(1));
    let log = text(&output.stdout);
    assert!(log.contains(&format!("Failed listening on port {port} (tcp), aborting.")), "{log}");
    assert!(log.contains("bind: Address already in use"), "{log}");

    let output = place.output(&["--port", "0"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("Configured to not listen anywhere, exiting."));

    let output = place.output(&["--dir", "/no/such/folder"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("No such file or directory"));
}

#[test]
fn mistakes_are_named_on_the_standard_error() {
    let place = Place::new();
    fs::write(place.path("conf"), "port 7000\nmaxmemory lots\n").unwrap();
    let output = place.output(&["conf"]);
    assert_eq!(output.status.code(), Some(1));
    let report = text(&output.stderr);
    assert!(report.contains("*** FATAL CONFIG FILE ERROR (Reddle "), "{report}");
    assert!(report.contains("line 2") && report.contains(">>> 'maxmemory lots'\n"), "{report}");
    assert!(report.ends_with("argument must be a memory value\n"), "{report}");
    assert_eq!(text(&output.stdout), "");
}

#[test]
fn the_name_decides_how_the_program_introduces_itself() {
    let place = Place::new();
    for (name, line) in [("redis-server", "Redis server v="), ("valkey-server", "Valkey server v=")]
    {
        let link = place.path(name);
        symlink(program(), &link).unwrap();
        let output = Command::new(&link).arg("--version").output().unwrap();
        assert!(text(&output.stdout).starts_with(line), "{}", text(&output.stdout));
        let output = Command::new(&link).arg("--help").output().unwrap();
        assert!(text(&output.stdout).starts_with(&format!("Usage: {name} ")));
        let output = Command::new(&link).arg("--nosuch").output().unwrap();
        let title = &line[..line.len() - " server v=".len()];
        assert!(text(&output.stderr).contains(&format!("FILE ERROR ({title} ")));
    }
    let version = format!("Reddle server v={} sha=", env!("CARGO_PKG_VERSION"));
    assert!(text(&place.output(&["-v"]).stdout).starts_with(&version));
}

#[test]
fn the_port_can_be_changed_while_serving() {
    let mut place = Place::new();
    let mut client = place.start(&[]);
    let other = Place::new();
    let old = place.port;
    let moved = client.call(&["CONFIG", "SET", "port", &other.port.to_string()]);
    assert_eq!(moved, Value::Simple("OK".into()));
    assert_eq!(Client::connect(other.port).unwrap().run("PING"), Value::Simple("PONG".into()));
    assert!(Client::connect(old).is_err(), "the old port answers still");
    assert_eq!(client.run("PING"), Value::Simple("PONG".into()));

    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, old)).unwrap();
    let refused = client.call(&["CONFIG", "SET", "hz", "77", "port", &old.to_string()]);
    drop(taken);
    let Value::Error(refused) = refused else { panic!("{refused:?}") };
    assert!(text(&refused).contains("Unable to listen on this port"), "{}", text(&refused));
    assert_eq!(settings(&mut client, "hz"), ["hz 10"]);
    assert_eq!(Client::connect(other.port).unwrap().run("PING"), Value::Simple("PONG".into()));
}

#[test]
fn a_rewritten_file_starts_the_same_server() {
    let mut place = Place::new();
    let conf = place.path("my.conf");
    let port = place.port;
    let lines = format!("# a comment\nport {port}\nenable-debug-command yes\nhz 50\n");
    fs::write(&conf, lines).unwrap();
    let start = |place: &mut Place| {
        let mut command = place.command();
        command.arg("my.conf");
        place.spawn(command);
        place.wait_for_log("Ready to accept connections tcp");
        place.client()
    };
    let mut client = start(&mut place);
    let ok = Value::Simple("OK".into());
    assert_eq!(client.run("CONFIG SET maxmemory 3mb timeout 77 hz 10"), ok);
    assert_eq!(client.run("CONFIG REWRITE"), ok);
    let rewritten = place.read("my.conf");
    assert!(rewritten.starts_with("# a comment\n"), "{rewritten}");
    for line in ["timeout 77", "maxmemory 3mb"] {
        assert!(rewritten.lines().any(|have| have == line), "{rewritten}");
    }
    assert_eq!(client.run("DEBUG CONFIG-REWRITE-FORCE-ALL"), ok);
    let before = settings(&mut client, "*");
    place.signal("TERM");
    assert!(place.wait().success());
    let mut client = start(&mut place);
    assert_eq!(settings(&mut client, "*"), before);
}

#[test]
fn the_open_files_bound_the_clients() {
    let mut place = Place::new();
    let mut command = Command::new("sh");
    let script = "ulimit -n 200 && exec \"$@\"";
    command.args(["-c", script, "sh"]).arg(program()).args(["--bind", "127.0.0.1"]);
    command.args(["--port", &place.port.to_string()]).current_dir(&place.folder);
    place.spawn(command);
    place.wait_for_log("Ready to accept connections tcp");
    let mut client = place.client();
    let reduced = settings(&mut client, "maxclients");
    let log = place.read("out");
    // A privileged process gets past the limit.
    if reduced != ["maxclients 10000"] {
        assert_eq!(reduced, ["maxclients 168"]);
        assert!(log.contains("maxclients has been reduced to 168"), "{log}");
        assert_eq!(client.run("CONFIG SET maxclients 100"), Value::Simple("OK".into()));
    }
}
