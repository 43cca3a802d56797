//! The numbers that stand in files. They never change; a test freezes them.

/// Types of values.
pub mod kind {
    pub const STRING: u8 = 0;
    pub const LIST: u8 = 1;
    pub const SET: u8 = 2;
    /// Scores as text.
    pub const ZSET: u8 = 3;
    pub const HASH: u8 = 4;
    /// Scores as binary numbers.
    pub const ZSET_2: u8 = 5;
    /// Of release candidates.
    pub const MODULE_OLD: u8 = 6;
    pub const MODULE: u8 = 7;
    pub const HASH_ZIPMAP: u8 = 9;
    pub const LIST_ZIPLIST: u8 = 10;
    pub const SET_INTSET: u8 = 11;
    pub const ZSET_ZIPLIST: u8 = 12;
    pub const HASH_ZIPLIST: u8 = 13;
    /// Nodes are ziplists.
    pub const LIST_QUICKLIST: u8 = 14;
    pub const STREAM: u8 = 15;
    pub const HASH_LISTPACK: u8 = 16;
    pub const ZSET_LISTPACK: u8 = 17;
    /// Nodes are listpacks or single elements.
    pub const LIST_QUICKLIST_2: u8 = 18;
    /// With counters.
    pub const STREAM_2: u8 = 19;
    pub const SET_LISTPACK: u8 = 20;
    /// With the active time of consumers.
    pub const STREAM_3: u8 = 21;
    /// In Valkey's dialect: a hash with fields that expire.
    pub const HASH_2: u8 = 22;
    /// In Redis's dialect, of release candidates of 7.4: a hash with fields that expire.
    pub const HASH_EXPIRES_OLD: u8 = 22;
    /// The same as a listpack.
    pub const HASH_EXPIRES_LISTPACK_OLD: u8 = 23;
    /// In Redis's dialect: a hash with fields that expire, behind the earliest deadline.
    pub const HASH_EXPIRES: u8 = 24;
    /// The same as a listpack.
    pub const HASH_EXPIRES_LISTPACK: u8 = 25;
    /// In Redis's dialect: with what producers have sent.
    pub const STREAM_4: u8 = 26;
    /// In Redis's dialect: with pending entries that nobody owns.
    pub const STREAM_5: u8 = 27;
    /// In Redis's dialect.
    pub const ARRAY: u8 = 28;
    /// In Redis's dialect: a hash with the names of its fields in front, and then its values.
    pub const HASH_TEMPLATE_LISTPACK: u8 = 29;
    /// The same, with the number of a template of the file in the place of the names.
    pub const HASH_TEMPLATE_LISTPACK_REF: u8 = 30;
    pub const HASH_TEMPLATE_ARRAY: u8 = 31;
    pub const HASH_TEMPLATE_ARRAY_REF: u8 = 32;
    /// Of previews of Redis 8.8.
    pub const GCRA: u8 = 33;
}

/// What the check of a file calls a type.
pub fn kind_name(code: u8, is_valkey: bool) -> &'static str {
    match code {
        kind::STRING => "string",
        kind::LIST => "list-linked",
        kind::SET => "set-hashtable",
        kind::ZSET => "zset-v1",
        kind::HASH => "hash-hashtable",
        kind::ZSET_2 => "zset-v2",
        kind::MODULE_OLD => "module-pre-release",
        kind::MODULE => "module-value",
        kind::HASH_ZIPMAP => "hash-zipmap",
        kind::LIST_ZIPLIST => "list-ziplist",
        kind::SET_INTSET => "set-intset",
        kind::ZSET_ZIPLIST => "zset-ziplist",
        kind::HASH_ZIPLIST => "hash-ziplist",
        kind::LIST_QUICKLIST => "quicklist",
        kind::STREAM => "stream",
        kind::HASH_LISTPACK => "hash-listpack",
        kind::ZSET_LISTPACK => "zset-listpack",
        kind::LIST_QUICKLIST_2 => "quicklist-v2",
        kind::STREAM_2 => "stream-v2",
        kind::SET_LISTPACK => "set-listpack",
        kind::STREAM_3 => "stream-v3",
        kind::HASH_2 if is_valkey => "hash-hashtable-with-expiration",
        kind::HASH_EXPIRES_OLD => "hash-hashtable-md-pre-release",
        kind::HASH_EXPIRES_LISTPACK_OLD => "hash-listpack-md-pre-release",
        kind::HASH_EXPIRES => "hash-hashtable-md",
        kind::HASH_EXPIRES_LISTPACK => "hash-listpack-md",
        kind::STREAM_4 => "stream-v4",
        kind::STREAM_5 => "stream-v5",
        kind::ARRAY => "array",
        kind::HASH_TEMPLATE_LISTPACK | kind::HASH_TEMPLATE_LISTPACK_REF if !is_valkey => {
            "hash-template-listpack"
        }
        kind::HASH_TEMPLATE_ARRAY | kind::HASH_TEMPLATE_ARRAY_REF if !is_valkey => {
            "hash-template-array"
        }
        _ => "unknown",
    }
}

/// What stands in a file where the type of a value could.
pub mod opcode {
    /// In Redis's dialect: the names of the fields of some hashes.
    pub const HASH_TEMPLATE: u8 = 242;
    /// The state of a slot's import in Valkey, metadata of the next key in Redis.
    pub const KEY_META: u8 = 243;
    pub const SLOT_INFO: u8 = 244;
    pub const FUNCTION: u8 = 245;
    /// Of release candidates.
    pub const FUNCTION_OLD: u8 = 246;
    pub const MODULE_AUX: u8 = 247;
    pub const IDLE: u8 = 248;
    pub const FREQ: u8 = 249;
    pub const AUX: u8 = 250;
    pub const RESIZE: u8 = 251;
    pub const EXPIRE_MS: u8 = 252;
    pub const EXPIRE_S: u8 = 253;
    pub const SELECT: u8 = 254;
    pub const END: u8 = 255;
}

/// The first two bits of a length.
pub mod length {
    pub const SHORT: u8 = 0;
    pub const MIDDLE: u8 = 1;
    /// The whole byte in front of four.
    pub const FOUR: u8 = 0x80;
    /// The whole byte in front of eight.
    pub const EIGHT: u8 = 0x81;
    /// Not a length but an encoding of a string.
    pub const SPECIAL: u8 = 3;
}

/// Encodings of a string.
pub mod string {
    pub const INT_8: u8 = 0;
    pub const INT_16: u8 = 1;
    pub const INT_32: u8 = 2;
    pub const LZF: u8 = 3;
}

/// How an element of an array is written.
pub mod element {
    pub const LONG: u64 = 0;
    pub const INT: u64 = 1;
    pub const FLOAT: u64 = 2;
    pub const SHORT: u64 = 3;
    /// The longest short one.
    pub const SHORT_MAX: usize = 7;
    /// Numbers are below this magnitude, or long strings.
    pub const INT_END: i64 = 1 << 61;
}

/// How the names of a hash's fields stand in front of it.
pub mod names {
    pub const LISTPACK: u64 = 0;
    pub const PLAIN: u64 = 1;
}

/// What modules write.
pub mod module {
    pub const END: u64 = 0;
    pub const INT: u64 = 1;
    pub const UNSIGNED: u64 = 2;
    pub const FLOAT: u64 = 3;
    pub const DOUBLE: u64 = 4;
    pub const STRING: u64 = 5;
    /// A flag of a class of metadata.
    pub const MAY_BE_IGNORED: u32 = 1;
}

/// What a part of a list is.
pub mod part {
    pub const PLAIN: u64 = 1;
    pub const PACK: u64 = 2;
}

/// What Redis 7.2 and Valkey 8 write.
pub const VERSION: u16 = 11;
/// What Redis 7.0 writes.
pub const VERSION_7_0: u16 = 10;
/// The last version that is written as text scores and without a checksum; readers care.
pub const VERSION_CHECKSUM: u16 = 5;
/// The first version of Redis's dialect, from 7.4 on.
pub const REDIS_MIN: u16 = 12;
/// The last version of Redis's dialect that is known.
pub const REDIS_MAX: u16 = 16;
/// The first version whose payloads may lack the checksum.
pub const REDIS_RAW_MIN: u16 = 15;
/// The last number that Redis's dialect may have.
pub const REDIS_END: u16 = 79;
/// The version of Valkey's dialect.
pub const VALKEY: u16 = 80;
