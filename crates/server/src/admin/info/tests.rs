//! Tests of what INFO chooses and how it shows amounts.

use super::*;

fn titles(wishes: &[&str]) -> Vec<&'static str> {
    let wishes: Vec<&[u8]> = wishes.iter().map(|wish| wish.as_bytes()).collect();
    let wanted = SECTIONS.iter().filter(|section| is_wanted(section, &wishes));
    wanted.map(|section| section.title).collect()
}

#[test]
fn sections_are_chosen_once_in_any_case_and_in_their_order() {
    assert_eq!(titles(&["keyspace", "SERVER", "server"]), ["Server", "Keyspace"]);
    assert_eq!(titles(&["module_list", "nosuch"]), ["Modules"]);
    assert_eq!(titles(&["nosuch"]), [""; 0]);
    assert_eq!(titles(&[]), titles(&["default"]));
    assert_eq!(titles(&["all"]), titles(&["everything", "server"]));
    assert!(!titles(&[]).contains(&"Commandstats"));
    assert!(titles(&["default", "commandstats"]).contains(&"Commandstats"));
    assert!(!titles(&["everything"]).contains(&"Debug"));
    assert_eq!(titles(&["debug"]), ["Debug"]);
}

#[test]
fn amounts_of_bytes_have_two_decimals() {
    let cases: [(u64, &str); 7] = [
        (0, "0B"),
        (1023, "1023B"),
        (1024, "1.00K"),
        (971_688, "948.91K"),
        (7_606_272, "7.25M"),
        (25_276_502_016, "23.54G"),
        (u64::MAX, "16384.00P"),
    ];
    for (bytes, shown) in cases {
        assert_eq!(Human(bytes).to_string(), shown);
    }
}
