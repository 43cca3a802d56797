//! Typed commands: each function builds a command of that name and says what its reply is.
//!
//! What only reads may be repeated on a new connection; what writes is sent once. Any other
//! command, and any other option, is there by [`Command`]; [`Typed::reading`] changes the type.

use std::collections::HashMap;

use crate::command::{Argument, Command};
use crate::request::Typed;

/// Rows `name "COMMAND" (key: K, arguments) -> reply`, with `reads` in front of what only reads.
macro_rules! commands {
    ($(#[doc = $doc:literal] $mode:ident $name:ident $word:literal
        ($($key:ident)? $(; $($argument:ident),+)?) -> $reply:ty;)+) => {$(
        #[doc = $doc]
        pub fn $name($($key: impl Argument,)? $($($argument: impl Argument),+)?) -> Typed<$reply> {
            let command = Command::new($word);
            $(let command = command.key($key);)?
            $($(let command = command.arg($argument);)+)?
            Typed::new(commands!(@ $mode command))
        }
    )+};
    (@ reads $command:ident) => { $command.may_repeat() };
    (@ writes $command:ident) => { $command };
}

/// Rows of commands that take a key and then a list.
macro_rules! lists {
    ($(#[doc = $doc:literal] $mode:ident $name:ident $word:literal $($key:ident)? [$list:ident]
        -> $reply:ty;)+) => {$(
        #[doc = $doc]
        pub fn $name<A: Argument>(
            $($key: impl Argument,)?
            $list: impl IntoIterator<Item = A>,
        ) -> Typed<$reply> {
            let command = Command::new($word);
            $(let command = command.key($key);)?
            Typed::new(commands!(@ $mode command).args($list))
        }
    )+};
}

commands! {
    /// The value of a key.
    reads get "GET" (key) -> Option<Vec<u8>>;
    /// The value of a key, which is deleted.
    writes getdel "GETDEL" (key) -> Option<Vec<u8>>;
    /// Sets a key.
    writes set "SET" (key; value) -> ();
    /// Adds bytes at the end; the new length.
    writes append "APPEND" (key; value) -> u64;
    /// Length of the value in bytes.
    reads strlen "STRLEN" (key) -> u64;
    /// Part of the value, both ends included.
    reads getrange "GETRANGE" (key; start, end) -> Vec<u8>;
    /// One more.
    writes incr "INCR" (key) -> i64;
    /// One less.
    writes decr "DECR" (key) -> i64;
    /// So many more.
    writes incrby "INCRBY" (key; increment) -> i64;
    /// So much more.
    writes incrbyfloat "INCRBYFLOAT" (key; increment) -> f64;
    /// The type of a key's value; `none` if there is no key.
    reads key_type "TYPE" (key) -> String;
    /// Seconds to live; -1 without a deadline, -2 without a key.
    reads ttl "TTL" (key) -> i64;
    /// Milliseconds to live; -1 without a deadline, -2 without a key.
    reads pttl "PTTL" (key) -> i64;
    /// Sets the seconds to live; whether there is such a key.
    writes expire "EXPIRE" (key; seconds) -> bool;
    /// Sets the milliseconds to live; whether there is such a key.
    writes pexpire "PEXPIRE" (key; milliseconds) -> bool;
    /// Takes the deadline away.
    writes persist "PERSIST" (key) -> bool;
    /// Gives a key another name.
    writes rename "RENAME" (key; newkey) -> ();
    /// The serialized value.
    reads dump "DUMP" (key) -> Option<Vec<u8>>;
    /// Keys that match a pattern. Looks at all keys: for debugging.
    reads keys "KEYS" (; pattern) -> Vec<Vec<u8>>;
    /// The value of a field.
    reads hget "HGET" (key; field) -> Option<Vec<u8>>;
    /// Sets a field; whether it is new.
    writes hset "HSET" (key; field, value) -> bool;
    /// All fields and values.
    reads hgetall "HGETALL" (key) -> HashMap<Vec<u8>, Vec<u8>>;
    /// All fields.
    reads hkeys "HKEYS" (key) -> Vec<Vec<u8>>;
    /// All values.
    reads hvals "HVALS" (key) -> Vec<Vec<u8>>;
    /// How many fields.
    reads hlen "HLEN" (key) -> u64;
    /// Whether there is such a field.
    reads hexists "HEXISTS" (key; field) -> bool;
    /// Adds to a field.
    writes hincrby "HINCRBY" (key; field, increment) -> i64;
    /// Takes the first element.
    writes lpop "LPOP" (key) -> Option<Vec<u8>>;
    /// Takes the last element.
    writes rpop "RPOP" (key) -> Option<Vec<u8>>;
    /// How many elements.
    reads llen "LLEN" (key) -> u64;
    /// Elements from one index to another, both included.
    reads lrange "LRANGE" (key; start, stop) -> Vec<Vec<u8>>;
    /// The element at an index.
    reads lindex "LINDEX" (key; index) -> Option<Vec<u8>>;
    /// Sets the element at an index.
    writes lset "LSET" (key; index, element) -> ();
    /// Removes elements that are equal; how many.
    writes lrem "LREM" (key; count, element) -> u64;
    /// Keeps the elements from one index to another.
    writes ltrim "LTRIM" (key; start, stop) -> ();
    /// All members.
    reads smembers "SMEMBERS" (key) -> Vec<Vec<u8>>;
    /// How many members.
    reads scard "SCARD" (key) -> u64;
    /// Whether it is a member.
    reads sismember "SISMEMBER" (key; member) -> bool;
    /// Takes any member.
    writes spop "SPOP" (key) -> Option<Vec<u8>>;
    /// Sets a member's score; whether it is new.
    writes zadd "ZADD" (key; score, member) -> bool;
    /// The score of a member.
    reads zscore "ZSCORE" (key; member) -> Option<f64>;
    /// How many members.
    reads zcard "ZCARD" (key) -> u64;
    /// How many members score lower.
    reads zrank "ZRANK" (key; member) -> Option<u64>;
    /// Adds to a member's score.
    writes zincrby "ZINCRBY" (key; increment, member) -> f64;
    /// Members from one rank to another, both included.
    reads zrange "ZRANGE" (key; start, stop) -> Vec<Vec<u8>>;
    /// How many entries.
    reads xlen "XLEN" (key) -> u64;
    /// Sends a message; how many received it.
    writes publish "PUBLISH" (; channel, message) -> u64;
    /// As PUBLISH, within a channel's slot.
    writes spublish "SPUBLISH" (; channel, message) -> u64;
    /// Asks whether the server is there.
    reads ping "PING" () -> String;
    /// The same bytes back.
    reads echo "ECHO" (; message) -> Vec<u8>;
    /// How many keys the database has.
    reads dbsize "DBSIZE" () -> u64;
    /// A section of what the server tells about itself.
    reads info "INFO" (; section) -> String;
    /// Seconds and microseconds of the server's clock.
    reads time "TIME" () -> (i64, i64);
    /// Removes every key of the database.
    writes flushdb "FLUSHDB" () -> ();
    /// Removes every key.
    writes flushall "FLUSHALL" () -> ();
}

lists! {
    /// Deletes keys; how many there were.
    writes del "DEL" [keys] -> u64;
    /// As DEL, and frees the memory later.
    writes unlink "UNLINK" [keys] -> u64;
    /// How many of the keys there are.
    reads exists "EXISTS" [keys] -> u64;
    /// Notes that the keys were used; how many there are.
    writes touch "TOUCH" [keys] -> u64;
    /// The values of keys.
    reads mget "MGET" [keys] -> Vec<Option<Vec<u8>>>;
    /// Sets keys: names and values in turn.
    writes mset "MSET" [pairs] -> ();
    /// The values of fields.
    reads hmget "HMGET" key [fields] -> Vec<Option<Vec<u8>>>;
    /// Deletes fields; how many there were.
    writes hdel "HDEL" key [fields] -> u64;
    /// Adds elements in front; the new length.
    writes lpush "LPUSH" key [elements] -> u64;
    /// Adds elements at the end; the new length.
    writes rpush "RPUSH" key [elements] -> u64;
    /// Adds members; how many are new.
    writes sadd "SADD" key [members] -> u64;
    /// Removes members; how many there were.
    writes srem "SREM" key [members] -> u64;
    /// The members of all of the sets.
    reads sinter "SINTER" [keys] -> Vec<Vec<u8>>;
    /// The members of any of the sets.
    reads sunion "SUNION" [keys] -> Vec<Vec<u8>>;
    /// The members of the first set that are in no other.
    reads sdiff "SDIFF" [keys] -> Vec<Vec<u8>>;
    /// Removes members; how many there were.
    writes zrem "ZREM" key [members] -> u64;
}

/// Sets a key that lives for so many milliseconds.
pub fn set_px(key: impl Argument, value: impl Argument, ttl_ms: u64) -> Typed<()> {
    Typed::new(Command::new("SET").key(key).arg(value).arg("PX").arg(ttl_ms))
}

/// Sets a key if there is none; whether it did.
pub fn set_nx(key: impl Argument, value: impl Argument) -> Typed<bool> {
    Typed::new(Command::new("SET").key(key).arg(value).arg("NX"))
}

/// Takes the first element of one of the lists, waiting for so many seconds; zero is for ever.
/// The client's own limit must be longer.
pub fn blpop<A: Argument>(
    keys: impl IntoIterator<Item = A>,
    seconds: f64,
) -> Typed<Option<(Vec<u8>, Vec<u8>)>> {
    Typed::new(Command::new("BLPOP").args(keys).arg(seconds))
}

/// Members with their scores, from one rank to another, both included. Under the third protocol
/// they come as pairs, under the second in turn.
pub fn zrange_withscores(
    key: impl Argument,
    start: i64,
    stop: i64,
) -> Typed<HashMap<Vec<u8>, f64>> {
    let command = Command::new("ZRANGE").key(key).arg(start).arg(stop).arg("WITHSCORES");
    Typed::new(command.may_repeat())
}

/// Adds an entry with an identifier that the server makes; fields and values in turn.
pub fn xadd<A: Argument>(key: impl Argument, fields: impl IntoIterator<Item = A>) -> Typed<String> {
    Typed::new(Command::new("XADD").key(key).arg("*").args(fields))
}

/// One step through the keys: the next cursor, which is zero at the end, and some keys.
pub fn scan(cursor: u64, pattern: &str, count: u64) -> Typed<(u64, Vec<Vec<u8>>)> {
    let command = Command::new("SCAN").arg(cursor).arg("MATCH").arg(pattern);
    Typed::new(command.arg("COUNT").arg(count).may_repeat())
}

/// Messages of these channels come as pushes from now on, and on later connections.
pub fn subscribe<A: Argument>(channels: impl IntoIterator<Item = A>) -> Typed<()> {
    Typed::new(Command::new("SUBSCRIBE").args(channels).may_repeat())
}

/// As [`subscribe`], for channels that match one of the patterns.
pub fn psubscribe<A: Argument>(patterns: impl IntoIterator<Item = A>) -> Typed<()> {
    Typed::new(Command::new("PSUBSCRIBE").args(patterns).may_repeat())
}

/// No more messages of these channels; of none if none is named.
pub fn unsubscribe<A: Argument>(channels: impl IntoIterator<Item = A>) -> Typed<()> {
    Typed::new(Command::new("UNSUBSCRIBE").args(channels).may_repeat())
}

/// No more messages by these patterns; by none if none is named.
pub fn punsubscribe<A: Argument>(patterns: impl IntoIterator<Item = A>) -> Typed<()> {
    Typed::new(Command::new("PUNSUBSCRIBE").args(patterns).may_repeat())
}
