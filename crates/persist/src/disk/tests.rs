//! Files in a folder of their own.

use std::fs;
use std::path::PathBuf;

use super::draft::BLOCK;
use super::*;

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("reddle-disk-{}-{name}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn a_draft_takes_its_place_when_it_is_whole() {
    let folder = folder("whole");
    let place = folder.join("dump.rdb");
    fs::write(&place, b"old").unwrap();
    let mut draft = Draft::begin(&place, "1").unwrap();
    draft.put(b"new");
    assert_eq!(fs::read(&place).unwrap(), b"old");
    draft.finish().unwrap();
    assert_eq!(fs::read(&place).unwrap(), b"new");
    drop(Draft::begin(&place, "2").unwrap());
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "a draft that was given up is gone");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn bytes_come_in_the_order_they_were_put() {
    let folder = folder("order");
    // In memory there may be no way past the system's memory, and there is no disk to wait for.
    let in_memory = Path::new("/dev/shm").join(folder.file_name().expect("it has a name"));
    check_order(&folder, false);
    check_order(&folder, true);
    if fs::create_dir(&in_memory).is_ok() {
        check_order(&in_memory, true);
        fs::remove_dir_all(in_memory).unwrap();
    }
    fs::remove_dir_all(folder).unwrap();
}

fn check_order(folder: &Path, syncs: bool) {
    let place = folder.join("data");
    let mut draft = Draft::begin(&place, "1").unwrap().with_syncs(syncs);
    let mut expected = Vec::new();
    for len in [1, 10, BLOCK - 11, 3, BLOCK / 4 - 1, BLOCK / 4, BLOCK + 1, 2, 3 * CHUNK, 7] {
        let part: Vec<u8> = (0..len).map(|at| (at * 31 + len) as u8).collect();
        draft.put(&part);
        expected.extend_from_slice(&part);
        while draft.forward() {}
    }
    draft.finish().unwrap();
    let mut input = Input::open(&place, true).unwrap().expect("it was just written");
    let mut at = 0;
    for len in [5, CHUNK, 100, 2 * CHUNK, 0, 10] {
        input.take(len).unwrap();
        assert_eq!(input.taken(), &expected[at..at + len]);
        at += len;
    }
    assert_eq!(input.position(), at as u64);
    assert_eq!(input.checksum(), Some(crate::rdb::crc64(&expected[..at])));
    assert!(matches!(input.take(usize::MAX / 2), Err(Error::Short { .. })));
    assert_eq!(size(&place).unwrap(), expected.len() as u64);
    assert!(Input::open(&folder.join("missing"), true).unwrap().is_none());
}

#[test]
fn a_full_disk_is_told_at_the_end() {
    let mut draft = Draft::begin(&folder("full").join("x"), "1").unwrap();
    draft.file = OpenOptions::new().write(true).open("/dev/full").unwrap();
    draft.put(&[0; 3 * CHUNK]);
    assert!(draft.has_failed());
    assert!(draft.finish().is_err());
    fs::remove_dir_all(folder("full")).unwrap();
}
