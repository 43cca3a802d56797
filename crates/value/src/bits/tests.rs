//! Bits against one bit at a time.

use proptest::prelude::*;

use super::*;

fn bit(bytes: &[u8], at: u64) -> bool {
    bytes.get((at / 8) as usize).is_some_and(|byte| byte >> (7 - at % 8) & 1 == 1)
}

fn strings() -> impl Strategy<Value = Vec<Vec<u8>>> {
    prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..5)
}

proptest! {
    #[test]
    fn counting_and_searching(
        fill in prop::sample::select(vec![0_u8, 0xff]),
        len in 1_usize..300,
        set in prop::collection::vec((0_usize..300, any::<u8>()), 0..6),
        ends in (0_u64..2500, 0_u64..2500),
    ) {
        let mut bytes = vec![fill; len];
        set.into_iter().filter(|set| set.0 < len).for_each(|(at, value)| bytes[at] = value);
        let range = ends.0.min(len as u64 * 8)..ends.1.min(len as u64 * 8);
        let ones = range.clone().filter(|&at| bit(&bytes, at)).count() as u64;
        prop_assert_eq!(count_in(&bytes, range.clone()), ones);
        for value in [false, true] {
            let first = range.clone().find(|&at| bit(&bytes, at) == value);
            prop_assert_eq!(find_in(&bytes, value, range.clone()), first);
        }
        prop_assert_eq!(count(&bytes), count_in(&bytes, 0..len as u64 * 8));
    }

    #[test]
    fn combining(sources in strings(), long in any::<bool>()) {
        use Combine::*;
        let mut sources = sources;
        if long {
            sources.iter_mut().for_each(|source| *source = source.repeat(60));
        }
        let parts: Vec<&[u8]> = sources.iter().map(Vec::as_slice).collect();
        for how in [And, Or, Xor, Diff, Diff1, AndOr, One] {
            let combined = combine(how, &parts);
            prop_assert_eq!(combined.len(), parts.iter().map(|part| part.len()).max().unwrap());
            for at in 0..combined.len() as u64 * 8 {
                let x = bit(parts[0], at);
                let ys = parts[1..].iter().filter(|part| bit(part, at)).count();
                let expected = match how {
                    And => x && ys + 1 == parts.len(),
                    Or => x || ys > 0,
                    Xor => (usize::from(x) + ys) % 2 == 1,
                    Diff => x && ys == 0,
                    Diff1 => !x && ys > 0,
                    AndOr => x && ys > 0,
                    One => usize::from(x) + ys == 1,
                    Not => unreachable!(),
                };
                prop_assert_eq!(bit(&combined, at), expected, "{:?} at {}", how, at);
            }
        }
        let not: Vec<u8> = parts[0].iter().map(|byte| !byte).collect();
        prop_assert_eq!(combine(Not, &parts[..1]), not);
    }

    #[test]
    fn integers(
        bytes in prop::collection::vec(any::<u8>(), 20),
        at in 0_u64..90,
        width in 1_u32..=64,
        value: u64,
    ) {
        let mut changed = bytes.clone();
        write(&mut changed, at, width, value);
        let kept = value & u64::MAX >> (64 - width);
        prop_assert_eq!(read(&changed, at, width), kept);
        for other in (0..160).filter(|other| !(at..at + u64::from(width)).contains(other)) {
            prop_assert_eq!(bit(&changed, other), bit(&bytes, other));
        }
    }

    #[test]
    fn fitting(value: i64, increment: i64, width in 1_u32..=64) {
        let value = sign_extend(value as u64, width);
        let exact = i128::from(value) + i128::from(increment);
        let (min, max) = (-(1_i128 << (width - 1)), (1_i128 << (width - 1)) - 1);
        let fits = (min..=max).contains(&exact);
        let fail = fit_signed(value, increment, width, Overflow::Fail);
        prop_assert_eq!(fail.map(i128::from), fits.then_some(exact));
        let sat = fit_signed(value, increment, width, Overflow::Saturate);
        prop_assert_eq!(sat.map(i128::from), Some(exact.clamp(min, max)));
        let wrap = fit_signed(value, increment, width, Overflow::Wrap);
        prop_assert_eq!(wrap, Some(sign_extend(exact as u64, width)));
        if width < 64 {
            let value = value as u64 & u64::MAX >> (64 - width);
            let exact = i128::from(value) + i128::from(increment);
            let max = (1_i128 << width) - 1;
            let fits = (0..=max).contains(&exact);
            let fail = fit_unsigned(value, increment, width, Overflow::Fail);
            prop_assert_eq!(fail.map(i128::from), fits.then_some(exact));
            let sat = fit_unsigned(value, increment, width, Overflow::Saturate);
            prop_assert_eq!(sat.map(i128::from), Some(exact.clamp(0, max)));
            let wrap = fit_unsigned(value, increment, width, Overflow::Wrap);
            prop_assert_eq!(wrap, Some((exact & max) as u64));
        }
    }
}

#[test]
fn reading_beyond_the_end() {
    assert_eq!(read(&[0xff], 4, 8), 0xf0);
    assert_eq!(read(&[0xff], 800, 63), 0);
    assert_eq!(read(&[], 0, 64), 0);
}
