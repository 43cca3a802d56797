//! Sets against a `BTreeSet`, over all forms and the moments of conversion.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::member::Member;
use super::{Rules, Set, diff, intersect, store_diff, store_intersection, store_union, unite};
use crate::compact::Element;
use crate::number::{Text, parse_i64};
use crate::{KeyHash, Limits};

type Model = BTreeSet<Vec<u8>>;

#[derive(Clone, Debug)]
enum Step {
    Add(Vec<Vec<u8>>),
    Remove(Vec<u8>),
    Pop,
    PopMany(usize),
    Sample(usize),
    Clone,
}

fn member() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => (-20..60i64).prop_map(|number| number.to_string().into_bytes()),
        1 => any::<i64>().prop_map(|number| number.to_string().into_bytes()),
        2 => (0..60u8).prop_map(|number| format!("m{number}").into_bytes()),
        1 => prop::sample::select(vec![0usize, 1, 7, 8, 64, 127, 128, 16383, 16384])
            .prop_map(|len| vec![b'x'; len]),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => prop::collection::vec(member(), 1..10).prop_map(Step::Add),
        4 => member().prop_map(Step::Remove),
        1 => Just(Step::Pop),
        1 => (0..12usize).prop_map(Step::PopMany),
        1 => (0..40usize).prop_map(Step::Sample),
        1 => Just(Step::Clone),
    ]
}

fn limits() -> impl Strategy<Value = Limits> {
    (0..30usize, 0..30usize, 1..100usize).prop_map(|(ints, entries, value)| Limits {
        set_intset_entries: ints,
        set_entries: entries,
        set_value: value,
        ..Limits::default()
    })
}

fn hash() -> KeyHash {
    KeyHash::new([3; 16])
}

fn bytes(element: Element<'_>) -> Vec<u8> {
    element.text(&mut Text::new()).to_vec()
}

fn members(set: &Set) -> Model {
    let mut all = Model::new();
    set.each(|element| assert!(all.insert(bytes(element)), "a member came twice"));
    all
}

/// A source of random numbers that any seed makes.
fn random(mut seed: u64) -> impl FnMut() -> u64 {
    move || {
        seed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (seed ^ seed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }
}

fn apply(set: &mut Set, model: &mut Model, step: Step, rules: &Rules<'_>, seed: u64) {
    let mut random = random(seed);
    match step {
        Step::Add(members) => {
            if set.is_vacant() {
                *set = Set::sized(&members[0], members.len(), rules);
            } else {
                set.make_room(members.len(), rules);
            }
            for member in members {
                assert_eq!(set.contains(&member), model.contains(&member));
                assert_eq!(set.add(&member, rules), model.insert(member));
            }
        }
        Step::Remove(member) => assert_eq!(set.remove(&member), model.remove(&member)),
        Step::Pop => match set.pop(&mut random, bytes) {
            Some(member) => assert!(model.remove(&member)),
            None => assert!(model.is_empty()),
        },
        Step::PopMany(count) if count < model.len() => {
            let mut popped = 0;
            set.pop_many(count, rules, &mut random, |element| {
                assert!(model.remove(&bytes(element)));
                popped += 1;
            });
            assert_eq!(popped, count);
        }
        Step::PopMany(_) => {}
        Step::Sample(count) => {
            let mut seen = Model::new();
            set.sample(count, &mut random, |element| {
                assert!(seen.insert(bytes(element)), "a member was given twice");
            });
            assert_eq!(seen.len(), count.min(model.len()));
            assert!(seen.is_subset(model));
            let mut given = 0;
            set.pick_many(count, &mut random, |element| {
                assert!(model.contains(&bytes(element)));
                given += 1;
                true
            });
            assert_eq!(given, if model.is_empty() { 0 } else { count });
            let mut stopped = 0;
            set.pick_many(count, &mut random, |_| {
                stopped += 1;
                stopped < 3
            });
            assert_eq!(stopped, given.min(3));
        }
        Step::Clone => *set = set.clone(),
    }
}

/// A small form holds only what it may.
fn check(set: &Set, model: &Model) {
    assert_eq!(set.len(), model.len());
    assert_eq!(set.is_vacant(), model.is_empty());
    assert_eq!(members(set), *model);
    if set.encoding() == "intset" {
        assert!(model.iter().all(|member| parse_i64(member).is_some()));
    }
    let mut scanned = Model::new();
    let mut cursor = 0;
    loop {
        cursor = set.scan(cursor, 3, |element| {
            scanned.insert(bytes(element));
        });
        if cursor == 0 {
            break;
        }
    }
    assert_eq!(scanned, *model);
}

/// What hands the members of a combination to whoever wants them, as long as it wants more.
type Walk<'a> = &'a dyn Fn(&mut dyn FnMut(Element<'_>) -> bool);

proptest! {
    #[test]
    fn a_set_is_a_set(
        steps in prop::collection::vec((step(), any::<u64>()), 1..40),
        limits in limits(),
    ) {
        let rules = Rules { limits: &limits, hash: hash() };
        let (mut set, mut model) = (Set::new(), Model::new());
        for (step, seed) in steps {
            apply(&mut set, &mut model, step, &rules, seed);
            check(&set, &model);
        }
    }

    #[test]
    fn algebra(
        models in prop::collection::vec(prop::collection::btree_set(member(), 0..40), 1..10),
        limits in limits(),
    ) {
        let rules = Rules { limits: &limits, hash: hash() };
        let made: Vec<Set> = models.iter().map(|model| {
            let mut set = Set::new();
            model.iter().for_each(|member| { set.add(member, &rules); });
            set
        }).collect();
        let sets: Vec<&Set> = made.iter().collect();
        let some: Vec<Option<&Set>> = made.iter().map(Some).collect();
        let first = models[0].clone();
        let common = models.iter().fold(first.clone(), |all, model| &all & model);
        let union = models.iter().fold(Model::new(), |all, model| &all | model);
        let rest = models[1..].iter().fold(first, |all, model| &all - model);
        let collect = |work: Walk<'_>| {
            let mut seen = Model::new();
            work(&mut |element| {
                assert!(seen.insert(bytes(element)), "a member came twice");
                true
            });
            seen
        };
        prop_assert_eq!(collect(&|visit| intersect(&sets, visit)), common.clone());
        prop_assert_eq!(collect(&|visit| unite(&sets, &rules, visit)), union.clone());
        prop_assert_eq!(collect(&|visit| diff(&some, visit)), rest.clone());
        prop_assert_eq!(members(&store_intersection(&sets, &rules)), common);
        prop_assert_eq!(members(&store_union(&sets, &rules)), union);
        prop_assert_eq!(members(&store_diff(&some, &rules)), rest);
    }

    #[test]
    fn a_member_is_its_bytes(len in 0..40_000usize, byte in any::<u8>()) {
        let text = vec![byte; len];
        let member = Member::new(&text);
        prop_assert_eq!(member.bytes(), &text[..]);
        let copy = member.clone();
        drop(member);
        prop_assert_eq!(copy.bytes(), &text[..]);
    }
}

/// The moments at which the form changes, as OBJECT ENCODING shows them.
#[test]
fn conversions() {
    let limits = Limits::default();
    let rules = Rules { limits: &limits, hash: hash() };
    let numbers = |count: usize| {
        let mut set = Set::new();
        (0..count).for_each(|number| assert!(set.add(number.to_string().as_bytes(), &rules)));
        set
    };
    assert_eq!(numbers(512).encoding(), "intset");
    assert_eq!(numbers(513).encoding(), "hashtable");
    let with = |count, member: &[u8]| {
        let mut set = numbers(count);
        set.add(member, &rules);
        set.encoding()
    };
    assert_eq!(with(127, b"a"), "listpack");
    assert_eq!(with(128, b"a"), "hashtable");
    assert_eq!(with(3, &[b'a'; 64]), "listpack");
    assert_eq!(with(3, &[b'a'; 65]), "hashtable");
    assert_eq!(Set::sized(b"1", 512, &rules).encoding(), "intset");
    assert_eq!(Set::sized(b"1", 513, &rules).encoding(), "hashtable");
    assert_eq!(Set::sized(b"a", 128, &rules).encoding(), "listpack");
    assert_eq!(Set::sized(b"a", 129, &rules).encoding(), "hashtable");
}

/// Every member of each form is chosen about as often as the others, alone and in samples.
#[test]
fn choice_is_uniform() {
    const DRAWS: u32 = 40_000;
    let forms = [(512, 128, "intset", ""), (0, 128, "listpack", "m"), (0, 0, "hashtable", "m")];
    for (ints, entries, encoding, prefix) in forms {
        let limits = Limits { set_intset_entries: ints, set_entries: entries, ..Limits::default() };
        let rules = Rules { limits: &limits, hash: hash() };
        let names: Vec<String> = (0..20).map(|number| format!("{prefix}{number}")).collect();
        let mut set = Set::sized(names[0].as_bytes(), names.len(), &rules);
        names.iter().for_each(|name| assert!(set.add(name.as_bytes(), &rules)));
        assert_eq!(set.encoding(), encoding);
        let mut random = random(7);
        for size in [1, 3, 12] {
            let mut seen = BTreeMap::<Vec<u8>, u32>::new();
            for _ in 0..DRAWS / size {
                set.sample(size as usize, &mut random, |element| {
                    *seen.entry(bytes(element)).or_default() += 1;
                });
            }
            let expected = DRAWS / 20;
            assert_eq!(seen.len(), 20);
            for (name, times) in seen {
                let off = times.abs_diff(expected);
                assert!(off < expected / 6, "{encoding} {size}: {name:?} came {times} times");
            }
        }
    }
}
