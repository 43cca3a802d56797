//! Cases of listing files.

use std::path::Path;

use super::*;
use crate::config::tests::Scratch;

#[test]
fn files_are_found_sorted_and_hidden_ones_are_not() {
    let scratch = Scratch::new("glob");
    for name in ["b.conf", "a.conf", ".c.conf", "d.txt", "sub1/e.conf", "sub2/e.conf"] {
        scratch.write(name, "");
    }
    let found = |pattern: &str| {
        let paths = paths(&scratch.path().join(pattern));
        let tail = |path: &PathBuf| {
            path.strip_prefix(scratch.path()).map(Path::to_path_buf).unwrap_or_default()
        };
        paths.iter().map(tail).collect::<Vec<_>>()
    };
    assert_eq!(found("*.conf"), [Path::new("a.conf"), Path::new("b.conf")]);
    assert_eq!(found("sub*/e.conf"), [Path::new("sub1/e.conf"), Path::new("sub2/e.conf")]);
    assert_eq!(found(".*.conf"), [Path::new(".c.conf")]);
    assert!(found("*.none").is_empty());
    assert!(found("none*/e.conf").is_empty());
}
