//! Folders with logs of every layout.

use std::fs;

use super::*;

#[test]
fn names_are_those_of_redis() {
    let names = Names::new("appendonly.aof");
    assert_eq!(names.manifest(), "appendonly.aof.manifest");
    assert_eq!(names.draft_manifest(), "temp-appendonly.aof.manifest");
    assert_eq!(names.draft_increment(), "temp-appendonly.aof.incr");
    assert_eq!(names.base(3, true), "appendonly.aof.3.base.rdb");
    assert_eq!(names.base(3, false), "appendonly.aof.3.base.aof");
    assert_eq!(names.increment(12), "appendonly.aof.12.incr.aof");
}

#[test]
fn the_file_of_an_older_server_is_found_until_it_is_moved() {
    let data = std::env::temp_dir().join(format!("reddle-layout-{}", std::process::id()));
    let (folder, names) = (Path::new("logs"), Names::new("a.aof"));
    let look = || find(&data, folder, &names).unwrap();
    fs::create_dir_all(&data).unwrap();
    assert_eq!(look(), Found::Nothing);
    fs::write(data.join("a.aof"), b"old").unwrap();
    let single = Found::Single(data.join("a.aof"), Manifest::of_single(&names));
    assert_eq!(look(), single);
    // The folder, then the manifest stand there, and the move itself was cut short.
    fs::create_dir_all(data.join(folder)).unwrap();
    assert_eq!(look(), single);
    let manifest = data.join(folder).join(names.manifest());
    fs::write(&manifest, Manifest::of_single(&names).to_bytes()).unwrap();
    assert_eq!(look(), single);
    fs::rename(data.join("a.aof"), data.join(folder).join("a.aof")).unwrap();
    assert_eq!(look(), Found::Parts(Manifest::of_single(&names)));
    // Another file of that name in the data's folder is no concern any more.
    fs::write(data.join("a.aof"), b"other").unwrap();
    assert_eq!(look(), Found::Parts(Manifest::of_single(&names)));
    fs::write(&manifest, b"nonsense\n").unwrap();
    assert!(matches!(find(&data, folder, &names), Err(FindError::Manifest(_))));
    fs::remove_dir_all(data).unwrap();
}

#[test]
fn what_begins_with_a_data_set_is_told_by_its_head() {
    assert!(is_rdb(b"REDIS0011") && is_rdb(b"VALKEY080"));
    assert!(!is_rdb(b"*1\r\n$4\r\nPING\r\n") && !is_rdb(b"REDIS") && !is_rdb(b""));
}
