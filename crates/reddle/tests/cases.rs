//! Plays `tests/cases/*.txt` to the server; the format is described in `docs/design/testing.md`.

use std::path::Path;

#[test]
fn every_case_file() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases");
    testkit::cases::run_folder(&folder, Path::new(env!("CARGO_BIN_EXE_reddle")));
}
