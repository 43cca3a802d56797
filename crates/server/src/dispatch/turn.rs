//! One command's turn: judged, given its shards, run, and what follows from it done.
//!
//! Handlers do not lock; what they reach for is held here, for as long as they run.

use std::sync::atomic::Ordering;

use commands::{Args, Error};
use keyspace::{Alone, Db, Hashed, Held, ReadGuard, Wants};
use resp::Writer;
use smallvec::SmallVec;
use spec::command::Flags;

use super::batch::Request;
use super::{KEYS_AHEAD, pass};
use crate::call::{Call, DataCall, Flow};
use crate::clock::Ticks;
use crate::commandlog::Cost;
use crate::local::Local;
use crate::rows::{KeyPlan, Row, Run};
use crate::server::Server;
use crate::session::{Session, State};
use crate::{
    blocked, commandlog, commit, hotkeys, monitor, multi, persistence, pubsub, refuse, scripting,
    tracking,
};

/// One command's turn.
pub struct Turn<'a, 'k> {
    /// The server.
    pub server: &'k Server,
    /// The worker's own state.
    pub local: &'a mut Local,
    /// The connection's session.
    pub session: &'a mut Session,
    /// Where replies go.
    pub out: &'a mut Writer,
    pub(super) gate: &'a mut Option<ReadGuard<'k>>,
    /// When the command before ended.
    pub ticks: &'a mut u64,
}

impl<'a, 'k> Turn<'a, 'k> {
    /// The turn of a session that no connection has; the caller holds every shard and passes no
    /// gate.
    pub fn alone(
        server: &'k Server,
        local: &'a mut Local,
        session: &'a mut Session,
        out: &'a mut Writer,
        (gate, ticks): (&'a mut Option<ReadGuard<'k>>, &'a mut u64),
    ) -> Self {
        debug_assert!(gate.is_none());
        Self { server, local, session, out, gate, ticks }
    }
}

impl<'k> Turn<'_, 'k> {
    #[inline]
    pub(super) fn run(&mut self, request: &Request, args: &Args<'_>, keys: &[(u32, u64)]) -> Flow {
        let state = self.session.state.with(self.server.state()).with(self.local.busy);
        if !state.any(State::COLD) {
            return self.attempt(request, args, keys, state);
        }
        if state.any(State::GETS_PUSHES) {
            pubsub::catch_up_all(self.server, self.local, self.session, self.out);
        }
        let mark = self.out.mark();
        refuse::begin_reply(self.session);
        let flow = self.attempt(request, args, keys, state);
        if flow == Flow::Hold {
            return flow;
        }
        let row = self.server.rows.by_id(request.row);
        refuse::end_reply(self.session, self.out, mark, row.is_some_and(|row| row.pushes));
        refuse::end_caching(self.session, row);
        if self.session.state.any(State::GETS_PUSHES) || !self.session.deferred.is_empty() {
            pubsub::catch_up_all(self.server, self.local, self.session, self.out);
        }
        flow
    }

    #[inline]
    fn attempt(
        &mut self,
        request: &Request,
        args: &Args<'_>,
        keys: &[(u32, u64)],
        state: State,
    ) -> Flow {
        let Some(row) = self.server.rows.by_id(request.row) else {
            self.local.unrun_commands += 1;
            return refuse::unknown_command(self.server, self.local, self.session, self.out, args);
        };
        if !row.takes(args.len()) || row.lacks_subcommand(args.len()) {
            self.local.unrun_commands += 1;
            refuse::wrong_form(self.server, self.local, self.session, self.out, row, args);
            return Flow::Continue;
        }
        let (mark, len) = (self.out.mark(), self.out.len());
        if state.any(State::JUDGED) {
            match refuse::look_closer(self, row, args, state) {
                refuse::Verdict::Run => {}
                refuse::Verdict::Queue => {
                    multi::enqueue(self.server, self.session, row, args, keys);
                    self.local.unrun_commands += 1;
                    self.out.simple("QUEUED");
                    return Flow::Continue;
                }
                refuse::Verdict::Done => {
                    self.local.unrun_commands += 1;
                    return Flow::Continue;
                }
                refuse::Verdict::Hold => return Flow::Hold,
            }
        }
        self.session.client.command.store(u32::from(row.id) + 1, Ordering::Relaxed);
        let running = &self.server.workers[self.local.id].running;
        running.begin(self.session.client.id, args.all());
        let (result, flow) = self.call(row, args, keys);
        running.end();
        if let Err(error) = result {
            error.write(row.name, self.out);
        }
        if flow == Flow::Block {
            self.put_off_count();
        } else {
            let nanoseconds = self.count(row, mark);
            let request = request.ends - request.begins + args.bytes_apart();
            self.judge(
                row,
                args,
                [nanoseconds, request as u64, self.out.len().saturating_sub(len) as u64],
            );
        }
        flow
    }

    /// Takes the shards and runs the handler.
    #[inline]
    fn call(
        &mut self,
        row: &'k Row,
        args: &Args<'_>,
        keys: &[(u32, u64)],
    ) -> (Result<(), Error>, Flow) {
        if row.exclusive {
            return self.call_alone(row, args);
        }
        if let Run::Exec = row.run {
            return multi::exec(self, row, args);
        }
        let shards = self.server.keyspace.shards();
        let shard = |hash: u64| self.server.keyspace.shard_of(hash);
        // Both are filled where they stand, because copying them costs more than filling them.
        let mut hashed = SmallVec::<[Hashed<'_>; 4]>::new();
        let some = keys.iter().take(KEYS_AHEAD);
        hashed.extend(some.map(|(at, hash)| Hashed { key: args[*at as usize], hash: *hash }));
        let mut held = shards.hold_none();
        match keys {
            [one] => held.take_one(shard(one.1)),
            [] if row.keys == KeyPlan::Walk => return self.call_walking(row, args),
            many => held.take_many(many.iter().map(|key| shard(key.1))),
        }
        // Who waits for a key has said so under the lock of its shard, which is held now.
        let wants = self.look_at_wants();
        if wants.any(Wants::WAITERS) && row.has(Flags::WRITE) {
            match self.widen(held, keys.iter().map(|key| shard(key.1))) {
                Some(wider) => held = wider,
                None => return self.call_alone(row, args),
            }
        }
        let result = self.perform(row, args, &hashed, &mut held);
        drop(held);
        if wants.any(Wants::WAITERS) { self.after_serving(result) } else { result }
    }

    /// Runs a command that takes one shard after another. What it finds expired may be waited for
    /// or cached by who came in between.
    fn call_walking(&mut self, row: &'k Row, args: &Args<'_>) -> (Result<(), Error>, Flow) {
        let mut held = self.server.keyspace.shards().hold_walk();
        let wants = self.look_at_wants().with(Wants::WAITERS).with(Wants::KEYS);
        self.local.change.set_wants(wants);
        self.local.leaves_overdue = self.must_leave_overdue(wants);
        let result = self.perform(row, args, &[], &mut held);
        self.local.leaves_overdue = false;
        drop(held);
        self.after_serving(result)
    }

    /// Whether a walk over all shards leaves keys alone whose time is over: it does not hold their
    /// shards any more when it could tell the log of them.
    #[cold]
    fn must_leave_overdue(&self, wants: Wants) -> bool {
        wants.any(Wants::LOG) && self.server.workers.len() > 1
    }

    /// Runs a command's handler on the shards that were taken, performs what follows a write, and
    /// serves those whom it has woken: in a transaction at its end.
    #[inline]
    pub fn perform<'h>(
        &mut self,
        row: &'h Row,
        args: &Args<'_>,
        hashed: &[Hashed<'_>],
        held: &mut Held<'h>,
    ) -> (Result<(), Error>, Flow)
    where
        'k: 'h,
    {
        let (result, mut flow) = match row.run {
            Run::Data(handler) => {
                let (server, local) = (self.server, &mut *self.local);
                let (db, state) = (self.session.db, self.session.state);
                let out = &mut *self.out;
                let call = DataCall { server, local, db, state, out, row, held, hashed };
                let result = call.run(handler, args);
                if !self.local.change.is_empty() {
                    let is_emptied = self.local.change.is_emptied();
                    commit::after(self.server, self.local, self.session, row, args);
                    if is_emptied {
                        persistence::save_emptied(self.server, held);
                    }
                }
                (result, Flow::Continue)
            }
            Run::Session(handler) | Run::Container(Some(handler)) => {
                self.call_session(row, handler, args, held)
            }
            Run::Script(form) => {
                let result = scripting::perform(self, (row, form), args, held);
                let closes = self.session.state.any(State::CLOSING);
                (result, if closes { Flow::Close } else { Flow::Continue })
            }
            Run::Container(None) | Run::Exec => (Ok(()), Flow::Continue),
        };
        if self.session.state.with(self.server.state()).any(State::OBSERVED) {
            self.observe(row, args, hashed);
        }
        if self.local.wait.is_some() {
            flow = self.wait(row, args);
        }
        if !self.local.ready.is_empty() && !self.session.state.any(State::DENY_BLOCKING) {
            self.serve_ready(held);
        }
        (result, flow)
    }

    /// The same client's turn with another place for its replies.
    pub fn answering<'t>(&'t mut self, out: &'t mut Writer) -> Turn<'t, 'k> {
        let Turn { server, local, session, gate, ticks, .. } = self;
        Turn { server, local, session, out, gate, ticks }
    }

    /// Shows a command that has run to who wants to see it, and notes the keys that it has read.
    #[cold]
    fn observe(&mut self, row: &Row, args: &Args<'_>, hashed: &[Hashed<'_>]) {
        if self.server.state().any(State::MONITORED) {
            monitor::show(self.server, self.local, self.session, row, args);
        }
        let session = &*self.session;
        let is_script = matches!(row.run, Run::Script(_));
        if session.state.any(State::TRACKS) && !is_script {
            let client = (&*session.client, session.state);
            tracking::remember(self.server, self.local, client, (row, args), hashed);
        }
    }

    /// Lets the client wait for what its command has just not found.
    #[cold]
    fn wait(&mut self, row: &Row, args: &Args<'_>) -> Flow {
        let Some(wait) = self.local.wait.take() else { return Flow::Continue };
        blocked::wait(self.server, self.session, self.out, row, args, wait);
        Flow::Block
    }

    /// Serves those who wait for the keys that have become ready.
    #[cold]
    pub fn serve_ready<'h>(&mut self, held: &mut Held<'h>)
    where
        'k: 'h,
    {
        blocked::serve(self.server, self.local, held);
    }

    /// Looks at what changes are recorded for, with the shards held that are about to change.
    #[inline]
    pub fn look_at_wants(&mut self) -> Wants {
        let wants = Wants(self.server.wants.load(Ordering::Relaxed));
        self.local.change.set_wants(wants);
        wants
    }

    /// Takes the shards that serving those takes who wait for keys in some shards, together with
    /// these; `None` when one has to be alone for that.
    #[cold]
    pub fn widen<'h>(
        &mut self,
        held: Held<'h>,
        shards: impl Iterator<Item = u32>,
    ) -> Option<Held<'h>>
    where
        'k: 'h,
    {
        if held.is_all() {
            return Some(held);
        }
        let mut wider: blocked::ShardSet = shards.collect();
        wider.sort_unstable();
        wider.dedup();
        let own = wider.len();
        if self.server.blocked.cover(&mut wider) && wider.len() == own {
            return Some(held);
        }
        drop(held);
        blocked::take(self.server, wider)
    }

    /// What is left to do for those who wait when no shard is held any more.
    #[cold]
    pub fn after_serving(
        &mut self,
        (result, flow): (Result<(), Error>, Flow),
    ) -> (Result<(), Error>, Flow) {
        self.local.wake_workers(self.server);
        if self.local.late.is_empty() {
            return (result, flow);
        }
        blocked::serve_late(self.server, self.local, self.gate);
        // It may have been killed while the gate was left.
        let is_killed = self.session.client.is_killed();
        (result, if is_killed { Flow::Close } else { flow })
    }

    /// Runs a handler with everything held.
    #[cold]
    fn call_alone(&mut self, row: &'k Row, args: &Args<'_>) -> (Result<(), Error>, Flow) {
        let server = self.server;
        let Some(alone) = self.begin_alone() else { return self.call_kept_out(row, args) };
        let mut held = server.keyspace.shards().hold_all(&alone);
        self.look_at_wants();
        let (result, flow) = self.perform(row, args, &[], &mut held);
        drop(held);
        (result, self.end_alone(alone, flow))
    }

    /// Answers a command that could not be alone: its client was killed meanwhile, the server has
    /// ended, or a script takes too long to be waited for.
    #[cold]
    fn call_kept_out(&mut self, row: &'k Row, args: &Args<'_>) -> (Result<(), Error>, Flow) {
        if self.local.busy != State::BUSY {
            return (Ok(()), Flow::Close);
        }
        match row.run {
            Run::Session(handler) if row.has(Flags::ALLOW_BUSY) => {
                let mut held = self.server.keyspace.shards().hold_none();
                self.call_session(row, handler, args, &mut held)
            }
            _ => (Err(Error::Text(self.server.busy_text())), Flow::Continue),
        }
    }

    /// Takes the gate's write side in place of the read side; not for a client that was killed
    /// meanwhile, which does nothing more, nor when the server has ended, and not while a script
    /// takes long: then nothing is held afterwards, and `busy` says so.
    pub fn begin_alone(&mut self) -> Option<Alone<'k>> {
        drop(self.gate.take());
        let server = self.server;
        let passed = match self.local.stands_in {
            true => None,
            false => server.keyspace.alone_unless(|| server.is_busy()),
        };
        let Some(alone) = passed else {
            self.local.busy = State::BUSY;
            return None;
        };
        self.local.follow_config(self.server);
        let is_over = self.session.client.is_killed() || server.shutdown.is_complete();
        (!is_over).then_some(alone)
    }

    /// Goes back to the gate's read side; tells what becomes of the connection.
    pub fn end_alone(&mut self, alone: Alone<'k>, flow: Flow) -> Flow {
        drop(alone);
        *self.gate = pass(self.server, self.local);
        self.local.follow_config(self.server);
        self.local.wake_workers(self.server);
        if self.session.client.is_killed() { Flow::Close } else { flow }
    }

    /// A database, for looking at keys whose shards are held.
    pub fn db_of<'d, 'h>(&'d mut self, index: u32, held: &'d mut Held<'h>) -> Db<'d, 'h>
    where
        'k: 'h,
    {
        crate::call::db(self.server, self.local, self.session, index, held)
    }

    fn call_session<'h>(
        &mut self,
        row: &'h Row,
        handler: crate::rows::SessionHandler,
        args: &Args<'_>,
        held: &mut Held<'h>,
    ) -> (Result<(), Error>, Flow)
    where
        'k: 'h,
    {
        let mut call = Call {
            server: self.server,
            local: self.local,
            session: self.session,
            out: self.out,
            row,
            held,
            flow: Flow::Continue,
        };
        let result = handler(&mut call, args);
        let flow = call.flow;
        if !self.local.change.is_empty() {
            commit::after(self.server, self.local, self.session, row, args);
        }
        self.local.look_at_clock();
        (result, flow)
    }

    /// Leaves what a command took so far with what it waits for: it is counted when that is over.
    fn put_off_count(&mut self) {
        let ticks = Ticks::now();
        let nanoseconds = self.server.ticks.nanoseconds(ticks.wrapping_sub(*self.ticks));
        *self.ticks = ticks;
        self.local.turn_nanoseconds += nanoseconds;
        if let Some(waiter) = &*self.session.client.waiting.lock() {
            waiter.spent_ns.fetch_add(nanoseconds, Ordering::Relaxed);
        }
    }

    /// Logs a command that was out of the ordinary, and looks at the keys of some. The cost is in
    /// nanoseconds, bytes of the request and bytes of the reply.
    #[inline]
    pub fn judge(&mut self, row: &Row, args: &Args<'_>, [nanoseconds, request, reply]: Cost) {
        let client = &self.session.client;
        let cost = [nanoseconds / 1000, request, reply];
        commandlog::judge(self.server, self.local, client, row, args, cost);
        self.local.hot_left = self.local.hot_left.wrapping_sub(1);
        if self.local.hot_left == 0 || self.server.state().any(State::PROFILED) {
            let cost = [nanoseconds, request + reply];
            hotkeys::look(self.server, self.local, row, args, self.session.db, cost);
        }
    }

    /// Runs what counts parts of its time by themselves; all of it is then still to be counted.
    pub fn as_a_whole<R>(&mut self, work: impl FnOnce(&mut Self) -> R) -> R {
        let before = (*self.ticks, self.local.turn_nanoseconds);
        let result = work(self);
        (*self.ticks, self.local.turn_nanoseconds) = before;
        result
    }

    /// Counts a call and how long it took, in nanoseconds.
    #[inline]
    pub fn count(&mut self, row: &Row, mark: resp::Mark) -> u64 {
        let ticks = Ticks::now();
        let nanoseconds = self.server.ticks.nanoseconds(ticks.wrapping_sub(*self.ticks));
        *self.ticks = ticks;
        let stats = &self.server.stats(self.local.id).commands[usize::from(row.id)];
        stats.calls.add(1);
        stats.nanoseconds.add(nanoseconds);
        self.local.turn_nanoseconds += nanoseconds;
        if self.local.tunables.latency_tracking {
            stats.latency.record(nanoseconds);
        }
        if self.out.since(mark).first() == Some(&b'-') {
            stats.failed.add(1);
            if !std::mem::take(&mut self.local.error_is_counted) {
                refuse::count_error(self.server, self.local, self.out.since(mark));
            }
        }
        nanoseconds
    }
}
