//! Histories become as short as what they show allows.

use std::convert::Infallible;

use super::*;

fn history(lines: &[&str]) -> Vec<Argv> {
    lines
        .iter()
        .map(|line| line.split(' ').map(|word| word.as_bytes().to_vec()).collect())
        .collect()
}

fn shrunk(lines: &[&str], differs: impl Fn(&[Argv]) -> bool) -> Vec<Argv> {
    let Ok(shrunk) = shrink(history(lines), |candidate| Ok::<bool, Infallible>(differs(candidate)));
    shrunk
}

fn has(history: &[Argv], line: &str) -> bool {
    history.contains(&self::history(&[line])[0])
}

#[test]
fn what_does_not_matter_is_removed() {
    let mut lines = vec!["NOISE a"; 50];
    lines[13] = "SET k 1";
    lines[31] = "INCR k";
    lines.push("GET k");
    let differs = |history: &[Argv]| has(history, "SET k 1") && has(history, "INCR k");
    assert_eq!(shrunk(&lines, differs), history(&["SET k 1", "INCR k", "GET"]));
}

#[test]
fn the_last_command_stays() {
    assert_eq!(shrunk(&["A", "B", "C"], |_| true), history(&["C"]));
    assert_eq!(shrunk(&["A", "B", "C"], |_| false), history(&["A", "B", "C"]));
}

#[test]
fn arguments_that_do_not_matter_are_removed() {
    let differs = |history: &[Argv]| history[0].contains(&b"b".to_vec());
    assert_eq!(shrunk(&["DEL a b c d"], differs), history(&["DEL b"]));
}

#[test]
fn failures_are_handed_on() {
    let result = shrink(history(&["A", "B"]), |_| Err::<bool, &str>("gone"));
    assert_eq!(result, Err("gone"));
}
