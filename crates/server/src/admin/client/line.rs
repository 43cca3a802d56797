//! A client as one line of `field=value` words: the format of CLIENT LIST, CLIENT INFO and the log.

use std::io::Write;
use std::sync::atomic::Ordering;

use crate::footprint;
use crate::registry::Client;
use crate::rows::Rows;
use crate::session::State;
use crate::tracking::Mode;

/// What stands in the place of what must not be told.
const REDACTED: &[u8] = b"*redacted*";

/// The figures that the caller may know better than the registry.
pub(super) struct View {
    /// Bytes in the query buffer, and how many more fit.
    pub(super) query: u64,
    pub(super) query_free: u64,
    /// Bytes of arguments.
    pub(super) argv: u64,
    /// Whether what the client chose itself is left out, as the log may have to.
    pub(super) redacted: bool,
}

impl View {
    /// As of the end of the client's last turn.
    pub(super) fn of(client: &Client) -> Self {
        let number = |from: &std::sync::atomic::AtomicU64| from.load(Ordering::Relaxed);
        Self {
            query: number(&client.query),
            query_free: number(&client.query_free),
            argv: number(&client.argv),
            redacted: false,
        }
    }
}

/// The letters that stand for states, in the order in which they are shown.
pub(super) fn flags(client: &Client) -> String {
    let state = client.state();
    let mode = client.tracker.get().map_or(Mode::default(), |tracker| tracker.mode());
    let letters = [
        ('O', state.any(State::MONITOR)),
        ('P', state.any(State::SUBSCRIBED)),
        ('x', state.any(State::MULTI)),
        ('b', state.any(State::HELD) || client.is_waiting()),
        ('t', mode.any(Mode::ON)),
        ('R', mode.any(Mode::BROKEN)),
        ('B', mode.any(Mode::BCAST)),
        ('d', client.watcher.is_touched()),
        ('c', state.any(State::CLOSING)),
        ('A', client.is_killed()),
        ('U', client.unix),
        ('e', state.any(State::NO_EVICT)),
        ('T', state.any(State::NO_TOUCH)),
        ('I', state.any(State::IMPORT_SOURCE)),
    ];
    let shown: String = letters.iter().filter(|(_, on)| *on).map(|(letter, _)| letter).collect();
    if shown.is_empty() { "N".to_owned() } else { shown }
}

/// Appends the line, without an end of line. Writing into memory does not fail.
pub(super) fn write(client: &Client, view: &View, rows: &Rows, now_ms: i64, text: &mut Vec<u8>) {
    let number = |from: &std::sync::atomic::AtomicU64| from.load(Ordering::Relaxed);
    let profile = client.profile.lock();
    let seconds = now_ms / 1000;
    drop(write!(
        text,
        "id={} addr={} laddr={} fd={} name=",
        client.id, client.addr, client.laddr, client.fd
    ));
    let redact = |shown: &[u8]| if view.redacted { REDACTED.to_vec() } else { shown.to_vec() };
    text.extend_from_slice(&redact(&profile.name));
    drop(write!(
        text,
        " age={} idle={} flags={} capa={} db={}",
        (seconds - client.since_ms / 1000).max(0),
        client.idle_seconds(now_ms),
        flags(client),
        profile.capa,
        client.db.load(Ordering::Relaxed),
    ));
    let View { query, query_free, argv, .. } = *view;
    let multi_bytes = footprint::of_transaction(client);
    drop(write!(
        text,
        " sub={} psub={} ssub={} multi={} watch={} qbuf={query} qbuf-free={query_free} \
         argv-mem={argv} multi-mem={multi_bytes}",
        number(&client.subscriptions[0]),
        number(&client.subscriptions[1]),
        number(&client.subscriptions[2]),
        number(&client.queued) as i64 - 1,
        if client.watcher.is_touched() { 0 } else { number(&client.watching) },
    ));
    let (output, size) = (number(&client.output), number(&client.reply_buffer));
    let beyond = output.saturating_sub(size);
    drop(write!(
        text,
        " rbs={size} rbp={} obl={} oll={} omem={beyond} tot-mem={}",
        number(&client.reply_peak),
        output.min(size),
        beyond.div_ceil(size.max(1)),
        query + query_free + argv + output + footprint::beside_buffers(client),
    ));
    let command = client.command.load(Ordering::Relaxed).checked_sub(1);
    let command = command.and_then(|id| rows.by_id(id as spec::command::Id));
    drop(write!(
        text,
        " events={} cmd={} user={} redir={} resp={} lib-name=",
        if output > 0 { "rw" } else { "r" },
        command.map_or("NULL", |row| row.name),
        String::from_utf8_lossy(&redact(profile.user.as_bytes())),
        client.tracker.get().map_or(-1, |tracker| tracker.redirection()),
        client.resp.load(Ordering::Relaxed),
    ));
    text.extend_from_slice(&profile.lib_name);
    text.extend_from_slice(b" lib-ver=");
    text.extend_from_slice(&profile.lib_ver);
    drop(write!(
        text,
        " tot-net-in={} tot-net-out={} tot-cmds={}",
        number(&client.bytes_in),
        number(&client.bytes_out),
        number(&client.commands),
    ));
}
