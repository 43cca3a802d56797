//! Every pair of entries that are the same is found, whatever their length, and no other.

use super::super::Listpack;
use super::are_distinct;

fn pack(texts: &[Vec<u8>]) -> Listpack {
    let mut pack = Listpack::new();
    texts.iter().for_each(|text| pack.push_back(&text[..]));
    pack
}

#[test]
fn what_comes_twice_is_found_wherever_it_stands() {
    for count in [2, 3, 15, 16, 17, 40] {
        for len in [0, 1, 2, 5, 6, 7, 20, 63, 64, 200, 5000] {
            // They differ at their end, at their beginning, or in their length alone.
            let texts: Vec<Vec<u8>> = (0..count)
                .map(|number: usize| match number % 3 {
                    0 => [vec![b'x'; len], format!("{number}").into_bytes()].concat(),
                    1 => [format!("{number}").into_bytes(), vec![b'x'; len + 1]].concat(),
                    _ => vec![b'x'; len + 1 + number],
                })
                .collect();
            assert!(are_distinct(&pack(&texts), 1), "{count} of {len}");
            for (one, other) in [(0, count - 1), (count / 2, count - 1), (0, 1)] {
                let mut same = texts.clone();
                same[other] = same[one].clone();
                let is_one = one == other;
                assert_eq!(are_distinct(&pack(&same), 1), is_one, "{count} of {len}");
            }
        }
    }
}

#[test]
fn only_every_so_many_counts() {
    let texts = |texts: [&str; 4]| texts.map(|text| text.as_bytes().to_vec());
    assert!(are_distinct(&pack(&texts(["a", "1", "b", "1"])), 2));
    assert!(!are_distinct(&pack(&texts(["1", "a", "1", "b"])), 2));
    assert!(are_distinct(&pack(&[]), 2));
}
