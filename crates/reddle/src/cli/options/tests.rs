//! Command lines and what they mean.

use std::time::Duration;

use client::Endpoint;

use super::{Asked, Mode, Options, Output, Protocol};

fn parse(line: &str) -> Result<Options, String> {
    let words = line.split_ascii_whitespace().map(|word| word.as_bytes().to_vec()).collect();
    match Options::parse("redis-cli", words)? {
        Asked::Work(options) => Ok(*options),
        other => Err(format!("{other:?}")),
    }
}

#[test]
fn options_end_where_the_command_begins() {
    let options = parse("-p 7000 -n 2 -r 3 -i 0.5 --csv get -h x").unwrap();
    assert_eq!(options.endpoint, Endpoint::Tcp { host: "127.0.0.1".into(), port: 7000 });
    assert_eq!((options.database, options.repeat), (2, 3));
    assert_eq!(options.interval, Duration::from_millis(500));
    assert_eq!((options.output, options.words.len()), (Output::Csv, 3));
}

#[test]
fn an_address_says_who_and_where() {
    let options = parse("-u rediss://me:pw@h:1/4 --no-auth-warning ping").unwrap();
    assert_eq!(options.endpoint.to_string(), "h:1");
    assert_eq!((options.user.as_deref(), options.password.as_deref()), (Some("me"), Some("pw")));
    assert!(options.tls && options.database == 4);
}

#[test]
fn json_prefers_the_third_protocol() {
    assert_eq!(parse("--json x").unwrap().protocol, Protocol::PreferResp3);
    assert_eq!(parse("-2 --json x").unwrap().protocol, Protocol::Resp2);
    assert_eq!(parse("--json -3 x").unwrap().protocol, Protocol::Resp3);
    assert!(parse("-2 -3 x").is_err() && parse("-3 -2 x").is_err());
}

#[test]
fn modes_have_their_values() {
    let options = parse("--memkeys-samples 5 --pattern a* --count 7 --type list").unwrap();
    assert_eq!((options.mode, options.memkeys_samples), (Some(Mode::MemKeys), 5));
    assert_eq!((options.count, options.key_type), (7, Some(b"list".to_vec())));
    assert_eq!(parse("--rdb f").unwrap().mode, Some(Mode::Rdb));
}

#[test]
fn what_makes_no_sense_is_refused() {
    for line in [
        "--nosuch",
        "-x -X t set",
        "-p x",
        "-t -1",
        "-c -s /a ping",
        "-u http://x",
        "--cert a --key",
    ] {
        assert!(parse(line).is_err(), "{line}");
    }
    assert!(parse("--help").is_err_and(|text| text == "Help"));
}
