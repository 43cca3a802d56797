//! Places.

use super::{Row, row};

pub(super) const ROWS: &[Row] = &[
    row("GEOADD <geo> [NX|XX] [CH] {<lon> <lat> <member>}").weight(40),
    row("GEODIST <geo> <member> <member> [<unit>]"),
    row("GEOHASH <geo> {<member>}"),
    row("GEOPOS <geo> {<member>}"),
    row("GEOSEARCH <geo> (FROMMEMBER <member>|FROMLONLAT <lon> <lat>) \
         (BYRADIUS <distance> <unit>|BYBOX <distance> <distance> <unit>) [ASC|DESC] \
         [COUNT <pos> [ANY]] [WITHCOORD] [WITHDIST] [WITHHASH]")
    .weight(40),
    row("GEOSEARCH <geo> BYPOLYGON #{<lon> <lat>} [ASC|DESC] [COUNT <pos> [ANY]] [WITHCOORD] \
         [WITHDIST] [WITHHASH]")
    .needs("delifeq"),
    row("GEOSEARCH <geo> BYPOLYGON 3 <lon> <lat> <lon> <lat> <lon> <lat> [ASC|DESC] [WITHDIST]")
        .needs("delifeq"),
    row("GEOSEARCHSTORE <geo> <geo> (FROMMEMBER <member>|FROMLONLAT <lon> <lat>) \
         (BYRADIUS <distance> <unit>|BYBOX <distance> <distance> <unit>) [ASC|DESC] \
         [COUNT <pos> [ANY]]")
    .weight(15),
    row("GEOSEARCHSTORE <zset> <geo> FROMMEMBER <member> BYRADIUS <distance> <unit> STOREDIST"),
    row("GEORADIUS <geo> <lon> <lat> <distance> <unit> [WITHCOORD] [WITHDIST] [WITHHASH] \
         [COUNT <pos> [ANY]] [ASC|DESC] [STORE <geo>|STOREDIST <zset>]")
    .weight(15),
    row("GEORADIUS_RO <geo> <lon> <lat> <distance> <unit> [WITHCOORD] [WITHDIST] [WITHHASH] \
         [COUNT <pos> [ANY]] [ASC|DESC]"),
    row("GEORADIUSBYMEMBER <geo> <member> <distance> <unit> [WITHCOORD] [WITHDIST] [WITHHASH] \
         [COUNT <pos> [ANY]] [ASC|DESC] [STORE <geo>|STOREDIST <zset>]")
    .weight(15),
    row(
        "GEORADIUSBYMEMBER_RO <geo> <member> <distance> <unit> [WITHDIST] [COUNT <pos>] [ASC|DESC]",
    ),
    row("ZRANGE <geo> 0 -1 WITHSCORES"),
    row("ZREM <geo> {<member>}").weight(5),
];
