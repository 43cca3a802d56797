//! The steps towards a member: which there are, for each form of each type.

use super::*;
use crate::hash::{Rules, Time};
use crate::{KeyHash, Limits};

const HASHER_SEED: [u8; 16] = [3; 16];

fn hash(fields: usize) -> Hash {
    let (limits, hasher) = (Limits::default(), KeyHash::new(HASHER_SEED));
    let mut hash = Hash::new();
    for number in 0..fields {
        hash.set(
            format!("field{number}").as_bytes(),
            b"value",
            Time::Never,
            Rules { limits: &limits, hasher },
        );
    }
    hash
}

#[test]
fn what_is_small_is_one_step() {
    for value in &[Value::Hash(hash(3)), Value::Set(Set::new()), Value::Zset(Zset::new())] {
        let value = value.view();
        assert!(!value.is_hashed());
        assert!(value.line(Step::Content).is_some());
        assert_eq!(value.line(Step::Bucket(7)), None);
        assert_eq!(value.line(Step::Member(7)), None);
    }
}

#[test]
fn what_is_large_leads_to_the_member() {
    let value = Value::Hash(hash(2000));
    let value = value.view();
    assert!(value.is_hashed());
    assert!(value.line(Step::Content).is_some());
    let hasher = KeyHash::new(HASHER_SEED);
    let reached = |name: &str| {
        let hash = hasher.of(name.as_bytes());
        assert!(value.line(Step::Bucket(hash)).is_some());
        value.line(Step::Member(hash)).is_some()
    };
    let found = (0..2000).filter(|number| reached(&format!("field{number}"))).count();
    assert!(found > 1900, "{found}");
    let found = (2000..3000).filter(|number| reached(&format!("field{number}"))).count();
    assert!(found < 100, "{found}");
}

#[test]
fn what_has_no_members_has_content() {
    for value in &[Value::List(List::new()), Value::Stream(Box::default())] {
        let value = value.view();
        assert!(!value.is_hashed());
        assert!(value.line(Step::Content).is_some());
        assert_eq!(value.line(Step::Member(7)), None);
    }
}
