//! Everything that can be moved is moved, and nobody can tell afterwards.

use std::collections::BTreeMap;

use super::TREE_MAX;
use crate::hash::{Rules as HashRules, Time};
use crate::list::End;
use crate::set::Rules as SetRules;
use crate::stream::{Group, NewId};
use crate::zset::Form;
use crate::{Array, Hash, KeyHash, Limits, List, Set, Stream, Value, Zset, relocate};

/// A collection of each type and form with so many elements; some of them are long.
fn values(count: usize) -> Vec<Value> {
    let (limits, hash) = (Limits::default(), KeyHash::new([7; 16]));
    let texts: Vec<Vec<u8>> = (0..count)
        .map(|number| format!("{number:06} {}", "x".repeat(number % 40)).into_bytes())
        .collect();
    let (mut fields, mut members, mut ints) = (Hash::new(), Set::new(), Set::new());
    let (mut list, mut stream, mut array) = (List::new(), Stream::new(), Array::new());
    for (number, text) in texts.iter().enumerate() {
        let time = if number % 9 == 8 { Time::At(1 << 40) } else { Time::Never };
        fields.set(text, text, time, HashRules { limits: &limits, hasher: hash });
        members.add(text, &SetRules { limits: &limits, hash });
        ints.add(number.to_string().as_bytes(), &SetRules { limits: &limits, hash });
        list.make_room(text.len(), 1, &limits);
        list.push(End::Right, text);
        let now_ms = number as i64 / 3 + 1;
        let id = stream.add(NewId::Auto, &[b"field", text], &limits, now_ms).unwrap();
        let name = format!("group {}", number % 50).into_bytes();
        stream.add_group(&name, Group::new(id, None));
        let group = stream.group_mut(&name).unwrap();
        let (owner, _) = group.ensure(text, now_ms);
        group.assign(id, Some(owner), now_ms, 1);
        array.set(number as u64 * 3, text);
        array.set(1 << 40 | number as u64, &text.repeat(20));
    }
    let scored = texts.iter().enumerate();
    let scored = scored.map(|(number, text)| (text.as_slice(), number as f64 / 2.0));
    let zset = Zset::of_ascending(scored, count, 50, Form { limits: &limits, hash: &hash });
    vec![
        Value::Hash(fields),
        Value::Set(members),
        Value::Set(ints),
        Value::Zset(zset),
        Value::List(list),
        Value::Stream(Box::new(stream)),
        Value::Array(Box::new(array)),
    ]
}

#[test]
fn what_has_moved_is_the_same() {
    for count in [0, 1, 20, 3000] {
        for mut value in values(count) {
            let before = format!("{value:?}");
            let (mut cursor, mut moved, mut turns) = (0, 0, 0);
            loop {
                cursor = value.view_mut().relocate(cursor, 100, &mut |_| {
                    moved += 1;
                    moved % 3 > 0
                });
                turns += 1;
                if cursor == 0 {
                    break;
                }
                assert!(turns < 10_000, "it comes to an end");
            }
            assert_eq!(format!("{value:?}"), before);
            assert!(moved > 0 || value.view().effort() <= 1, "{:?}", value.kind());
        }
    }
}

#[test]
fn every_member_of_what_is_large_is_looked_at() {
    for mut value in values(3000).into_iter().take(4) {
        let (mut cursor, mut looked) = (0, 0);
        loop {
            cursor = value.view_mut().relocate(cursor, 64, &mut |_| {
                looked += 1;
                true
            });
            if cursor == 0 {
                break;
            }
        }
        assert!(looked >= 3000, "{:?}: {looked}", value.kind());
    }
}

/// What a walk in steps of about `count` asks about, without moving it.
fn looked_at(value: &mut Value, count: usize) -> Vec<usize> {
    let (mut cursor, mut all, mut turns) = (0, Vec::new(), 0);
    loop {
        turns += 1;
        assert!(turns < 100_000, "it comes to an end");
        cursor = value.view_mut().relocate(cursor, count, &mut |address| {
            all.push(address.addr());
            false
        });
        if cursor == 0 {
            return all;
        }
    }
}

#[test]
fn every_allocation_is_asked_about_once() {
    for mut value in values(3000) {
        for step in [1, 2, 10, 33, 5000] {
            let mut all = looked_at(&mut value, step);
            let count = all.len();
            all.sort_unstable();
            all.dedup();
            assert_eq!(all.len(), count, "{:?} by {step}", value.kind());
        }
    }
}

#[test]
fn all_nodes_of_a_sorted_set_are_asked_about() {
    const LEAF: usize = 64;
    const INNER: usize = 32;
    let mut zset = values(3000).remove(3);
    // The members, the leaves, what makes the inner nodes up, and the set itself.
    let leaves = 3000_usize.div_ceil(LEAF);
    let least = 3000 + leaves + 4 * (leaves.div_ceil(INNER) + 1) + 1;
    let all = looked_at(&mut zset, 10);
    assert!(all.len() >= least, "{} of {least}", all.len());
}

#[test]
fn trees_are_asked_about_by_nodes_and_built_anew() {
    let mut map: BTreeMap<u64, u64> = (0..1000).map(|key| (key * 7, key)).collect();
    let before = map.clone();
    let mut asked = 0;
    relocate::map(&mut map, &mut |_| {
        asked += 1;
        asked == 5
    });
    assert!((1000 / 12..1000 / 4).contains(&asked), "{asked}");
    assert_eq!(map, before);
    let mut long: BTreeMap<u64, u64> = (0..TREE_MAX as u64 + 1).map(|key| (key, key)).collect();
    relocate::map(&mut long, &mut |_| panic!("it is too long"));
    assert_eq!(long.len(), TREE_MAX + 1);
}
