//! Against the `lzf` crate in both directions, at the edges of runs and references, and with
//! damaged streams.

use proptest::prelude::*;

use super::{Compressor, DISTANCE_MAX, REPEAT_MAX, decompress};

fn unpacked(stream: &[u8], len: usize) -> Result<Vec<u8>, &'static str> {
    let mut out = b"before".to_vec();
    let result = decompress(stream, len, &mut out);
    assert!(out.starts_with(b"before") && (result.is_ok() || out.len() == 6));
    result.map(|()| out.split_off(6)).map_err(|corrupt| corrupt.what)
}

fn round_trip(compressor: &mut Compressor, input: &[u8]) -> usize {
    let mut stream = b"before".to_vec();
    let len = compressor.compress(input, usize::MAX, &mut stream).unwrap();
    let stream = &stream[6..];
    assert_eq!(stream.len(), len);
    assert!(unpacked(stream, input.len()).as_deref() == Ok(input));
    assert!(lzf::decompress(stream, input.len()).as_deref() == Ok(input));
    len
}

#[test]
fn the_stream() {
    let spelled = |stream: &[u8], len| unpacked(stream, len);
    assert_eq!(spelled(&[2, b'a', b'b', b'c'], 3).unwrap(), b"abc");
    assert_eq!(spelled(&[0, b'a', 0x20, 0], 4).unwrap(), b"aaaa");
    assert_eq!(spelled(&[1, b'a', b'b', 0xC0, 1], 10).unwrap(), b"ababababab");
    assert_eq!(spelled(&[0, b'a', 0xE0, 1, 0], 11).unwrap(), b"aaaaaaaaaaa");
}

#[test]
fn what_is_wrong_is_said() {
    let cut = Err("compressed bytes are cut off");
    assert_eq!(unpacked(&[2, b'a', b'b'], 3), cut);
    assert_eq!(unpacked(&[0, b'a', 0x20], 4), cut);
    assert_eq!(unpacked(&[0, b'a', 0xE0, 0], 10), cut);
    let long = Err("compressed bytes stand for more than their length");
    assert_eq!(unpacked(&[2, b'a', b'b', b'c'], 2), long);
    assert_eq!(unpacked(&[0, b'a', 0x20, 0], 3), long);
    let less = Err("compressed bytes stand for less than their length");
    assert_eq!(unpacked(&[2, b'a', b'b', b'c'], 4), less);
    let not_there = Err("compressed bytes refer to what is not there");
    assert_eq!(unpacked(&[0, b'a', 0x20, 1], 4), not_there);
    assert_eq!(unpacked(&[0x20, 0], 3), not_there);
    let short = Err("compressed bytes too short for their length");
    assert_eq!(unpacked(&[0, b'a'], 1 << 40), short);
    assert_eq!(unpacked(&[], 0), Ok(Vec::new()));
}

#[test]
fn edges_of_runs_and_references() {
    let mut compressor = Compressor::new();
    let noise = |len: usize| -> Vec<u8> {
        let mut random = fastrand::Rng::with_seed(7);
        (0..len).map(|_| random.u8(..)).collect()
    };
    for len in (1..100).chain(250..300) {
        round_trip(&mut compressor, &vec![b'x'; len]);
        round_trip(&mut compressor, &noise(len));
        round_trip(&mut compressor, &[noise(len), b"--".to_vec(), noise(len)].concat());
    }
    for gap in [DISTANCE_MAX - 21, DISTANCE_MAX - 20, DISTANCE_MAX - 19] {
        let mut input = noise(20);
        input.resize(20 + gap, b'-');
        input.extend(noise(20));
        round_trip(&mut compressor, &input);
    }
    let repeats = round_trip(&mut compressor, &vec![b'x'; 1 + 10 * REPEAT_MAX]);
    assert_eq!(repeats, 2 + 10 * 3);
}

#[test]
fn the_limit_is_kept() {
    let mut compressor = Compressor::new();
    let input = b"abcabcabcabcabcabcabcabcabcabcabcabc and abcdefgh";
    let len = round_trip(&mut compressor, input);
    let mut out = vec![1];
    for limit in 0..len {
        assert_eq!(compressor.compress(input, limit, &mut out), None, "{limit}");
        assert_eq!(out, [1]);
    }
    assert_eq!(compressor.compress(input, len, &mut out), Some(len));
    assert_eq!(compressor.compress(b"", 10, &mut out), None);
}

#[test]
fn the_table_outlives_its_numbers() {
    let mut compressor = Compressor::new();
    let input = b"to be or not to be, that is the question: to be";
    let len = round_trip(&mut compressor, input);
    compressor.base = u32::MAX - 100;
    for _ in 0..5 {
        assert_eq!(round_trip(&mut compressor, input), len);
    }
    assert!(compressor.base < 1000);
}

/// Every changed byte of a stream: an error, or as many bytes as announced.
#[test]
fn damage_is_refused_or_harmless() {
    let mut compressor = Compressor::new();
    let input = b"field:0001 value field:0002 value field:0003 value aaaaaaaaaaaaaaaaaaaaaaaa";
    let mut stream = Vec::new();
    compressor.compress(input, usize::MAX, &mut stream).unwrap();
    for at in 0..stream.len() {
        assert!(unpacked(&stream[..at], input.len()).is_err());
        for byte in 0..=255 {
            let mut odd = stream.clone();
            odd[at] = byte;
            let ours = unpacked(&odd, input.len());
            assert!(ours.is_err() || ours.as_ref().unwrap().len() == input.len());
            let theirs = lzf::decompress(&odd, input.len()).ok();
            assert_eq!(ours.ok(), theirs.filter(|out| out.len() == input.len()));
        }
    }
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 1..200),
        prop::collection::vec(0u8..3, 1..3000),
        prop::collection::vec(
            prop::sample::select(vec!["field:", "value", "0", "17", "\n"]),
            1..4000
        )
        .prop_map(|words| words.concat().into_bytes()),
    ]
}

proptest! {
    #[test]
    fn both_directions(inputs in prop::collection::vec(text(), 1..4)) {
        let mut compressor = Compressor::new();
        for input in inputs {
            round_trip(&mut compressor, &input);
            if let Ok(stream) = lzf::compress(&input) {
                let ours = unpacked(&stream, input.len());
                prop_assert_eq!(ours.as_deref(), Ok(&input[..]));
            }
        }
    }

    #[test]
    fn any_bytes(stream in prop::collection::vec(any::<u8>(), 0..60), len in 0usize..3000) {
        if let Ok(out) = unpacked(&stream, len) {
            prop_assert_eq!(out.len(), len);
        }
    }
}
