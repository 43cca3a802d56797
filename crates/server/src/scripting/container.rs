//! SCRIPT and its subcommands.

use std::sync::Arc;

use commands::{Args, Error};

use super::cache;
use crate::admin::help;
use crate::call::Call;
use crate::clock::Ticks;
use crate::rows::SessionHandler;
use crate::session::State;

pub(crate) const HANDLERS: &[(&str, SessionHandler)] = &[
    ("script|debug", debug),
    ("script|exists", exists),
    ("script|flush", flush),
    ("script|help", script_help),
    ("script|kill", kill),
    ("script|load", load),
    ("script|show", show),
];

/// SCRIPT LOAD script - O(N), N the length of the script.
fn load(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let digest = script::digest(args[2]);
    let known = call.server.scripting.scripts.lock().get(&digest);
    let stored = match known.map_or_else(|| cache::read(&digest, args[2]).map(Arc::new), Ok) {
        Ok(stored) => stored,
        Err(text) => return call.fail(format!("ERR {text}")),
    };
    // It is taken while DEBUG lets a script do this.
    if let Some(mut compiled) = call.server.scripting.compiled[call.local.id].try_lock() {
        compiled.follow(call.server);
        let compiles = match compiled.find(&digest, Ticks::now()) {
            Some(_) => Ok(()),
            None => compiled.compile(call.server, &stored).map(drop),
        };
        compiled.tell(call.server, call.local.id);
        if let Err(text) = compiles {
            return call.fail([b"ERR ", text.as_slice()].concat());
        }
    }
    call.server.scripting.scripts.lock().add(stored, true);
    call.out.bulk(&digest);
    Ok(())
}

/// SCRIPT EXISTS sha1 \[sha1 ...\] - O(N), N the number of digests.
fn exists(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let scripts = call.server.scripting.scripts.lock();
    call.out.array(args.len() - 2);
    for digest in args.from(2) {
        let digest = cache::given(digest);
        call.out.int(i64::from(digest.is_some_and(|digest| scripts.has(&digest))));
    }
    Ok(())
}

/// SCRIPT FLUSH \[ASYNC | SYNC\] - O(N), N the number of scripts.
fn flush(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    if !is_flush_mode(args.from(2)) {
        return Err(Error::Text("ERR SCRIPT FLUSH only support SYNC|ASYNC option"));
    }
    call.server.scripting.flush();
    call.out.ok();
    Ok(())
}

/// Whether words are what may stand behind FLUSH.
pub(super) fn is_flush_mode(words: &[&[u8]]) -> bool {
    match words {
        [] => true,
        [mode] => mode.eq_ignore_ascii_case(b"async") || mode.eq_ignore_ascii_case(b"sync"),
        _ => false,
    }
}

/// SCRIPT SHOW sha1 - O(1).
fn show(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let digest = cache::given(args[2]);
    let stored = digest.and_then(|digest| call.server.scripting.scripts.lock().get(&digest));
    let stored = stored.ok_or(Error::Text(spec::error::NO_SCRIPT))?;
    call.out.bulk(&stored.body);
    Ok(())
}

/// SCRIPT KILL - O(1). It finds a script running only when that takes long: until then it waits
/// for the gate, which the script keeps closed.
fn kill(call: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    end_running(call, false)
}

/// Ends what is running if it is a function, or if it is not.
pub(super) fn end_running(call: &mut Call<'_, '_>, is_function: bool) -> Result<(), Error> {
    let running = &call.server.scripting.running;
    if !call.server.is_busy() {
        return Err(Error::Text("NOTBUSY No scripts in execution right now."));
    }
    if running.is_function() != is_function {
        return Err(Error::Text(call.server.busy_text()));
    }
    if !running.kill() {
        return Err(Error::Text(spec::error::UNKILLABLE));
    }
    call.out.ok();
    Ok(())
}

/// SCRIPT DEBUG YES | SYNC | NO - O(1). A session that leaves no trace and stands in nobody's way
/// would need a copy of the process.
fn debug(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    if !call.out.is_empty() {
        return Err(Error::Text("ERR SCRIPT DEBUG must be called outside a pipeline"));
    }
    let on = match args[2].to_ascii_lowercase().as_slice() {
        b"no" => false,
        b"sync" => true,
        b"yes" => {
            return Err(Error::Text(
                "ERR this server does not fork: only SCRIPT DEBUG SYNC is there",
            ));
        }
        _ => return Err(Error::Text("ERR Use SCRIPT DEBUG YES/SYNC/NO")),
    };
    call.session.put(State::DEBUGS, on);
    call.out.ok();
    Ok(())
}

/// SCRIPT HELP
fn script_help(call: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    help(
        call,
        &[
            "DEBUG (YES|SYNC|NO)",
            "    With SYNC, EVAL of this connection stops at the lines of its script. Others wait",
            "    meanwhile, and what it writes stays. YES is refused.",
            "EXISTS <sha1> [<sha1> ...]",
            "    Say for each digest whether its script is known.",
            "FLUSH [ASYNC|SYNC]",
            "    Forget all scripts.",
            "KILL",
            "    End the script that is running.",
            "LOAD <script>",
            "    Make a script known without running it.",
            "SHOW <sha1>",
            "    Show a script.",
        ],
    )
}
