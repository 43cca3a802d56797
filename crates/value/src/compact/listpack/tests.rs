//! Against a vector of strings under random operations, every encoding at its edges, and damage
//! of every byte.

use proptest::prelude::*;

use super::{Element, HEADER, Listpack, Position};
use crate::compact::Corrupt;

/// The edges of every width of a number.
pub(super) const NUMBERS: &[i64] = &[
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

/// Lengths on both sides of every width of a string's length and of the length behind it.
const LENGTHS: &[usize] = &[
    0, 1, 7, 8, 9, 62, 63, 64, 125, 126, 127, 128, 4095, 4096, 16_377, 16_378, 16_379, 2_097_145,
    2_097_146, 2_097_147,
];

fn filled(elements: &[&[u8]]) -> Listpack {
    let mut pack = Listpack::new();
    for element in elements {
        pack.push_back(*element);
    }
    pack
}

fn texts(pack: &Listpack) -> Vec<Vec<u8>> {
    pack.iter().map(|(_, element)| owned(element)).collect()
}

fn owned(element: Element<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    element.write_to(&mut out);
    out
}

/// Everything that reading offers agrees with the model, and the bytes pass their own check.
fn agrees(pack: &Listpack, model: &[Vec<u8>]) {
    assert_eq!((pack.len(), pack.is_empty()), (model.len(), model.is_empty()));
    assert_eq!(texts(pack), model);
    let back: Vec<_> = pack.iter().rev().map(|(_, element)| owned(element)).collect();
    assert!(back.iter().eq(model.iter().rev()));
    assert_eq!(pack.bytes_len(), pack.as_bytes().len());
    assert_eq!(Listpack::from_bytes(pack.as_bytes()).as_ref(), Ok(pack));
    let mut step = pack.first();
    for (index, element) in model.iter().enumerate() {
        let position = pack.seek(index).unwrap();
        assert_eq!(step, Some(position));
        assert_eq!(pack.seek_back(model.len() - 1 - index), Some(position));
        assert_eq!(pack.prev(position), index.checked_sub(1).and_then(|before| pack.seek(before)));
        assert_eq!(owned(pack.get(position)), *element);
        assert!(pack.matches(position, element));
        let first = model.iter().position(|other| other == element).unwrap();
        assert_eq!(pack.find(element, 0), pack.seek(first));
        assert_eq!(pack.iter_from(position).count(), model.len() - index);
        assert_eq!(pack.iter_to(position).count(), index + 1);
        step = pack.next(position);
    }
    assert_eq!((step, pack.seek(model.len()), pack.seek_back(model.len())), (None, None, None));
    assert_eq!(pack.last(), model.len().checked_sub(1).and_then(|last| pack.seek(last)));
}

#[test]
fn handles_are_small() {
    assert_eq!(size_of::<Option<Listpack>>(), size_of::<usize>());
    assert_eq!(size_of::<Option<Position>>(), 4);
}

#[test]
fn layout() {
    assert_eq!(Listpack::new().as_bytes(), [7, 0, 0, 0, 0, 0, 0xFF]);
    let pack = filled(&[b"a", b"127", b"-2", b"", b"1000", b"-40000", b"100000000"]);
    let bytes: &[u8] = &[
        36, 0, 0, 0, 7, 0, // header
        0x81, b'a', 2, // string of one byte
        0x7F, 1, // seven bits
        0xDF, 0xFE, 2, // thirteen bits
        0x80, 1, // empty string
        0xC3, 0xE8, 2, // thirteen bits
        0xF2, 0xC0, 0x63, 0xFF, 4, // 24 bits
        0xF3, 0, 0xE1, 0xF5, 5, 5, // 32 bits
        0xFF,
    ];
    let mut expected = bytes.to_vec();
    expected[0] = u8::try_from(bytes.len()).unwrap();
    assert_eq!(pack.as_bytes(), expected);
}

#[test]
fn numbers_at_the_edges_of_their_widths() {
    let widths = [2, 2, 2, 3, 3, 3, 4, 3, 4, 4, 5, 4, 5, 5, 6, 5, 6, 6, 10, 6, 10, 10, 10];
    let mut pack = Listpack::new();
    let mut model = Vec::new();
    for (value, width) in NUMBERS.iter().zip(widths) {
        let before = pack.bytes_len();
        pack.push_back(*value);
        assert_eq!(pack.bytes_len() - before, width, "{value}");
        assert_eq!(Element::Int(*value).size(), width);
        assert_eq!(pack.get(pack.last().unwrap()), Element::Int(*value));
        model.push(value.to_string().into_bytes());
    }
    agrees(&pack, &model);
    assert_eq!(pack, filled(&model.iter().map(Vec::as_slice).collect::<Vec<_>>()));
}

#[test]
fn strings_at_the_edges_of_their_widths() {
    let mut model = Vec::new();
    let mut pack = Listpack::new();
    for len in LENGTHS {
        let text = vec![b'x'; *len];
        let before = pack.bytes_len();
        pack.push_back(&text);
        assert_eq!(pack.bytes_len() - before, Element::Str(&text).size(), "{len}");
        model.push(text);
    }
    agrees(&pack, &model);
}

#[test]
fn what_older_servers_do_not_read_is_known() {
    for (len, portable) in [(16_377, true), (16_378, false), (16_379, true), (2_097_146, false)] {
        let mut pack = filled(&[b"before", &vec![b'x'; len], b"behind"]);
        assert_eq!(pack.is_portable(), portable, "{len}");
        assert!(pack.delete(pack.seek(1).unwrap()).is_some() && pack.is_portable());
    }
}

#[test]
fn only_the_text_of_a_number_becomes_one() {
    for text in ["-0", "007", "+1", " 1", "1 ", "9223372036854775808", "1.0", "", "-"] {
        let pack = filled(&[text.as_bytes()]);
        assert_eq!(pack.get(pack.first().unwrap()), Element::Str(text.as_bytes()), "{text}");
        assert_eq!(pack.find(text.as_bytes(), 0), pack.first());
        assert_eq!(pack.find(b"1", 0), None);
    }
}

#[test]
fn find_skips() {
    let pack = filled(&[b"a", b"b", b"b", b"a", b"7", b"7"]);
    assert_eq!(pack.find(b"b", 1), pack.seek(2));
    assert_eq!(pack.find(b"b", 0), pack.seek(1));
    assert_eq!(pack.find(7, 1), pack.seek(4));
    assert_eq!(pack.find(b"7", 2), None);
    assert_eq!(pack.find_from(pack.seek(1).unwrap(), b"7", 1), pack.seek(5));
    assert_eq!(pack.find(b"c", 1), None);
}

#[test]
fn more_entries_than_the_header_can_say() {
    let mut pack = Listpack::new();
    let elements: Vec<_> = (0..65_534).map(|value| Element::Int(value % 100)).collect();
    pack.append(&elements);
    assert_eq!((pack.len(), pack.count()), (65_534, 65_534));
    pack.push_back(1);
    assert_eq!((pack.len(), pack.count()), (65_535, super::UNKNOWN));
    pack.push_front(b"first");
    assert_eq!(pack.len(), 65_536);
    assert_eq!(pack.get(pack.seek(65_535).unwrap()), Element::Int(1));
    assert_eq!(pack.seek_back(65_535), pack.first());
    assert_eq!((pack.seek(65_536), pack.seek_back(65_536)), (None, None));
    pack.delete_range(10, 3);
    assert_eq!((pack.len(), pack.count()), (65_533, super::UNKNOWN));
    let again = Listpack::from_bytes(pack.as_bytes()).unwrap();
    assert_eq!((again.count(), &again), (65_533, &pack));
    let tail = pack.split_off(pack.seek(65_000).unwrap());
    assert_eq!((pack.len(), tail.len(), tail.count()), (65_000, 533, 533));
    pack.delete_range(0, usize::MAX);
    assert_eq!(pack.count(), 0);
}

#[test]
fn a_limit_is_known() {
    let pack = Listpack::new();
    assert!(pack.fits((1 << 30) - 7) && !pack.fits((1 << 30) - 6) && !pack.fits(usize::MAX));
}

#[test]
fn what_is_longer_than_need_be_becomes_short() {
    let blob = |entry: &[u8]| {
        let mut blob = vec![u8::try_from(entry.len()).unwrap() + 7, 0, 0, 0, 1, 0];
        blob.extend_from_slice(entry);
        blob.push(0xFF);
        blob
    };
    let cases: [(&[u8], &[u8]); 6] = [
        (&[0xC0, 5, 2], b"5"),
        (&[0xF4, 5, 0, 0, 0, 0, 0, 0, 0, 9], b"5"),
        (&[0x81, b'5', 2], b"5"),
        (&[0xE0, 1, b'a', 3], b"a"),
        (&[0xF0, 1, 0, 0, 0, b'a', 6], b"a"),
        (&[0xF2, 0xFF, 0xFF, 0xFF, 4], b"-1"),
    ];
    for (entry, text) in cases {
        let pack = Listpack::from_bytes(&blob(entry)).unwrap();
        assert_eq!(pack, filled(&[text]));
        assert_eq!(pack.as_bytes(), filled(&[text]).as_bytes());
    }
}

#[test]
fn what_is_wrong_is_said() {
    let good = filled(&[b"a", b"300", b"b"]);
    let damaged = |at: usize, byte: u8| {
        let mut blob = good.as_bytes().to_vec();
        blob[at] = byte;
        Listpack::from_bytes(&blob).unwrap_err()
    };
    let corrupt = |offset, what| Corrupt { offset, what };
    let short = Listpack::from_bytes(&good.as_bytes()[..6]).unwrap_err();
    assert_eq!(short, corrupt(0, "listpack shorter than its header"));
    assert_eq!(damaged(0, 8), corrupt(0, "listpack is not as long as it says"));
    assert_eq!(damaged(4, 4), corrupt(4, "listpack with a wrong count"));
    assert_eq!(damaged(15, 0), corrupt(15, "listpack without its end mark"));
    assert_eq!(damaged(6, 0xFF), corrupt(6, "end mark in front of the end"));
    assert_eq!(damaged(9, 0xF5), corrupt(9, "unknown encoding of an entry"));
    assert_eq!(damaged(12, 0xF0), corrupt(12, "entry reaches beyond the end"));
    let differ = "lengths in front of and behind an entry differ";
    assert_eq!(damaged(11, 3), corrupt(9, differ));
}

/// Every single changed byte and every cut: refused, or a listpack that works.
#[test]
fn damage_is_refused_or_harmless() {
    let long = vec![b'y'; 100];
    let packs = [
        filled(&[b"a", b"-7", b"hello"]),
        filled(&[b"300", b"70000", b"", &long]),
        filled(&[b"-9000000", b"3000000000", b"9000000000000000000"]),
        filled(&[&vec![b'z'; 4096]]),
    ];
    let mut accepted = 0;
    for pack in packs {
        let looked_at = (0..pack.bytes_len()).filter(|at| *at < 200 || at % 1000 < 3);
        for at in looked_at {
            assert!(Listpack::from_bytes(&pack.as_bytes()[..at]).is_err());
            for byte in 0..=255 {
                let mut blob = pack.as_bytes().to_vec();
                blob[at] = byte;
                let Ok(mut odd) = Listpack::from_bytes(&blob) else { continue };
                accepted += 1;
                let model = texts(&odd);
                agrees(&odd, &model);
                odd.push_front(b"front");
                odd.delete_range(1, usize::MAX);
                assert_eq!(odd, filled(&[b"front"]));
            }
        }
    }
    assert!(accepted > 1000, "{accepted}");
}

#[test]
fn picks() {
    let pack = filled(&[b"a", b"1", b"b", b"2", b"c", b"3"]);
    let mut random = fastrand::Rng::with_seed(1);
    let mut below = |n: usize| random.usize(..n);
    let name = |position: &Position| pack.get(*position);
    let mut sets = std::collections::BTreeMap::new();
    for _ in 0..3000 {
        let pair: Vec<_> = pack.pick_unique(2, 2, &mut below).iter().map(name).map(owned).collect();
        *sets.entry(pair).or_insert(0) += 1;
    }
    assert_eq!(sets.len(), 3);
    assert!(sets.values().all(|count| (850..1150).contains(count)), "{sets:?}");
    assert_eq!(pack.pick_unique(9, 2, &mut below).len(), 3);

    let picked = pack.pick_many(3000, 2, &mut below);
    for field in [b"a", b"b", b"c"] {
        let position = pack.find(field, 1).unwrap();
        let count = picked.iter().filter(|other| **other == position).count();
        assert!((850..1150).contains(&count));
    }
    assert!(!picked.is_sorted(), "the order is that of the choices");
    assert_eq!(pack.pick(1, &mut |len| len - 1), pack.last());
    assert_eq!(Listpack::new().pick(1, &mut below), None);
    assert!(Listpack::new().pick_many(3, 1, &mut below).is_empty());
    assert!(Listpack::new().pick_unique(3, 1, &mut below).is_empty());
}

#[derive(Clone, Debug)]
enum Step {
    PushBack(Vec<u8>),
    PushFront(Vec<u8>),
    Before(usize, Vec<u8>),
    After(usize, Vec<u8>),
    Replace(usize, Vec<u8>),
    Delete(usize),
    DeleteRange(usize, usize),
    DeleteAll(Vec<bool>),
    Append(Vec<Vec<u8>>),
    Merge(Vec<Vec<u8>>),
    Split(usize),
}

fn element() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => "[a-c]{0,3}".prop_map(String::into_bytes),
        3 => any::<i64>().prop_map(|value| value.to_string().into_bytes()),
        3 => prop::sample::select(NUMBERS).prop_map(|value| value.to_string().into_bytes()),
        2 => prop::collection::vec(any::<u8>(), 0..30),
        1 => prop::sample::select(&LENGTHS[..17]).prop_map(|len| vec![b'x'; len]),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let at = 0usize..50;
    let elements = || prop::collection::vec(element(), 0..6);
    prop_oneof![
        4 => element().prop_map(Step::PushBack),
        2 => element().prop_map(Step::PushFront),
        2 => (at.clone(), element()).prop_map(|(at, element)| Step::Before(at, element)),
        2 => (at.clone(), element()).prop_map(|(at, element)| Step::After(at, element)),
        3 => (at.clone(), element()).prop_map(|(at, element)| Step::Replace(at, element)),
        2 => at.clone().prop_map(Step::Delete),
        1 => (at.clone(), 0usize..4).prop_map(|(at, count)| Step::DeleteRange(at, count)),
        1 => prop::collection::vec(any::<bool>(), 0..30).prop_map(Step::DeleteAll),
        1 => elements().prop_map(Step::Append),
        1 => elements().prop_map(Step::Merge),
        1 => at.prop_map(Step::Split),
    ]
}

fn elements_of(texts: &[Vec<u8>]) -> Vec<Element<'_>> {
    texts.iter().map(Element::from).collect()
}

/// Does the same to both; what needs an entry is left out when there is none.
fn apply(step: Step, pack: &mut Listpack, model: &mut Vec<Vec<u8>>) {
    let len = model.len();
    let place = |pack: &Listpack, at: usize| pack.seek(at % len).unwrap();
    match step {
        Step::PushBack(element) => {
            pack.push_back(&element);
            model.push(element);
        }
        Step::PushFront(element) => {
            pack.push_front(&element);
            model.insert(0, element);
        }
        Step::Append(texts) => {
            pack.append(&elements_of(&texts));
            model.extend(texts);
        }
        Step::Merge(texts) => {
            pack.merge(&Listpack::of(&elements_of(&texts)));
            model.extend(texts);
        }
        Step::DeleteRange(at, count) => {
            pack.delete_range(at, count);
            let at = at.min(len);
            model.drain(at..len.min(at + count));
        }
        Step::DeleteAll(marks) => {
            let marked = |index: &usize| marks.get(*index).copied().unwrap_or(false);
            let chosen: Vec<usize> = (0..len).filter(marked).collect();
            let positions: Vec<_> = chosen.iter().map(|at| pack.seek(*at).unwrap()).collect();
            pack.delete_all(&positions);
            chosen.iter().rev().for_each(|at| drop(model.remove(*at)));
        }
        _ if len == 0 => {}
        Step::Before(at, element) => {
            let new = pack.insert_before(place(pack, at), &element);
            assert!(pack.matches(new, &element));
            model.insert(at % len, element);
        }
        Step::After(at, element) => {
            let new = pack.insert_after(place(pack, at), &element);
            assert!(pack.matches(new, &element));
            model.insert(at % len + 1, element);
        }
        Step::Replace(at, element) => {
            pack.replace(place(pack, at), &element);
            model[at % len] = element;
        }
        Step::Delete(at) => {
            let next = pack.delete(place(pack, at));
            model.remove(at % len);
            assert_eq!(next, pack.seek(at % len));
        }
        Step::Split(at) => {
            let tail = pack.split_off(place(pack, at));
            agrees(&tail, &model.split_off(at % len));
        }
    }
}

proptest! {
    #[test]
    fn agrees_with_a_vector(steps in prop::collection::vec(step(), 0..40)) {
        let mut pack = Listpack::new();
        let mut model: Vec<Vec<u8>> = Vec::new();
        for step in steps {
            apply(step, &mut pack, &mut model);
            agrees(&pack, &model);
        }
    }

    #[test]
    fn what_is_not_there_is_not_found(
        texts in prop::collection::vec(element(), 0..20),
        other in element(),
    ) {
        let pack = Listpack::of(&elements_of(&texts));
        prop_assert_eq!(pack.find(&other, 0).is_some(), texts.contains(&other));
        prop_assert!(pack.first().is_none_or(|first| first.offset() == HEADER));
    }

    #[test]
    fn any_bytes_are_refused_or_harmless(mut blob in prop::collection::vec(any::<u8>(), 7..40)) {
        let len = u32::try_from(blob.len()).unwrap();
        blob[..4].copy_from_slice(&len.to_le_bytes());
        blob[4..6].copy_from_slice(&[0xFF, 0xFF]);
        *blob.last_mut().unwrap() = 0xFF;
        if let Ok(pack) = Listpack::from_bytes(&blob) {
            agrees(&pack, &texts(&pack));
        }
    }
}
