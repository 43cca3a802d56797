//! What is not compared: commands that are never sent, and differences that are meant.
//!
//! Each has its reason, and the reasons are printed in every summary.

use resp::number::parse_i64;

use super::generate::Argv;

/// Commands that are not sent, because no two servers could answer alike.
pub(super) struct LeftOut {
    pub(super) what: &'static str,
    pub(super) reason: &'static str,
    applies: fn(&Argv) -> bool,
}

/// A difference that is meant, or that is the peer's mistake.
pub(super) struct Known {
    pub(super) what: &'static str,
    pub(super) reason: &'static str,
    /// The datasets may differ from then on, so the epoch ends.
    pub(super) diverges: bool,
    applies: fn(&Answered<'_>) -> bool,
}

/// A command and both answers.
pub(super) struct Answered<'a> {
    pub(super) argv: &'a Argv,
    /// The commands in front of it, once they are few.
    pub(super) history: &'a [Argv],
    pub(super) ours: &'a [u8],
    pub(super) theirs: &'a [u8],
}

pub(super) const LEFT_OUT: &[LeftOut] = &[
    LeftOut {
        what: "SPOP that leaves something",
        reason: "the choice is random and the sets would differ from then on",
        applies: |argv| is(argv, "spop") && !is_whole_pop(argv),
    },
    LeftOut {
        what: "thousands of elements chosen with repetition",
        reason: "the count is only bounded by the memory",
        applies: |argv| {
            is_one_of(argv, &["srandmember", "hrandfield", "zrandmember"])
                && argv.get(2).and_then(|count| parse_i64(count)).is_some_and(|count| count < -1000)
        },
    },
    LeftOut {
        what: "XADD with the id *",
        reason: "the id is the time",
        applies: |argv| is(argv, "xadd") && argv[1..].iter().any(|arg| arg == b"*"),
    },
    LeftOut {
        what: "XREAD and XREADGROUP with BLOCK",
        reason: "waiting belongs to a test with two clients",
        applies: |argv| is_one_of(argv, &["xread", "xreadgroup"]) && has_word(argv, &["block"]),
    },
    LeftOut {
        what: "commands that wait, but for those that are refused",
        reason: "nobody would wake them, and the peer takes a tenth of a second to give up",
        applies: |argv| {
            let is_refused = |arg: Option<&Vec<u8>>| {
                arg.and_then(|arg| arg.first())
                    .is_none_or(|first| !b"0123456789.+ in".contains(first))
            };
            if is_one_of(argv, &["blmpop", "bzmpop"]) {
                return !is_refused(argv.get(1));
            }
            let last = ["blpop", "brpop", "blmove", "brpoplpush", "bzpopmin", "bzpopmax"];
            is_one_of(argv, &last) && !is_refused(argv.last())
        },
    },
    LeftOut {
        what: "deadlines within the next minutes",
        reason: "whether they have passed depends on how fast the commands run",
        applies: has_near_deadline,
    },
    LeftOut {
        what: "MSETEX with a deadline in the past",
        reason: "the keys are made and are gone at once; DBSIZE tells who has swept them already",
        applies: |argv| {
            let is_past = |word| behind(argv, word).is_some_and(|time| time < 1_000_000);
            is(argv, "msetex") && (is_past("exat") || is_past("pxat"))
        },
    },
    LeftOut {
        what: "GT and LT with a time from now on",
        reason: "a millisecond decides against a deadline that was set in the same way",
        applies: |argv| {
            is_one_of(argv, &["expire", "pexpire", "hexpire", "hpexpire"])
                && has_word(argv, &["gt", "lt"])
                && argv.get(2).and_then(|time| parse_i64(time)).is_some_and(|time| time > 0)
        },
    },
    LeftOut {
        what: "HELLO alone or with a version, COMMAND alone",
        reason: "the replies name the server and list what it has",
        applies: |argv| {
            let is_version = |arg: &Vec<u8>| arg == b"2" || arg == b"3";
            (is(argv, "hello") && argv.get(1).is_none_or(is_version))
                || (is(argv, "command") && argv.len() == 1)
        },
    },
    LeftOut {
        what: "ranges of names in sorted sets whose scores differ",
        reason: "they mean nothing, and the reply follows from how a set is searched",
        applies: has_meaningless_names,
    },
    LeftOut {
        what: "XGROUP with ENTRIESREAD above zero",
        reason: "ours takes no more than were ever added, as Redis 8 does; Valkey takes any number",
        applies: |argv| {
            is(argv, "xgroup") && behind(argv, "entriesread").is_some_and(|count| count > 0)
        },
    },
    LeftOut {
        what: "XAUTOCLAIM with millions as COUNT",
        reason: "the peer asks for that much memory at once, and may not get it",
        applies: |argv| {
            is(argv, "xautoclaim") && behind(argv, "count").is_some_and(|count| count > 1_000_000)
        },
    },
    LeftOut {
        what: "a hash whose key is the word FIELDS",
        reason: "the peer takes the key for the option",
        applies: |argv| argv.get(1).is_some_and(|key| key.eq_ignore_ascii_case(b"fields")),
    },
    LeftOut {
        what: "SORT that does not sort, of what may be a set, with LIMIT or STORE",
        reason: "the order is that of the set",
        applies: |argv| {
            is_unsorted(argv)
                && has_word(argv, &["limit", "store"])
                && argv.get(1).is_none_or(|key| key.first() != Some(&b'y'))
        },
    },
    LeftOut {
        what: "SORT by weights as texts with LIMIT or STORE",
        reason: "the order of equal weights follows from the way of sorting",
        applies: |argv| is_tied_sort(argv) && has_word(argv, &["limit", "store"]),
    },
];

pub(super) const KNOWN: &[Known] = &[
    Known {
        what: "a sorted set that was sorted",
        reason: "the peer turns it into its large form for SORT, and leaves it so",
        diverges: true,
        applies: |answered| {
            let is_sort = |argv: &Argv| is_one_of(argv, &["sort", "sort_ro"]);
            is_one_of(answered.argv, &["object", "zscan"]) && answered.history.iter().any(is_sort)
        },
    },
    Known {
        what: "places out of distances that STOREDIST stored",
        reason: "they lie in one cell, and the order of equal distances follows from the sorting",
        diverges: true,
        applies: |answered| {
            let stores = |argv: &Argv| has_word(argv, &["storedist"]);
            answered.argv[0].to_ascii_lowercase().starts_with(b"geo")
                && answered.history.iter().any(stores)
        },
    },
    Known {
        what: "listpack or hashtable, of a set that was made of a large one",
        reason: "the order in which members come out of a hash table decides, and is random",
        diverges: true,
        applies: |answered| {
            let is_store =
                |argv: &Argv| is_one_of(argv, &["sdiffstore", "sunionstore", "sinterstore"]);
            is(answered.argv, "object") && answered.history.iter().any(is_store)
        },
    },
    Known {
        what: "COMMAND GETKEYS with a number of keys that is no integer",
        reason: "the peer reads the digits in front",
        diverges: false,
        applies: |answered| {
            let looks_like_one = |arg: &Vec<u8>| {
                parse_i64(arg).is_none()
                    && arg.first().is_some_and(|&byte| b"+- 0123456789".contains(&byte))
            };
            is(answered.argv, "command")
                && answered.ours.starts_with(b"-ERR Invalid arguments")
                && answered.argv[2..].iter().any(looks_like_one)
        },
    },
    Known {
        what: "COMMAND GETKEYS SORT with a destination that is called STORE",
        reason: "the peer takes it for the option once more",
        diverges: false,
        applies: |answered| {
            let is_store = |arg: &Vec<u8>| arg.eq_ignore_ascii_case(b"store");
            is(answered.argv, "command")
                && answered.argv.windows(2).any(|pair| pair.iter().all(is_store))
        },
    },
    Known {
        what: "COMMAND GETKEYS of a command that ours does not have",
        reason: "as its name says",
        diverges: false,
        applies: |answered| {
            is(answered.argv, "command") && answered.ours == b"-ERR Invalid command specified\r\n"
        },
    },
    Known {
        what: "CLIENT SETINFO with a zero byte",
        reason: "the peer does not look behind it",
        diverges: false,
        applies: |answered| {
            is(answered.argv, "client") && answered.argv.iter().any(|arg| arg.contains(&0))
        },
    },
    Known {
        what: "commands that are not allowed within a transaction",
        reason: "ours refuses them in the words of Redis",
        diverges: false,
        applies: |answered| {
            answered.ours.starts_with(b"-ERR ")
                && answered.theirs.ends_with(b"not allowed inside a transaction\r\n")
        },
    },
    Known {
        what: "the script's name in an error",
        reason: "ours tells it as Redis and Valkey 8 do; Valkey 9.1 leaves it out",
        diverges: false,
        applies: |answered| unnamed(answered.ours) == answered.theirs,
    },
    Known {
        what: "NOSCRIPT",
        reason: "ours says what to do in the words of Redis; Valkey has fewer",
        diverges: false,
        applies: |answered| {
            [answered.ours, answered.theirs].iter().all(|reply| reply.starts_with(b"-NOSCRIPT"))
        },
    },
    Known {
        what: "a script's first line with quotes that are not closed",
        reason: "ours refuses it, Valkey 9 splits it in a way of its own",
        diverges: true,
        applies: |answered| answered.ours == b"-ERR Invalid engine in script shebang\r\n",
    },
    Known {
        what: "a zero byte in the error of a script",
        reason: "the peer's texts end there",
        diverges: false,
        applies: |answered| answered.ours.starts_with(b"-") && answered.ours.contains(&0),
    },
    Known {
        what: "commands that are not allowed in scripts",
        reason: "Valkey 9 puts its own name into the error",
        diverges: false,
        applies: |answered| {
            let ours = answered.ours.escape_ascii().to_string();
            let theirs = answered.theirs.escape_ascii().to_string();
            ours.contains("This Redis command is not allowed from script")
                && theirs.contains("This Valkey command is not allowed from script")
        },
    },
    Known {
        what: "a damaged HyperLogLog",
        reason: "ours looks at all of it, the peer at the part that it needs",
        diverges: true,
        applies: |answered| {
            answered.ours.starts_with(b"-INVALIDOBJ") || answered.theirs.starts_with(b"-INVALIDOBJ")
        },
    },
    Known {
        what: "the texts of HELP",
        reason: "they are our own",
        diverges: false,
        applies: |answered| {
            let is_array = |reply: &[u8]| reply.starts_with(b"*");
            has_word(answered.argv, &["help"])
                && is_array(answered.ours)
                && is_array(answered.theirs)
        },
    },
    Known {
        what: "OBJECT ENCODING of strings: raw, embstr",
        reason: "ours changes the word after 44 bytes as Redis does; Valkey looks at the key, too",
        diverges: false,
        applies: |answered| {
            let is_text =
                |reply: &[u8]| reply.ends_with(b"\nraw\r\n") || reply.ends_with(b"\nembstr\r\n");
            is(answered.argv, "object") && is_text(answered.ours) && is_text(answered.theirs)
        },
    },
    Known {
        what: "hexadecimal floating-point numbers",
        reason: "Redis reads them, and so do we; Valkey 9 refuses them",
        diverges: true,
        applies: |answered| {
            let has_one = |argv: &Argv| argv.iter().any(|arg| is_hexadecimal(arg));
            (answered.theirs.starts_with(b"-ERR") && has_one(answered.argv))
                || (is(answered.argv, "exec") && answered.history.iter().any(has_one))
        },
    },
    Known {
        what: "LSET and LINDEX with an index that does not fit 32 bits",
        reason: "the peer cuts it to 32 bits and finds an element that nobody asked for",
        diverges: true,
        applies: |answered| {
            let is_wide = |index: i64| i32::try_from(index).is_err();
            is_one_of(answered.argv, &["lset", "lindex"])
                && answered.argv.get(2).and_then(|index| parse_i64(index)).is_some_and(is_wide)
        },
    },
    Known {
        what: "ranges of sorted sets with a LIMIT that starts below zero",
        reason: "the reply is empty in Redis; Valkey counts from the other end in large sets",
        diverges: true,
        applies: |answered| {
            is_range(answered.argv) && behind(answered.argv, "limit").is_some_and(|at| at < 0)
        },
    },
    Known {
        what: "SORT of empty texts as numbers",
        reason: "Redis takes them for zero, and so do we; Valkey 9 refuses them",
        diverges: true,
        applies: |answered| {
            let refusal = b"-ERR One or more scores";
            is_one_of(answered.argv, &["sort", "sort_ro", "exec"])
                && answered.theirs.windows(refusal.len()).any(|part| part == refusal)
        },
    },
    Known {
        what: "the score -0",
        reason: "the peer loses the sign when a large set is copied, and keeps it otherwise",
        diverges: true,
        applies: |answered| {
            let name = answered.argv[0].to_ascii_lowercase();
            name.starts_with(b"z")
                && unsigned_zeros(answered.ours) == unsigned_zeros(answered.theirs)
        },
    },
];

/// An error of a script without the name of what failed.
fn unnamed(reply: &[u8]) -> Vec<u8> {
    let head = b" script: ";
    let Some(at) = reply.windows(head.len()).rposition(|part| part == head) else {
        return reply.to_vec();
    };
    let (before, rest) = reply.split_at(at + head.len());
    match rest.windows(2).position(|part| part == b", ") {
        Some(comma) => [before, &rest[comma + 2..]].concat(),
        None => reply.to_vec(),
    }
}

/// Whether the command is never sent.
pub(super) fn is_left_out(argv: &Argv) -> bool {
    argv.is_empty() || LEFT_OUT.iter().any(|row| (row.applies)(argv))
}

/// The row that explains a difference, by its index in [`KNOWN`].
pub(super) fn known(answered: &Answered<'_>) -> Option<usize> {
    KNOWN.iter().position(|row| (row.applies)(answered))
}

/// Whether the order of the reply follows from nothing but the way of sorting.
pub(super) fn is_tied_sort(argv: &Argv) -> bool {
    is_one_of(argv, &["sort", "sort_ro"]) && has_word(argv, &["by"]) && has_word(argv, &["alpha"])
}

/// Whether SORT has a pattern of which every element would have the same weight.
pub(super) fn is_unsorted(argv: &Argv) -> bool {
    is_one_of(argv, &["sort", "sort_ro"])
        && argv
            .windows(2)
            .any(|pair| pair[0].eq_ignore_ascii_case(b"by") && !pair[1].contains(&b'*'))
}

/// Whether the command has this name, in lower case.
fn is(argv: &Argv, name: &str) -> bool {
    argv.first().is_some_and(|first| first.eq_ignore_ascii_case(name.as_bytes()))
}

fn is_one_of(argv: &Argv, names: &[&str]) -> bool {
    names.iter().any(|name| is(argv, name))
}

fn has_word(argv: &Argv, words: &[&str]) -> bool {
    argv.iter().any(|arg| words.iter().any(|word| arg.eq_ignore_ascii_case(word.as_bytes())))
}

/// The integer behind the first such word.
fn behind(argv: &Argv, word: &str) -> Option<i64> {
    let at = argv.iter().position(|arg| arg.eq_ignore_ascii_case(word.as_bytes()))?;
    parse_i64(argv.get(at + 1)?)
}

fn is_range(argv: &Argv) -> bool {
    let name = argv[0].to_ascii_lowercase();
    name.starts_with(b"zrange") || name.starts_with(b"zrevrange")
}

fn is_lex_range(argv: &Argv) -> bool {
    is_one_of(argv, &["zlexcount", "zrangebylex", "zrevrangebylex", "zremrangebylex"])
        || (is_range(argv) && has_word(argv, &["bylex"]))
}

/// The keys whose names begin with `y` hold members of one score and nothing else.
fn has_meaningless_names(argv: &Argv) -> bool {
    let is_even = |key: &Vec<u8>| key.first() == Some(&b'y');
    if is_lex_range(argv) {
        let at = if is(argv, "zrangestore") { 2 } else { 1 };
        return argv.get(at).is_some_and(|key| !is_even(key));
    }
    if argv.get(1).is_some_and(is_even) && argv.len() > 2 {
        if is_one_of(argv, &["sort", "object"]) {
            return false;
        }
        return !is(argv, "zadd") || argv[2..].iter().step_by(2).any(|score| score != b"0");
    }
    false
}

/// Also as the limit of a range.
fn is_hexadecimal(arg: &[u8]) -> bool {
    let number = arg.strip_prefix(b"(").unwrap_or(arg);
    let digits = number.strip_prefix(b"-").or(number.strip_prefix(b"+")).unwrap_or(number);
    digits.len() > 2 && digits[..2].eq_ignore_ascii_case(b"0x")
}

/// The lines of a reply without the sign and the length of each zero.
fn unsigned_zeros(reply: &[u8]) -> Vec<&[u8]> {
    let lines = reply.split(|&byte| byte == b'\n');
    lines
        .map(|line| match line {
            b"-0\r" => &b"0\r"[..],
            b",-0\r" => b",0\r",
            b"$2\r" => b"$1\r",
            other => other,
        })
        .collect()
}

/// A count that no set of the tables reaches, or one that pops nothing.
fn is_whole_pop(argv: &Argv) -> bool {
    match argv.get(2).map(|count| parse_i64(count)) {
        Some(Some(count)) => count <= 0 || count >= 500,
        Some(None) => true,
        None => false,
    }
}

fn has_near_deadline(argv: &Argv) -> bool {
    let within = |arg: Option<&Vec<u8>>, limit: i64| {
        arg.and_then(|arg| parse_i64(arg)).is_some_and(|time| (1..limit).contains(&time))
    };
    let (near_ms, near_s) = (60_000, 60);
    if is_one_of(argv, &["pexpire", "psetex", "hpexpire"]) && within(argv.get(2), near_ms) {
        return true;
    }
    if is_one_of(argv, &["expire", "setex", "hexpire"]) && within(argv.get(2), near_s) {
        return true;
    }
    argv.windows(2).any(|pair| {
        (pair[0].eq_ignore_ascii_case(b"px") && within(pair.get(1), near_ms))
            || (pair[0].eq_ignore_ascii_case(b"ex") && within(pair.get(1), near_s))
    })
}

#[cfg(test)]
mod tests;
