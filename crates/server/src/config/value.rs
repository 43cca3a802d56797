//! A directive's value: read from words, shown by CONFIG GET, written into a file.
//!
//! The error texts and the shown forms are those that clients know. Knows nothing of files,
//! commands or who asks.

use std::net::{Ipv4Addr, Ipv6Addr};

use resp::inline;
use spec::config::{Check, Choices, Directive, EVENT_CLASSES, EVENTS_ALL, EVENTS_NAME, Id, Kind};

use super::{dir, number, title};

const ADDRESSES_MAX: usize = 16;
const HASH_SEED_MAX: usize = 256;
const HOST_NAME_END: usize = 256;
const IP_TEXT_END: usize = 46;
const CLIENT_CLASSES: [&str; 3] = ["normal", "slave", "pubsub"];
const BUFFER_LIMITS: [BufferLimit; 3] = [
    BufferLimit { hard: 0, soft: 0, soft_seconds: 0 },
    BufferLimit { hard: 256 << 20, soft: 64 << 20, soft_seconds: 60 },
    BufferLimit { hard: 32 << 20, soft: 8 << 20, soft_seconds: 60 },
];
const OOM_SCORES: [i32; 3] = [0, 200, 800];
const PERCENTILES: [f64; 3] = [50.0, 99.0, 99.9];
const SAVE_POINTS: [SavePoint; 3] = [
    SavePoint { seconds: 3600, changes: 1 },
    SavePoint { seconds: 300, changes: 100 },
    SavePoint { seconds: 60, changes: 10_000 },
];

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// Of a directive that keeps nothing.
    None,
    Bool(bool),
    Int(i64),
    Memory(u64),
    Limit(MemoryLimit),
    /// The number of a word, or the bits of several.
    Choice(u32),
    Text(Option<Vec<u8>>),
    Save(Vec<SavePoint>),
    Buffers([BufferLimit; 3]),
    Scores([i32; 3]),
    Events(u32),
    Words(Vec<Vec<u8>>),
    Primary(Option<Primary>),
    Percentiles(Vec<f64>),
}

/// Save when `changes` have happened and `seconds` have passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SavePoint {
    pub seconds: i64,
    pub changes: i64,
}

/// When a client's unsent replies close it, in bytes; 0 is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BufferLimit {
    /// Closed at once above this.
    pub hard: u64,
    /// Closed when above this for `soft_seconds` on end.
    pub soft: u64,
    pub soft_seconds: i64,
}

/// A bound on memory: bytes, or a percentage of `maxmemory`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryLimit {
    Bytes(u64),
    Percent(u8),
}

/// Where `replicaof` points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Primary {
    pub host: Vec<u8>,
    pub port: u16,
}

/// What `save` starts from when it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Save {
    /// The words are the whole list.
    Replace,
    /// Further lines of one configuration add to the list.
    Extend,
}

impl Value {
    /// The value before anything is set. The working directory stands for `dir`.
    pub(super) fn initial(kind: &Kind) -> Value {
        match *kind {
            Kind::Bool { default } => Value::Bool(default),
            Kind::Int { default, .. }
            | Kind::SignedMemory { default, .. }
            | Kind::Octal { default, .. } => Value::Int(default),
            Kind::Memory { default, .. } => Value::Memory(default),
            Kind::MemoryOrPercent => Value::Limit(MemoryLimit::Bytes(0)),
            Kind::Choice { choices, default } | Kind::Flags { choices, default } => {
                Value::Choice(number_of(choices, default.as_bytes()).unwrap_or(0))
            }
            Kind::Text { default, .. } => Value::Text(default.map(|text| text.into())),
            Kind::Dir => Value::Text(Some(dir::current())),
            Kind::Save => Value::Save(SAVE_POINTS.to_vec()),
            Kind::BufferLimits => Value::Buffers(BUFFER_LIMITS),
            Kind::OomScores => Value::Scores(OOM_SCORES),
            Kind::Events => Value::Events(0),
            Kind::Addresses { default } => {
                Value::Words(default.iter().map(|text| text.as_bytes().to_vec()).collect())
            }
            Kind::ReplicaOf => Value::Primary(None),
            Kind::Percentiles => Value::Percentiles(PERCENTILES.to_vec()),
            Kind::Line | Kind::Ignored => Value::None,
        }
    }

    /// Reads the value that `words` give to `row`; `self` is the value so far, which some
    /// directives change only in part. A directive of one argument gets exactly one word.
    pub(super) fn read(
        &self,
        row: &Directive,
        words: &[Vec<u8>],
        save: Save,
    ) -> Result<Value, String> {
        let word = words.first().map_or(&b""[..], Vec::as_slice);
        match (row.kind, self) {
            (Kind::Bool { .. }, _) => read_bool(word).map(Value::Bool),
            (Kind::Int { min, max, .. }, _) => read_int(word, min, max).map(Value::Int),
            (Kind::SignedMemory { min, .. }, _) => read_signed_memory(word, min).map(Value::Int),
            (Kind::Octal { max, .. }, _) => read_octal(word, max).map(Value::Int),
            (Kind::Memory { min, max, .. }, _) => read_memory(word, min, max).map(Value::Memory),
            (Kind::MemoryOrPercent, _) => read_limit(word).map(Value::Limit),
            (Kind::Choice { choices, .. }, _) => read_choice(words, choices, false),
            (Kind::Flags { choices, .. }, _) => read_choice(words, choices, true),
            (Kind::Text { default, check }, _) => {
                check_text(row.name, word, check)?;
                let unset = default.is_none() && word.is_empty();
                Ok(Value::Text((!unset).then(|| word.to_vec())))
            }
            (Kind::Dir, Value::Text(Some(base))) => {
                dir::resolve(base, word).map(|path| Value::Text(Some(path)))
            }
            (Kind::Save, Value::Save(old)) => read_save(words, old, save).map(Value::Save),
            (Kind::BufferLimits, Value::Buffers(old)) => {
                read_buffers(words, *old).map(Value::Buffers)
            }
            (Kind::OomScores, _) => read_scores(words).map(Value::Scores),
            (Kind::Events, _) => read_events(word).map(Value::Events),
            (Kind::Addresses { .. }, _) => read_addresses(words).map(Value::Words),
            (Kind::ReplicaOf, _) => read_primary(words).map(Value::Primary),
            (Kind::Percentiles, _) => read_percentiles(words).map(Value::Percentiles),
            _ => Err("wrong number of arguments".into()),
        }
    }

    /// The text that CONFIG GET answers.
    pub(super) fn show(&self, kind: &Kind) -> Vec<u8> {
        match self {
            Value::None => Vec::new(),
            Value::Bool(on) => if *on { "yes" } else { "no" }.into(),
            Value::Int(value) => match kind {
                Kind::Octal { .. } => format!("{value:o}").into(),
                _ => value.to_string().into(),
            },
            Value::Memory(bytes) => bytes.to_string().into(),
            Value::Limit(MemoryLimit::Bytes(bytes)) => bytes.to_string().into(),
            Value::Limit(MemoryLimit::Percent(share)) => format!("{share}%").into(),
            Value::Choice(value) => words_of(kind, *value).into(),
            Value::Text(text) => text.clone().unwrap_or_default(),
            Value::Save(points) => joined(points, |p| format!("{} {}", p.seconds, p.changes)),
            Value::Buffers(limits) => {
                let classes: Vec<_> = CLIENT_CLASSES.iter().zip(limits).collect();
                joined(&classes, |(class, limit)| {
                    format!("{class} {} {} {}", limit.hard, limit.soft, limit.soft_seconds)
                })
            }
            Value::Scores(scores) => joined(scores, i32::to_string),
            Value::Events(bits) => show_events(*bits).into(),
            Value::Words(list) => list.join(&b' '),
            Value::Primary(None) => Vec::new(),
            Value::Primary(Some(primary)) => {
                [&primary.host[..], primary.port.to_string().as_bytes()].join(&b' ')
            }
            Value::Percentiles(list) => joined(list, |value| number::format_float(*value)),
        }
    }

    /// What CONFIG REWRITE puts after the directive's name, one text a line; each comes with
    /// whether it must stand in the file even if the file has no line for it yet. No line at all
    /// means that lines of the file go away.
    pub(super) fn lines(&self, row: &Directive) -> Vec<(Vec<u8>, bool)> {
        let initial = Value::initial(&row.kind);
        let changed = *self != initial;
        let text = match self {
            Value::None | Value::Text(None) | Value::Primary(None) => return Vec::new(),
            Value::Words(_) if !changed => return Vec::new(),
            Value::Words(list) if list.is_empty() => b"\"\"".to_vec(),
            Value::Memory(bytes) | Value::Limit(MemoryLimit::Bytes(bytes)) => {
                number::format_memory(*bytes).into()
            }
            Value::Int(bytes) if matches!(row.kind, Kind::SignedMemory { .. }) && *bytes >= 0 => {
                number::format_memory(bytes.unsigned_abs()).into()
            }
            Value::Text(Some(text)) => quoted(text),
            // The shown form drops `n` beside `A`; the file must not.
            Value::Events(bits) => quoted(file_events(*bits).as_bytes()),
            Value::Save(points) if points.is_empty() => quoted(b""),
            Value::Percentiles(list) if list.is_empty() => quoted(b""),
            Value::Buffers(limits) => return buffer_lines(limits),
            _ => self.show(&row.kind),
        };
        // The defaults of these depend on the file having no line, or on the working directory.
        let always = matches!(row.kind, Kind::Dir | Kind::Save | Kind::Percentiles);
        vec![(text, changed || always)]
    }
}

fn read_bool(word: &[u8]) -> Result<bool, String> {
    if word.eq_ignore_ascii_case(b"yes") {
        Ok(true)
    } else if word.eq_ignore_ascii_case(b"no") {
        Ok(false)
    } else {
        Err("argument must be 'yes' or 'no'".into())
    }
}

fn read_int(word: &[u8], min: i64, max: i64) -> Result<i64, String> {
    let value = number::integer(word).ok_or("argument couldn't be parsed into an integer")?;
    within(value, min, max)
}

fn read_octal(word: &[u8], max: i64) -> Result<i64, String> {
    let value = number::lenient(word, 8).ok_or("argument couldn't be parsed as an octal number")?;
    if (0..=max).contains(&value) {
        Ok(value)
    } else {
        Err(format!("argument must be between 0 and {max:o} inclusive"))
    }
}

fn read_memory(word: &[u8], min: u64, max: u64) -> Result<u64, String> {
    within(number::memory(word).ok_or("argument must be a memory value")?, min, max)
}

fn read_signed_memory(word: &[u8], min: i64) -> Result<i64, String> {
    let bytes = number::memory(word).and_then(|bytes| i64::try_from(bytes).ok());
    let value = bytes.or_else(|| number::integer(word)).ok_or("argument must be a memory value")?;
    within(value, min, i64::MAX)
}

fn within<T: PartialOrd + std::fmt::Display>(value: T, min: T, max: T) -> Result<T, String> {
    if value < min || value > max {
        return Err(format!("argument must be between {min} and {max} inclusive"));
    }
    Ok(value)
}

fn read_limit(word: &[u8]) -> Result<MemoryLimit, String> {
    if let Some(bytes) = number::memory(word).filter(|&bytes| i64::try_from(bytes).is_ok()) {
        return Ok(MemoryLimit::Bytes(bytes));
    }
    let share = word.strip_suffix(b"%").and_then(number::integer).filter(|&share| share >= 0);
    match share {
        None => Err("argument must be a memory or percent value".into()),
        Some(0) => Ok(MemoryLimit::Bytes(0)),
        Some(share @ 1..=100) => Ok(MemoryLimit::Percent(share as u8)),
        Some(_) => Err("percentage argument must be less or equal to 100".into()),
    }
}

fn number_of(choices: Choices, word: &[u8]) -> Option<u32> {
    let found = choices.iter().find(|(name, _)| word.eq_ignore_ascii_case(name.as_bytes()));
    found.map(|(_, number)| *number)
}

fn read_choice(words: &[Vec<u8>], choices: Choices, several: bool) -> Result<Value, String> {
    let numbers: Option<Vec<u32>> = words.iter().map(|word| number_of(choices, word)).collect();
    let numbers = numbers.filter(|list| list.len() == 1 || several && !list.is_empty());
    let Some(numbers) = numbers else {
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        return Err(format!("argument(s) must be one of the following: {}", names.join(", ")));
    };
    let bits = numbers.iter().fold(0, |bits, number| bits | number);
    let has = |name: &[u8]| number_of(choices, name).is_some_and(|bit| bits & bit != 0);
    if several && has(b"save") && has(b"nosave") {
        return Err("shutdown options SAVE and NOSAVE can't be used simultaneously".into());
    }
    Ok(Value::Choice(bits))
}

fn words_of(kind: &Kind, value: u32) -> String {
    let (Kind::Choice { choices, .. } | Kind::Flags { choices, .. }) = kind else {
        return String::new();
    };
    if let Some((name, _)) = choices.iter().find(|(_, number)| *number == value) {
        return (*name).to_owned();
    }
    let named = choices.iter().filter(|(_, bit)| value & bit != 0).map(|(name, _)| *name);
    named.collect::<Vec<_>>().join(" ")
}

fn check_text(name: &str, text: &[u8], check: Check) -> Result<(), String> {
    let has_separator = text.iter().any(|byte| b"/\\".contains(byte));
    let has_mark = text.iter().any(|&byte| byte <= b',' || byte == 0x7f);
    let utf8 = std::str::from_utf8(text).unwrap_or("?");
    let fault = match check {
        Check::Any => None,
        Check::FileName | Check::DirName | Check::NotEmpty if text.is_empty() => {
            Some(format!("{name} can't be empty"))
        }
        Check::FileName if has_separator => {
            Some(format!("{name} can't be a path, just a filename"))
        }
        Check::DirName if has_separator => Some(format!("{name} can't be a path, just a dirname")),
        Check::FileName | Check::DirName | Check::NotEmpty => None,
        Check::Title => (!title::is_valid(text))
            .then(|| "template format is invalid or contains unknown variables".into()),
        Check::AnnouncedIp if text.len() >= IP_TEXT_END => Some(format!("{name} is too long")),
        Check::AnnouncedIp => has_mark.then(|| format!("{name} contains invalid character")),
        Check::NodeName => {
            has_mark.then(|| "Announced human node name contained invalid character".into())
        }
        Check::HostName => host_name_fault(text).map(str::to_owned),
        Check::Ipv4 => (!text.is_empty() && utf8.parse::<Ipv4Addr>().is_err())
            .then(|| "Invalid IPv4 address".into()),
        Check::Ipv6 => (!text.is_empty() && utf8.parse::<Ipv6Addr>().is_err())
            .then(|| "Invalid IPv6 address".into()),
        Check::HashSeed => (text.len() > HASH_SEED_MAX)
            .then(|| "hash-seed must be less than or equal to 256 characters".into()),
        Check::Version => {
            (!is_version(utf8)).then(|| "argument must be a version such as 7.2.4".into())
        }
    };
    fault.map_or(Ok(()), Err)
}

fn host_name_fault(text: &[u8]) -> Option<&'static str> {
    if text.len() >= HOST_NAME_END {
        return Some("Hostnames must be less than 256 characters");
    }
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"-.".contains(byte);
    (!text.iter().all(allowed))
        .then_some("Hostnames may only contain alphanumeric characters, hyphens or dots")
}

fn is_version(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    let is_number = |part: &&str| part.bytes().all(|b| b.is_ascii_digit());
    parts.len() == 3 && parts.iter().all(|part| (1..=3).contains(&part.len()) && is_number(part))
}

fn read_save(words: &[Vec<u8>], old: &[SavePoint], save: Save) -> Result<Vec<SavePoint>, String> {
    if let [only] = words
        && only.is_empty()
    {
        return Ok(Vec::new());
    }
    let numbers: Option<Vec<i64>> = words.iter().map(|word| number::lenient(word, 10)).collect();
    let numbers = numbers.filter(|list| list.len() % 2 == 0).ok_or("Invalid save parameters")?;
    let mut points = if save == Save::Extend { old.to_vec() } else { Vec::new() };
    for pair in numbers.chunks_exact(2) {
        if pair[0] < 1 || pair[1] < 0 {
            return Err("Invalid save parameters".into());
        }
        points.push(SavePoint { seconds: pair[0], changes: pair[1] });
    }
    Ok(points)
}

fn read_buffers(
    words: &[Vec<u8>],
    mut limits: [BufferLimit; 3],
) -> Result<[BufferLimit; 3], String> {
    if !words.len().is_multiple_of(4) {
        return Err("Wrong number of arguments in buffer limit configuration.".into());
    }
    for group in words.chunks_exact(4) {
        let class = match group[0].to_ascii_lowercase().as_slice() {
            b"normal" => 0,
            b"slave" | b"replica" => 1,
            b"pubsub" => 2,
            _ => return Err("Invalid client class specified in buffer limit configuration.".into()),
        };
        let seconds = number::lenient(&group[3], 10).filter(|&seconds| seconds >= 0);
        let (Some(hard), Some(soft), Some(soft_seconds)) =
            (number::memory(&group[1]), number::memory(&group[2]), seconds)
        else {
            return Err("Error in hard, soft or soft_seconds setting in buffer limit \
                        configuration."
                .into());
        };
        limits[class] = BufferLimit { hard, soft, soft_seconds };
    }
    Ok(limits)
}

fn read_scores(words: &[Vec<u8>]) -> Result<[i32; 3], String> {
    let words: &[Vec<u8>; 3] = words.try_into().map_err(|_| "wrong number of arguments")?;
    let mut scores = [0; 3];
    for (score, word) in scores.iter_mut().zip(words) {
        let value = number::lenient(word, 10).filter(|value| (-2000..=2000).contains(value));
        *score = value
            .and_then(|value| i32::try_from(value).ok())
            .ok_or("Invalid oom-score-adj-values, elements must be between -2000 and 2000.")?;
    }
    Ok(scores)
}

fn read_events(word: &[u8]) -> Result<u32, String> {
    let bit = |letter: &u8| match letter {
        b'A' => Some(EVENTS_ALL),
        _ => EVENT_CLASSES.iter().find(|class| class.0 == *letter).map(|class| class.1),
    };
    let bits: Option<Vec<u32>> = word.iter().map(bit).collect();
    let bits =
        bits.ok_or_else(|| format!("Invalid event class character. Use '{EVENTS_NAME}'."))?;
    Ok(bits.iter().fold(0, |all, bit| all | bit))
}

fn show_events(bits: u32) -> String {
    let all = bits & EVENTS_ALL == EVENTS_ALL;
    let shown =
        |class: &&(u8, u32)| bits & class.1 != 0 && !(all && b"g$lshzxetdan".contains(&class.0));
    let letters = EVENT_CLASSES.iter().filter(shown).map(|class| char::from(class.0));
    all.then_some('A').into_iter().chain(letters).collect()
}

fn file_events(bits: u32) -> String {
    let mut text = show_events(bits);
    if !text.contains('n') && EVENT_CLASSES.iter().any(|c| c.0 == b'n' && bits & c.1 != 0) {
        text.push('n');
    }
    text
}

fn read_addresses(words: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, String> {
    if words.len() > ADDRESSES_MAX {
        return Err("Too many bind addresses specified.".into());
    }
    let none = matches!(words, [only] if only.is_empty());
    Ok(if none { Vec::new() } else { words.to_vec() })
}

fn read_primary(words: &[Vec<u8>]) -> Result<Option<Primary>, String> {
    let [host, port] = words else { return Err("wrong number of arguments".into()) };
    if host.eq_ignore_ascii_case(b"no") && port.eq_ignore_ascii_case(b"one") {
        return Ok(None);
    }
    let port = number::lenient(port, 10).and_then(|port| u16::try_from(port).ok());
    let port = port.ok_or("Invalid primary port")?;
    Ok(Some(Primary { host: host.clone(), port }))
}

fn read_percentiles(words: &[Vec<u8>]) -> Result<Vec<f64>, String> {
    if matches!(words, [only] if only.is_empty()) {
        return Ok(Vec::new());
    }
    let name = Directive::of(Id::LatencyTrackingInfoPercentiles).name;
    let read = |word: &Vec<u8>| {
        let value = number::float(word).ok_or_else(|| format!("Invalid {name} parameters"))?;
        if !(0.0..=100.0).contains(&value) {
            return Err(format!("{name} parameters should sit between [0.0,100.0]"));
        }
        Ok(value)
    };
    words.iter().map(read).collect()
}

fn buffer_lines(limits: &[BufferLimit; 3]) -> Vec<(Vec<u8>, bool)> {
    let line = |class: usize| {
        let name = if class == 1 { "replica" } else { CLIENT_CLASSES[class] };
        let limit = limits[class];
        let hard = number::format_memory(limit.hard);
        let soft = number::format_memory(limit.soft);
        let text = format!("{name} {hard} {soft} {}", limit.soft_seconds);
        (text.into_bytes(), limit != BUFFER_LIMITS[class])
    };
    (0..limits.len()).map(line).collect()
}

fn joined<T>(items: &[T], text: impl Fn(&T) -> String) -> Vec<u8> {
    items.iter().map(text).collect::<Vec<_>>().join(" ").into_bytes()
}

fn quoted(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 2);
    inline::quote(text, &mut out);
    out
}
