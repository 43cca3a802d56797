//! The commands of publishing and subscribing.

use super::rows::{Command, Group, access, acl, flags, key_at, keys_from, pattern, string};

pub(super) static ROWS: &[Command] = &[
    Command {
        name: "psubscribe",
        summary: "Receive the messages of all channels whose names match patterns",
        since: "2.0.0",
        group: Group::PubSub,
        complexity: "O(N) where N is the number of patterns given",
        arity: -2,
        flags: flags![PUBSUB, NOSCRIPT, LOADING, STALE, SENTINEL],
        acl: acl![PUBSUB, SLOW],
        args: &[pattern("pattern").multiple()],
        ..Command::BLANK
    },
    Command {
        name: "publish",
        summary: "Send a message to a channel",
        since: "2.0.0",
        group: Group::PubSub,
        complexity: "O(N+M) where N is the number of subscribers of the channel and M the number \
                     of patterns in use",
        arity: 3,
        flags: flags![PUBSUB, LOADING, STALE, FAST, MAY_REPLICATE, SENTINEL],
        acl: acl![PUBSUB, FAST],
        args: &[string("channel"), string("message")],
        ..Command::BLANK
    },
    Command {
        name: "pubsub",
        summary: "Look at channels and their subscribers",
        since: "2.8.0",
        group: Group::PubSub,
        arity: -2,
        acl: acl![SLOW],
        subcommands: &[
            Command {
                name: "channels",
                parent: Some("pubsub"),
                summary: "List the channels that have subscribers",
                since: "2.8.0",
                group: Group::PubSub,
                complexity: "O(N) where N is the number of channels",
                arity: -2,
                flags: flags![PUBSUB, LOADING, STALE],
                acl: acl![PUBSUB, SLOW],
                args: &[pattern("pattern").optional()],
                ..Command::BLANK
            },
            Command {
                name: "help",
                parent: Some("pubsub"),
                summary: "Describe the subcommands of PUBSUB",
                since: "6.2.0",
                group: Group::PubSub,
                complexity: "O(1)",
                arity: 2,
                flags: flags![LOADING, STALE],
                acl: acl![SLOW],
                ..Command::BLANK
            },
            Command {
                name: "numpat",
                parent: Some("pubsub"),
                summary: "Count the different patterns that clients are subscribed to",
                since: "2.8.0",
                group: Group::PubSub,
                complexity: "O(1)",
                arity: 2,
                flags: flags![PUBSUB, LOADING, STALE],
                acl: acl![PUBSUB, SLOW],
                ..Command::BLANK
            },
            Command {
                name: "numsub",
                parent: Some("pubsub"),
                summary: "Count the subscribers of channels",
                since: "2.8.0",
                group: Group::PubSub,
                complexity: "O(N) where N is the number of channels given",
                arity: -2,
                flags: flags![PUBSUB, LOADING, STALE],
                acl: acl![PUBSUB, SLOW],
                args: &[string("channel").multiple().optional()],
                ..Command::BLANK
            },
            Command {
                name: "shardchannels",
                parent: Some("pubsub"),
                summary: "List the shard channels that have subscribers",
                since: "7.0.0",
                group: Group::PubSub,
                complexity: "O(N) where N is the number of shard channels",
                arity: -2,
                flags: flags![PUBSUB, LOADING, STALE],
                acl: acl![PUBSUB, SLOW],
                args: &[pattern("pattern").optional()],
                ..Command::BLANK
            },
            Command {
                name: "shardnumsub",
                parent: Some("pubsub"),
                summary: "Count the subscribers of shard channels",
                since: "7.0.0",
                group: Group::PubSub,
                complexity: "O(N) where N is the number of shard channels given",
                arity: -2,
                flags: flags![PUBSUB, LOADING, STALE],
                acl: acl![PUBSUB, SLOW],
                args: &[string("shardchannel").multiple().optional()],
                ..Command::BLANK
            },
        ],
        ..Command::BLANK
    },
    Command {
        name: "punsubscribe",
        summary: "Receive no more messages by these patterns, or by any",
        since: "2.0.0",
        group: Group::PubSub,
        complexity: "O(N) where N is the number of patterns given",
        arity: -1,
        flags: flags![PUBSUB, NOSCRIPT, LOADING, STALE, SENTINEL],
        acl: acl![PUBSUB, SLOW],
        args: &[pattern("pattern").multiple().optional()],
        ..Command::BLANK
    },
    Command {
        name: "spublish",
        summary: "Send a message to a shard channel",
        since: "7.0.0",
        group: Group::PubSub,
        complexity: "O(N) where N is the number of subscribers of the shard channel",
        arity: 3,
        flags: flags![PUBSUB, LOADING, STALE, FAST, MAY_REPLICATE],
        acl: acl![PUBSUB, FAST],
        keys: &[key_at(1, access![NOT_KEY])],
        args: &[string("shardchannel"), string("message")],
        ..Command::BLANK
    },
    Command {
        name: "ssubscribe",
        summary: "Receive the messages of shard channels",
        since: "7.0.0",
        group: Group::PubSub,
        complexity: "O(N) where N is the number of shard channels given",
        arity: -2,
        flags: flags![PUBSUB, NOSCRIPT, LOADING, STALE],
        acl: acl![PUBSUB, SLOW],
        keys: &[keys_from(1, -1, 1, access![NOT_KEY])],
        args: &[string("shardchannel").multiple()],
        ..Command::BLANK
    },
    Command {
        name: "subscribe",
        summary: "Receive the messages of channels",
        since: "2.0.0",
        group: Group::PubSub,
        complexity: "O(N) where N is the number of channels given",
        arity: -2,
        flags: flags![PUBSUB, NOSCRIPT, LOADING, STALE, SENTINEL],
        acl: acl![PUBSUB, SLOW],
        args: &[string("channel").multiple()],
        ..Command::BLANK
    },
    Command {
        name: "sunsubscribe",
        summary: "Receive no more messages of these shard channels, or of any",
        since: "7.0.0",
        group: Group::PubSub,
        complexity: "O(N) where N is the number of shard channels given",
        arity: -1,
        flags: flags![PUBSUB, NOSCRIPT, LOADING, STALE],
        acl: acl![PUBSUB, SLOW],
        keys: &[keys_from(1, -1, 1, access![NOT_KEY])],
        args: &[string("shardchannel").multiple().optional()],
        ..Command::BLANK
    },
    Command {
        name: "unsubscribe",
        summary: "Receive no more messages of these channels, or of any",
        since: "2.0.0",
        group: Group::PubSub,
        complexity: "O(N) where N is the number of channels given",
        arity: -1,
        flags: flags![PUBSUB, NOSCRIPT, LOADING, STALE, SENTINEL],
        acl: acl![PUBSUB, SLOW],
        args: &[string("channel").multiple().optional()],
        ..Command::BLANK
    },
];
