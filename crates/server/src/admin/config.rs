//! CONFIG: the settings shown, changed, written back; the counters set to zero.
//!
//! What a value may be is `crate::config`'s; here a change is made to come true, in `apply`.

mod apply;

use commands::{Args, Error};

use spec::config::Id;

use super::help::help as write_help;
use crate::aof::{self, Phase};
use crate::call::{Call, Flow};
use crate::config::{Caller, SetError};
use crate::registry::Client;
use crate::rows::SessionHandler;
use crate::server::Server;
use crate::session::State;
use crate::{footprint, tracking};

pub(crate) const HANDLERS: &[(&str, SessionHandler)] = &[
    ("config|get", get),
    ("config|set", set),
    ("config|rewrite", rewrite),
    ("config|resetstat", resetstat),
    ("config|help", help),
];

const HELP: &[&str] = &[
    "GET <pattern> [<pattern> ...]",
    "    Show the settings whose names match one of the patterns.",
    "SET <setting> <value> [<setting> <value> ...]",
    "    Change settings: all of them, or none if one is refused.",
    "RESETSTAT",
    "    Set the counters that INFO shows back to zero.",
    "REWRITE",
    "    Write the settings in use to the configuration file.",
];

/// CONFIG GET pattern \[pattern ...\] - O(N), N the number of settings shown.
fn get(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let settings = call.server.config.lock().get(args.from(2));
    call.out.map(settings.len());
    for (name, value) in settings {
        call.out.bulk(&name);
        call.out.bulk(&value);
    }
    Ok(())
}

/// What follows when the limits have changed that are not looked at all the time.
fn settle(call: &mut Call<'_, '_>) {
    call.local.told |= tracking::fit(call.server, &mut 0);
    if footprint::refit(call.server, call.local.now_ms(), call.session.id()) {
        call.flow = Flow::Close;
    }
}

/// CONFIG SET setting value \[setting value ...\] - O(N), N the number of settings.
fn set(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let words = args.from(2);
    if !words.len().is_multiple_of(2) {
        return Err(Error::Syntax);
    }
    let changes: Vec<(&[u8], &[u8])> =
        words.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect();
    let caller = Caller {
        local: is_local(&call.session.client),
        loading: call.server.state().any(State::LOADING),
    };
    match change(call.server, &changes, caller) {
        Ok(()) => {
            begin_log(call)?;
            // What follows in the same pipeline is to meet the new values.
            call.local.tunables = call.server.tunables.load_full();
            settle(call);
            call.out.ok();
            Ok(())
        }
        Err(SetError::Loading) => call.fail(spec::error::LOADING),
        Err(error) => {
            call.out.error_bytes(&error.reply());
            Err(Error::Written)
        }
    }
}

/// Begins the log if it was turned on; if that fails, it is not turned on.
fn begin_log(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let (server, is_wanted) = (call.server, call.server.config.lock().bool(Id::Appendonly));
    if !is_wanted || server.aof.phase() != Phase::Off {
        return Ok(());
    }
    let in_transaction = call.session.state.any(State::DENY_BLOCKING);
    let Err(reason) = aof::turn_on(server, call.held, in_transaction) else { return Ok(()) };
    log::warn!("Turning the append only file on: {reason}");
    let taken_back = server.config.lock().assign(Id::Appendonly, &[b"no".to_vec()]);
    debug_assert!(taken_back.is_ok());
    let text = "Unable to turn on AOF. Check server logs.".to_owned();
    call.out.error_bytes(&SetError::not_applied(Id::Appendonly, text).reply());
    Err(Error::Written)
}

/// Changes settings and makes the changes come true, or leaves everything as it was.
fn change(server: &Server, changes: &[(&[u8], &[u8])], caller: Caller) -> Result<(), SetError> {
    // CONFIG SET runs alone, so nobody else changes the configuration meanwhile, and its lock is
    // not held over what the system is asked for.
    let before = server.config.lock().clone();
    let mut config = before.clone();
    let ids = config.set(changes, caller)?;
    apply::apply(server, &before, &config, &ids)
        .map_err(|(id, reason)| SetError::not_applied(id, reason))?;
    server.publish_tunables(&config);
    *server.config.lock() = config;
    Ok(())
}

/// Whether a client is on this machine, as `local` in directives means it.
pub(super) fn is_local(client: &Client) -> bool {
    let host = client.addr.rsplit_once(':').map_or("", |(host, _)| host);
    let host = host.trim_start_matches('[').trim_end_matches(']');
    client.unix || host.parse().is_ok_and(|ip: std::net::IpAddr| ip.to_canonical().is_loopback())
}

/// CONFIG REWRITE - O(N), N the length of the file.
fn rewrite(call: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    write_file(call, false)
}

/// Writes the configuration file; with `everything` also what is at its default.
pub(super) fn write_file(call: &mut Call<'_, '_>, everything: bool) -> Result<(), Error> {
    let config = call.server.config.lock().clone();
    match config.rewrite_file(everything) {
        Ok(()) => {
            log::info!("CONFIG REWRITE executed with success.");
            call.out.ok();
            Ok(())
        }
        Err(text) => call.fail(&text),
    }
}

/// CONFIG RESETSTAT - O(1).
fn resetstat(call: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    crate::stats::reset(call.server);
    call.out.ok();
    Ok(())
}

/// CONFIG HELP - O(1).
fn help(call: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    write_help(call, HELP)
}

#[cfg(test)]
mod tests;
