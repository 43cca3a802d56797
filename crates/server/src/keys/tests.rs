//! Tests of finding keys, command by command.

use super::*;

fn spec_of(name: &str) -> &'static Command {
    let is_it = |spec: &&'static Command| {
        let parent = spec.parent.map_or(String::new(), |parent| format!("{parent}|"));
        format!("{parent}{}", spec.name) == name
    };
    spec::command::iter().map(|(_, spec)| spec).find(is_it).expect("a command")
}

fn keys_of(name: &str, line: &str) -> Result<Vec<usize>, KeysError> {
    let argv: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
    let mut found = Vec::new();
    positions(spec_of(name), &argv, |at, _| found.push(at)).map(|()| found)
}

#[test]
fn keys_are_found_by_their_rules() {
    let cases: [(&str, &str, &[usize]); 11] = [
        ("get", "get k", &[1]),
        ("mset", "mset a 1 b 2 c 3", &[1, 3, 5]),
        ("mset", "mset a 1 b", &[1, 3]),
        ("del", "del a b c", &[1, 2, 3]),
        ("rename", "rename a b", &[1, 2]),
        ("blpop", "blpop a b 0", &[1, 2]),
        ("memory|usage", "memory usage k", &[2]),
        ("object|encoding", "object encoding k", &[2]),
        ("zunionstore", "zunionstore d 2 a b", &[1, 3, 4]),
        ("msetex", "msetex 2 a 1 b 2 nx", &[2, 4]),
        ("xread", "xread count 2 streams a b 0 0", &[4, 5]),
    ];
    for (name, line, expected) in cases {
        assert_eq!(keys_of(name, line).as_deref(), Ok(expected), "{line}");
    }
}

#[test]
fn the_last_option_with_a_key_counts() {
    let cases: [(&str, &str, &[usize]); 6] = [
        ("georadius", "georadius k 0 0 1 km", &[1]),
        ("georadius", "georadius k 0 0 1 km store a count 2 STORE b", &[1, 11]),
        ("georadius", "georadius k 0 0 1 km store a storedist b", &[1, 9]),
        ("georadius", "georadius k 0 0 1 km store storedist storedist b", &[1, 9]),
        ("georadius", "georadius k 0 0 1 km store", &[1]),
        ("georadiusbymember", "georadiusbymember k m 1 km count store store b", &[1, 8]),
    ];
    for (name, line, expected) in cases {
        assert_eq!(keys_of(name, line).as_deref(), Ok(expected), "{line}");
    }
}

#[test]
fn what_can_be_told_is_told_when_patterns_cannot() {
    let cases: [(&str, &[usize]); 4] = [
        ("sort k", &[1]),
        ("sort k by store limit 0 store store d desc", &[1, 8]),
        ("sort k store a get store store b", &[1, 7]),
        ("sort k limit 0 1 get x", &[1]),
    ];
    for (line, expected) in cases {
        let argv: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
        let mut found = Vec::new();
        let told = positions(spec_of("sort"), &argv, |at, _| found.push(at));
        assert_eq!((told, found.as_slice()), (Err(KeysError::Unknown), expected), "{line}");
    }
}

#[test]
fn counts_of_keys_must_fit() {
    let cases = [
        ("zunionstore", "zunionstore d 0 a"),
        ("zunionstore", "zunionstore d 3 a b"),
        ("zunionstore", "zunionstore d -1 a"),
        ("zunionstore", "zunionstore d x a"),
        ("zunionstore", "zunionstore d 9223372036854775807 a"),
        ("get", "get"),
    ];
    for (name, line) in cases {
        assert_eq!(keys_of(name, line), Err(KeysError::Invalid), "{line}");
    }
}

#[test]
fn some_commands_say_with_other_arguments_what_they_do() {
    let read = KeyFlags::RW | KeyFlags::ACCESS | KeyFlags::UPDATE;
    let cases = [
        ("set", "set k get", KeyFlags::OW | KeyFlags::UPDATE),
        ("set", "set k v GET", read),
        ("set", "set k v NX", KeyFlags::OW | KeyFlags::UPDATE),
        ("bitfield", "bitfield k GET u8 0", KeyFlags::RO | KeyFlags::ACCESS),
        ("bitfield", "bitfield k GET u8 0 incrby u8 0 1", read),
        ("bitfield", "bitfield k", KeyFlags::RO | KeyFlags::ACCESS),
        ("bitfield", "bitfield k GET u8", read),
        ("bitfield", "bitfield k OVERFLOW SAT GET u8 0", KeyFlags::RO | KeyFlags::ACCESS),
        ("bitfield", "bitfield k OVERFLOW", read),
        ("get", "get k", KeyFlags::RO | KeyFlags::ACCESS),
    ];
    for (name, line, expected) in cases {
        let argv: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
        let spec = spec_of(name);
        assert_eq!(actual_flags(spec.group, spec.keys[0].flags, &argv), expected, "{line}");
    }
}
