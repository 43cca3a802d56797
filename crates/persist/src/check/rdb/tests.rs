//! Checks of files of real servers, whole and cut.

use std::path::PathBuf;

use super::*;

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/rdb").join(name)
}

fn said(path: &Path) -> (bool, String) {
    let mut out = Vec::new();
    let is_well = rdb(path, 0, &mut out).unwrap();
    (is_well, String::from_utf8(out).unwrap())
}

#[test]
fn whole_files_are_well() {
    for (name, keys) in [("redis-7.0.15", 22), ("valkey-8.1.1", 22), ("valkey-9.1.2", 23)] {
        let (is_well, text) = said(&sample(&format!("{name}.rdb")));
        assert!(is_well, "{text}");
        assert!(text.contains(&format!("[info] {keys} keys read\n[info] 1 expires\n")), "{text}");
        assert!(text.contains("\\o/ RDB looks OK! \\o/"), "{text}");
        assert!(text.contains("Selecting DB ID 9"), "{text}");
        assert!(text.contains("[info] 8 of type string, 536 bytes; the largest has 266"), "{text}");
        assert!(text.contains(", at offset 5201: 'binary'\n") || name != "redis-7.0.15", "{text}");
    }
}

#[test]
fn damaged_files_are_told_of() {
    let folder = std::env::temp_dir().join(format!("reddle-check-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("cut.rdb");
    let whole = std::fs::read(sample("redis-7.0.15.rdb")).unwrap();
    std::fs::write(&path, &whole[..3000]).unwrap();
    let (is_well, text) = said(&path);
    assert!(!is_well);
    assert!(text.contains("--- RDB ERROR DETECTED ---"), "{text}");
    assert!(text.contains("[additional info] Reading key 'hash:table'"), "{text}");
    assert!(text.contains("[additional info] Reading type 4 (hash-hashtable)"), "{text}");
    std::fs::write(&path, b"nothing of the kind").unwrap();
    assert!(said(&path).1.contains("Wrong signature"));
    assert!(said(&folder.join("missing")).1.contains("Cannot open file: No such file"));
    std::fs::remove_dir_all(folder).unwrap();
}
