//! The server as a whole: its time, its end, and its idea of art.

mod ochre;

use commands::{Args, Error};
use spec::error;

use super::describe;
use crate::call::{Call, Flow};
use crate::rows::SessionHandler;
use crate::session::State;
use crate::shutdown::{self, Wish};
use crate::version::Told;
use crate::{clock, version};

pub(crate) const HANDLERS: &[(&str, SessionHandler)] =
    &[("lolwut", lolwut), ("shutdown", shutdown_command), ("time", time)];

/// TIME - O(1).
fn time(call: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    // In a transaction or a script it is the moment at which all of its commands run.
    let is_within = call.session.state.any(State::DENY_BLOCKING);
    let now_us = if is_within { call.local.now_us } else { clock::unix_us() };
    call.out.array(2);
    call.out.bulk_int(now_us / 1_000_000);
    call.out.bulk_int(now_us % 1_000_000);
    Ok(())
}

/// What SHUTDOWN is asked for.
enum Request {
    Begin(Wish),
    Abort,
}

impl Request {
    fn read(args: &Args<'_>) -> Result<Self, Error> {
        let mut wish = Wish::default();
        let (mut aborts, mut options) = (0, 0);
        let mut cursor = args.cursor(1);
        while cursor.left() > 0 {
            options += 1;
            if cursor.accept("nosave") {
                wish.nosave = true;
            } else if cursor.accept("save") {
                wish.save = true;
            } else if cursor.accept("now") {
                wish.now = true;
            } else if cursor.accept("force") {
                wish.force = true;
            } else if cursor.accept("abort") {
                aborts += 1;
            } else if cursor.accept("safe") || cursor.accept("failover") {
                // Both only mean something to a node of a cluster.
                continue;
            } else {
                return Err(Error::Syntax);
            }
        }
        match aborts {
            0 if wish.save && wish.nosave => Err(Error::Syntax),
            0 => Ok(Self::Begin(wish)),
            _ if options > aborts => Err(Error::Syntax),
            _ => Ok(Self::Abort),
        }
    }
}

/// SHUTDOWN \[NOSAVE | SAVE\] \[NOW\] \[FORCE\] \[SAFE\] \[FAILOVER\] | ABORT - O(1) without
/// saving. There is no reply unless it fails.
fn shutdown_command(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    match Request::read(args)? {
        Request::Abort if call.server.shutdown.abort() => {
            call.server.scripting.running.spare();
            call.out.ok();
        }
        Request::Abort => return Err(Error::Text(error::NO_SHUTDOWN)),
        Request::Begin(wish) if call.local.busy == State::BUSY => {
            if !wish.nosave {
                return Err(Error::Text(call.server.busy_text()));
            }
            // Whoever runs the script ends the server with it, and so the client's connection. If
            // the script was over by now, it ends all the same.
            call.server.scripting.running.kill_last();
            call.server.shutdown.schedule(wish);
        }
        Request::Begin(wish) => {
            let who = describe(call.server, &call.session.client, call.local.now_ms());
            let who = format!(" (user request from '{who}')");
            if shutdown::begin(call.server, call.held, wish, &who).is_err() {
                return Err(Error::Text("ERR Errors trying to SHUTDOWN. Check logs."));
            }
            call.flow = Flow::Close;
        }
    }
    Ok(())
}

/// Columns and rows of a drawing, unless asked for, and at most.
const SIZE: (i64, i64) = (72, 20);
const SIZE_MAX: (i64, i64) = (200, 100);

/// LOLWUT \[VERSION version\] \[columns \[rows\]\] - O(columns * rows). There is one drawing only,
/// whatever the version.
fn lolwut(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let mut cursor = args.cursor(1);
    if cursor.left() > 1 && cursor.accept("version") {
        cursor.int()?;
    }
    let mut number = |default: i64, most: i64| match cursor.left() {
        0 => Ok(default),
        _ => cursor.int().map(|number| number.clamp(1, most)),
    };
    let columns = number(SIZE.0, SIZE_MAX.0)?;
    let rows = number(SIZE.1, SIZE_MAX.1)?;
    let mut text = ochre::draw(columns as usize, rows as usize, &mut call.local.rng);
    let told = Told::of(call.server.program, &call.server.config.lock());
    text.push_str(&format!("\nRed ochre on rock. Reddle ver. {}, ", version::REDDLE));
    text.push_str(&format!("as {} ver. {}\n", told.title, told.version));
    call.out.verbatim("txt", text.as_bytes());
    Ok(())
}

#[cfg(test)]
mod tests;
