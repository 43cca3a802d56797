//! The commands of the connection itself and of other connections.

use super::rows::{
    Arg, Command, Dialect, Group, acl, block, flags, integer, one_of, string, token,
};

/// What CLIENT LIST and CLIENT KILL select connections by.
const FILTERS: &[Arg] = &[
    one_of(
        "client-type",
        &[
            token("normal", "NORMAL"),
            token("master", "MASTER"),
            token("primary", "PRIMARY"),
            token("slave", "SLAVE"),
            token("replica", "REPLICA"),
            token("pubsub", "PUBSUB"),
        ],
    )
    .after("TYPE")
    .since("2.8.12")
    .optional(),
    integer("client-id").after("ID").since("2.8.12").multiple().optional(),
    string("username").after("USER").optional(),
    string("addr").after("ADDR").shown_as("ip:port").optional(),
    string("laddr").after("LADDR").shown_as("ip:port").since("6.2.0").optional(),
    one_of("skipme", &[token("yes", "YES"), token("no", "NO")]).after("SKIPME").optional(),
    integer("maxage").after("MAXAGE").since("7.4.0").optional(),
    string("name").after("NAME").since("9.0.0").optional(),
    integer("idle").after("IDLE").since("9.0.0").optional(),
    string("flags").after("FLAGS").since("9.0.0").optional(),
    string("lib-name").after("LIB-NAME").since("9.0.0").optional(),
    string("lib-ver").after("LIB-VER").since("9.0.0").optional(),
    integer("db").after("DB").since("9.0.0").optional(),
    string("capa").after("CAPA").since("9.0.0").optional(),
    string("ip").after("IP").since("9.0.0").optional(),
    one_of(
        "negated-client-type",
        &[
            token("normal", "NORMAL"),
            token("master", "MASTER"),
            token("primary", "PRIMARY"),
            token("slave", "SLAVE"),
            token("replica", "REPLICA"),
            token("pubsub", "PUBSUB"),
        ],
    )
    .after("NOT-TYPE")
    .since("9.0.0")
    .optional(),
    integer("negated-client-id")
        .after("NOT-ID")
        .shown_as("client-id")
        .since("9.0.0")
        .multiple()
        .optional(),
    string("negated-username").after("NOT-USER").shown_as("username").since("9.0.0").optional(),
    string("negated-addr").after("NOT-ADDR").shown_as("ip:port").since("9.0.0").optional(),
    string("negated-laddr").after("NOT-LADDR").shown_as("ip:port").since("9.0.0").optional(),
    string("negated-name").after("NOT-NAME").shown_as("name").since("9.0.0").optional(),
    string("negated-flags").after("NOT-FLAGS").shown_as("flags").since("9.0.0").optional(),
    string("negated-lib-name").after("NOT-LIB-NAME").shown_as("lib-name").since("9.0.0").optional(),
    string("negated-lib-ver").after("NOT-LIB-VER").shown_as("lib-ver").since("9.0.0").optional(),
    integer("negated-db").after("NOT-DB").shown_as("db").since("9.0.0").optional(),
    string("negated-capa").after("NOT-CAPA").shown_as("capa").since("9.0.0").optional(),
    string("negated-ip").after("NOT-IP").shown_as("ip").since("9.0.0").optional(),
];

pub(super) static ROWS: &[Command] = &[
    Command {
        name: "auth",
        summary: "Authenticate the connection",
        since: "1.0.0",
        group: Group::Connection,
        complexity: "O(N) where N is the number of passwords of the user",
        arity: -2,
        flags: flags![NOSCRIPT, LOADING, STALE, FAST, NO_AUTH, SENTINEL, ALLOW_BUSY],
        acl: acl![FAST, CONNECTION],
        history: &[("6.0.0", "A user name before the password")],
        args: &[string("username").since("6.0.0").optional(), string("password")],
        ..Command::BLANK
    },
    Command {
        name: "client",
        summary: "Look at connections and change them",
        since: "2.4.0",
        group: Group::Connection,
        arity: -2,
        flags: flags![SENTINEL],
        acl: acl![SLOW],
        subcommands: &[
            Command {
                name: "caching",
                parent: Some("client"),
                summary: "Say whether the keys of the next command are to be tracked",
                since: "6.0.0",
                group: Group::Connection,
                complexity: "O(1)",
                arity: 3,
                flags: flags![NOSCRIPT, LOADING, STALE, SENTINEL, ALLOW_BUSY],
                acl: acl![SLOW, CONNECTION],
                args: &[one_of("mode", &[token("yes", "YES"), token("no", "NO")])],
                ..Command::BLANK
            },
            Command {
                name: "capa",
                parent: Some("client"),
                summary: "Declare what this client is able to do",
                since: "8.0.0",
                group: Group::Connection,
                complexity: "O(1)",
                arity: -3,
                flags: flags![NOSCRIPT, LOADING, STALE, ALLOW_BUSY],
                acl: acl![SLOW, CONNECTION],
                args: &[string("capability").multiple()],
                dialect: Dialect::Valkey,
                ..Command::BLANK
            },
            Command {
                name: "getname",
                parent: Some("client"),
                summary: "Tell the name of this connection",
                since: "2.6.9",
                group: Group::Connection,
                complexity: "O(1)",
                arity: 2,
                flags: flags![NOSCRIPT, LOADING, STALE, SENTINEL, ALLOW_BUSY],
                acl: acl![SLOW, CONNECTION],
                ..Command::BLANK
            },
            Command {
                name: "getredir",
                parent: Some("client"),
                summary: "Tell to which connection invalidations are redirected",
                since: "6.0.0",
                group: Group::Connection,
                complexity: "O(1)",
                arity: 2,
                flags: flags![NOSCRIPT, LOADING, STALE, SENTINEL, ALLOW_BUSY],
                acl: acl![SLOW, CONNECTION],
                ..Command::BLANK
            },
            Command {
                name: "help",
                parent: Some("client"),
                summary: "Describe the subcommands of CLIENT",
                since: "5.0.0",
                group: Group::Connection,
                complexity: "O(1)",
                arity: 2,
                flags: flags![LOADING, STALE, SENTINEL],
                acl: acl![SLOW, CONNECTION],
                ..Command::BLANK
            },
            Command {
                name: "id",
                parent: Some("client"),
                summary: "Tell the number of this connection",
                since: "5.0.0",
                group: Group::Connection,
                complexity: "O(1)",
                arity: 2,
                flags: flags![NOSCRIPT, LOADING, STALE, SENTINEL, ALLOW_BUSY],
                acl: acl![SLOW, CONNECTION],
                ..Command::BLANK
            },
            Command {
                name: "import-source",
                parent: Some("client"),
                summary: "Mark this connection as the source of an import",
                since: "8.1.0",
                group: Group::Connection,
                complexity: "O(1)",
                arity: 3,
                flags: flags![NOSCRIPT, LOADING, STALE],
                acl: acl![SLOW, CONNECTION],
                args: &[one_of("enabled", &[token("on", "ON"), token("off", "OFF")])],
                dialect: Dialect::Valkey,
                ..Command::BLANK
            },
            Command {
                name: "info",
                parent: Some("client"),
                summary: "Describe this connection",
                since: "6.2.0",
                group: Group::Connection,
                complexity: "O(1)",
                arity: 2,
                flags: flags![NOSCRIPT, LOADING, STALE, SENTINEL],
                acl: acl![SLOW, CONNECTION],
                tips: &["nondeterministic_output"],
                ..Command::BLANK
            },
            Command {
                name: "kill",
                parent: Some("client"),
                summary: "Close the connections that match all filters",
                since: "2.4.0",
                group: Group::Connection,
                complexity: "O(N) where N is the number of connections",
                arity: -3,
                flags: flags![ADMIN, NOSCRIPT, LOADING, STALE, SENTINEL],
                acl: acl![ADMIN, SLOW, DANGEROUS, CONNECTION],
                history: &[
                    ("2.8.12", "Filters as pairs of word and value"),
                    ("2.8.12", "ID"),
                    ("3.2.0", "TYPE master"),
                    ("5.0.0", "TYPE replica, for which slave remains a synonym"),
                    ("6.2.0", "LADDR"),
                    ("7.4.0", "Redis: MAXAGE"),
                    ("8.0.0", "Valkey: MAXAGE"),
                    ("8.0.0", "Valkey: TYPE primary, for which master remains a synonym"),
                    ("8.1.0", "Valkey: several numbers after ID"),
                    (
                        "9.0.0",
                        "Valkey: filters by name, idle time, flags, library, database, capability \
                         and IP, and the NOT filters",
                    ),
                ],
                args: &[one_of(
                    "filter",
                    &[
                        string("old-format").shown_as("ip:port").deprecated("2.8.12"),
                        one_of("new-format", FILTERS).multiple(),
                    ],
                )],
                exclusive: true,
                ..Command::BLANK
            },
            Command {
                name: "list",
                parent: Some("client"),
                summary: "Describe the connections that match all filters",
                since: "2.4.0",
                group: Group::Connection,
                complexity: "O(N) where N is the number of connections",
                arity: -2,
                flags: flags![ADMIN, NOSCRIPT, LOADING, STALE, SENTINEL],
                acl: acl![ADMIN, SLOW, DANGEROUS, CONNECTION],
                tips: &["nondeterministic_output"],
                history: &[
                    ("2.8.12", "Field id"),
                    ("5.0.0", "TYPE"),
                    ("6.0.0", "Field user"),
                    ("6.2.0", "Fields argv-mem, tot-mem, laddr and redir; ID"),
                    ("7.0.0", "Fields resp, multi-mem, rbs and rbp"),
                    ("7.0.3", "Field ssub"),
                    ("7.2.0", "Fields lib-name and lib-ver"),
                    ("7.4.0", "Redis: field watch"),
                    ("8.0.0", "Valkey: TYPE primary, for which master remains a synonym"),
                    ("8.0.0", "Redis: field io-thread"),
                    ("8.1.0", "Valkey: USER, ADDR, LADDR, SKIPME and MAXAGE"),
                    (
                        "9.0.0",
                        "Valkey: filters by name, idle time, flags, library, database, capability \
                         and IP, and the NOT filters",
                    ),
                ],
                args: FILTERS,
                ..Command::BLANK
            },
            Command {
                name: "maint_notifications",
                parent: Some("client"),
                summary: "Ask for notices of maintenance, or for none",
                since: "8.4.0",
                group: Group::Connection,
                complexity: "O(1)",
                arity: -3,
                flags: flags![NOSCRIPT, LOADING, STALE, ALLOW_BUSY],
                acl: acl![SLOW, CONNECTION],
                args: &[
                    one_of("enabled", &[token("on", "ON"), token("off", "OFF")]),
                    string("type").after("MOVING-ENDPOINT-TYPE").optional(),
                ],
                dialect: Dialect::Redis,
                newer: Some("Redis 8.4"),
                ..Command::BLANK
            },
            Command {
                name: "no-evict",
                parent: Some("client"),
                summary: "Protect this connection from being closed to save memory",
                since: "7.0.0",
                group: Group::Connection,
                complexity: "O(1)",
                arity: 3,
                flags: flags![ADMIN, NOSCRIPT, LOADING, STALE, SENTINEL, ALLOW_BUSY],
                acl: acl![ADMIN, SLOW, DANGEROUS, CONNECTION],
                args: &[one_of("enabled", &[token("on", "ON"), token("off", "OFF")])],
                ..Command::BLANK
            },
            Command {
                name: "no-touch",
                parent: Some("client"),
                summary: "Read keys without marking them as just used",
                since: "7.2.0",
                group: Group::Connection,
                complexity: "O(1)",
                arity: 3,
                flags: flags![NOSCRIPT, LOADING, STALE, ALLOW_BUSY],
                acl: acl![SLOW, CONNECTION],
                args: &[one_of("enabled", &[token("on", "ON"), token("off", "OFF")])],
                ..Command::BLANK
            },
            Command {
                name: "pause",
                parent: Some("client"),
                summary: "Hold back the commands of all clients for some time",
                since: "3.0.0",
                group: Group::Connection,
                complexity: "O(1)",
                arity: -3,
                flags: flags![ADMIN, NOSCRIPT, LOADING, STALE, SENTINEL],
                acl: acl![ADMIN, SLOW, DANGEROUS, CONNECTION],
                history: &[("6.2.0", "The mode, with WRITE beside ALL")],
                args: &[
                    integer("timeout"),
                    one_of("mode", &[token("write", "WRITE"), token("all", "ALL")])
                        .since("6.2.0")
                        .optional(),
                ],
                exclusive: true,
                ..Command::BLANK
            },
            Command {
                name: "reply",
                parent: Some("client"),
                summary: "Say whether this connection wants replies",
                since: "3.2.0",
                group: Group::Connection,
                complexity: "O(1)",
                arity: 3,
                flags: flags![NOSCRIPT, LOADING, STALE, SENTINEL, NO_MULTI, ALLOW_BUSY],
                acl: acl![SLOW, CONNECTION],
                args: &[one_of(
                    "action",
                    &[token("on", "ON"), token("off", "OFF"), token("skip", "SKIP")],
                )],
                ..Command::BLANK
            },
            Command {
                name: "setinfo",
                parent: Some("client"),
                summary: "Note the name or version of the client library",
                since: "7.2.0",
                group: Group::Connection,
                complexity: "O(1)",
                arity: 4,
                flags: flags![NOSCRIPT, LOADING, STALE, SENTINEL, ALLOW_BUSY],
                acl: acl![SLOW, CONNECTION],
                tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
                args: &[one_of(
                    "attr",
                    &[string("libname").after("lib-name"), string("libver").after("lib-ver")],
                )],
                ..Command::BLANK
            },
            Command {
                name: "setname",
                parent: Some("client"),
                summary: "Name this connection",
                since: "2.6.9",
                group: Group::Connection,
                complexity: "O(1)",
                arity: 3,
                flags: flags![NOSCRIPT, LOADING, STALE, SENTINEL, ALLOW_BUSY],
                acl: acl![SLOW, CONNECTION],
                tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
                args: &[string("connection-name")],
                ..Command::BLANK
            },
            Command {
                name: "tracking",
                parent: Some("client"),
                summary: "Switch client-side caching on or off for this connection",
                since: "6.0.0",
                group: Group::Connection,
                complexity: "O(1), with prefixes O(N) where N is the number of prefixes",
                arity: -3,
                flags: flags![NOSCRIPT, LOADING, STALE, SENTINEL],
                acl: acl![SLOW, CONNECTION],
                args: &[
                    one_of("status", &[token("on", "ON"), token("off", "OFF")]),
                    integer("client-id").after("REDIRECT").optional(),
                    string("prefix").after("PREFIX").multiple_token().optional(),
                    token("BCAST", "BCAST").optional(),
                    token("OPTIN", "OPTIN").optional(),
                    token("OPTOUT", "OPTOUT").optional(),
                    token("NOLOOP", "NOLOOP").optional(),
                ],
                ..Command::BLANK
            },
            Command {
                name: "trackinginfo",
                parent: Some("client"),
                summary: "Describe the state of client-side caching on this connection",
                since: "6.2.0",
                group: Group::Connection,
                complexity: "O(1)",
                arity: 2,
                flags: flags![NOSCRIPT, LOADING, STALE, SENTINEL],
                acl: acl![SLOW, CONNECTION],
                ..Command::BLANK
            },
            Command {
                name: "unblock",
                parent: Some("client"),
                summary: "Wake a connection that a blocking command holds",
                since: "5.0.0",
                group: Group::Connection,
                complexity: "O(log(N)) where N is the number of connections",
                arity: -3,
                flags: flags![ADMIN, NOSCRIPT, LOADING, STALE, SENTINEL],
                acl: acl![ADMIN, SLOW, DANGEROUS, CONNECTION],
                args: &[
                    integer("client-id"),
                    one_of("unblock-type", &[token("timeout", "TIMEOUT"), token("error", "ERROR")])
                        .optional(),
                ],
                exclusive: true,
                ..Command::BLANK
            },
            Command {
                name: "unpause",
                parent: Some("client"),
                summary: "Let the clients continue that CLIENT PAUSE holds back",
                since: "6.2.0",
                group: Group::Connection,
                complexity: "O(N) where N is the number of paused clients",
                arity: 2,
                flags: flags![ADMIN, NOSCRIPT, LOADING, STALE, SENTINEL],
                acl: acl![ADMIN, SLOW, DANGEROUS, CONNECTION],
                exclusive: true,
                ..Command::BLANK
            },
        ],
        ..Command::BLANK
    },
    Command {
        name: "echo",
        summary: "Return the given bytes",
        since: "1.0.0",
        group: Group::Connection,
        complexity: "O(1)",
        arity: 2,
        flags: flags![LOADING, STALE, FAST],
        acl: acl![FAST, CONNECTION],
        args: &[string("message")],
        ..Command::BLANK
    },
    Command {
        name: "hello",
        summary: "Choose the protocol version, and authenticate and name the connection",
        since: "6.0.0",
        group: Group::Connection,
        complexity: "O(1)",
        arity: -1,
        flags: flags![NOSCRIPT, LOADING, STALE, FAST, NO_AUTH, SENTINEL, ALLOW_BUSY],
        acl: acl![FAST, CONNECTION],
        history: &[
            ("6.2.0", "Without arguments it only describes the connection"),
            ("8.1.0", "Valkey: field availability_zone when it is configured"),
        ],
        args: &[block(
            "arguments",
            &[
                integer("protover"),
                block("auth", &[string("username"), string("password")]).after("AUTH").optional(),
                string("clientname").after("SETNAME").optional(),
            ],
        )
        .optional()],
        ..Command::BLANK
    },
    Command {
        name: "ping",
        summary: "Answer PONG, or the given bytes",
        since: "1.0.0",
        group: Group::Connection,
        complexity: "O(1)",
        arity: -1,
        flags: flags![FAST, SENTINEL],
        acl: acl![FAST, CONNECTION],
        tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
        args: &[string("message").optional()],
        ..Command::BLANK
    },
    Command {
        name: "quit",
        summary: "Close the connection",
        since: "1.0.0",
        group: Group::Connection,
        complexity: "O(1)",
        arity: -1,
        flags: flags![NOSCRIPT, LOADING, STALE, FAST, NO_AUTH, ALLOW_BUSY],
        acl: acl![FAST, CONNECTION],
        ..Command::BLANK
    },
    Command {
        name: "reset",
        summary: "Bring the connection back to the state of a new one",
        since: "6.2.0",
        group: Group::Connection,
        complexity: "O(1)",
        arity: 1,
        flags: flags![NOSCRIPT, LOADING, STALE, FAST, NO_AUTH, ALLOW_BUSY],
        acl: acl![FAST, CONNECTION],
        ..Command::BLANK
    },
    Command {
        name: "select",
        summary: "Choose the database for this connection",
        since: "1.0.0",
        group: Group::Connection,
        complexity: "O(1)",
        arity: 2,
        flags: flags![LOADING, STALE, FAST, ALLOW_BUSY],
        acl: acl![FAST, CONNECTION],
        args: &[integer("index")],
        ..Command::BLANK
    },
];
