//! INFO: the state and the statistics of the server as text, a file a family of sections.
//!
//! Nothing here stops the workers: counters are read as they are, shards are taken one after the
//! other. Where each figure comes from is told in `docs/design/introspection.md`. A field of
//! something that this server does not have keeps its name and says 0, `no` or `none`.

mod clients;
mod commands;
mod data;
mod memory;
mod server;
mod work;

use std::fmt::{Display, Write};

use ::commands::{Args, Error};
use keyspace::Held;

use crate::call::Call;
use crate::rows::SessionHandler;
use crate::server::Server;

pub(crate) const HANDLERS: &[(&str, SessionHandler)] = &[("info", info)];

/// A part of the text.
struct Section {
    /// How it is asked for, the first one is the usual name.
    names: &'static [&'static str],
    /// How it is headed.
    title: &'static str,
    /// Which general wishes it is part of.
    part_of: PartOf,
    write: fn(&mut Report<'_, '_>),
    /// Whether it looks at the data.
    needs_shards: bool,
}

impl Section {
    const fn of_data(self) -> Self {
        Self { needs_shards: true, ..self }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum PartOf {
    /// `default`, `all` and `everything`.
    Default,
    /// `all` and `everything`.
    All,
    /// Only by its name.
    Nothing,
}

const fn section(
    names: &'static [&'static str],
    title: &'static str,
    part_of: PartOf,
    write: fn(&mut Report<'_, '_>),
) -> Section {
    Section { names, title, part_of, write, needs_shards: false }
}

/// In the order of the text.
const SECTIONS: &[Section] = {
    use PartOf::{All, Default, Nothing};
    &[
        section(&["server"], "Server", Default, server::server),
        section(&["tls"], "TLS", All, server::tls),
        section(&["clients"], "Clients", Default, clients::clients),
        section(&["memory"], "Memory", Default, memory::memory).of_data(),
        section(&["persistence"], "Persistence", Default, data::persistence),
        section(&["threads"], "Threads", Default, work::threads),
        section(&["stats"], "Stats", Default, work::stats),
        section(&["replication"], "Replication", Default, data::replication),
        section(&["cpu"], "CPU", Default, work::cpu),
        section(&["modules", "module_list"], "Modules", Default, server::modules),
        section(&["commandstats"], "Commandstats", All, commands::commandstats),
        section(&["errorstats"], "Errorstats", Default, commands::errorstats),
        section(&["latencystats"], "Latencystats", All, commands::latencystats),
        section(&["hotkeys"], "Hotkeys", All, commands::hotkeys),
        section(&["bigkeys"], "Bigkeys", All, data::bigkeys).of_data(),
        section(&["clientlatency"], "Clientlatency", All, commands::clientlatency),
        section(&["cluster"], "Cluster", Default, server::cluster),
        section(&["scriptingengines"], "Scripting Engines", All, server::engines),
        section(&["keyspace"], "Keyspace", Default, data::keyspace).of_data(),
        section(&["debug"], "Debug", Nothing, work::debug),
    ]
};

/// The text as it grows, and what it is made from.
struct Report<'a, 'k> {
    server: &'k Server,
    held: &'a mut Held<'k>,
    /// The time in Unix microseconds.
    now_us: i64,
    text: String,
}

impl Report<'_, '_> {
    fn field(&mut self, name: &str, value: impl Display) {
        self.line(format_args!("{name}:{value}"));
    }

    fn fields(&mut self, fields: &[(&str, &dyn Display)]) {
        for (name, value) in fields {
            self.field(name, value);
        }
    }

    /// Fields of what this server does not have.
    fn zeros(&mut self, names: &[&str]) {
        for name in names {
            self.field(name, 0);
        }
    }

    /// An amount of bytes, and the same for people.
    fn bytes(&mut self, name: &str, bytes: u64) {
        self.field(name, bytes);
        self.line(format_args!("{name}_human:{}", Human(bytes)));
    }

    fn line(&mut self, line: impl Display) {
        write!(self.text, "{line}\r\n").expect("a string takes everything");
    }
}

/// An amount of bytes with two decimals and a unit.
struct Human(u64);

impl Display for Human {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const UNITS: [&str; 5] = ["K", "M", "G", "T", "P"];
        if self.0 < 1024 {
            return write!(out, "{}B", self.0);
        }
        let power = (self.0.ilog2() / 10).min(UNITS.len() as u32);
        let amount = self.0 as f64 / f64::from(1 << 10).powi(power as i32);
        write!(out, "{amount:.2}{}", UNITS[power as usize - 1])
    }
}

/// The sections that need no shard, for who cannot take any.
pub(crate) fn without_shards(server: &Server) -> String {
    let mut held = server.keyspace.shards().hold_none();
    let now_us = crate::clock::unix_us();
    let mut report = Report { server, held: &mut held, now_us, text: String::new() };
    for section in SECTIONS.iter().filter(|section| !section.needs_shards) {
        report.line(format_args!("# {}", section.title));
        (section.write)(&mut report);
        report.line("");
    }
    report.text.replace('\r', "")
}

/// INFO \[section ...\] - O(1), O(commands * workers) for the statistics of commands.
fn info(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let wishes = args.from(1);
    let now_us = call.local.now_us;
    let mut report = Report { server: call.server, held: call.held, now_us, text: String::new() };
    for section in SECTIONS.iter().filter(|section| is_wanted(section, wishes)) {
        if !report.text.is_empty() {
            report.text.push_str("\r\n");
        }
        report.line(format_args!("# {}", section.title));
        (section.write)(&mut report);
    }
    call.out.verbatim("txt", report.text.as_bytes());
    Ok(())
}

fn is_wanted(section: &Section, wishes: &[&[u8]]) -> bool {
    let is = |wish: &[u8], word: &str| wish.eq_ignore_ascii_case(word.as_bytes());
    let wants = |wish: &&[u8]| match section.part_of {
        PartOf::Default if is(wish, "default") => true,
        PartOf::Default | PartOf::All if is(wish, "all") || is(wish, "everything") => true,
        _ => section.names.iter().any(|name| is(wish, name)),
    };
    wishes.iter().any(wants) || wishes.is_empty() && section.part_of == PartOf::Default
}

#[cfg(test)]
mod tests;
