//! The commands of geographical indexes.

use super::rows::{
    Command, Group, access, acl, block, double, flags, integer, key, key_after, key_at, one_of,
    string, token,
};

pub(super) static ROWS: &[Command] = &[
    Command {
        name: "geoadd",
        summary: "Add places to a geographical index, or move them",
        since: "3.2.0",
        group: Group::Geo,
        complexity: "O(N*log(M)) where N is the number of places given and M the number in the \
                     index",
        arity: -5,
        flags: flags![WRITE, DENYOOM],
        acl: acl![WRITE, GEO, SLOW],
        keys: &[key_at(1, access![RW, UPDATE])],
        history: &[("6.2.0", "CH, NX and XX")],
        args: &[
            key("key", 0),
            one_of("condition", &[token("nx", "NX"), token("xx", "XX")]).since("6.2.0").optional(),
            token("change", "CH").since("6.2.0").optional(),
            block("data", &[double("longitude"), double("latitude"), string("member")]).multiple(),
        ],
        ..Command::BLANK
    },
    Command {
        name: "geodist",
        summary: "Measure the distance between two places",
        since: "3.2.0",
        group: Group::Geo,
        complexity: "O(1)",
        arity: -4,
        flags: flags![READONLY],
        acl: acl![READ, GEO, SLOW],
        keys: &[key_at(1, access![RO, ACCESS])],
        args: &[
            key("key", 0),
            string("member1"),
            string("member2"),
            one_of(
                "unit",
                &[token("m", "m"), token("km", "km"), token("ft", "ft"), token("mi", "mi")],
            )
            .optional(),
        ],
        ..Command::BLANK
    },
    Command {
        name: "geohash",
        summary: "Tell the geohashes of places as text",
        since: "3.2.0",
        group: Group::Geo,
        complexity: "O(N) where N is the number of places asked for",
        arity: -2,
        flags: flags![READONLY],
        acl: acl![READ, GEO, SLOW],
        keys: &[key_at(1, access![RO, ACCESS])],
        args: &[key("key", 0), string("member").multiple().optional()],
        ..Command::BLANK
    },
    Command {
        name: "geopos",
        summary: "Tell the longitude and latitude of places",
        since: "3.2.0",
        group: Group::Geo,
        complexity: "O(N) where N is the number of places asked for",
        arity: -2,
        flags: flags![READONLY],
        acl: acl![READ, GEO, SLOW],
        keys: &[key_at(1, access![RO, ACCESS])],
        args: &[key("key", 0), string("member").multiple().optional()],
        ..Command::BLANK
    },
    Command {
        name: "georadius",
        summary: "Find or store the places within a distance of a point",
        since: "3.2.0",
        group: Group::Geo,
        complexity: "O(N+log(M)) where N is the number of places in the square around the circle \
                     and M the number in the index",
        arity: -6,
        flags: flags![WRITE, DENYOOM, MOVABLEKEYS],
        acl: acl![WRITE, GEO, SLOW],
        keys: &[
            key_at(1, access![RO, ACCESS]),
            key_after("STORE", 6, access![OW, UPDATE, VARIABLE_FLAGS]),
            key_after("STOREDIST", 6, access![OW, UPDATE, VARIABLE_FLAGS]),
        ],
        history: &[("6.2.0", "ANY after COUNT"), ("7.0.0", "Units in upper case")],
        args: &[
            key("key", 0),
            double("longitude"),
            double("latitude"),
            double("radius"),
            one_of(
                "unit",
                &[token("m", "m"), token("km", "km"), token("ft", "ft"), token("mi", "mi")],
            ),
            token("withcoord", "WITHCOORD").optional(),
            token("withdist", "WITHDIST").optional(),
            token("withhash", "WITHHASH").optional(),
            block(
                "count-block",
                &[integer("count").after("COUNT"), token("any", "ANY").since("6.2.0").optional()],
            )
            .optional(),
            one_of("order", &[token("asc", "ASC"), token("desc", "DESC")]).optional(),
            one_of(
                "store",
                &[
                    key("storekey", 1).after("STORE").shown_as("key"),
                    key("storedistkey", 2).after("STOREDIST").shown_as("key"),
                ],
            )
            .optional(),
        ],
        ..Command::BLANK
    },
    Command {
        name: "georadius_ro",
        summary: "Find the places within a distance of a point",
        since: "3.2.10",
        group: Group::Geo,
        complexity: "O(N+log(M)) where N is the number of places in the square around the circle \
                     and M the number in the index",
        arity: -6,
        flags: flags![READONLY],
        acl: acl![READ, GEO, SLOW],
        keys: &[key_at(1, access![RO, ACCESS])],
        history: &[("6.2.0", "ANY after COUNT"), ("7.0.0", "Units in upper case")],
        args: &[
            key("key", 0),
            double("longitude"),
            double("latitude"),
            double("radius"),
            one_of(
                "unit",
                &[token("m", "m"), token("km", "km"), token("ft", "ft"), token("mi", "mi")],
            ),
            token("withcoord", "WITHCOORD").optional(),
            token("withdist", "WITHDIST").optional(),
            token("withhash", "WITHHASH").optional(),
            block(
                "count-block",
                &[integer("count").after("COUNT"), token("any", "ANY").since("6.2.0").optional()],
            )
            .optional(),
            one_of("order", &[token("asc", "ASC"), token("desc", "DESC")]).optional(),
        ],
        ..Command::BLANK
    },
    Command {
        name: "georadiusbymember",
        summary: "Find or store the places within a distance of a place",
        since: "3.2.0",
        group: Group::Geo,
        complexity: "O(N+log(M)) where N is the number of places in the square around the circle \
                     and M the number in the index",
        arity: -5,
        flags: flags![WRITE, DENYOOM, MOVABLEKEYS],
        acl: acl![WRITE, GEO, SLOW],
        keys: &[
            key_at(1, access![RO, ACCESS]),
            key_after("STORE", 5, access![OW, UPDATE, VARIABLE_FLAGS]),
            key_after("STOREDIST", 5, access![OW, UPDATE, VARIABLE_FLAGS]),
        ],
        history: &[("6.2.0", "ANY after COUNT"), ("7.0.0", "Units in upper case")],
        args: &[
            key("key", 0),
            string("member"),
            double("radius"),
            one_of(
                "unit",
                &[token("m", "m"), token("km", "km"), token("ft", "ft"), token("mi", "mi")],
            ),
            token("withcoord", "WITHCOORD").optional(),
            token("withdist", "WITHDIST").optional(),
            token("withhash", "WITHHASH").optional(),
            block(
                "count-block",
                &[integer("count").after("COUNT"), token("any", "ANY").optional()],
            )
            .optional(),
            one_of("order", &[token("asc", "ASC"), token("desc", "DESC")]).optional(),
            one_of(
                "store",
                &[
                    key("storekey", 1).after("STORE").shown_as("key"),
                    key("storedistkey", 2).after("STOREDIST").shown_as("key"),
                ],
            )
            .optional(),
        ],
        ..Command::BLANK
    },
    Command {
        name: "georadiusbymember_ro",
        summary: "Find the places within a distance of a place",
        since: "3.2.10",
        group: Group::Geo,
        complexity: "O(N+log(M)) where N is the number of places in the square around the circle \
                     and M the number in the index",
        arity: -5,
        flags: flags![READONLY],
        acl: acl![READ, GEO, SLOW],
        keys: &[key_at(1, access![RO, ACCESS])],
        history: &[("6.2.0", "ANY after COUNT"), ("7.0.0", "Units in upper case")],
        args: &[
            key("key", 0),
            string("member"),
            double("radius"),
            one_of(
                "unit",
                &[token("m", "m"), token("km", "km"), token("ft", "ft"), token("mi", "mi")],
            ),
            token("withcoord", "WITHCOORD").optional(),
            token("withdist", "WITHDIST").optional(),
            token("withhash", "WITHHASH").optional(),
            block(
                "count-block",
                &[integer("count").after("COUNT"), token("any", "ANY").optional()],
            )
            .optional(),
            one_of("order", &[token("asc", "ASC"), token("desc", "DESC")]).optional(),
        ],
        ..Command::BLANK
    },
    Command {
        name: "geosearch",
        summary: "Find the places inside a circle, a box or a polygon",
        since: "6.2.0",
        group: Group::Geo,
        complexity: "O(N+log(M)) where N is the number of places in the box around the shape and \
                     M the number in the index",
        arity: -7,
        flags: flags![READONLY],
        acl: acl![READ, GEO, SLOW],
        keys: &[key_at(1, access![RO, ACCESS])],
        history: &[("7.0.0", "Units in upper case"), ("9.0.0", "Valkey: BYPOLYGON")],
        args: &[
            key("key", 0),
            one_of(
                "from",
                &[
                    string("member").after("FROMMEMBER"),
                    block("fromlonlat", &[double("longitude"), double("latitude")])
                        .after("FROMLONLAT"),
                ],
            )
            .optional(),
            one_of(
                "by",
                &[
                    block(
                        "circle",
                        &[
                            double("radius").after("BYRADIUS"),
                            one_of(
                                "unit",
                                &[
                                    token("m", "m"),
                                    token("km", "km"),
                                    token("ft", "ft"),
                                    token("mi", "mi"),
                                ],
                            ),
                        ],
                    ),
                    block(
                        "box",
                        &[
                            double("width").after("BYBOX"),
                            double("height"),
                            one_of(
                                "unit",
                                &[
                                    token("m", "m"),
                                    token("km", "km"),
                                    token("ft", "ft"),
                                    token("mi", "mi"),
                                ],
                            ),
                        ],
                    ),
                    block(
                        "polygon",
                        &[
                            integer("num-vertices").after("BYPOLYGON"),
                            block("vertices", &[double("longitude"), double("latitude")])
                                .multiple(),
                        ],
                    )
                    .since("9.0.0"),
                ],
            ),
            one_of("order", &[token("asc", "ASC"), token("desc", "DESC")]).optional(),
            block(
                "count-block",
                &[integer("count").after("COUNT"), token("any", "ANY").optional()],
            )
            .optional(),
            token("withcoord", "WITHCOORD").optional(),
            token("withdist", "WITHDIST").optional(),
            token("withhash", "WITHHASH").optional(),
        ],
        ..Command::BLANK
    },
    Command {
        name: "geosearchstore",
        summary: "Store the places inside a circle, a box or a polygon as a new index",
        since: "6.2.0",
        group: Group::Geo,
        complexity: "O(N+log(M)) where N is the number of places in the box around the shape and \
                     M the number in the index",
        arity: -8,
        flags: flags![WRITE, DENYOOM],
        acl: acl![WRITE, GEO, SLOW],
        keys: &[key_at(1, access![OW, UPDATE]), key_at(2, access![RO, ACCESS])],
        history: &[("7.0.0", "Units in upper case"), ("9.0.0", "Valkey: BYPOLYGON")],
        args: &[
            key("destination", 0),
            key("source", 1),
            one_of(
                "from",
                &[
                    string("member").after("FROMMEMBER"),
                    block("fromlonlat", &[double("longitude"), double("latitude")])
                        .after("FROMLONLAT"),
                ],
            )
            .optional(),
            one_of(
                "by",
                &[
                    block(
                        "circle",
                        &[
                            double("radius").after("BYRADIUS"),
                            one_of(
                                "unit",
                                &[
                                    token("m", "m"),
                                    token("km", "km"),
                                    token("ft", "ft"),
                                    token("mi", "mi"),
                                ],
                            ),
                        ],
                    ),
                    block(
                        "box",
                        &[
                            double("width").after("BYBOX"),
                            double("height"),
                            one_of(
                                "unit",
                                &[
                                    token("m", "m"),
                                    token("km", "km"),
                                    token("ft", "ft"),
                                    token("mi", "mi"),
                                ],
                            ),
                        ],
                    ),
                    block(
                        "polygon",
                        &[
                            integer("num-vertices").after("BYPOLYGON"),
                            block("vertices", &[double("longitude"), double("latitude")])
                                .multiple(),
                        ],
                    )
                    .since("9.0.0"),
                ],
            ),
            one_of("order", &[token("asc", "ASC"), token("desc", "DESC")]).optional(),
            block(
                "count-block",
                &[integer("count").after("COUNT"), token("any", "ANY").optional()],
            )
            .optional(),
            token("storedist", "STOREDIST").optional(),
        ],
        ..Command::BLANK
    },
];
