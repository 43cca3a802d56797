//! Our server and its peer, side by side, given the same commands.

use std::io;
use std::path::PathBuf;

use testkit::Server;

use super::generate::{Argv, SETTINGS, words};
use super::wire::Wire;

/// Databases of both servers; all of them are compared.
pub(super) const DATABASES: usize = 2;

/// Which server something is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Ours,
    Theirs,
}

/// A server that closed the connection, fell silent or sent what is not the protocol.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) side: Side,
    pub(super) error: io::Error,
}

impl Broken {
    /// For callers to whom any failure is the end.
    pub(super) fn text(&self) -> String {
        format!("{:?}: {}", self.side, self.error)
    }
}

/// Both replies to one command.
#[derive(Clone)]
pub(super) struct Replies {
    pub(super) ours: Vec<u8>,
    pub(super) theirs: Vec<u8>,
}

/// See the module's text.
pub(super) struct Pair {
    ours: End,
    theirs: End,
    protocol: u8,
}

struct End {
    side: Side,
    program: PathBuf,
    threads: Option<String>,
    server: Server,
    wire: Wire,
}

impl Pair {
    /// Starts both servers.
    ///
    /// # Errors
    /// The log of one that does not start.
    pub(super) fn start(
        ours: PathBuf,
        peer: PathBuf,
        threads: &str,
        protocol: u8,
    ) -> Result<Pair, String> {
        Ok(Pair {
            ours: End::start(Side::Ours, ours, Some(threads.to_owned()))?,
            theirs: End::start(Side::Theirs, peer, None)?,
            protocol,
        })
    }

    /// Empty databases, standard settings, new connections. A server that does not answer is
    /// started again.
    ///
    /// # Errors
    /// A server that does not come up.
    pub(super) fn reset(&mut self) -> Result<(), String> {
        for end in [&mut self.ours, &mut self.theirs] {
            if end.reset(self.protocol).is_err() {
                end.restart()?;
                end.reset(self.protocol).map_err(|error| {
                    format!("{} after its start: {error}", end.program.display())
                })?;
            }
        }
        Ok(())
    }

    /// Sends all commands to both and waits for all replies.
    ///
    /// # Errors
    /// A server that broke.
    pub(super) fn exchange(&mut self, commands: &[Argv]) -> Result<Vec<Replies>, Broken> {
        self.ours.send(commands)?;
        self.theirs.send(commands)?;
        let ours = self.ours.receive(commands.len())?;
        let theirs = self.theirs.receive(commands.len())?;
        let both = ours.into_iter().zip(theirs);
        Ok(both.map(|(ours, theirs)| Replies { ours, theirs }).collect())
    }
}

impl End {
    fn start(side: Side, program: PathBuf, threads: Option<String>) -> Result<End, String> {
        let databases = DATABASES.to_string();
        let mut options = vec![("save", ""), ("appendonly", "no"), ("databases", &databases)];
        if let Some(threads) = &threads {
            options.push(("threads", threads));
        }
        let server = Server::start_exactly(&program, &options)?;
        let wire = Wire::connect(server.port())
            .map_err(|error| format!("{}: {error}", program.display()))?;
        Ok(End { side, program, threads, server, wire })
    }

    fn restart(&mut self) -> Result<(), String> {
        let log = self.server.log();
        let tail: Vec<&str> = log.lines().rev().take(60).collect();
        let tail: Vec<&str> = tail.into_iter().rev().collect();
        eprintln!("{} broke; the end of its log:\n{}", self.program.display(), tail.join("\n"));
        *self = End::start(self.side, self.program.clone(), self.threads.clone())?;
        Ok(())
    }

    fn reset(&mut self, protocol: u8) -> io::Result<()> {
        self.wire = Wire::connect(self.server.port())?;
        let mut commands = vec![
            words(&["HELLO", &protocol.to_string()]),
            words(&["FLUSHALL"]),
            words(&["CONFIG", "SET", "proto-max-bulk-len", "1mb"]),
        ];
        commands.extend(SETTINGS.iter().map(|row| words(&["CONFIG", "SET", row.0, row.1[0]])));
        self.wire.send(&commands)?;
        for command in &commands {
            let reply = self.wire.receive()?;
            if reply.starts_with(b"-") {
                eprintln!("{}: {}", command.join(&b' ').escape_ascii(), reply.escape_ascii());
            }
        }
        Ok(())
    }

    fn send(&mut self, commands: &[Argv]) -> Result<(), Broken> {
        let side = self.side;
        self.wire.send(commands).map_err(|error| Broken { side, error })
    }

    fn receive(&mut self, count: usize) -> Result<Vec<Vec<u8>>, Broken> {
        let side = self.side;
        let wire = &mut self.wire;
        (0..count).map(|_| wire.receive().map_err(|error| Broken { side, error })).collect()
    }
}
