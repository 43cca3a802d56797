//! SAVE, BGSAVE and LASTSAVE, and what DEBUG RELOAD does.

use std::sync::atomic::Ordering;

use commands::{Args, Error};
use keyspace::{Entered, Stamp};

use crate::aof;
use crate::call::Call;
use crate::persistence::{self, Clash, File};
use crate::rows::SessionHandler;
use crate::session::State;
use crate::snapshot::Purpose;
use crate::tracking;

pub(crate) const HANDLERS: &[(&str, SessionHandler)] =
    &[("bgrewriteaof", bgrewriteaof), ("bgsave", bgsave), ("lastsave", lastsave), ("save", save)];

const NOT_SAVED: &str = "ERR";
const IN_PROGRESS: &str = "ERR Background save already in progress";
const NOT_IN_PROGRESS: &str = "ERR Background saving is currently not in progress or scheduled";
const OTHER_IN_PROGRESS: &str = "ERR Another child process is active (AOF?): can't BGSAVE right \
                                 now. Use BGSAVE SCHEDULE in order to schedule a BGSAVE whenever \
                                 possible.";
const REWRITE_IN_PROGRESS: &str = "ERR Background append only file rewriting already in progress";
const NOT_REWRITTEN: &str = "ERR Can't execute an AOF background rewriting. Please check the \
                             server logs for more information.";
const NOT_LOADED: &str = "ERR Error trying to load the RDB dump, check server logs.";
const RELOAD_OPTIONS: &str =
    "ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.";

/// SAVE - O(N), N the number of keys; everything waits.
fn save(call: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    if call.server.persistence.snapshots.purpose() == Some(Purpose::Save) {
        return Err(Error::Text(IN_PROGRESS));
    }
    persistence::save(call.server, call.held).map_err(|_| Error::Text(NOT_SAVED))?;
    call.out.ok();
    Ok(())
}

/// BGSAVE \[SCHEDULE | CANCEL\] - O(1).
fn bgsave(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let schedules = match args.from(1) {
        [] => false,
        [word] if word.eq_ignore_ascii_case(b"schedule") => true,
        [word] if word.eq_ignore_ascii_case(b"cancel") => return cancel(call),
        _ => return Err(Error::Syntax),
    };
    let state = &call.server.persistence;
    let in_transaction = call.session.state.any(State::DENY_BLOCKING);
    match state.snapshots.purpose() {
        Some(Purpose::Save) => return Err(Error::Text(IN_PROGRESS)),
        Some(_) if !schedules && !in_transaction => return Err(Error::Text(OTHER_IN_PROGRESS)),
        other if other.is_some() || in_transaction => {
            state.saves.is_scheduled.store(true, Ordering::Relaxed);
            log::info!("Background saving scheduled");
            call.out.simple("Background saving scheduled");
        }
        _ => {
            persistence::background(call.server, call.held).map_err(|_| Error::Text(NOT_SAVED))?;
            call.out.simple("Background saving started");
        }
    }
    Ok(())
}

/// BGREWRITEAOF - O(1).
fn bgrewriteaof(call: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    let (server, rewrites) = (call.server, &call.server.aof.rewrites);
    let is_busy = server.persistence.snapshots.is_active();
    if aof::is_under_way(server) {
        return Err(Error::Text(REWRITE_IN_PROGRESS));
    }
    if is_busy || call.session.state.any(State::DENY_BLOCKING) {
        rewrites.is_scheduled.store(true, Ordering::Relaxed);
        // Whoever asks for it does not want to wait because others have failed.
        rewrites.failures.store(0, Ordering::Relaxed);
        log::info!("Background append only file rewriting scheduled.");
        call.out.simple("Background append only file rewriting scheduled");
        return Ok(());
    }
    aof::rewrite(server, call.held).map_err(|_| Error::Text(NOT_REWRITTEN))?;
    call.out.simple("Background append only file rewriting started");
    Ok(())
}

fn cancel(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let state = &call.server.persistence;
    if state.snapshots.cancel(Purpose::Save) {
        log::info!("Background saving will be aborted due to user request");
        call.out.simple("Background saving cancelled");
    } else if state.saves.is_scheduled.swap(false, Ordering::Relaxed) {
        log::info!("Scheduled background saving will be cancelled due to user request");
        call.out.simple("Scheduled background saving cancelled");
    } else {
        return Err(Error::Text(NOT_IN_PROGRESS));
    }
    Ok(())
}

/// LASTSAVE - O(1).
fn lastsave(call: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    call.out.int(call.server.persistence.saves.last_s.load(Ordering::Relaxed));
    Ok(())
}

/// DEBUG RELOAD \[MERGE\] \[NOFLUSH\] \[NOSAVE\] - O(N), N the number of keys.
pub(super) fn reload(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let (mut saves, mut flushes, mut merges) = (true, true, false);
    let mut options = args.cursor(2);
    while options.left() > 0 {
        if options.accept("MERGE") {
            merges = true;
        } else if options.accept("NOFLUSH") {
            flushes = false;
        } else if options.accept("NOSAVE") {
            saves = false;
        } else {
            return Err(Error::Text(RELOAD_OPTIONS));
        }
    }
    if saves {
        persistence::save(call.server, call.held).map_err(|_| Error::Text(NOT_SAVED))?;
    }
    if load(call, flushes, merges) {
        log::info!("DB reloaded by DEBUG RELOAD");
        call.out.ok();
        return Ok(());
    }
    Err(Error::Text(NOT_LOADED))
}

/// Puts the file's keys in the place of those that are there, or among them.
fn load(call: &mut Call<'_, '_>, flushes: bool, merges: bool) -> bool {
    let server = call.server;
    let file = match File::open(server) {
        Ok(Some(file)) => file.with_clash(match (flushes, merges) {
            (true, _) => Clash::Clear,
            (false, true) => Clash::Replace,
            (false, false) => Clash::Refuse,
        }),
        Ok(None) => return false,
        Err(error) => {
            log::warn!("Opening the RDB file: {error}");
            return false;
        }
    };
    let form = file.form();
    let stamp = Stamp::new(call.local.now_ms(), &call.local.tunables.usage, || 1.0);
    let held = std::cell::RefCell::new(&mut *call.held);
    let flush = || {
        if flushes {
            persistence::drop_all(server, &mut held.borrow_mut(), stamp.now_ms);
        }
    };
    let (mut lanes, mut doubled) = (0, false);
    if flushes {
        tracking::invalidate_all(server, call.local, call.session.id());
    }
    let result = file.load(server, flush, |db, entry| {
        match server.keyspace.enter_entry(&mut held.borrow_mut(), db, entry, merges, stamp) {
            Entered::Yes(lowered) => lanes |= lowered,
            Entered::Taken(entry) => {
                log::warn!(
                    "RDB has duplicated key '{}' in DB {db}",
                    entry.key_bytes().escape_ascii()
                );
                doubled = true;
            }
        }
        !doubled
    });
    call.local.key_stats.lanes_lowered |= lanes;
    if result.is_ok() && !doubled {
        persistence::tell_loaded(&server.persistence, form);
    }
    if let Err(error) = &result {
        log::warn!("Loading the RDB file: {error}");
    }
    result.is_ok() && !doubled
}
