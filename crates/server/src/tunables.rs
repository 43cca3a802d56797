//! The values of the configuration that workers look at all the time, copied after each change.

use keyspace::evict::{Order, Scope};
use keyspace::usage::{Terms, Usage};
use keyspace::{Lazy, Wants};
use persist::rdb::{Settings, Style};
use resp::Limits;
use spec::config::Id;

use crate::commandlog::{self, Threshold};
use crate::config::{ClientClass, Config, MemoryLimit};
use crate::{defrag, evict, felt, latency};

/// Limits of one class of clients' output buffers, in bytes and seconds; 0 is no limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct OutputLimit {
    /// At once.
    pub hard: u64,
    /// When it lasts.
    pub soft: u64,
    /// For so long.
    pub soft_seconds: u64,
}

/// The bits of `notify-keyspace-events` that say how events are sent, and not which.
const EVENT_KINDS: u32 =
    spec::config::EVENT_BY_KEY | spec::config::EVENT_BY_NAME | spec::config::EVENT_FIELDS;

/// See the module's text.
#[derive(Clone, PartialEq, Debug)]
pub struct Tunables {
    /// What data commands look at.
    pub settings: commands::Settings,
    /// Which implicit deletions are freed in the background.
    pub lazy: Lazy,
    /// What the request parser looks at.
    pub limits: Limits,
    /// Bytes a query buffer may hold.
    pub query_buffer_limit: u64,
    /// Output buffer limits of normal clients.
    pub output_limit: OutputLimit,
    /// Those of clients that subscribe to something.
    pub subscriber_limit: OutputLimit,
    /// When a command is logged for its time, its request or its reply.
    pub commandlog: [Threshold; 3],
    /// From how many milliseconds on the latency monitor keeps what took so long; 0 is never.
    pub latency_threshold_ms: u64,
    /// Microseconds from which on the slow log or the latency monitor wants a command.
    pub slow_from_us: u64,
    /// The keyspace events that are sent, as bits (see `spec::config::EVENT_CLASSES`).
    pub events: u32,
    /// Bytes in use above which commands that need memory are refused; 0 is no limit.
    pub maxmemory: u64,
    /// Which keys go when more is in use than that, and which of them first.
    pub eviction: Option<(Scope, Order)>,
    /// Keys that are drawn for each that is evicted.
    pub eviction_samples: usize,
    /// For how long keys are evicted before clients have their turn, from 0 to 100.
    pub eviction_tenacity: u32,
    /// Whether evicted values that take long to free are freed in the background.
    pub evicts_lazily: bool,
    /// What keys remember of their use.
    pub usage: Terms,
    /// When what lies scattered is moved together.
    pub defrag: defrag::Terms,
    /// Bytes that all clients may take together; 0 is no limit.
    pub client_memory_max: u64,
    /// Keys that clients may have cached and are told of; 0 is no limit.
    pub tracking_max_keys: u64,
    /// Connections the server takes.
    pub maxclients: u64,
    /// Seconds after which an idle connection is closed; 0 is never.
    pub timeout: u64,
    /// Seconds between TCP keepalive probes; 0 is none.
    pub tcp_keepalive: u64,
    /// Whether strangers are refused while there is no password.
    pub protected_mode: bool,
    /// The default user's password; empty when none is needed.
    pub password: Vec<u8>,
    /// Whether another server's data are being brought in, so that no key expires.
    pub import_mode: bool,
    /// Whether latencies are recorded by command.
    pub latency_tracking: bool,
    /// Of so many reads one is followed until its replies are sent; 0 is none.
    pub follows_one_of: u32,
    /// Keys that HOTKEYS shows of a window; 0 is none.
    pub hotkeys_shown: usize,
    /// Of so many commands one is looked at for its keys; 0 is none.
    pub hotkeys_one_of: u32,
    /// How long a window is.
    pub hotkeys_window_s: u64,
    /// Whether the log shows nothing that clients sent.
    pub hide_user_data: bool,
    /// Bytes that an interpreter may use; 0 is no limit.
    pub lua_memory_max: u64,
    /// Instructions that a script may take; 0 is no limit.
    pub lua_instructions_max: u64,
    /// Whether scripts have what lets them change their environments.
    pub lua_insecure: bool,
    /// Milliseconds that a script may take before clients are told that it runs; 0 is any number.
    pub busy_threshold_ms: u64,
    /// Turns of periodic work a second.
    pub hz: u64,
    /// How long loading rests after each key, for tests: microseconds, or by how many of them one
    /// key is less than that when it is negative.
    pub key_load_delay: i64,
}

impl Tunables {
    /// Whether any keyspace event is sent: by key or by event, and of some class.
    pub fn sends_events(&self) -> bool {
        self.events & EVENT_KINDS != 0 && self.events & !EVENT_KINDS != 0
    }

    /// What the engine is to tell for events.
    pub fn wanted_events(&self) -> Wants {
        match self.sends_events() {
            false => Wants::default(),
            true if self.events & spec::config::EVENT_FIELDS != 0 => {
                Wants::EVENTS.with(Wants::FIELDS)
            }
            true => Wants::EVENTS,
        }
    }

    /// From the configuration.
    pub fn new(config: &Config) -> Self {
        let number = |id| config.int(id).max(0) as u64;
        let max_bulk = config.memory(Id::ProtoMaxBulkLen);
        let commandlog = thresholds(config);
        let latency_threshold_ms = number(Id::LatencyMonitorThreshold);
        let slow_from_us = latency::threshold_ns(latency_threshold_ms) / 1000;
        Self {
            settings: commands::Settings {
                proto_max_bulk_len: max_bulk,
                reply_max: usize::try_from(max_bulk).unwrap_or(usize::MAX),
                limits: value_limits(config),
                dump: style(config),
                restore: restoring(config),
                lazyfree_user_del: config.bool(Id::LazyfreeLazyUserDel),
                lazyfree_user_flush: config.bool(Id::LazyfreeLazyUserFlush),
                usage: usage(config).usage,
            },
            lazy: Lazy {
                expire: config.bool(Id::LazyfreeLazyExpire),
                replace: config.bool(Id::LazyfreeLazyServerDel),
            },
            limits: Limits { max_bulk, ..Limits::default() },
            query_buffer_limit: config.memory(Id::ClientQueryBufferLimit),
            output_limit: output_limit(config, ClientClass::Normal),
            subscriber_limit: output_limit(config, ClientClass::Pubsub),
            slow_from_us: slow_from_us.min(commandlog[commandlog::Kind::Slow as usize].from),
            commandlog,
            latency_threshold_ms,
            events: config.events(),
            maxmemory: config.memory(Id::Maxmemory),
            eviction: evict::policy(config.choice(Id::MaxmemoryPolicy)),
            eviction_samples: number(Id::MaxmemorySamples) as usize,
            eviction_tenacity: number(Id::MaxmemoryEvictionTenacity) as u32,
            evicts_lazily: config.bool(Id::LazyfreeLazyEviction),
            usage: usage(config),
            defrag: defrag_terms(config),
            client_memory_max: client_memory_max(config),
            tracking_max_keys: number(Id::TrackingTableMaxKeys),
            maxclients: number(Id::Maxclients),
            timeout: number(Id::Timeout),
            tcp_keepalive: number(Id::TcpKeepalive),
            protected_mode: config.bool(Id::ProtectedMode),
            password: config.text(Id::Requirepass).to_vec(),
            import_mode: config.bool(Id::ImportMode),
            latency_tracking: config.bool(Id::LatencyTracking),
            follows_one_of: match latency_threshold_ms {
                0 if config.bool(Id::LatencyTracking) => felt::ONE_OF,
                0 => 0,
                _ => 1,
            },
            hotkeys_shown: number(Id::HotkeyTopK) as usize,
            hotkeys_one_of: 100u32
                .checked_div(number(Id::HotkeySamplingPercentage) as u32)
                .unwrap_or(0),
            hotkeys_window_s: number(Id::HotkeyWindowSeconds),
            hide_user_data: config.bool(Id::HideUserDataFromLog),
            lua_memory_max: config.memory(Id::LuaMemoryLimit),
            lua_instructions_max: number(Id::LuaInstructionLimit),
            lua_insecure: config.bool(Id::LuaEnableInsecureApi),
            busy_threshold_ms: number(Id::BusyReplyThreshold),
            hz: number(Id::Hz).max(1),
            key_load_delay: config.int(Id::KeyLoadDelay),
        }
    }
}

/// What keys remember of their use, by the policy of eviction.
fn usage(config: &Config) -> Terms {
    let usage = match config.choice(Id::MaxmemoryPolicy) {
        policy if policy.ends_with("-lfu") => Usage::Frequency,
        policy if policy.ends_with("-lrm") => Usage::Modified,
        policy if policy.ends_with("-s3fifo") => Usage::Recurrence,
        _ => Usage::Clock,
    };
    Terms {
        usage,
        log_factor: config.int(Id::LfuLogFactor) as u32,
        decay_minutes: config.int(Id::LfuDecayTime) as u32,
    }
}

fn defrag_terms(config: &Config) -> defrag::Terms {
    let number = |id| config.int(id).max(0) as u32;
    defrag::Terms {
        is_on: config.bool(Id::Activedefrag),
        ignored_bytes: config.memory(Id::ActiveDefragIgnoreBytes),
        lower: number(Id::ActiveDefragThresholdLower),
        upper: number(Id::ActiveDefragThresholdUpper),
        least: number(Id::ActiveDefragCycleMin),
        most: number(Id::ActiveDefragCycleMax),
        slice_us: config.int(Id::ActiveDefragCycleUs).max(0) as u64,
    }
}

/// How values are written to files and payloads.
pub fn style(config: &Config) -> Style {
    Style {
        version: config.choice_number(Id::RdbVersion) as u16,
        compress: config.bool(Id::Rdbcompression),
    }
}

/// How payloads are looked at.
fn restoring(config: &Config) -> Settings {
    Settings { relaxed: config.choice(Id::RdbVersionCheck) == "relaxed", checksum: true }
}

/// A percentage is one of `maxmemory`, and no limit without that.
fn client_memory_max(config: &Config) -> u64 {
    match config.memory_limit(Id::MaxmemoryClients) {
        MemoryLimit::Bytes(bytes) => bytes,
        MemoryLimit::Percent(percent) => {
            let bytes = u128::from(config.memory(Id::Maxmemory)) * u128::from(percent) / 100;
            u64::try_from(bytes).unwrap_or(u64::MAX)
        }
    }
}

fn thresholds(config: &Config) -> [Threshold; 3] {
    let threshold = |from, len| Threshold::new(config.int(from), config.int(len));
    [
        threshold(Id::SlowlogLogSlowerThan, Id::SlowlogMaxLen),
        threshold(Id::CommandlogRequestLargerThan, Id::CommandlogLargeRequestMaxLen),
        threshold(Id::CommandlogReplyLargerThan, Id::CommandlogLargeReplyMaxLen),
    ]
}

fn output_limit(config: &Config, class: ClientClass) -> OutputLimit {
    let limit = config.output_buffer_limit(class);
    OutputLimit {
        hard: limit.hard,
        soft: limit.soft,
        soft_seconds: limit.soft_seconds.max(0) as u64,
    }
}

/// Where small forms of collections end.
fn value_limits(config: &Config) -> keyspace::Limits {
    let number = |id| config.int(id).max(0) as usize;
    keyspace::Limits {
        hash_entries: number(Id::HashMaxListpackEntries),
        hash_value: config.memory(Id::HashMaxListpackValue) as usize,
        list_size: config.int(Id::ListMaxListpackSize) as i32,
        list_packed: 0,
        list_compress_depth: number(Id::ListCompressDepth),
        set_intset_entries: number(Id::SetMaxIntsetEntries),
        set_entries: number(Id::SetMaxListpackEntries),
        set_value: number(Id::SetMaxListpackValue),
        zset_entries: number(Id::ZsetMaxListpackEntries),
        zset_value: config.memory(Id::ZsetMaxListpackValue) as usize,
        stream_node_bytes: config.memory(Id::StreamNodeMaxBytes) as usize,
        stream_node_entries: number(Id::StreamNodeMaxEntries),
        stream_idmp_duration_s: config.int(Id::StreamIdmpDuration),
        stream_idmp_size: number(Id::StreamIdmpMaxsize),
        hll_sparse_bytes: config.memory(Id::HllSparseMaxBytes) as usize,
    }
}
