//! The commands of HyperLogLog counters.

use super::rows::{Command, DocFlags, Group, access, acl, flags, key, key_at, keys_from, string};

pub(super) static ROWS: &[Command] = &[
    Command {
        name: "pfadd",
        summary: "Count elements into a HyperLogLog",
        since: "2.8.9",
        group: Group::HyperLogLog,
        complexity: "O(N) where N is the number of elements",
        arity: -2,
        flags: flags![WRITE, DENYOOM, FAST],
        acl: acl![WRITE, HYPERLOGLOG, FAST],
        keys: &[key_at(1, access![RW, INSERT])],
        args: &[key("key", 0), string("element").multiple().optional()],
        ..Command::BLANK
    },
    Command {
        name: "pfcount",
        summary: "Estimate how many different elements were counted into HyperLogLogs",
        since: "2.8.9",
        group: Group::HyperLogLog,
        complexity: "O(1) for one key, O(N) for several where N is the number of keys",
        arity: -2,
        flags: flags![READONLY, MAY_REPLICATE],
        acl: acl![READ, HYPERLOGLOG, SLOW],
        keys: &[keys_from(1, -1, 1, access![RW, ACCESS])
            .noting("Counting may store the result in the value")],
        args: &[key("key", 0).multiple()],
        ..Command::BLANK
    },
    Command {
        name: "pfdebug",
        summary: "Look at the inside of a HyperLogLog, for tests",
        since: "2.8.9",
        group: Group::HyperLogLog,
        arity: 3,
        flags: flags![WRITE, DENYOOM, ADMIN],
        acl: acl![WRITE, HYPERLOGLOG, ADMIN, SLOW, DANGEROUS],
        keys: &[key_at(2, access![RW, ACCESS])],
        args: &[string("subcommand"), key("key", 0)],
        doc_flags: DocFlags::SYSCMD,
        ..Command::BLANK
    },
    Command {
        name: "pfmerge",
        summary: "Merge HyperLogLogs into one",
        since: "2.8.9",
        group: Group::HyperLogLog,
        complexity: "O(N) where N is the number of keys",
        arity: -2,
        flags: flags![WRITE, DENYOOM],
        acl: acl![WRITE, HYPERLOGLOG, SLOW],
        keys: &[key_at(1, access![RW, ACCESS, INSERT]), keys_from(2, -1, 1, access![RO, ACCESS])],
        args: &[key("destkey", 0), key("sourcekey", 1).multiple().optional()],
        ..Command::BLANK
    },
    Command {
        name: "pfselftest",
        summary: "Test the implementation of HyperLogLog",
        since: "2.8.9",
        group: Group::HyperLogLog,
        arity: 1,
        flags: flags![ADMIN],
        acl: acl![HYPERLOGLOG, ADMIN, SLOW, DANGEROUS],
        doc_flags: DocFlags::SYSCMD,
        ..Command::BLANK
    },
];
