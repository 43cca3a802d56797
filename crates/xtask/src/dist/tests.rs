//! What is written for packages: options that are found, text that stays text, completions in bash.

use std::process::Command;

use spec::config::{DIRECTIVES, Flags};

use super::completion::options;
use super::manual::escape;
use super::notices::{Library, libraries, page};
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
fn a_page_says_of_which_release_it_is() {
    let head = file("man/reddle-check.1").lines().next().map(str::to_owned);
    let version = env!("CARGO_PKG_VERSION");
    let head = head.expect("a page has a head");
    assert!(head.starts_with(".TH \"REDDLE\\-CHECK\" 1 \"20"), "{head}");
    assert!(head.ends_with(&format!("\" \"Reddle {version}\" \"Reddle\"")), "{head}");
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

#[test]
fn every_licence_stands_once_with_the_names_of_its_libraries() {
    let library = |name: &str, texts: &[&str]| Library {
        name: name.to_owned(),
        license: "MIT".to_owned(),
        texts: texts.iter().map(|text| (*text).to_owned()).collect(),
    };
    let page = page(&[library("a v1", &["Do.\n"]), library("b v2", &["Do.\n", "Don't.\n"])]);
    assert!(page.contains("\na v1: MIT\nb v2: MIT\n"), "{page}");
    assert!(page.contains("=\na v1, b v2\n\nDo.\n"), "{page}");
    assert_eq!(page.matches("\n\nDo.\n").count(), 1, "{page}");
}

#[test]
fn the_libraries_are_those_of_the_program() {
    let libraries = libraries().expect("cargo is there");
    let find = |name: &str| libraries.iter().find(|library| library.name.starts_with(name));
    for name in ["mio v", "lua-src v", "tikv-jemalloc-sys v", "aws-lc-sys v"] {
        assert!(find(name).is_some_and(|library| !library.texts.is_empty()), "{name}");
    }
    let lua = find("lua-src v").expect("Lua is one of them");
    assert!(lua.texts.iter().any(|text| text.contains("Lua.org, PUC-Rio")), "{:?}", lua.texts);
    assert!(find("proptest v").is_none() && find("cc v").is_none());
}
