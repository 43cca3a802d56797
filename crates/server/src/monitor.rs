//! MONITOR: what all clients do, line by line.
//!
//! A line is published like a message to subscribers (see `pubsub`), while the shards of the
//! command's keys are still held: the lines about a key are in the order of its commands.

use std::io::Write;

use commands::{Args, Error};
use spec::command::Flags;

use crate::call::Call;
use crate::local::Local;
use crate::pubsub::{self, Kind};
use crate::registry::Client;
use crate::rows::{Row, SessionHandler};
use crate::server::Server;
use crate::session::{Session, State};
use crate::{clock, secrets};

pub(crate) const HANDLERS: &[(&str, SessionHandler)] = &[("monitor", monitor)];

/// The name under which monitors subscribe.
const NAME: &[u8] = b"";

/// MONITOR - O(1). It runs alone, so no command is missed that begins after its reply.
fn monitor(call: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    if call.session.state.any(State::DENY_BLOCKING) {
        return Err(Error::Text("ERR MONITOR isn't allowed for DENY BLOCKING client"));
    }
    // Redis answers nothing to who monitors already.
    if call.session.state.any(State::MONITOR) {
        return Ok(());
    }
    pubsub::join(call, Kind::Monitor, NAME);
    call.server.put_state(State::MONITORED, true);
    call.out.ok();
    Ok(())
}

/// Shows the monitors a command that has run.
#[cold]
pub fn show(server: &Server, local: &mut Local, session: &Session, row: &Row, args: &Args<'_>) {
    if row.spec.flags.intersects(Flags::SKIP_MONITOR | Flags::ADMIN) {
        return;
    }
    send(server, local, session, row, args);
}

/// Shows a script that begins: what it runs comes after it.
#[cold]
pub fn show_script(
    server: &Server,
    local: &mut Local,
    session: &Session,
    row: &Row,
    args: &Args<'_>,
) {
    if server.state().any(State::MONITORED) {
        send(server, local, session, row, args);
    }
}

fn send(server: &Server, local: &mut Local, session: &Session, row: &Row, args: &Args<'_>) {
    let line = line(&session.client, session.db, local.in_script, row, args);
    pubsub::send(server, local, Kind::Monitor, NAME, &line);
}

/// After a monitor has gone: commands pay nothing any more when it was the last.
pub fn left(server: &Server) {
    if server.exchange.names(Kind::Monitor) == 0 {
        server.put_state(State::MONITORED, false);
        // Another one may have come in between.
        if server.exchange.names(Kind::Monitor) > 0 {
            server.put_state(State::MONITORED, true);
        }
    }
}

/// The time, the database, the client and the arguments. Writing into memory does not fail.
fn line(client: &Client, db: u32, in_script: bool, row: &Row, args: &Args<'_>) -> Vec<u8> {
    let now_us = clock::unix_us();
    let (seconds, rest) = (now_us / 1_000_000, now_us % 1_000_000);
    let mut line = Vec::new();
    let (place, addr) = match client.unix {
        _ if in_script => ("", "lua"),
        true => ("unix:", client.laddr.strip_suffix(":0").unwrap_or(&client.laddr)),
        false => ("", client.addr.as_str()),
    };
    drop(write!(line, "+{seconds}.{rest:06} [{db} {place}{addr}]"));
    for arg in secrets::hidden(row, args) {
        line.push(b' ');
        line.extend_from_slice(resp::inline::quoted(arg).as_bytes());
    }
    line.extend_from_slice(b"\r\n");
    line
}
