//! The connections.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Report;
use crate::session::State;

pub(super) fn clients(report: &mut Report<'_, '_>) {
    let server = report.server;
    let waiters = server.blocked.clients();
    let (mut input, mut output, mut blocked, mut watching, mut subscribed) =
        (0, 0, waiters.waiting, 0u64, 0u64);
    server.clients.each(|client| {
        let held = |bytes: &AtomicU64| bytes.load(Ordering::Relaxed);
        input = input.max(held(&client.query) + held(&client.query_free) + held(&client.argv));
        output = output.max(held(&client.output));
        subscribed += u64::from(client.state().any(State::SUBSCRIBED));
        watching += u64::from(held(&client.watching) > 0);
        blocked += u64::from(client.state().any(State::HELD));
    });
    let maxclients = server.tunables.load().maxclients;
    report.fields(&[
        ("connected_clients", &server.clients.count()),
        ("cluster_connections", &0),
        ("maxclients", &maxclients),
        ("client_recent_max_input_buffer", &input),
        ("client_recent_max_output_buffer", &output),
        ("blocked_clients", &blocked),
    ]);
    let keys = server.blocked.keys();
    report.fields(&[
        ("tracking_clients", &server.tracking.totals().clients),
        ("pubsub_clients", &subscribed),
        ("watching_clients", &watching),
        ("clients_in_timeout_table", &waiters.with_timeout),
        ("total_watched_keys", &server.keyspace.watches().len()),
        ("total_blocking_keys", &keys.keys),
        ("total_blocking_keys_on_nokey", &keys.on_loss),
    ]);
    let actions = match server.state() {
        state if state.any(State::PAUSED_ALL) => "all",
        state if state.any(State::PAUSED_WRITE) => "write",
        _ => "none",
    };
    let reason = if actions == "none" { "none" } else { "client_pause" };
    let left_ms = server.pause_left_ms(report.now_us / 1000);
    let left_ms = if actions == "none" { 0 } else { left_ms.max(0) };
    report.fields(&[
        ("paused_reason", &reason),
        ("paused_actions", &actions),
        ("paused_timeout_milliseconds", &left_ms),
    ]);
}
