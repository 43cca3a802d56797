//! Sorted sets against a sorted vector, over both forms and the moment of conversion.

use proptest::prelude::*;

use super::*;

/// What a sorted set should hold.
#[derive(Default)]
struct Model(Vec<(f64, Vec<u8>)>);

impl Model {
    fn find(&self, name: &[u8]) -> Option<usize> {
        self.0.iter().position(|(_, other)| other == name)
    }

    fn set(&mut self, name: &[u8], score: f64) {
        if let Some(at) = self.find(name) {
            if self.0[at].0 == score {
                return;
            }
            self.0.remove(at);
        }
        self.0.push((score, name.to_vec()));
        self.0.sort_by(|a, b| a.partial_cmp(b).expect("scores are numbers"));
    }
}

fn hash() -> KeyHash {
    KeyHash::new([7; 16])
}

fn limits(entries: usize) -> Limits {
    Limits { zset_entries: entries, zset_value: 20, ..Limits::default() }
}

fn set(zset: &mut Zset, name: &[u8], score: f64, entries: usize) {
    let (limits, hash) = (limits(entries), hash());
    zset.update(name, Form { limits: &limits, hash: &hash }, |_| Some(score));
}

fn content(iter: Iter<'_>) -> Vec<(f64, Vec<u8>)> {
    iter.map(|(name, score)| (score, name.text(&mut Text::new()).to_vec())).collect()
}

fn check(zset: &Zset, model: &Model) {
    assert_eq!(zset.len(), model.0.len());
    assert_eq!(content(zset.all()), model.0);
    let reversed: Vec<_> = model.0.iter().rev().cloned().collect();
    assert_eq!(content(zset.iter(0..zset.len(), true)), reversed);
    for (rank, (score, name)) in model.0.iter().enumerate() {
        assert_eq!(zset.rank(name), Some((rank, *score)));
        assert_eq!(zset.score(name), Some(*score));
    }
    if let Inner::Large(large) = zset.0.view() {
        large.check();
    }
}

#[derive(Clone, Debug)]
enum Step {
    Set(u16, f64),
    Add(u16, f64),
    Nudge(u16, f64),
    Remove(u16),
    RemoveRanks(usize, usize),
    Scores(f64, f64, bool, bool),
    Scan(u64),
    Clone,
}

fn score() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => (-20i32..20).prop_map(f64::from),
        2 => (-1000i32..1000).prop_map(|n| f64::from(n) / 8.0),
        1 => prop_oneof![
            Just(f64::INFINITY), Just(f64::NEG_INFINITY), Just(0.1), Just(1e300), Just(-2.5e-300),
            Just(9_007_199_254_740_993.0), Just(1e22), Just(f64::MIN_POSITIVE)
        ],
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0u16..400, score()).prop_map(|(name, score)| Step::Set(name, score)),
        2 => (0u16..400, score()).prop_map(|(name, score)| Step::Add(name, score)),
        2 => (0u16..400, -3i32..4).prop_map(|(name, by)| Step::Nudge(name, f64::from(by) / 4.0)),
        3 => (0u16..400).prop_map(Step::Remove),
        1 => (0usize..300, 0usize..12).prop_map(|(at, count)| Step::RemoveRanks(at, count)),
        2 => (score(), score(), any::<bool>(), any::<bool>())
            .prop_map(|(min, max, open, end)| Step::Scores(min, max, open, end)),
        1 => (1u64..20).prop_map(Step::Scan),
        1 => Just(Step::Clone),
    ]
}

/// Numbers, short strings, and some that are too long for a small set.
fn name(number: u16) -> Vec<u8> {
    match number % 7 {
        0 | 1 => number.to_string().into_bytes(),
        2 if number > 380 => vec![b'x'; usize::from(number)],
        _ => format!("m{number}").into_bytes(),
    }
}

fn play(zset: &mut Zset, model: &mut Model, step: Step, entries: usize) {
    match step {
        Step::Set(number, score) => {
            set(zset, &name(number), score, entries);
            model.set(&name(number), score);
        }
        Step::Add(number, score) => {
            let (limits, hash) = (limits(entries), hash());
            let old = model.find(&name(number)).map(|at| model.0[at].0);
            zset.update(&name(number), Form { limits: &limits, hash: &hash }, |found| {
                assert_eq!(found, old);
                found.is_none().then_some(score)
            });
            if old.is_none() {
                model.set(&name(number), score);
            }
        }
        Step::Nudge(number, by) => {
            let Some(at) = model.find(&name(number)) else { return };
            let score = model.0[at].0 + by;
            set(zset, &name(number), score, entries);
            model.set(&name(number), score);
        }
        Step::Remove(number) => {
            let at = model.find(&name(number));
            let expected = at.map(|at| model.0.remove(at).0);
            assert_eq!(zset.remove(&name(number)), expected);
        }
        Step::RemoveRanks(at, count) => {
            let at = at.min(model.0.len());
            let end = (at + count).min(model.0.len());
            model.0.drain(at..end);
            zset.remove_ranks(at..end);
        }
        Step::Scores(min, max, min_open, max_open) => {
            let range = ScoreRange { min, max, min_open, max_open };
            let inside = |score: f64| {
                (if min_open { score > min } else { score >= min })
                    && (if max_open { score < max } else { score <= max })
            };
            let expected: Vec<_> =
                model.0.iter().filter(|(score, _)| inside(*score)).cloned().collect();
            assert_eq!(content(zset.iter(zset.ranks_of_scores(&range), false)), expected);
        }
        Step::Scan(count) => {
            let (mut seen, mut cursor) = (Vec::new(), 0);
            loop {
                cursor = zset.scan(cursor, count, &mut |name, score| {
                    seen.push((score, name.text(&mut Text::new()).to_vec()));
                });
                if cursor == 0 {
                    break;
                }
            }
            seen.sort_by(|a, b| a.partial_cmp(b).expect("scores are numbers"));
            seen.dedup();
            assert_eq!(seen, model.0);
        }
        Step::Clone => {
            let copy = zset.clone();
            *zset = copy;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_a_sorted_vector(
        entries in prop_oneof![Just(0usize), Just(4), Just(60), Just(1000)],
        steps in prop::collection::vec(step(), 1..400),
    ) {
        let (mut zset, mut model) = (Zset::new(), Model::default());
        for step in steps {
            play(&mut zset, &mut model, step, entries);
            prop_assert_eq!(zset.is_vacant(), model.0.is_empty());
        }
        check(&zset, &model);
    }

    #[test]
    fn names_in_a_range_are_found(
        names in prop::collection::btree_set("[a-d]{0,3}", 0..40),
        min in "[a-d]{0,3}",
        max in "[a-d]{0,3}",
        open in any::<(bool, bool)>(),
        entries in prop_oneof![Just(0usize), Just(99)],
    ) {
        let mut zset = Zset::new();
        names.iter().for_each(|name| set(&mut zset, name.as_bytes(), 0.0, entries));
        let bound = |text: &'static str, open| match open {
            true => LexBound::Open(text.as_bytes()),
            false => LexBound::Closed(text.as_bytes()),
        };
        let (min, max): (&str, &str) = (min.leak(), max.leak());
        let range = LexRange { min: bound(min, open.0), max: bound(max, open.1) };
        let expected: Vec<_> = names
            .iter()
            .filter(|name| if open.0 { name.as_str() > min } else { name.as_str() >= min })
            .filter(|name| if open.1 { name.as_str() < max } else { name.as_str() <= max })
            .map(|name| (0.0, name.clone().into_bytes()))
            .collect();
        for reverse in [false, true] {
            let ranks = zset.ranks_of_names(&range, reverse);
            prop_assert_eq!(content(zset.iter(ranks, false)), expected.clone());
        }
    }

    #[test]
    fn scores_come_back_from_a_listpack(bits in any::<u64>()) {
        let score = f64::from_bits(bits);
        prop_assume!(!score.is_nan() && score != 0.0);
        let mut zset = Zset::new();
        set(&mut zset, b"name", score, 10);
        prop_assert_eq!(zset.score(b"name").map(f64::to_bits), Some(score.to_bits()));
    }
}

#[test]
fn a_large_one_grows_and_shrinks_in_any_order() {
    const COUNT: usize = if cfg!(miri) { 150 } else { 6000 };
    for order in 0..3 {
        let mut rng = fastrand::Rng::with_seed(order);
        let mut numbers: Vec<usize> = (0..COUNT).collect();
        match order {
            0 => {}
            1 => numbers.reverse(),
            _ => rng.shuffle(&mut numbers),
        }
        let mut zset = Zset::new();
        for number in &numbers {
            set(&mut zset, format!("{number}").as_bytes(), *number as f64, 0);
        }
        let Inner::Large(large) = zset.0.view() else { panic!("it is large") };
        large.check();
        assert!(zset.all().map(|(_, score)| score as usize).eq(0..COUNT));
        rng.shuffle(&mut numbers);
        for (left, number) in (0..COUNT).rev().zip(&numbers) {
            assert_eq!(zset.remove(format!("{number}").as_bytes()), Some(*number as f64));
            assert_eq!(zset.len(), left);
            if left % 500 == 0 {
                let Inner::Large(large) = zset.0.view() else { panic!("it stays large") };
                large.check();
            }
        }
        assert!(zset.is_vacant());
    }
}

#[test]
fn a_score_that_moves_a_little_finds_its_place() {
    let large = if cfg!(miri) { 90 } else { 3000 };
    for (entries, count) in [(0, large), (200, large.min(100))] {
        let mut rng = fastrand::Rng::with_seed(7);
        let (mut zset, mut model) = (Zset::new(), Model::default());
        let name = |number: u32| format!("member:{number}").into_bytes();
        for number in 0..count {
            let score = f64::from(rng.u32(0..count / 2));
            set(&mut zset, &name(number), score, entries);
            model.0.push((score, name(number)));
        }
        for _ in 0..large {
            let at = rng.usize(0..model.0.len());
            model.0[at].0 += f64::from(rng.i32(-4..=4)) / 4.0;
            let (score, name) = &model.0[at];
            set(&mut zset, name, *score, entries);
        }
        model.0.sort_by(|a, b| a.partial_cmp(b).expect("scores are numbers"));
        check(&zset, &model);
        for (_, name) in std::mem::take(&mut model.0) {
            assert!(zset.remove(&name).is_some());
        }
        assert!(zset.is_empty());
    }
}

#[test]
fn scores_are_laid_out_as_redis_does() {
    for (score, text) in [
        (0.1, "0.1"),
        (-1.5, "-1.5"),
        (123.456, "123.456"),
        (1e-7, "1e-7"),
        (1.25e-5, "1.25e-5"),
        (1.2e-5, "0.000012"),
        (1e20, "1e+20"),
        (1.5e300, "1.5e+300"),
        (-2.5e-300, "-2.5e-300"),
        (f64::INFINITY, "inf"),
    ] {
        assert_eq!(score::Room::new().element(score), Element::Str(text.as_bytes()));
    }
    assert_eq!(score::Room::new().element(-0.0), Element::Int(0));
    assert_eq!(score::Room::new().element(4e18), Element::Int(4_000_000_000_000_000_000));
}

#[test]
fn hints_decide_the_first_form() {
    let (limits, hash) = (limits(3), hash());
    let form = Form { limits: &limits, hash: &hash };
    let mut zset = Zset::new();
    zset.expect(3, 20, form);
    assert_eq!(zset.encoding(), "listpack");
    zset.expect(1, 21, form);
    assert_eq!(zset.encoding(), "skiplist");
    assert_eq!(size_of::<Zset>(), 8);
}
