//! The kinds of arguments: usual values, edges of ranges, and what no command accepts.
//!
//! Every kind is a function of the random source and of nothing else but a counter for the ids of
//! streams, so that a seed gives the same words everywhere and at any time.

use fastrand::Rng;

use super::programs;

/// Generates an argument.
pub(super) type Kind = fn(&mut Words) -> Vec<u8>;

/// What the kinds draw from.
pub(super) struct Words {
    pub(super) rng: Rng,
    /// Grows, so that most ids are larger than those before.
    next_id: u64,
}

const KINDS: &[(&str, Kind)] = &[
    ("str", |w| w.key(b's')),
    ("bit", |w| w.key(b'b')),
    ("hll", |w| w.key(b'p')),
    ("list", |w| w.key(b'l')),
    ("set", |w| w.key(b'e')),
    ("hash", |w| w.key(b'h')),
    ("zset", |w| w.key(b'z')),
    ("lexset", |w| if w.chance(95) { vec![b'y', b'0' + w.rng.u8(0..3)] } else { b"none".to_vec() }),
    ("geo", |w| w.key(b'g')),
    ("stream", |w| w.key(b'x')),
    ("key", Words::any_key),
    ("value", Words::value),
    ("elem", Words::element),
    ("member", Words::element),
    ("field", Words::field),
    ("int", Words::int),
    ("count", |w| w.near(0, 8)),
    ("pos", |w| w.near(1, 6)),
    ("index", |w| w.near(-6, 7)),
    ("bound", Words::bound),
    ("lex", Words::lex),
    ("float", Words::float),
    ("offset", Words::offset),
    ("bitoffset", |w| w.usual_or(Words::small_bit, Words::offset)),
    ("bftype", Words::bitfield_type),
    ("bfoffset", Words::bitfield_offset),
    ("ttl", |w| w.time(&["100", "1000", "86400", "2147483648"])),
    ("pttl", |w| w.time(&["100000", "1000000", "86400000", "99999999999"])),
    ("unix", |w| w.time(&["4000000000", "4000000001", "9999999999", "1"])),
    ("unixms", |w| w.time(&["4000000000000", "4000000001000", "9999999999999", "1"])),
    ("pattern", |w| w.pick(PATTERNS)),
    ("id", Words::id),
    ("addid", Words::growing_id),
    ("rangeid", |w| w.usual_or(Words::id, |w| w.pick(RANGE_IDS))),
    ("group", |w| w.pick(&["g1", "g1", "g2", ""])),
    ("consumer", |w| w.pick(&["c1", "c1", "c2", "c3", ""])),
    ("idle", |w| w.pick(&["0", "0", "0", "9999999999", "-1", "x"])),
    ("lon", |w| w.coordinate(180)),
    ("lat", |w| w.coordinate(85)),
    ("distance", |w| w.usual_or(Words::distance, Words::float)),
    ("unit", |w| w.pick(&["m", "km", "km", "ft", "mi", "KM", "yd"])),
    ("db", |w| w.pick(&["0", "0", "1", "1", "-1", "16", "x", "99999999999999999999"])),
    ("program", |w| programs::program(&mut w.rng)),
    ("library", |w| programs::library(&mut w.rng)),
    ("digest", |w| w.pick(DIGESTS)),
    ("junk", Words::junk),
];

/// Of no script, of the empty one, and what is no digest.
const DIGESTS: &[&str] = &[
    "0123456789abcdef0123456789abcdef01234567",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "DA39A3EE5E6B4B0D3255BFEF95601890AFD80709",
    "short",
    "",
];

const EDGE_INTS: &[&str] = &[
    "0",
    "-0",
    "+1",
    "01",
    " 1",
    "1 ",
    "",
    "x",
    "1.0",
    "1e3",
    "-1",
    "-2",
    "127",
    "128",
    "255",
    "256",
    "-128",
    "32767",
    "65536",
    "2147483647",
    "2147483648",
    "-2147483648",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "-9223372036854775809",
    "18446744073709551616",
    "9223372036854775806",
    "1000000",
];

const EDGE_FLOATS: &[&str] = &[
    "inf",
    "-inf",
    "+inf",
    "Infinity",
    "-infinity",
    "nan",
    "-nan",
    "0",
    "-0",
    "0.0",
    "-0.0",
    "1e5",
    "1E-5",
    "1e308",
    "1e309",
    "-1e309",
    "1e-320",
    "5e-324",
    "4.9e-325",
    "0x10",
    "0x1p3",
    "0x",
    ".5",
    "5.",
    ".",
    "",
    " 1",
    "1 ",
    "1,5",
    "1e",
    "3.0",
    "3.00000000000000000001",
    "0.1",
    "0.30000000000000004",
    "1.7976931348623157e308",
    "123456789012345678",
    "17179869184.5",
    "9007199254740993",
    "9223372036854775807",
    "1e17",
    "1e21",
    "1e-7",
    "100000000000000000000",
    "x",
    "1x",
];

const PATTERNS: &[&str] = &[
    "*", "*", "?", "l*", "[a-f]*", "[^a]*", "[b-", "\\*", "h?llo", "*1", "", "x[0-2]", "**",
    "a*b*c", "[z-a]*", "[]", "e\\", "*[0-9]",
];

const BOUNDS: &[&str] =
    &["-inf", "+inf", "-inf", "+inf", "(-inf", "(inf", "(", "", "(nan", "nan", "((1", "[1", "( 1"];

const LEX: &[&str] =
    &["-", "+", "-", "+", "[", "(", "", "a", "[a", "(a", "[\u{ff}", "(zz", "--", "[+"];

const RANGE_IDS: &[&str] = &["-", "+", "-", "+", "(-", "(+", "(5", "(7-1", "(", "$", "*", "-1"];

const EDGE_IDS: &[&str] = &[
    "0-0",
    "0-1",
    "0",
    "18446744073709551615-18446744073709551615",
    "18446744073709551615",
    "18446744073709551616-0",
    "5-",
    "-5",
    "5-*",
    "x",
    "",
    "5-5-5",
    "01-01",
    "+5-1",
    "7-18446744073709551615",
];

const BITFIELD_TYPES: &[&str] = &[
    "u1", "u8", "i8", "u5", "i16", "u32", "i64", "u63", "u64", "i65", "i0", "u0", "8", "x8", "u",
    "U8", "u08",
];

const BITFIELD_OFFSETS: &[&str] =
    &["#0", "#1", "#7", "#", "#-1", "#x", "-1", "#99999999999999999999"];

const FAMILIES: &[u8] = b"sbplehzgx";

/// The kind of this name.
pub(super) fn kind(name: &str) -> Option<Kind> {
    KINDS.iter().find(|row| row.0 == name).map(|row| row.1)
}

impl Words {
    pub(super) fn new(rng: Rng) -> Words {
        Words { rng, next_id: 1 }
    }

    /// True in this many of a hundred cases.
    pub(super) fn chance(&mut self, percent: u8) -> bool {
        self.rng.u8(0..100) < percent
    }

    /// A key of the family most of the time; else one that has another type, none, or a name that
    /// is seldom seen.
    fn key(&mut self, family: u8) -> Vec<u8> {
        match self.rng.u8(0..100) {
            0..88 => vec![family, b'0' + self.rng.u8(0..4)],
            88..96 => self.any_key(),
            96..98 => b"none".to_vec(),
            98 => b"\x00\xff\r\n k".to_vec(),
            _ => Vec::new(),
        }
    }

    fn any_key(&mut self) -> Vec<u8> {
        let family = FAMILIES[self.rng.usize(0..FAMILIES.len())];
        vec![family, b'0' + self.rng.u8(0..4)]
    }

    fn pick(&mut self, list: &[&str]) -> Vec<u8> {
        list[self.rng.usize(0..list.len())].as_bytes().to_vec()
    }

    fn usual_or(&mut self, usual: Kind, rare: Kind) -> Vec<u8> {
        if self.chance(85) { usual(self) } else { rare(self) }
    }

    fn near(&mut self, low: i64, high: i64) -> Vec<u8> {
        if self.chance(92) {
            return self.rng.i64(low..high).to_string().into_bytes();
        }
        self.pick(EDGE_INTS)
    }

    fn int(&mut self) -> Vec<u8> {
        match self.rng.u8(0..10) {
            0..5 => self.rng.i64(-20..100).to_string().into_bytes(),
            5..7 => self.rng.i64(i64::MIN..=i64::MAX).to_string().into_bytes(),
            _ => self.pick(EDGE_INTS),
        }
    }

    fn float(&mut self) -> Vec<u8> {
        match self.rng.u8(0..10) {
            0..4 => self.rng.i64(-9..20).to_string().into_bytes(),
            4..6 => format!("{}", f64::from(self.rng.i32(-400..4000)) / 8.0).into_bytes(),
            6 => format!("{}", self.rng.f64() * 1000.0).into_bytes(),
            7 => format!("{:e}", f64::from_bits(self.rng.u64(..))).into_bytes(),
            _ => self.pick(EDGE_FLOATS),
        }
    }

    /// A score as a limit of a range.
    fn bound(&mut self) -> Vec<u8> {
        match self.rng.u8(0..10) {
            0..4 => self.float(),
            4..6 => [b"(".to_vec(), self.float()].concat(),
            _ => self.pick(BOUNDS),
        }
    }

    fn lex(&mut self) -> Vec<u8> {
        match self.rng.u8(0..10) {
            0..3 => [b"[".to_vec(), self.element()].concat(),
            3..6 => [b"(".to_vec(), self.element()].concat(),
            _ => self.pick(LEX),
        }
    }

    /// Numbers, short and long texts, bytes, and lengths on both sides of the thresholds.
    fn value(&mut self) -> Vec<u8> {
        match self.rng.u8(0..20) {
            0..5 => self.int(),
            5..8 => self.float(),
            8..14 => self.element(),
            14..17 => {
                const LENGTHS: &[usize] =
                    &[7, 8, 9, 43, 44, 45, 63, 64, 65, 127, 128, 253, 254, 300];
                let length = LENGTHS[self.rng.usize(0..LENGTHS.len())];
                let byte = b'a' + self.rng.u8(0..3);
                vec![byte; length]
            }
            17 => (0..self.rng.usize(0..20)).map(|_| self.rng.u8(..)).collect(),
            18 if self.chance(10) => vec![b'v'; self.rng.usize(4000..9000)],
            _ => self.field(),
        }
    }

    /// Few enough that they meet again.
    fn element(&mut self) -> Vec<u8> {
        match self.rng.u8(0..20) {
            0..6 => self.rng.u8(0..40).to_string().into_bytes(),
            6..13 => vec![b'a' + self.rng.u8(0..12)],
            13 => self.pick(EDGE_INTS),
            14 => (b'a'..b'a' + self.rng.u8(1..20)).collect(),
            15 => vec![b'm'; self.rng.usize(7..10)],
            16 => vec![b'n'; self.rng.usize(62..68)],
            17 => [b"w", self.rng.u16(0..300).to_string().as_bytes()].concat(),
            18 => vec![self.rng.u8(..), self.rng.u8(..)],
            _ => self.rng.i32(-70000..70000).to_string().into_bytes(),
        }
    }

    fn field(&mut self) -> Vec<u8> {
        match self.rng.u8(0..20) {
            0..16 => vec![b'f', b'0' + self.rng.u8(0..9)],
            16 => vec![b'f'; self.rng.usize(62..68)],
            _ => self.element(),
        }
    }

    fn small_bit(&mut self) -> Vec<u8> {
        self.rng.u16(0..200).to_string().into_bytes()
    }

    fn offset(&mut self) -> Vec<u8> {
        match self.rng.u8(0..20) {
            0..15 => self.rng.u8(0..40).to_string().into_bytes(),
            15..19 => self.pick(EDGE_INTS),
            _ => self.rng.u32(0..70_000).to_string().into_bytes(),
        }
    }

    fn bitfield_type(&mut self) -> Vec<u8> {
        if self.chance(25) {
            return self.pick(BITFIELD_TYPES);
        }
        let sign = if self.rng.bool() { 'u' } else { 'i' };
        format!("{sign}{}", self.rng.u8(1..64)).into_bytes()
    }

    fn bitfield_offset(&mut self) -> Vec<u8> {
        if self.chance(75) { self.small_bit() } else { self.pick(BITFIELD_OFFSETS) }
    }

    /// A time that does not come, or came long ago, while the commands run.
    fn time(&mut self, usual: &[&str]) -> Vec<u8> {
        if self.chance(90) {
            return self.pick(usual);
        }
        self.pick(&[
            "0",
            "-1",
            "x",
            "",
            "1.5",
            "9223372036854775807",
            "-9223372036854775808",
            "9223372036854775",
            "99999999999999999999",
            "9223372036854775000",
        ])
    }

    fn id(&mut self) -> Vec<u8> {
        if self.chance(8) {
            return self.pick(EDGE_IDS);
        }
        let ms = self.rng.u64(0..self.next_id + 2);
        if self.rng.bool() {
            return ms.to_string().into_bytes();
        }
        format!("{ms}-{}", self.rng.u8(0..3)).into_bytes()
    }

    fn growing_id(&mut self) -> Vec<u8> {
        match self.rng.u8(0..20) {
            0 => self.id(),
            1..3 => format!("{}-*", self.next_id).into_bytes(),
            _ => {
                self.next_id += self.rng.u64(0..2);
                format!("{}-{}", self.next_id, self.rng.u8(0..4)).into_bytes()
            }
        }
    }

    /// Degrees, most of them so near to each other that searches find something.
    fn coordinate(&mut self, limit: i32) -> Vec<u8> {
        match self.rng.u8(0..20) {
            0..13 => format!("{:.4}", 13.0 + self.rng.f64() * 4.0).into_bytes(),
            13..18 => {
                let degrees = f64::from(self.rng.i32(-limit..limit)) + self.rng.f64();
                format!("{degrees}").into_bytes()
            }
            18 => self.pick(&["180", "-180", "85.05112878", "-85.05112878", "0", "90", "180.1"]),
            _ => self.float(),
        }
    }

    fn distance(&mut self) -> Vec<u8> {
        self.rng.u32(0..500).to_string().into_bytes()
    }

    /// What a user did not mean.
    fn junk(&mut self) -> Vec<u8> {
        match self.rng.u8(0..6) {
            0 => self.pick(EDGE_INTS),
            1 => self.pick(EDGE_FLOATS),
            2 => (0..self.rng.usize(0..12)).map(|_| self.rng.u8(..)).collect(),
            3 => self.pick(&[
                "NX",
                "XX",
                "GT",
                "LT",
                "CH",
                "INCR",
                "GET",
                "COUNT",
                "LIMIT",
                "WITHSCORES",
            ]),
            4 => self
                .pick(&["FIELDS", "STORE", "REV", "BYSCORE", "BYLEX", "ANY", "MATCH", "KEEPTTL"]),
            _ => self.value(),
        }
    }
}
