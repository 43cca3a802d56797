//! Cases of the command line, and of what starts with it.

use super::*;
use crate::config::tests::{Scratch, start};
use spec::config::Id;

const BUILD: Build<'static> = Build {
    reddle: "0.0.1",
    redis: "7.2.4",
    valkey: "9.1.2",
    allocator: "jemalloc-5.3.1",
    commit: "00000000",
    build_id: 0xa1b2,
};

fn request(arguments: &[&str]) -> Request {
    parse(&arguments.iter().map(OsString::from).collect::<Vec<_>>())
}

fn startup(arguments: &[&str]) -> Startup {
    let all: Vec<&str> = std::iter::once("reddle").chain(arguments.iter().copied()).collect();
    match request(&all) {
        Request::Start(startup) => startup,
        other => panic!("{arguments:?} gave {other:?}"),
    }
}

#[test]
fn options_become_lines() {
    let cases: &[(&[&str], &str)] = &[
        (&[], ""),
        (&["--port", "6379"], "port \"6379\" "),
        (&["--port", "1", "--loglevel", "debug"], "port \"1\" \nloglevel \"debug\" "),
        (&["--port 6379", "--hz", "1"], "port 6379 \nhz \"1\" "),
        (&["--port", "--loglevel", "verbose"], "port \"--loglevel\" \"verbose\" "),
        (&["--save", "--hz", "1"], "save \"\"\nhz \"1\" "),
        (&["--hz", "1", "--save"], "hz \"1\" \nsave \"\""),
        (&["--save", ""], "save \"\" "),
        (&["--bind", "a", "b"], "bind \"a\" \"b\" "),
        (&["--invalid"], "invalid "),
    ];
    for (arguments, want) in cases {
        let got = startup(arguments).options;
        assert_eq!(String::from_utf8_lossy(&got), *want, "{arguments:?}");
    }
}

#[test]
fn the_file_comes_first_and_stdin_first_or_last() {
    let cases: &[(&[&str], Option<&str>, bool)] = &[
        (&[], None, false),
        (&["/a.conf"], Some("/a.conf"), false),
        (&["-"], None, true),
        (&["/a.conf", "-"], Some("/a.conf"), true),
        (&["/a.conf", "--hz", "1", "-"], Some("/a.conf"), true),
        (&["--hz", "1", "-"], None, true),
        (&["-", "--hz", "1"], None, true),
        (&["--hz", "-", "1"], None, false),
    ];
    for (arguments, file, stdin) in cases {
        let got = startup(arguments);
        assert_eq!(got.file.as_deref(), file.map(Path::new), "{arguments:?}");
        assert_eq!(got.read_stdin, *stdin, "{arguments:?}");
    }
    assert!(startup(&["a.conf"]).file.is_some_and(|path| path.is_absolute()));
}

#[test]
fn the_name_decides_the_introduction() {
    let line = "server v=7.2.4 sha=00000000:0 malloc=jemalloc-5.3.1 bits=64 build=a1b2\n";
    let redis = Program::of(&OsString::from("/usr/bin/redis-server"));
    assert_eq!(redis.version_line(&BUILD), format!("Redis {line}"));
    let valkey = Program::of(&OsString::from("./valkey-server"));
    assert!(valkey.version_line(&BUILD).starts_with("Valkey server v=9.1.2 sha="));
    let reddle = Program::of(&OsString::from("reddle"));
    assert!(reddle.version_line(&BUILD).starts_with("Reddle server v=0.0.1 sha="));
    assert_eq!(Program::of(&OsString::from("/redis-server/reddle")), Program::Reddle);
    assert!(redis.help().contains("redis-server --port 7000"));
    assert!(reddle.help().contains("\n       reddle cli  ") && !redis.help().contains(" cli  "));
    assert_eq!(redis.title(&BUILD), "Redis 7.2.4");
}

#[test]
fn some_arguments_ask_for_an_answer_instead_of_a_server() {
    for word in ["-v", "--version"] {
        assert_eq!(request(&["redis-server", word]), Request::Version(Program::RedisServer));
    }
    for word in ["-h", "--help"] {
        assert_eq!(request(&["reddle", word]), Request::Help(Program::Reddle));
    }
    assert_eq!(request(&["reddle", "--check-system"]), Request::CheckSystem);
    let refused: &[&[&str]] = &[
        &["reddle", "--test-memory"],
        &["reddle", "--test-memory", "10"],
        &["reddle", "/a.conf", "--sentinel"],
        &["/usr/bin/redis-sentinel", "/a.conf"],
    ];
    for arguments in refused {
        assert!(matches!(request(arguments), Request::Refuse(_)), "{arguments:?}");
    }
    assert!(matches!(parse(&[]), Request::Start(_)));
}

#[test]
fn option_values_reach_the_configuration() {
    let scratch = Scratch::new("cli");
    let file = scratch.write("a.conf", "maxmemory 1gb\nsave 10 1\n");
    let cases: &[(&[&str], &[u8], &str)] = &[
        (&["--maxmemory 700mb"], b"maxmemory", "734003200"),
        (&["loglevel", "verbose", "--maxmemory '700mb'"], b"loglevel", "verbose"),
        (&["--proc-title-template", "--my--title", "--hz", "5"], b"hz", "5"),
        (&["--proc-title-template", "--save", "--save", ""], b"save", ""),
        (&["--save", "--loglevel", "verbose"], b"save", ""),
        (&["--save", "20", "2"], b"save", "10 1 20 2"),
        (&["--SHUTDOWN-on-sigint", "nosave force now"], b"shutdown-on-sigint", "nosave now force"),
        (&["--dir", "./", "--dir", "./"], b"maxmemory", "1073741824"),
    ];
    for (options, name, want) in cases {
        let all: Vec<&str> = file.to_str().into_iter().chain(options.iter().copied()).collect();
        let (config, _) = start(&startup(&all)).unwrap();
        assert_eq!(String::from_utf8_lossy(&config.get(&[name])[0].1), *want, "{options:?}");
    }
    assert_eq!(start(&startup(&["--port", "7"])).unwrap().0.int(Id::Port), 7);
}

#[test]
fn wrong_options_are_reported_with_their_text() {
    let enumeration = "argument(s) must be one of the following";
    let cases: &[(&[&str], &str, &str)] = &[
        (&["--invalid"], "'invalid'", "Bad directive or wrong number of arguments"),
        (&["--port"], "'port'", "wrong number of arguments"),
        (&["--port", "6380", "--loglevel"], "'loglevel'", "wrong number of arguments"),
        (&["--port", "6379", "6380"], r#"'port "6379" "6380"'"#, "wrong number of arguments"),
        (&["--port", "--loglevel", "verbose"], r#"'port "--loglevel" "verbose"'"#, "wrong number"),
        (&["--port", "--bla"], r#"'port "--bla"'"#, "argument couldn't be parsed into an integer"),
        (&["--logfile", "--x", "--loglevel", "--bla"], r#"'loglevel "--bla"'"#, enumeration),
        (&["--shutdown-on-sigint"], "'shutdown-on-sigint'", enumeration),
        (&["--replicaof", "a", "abc"], r#"'replicaof "a" "abc"'"#, "Invalid primary port"),
        (&["--replicaof", "--a", "--abc"], r#"'replicaof "--a"'"#, "wrong number of arguments"),
    ];
    for (options, line, reason) in cases {
        let error = start(&startup(options)).unwrap_err();
        let report = String::from_utf8(error.report("Redis 7.2.4")).unwrap();
        let head =
            "\n*** FATAL CONFIG FILE ERROR (Redis 7.2.4) ***\nReading the configuration file";
        assert!(report.starts_with(head), "{report}");
        assert!(report.contains(&format!(">>> {line}\n{reason}")), "{report}");
    }
}
