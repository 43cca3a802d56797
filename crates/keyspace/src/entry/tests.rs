//! The entry against a plain structure.

use std::sync::Arc;

use fastrand::Rng;

use super::*;

const RUNS: u64 = if cfg!(miri) { 4 } else { 200 };
const STEPS: usize = if cfg!(miri) { 60 } else { 500 };

#[derive(Clone, PartialEq, Debug)]
enum Value {
    Int(i64),
    Bytes(Vec<u8>),
}

/// What an entry should say.
#[derive(Clone, PartialEq, Debug)]
struct Model {
    key: Vec<u8>,
    value: Value,
    deadline_ms: Option<i64>,
    access: u32,
    raw: bool,
}

fn bytes(rng: &mut Rng, longest: usize) -> Vec<u8> {
    const EDGES: &[usize] = &[0, 1, 8, 15, 16, 127, 128, 255, 256, 257, 1023, 1024, 1025, 5000];
    let len = match rng.u8(0..3) {
        0 => *rng.choice(EDGES).unwrap_or(&0),
        _ => rng.usize(0..300),
    };
    let byte = rng.u8(..);
    vec![byte; len.min(longest)]
}

impl Value {
    fn random(rng: &mut Rng) -> Self {
        if rng.u8(0..3) == 0 { Self::Int(rng.i64(..)) } else { Self::Bytes(bytes(rng, usize::MAX)) }
    }

    /// In one of the forms in which a value gets into an entry.
    fn to_new(&self, rng: &mut Rng) -> NewValue<'_> {
        match self {
            Self::Int(number) => NewValue::Int(*number),
            Self::Bytes(bytes) if rng.bool() => NewValue::Bytes(bytes),
            Self::Bytes(bytes) => NewValue::Shared(Arc::new(bytes.clone())),
        }
    }
}

fn deadline(rng: &mut Rng) -> Option<i64> {
    rng.bool().then(|| rng.i64(0..))
}

fn check(entry: &Entry, model: &Model) {
    let value = match entry.value() {
        ValueRef::Int(number) => Value::Int(number),
        ValueRef::Inline(bytes) => {
            assert!(bytes.len() <= INLINE_MAX);
            Value::Bytes(bytes.to_vec())
        }
        ValueRef::Shared(bytes) => Value::Bytes(bytes.to_vec()),
        ValueRef::Object(_) => unreachable!("no collection was put in"),
    };
    let said = Model {
        key: entry.key_bytes().to_vec(),
        value,
        deadline_ms: entry.deadline_ms(),
        access: entry.access(),
        raw: entry.is_raw(),
    };
    assert_eq!(said, *model);
    assert_eq!(entry.kind(), Kind::String);
    let least = model.key.len()
        + match &model.value {
            Value::Int(_) => 8,
            Value::Bytes(bytes) => bytes.len(),
        };
    assert!(entry.memory(0) >= least, "{} bytes hold {least}", entry.memory(0));
}

fn step(rng: &mut Rng, mut entry: Entry, model: &mut Model) -> Entry {
    match rng.u8(0..10) {
        0..3 => {
            (model.value, model.raw) = (Value::random(rng), false);
            if rng.bool() {
                entry.set_value(model.value.to_new(rng));
            } else {
                drop(entry.replace_value(model.value.to_new(rng)));
            }
        }
        3..5 => {
            model.deadline_ms = deadline(rng);
            entry.set_deadline(model.deadline_ms);
        }
        5 => {
            model.access = rng.u32(..1 << 24);
            entry.set_access(model.access);
        }
        6 => {
            model.raw = rng.bool();
            entry.set_raw(model.raw);
        }
        7 => {
            model.key = bytes(rng, 1025);
            entry = entry.with_key(&model.key);
        }
        8 => edit_in_place(rng, &mut entry, model),
        _ => {
            let (key, deadline_ms, access) = (bytes(rng, 1025), deadline(rng), rng.u32(..1 << 24));
            let mut copy = entry.copy_as(&key, deadline_ms, access);
            let mut copied = Model { key, deadline_ms, access, ..model.clone() };
            check(&copy, &copied);
            edit_in_place(rng, &mut copy, &mut copied);
            check(&copy, &copied);
        }
    }
    entry
}

fn edit_in_place(rng: &mut Rng, entry: &mut Entry, model: &mut Model) {
    let number = rng.i64(..);
    if entry.set_int_in_place(number) {
        model.value = Value::Int(number);
    } else if let Value::Bytes(bytes) = &mut model.value {
        if let Some(inline) = entry.inline_mut() {
            inline.fill(number as u8);
            bytes.fill(number as u8);
        } else {
            let held = rng.bool().then(|| entry.shared());
            let before = bytes.clone();
            let len = entry.edit_shared(|shared| {
                shared.push(number as u8);
                shared.len()
            });
            bytes.push(number as u8);
            assert_eq!(len, Some(bytes.len()));
            if let Some(held) = held.flatten() {
                assert_eq!(*held, before, "a reply's bytes do not change");
            }
        }
    }
}

#[test]
fn an_entry_agrees_with_a_structure() {
    for seed in 0..RUNS {
        let rng = &mut Rng::with_seed(seed);
        let (key, value, deadline_ms) = (bytes(rng, 1025), Value::random(rng), deadline(rng));
        let mut model = Model { key, value, deadline_ms, access: rng.u32(..1 << 24), raw: false };
        let value = model.value.to_new(rng);
        let mut entry = Entry::new(&model.key, value, deadline_ms, model.access);
        for _ in 0..STEPS {
            check(&entry, &model);
            entry = step(rng, entry, &mut model);
        }
        check(&entry, &model);
    }
}

#[test]
fn a_long_key_is_kept_whole() {
    let key = vec![b'k'; 70_000];
    let entry = Entry::new(&key, NewValue::Bytes(&[1; 300]), Some(7), 3);
    assert_eq!(entry.key_bytes(), key);
    assert!(matches!(entry.value(), ValueRef::Inline(bytes) if bytes == [1; 300]));
    assert_eq!((entry.deadline_ms(), entry.access()), (Some(7), 3));
}

#[test]
fn what_is_shared_lives_as_long_as_its_last_owner() {
    let bytes = Arc::new(vec![7; 2000]);
    let entry = Entry::new(b"one", NewValue::Shared(Arc::clone(&bytes)), None, 0);
    let copy = entry.copy_as(b"two", None, 0);
    let reply = entry.shared();
    drop(entry);
    drop(copy.with_key(b"three"));
    assert_eq!(reply.as_deref(), Some(&vec![7; 2000]));
    drop(reply);
    assert_eq!(Arc::strong_count(&bytes), 1);
}
