//! Addresses as people write them, and those that are none.

use super::{Address, AddressError, Endpoint};

fn parts(text: &str) -> (String, bool, String, String, Option<u32>) {
    let address: Address = text.parse().unwrap();
    let (user, password) = (address.user.clone(), address.password.clone());
    let password = password.unwrap_or_default();
    assert!(password.is_empty() || !format!("{address:?}").contains(&password));
    (
        address.endpoint.to_string(),
        address.tls,
        user.unwrap_or_default(),
        password,
        address.database,
    )
}

#[test]
fn what_an_address_says() {
    type Case<'a> = (&'a str, &'a str, bool, &'a str, &'a str, Option<u32>);
    let cases: &[Case<'_>] = &[
        ("redis://", "127.0.0.1:6379", false, "", "", None),
        ("redis://h", "h:6379", false, "", "", None),
        ("valkeys://h:1", "h:1", true, "", "", None),
        ("rediss://h:1/2", "h:1", true, "", "", Some(2)),
        ("redis://pw@h", "h:6379", false, "", "pw", None),
        ("redis://:p%40w@h/", "h:6379", false, "", "p@w", None),
        ("redis://u:p:w@h:1/0", "h:1", false, "u", "p:w", Some(0)),
        ("redis://[::1]:7/1", "[::1]:7", false, "", "", Some(1)),
        ("unix:///tmp/a.sock?db=4", "/tmp/a.sock", false, "", "", Some(4)),
        ("redis+unix://u:pass@/tmp/a", "/tmp/a", false, "u", "pass", None),
    ];
    for (text, place, tls, user, password, database) in cases {
        let expected = ((*place).into(), *tls, (*user).into(), (*password).into(), *database);
        assert_eq!(parts(text), expected, "{text}");
    }
    let unix: Address = "unix:///a".parse().unwrap();
    assert_eq!(unix.endpoint, Endpoint::Unix("/a".into()));
}

#[test]
fn what_is_no_address() {
    let cases = [
        ("h:6379", AddressError::Scheme),
        ("http://h", AddressError::Scheme),
        ("redis://h:x", AddressError::Port),
        ("redis://h:65536", AddressError::Port),
        ("redis://[::1", AddressError::Port),
        ("redis://h/x", AddressError::Database),
        ("redis://a%zz@h", AddressError::Escape),
        ("redis://a%f@h", AddressError::Escape),
        ("redis://%ff@h", AddressError::Escape),
    ];
    for (text, error) in cases {
        assert_eq!(text.parse::<Address>(), Err(error), "{text}");
    }
}
