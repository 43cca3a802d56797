//! CLIENT: what connections say of themselves, and what one may do to others.

use std::sync::Arc;

use commands::{Args, Error};
use spec::config::Id;

use crate::admin::help::help;
use crate::call::{Call, Flow};
use crate::mailbox::{Answer, Message};
use crate::refuse::printed;
use crate::registry::Client;
use crate::rows::SessionHandler;
use crate::server::Server;
use crate::session::State;

mod filter;
mod line;
pub(super) mod tracking;

use filter::Filter;

pub(crate) const HANDLERS: &[(&str, SessionHandler)] = &[
    ("client|capa", client_capa),
    ("client|getname", client_getname),
    ("client|help", client_help),
    ("client|id", client_id),
    ("client|import-source", client_import_source),
    ("client|info", client_info),
    ("client|kill", client_kill),
    ("client|list", client_list),
    ("client|no-evict", client_no_evict),
    ("client|no-touch", client_no_touch),
    ("client|pause", client_pause),
    ("client|reply", client_reply),
    ("client|setinfo", client_setinfo),
    ("client|setname", client_setname),
    ("client|unblock", client_unblock),
    ("client|unpause", client_unpause),
];

/// A client as the log shows it: its line of CLIENT LIST.
pub(crate) fn describe(server: &Server, client: &Client, now_ms: i64) -> String {
    let mut text = Vec::new();
    let redacted = server.tunables.load().hide_user_data;
    let view = line::View { redacted, ..line::View::of(client) };
    line::write(client, &view, &server.rows, now_ms, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// CLIENT ID - O(1).
fn client_id(call: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    call.out.int(call.session.id() as i64);
    Ok(())
}

/// CLIENT SETNAME connection-name - O(1).
fn client_setname(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    check_name(args[2])?;
    call.session.client.profile.lock().name = args[2].to_vec();
    call.out.ok();
    Ok(())
}

/// CLIENT GETNAME - O(1).
fn client_getname(call: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    let profile = call.session.client.profile.lock();
    if profile.name.is_empty() {
        call.out.null();
    } else {
        call.out.bulk(&profile.name);
    }
    Ok(())
}

/// Whether a name can stand in a line of CLIENT LIST.
pub(super) fn check_name(name: &[u8]) -> Result<(), Error> {
    if is_plain(name) {
        return Ok(());
    }
    let text = "ERR Client names cannot contain spaces, newlines or special characters.";
    Err(Error::Text(text))
}

/// Printable ASCII without blanks.
fn is_plain(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_graphic)
}

/// CLIENT SETINFO \<LIB-NAME libname | LIB-VER libver\> - O(1).
fn client_setinfo(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let (attribute, value) = (args[2], args[3]);
    let shown = printed(attribute, attribute.len());
    let is_name = attribute.eq_ignore_ascii_case(b"lib-name");
    if !is_name && !attribute.eq_ignore_ascii_case(b"lib-ver") {
        return call.fail([b"ERR Unrecognized option '", shown, b"'"].concat());
    }
    if !is_plain(value) {
        let reason = b" cannot contain spaces, newlines or special characters.";
        return call.fail([b"ERR ", shown, reason].concat());
    }
    {
        let mut profile = call.session.client.profile.lock();
        let place = if is_name { &mut profile.lib_name } else { &mut profile.lib_ver };
        *place = value.to_vec();
    }
    call.out.ok();
    Ok(())
}

/// CLIENT CAPA capability \[capability ...\] - O(1). Unknown ones are for other servers.
fn client_capa(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    if args.from(2).iter().any(|word| word.eq_ignore_ascii_case(b"redirect")) {
        call.session.client.profile.lock().capa = "r".to_owned();
    }
    call.out.ok();
    Ok(())
}

/// CLIENT INFO - O(1).
fn client_info(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let mut text = Vec::new();
    write_line(call, args, &call.session.client, &mut text);
    call.out.verbatim("txt", &text);
    Ok(())
}

/// CLIENT LIST \[filter ...\] - O(N) where N is the number of connections.
fn client_list(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    if args.len() == 3 {
        return Err(Error::Syntax);
    }
    let Some(filter) = read_filter(call, args, false)? else { return Err(Error::Written) };
    let mut text = Vec::new();
    for client in call.server.clients.all() {
        if filter.matches(&client, call.session.id(), call.local.now_ms()) {
            write_line(call, args, &client, &mut text);
        }
    }
    call.out.verbatim("txt", &text);
    Ok(())
}

/// Appends a client's line. The caller's request is no longer in a buffer, but counted as its
/// arguments.
fn write_line(call: &Call<'_, '_>, args: &Args<'_>, client: &Client, text: &mut Vec<u8>) {
    let mut view = line::View::of(client);
    if client.id == call.session.id() {
        view.query = 0;
        view.query_free = 0;
        view.argv = args.all().iter().map(|arg| arg.len() as u64).sum();
    }
    line::write(client, &view, &call.server.rows, call.local.now_ms(), text);
    text.push(b'\n');
}

/// Reads filters; `None` when a refusal was written.
fn read_filter<'a>(
    call: &mut Call<'_, '_>,
    args: &Args<'a>,
    skip_me: bool,
) -> Result<Option<Filter<'a>>, Error> {
    let databases = call.server.keyspace.databases();
    match Filter::read(args.from(2), skip_me, databases) {
        Ok(filter) => Ok(Some(filter)),
        Err(filter::Refusal::Known(error)) => Err(error),
        Err(filter::Refusal::Line(text)) => call.fail(&text).map(|()| None),
    }
}

/// CLIENT KILL \<ip:port | filter ...\> - O(N) where N is the number of connections.
fn client_kill(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let is_old_form = args.len() == 3;
    let filter = match is_old_form {
        true => Some(Filter::of_addr(args[2])),
        false => read_filter(call, args, true)?,
    };
    let Some(filter) = filter else { return Err(Error::Written) };
    let (server, me) = (call.server, call.session.id());
    let mut killed = 0;
    for client in server.clients.all() {
        if !filter.matches(&client, me, call.local.now_ms()) {
            continue;
        }
        killed += 1;
        if client.id == me {
            call.flow = Flow::Close;
        } else if server.clients.kill(&client) {
            let worker = &server.workers[client.worker];
            worker.mailbox.send(Message::Kill(Arc::clone(&client)));
        }
    }
    match (is_old_form, killed) {
        (true, 0) => return Err(Error::Text("ERR No such client")),
        (true, _) => call.out.ok(),
        (false, _) => call.out.int(killed),
    }
    Ok(())
}

/// CLIENT UNBLOCK client-id \[TIMEOUT | ERROR\] - O(log(N)) where N is the number of connections.
fn client_unblock(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let answer = match args.from(3) {
        [word] if word.eq_ignore_ascii_case(b"error") => Answer::Error,
        [word] if !word.eq_ignore_ascii_case(b"timeout") => {
            return Err(Error::Text("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR"));
        }
        _ => Answer::Timeout,
    };
    let id = args.int(2)?;
    let client = u64::try_from(id).ok().and_then(|id| call.server.clients.get(id));
    let waiter = client.and_then(|client| client.waiting.lock().clone());
    let waiter = waiter.filter(|waiter| waiter.may_stop() && call.server.end_wait(waiter));
    call.out.int(i64::from(waiter.is_some()));
    if let Some(waiter) = waiter {
        call.local.tell(call.server, &waiter.client, answer);
        call.local.wake_workers(call.server);
    }
    Ok(())
}

/// CLIENT PAUSE timeout \[WRITE | ALL\] - O(1). While one is under way, the stricter mode and the
/// later end hold.
fn client_pause(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let mode = match args.from(3) {
        [word] if word.eq_ignore_ascii_case(b"write") => State::PAUSED_WRITE,
        [word] if !word.eq_ignore_ascii_case(b"all") => {
            return Err(Error::Text("ERR CLIENT PAUSE mode must be WRITE or ALL"));
        }
        _ => State::PAUSED_ALL,
    };
    let not_integer = Error::Text(spec::error::TIMEOUT_NOT_AN_INTEGER);
    let timeout_ms = args.int(2).map_err(|_| not_integer)?;
    if timeout_ms < 0 {
        return Err(Error::Text(spec::error::NEGATIVE_TIMEOUT));
    }
    let too_late = Error::Text(spec::error::TIMEOUT_OUT_OF_RANGE);
    let end_ms = call.local.now_ms().checked_add(timeout_ms).ok_or(too_late)?;
    call.server.pause(mode, end_ms);
    call.out.ok();
    Ok(())
}

/// CLIENT UNPAUSE - O(N) where N is the number of paused clients.
fn client_unpause(call: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    call.server.end_pause(i64::MAX);
    call.out.ok();
    Ok(())
}

/// CLIENT REPLY \<ON | OFF | SKIP\> - O(1).
fn client_reply(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let session = &mut *call.session;
    match args[2] {
        word if word.eq_ignore_ascii_case(b"on") => {
            session.put(State::REPLY_OFF, false);
            session.put(State::REPLY_SKIP, false);
            call.out.ok();
        }
        word if word.eq_ignore_ascii_case(b"off") => session.put(State::REPLY_OFF, true),
        word if word.eq_ignore_ascii_case(b"skip") => {
            if !session.state.any(State::REPLY_OFF) {
                session.put(State::REPLY_SKIP_NEXT, true);
            }
        }
        _ => return Err(Error::Syntax),
    }
    Ok(())
}

/// CLIENT NO-EVICT \<ON | OFF\> - O(1).
fn client_no_evict(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    switch(call, args, State::NO_EVICT)
}

/// CLIENT NO-TOUCH \<ON | OFF\> - O(1).
fn client_no_touch(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    switch(call, args, State::NO_TOUCH)
}

/// CLIENT IMPORT-SOURCE \<ON | OFF\> - O(1).
fn client_import_source(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let is_off = args[2].eq_ignore_ascii_case(b"off");
    if !is_off && !call.server.config.lock().bool(Id::ImportMode) {
        return Err(Error::Text("ERR Server is not in import mode"));
    }
    switch(call, args, State::IMPORT_SOURCE)
}

fn switch(call: &mut Call<'_, '_>, args: &Args<'_>, state: State) -> Result<(), Error> {
    let on = match args[2] {
        word if word.eq_ignore_ascii_case(b"on") => true,
        word if word.eq_ignore_ascii_case(b"off") => false,
        _ => return Err(Error::Syntax),
    };
    call.session.put(state, on);
    call.out.ok();
    Ok(())
}

/// CLIENT HELP - O(1).
fn client_help(call: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    help(call, HELP)
}

const HELP: &[&str] = &[
    "CACHING (YES|NO)",
    "    Track the keys of the next command, or do not, in the modes OPTIN and OPTOUT.",
    "CAPA <capability> [<capability> ...]",
    "    Tell what this connection understands. REDIRECT: it follows redirections",
    "    when the roles of primary and replica change.",
    "GETNAME",
    "    The name of this connection.",
    "GETREDIR",
    "    The number of the connection that is told of keys that are not valid in place",
    "    of this one: 0 for none, -1 when it tracks nothing.",
    "ID",
    "    The number of this connection.",
    "IMPORT-SOURCE (ON|OFF)",
    "    Mark this connection as the source of an import, while the server is in",
    "    import mode.",
    "INFO",
    "    Describe this connection, as a line of LIST.",
    "KILL <ip:port>",
    "    Close the connection from that address.",
    "KILL <filter> <value> [<filter> <value> ...]",
    "    Close the connections that match all filters, which are those of LIST.",
    "    Without SKIPME NO this connection is left out.",
    "LIST [<filter> <value> ...]",
    "    Describe the connections that match all filters:",
    "    * ID <client-id> [<client-id> ...]",
    "    * TYPE (NORMAL|PRIMARY|REPLICA|PUBSUB)",
    "    * ADDR <ip:port>, LADDR <ip:port>, IP <ip>",
    "    * USER <username>, NAME <name>, DB <number>",
    "    * LIB-NAME <name>, LIB-VER <version>, CAPA <letters>",
    "    * FLAGS <letters>: all of them, as LIST shows them.",
    "    * MAXAGE <seconds>, IDLE <seconds>: so long at least.",
    "    * NOT-<filter> <value>: those that do not match.",
    "    * SKIPME (YES|NO): whether this connection is left out.",
    "NO-EVICT (ON|OFF)",
    "    Spare this connection when connections are closed to save memory.",
    "NO-TOUCH (ON|OFF)",
    "    Read keys without marking them as just used.",
    "PAUSE <milliseconds> [WRITE|ALL]",
    "    Hold back all commands, or those that write, for that time.",
    "REPLY (ON|OFF|SKIP)",
    "    Send replies, send none, or leave out the next one.",
    "SETINFO (LIB-NAME|LIB-VER) <value>",
    "    Note the name or the version of the client library.",
    "SETNAME <name>",
    "    Name this connection.",
    "TRACKING (ON|OFF) [REDIRECT <id>] [BCAST] [PREFIX <prefix> [...]] [OPTIN]",
    "         [OPTOUT] [NOLOOP]",
    "    Tell this connection of changes to the keys that it has read, and may have",
    "    cached.",
    "TRACKINGINFO",
    "    How this connection tracks keys.",
    "UNBLOCK <client-id> [TIMEOUT|ERROR]",
    "    Wake a connection whose command waits, as if its time had run out or with",
    "    an error.",
    "UNPAUSE",
    "    End PAUSE.",
];
