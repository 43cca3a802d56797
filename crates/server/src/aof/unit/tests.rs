//! A unit as it stands in the log.

use super::Unit;

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).replace("\r\n", " ")
}

#[test]
fn a_unit_selects_its_database_and_holds_together() {
    let mut unit = Unit::default();
    let mut out = Vec::new();
    unit.push(0, &["SET", "k", &"v".repeat(123)]);
    let selected = unit.move_to(&mut out, None, true);
    let long = "v".repeat(123);
    let first = format!("*2 $6 SELECT $1 0 *3 $3 SET $1 k $123 {long} ");
    assert_eq!((text(&out), selected), (first, 0));

    out.clear();
    unit.push(0, &["INCR", "k"]);
    unit.push(3, &["DEL", "twelve bytes"]);
    let selected = unit.move_to(&mut out, Some(0), true);
    let expected = "*1 $5 MULTI *2 $4 INCR $1 k *2 $6 SELECT $1 3 *2 $3 DEL $12 twelve bytes \
                    *1 $4 EXEC ";
    assert_eq!((text(&out), selected), (expected.to_owned(), 3));

    out.clear();
    unit.push(0, &["INCR", "k"]);
    unit.push(0, &["INCR", "l"]);
    assert_eq!(unit.move_to(&mut out, Some(3), true), 0);
    assert!(text(&out).starts_with("*1 $5 MULTI *2 $6 SELECT $1 0 *2 $4 INCR $1 k "));

    out.clear();
    unit.push(3, &["DEL", "a"]);
    unit.push(3, &["DEL", "b"]);
    assert_eq!(unit.move_to(&mut out, Some(3), false), 3);
    assert_eq!(text(&out), "*2 $3 DEL $1 a *2 $3 DEL $1 b ");
    assert!(unit.is_empty());
}
