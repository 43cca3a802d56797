//! What a running script may ask of the server.

use std::sync::atomic::Ordering;
use std::time::Duration;

use commands::Args;
use keyspace::{Held, Wants};
use resp::Writer;
use script::{Flags as Says, Host, Level, Next, Propagation};
use spec::command::Flags;

use super::Plan;
use super::running::{Running, Shown};
use crate::dispatch::Turn;
use crate::refuse;
use crate::rows::Row;
use crate::session::State;
use crate::worker;

/// Bytes of a value that is copied before a script changes it, so that it can be changed back, and
/// how many nanoseconds of the script allow for one more: copying takes no longer than the script.
const UNDO_VALUE: usize = 16 << 10;
const UNDO_NS_A_BYTE: u64 = 16;

/// The server as one script sees it.
pub struct ScriptHost<'s, 'a, 'k, 'h> {
    turn: &'s mut Turn<'a, 'k>,
    held: &'s mut Held<'h>,
    read_only: bool,
    allow_oom: bool,
    has_written: bool,
    propagation: Propagation,
    plan: &'s Plan<'s>,
    /// Whether it takes so long that clients are told of it.
    pub(super) is_long: bool,
}

impl<'s, 'a, 'k: 'h, 'h> ScriptHost<'s, 'a, 'k, 'h> {
    /// For a run; all shards are held.
    pub(super) fn new(
        turn: &'s mut Turn<'a, 'k>,
        held: &'s mut Held<'h>,
        plan: &'s Plan<'s>,
    ) -> Self {
        let flags = plan.nature.flags;
        Self {
            turn,
            held,
            read_only: plan.read_only || flags.any(Says::NO_WRITES),
            allow_oom: flags.any(Says::ALLOW_OOM),
            has_written: false,
            propagation: Propagation::ALL,
            plan,
            is_long: false,
        }
    }

    /// Tells the log and FUNCTION STATS that the script takes long.
    #[cold]
    fn show(&mut self, passed_ns: u64) {
        self.is_long = true;
        let Plan { name, command, .. } = *self.plan;
        self.turn.server.scripting.running.show(Some(Shown {
            name: name.to_vec(),
            command: command.iter().map(|arg| arg.to_vec()).collect(),
        }));
        log::warn!(
            "Slow script detected: still in execution after {} milliseconds. You can try killing \
             the script using the {} command. Script name is: {}.",
            passed_ns / 1_000_000,
            if self.plan.is_function { "FUNCTION KILL" } else { "SCRIPT KILL" },
            refuse::lossy(name),
        );
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
        let found = server.rows.resolve(args);
        let Some(row) = found.filter(|row| !row.lacks_subcommand(args.len()) || args.len() == 1)
        else {
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
        let running = &server.scripting.running;
        let mut changes = false;
        if let Some(undo) = self.turn.local.change.undo() {
            changes = row.spec.flags.intersects(Flags::WRITE | Flags::MAY_REPLICATE);
            if changes && !running.begin_change() {
                return reject(self.turn, Some(row), ended(running), reply);
            }
            let passed_ns = running.passed_ns(server.ticks, *self.turn.ticks);
            undo.set_value_max(UNDO_VALUE + (passed_ns / UNDO_NS_A_BYTE) as usize);
        }
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
        if changes {
            running.end_change(turn.local.change.undo().is_some_and(|undo| undo.is_lost()));
        }
        if let Err(error) = result {
            error.write(row.name, turn.out);
        }
        let nanoseconds = turn.count(row, mark);
        let request = args.all().iter().map(|arg| arg.len() as u64).sum();
        let reply = turn.out.len().saturating_sub(len) as u64;
        turn.judge(row, &args, [nanoseconds, request, reply]);
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
        let server = self.turn.server;
        let running = &server.scripting.running;
        if !self.is_long {
            self.show(running.overdue_ns(server.ticks)?);
        }
        worker::look_after(self.turn.local, Duration::ZERO);
        running.is_to_end().then(|| &ended(running)["ERR ".len()..])
    }

    fn debug(&mut self, lines: &[Vec<u8>]) -> Next {
        let Some(wire) = self.plan.wire else { return Next::Gone };
        wire.borrow().show(lines);
        loop {
            if let Some(next) = wire.borrow_mut().hear() {
                return next;
            }
            if let Some(reason) = self.interrupt() {
                return Next::Stop(reason);
            }
            if self.turn.server.shutdown.is_under_way() {
                return Next::Gone;
            }
        }
    }
}

/// The error of a script that was ended.
fn ended(running: &Running) -> &'static str {
    match running.is_function() {
        true => "ERR Script killed by user with FUNCTION KILL.",
        false => "ERR Script killed by user with SCRIPT KILL.",
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
