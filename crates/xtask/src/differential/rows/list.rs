//! Lists.

use super::{Row, row};

pub(super) const ROWS: &[Row] = &[
    row("LPUSH <list> {<elem>}").weight(20),
    row("RPUSH <list> {<elem>}").weight(30),
    row("RPUSH <list> {<value>}").weight(10),
    row("LPUSHX <list> {<elem>}"),
    row("RPUSHX <list> {<elem>}"),
    row("LPOP <list> [<count>]"),
    row("RPOP <list> [<count>]"),
    row("LLEN <list>"),
    row("LINDEX <list> <index>"),
    row("LSET <list> <index> <value>"),
    row("LINSERT <list> (BEFORE|AFTER) <elem> <value>"),
    row("LRANGE <list> <index> <index>"),
    row("LREM <list> <index> <elem>"),
    row("LTRIM <list> <index> <index>").weight(6),
    row("RPOPLPUSH <list> <list>"),
    row("LMOVE <list> <list> (LEFT|RIGHT) (LEFT|RIGHT)"),
    row("LPOS <list> <elem> [RANK <index>] [COUNT <count>] [MAXLEN <count>]").weight(15),
    row("LMPOP #{<list>} (LEFT|RIGHT) [COUNT <pos>]"),
    row("BLPOP {<list>} (-1|x|0x)").weight(2),
    row("BRPOP {<list>} (-1|x|0x)").weight(2),
    row("BLMOVE <list> <list> (LEFT|RIGHT) (LEFT|RIGHT) (-1|x|0x)").weight(2),
    row("BRPOPLPUSH <list> <list> (-1|x|0x)").weight(2),
    row("BLMPOP (-1|x|0x) #{<list>} (LEFT|RIGHT) [COUNT <pos>]").weight(2),
    row("DEL <list>").weight(2),
];
