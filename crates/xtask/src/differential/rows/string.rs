//! Strings and counters.

use super::{Row, row};

pub(super) const ROWS: &[Row] = &[
    row("SET <str> <value>").weight(40),
    row("SET <str> <int>").weight(15),
    row("SET <str> <value> [NX|XX] [GET] [EX <ttl>|PX <pttl>|EXAT <unix>|PXAT <unixms>|KEEPTTL]")
        .weight(30),
    row("SET <str> <value> [IFEQ <value>|NX|XX] [GET] [EX <ttl>|PX <pttl>|KEEPTTL]")
        .needs("delifeq"),
    row("SETNX <str> <value>"),
    row("SETEX <str> <ttl> <value>"),
    row("PSETEX <str> <pttl> <value>"),
    row("GETSET <str> <value>"),
    row("GET <str>").weight(20),
    row("GETDEL <str>").weight(4),
    row("GETEX <str> [EX <ttl>|PX <pttl>|EXAT <unix>|PXAT <unixms>|PERSIST]"),
    row("MGET {<key>}"),
    row("MSET {<str> <value>}"),
    row("MSETNX {<str> <value>}").weight(5),
    row("MSETEX #{<str> <value>} [NX|XX] [EX <ttl>|PX <pttl>|EXAT <unix>|PXAT <unixms>|KEEPTTL]"),
    row("APPEND <str> <value>"),
    row("STRLEN <str>"),
    row("SETRANGE <str> <offset> <value>"),
    row("GETRANGE <str> <index> <index>"),
    row("SUBSTR <str> <int> <int>").weight(4),
    row("INCR <str>"),
    row("DECR <str>"),
    row("INCRBY <str> <int>"),
    row("DECRBY <str> <int>"),
    row("INCRBYFLOAT <str> <float>").weight(15),
    row("LCS <str> <str> [LEN] [IDX] [MINMATCHLEN <count>] [WITHMATCHLEN]"),
    row("DELIFEQ <str> <value>").weight(4),
];
