//! Listpacks: blobs from outside, and steps against a vector.

#![no_main]

use libfuzzer_sys::fuzz_target;
use value::compact::{Element, Listpack};

fuzz_target!(|input: &[u8]| {
    let Some((kind, input)) = input.split_first() else { return };
    match kind % 3 {
        0 => blob(input),
        1 => blob(&with_header(input)),
        _ => steps(input),
    }
});

/// A header that fits, so that what is looked at is the entries.
fn with_header(entries: &[u8]) -> Vec<u8> {
    let len = u32::try_from(entries.len() + 7).expect("inputs are short");
    [&len.to_le_bytes()[..], &[0xFF, 0xFF], entries, &[0xFF]].concat()
}

fn blob(blob: &[u8]) {
    let Ok(mut pack) = Listpack::from_bytes(blob) else { return };
    let model = texts(&pack);
    agrees(&pack, &model);
    for element in &model {
        assert!(pack.find(element, 0).is_some());
    }
    pack.push_front(b"first");
    if let Some(last) = pack.last() {
        pack.replace(last, 7);
    }
    pack.delete_range(0, usize::MAX);
    assert_eq!(pack.as_bytes(), Listpack::new().as_bytes());
}

fn steps(mut input: &[u8]) {
    let mut pack = Listpack::new();
    let mut model: Vec<Vec<u8>> = Vec::new();
    while let [step, at, len, rest @ ..] = input {
        let (element, rest) = element(*len, rest);
        input = rest;
        let index = usize::from(*at) % model.len().max(1);
        let place = pack.seek(index);
        match (step % 8, place) {
            (0 | 1, _) | (_, None) => {
                pack.push_back(&element);
                model.push(element);
            }
            (2, _) => {
                pack.push_front(&element);
                model.insert(0, element);
            }
            (3, Some(place)) => {
                pack.insert_after(place, &element);
                model.insert(index + 1, element);
            }
            (4, Some(place)) => {
                pack.insert_before(place, &element);
                model.insert(index, element);
            }
            (5, Some(place)) => {
                pack.replace(place, &element);
                model[index] = element;
            }
            (6, Some(_)) => {
                let count = usize::from(*len % 4);
                pack.delete_range(index, count);
                model.drain(index..model.len().min(index + count));
            }
            (_, Some(place)) => {
                let tail = pack.split_off(place);
                assert_eq!(texts(&tail), model[index..]);
                pack.merge(&tail);
            }
        }
        agrees(&pack, &model);
    }
}

/// A short string as it stands in the input, a number, or a string at the edge of a width.
fn element(len: u8, rest: &[u8]) -> (Vec<u8>, &[u8]) {
    const EDGES: [usize; 8] = [63, 64, 126, 127, 4095, 4096, 16_378, 16_379];
    match len {
        0..64 => {
            let (text, rest) = rest.split_at(rest.len().min(usize::from(len)));
            (text.to_vec(), rest)
        }
        64..192 => match rest.split_first_chunk::<8>() {
            Some((number, rest)) => {
                let number = i64::from_le_bytes(*number) >> (len % 64);
                (number.to_string().into_bytes(), rest)
            }
            None => (vec![len], rest),
        },
        _ => (vec![len; EDGES[usize::from(len % 8)]], rest),
    }
}

fn texts(pack: &Listpack) -> Vec<Vec<u8>> {
    let text = |element: Element<'_>| {
        let mut out = Vec::new();
        element.write_to(&mut out);
        out
    };
    pack.iter().map(|(_, element)| text(element)).collect()
}

fn agrees(pack: &Listpack, model: &[Vec<u8>]) {
    assert_eq!(pack.len(), model.len());
    assert_eq!(texts(pack), model);
    assert_eq!(Listpack::from_bytes(pack.as_bytes()).as_ref(), Ok(pack));
    let (mut forward, mut backward) = (pack.first(), pack.last());
    for index in 0..model.len() {
        assert_eq!(forward, pack.seek(index));
        assert_eq!(backward, pack.seek_back(index));
        forward = forward.and_then(|place| pack.next(place));
        backward = backward.and_then(|place| pack.prev(place));
    }
    assert_eq!((forward, backward), (None, None));
}
