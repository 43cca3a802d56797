//! Sets.

use super::{Row, row};
use crate::differential::compare::Rule;

pub(super) const ROWS: &[Row] = &[
    row("SADD <set> {<member>}").weight(40),
    row("SADD <set> {<int>}").weight(15),
    row("SREM <set> {<member>}"),
    row("SCARD <set>"),
    row("SMEMBERS <set>").rule(Rule::AnyOrder),
    row("SISMEMBER <set> <member>"),
    row("SMISMEMBER <set> {<member>}"),
    row("SMOVE <set> <set> <member>"),
    row("SPOP <set> (0|1000|-1|x)").rule(Rule::AnyOrder).weight(2),
    row("SRANDMEMBER <set> [<index>]").rule(Rule::Shape),
    row("SRANDMEMBER <set> 1000").rule(Rule::AnyOrder),
    row("SINTER {<set>}").rule(Rule::AnyOrder),
    row("SUNION {<set>}").rule(Rule::AnyOrder),
    row("SDIFF {<set>}").rule(Rule::AnyOrder),
    row("SINTERSTORE <set> {<set>}"),
    row("SUNIONSTORE <set> {<set>}"),
    row("SDIFFSTORE <set> {<set>}"),
    row("SINTERCARD #{<set>} [LIMIT <count>]"),
    row("SSCAN <set> 0 [MATCH <pattern>] COUNT 10000").rule(Rule::Scan),
    row("SSCAN <set> <int> [COUNT <int>]").rule(Rule::Scan).weight(3),
    row("DEL <set>").weight(2),
];
