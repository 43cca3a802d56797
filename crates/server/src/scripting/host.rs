//! What a running script may ask of the server.

use std::sync::atomic::Ordering;

use commands::Args;
use keyspace::{Held, Wants};
use resp::Writer;
use script::{Flags as Says, Host, Level, Propagation};
use spec::command::Flags;

use super::Plan;
use crate::dispatch::Turn;
use crate::refuse;
use crate::rows::Row;
use crate::session::State;

/// The server as one script sees it.
pub struct ScriptHost<'s, 'a, 'k, 'h> {
    turn: &'s mut Turn<'a, 'k>,
    held: &'s mut Held<'h>,
    read_only: bool,
    allow_oom: bool,
    has_written: bool,
    propagation: Propagation,
}

impl<'s, 'a, 'k: 'h, 'h> ScriptHost<'s, 'a, 'k, 'h> {
    /// For a run; all shards are held.
    pub(super) fn new(turn: &'s mut Turn<'a, 'k>, held: &'s mut Held<'h>, plan: &Plan<'_>) -> Self {
        let flags = plan.nature.flags;
        Self {
            turn,
            held,
            read_only: plan.read_only || flags.any(Says::NO_WRITES),
            allow_oom: flags.any(Says::ALLOW_OOM),
            has_written: false,
            propagation: Propagation::ALL,
        }
    }

    /// Why a command must not run, as an error line.
    fn reason_against(&self, row: &Row) -> Option<&'static str> {
        let knobs = &self.turn.server.knobs;
        if row.has(Flags::NOSCRIPT) && !knobs.scripts_may_all.load(Ordering::Relaxed) {
            return Some("ERR This Redis command is not allowed from script");
        }
        if self.read_only && row.spec.flags.intersects(Flags::WRITE | Flags::MAY_REPLICATE) {
            return Some("ERR Write commands are not allowed from read-only scripts.");
        }
        // Nothing can stop a script in the middle of what it writes.
        let grows = row.has(Flags::DENYOOM) && !self.allow_oom && !self.has_written;
        (grows && self.turn.server.state().any(State::OVER_MEMORY))
            .then_some(spec::error::OUT_OF_MEMORY)
    }
}

/// Answers a command that does not run.
fn reject(turn: &Turn<'_, '_>, row: Option<&Row>, text: &str, reply: &mut Writer) {
    let stats = turn.server.stats(turn.local.id);
    if let Some(row) = row {
        stats.commands[usize::from(row.id)].rejected.add(1);
    }
    let mark = reply.mark();
    reply.error(text);
    refuse::count_error(turn.server, turn.local, reply.since(mark));
}

impl<'k: 'h, 'h> Host for ScriptHost<'_, '_, 'k, 'h> {
    fn call(&mut self, args: &[&[u8]], reply: &mut Writer) {
        let server = self.turn.server;
        let Some(row) = server.rows.resolve(args) else {
            let text = "ERR Unknown command called from script";
            return reject(self.turn, None, text, reply);
        };
        if !row.takes(args.len()) || row.lacks_subcommand(args.len()) {
            let text = "ERR Wrong number of args calling command from script";
            return reject(self.turn, Some(row), text, reply);
        }
        if let Some(text) = self.reason_against(row) {
            return reject(self.turn, Some(row), text, reply);
        }
        self.has_written |= row.has(Flags::WRITE);
        // The log says itself what is in it.
        let wants = match self.turn.session.state.any(State::REPLAYS) {
            true => Wants::default(),
            false => Wants(server.wants.load(Ordering::Relaxed)),
        };
        let is_logged = self.propagation.0 & Propagation::AOF.0 != 0;
        let wants = if is_logged { wants } else { Wants(wants.0 & !Wants::LOG.0) };
        self.turn.local.change.set_wants(wants);
        let now_us = self.turn.local.now_us;
        let mut turn = self.turn.answering(reply);
        let (mark, len) = (turn.out.mark(), turn.out.len());
        let args = Args::new(args, &[]);
        let (result, _) = turn.perform(row, &args, &[], self.held);
        if let Err(error) = result {
            error.write(row.name, turn.out);
        }
        let nanoseconds = turn.count(row, mark);
        let request = args.all().iter().map(|arg| arg.len() as u64).sum();
        let reply = turn.out.len().saturating_sub(len) as u64;
        turn.judge(row, &args, [nanoseconds / 1000, request, reply]);
        // All commands of a script run at the same moment.
        turn.local.now_us = now_us;
        turn.local.nested_commands += 1;
    }

    fn may_run(&mut self, args: &[&[u8]]) -> Option<bool> {
        self.turn.server.rows.resolve(args).map(|_| true)
    }

    fn log(&mut self, level: Level, text: &[u8]) {
        log(level, text);
    }

    fn set_propagation(&mut self, to: Propagation) {
        self.propagation = to;
    }

    fn interrupt(&mut self) -> Option<&'static str> {
        None
    }
}

/// Writes what a script says to the server's log.
pub fn log(level: Level, text: &[u8]) {
    let level = match level {
        Level::Debug => log::Level::Trace,
        Level::Verbose => log::Level::Debug,
        Level::Notice => log::Level::Info,
        Level::Warning => log::Level::Warn,
    };
    log::log!(level, "{}", refuse::lossy(text));
}
