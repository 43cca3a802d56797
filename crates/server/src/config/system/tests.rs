//! Cases of the system check, over a made-up system.

use super::*;
use crate::config::tests::Scratch;

#[test]
fn good_settings_pass_and_missing_ones_are_skipped() {
    let scratch = Scratch::new("system-good");
    scratch.write(CLOCK, "tsc\n");
    scratch.write(HUGE_PAGES, "always [madvise] never\n");
    let (text, well) = check(scratch.path());
    assert!(well);
    assert_eq!(
        text,
        "[clock source]...OK\n[transparent huge pages]...OK\n[connection backlog]...skipped\n"
    );
}

#[test]
fn bad_settings_are_named() {
    for (file, content) in [(CLOCK, "xen"), (HUGE_PAGES, "[always] never"), (BACKLOG, "128\n")] {
        let scratch = Scratch::new(&file.replace('/', "-"));
        scratch.write(file, content);
        let (text, well) = check(scratch.path());
        assert!(!well, "{file}");
        assert!(text.contains("...WARNING\n"), "{text}");
    }
}
