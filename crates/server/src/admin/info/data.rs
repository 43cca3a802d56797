//! The data: its safety, its copies, its amount.

use std::sync::atomic::{AtomicBool, Ordering};

use keyspace::Kind;
use spec::config::Id;

use super::Report;
use crate::aof::Phase;
use crate::session::State;
use crate::snapshot::Purpose;

pub(super) fn persistence(report: &mut Report<'_, '_>) {
    let server = report.server;
    let is_loading = server.state().any(State::LOADING);
    let state = &server.persistence;
    report.field("loading", u8::from(is_loading));
    report.zeros(&["async_loading", "current_cow_peak", "current_cow_size"]);
    report.zeros(&["current_cow_size_age"]);
    let (progress, saves) = (state.snapshots.progress(), &state.saves);
    let (done, total) = progress.map_or((0, 0), |progress| (progress.done, progress.total));
    let percent = done as f64 / total.max(1) as f64 * 100.0;
    let save = progress.filter(|progress| progress.purpose == Purpose::Save);
    let seconds = save.map_or(-1, |progress| progress.began.elapsed().as_secs() as i64);
    let status = if saves.has_failed.load(Ordering::Relaxed) { "err" } else { "ok" };
    report.fields(&[
        ("current_fork_perc", &format_args!("{percent:.2}")),
        ("current_save_keys_processed", &done),
        ("current_save_keys_total", &total),
        ("rdb_changes_since_last_save", &server.dirty()),
        ("rdb_bgsave_in_progress", &u8::from(save.is_some())),
        ("rdb_last_save_time", &saves.last_s.load(Ordering::Relaxed)),
        ("rdb_last_bgsave_status", &status),
        ("rdb_last_bgsave_time_sec", &saves.took_s.load(Ordering::Relaxed)),
        ("rdb_current_bgsave_time_sec", &seconds),
        ("rdb_saves", &saves.count.load(Ordering::Relaxed)),
        ("rdb_last_cow_size", &0),
        ("rdb_last_load_keys_expired", &state.keys_expired.load(Ordering::Relaxed)),
        ("rdb_last_load_keys_loaded", &state.keys_loaded.load(Ordering::Relaxed)),
    ]);
    append_only_file(report);
    report.fields(&[
        ("module_fork_in_progress", &0),
        ("module_fork_last_cow_size", &0),
        ("slot_migration_fork_in_progress", &0),
    ]);
    if is_loading {
        loading(report);
    }
}

fn append_only_file(report: &mut Report<'_, '_>) {
    let aof = &report.server.aof;
    let (is_on, rewrites) = (aof.phase() != Phase::Off, &aof.rewrites);
    let status = |well: bool| if well { "ok" } else { "err" };
    let flag = |flag: &AtomicBool| flag.load(Ordering::Relaxed);
    let progress = report.server.persistence.snapshots.progress();
    let current = progress.filter(|progress| progress.purpose == Purpose::Rewrite);
    let current = current.map(|progress| progress.began.elapsed().as_secs() as i64);
    report.fields(&[
        ("aof_enabled", &u8::from(is_on)),
        ("aof_rewrite_in_progress", &u8::from(current.is_some())),
        ("aof_rewrite_scheduled", &u8::from(flag(&rewrites.is_scheduled))),
        ("aof_last_rewrite_time_sec", &rewrites.took_s.load(Ordering::Relaxed)),
        ("aof_current_rewrite_time_sec", &current.unwrap_or(-1)),
        ("aof_last_bgrewrite_status", &status(!flag(&rewrites.has_failed))),
        ("aof_rewrites", &rewrites.count.load(Ordering::Relaxed)),
        ("aof_rewrites_consecutive_failures", &rewrites.failures.load(Ordering::Relaxed)),
        ("aof_last_write_status", &status(aof.trouble().is_none())),
        ("aof_last_cow_size", &0),
    ]);
    if is_on {
        let figures = &aof.figures;
        report.fields(&[
            ("aof_current_size", &figures.size.load(Ordering::Relaxed)),
            ("aof_base_size", &figures.base_size.load(Ordering::Relaxed)),
            ("aof_pending_rewrite", &u8::from(aof.phase() == Phase::Waits)),
            ("aof_buffer_length", &aof.waiting()),
            ("aof_pending_bio_fsync", &u8::from(figures.syncing.load(Ordering::Relaxed))),
            ("aof_delayed_fsync", &figures.delayed.load(Ordering::Relaxed)),
        ]);
    }
}

/// How far the load is. The time that is left follows from the time that it took so far.
fn loading(report: &mut Report<'_, '_>) {
    let progress = &report.server.persistence.progress;
    let began_s = progress.began_s.load(Ordering::Relaxed);
    let (read, total) =
        (progress.read.load(Ordering::Relaxed), progress.total.load(Ordering::Relaxed));
    let seconds = (report.now_us / 1_000_000 - began_s).max(0) as u64;
    let rate = read / seconds.max(1) + 1;
    let percent = read as f64 / total.max(1) as f64 * 100.0;
    report.fields(&[
        ("loading_start_time", &began_s),
        ("loading_total_bytes", &total),
        ("loading_rdb_used_mem", &progress.used_memory.load(Ordering::Relaxed)),
        ("loading_loaded_bytes", &read),
        ("loading_loaded_perc", &format_args!("{percent:.2}")),
        ("loading_eta_seconds", &(total.saturating_sub(read) / rate)),
    ]);
}

pub(super) fn replication(report: &mut Report<'_, '_>) {
    let server = report.server;
    let backlog_size = server.config.lock().memory(Id::ReplBacklogSize);
    report.fields(&[
        ("role", &"master"),
        ("connected_slaves", &0),
        ("replicas_waiting_psync", &0),
        ("master_failover_state", &"no-failover"),
        ("master_replid", &server.run_id),
        ("master_replid2", &"0".repeat(40)),
        ("master_repl_offset", &0),
        ("second_repl_offset", &-1),
        ("repl_backlog_active", &0),
        ("repl_backlog_size", &backlog_size),
        ("repl_backlog_first_byte_offset", &0),
        ("repl_backlog_histlen", &0),
    ]);
}

/// The biggest keys of each type.
pub(super) fn bigkeys(report: &mut Report<'_, '_>) {
    const SHOWN: usize = 10;
    let kinds = [
        (Kind::String, "string"),
        (Kind::List, "list"),
        (Kind::Set, "set"),
        (Kind::Zset, "zset"),
        (Kind::Hash, "hash"),
        (Kind::Stream, "stream"),
        (Kind::Array, "array"),
    ];
    for (kind, name) in kinds {
        let keys = report.server.keyspace.biggest(report.held, kind, SHOWN);
        let what = if kind == Kind::String { "bytes" } else { "elements" };
        for (number, big) in keys.iter().enumerate() {
            let key = big.key.escape_ascii();
            report.line(format_args!(
                "biggest_{name}_{number}:db={},{what}={},key={key}",
                big.db, big.size
            ));
        }
    }
}

/// Four values a database and not more: programs that read these lines count them.
pub(super) fn keyspace(report: &mut Report<'_, '_>) {
    let all = report.server.keyspace.totals(report.held);
    for (db, totals) in all.iter().enumerate().filter(|(_, totals)| totals.keys > 0) {
        let expires = i128::from(totals.expires);
        let mean = totals.deadline_sum.checked_div(expires);
        let avg_ttl = mean.map_or(0, |deadline| deadline - i128::from(report.now_us / 1000));
        report.line(format_args!(
            "db{db}:keys={},expires={expires},avg_ttl={},keys_with_volatile_items={}",
            totals.keys,
            avg_ttl.max(0),
            totals.volatile,
        ));
    }
}
