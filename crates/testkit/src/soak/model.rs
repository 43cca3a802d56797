//! What one client's keys hold, as far as that client knows: it alone writes them, so every reply
//! can be told beforehand.
//!
//! Invariant: the type of a key follows from its number, so no command meets another type.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use fastrand::Rng;

use crate::Value;

const KEYS: u32 = 500;
/// Fields and members are drawn from so many names: collections come past the limits of the
/// compact encodings and shrink again.
const NAMES: u32 = 700;
const LONGEST_TEXT: usize = 4096;
const LONGEST_LIST: usize = 300;

/// The value of a key that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Held {
    Text(String),
    List(VecDeque<String>),
    Hash(BTreeMap<String, String>),
    Set(BTreeSet<String>),
    /// Whole scores by member.
    Sorted(BTreeMap<String, i64>),
}

impl Held {
    fn empty(key: u32) -> Held {
        match key % 5 {
            0 => Held::Text(String::new()),
            1 => Held::List(VecDeque::new()),
            2 => Held::Hash(BTreeMap::new()),
            3 => Held::Set(BTreeSet::new()),
            _ => Held::Sorted(BTreeMap::new()),
        }
    }

    fn is_empty(&self) -> bool {
        match self {
            Held::Text(text) => text.is_empty(),
            Held::List(list) => list.is_empty(),
            Held::Hash(hash) => hash.is_empty(),
            Held::Set(set) => set.is_empty(),
            Held::Sorted(sorted) => sorted.is_empty(),
        }
    }
}

/// The words of a command, and the reply that it must get.
pub(super) type Step = (Vec<String>, Value);

/// The keys of one client.
#[derive(Debug)]
pub(super) struct Model {
    prefix: String,
    rng: Rng,
    held: BTreeMap<u32, Held>,
}

impl Model {
    /// No keys yet; `prefix` is no other client's.
    pub(super) fn new(prefix: String, seed: u64) -> Self {
        Self { prefix, rng: Rng::with_seed(seed), held: BTreeMap::new() }
    }

    /// Some random command, as if it had run.
    pub(super) fn step(&mut self) -> Step {
        let key = self.rng.u32(0..KEYS);
        let name = format!("{}{key}", self.prefix);
        if self.rng.u8(..) == 0 {
            let was_there = self.held.remove(&key).is_some();
            return (vec!["UNLINK".into(), name], Value::Int(was_there.into()));
        }
        let mut held = self.held.remove(&key).unwrap_or_else(|| Held::empty(key));
        let (mut words, reply) = match &mut held {
            Held::Text(text) => on_text(text, &mut self.rng),
            Held::List(list) => on_list(list, &mut self.rng),
            Held::Hash(hash) => on_hash(hash, &mut self.rng),
            Held::Set(set) => on_set(set, &mut self.rng),
            Held::Sorted(sorted) => on_sorted(sorted, &mut self.rng),
        };
        if !held.is_empty() {
            self.held.insert(key, held);
        }
        words.insert(1, name);
        (words, reply)
    }

    /// Commands by which another server comes to hold the same.
    pub(super) fn rebuild(&self) -> Vec<Vec<String>> {
        let mut commands = Vec::new();
        for (key, held) in &self.held {
            let mut put = |command: &str, words: &[&str]| {
                let head = [command.to_owned(), format!("{}{key}", self.prefix)];
                commands.push(head.into_iter().chain(words.iter().map(|&it| it.into())).collect());
            };
            match held {
                Held::Text(text) => put("SET", &[text]),
                Held::List(list) => list.iter().for_each(|it| put("RPUSH", &[it])),
                Held::Hash(hash) => hash.iter().for_each(|(name, it)| put("HSET", &[name, it])),
                Held::Set(set) => set.iter().for_each(|it| put("SADD", &[it])),
                Held::Sorted(sorted) => {
                    sorted.iter().for_each(|(it, score)| put("ZADD", &[&score.to_string(), it]));
                }
            }
        }
        commands
    }
}

/// A command without its key, and its reply.
type Keyless = (Vec<String>, Value);

fn keyless(words: &[&str], reply: Value) -> Keyless {
    (words.iter().map(|&word| word.to_owned()).collect(), reply)
}

fn bulk(text: Option<impl ToString>) -> Value {
    text.map_or(Value::Null, |text| Value::Bulk(text.to_string().into_bytes()))
}

fn count(number: usize) -> Value {
    Value::Int(i64::try_from(number).expect("a collection that fits the memory"))
}

fn random_text(rng: &mut Rng, longest: usize) -> String {
    let len = rng.usize(1..=longest);
    std::iter::repeat_with(|| rng.alphanumeric()).take(len).collect()
}

fn on_text(text: &mut String, rng: &mut Rng) -> Keyless {
    let whole = Some(&*text).filter(|text| !text.is_empty());
    match rng.u8(0..4) {
        0 => keyless(&["GET"], bulk(whole)),
        1 => keyless(&["STRLEN"], count(text.len())),
        2 if text.len() < LONGEST_TEXT => {
            let more = random_text(rng, 100);
            text.push_str(&more);
            keyless(&["APPEND", &more], count(text.len()))
        }
        _ => {
            *text = random_text(rng, LONGEST_TEXT);
            keyless(&["SET", text], Value::Simple(b"OK".into()))
        }
    }
}

fn on_list(list: &mut VecDeque<String>, rng: &mut Rng) -> Keyless {
    match rng.u8(0..6) {
        0 => keyless(&["LLEN"], count(list.len())),
        1 => {
            let place = rng.usize(0..LONGEST_LIST);
            keyless(&["LINDEX", &place.to_string()], bulk(list.get(place)))
        }
        2 => keyless(&["LPOP"], bulk(list.pop_front())),
        _ if list.len() >= LONGEST_LIST => keyless(&["RPOP"], bulk(list.pop_back())),
        end => {
            let item = random_text(rng, 40);
            if end == 3 {
                list.push_front(item.clone())
            } else {
                list.push_back(item.clone())
            }
            keyless(&[if end == 3 { "LPUSH" } else { "RPUSH" }, &item], count(list.len()))
        }
    }
}

fn on_hash(hash: &mut BTreeMap<String, String>, rng: &mut Rng) -> Keyless {
    let field = format!("field:{}", rng.u32(0..NAMES));
    match rng.u8(0..6) {
        0 => keyless(&["HLEN"], count(hash.len())),
        1 => keyless(&["HGET", &field], bulk(hash.get(&field))),
        2 => keyless(&["HDEL", &field], Value::Int(hash.remove(&field).is_some().into())),
        _ => {
            let text = random_text(rng, 60);
            let is_new = hash.insert(field.clone(), text.clone()).is_none();
            keyless(&["HSET", &field, &text], Value::Int(is_new.into()))
        }
    }
}

fn on_set(set: &mut BTreeSet<String>, rng: &mut Rng) -> Keyless {
    let number = rng.u32(0..NAMES);
    let member = if number.is_multiple_of(50) { format!("m{number}") } else { number.to_string() };
    match rng.u8(0..6) {
        0 => keyless(&["SCARD"], count(set.len())),
        1 => keyless(&["SISMEMBER", &member], Value::Int(set.contains(&member).into())),
        2 => keyless(&["SREM", &member], Value::Int(set.remove(&member).into())),
        _ => keyless(&["SADD", &member], Value::Int(set.insert(member.clone()).into())),
    }
}

fn on_sorted(sorted: &mut BTreeMap<String, i64>, rng: &mut Rng) -> Keyless {
    let member = format!("member:{}", rng.u32(0..NAMES));
    match rng.u8(0..6) {
        0 => keyless(&["ZCARD"], count(sorted.len())),
        1 => keyless(&["ZSCORE", &member], bulk(sorted.get(&member))),
        2 => keyless(&["ZREM", &member], Value::Int(sorted.remove(&member).is_some().into())),
        _ => {
            let score = rng.i64(-1000..1000);
            let is_new = sorted.insert(member.clone(), score).is_none();
            keyless(&["ZADD", &score.to_string(), &member], Value::Int(is_new.into()))
        }
    }
}
