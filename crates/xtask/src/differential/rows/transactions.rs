//! Transactions. In their epochs nothing is sent whose reply is a choice, since EXEC's reply holds
//! the replies of all kinds of commands.

use super::{Row, row};
use crate::differential::compare::Rule;

pub(super) const ROWS: &[Row] = &[
    row("MULTI").weight(20),
    row("EXEC").rule(Rule::Replies).weight(15),
    row("DISCARD").weight(2),
    row("WATCH {<key>}"),
    row("UNWATCH").weight(2),
    row("SET <str> <value>"),
    row("INCR <str>"),
    row("GET <str>"),
    row("RPUSH <list> {<elem>}"),
    row("LPOP <list>"),
    row("SADD <set> {<member>}"),
    row("SMEMBERS <set>").rule(Rule::AnyOrder),
    row("HSET <hash> {<field> <value>}"),
    row("ZADD <zset> {<float> <member>}"),
    row("XADD <stream> <addid> {<field> <value>}"),
    row("SELECT <db>").weight(2),
    row("<junk>").weight(1),
];
