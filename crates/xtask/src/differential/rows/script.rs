//! Scripts and functions.

use super::{Row, row};

pub(super) const ROWS: &[Row] = &[
    row("EVAL <program> 2 <str> <key> <value> <int>").weight(100),
    row("EVAL_RO <program> 2 <str> <key> <value> <int>"),
    row("EVAL <program> <count> {<key>}").weight(3),
    row("EVALSHA <digest> 0").weight(2),
    row("EVALSHA_RO <digest> 0").weight(1),
    row("SCRIPT LOAD <program>"),
    row("SCRIPT EXISTS {<digest>}").weight(2),
    row("SCRIPT SHOW <digest>").weight(1),
    row("SCRIPT FLUSH [SYNC|ASYNC]").weight(1),
    row("SCRIPT KILL").weight(1),
    row("FUNCTION LOAD [REPLACE] <library>").weight(12),
    row("FUNCTION DELETE (one|two)").weight(1),
    row("FUNCTION LIST LIBRARYNAME (one|two) [WITHCODE]").weight(2),
    row("FUNCTION FLUSH [SYNC|ASYNC]").weight(1),
    row("FUNCTION STATS").weight(1),
    row("FCALL (f1|f2) 2 <str> <key> <value> <int>").weight(12),
    row("FCALL_RO (f1|f2) 2 <str> <key> <value> <int>").weight(4),
    row("SET <str> <value>"),
    row("GET <str>"),
    row("RPUSH <list> {<elem>}").weight(3),
    row("HSET <hash> {<field> <value>}").weight(3),
    row("ZADD <zset> <float> <member>").weight(3),
];
