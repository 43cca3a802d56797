//! SORT, over collections that it fills itself.

use super::{Row, row};

pub(super) const ROWS: &[Row] = &[
    row("RPUSH <list> {<elem>}").weight(15),
    row("SADD <set> {<elem>}").weight(15),
    row("ZADD <zset> {<float> <elem>}").weight(15),
    row("MSET w_1 <int> w_2 <float> w_a <int> w_b <value> w_c 5 w_d <elem>"),
    row("HSET h_1 f1 <int>"),
    row("HSET h_a f1 <float>"),
    row("SORT <list> [BY (w_*|h_*->f1|nosort|w_|nokey|*|<junk>)] [LIMIT <index> <index>] \
         [GET (#|w_*|h_*->f1|<junk>)] [GET (#|w_*)] [ASC|DESC] [ALPHA] [STORE <list>]")
    .weight(40),
    row("SORT (<set>|<zset>) [BY (w_*|h_*->f1)] [LIMIT <index> <index>] [GET (#|w_*)] \
         [ASC|DESC] [ALPHA] [STORE <list>]")
    .weight(30),
    row("ZADD <lexset> {0 <elem>}"),
    row("SORT <lexset> BY nosort [LIMIT <index> <index>] [ASC|DESC] [STORE <list>]"),
    row(
        "SORT_RO <list> [BY w_*] [LIMIT <index> <index>] [GET #] [ASC|DESC] [ALPHA] [STORE <list>]",
    ),
];
