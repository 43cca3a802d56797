//! Pages for `man`, in the language of its macros.

use std::fmt::Write as _;

use spec::config::{DIRECTIVES, Dialect, Directive, Effect, Flags, Kind};

use super::Program;

/// A version and its day.
type Release = (&'static str, &'static str);

/// The page of a program.
pub(super) fn program(program: &Program, release: Release) -> String {
    let Program { name, words, what, help } = program;
    let mut page = head(name, 1, release, what);
    let called = [&["reddle"][..], words].concat().join(" ");
    let _ = write!(page, ".SH DESCRIPTION\n.B {called}\n.PP\n.nf\n{}.fi\n", escape(help));
    page.push_str(
        ".SH SEE ALSO\n.BR reddle (1),\n.BR reddle-cli (1),\n.BR reddle-bench (1),\n\
         .BR reddle-convert (1),\n.BR reddle-check (1),\n.BR reddle.conf (5)\n",
    );
    page
}

/// The page of the configuration file.
pub(super) fn directives(release: Release) -> String {
    let mut page = head("reddle.conf", 5, release, "configuration of reddle");
    page.push_str(
        ".SH DESCRIPTION\nA line is a directive and its values; text after # explains. Every \
         directive is also an option of the command line\n.RB ( \\-\\-port\n7000) and a variable \
         of the environment\n.RB ( REDDLE_PORT =7000).\n.SH DIRECTIVES\n",
    );
    let shown = DIRECTIVES.iter().filter(|row| !row.flags.contains(Flags::HIDDEN));
    shown.for_each(|row| directive(&mut page, row));
    page.push_str(".SH SEE ALSO\n.BR reddle (1)\n");
    page
}

fn head(name: &str, section: u8, (version, date): Release, what: &str) -> String {
    let title = name.to_uppercase();
    format!(
        ".TH \"{}\" {section} \"{date}\" \"Reddle {version}\" \"Reddle\"\n.SH NAME\n{} \\- {}\n",
        escape(&title),
        escape(name),
        escape(what)
    )
}

fn directive(page: &mut String, row: &Directive) {
    let _ = writeln!(page, ".TP\n.B {}", escape(row.name));
    let mut sentences = vec![values(&row.kind)];
    if !row.aliases.is_empty() {
        sentences.push(format!("Also {}.", row.aliases.join(", ")));
    }
    if row.flags.intersects(Flags::IMMUTABLE.union(Flags::FIXED)) {
        sentences.push("Chosen at start.".to_owned());
    }
    match row.dialect {
        Dialect::Both => {}
        only => sentences.push(format!("A directive of {only:?}.")),
    }
    match row.effect {
        Effect::Works => {}
        Effect::NoEffect(reason) => sentences.push(format!("Has no effect: {reason}.")),
        Effect::Planned(with) => sentences.push(format!("Has no effect yet; comes with {with}.")),
    }
    let _ = writeln!(page, "{}", escape(&sentences.join(" ")));
}

/// Which values a directive takes and which one it has at first.
fn values(kind: &Kind) -> String {
    let quoted = |text: &str| if text.is_empty() { "\"\"".to_owned() } else { text.to_owned() };
    match *kind {
        Kind::Bool { default } => format!("yes or no ({}).", if default { "yes" } else { "no" }),
        Kind::Int { min, max, default } => match max {
            i64::MAX => format!("A number from {min} ({default})."),
            _ => format!("A number from {min} to {max} ({default})."),
        },
        Kind::Memory { default, .. } => format!("Bytes, or with a unit ({default})."),
        Kind::MemoryOrPercent => "Bytes, or a percentage of maxmemory (0).".to_owned(),
        Kind::SignedMemory { default, .. } => format!("Bytes, or a negative number ({default})."),
        Kind::Octal { default, .. } => format!("An octal number ({default:o})."),
        Kind::Choice { choices, default } => format!("{} ({default}).", words(choices).join(", ")),
        Kind::Flags { choices, default } => {
            format!("Some of {} ({default}).", words(choices).join(", "))
        }
        Kind::Text { default, .. } => format!("Text ({}).", quoted(default.unwrap_or_default())),
        Kind::Dir => "A folder (where the program was started).".to_owned(),
        Kind::Save => "Pairs of seconds and changes.".to_owned(),
        Kind::BufferLimits => {
            "Class (normal, replica, pubsub), hard limit, soft limit, seconds.".to_owned()
        }
        Kind::OomScores => "Three numbers from -2000 to 2000.".to_owned(),
        Kind::Events => "Letters of the classes of events.".to_owned(),
        Kind::Addresses { default } => {
            format!("Addresses; - before one that may be missing ({}).", default.join(" "))
        }
        Kind::ReplicaOf => "Host and port, or no one.".to_owned(),
        Kind::Percentiles => "Numbers from 0 to 100.".to_owned(),
        Kind::Line => "Words; may stand many times.".to_owned(),
        Kind::Ignored => "One word, which is ignored.".to_owned(),
    }
}

/// The words of a choice.
pub(super) fn words(choices: spec::config::Choices) -> Vec<&'static str> {
    choices.iter().map(|&(word, _)| word).collect()
}

/// Text as it stands: a hyphen is no dash, and no line is taken for a macro.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        if line.starts_with(['.', '\'']) {
            out.push_str("\\&");
        }
        for char in line.chars() {
            match char {
                '\\' => out.push_str("\\e"),
                '-' => out.push_str("\\-"),
                other => out.push(other),
            }
        }
    }
    out
}
