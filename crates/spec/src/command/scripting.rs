//! The commands of scripts and functions.

use super::rows::{
    Command, Dialect, Group, access, acl, counted_keys, flags, integer, key, one_of, string, token,
};

pub(super) static ROWS: &[Command] = &[
    Command {
        name: "eval",
        summary: "Run a script that is sent along",
        since: "2.6.0",
        group: Group::Scripting,
        complexity: "Depends on the script",
        arity: -3,
        flags: flags![NOSCRIPT, STALE, SKIP_MONITOR, MAY_REPLICATE, NO_MANDATORY_KEYS, MOVABLEKEYS],
        acl: acl![SLOW, SCRIPTING],
        keys: &[counted_keys(2, access![RW, ACCESS, UPDATE])
            .noting("The script decides, so the most is assumed")],
        args: &[
            string("script"),
            integer("numkeys"),
            key("key", 0).multiple().optional(),
            string("arg").multiple().optional(),
        ],
        exclusive: true,
        ..Command::BLANK
    },
    Command {
        name: "eval_ro",
        summary: "Run a script that is sent along, without permission to write",
        since: "7.0.0",
        group: Group::Scripting,
        complexity: "Depends on the script",
        arity: -3,
        flags: flags![READONLY, NOSCRIPT, STALE, SKIP_MONITOR, NO_MANDATORY_KEYS, MOVABLEKEYS],
        acl: acl![SLOW, SCRIPTING],
        keys: &[
            counted_keys(2, access![RO, ACCESS]).noting("The script decides, and it can only read")
        ],
        args: &[
            string("script"),
            integer("numkeys"),
            key("key", 0).multiple().optional(),
            string("arg").multiple().optional(),
        ],
        exclusive: true,
        ..Command::BLANK
    },
    Command {
        name: "evalsha",
        summary: "Run a script that the server already has, named by its SHA-1 digest",
        since: "2.6.0",
        group: Group::Scripting,
        complexity: "Depends on the script",
        arity: -3,
        flags: flags![NOSCRIPT, STALE, SKIP_MONITOR, MAY_REPLICATE, NO_MANDATORY_KEYS, MOVABLEKEYS],
        acl: acl![SLOW, SCRIPTING],
        keys: &[counted_keys(2, access![RW, ACCESS, UPDATE])],
        args: &[
            string("sha1"),
            integer("numkeys"),
            key("key", 0).multiple().optional(),
            string("arg").multiple().optional(),
        ],
        exclusive: true,
        ..Command::BLANK
    },
    Command {
        name: "evalsha_ro",
        summary: "Run a script that the server already has, without permission to write",
        since: "7.0.0",
        group: Group::Scripting,
        complexity: "Depends on the script",
        arity: -3,
        flags: flags![READONLY, NOSCRIPT, STALE, SKIP_MONITOR, NO_MANDATORY_KEYS, MOVABLEKEYS],
        acl: acl![SLOW, SCRIPTING],
        keys: &[counted_keys(2, access![RO, ACCESS])],
        args: &[
            string("sha1"),
            integer("numkeys"),
            key("key", 0).multiple().optional(),
            string("arg").multiple().optional(),
        ],
        exclusive: true,
        ..Command::BLANK
    },
    Command {
        name: "fcall",
        summary: "Call a function of a library",
        since: "7.0.0",
        group: Group::Scripting,
        complexity: "Depends on the function",
        arity: -3,
        flags: flags![NOSCRIPT, STALE, SKIP_MONITOR, MAY_REPLICATE, NO_MANDATORY_KEYS, MOVABLEKEYS],
        acl: acl![SLOW, SCRIPTING],
        keys: &[counted_keys(2, access![RW, ACCESS, UPDATE])
            .noting("The script decides, so the most is assumed")],
        args: &[
            string("function"),
            integer("numkeys"),
            key("key", 0).multiple().optional(),
            string("arg").multiple().optional(),
        ],
        exclusive: true,
        ..Command::BLANK
    },
    Command {
        name: "fcall_ro",
        summary: "Call a function of a library, without permission to write",
        since: "7.0.0",
        group: Group::Scripting,
        complexity: "Depends on the function",
        arity: -3,
        flags: flags![READONLY, NOSCRIPT, STALE, SKIP_MONITOR, NO_MANDATORY_KEYS, MOVABLEKEYS],
        acl: acl![SLOW, SCRIPTING],
        keys: &[
            counted_keys(2, access![RO, ACCESS]).noting("The script decides, and it can only read")
        ],
        args: &[
            string("function"),
            integer("numkeys"),
            key("key", 0).multiple().optional(),
            string("arg").multiple().optional(),
        ],
        exclusive: true,
        ..Command::BLANK
    },
    Command {
        name: "function",
        summary: "Manage libraries of functions",
        since: "7.0.0",
        group: Group::Scripting,
        arity: -2,
        acl: acl![SLOW],
        subcommands: &[
            Command {
                name: "delete",
                parent: Some("function"),
                summary: "Remove a library and its functions",
                since: "7.0.0",
                group: Group::Scripting,
                complexity: "O(1)",
                arity: 3,
                flags: flags![WRITE, NOSCRIPT],
                acl: acl![WRITE, SLOW, SCRIPTING],
                tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
                args: &[string("library-name")],
                exclusive: true,
                ..Command::BLANK
            },
            Command {
                name: "dump",
                parent: Some("function"),
                summary: "Serialise all libraries into bytes that FUNCTION RESTORE understands",
                since: "7.0.0",
                group: Group::Scripting,
                complexity: "O(N) where N is the number of functions",
                arity: 2,
                flags: flags![NOSCRIPT],
                acl: acl![SLOW, SCRIPTING],
                ..Command::BLANK
            },
            Command {
                name: "flush",
                parent: Some("function"),
                summary: "Remove all libraries",
                since: "7.0.0",
                group: Group::Scripting,
                complexity: "O(N) where N is the number of functions",
                arity: -2,
                flags: flags![WRITE, NOSCRIPT],
                acl: acl![WRITE, SLOW, SCRIPTING],
                tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
                args: &[one_of("flush-type", &[token("async", "ASYNC"), token("sync", "SYNC")])
                    .optional()],
                exclusive: true,
                ..Command::BLANK
            },
            Command {
                name: "help",
                parent: Some("function"),
                summary: "Describe the subcommands of FUNCTION",
                since: "7.0.0",
                group: Group::Scripting,
                complexity: "O(1)",
                arity: 2,
                flags: flags![LOADING, STALE],
                acl: acl![SLOW, SCRIPTING],
                ..Command::BLANK
            },
            Command {
                name: "kill",
                parent: Some("function"),
                summary: "Stop the function that is running",
                since: "7.0.0",
                group: Group::Scripting,
                complexity: "O(1)",
                arity: 2,
                flags: flags![NOSCRIPT, ALLOW_BUSY],
                acl: acl![SLOW, SCRIPTING],
                tips: &["request_policy:all_shards", "response_policy:one_succeeded"],
                ..Command::BLANK
            },
            Command {
                name: "list",
                parent: Some("function"),
                summary: "Describe the libraries and their functions",
                since: "7.0.0",
                group: Group::Scripting,
                complexity: "O(N) where N is the number of functions",
                arity: -2,
                flags: flags![NOSCRIPT],
                acl: acl![SLOW, SCRIPTING],
                tips: &["nondeterministic_output_order"],
                args: &[
                    string("library-name-pattern").after("LIBRARYNAME").optional(),
                    token("withcode", "WITHCODE").optional(),
                ],
                ..Command::BLANK
            },
            Command {
                name: "load",
                parent: Some("function"),
                summary: "Create or replace a library from its source",
                since: "7.0.0",
                group: Group::Scripting,
                complexity: "O(1) beside compiling the source",
                arity: -3,
                flags: flags![WRITE, DENYOOM, NOSCRIPT],
                acl: acl![WRITE, SLOW, SCRIPTING],
                tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
                args: &[token("replace", "REPLACE").optional(), string("function-code")],
                exclusive: true,
                ..Command::BLANK
            },
            Command {
                name: "restore",
                parent: Some("function"),
                summary: "Create libraries from the bytes that FUNCTION DUMP made",
                since: "7.0.0",
                group: Group::Scripting,
                complexity: "O(N) where N is the number of functions",
                arity: -3,
                flags: flags![WRITE, DENYOOM, NOSCRIPT],
                acl: acl![WRITE, SLOW, SCRIPTING],
                tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
                args: &[
                    string("serialized-value"),
                    one_of(
                        "policy",
                        &[
                            token("flush", "FLUSH"),
                            token("append", "APPEND"),
                            token("replace", "REPLACE"),
                        ],
                    )
                    .optional(),
                ],
                exclusive: true,
                ..Command::BLANK
            },
            Command {
                name: "stats",
                parent: Some("function"),
                summary: "Describe the function that is running, and the engines",
                since: "7.0.0",
                group: Group::Scripting,
                complexity: "O(1)",
                arity: 2,
                flags: flags![NOSCRIPT, ALLOW_BUSY],
                acl: acl![SLOW, SCRIPTING],
                tips: &[
                    "nondeterministic_output",
                    "request_policy:all_shards",
                    "response_policy:special",
                ],
                ..Command::BLANK
            },
        ],
        ..Command::BLANK
    },
    Command {
        name: "script",
        summary: "Manage the scripts that the server keeps",
        since: "2.6.0",
        group: Group::Scripting,
        arity: -2,
        acl: acl![SLOW],
        subcommands: &[
            Command {
                name: "debug",
                parent: Some("script"),
                summary: "Choose how EVAL of this connection is debugged",
                since: "3.2.0",
                group: Group::Scripting,
                complexity: "O(1)",
                arity: -3,
                flags: flags![NOSCRIPT],
                acl: acl![SLOW, SCRIPTING],
                args: &[
                    one_of(
                        "mode",
                        &[token("yes", "YES"), token("sync", "SYNC"), token("no", "NO")],
                    ),
                    string("engine").since("9.1.0").optional(),
                ],
                ..Command::BLANK
            },
            Command {
                name: "exists",
                parent: Some("script"),
                summary: "Tell which scripts the server has",
                since: "2.6.0",
                group: Group::Scripting,
                complexity: "O(N) where N is the number of digests given",
                arity: -3,
                flags: flags![NOSCRIPT, STALE],
                acl: acl![SLOW, SCRIPTING],
                tips: &["request_policy:all_shards", "response_policy:agg_logical_and"],
                args: &[string("sha1").multiple()],
                ..Command::BLANK
            },
            Command {
                name: "flush",
                parent: Some("script"),
                summary: "Forget all scripts",
                since: "2.6.0",
                group: Group::Scripting,
                complexity: "O(N) where N is the number of scripts",
                arity: -2,
                flags: flags![NOSCRIPT, STALE],
                acl: acl![SLOW, SCRIPTING],
                tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
                history: &[("6.2.0", "ASYNC and SYNC")],
                args: &[one_of("flush-type", &[token("async", "ASYNC"), token("sync", "SYNC")])
                    .since("6.2.0")
                    .optional()],
                exclusive: true,
                ..Command::BLANK
            },
            Command {
                name: "help",
                parent: Some("script"),
                summary: "Describe the subcommands of SCRIPT",
                since: "5.0.0",
                group: Group::Scripting,
                complexity: "O(1)",
                arity: 2,
                flags: flags![LOADING, STALE],
                acl: acl![SLOW, SCRIPTING],
                ..Command::BLANK
            },
            Command {
                name: "kill",
                parent: Some("script"),
                summary: "Stop the script that is running",
                since: "2.6.0",
                group: Group::Scripting,
                complexity: "O(1)",
                arity: 2,
                flags: flags![NOSCRIPT, ALLOW_BUSY],
                acl: acl![SLOW, SCRIPTING],
                tips: &["request_policy:all_shards", "response_policy:one_succeeded"],
                ..Command::BLANK
            },
            Command {
                name: "load",
                parent: Some("script"),
                summary: "Keep a script without running it",
                since: "2.6.0",
                group: Group::Scripting,
                complexity: "O(N) where N is the length of the script",
                arity: 3,
                flags: flags![NOSCRIPT, STALE],
                acl: acl![SLOW, SCRIPTING],
                tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
                args: &[string("script")],
                ..Command::BLANK
            },
            Command {
                name: "show",
                parent: Some("script"),
                summary: "Show the source of a script",
                since: "8.0.0",
                group: Group::Scripting,
                complexity: "O(1)",
                arity: 3,
                flags: flags![NOSCRIPT, STALE],
                acl: acl![SLOW, SCRIPTING],
                args: &[string("sha1")],
                dialect: Dialect::Valkey,
                ..Command::BLANK
            },
        ],
        ..Command::BLANK
    },
];
