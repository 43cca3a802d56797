//! Which mirrors are found in a machine's apt sources, of either format.

use super::mirrors;

#[test]
fn one_line_format() {
    let text = "# deb http://commented.example/debian bookworm main\n\
                deb [arch=amd64 signed-by=/k.gpg] http://one.example/debian/ bookworm main\n\
                deb-src http://one.example/debian bookworm main\n\
                deb http://one.example/debian-security bookworm-security main\n\
                deb https://tools.example/apt stable main\n";
    assert_eq!(mirrors(text), ["http://one.example/debian"]);
}

#[test]
fn stanza_format() {
    let text = "Types: deb deb-src\n\
                URIs: http://one.example/debian https://two.example/debian\n\
                Suites: bookworm bookworm-updates\n\n\
                Types: deb\nURIs: http://one.example/debian-security\n";
    assert_eq!(mirrors(text), ["http://one.example/debian", "https://two.example/debian"]);
}

#[test]
fn other_distributions_have_none() {
    assert!(mirrors("deb http://archive.example/ubuntu noble main\n").is_empty());
}
