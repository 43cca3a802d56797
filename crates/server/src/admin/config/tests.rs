//! Who counts as local.

use super::*;

#[test]
fn local_clients_come_over_loopback_or_a_unix_socket() {
    let client = |addr: &str| Client { addr: addr.to_owned(), ..Client::default() };
    for addr in ["127.0.0.1:5000", "127.8.8.8:5000", "[::1]:5000", "[::ffff:127.0.0.1]:5000"] {
        assert!(is_local(&client(addr)), "{addr}");
    }
    for addr in ["10.0.0.1:5000", "[2001:db8::1]:5000", "?:0", ""] {
        assert!(!is_local(&client(addr)), "{addr}");
    }
    assert!(is_local(&Client { unix: true, ..client("/run/s:0") }));
}
