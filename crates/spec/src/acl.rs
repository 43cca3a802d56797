//! The categories into which ACL rules sort the commands.

use bitflags::bitflags;

bitflags! {
    /// A set of ACL categories.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct Acl: u64 {
        /// Touches keys whatever their type is.
        const KEYSPACE = 1 << 0;
        /// Reads values.
        const READ = 1 << 1;
        /// Changes values.
        const WRITE = 1 << 2;
        /// Works on sets.
        const SET = 1 << 3;
        /// Works on sorted sets.
        const SORTEDSET = 1 << 4;
        /// Works on lists.
        const LIST = 1 << 5;
        /// Works on hashes.
        const HASH = 1 << 6;
        /// Works on strings.
        const STRING = 1 << 7;
        /// Works on bitmaps.
        const BITMAP = 1 << 8;
        /// Works on HyperLogLogs.
        const HYPERLOGLOG = 1 << 9;
        /// Works on geographical indexes.
        const GEO = 1 << 10;
        /// Works on streams.
        const STREAM = 1 << 11;
        /// Publishes and subscribes.
        const PUBSUB = 1 << 12;
        /// For the administrator.
        const ADMIN = 1 << 13;
        /// Constant or logarithmic cost.
        const FAST = 1 << 14;
        /// Every command that is not fast.
        const SLOW = 1 << 15;
        /// May block its client.
        const BLOCKING = 1 << 16;
        /// Can harm the server or its data when used without care.
        const DANGEROUS = 1 << 17;
        /// Works on the connection or on other connections.
        const CONNECTION = 1 << 18;
        /// Belongs to transactions.
        const TRANSACTION = 1 << 19;
        /// Runs or holds scripts.
        const SCRIPTING = 1 << 20;
        /// Works on arrays.
        const ARRAY = 1 << 21;
    }
}

impl Acl {
    /// The names of the categories in the order of ACL CAT.
    pub const NAMES: &'static [(Acl, &'static str)] = &[
        (Acl::KEYSPACE, "keyspace"),
        (Acl::READ, "read"),
        (Acl::WRITE, "write"),
        (Acl::SET, "set"),
        (Acl::SORTEDSET, "sortedset"),
        (Acl::LIST, "list"),
        (Acl::HASH, "hash"),
        (Acl::STRING, "string"),
        (Acl::BITMAP, "bitmap"),
        (Acl::HYPERLOGLOG, "hyperloglog"),
        (Acl::GEO, "geo"),
        (Acl::STREAM, "stream"),
        (Acl::PUBSUB, "pubsub"),
        (Acl::ADMIN, "admin"),
        (Acl::FAST, "fast"),
        (Acl::SLOW, "slow"),
        (Acl::BLOCKING, "blocking"),
        (Acl::DANGEROUS, "dangerous"),
        (Acl::CONNECTION, "connection"),
        (Acl::TRANSACTION, "transaction"),
        (Acl::SCRIPTING, "scripting"),
        (Acl::ARRAY, "array"),
    ];
}
