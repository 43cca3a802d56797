//! Counters against a plain array of registers, in both encodings and at the change of them.

use super::*;
use proptest::prelude::*;

fn values(bytes: &[u8]) -> Vec<u8> {
    let mut registers = Registers::default();
    registers.merge(bytes).unwrap();
    registers.values().to_vec()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn registers_agree_with_an_array(
        raises in prop::collection::vec((0_usize..REGISTERS, 1_u8..34), 1..400),
        near in any::<bool>(),
        sparse_max in prop::sample::select(vec![0_usize, 40, 300, 3000, 16000]),
    ) {
        let mut bytes = empty();
        let mut model = vec![0; REGISTERS];
        for (register, rank) in raises {
            let (register, rank) =
                if near { (register % 40, rank % 3 + 1) } else { (register, rank) };
            let raised = raise(&mut bytes, register, rank, sparse_max).unwrap();
            prop_assert_eq!(raised, model[register] < rank);
            model[register] = model[register].max(rank);
            let is_sparse = encoding(&bytes) == Some(Encoding::Sparse);
            prop_assert!(!is_sparse || bytes.len() <= sparse_max.max(18));
        }
        prop_assert_eq!(&values(&bytes), &model);
        let estimate = count(&bytes).unwrap();
        let mut registers = Registers::default();
        registers.merge(&bytes).unwrap();
        prop_assert_eq!(registers.count(), estimate);
        let mut dense = bytes.clone();
        to_dense(&mut dense).unwrap();
        prop_assert_eq!(encoding(&dense), Some(Encoding::Dense));
        prop_assert_eq!(count(&dense), Ok(estimate));
        prop_assert_eq!(&values(&dense), &model);
        let mut written = dense.clone();
        written[HEADER..].fill(0x55);
        registers.write_dense(&mut written);
        prop_assert_eq!(written, dense);
    }

    #[test]
    fn no_bytes_bring_it_down(
        opcodes in prop::collection::vec(any::<u8>(), 0..600),
        register in 0_usize..REGISTERS,
        rank in 1_u8..51,
    ) {
        let mut bytes = empty();
        bytes.truncate(HEADER);
        bytes.extend(opcodes);
        let whole = count(&bytes).is_ok();
        prop_assert_eq!(Registers::default().merge(&bytes).is_ok(), whole);
        prop_assert_eq!(to_dense(&mut bytes.clone()).is_ok(), whole);
        runs(&bytes).for_each(drop);
        let _ = raise(&mut bytes, register, rank, 3000);
    }
}

#[test]
fn the_hash_and_the_estimate_are_those_of_redis() {
    let mut bytes = empty();
    for element in ["a", "b", "c", "d", "e", "f", "g"] {
        assert_eq!(add(&mut bytes, element.as_bytes(), 3000), Ok(true));
    }
    assert_eq!(count(&bytes), Ok(7));
    assert_eq!(add(&mut bytes, b"a", 3000), Ok(false));
    assert_eq!(cached(&bytes), None);
    set_cached(&mut bytes, 7);
    assert_eq!(cached(&bytes), Some(7));
}

#[test]
fn the_estimate_is_close() {
    let mut bytes = empty();
    for number in 1..=100_000_u64 {
        add(&mut bytes, &number.to_le_bytes(), 3000).unwrap();
    }
    let estimate = count(&bytes).unwrap();
    assert!((97_000..103_000).contains(&estimate), "{estimate}");
}

#[test]
fn headers_are_checked() {
    assert_eq!(encoding(&empty()), Some(Encoding::Sparse));
    assert_eq!(encoding(b"HYLL"), None);
    let mut other = empty();
    other[4] = 2;
    assert_eq!(encoding(&other), None);
    other[4] = 0;
    assert_eq!(encoding(&other), None);
    other[4] = 1;
    other[0] = b'h';
    assert_eq!(encoding(&other), None);
}
