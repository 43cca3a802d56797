//! Memory.

use spec::config::Id;

use super::Report;
use crate::admin::memory::{Picture, excess, ratio};
use crate::{allocator, cgroup, evict, version};

/// What replicas, a cluster and templates of hashes will need.
const OTHERS: &[&str] = &[
    "used_memory_hash_templates",
    "mem_replication_backlog",
    "mem_total_replication_buffers",
    "mem_replicas_repl_buffer",
    "mem_clients_slaves",
    "mem_cluster_links",
    "mem_cluster_slot_import",
    "mem_cluster_slot_export",
    "mem_cluster_slot_migration_output_buffer",
    "mem_cluster_slot_migration_input_buffer",
    "mem_cluster_slot_migration_input_buffer_peak",
    "mem_overhead_db_hashtable_rehashing",
];

pub(super) fn memory(report: &mut Report<'_, '_>) {
    let server = report.server;
    let figures = server.memory.look(report.now_us / 1000);
    let picture = Picture::take(server, report.held, figures);
    report.bytes("used_memory", picture.used());
    report.bytes("used_memory_rss", picture.resident);
    report.bytes("used_memory_peak", picture.peak);
    report.fields(&[
        ("used_memory_peak_time", &(picture.peak_ms / 1000)),
        ("used_memory_peak_perc", &format_args!("{:.2}%", picture.peak_percent())),
        ("used_memory_overhead", &picture.overhead()),
        ("used_memory_startup", &picture.startup),
        ("used_memory_dataset", &picture.dataset()),
        ("used_memory_dataset_perc", &format_args!("{:.2}%", picture.dataset_percent())),
    ]);
    report.bytes("total_system_memory", allocator::system_memory());
    report.bytes("cgroup_memory_limit", cgroup::memory_limit().unwrap_or(0));
    of_scripts(report);
    {
        let config = server.config.lock();
        report.bytes("maxmemory", config.memory(Id::Maxmemory));
        report.field("maxmemory_policy", config.choice(Id::MaxmemoryPolicy));
    }
    of_allocator(report, &picture);
    report.field("mem_clients_normal", picture.clients);
    report.field("mem_not_counted_for_evict", evict::not_counted(server));
    report.field("mem_aof_buffer", picture.log);
    report.zeros(OTHERS);
    report.fields(&[
        ("active_defrag_running", &server.defrag.figures(report.now_us).effort),
        ("mem_allocator", &version::allocator()),
        ("lazyfree_pending_objects", &server.background.pending()),
        ("lazyfreed_objects", &server.background.freed()),
    ]);
}

fn of_scripts(report: &mut Report<'_, '_>) {
    let figures = report.server.scripting.figures();
    report.field("used_memory_vm_eval", figures.scripts_interpreters);
    report.bytes("used_memory_lua", figures.scripts_interpreters);
    report.fields(&[
        ("used_memory_scripts_eval", &figures.scripts_memory),
        ("number_of_cached_scripts", &figures.scripts),
        ("number_of_functions", &figures.functions),
        ("number_of_libraries", &figures.libraries),
        ("used_memory_vm_functions", &figures.functions_interpreter),
    ]);
    report.bytes("used_memory_vm_total", figures.interpreters());
    report.field("used_memory_functions", figures.libraries_memory);
    report.bytes("used_memory_scripts", figures.scripts_memory + figures.libraries_memory);
}

fn of_allocator(report: &mut Report<'_, '_>, picture: &Picture) {
    let figures = picture.allocator;
    report.fields(&[
        ("allocator_allocated", &figures.allocated),
        ("allocator_active", &figures.active),
        ("allocator_resident", &figures.resident),
        ("allocator_muzzy", &figures.muzzy),
    ]);
    let pairs = [
        ("allocator_frag", figures.active, figures.allocated),
        ("allocator_rss", figures.resident, figures.active),
        ("rss_overhead", picture.resident, figures.resident),
        ("mem_fragmentation", picture.resident, figures.used),
    ];
    for (name, one, other) in pairs {
        report.line(format_args!("{name}_ratio:{:.2}", ratio(one, other)));
        report.line(format_args!("{name}_bytes:{}", excess(one, other)));
    }
}
