//! What a handler of this crate is given.

use std::sync::atomic::Ordering;

use commands::{Args, Ctx, Error};
use keyspace::{Db, Held, Overdue, Parts};
use resp::Writer;

use crate::conn::REPLY_MAX;
use crate::local::Local;
use crate::output;
use crate::rows::Row;
use crate::server::Server;
use crate::session::{Session, State};

/// What becomes of a connection after a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flow {
    /// The next command runs.
    Continue,
    /// The command did not run; it and what follows waits until its worker is told to go on.
    Hold,
    /// The command ran and waits for something; what follows waits with it.
    Block,
    /// The connection ends once its replies are sent.
    Close,
}

/// See the module's text.
pub struct Call<'a, 'k> {
    /// The server.
    pub server: &'k Server,
    /// The worker's own state.
    pub local: &'a mut Local,
    /// The connection's session.
    pub session: &'a mut Session,
    /// Where the reply goes.
    pub out: &'a mut Writer,
    /// The command.
    pub row: &'k Row,
    /// Every shard for an exclusive command, none for another.
    pub held: &'a mut Held<'k>,
    /// What becomes of the connection; a handler changes it.
    pub flow: Flow,
}

impl<'k> Call<'_, 'k> {
    /// The selected database, for an exclusive command or one that has keys.
    pub fn db(&mut self) -> Db<'_, 'k> {
        let index = self.session.db;
        self.db_of(index)
    }

    /// A database, likewise.
    pub fn db_of(&mut self, index: u32) -> Db<'_, 'k> {
        db(self.server, self.local, self.session, index, self.held)
    }

    /// Calls a function of the `commands` crate, with the shards of the command's keys.
    pub fn run_data<R>(&mut self, work: impl FnOnce(&mut Ctx<'_, '_>) -> R) -> R {
        let call = DataCall {
            server: self.server,
            local: self.local,
            db: self.session.db,
            state: self.session.state.with(State::DENY_BLOCKING),
            out: self.out,
            row: self.row,
            held: self.held,
            hashed: &[],
        };
        call.with_ctx(work)
    }

    /// Writes an error line that is made up at run time.
    pub fn fail(&mut self, text: impl AsRef<[u8]>) -> Result<(), Error> {
        self.out.error_bytes(text.as_ref());
        Err(Error::Written)
    }
}

/// Bytes of waiting output above which a client in such a state is closed. What a script gets is
/// no output.
#[inline]
fn output_max(local: &Local, state: State) -> usize {
    match output::limit(&local.tunables, state).hard {
        0 => usize::MAX,
        _ if local.in_script => usize::MAX,
        hard => usize::try_from(hard).unwrap_or(usize::MAX).max(REPLY_MAX),
    }
}

/// A database as a session sees it, on the shards that are held.
pub fn db<'d, 'k>(
    server: &'k Server,
    local: &'d mut Local,
    session: &Session,
    index: u32,
    held: &'d mut Held<'k>,
) -> Db<'d, 'k> {
    db_in(server, local, session.state, index, held)
}

/// A database as it is seen in a state.
pub fn db_in<'d, 'k>(
    server: &'k Server,
    local: &'d mut Local,
    state: State,
    index: u32,
    held: &'d mut Held<'k>,
) -> Db<'d, 'k> {
    let stamp = local.stamp();
    let overdue = overdue(server, local, state);
    Db::new(Parts {
        keyspace: &server.keyspace,
        held,
        change: &mut local.change,
        stats: &mut local.key_stats,
        hashed: &[],
        index,
        stamp,
        touch: !state.any(State::NO_TOUCH),
    })
    .with_overdue(overdue)
}

/// What becomes of keys that a command meets after their time.
#[inline]
fn overdue(server: &Server, local: &Local, state: State) -> Overdue {
    if state.any(State::REPLAYS) {
        return Overdue::Show;
    }
    if local.tunables.import_mode {
        let is_source = state.any(State::IMPORT_SOURCE);
        return if is_source { Overdue::Show } else { Overdue::Hide };
    }
    if server.state().any(State::PAUSED) || local.leaves_overdue {
        return Overdue::Hide;
    }
    match server.active_expire.load(Ordering::Relaxed) {
        true => Overdue::Remove,
        false => Overdue::KeepFields,
    }
}

/// What running a data command takes.
pub struct DataCall<'a, 'k> {
    /// The server.
    pub server: &'k Server,
    /// The worker's own state.
    pub local: &'a mut Local,
    /// The selected database.
    pub db: u32,
    /// The connection's states.
    pub state: State,
    /// Where the reply goes.
    pub out: &'a mut Writer,
    /// The command.
    pub row: &'k Row,
    /// The shards that were taken.
    pub held: &'a mut Held<'k>,
    /// The keys that were hashed.
    pub hashed: &'a [keyspace::Hashed<'a>],
}

impl DataCall<'_, '_> {
    /// Runs a function of the `commands` crate. What it waits for, if it does, is left with the
    /// worker's own state.
    #[inline]
    pub fn run(self, handler: commands::Handler, args: &Args<'_>) -> Result<(), Error> {
        self.with_ctx(|ctx| handler(ctx, args))
    }

    /// The context is made where it stays: handing it on would copy it.
    #[inline]
    fn with_ctx<R>(self, work: impl FnOnce(&mut Ctx<'_, '_>) -> R) -> R {
        let stamp = self.local.stamp();
        let overdue = overdue(self.server, self.local, self.state);
        let output_max = output_max(self.local, self.state);
        let local = self.local;
        let db = Db::new(Parts {
            keyspace: &self.server.keyspace,
            held: self.held,
            change: &mut local.change,
            stats: &mut local.key_stats,
            hashed: self.hashed,
            index: self.db,
            stamp,
            touch: !self.state.any(State::NO_TOUCH),
        });
        let db = db.with_overdue(overdue);
        let mut ctx = Ctx {
            db,
            out: self.out,
            settings: &local.tunables.settings,
            output_max,
            command: self.row.name,
            rng: &mut local.rng,
            may_wait: !self.state.any(State::DENY_BLOCKING),
            in_script: local.in_script,
            wait: None,
        };
        let result = work(&mut ctx);
        if ctx.wait.is_some() {
            local.wait = ctx.wait;
        }
        result
    }
}
