//! The rows, sorted by name.

use super::choices::*;
use super::{Check, Choices, Dialect, Directive, Effect, Flags, Kind};

const MAX: i64 = i64::MAX;
const MEMORY_MAX: u64 = i64::MAX as u64;
const I32_MAX: i64 = i32::MAX as i64;
const I32_MIN: i64 = i32::MIN as i64;
const U32_MAX: i64 = u32::MAX as i64;

const ACL: &str = "access control lists";
const CLUSTER: &str = "cluster mode";
const REPLICATION: &str = "replication";
const SORTING: &str = "the SORT command";
const TLS: &str = "TLS";

const ACCEPTS: &str = "connections are accepted as they come and shared among the workers";
const ALLOCATOR: &str = "the allocator gives memory back on its own schedule";
const ASSERTS: &str = "checks are chosen when the program is built";
const ALWAYS_CHECKED: &str = "what comes from outside is always looked at in full";
const BATCHES: &str = "the batch follows what a client has sent, within a fixed bound";
const COPY_AVOIDANCE: &str = "large values are sent without copying from a fixed size on";
const EXPIRY: &str = "every key expires at its time without a search for expired ones";
const LOADING: &str = "clients are answered all the time while a file is loaded";
const NOTHING_READS: &str = "nothing reads it";
const IN_BITS: &str = "every collection is walked over in bits";
const NO_CHILD: &str = "no child process is ever forked, so there is none to pin";
const NO_FATAL_WARNING: &str = "no warning about the system stops the start";
const NO_FORK_PAGES: &str = "huge pages only hurt a process that forks, and this one does not";
const NO_MEMCHECK: &str = "memory is not tested after a crash";
const NO_MODULES: &str = "native modules cannot be loaded";
const NO_MPTCP: &str = "connections use plain TCP";
const NO_PINNING: &str = "threads are not pinned; restrict the whole process with taskset";
const NO_RDMA: &str = "RDMA is not supported";
const NO_REHASH: &str = "the tables grow in small steps and have nothing to rehash";
const NO_SENTINEL: &str = "this program does not watch other servers";
const OBSOLETE: &str = "it is obsolete and was dropped by the servers that had it";
const SLICES: &str = "an array's slices all have one size and one form";
const TEMPLATES: &str = "every hash keeps the names of its own fields";
const THREADS: &str = "commands run on all worker threads; 'threads' sets their number";

const WORKS: Effect = Effect::Works;

const fn bool(default: bool) -> Kind {
    Kind::Bool { default }
}

const fn int(min: i64, max: i64, default: i64) -> Kind {
    Kind::Int { min, max, default }
}

const fn memory(min: u64, max: u64, default: u64) -> Kind {
    Kind::Memory { min, max, default }
}

const fn choice(choices: Choices, default: &'static str) -> Kind {
    Kind::Choice { choices, default }
}

const fn choices(choices: Choices, default: &'static str) -> Kind {
    Kind::Flags { choices, default }
}

const fn text(default: &'static str) -> Kind {
    checked(default, Check::Any)
}

const fn checked(default: &'static str, check: Check) -> Kind {
    Kind::Text { default: Some(default), check }
}

const fn unset() -> Kind {
    unset_checked(Check::Any)
}

const fn unset_checked(check: Check) -> Kind {
    Kind::Text { default: None, check }
}

const fn no_effect(why: &'static str) -> Effect {
    Effect::NoEffect(why)
}

const fn planned(capability: &'static str) -> Effect {
    Effect::Planned(capability)
}

/// `Id => name, [aliases], kind, [flags], dialect, effect;`
macro_rules! directives {
    ($($id:ident => $name:literal, [$($alias:literal),*], $kind:expr,
        [$($flag:ident),*], $dialect:ident, $effect:expr;)*) => {
        /// A directive, named as its row; the number is its place in `DIRECTIVES`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u16)]
        pub enum Id {
            $(#[doc = concat!("`", $name, "`")] $id,)*
        }

        /// Every directive, sorted by name.
        pub static DIRECTIVES: &[Directive] = &[$(Directive {
            id: Id::$id,
            name: $name,
            aliases: &[$($alias),*],
            kind: $kind,
            flags: Flags::empty()$(.union(Flags::$flag))*,
            dialect: Dialect::$dialect,
            effect: $effect,
        },)*];
    };
}

directives! {
    AclPubsubDefault => "acl-pubsub-default", [],
        choice(CHANNEL_DEFAULTS, "resetchannels"), [], Both, planned(ACL);
    Aclfile => "aclfile", [], text(""), [IMMUTABLE], Both, planned(ACL);
    AcllogMaxLen => "acllog-max-len", [], int(0, MAX, 128), [], Both, planned(ACL);
    ActiveDefragCycleMax => "active-defrag-cycle-max", [],
        int(1, 99, 25), [], Both, WORKS;
    ActiveDefragCycleMin => "active-defrag-cycle-min", [],
        int(1, 99, 1), [], Both, WORKS;
    ActiveDefragCycleUs => "active-defrag-cycle-us", [],
        int(0, 100_000, 500), [], Valkey, WORKS;
    ActiveDefragIgnoreBytes => "active-defrag-ignore-bytes", [],
        memory(1, MEMORY_MAX, 100 << 20), [], Both, WORKS;
    ActiveDefragMaxScanFields => "active-defrag-max-scan-fields", [],
        int(1, MAX, 1_000), [], Both, no_effect(IN_BITS);
    ActiveDefragThresholdLower => "active-defrag-threshold-lower", [],
        int(0, 1_000, 10), [], Both, WORKS;
    ActiveDefragThresholdUpper => "active-defrag-threshold-upper", [],
        int(0, 1_000, 100), [], Both, WORKS;
    ActiveExpireEffort => "active-expire-effort", [], int(1, 10, 1), [], Both, no_effect(EXPIRY);
    Activedefrag => "activedefrag", [], bool(false), [], Both, WORKS;
    Activerehashing => "activerehashing", [], bool(true), [], Both, no_effect(NO_REHASH);
    AlwaysShowLogo => "always-show-logo", [], bool(false), [IMMUTABLE], Both, WORKS;
    AofDisableAutoGc => "aof-disable-auto-gc", [],
        bool(false), [HIDDEN], Both, WORKS;
    AofLoadTruncated => "aof-load-truncated", [], bool(true), [], Both, WORKS;
    AofRewriteCpulist => "aof-rewrite-cpulist", ["aof_rewrite_cpulist"],
        unset(), [IMMUTABLE], Both, no_effect(NO_CHILD);
    AofRewriteIncrementalFsync => "aof-rewrite-incremental-fsync", [],
        bool(true), [], Both, WORKS;
    AofTimestampEnabled => "aof-timestamp-enabled", [], bool(false), [], Both, WORKS;
    AofUseRdbPreamble => "aof-use-rdb-preamble", [], bool(true), [], Both, WORKS;
    Appenddirname => "appenddirname", [],
        checked("appendonlydir", Check::DirName), [IMMUTABLE], Both, WORKS;
    Appendfilename => "appendfilename", [],
        checked("appendonly.aof", Check::FileName), [IMMUTABLE], Both, WORKS;
    Appendfsync => "appendfsync", [],
        choice(FSYNC_POLICIES, "everysec"), [], Both, WORKS;
    Appendonly => "appendonly", [], bool(false), [DENY_LOADING], Both, WORKS;
    ArraySliceSize => "array-slice-size", [], int(256, 65_536, 4_096), [], Redis, no_effect(SLICES);
    ArraySparseKmax => "array-sparse-kmax", [], int(0, I32_MAX, 10), [], Redis, no_effect(SLICES);
    ArraySparseKmin => "array-sparse-kmin", [], int(0, I32_MAX, 5), [], Redis, no_effect(SLICES);
    AutoAofRewriteMinSize => "auto-aof-rewrite-min-size", [],
        memory(0, MEMORY_MAX, 64 * 1024 * 1024), [], Both, WORKS;
    AutoAofRewritePercentage => "auto-aof-rewrite-percentage", [],
        int(0, I32_MAX, 100), [], Both, WORKS;
    AvailabilityZone => "availability-zone", [], text(""), [], Valkey, planned(CLUSTER);
    BgsaveCpulist => "bgsave-cpulist", ["bgsave_cpulist"],
        unset(), [IMMUTABLE], Both, no_effect(NO_CHILD);
    Bind => "bind", [], Kind::Addresses { default: &["*", "-::*"] }, [MULTI_ARG], Both, WORKS;
    BindSourceAddr => "bind-source-addr", [], unset(), [], Both, planned(REPLICATION);
    BioCpulist => "bio-cpulist", ["bio_cpulist"], unset(), [IMMUTABLE], Both, no_effect(NO_PINNING);
    BusyReplyThreshold => "busy-reply-threshold", ["lua-time-limit"],
        int(0, MAX, 5_000), [], Both, WORKS;
    ClientOutputBufferLimit => "client-output-buffer-limit", [],
        Kind::BufferLimits, [MULTI_ARG], Both, WORKS;
    ClientQueryBufferLimit => "client-query-buffer-limit", [],
        memory(1024 * 1024, MEMORY_MAX, 1024 * 1024 * 1024), [], Both, WORKS;
    ClusterAllowPubsubshardWhenDown => "cluster-allow-pubsubshard-when-down", [],
        bool(true), [], Both, planned(CLUSTER);
    ClusterAllowReadsWhenDown => "cluster-allow-reads-when-down", [],
        bool(false), [], Both, planned(CLUSTER);
    ClusterAllowReplicaMigration => "cluster-allow-replica-migration", [],
        bool(true), [], Both, planned(CLUSTER);
    ClusterAnnounceBusPort => "cluster-announce-bus-port", [],
        int(0, 65_535, 0), [], Both, planned(CLUSTER);
    ClusterAnnounceClientIpv4 => "cluster-announce-client-ipv4", [],
        unset_checked(Check::Ipv4), [], Valkey, planned(CLUSTER);
    ClusterAnnounceClientIpv6 => "cluster-announce-client-ipv6", [],
        unset_checked(Check::Ipv6), [], Valkey, planned(CLUSTER);
    ClusterAnnounceClientPort => "cluster-announce-client-port", [],
        int(0, 65_535, 0), [], Valkey, planned(CLUSTER);
    ClusterAnnounceClientTlsPort => "cluster-announce-client-tls-port", [],
        int(0, 65_535, 0), [], Valkey, planned(CLUSTER);
    ClusterAnnounceHostname => "cluster-announce-hostname", [],
        unset_checked(Check::HostName), [], Both, planned(CLUSTER);
    ClusterAnnounceHumanNodename => "cluster-announce-human-nodename", [],
        unset_checked(Check::NodeName), [], Both, planned(CLUSTER);
    ClusterAnnounceIp => "cluster-announce-ip", [],
        unset_checked(Check::AnnouncedIp), [], Both, planned(CLUSTER);
    ClusterAnnouncePort => "cluster-announce-port", [],
        int(0, 65_535, 0), [], Both, planned(CLUSTER);
    ClusterAnnounceTlsPort => "cluster-announce-tls-port", [],
        int(0, 65_535, 0), [], Both, planned(CLUSTER);
    ClusterBlacklistTtl => "cluster-blacklist-ttl", [],
        int(0, MAX, 60), [], Valkey, planned(CLUSTER);
    ClusterCompatibilitySampleRatio => "cluster-compatibility-sample-ratio", [],
        int(0, 100, 0), [], Redis, planned(CLUSTER);
    ClusterConfigFile => "cluster-config-file", [],
        checked("nodes.conf", Check::NotEmpty), [IMMUTABLE], Both, planned(CLUSTER);
    ClusterConfigSaveBehavior => "cluster-config-save-behavior", [],
        choice(NODES_FILE_SAVES, "sync"), [], Valkey, planned(CLUSTER);
    ClusterDatabases => "cluster-databases", [],
        int(1, I32_MAX, 1), [FIXED], Valkey, planned(CLUSTER);
    ClusterEnabled => "cluster-enabled", [], bool(false), [IMMUTABLE], Both, planned(CLUSTER);
    ClusterLinkSendbufLimit => "cluster-link-sendbuf-limit", [],
        memory(0, u64::MAX, 0), [], Both, planned(CLUSTER);
    ClusterManualFailoverTimeout => "cluster-manual-failover-timeout", [],
        int(1, I32_MAX, 5_000), [], Valkey, planned(CLUSTER);
    ClusterMessageGossipPerc => "cluster-message-gossip-perc", [],
        int(1, 100, 10), [HIDDEN], Valkey, planned(CLUSTER);
    ClusterMigrationBarrier => "cluster-migration-barrier", [],
        int(0, I32_MAX, 1), [], Both, planned(CLUSTER);
    ClusterNodeTimeout => "cluster-node-timeout", [],
        int(0, MAX, 15_000), [], Both, planned(CLUSTER);
    ClusterPingInterval => "cluster-ping-interval", [],
        int(0, MAX, 0), [HIDDEN], Both, planned(CLUSTER);
    ClusterPort => "cluster-port", [], int(0, 65_535, 0), [IMMUTABLE], Both, planned(CLUSTER);
    ClusterPreferredEndpointType => "cluster-preferred-endpoint-type", [],
        choice(ENDPOINT_TYPES, "ip"), [], Both, planned(CLUSTER);
    ClusterReplicaNoFailover => "cluster-replica-no-failover", ["cluster-slave-no-failover"],
        bool(false), [], Both, planned(CLUSTER);
    ClusterReplicaValidityFactor => "cluster-replica-validity-factor",
        ["cluster-slave-validity-factor"],
        int(0, I32_MAX, 10), [], Both, planned(CLUSTER);
    ClusterRequireFullCoverage => "cluster-require-full-coverage", [],
        bool(true), [], Both, planned(CLUSTER);
    ClusterSlotMigrationLogMaxLen => "cluster-slot-migration-log-max-len", [],
        int(0, MAX, 1_000), [], Valkey, planned(CLUSTER);
    ClusterSlotStatsEnabled => "cluster-slot-stats-enabled", [],
        bool(false), [], Valkey, planned(CLUSTER);
    CommandlogLargeReplyMaxLen => "commandlog-large-reply-max-len", [],
        int(0, MAX, 128), [], Valkey, WORKS;
    CommandlogLargeRequestMaxLen => "commandlog-large-request-max-len", [],
        int(0, MAX, 128), [], Valkey, WORKS;
    CommandlogReplyLargerThan => "commandlog-reply-larger-than", [],
        int(-1, MAX, 1024 * 1024), [], Valkey, WORKS;
    CommandlogRequestLargerThan => "commandlog-request-larger-than", [],
        int(-1, MAX, 1024 * 1024), [], Valkey, WORKS;
    CrashLogEnabled => "crash-log-enabled", [], bool(true), [], Both, WORKS;
    CrashMemcheckEnabled => "crash-memcheck-enabled", [],
        bool(true), [], Both, no_effect(NO_MEMCHECK);
    Daemonize => "daemonize", [], bool(false), [IMMUTABLE], Both, WORKS;
    Databases => "databases", [], int(1, I32_MAX, 16), [IMMUTABLE], Both, WORKS;
    Dbfilename => "dbfilename", [],
        checked("dump.rdb", Check::FileName), [PROTECTED], Both, WORKS;
    DebugContext => "debug-context", [], text(""), [HIDDEN], Valkey, no_effect(NOTHING_READS);
    Dir => "dir", [], Kind::Dir, [PROTECTED, DENY_LOADING], Both, WORKS;
    DisableThp => "disable-thp", [], bool(true), [IMMUTABLE], Both, no_effect(NO_FORK_PAGES);
    DualChannelReplicationEnabled => "dual-channel-replication-enabled", [],
        bool(false), [], Valkey, planned(REPLICATION);
    DynamicHz => "dynamic-hz", [], bool(true), [], Redis, WORKS;
    EnableDebugAssert => "enable-debug-assert", [],
        bool(false), [IMMUTABLE, HIDDEN], Valkey, no_effect(ASSERTS);
    EnableDebugCommand => "enable-debug-command", [],
        choice(PROTECTED_ACTIONS, "no"), [IMMUTABLE], Both, WORKS;
    EnableModuleCommand => "enable-module-command", [],
        choice(PROTECTED_ACTIONS, "no"), [IMMUTABLE], Both, WORKS;
    EnableProtectedConfigs => "enable-protected-configs", [],
        choice(PROTECTED_ACTIONS, "no"), [IMMUTABLE], Both, WORKS;
    EventsPerIoThread => "events-per-io-thread", [], Kind::Ignored, [], Valkey, no_effect(OBSOLETE);
    ExtendedRedisCompatibility => "extended-redis-compatibility", [],
        bool(false), [], Valkey, WORKS;
    HashMaxListpackEntries => "hash-max-listpack-entries", ["hash-max-ziplist-entries"],
        int(0, MAX, 512), [], Both, WORKS;
    HashMaxListpackValue => "hash-max-listpack-value", ["hash-max-ziplist-value"],
        memory(0, MEMORY_MAX, 64), [], Both, WORKS;
    HashMaxTemplateEntries => "hash-max-template-entries", [],
        int(0, MAX, 0), [], Redis, no_effect(TEMPLATES);
    HashMinTemplateEntries => "hash-min-template-entries", [],
        int(0, MAX, 0), [], Redis, no_effect(TEMPLATES);
    HashRdbLoadMaxTemplateEntries => "hash-rdb-load-max-template-entries", [],
        int(0, MAX, 0), [], Redis, no_effect(TEMPLATES);
    HashRdbLoadMinTemplateEntries => "hash-rdb-load-min-template-entries", [],
        int(0, MAX, 0), [], Redis, no_effect(TEMPLATES);
    HashRdbLoadTemplateDisassemblyThreshold => "hash-rdb-load-template-disassembly-threshold", [],
        int(0, MAX, 0), [], Redis, no_effect(TEMPLATES);
    HashSeed => "hash-seed", [],
        unset_checked(Check::HashSeed), [FIXED], Valkey, planned(CLUSTER);
    HideUserDataFromLog => "hide-user-data-from-log", [], bool(true), [], Both, WORKS;
    HllSparseMaxBytes => "hll-sparse-max-bytes", [], memory(0, MEMORY_MAX, 3_000), [], Both, WORKS;
    HotkeySamplingPercentage => "hotkey-sampling-percentage", [],
        int(0, 100, 1), [], Valkey, WORKS;
    HotkeyTopK => "hotkey-top-k", [], int(0, 1024, 16), [], Valkey, WORKS;
    HotkeyWindowSeconds => "hotkey-window-seconds", [], int(1, 3600, 10), [], Valkey, WORKS;
    Hz => "hz", [], int(0, I32_MAX, 10), [], Both, WORKS;
    IgnoreWarnings => "ignore-warnings", [], text(""), [], Both, no_effect(NO_FATAL_WARNING);
    ImportMode => "import-mode", [], bool(false), [], Valkey, WORKS;
    Include => "include", [], Kind::Line, [MULTI_ARG], Both, WORKS;
    IoThreads => "io-threads", [], int(1, 256, 1), [], Both, no_effect(THREADS);
    IoThreadsAlwaysActive => "io-threads-always-active", [],
        bool(false), [HIDDEN], Valkey, no_effect(THREADS);
    IoThreadsDoReads => "io-threads-do-reads", [],
        bool(false), [FIXED], Redis, no_effect(THREADS);
    JemallocBgThread => "jemalloc-bg-thread", [], bool(true), [], Both, no_effect(ALLOCATOR);
    KeyLoadDelay => "key-load-delay", [],
        int(I32_MIN, I32_MAX, 0), [HIDDEN], Both, WORKS;
    LatencyMonitorThreshold => "latency-monitor-threshold", [],
        int(0, MAX, 0), [], Both, WORKS;
    LatencyTracking => "latency-tracking", [], bool(true), [], Both, WORKS;
    LatencyTrackingInfoPercentiles => "latency-tracking-info-percentiles", [],
        Kind::Percentiles, [MULTI_ARG], Both, WORKS;
    LazyfreeLazyEviction => "lazyfree-lazy-eviction", [], bool(true), [], Both, WORKS;
    LazyfreeLazyExpire => "lazyfree-lazy-expire", [], bool(true), [], Both, WORKS;
    LazyfreeLazyServerDel => "lazyfree-lazy-server-del", [], bool(true), [], Both, WORKS;
    LazyfreeLazyUserDel => "lazyfree-lazy-user-del", [], bool(true), [], Both, WORKS;
    LazyfreeLazyUserFlush => "lazyfree-lazy-user-flush", [], bool(true), [], Both, WORKS;
    LfuDecayTime => "lfu-decay-time", [], int(0, I32_MAX, 1), [], Both, WORKS;
    LfuLogFactor => "lfu-log-factor", [], int(0, I32_MAX, 10), [], Both, WORKS;
    ListCompressDepth => "list-compress-depth", [], int(0, I32_MAX, 0), [], Both, WORKS;
    ListMaxListpackSize => "list-max-listpack-size", ["list-max-ziplist-size"],
        int(I32_MIN, I32_MAX, -2), [], Both, WORKS;
    ListMaxZiplistEntries => "list-max-ziplist-entries", [],
        Kind::Ignored, [], Both, no_effect(OBSOLETE);
    ListMaxZiplistValue => "list-max-ziplist-value", [],
        Kind::Ignored, [], Both, no_effect(OBSOLETE);
    LoadingProcessEventsIntervalBytes => "loading-process-events-interval-bytes", [],
        int(1_024, I32_MAX, 1024 * 1024 * 2), [HIDDEN], Both, no_effect(LOADING);
    Loadmodule => "loadmodule", [], Kind::Line, [MULTI_ARG], Both, no_effect(NO_MODULES);
    LocaleCollate => "locale-collate", [], text(""), [], Both, planned(SORTING);
    LogFormat => "log-format", [], choice(LOG_FORMATS, "legacy"), [], Valkey, WORKS;
    LogTimestampFormat => "log-timestamp-format", [],
        choice(LOG_TIMESTAMPS, "legacy"), [], Valkey, WORKS;
    Logfile => "logfile", [], text(""), [IMMUTABLE], Both, WORKS;
    Loglevel => "loglevel", [], choice(LOG_LEVELS, "notice"), [], Both, WORKS;
    LuaEnableInsecureApi => "lua-enable-insecure-api", ["lua-enable-deprecated-api"],
        bool(false), [HIDDEN, PROTECTED], Both, WORKS;
    LuaInstructionLimit => "lua-instruction-limit", [], int(0, MAX, 0), [], Reddle, WORKS;
    LuaMemoryLimit => "lua-memory-limit", [], memory(0, MEMORY_MAX, 0), [], Reddle, WORKS;
    LuaReplicateCommands => "lua-replicate-commands", [],
        Kind::Ignored, [], Both, no_effect(OBSOLETE);
    Masterauth => "masterauth", ["primaryauth"], unset(), [SENSITIVE], Both, planned(REPLICATION);
    Masteruser => "masteruser", ["primaryuser"], unset(), [SENSITIVE], Both, planned(REPLICATION);
    MaxNewConnectionsPerCycle => "max-new-connections-per-cycle", [],
        int(1, 1_000, 10), [], Both, no_effect(ACCEPTS);
    MaxNewTlsConnectionsPerCycle => "max-new-tls-connections-per-cycle", [],
        int(1, 1_000, 1), [], Both, planned(TLS);
    Maxclients => "maxclients", [], int(1, U32_MAX, 10_000), [], Both, WORKS;
    Maxmemory => "maxmemory", [], memory(0, u64::MAX, 0), [], Both, WORKS;
    MaxmemoryClients => "maxmemory-clients", [], Kind::MemoryOrPercent, [], Both, WORKS;
    MaxmemoryEvictionTenacity => "maxmemory-eviction-tenacity", [],
        int(0, 100, 10), [], Both, WORKS;
    MaxmemoryPolicy => "maxmemory-policy", [],
        choice(MAXMEMORY_POLICIES, "noeviction"), [], Both, WORKS;
    MaxmemorySamples => "maxmemory-samples", [], int(1, I32_MAX, 5), [], Both, WORKS;
    MinIoThreadsAvoidCopyReply => "min-io-threads-avoid-copy-reply", [],
        int(0, I32_MAX, 7), [HIDDEN], Valkey, no_effect(COPY_AVOIDANCE);
    MinReplicasMaxLag => "min-replicas-max-lag", ["min-slaves-max-lag"],
        int(0, I32_MAX, 10), [], Both, planned(REPLICATION);
    MinReplicasToWrite => "min-replicas-to-write", ["min-slaves-to-write"],
        int(0, I32_MAX, 0), [], Both, planned(REPLICATION);
    MinStringSizeAvoidCopyReply => "min-string-size-avoid-copy-reply", [],
        int(0, I32_MAX, 16_384), [HIDDEN], Valkey, no_effect(COPY_AVOIDANCE);
    MinStringSizeAvoidCopyReplyThreaded => "min-string-size-avoid-copy-reply-threaded", [],
        int(0, I32_MAX, 65_536), [HIDDEN], Valkey, no_effect(COPY_AVOIDANCE);
    Mptcp => "mptcp", [], bool(false), [FIXED], Valkey, no_effect(NO_MPTCP);
    NoAppendfsyncOnRewrite => "no-appendfsync-on-rewrite", [],
        bool(false), [], Both, WORKS;
    NotifyKeyspaceEvents => "notify-keyspace-events", [], Kind::Events, [], Both, WORKS;
    OomScoreAdj => "oom-score-adj", [], choice(OOM_MODES, "no"), [], Both, WORKS;
    OomScoreAdjValues => "oom-score-adj-values", [],
        Kind::OomScores, [MULTI_ARG], Both, WORKS;
    Pidfile => "pidfile", [], unset(), [IMMUTABLE], Both, WORKS;
    Port => "port", [], int(0, 65_535, 6_379), [], Both, WORKS;
    PrefetchBatchMaxSize => "prefetch-batch-max-size", [],
        int(0, 128, 16), [], Valkey, no_effect(BATCHES);
    ProcTitleTemplate => "proc-title-template", [],
        checked("{title} {listen-addr} {server-mode}", Check::Title), [], Both, WORKS;
    PropagationErrorBehavior => "propagation-error-behavior", [],
        choice(PROPAGATION_ERRORS, "ignore"), [], Both, planned(REPLICATION);
    ProtectedMode => "protected-mode", [], bool(true), [], Both, WORKS;
    ProtoMaxBulkLen => "proto-max-bulk-len", [],
        memory(1024 * 1024, MEMORY_MAX, 512 * 1024 * 1024), [], Both, WORKS;
    RdbDelSyncFiles => "rdb-del-sync-files", [], bool(false), [], Both, planned(REPLICATION);
    RdbKeySaveDelay => "rdb-key-save-delay", [],
        int(I32_MIN, I32_MAX, 0), [HIDDEN], Both, WORKS;
    RdbSaveIncrementalFsync => "rdb-save-incremental-fsync", [], bool(true), [], Both, WORKS;
    RdbVersion => "rdb-version", [],
        choice(RDB_VERSIONS, "auto"), [], Reddle, WORKS;
    RdbVersionCheck => "rdb-version-check", [],
        choice(RDB_VERSION_CHECKS, "strict"), [], Valkey, WORKS;
    Rdbchecksum => "rdbchecksum", [], bool(true), [IMMUTABLE], Both, WORKS;
    Rdbcompression => "rdbcompression", [], bool(true), [], Both, WORKS;
    RdmaBind => "rdma-bind", [],
        Kind::Addresses { default: &[] }, [MULTI_ARG], Valkey, no_effect(NO_RDMA);
    RdmaCompletionVector => "rdma-completion-vector", [],
        int(-1, 1_024, -1), [IMMUTABLE], Valkey, no_effect(NO_RDMA);
    RdmaPort => "rdma-port", [], int(0, 65_535, 0), [], Valkey, no_effect(NO_RDMA);
    RdmaRxSize => "rdma-rx-size", [],
        int(64 * 1024, 16 * 1024 * 1024, 1024 * 1024), [IMMUTABLE], Valkey, no_effect(NO_RDMA);
    RedisVersion => "redis-version", [], checked("7.2.4", Check::Version), [FIXED], Reddle, WORKS;
    RenameCommand => "rename-command", [], Kind::Line, [MULTI_ARG], Both, WORKS;
    ReplBacklogSize => "repl-backlog-size", [],
        memory(1, MEMORY_MAX, 10 * 1024 * 1024), [], Both, planned(REPLICATION);
    ReplBacklogTtl => "repl-backlog-ttl", [], int(0, MAX, 60 * 60), [], Both, planned(REPLICATION);
    ReplDisableTcpNodelay => "repl-disable-tcp-nodelay", [],
        bool(false), [], Both, planned(REPLICATION);
    ReplDisklessLoad => "repl-diskless-load", [],
        choice(DISKLESS_LOADS, "disabled"), [DENY_LOADING], Both, planned(REPLICATION);
    ReplDisklessSync => "repl-diskless-sync", [], bool(true), [], Both, planned(REPLICATION);
    ReplDisklessSyncDelay => "repl-diskless-sync-delay", [],
        int(0, I32_MAX, 5), [], Both, planned(REPLICATION);
    ReplDisklessSyncMaxReplicas => "repl-diskless-sync-max-replicas", [],
        int(0, I32_MAX, 0), [], Both, planned(REPLICATION);
    ReplMptcp => "repl-mptcp", [], bool(false), [FIXED], Valkey, no_effect(NO_MPTCP);
    ReplPingReplicaPeriod => "repl-ping-replica-period", ["repl-ping-slave-period"],
        int(1, I32_MAX, 10), [], Both, planned(REPLICATION);
    ReplRdbChannel => "repl-rdb-channel", [], bool(true), [HIDDEN], Redis, planned(REPLICATION);
    ReplTimeout => "repl-timeout", [], int(1, I32_MAX, 60), [], Both, planned(REPLICATION);
    ReplicaAnnounceIp => "replica-announce-ip", ["slave-announce-ip"],
        unset(), [], Both, planned(REPLICATION);
    ReplicaAnnouncePort => "replica-announce-port", ["slave-announce-port"],
        int(0, 65_535, 0), [], Both, planned(REPLICATION);
    ReplicaAnnounced => "replica-announced", [], bool(true), [], Both, planned(REPLICATION);
    ReplicaFullSyncBufferLimit => "replica-full-sync-buffer-limit", [],
        memory(0, MEMORY_MAX, 0), [], Redis, planned(REPLICATION);
    ReplicaIgnoreDiskWriteErrors => "replica-ignore-disk-write-errors", [],
        bool(false), [], Both, planned(REPLICATION);
    ReplicaIgnoreMaxmemory => "replica-ignore-maxmemory", ["slave-ignore-maxmemory"],
        bool(true), [], Both, planned(REPLICATION);
    ReplicaLazyFlush => "replica-lazy-flush", ["slave-lazy-flush"],
        bool(true), [], Both, planned(REPLICATION);
    ReplicaPriority => "replica-priority", ["slave-priority"],
        int(0, I32_MAX, 100), [], Both, planned(REPLICATION);
    ReplicaReadOnly => "replica-read-only", ["slave-read-only"],
        bool(true), [], Both, planned(REPLICATION);
    ReplicaServeStaleData => "replica-serve-stale-data", ["slave-serve-stale-data"],
        bool(true), [], Both, planned(REPLICATION);
    Replicaof => "replicaof", ["slaveof"],
        Kind::ReplicaOf, [IMMUTABLE, MULTI_ARG], Both, planned(REPLICATION);
    Requirepass => "requirepass", [], unset(), [SENSITIVE], Both, WORKS;
    SanitizeDumpPayload => "sanitize-dump-payload", [],
        choice(SANITIZE_DUMPS, "no"), [], Redis, no_effect(ALWAYS_CHECKED);
    Save => "save", [], Kind::Save, [MULTI_ARG], Both, WORKS;
    Sentinel => "sentinel", [], Kind::Line, [MULTI_ARG], Both, no_effect(NO_SENTINEL);
    ServerCpulist => "server-cpulist", ["server_cpulist"],
        unset(), [IMMUTABLE], Both, no_effect(NO_PINNING);
    SetMaxIntsetEntries => "set-max-intset-entries", [], int(0, MAX, 512), [], Both, WORKS;
    SetMaxListpackEntries => "set-max-listpack-entries", [], int(0, MAX, 128), [], Both, WORKS;
    SetMaxListpackValue => "set-max-listpack-value", [], int(0, MAX, 64), [], Both, WORKS;
    SetProcTitle => "set-proc-title", [], bool(true), [IMMUTABLE], Both, WORKS;
    ShutdownOnSigint => "shutdown-on-sigint", [],
        choices(SHUTDOWN_FLAGS, "default"), [MULTI_ARG], Both, WORKS;
    ShutdownOnSigterm => "shutdown-on-sigterm", [],
        choices(SHUTDOWN_FLAGS, "default"), [MULTI_ARG], Both, WORKS;
    ShutdownTimeout => "shutdown-timeout", [], int(0, I32_MAX, 10), [], Both, WORKS;
    SlotMigrationMaxFailoverReplBytes => "slot-migration-max-failover-repl-bytes", [],
        Kind::SignedMemory { min: -1, default: 0 }, [], Valkey, planned(CLUSTER);
    SlowlogLogSlowerThan => "slowlog-log-slower-than", ["commandlog-execution-slower-than"],
        int(-1, MAX, 10_000), [], Both, WORKS;
    SlowlogMaxLen => "slowlog-max-len", ["commandlog-slow-execution-max-len"],
        int(0, MAX, 128), [], Both, WORKS;
    SocketMarkId => "socket-mark-id", [], int(0, U32_MAX, 0), [IMMUTABLE], Both, WORKS;
    StopWritesOnBgsaveError => "stop-writes-on-bgsave-error", [], bool(true), [], Both, WORKS;
    StreamIdmpDuration => "stream-idmp-duration", [], int(1, 86_400, 100), [], Redis, WORKS;
    StreamIdmpMaxsize => "stream-idmp-maxsize", [], int(1, 10_000, 100), [], Redis, WORKS;
    StreamNodeMaxBytes => "stream-node-max-bytes", [],
        memory(0, MEMORY_MAX, 4_096), [], Both, WORKS;
    StreamNodeMaxEntries => "stream-node-max-entries", [], int(0, MAX, 100), [], Both, WORKS;
    Supervised => "supervised", [], choice(SUPERVISORS, "no"), [IMMUTABLE], Both, WORKS;
    SyslogEnabled => "syslog-enabled", [], bool(false), [IMMUTABLE], Both, WORKS;
    SyslogFacility => "syslog-facility", [],
        choice(SYSLOG_FACILITIES, "local0"), [IMMUTABLE], Both, WORKS;
    SyslogIdent => "syslog-ident", [], text("reddle"), [IMMUTABLE], Both, WORKS;
    TcpBacklog => "tcp-backlog", [], int(0, I32_MAX, 511), [IMMUTABLE], Both, WORKS;
    TcpKeepalive => "tcp-keepalive", [], int(0, I32_MAX, 300), [], Both, WORKS;
    Threads => "threads", [], int(0, 1024, 0), [FIXED], Reddle, WORKS;
    Timeout => "timeout", [], int(0, I32_MAX, 0), [], Both, WORKS;
    TlsAuthClients => "tls-auth-clients", [], choice(TLS_AUTH, "yes"), [], Both, planned(TLS);
    TlsAuthClientsUser => "tls-auth-clients-user", [],
        choice(TLS_USER_FIELDS, "off"), [], Valkey, planned(TLS);
    TlsAutoReloadInterval => "tls-auto-reload-interval", [],
        int(0, I32_MAX, 0), [], Valkey, planned(TLS);
    TlsCaCertDir => "tls-ca-cert-dir", [], unset(), [VOLATILE], Both, planned(TLS);
    TlsCaCertFile => "tls-ca-cert-file", [], unset(), [VOLATILE], Both, planned(TLS);
    TlsCertFile => "tls-cert-file", [], unset(), [VOLATILE], Both, planned(TLS);
    TlsCiphers => "tls-ciphers", [], unset(), [], Both, planned(TLS);
    TlsCiphersuites => "tls-ciphersuites", [], unset(), [], Both, planned(TLS);
    TlsClientCertFile => "tls-client-cert-file", [], unset(), [VOLATILE], Both, planned(TLS);
    TlsClientKeyFile => "tls-client-key-file", [], unset(), [VOLATILE], Both, planned(TLS);
    TlsClientKeyFilePass => "tls-client-key-file-pass", [],
        unset(), [SENSITIVE], Both, planned(TLS);
    TlsCluster => "tls-cluster", [], bool(false), [], Both, planned(TLS);
    TlsDhParamsFile => "tls-dh-params-file", [], unset(), [VOLATILE], Both, planned(TLS);
    TlsKeyFile => "tls-key-file", [], unset(), [VOLATILE], Both, planned(TLS);
    TlsKeyFilePass => "tls-key-file-pass", [], unset(), [SENSITIVE], Both, planned(TLS);
    TlsPort => "tls-port", [], int(0, 65_535, 0), [], Both, planned(TLS);
    TlsPreferServerCiphers => "tls-prefer-server-ciphers", [], bool(false), [], Both, planned(TLS);
    TlsProtocols => "tls-protocols", [], unset(), [], Both, planned(TLS);
    TlsReplication => "tls-replication", [], bool(false), [], Both, planned(TLS);
    TlsSessionCacheSize => "tls-session-cache-size", [],
        int(0, I32_MAX, 20 * 1024), [], Both, planned(TLS);
    TlsSessionCacheTimeout => "tls-session-cache-timeout", [],
        int(0, I32_MAX, 300), [], Both, planned(TLS);
    TlsSessionCaching => "tls-session-caching", [], bool(true), [], Both, planned(TLS);
    TrackingTableMaxKeys => "tracking-table-max-keys", [],
        int(0, MAX, 1_000_000), [], Both, WORKS;
    Unixsocket => "unixsocket", [], unset(), [IMMUTABLE], Both, WORKS;
    Unixsocketgroup => "unixsocketgroup", [], unset(), [IMMUTABLE], Valkey, WORKS;
    Unixsocketperm => "unixsocketperm", [],
        Kind::Octal { max: 0o777, default: 0 }, [IMMUTABLE], Both, WORKS;
    UseExitOnPanic => "use-exit-on-panic", [],
        bool(false), [HIDDEN], Both, WORKS;
    User => "user", [], Kind::Line, [MULTI_ARG], Both, planned(ACL);
    WatchdogPeriod => "watchdog-period", [],
        int(0, I32_MAX, 0), [HIDDEN], Both, WORKS;
    ZsetMaxListpackEntries => "zset-max-listpack-entries", ["zset-max-ziplist-entries"],
        int(0, MAX, 128), [], Both, WORKS;
    ZsetMaxListpackValue => "zset-max-listpack-value", ["zset-max-ziplist-value"],
        memory(0, MEMORY_MAX, 64), [], Both, WORKS;
}
