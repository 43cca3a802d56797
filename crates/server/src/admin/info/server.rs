//! The program and the process it runs in.

use std::fmt::Display;

use spec::config::Id;

use super::Report;
use crate::version::{self, Told};

/// Where the processor has no counter that the clock could use instead, it is the system's.
#[cfg(target_arch = "x86_64")]
const CLOCK: &str = "X86 TSC @";
#[cfg(not(target_arch = "x86_64"))]
const CLOCK: &str = "POSIX clock_gettime @";

#[cfg(target_os = "linux")]
const POLLER: &str = "epoll";
#[cfg(not(target_os = "linux"))]
const POLLER: &str = "kqueue";

pub(super) fn server(report: &mut Report<'_, '_>) {
    let (server, now_us) = (report.server, report.now_us);
    let system = rustix::system::uname();
    let name = |part: &core::ffi::CStr| part.to_string_lossy().into_owned();
    let (kernel, release) = (name(system.sysname()), name(system.release()));
    let uptime = (now_us - server.started_us).max(0) / 1_000_000;
    let executable = std::env::current_exe().map(|path| path.display().to_string());
    let lru_clock = (now_us / 1_000_000) & 0x00ff_ffff;
    let supervisor = server.process.supervisor_name();
    let config = server.config.lock();
    let text = |id| String::from_utf8_lossy(config.text(id)).into_owned();
    let file = config.file().map(|path| path.display().to_string()).unwrap_or_default();
    let hz = config.int(Id::Hz);
    let told = Told::of(server.program, &config);
    report.field("redis_version", text(Id::RedisVersion));
    if told.is_valkey() {
        report.fields(&[
            ("server_name", &told.server),
            ("valkey_version", &told.version),
            ("valkey_release_stage", &"ga"),
        ]);
    }
    report.fields(&[
        ("reddle_version", &version::REDDLE),
        ("redis_git_sha1", &version::COMMIT),
        ("redis_git_dirty", &0),
        ("redis_build_id", &format_args!("{:016x}", version::BUILD_ID)),
        (if told.is_valkey() { "server_mode" } else { "redis_mode" }, &"standalone"),
        ("os", &format_args!("{kernel} {release} {}", name(system.machine()))),
        ("arch_bits", &usize::BITS),
        ("monotonic_clock", &format_args!("{CLOCK} {:.2} ticks/us", server.ticks.per_us())),
        ("multiplexing_api", &POLLER),
        ("atomicvar_api", &"atomic-builtin"),
        ("gcc_version", &"0.0.0"),
        ("process_id", &std::process::id()),
        ("process_supervised", &supervisor),
        ("run_id", &server.run_id),
        ("tcp_port", &config.int(Id::Port)),
        ("server_time_usec", &now_us),
        ("uptime_in_seconds", &uptime),
        ("uptime_in_days", &(uptime / (3600 * 24))),
        ("hz", &hz),
        ("configured_hz", &hz),
        ("clients_hz", &hz),
        ("lru_clock", &lru_clock),
        ("executable", &executable.unwrap_or_default()),
        ("config_file", &file),
        ("io_threads_active", &0),
        ("worker_threads", &server.workers.len()),
        ("availability_zone", &text(Id::AvailabilityZone)),
    ]);
    for (number, way) in ways(&config).into_iter().enumerate() {
        report.line(format_args!("listener{number}:{way}"));
    }
}

/// How clients get in, in the order in which the sockets are opened.
fn ways(config: &crate::config::Config) -> Vec<impl Display> {
    let mut ways = Vec::new();
    let port = config.int(Id::Port);
    if port != 0 {
        let addresses = config.list(Id::Bind).iter();
        let shown = addresses.map(|one| format!("bind={},", String::from_utf8_lossy(one)));
        ways.push(format!("name=tcp,{}port={port}", shown.collect::<String>()));
    }
    if let Some(path) = config.path(Id::Unixsocket) {
        ways.push(format!("name=unix,bind={}", path.display()));
    }
    ways
}

pub(super) fn tls(report: &mut Report<'_, '_>) {
    for whose in ["server", "client", "ca"] {
        report.line(format_args!("tls_{whose}_cert_serial:none"));
        report.line(format_args!("tls_{whose}_cert_expires_in_seconds:0"));
    }
}

/// There are no modules, and what others make modules of is built in.
pub(super) fn modules(_: &mut Report<'_, '_>) {}

pub(super) fn cluster(report: &mut Report<'_, '_>) {
    report.field("cluster_enabled", 0);
}

pub(super) fn engines(report: &mut Report<'_, '_>) {
    let figures = report.server.scripting.figures();
    let used = figures.interpreters();
    let overhead = figures.scripts_memory + figures.libraries_memory;
    report.fields(&[
        ("engines_count", &1),
        ("engines_total_used_memory", &used),
        ("engines_total_memory_overhead", &overhead),
    ]);
    report.line(format_args!(
        "engine_0:name=LUA,module=built-in,abi_version=4,used_memory={used},\
         memory_overhead={overhead}"
    ));
}
