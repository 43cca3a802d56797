//! The invariants of the table.

use std::collections::HashSet;

use super::*;

#[test]
fn ids_are_positions_and_names_are_sorted() {
    for (at, row) in DIRECTIVES.iter().enumerate() {
        assert_eq!(row.id as usize, at, "{}", row.name);
        assert!(std::ptr::eq(Directive::of(row.id), row));
    }
    assert!(DIRECTIVES.windows(2).all(|pair| pair[0].name < pair[1].name));
}

#[test]
fn no_name_is_given_twice() {
    let mut seen = HashSet::new();
    for row in DIRECTIVES {
        for name in std::iter::once(&row.name).chain(row.aliases) {
            assert!(seen.insert(*name), "{name} twice");
            assert_eq!(*name, name.to_ascii_lowercase());
        }
    }
}

#[test]
fn defaults_lie_in_their_range() {
    for row in DIRECTIVES {
        let fits = match row.kind {
            Kind::Int { min, max, default } => (min..=max).contains(&default),
            Kind::Memory { min, max, default } => (min..=max).contains(&default),
            Kind::SignedMemory { min, default } => default >= min,
            Kind::Octal { max, default } => (0..=max).contains(&default),
            Kind::Choice { choices, default } | Kind::Flags { choices, default } => {
                choices.iter().any(|(word, _)| *word == default)
            }
            _ => true,
        };
        assert!(fits, "{}", row.name);
    }
}

#[test]
fn reasons_read_as_the_end_of_a_sentence() {
    for row in DIRECTIVES {
        let (Effect::NoEffect(text) | Effect::Planned(text)) = row.effect else {
            continue;
        };
        assert!(!text.is_empty() && !text.ends_with('.'), "{}", row.name);
    }
}

#[test]
fn the_letter_a_covers_all_classes_but_misses_and_new_keys() {
    let named = |letters: &[u8]| {
        EVENT_CLASSES.iter().filter(|c| letters.contains(&c.0)).map(|c| c.1).sum::<u32>()
    };
    assert_eq!(EVENTS_ALL, named(b"g$lshzxetda"));
    // `A` is no class; those of Redis are not offered.
    assert_eq!(EVENT_CLASSES.len(), EVENTS_NAME.len() - 1 + b"aocSTIV".len());
}
