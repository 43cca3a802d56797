//! Every part of an address, and what is no address.

use super::*;

#[test]
fn all_parts_are_found() {
    let uri = Uri::parse("redis://me:p%40ss@example.org:7000/3").unwrap();
    let expected = Uri {
        tls: false,
        user: Some(b"me".to_vec()),
        password: Some(b"p@ss".to_vec()),
        host: Some("example.org".to_owned()),
        port: Some(7000),
        database: Some(3),
    };
    assert_eq!(uri, expected);
    let uri = Uri::parse("valkey://[::1]").unwrap();
    assert_eq!((uri.host.as_deref(), uri.port, uri.user), (Some("::1"), None, None));
    let uri = Uri::parse("redis://:pw@:7000").unwrap();
    assert_eq!((uri.host, uri.port, uri.user), (None, Some(7000), None));
    assert_eq!(uri.password.as_deref(), Some(&b"pw"[..]));
    assert_eq!(Uri::parse("redis://pw@h").unwrap().password.as_deref(), Some(&b"pw"[..]));
}

#[test]
fn the_scheme_says_whether_connections_are_encrypted() {
    for (scheme, tls) in [("redis", false), ("valkey", false), ("rediss", true), ("valkeys", true)]
    {
        assert_eq!(Uri::parse(&format!("{scheme}://h")).unwrap().tls, tls);
    }
}

#[test]
fn what_is_no_address_is_refused() {
    for wrong in ["localhost", "http://x", "redis://h:x", "redis://h:70000", "redis://h/x"] {
        assert!(Uri::parse(wrong).is_err(), "{wrong}");
    }
}
