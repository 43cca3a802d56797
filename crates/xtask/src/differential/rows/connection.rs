//! What a connection can ask for that no clock, address or number of clients decides.

use super::{Row, row};

pub(super) const ROWS: &[Row] = &[
    row("PING [<value>]"),
    row("ECHO <value>"),
    row("SELECT <db>").weight(4),
    row("AUTH <value> [<value>]").weight(4),
    row("HELLO <junk>").weight(4),
    row("CLIENT SETNAME <field>"),
    row("CLIENT GETNAME"),
    row("CLIENT NO-TOUCH (ON|OFF|<junk>)"),
    row("CLIENT NO-EVICT (ON|OFF|<junk>)"),
    row("CLIENT SETINFO (LIB-NAME|LIB-VER|<junk>) <value>"),
    row("CLIENT REPLY (ON|<junk>)").weight(4),
    row("COMMAND GETKEYS @").weight(60),
    row("COMMAND GETKEYSANDFLAGS @").weight(60),
    row("OBJECT FREQ <key>").weight(3),
    row("CONFIG GET (hash-max-listpack-*|list-compress-depth|set-*|<junk>)").weight(1),
    row("<junk> <value>").weight(3),
];
