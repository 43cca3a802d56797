//! Commands with and without secrets.

use super::is_sensitive;

#[test]
fn secrets_are_found() {
    let words = |line: &str| -> Vec<Vec<u8>> {
        line.split(' ').map(|word| word.as_bytes().to_vec()).collect()
    };
    for line in [
        "AUTH pw",
        "auth user pw",
        "ACL SETUSER a >pw",
        "config set requirepass pw",
        "CONFIG SET maxmemory 1 MasterAuth pw",
        "HELLO 3 AUTH u p",
        "HELLO 3 SETNAME x AUTH u p",
        "MIGRATE h 1 k 0 10 COPY AUTH pw",
        "MIGRATE h 1 k 0 10 AUTH2 u pw KEYS a",
        "SENTINEL SET m auth-pass pw",
        "SENTINEL CONFIG SET sentinel-pass pw",
    ] {
        assert!(is_sensitive(&words(line)), "{line}");
    }
    for line in ["GET auth", "ACL LIST", "CONFIG GET requirepass", "HELLO 3", "SET auth pw"] {
        assert!(!is_sensitive(&words(line)), "{line}");
    }
}
