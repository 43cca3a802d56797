//! Commands of a log on their way back into the data: the loader hands them over, and one worker
//! runs them in the log's order.
//!
//! It runs them with everything held, for a short time in each of its turns, while clients are told
//! that the server is loading. Nothing is propagated, nothing expires: the log says itself what
//! went when its time was over.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use commands::Args;
use crossbeam_queue::ArrayQueue;
use keyspace::{Held, Wants};
use parking_lot::Mutex;
use resp::{Proto, Writer};
use smallvec::SmallVec;
use spec::command::Flags;

use crate::call::{Call, DataCall, Flow};
use crate::commit;
use crate::dispatch::Turn;
use crate::local::Local;
use crate::mailbox::Message;
use crate::registry::Client;
use crate::rows::{Row, Run};
use crate::scripting;
use crate::server::Server;
use crate::session::{Session, State};

/// Commands or bytes that are handed over together.
const COMMANDS: usize = 512;
const BYTES: usize = 256 << 10;
/// Batches that may wait.
const QUEUE: usize = 16;
/// How long the worker runs commands before it looks after its clients.
const TURN_MAX: Duration = Duration::from_millis(5);
/// How long the loader waits for the worker.
const PAUSE: Duration = Duration::from_micros(200);

/// Commands, one behind the other.
#[derive(Default)]
pub struct Batch {
    bytes: Vec<u8>,
    /// Where each argument ends.
    ends: Vec<usize>,
    /// Where the arguments of each command end.
    commands: Vec<usize>,
}

impl Batch {
    /// Adds a command.
    pub fn push<'a>(&mut self, args: impl Iterator<Item = &'a [u8]>) {
        for arg in args {
            self.bytes.extend_from_slice(arg);
            self.ends.push(self.bytes.len());
        }
        self.commands.push(self.ends.len());
    }

    /// Whether it is to be handed over.
    pub fn is_full(&self) -> bool {
        self.commands.len() >= COMMANDS || self.bytes.len() >= BYTES
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }

    /// Puts everything of another one behind.
    pub fn append(&mut self, other: &mut Self) {
        let (bytes, ends) = (self.bytes.len(), self.ends.len());
        self.bytes.append(&mut other.bytes);
        self.ends.extend(other.ends.drain(..).map(|end| end + bytes));
        self.commands.extend(other.commands.drain(..).map(|end| end + ends));
    }

    /// The commands, in order.
    fn iter(&self) -> impl Iterator<Item = SmallVec<[&[u8]; 8]>> {
        let mut first = 0;
        self.commands.iter().map(move |&last| {
            let args = first..last;
            first = last;
            args.map(|at| {
                let begin = if at == 0 { 0 } else { self.ends[at - 1] };
                &self.bytes[begin..self.ends[at]]
            })
            .collect()
        })
    }
}

/// What was read and waits to be run.
pub struct Replay {
    queue: ArrayQueue<Batch>,
    under_way: AtomicUsize,
    player: Mutex<Player>,
    /// Why no more is run.
    failed: Mutex<Option<String>>,
}

impl Default for Replay {
    fn default() -> Self {
        Self {
            queue: ArrayQueue::new(QUEUE),
            under_way: AtomicUsize::new(0),
            player: Mutex::new(Player::new()),
            failed: Mutex::new(None),
        }
    }
}

impl Replay {
    /// Whether something waits.
    pub fn is_waiting(&self) -> bool {
        !self.queue.is_empty()
    }

    /// Begins another file: it says itself which database is selected.
    pub fn begin_file(&self) {
        self.player.lock().begin_file();
    }

    /// Runs for a short time what waits; the periodic work of one worker.
    pub fn take_in(&self, server: &Server, local: &mut Local) {
        if self.queue.is_empty() {
            return;
        }
        let began = Instant::now();
        let alone = server.keyspace.alone();
        let mut held = server.keyspace.shards().hold_all(&alone);
        local.follow_config(server);
        local.look_at_clock();
        let mut player = self.player.lock();
        while began.elapsed() < TURN_MAX
            && let Some(batch) = self.queue.pop()
        {
            if let Err(reason) = player.run(server, local, &mut held, &batch) {
                self.failed.lock().get_or_insert(reason);
            }
            self.under_way.fetch_sub(1, Ordering::SeqCst);
        }
    }

    /// Hands a batch over.
    pub fn hand_over(&self, server: &Server, batch: &mut Batch) -> Result<(), String> {
        if batch.is_empty() {
            return Ok(());
        }
        self.under_way.fetch_add(1, Ordering::SeqCst);
        let mut batch = std::mem::take(batch);
        while let Err(back) = self.queue.push(batch) {
            batch = back;
            thread::sleep(PAUSE);
            if server.shutdown.is_complete() {
                return Err("the server stops".to_owned());
            }
        }
        server.workers[0].mailbox.send(Message::Look);
        self.failed.lock().clone().map_or(Ok(()), Err)
    }

    /// Waits until everything was run.
    pub fn settle(&self, server: &Server) -> Result<(), String> {
        while self.under_way.load(Ordering::SeqCst) > 0 {
            server.workers[0].mailbox.send(Message::Look);
            thread::sleep(PAUSE);
            if server.shutdown.is_complete() {
                return Err("the server stops".to_owned());
            }
        }
        self.failed.lock().clone().map_or(Ok(()), Err)
    }
}

/// Who the commands of a log come from.
pub struct Player {
    session: Session,
    out: Writer,
    ticks: u64,
}

impl Player {
    /// In the first database.
    pub fn new() -> Self {
        let mut session = Session::new(Arc::new(Client::default()), false);
        session.put(State::REPLAYS.with(State::DENY_BLOCKING), true);
        Self { session, out: Writer::new(Proto::Resp2), ticks: 0 }
    }

    /// Begins another file: it says itself which database is selected.
    pub fn begin_file(&mut self) {
        self.session.db = 0;
    }

    /// Runs commands with everything held. The error names a command that is none.
    pub fn run<'k>(
        &mut self,
        server: &'k Server,
        local: &mut Local,
        held: &mut Held<'k>,
        batch: &Batch,
    ) -> Result<(), String> {
        local.change.set_wants(Wants::default());
        for argv in batch.iter() {
            let args = Args::new(&argv, &[]);
            let row = find(server, &args)?;
            self.command(server, local, held, row, &args)?;
        }
        Ok(())
    }

    fn command<'k>(
        &mut self,
        server: &'k Server,
        local: &mut Local,
        held: &mut Held<'k>,
        row: &'k Row,
        args: &Args<'_>,
    ) -> Result<(), String> {
        let mark = self.out.mark();
        let result = match row.run {
            _ if row.name == "select" => {
                let number = args.int(1).ok().and_then(|number| u32::try_from(number).ok());
                let known = number.filter(|db| *db < server.keyspace.databases());
                self.session.db = known.ok_or_else(|| "no such database".to_owned())?;
                return Ok(());
            }
            Run::Data(handler) => {
                let out = &mut self.out;
                let (db, state) = (self.session.db, self.session.state);
                let call = DataCall { server, local, db, state, out, row, held, hashed: &[] };
                let result = call.run(handler, args);
                local.wait = None;
                commit::served(server, local, None);
                result
            }
            // Libraries are a part of the data set, and EVALSHA looks for what was loaded.
            Run::Session(handler)
                if row.name.starts_with("function|")
                    || matches!(row.name, "script|load" | "script|flush") =>
            {
                let (session, out, flow) = (&mut self.session, &mut self.out, Flow::Continue);
                let mut call = Call { server, local, session, out, row, held, flow };
                let result = handler(&mut call, args);
                commit::served(server, local, None);
                result
            }
            // What a script has written stands in a log of today; older servers wrote the script.
            Run::Script(form) => {
                let (session, out, mut gate) = (&mut self.session, &mut self.out, None);
                let rest = (&mut gate, &mut self.ticks);
                let mut turn = Turn::alone(server, local, session, out, rest);
                let result = scripting::perform(&mut turn, (row, form), args, held);
                local.change.set_wants(Wants::default());
                result
            }
            // A transaction is whole when it comes here.
            _ if matches!(row.name, "multi" | "exec") || !row.has(Flags::WRITE) => return Ok(()),
            _ => return Err(format!("The command '{}' cannot stand in a log", row.name)),
        };
        if let Err(error) = result {
            error.write(row.name, &mut self.out);
        }
        let reply = self.out.since(mark);
        if reply.first() == Some(&b'-') {
            let shown = reply.trim_ascii_end().escape_ascii();
            log::warn!("A command of the append only file fails: '{}': {shown}", row.name);
        }
        self.out.clear();
        Ok(())
    }
}

/// The command or subcommand that arguments name.
fn find<'k>(server: &'k Server, args: &Args<'_>) -> Result<&'k Row, String> {
    let name = args.get(0).unwrap_or_default();
    let row = server.rows.resolve(args.all());
    row.filter(|row| row.takes(args.len()) && !row.lacks_subcommand(args.len())).ok_or_else(|| {
        let shown = name.escape_ascii();
        format!("ERR unknown command '{shown}' reading the append only file")
    })
}
