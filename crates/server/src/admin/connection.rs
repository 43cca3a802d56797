//! The connection itself.

use commands::{Args, Error};

use crate::call::{Call, Flow};
use crate::rows::SessionHandler;

pub(crate) const HANDLERS: &[(&str, SessionHandler)] =
    &[("ping", ping), ("echo", echo), ("quit", quit), ("select", select)];

/// PING \[message\] - O(1).
fn ping(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    match args.get(1) {
        _ if args.len() > 2 => {
            return call.fail("ERR wrong number of arguments for 'ping' command");
        }
        Some(message) => call.out.bulk(message),
        None => call.out.simple("PONG"),
    }
    Ok(())
}

/// ECHO message - O(1).
fn echo(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    call.out.bulk(args[1]);
    Ok(())
}

/// QUIT - O(1).
fn quit(call: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    call.out.ok();
    call.flow = Flow::Close;
    Ok(())
}

/// SELECT index - O(1).
fn select(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let index = args.int(1).map_err(|_| Error::Text("ERR invalid DB index"))?;
    let databases = i64::from(call.server.keyspace.databases());
    if !(0..databases).contains(&index) {
        return Err(Error::Text("ERR DB index is out of range"));
    }
    call.session.select(index as u32);
    call.out.ok();
    Ok(())
}
