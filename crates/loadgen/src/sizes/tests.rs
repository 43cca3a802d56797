//! Sizes as they are written, and what is drawn from them.

use super::*;

#[test]
fn sizes_are_read() {
    assert_eq!(Sizes::parse("100"), Ok(Sizes::Fixed(100)));
    assert_eq!(Sizes::parse("0-7"), Ok(Sizes::Between(0, 7)));
    assert_eq!(Sizes::parse("exp:20"), Ok(Sizes::Exponential(20.0)));
    assert_eq!(Sizes::parse("64:90,4096:10"), Ok(Sizes::Weighted(vec![(64, 90), (4096, 100)])));
    for wrong in ["", "x", "-1", "7-1", "1-", "exp:", "exp:nan", "exp:0", "1:0", "1:", ":1", "1:2,"]
    {
        assert!(Sizes::parse(wrong).is_err(), "{wrong}");
    }
    assert!(Sizes::parse("99999999999").is_err());
}

#[test]
fn drawn_sizes_follow_their_distribution() {
    let mut random = Rng::with_seed(3);
    let mut draw = |text: &str| -> Vec<usize> {
        let sizes = Sizes::parse(text).unwrap();
        (0..100_000).map(|_| sizes.next(&mut random)).collect()
    };
    assert!(draw("5").iter().all(|size| *size == 5));
    let between = draw("10-19");
    for size in 10..20 {
        let count = between.iter().filter(|drawn| **drawn == size).count();
        assert!((9_400..10_600).contains(&count), "{size}: {count}");
    }
    let weighted = draw("1:90,2:10");
    let small = weighted.iter().filter(|size| **size == 1).count();
    assert!((89_400..90_600).contains(&small), "{small}");
    let exponential = draw("exp:200");
    let mean = exponential.iter().sum::<usize>() as f64 / 100_000.0;
    assert!((196.0..204.0).contains(&mean), "{mean}");
    // The median of the distribution is its mean times the logarithm of two.
    let below = exponential.iter().filter(|size| **size <= 138).count();
    assert!((49_000..51_000).contains(&below), "{below}");
}

#[test]
fn data_is_printable_and_always_the_same() {
    assert_eq!(data(100), data(200)[..100]);
    assert!(data(1000).iter().all(|byte| (b'0'..b'p').contains(byte)));
}
