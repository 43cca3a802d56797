//! The commands of sorted sets.

use super::rows::{
    Command, Group, access, acl, block, counted_keys, double, flags, integer, key, key_at,
    keys_from, one_of, pattern, string, token,
};

pub(super) static ROWS: &[Command] = &[
    Command {
        name: "bzmpop",
        summary: "Take members with the lowest or highest scores from the first sorted set that \
                  has any, waiting if none has",
        since: "7.0.0",
        group: Group::SortedSet,
        complexity: "O(K+M*log(N)) where K is the number of keys, N the size of the sorted set \
                     and M the number of members returned",
        arity: -5,
        flags: flags![WRITE, BLOCKING, MOVABLEKEYS],
        acl: acl![WRITE, SORTEDSET, SLOW, BLOCKING],
        keys: &[counted_keys(2, access![RW, ACCESS, DELETE])],
        args: &[
            double("timeout"),
            integer("numkeys"),
            key("key", 0).multiple(),
            one_of("where", &[token("min", "MIN"), token("max", "MAX")]),
            integer("count").after("COUNT").optional(),
        ],
        ..Command::BLANK
    },
    Command {
        name: "bzpopmax",
        summary: "Take the member with the highest score from the first sorted set that has any, \
                  waiting if none has",
        since: "5.0.0",
        group: Group::SortedSet,
        complexity: "O(log(N)) where N is the size of the sorted set",
        arity: -3,
        flags: flags![WRITE, BLOCKING, FAST],
        acl: acl![WRITE, SORTEDSET, FAST, BLOCKING],
        keys: &[keys_from(1, -2, 1, access![RW, ACCESS, DELETE])],
        history: &[("6.0.0", "The timeout may be a fraction of a second")],
        args: &[key("key", 0).multiple(), double("timeout")],
        ..Command::BLANK
    },
    Command {
        name: "bzpopmin",
        summary: "Take the member with the lowest score from the first sorted set that has any, \
                  waiting if none has",
        since: "5.0.0",
        group: Group::SortedSet,
        complexity: "O(log(N)) where N is the size of the sorted set",
        arity: -3,
        flags: flags![WRITE, BLOCKING, FAST],
        acl: acl![WRITE, SORTEDSET, FAST, BLOCKING],
        keys: &[keys_from(1, -2, 1, access![RW, ACCESS, DELETE])],
        history: &[("6.0.0", "The timeout may be a fraction of a second")],
        args: &[key("key", 0).multiple(), double("timeout")],
        ..Command::BLANK
    },
    Command {
        name: "zadd",
        summary: "Add members to a sorted set, or change their scores",
        since: "1.2.0",
        group: Group::SortedSet,
        complexity: "O(M*log(N)) where M is the number of members given and N the size of the \
                     sorted set",
        arity: -4,
        flags: flags![WRITE, DENYOOM, FAST],
        acl: acl![WRITE, SORTEDSET, FAST],
        keys: &[key_at(1, access![RW, UPDATE])],
        history: &[
            ("2.4.0", "Several members at once"),
            ("3.0.2", "XX, NX, CH and INCR"),
            ("6.2.0", "GT and LT"),
        ],
        args: &[
            key("key", 0),
            one_of("condition", &[token("nx", "NX"), token("xx", "XX")]).since("3.0.2").optional(),
            one_of("comparison", &[token("gt", "GT"), token("lt", "LT")]).since("6.2.0").optional(),
            token("change", "CH").since("3.0.2").optional(),
            token("increment", "INCR").since("3.0.2").optional(),
            block("data", &[double("score"), string("member")]).multiple(),
        ],
        ..Command::BLANK
    },
    Command {
        name: "zcard",
        summary: "Count the members of a sorted set",
        since: "1.2.0",
        group: Group::SortedSet,
        complexity: "O(1)",
        arity: 2,
        flags: flags![READONLY, FAST],
        acl: acl![READ, SORTEDSET, FAST],
        keys: &[key_at(1, access![RO])],
        args: &[key("key", 0)],
        ..Command::BLANK
    },
    Command {
        name: "zcount",
        summary: "Count the members of a sorted set within a range of scores",
        since: "2.0.0",
        group: Group::SortedSet,
        complexity: "O(log(N)) where N is the size of the sorted set",
        arity: 4,
        flags: flags![READONLY, FAST],
        acl: acl![READ, SORTEDSET, FAST],
        keys: &[key_at(1, access![RO, ACCESS])],
        args: &[key("key", 0), double("min"), double("max")],
        ..Command::BLANK
    },
    Command {
        name: "zdiff",
        summary: "List the members of a sorted set that no other given one has",
        since: "6.2.0",
        group: Group::SortedSet,
        complexity: "O(L+(N-K)*log(N)) where L is the size of all sorted sets, N of the first and \
                     K of the result",
        arity: -3,
        flags: flags![READONLY, MOVABLEKEYS],
        acl: acl![READ, SORTEDSET, SLOW],
        keys: &[counted_keys(1, access![RO, ACCESS])],
        args: &[
            integer("numkeys"),
            key("key", 0).multiple(),
            token("withscores", "WITHSCORES").optional(),
        ],
        ..Command::BLANK
    },
    Command {
        name: "zdiffstore",
        summary: "Store the members of a sorted set that no other given one has",
        since: "6.2.0",
        group: Group::SortedSet,
        complexity: "O(L+(N-K)*log(N)) where L is the size of all sorted sets, N of the first and \
                     K of the result",
        arity: -4,
        flags: flags![WRITE, DENYOOM, MOVABLEKEYS],
        acl: acl![WRITE, SORTEDSET, SLOW],
        keys: &[key_at(1, access![OW, UPDATE]), counted_keys(2, access![RO, ACCESS])],
        args: &[key("destination", 0), integer("numkeys"), key("key", 1).multiple()],
        ..Command::BLANK
    },
    Command {
        name: "zincrby",
        summary: "Add to the score of a member",
        since: "1.2.0",
        group: Group::SortedSet,
        complexity: "O(log(N)) where N is the size of the sorted set",
        arity: 4,
        flags: flags![WRITE, DENYOOM, FAST],
        acl: acl![WRITE, SORTEDSET, FAST],
        keys: &[key_at(1, access![RW, ACCESS, UPDATE])],
        args: &[key("key", 0), integer("increment"), string("member")],
        ..Command::BLANK
    },
    Command {
        name: "zinter",
        summary: "List the members that all sorted sets share, their scores combined",
        since: "6.2.0",
        group: Group::SortedSet,
        complexity: "O(N*K+M*log(M)) where N is the size of the smallest sorted set, K the number \
                     of them and M the size of the result",
        arity: -3,
        flags: flags![READONLY, MOVABLEKEYS],
        acl: acl![READ, SORTEDSET, SLOW],
        keys: &[counted_keys(1, access![RO, ACCESS])],
        history: &[("8.8.0", "Redis: AGGREGATE COUNT")],
        args: &[
            integer("numkeys"),
            key("key", 0).multiple(),
            integer("weight").after("WEIGHTS").multiple().optional(),
            one_of(
                "aggregate",
                &[
                    token("sum", "SUM"),
                    token("min", "MIN"),
                    token("max", "MAX"),
                    token("count", "COUNT").since("8.8.0"),
                ],
            )
            .after("AGGREGATE")
            .optional(),
            token("withscores", "WITHSCORES").optional(),
        ],
        ..Command::BLANK
    },
    Command {
        name: "zintercard",
        summary: "Count the members that all sorted sets share",
        since: "7.0.0",
        group: Group::SortedSet,
        complexity: "O(N*K) where N is the size of the smallest sorted set and K the number of \
                     them",
        arity: -3,
        flags: flags![READONLY, MOVABLEKEYS],
        acl: acl![READ, SORTEDSET, SLOW],
        keys: &[counted_keys(1, access![RO, ACCESS])],
        args: &[
            integer("numkeys"),
            key("key", 0).multiple(),
            integer("limit").after("LIMIT").optional(),
        ],
        ..Command::BLANK
    },
    Command {
        name: "zinterstore",
        summary: "Store the members that all sorted sets share, their scores combined",
        since: "2.0.0",
        group: Group::SortedSet,
        complexity: "O(N*K+M*log(M)) where N is the size of the smallest sorted set, K the number \
                     of them and M the size of the result",
        arity: -4,
        flags: flags![WRITE, DENYOOM, MOVABLEKEYS],
        acl: acl![WRITE, SORTEDSET, SLOW],
        keys: &[key_at(1, access![OW, UPDATE]), counted_keys(2, access![RO, ACCESS])],
        history: &[("8.8.0", "Redis: AGGREGATE COUNT")],
        args: &[
            key("destination", 0),
            integer("numkeys"),
            key("key", 1).multiple(),
            integer("weight").after("WEIGHTS").multiple().optional(),
            one_of(
                "aggregate",
                &[
                    token("sum", "SUM"),
                    token("min", "MIN"),
                    token("max", "MAX"),
                    token("count", "COUNT").since("8.8.0"),
                ],
            )
            .after("AGGREGATE")
            .optional(),
        ],
        ..Command::BLANK
    },
    Command {
        name: "zlexcount",
        summary: "Count the members of a sorted set within a range of names",
        since: "2.8.9",
        group: Group::SortedSet,
        complexity: "O(log(N)) where N is the size of the sorted set",
        arity: 4,
        flags: flags![READONLY, FAST],
        acl: acl![READ, SORTEDSET, FAST],
        keys: &[key_at(1, access![RO, ACCESS])],
        args: &[key("key", 0), string("min"), string("max")],
        ..Command::BLANK
    },
    Command {
        name: "zmpop",
        summary: "Take members with the lowest or highest scores from the first sorted set that \
                  has any",
        since: "7.0.0",
        group: Group::SortedSet,
        complexity: "O(K+M*log(N)) where K is the number of keys, N the size of the sorted set \
                     and M the number of members returned",
        arity: -4,
        flags: flags![WRITE, MOVABLEKEYS],
        acl: acl![WRITE, SORTEDSET, SLOW],
        keys: &[counted_keys(1, access![RW, ACCESS, DELETE])],
        args: &[
            integer("numkeys"),
            key("key", 0).multiple(),
            one_of("where", &[token("min", "MIN"), token("max", "MAX")]),
            integer("count").after("COUNT").optional(),
        ],
        ..Command::BLANK
    },
    Command {
        name: "zmscore",
        summary: "Tell the scores of several members",
        since: "6.2.0",
        group: Group::SortedSet,
        complexity: "O(N) where N is the number of members given",
        arity: -3,
        flags: flags![READONLY, FAST],
        acl: acl![READ, SORTEDSET, FAST],
        keys: &[key_at(1, access![RO, ACCESS])],
        args: &[key("key", 0), string("member").multiple()],
        ..Command::BLANK
    },
    Command {
        name: "zpopmax",
        summary: "Take the members with the highest scores out of a sorted set",
        since: "5.0.0",
        group: Group::SortedSet,
        complexity: "O(M*log(N)) where N is the size of the sorted set and M the number of \
                     members returned",
        arity: -2,
        flags: flags![WRITE, FAST],
        acl: acl![WRITE, SORTEDSET, FAST],
        keys: &[key_at(1, access![RW, ACCESS, DELETE])],
        args: &[key("key", 0), integer("count").optional()],
        ..Command::BLANK
    },
    Command {
        name: "zpopmin",
        summary: "Take the members with the lowest scores out of a sorted set",
        since: "5.0.0",
        group: Group::SortedSet,
        complexity: "O(M*log(N)) where N is the size of the sorted set and M the number of \
                     members returned",
        arity: -2,
        flags: flags![WRITE, FAST],
        acl: acl![WRITE, SORTEDSET, FAST],
        keys: &[key_at(1, access![RW, ACCESS, DELETE])],
        args: &[key("key", 0), integer("count").optional()],
        ..Command::BLANK
    },
    Command {
        name: "zrandmember",
        summary: "Pick members of a sorted set at random",
        since: "6.2.0",
        group: Group::SortedSet,
        complexity: "O(N) where N is the number of members returned",
        arity: -2,
        flags: flags![READONLY],
        acl: acl![READ, SORTEDSET, SLOW],
        keys: &[key_at(1, access![RO, ACCESS])],
        tips: &["nondeterministic_output"],
        args: &[
            key("key", 0),
            block("options", &[integer("count"), token("withscores", "WITHSCORES").optional()])
                .optional(),
        ],
        ..Command::BLANK
    },
    Command {
        name: "zrange",
        summary: "List the members of a sorted set within a range of ranks, scores or names",
        since: "1.2.0",
        group: Group::SortedSet,
        complexity: "O(log(N)+M) where N is the size of the sorted set and M the number of \
                     members returned",
        arity: -4,
        flags: flags![READONLY],
        acl: acl![READ, SORTEDSET, SLOW],
        keys: &[key_at(1, access![RO, ACCESS])],
        history: &[("6.2.0", "REV, BYSCORE, BYLEX and LIMIT")],
        args: &[
            key("key", 0),
            string("start"),
            string("stop"),
            one_of("sortby", &[token("byscore", "BYSCORE"), token("bylex", "BYLEX")])
                .since("6.2.0")
                .optional(),
            token("rev", "REV").since("6.2.0").optional(),
            block("limit", &[integer("offset"), integer("count")])
                .after("LIMIT")
                .since("6.2.0")
                .optional(),
            token("withscores", "WITHSCORES").optional(),
        ],
        ..Command::BLANK
    },
    Command {
        name: "zrangebylex",
        summary: "List the members of a sorted set within a range of names",
        since: "2.8.9",
        group: Group::SortedSet,
        complexity: "O(log(N)+M) where N is the size of the sorted set and M the number of \
                     members returned",
        arity: -4,
        flags: flags![READONLY],
        acl: acl![READ, SORTEDSET, SLOW],
        keys: &[key_at(1, access![RO, ACCESS])],
        args: &[
            key("key", 0),
            string("min"),
            string("max"),
            block("limit", &[integer("offset"), integer("count")]).after("LIMIT").optional(),
        ],
        ..Command::BLANK
    },
    Command {
        name: "zrangebyscore",
        summary: "List the members of a sorted set within a range of scores",
        since: "1.0.5",
        group: Group::SortedSet,
        complexity: "O(log(N)+M) where N is the size of the sorted set and M the number of \
                     members returned",
        arity: -4,
        flags: flags![READONLY],
        acl: acl![READ, SORTEDSET, SLOW],
        keys: &[key_at(1, access![RO, ACCESS])],
        history: &[("2.0.0", "WITHSCORES")],
        args: &[
            key("key", 0),
            double("min"),
            double("max"),
            token("withscores", "WITHSCORES").since("2.0.0").optional(),
            block("limit", &[integer("offset"), integer("count")]).after("LIMIT").optional(),
        ],
        ..Command::BLANK
    },
    Command {
        name: "zrangestore",
        summary: "Store the members of a sorted set within a range of ranks, scores or names",
        since: "6.2.0",
        group: Group::SortedSet,
        complexity: "O(log(N)+M) where N is the size of the sorted set and M the number of \
                     members stored",
        arity: -5,
        flags: flags![WRITE, DENYOOM],
        acl: acl![WRITE, SORTEDSET, SLOW],
        keys: &[key_at(1, access![OW, UPDATE]), key_at(2, access![RO, ACCESS])],
        args: &[
            key("dst", 0),
            key("src", 1),
            string("min"),
            string("max"),
            one_of("sortby", &[token("byscore", "BYSCORE"), token("bylex", "BYLEX")]).optional(),
            token("rev", "REV").optional(),
            block("limit", &[integer("offset"), integer("count")]).after("LIMIT").optional(),
        ],
        ..Command::BLANK
    },
    Command {
        name: "zrank",
        summary: "Tell the rank of a member, counted from the lowest score",
        since: "2.0.0",
        group: Group::SortedSet,
        complexity: "O(log(N)) where N is the size of the sorted set",
        arity: -3,
        flags: flags![READONLY, FAST],
        acl: acl![READ, SORTEDSET, FAST],
        keys: &[key_at(1, access![RO, ACCESS])],
        history: &[("7.2.0", "WITHSCORE")],
        args: &[key("key", 0), string("member"), token("withscore", "WITHSCORE").optional()],
        ..Command::BLANK
    },
    Command {
        name: "zrem",
        summary: "Remove members from a sorted set",
        since: "1.2.0",
        group: Group::SortedSet,
        complexity: "O(M*log(N)) where N is the size of the sorted set and M the number of \
                     members given",
        arity: -3,
        flags: flags![WRITE, FAST],
        acl: acl![WRITE, SORTEDSET, FAST],
        keys: &[key_at(1, access![RW, DELETE])],
        history: &[("2.4.0", "Several members at once")],
        args: &[key("key", 0), string("member").multiple()],
        ..Command::BLANK
    },
    Command {
        name: "zremrangebylex",
        summary: "Remove the members of a sorted set within a range of names",
        since: "2.8.9",
        group: Group::SortedSet,
        complexity: "O(log(N)+M) where N is the size of the sorted set and M the number of \
                     members removed",
        arity: 4,
        flags: flags![WRITE],
        acl: acl![WRITE, SORTEDSET, SLOW],
        keys: &[key_at(1, access![RW, DELETE])],
        args: &[key("key", 0), string("min"), string("max")],
        ..Command::BLANK
    },
    Command {
        name: "zremrangebyrank",
        summary: "Remove the members of a sorted set within a range of ranks",
        since: "2.0.0",
        group: Group::SortedSet,
        complexity: "O(log(N)+M) where N is the size of the sorted set and M the number of \
                     members removed",
        arity: 4,
        flags: flags![WRITE],
        acl: acl![WRITE, SORTEDSET, SLOW],
        keys: &[key_at(1, access![RW, DELETE])],
        args: &[key("key", 0), integer("start"), integer("stop")],
        ..Command::BLANK
    },
    Command {
        name: "zremrangebyscore",
        summary: "Remove the members of a sorted set within a range of scores",
        since: "1.2.0",
        group: Group::SortedSet,
        complexity: "O(log(N)+M) where N is the size of the sorted set and M the number of \
                     members removed",
        arity: 4,
        flags: flags![WRITE],
        acl: acl![WRITE, SORTEDSET, SLOW],
        keys: &[key_at(1, access![RW, DELETE])],
        args: &[key("key", 0), double("min"), double("max")],
        ..Command::BLANK
    },
    Command {
        name: "zrevrange",
        summary: "List the members of a sorted set within a range of ranks, highest score first",
        since: "1.2.0",
        group: Group::SortedSet,
        complexity: "O(log(N)+M) where N is the size of the sorted set and M the number of \
                     members returned",
        arity: -4,
        flags: flags![READONLY],
        acl: acl![READ, SORTEDSET, SLOW],
        keys: &[key_at(1, access![RO, ACCESS])],
        args: &[
            key("key", 0),
            integer("start"),
            integer("stop"),
            token("withscores", "WITHSCORES").optional(),
        ],
        ..Command::BLANK
    },
    Command {
        name: "zrevrangebylex",
        summary: "List the members of a sorted set within a range of names, last name first",
        since: "2.8.9",
        group: Group::SortedSet,
        complexity: "O(log(N)+M) where N is the size of the sorted set and M the number of \
                     members returned",
        arity: -4,
        flags: flags![READONLY],
        acl: acl![READ, SORTEDSET, SLOW],
        keys: &[key_at(1, access![RO, ACCESS])],
        args: &[
            key("key", 0),
            string("max"),
            string("min"),
            block("limit", &[integer("offset"), integer("count")]).after("LIMIT").optional(),
        ],
        ..Command::BLANK
    },
    Command {
        name: "zrevrangebyscore",
        summary: "List the members of a sorted set within a range of scores, highest score first",
        since: "2.2.0",
        group: Group::SortedSet,
        complexity: "O(log(N)+M) where N is the size of the sorted set and M the number of \
                     members returned",
        arity: -4,
        flags: flags![READONLY],
        acl: acl![READ, SORTEDSET, SLOW],
        keys: &[key_at(1, access![RO, ACCESS])],
        history: &[("2.1.6", "Bounds may be exclusive")],
        args: &[
            key("key", 0),
            double("max"),
            double("min"),
            token("withscores", "WITHSCORES").optional(),
            block("limit", &[integer("offset"), integer("count")]).after("LIMIT").optional(),
        ],
        ..Command::BLANK
    },
    Command {
        name: "zrevrank",
        summary: "Tell the rank of a member, counted from the highest score",
        since: "2.0.0",
        group: Group::SortedSet,
        complexity: "O(log(N)) where N is the size of the sorted set",
        arity: -3,
        flags: flags![READONLY, FAST],
        acl: acl![READ, SORTEDSET, FAST],
        keys: &[key_at(1, access![RO, ACCESS])],
        history: &[("7.2.0", "WITHSCORE")],
        args: &[key("key", 0), string("member"), token("withscore", "WITHSCORE").optional()],
        ..Command::BLANK
    },
    Command {
        name: "zscan",
        summary: "Walk over the members of a sorted set, some at a time",
        since: "2.8.0",
        group: Group::SortedSet,
        complexity: "O(1) a call, O(N) for a full walk where N is the number of members",
        arity: -3,
        flags: flags![READONLY],
        acl: acl![READ, SORTEDSET, SLOW],
        keys: &[key_at(1, access![RO, ACCESS])],
        tips: &["nondeterministic_output"],
        history: &[("8.0.0", "Valkey: NOSCORES")],
        args: &[
            key("key", 0),
            integer("cursor"),
            pattern("pattern").after("MATCH").optional(),
            integer("count").after("COUNT").optional(),
            token("noscores", "NOSCORES").optional(),
        ],
        ..Command::BLANK
    },
    Command {
        name: "zscore",
        summary: "Tell the score of a member",
        since: "1.2.0",
        group: Group::SortedSet,
        complexity: "O(1)",
        arity: 3,
        flags: flags![READONLY, FAST],
        acl: acl![READ, SORTEDSET, FAST],
        keys: &[key_at(1, access![RO, ACCESS])],
        args: &[key("key", 0), string("member")],
        ..Command::BLANK
    },
    Command {
        name: "zunion",
        summary: "List the members that any of the sorted sets has, their scores combined",
        since: "6.2.0",
        group: Group::SortedSet,
        complexity: "O(N+M*log(M)) where N is the size of all sorted sets and M the size of the \
                     result",
        arity: -3,
        flags: flags![READONLY, MOVABLEKEYS],
        acl: acl![READ, SORTEDSET, SLOW],
        keys: &[counted_keys(1, access![RO, ACCESS])],
        history: &[("8.8.0", "Redis: AGGREGATE COUNT")],
        args: &[
            integer("numkeys"),
            key("key", 0).multiple(),
            integer("weight").after("WEIGHTS").multiple().optional(),
            one_of(
                "aggregate",
                &[
                    token("sum", "SUM"),
                    token("min", "MIN"),
                    token("max", "MAX"),
                    token("count", "COUNT").since("8.8.0"),
                ],
            )
            .after("AGGREGATE")
            .optional(),
            token("withscores", "WITHSCORES").optional(),
        ],
        ..Command::BLANK
    },
    Command {
        name: "zunionstore",
        summary: "Store the members that any of the sorted sets has, their scores combined",
        since: "2.0.0",
        group: Group::SortedSet,
        complexity: "O(N+M*log(M)) where N is the size of all sorted sets and M the size of the \
                     result",
        arity: -4,
        flags: flags![WRITE, DENYOOM, MOVABLEKEYS],
        acl: acl![WRITE, SORTEDSET, SLOW],
        keys: &[key_at(1, access![OW, UPDATE]), counted_keys(2, access![RO, ACCESS])],
        history: &[("8.8.0", "Redis: AGGREGATE COUNT")],
        args: &[
            key("destination", 0),
            integer("numkeys"),
            key("key", 1).multiple(),
            integer("weight").after("WEIGHTS").multiple().optional(),
            one_of(
                "aggregate",
                &[
                    token("sum", "SUM"),
                    token("min", "MIN"),
                    token("max", "MAX"),
                    token("count", "COUNT").since("8.8.0"),
                ],
            )
            .after("AGGREGATE")
            .optional(),
        ],
        ..Command::BLANK
    },
];
