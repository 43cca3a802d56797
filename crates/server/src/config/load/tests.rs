//! Cases of files, standard input, environment, and their order.

use proptest::prelude::*;

use super::*;
use crate::config::cli::Program;
use crate::config::tests::{Scratch, lines, start, start_with};

fn with_file(path: &Path) -> Startup {
    Startup { file: Some(path.to_path_buf()), ..lines("") }
}

fn report(error: &StartError) -> String {
    String::from_utf8_lossy(&error.report("Redis 7.2.4")).into_owned()
}

fn texts(notices: &[Notice]) -> Vec<&str> {
    notices.iter().map(|notice| notice.text.as_str()).collect()
}

#[test]
fn every_directive_of_the_releases_loads() {
    let table = include_str!("../testdata/directives.tsv");
    for row in table.lines().filter(|line| !line.starts_with('#')) {
        let [name, value, releases] = row.split('\t').collect::<Vec<_>>()[..] else {
            panic!("{row}")
        };
        for line in [format!("{name} {value}"), format!(" {} {value}\r", name.to_uppercase())] {
            // A single file that is included must exist.
            if name == "include" && !value.contains('*') {
                assert!(matches!(start(&lines(&line)), Err(StartError::Unreadable { .. })));
                continue;
            }
            let loaded = start(&lines(&line));
            assert!(loaded.is_ok(), "{releases}: {line}: {}", report(&loaded.unwrap_err()));
        }
    }
}

#[test]
fn whole_files_of_the_releases_load() {
    let table = include_str!("../testdata/directives.tsv");
    let split = |row: &'static str| row.split('\t').collect::<Vec<_>>();
    for release in ["redis-7.2", "redis-8.0", "valkey-9.1"] {
        // Directives that exclude each other, or name files that are not there.
        let left_out = ["include", "replicaof", "slaveof", "rename-command"];
        let rows = table.lines().map(split).filter(|row| {
            row.get(2).is_some_and(|in_| in_.contains(release)) && !left_out.contains(&row[0])
        });
        let file: String =
            rows.map(|row| format!("# about it\n{} {}\n\n", row[0], row[1])).collect();
        let loaded = start(&lines(&file));
        assert!(loaded.is_ok(), "{release}: {}", report(&loaded.unwrap_err()));
    }
}

#[test]
fn the_example_file_loads_and_so_do_its_examples() {
    let example = include_str!("../../../../../reddle.conf");
    let (config, notices) = start(&lines(example)).unwrap();
    assert_eq!(texts(&notices), [""; 0]);
    assert!(config.bool(Id::ProtectedMode));
    let is_directive = |rest: &str| rest.starts_with(|first: char| first.is_ascii_lowercase());
    let shown: Vec<&str> = example.lines().filter_map(|line| line.strip_prefix('#')).collect();
    for line in shown.into_iter().filter(|rest| is_directive(rest)) {
        let (shown, notices) = start(&lines(line)).unwrap();
        assert_eq!(texts(&notices), [""; 0], "{line}");
        let name = line.split(' ').next().unwrap_or_default();
        let chosen = ["include", "requirepass", "unixsocket", "unixsocketperm", "pidfile"];
        if !chosen.contains(&name) && name != "rename-command" {
            let row = find(name.as_bytes()).unwrap();
            assert!(shown.is_initial(row.id), "{line} is not the default");
        }
    }
}

#[test]
fn files_then_stdin_then_environment_then_options() {
    let scratch = Scratch::new("order");
    let file = scratch.write("a.conf", "port 1\nhz 11\ntimeout 1\ndatabases 1\n");
    let startup = Startup {
        program: Program::Reddle,
        file: Some(file.clone()),
        read_stdin: true,
        options: b"port 4".to_vec(),
    };
    let variables = [("REDDLE_PORT", "3"), ("REDDLE_HZ", "13"), ("PATH", "/bin")];
    let (config, _) = start_with(&startup, b"port 2\nhz 12\ntimeout 2", &variables).unwrap();
    assert_eq!(config.int(Id::Port), 4);
    assert_eq!(config.int(Id::Hz), 13);
    assert_eq!(config.int(Id::Timeout), 2);
    assert_eq!(config.int(Id::Databases), 1);
    assert_eq!(config.file(), Some(file.as_path()));
}

#[test]
fn includes_are_read_where_they_stand() {
    let scratch = Scratch::new("include");
    scratch.write("conf.d/20.conf", "hz 20\ntimeout 20");
    scratch.write("conf.d/10.conf", "hz 10\nmaxclients 10");
    scratch.write("other/x.conf", "tcp-keepalive 7");
    let main = format!(
        "maxclients 1\ninclude {0}/conf.d/*.conf\ninclude {0}/none/*.conf\ntimeout 2\n\
         dir {0}/other\ninclude x.conf\n",
        scratch.path().display()
    );
    let config = start(&with_file(&scratch.write("main.conf", main))).unwrap().0;
    let got = [Id::Hz, Id::Maxclients, Id::Timeout, Id::TcpKeepalive].map(|id| config.int(id));
    assert_eq!(got, [20, 10, 2, 7]);
}

#[test]
fn quoted_and_unquoted_parts_may_touch() {
    let (config, _) = start(&lines("max\"memory\" \"10\"mb")).unwrap();
    assert_eq!(config.memory(Id::Maxmemory), 10 << 20);
}

#[test]
fn faults_name_file_line_and_text() {
    let scratch = Scratch::new("faults");
    let dir = scratch.path().display().to_string();
    scratch.write("b.conf", "\n\nnope 1\n");
    let cases: &[(&str, &str)] = &[
        (
            "hz 1\n  Port   \"77 ",
            "at line 2 of A\n>>> 'Port   \"77'\nUnbalanced quotes in configuration line\n",
        ),
        (
            "include b.conf",
            "at line 3 of B\n>>> 'nope 1'\nBad directive or wrong number of arguments\n",
        ),
        ("port", "at line 1 of A\n>>> 'port'\nwrong number of arguments\n"),
        ("port 1 2", "at line 1 of A\n>>> 'port 1 2'\nwrong number of arguments\n"),
        ("rename-command nope x", "'rename-command nope x'\nNo such command in rename-command\n"),
        (
            "rename-command get set",
            "'rename-command get set'\nTarget command name already exists\n",
        ),
        ("rename-command get", "Bad directive or wrong number of arguments\n"),
        ("a.b", "'a.b'\nModule config specified without value\n"),
        ("sentinel monitor a", "sentinel directive while not in sentinel mode\n"),
        ("list-max-ziplist-value", "Bad directive or wrong number of arguments\n"),
        ("user", "Bad directive or wrong number of arguments\n"),
        ("save 1", "Invalid save parameters\n"),
        ("dir /nosuch", "No such file or directory\n"),
        ("unixsocketperm 999", "argument couldn't be parsed as an octal number\n"),
        ("unixsocketperm 1000", "argument must be between 0 and 777 inclusive\n"),
        (
            "cluster-enabled yes\nreplicaof a 1",
            "***\nreplicaof directive not allowed in cluster mode\n",
        ),
        ("logfile /nosuch/x", "***\nCan't open the log file: No such file or directory\n"),
    ];
    for (content, want) in cases {
        let content = content.replace("b.conf", &format!("{dir}/b.conf"));
        let file = scratch.write("a.conf", &content);
        let error = start(&with_file(&file)).unwrap_err();
        let want = want.replace(" A\n", &format!(" {dir}/a.conf\n"));
        let want = want.replace(" B\n", &format!(" {dir}/b.conf\n"));
        assert!(report(&error).ends_with(&want), "{content}: {}", report(&error));
    }
}

#[test]
fn missing_and_circular_files_stop_the_start() {
    let scratch = Scratch::new("missing");
    let error = start(&with_file(Path::new("/nosuch.conf"))).unwrap_err();
    let want = "Fatal error, can't open config file '/nosuch.conf': No such file or directory\n";
    assert_eq!(report(&error), want);
    let a = scratch.path().join("a.conf");
    scratch.write("a.conf", format!("include {0}/b.conf", scratch.path().display()));
    scratch.write("b.conf", format!("include {}", a.display()));
    assert!(report(&start(&with_file(&a)).unwrap_err()).contains("includes itself"));
}

#[test]
fn renames_are_kept_and_users_have_no_effect() {
    let text = "rename-command GET fetch\nrename-command config \"\"\nrename-command set get\n\
                user default on nopass\nuser a off";
    let (config, notices) = start(&lines(text)).unwrap();
    let renames: Vec<_> = config.renames().iter().map(|r| (&r.command[..], &r.name[..])).collect();
    assert_eq!(renames, [(&b"GET"[..], &b"fetch"[..]), (b"config", b""), (b"set", b"get")]);
    let want = "'user' has no effect: this version does not have access control lists yet";
    assert_eq!(texts(&notices), [want]);
}

#[test]
fn saves_add_up_within_one_configuration() {
    let cases: &[(&str, &str)] = &[
        ("", "3600 1 300 100 60 10000"),
        ("save 1 2", "1 2"),
        ("save 1 2\nsave 3 4 5 6", "1 2 3 4 5 6"),
        ("save \"1 2 3 4\"", "1 2 3 4"),
        ("save 1 2\nsave \"\"", ""),
        ("save 1 2\nsave \"\"\nsave 3 4", "3 4"),
    ];
    for (text, want) in cases {
        let config = start(&lines(text)).unwrap().0;
        assert_eq!(String::from_utf8_lossy(&config.get(&[b"save"])[0].1), *want, "{text}");
    }
    let text = "client-output-buffer-limit normal 1 2 3\nclient-output-buffer-limit pubsub 4 5 6";
    let config = start(&lines(text)).unwrap().0;
    let want = b"normal 1 2 3 slave 268435456 67108864 60 pubsub 4 5 6";
    assert_eq!(config.get(&[b"client-output-buffer-limit"])[0].1, want);
}

#[test]
fn what_has_no_effect_is_said_once() {
    let text = "activerehashing yes\nactiverehashing no\nio-threads 4\nappendonly no\n\
                maxmemory 1gb\nappendfsync always\nloadmodule /x.so\nloadmodule /y.so\n\
                search.timeout 5\nlua-replicate-commands yes\nactivedefrag yes\n";
    let (config, notices) = start(&lines(text)).unwrap();
    assert_eq!(
        texts(&notices),
        [
            "'search.timeout' has no effect: native modules cannot be loaded",
            "'activerehashing' has no effect: the tables grow in small steps and have nothing to \
             rehash",
            "'io-threads' has no effect: commands run on all worker threads; 'threads' sets their \
             number",
            "'loadmodule' has no effect: native modules cannot be loaded",
            "'lua-replicate-commands' has no effect: it is obsolete and was dropped by the \
             servers that had it",
        ]
    );
    assert_eq!(config.int(Id::IoThreads), 4);
    assert!(start(&lines("")).unwrap().1.is_empty());
}

#[test]
fn the_environment_sets_options_and_secrets() {
    let scratch = Scratch::new("environment");
    let secret = scratch.write("secret", "pass word\r\n");
    let secret = secret.to_str().unwrap();
    let variables = [
        ("REDDLE_TCP_KEEPALIVE", "7"),
        ("REDDLE_SAVE", ""),
        ("REDDLE_REQUIREPASS_FILE", secret),
        ("REDDLE_SLAVE_PRIORITY", "8"),
        ("REDDLE_TLS_CERT_FILE", "x.crt"),
        ("REDDLE_PORT", "tcp://10.0.0.1:6379"),
        ("REDDLE_SERVICE_HOST", "10.0.0.1"),
        ("REDDLE_HZ_FILE", secret),
        ("reddle_hz", "9"),
    ];
    let (config, notices) = start_with(&lines(""), b"", &variables).unwrap();
    assert_eq!(config.int(Id::TcpKeepalive), 7);
    assert!(config.save_points().is_empty());
    assert_eq!(config.text(Id::Requirepass), b"pass word");
    assert_eq!(config.int(Id::ReplicaPriority), 8);
    assert_eq!(config.text(Id::TlsCertFile), b"x.crt");
    assert_eq!((config.int(Id::Port), config.int(Id::Hz)), (6379, 10));
    let ignored = texts(&notices).into_iter().filter(|text| text.contains("is ignored"));
    assert_eq!(
        ignored.collect::<Vec<_>>(),
        [
            "REDDLE_HZ_FILE is ignored: no option has this name",
            "REDDLE_PORT is ignored: it holds the address of a service",
            "REDDLE_SERVICE_HOST is ignored: no option has this name",
        ]
    );
}

#[test]
fn faults_of_the_environment_do_not_tell_secrets() {
    let both = [("REDDLE_REQUIREPASS", "x"), ("REDDLE_REQUIREPASS_FILE", "/nosuch")];
    let cases: &[(&[(&str, &str)], &str)] = &[
        (&[("REDDLE_PORT", "x")], "at the environment variable REDDLE_PORT\n>>> 'port x'\n"),
        (&both, "REDDLE_REQUIREPASS and REDDLE_REQUIREPASS_FILE are both set\n"),
        (
            &both[1..],
            "Can't read the file '/nosuch' that REDDLE_REQUIREPASS_FILE names: No such file or \
             directory\n",
        ),
    ];
    for (variables, want) in cases {
        let error = start_with(&lines(""), b"", variables).unwrap_err();
        assert!(report(&error).contains(want), "{}", report(&error));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_bytes_load_or_are_refused(content: Vec<u8>) {
        if !content.windows(7).any(|part| part.eq_ignore_ascii_case(b"logfile")) {
            start(&lines(&content)).ok();
        }
    }

    #[test]
    fn lines_of_known_names_load_or_are_refused(
        picks in proptest::collection::vec((0..DIRECTIVES.len(), "[ -~]{0,20}"), 0..6)
    ) {
        let line = |(row, rest): &(usize, String)| format!("{} {rest}\n", DIRECTIVES[*row].name);
        let kept = |(row, _): &&(usize, String)| DIRECTIVES[*row].id != Id::Logfile;
        let text: String = picks.iter().filter(kept).map(line).collect();
        if let Err(error) = start(&lines(&text)) {
            prop_assert!(!error.report("x").is_empty());
        }
    }
}
