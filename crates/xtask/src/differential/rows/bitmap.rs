//! Single bits and small integers inside strings.

use super::{Row, row};

pub(super) const ROWS: &[Row] = &[
    row("SETBIT <bit> <bitoffset> (0|1|1|1|<int>)").weight(30),
    row("SET <bit> <value>").weight(10),
    row("GETBIT <bit> <bitoffset>"),
    row("BITCOUNT <bit>"),
    row("BITCOUNT <bit> <index> <index> [BYTE|BIT]").weight(15),
    row("BITCOUNT <bit> <index>").needs("delifeq").weight(4),
    row("BITPOS <bit> (0|1|<int>)"),
    row("BITPOS <bit> (0|1) <index>"),
    row("BITPOS <bit> (0|1) <index> <index> [BYTE|BIT]").weight(20),
    row("BITOP (AND|OR|XOR) <bit> {<bit>}").weight(15),
    row("BITOP NOT <bit> <bit>"),
    row("BITFIELD <bit> {(GET <bftype> <bfoffset>|SET <bftype> <bfoffset> <int>|\
         INCRBY <bftype> <bfoffset> <int>|OVERFLOW (WRAP|SAT|FAIL))}")
    .weight(40),
    row("BITFIELD_RO <bit> {GET <bftype> <bfoffset>}"),
    row("GET <bit>"),
    row("STRLEN <bit>"),
];
