//! Every field that INFO has in real servers, with the shape of its value: programs that watch
//! servers read them by name. The table is `tests/data/info/fields.tsv`, taken from their replies.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use testkit::{Folder, Server, Value};

const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/info/fields.tsv");

/// Fields by section.
type Info = BTreeMap<String, BTreeMap<String, String>>;

/// The reply of a server under that name, with something in each section.
fn info(name: &str) -> Info {
    let folder = Folder::new();
    let binary = folder.join(name);
    let ours = std::env::var("REDDLE_BIN").unwrap_or(env!("CARGO_BIN_EXE_reddle").to_owned());
    std::os::unix::fs::symlink(ours, &binary).unwrap();
    let server = Server::start_exactly(&binary, &[("threads", "2")]).unwrap();
    let mut client = server.client();
    client.run("SET a 1 EX 1000");
    client.run("LPUSH a 1");
    let Value::Bulk(text) = client.run("INFO everything") else { panic!("INFO is text") };
    let text = String::from_utf8(text).unwrap();
    let mut sections = Info::new();
    let mut section = String::new();
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("# ") {
            section = title.to_owned();
            sections.insert(section.clone(), BTreeMap::new());
        } else if let Some((name, value)) = line.split_once(':') {
            let fields = sections.get_mut(&section).unwrap();
            let before = fields.insert(name.to_owned(), value.to_owned());
            assert_eq!(before, None, "{name} stands twice in {section}");
        }
    }
    sections
}

fn has_shape(shape: &str, value: &str) -> bool {
    let is_int = |text: &str| text.parse::<i64>().is_ok();
    let is_float = |text: &str| {
        let number = text.strip_prefix('-').unwrap_or(text).split_once('.');
        number.is_some_and(|(whole, rest)| {
            [whole, rest].iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit()))
        })
    };
    match shape {
        "int" => is_int(value),
        "float" => is_float(value),
        "percent" => value.strip_suffix('%').is_some_and(is_float),
        "human" => value
            .strip_suffix(['B', 'K', 'M', 'G', 'T'])
            .is_some_and(|number| is_int(number) || is_float(number)),
        "pairs" => value.split(',').all(|pair| pair.contains('=')),
        "text" => true,
        other => panic!("there is no shape {other}"),
    }
}

fn check(version: &str, info: &Info) -> usize {
    let table = fs::read_to_string(Path::new(TABLE)).unwrap();
    let rows = table.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut checked = 0;
    for row in rows {
        let words: Vec<&str> = row.split('\t').collect();
        let (section, field, shape) = (words[0], words[1], words[2]);
        if !words[3].split(',').any(|who| who == version) {
            continue;
        }
        checked += 1;
        let stem = field.trim_end_matches('*');
        let is_it =
            |name: &str| if field.ends_with('*') { name.starts_with(stem) } else { name == field };
        let fields = info.get(section).into_iter().flatten();
        let found: Vec<_> = fields.filter(|(name, _)| is_it(name)).collect();
        if shape == "-" {
            assert!(words.len() > 4 && found.is_empty(), "{row}: it is there, or has no reason");
            continue;
        }
        assert!(!found.is_empty(), "{field} is missing in {section}");
        for (name, value) in found {
            assert!(has_shape(shape, value), "{name}:{value} is not of the shape {shape}");
        }
    }
    checked
}

#[test]
fn every_field_of_redis_7_is_there() {
    assert!(check("7.0", &info("redis-server")) > 150);
}

#[test]
fn every_field_of_valkey_9_is_there() {
    assert!(check("9.1", &info("valkey-server")) > 200);
}

#[test]
fn what_is_missing_would_be_noticed() {
    let mut all = info("valkey-server");
    all.get_mut("Stats").unwrap().remove("evicted_keys").unwrap();
    assert!(std::panic::catch_unwind(|| check("9.1", &all)).is_err());
}
