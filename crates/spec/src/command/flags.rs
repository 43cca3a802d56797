//! The marks of a command, and the names under which COMMAND prints them.

use bitflags::bitflags;

bitflags! {
    /// What dispatch must know about a command before it runs it.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct Flags: u32 {
        /// May change data.
        const WRITE = 1 << 0;
        /// Reads data and changes none.
        const READONLY = 1 << 1;
        /// May need more memory, so it is refused when memory is used up.
        const DENYOOM = 1 << 2;
        /// For the administrator.
        const ADMIN = 1 << 3;
        /// Belongs to publish and subscribe.
        const PUBSUB = 1 << 4;
        /// Refused in scripts.
        const NOSCRIPT = 1 << 5;
        /// May block its client.
        const BLOCKING = 1 << 6;
        /// Allowed while the data set is loading.
        const LOADING = 1 << 7;
        /// Allowed on a replica whose data may be stale.
        const STALE = 1 << 8;
        /// Not shown to MONITOR.
        const SKIP_MONITOR = 1 << 9;
        /// Not kept in the slow log and its siblings.
        const SKIP_COMMANDLOG = 1 << 10;
        /// Behaves in a cluster as if ASKING had been sent before it.
        const ASKING = 1 << 11;
        /// Constant or logarithmic cost.
        const FAST = 1 << 12;
        /// Allowed before the client has authenticated.
        const NO_AUTH = 1 << 13;
        /// May reach replicas although it is no write.
        const MAY_REPLICATE = 1 << 14;
        /// Exists in Sentinel, too.
        const SENTINEL = 1 << 15;
        /// Exists in Sentinel only.
        const ONLY_SENTINEL = 1 << 16;
        /// Its keys are optional.
        const NO_MANDATORY_KEYS = 1 << 17;
        /// Off unless the configuration allows it.
        const PROTECTED = 1 << 18;
        /// Refused while a replica loads beside its old data.
        const NO_ASYNC_LOADING = 1 << 19;
        /// Refused in a transaction.
        const NO_MULTI = 1 << 20;
        /// First key, last key and step alone do not find all keys: derived from the key specs.
        const MOVABLEKEYS = 1 << 21;
        /// Allowed while a script runs too long.
        const ALLOW_BUSY = 1 << 22;
        /// May touch keys that are none of its arguments.
        const TOUCHES_ARBITRARY_KEYS = 1 << 23;
        /// Touches every database, which matters to users who may use only some.
        const ALL_DBS = 1 << 24;
        /// Not promised to stay.
        const EXPERIMENTAL = 1 << 25;
    }
}

impl Flags {
    /// The flags that COMMAND prints, in its order; the others stay hidden as they do upstream.
    pub const PRINTED: &'static [(Flags, &'static str)] = &[
        (Flags::WRITE, "write"),
        (Flags::READONLY, "readonly"),
        (Flags::DENYOOM, "denyoom"),
        (Flags::ADMIN, "admin"),
        (Flags::PUBSUB, "pubsub"),
        (Flags::NOSCRIPT, "noscript"),
        (Flags::BLOCKING, "blocking"),
        (Flags::LOADING, "loading"),
        (Flags::STALE, "stale"),
        (Flags::SKIP_MONITOR, "skip_monitor"),
        (Flags::SKIP_COMMANDLOG, "skip_commandlog"),
        (Flags::ASKING, "asking"),
        (Flags::FAST, "fast"),
        (Flags::NO_AUTH, "no_auth"),
        (Flags::NO_MANDATORY_KEYS, "no_mandatory_keys"),
        (Flags::NO_ASYNC_LOADING, "no_async_loading"),
        (Flags::NO_MULTI, "no_multi"),
        (Flags::MOVABLEKEYS, "movablekeys"),
        (Flags::ALLOW_BUSY, "allow_busy"),
    ];
}

bitflags! {
    /// What COMMAND DOCS says about the documentation of a command.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct DocFlags: u8 {
        /// Something else should be used.
        const DEPRECATED = 1 << 0;
        /// Servers send it to each other; it is not for users.
        const SYSCMD = 1 << 1;
    }
}

impl DocFlags {
    /// The names that COMMAND DOCS prints, in its order.
    pub const PRINTED: &'static [(DocFlags, &'static str)] =
        &[(DocFlags::DEPRECATED, "deprecated"), (DocFlags::SYSCMD, "syscmd")];
}

/// The union of command flags, as a constant.
macro_rules! flags {
    ($($name:ident),* $(,)?) => {
        $crate::command::Flags::empty()$(.union($crate::command::Flags::$name))*
    };
}

/// The union of ACL categories, as a constant.
macro_rules! acl {
    ($($name:ident),* $(,)?) => {
        $crate::acl::Acl::empty()$(.union($crate::acl::Acl::$name))*
    };
}

pub(super) use {acl, flags};
