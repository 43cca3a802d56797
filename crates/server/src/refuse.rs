//! The cold side of dispatch: commands that are unknown, malformed, not allowed now, or whose
//! replies are not wanted.

use std::borrow::Cow;
use std::sync::atomic::Ordering;

use commands::Args;
use resp::{ProtocolError, Writer};
use spec::command::Flags;

use crate::call::Flow;
use crate::conn::Conn;
use crate::dispatch::Turn;
use crate::local::Local;
use crate::rows::{InMulti, KeyPlan, Row, Run};
use crate::server::Server;
use crate::session::{Session, State};
use crate::{admin, clock, evict, multi, pubsub, scripting};

/// What `look_closer` found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// The command runs.
    Run,
    /// It was answered.
    Done,
    /// It waits.
    Hold,
    /// It is kept for EXEC.
    Queue,
}

/// Most bytes of unknown names and arguments that an error repeats.
const SHOWN_MAX: usize = 128;

/// Counts an error line.
#[cold]
pub fn count_error(server: &Server, local: &Local, line: &[u8]) {
    server.stats(local.id).errors.add(1);
    server.errors.count(line);
}

/// Answers a command that does not run. A transaction that it was to be a part of fails with it;
/// EXEC itself ends it, and says why.
fn reject(
    server: &Server,
    local: &Local,
    session: &mut Session,
    out: &mut Writer,
    row: Option<&Row>,
    text: &[u8],
) {
    if let Some(row) = row {
        server.stats(local.id).commands[usize::from(row.id)].rejected.add(1);
    }
    let mark = out.mark();
    if row.is_some_and(|row| matches!(row.run, Run::Exec)) {
        multi::forget(server, session);
        let reason = text.strip_prefix(b"ERR ").unwrap_or(text);
        out.error_bytes(&[spec::error::EXEC_ABORT_HEAD.as_bytes(), reason].concat());
    } else {
        multi::spoil(session);
        out.error_bytes(text);
    }
    count_error(server, local, out.since(mark));
}

/// Milliseconds between two warnings of requests that a browser was made to send.
const FORGERY_WARNING_MS: i64 = 60_000;

/// Answers a command that there is none of. A request of HTTP gets no answer: somebody may have
/// made a browser on this machine send it, with commands in its body, so the connection ends.
#[cold]
pub fn unknown_command(
    server: &Server,
    local: &Local,
    session: &mut Session,
    out: &mut Writer,
    args: &Args<'_>,
) -> Flow {
    if args[0].eq_ignore_ascii_case(b"post") || args[0].eq_ignore_ascii_case(b"host:") {
        warn_of_forgery(server, local, session);
        return Flow::Close;
    }
    let mut shown = Vec::new();
    for arg in args.from(1) {
        if shown.len() >= SHOWN_MAX {
            break;
        }
        let most = SHOWN_MAX - shown.len();
        shown.extend_from_slice(&[b"'", printed(arg, most), b"' "].concat());
    }
    let name = printed(args[0], SHOWN_MAX);
    let head: &[u8] = b"ERR unknown command '";
    let text = [head, name, b"', with args beginning with: ", &shown].concat();
    reject(server, local, session, out, None, &text);
    Flow::Continue
}

fn warn_of_forgery(server: &Server, local: &Local, session: &Session) {
    let now_ms = local.now_ms();
    let last_ms = server.forgery_warned_ms.load(Ordering::Relaxed);
    if now_ms - last_ms < FORGERY_WARNING_MS {
        return;
    }
    server.forgery_warned_ms.store(now_ms, Ordering::Relaxed);
    log::warn!(
        "Possible SECURITY ATTACK detected. {} sends HTTP (POST or Host:), likely a browser that \
         a page makes send commands to this server. The connection is closed.",
        session.client.addr,
    );
}

/// Answers a command with the wrong number of arguments, or a container without a subcommand that
/// exists.
#[cold]
pub fn wrong_form(
    server: &Server,
    local: &Local,
    session: &mut Session,
    out: &mut Writer,
    row: &Row,
    args: &Args<'_>,
) {
    let text = match (row.run, args.get(1)) {
        (Run::Container(_), Some(sub)) => {
            let shown = printed(sub, SHOWN_MAX);
            let name = row.name.to_ascii_uppercase();
            let head: &[u8] = b"ERR unknown subcommand '";
            [head, shown, b"'. Try ", name.as_bytes(), b" HELP."].concat()
        }
        _ => format!("ERR wrong number of arguments for '{}' command", row.name).into_bytes(),
    };
    reject(server, local, session, out, Some(row), &text);
}

/// Looks at a command in a rare state.
#[cold]
pub fn look_closer(turn: &mut Turn<'_, '_>, row: &Row, args: &Args<'_>, state: State) -> Verdict {
    let Turn { server, local, session, out, .. } = turn;
    let mut nature = Nature::of(row, session);
    let mut state = state;
    if state.any(State::PAUSED_WRITE) && scripting::only_reads(server, row, args) {
        nature.flags.remove(Flags::MAY_REPLICATE);
    }
    let needs_memory = nature.flags.contains(Flags::DENYOOM);
    if state.any(State::OVER_MEMORY)
        && !state.any(State::BUSY)
        && evict::is_wanted(local, needs_memory)
    {
        evict::look(server, local);
        state.put(State::OVER_MEMORY, server.state().any(State::OVER_MEMORY));
    }
    if let Some(text) = reason_against(server, local, session, out, row, state, &nature) {
        reject(server, local, session, out, Some(row), text.as_bytes());
        return Verdict::Done;
    }
    if waits_for_script(row, state)
        || is_paused(state, &nature)
        || is_crowded_out(local, row, state, &nature)
    {
        return Verdict::Hold;
    }
    let queues = state.any(State::MULTI) && row.in_multi == InMulti::Queued;
    if queues { Verdict::Queue } else { Verdict::Run }
}

/// What a command is allowed for and what not: EXEC is what its commands are together.
struct Nature {
    flags: Flags,
    /// Whether it may run while the data set is loaded.
    loading: bool,
}

impl Nature {
    fn of(row: &Row, session: &Session) -> Self {
        let queued = session.multi.as_ref().filter(|_| matches!(row.run, Run::Exec));
        let inherited = [Flags::DENYOOM, Flags::WRITE, Flags::MAY_REPLICATE]
            .into_iter()
            .filter(|flag| queued.is_some_and(|queued| queued.has_any(*flag)))
            .collect();
        Self {
            flags: row.spec.flags.union(inherited),
            loading: row.has(Flags::LOADING)
                && queued.is_none_or(|queued| queued.all_have(Flags::LOADING)),
        }
    }
}

/// The error line for a command that must not run now.
fn reason_against(
    server: &Server,
    local: &Local,
    session: &Session,
    out: &Writer,
    row: &Row,
    state: State,
    nature: &Nature,
) -> Option<Cow<'static, str>> {
    if session.must_authenticate(&local.tunables) && !row.has(Flags::NO_AUTH) {
        return Some(spec::error::NO_AUTH.into());
    }
    let in_multi = state.any(State::MULTI);
    if let (true, InMulti::Refused(text)) = (in_multi, row.in_multi) {
        return Some(text.into());
    }
    // What is queued takes memory, too.
    let needs_memory =
        nature.flags.contains(Flags::DENYOOM) || in_multi && row.in_multi == InMulti::Queued;
    if state.any(State::OVER_MEMORY) && needs_memory {
        return Some(spec::error::OUT_OF_MEMORY.into());
    }
    if state.any(State::UNSAVED) && (nature.flags.contains(Flags::WRITE) || row.tells_health) {
        return Some(spec::error::MISCONF.into());
    }
    // Who only sees what others do is not paused, so it must not touch data.
    let reaches_data = Flags::WRITE | Flags::READONLY | Flags::MAY_REPLICATE;
    if state.any(State::MONITOR) && nature.flags.intersects(reaches_data) {
        return Some("ERR Replica can't interact with the keyspace".into());
    }
    if !row.for_subscribers && pubsub::is_restricted(session, out) {
        return Some(format!(
            "ERR Can't execute '{}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET \
             are allowed in this context",
            row.name
        ).into());
    }
    if state.any(State::LOG_FAILS) && (nature.flags.contains(Flags::WRITE) || row.tells_health) {
        let trouble = server.aof.trouble().unwrap_or_default();
        return Some(format!("MISCONF Errors writing to the AOF file: {trouble}").into());
    }
    if state.any(State::LOADING) && !nature.loading {
        return Some(spec::error::LOADING.into());
    }
    if state.any(State::BUSY) && !row.has(Flags::ALLOW_BUSY) {
        return Some(server.busy_text().into());
    }
    None
}

/// Whether a command that may run beside a script has to wait for it all the same, because it looks
/// at keys. SHUTDOWN knows what to do.
fn waits_for_script(row: &Row, state: State) -> bool {
    state.any(State::BUSY) && row.keys != KeyPlan::None
}

/// Whether CLIENT PAUSE holds a command back. A pause of everything holds back CLIENT UNPAUSE, too.
fn is_paused(state: State, nature: &Nature) -> bool {
    let writes = Flags::WRITE | Flags::MAY_REPLICATE;
    if state.any(State::MONITOR) {
        return false;
    }
    state.any(State::PAUSED_ALL)
        || state.any(State::PAUSED_WRITE) && nature.flags.intersects(writes)
}

/// Whether a command would add to messages that pile up already.
fn is_crowded_out(local: &Local, row: &Row, state: State, nature: &Nature) -> bool {
    let publishes = nature.flags.contains(Flags::MAY_REPLICATE)
        || local.tunables.sends_events() && nature.flags.contains(Flags::WRITE);
    let runs_now = !state.any(State::MULTI) || row.in_multi != InMulti::Queued;
    state.any(State::CROWDED) && publishes && runs_now
}

/// What CLIENT REPLY SKIP said of the next command becomes true of this one.
#[cold]
pub fn begin_reply(session: &mut Session) {
    if session.state.any(State::REPLY_SKIP_NEXT) {
        session.put(State::REPLY_SKIP_NEXT, false);
        session.put(State::REPLY_SKIP, true);
    }
}

/// Drops the reply written since `mark` when the client wants none; pushes are no replies.
#[cold]
pub fn end_reply(session: &mut Session, out: &mut Writer, mark: resp::Mark, is_push: bool) {
    if !is_push && session.state.any(State::REPLY_OFF.with(State::REPLY_SKIP)) {
        out.truncate_to(mark);
    }
    session.put(State::REPLY_SKIP, false);
}

/// What CLIENT CACHING said of the next command ends with it, or with the transaction that it
/// began. Other CLIENT commands may come in between.
pub fn end_caching(session: &mut Session, row: Option<&Row>) {
    let is_about_clients = row.is_some_and(|row| row.spec.parent == Some("client"));
    if session.state.any(State::CACHING) && !session.state.any(State::MULTI) && !is_about_clients {
        session.put(State::CACHING, false);
    }
}

/// Answers input that is no request; the connection ends afterwards.
#[cold]
pub fn protocol_error(server: &Server, conn: &mut Conn, error: &ProtocolError, buf: &[u8]) {
    if log::log_enabled!(log::Level::Debug) {
        let client = admin::describe(server, conn.client(), clock::unix_ms());
        let shown = match server.tunables.load().hide_user_data {
            true => "*redacted*".to_owned(),
            false => resp::inline::quoted(&buf[..buf.len().min(SHOWN_MAX)]),
        };
        log::debug!("Protocol error ({error}) from client: {client}. Query buffer: {shown}");
    }
    let mark = conn.out.mark();
    conn.out.error(&error.text());
    server.errors.count(conn.out.since(mark));
    end_reply(&mut conn.session, &mut conn.out, mark, false);
}

/// What an error repeats of an argument: at most so many bytes, and as in C none from the first
/// zero byte on.
pub fn printed(arg: &[u8], most: usize) -> &[u8] {
    let text = arg.split(|&byte| byte == 0).next().unwrap_or_default();
    &text[..text.len().min(most)]
}

/// Bytes as text for an error line.
pub fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}
