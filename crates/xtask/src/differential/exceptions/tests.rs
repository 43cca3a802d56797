//! Which commands are never sent, and which differences are meant.

use super::*;

fn argv(line: &str) -> Argv {
    line.split(' ').map(|word| word.as_bytes().to_vec()).collect()
}

#[test]
fn what_two_servers_cannot_agree_on_is_left_out() {
    let cases = [
        ("SPOP e0", true),
        ("spop e0 3", true),
        ("SPOP e0 1000", false),
        ("SPOP e0 x", false),
        ("XADD x0 * f v", true),
        ("XADD x0 5-* f v", false),
        ("XREAD BLOCK 0 STREAMS x0 $", true),
        ("SET s0 v PX 20", true),
        ("SET s0 v PX 100000", false),
        ("SET s0 v EX 20", true),
        ("EXPIRE s0 100 GT", true),
        ("EXPIREAT s0 4000000000 GT", false),
        ("PEXPIRE s0 20", true),
        ("HELLO", true),
        ("HELLO x", false),
        ("SRANDMEMBER e0 -2147483648", true),
        ("ZLEXCOUNT z0 - +", true),
        ("ZLEXCOUNT y0 - +", false),
        ("BLPOP l0 0", true),
        ("BLPOP l0 -1", false),
        ("BLMPOP 1 1 l0 LEFT", true),
        ("ZADD y0 0 a 0 b", false),
        ("ZADD y0 0 a 1 b", true),
        ("SORT l0 BY w_* ALPHA LIMIT 0 1", true),
        ("SORT l0 BY w_* LIMIT 0 1", false),
    ];
    for (line, expected) in cases {
        assert_eq!(is_left_out(&argv(line)), expected, "{line}");
    }
}

#[test]
fn a_known_difference_is_known_by_what_it_looks_like() {
    let cases: &[(&str, &str, &str, bool)] = &[
        ("ZADD z0 0x10 a", ":1\r\n", "-ERR value is not a valid float\r\n", true),
        ("ZADD z0 16 a", ":1\r\n", "-ERR value is not a valid float\r\n", false),
        ("OBJECT ENCODING s0", "$3\r\nraw\r\n", "$6\r\nembstr\r\n", true),
        ("OBJECT ENCODING s0", "$3\r\nint\r\n", "$6\r\nembstr\r\n", false),
        ("ZSCORE z0 a", "$2\r\n-0\r\n", "$1\r\n0\r\n", true),
        ("ZSCORE z0 a", "$2\r\n-1\r\n", "$1\r\n1\r\n", false),
        ("LSET l0 4294967296 a", "-ERR index out of range\r\n", "+OK\r\n", true),
        ("LSET l0 4 a", "-ERR index out of range\r\n", "+OK\r\n", false),
        ("PFADD p0 a", "-INVALIDOBJ Corrupted HLL object detected\r\n", ":1\r\n", true),
    ];
    for (line, ours, theirs, expected) in cases {
        let argv = argv(line);
        let (ours, theirs) = (ours.as_bytes(), theirs.as_bytes());
        let answered = Answered { argv: &argv, history: &[], ours, theirs };
        assert_eq!(known(&answered).is_some(), *expected, "{line}");
    }
}
