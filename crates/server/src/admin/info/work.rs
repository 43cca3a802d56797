//! What the threads have done.

use super::Report;
use crate::commandlog;
use crate::pubsub::Kind;
use crate::sys::{self, CpuTimes, Whose};

/// What there is no such thing of: forks, replicas, a cluster, threads for input and output alone,
/// rules for users.
const ABSENT: &[&str] = &[
    "total_net_repl_input_bytes",
    "total_net_repl_output_bytes",
    "total_net_cluster_slot_import_bytes",
    "total_net_cluster_slot_export_bytes",
    "sync_full",
    "sync_partial_ok",
    "sync_partial_err",
    "hash_templates",
    "hash_template_keys",
    "latest_fork_usec",
    "total_forks",
    "slave_expires_tracked_keys",
    "unexpected_error_replies",
    "dump_payload_sanitizations",
    "io_threaded_reads_processed",
    "io_threaded_writes_processed",
    "io_threaded_freed_objects",
    "io_threaded_accept_processed",
    "io_threaded_poll_processed",
    "io_threaded_total_prefetch_batches",
    "io_threaded_total_prefetch_entries",
    "reply_buffer_shrinks",
    "reply_buffer_expands",
    "acl_access_denied_auth",
    "acl_access_denied_cmd",
    "acl_access_denied_key",
    "acl_access_denied_channel",
    "acl_access_denied_tls_cert",
    "acl_access_denied_db",
    "cluster_incompatible_ops",
];

/// A line a worker. The name is the one under which programs look for threads.
pub(super) fn threads(report: &mut Report<'_, '_>) {
    for (number, worker) in report.server.workers.iter().enumerate() {
        report.line(format_args!(
            "io_thread_{number}:clients={},reads={},writes={}",
            worker.load(),
            worker.stats.reads.get(),
            worker.stats.writes.get(),
        ));
    }
}

pub(super) fn stats(report: &mut Report<'_, '_>) {
    let server = report.server;
    let rate = server.rates.get();
    let (exceeding, exceeded) = server.excess.figures(report.now_us);
    let kilobytes = |bytes: u64| format!("{:.2}", bytes as f64 / 1024.0);
    report.fields(&[
        ("total_connections_received", &server.sum(|stats| stats.connections.get())),
        ("total_commands_processed", &server.sum(|stats| stats.processed.get())),
        ("instantaneous_ops_per_sec", &rate.commands),
        ("total_net_input_bytes", &server.sum(|stats| stats.bytes_in.get())),
        ("total_net_output_bytes", &server.sum(|stats| stats.bytes_out.get())),
        ("instantaneous_input_kbps", &kilobytes(rate.bytes_in)),
        ("instantaneous_output_kbps", &kilobytes(rate.bytes_out)),
        ("instantaneous_input_repl_kbps", &kilobytes(0)),
        ("instantaneous_output_repl_kbps", &kilobytes(0)),
        ("rejected_connections", &server.sum(|stats| stats.rejected_connections.get())),
        ("expired_keys", &server.sum(|stats| stats.expired.get())),
        ("expired_subkeys", &server.sum(|stats| stats.expired_fields.get())),
        ("expired_fields", &server.sum(|stats| stats.expired_fields.get())),
        ("expired_stale_perc", &"0.00"),
        ("expired_keys_with_volatile_items_stale_perc", &"0.00"),
        ("expired_time_cap_reached_count", &server.sum(|stats| stats.expire_capped.get())),
        ("expire_cycle_cpu_milliseconds", &(server.sum(|s| s.expire_ns.get()) / 1_000_000)),
        ("keyspace_hits", &server.sum(|stats| stats.hits.get())),
        ("keyspace_misses", &server.sum(|stats| stats.misses.get())),
        ("total_error_replies", &server.sum(|stats| stats.errors.get())),
        ("total_reads_processed", &server.sum(|stats| stats.reads.get())),
        ("migrate_cached_sockets", &server.sockets.count()),
        ("total_writes_processed", &server.sum(|stats| stats.writes.get())),
    ]);
    report.fields(&[
        (
            "client_query_buffer_limit_disconnections",
            &server.sum(|stats| stats.query_buffer_limit.get()),
        ),
        ("evicted_clients", &server.footprint.evicted()),
        ("evicted_keys", &server.sum(|stats| stats.evicted.get())),
        ("total_eviction_exceeded_time", &exceeded),
        ("current_eviction_exceeded_time", &exceeding),
        (
            "client_output_buffer_limit_disconnections",
            &server.sum(|stats| stats.output_buffer_limit.get()),
        ),
    ]);
    report.fields(&[
        ("pubsub_channels", &server.exchange.names(Kind::Channel)),
        ("pubsub_patterns", &server.exchange.names(Kind::Pattern)),
        ("pubsubshard_channels", &server.exchange.names(Kind::Shard)),
    ]);
    let slow = server.commandlog.totals(commandlog::Kind::Slow);
    report.fields(&[
        ("slowlog_commands_count", &slow.count),
        ("slowlog_commands_time_ms_sum", &(slow.sum / 1000)),
        ("slowlog_commands_time_ms_max", &(slow.max / 1000)),
    ]);
    event_loops(report);
    let tracked = server.tracking.totals();
    report.fields(&[
        ("tracking_total_keys", &tracked.keys),
        ("tracking_total_items", &tracked.items),
        ("tracking_total_prefixes", &tracked.prefixes),
    ]);
    report.field("evicted_scripts", report.server.scripting.figures().evicted);
    of_defrag(report);
    report.zeros(ABSENT);
}

fn of_defrag(report: &mut Report<'_, '_>) {
    let defrag = report.server.defrag.figures(report.now_us);
    report.fields(&[
        ("active_defrag_hits", &defrag.hits),
        ("active_defrag_misses", &defrag.misses),
        ("active_defrag_key_hits", &defrag.key_hits),
        ("active_defrag_key_misses", &defrag.key_misses),
        ("total_active_defrag_time", &defrag.total_ms),
        ("current_active_defrag_time", &defrag.current_ms),
    ]);
}

/// Sums over all workers, but of each worker's turns a second the mean: what is known of one event
/// loop must hold for each of several.
fn event_loops(report: &mut Report<'_, '_>) {
    let server = report.server;
    let rate = server.rates.get();
    let (processed, batches) =
        (server.sum(|stats| stats.processed.get()), server.sum(|stats| stats.batches.get()));
    let commands_a_batch = processed as f64 / batches.max(1) as f64;
    report.fields(&[
        ("eventloop_cycles", &server.sum(|stats| stats.cycles.get())),
        ("eventloop_duration_sum", &(server.sum(|stats| stats.cycles_ns.get()) / 1000)),
        ("eventloop_duration_cmd_sum", &(server.sum(|stats| stats.commands_ns.get()) / 1000)),
        ("instantaneous_eventloop_cycles_per_sec", &(rate.cycles / server.workers.len() as u64)),
        ("instantaneous_eventloop_duration_usec", &rate.cycle_us),
        ("total_client_processing_events", &batches),
        (
            "eventloop_cycles_with_clients_processing",
            &server.sum(|stats| stats.cycles_with_commands.get()),
        ),
        ("commands_per_parse_batch_sum", &processed),
        ("commands_per_parse_batch_cnt", &batches),
        ("commands_per_parse_batch_avg", &format_args!("{commands_a_batch:.2}")),
    ]);
}

/// The thread that answers stands for the main thread: it is one of those that run commands.
pub(super) fn cpu(report: &mut Report<'_, '_>) {
    let active_ns = report.server.sum(|stats| stats.cycles_ns.get());
    for (whose, suffix) in
        [(Whose::Process, ""), (Whose::Children, "_children"), (Whose::Thread, "_main_thread")]
    {
        let CpuTimes { system, user } = sys::cpu_times(whose);
        report.line(format_args!("used_cpu_sys{suffix}:{:.6}", system.as_secs_f64()));
        report.line(format_args!("used_cpu_user{suffix}:{:.6}", user.as_secs_f64()));
    }
    let active = active_ns as f64 / 1e9 / report.server.workers.len() as f64;
    report.field("used_active_time_main_thread", format_args!("{active:.6}"));
}

pub(super) fn debug(report: &mut Report<'_, '_>) {
    let server = report.server;
    let workers = || server.workers.iter();
    let longest_us = workers().map(|one| one.stats.cycle_ns_max.get()).max().unwrap_or(0) / 1000;
    let most = workers().map(|one| one.stats.cycle_commands_max.get()).max().unwrap_or(0);
    report.fields(&[
        ("eventloop_duration_aof_sum", &0),
        ("eventloop_duration_cron_sum", &(server.sum(|stats| stats.cron_ns.get()) / 1000)),
        ("eventloop_duration_max", &longest_us),
        ("eventloop_cmd_per_cycle_max", &most),
    ]);
    report.zeros(&[
        "allocator_allocated_lua",
        "allocator_active_lua",
        "allocator_resident_lua",
        "allocator_frag_bytes_lua",
        "io_threaded_reads_pending",
        "io_threaded_writes_pending",
    ]);
}
