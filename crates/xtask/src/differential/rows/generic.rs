//! Keys of any type: their names, databases and deadlines.

use super::{MILLISECONDS, Row, SECONDS, row};
use crate::differential::compare::Rule;

pub(super) const ROWS: &[Row] = &[
    row("DEL {<key>}").weight(8),
    row("UNLINK {<key>}").weight(4),
    row("EXISTS {<key>}"),
    row("TOUCH {<key>}"),
    row("TYPE <key>"),
    row("RENAME <key> <key>").weight(6),
    row("RENAMENX <key> <key>"),
    row("COPY <key> <key> [DB <db>] [REPLACE]").weight(15),
    row("MOVE <key> <db>"),
    row("SELECT <db>").weight(5),
    row("SWAPDB <db> <db>").weight(2),
    row("EXPIRE <key> <ttl> [NX|XX|GT|LT] [XX]").weight(15),
    row("PEXPIRE <key> <pttl> [NX|XX|GT|LT]"),
    row("EXPIREAT <key> <unix> [NX|XX|GT|LT]"),
    row("PEXPIREAT <key> <unixms> [NX|XX|GT|LT]"),
    row("TTL <key>").rule(SECONDS),
    row("PTTL <key>").rule(MILLISECONDS),
    row("EXPIRETIME <key>").rule(SECONDS),
    row("PEXPIRETIME <key>").rule(MILLISECONDS),
    row("PERSIST <key>"),
    row("KEYS <pattern>").rule(Rule::AnyOrder),
    row("SCAN 0 [MATCH <pattern>] COUNT 10000 \
         [TYPE (string|list|set|zset|hash|stream|STRING|other|<junk>)]")
    .rule(Rule::Scan)
    .weight(15),
    row("SCAN <int>").rule(Rule::Scan),
    row("RANDOMKEY").rule(Rule::Shape).weight(3),
    row("DBSIZE"),
    row("OBJECT ENCODING <key>"),
    row("OBJECT HELP").weight(1),
    row("OBJECT <junk> <key>").weight(1),
    row("FLUSHDB [ASYNC|SYNC|<junk>]").weight(1),
    row("FLUSHALL [ASYNC|SYNC|<junk>]").weight(1),
];
