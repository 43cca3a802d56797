//! Keys of every type keep what they hold, and when they expire, when everything is moved.

use super::*;
use crate::{Change, Db, Entry, KeyStats, Layout, NewValue, Parts, Stamp, Ttl, Value};
use value::zset::Form;
use value::{Limits, Zset};

const KEYS: usize = 500;
const NOW_MS: i64 = 1_700_000_000_000;

fn keyspace() -> Keyspace {
    Keyspace::new(Layout { shards: 8, databases: 3, readers: 1, lanes: 2, seed: [7; 16] })
}

fn on<R>(
    keyspace: &Keyspace,
    index: u32,
    now_ms: i64,
    work: impl FnOnce(&mut Db<'_, '_>) -> R,
) -> R {
    let (mut held, mut change) = (keyspace.shards().hold_walk(), Change::default());
    let mut stats = KeyStats::default();
    work(&mut Db::new(Parts {
        keyspace,
        held: &mut held,
        change: &mut change,
        stats: &mut stats,
        hashed: &[],
        index,
        stamp: Stamp::at(now_ms),
        touch: true,
    }))
}

fn value_of(number: usize, keyspace: &Keyspace) -> NewValue<'static> {
    match number % 4 {
        0 => NewValue::Int(number as i64),
        1 => NewValue::Bytes(b"a value within the entry"),
        2 => NewValue::Shared(vec![b'x'; 2000 + number].into()),
        _ => {
            let (limits, hash) = (Limits::default(), keyspace.key_hash());
            let names: Vec<_> = (0..number * 2).map(|name| format!("{name:05}")).collect();
            let members = names.iter().map(|name| (name.as_bytes(), 1.0));
            let form = Form { limits: &limits, hash: &hash };
            NewValue::Object(Value::Zset(Zset::of_ascending(members, names.len(), 5, form)))
        }
    }
}

fn fill(keyspace: &Keyspace) {
    for number in 0..KEYS {
        let ttl = match number % 3 {
            0 => Ttl::At(NOW_MS + 1000 + number as i64),
            _ => Ttl::Never,
        };
        let (key, value) = (number.to_string(), value_of(number, keyspace));
        on(keyspace, number as u32 % 3, NOW_MS, |db| db.set(key.as_bytes(), value, ttl));
    }
}

fn walk(keyspace: &Keyspace, pays: Pays<'_>) -> (u64, u64) {
    let (mut moved, mut left) = (0, 0);
    for lane in 0..2 {
        let mut walk = Walk::default();
        loop {
            let step = keyspace.relocate(lane, &mut walk, pays);
            (moved, left) = (moved + step.moved, left + step.left);
            if step.is_through {
                break;
            }
        }
    }
    (moved, left)
}

fn texts(keyspace: &Keyspace) -> Vec<String> {
    let text = |entry: &Entry| format!("{:?} {:?}", entry.value(), entry.deadline_ms());
    let read = |number: usize| {
        on(keyspace, number as u32 % 3, NOW_MS, |db| {
            text(&db.read(number.to_string().as_bytes()).expect("it is there"))
        })
    };
    (0..KEYS).map(read).collect()
}

#[test]
fn what_has_moved_is_the_same_and_expires_in_time() {
    let keyspace = keyspace();
    fill(&keyspace);
    let before = texts(&keyspace);
    let mut addresses = 0;
    let (moved, left) = walk(&keyspace, &mut |_| {
        addresses += 1;
        true
    });
    assert_eq!((moved, left), (KEYS as u64, 0));
    assert!(addresses > KEYS * KEYS / 4, "members of collections are looked at, too: {addresses}");
    assert_eq!(texts(&keyspace), before);
    let (mut change, mut turn, mut budget) = (Change::default(), 0, u32::MAX);
    for lane in 0..2 {
        let later = NOW_MS + 100_000;
        let doors = (crate::Wants::default, |_: &mut Change| {});
        keyspace.expire(lane, later, &mut turn, &mut budget, &mut change, doors);
    }
    assert_eq!(change.expired(), KEYS.div_ceil(3) as u64);
}

#[test]
fn what_does_not_pay_stays() {
    let keyspace = keyspace();
    fill(&keyspace);
    assert_eq!(walk(&keyspace, &mut |_| false), (0, KEYS as u64));
}

#[test]
fn a_reply_keeps_its_bytes() {
    let keyspace = keyspace();
    fill(&keyspace);
    let shared = |at: usize| {
        on(&keyspace, at as u32 % 3, NOW_MS, |db| {
            db.read(at.to_string().as_bytes()).expect("it is there").shared().expect("it is long")
        })
    };
    let sent = shared(2);
    walk(&keyspace, &mut |_| true);
    assert!(std::sync::Arc::ptr_eq(&sent, &shared(2)), "it was not moved while it was shared");
    assert_eq!(sent.len(), 2002);
}
