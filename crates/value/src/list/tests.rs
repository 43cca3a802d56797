//! Lists against a plain `VecDeque`, over both forms, all bounds and compression.

use std::collections::VecDeque;

use proptest::prelude::*;

use super::{End, Form, List};
use crate::Limits;
use crate::compact::Element;
use crate::number::Text;

#[derive(Clone, Debug)]
enum Step {
    Push(End, Vec<Vec<u8>>),
    Pop(End),
    Set(usize, Vec<u8>),
    Insert(End, Vec<u8>, Vec<u8>),
    RemoveEqual(End, Vec<u8>, usize),
    RemoveRange(usize, usize),
    Range(usize, usize),
    Search(End, Vec<u8>, usize),
    Clone,
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![Just(End::Left), Just(End::Right)]
}

fn element() -> impl Strategy<Value = Vec<u8>> {
    let repeated = |byte: u8, len: usize| vec![byte; len];
    prop_oneof![
        4 => (0..20i64).prop_map(|number| number.to_string().into_bytes()),
        1 => any::<i64>().prop_map(|number| number.to_string().into_bytes()),
        4 => (0..20u8).prop_map(|letter| vec![b'a' + letter]),
        1 => prop::sample::select(vec!["", "-0", "01", "9223372036854775808"])
            .prop_map(|text| text.as_bytes().to_vec()),
        2 => (b'a'..b'd', 60..300usize).prop_map(move |(byte, len)| repeated(byte, len)),
        1 => (b'a'..b'd', 3000..9000usize).prop_map(move |(byte, len)| repeated(byte, len)),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (end(), prop::collection::vec(element(), 1..12))
            .prop_map(|(end, elements)| Step::Push(end, elements)),
        3 => end().prop_map(Step::Pop),
        3 => (0..80usize, element()).prop_map(|(index, element)| Step::Set(index, element)),
        4 => (end(), element(), element())
            .prop_map(|(side, pivot, element)| Step::Insert(side, pivot, element)),
        2 => (end(), element(), 1..4usize)
            .prop_map(|(end, element, count)| Step::RemoveEqual(end, element, count)),
        2 => (0..80usize, 0..30usize)
            .prop_map(|(start, count)| Step::RemoveRange(start, count)),
        1 => (0..80usize, 0..30usize).prop_map(|(start, count)| Step::Range(start, count)),
        1 => (end(), element(), 0..60usize)
            .prop_map(|(from, element, most)| Step::Search(from, element, most)),
        1 => Just(Step::Clone),
    ]
}

fn bytes(element: Element<'_>) -> Vec<u8> {
    element.text(&mut Text::new()).to_vec()
}

/// Does a step to both, and compares what both answer.
fn apply(list: &mut List, model: &mut VecDeque<Vec<u8>>, step: Step, limits: &Limits) {
    match step {
        Step::Push(end, elements) => {
            list.make_room(elements.iter().map(Vec::len).sum(), elements.len(), limits);
            for element in elements {
                list.push(end, &element);
                match end {
                    End::Left => model.push_front(element),
                    End::Right => model.push_back(element),
                }
            }
        }
        Step::Pop(end) => {
            let expected = match end {
                End::Left => model.pop_front(),
                End::Right => model.pop_back(),
            };
            assert_eq!(list.pop(end, bytes), expected);
            list.shrink(limits);
        }
        Step::Set(index, element) => {
            list.make_room(element.len(), 1, limits);
            assert_eq!(list.set(index, &element), index < model.len());
            if let Some(place) = model.get_mut(index) {
                *place = element;
            }
            list.shrink(limits);
        }
        Step::Insert(side, pivot, element) => {
            let at = model.iter().position(|other| *other == pivot);
            list.make_room(element.len(), 1, limits);
            assert_eq!(list.insert(side, &pivot, &element), at.is_some());
            if let Some(at) = at {
                model.insert(at + usize::from(side == End::Right), element);
            }
        }
        Step::RemoveEqual(end, element, count) => {
            let removed = remove_equal(model, end, &element, count);
            assert_eq!(list.remove_equal(end, &element, count), removed);
            list.shrink(limits);
        }
        Step::RemoveRange(start, count) => {
            let start_in = start.min(model.len());
            model.drain(start_in..model.len().min(start_in + count));
            list.remove_range(start, count);
            list.shrink(limits);
        }
        Step::Range(start, count) => compare_ranges(list, model, start, count),
        Step::Search(from, element, most) => {
            let mut ordered: Vec<_> = model.iter().collect();
            if from == End::Right {
                ordered.reverse();
            }
            let expected: Vec<_> =
                (0..ordered.len().min(most)).filter(|&at| *ordered[at] == element).collect();
            let mut seen = Vec::new();
            list.search(from, &element, most, |at| {
                seen.push(at);
                true
            });
            assert_eq!(seen, expected);
        }
        Step::Clone => *list = list.clone(),
    }
}

fn compare_ranges(list: &List, model: &VecDeque<Vec<u8>>, start: usize, count: usize) {
    let expected: Vec<_> = model.iter().skip(start).take(count).cloned().collect();
    let mut seen = Vec::new();
    list.range(start, count, |element| seen.push(bytes(element)));
    assert_eq!(seen, expected);
    let mut seen = Vec::new();
    list.range_back(start, count, |element| seen.push(bytes(element)));
    let expected = model.iter().take(start + 1).rev().take(count).cloned();
    let expected = if start < model.len() { expected.collect() } else { Vec::new() };
    assert_eq!(seen, expected);
}

fn remove_equal(model: &mut VecDeque<Vec<u8>>, end: End, element: &[u8], count: usize) -> usize {
    let mut removed = 0;
    while removed < count {
        let at = match end {
            End::Left => model.iter().position(|other| other == element),
            End::Right => model.iter().rposition(|other| other == element),
        };
        let Some(at) = at else { break };
        model.remove(at);
        removed += 1;
    }
    removed
}

/// Both hold the same, and the nodes are as they must be.
fn check(list: &List, model: &VecDeque<Vec<u8>>, depth: usize) {
    assert_eq!(list.len(), model.len());
    assert_eq!(list.is_vacant(), model.is_empty());
    let mut seen = VecDeque::new();
    list.range(0, usize::MAX, |element| seen.push_back(bytes(element)));
    assert_eq!(seen, *model);
    for index in [0, model.len() / 3, model.len() / 2, model.len()] {
        assert_eq!(list.get(index, bytes).as_ref(), model.get(index));
    }
    if let Form::Large(quick) = list.form.view() {
        quick.check(depth);
    }
}

proptest! {
    #[test]
    fn a_list_is_a_sequence(
        steps in prop::collection::vec(step(), 1..60),
        list_size in prop::sample::select(vec![-5, -2, -1, 0, 1, 3, 16, 128]),
        list_packed in prop::sample::select(vec![0usize, 0, 1, 5, 100, 10_000]),
        depth in 0..3usize,
    ) {
        let limits =
            Limits { list_size, list_packed, list_compress_depth: depth, ..Limits::default() };
        let (mut list, mut model) = (List::new(), VecDeque::new());
        for step in steps {
            apply(&mut list, &mut model, step, &limits);
            check(&list, &model, depth);
        }
    }
}

/// The moments at which the form changes, as OBJECT ENCODING shows them.
#[test]
fn conversions() {
    let limits = Limits { list_size: 4, ..Limits::default() };
    let mut list = List::new();
    for count in 1..=5 {
        list.make_room(1, 1, &limits);
        list.push(End::Right, b"a");
        assert_eq!(list.encoding(), if count <= 4 { "listpack" } else { "quicklist" });
    }
    for left in (0..5).rev() {
        list.pop(End::Right, |_| ()).expect("an element");
        list.shrink(&limits);
        let encoding = if left <= 2 { "listpack" } else { "quicklist" };
        assert_eq!(list.encoding(), encoding, "{left} left");
    }
    let limits = Limits { list_size: -1, ..Limits::default() };
    list.make_room(4096 - 7, 1, &limits);
    assert_eq!(list.encoding(), "listpack");
    list.make_room(4096 - 6, 1, &limits);
    assert_eq!(list.encoding(), "quicklist");
    list.push(End::Left, &[b'x'; 4090]);
    list.push(End::Left, &[b'x'; 4097]);
    let huge = list.memory(0);
    list.set(1, b"short");
    assert!(list.memory(0) < huge);
    list.pop(End::Left, |_| ());
    list.shrink(&limits);
    assert_eq!(list.encoding(), "listpack");
}

/// The middle of a long list takes less memory when it is compressed, and reads the same.
#[test]
fn compression() {
    let fill = |depth| {
        let limits = Limits { list_size: -1, list_compress_depth: depth, ..Limits::default() };
        let mut list = List::new();
        for number in 0..5000 {
            let element = format!("element number {number}");
            list.make_room(element.len(), 1, &limits);
            list.push(End::Right, element.as_bytes());
        }
        list
    };
    let (plain, compressed) = (fill(0), fill(1));
    assert!(compressed.memory(0) * 2 < plain.memory(0));
    let read = |list: &List| {
        let mut all = Vec::new();
        list.range(0, usize::MAX, |element| all.push(bytes(element)));
        all
    };
    assert_eq!(read(&plain), read(&compressed));
}
