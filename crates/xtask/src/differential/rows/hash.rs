//! Hashes and the deadlines of their fields.

use super::{MILLISECONDS, Row, SECONDS, row};
use crate::differential::compare::Rule;

pub(super) const ROWS: &[Row] = &[
    row("HSET <hash> {<field> <value>}").weight(40),
    row("HMSET <hash> {<field> <value>}").weight(5),
    row("HSETNX <hash> <field> <value>"),
    row("HGET <hash> <field>"),
    row("HMGET <hash> {<field>}"),
    row("HGETALL <hash>").rule(Rule::Pairs),
    row("HKEYS <hash>").rule(Rule::AnyOrder),
    row("HVALS <hash>").rule(Rule::AnyOrder),
    row("HLEN <hash>"),
    row("HEXISTS <hash> <field>"),
    row("HSTRLEN <hash> <field>"),
    row("HDEL <hash> {<field>}"),
    row("HINCRBY <hash> <field> <int>"),
    row("HINCRBYFLOAT <hash> <field> <float>"),
    row("HRANDFIELD <hash> [<index> [WITHVALUES]]").rule(Rule::Shape),
    row("HSCAN <hash> 0 [MATCH <pattern>] COUNT 10000").rule(Rule::ScanPairs),
    row("HSCAN <hash> 0 [MATCH <pattern>] COUNT 10000 NOVALUES").rule(Rule::Scan).needs("delifeq"),
    row("HSCAN <hash> <int> [COUNT <int>]").rule(Rule::ScanPairs).weight(3),
    row("HEXPIRE <hash> <ttl> [NX|XX|GT|LT] FIELDS #{<field>}").weight(15),
    row("HPEXPIRE <hash> <pttl> [NX|XX|GT|LT] FIELDS #{<field>}"),
    row("HEXPIREAT <hash> <unix> [NX|XX|GT|LT] FIELDS #{<field>}"),
    row("HPEXPIREAT <hash> <unixms> [NX|XX|GT|LT] FIELDS #{<field>}"),
    row("HTTL <hash> FIELDS #{<field>}").rule(SECONDS),
    row("HPTTL <hash> FIELDS #{<field>}").rule(MILLISECONDS),
    row("HEXPIRETIME <hash> FIELDS #{<field>}").rule(SECONDS),
    row("HPEXPIRETIME <hash> FIELDS #{<field>}").rule(MILLISECONDS),
    row("HPERSIST <hash> FIELDS #{<field>}"),
    row("HGETEX <hash> [EX <ttl>|PX <pttl>|EXAT <unix>|PXAT <unixms>|PERSIST] FIELDS #{<field>}"),
    row("HGETDEL <hash> FIELDS #{<field>}").weight(4),
    row("HSETEX <hash> [NX|XX] [FNX|FXX] [EX <ttl>|PX <pttl>|EXAT <unix>|PXAT <unixms>|KEEPTTL] \
         FIELDS #{<field> <value>}")
    .weight(15),
    row("DEL <hash>").weight(2),
];
