//! Streams, their groups and consumers.

use super::{Row, row};
use crate::differential::compare::Rule;

pub(super) const ROWS: &[Row] = &[
    row("XADD <stream> <addid> {<field> <value>}").weight(50),
    row("XADD <stream> [NOMKSTREAM] [MAXLEN [=|~] <count> [LIMIT <count>]|\
         MINID [=|~] <id> [LIMIT <count>]] <addid> {<field> <value>}")
    .weight(30),
    row("XLEN <stream>"),
    row("XRANGE <stream> <rangeid> <rangeid> [COUNT <count>]").weight(15),
    row("XREVRANGE <stream> <rangeid> <rangeid> [COUNT <count>]").weight(15),
    row("XDEL <stream> {<id>}").weight(15),
    row("XTRIM <stream> (MAXLEN|MINID) [=|~] <id> [LIMIT <count>]"),
    row("XTRIM <stream> MAXLEN [=|~] <count> [LIMIT <count>]").weight(4),
    row("XSETID <stream> <id> [ENTRIESADDED <count>] [MAXDELETEDID <id>]").weight(5),
    row("XREAD [COUNT <count>] STREAMS <stream> (<id>|$|+)"),
    row("XREAD [COUNT <count>] STREAMS <stream> <stream> <id> <id>"),
    row("XGROUP CREATE <stream> <group> (<id>|$|0|0|0) [MKSTREAM] [ENTRIESREAD <count>]")
        .weight(20),
    row("XGROUP SETID <stream> <group> (<id>|$|0|-) [ENTRIESREAD <count>]"),
    row("XGROUP DESTROY <stream> <group>").weight(3),
    row("XGROUP CREATECONSUMER <stream> <group> <consumer>"),
    row("XGROUP DELCONSUMER <stream> <group> <consumer>").weight(3),
    row("XGROUP HELP").weight(1),
    row("XREADGROUP GROUP <group> <consumer> [COUNT <count>] [NOACK] STREAMS <stream> >")
        .weight(40),
    row(
        "XREADGROUP GROUP <group> <consumer> [COUNT <count>] [NOACK] STREAMS <stream> (<id>|$|+|*)",
    )
    .weight(15),
    row("XREADGROUP GROUP <group> <consumer> STREAMS <stream> <stream> (<id>|>) (<id>|>)"),
    row("XACK <stream> <group> {<id>}").weight(15),
    row("XPENDING <stream> <group>"),
    row("XPENDING <stream> <group> [IDLE <idle>] <rangeid> <rangeid> <count> [<consumer>]")
        .rule(Rule::Times)
        .weight(20),
    row("XCLAIM <stream> <group> <consumer> <idle> {<id>} [IDLE <count>|TIME <unixms>] \
         [RETRYCOUNT <count>] [FORCE] [JUSTID] [LASTID <id>]")
    .weight(20),
    row("XAUTOCLAIM <stream> <group> <consumer> <idle> <rangeid> [COUNT <count>] [JUSTID]")
        .weight(15),
    row("XINFO STREAM <stream>").rule(Rule::Times),
    row("XINFO STREAM <stream> FULL [COUNT <count>]").rule(Rule::Times),
    row("XINFO GROUPS <stream>").rule(Rule::Times),
    row("XINFO CONSUMERS <stream> <group>").rule(Rule::Times),
    row("XINFO HELP").weight(1),
    row("DEL <stream>").weight(1),
];
