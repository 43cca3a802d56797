//! MIGRATE: keys move to another server. Their values are dumped while their shards are held, a
//! thread of their own talks to the target, and when it has taken them the keys are removed, with
//! their shards held again. The client waits meanwhile; nobody else does.
//!
//! Invariant: a key is removed here only if what the target has taken is what it holds at that
//! moment. One that changed on the way is sent again, in place of what the target has of it, or
//! removed there when it is gone; and when it changes again and again, it is sent the last time
//! with its shards held, as Redis does it always. So does EXEC, where a command cannot wait.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use commands::{Args, Error};
use keyspace::{Class, Db, Held};
use resp::Writer;

use crate::blocked::{self, ShardSet, Waiter};
use crate::call::{self, Call, Flow};
use crate::commit;
use crate::local::Local;
use crate::mailbox::Message;
use crate::rows::SessionHandler;
use crate::server::Server;
use crate::session::State;
use crate::standby;

mod target;

pub use target::Sockets;

pub(crate) const HANDLERS: &[(&str, SessionHandler)] = &[("migrate", migrate)];

const KEYS_AND_KEY: &str = "ERR When using MIGRATE KEYS option, the key argument must be set to \
                            the empty string";
/// How often keys are sent while others may change them.
const TRIES: u32 = 3;
/// The time for each step on the network when none is given.
const TIMEOUT_MS: u64 = 1000;
/// How often it is looked whether a pause of all clients is over.
const PAUSE_LOOK: Duration = Duration::from_millis(10);

/// What is to be moved where.
struct Request {
    host: String,
    port: u16,
    /// The name, if there is one, and the password.
    secret: Option<(Option<Vec<u8>>, Vec<u8>)>,
    /// The database there.
    db: i64,
    timeout: Duration,
    copy: bool,
    replace: bool,
}

/// How far a key is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    /// It has not been looked at.
    Look,
    /// What it holds is to be sent.
    Send,
    /// The target has it.
    Taken,
}

/// A key on its way.
struct Item {
    key: Box<[u8]>,
    step: Step,
    /// What it held when it was looked at; none when it was gone.
    payload: Option<Vec<u8>>,
    deadline_ms: Option<i64>,
    /// Whether the target holds an earlier value of it from here.
    is_there: bool,
}

/// A MIGRATE under way.
pub struct Job {
    request: Request,
    items: Vec<Item>,
    /// The database here.
    db: u32,
    tries: u32,
    is_begun: bool,
    error: Option<String>,
    waiter: Option<Arc<Waiter>>,
    worker: usize,
}

/// MIGRATE host port key|"" destination-db timeout \[COPY\] \[REPLACE\] \[AUTH password\]
/// \[AUTH2 username password\] \[KEYS key \[key ...\]\] - O(N), N the size of the values.
fn migrate(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let (request, keys) = Request::read(args)?;
    let items = keys.iter().map(|key| Item {
        key: (*key).into(),
        step: Step::Look,
        payload: None,
        deadline_ms: None,
        is_there: false,
    });
    let mut job = Box::new(Job {
        request,
        items: items.collect(),
        db: call.session.db,
        tries: 0,
        is_begun: false,
        error: None,
        waiter: None,
        worker: call.local.id,
    });
    let (server, may_wait) = (call.server, !call.session.state.any(State::DENY_BLOCKING));
    let is_held = job.shards(server).iter().all(|shard| call.held.holds(*shard));
    if is_held {
        job.look(server, call.local, call.held);
        while !may_wait && job.is_to_send() {
            job.send(server);
            job.look(server, call.local, call.held);
        }
        if !job.is_to_send() {
            job.reply(call.out);
            return Ok(());
        }
    } else if !may_wait {
        return Err(Error::Syntax);
    }
    job.waiter = Some(blocked::park(server, call.session, call.out, call.row, args));
    call.local.put(server, job.worker, Message::Migrate(job));
    call.flow = Flow::Block;
    Ok(())
}

impl Request {
    /// Reads the arguments; the request and its keys.
    fn read<'a>(args: &Args<'a>) -> Result<(Self, &'a [&'a [u8]]), Error> {
        let (mut copy, mut replace, mut secret) = (false, false, None);
        let mut keys = &args.from(3)[..1];
        let mut cursor = args.cursor(6);
        while cursor.left() > 0 {
            if cursor.accept("COPY") {
                copy = true;
            } else if cursor.accept("REPLACE") {
                replace = true;
            } else if cursor.accept("AUTH") {
                secret = Some((None, cursor.value()?.to_vec()));
            } else if cursor.accept("AUTH2") {
                secret = Some((Some(cursor.value()?.to_vec()), cursor.value()?.to_vec()));
            } else if cursor.accept("KEYS") {
                if !args[3].is_empty() {
                    return Err(Error::Text(KEYS_AND_KEY));
                }
                keys = cursor.rest();
                break;
            } else {
                return Err(Error::Syntax);
            }
        }
        let timeout_ms = u64::try_from(args.int(5)?).ok().filter(|ms| *ms > 0);
        let request = Self {
            host: String::from_utf8_lossy(args[1]).into_owned(),
            port: port(args[2]),
            secret,
            db: args.int(4)?,
            timeout: Duration::from_millis(timeout_ms.unwrap_or(TIMEOUT_MS)),
            copy,
            replace,
        };
        Ok((request, keys))
    }
}

/// A port as C's `atoi` reads it; 0, to which nobody can connect, for what is none.
fn port(text: &[u8]) -> u16 {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    std::str::from_utf8(&text[..digits]).ok().and_then(|text| text.parse().ok()).unwrap_or(0)
}

impl Job {
    /// The shards of its keys.
    fn shards(&self, server: &Server) -> ShardSet {
        let shard = |item: &Item| server.keyspace.shard_of(server.keyspace.hash(&item.key));
        let mut shards: ShardSet = self.items.iter().map(shard).collect();
        shards.sort_unstable();
        shards.dedup();
        shards
    }

    fn is_to_send(&self) -> bool {
        self.error.is_none() && self.items.iter().any(|item| item.step == Step::Send)
    }

    /// Talks to the target.
    fn send(&mut self, server: &Server) {
        self.tries += 1;
        self.error = target::exchange(&server.sockets, &self.request, &mut self.items);
    }

    /// Looks at the keys, whose shards are held: what is to be sent, and what can be removed
    /// because the target has it.
    fn look<'k>(&mut self, server: &'k Server, local: &mut Local, held: &mut Held<'k>) {
        let style = local.tunables.settings.dump;
        let mut db = call::db_in(server, local, State::default(), self.db, held);
        let mut moved: Vec<&[u8]> = vec![b"DEL"];
        let mut is_done = Vec::with_capacity(self.items.len());
        for item in &mut self.items {
            let found = db
                .peek(&item.key)
                .map(|entry| (persist::rdb::dump(&entry.value(), style), entry.deadline_ms()));
            let (payload, deadline_ms) =
                found.map_or((None, None), |(bytes, at)| (Some(bytes), at));
            let is_same = payload == item.payload && deadline_ms == item.deadline_ms;
            is_done.push(match item.step {
                Step::Look => payload.is_none(),
                Step::Taken if self.request.copy || is_same => true,
                Step::Taken => {
                    item.is_there = true;
                    false
                }
                // It was refused, or nobody knows whether it arrived: it stays.
                Step::Send => true,
            });
            if is_done.last() == Some(&false) {
                (item.step, item.payload, item.deadline_ms) = (Step::Send, payload, deadline_ms);
                self.is_begun = true;
            }
        }
        for (item, is_done) in self.items.iter().zip(&is_done) {
            if *is_done
                && item.step == Step::Taken
                && !self.request.copy
                && remove(&mut db, &item.key)
            {
                moved.push(&item.key);
            }
        }
        if moved.len() > 1 {
            db.propagate(&moved);
            db.change.add_dirty(moved.len() as u64 - 1);
        } else if !db.change.is_empty() {
            // Keys whose time was over; the command itself did nothing that others repeat.
            db.change.propagate_nothing();
        }
        drop(moved);
        let mut is_done = is_done.into_iter();
        self.items.retain(|_| !is_done.next().unwrap_or_default());
    }

    fn reply(&self, out: &mut Writer) {
        match &self.error {
            Some(error) => out.error(error),
            None if !self.is_begun => out.simple("NOKEY"),
            None => out.ok(),
        }
    }
}

/// Removes a key that the target has.
fn remove(db: &mut Db<'_, '_>, key: &[u8]) -> bool {
    let Some(entry) = db.take(key) else { return false };
    db.change.discard(entry, true);
    db.note(Class::GENERIC, "del", key);
    true
}

/// Goes on with a job on the worker of its client, which holds no shard. What is to be sent leaves
/// with a thread of its own, which gives the job back; the client's answer when it is done.
pub fn go_on(server: &Arc<Server>, local: &mut Local, mut job: Box<Job>) -> Option<Done> {
    if !job.is_to_send() {
        local.look_at_clock();
        let mut gate = standby::enter(server, local);
        let shards = job.shards(server);
        blocked::with_shards(server, local, &mut gate, shards, |server, local, held| {
            job.look(server, local, held);
            while job.tries >= TRIES && job.is_to_send() {
                job.send(server);
                job.look(server, local, held);
            }
            if !local.change.is_empty() {
                commit::served(server, local, None);
            }
        });
        blocked::serve_late(server, local, &mut gate);
    }
    if job.is_to_send() {
        match leave(server, job) {
            Ok(()) => return None,
            Err(back) => job = back,
        }
        job.error = Some("ERR No thread for the transfer could be started".to_owned());
    }
    let waiter = job.waiter.take()?;
    let is_wanted = server.end_wait(&waiter);
    is_wanted.then(|| {
        let mut reply = Writer::new(waiter.proto());
        let mark = reply.mark();
        job.reply(&mut reply);
        let _gate = standby::enter(server, local);
        blocked::count(server, local, &waiter, Some(0), reply.since(mark));
        Done { waiter, reply }
    })
}

/// What a client is told.
pub struct Done {
    /// The client's wait.
    pub waiter: Arc<Waiter>,
    /// The reply.
    pub reply: Writer,
}

/// Lets a thread talk to the target; the job is given back when there is none.
fn leave(server: &Arc<Server>, job: Box<Job>) -> Result<(), Box<Job>> {
    let slot = Arc::new(parking_lot::Mutex::new(Some(job)));
    let (theirs, shared) = (Arc::clone(&slot), Arc::clone(server));
    let spawned = thread::Builder::new().name("migrate".to_owned()).spawn(move || {
        let Some(mut job) = theirs.lock().take() else { return };
        job.send(&shared);
        // While clients are paused nothing changes: removing a key would be a change.
        while shared.state().any(State::PAUSED) {
            thread::sleep(PAUSE_LOOK);
        }
        shared.workers[job.worker].mailbox.send(Message::Migrate(job));
    });
    match spawned {
        Ok(_) => Ok(()),
        Err(error) => {
            log::warn!("MIGRATE: {error}");
            slot.lock().take().map_or(Ok(()), Err)
        }
    }
}
