//! Values that real servers dumped (`dumps.txt`: a name, then the reply of DUMP in hexadecimal):
//! they are read as what was stored, and written back as the same bytes.

use std::collections::BTreeMap;

use value::compact::lzf::decompress;
use value::compact::{Element, Intset, Listpack};

const DUMPS: &str = include_str!("dumps.txt");

const NUMBERS: [i64; 23] = [
    0,
    1,
    127,
    128,
    -1,
    4095,
    4096,
    -4096,
    -4097,
    32_767,
    32_768,
    -32_768,
    -32_769,
    8_388_607,
    8_388_608,
    -8_388_608,
    -8_388_609,
    2_147_483_647,
    2_147_483_648,
    -2_147_483_648,
    -2_147_483_649,
    i64::MAX,
    i64::MIN,
];

fn dumps() -> BTreeMap<&'static str, Vec<u8>> {
    let mut dumps = BTreeMap::new();
    let mut name = "";
    for line in DUMPS.lines() {
        let Some(hex) = line.strip_prefix("  ") else {
            name = line;
            continue;
        };
        let bytes = (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16));
        dumps.entry(name).or_insert_with(Vec::new).extend(bytes.map(Result::unwrap));
    }
    dumps
}

/// As much of the format of a dump as the samples use.
struct Payload {
    rest: Vec<u8>,
}

impl Payload {
    fn of(name: &str, kind: u8) -> Payload {
        let dump = &dumps()[name];
        assert_eq!(dump[0], kind, "{name}");
        Payload { rest: dump[1..dump.len() - 10].to_vec() }
    }

    fn take(&mut self, len: usize) -> Vec<u8> {
        self.rest.drain(..len).collect()
    }

    fn length(&mut self) -> usize {
        let first = self.take(1)[0];
        match first >> 6 {
            0 => usize::from(first),
            1 => usize::from(first & 0x3F) << 8 | usize::from(self.take(1)[0]),
            2 => u32::from_be_bytes(self.take(4).try_into().expect("four bytes")) as usize,
            _ => panic!("not a length"),
        }
    }

    fn string(&mut self) -> Vec<u8> {
        if self.rest[0] != 0xC3 {
            let len = self.length();
            return self.take(len);
        }
        self.take(1);
        let (packed, len) = (self.length(), self.length());
        let mut out = Vec::new();
        decompress(&self.take(packed), len, &mut out).expect("a sample");
        out
    }

    fn listpack(&mut self) -> Listpack {
        let blob = self.string();
        let pack = Listpack::from_bytes(&blob).expect("a sample");
        assert_eq!(pack.as_bytes(), blob, "a real server's bytes stay as they are");
        let again = Listpack::of(&pack.iter().map(|(_, element)| element).collect::<Vec<_>>());
        assert_eq!(again.as_bytes(), blob, "and are what is written here");
        pack
    }

    /// The listpacks of a list's nodes, each behind a 2 for "packed".
    fn nodes(&mut self) -> Vec<Listpack> {
        let count = self.length();
        let node = |_| {
            assert_eq!(self.length(), 2);
            self.listpack()
        };
        (0..count).map(node).collect()
    }

    fn end(self) {
        assert!(self.rest.is_empty());
    }
}

fn texts(pack: &Listpack) -> Vec<String> {
    let text = |element: Element<'_>| {
        let mut out = Vec::new();
        element.write_to(&mut out);
        String::from_utf8(out).expect("samples are text")
    };
    pack.iter().map(|(_, element)| text(element)).collect()
}

fn only_listpack(name: &str, kind: u8) -> Vec<String> {
    let mut payload = Payload::of(name, kind);
    let pack = payload.listpack();
    payload.end();
    texts(&pack)
}

#[test]
fn lists() {
    let strings = ["", "a", "-0", "007", "+1", "9223372036854775808"].map(String::from);
    let long = ["x".repeat(63), "x".repeat(64), "y".repeat(100)];
    let numbers = NUMBERS.map(|value| value.to_string());
    let all = |name: &str| -> Vec<String> {
        let mut payload = Payload::of(name, 18);
        let nodes = payload.nodes();
        payload.end();
        nodes.iter().flat_map(texts).collect()
    };
    let expected: Vec<_> = [&numbers[..], &strings, &long].concat();
    assert_eq!(all("redis-7.0.15 list numbers and strings"), expected);
    assert_eq!(all("valkey-9.1.2 list"), [&numbers[..], &["a".to_owned()]].concat());
    let items = |count| (1..=count).map(|number| format!("item:{number:04}")).collect::<Vec<_>>();
    assert_eq!(all("redis-7.0.15 list of three nodes"), items(300));
    assert_eq!(all("redis-7.0.15 list with a compressed middle"), items(400));
}

#[test]
fn hashes() {
    let field = |number: i64| [format!("field:{number:02}"), (number.pow(3) - 50).to_string()];
    let expected: Vec<_> = (1..=20).flat_map(field).collect();
    assert_eq!(only_listpack("redis-7.0.15 hash", 16), expected);
    let long = only_listpack("redis-7.0.15 hash of long strings", 16);
    let lengths: Vec<_> = long.iter().map(String::len).collect();
    assert_eq!(lengths, [4, 4095, 6, 4096, 4, 16_377]);
}

/// The two families of servers write the largest length of a width differently; both are read.
#[test]
fn a_length_that_fills_its_width() {
    let name = "valkey-9.1.2 hash at the width of a length";
    let new = only_listpack(name, 16);
    assert_eq!(new, ["back".to_owned(), "z".repeat(16_378)]);
    let blob = Payload::of("redis-7.0.15 hash at the width of a length", 16).string();
    assert_eq!(texts(&Listpack::from_bytes(&blob).unwrap()), new);
    assert_eq!(blob.len(), Payload::of(name, 16).string().len() + 1);
}

#[test]
fn sets_and_sorted_sets() {
    let expected = ["least", "-inf", "one", "1", "two and a half", "2.5", "17", "3"];
    assert_eq!(only_listpack("redis-7.0.15 zset", 17), expected);
    assert_eq!(only_listpack("valkey-9.1.2 set", 20), ["a", "b", "17", "-3"]);
}

#[test]
fn sets_of_numbers() {
    let cases: [(&str, &[i64]); 3] = [
        ("two", &[-5, 1, 300]),
        ("four", &[-5, 1, 70_000]),
        ("eight", &[i64::MIN, -5, 1, 1 << 40]),
    ];
    for (width, expected) in cases {
        let mut payload = Payload::of(&format!("redis-7.0.15 set of {width} bytes"), 11);
        let blob = payload.string();
        payload.end();
        let set = Intset::from_bytes(&blob).unwrap();
        assert_eq!(set.iter().collect::<Vec<_>>(), expected);
        let mut again = Intset::new();
        for value in expected.iter().rev() {
            assert!(again.insert(*value));
        }
        assert_eq!((set.as_bytes(), &set), (&blob[..], &again));
    }
}
