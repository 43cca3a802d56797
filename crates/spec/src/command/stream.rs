//! The commands of streams and consumer groups.

use super::rows::{
    Begin, Command, Dialect, Find, Group, KeySpec, access, acl, block, flags, integer, key, key_at,
    one_of, string, token, unix_time,
};

pub(super) static ROWS: &[Command] = &[
    Command {
        name: "xack",
        summary: "Take entries off the list of pending ones of a group",
        since: "5.0.0",
        group: Group::Stream,
        complexity: "O(N) where N is the number of ids given",
        arity: -4,
        flags: flags![WRITE, FAST],
        acl: acl![WRITE, STREAM, FAST],
        keys: &[key_at(1, access![RW, UPDATE])],
        args: &[key("key", 0), string("group"), string("ID").multiple()],
        ..Command::BLANK
    },
    Command {
        name: "xackdel",
        summary: "Take entries off the list of pending ones and delete them from the stream",
        since: "8.2.0",
        group: Group::Stream,
        complexity: "O(N) where N is the number of ids given",
        arity: -6,
        flags: flags![WRITE, FAST],
        acl: acl![WRITE, STREAM, FAST],
        keys: &[key_at(1, access![RW, UPDATE, DELETE])],
        args: &[
            key("key", 0),
            string("group"),
            one_of(
                "condition",
                &[token("keepref", "KEEPREF"), token("delref", "DELREF"), token("acked", "ACKED")],
            )
            .optional(),
            block("ids", &[integer("numids"), string("id").multiple()]).after("IDS"),
        ],
        dialect: Dialect::Redis,
        newer: Some("Redis 8.2"),
        ..Command::BLANK
    },
    Command {
        name: "xadd",
        summary: "Append an entry to a stream, optionally dropping old ones",
        since: "5.0.0",
        group: Group::Stream,
        complexity: "O(1), when trimming O(N) where N is the number of entries dropped",
        arity: -5,
        flags: flags![WRITE, DENYOOM, FAST],
        acl: acl![WRITE, STREAM, FAST],
        keys: &[key_at(1, access![RW, UPDATE]).noting("Trimming may remove entries")],
        tips: &["nondeterministic_output"],
        history: &[
            ("6.2.0", "NOMKSTREAM, MINID and LIMIT"),
            ("7.0.0", "Ids of the form <ms>-*"),
            ("8.2.0", "Redis: KEEPREF, DELREF and ACKED"),
            ("8.6.0", "Redis: IDMPAUTO and IDMP"),
        ],
        args: &[
            key("key", 0),
            token("nomkstream", "NOMKSTREAM").since("6.2.0").optional(),
            one_of(
                "condition",
                &[token("keepref", "KEEPREF"), token("delref", "DELREF"), token("acked", "ACKED")],
            )
            .optional(),
            one_of(
                "idmp",
                &[
                    block(
                        "idmpauto-with-pid",
                        &[token("idmpauto-token", "IDMPAUTO"), string("pid")],
                    ),
                    block(
                        "idmp-with-pid-iid",
                        &[token("idmp-token", "IDMP"), string("pid"), string("iid")],
                    ),
                ],
            )
            .optional(),
            block(
                "trim",
                &[
                    one_of(
                        "strategy",
                        &[token("maxlen", "MAXLEN"), token("minid", "MINID").since("6.2.0")],
                    ),
                    one_of("operator", &[token("equal", "="), token("approximately", "~")])
                        .optional(),
                    string("threshold"),
                    integer("count").after("LIMIT").since("6.2.0").optional(),
                ],
            )
            .optional(),
            one_of("id-selector", &[token("auto-id", "*"), string("id")]),
            block("data", &[string("field"), string("value")]).multiple(),
        ],
        ..Command::BLANK
    },
    Command {
        name: "xautoclaim",
        summary: "Take over pending entries that have been idle for some time, searching for them",
        since: "6.2.0",
        group: Group::Stream,
        complexity: "O(N) where N is the count",
        arity: -6,
        flags: flags![WRITE, FAST],
        acl: acl![WRITE, STREAM, FAST],
        keys: &[key_at(1, access![RW, DELETE])],
        tips: &["nondeterministic_output"],
        history: &[("7.0.0", "The reply lists entries that no longer exist and were dropped")],
        args: &[
            key("key", 0),
            string("group"),
            string("consumer"),
            string("min-idle-time"),
            string("start"),
            integer("count").after("COUNT").optional(),
            token("justid", "JUSTID").optional(),
        ],
        ..Command::BLANK
    },
    Command {
        name: "xcfgset",
        summary: "Change how a stream recognises entries sent twice",
        since: "8.6.0",
        group: Group::Stream,
        complexity: "O(1)",
        arity: -2,
        flags: flags![WRITE, FAST],
        acl: acl![WRITE, STREAM, FAST],
        keys: &[key_at(1, access![RW, UPDATE])],
        args: &[
            key("key", 0),
            block(
                "idmp-duration-block",
                &[token("idmp-duration-token", "IDMP-DURATION"), integer("duration")],
            )
            .optional(),
            block(
                "idmp-maxsize-block",
                &[token("idmp-maxsize-token", "IDMP-MAXSIZE"), integer("maxsize")],
            )
            .optional(),
        ],
        dialect: Dialect::Redis,
        newer: Some("Redis 8.6"),
        ..Command::BLANK
    },
    Command {
        name: "xclaim",
        summary: "Take over pending entries by their ids",
        since: "5.0.0",
        group: Group::Stream,
        complexity: "O(N*log(M)) where N is the number of ids given and M the number of pending \
                     entries",
        arity: -6,
        flags: flags![WRITE, FAST],
        acl: acl![WRITE, STREAM, FAST],
        keys: &[key_at(1, access![RW, UPDATE])],
        tips: &["nondeterministic_output"],
        args: &[
            key("key", 0),
            string("group"),
            string("consumer"),
            string("min-idle-time"),
            string("ID").multiple(),
            integer("ms").after("IDLE").optional(),
            unix_time("unix-time-milliseconds").after("TIME").optional(),
            integer("count").after("RETRYCOUNT").optional(),
            token("force", "FORCE").optional(),
            token("justid", "JUSTID").optional(),
            string("lastid").after("LASTID").optional(),
        ],
        ..Command::BLANK
    },
    Command {
        name: "xdel",
        summary: "Delete entries from a stream",
        since: "5.0.0",
        group: Group::Stream,
        complexity: "O(N) where N is the number of ids given",
        arity: -3,
        flags: flags![WRITE, FAST],
        acl: acl![WRITE, STREAM, FAST],
        keys: &[key_at(1, access![RW, DELETE])],
        args: &[key("key", 0), string("ID").multiple()],
        ..Command::BLANK
    },
    Command {
        name: "xdelex",
        summary: "Delete entries from a stream and say what happens where they are pending",
        since: "8.2.0",
        group: Group::Stream,
        complexity: "O(N) where N is the number of ids given",
        arity: -5,
        flags: flags![WRITE, FAST],
        acl: acl![WRITE, STREAM, FAST],
        keys: &[key_at(1, access![RW, DELETE])],
        args: &[
            key("key", 0),
            one_of(
                "condition",
                &[token("keepref", "KEEPREF"), token("delref", "DELREF"), token("acked", "ACKED")],
            )
            .optional(),
            block("ids", &[integer("numids"), string("id").multiple()]).after("IDS"),
        ],
        dialect: Dialect::Redis,
        newer: Some("Redis 8.2"),
        ..Command::BLANK
    },
    Command {
        name: "xgroup",
        summary: "Manage consumer groups",
        since: "5.0.0",
        group: Group::Stream,
        arity: -2,
        acl: acl![SLOW],
        subcommands: &[
            Command {
                name: "create",
                parent: Some("xgroup"),
                summary: "Create a consumer group",
                since: "5.0.0",
                group: Group::Stream,
                complexity: "O(1)",
                arity: -5,
                flags: flags![WRITE, DENYOOM],
                acl: acl![WRITE, STREAM, SLOW],
                keys: &[key_at(2, access![RW, INSERT])],
                history: &[("7.0.0", "ENTRIESREAD")],
                args: &[
                    key("key", 0),
                    string("group"),
                    one_of("id-selector", &[string("id"), token("new-id", "$")]),
                    token("mkstream", "MKSTREAM").optional(),
                    integer("entriesread").after("ENTRIESREAD").shown_as("entries-read").optional(),
                ],
                ..Command::BLANK
            },
            Command {
                name: "createconsumer",
                parent: Some("xgroup"),
                summary: "Create a consumer in a group",
                since: "6.2.0",
                group: Group::Stream,
                complexity: "O(1)",
                arity: 5,
                flags: flags![WRITE, DENYOOM],
                acl: acl![WRITE, STREAM, SLOW],
                keys: &[key_at(2, access![RW, INSERT])],
                args: &[key("key", 0), string("group"), string("consumer")],
                ..Command::BLANK
            },
            Command {
                name: "delconsumer",
                parent: Some("xgroup"),
                summary: "Remove a consumer and its pending entries from a group",
                since: "5.0.0",
                group: Group::Stream,
                complexity: "O(N) where N is the number of its pending entries",
                arity: 5,
                flags: flags![WRITE],
                acl: acl![WRITE, STREAM, SLOW],
                keys: &[key_at(2, access![RW, DELETE])],
                args: &[key("key", 0), string("group"), string("consumer")],
                ..Command::BLANK
            },
            Command {
                name: "destroy",
                parent: Some("xgroup"),
                summary: "Remove a consumer group",
                since: "5.0.0",
                group: Group::Stream,
                complexity: "O(N) where N is the number of its pending entries",
                arity: 4,
                flags: flags![WRITE],
                acl: acl![WRITE, STREAM, SLOW],
                keys: &[key_at(2, access![RW, DELETE])],
                args: &[key("key", 0), string("group")],
                ..Command::BLANK
            },
            Command {
                name: "help",
                parent: Some("xgroup"),
                summary: "Describe the subcommands of XGROUP",
                since: "5.0.0",
                group: Group::Stream,
                complexity: "O(1)",
                arity: 2,
                flags: flags![LOADING, STALE],
                acl: acl![STREAM, SLOW],
                ..Command::BLANK
            },
            Command {
                name: "setid",
                parent: Some("xgroup"),
                summary: "Set the id up to which a group has read",
                since: "5.0.0",
                group: Group::Stream,
                complexity: "O(1)",
                arity: -5,
                flags: flags![WRITE],
                acl: acl![WRITE, STREAM, SLOW],
                keys: &[key_at(2, access![RW, UPDATE])],
                history: &[("7.0.0", "ENTRIESREAD")],
                args: &[
                    key("key", 0),
                    string("group"),
                    one_of("id-selector", &[string("id"), token("new-id", "$")]),
                    integer("entriesread").after("ENTRIESREAD").shown_as("entries-read").optional(),
                ],
                ..Command::BLANK
            },
        ],
        ..Command::BLANK
    },
    Command {
        name: "xidmprecord",
        summary: "Note that a producer's entry has been added (sent to replicas)",
        since: "8.6.2",
        group: Group::Stream,
        complexity: "O(1)",
        arity: 5,
        flags: flags![WRITE, DENYOOM, FAST],
        acl: acl![WRITE, STREAM, FAST],
        keys: &[key_at(1, access![RW, UPDATE])],
        args: &[key("key", 0), string("pid"), string("iid"), string("stream-id")],
        dialect: Dialect::Redis,
        newer: Some("Redis 8.6.2"),
        ..Command::BLANK
    },
    Command {
        name: "xinfo",
        summary: "Look at streams, groups and consumers",
        since: "5.0.0",
        group: Group::Stream,
        arity: -2,
        acl: acl![SLOW],
        subcommands: &[
            Command {
                name: "consumers",
                parent: Some("xinfo"),
                summary: "Describe the consumers of a group",
                since: "5.0.0",
                group: Group::Stream,
                complexity: "O(N) where N is the number of consumers",
                arity: 4,
                flags: flags![READONLY],
                acl: acl![READ, STREAM, SLOW],
                keys: &[key_at(2, access![RO, ACCESS])],
                tips: &["nondeterministic_output"],
                history: &[("7.2.0", "Field inactive; idle counts from the last attempt")],
                args: &[key("key", 0), string("group")],
                ..Command::BLANK
            },
            Command {
                name: "groups",
                parent: Some("xinfo"),
                summary: "Describe the consumer groups of a stream",
                since: "5.0.0",
                group: Group::Stream,
                complexity: "O(N) where N is the number of groups",
                arity: 3,
                flags: flags![READONLY],
                acl: acl![READ, STREAM, SLOW],
                keys: &[key_at(2, access![RO, ACCESS])],
                history: &[("7.0.0", "Fields entries-read and lag")],
                args: &[key("key", 0)],
                ..Command::BLANK
            },
            Command {
                name: "help",
                parent: Some("xinfo"),
                summary: "Describe the subcommands of XINFO",
                since: "5.0.0",
                group: Group::Stream,
                complexity: "O(1)",
                arity: 2,
                flags: flags![LOADING, STALE],
                acl: acl![STREAM, SLOW],
                ..Command::BLANK
            },
            Command {
                name: "stream",
                parent: Some("xinfo"),
                summary: "Describe a stream, with FULL also its entries and groups",
                since: "5.0.0",
                group: Group::Stream,
                complexity: "O(1), with FULL O(N) where N is the number of entries shown",
                arity: -3,
                flags: flags![READONLY],
                acl: acl![READ, STREAM, SLOW],
                keys: &[key_at(2, access![RO, ACCESS])],
                history: &[
                    ("6.0.0", "FULL"),
                    (
                        "7.0.0",
                        "Fields max-deleted-entry-id, entries-added, recorded-first-entry-id, \
                         entries-read and lag",
                    ),
                    ("7.2.0", "Field active-time; seen-time counts attempts, too"),
                    ("8.6.0", "Redis: the idmp, pids and iids fields"),
                ],
                args: &[
                    key("key", 0),
                    block(
                        "full-block",
                        &[token("full", "FULL"), integer("count").after("COUNT").optional()],
                    )
                    .optional(),
                ],
                ..Command::BLANK
            },
        ],
        ..Command::BLANK
    },
    Command {
        name: "xlen",
        summary: "Count the entries of a stream",
        since: "5.0.0",
        group: Group::Stream,
        complexity: "O(1)",
        arity: 2,
        flags: flags![READONLY, FAST],
        acl: acl![READ, STREAM, FAST],
        keys: &[key_at(1, access![RO])],
        args: &[key("key", 0)],
        ..Command::BLANK
    },
    Command {
        name: "xnack",
        summary: "Give pending entries back to their group to be delivered again",
        since: "8.8.0",
        group: Group::Stream,
        complexity: "O(N) where N is the number of ids given",
        arity: -7,
        flags: flags![WRITE, FAST],
        acl: acl![WRITE, STREAM, FAST],
        keys: &[key_at(1, access![RW, UPDATE])],
        args: &[
            key("key", 0),
            string("group"),
            one_of(
                "mode",
                &[token("silent", "SILENT"), token("fail", "FAIL"), token("fatal", "FATAL")],
            ),
            block("ids", &[integer("numids"), string("id").multiple()]).after("IDS"),
            integer("count").after("RETRYCOUNT").optional(),
            token("force", "FORCE").optional(),
        ],
        dialect: Dialect::Redis,
        newer: Some("Redis 8.8"),
        ..Command::BLANK
    },
    Command {
        name: "xpending",
        summary: "Describe the pending entries of a group",
        since: "5.0.0",
        group: Group::Stream,
        complexity: "O(N) where N is the number of entries looked at or, in the short form, of \
                     consumers",
        arity: -3,
        flags: flags![READONLY],
        acl: acl![READ, STREAM, SLOW],
        keys: &[key_at(1, access![RO, ACCESS])],
        tips: &["nondeterministic_output"],
        history: &[("6.2.0", "IDLE and exclusive bounds")],
        args: &[
            key("key", 0),
            string("group"),
            block(
                "filters",
                &[
                    integer("min-idle-time").after("IDLE").since("6.2.0").optional(),
                    string("start"),
                    string("end"),
                    integer("count"),
                    string("consumer").optional(),
                ],
            )
            .optional(),
        ],
        ..Command::BLANK
    },
    Command {
        name: "xrange",
        summary: "Read the entries between two ids",
        since: "5.0.0",
        group: Group::Stream,
        complexity: "O(N) where N is the number of entries returned",
        arity: -4,
        flags: flags![READONLY],
        acl: acl![READ, STREAM, SLOW],
        keys: &[key_at(1, access![RO, ACCESS])],
        history: &[("6.2.0", "Exclusive bounds")],
        args: &[
            key("key", 0),
            string("start"),
            string("end"),
            integer("count").after("COUNT").optional(),
        ],
        ..Command::BLANK
    },
    Command {
        name: "xread",
        summary: "Read the entries behind given ids in several streams, optionally waiting for \
                  them",
        since: "5.0.0",
        group: Group::Stream,
        complexity: "O(N) where N is the number of entries returned",
        arity: -4,
        flags: flags![READONLY, BLOCKING, MOVABLEKEYS],
        acl: acl![READ, STREAM, SLOW, BLOCKING],
        keys: &[KeySpec {
            notes: "",
            flags: access![RO, ACCESS],
            begin: Begin::Keyword { word: "STREAMS", from: 1 },
            find: Find::Range { last: -1, step: 1, limit: 2 },
        }],
        history: &[("8.10.0", "Redis: MAXCOUNT and MAXSIZE")],
        args: &[
            integer("count").after("COUNT").optional(),
            integer("milliseconds").after("BLOCK").optional(),
            integer("maxcount").after("MAXCOUNT").since("8.10.0").optional(),
            integer("maxsize").after("MAXSIZE").since("8.10.0").optional(),
            block("streams", &[key("key", 0).multiple(), string("ID").multiple()]).after("STREAMS"),
        ],
        ..Command::BLANK
    },
    Command {
        name: "xreadgroup",
        summary: "Read the entries of several streams as a consumer of a group, optionally \
                  waiting for them",
        since: "5.0.0",
        group: Group::Stream,
        complexity: "O(N) where N is the number of entries returned",
        arity: -7,
        flags: flags![WRITE, BLOCKING, MOVABLEKEYS],
        acl: acl![WRITE, STREAM, SLOW, BLOCKING],
        keys: &[KeySpec {
            notes: "",
            flags: access![RO, ACCESS],
            begin: Begin::Keyword { word: "STREAMS", from: 4 },
            find: Find::Range { last: -1, step: 1, limit: 2 },
        }],
        history: &[("8.4.0", "Redis: CLAIM"), ("8.10.0", "Redis: MAXCOUNT and MAXSIZE")],
        args: &[
            block("group-block", &[string("group"), string("consumer")]).after("GROUP"),
            integer("count").after("COUNT").optional(),
            integer("milliseconds").after("BLOCK").optional(),
            integer("min-idle-time").after("CLAIM").optional(),
            token("noack", "NOACK").optional(),
            integer("maxcount").after("MAXCOUNT").since("8.10.0").optional(),
            integer("maxsize").after("MAXSIZE").since("8.10.0").optional(),
            block("streams", &[key("key", 0).multiple(), string("ID").multiple()]).after("STREAMS"),
        ],
        ..Command::BLANK
    },
    Command {
        name: "xrevrange",
        summary: "Read the entries between two ids, newest first",
        since: "5.0.0",
        group: Group::Stream,
        complexity: "O(N) where N is the number of entries returned",
        arity: -4,
        flags: flags![READONLY],
        acl: acl![READ, STREAM, SLOW],
        keys: &[key_at(1, access![RO, ACCESS])],
        history: &[("6.2.0", "Exclusive bounds")],
        args: &[
            key("key", 0),
            string("end"),
            string("start"),
            integer("count").after("COUNT").optional(),
        ],
        ..Command::BLANK
    },
    Command {
        name: "xsetid",
        summary: "Set the last id of a stream (sent to replicas)",
        since: "5.0.0",
        group: Group::Stream,
        complexity: "O(1)",
        arity: -3,
        flags: flags![WRITE, DENYOOM, FAST],
        acl: acl![WRITE, STREAM, FAST],
        keys: &[key_at(1, access![RW, UPDATE])],
        history: &[("7.0.0", "ENTRIESADDED and MAXDELETEDID")],
        args: &[
            key("key", 0),
            string("last-id"),
            integer("entries-added").after("ENTRIESADDED").since("7.0.0").optional(),
            string("max-deleted-id").after("MAXDELETEDID").since("7.0.0").optional(),
        ],
        ..Command::BLANK
    },
    Command {
        name: "xtrim",
        summary: "Drop the oldest entries of a stream",
        since: "5.0.0",
        group: Group::Stream,
        complexity: "O(N) where N is the number of entries dropped",
        arity: -4,
        flags: flags![WRITE],
        acl: acl![WRITE, STREAM, SLOW],
        keys: &[key_at(1, access![RW, DELETE])],
        tips: &["nondeterministic_output"],
        history: &[("6.2.0", "MINID and LIMIT"), ("8.2.0", "Redis: KEEPREF, DELREF and ACKED")],
        args: &[
            key("key", 0),
            block(
                "trim",
                &[
                    one_of(
                        "strategy",
                        &[token("maxlen", "MAXLEN"), token("minid", "MINID").since("6.2.0")],
                    ),
                    one_of("operator", &[token("equal", "="), token("approximately", "~")])
                        .optional(),
                    string("threshold"),
                    integer("count").after("LIMIT").since("6.2.0").optional(),
                    one_of(
                        "condition",
                        &[
                            token("keepref", "KEEPREF"),
                            token("delref", "DELREF"),
                            token("acked", "ACKED"),
                        ],
                    )
                    .optional(),
                ],
            ),
        ],
        ..Command::BLANK
    },
];
