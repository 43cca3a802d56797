//! FUNCTION and its subcommands.

use commands::{Args, Error};
use parking_lot::MutexGuard;
use script::{Flags, Registered};

use super::container;
use super::libraries::{Libraries, Policy};
use super::running::Shown;
use crate::admin::help;
use crate::call::Call;
use crate::rows::SessionHandler;

pub(crate) const HANDLERS: &[(&str, SessionHandler)] = &[
    ("function|delete", delete),
    ("function|dump", dump),
    ("function|flush", flush),
    ("function|help", function_help),
    ("function|kill", kill),
    ("function|list", list),
    ("function|load", load),
    ("function|restore", restore),
    ("function|stats", stats),
];

/// The libraries as the data set has them. The lock is taken behind the gate only.
fn libraries<'k>(call: &Call<'_, 'k>) -> Result<MutexGuard<'k, Libraries>, Error> {
    let all = &call.server.scripting.libraries;
    let mut libraries = match call.local.in_script {
        true => all.try_lock().ok_or(Error::Text(super::NESTED))?,
        false => all.lock(),
    };
    libraries.follow(call.server);
    Ok(libraries)
}

/// Libraries are a part of the data set: a change of theirs is one of its changes.
fn changed(call: &mut Call<'_, '_>, libraries: &mut Libraries) {
    libraries.keep(call.server);
    call.local.change.add_dirty(1);
}

/// FUNCTION LOAD \[REPLACE\] code - O(1) besides the library's own code.
fn load(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let Some((code, options)) = args.from(2).split_last() else {
        return Err(Error::Text("ERR Function code is missing"));
    };
    let mut replaces = false;
    for option in options {
        if !option.eq_ignore_ascii_case(b"replace") {
            return call.fail([b"ERR Unknown option given: ", *option].concat());
        }
        replaces = true;
    }
    let server = call.server;
    let mut libraries = libraries(call)?;
    let added = libraries.add(server, code, replaces);
    libraries.tell(server);
    match added {
        Ok(name) => {
            changed(call, &mut libraries);
            call.out.bulk(&name);
            Ok(())
        }
        Err(text) => call.fail(format!("ERR {text}")),
    }
}

/// FUNCTION DELETE library - O(1).
fn delete(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let mut libraries = libraries(call)?;
    if !libraries.remove(args[2]) {
        return Err(Error::Text("ERR Library not found"));
    }
    changed(call, &mut libraries);
    call.out.ok();
    Ok(())
}

/// FUNCTION FLUSH \[ASYNC | SYNC\] - O(N), N the number of libraries.
fn flush(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    if args.len() > 3 {
        return too_many(call, args);
    }
    if !container::is_flush_mode(args.from(2)) {
        return Err(Error::Text("ERR FUNCTION FLUSH only supports SYNC|ASYNC option"));
    }
    let mut libraries = libraries(call)?;
    libraries.clear();
    changed(call, &mut libraries);
    call.out.ok();
    Ok(())
}

/// Refuses arguments that are too many; the subcommand is named as it came.
fn too_many(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let head = spec::error::WRONG_SUBCOMMAND.as_bytes();
    call.fail([head, args[1], b"'. Try FUNCTION HELP."].concat())
}

/// FUNCTION DUMP - O(N), N the length of all libraries.
fn dump(call: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    let libraries = libraries(call)?;
    let codes = libraries.iter().map(|(_, library)| library.code.as_slice());
    let payload = persist::rdb::dump_functions(codes, call.local.tunables.settings.dump);
    call.out.bulk(&payload);
    Ok(())
}

/// FUNCTION RESTORE payload \[FLUSH | APPEND | REPLACE\] - O(N), N the length of the libraries.
fn restore(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let policy = match args.from(3) {
        [] => Policy::Append,
        [word] if word.eq_ignore_ascii_case(b"append") => Policy::Append,
        [word] if word.eq_ignore_ascii_case(b"replace") => Policy::Replace,
        [word] if word.eq_ignore_ascii_case(b"flush") => Policy::Flush,
        [_] => {
            return Err(Error::Text(
                "ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.",
            ));
        }
        _ => {
            return too_many(call, args);
        }
    };
    let settings = &call.local.tunables.settings;
    let rules = persist::rdb::Rules {
        limits: &settings.limits,
        hasher: call.server.keyspace.key_hash(),
        since_ms: call.local.now_ms(),
    };
    let codes = match persist::rdb::restore_functions(args[2], settings.restore, rules) {
        Ok(codes) => codes,
        Err(text) => return call.fail(format!("ERR {text}")),
    };
    let server = call.server;
    let mut libraries = libraries(call)?;
    match libraries.restore(server, &codes, policy) {
        Ok(()) => {
            changed(call, &mut libraries);
            call.out.ok();
            Ok(())
        }
        Err(text) => call.fail(format!("ERR {text}")),
    }
}

/// FUNCTION LIST \[LIBRARYNAME pattern\] \[WITHCODE\] - O(N), N the number of functions.
fn list(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let (mut pattern, mut with_code) = (None, false);
    let mut options = args.from(2).iter();
    while let Some(option) = options.next() {
        if !with_code && option.eq_ignore_ascii_case(b"withcode") {
            with_code = true;
        } else if pattern.is_none() && option.eq_ignore_ascii_case(b"libraryname") {
            let missing = Error::Text("ERR library name argument was not given");
            pattern = Some(*options.next().ok_or(missing)?);
        } else {
            return call.fail([b"ERR Unknown argument ", *option].concat());
        }
    }
    let libraries = libraries(call)?;
    let is_shown =
        |name: &[u8]| pattern.is_none_or(|pattern| commands::glob::matches(pattern, name, true));
    let shown: Vec<_> = libraries.iter().filter(|(name, _)| is_shown(name)).collect();
    call.out.array(shown.len());
    for (name, library) in shown {
        call.out.map(if with_code { 4 } else { 3 });
        call.out.bulk(b"library_name");
        call.out.bulk(name);
        call.out.bulk(b"engine");
        call.out.bulk(b"LUA");
        call.out.bulk(b"functions");
        call.out.array(library.functions.len());
        for function in &library.functions {
            show(call, function);
        }
        if with_code {
            call.out.bulk(b"library_code");
            call.out.bulk(&library.code);
        }
    }
    Ok(())
}

fn show(call: &mut Call<'_, '_>, function: &Registered) {
    call.out.map(3);
    call.out.bulk(b"name");
    call.out.bulk(&function.name);
    call.out.bulk(b"description");
    match &function.description {
        Some(text) => call.out.bulk(text),
        None => call.out.null(),
    }
    call.out.bulk(b"flags");
    let flags = Flags::NAMES.iter().filter(|(flag, _)| function.flags.any(*flag));
    let flags: Vec<_> = flags.map(|(_, name)| *name).collect();
    call.out.set(flags.len());
    for name in flags {
        call.out.simple(name);
    }
}

/// FUNCTION STATS - O(1). It finds a script running only when that takes long.
fn stats(call: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    let running = &call.server.scripting.running;
    let overdue_ns = running.overdue_ns(call.server.ticks);
    if overdue_ns.is_none() {
        drop(libraries(call)?);
    }
    let told = *call.server.scripting.told.lock();
    call.out.map(2);
    call.out.bulk(b"running_script");
    match (overdue_ns, running.shown()) {
        (Some(overdue_ns), Some(shown)) => show_running(call, overdue_ns, &shown),
        _ => call.out.null(),
    }
    call.out.bulk(b"engines");
    call.out.map(1);
    call.out.bulk(b"LUA");
    call.out.map(2);
    call.out.bulk(b"libraries_count");
    call.out.int(told.libraries as i64);
    call.out.bulk(b"functions_count");
    call.out.int(told.functions as i64);
    Ok(())
}

fn show_running(call: &mut Call<'_, '_>, passed_ns: u64, shown: &Shown) {
    call.out.map(3);
    call.out.bulk(b"name");
    call.out.bulk(&shown.name);
    call.out.bulk(b"command");
    call.out.array(shown.command.len());
    for arg in &shown.command {
        call.out.bulk(arg);
    }
    call.out.bulk(b"duration_ms");
    call.out.int((passed_ns / 1_000_000) as i64);
}

/// FUNCTION KILL - O(1), as SCRIPT KILL.
fn kill(call: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    container::end_running(call, true)
}

/// FUNCTION HELP
fn function_help(call: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    help(
        call,
        &[
            "LOAD [REPLACE] <code>",
            "    Load a library, in the place of the one with its name if REPLACE is given.",
            "DELETE <library>",
            "    Delete a library.",
            "LIST [LIBRARYNAME <pattern>] [WITHCODE]",
            "    List the libraries with their functions, and their code.",
            "STATS",
            "    Tell which function is running, and how many there are.",
            "KILL",
            "    End the function that is running.",
            "FLUSH [ASYNC|SYNC]",
            "    Delete all libraries.",
            "DUMP",
            "    Give a payload with all libraries, for FUNCTION RESTORE.",
            "RESTORE <payload> [FLUSH|APPEND|REPLACE]",
            "    Load the libraries of a payload: in the place of all, beside them, or replacing",
            "    those with the same names.",
        ],
    )
}
