//! Publish and subscribe: SUBSCRIBE and its kin, PUBLISH, PUBSUB, and how messages reach those who
//! subscribe.
//!
//! A message enters the inbox of every worker with subscribers (`exchange`); each worker hands it
//! to its own (`readers`). Invariant: a connection sees messages and its own replies in one order,
//! as if there were one thread: before and after each of its commands it is given what was
//! published until then. What it gets inside a transaction waits for the end of EXEC's reply.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use commands::{Args, Error};
use resp::{Proto, Writer};

use crate::admin::help;
use crate::call::Call;
use crate::local::Local;
use crate::rows::SessionHandler;
use crate::server::Server;
use crate::session::{Session, State};
use crate::{monitor, tracking};

mod exchange;
mod message;
mod readers;
mod run;

pub use exchange::Exchange;
pub use message::Kind;
pub use readers::{Reader, Readers, Subscriptions};
pub use run::Run;

pub(crate) const HANDLERS: &[(&str, SessionHandler)] = &[
    ("psubscribe", psubscribe),
    ("publish", publish),
    ("pubsub|channels", pubsub_channels),
    ("pubsub|help", pubsub_help),
    ("pubsub|numpat", pubsub_numpat),
    ("pubsub|numsub", pubsub_numsub),
    ("pubsub|shardchannels", pubsub_shardchannels),
    ("pubsub|shardnumsub", pubsub_shardnumsub),
    ("punsubscribe", punsubscribe),
    ("spublish", spublish),
    ("ssubscribe", ssubscribe),
    ("subscribe", subscribe),
    ("sunsubscribe", sunsubscribe),
    ("unsubscribe", unsubscribe),
];

/// Messages of this size are sent from where they are and not copied for each subscriber.
const SHARED_MIN: usize = 16 << 10;

/// SUBSCRIBE channel \[channel ...\] - O(1) for each channel.
fn subscribe(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    join_all(call, Kind::Channel, b"subscribe", args)
}

/// PSUBSCRIBE pattern \[pattern ...\] - O(log N) in the patterns for each.
fn psubscribe(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    join_all(call, Kind::Pattern, b"psubscribe", args)
}

/// SSUBSCRIBE shardchannel \[shardchannel ...\] - O(1) for each channel.
fn ssubscribe(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    join_all(call, Kind::Shard, b"ssubscribe", args)
}

/// UNSUBSCRIBE \[channel ...\] - O(1) for each channel.
fn unsubscribe(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    leave_all(call, Kind::Channel, b"unsubscribe", args)
}

/// PUNSUBSCRIBE \[pattern ...\] - O(log N) in the patterns for each.
fn punsubscribe(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    leave_all(call, Kind::Pattern, b"punsubscribe", args)
}

/// SUNSUBSCRIBE \[shardchannel ...\] - O(1) for each channel.
fn sunsubscribe(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    leave_all(call, Kind::Shard, b"sunsubscribe", args)
}

/// PUBLISH channel message - O(N+M) with N subscribers and M patterns.
fn publish(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let receivers = send(call.server, call.local, Kind::Channel, args[1], args[2]);
    call.out.int(receivers as i64);
    Ok(())
}

/// SPUBLISH shardchannel message - O(N) with N subscribers.
fn spublish(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let receivers = send(call.server, call.local, Kind::Shard, args[1], args[2]);
    call.out.int(receivers as i64);
    Ok(())
}

/// PUBSUB CHANNELS \[pattern\] - O(N) with N channels.
fn pubsub_channels(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    list(call, Kind::Channel, args)
}

/// PUBSUB SHARDCHANNELS \[pattern\] - O(N) with N shard channels.
fn pubsub_shardchannels(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    list(call, Kind::Shard, args)
}

/// PUBSUB NUMSUB \[channel ...\] - O(1) for each channel.
fn pubsub_numsub(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    count(call, Kind::Channel, args);
    Ok(())
}

/// PUBSUB SHARDNUMSUB \[shardchannel ...\] - O(1) for each channel.
fn pubsub_shardnumsub(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    count(call, Kind::Shard, args);
    Ok(())
}

/// PUBSUB NUMPAT - O(1).
fn pubsub_numpat(call: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    call.out.int(call.server.exchange.names(Kind::Pattern) as i64);
    Ok(())
}

/// PUBSUB HELP - O(1).
fn pubsub_help(call: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    help(call, HELP)
}

/// What a script publishes while it may still be undone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeptBack {
    kind: Kind,
    channel: Vec<u8>,
    payload: Vec<u8>,
}

/// Publishes what was kept back.
pub fn send_all(server: &Server, local: &mut Local, messages: Vec<KeptBack>) {
    for KeptBack { kind, channel, payload } in messages {
        send(server, local, kind, &channel, &payload);
    }
}

/// Publishes a message; returns how many subscribers get it. What a script says is kept back until
/// it is over.
pub fn send(server: &Server, local: &mut Local, kind: Kind, channel: &[u8], payload: &[u8]) -> u64 {
    if let Some(messages) = local.kept_back.as_mut().filter(|_| kind != Kind::Monitor) {
        let receivers = server.exchange.receivers(kind, channel);
        if receivers > 0 {
            let (channel, payload) = (channel.to_vec(), payload.to_vec());
            messages.push(KeptBack { kind, channel, payload });
        }
        return receivers;
    }
    let sent = server.exchange.publish(kind, channel, payload);
    local.told |= sent.workers;
    if sent.is_crowded {
        server.put_state(State::CROWDED, true);
    }
    sent.receivers
}

fn list(call: &mut Call<'_, '_>, kind: Kind, args: &Args<'_>) -> Result<(), Error> {
    let pattern = args.from(2);
    if pattern.len() > 1 {
        let name = String::from_utf8_lossy(args[1]).into_owned();
        return call.fail(format!(
            "ERR unknown subcommand or wrong number of arguments for '{name}'. Try PUBSUB HELP."
        ));
    }
    let is_wanted = |name: &[u8]| {
        pattern.first().is_none_or(|pattern| commands::glob::matches(pattern, name, false))
    };
    let names = call.server.exchange.list(kind, is_wanted);
    call.out.array(names.len());
    names.iter().for_each(|name| call.out.bulk(name));
    Ok(())
}

fn count(call: &mut Call<'_, '_>, kind: Kind, args: &Args<'_>) {
    call.out.array(args.from(2).len() * 2);
    for name in args.from(2) {
        call.out.bulk(name);
        call.out.int(call.server.exchange.subscribers(kind, name) as i64);
    }
}

fn join_all(
    call: &mut Call<'_, '_>,
    kind: Kind,
    word: &[u8],
    args: &Args<'_>,
) -> Result<(), Error> {
    for name in args.from(1) {
        join(call, kind, name);
        confirm(call, kind, word, Some(name));
    }
    Ok(())
}

/// Begins one subscription, if there is no such one.
pub fn join(call: &mut Call<'_, '_>, kind: Kind, name: &[u8]) {
    if call.session.subscriptions.as_ref().is_some_and(|mine| mine.has(kind, name)) {
        return;
    }
    let seat = call.server.exchange.join(kind, name, call.local.id);
    catch_up(call.server, call.local, call.session, call.out, seat.number);
    call.session.seen = call.session.seen.max(seat.number);
    call.session.subscriptions.get_or_insert_default().add(kind, name);
    call.local.readers.add(seat.place, name, reader(call.session));
    tell_others(call.session);
}

fn leave_all(
    call: &mut Call<'_, '_>,
    kind: Kind,
    word: &[u8],
    args: &Args<'_>,
) -> Result<(), Error> {
    let mine = call.session.subscriptions.as_ref();
    let names: Vec<Box<[u8]>> = match args.from(1) {
        [] => mine.map_or_else(Vec::new, |mine| mine.names(kind)),
        names => names.iter().map(|name| (*name).into()).collect(),
    };
    if names.is_empty() {
        confirm(call, kind, word, None);
    }
    for name in &names {
        leave(call.server, call.local, call.session, Some(call.out), kind, name);
        confirm(call, kind, word, Some(name));
    }
    Ok(())
}

/// Ends one subscription, if there is such a one. What was published before still goes to `out`.
fn leave(
    server: &Server,
    local: &mut Local,
    session: &mut Session,
    out: Option<&mut Writer>,
    kind: Kind,
    name: &[u8],
) {
    if !session.subscriptions.as_ref().is_some_and(|mine| mine.has(kind, name)) {
        return;
    }
    let seat = server.exchange.leave(kind, name, local.id);
    if let Some(out) = out {
        catch_up(server, local, session, out, seat.number);
    }
    local.readers.remove(seat.place, name, reader(session));
    if let Some(mine) = &mut session.subscriptions {
        mine.remove(kind, name);
    }
    session.subscriptions.take_if(|mine| mine.is_empty());
    tell_others(session);
    if kind == Kind::Monitor {
        monitor::left(server);
    }
}

/// Ends all subscriptions of a session, without a word to its client.
pub fn forget(server: &Server, local: &mut Local, session: &mut Session) {
    for kind in Kind::ALL {
        let mine = session.subscriptions.as_ref();
        for name in mine.map_or_else(Vec::new, |mine| mine.names(kind)) {
            leave(server, local, session, None, kind, &name);
        }
    }
}

/// Confirms a subscription or its end. Shard channels are counted by themselves.
fn confirm(call: &mut Call<'_, '_>, kind: Kind, word: &[u8], name: Option<&[u8]>) {
    let len = |kind| call.session.subscriptions.as_ref().map_or(0, |mine| mine.len(kind));
    let count = match kind {
        Kind::Shard => len(Kind::Shard),
        Kind::Channel | Kind::Pattern | Kind::Monitor => len(Kind::Channel) + len(Kind::Pattern),
    };
    call.out.push(3);
    call.out.bulk(word);
    match name {
        Some(name) => call.out.bulk(name),
        None => call.out.null(),
    }
    call.out.int(count as i64);
}

fn reader(session: &Session) -> Reader {
    Reader { slot: session.client.slot, id: session.id() }
}

/// Tells others how many subscriptions there are.
fn tell_others(session: &mut Session) {
    let mine = session.subscriptions.as_ref();
    for kind in Kind::ALL {
        let len = mine.map_or(0, |mine| mine.len(kind));
        session.client.subscriptions[kind as usize].store(len as u64, Ordering::Relaxed);
    }
    let is_subscriber = mine.is_some_and(|mine| mine.has_messages());
    let is_monitor = mine.is_some_and(|mine| mine.len(Kind::Monitor) > 0);
    session.put(State::SUBSCRIBED, is_subscriber);
    session.put(State::MONITOR, is_monitor);
}

/// Gives a session the messages up to a number that it has not seen: to `out`, or inside a
/// transaction to what follows its reply.
pub fn catch_up(
    server: &Server,
    local: &mut Local,
    session: &mut Session,
    out: &mut Writer,
    number: u64,
) {
    local.readers.receive(&server.exchange, local.id);
    let Some(mine) = &session.subscriptions else { return };
    let (readers, proto) = (&local.readers, out.proto());
    let mut later = Writer::new(proto);
    let waits = session.state.any(State::DENY_BLOCKING);
    let out = if waits { &mut later } else { out };
    for message in readers.since(session.seen).take_while(|message| message.number <= number) {
        session.seen = message.number;
        if mine.has(message.kind, message.channel()) {
            put(out, message.plain(proto));
        }
        for (at, pattern) in message.patterns.iter().enumerate() {
            if mine.has(Kind::Pattern, pattern) {
                put(out, message.by_pattern(at, proto));
            }
        }
    }
    session.deferred.extend(later.chunks(0).flatten());
}

/// What a subscriber, or who caches keys, gets before and after each of its commands.
#[cold]
pub fn catch_up_all(server: &Server, local: &mut Local, session: &mut Session, out: &mut Writer) {
    if !session.deferred.is_empty() {
        out.raw(&std::mem::take(&mut session.deferred));
    }
    if session.state.any(State::TRACKS) {
        tracking::receive(server, local, session, out);
    }
    if session.subscriptions.is_some() {
        catch_up(server, local, session, out, u64::MAX);
    }
}

/// Writes a message.
pub fn put(out: &mut Writer, bytes: &Arc<Vec<u8>>) {
    if bytes.len() < SHARED_MIN { out.raw(bytes) } else { out.raw_shared(bytes) }
}

/// Whether a client is restricted to what a subscriber may do: without pushes it could not tell
/// messages from replies.
pub fn is_restricted(session: &Session, out: &Writer) -> bool {
    session.state.any(State::SUBSCRIBED) && out.proto() == Proto::Resp2
}

const HELP: &[&str] = &[
    "CHANNELS [<pattern>]",
    "    The channels that have subscribers and match the pattern.",
    "NUMPAT",
    "    How many different patterns have subscribers.",
    "NUMSUB [<channel> ...]",
    "    How many subscribers each channel has, those by pattern left out.",
    "SHARDCHANNELS [<pattern>]",
    "    The shard channels that have subscribers and match the pattern.",
    "SHARDNUMSUB [<shardchannel> ...]",
    "    How many subscribers each shard channel has.",
];
