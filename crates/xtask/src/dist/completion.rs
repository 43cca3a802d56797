//! Completions: the words that may follow, for bash, zsh and fish.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use spec::config::{DIRECTIVES, Flags, Kind};

use super::Program;
use super::manual::words;

/// What follows `reddle check`.
const CHECKS: &str = "rdb aof";

/// The first words of the binary beside the server's options.
fn first_words(programs: &[Program]) -> Vec<&'static str> {
    programs.iter().filter_map(|program| program.words.first().copied()).collect()
}

/// The options that a help text speaks of.
pub(super) fn options(help: &str) -> BTreeSet<&str> {
    let marks: &[char] = &[',', '.', ';', ':', '(', ')'];
    let words = help.split_whitespace().map(|word| word.trim_end_matches(marks));
    words.filter(|word| is_option(word)).collect()
}

fn is_option(word: &str) -> bool {
    let name = word.strip_prefix("--").map(|name| (name, name.len() > 1));
    let name = name.or_else(|| word.strip_prefix('-').map(|name| (name, name.len() == 1)));
    name.is_some_and(|(name, fits)| {
        fits && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    })
}

/// The server's options: every directive, and what stands for something else than a server.
fn server_options(help: &str) -> BTreeSet<String> {
    let shown = DIRECTIVES.iter().filter(|row| !row.flags.contains(Flags::HIDDEN));
    let own = ["--help", "--version", "--check-system"].iter().filter(|word| help.contains(**word));
    shown.map(|row| format!("--{}", row.name)).chain(own.map(|&word| word.to_owned())).collect()
}

/// Directives of words, with these.
fn choices() -> impl Iterator<Item = (&'static str, String)> {
    DIRECTIVES.iter().filter(|row| !row.flags.contains(Flags::HIDDEN)).filter_map(|row| {
        let values = match row.kind {
            Kind::Bool { .. } => "yes no".to_owned(),
            Kind::Choice { choices, .. } | Kind::Flags { choices, .. } => words(choices).join(" "),
            _ => return None,
        };
        Some((row.name, values))
    })
}

fn joined<T: AsRef<str>>(words: impl IntoIterator<Item = T>) -> String {
    let words: Vec<String> = words.into_iter().map(|word| word.as_ref().to_owned()).collect();
    words.join(" ")
}

/// A shell's `case` of what may follow the first word, and of a directive's values; `give` is the
/// command that takes the words.
fn cases(out: &mut String, programs: &[Program], give: &str) {
    let _ = writeln!(out, "    case \"$previous\" in");
    for (name, values) in choices() {
        let _ = writeln!(out, "        --{name}) {give} {values}; return;;");
    }
    let _ = writeln!(out, "    esac\n    case \"$first\" in");
    for program in programs {
        let pattern = match program.words.first() {
            Some(word) => format!("{word}|{}", program.name),
            None => continue,
        };
        let kinds = if program.words == ["check"] { CHECKS } else { "" };
        let options = joined(options(&program.help));
        let _ = writeln!(out, "        {pattern}) {give} {kinds} {options};;");
    }
    let server = programs.iter().find(|program| program.words.is_empty());
    let help = server.map_or("", |program| program.help.as_str());
    let _ = writeln!(out, "        *) {give} {}", joined(server_options(help)));
    let _ =
        writeln!(out, "           [ \"$at\" = 1 ] && {give} {};;", joined(first_words(programs)));
    out.push_str("    esac\n");
}

fn names(programs: &[Program]) -> String {
    joined(programs.iter().map(|program| program.name))
}

/// For bash, in `bash-completion/completions/reddle`.
pub(super) fn bash(programs: &[Program]) -> String {
    let mut out = String::from(
        "# Completions of reddle for bash.\n\
         _reddle_give() {\n    \
         COMPREPLY+=($(compgen -W \"$*\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n}\n\
         _reddle() {\n    \
         local at=$COMP_CWORD previous=${COMP_WORDS[COMP_CWORD-1]} first=${COMP_WORDS[0]##*/}\n    \
         COMPREPLY=()\n    \
         [ \"$first\" = reddle ] && [ \"$at\" -gt 1 ] && first=${COMP_WORDS[1]}\n",
    );
    cases(&mut out, programs, "_reddle_give");
    let _ = writeln!(out, "}}\ncomplete -o default -F _reddle {}", names(programs));
    out
}

/// For zsh, as `_reddle` in a folder of `fpath`.
pub(super) fn zsh(programs: &[Program]) -> String {
    let mut out = format!(
        "#compdef {}\n\
         local at=$((CURRENT - 1)) previous=$words[CURRENT-1] first=${{words[1]:t}}\n\
         [ \"$first\" = reddle ] && [ \"$at\" -gt 1 ] && first=$words[2]\n\
         _reddle_cases() {{\n",
        names(programs)
    );
    cases(&mut out, programs, "compadd --");
    out.push_str("}\n_reddle_cases\n_files\n");
    out
}

/// For fish, as `reddle.fish` in its folder of completions.
pub(super) fn fish(programs: &[Program]) -> String {
    let mut out = String::from("# Completions of reddle for fish.\n");
    let first = joined(first_words(programs));
    let _ = writeln!(out, "complete -c reddle -n __fish_use_subcommand -a '{first}'");
    let _ =
        writeln!(out, "complete -c reddle -n '__fish_seen_subcommand_from check' -a '{CHECKS}'");
    let values: Vec<(&str, String)> = choices().collect();
    for program in programs {
        let Some(word) = program.words.first() else {
            for option in server_options(&program.help) {
                let name = option.trim_start_matches('-');
                let known = values.iter().find(|(choice, _)| *choice == name);
                let takes = known.map_or(String::new(), |(_, values)| format!(" -x -a '{values}'"));
                let when = format!("not __fish_seen_subcommand_from {first}");
                let _ = writeln!(out, "complete -c reddle -n '{when}' -l {name}{takes}");
            }
            continue;
        };
        for option in options(&program.help) {
            let option = match option.strip_prefix("--") {
                Some(name) => format!("-l {name}"),
                None => format!("-s {}", option.trim_start_matches('-')),
            };
            let when = format!("__fish_seen_subcommand_from {word}");
            let _ = writeln!(out, "complete -c reddle -n '{when}' {option}");
            let _ = writeln!(out, "complete -c {} {option}", program.name);
        }
    }
    out
}
