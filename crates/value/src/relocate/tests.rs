//! Everything that can be moved is moved, and nobody can tell afterwards.

use crate::hash::{Rules as HashRules, Time};
use crate::list::End;
use crate::set::Rules as SetRules;
use crate::stream::NewId;
use crate::zset::Form;
use crate::{Array, Hash, KeyHash, Limits, List, Set, Stream, Value, Zset};

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
        stream.add(NewId::Auto, &[b"field", text], &limits, number as i64 / 3 + 1).unwrap();
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
