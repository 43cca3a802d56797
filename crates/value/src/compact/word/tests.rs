//! The handles that a word can be: kept, changed in place, exchanged and freed.

use super::{Form, Form3, Marker, Pair, Triple};
use crate::compact::{Intset, Listpack};

type Big = Marker<Vec<u8>, 1>;

#[test]
fn a_word_holds_either_form() {
    let mut word: Pair<Listpack, Big> = Form::Small(Listpack::new()).into();
    assert_eq!(size_of_val(&word), size_of::<usize>());
    let Form::Small(pack) = word.view_mut() else { panic!("it is small") };
    pack.push_back(b"one".as_slice());
    *pack = pack.clone();
    pack.push_back(b"two".as_slice());
    let Form::Small(pack) = word.view() else { panic!("it stays small") };
    assert_eq!(pack.len(), 2);
    let copy = word.clone();
    word = Form::Large(Marker::new(vec![7; 3])).into();
    let Form::Large(bytes) = word.view_mut() else { panic!("it is large") };
    bytes.push(8);
    assert_eq!(**bytes, [7, 7, 7, 8]);
    assert_eq!(format!("{:?}", word.clone()), "Large([7, 7, 7, 8])");
    assert!(matches!(copy.view(), Form::Small(pack) if pack.len() == 2));
}

#[test]
fn a_word_holds_one_of_three_forms() {
    let mut word: Triple<Intset, Listpack, Big> = Form3::Ints(Intset::new()).into();
    assert_eq!(size_of_val(&word), size_of::<usize>());
    let Form3::Ints(ints) = word.view_mut() else { panic!("it has numbers") };
    assert!(ints.insert(5) && ints.insert(1 << 40));
    assert!(matches!(word.view(), Form3::Ints(ints) if ints.len() == 2));
    word = Form3::Small(Listpack::new()).into();
    assert!(matches!(word.view(), Form3::Small(pack) if pack.is_empty()));
    word = Form3::Large(Marker::new(vec![1])).into();
    assert!(matches!(word.clone().view(), Form3::Large(bytes) if ***bytes == [1]));
}
