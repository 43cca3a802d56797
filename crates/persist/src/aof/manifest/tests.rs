//! Manifests against the lines and texts of Redis.

use proptest::prelude::*;

use super::*;

fn fault(text: &str) -> ManifestFault {
    Manifest::parse(text.as_bytes()).expect_err(text).fault
}

#[test]
fn lines_come_back_in_the_order_redis_writes() {
    let text = "file appendonly.aof.2.base.rdb seq 2 type b\n\
                file appendonly.aof.1.incr.aof seq 1 type h\n\
                file appendonly.aof.2.incr.aof seq 2 type h\n\
                file appendonly.aof.4.incr.aof seq 4 type i\n\
                file appendonly.aof.5.incr.aof seq 5 type i startoffset 7 endoffset 90\n";
    let manifest = Manifest::parse(text.as_bytes()).unwrap();
    assert_eq!(manifest.parts().count(), 3);
    assert_eq!(manifest.increments[1].start_offset, Some(7));
    assert_eq!(String::from_utf8(manifest.to_bytes()).unwrap(), text);
    let mixed = "# a note\n\
                 TYPE i SEQ 4 color red FILE \"x y\"\r\n\
                 \t file base seq 12abc type base \n";
    let manifest = Manifest::parse(mixed.as_bytes()).unwrap();
    let again = "file base seq 12 type b\nfile \"x y\" seq 4 type i\n";
    assert_eq!(String::from_utf8(manifest.to_bytes()).unwrap(), again);
    assert!(Manifest::parse(b"# nothing\n").unwrap().is_empty());
}

#[test]
fn what_is_wrong_is_said_as_redis_says_it() {
    use ManifestFault::*;
    assert_eq!(fault(""), Empty);
    assert_eq!(fault("file a seq 1 type b"), LongLine);
    assert_eq!(fault(&format!("file {} seq 1 type b\n", "a".repeat(1010))), LongLine);
    assert_eq!(fault("\n"), Format);
    assert_eq!(fault("file a seq 1 type\n"), Format);
    assert_eq!(fault("file a seq 1\n"), Format);
    assert_eq!(fault("file \"a seq 1 type b\n"), Format);
    assert_eq!(fault("name a seq 1 type b\n"), Format);
    assert_eq!(fault("file a seq x type b\n"), Format);
    assert_eq!(fault("file a seq 0 type b\n"), Format);
    assert_eq!(fault("file /tmp/a seq 1 type b\n"), Path);
    assert_eq!(fault("file a\\\\b seq 1 type b\n"), Path);
    assert_eq!(fault("file a seq 1 type b\nfile b seq 2 type b\n"), TwoBases);
    assert_eq!(fault("file a seq 2 type i\nfile b seq 2 type i\n"), NotAscending);
    assert_eq!(fault("file a seq -1 type i\n"), NotAscending);
    assert_eq!(fault("file a seq 1 type x\n"), Kind);
    let told = Manifest::parse(b"# x\nfile a seq 1 type x\n").unwrap_err().to_string();
    let expected = "\n*** FATAL AOF MANIFEST FILE ERROR ***\n\
                    Reading the manifest file, at line 2\n\
                    >>> 'file a seq 1 type x'\n\
                    Unknown AOF file type";
    assert_eq!(told, expected);
}

#[test]
fn a_rewrite_makes_history_of_what_it_replaces() {
    let names = Names::new("log");
    let mut manifest = Manifest::default();
    assert_eq!(manifest.next_base(&names, true).name, "log.1.base.rdb");
    assert_eq!(manifest.next_increment(&names).name, "log.1.incr.aof");
    manifest.next_increment(&names);
    manifest.next_base(&names, false);
    manifest.retire_increments(1);
    let expected = "file log.2.base.aof seq 2 type b\n\
                    file log.1.incr.aof seq 1 type h\n\
                    file log.1.base.rdb seq 1 type h\n\
                    file log.2.incr.aof seq 2 type i\n";
    assert_eq!(String::from_utf8(manifest.to_bytes()).unwrap(), expected);
    let mut read = Manifest::parse(&manifest.to_bytes()).unwrap();
    assert_eq!(read, manifest);
    assert_eq!(read.next_increment(&names).seq, 3);
}

proptest! {
    #[test]
    fn what_is_written_is_read(names in proptest::collection::vec("[^/\\\\\0]{1,20}", 1..6)) {
        let mut manifest = Manifest::default();
        for (at, name) in names.iter().enumerate() {
            let names = Names::new(name.as_str());
            if at % 3 == 0 {
                manifest.next_base(&names, at % 2 == 0);
            }
            manifest.next_increment(&names);
        }
        manifest.retire_increments(2);
        prop_assert_eq!(Manifest::parse(&manifest.to_bytes()), Ok(manifest));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(manifest) = Manifest::parse(&bytes) {
            prop_assert!(manifest.is_empty() || bytes.contains(&b'\n'));
            prop_assert!(manifest.parts().all(|(part, _)| !part.name.is_empty()));
        }
    }
}
