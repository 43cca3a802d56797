//! HOTKEYS: which keys are used most. Sessions as Redis 8.6 has them, windows as Valkey 9.2 has
//! them; the arguments do not collide, and GET shows the session if there is one.

use commands::{Args, Error};

use super::help::help;
use crate::call::Call;
use crate::hotkeys::{self, Entry, Plan, Session};
use crate::rows::SessionHandler;
use crate::version::Told;

pub(crate) const HANDLERS: &[(&str, SessionHandler)] = &[
    ("hotkeys|get", hotkeys_get),
    ("hotkeys|help", hotkeys_help),
    ("hotkeys|reset", hotkeys_reset),
    ("hotkeys|start", hotkeys_start),
    ("hotkeys|stop", hotkeys_stop),
];

/// Keys that a session shows when it is not told how many, and at most.
const COUNT: usize = 10;
const COUNT_MAX: i64 = 64;
/// The longest session in seconds.
const DURATION_MAX: i64 = 1_000_000;
/// The last slot of a cluster; without one a session is about all of them.
const SLOT_LAST: i64 = 16_383;

/// HOTKEYS START METRICS count \[CPU\] \[NET\] \[COUNT k\] \[DURATION seconds\] \[SAMPLE ratio\] -
/// O(W) with W workers.
fn hotkeys_start(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    const UNDER_WAY: Error = Error::Text("ERR hotkey tracking session already in progress");
    if call.server.hotkeys.session().is_some_and(|session| session.end.is_none()) {
        return Err(UNDER_WAY);
    }
    let plan = plan(args)?;
    if !hotkeys::start(call.server, plan, call.local.now_ms()) {
        return Err(UNDER_WAY);
    }
    call.out.ok();
    Ok(())
}

fn plan(args: &Args<'_>) -> Result<Plan, Error> {
    let is = |at: usize, word: &str| {
        args.get(at).is_some_and(|arg| arg.eq_ignore_ascii_case(word.as_bytes()))
    };
    if args.len() < 4 || !is(2, "METRICS") {
        return Err(Error::Text("ERR METRICS parameter is required"));
    }
    let metrics = within(args, 3, 1, 2, "ERR METRICS count must be positive")?;
    let mut plan = Plan { cpu: false, net: false, count: COUNT, duration_ms: 0, ratio: 1 };
    let mut at = 4;
    while at < 4 + metrics as usize {
        let wanted = match () {
            () if is(at, "CPU") => &mut plan.cpu,
            () if is(at, "NET") => &mut plan.net,
            () => break,
        };
        if std::mem::replace(wanted, true) {
            return Err(Error::Text(if is(at, "CPU") {
                "ERR METRICS CPU defined more than once!"
            } else {
                "ERR METRICS NET defined more than once!"
            }));
        }
        at += 1;
    }
    if at != 4 + metrics as usize {
        return Err(Error::Text(
            "ERR METRICS count does not match number of metric types provided",
        ));
    }
    while at < args.len() {
        let value = at + 1;
        if value == args.len() {
            return Err(Error::Syntax);
        }
        if is(at, "COUNT") {
            let text = "ERR COUNT must be between 1 and 64";
            plan.count = within(args, value, 1, COUNT_MAX, text)? as usize;
        } else if is(at, "DURATION") {
            let text = "ERR DURATION be between 1 and 1000000";
            plan.duration_ms = within(args, value, 1, DURATION_MAX, text)? * 1000;
        } else if is(at, "SAMPLE") {
            let text = "ERR SAMPLE ratio must be positive";
            plan.ratio = within(args, value, 1, i64::from(i32::MAX), text)? as u64;
        } else if is(at, "SLOTS") {
            return Err(Error::Text("ERR SLOTS parameter cannot be used in non-cluster mode"));
        } else {
            return Err(Error::Syntax);
        }
        at += 2;
    }
    Ok(plan)
}

fn within(
    args: &Args<'_>,
    at: usize,
    low: i64,
    high: i64,
    text: &'static str,
) -> Result<i64, Error> {
    args.int(at).ok().filter(|number| (low..=high).contains(number)).ok_or(Error::Text(text))
}

/// HOTKEYS STOP - O(W) with W workers.
fn hotkeys_stop(call: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    if hotkeys::stop(call.server, call.local.now_ms()) {
        call.out.ok();
    } else {
        call.out.null();
    }
    Ok(())
}

/// HOTKEYS RESET - O(W) with W workers.
fn hotkeys_reset(call: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    if !hotkeys::reset(call.server) {
        return Err(Error::Text("ERR hotkey tracking session in progress, stop tracking first"));
    }
    call.out.ok();
    Ok(())
}

/// HOTKEYS GET - O(W * K * K) with W workers and K keys of a sketch.
fn hotkeys_get(call: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    if let Some(session) = call.server.hotkeys.session() {
        show_session(call, &session);
        return Ok(());
    }
    let told = Told::of(call.server.program, &call.server.config.lock());
    let count = call.local.tunables.hotkeys_shown;
    if count == 0 || !told.is_valkey() {
        // To a client of Redis, nothing is known when there was no session.
        call.out.null();
        return Ok(());
    }
    let seconds = call.local.tunables.hotkeys_window_s;
    let window = hotkeys::window_at(call.local.now_ms(), seconds);
    let entries = hotkeys::last_window(call.server, count, window);
    call.out.array(entries.len());
    for Entry { db, key, count, .. } in entries {
        call.out.map(3);
        call.out.bulk(b"key");
        call.out.bulk(&key);
        call.out.bulk(b"db");
        call.out.int(i64::from(db));
        call.out.bulk(b"qps");
        call.out.int(hotkeys::per_second(count, &call.local.tunables) as i64);
    }
    Ok(())
}

fn show_session(call: &mut Call<'_, '_>, session: &Session) {
    let server = call.server;
    let plan = session.plan;
    let now_ms = call.local.now_ms();
    let (until_ms, sums) = session.sums(server, now_ms);
    let out = &mut *call.out;
    out.array(1);
    out.map(7 + if plan.cpu { 3 } else { 0 } + if plan.net { 2 } else { 0 });
    let mut field = |name: &str, value: i64| {
        out.bulk(name.as_bytes());
        out.int(value);
    };
    field("tracking-active", i64::from(session.end.is_none()));
    field("sample-ratio", plan.ratio as i64);
    out.bulk(b"selected-slots");
    out.array(1);
    out.array(2);
    out.int(0);
    out.int(SLOT_LAST);
    let mut field = |name: &str, value: i64| {
        out.bulk(name.as_bytes());
        out.int(value);
    };
    field("all-commands-all-slots-us", (sums.commands_ns / 1000) as i64);
    field("net-bytes-all-commands-all-slots", sums.bytes as i64);
    field("collection-start-time-unix-ms", session.began_ms);
    field("collection-duration-ms", until_ms - session.began_ms);
    if plan.cpu {
        field("total-cpu-time-user-ms", sums.cpu.user.as_millis() as i64);
        field("total-cpu-time-sys-ms", sums.cpu.system.as_millis() as i64);
    }
    if plan.net {
        field("total-net-bytes", sums.bytes as i64);
    }
    if plan.cpu {
        let entries = hotkeys::measured(server, plan.count, |heat| &heat.cpu);
        write_keys(out, "by-cpu-time-us", &entries, 1000);
    }
    if plan.net {
        let entries = hotkeys::measured(server, plan.count, |heat| &heat.net);
        write_keys(out, "by-net-bytes", &entries, 1);
    }
}

/// Keys and what they took. What took less than one of the unit counts as one: it was used.
fn write_keys(out: &mut resp::Writer, name: &str, entries: &[Entry], unit: u64) {
    out.bulk(name.as_bytes());
    out.array(entries.len() * 2);
    for entry in entries {
        out.bulk(&entry.key);
        out.int((entry.count / unit).max(1) as i64);
    }
}

/// HOTKEYS HELP - O(1).
fn hotkeys_help(call: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    help(call, HELP)
}

const HELP: &[&str] = &[
    "GET",
    "    What the session found, or is finding. Without one: the keys that were used most in the",
    "    last hotkey-window-seconds, at most hotkey-top-k, with commands a second.",
    "RESET",
    "    Forget the session that was stopped, and the windows.",
    "START METRICS <count> [CPU] [NET] [COUNT <k>] [DURATION <seconds>] [SAMPLE <ratio>]",
    "    Begin to measure what commands take by key: time, bytes, or both.",
    "STOP",
    "    End the session and keep what it found.",
];
