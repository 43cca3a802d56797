//! CONFIG SET and GET over every directive, and what the other tests of this module share.

use std::fs;
use std::sync::atomic::{AtomicU32, Ordering};

use proptest::prelude::*;

use super::cli::{Program, Startup};
use super::*;

pub(super) const LOCAL: Caller = Caller { local: true, loading: false };
const REMOTE: Caller = Caller { local: false, loading: false };

/// A directory of one test, removed at its end.
pub(super) struct Scratch(PathBuf);

impl Scratch {
    pub(super) fn new(name: &str) -> Scratch {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("reddle-config-{}-{count}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Scratch(path.canonicalize().unwrap())
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

/// Loads with an empty environment, in a server that knows four commands.
pub(super) fn start(startup: &Startup) -> Result<(Config, Vec<Notice>), StartError> {
    start_with(startup, b"", &[])
}

pub(super) fn start_with(
    startup: &Startup,
    mut stdin: &[u8],
    variables: &[(&str, &str)],
) -> Result<(Config, Vec<Notice>), StartError> {
    let command_exists = |name: &[u8]| {
        ["get", "set", "config", "flushall"]
            .iter()
            .any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
    };
    let variables = variables.iter().map(|(name, value)| ((*name).into(), (*value).into()));
    let inputs = Inputs {
        stdin: &mut stdin,
        variables: variables.collect(),
        command_exists: &command_exists,
    };
    Config::load(startup, inputs)
}

/// A start with these lines as its options.
pub(super) fn lines(text: impl AsRef<[u8]>) -> Startup {
    let options = text.as_ref().to_vec();
    Startup { program: Program::Reddle, file: None, read_stdin: false, options }
}

fn set(config: &mut Config, name: &str, value: &str) -> Result<Vec<Id>, SetError> {
    config.set(&[(name.as_bytes(), value.as_bytes())], LOCAL)
}

fn get(config: &Config, name: &str) -> String {
    let found = config.get(&[name.as_bytes()]);
    String::from_utf8_lossy(&found.first().expect(name).1).into_owned()
}

fn rows(text: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    text.lines().filter(|line| !line.starts_with('#')).map(|line| line.split('\t').collect())
}

#[test]
fn values_are_taken_and_refused_as_by_the_servers() {
    let mut base = Config::default();
    base.assign(Id::EnableProtectedConfigs, &[b"yes".to_vec()]).unwrap();
    for row in rows(include_str!("testdata/set.tsv")) {
        let [name, value, want] = row[..] else { panic!("{row:?}") };
        let mut config = base.clone();
        let got = match set(&mut config, name, value) {
            Ok(_) => format!("={}", get(&config, name)),
            Err(SetError::Refused { reason, .. }) => format!("!{reason}"),
            Err(other) => format!("{other:?}"),
        };
        assert_eq!(got, want, "{name} {value:?}");
    }
}

#[test]
fn every_modifiable_directive_takes_the_value_it_shows() {
    let mut config = Config::default();
    config.assign(Id::EnableProtectedConfigs, &[b"yes".to_vec()]).unwrap();
    let before = config.get(&[b"*"]);
    assert!(before.len() > 240);
    for (name, value) in &before {
        let immutable = find(name).is_some_and(|row| row.flags.contains(Flags::IMMUTABLE));
        match config.set(&[(name, value)], LOCAL) {
            Ok(_) => assert!(!immutable),
            Err(error) => {
                assert!(immutable, "{}", String::from_utf8_lossy(&error.reply()));
            }
        }
    }
    assert_eq!(config.get(&[b"*"]), before);
}

#[test]
fn errors_have_the_texts_that_clients_know() {
    let failed = "ERR CONFIG SET failed (possibly related to argument";
    let cases: &[(&[(&str, &str)], &str)] = &[
        (&[("nosuch", "1")], "ERR Unknown option or number of arguments for CONFIG SET - 'nosuch'"),
        (
            &[("include", "x")],
            "ERR Unknown option or number of arguments for CONFIG SET - 'include'",
        ),
        (
            &[("port", "1"), ("NOsuch", "2")],
            "ERR Unknown option or number of arguments for CONFIG SET - 'NOsuch'",
        ),
        (&[("databases", "3")], "{failed} 'databases') - can't set immutable config"),
        (&[("Databases", "3"), ("no", "1")], "{failed} 'Databases') - can't set immutable config"),
        (&[("dbfilename", "x")], "{failed} 'dbfilename') - can't set protected config"),
        (&[("maxmemory", "1"), ("MAXMEMORY", "2")], "{failed} 'MAXMEMORY') - duplicate parameter"),
        (
            &[("slave-priority", "1"), ("replica-priority", "2")],
            "{failed} 'replica-priority') - duplicate parameter",
        ),
        (
            &[("slave-Priority", "x")],
            "{failed} 'slave-priority') - argument couldn't be parsed into an integer",
        ),
        (&[("maxmemory", "x")], "{failed} 'maxmemory') - argument must be a memory value"),
        (
            &[("maxmemory", "1"), ("maxmemory-clients", "200%"), ("hz", "x")],
            "{failed} 'maxmemory-clients') - percentage argument must be less or equal to 100",
        ),
        (&[("threads", "3")], "{failed} 'threads') - can't set immutable config"),
    ];
    for (changes, want) in cases {
        let mut config = Config::default();
        let changes: Vec<(&[u8], &[u8])> =
            changes.iter().map(|(n, v)| (n.as_bytes(), v.as_bytes())).collect();
        let error = config.set(&changes, LOCAL).unwrap_err();
        let want = want.replace("{failed}", failed);
        assert_eq!(String::from_utf8_lossy(&error.reply()), want);
        assert_eq!(config.get(&[b"*"]), Config::default().get(&[b"*"]), "nothing is set");
    }
    let error = SetError::not_applied(Id::Port, "Unable to listen on this port.");
    let want = format!("{failed} 'port') - Unable to listen on this port.");
    assert_eq!(String::from_utf8_lossy(&error.reply()), want);
}

#[test]
fn several_changes_take_effect_together() {
    let mut config = Config::default();
    let changes: &[(&[u8], &[u8])] =
        &[(b"maxmemory", b"10mb"), (b"hz", b"10"), (b"save", b"3000 5"), (b"tls-cert-file", b"")];
    let changed = config.set(changes, REMOTE).unwrap();
    assert_eq!(changed, [Id::Maxmemory, Id::Save, Id::TlsCertFile]);
    assert_eq!(config.memory(Id::Maxmemory), 10 << 20);
    assert_eq!(config.save_points(), [SavePoint { seconds: 3000, changes: 5 }]);
    assert_eq!(set(&mut config, "threads", "0").unwrap(), []);
}

#[test]
fn who_asks_and_when_decides_about_some() {
    let mut config = Config::default();
    let name: &[(&[u8], &[u8])] = &[(b"dbfilename", b"x.rdb")];
    assert!(config.set(name, LOCAL).is_err());
    config.assign(Id::EnableProtectedConfigs, &[b"local".to_vec()]).unwrap();
    assert!(config.set(name, REMOTE).is_err());
    assert_eq!(config.set(name, LOCAL).unwrap(), [Id::Dbfilename]);
    let loading = Caller { local: true, loading: true };
    assert_eq!(config.set(&[(b"dir", b"/")], loading), Err(SetError::Loading));
    assert!(config.set(&[(b"loglevel", b"debug")], loading).is_ok());
    for (value, local, remote) in
        [("no", false, false), ("yes", true, true), ("local", true, false)]
    {
        config.assign(Id::EnableDebugCommand, &[value.into()]).unwrap();
        assert_eq!(config.allows(Id::EnableDebugCommand, true), local);
        assert_eq!(config.allows(Id::EnableDebugCommand, false), remote);
    }
}

#[test]
fn get_finds_names_aliases_and_patterns_once() {
    let config = Config::default();
    let names = |patterns: &[&str]| -> Vec<String> {
        let patterns: Vec<&[u8]> = patterns.iter().map(|p| p.as_bytes()).collect();
        let found = config.get(&patterns).into_iter();
        found.map(|(name, _)| String::from_utf8(name).unwrap()).collect()
    };
    let none: [&str; 0] = [];
    assert_eq!(names(&["maxmemory", "maxmemory", "MAXMEMORY"]), ["maxmemory"]);
    assert_eq!(names(&["MaxMemory"]), ["MaxMemory"]);
    assert_eq!(names(&["*of"]), ["replicaof", "slaveof"]);
    assert_eq!(names(&["slave-p*", "SLAVEOF"]), ["SLAVEOF", "slave-priority"]);
    assert_eq!(names(&["slowlog-*"]), ["slowlog-log-slower-than", "slowlog-max-len"]);
    assert_eq!(names(&["key-load-dela*"]), none, "hidden ones are found by name alone");
    assert_eq!(names(&["key-load-delay"]), ["key-load-delay"]);
    assert_eq!(names(&["nosuch", "include", "user", "list-max-ziplist-value"]), none);
    assert!(names(&["*"]).is_sorted());
}

#[test]
fn values_are_shown_in_their_own_form() {
    let cases: &[(&str, &str, &str)] = &[
        ("save", "3600 1 300 100", "3600 1 300 100"),
        ("save", "", ""),
        ("client-output-buffer-limit", "replica 1mb 2kb 3 pubsub 0 0 0", LIMITS),
        ("notify-keyspace-events", "mnKEgxA", "AKEm"),
        ("notify-keyspace-events", "mnKEgx", "gxnKEm"),
        ("latency-tracking-info-percentiles", "50.12 99.0 0", "50.12 99 0"),
        ("shutdown-on-sigterm", "force NOW", "now force"),
        ("oom-score-adj", "relative", "yes"),
        ("hz", "9999", "500"),
        ("hz", "0", "1"),
        ("bind", "* -::1", "* -::1"),
        ("bind", "", ""),
        ("maxmemory-clients", "5%", "5%"),
        ("requirepass", "a b", "a b"),
    ];
    for (name, value, want) in cases {
        let mut config = Config::default();
        set(&mut config, name, value).unwrap();
        assert_eq!(get(&config, name), *want);
    }
}

const LIMITS: &str = "normal 0 0 0 slave 1048576 2048 3 pubsub 0 0 0";

#[test]
fn wrong_lists_are_refused() {
    let name = "latency-tracking-info-percentiles parameters";
    let buffers = "in buffer limit configuration.";
    let scores = "Invalid oom-score-adj-values, elements must be between -2000 and 2000.";
    let cases: &[(&str, &str, &str)] = &[
        ("save", "1 2 3", "Invalid save parameters"),
        ("save", "3600  1", "Invalid save parameters"),
        ("save", "0 1", "Invalid save parameters"),
        ("save", "1 -1", "Invalid save parameters"),
        ("latency-tracking-info-percentiles", "x", &format!("Invalid {name}")),
        (
            "latency-tracking-info-percentiles",
            "1 101",
            &format!("{name} should sit between [0.0,100.0]"),
        ),
        (
            "client-output-buffer-limit",
            "slave 1 2",
            &format!("Wrong number of arguments {buffers}"),
        ),
        (
            "client-output-buffer-limit",
            "master 1 2 3",
            &format!("Invalid client class specified {buffers}"),
        ),
        (
            "client-output-buffer-limit",
            "pubsub 1 2 -3",
            &format!("Error in hard, soft or soft_seconds setting {buffers}"),
        ),
        ("oom-score-adj-values", "1 2", "wrong number of arguments"),
        ("oom-score-adj-values", "1 2 x", scores),
        ("oom-score-adj-values", "1 2 2001", scores),
        ("notify-keyspace-events", "KEq", "Invalid event class character. Use 'Ag$lshzxeKEtmdn'."),
        (
            "shutdown-on-sigint",
            "save nosave",
            "shutdown options SAVE and NOSAVE can't be used simultaneously",
        ),
        ("bind", "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17", "Too many bind addresses specified."),
        ("proc-title-template", "{no}", "template format is invalid or contains unknown variables"),
    ];
    for (name, value, want) in cases {
        let Err(SetError::Refused { reason, .. }) = set(&mut Config::default(), name, value) else {
            panic!("{name} {value} was taken")
        };
        assert_eq!(reason, *want, "{name} {value}");
    }
}

#[test]
fn dir_is_an_existing_directory() {
    let scratch = Scratch::new("dir");
    scratch.write("sub/file", "");
    let mut config = Config::default();
    config.assign(Id::EnableProtectedConfigs, &[b"yes".to_vec()]).unwrap();
    set(&mut config, "dir", scratch.path().to_str().unwrap()).unwrap();
    set(&mut config, "dir", "sub").unwrap();
    assert_eq!(config.path(Id::Dir).unwrap(), scratch.path().join("sub"));
    for (name, want) in [
        ("nosuch", "No such file or directory"),
        ("file", "Not a directory"),
        ("", "dir can't be empty"),
    ] {
        let Err(SetError::Refused { reason, .. }) = set(&mut config, "dir", name) else { panic!() };
        assert_eq!(reason, want);
    }
    set(&mut config, "dir", "..").unwrap();
    assert_eq!(config.path(Id::Dir).unwrap(), scratch.path());
}

#[test]
fn typed_values_are_those_of_the_text() {
    let text = "port 7000\nunixsocketperm 700\nmaxmemory 1gb\nmaxmemory-clients 5%\n\
                loglevel warning\nshutdown-on-sigterm now force\nbind a -b\nreplicaof h 7\n\
                client-output-buffer-limit pubsub 3 2 1\nnotify-keyspace-events KEA\n\
                unixsocket /x.sock\nslot-migration-max-failover-repl-bytes -1\n";
    let config = start(&lines(text)).unwrap().0;
    assert_eq!(config.int(Id::Port), 7000);
    assert_eq!(config.int(Id::Unixsocketperm), 0o700);
    assert_eq!(config.memory(Id::Maxmemory), 1 << 30);
    assert_eq!(config.memory_limit(Id::MaxmemoryClients), MemoryLimit::Percent(5));
    assert_eq!(config.choice(Id::Loglevel), "warning");
    assert!(config.has_flag(Id::ShutdownOnSigterm, "now"));
    assert!(!config.has_flag(Id::ShutdownOnSigterm, "nosave"));
    assert!(config.list(Id::Bind).iter().map(Vec::as_slice).eq([&b"a"[..], b"-b"]));
    assert_eq!(config.primary(), Some(&Primary { host: b"h".to_vec(), port: 7 }));
    let limit = BufferLimit { hard: 3, soft: 2, soft_seconds: 1 };
    assert_eq!(config.output_buffer_limit(ClientClass::Pubsub), limit);
    assert_eq!(config.events(), spec::config::EVENTS_ALL | 3);
    assert_eq!(config.path(Id::Unixsocket), Some(Path::new("/x.sock")));
    assert_eq!(config.int(Id::SlotMigrationMaxFailoverReplBytes), -1);
    assert_eq!(config.text_if_set(Id::Requirepass), None);
    assert_eq!(config.percentiles(), [50.0, 99.0, 99.9]);
    assert_eq!(config.oom_scores(), [0, 200, 800]);
    assert!(config.bool(Id::ProtectedMode));
    assert!(is_sensitive(b"RequirePass") && !is_sensitive(b"port"));
}

proptest! {
    #[test]
    fn any_change_is_taken_or_refused(row in 0..DIRECTIVES.len(), value: Vec<u8>) {
        let mut config = Config::default();
        let name = DIRECTIVES[row].name.as_bytes();
        if config.set(&[(name, &value)], LOCAL).is_ok() {
            let shown = config.get(&[name])[0].1.clone();
            prop_assert!(config.set(&[(name, &shown)], LOCAL).is_ok());
            prop_assert_eq!(&config.get(&[name])[0].1, &shown);
        }
    }
}
