//! The calls of the system.

use super::*;

#[test]
fn the_addresses_of_the_command_line_stand_behind_any_name() {
    let before = vec!["1"; 44].join(" ");
    let stat = |tail: &str| format!("7 (a) b (c) S {before} {tail} 0");
    assert!(title::parse_stat(stat("100 200 200 300").as_bytes()).is_some());
    assert!(title::parse_stat(stat("0 0 0 0").as_bytes()).is_none());
    assert!(title::parse_stat(stat("200 100 200 300").as_bytes()).is_none());
    assert!(title::parse_stat(b"7 (a) S 1 2").is_none());
    assert!(title::parse_stat(b"").is_none());
}

#[test]
fn groups_are_found_by_name() {
    assert_eq!(group_id(b"root"), Some(0));
    assert_eq!(group_id(b"no such group"), None);
    assert_eq!(group_id(b"with\0zero"), None);
}

#[test]
fn local_time_is_near_universal_time() {
    let time = local_time(1_793_689_445);
    assert_eq!((time.year, time.month_name(), time.second), (2026, "Nov", 5));
    assert!(time.offset.abs() <= 14 * 3600);
}
