//! The words of the enumerations, and the letters of `notify-keyspace-events`.
//!
//! The order is what users see: errors list the words in it, and where two words share a number
//! the first one is shown.

use super::Choices;

pub(super) const CHANNEL_DEFAULTS: Choices = &[("allchannels", 1), ("resetchannels", 0)];
pub(super) const DISKLESS_LOADS: Choices =
    &[("disabled", 0), ("on-empty-db", 1), ("swapdb", 2), ("flush-before-load", 3)];
pub(super) const ENDPOINT_TYPES: Choices = &[("ip", 0), ("hostname", 1), ("unknown-endpoint", 2)];
pub(super) const FSYNC_POLICIES: Choices = &[("everysec", 2), ("always", 1), ("no", 0)];
pub(super) const LOG_FORMATS: Choices = &[("legacy", 0), ("logfmt", 1), ("json", 2)];
pub(super) const LOG_LEVELS: Choices =
    &[("debug", 0), ("verbose", 1), ("notice", 2), ("warning", 3), ("nothing", 4)];
pub(super) const LOG_TIMESTAMPS: Choices = &[("legacy", 0), ("iso8601", 1), ("milliseconds", 2)];
pub(super) const MAXMEMORY_POLICIES: Choices = &[
    ("volatile-lru", 0),
    ("volatile-lfu", 1),
    ("volatile-random", 2),
    ("volatile-ttl", 3),
    ("allkeys-lru", 4),
    ("allkeys-lfu", 5),
    ("allkeys-random", 6),
    ("noeviction", 7),
    ("volatile-lrm", 8),
    ("allkeys-lrm", 9),
    ("allkeys-s3fifo", 10),
];
pub(super) const NODES_FILE_SAVES: Choices = &[("sync", 0), ("best-effort", 1)];
pub(super) const OOM_MODES: Choices = &[("no", 0), ("yes", 1), ("relative", 1), ("absolute", 2)];
pub(super) const PROPAGATION_ERRORS: Choices =
    &[("ignore", 0), ("panic", 1), ("panic-on-replicas", 2)];
pub(super) const PROTECTED_ACTIONS: Choices = &[("no", 0), ("yes", 1), ("local", 2)];
pub(super) const RDB_VERSIONS: Choices =
    &[("auto", 0), ("10", 10), ("11", 11), ("12", 12), ("80", 80)];
pub(super) const RDB_VERSION_CHECKS: Choices = &[("strict", 0), ("relaxed", 1)];
pub(super) const SANITIZE_DUMPS: Choices = &[("no", 0), ("yes", 1), ("clients", 2)];
pub(super) const SHUTDOWN_FLAGS: Choices = &[
    ("default", 0),
    ("save", 1),
    ("nosave", 2),
    ("now", 4),
    ("force", 8),
    ("safe", 16),
    ("failover", 32),
];
pub(super) const SUPERVISORS: Choices = &[("upstart", 0), ("systemd", 1), ("auto", 2), ("no", 3)];
pub(super) const SYSLOG_FACILITIES: Choices = &[
    ("user", 1),
    ("local0", 16),
    ("local1", 17),
    ("local2", 18),
    ("local3", 19),
    ("local4", 20),
    ("local5", 21),
    ("local6", 22),
    ("local7", 23),
];
pub(super) const TLS_AUTH: Choices = &[("no", 0), ("yes", 1), ("optional", 2)];
pub(super) const TLS_USER_FIELDS: Choices = &[("CN", 0), ("URI", 1), ("off", 2)];

/// The event classes of `notify-keyspace-events` in the order in which CONFIG GET prints them:
/// letter and bit. `A` stands for the classes of `EVENTS_ALL`.
pub const EVENT_CLASSES: &[(u8, u32)] = &[
    (b'g', 1 << 2),
    (b'$', 1 << 3),
    (b'l', 1 << 4),
    (b's', 1 << 5),
    (b'h', 1 << 6),
    (b'z', 1 << 7),
    (b'x', 1 << 8),
    (b'e', 1 << 9),
    (b't', 1 << 10),
    (b'd', 1 << 13),
    (b'a', 1 << 17),
    (b'n', 1 << 14),
    (b'o', 1 << 15),
    (b'c', 1 << 16),
    (b'K', EVENT_BY_KEY),
    (b'E', EVENT_BY_NAME),
    (b'm', 1 << 11),
    (b'S', EVENT_FIELDS_BY_KEY),
    (b'T', EVENT_FIELDS_BY_NAME),
    (b'I', EVENT_BY_FIELD),
    (b'V', EVENT_FIELDS_BY_BOTH),
];

/// `K`: an event is sent to the channel of its key.
pub const EVENT_BY_KEY: u32 = 1 << 0;
/// `E`: an event is sent to the channel of its name.
pub const EVENT_BY_NAME: u32 = 1 << 1;
/// `S`: an event of fields is sent with them to a channel of their key.
pub const EVENT_FIELDS_BY_KEY: u32 = 1 << 18;
/// `T`: an event of fields is sent with them to a channel of its name.
pub const EVENT_FIELDS_BY_NAME: u32 = 1 << 19;
/// `I`: an event of fields is sent to a channel of each.
pub const EVENT_BY_FIELD: u32 = 1 << 20;
/// `V`: an event of fields is sent with them to a channel of its name and their key.
pub const EVENT_FIELDS_BY_BOTH: u32 = 1 << 21;
/// How events of fields are sent, whichever way.
pub const EVENT_FIELDS: u32 =
    EVENT_FIELDS_BY_KEY | EVENT_FIELDS_BY_NAME | EVENT_BY_FIELD | EVENT_FIELDS_BY_BOTH;

/// The classes behind the letter `A`: every kind of change to a key, but neither misses (`m`),
/// new keys (`n`) nor replaced values (`o`, `c`), which would double the messages of those who ask
/// for "all".
pub const EVENTS_ALL: u32 = 0b10_0010_0111_1111_1100;

/// The letters that an error about `notify-keyspace-events` offers, as Valkey does: without those
/// that are Redis's.
pub const EVENTS_NAME: &str = "Ag$lshzxeKEtmdn";
