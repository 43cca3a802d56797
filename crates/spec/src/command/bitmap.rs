//! The commands of single bits and small integers inside strings.

use super::rows::{
    Command, Group, access, acl, block, flags, integer, key, key_at, keys_from, one_of, string,
    token,
};

pub(super) static ROWS: &[Command] = &[
    Command {
        name: "bitcount",
        summary: "Count the bits that are one in a string or a part of it",
        since: "2.6.0",
        group: Group::Bitmap,
        complexity: "O(N) where N is the number of bytes looked at",
        arity: -2,
        flags: flags![READONLY],
        acl: acl![READ, BITMAP, SLOW],
        keys: &[key_at(1, access![RO, ACCESS])],
        history: &[("7.0.0", "BYTE and BIT"), ("8.0.0", "Valkey: the end may be left out")],
        args: &[
            key("key", 0),
            block(
                "range",
                &[
                    integer("start"),
                    block(
                        "end-unit-block",
                        &[
                            integer("end"),
                            one_of("unit", &[token("byte", "BYTE"), token("bit", "BIT")])
                                .since("7.0.0")
                                .optional(),
                        ],
                    )
                    .optional(),
                ],
            )
            .optional(),
        ],
        ..Command::BLANK
    },
    Command {
        name: "bitfield",
        summary: "Read, set and increment integers of any width inside a string",
        since: "3.2.0",
        group: Group::Bitmap,
        complexity: "O(N) where N is the number of operations",
        arity: -2,
        flags: flags![WRITE, DENYOOM],
        acl: acl![WRITE, BITMAP, SLOW],
        keys: &[key_at(1, access![RW, ACCESS, UPDATE, VARIABLE_FLAGS])
            .noting("Reads, writes or both, as its operations say")],
        args: &[
            key("key", 0),
            one_of(
                "operation",
                &[
                    block("get-block", &[string("encoding"), integer("offset")]).after("GET"),
                    block(
                        "write",
                        &[
                            one_of(
                                "overflow-block",
                                &[
                                    token("wrap", "WRAP"),
                                    token("sat", "SAT"),
                                    token("fail", "FAIL"),
                                ],
                            )
                            .after("OVERFLOW")
                            .optional(),
                            one_of(
                                "write-operation",
                                &[
                                    block(
                                        "set-block",
                                        &[string("encoding"), integer("offset"), integer("value")],
                                    )
                                    .after("SET"),
                                    block(
                                        "incrby-block",
                                        &[
                                            string("encoding"),
                                            integer("offset"),
                                            integer("increment"),
                                        ],
                                    )
                                    .after("INCRBY"),
                                ],
                            ),
                        ],
                    ),
                ],
            )
            .multiple()
            .optional(),
        ],
        ..Command::BLANK
    },
    Command {
        name: "bitfield_ro",
        summary: "Read integers of any width inside a string",
        since: "6.0.0",
        group: Group::Bitmap,
        complexity: "O(N) where N is the number of operations",
        arity: -2,
        flags: flags![READONLY, FAST],
        acl: acl![READ, BITMAP, FAST],
        keys: &[key_at(1, access![RO, ACCESS])],
        args: &[
            key("key", 0),
            block("get-block", &[string("encoding"), integer("offset")])
                .after("GET")
                .multiple_token()
                .optional(),
        ],
        ..Command::BLANK
    },
    Command {
        name: "bitop",
        summary: "Combine strings bit by bit and store the result",
        since: "2.6.0",
        group: Group::Bitmap,
        complexity: "O(N*K) where N is the length of the longest string and K the number of \
                     strings",
        arity: -4,
        flags: flags![WRITE, DENYOOM],
        acl: acl![WRITE, BITMAP, SLOW],
        keys: &[key_at(2, access![OW, UPDATE]), keys_from(3, -1, 1, access![RO, ACCESS])],
        history: &[("8.2.0", "Redis: DIFF, DIFF1, ANDOR and ONE")],
        args: &[
            one_of(
                "operation",
                &[
                    token("and", "AND"),
                    token("or", "OR"),
                    token("xor", "XOR"),
                    token("not", "NOT"),
                    token("diff", "DIFF"),
                    token("diff1", "DIFF1"),
                    token("andor", "ANDOR"),
                    token("one", "ONE"),
                ],
            ),
            key("destkey", 0),
            key("key", 1).multiple(),
        ],
        ..Command::BLANK
    },
    Command {
        name: "bitpos",
        summary: "Find the first bit that is zero or one in a string",
        since: "2.8.7",
        group: Group::Bitmap,
        complexity: "O(N) where N is the number of bytes looked at",
        arity: -3,
        flags: flags![READONLY],
        acl: acl![READ, BITMAP, SLOW],
        keys: &[key_at(1, access![RO, ACCESS])],
        history: &[("7.0.0", "BYTE and BIT")],
        args: &[
            key("key", 0),
            integer("bit"),
            block(
                "range",
                &[
                    integer("start"),
                    block(
                        "end-unit-block",
                        &[
                            integer("end"),
                            one_of("unit", &[token("byte", "BYTE"), token("bit", "BIT")])
                                .since("7.0.0")
                                .optional(),
                        ],
                    )
                    .optional(),
                ],
            )
            .optional(),
        ],
        ..Command::BLANK
    },
    Command {
        name: "getbit",
        summary: "Read one bit of a string",
        since: "2.2.0",
        group: Group::Bitmap,
        complexity: "O(1)",
        arity: 3,
        flags: flags![READONLY, FAST],
        acl: acl![READ, BITMAP, FAST],
        keys: &[key_at(1, access![RO, ACCESS])],
        args: &[key("key", 0), integer("offset")],
        ..Command::BLANK
    },
    Command {
        name: "setbit",
        summary: "Set one bit of a string and return its old value",
        since: "2.2.0",
        group: Group::Bitmap,
        complexity: "O(1)",
        arity: 4,
        flags: flags![WRITE, DENYOOM],
        acl: acl![WRITE, BITMAP, SLOW],
        keys: &[key_at(1, access![RW, ACCESS, UPDATE])],
        args: &[key("key", 0), integer("offset"), integer("value")],
        ..Command::BLANK
    },
];
