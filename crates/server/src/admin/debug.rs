//! DEBUG: what tests and tools ask for, behind `enable-debug-command`.
//!
//! The subcommands are no rows of the table, as they are none in Redis: they stand here.

mod absent;
mod digest;
pub(crate) mod end;
mod inside;
mod memory;
mod table;
mod value;

use std::sync::atomic::Ordering;
use std::time::Duration;

use commands::{Args, Error};
use keyspace::{NewValue, Ttl};
use resp::Proto;
use spec::config::Id;

use super::config::{is_local, write_file};
use super::help::help as write_help;
use crate::call::Call;
use crate::knobs::REPLY_PEAK_RESET_MS;
use crate::mailbox::Message;
use crate::refuse::{lossy, printed};
use crate::rows::SessionHandler;
use crate::session::State;
use crate::{aof, tracking};

pub(crate) const HANDLERS: &[(&str, SessionHandler)] = &[("debug", debug)];

/// One subcommand: its name, how many words may follow it, and its function.
type Subcommand = (&'static str, std::ops::RangeInclusive<usize>, SessionHandler);

const SUBCOMMANDS: &[Subcommand] = &[
    ("aof-flush-sleep", 1..=1, aof_flush_sleep),
    ("assert", 0..=0, end::assert),
    ("change-repl-id", 0..=0, absent::replicas),
    ("client-enforce-reply-list", 1..=1, client_enforce_reply_list),
    ("client-eviction", 0..=0, memory::client_eviction),
    ("close-cluster-link-on-packet-drop", 1..=1, absent::cluster),
    ("clusterlink", 3..=3, absent::cluster),
    ("config-rewrite-force-all", 0..=0, config_rewrite_force_all),
    ("crash-and-recover", 0..=1, end::crash_and_recover),
    ("delay-rdb-client-free-second", 1..=1, absent::replicas),
    ("dict-resizing", 1..=1, absent::accepted),
    ("digest", 0..=0, digest::digest),
    ("digest-value", 0..=usize::MAX, digest::digest_value),
    ("disable-cluster-random-ping", 1..=1, absent::cluster),
    ("disable-cluster-reconnection", 1..=1, absent::cluster),
    ("drop-cluster-packet-filter", 1..=1, absent::cluster),
    ("error", 1..=1, error),
    ("force-free-primary-async", 1..=1, absent::replicas),
    ("force-tls-write-error", 1..=1, absent::tls),
    ("hashtable-can-abort-shrink", 1..=1, absent::accepted),
    ("help", 0..=0, help),
    ("htstats", 1..=2, table::htstats),
    ("htstats-key", 1..=2, table::htstats_key),
    ("leak", 1..=1, end::leak),
    ("listpack", 1..=1, inside::listpack),
    ("loadaof", 0..=0, loadaof),
    ("log", 1..=1, log),
    ("mallctl", 1..=2, memory::mallctl),
    ("mallctl-str", 1..=1, memory::mallctl_str),
    ("object", 1..=2, value::object),
    ("oom", 0..=0, end::oom),
    ("panic", 0..=0, end::panic),
    ("pause-after-fork", 1..=1, absent::accepted),
    ("pause-cron", 1..=1, pause_cron),
    ("populate", 1..=3, populate),
    ("protect-client", 1..=1, absent::protect_client),
    ("protocol", 1..=1, protocol),
    ("quicklist", 1..=2, inside::quicklist),
    ("quicklist-packed-threshold", 1..=1, quicklist_packed_threshold),
    ("reload", 0..=usize::MAX, super::save::reload),
    ("replicate", 1..=usize::MAX, absent::replicas),
    ("replybuffer", 2..=2, replybuffer),
    ("restart", 0..=1, end::restart),
    ("sdslen", 1..=1, value::sdslen),
    ("segfault", 0..=0, end::segfault),
    ("set-active-expire", 1..=1, set_active_expire),
    ("set-disable-deny-scripts", 1..=1, set_disable_deny_scripts),
    ("set-skip-checksum-validation", 1..=1, set_skip_checksum_validation),
    ("sleep", 1..=1, sleep),
    ("slotmigration", 2..=2, absent::cluster),
    ("stringmatch-test", 0..=0, stringmatch_test),
    ("structsize", 0..=0, value::structsize),
];

const HELP: &[&str] = &[
    "AOF-FLUSH-SLEEP <microseconds>",
    "    Hold each write of the append only file up.",
    "ASSERT",
    "    End the server as a failed assertion would.",
    "CHANGE-REPL-ID",
    "    Refused: this server has no replicas and is none.",
    "CLIENT-ENFORCE-REPLY-LIST <0|1>",
    "    Whether limits of output count all of it, as if no reply buffer held any.",
    "CLIENT-EVICTION",
    "    Show how many clients take how much, while maxmemory-clients is set.",
    "CLOSE-CLUSTER-LINK-ON-PACKET-DROP <0|1>",
    "    Refused: this server is no node of a cluster.",
    "CLUSTERLINK KILL <to|from|all> <node>",
    "    Refused: this server is no node of a cluster.",
    "CONFIG-REWRITE-FORCE-ALL",
    "    As CONFIG REWRITE, but also with what is at its default.",
    "CRASH-AND-RECOVER [<milliseconds>]",
    "    Start anew after so long, without saving anything or ending in order.",
    "DELAY-RDB-CLIENT-FREE-SECOND <seconds>",
    "    Refused: this server has no replicas and is none.",
    "DICT-RESIZING <0|1>",
    "    Accepted for the sake of tests; tables grow a segment at a time.",
    "DIGEST",
    "    Show a hash of all keys and values.",
    "DIGEST-VALUE <key> [<key> ...]",
    "    Show a hash of each key's value.",
    "DISABLE-CLUSTER-RANDOM-PING <0|1>",
    "    Refused: this server is no node of a cluster.",
    "DISABLE-CLUSTER-RECONNECTION <0|1>",
    "    Refused: this server is no node of a cluster.",
    "DROP-CLUSTER-PACKET-FILTER <type>",
    "    Refused: this server is no node of a cluster.",
    "ERROR <text>",
    "    Answer with this error.",
    "FORCE-FREE-PRIMARY-ASYNC <0|1>",
    "    Refused: this server has no replicas and is none.",
    "FORCE-TLS-WRITE-ERROR <0|1>",
    "    Refused: there are no connections with TLS.",
    "HASHTABLE-CAN-ABORT-SHRINK <0|1>",
    "    Accepted for the sake of tests; tables do not shrink in steps.",
    "HTSTATS <database> [FULL]",
    "    Show figures on the tables of a database.",
    "HTSTATS-KEY <key> [FULL]",
    "    Refused: the tables inside of values are not shown.",
    "LEAK <text>",
    "    Lose the memory of a text.",
    "LISTPACK <key>",
    "    Print the listpack of a small collection on the standard output.",
    "LOADAOF",
    "    Drop the data and load the append only file.",
    "LOG <text>",
    "    Write a line to the log.",
    "MALLCTL <control> [<value>]",
    "    Show a number of the allocator, or change it.",
    "MALLCTL-STR <control>",
    "    Show a text of the allocator.",
    "OBJECT <key> [FAST]",
    "    Show how a value is kept.",
    "OOM",
    "    End the server as a lack of memory would.",
    "PANIC",
    "    End the server as an error in it would.",
    "PAUSE-AFTER-FORK <0|1>",
    "    Accepted for the sake of tests; the server never forks.",
    "PAUSE-CRON <0|1>",
    "    Let periodic work rest.",
    "POPULATE <count> [<prefix>] [<size>]",
    "    Create string keys 'key:<number>', or with another prefix; none that exists is changed.",
    "PROTECT-CLIENT <id>",
    "    Refused: no connection is closed while a command of it runs.",
    "PROTOCOL <type>",
    "    Answer with an example of a type of the protocol: string, integer, double, bignum,",
    "    null, array, set, map, attrib, push, verbatim, true or false.",
    "QUICKLIST <key> [0|1]",
    "    Print the nodes of a large list on the standard output, with 1 also what is in them.",
    "QUICKLIST-PACKED-THRESHOLD <bytes>",
    "    From which length on an element gets a node for itself, in lists that become large from",
    "    now on; 0 is as configured.",
    "RELOAD [MERGE] [NOFLUSH] [NOSAVE]",
    "    Save the data, drop it and load it again. NOSAVE loads the file that is there, NOFLUSH",
    "    drops nothing, MERGE lets keys of the file take the place of those that are there.",
    "REPLICATE <text>",
    "    Refused: this server has no replicas and is none.",
    "REPLYBUFFER PEAK-RESET-TIME <milliseconds|NEVER|RESET>",
    "    How long the largest reply of a client is remembered.",
    "REPLYBUFFER RESIZING <0|1>",
    "    Whether reply buffers change their size.",
    "RESTART [<milliseconds>]",
    "    Write the configuration, save, end in order, and start anew after so long.",
    "SDSLEN <key>",
    "    Show the lengths of a key and its string.",
    "SEGFAULT",
    "    End the server as a bad access to memory would.",
    "SET-ACTIVE-EXPIRE <0|1>",
    "    Whether keys go when their time has come, or only when somebody asks for them.",
    "SET-DISABLE-DENY-SCRIPTS <0|1>",
    "    Whether scripts may call what they otherwise must not.",
    "SET-SKIP-CHECKSUM-VALIDATION <0|1>",
    "    Whether payloads and files are read whatever their checksum says.",
    "SLEEP <seconds>",
    "    Hold the whole server up for so long; fractions are allowed.",
    "SLOTMIGRATION <PREVENT-PAUSE|PREVENT-FAILOVER> <0|1>",
    "    Refused: this server is no node of a cluster.",
    "STRINGMATCH-TEST",
    "    Match random patterns against random texts.",
    "STRUCTSIZE",
    "    Show the sizes of what keys are made of.",
];

const FORBIDDEN: &str = "ERR DEBUG command not allowed. If the enable-debug-command option is set \
to \"local\", you can run it from a local connection, otherwise you need to set this option in the \
configuration file, and then restart the server.";

/// Most bytes of an unknown subcommand that an error repeats.
const SHOWN_MAX: usize = 128;

/// DEBUG subcommand \[arg ...\] - depends on the subcommand.
fn debug(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let local = is_local(&call.session.client);
    if !call.server.config.lock().allows(Id::EnableDebugCommand, local) {
        return Err(Error::Text(FORBIDDEN));
    }
    let name = args[1];
    let words = args.len() - 2;
    let found = SUBCOMMANDS.iter().find(|(known, takes, _)| {
        name.eq_ignore_ascii_case(known.as_bytes()) && takes.contains(&words)
    });
    match found {
        Some((_, _, run)) => run(call, args),
        None => refuse(call, name),
    }
}

fn refuse(call: &mut Call<'_, '_>, name: &[u8]) -> Result<(), Error> {
    let shown = printed(name, SHOWN_MAX);
    let head = spec::error::WRONG_SUBCOMMAND.as_bytes();
    call.fail([head, shown, b"'. Try DEBUG HELP."].concat())
}

fn help(call: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    write_help(call, HELP)
}

fn config_rewrite_force_all(call: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    write_file(call, true)
}

/// Answers with the very text, which is an error by its place and not by what it says.
fn error(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    call.out.error_bytes(args[2]);
    Err(Error::Written)
}

fn log(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    log::warn!("DEBUG LOG: {}", lossy(args[2]));
    call.out.ok();
    Ok(())
}

fn client_enforce_reply_list(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    call.server.knobs.reply_list_only.store(is_on(args[2]), Ordering::SeqCst);
    call.out.ok();
    Ok(())
}

fn aof_flush_sleep(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let us = args.int(2)?.max(0) as u64;
    call.server.aof.flush_sleep_us.store(us, Ordering::SeqCst);
    call.out.ok();
    Ok(())
}

fn loadaof(call: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    aof::flush(call.server, false);
    tracking::invalidate_all(call.server, call.local, call.session.id());
    call.server.put_state(State::LOADING, true);
    let reloaded = aof::reload(call.server, call.local, call.held);
    call.server.put_state(State::LOADING, false);
    if let Err(reason) = reloaded {
        log::warn!("Loading the append only file: {reason}");
        return call.fail("ERR Error trying to load the AOF files, check server logs.");
    }
    log::info!("Append Only File loaded by DEBUG LOADAOF");
    call.out.ok();
    Ok(())
}

fn quicklist_packed_threshold(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    /// A listpack holds no more, with a little room for what stands around an element.
    const MOST: u64 = (1 << 32) - (1 << 20);
    let bytes = crate::config::memory_size(args[2]).filter(|bytes| *bytes <= MOST);
    let bytes = bytes.ok_or(Error::Text(
        "ERR argument must be a memory value bigger than 1 and smaller than 4gb",
    ))?;
    call.server.knobs.list_packed.store(bytes as usize, Ordering::SeqCst);
    call.server.publish_tunables(&call.server.config.lock());
    call.local.tunables = call.server.tunables.load_full();
    call.out.ok();
    Ok(())
}

/// Short patterns of few different bytes, so that many of them match something.
fn stringmatch_test(call: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    const ROUNDS: usize = 100_000;
    const LEN_MAX: usize = 32;
    let rng = &mut call.local.rng;
    for _ in 0..ROUNDS {
        let mut made = || -> Vec<u8> {
            (0..rng.usize(0..=LEN_MAX)).map(|_| b"ab*?[]^-\\x"[rng.usize(0..10)]).collect()
        };
        let (pattern, text) = (made(), made());
        commands::glob::matches(&pattern, &text, false);
    }
    call.out.simple("Apparently the server did not crash: test passed");
    Ok(())
}

fn pause_cron(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    call.server.knobs.cron_paused.store(is_on(args[2]), Ordering::SeqCst);
    call.out.ok();
    Ok(())
}

fn set_active_expire(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    call.server.active_expire.store(is_on(args[2]), Ordering::SeqCst);
    call.server.tell_all(|| Message::Look);
    call.out.ok();
    Ok(())
}

fn set_disable_deny_scripts(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    call.server.knobs.scripts_may_all.store(is_on(args[2]), Ordering::Relaxed);
    call.out.ok();
    Ok(())
}

fn set_skip_checksum_validation(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    call.server.knobs.skips_checksums.store(is_on(args[2]), Ordering::SeqCst);
    call.server.publish_tunables(&call.server.config.lock());
    call.local.tunables = call.server.tunables.load_full();
    call.out.ok();
    Ok(())
}

/// Sleeps while every other worker waits at the gate, as a server with one thread would.
fn sleep(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let seconds = lossy(args[2]).trim().parse().unwrap_or(0.0);
    if let Ok(time) = Duration::try_from_secs_f64(seconds) {
        std::thread::sleep(time);
    }
    call.out.ok();
    Ok(())
}

fn populate(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let positive = |index: usize| match args.int(index) {
        Ok(number) if number >= 0 => Ok(number),
        _ => Err(Error::Text(spec::error::NOT_POSITIVE)),
    };
    let count = positive(2)?;
    let prefix = args.get(3).unwrap_or(b"key");
    let size = if args.len() > 4 { positive(4)? as usize } else { 0 };
    let mut db = call.db();
    for number in 0..count {
        let key = [prefix, b":", number.to_string().as_bytes()].concat();
        if db.peek(&key).is_some() {
            continue;
        }
        let mut value = format!("value:{number}").into_bytes();
        if size > 0 {
            value.resize(size, 0);
        }
        db.set(&key, NewValue::Bytes(&value), Ttl::Never);
    }
    call.out.ok();
    Ok(())
}

fn replybuffer(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let knobs = &call.server.knobs;
    let is = |word: &str| args[2].eq_ignore_ascii_case(word.as_bytes());
    if is("peak-reset-time") {
        let milliseconds = match args[3].to_ascii_lowercase().as_slice() {
            b"never" => -1,
            b"reset" => REPLY_PEAK_RESET_MS,
            _ => args.int(3)?,
        };
        knobs.reply_peak_reset_ms.store(milliseconds, Ordering::SeqCst);
    } else if is("resizing") {
        knobs.reply_resizing.store(is_on(args[3]), Ordering::SeqCst);
    } else {
        return refuse(call, args[1]);
    }
    call.out.ok();
    Ok(())
}

fn protocol(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let out = &mut *call.out;
    match args[2].to_ascii_lowercase().as_slice() {
        b"string" => out.bulk(b"Hello World"),
        b"integer" => out.int(12345),
        b"double" => out.double_text(b"3.141"),
        b"bignum" => out.big_number("1234567999999999999999999999999999999"),
        b"null" => out.null(),
        b"array" => {
            out.array(3);
            (0..3).for_each(|number| out.int(number));
        }
        b"set" => {
            out.set(3);
            (0..3).for_each(|number| out.int(number));
        }
        b"map" => {
            out.map(3);
            for number in 0..3 {
                out.int(number);
                out.bool(number == 1);
            }
        }
        b"attrib" => {
            if out.attribute(1) {
                out.bulk(b"key-popularity");
                out.array(2);
                out.bulk(b"key:123");
                out.int(90);
            }
            out.bulk(b"Some real reply following the attribute");
        }
        b"push" if out.proto() == Proto::Resp2 => {
            return Err(Error::Text("ERR RESP2 is not supported by this command"));
        }
        b"push" => {
            out.push(2);
            out.bulk(b"server-cpu-usage");
            out.int(42);
            out.bulk(b"Some real reply following the push reply");
        }
        b"verbatim" => out.verbatim("txt", b"This is a verbatim\nstring"),
        b"true" => out.bool(true),
        b"false" => out.bool(false),
        _ => {
            return Err(Error::Text(
                "ERR Wrong protocol type name. Please use one of the following: \
                 string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false",
            ));
        }
    }
    Ok(())
}

/// A switch as `atoi` reads it: any number but 0 is on.
fn is_on(word: &[u8]) -> bool {
    lossy(word).trim().parse::<i64>().is_ok_and(|number| number != 0)
}

#[cfg(test)]
mod tests;
