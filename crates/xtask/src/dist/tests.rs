//! What is written for packages: options that are found, text that stays text, completions in bash.

use std::process::Command;

use spec::config::{DIRECTIVES, Flags};

use super::completion::options;
use super::manual::escape;
use super::{PROGRAMS, Program, files};

fn programs() -> Vec<Program> {
    let help =
        "Usage: x [--loud] [-2, -3]\n  -h HOST, -p PORT   where (-1 is none)\n --rate <n>  x\n";
    let program = |&(name, words, what): &(&'static str, &'static [&'static str], &'static str)| {
        Program { name, words, what, help: help.to_owned() }
    };
    PROGRAMS.iter().map(program).collect()
}

fn file(name: &str) -> String {
    let files = files(&programs());
    files.into_iter().find(|(path, _)| path == name).map(|(_, text)| text).expect("it is written")
}

#[test]
fn options_are_found_in_a_help_text() {
    let help = "  -h HOST, -p PORT   where (-1 is none); --tls, --sni NAME - or -- and -abc\n";
    assert_eq!(options(help).into_iter().collect::<Vec<_>>(), ["--sni", "--tls", "-h", "-p"]);
}

#[test]
fn text_is_no_macro() {
    assert_eq!(escape(".so x\n'a\\b --c\n"), "\\&.so x\n\\&'a\\eb \\-\\-c\n");
}

#[test]
fn every_directive_has_its_place_in_the_manual() {
    let page = file("man/reddle.conf.5");
    assert!(page.contains(".TP\n.B maxmemory\\-policy\n"), "{page}");
    assert!(page.contains("noeviction"), "{page}");
    let hidden = DIRECTIVES.iter().filter(|row| row.flags.contains(Flags::HIDDEN));
    for row in hidden {
        assert!(!page.contains(&format!("\n.B {}\n", escape(row.name))), "{}", row.name);
    }
}

/// What bash offers behind some words.
fn offered(words: &[&str]) -> Vec<String> {
    let script = format!(
        "{}\nCOMP_WORDS=({}); COMP_CWORD={}; _reddle; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        file("completions/reddle.bash"),
        words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" "),
        words.len() - 1
    );
    let output = Command::new("bash").args(["-c", &script]).output().expect("bash runs");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

#[test]
fn bash_offers_what_may_follow() {
    assert_eq!(offered(&["reddle", "c"]), ["cli", "convert", "check"]);
    assert_eq!(offered(&["reddle", "--maxmemory-p"]), ["--maxmemory-policy"]);
    assert_eq!(offered(&["/usr/bin/reddle", "--appendfsync", ""]), ["everysec", "always", "no"]);
    assert_eq!(offered(&["reddle", "bench", "--ra"]), ["--rate"]);
    assert_eq!(offered(&["reddle-bench", "--ra"]), ["--rate"]);
    assert_eq!(offered(&["reddle", "check", "r"]), ["rdb"]);
}
