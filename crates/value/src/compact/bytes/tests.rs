//! Against a vector, and the sizes of allocations.

use proptest::prelude::*;

use super::{Bytes, PREFIX, size_class};

#[test]
fn the_handle_is_one_word() {
    assert_eq!(size_of::<Bytes>(), size_of::<usize>());
    assert_eq!(size_of::<Option<Bytes>>(), size_of::<usize>());
}

#[test]
fn size_classes_are_those_of_jemalloc() {
    let classes = [
        8, 16, 32, 48, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 640, 768, 896,
        1024, 1280, 1536, 1792, 2048, 2560, 3072, 3584, 4096, 5120, 6144, 7168, 8192, 10240, 12288,
        14336, 16384, 20480, 24576, 28672, 32768, 40960,
    ];
    let mut previous = 0;
    for class in classes {
        for len in previous + 1..=class {
            assert_eq!(size_class(len), class, "{len}");
        }
        previous = class;
    }
    assert_eq!(size_class((1 << 32) - 1), 1 << 32);
}

#[test]
#[should_panic(expected = "outside the content")]
fn the_length_cannot_be_overwritten() {
    Bytes::<0>::new(b"abc").splice(PREFIX - 1, 1, [b"", b"", b""]);
}

#[test]
#[should_panic(expected = "outside the content")]
fn nothing_is_removed_behind_the_end() {
    Bytes::<0>::new(b"abc").splice(PREFIX + 1, 3, [b"", b"", b""]);
}

fn part() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => prop::collection::vec(any::<u8>(), 0..10),
        1 => prop::collection::vec(any::<u8>(), 0..400),
    ]
}

proptest! {
    #[test]
    fn agrees_with_a_vector(
        start in part(),
        steps in prop::collection::vec((any::<u16>(), any::<u16>(), part(), part(), part()), 0..40),
    ) {
        let mut model = start;
        let mut bytes = Bytes::<3>::new(&model);
        for (at, removed, first, second, third) in steps {
            let at = usize::from(at) % (model.len() + 1);
            let removed = usize::from(removed) % (model.len() - at + 1);
            bytes.splice(at + PREFIX, removed, [&first, &second, &third]);
            model.splice(at..at + removed, [first, second, third].concat());
            prop_assert_eq!(bytes.content(), &model[..]);
            prop_assert_eq!(bytes.len(), model.len() + PREFIX);
            prop_assert_eq!(&bytes.as_slice()[..PREFIX], (bytes.len() as u32).to_le_bytes());
            if removed % 5 == 0 {
                model.truncate(at);
                bytes.truncate(PREFIX + model.len());
                let copy = bytes.clone();
                prop_assert_eq!(copy.content(), &model[..]);
            }
            if let Some(last) = bytes.content_mut().last_mut() {
                *last ^= 0xA5;
                *model.last_mut().unwrap() ^= 0xA5;
            }
        }
    }
}
