//! The lists on disk: read, matched, and added to.

use std::fs;
use std::path::PathBuf;

use super::Lists;

/// A directory of its own for each test, with the given files.
fn dir(name: &str, files: &[(&str, &str)]) -> PathBuf {
    let dir = std::env::temp_dir().join(format!("reddle-lists-{}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&dir);
    for (file, text) in files {
        let path = dir.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    dir
}

#[test]
fn skips_by_unit_pattern_and_tag() {
    let text = "# unit, test, reason\n\nunit/a\tone\tneeds LPUSH\nunit/a\t/^SORT\tneeds SORT\n\
                *\ttag:cluster\tneeds CLUSTER\nunit/b\t*\tneeds MULTI\n";
    let dir = dir("skips", &[("skipped.tsv", text)]);
    let lists = Lists::load(&dir).unwrap();
    assert_eq!(lists.skipped_tests("unit/a"), ["one", "/^SORT"]);
    assert_eq!(lists.denied_tags("unit/a"), ["cluster"]);
    assert_eq!(lists.unit_skip("unit/a"), None);
    assert_eq!(lists.unit_skip("unit/b").unwrap().reason, "needs MULTI");
    fs::remove_dir_all(dir).unwrap();
}

#[test]
fn units_of_which_nothing_is_said_are_found() {
    let skipped = "unit/cluster/*\t*\tneeds CLUSTER\nunit/b\tone\tneeds LPUSH\n";
    let dir = dir("unnamed", &[("skipped.tsv", skipped), ("units.txt", "unit/a\n")]);
    let suite = ["unit/a", "unit/b", "unit/cluster", "unit/cluster/c"].map(str::to_owned);
    assert_eq!(Lists::load(&dir).unwrap().unnamed(&suite), ["unit/b", "unit/cluster"]);
    fs::remove_dir_all(dir).unwrap();
}

#[test]
fn skip_without_a_reason_is_refused() {
    for line in ["unit/a\tone\n", "unit/a\tone\t\n", "unit/a one why\n", "a\tb\tc\td\n"] {
        let dir = dir("refused", &[("skipped.tsv", line)]);
        assert!(Lists::load(&dir).unwrap_err().contains("skipped.tsv"), "{line:?}");
        fs::remove_dir_all(dir).unwrap();
    }
}

#[test]
fn accept_adds_and_never_removes() {
    let dir = dir("accept", &[("expected/unit/type/a.txt", "old\nother\n")]);
    let mut lists = Lists::load(&dir).unwrap();
    let pass = |unit: &str, test: &str| (unit.to_owned(), test.to_owned());
    let passing = [pass("unit/type/a", "new"), pass("unit/type/a", "old"), pass("unit/b", "x")];
    assert_eq!(lists.accept(&passing), Ok(2));
    let again = Lists::load(&dir).unwrap();
    let names: Vec<_> = again.expected["unit/type/a"].iter().map(String::as_str).collect();
    assert_eq!(names, ["new", "old", "other"]);
    assert!(again.is_expected("unit/b", "x"));
    fs::remove_dir_all(dir).unwrap();
}
