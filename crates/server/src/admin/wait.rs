//! WAIT and WAITAOF: for copies elsewhere, of which there are none, and for the disk.

use std::sync::Arc;
use std::time::{Duration, Instant};

use commands::{Args, Error};

use crate::aof::{self, Phase};
use crate::blocked::{self, Lapse, Waiter};
use crate::call::{Call, Flow};
use crate::rows::SessionHandler;
use crate::session::State;

pub(super) const HANDLERS: &[(&str, SessionHandler)] = &[("wait", wait), ("waitaof", waitaof)];

/// What no clock can show is as good as never.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 86_400);

/// WAIT numreplicas timeout - O(1).
fn wait(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let (wanted, until) = (args.int(1)?, until(args, 2)?);
    if wanted <= 0 || call.session.state.any(State::DENY_BLOCKING) {
        call.out.int(0);
    } else {
        park(call, args, until, Lapse::Copies);
    }
    Ok(())
}

/// WAITAOF numlocal numreplicas timeout - O(1).
fn waitaof(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let is_local = match args.int(1)? {
        0 => false,
        1 => true,
        _ => {
            return Err(Error::Text("ERR value is out of range, value must between 0 and 1"));
        }
    };
    let not_positive = Error::Text(spec::error::NOT_POSITIVE);
    let copies = args.int(2).ok().filter(|copies| *copies >= 0).ok_or(not_positive)?;
    let until = until(args, 3)?;
    let aof = &call.server.aof;
    if is_local && aof.phase() == Phase::Off {
        return Err(Error::Text(aof::NO_LOG));
    }
    let outlet = &call.local.outlet;
    let position = outlet.reached(call.session.logged);
    let is_there = outlet.unit.is_empty() && aof.has_on_disk(position);
    let is_done = copies == 0 && (is_there || !is_local);
    if is_done || call.session.state.any(State::DENY_BLOCKING) {
        call.out.array(2);
        call.out.int(i64::from(is_there));
        call.out.int(0);
        return Ok(());
    }
    let waiter = park(call, args, until, Lapse::Log(position));
    if is_local {
        aof::wait(call.server, waiter, position, copies > 0);
    }
    Ok(())
}

fn park(
    call: &mut Call<'_, '_>,
    args: &Args<'_>,
    until: Option<Instant>,
    lapse: Lapse,
) -> Arc<Waiter> {
    call.flow = Flow::Block;
    let end = (until, lapse);
    blocked::park_until(call.server, call.session, call.out, call.row, args, end)
}

/// When a time in milliseconds is over; 0 stands for never.
fn until(args: &Args<'_>, at: usize) -> Result<Option<Instant>, Error> {
    let not_integer = Error::Text(spec::error::TIMEOUT_NOT_AN_INTEGER);
    let timeout_ms = args.int(at).map_err(|_| not_integer)?;
    if timeout_ms < 0 {
        return Err(Error::Text(spec::error::NEGATIVE_TIMEOUT));
    }
    let time = Duration::from_millis(timeout_ms as u64).min(LONGEST);
    Ok((timeout_ms > 0).then(|| Instant::now() + time))
}
