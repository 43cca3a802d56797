//! Names are found in any case, and what merely resembles one is not.

use super::*;

fn names(all: &[&[u8]]) -> Names {
    Names::new(all.iter().zip(0..).map(|(name, id)| ((*name).into(), id)).collect())
}

#[test]
fn letters_alone_are_folded() {
    for byte in 0..=255u8 {
        for shift in 0..8 {
            let bytes = u64::from(byte) << (8 * shift) | 0x55 << (8 * ((shift + 1) % 8));
            let expected = bytes.to_le_bytes().map(|byte| byte.to_ascii_lowercase());
            assert_eq!(lowercase(bytes).to_le_bytes(), expected, "{bytes:016x}");
        }
    }
}

#[test]
fn every_length_is_found_in_any_case() {
    let text = b"abcdefghijklmnopqrstuvwxyz_0";
    let all: Vec<&[u8]> = (1..=text.len()).map(|len| &text[..len]).collect();
    let names = names(&all);
    for (name, id) in all.iter().zip(0..) {
        assert_eq!(names.find(name), Some(id));
        assert_eq!(names.find(&name.to_ascii_uppercase()), Some(id));
        for at in 0..name.len() {
            let mut other = name.to_vec();
            other[at] = other[at].to_ascii_uppercase();
            assert_eq!(names.find(&other), Some(id));
            other[at] = b'.';
            assert_eq!(names.find(&other), None, "{other:?}");
            other[at] = name[at] ^ 0x80;
            assert_eq!(names.find(&other), None, "{other:?}");
        }
    }
    assert_eq!(names.find(b""), None);
}

#[test]
fn bytes_that_differ_by_the_bit_of_the_case_are_told_apart() {
    let names = names(&[b"georadius_ro", b"a0", b"[x]"]);
    for wrong in [&b"georadius\x7fro"[..], b"a\x10", b"{x}"] {
        assert_eq!(names.find(wrong), None);
    }
    assert_eq!(names.find(b"GEOradius_RO"), Some(0));
}
