//! What is derived for dispatch from the table's rows.

use super::*;

#[test]
fn members_are_named_by_arguments_that_every_such_command_has() {
    let rows = Rows::new(&[]);
    for (at, names) in MEMBERS {
        for name in *names {
            let row = rows.find(name.as_bytes()).expect("a command that works");
            assert_eq!(row.inner, Inner::Member(*at), "{name}");
            // GEOHASH and GEOPOS may do without.
            let has = usize::from(*at) < row.spec.arity.unsigned_abs() as usize;
            assert!(has || row.spec.group == Group::Geo, "{name}");
        }
    }
}

#[test]
fn collections_alone_have_an_inside() {
    let rows = Rows::new(&[]);
    let inner = |name: &str| rows.find(name.as_bytes()).expect("a command that works").inner;
    for (name, expected) in [
        ("get", Inner::Nothing),
        ("del", Inner::Nothing),
        ("sinter", Inner::Nothing),
        ("lpush", Inner::Content),
        ("hgetall", Inner::Content),
        ("zrange", Inner::Content),
        ("xadd", Inner::Content),
    ] {
        assert_eq!(inner(name), expected, "{name}");
    }
}
