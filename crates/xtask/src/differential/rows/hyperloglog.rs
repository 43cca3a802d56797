//! Counting distinct elements.

use super::{Row, row};

pub(super) const ROWS: &[Row] = &[
    row("PFADD <hll> {<member>}").weight(40),
    row("PFADD <hll>").weight(4),
    row("PFCOUNT {<hll>}").weight(20),
    row("PFMERGE <hll> {<hll>}"),
    row("PFMERGE <hll>").weight(3),
    row("GET <hll>"),
    row("SETRANGE <hll> <count> <value>").weight(1),
    row("APPEND <hll> <value>").weight(1),
    row("STRLEN <hll>"),
];
