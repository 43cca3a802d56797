//! Logs of every layout, whole, cut and damaged, with every answer to the question.

use std::fs;
use std::path::PathBuf;

use super::*;

/// A folder with a log, gone when it goes out of scope.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("reddle-check-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    /// Writes a base and an increment, and the manifest; where that stands.
    fn parts(&self, base: &str, increment: &str) -> PathBuf {
        self.write("a.1.base.aof", base);
        self.write("a.1.incr.aof", increment);
        let lines = "file a.1.base.aof seq 1 type b\nfile a.1.incr.aof seq 1 type i\n";
        self.write("a.manifest", lines)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

fn said(path: &Path, repair: Repair, answer: bool) -> (bool, String) {
    let mut out = Vec::new();
    let mut agrees = || answer;
    let check = Aof { repair, now_ms: 0, agrees: &mut agrees, out: &mut out, program: "check" };
    let is_well = aof(path, check).unwrap();
    (is_well, String::from_utf8(out).unwrap())
}

fn command(words: &str) -> String {
    let words: Vec<_> = words.split(' ').collect();
    let args = words.iter().map(|word| format!("${}\r\n{word}\r\n", word.len()));
    format!("*{}\r\n{}", words.len(), args.collect::<String>())
}

#[test]
fn whole_logs_are_well() {
    let folder = Folder::new("whole");
    let set = command("set foo hello");
    let old = folder.write("old.aof", set.repeat(2));
    let (is_well, text) = said(&old, Repair::Nothing, false);
    let shown = old.display();
    let expected = format!(
        "Start checking Old-Style AOF\n\
         AOF analyzed: filename={shown}, size=66, ok_up_to=66, ok_up_to_line=15, diff=0\n\
         AOF {shown} is valid\n"
    );
    assert_eq!((is_well, text), (true, expected));
    let manifest = folder.parts(&set, "");
    let (is_well, text) = said(&manifest, Repair::Fix, false);
    let expected = "Start checking Multi Part AOF\n\
                    Start to check BASE AOF (RESP format).\n\
                    AOF analyzed: filename=a.1.base.aof, size=33, ok_up_to=33, ok_up_to_line=8, \
                    diff=0\n\
                    BASE AOF a.1.base.aof is valid\n\
                    Start to check INCR files.\n\
                    INCR AOF a.1.incr.aof is empty\n\
                    All AOF files and manifest are valid\n";
    assert_eq!((is_well, text), (true, expected.to_owned()));
}

#[test]
fn a_data_set_in_front_is_checked_too() {
    let folder = Folder::new("front");
    let rdb = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/rdb/valkey-9.1.2.rdb");
    let mut bytes = fs::read(rdb).unwrap();
    bytes.extend_from_slice(command("set foo hello").as_bytes());
    let path = folder.write("old.aof", &bytes);
    let (is_well, text) = said(&path, Repair::Nothing, false);
    assert!(is_well, "{text}");
    assert!(text.contains("RDB preamble is OK, proceeding with AOF tail...\n"), "{text}");
    bytes[500] ^= 0x40;
    let path = folder.write("old.aof", &bytes);
    let (is_well, text) = said(&path, Repair::Fix, true);
    assert!(!is_well && text.ends_with("not sane, aborting.\n"), "{text}");
    assert_eq!(fs::read(path).unwrap(), bytes, "nothing is cut off a damaged data set");
}

/// The logs of real servers: their manifests, or their one file.
fn samples() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/aof");
    let folders = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let place = |folder: PathBuf| {
        let manifest = folder.join("appendonly.aof.manifest");
        if manifest.exists() { manifest } else { folder.join("appendonly.aof") }
    };
    folders.filter(|path| path.is_dir()).map(place).collect()
}

#[test]
fn logs_of_real_servers_are_well() {
    let samples = samples();
    assert_eq!(samples.len(), 8);
    for path in samples {
        let (is_well, text) = said(&path, Repair::Nothing, false);
        assert!(is_well && text.contains("is valid\n"), "{}: {text}", path.display());
    }
}

#[test]
fn a_log_of_a_real_server_cut_anywhere_can_be_mended() {
    let folder = Folder::new("real");
    let name = "appendonly.aof.2.incr.aof";
    for path in samples().iter().filter(|path| path.ends_with("appendonly.aof.manifest")) {
        let bytes = fs::read(path.with_file_name(name)).unwrap();
        for len in (1..bytes.len()).step_by(211) {
            let manifest = format!("file {name} seq 2 type i\n");
            let (manifest, cut) =
                (folder.write("a.manifest", manifest), folder.write(name, &bytes[..len]));
            let (is_well, text) = said(&manifest, Repair::Fix, true);
            assert!(is_well, "cut at {len}: {text}");
            let mended = fs::read(cut).unwrap();
            assert!(bytes.starts_with(&mended) && mended.len() <= len, "cut at {len}");
            assert!(said(&manifest, Repair::Nothing, false).0, "cut at {len}");
        }
    }
}

#[test]
fn only_a_yes_cuts() {
    let folder = Folder::new("cut");
    let whole = command("set foo hello");
    let bytes = format!("{whole}{}!!!", command("multi"));
    let path = folder.write("a.aof", &bytes);
    let (is_well, text) = said(&path, Repair::Nothing, true);
    assert!(!is_well && text.contains("AOF ") && text.contains("format error"), "{text}");
    assert!(text.ends_with("is not valid. Use the --fix option to try fixing it.\n"), "{text}");
    let (is_well, text) = said(&path, Repair::Fix, false);
    assert!(!is_well && text.ends_with("Continue? [y/N]: Aborting...\n"), "{text}");
    assert_eq!(fs::read(&path).unwrap(), bytes.as_bytes());
    let (is_well, text) = said(&path, Repair::Fix, true);
    assert!(is_well && text.contains("Successfully truncated AOF"), "{text}");
    assert_eq!(fs::read(&path).unwrap(), whole.as_bytes());
    assert!(said(&path, Repair::Fix, false).0);
}

#[test]
fn faults_are_told_with_their_place() {
    let folder = Folder::new("faults");
    let whole = command("set foo hello");
    let multi = command("multi");
    for (tail, told) in [
        ("*1\r\n$4\r\npi".to_owned(), "0x              29: Expected to read 6 bytes, got 2 bytes"),
        ("*1\r\n$4\r\npingXY".to_owned(), "Expected \\r\\n, got: 5859"),
        ("*1\r\n:4\r\n".to_owned(), "0x              25: Expected prefix '$', got: ':'"),
        (multi.clone(), "Reached EOF before reading EXEC for MULTI"),
        (multi.repeat(2), "Unexpected MULTI in AOF"),
        (command("exec"), "Unexpected EXEC in AOF"),
        ("\0\0\0".to_owned(), "0x              21: Nothing but zeros up to the end"),
    ] {
        let path = folder.write("a.aof", format!("{whole}{tail}"));
        let (is_well, text) = said(&path, Repair::Nothing, false);
        assert!(!is_well && text.contains(told), "{text}");
        assert!(text.contains("ok_up_to=33, "), "{text}");
    }
    let (is_well, text) = said(&folder.0.join("missing"), Repair::Nothing, false);
    assert!(!is_well && text.contains("Cannot open file"), "{text}");
    let manifest = folder.write("a.manifest", "file a seq 1 type b\n!!!\n");
    let (is_well, text) = said(&manifest, Repair::Nothing, false);
    assert!(!is_well && text.contains("Invalid AOF manifest file format"), "{text}");
    let manifest = folder.write("a.manifest", "file nowhere seq 1 type i\n");
    let (is_well, text) = said(&manifest, Repair::Nothing, false);
    assert!(!is_well && text.contains("nowhere: No such file or directory, aborting..."), "{text}");
}

#[test]
fn only_the_last_file_is_cut() {
    let folder = Folder::new("last");
    let whole = command("set foo hello");
    let torn = &whole[..20];
    let manifest = folder.parts(&format!("{whole}{torn}"), &whole);
    let (is_well, text) = said(&manifest, Repair::Fix, true);
    assert!(!is_well && text.contains("because it is not the last file"), "{text}");
    let manifest = folder.parts(&whole, &format!("{whole}{torn}"));
    let (is_well, text) = said(&manifest, Repair::Fix, true);
    assert!(is_well && text.contains("Successfully truncated AOF a.1.incr.aof"), "{text}");
    assert_eq!(fs::read(folder.0.join("a.1.incr.aof")).unwrap(), whole.as_bytes());
    let manifest = folder.parts(&format!("{whole}{torn}"), "");
    let (is_well, text) = said(&manifest, Repair::Fix, true);
    assert!(is_well && text.contains("Successfully truncated AOF a.1.base.aof"), "{text}");
}

#[test]
fn a_log_is_cut_behind_a_moment() {
    let folder = Folder::new("moment");
    let set = command("set foo hello");
    let log = format!(
        "#TS:10\r\n{set}#TS:11\r\n{set}{}#TS:12\r\n{set}{}",
        command("multi"),
        command("exec")
    );
    let manifest = folder.parts(&set, &log);
    let size = || fs::metadata(folder.0.join("a.1.incr.aof")).unwrap().len();
    let whole = size();
    let (is_well, text) = said(&manifest, Repair::Since(12), false);
    assert!(is_well && text.contains("Truncate nothing in AOF a.1.incr.aof to"), "{text}");
    assert_eq!(size(), whole);
    let (is_well, text) = said(&manifest, Repair::Since(11), false);
    assert!(is_well && text.contains("truncated AOF a.1.incr.aof to timestamp 11\n"), "{text}");
    assert_eq!(size(), 8 + 33 + 8 + 33, "a transaction is not cut in half");
    assert!(said(&manifest, Repair::Since(10), false).0);
    assert_eq!(size(), 8 + 33);
    let (is_well, text) = said(&manifest, Repair::Since(9), false);
    assert!(!is_well && text.contains("nothing before timestamp 9, aborting..."), "{text}");
    let manifest = folder.parts(&log, &set);
    let (is_well, text) = said(&manifest, Repair::Since(10), false);
    assert!(!is_well && text.contains("because it is not the last file"), "{text}");
}
