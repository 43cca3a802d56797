//! The commands of transactions.

use super::rows::{Command, Group, access, acl, flags, key, keys_from};

pub(super) static ROWS: &[Command] = &[
    Command {
        name: "discard",
        summary: "Drop the commands queued since MULTI",
        since: "2.0.0",
        group: Group::Transactions,
        complexity: "O(N) where N is the number of queued commands",
        arity: 1,
        flags: flags![NOSCRIPT, LOADING, STALE, FAST, ALLOW_BUSY],
        acl: acl![FAST, TRANSACTION],
        ..Command::BLANK
    },
    Command {
        name: "exec",
        summary: "Run the commands queued since MULTI as one",
        since: "1.2.0",
        group: Group::Transactions,
        complexity: "Depends on the queued commands",
        arity: 1,
        flags: flags![NOSCRIPT, LOADING, STALE, SKIP_COMMANDLOG],
        acl: acl![SLOW, TRANSACTION],
        ..Command::BLANK
    },
    Command {
        name: "multi",
        summary: "Queue the commands that follow until EXEC",
        since: "1.2.0",
        group: Group::Transactions,
        complexity: "O(1)",
        arity: 1,
        flags: flags![NOSCRIPT, LOADING, STALE, FAST, NO_MULTI, ALLOW_BUSY],
        acl: acl![FAST, TRANSACTION],
        ..Command::BLANK
    },
    Command {
        name: "unwatch",
        summary: "Forget the keys given to WATCH",
        since: "2.2.0",
        group: Group::Transactions,
        complexity: "O(N) where N is the number of watched keys",
        arity: 1,
        flags: flags![NOSCRIPT, LOADING, STALE, FAST, ALLOW_BUSY],
        acl: acl![FAST, TRANSACTION],
        ..Command::BLANK
    },
    Command {
        name: "watch",
        summary: "Let the next EXEC fail if one of these keys changes before it",
        since: "2.2.0",
        group: Group::Transactions,
        complexity: "O(N) where N is the number of keys",
        arity: -2,
        flags: flags![NOSCRIPT, LOADING, STALE, FAST, NO_MULTI, ALLOW_BUSY],
        acl: acl![FAST, TRANSACTION],
        keys: &[keys_from(1, -1, 1, access![RO])],
        args: &[key("key", 0).multiple()],
        ..Command::BLANK
    },
];
