//! Intersection, union and difference of sets.
//!
//! The first three functions call `visit` with each element of the result, once, until it answers
//! `false`; they copy members only where that is cheaper. The `store_` ones make a set of the
//! result in the form that Redis and Valkey give it.

use super::{Content, Ints, Large, Listpack, Marker, Rules, Set, Small};
use crate::compact::{Element, Intset};

/// So many members in small forms are looked through again and again rather than put in a table.
const PROBED_MAX: usize = 64;
/// With more sets than this a union is put in a table.
const PROBED_SETS: usize = 8;

/// Members that all sets have. No sets have none.
pub fn intersect(sets: &[&Set], mut visit: impl FnMut(Element<'_>) -> bool) {
    let mut sorted = sets.to_vec();
    sorted.sort_by_key(|set| set.len());
    let Some((first, others)) = sorted.split_first() else { return };
    first.all(|element| {
        let in_all =
            others.iter().all(|set| std::ptr::eq(*set, *first) || set.contains_element(element));
        !in_all || visit(element)
    });
}

/// Members that any set has.
pub fn unite(sets: &[&Set], rules: &Rules<'_>, mut visit: impl FnMut(Element<'_>) -> bool) {
    let packed: usize =
        sets.iter().filter(|set| matches!(set.form.view(), Small(_))).map(|set| set.len()).sum();
    if sets.len() <= PROBED_SETS && (packed <= PROBED_MAX || sets.len() == 1) {
        for (index, set) in sets.iter().enumerate() {
            let earlier = &sets[..index];
            let goes_on = set.all(|element| {
                earlier.iter().any(|set| set.contains_element(element)) || visit(element)
            });
            if !goes_on {
                return;
            }
        }
        return;
    }
    let mut seen = Set { form: Large(Marker::new(Content::new(rules.hash))).into() };
    for set in sets {
        if !set.all(|element| !seen.add_element(element, rules) || visit(element)) {
            return;
        }
    }
}

/// Members of the first set that no other one has. `None` is a set without members.
pub fn diff(sets: &[Option<&Set>], mut visit: impl FnMut(Element<'_>) -> bool) {
    let Some((Some(first), others)) = sets.split_first() else { return };
    let mut others: Vec<&Set> = others.iter().copied().flatten().collect();
    if others.iter().any(|set| std::ptr::eq(*set, *first)) {
        return;
    }
    // A larger set is likelier to have the member, which ends the search.
    others.sort_by_key(|set| std::cmp::Reverse(set.len()));
    first.all(|element| others.iter().any(|set| set.contains_element(element)) || visit(element));
}

/// A set of the members that all sets have.
pub fn store_intersection(sets: &[&Set], rules: &Rules<'_>) -> Set {
    let smallest = sets.iter().min_by_key(|set| set.len());
    let is_ints = smallest.is_none_or(|set| matches!(set.form.view(), Ints(_)));
    let form = if is_ints { Ints(Intset::new()) } else { Small(Listpack::new()) };
    let mut result = Set { form: form.into() };
    let mut all_ints = true;
    intersect(sets, |element| {
        all_ints = all_ints && matches!(element.recognised(), Element::Int(_));
        result.add_element(element, rules);
        true
    });
    if all_ints {
        result.reduce_to_ints(rules);
    }
    result
}

/// A set of the members that any set has.
pub fn store_union(sets: &[&Set], rules: &Rules<'_>) -> Set {
    let mut result = Set::new();
    for set in sets {
        set.each(|element| {
            result.add_element(element, rules);
        });
    }
    result
}

/// A set of the members of the first set that no other one has. Whether the others are looked at
/// or taken out of a copy of the first shows in the form of the result.
pub fn store_diff(sets: &[Option<&Set>], rules: &Rules<'_>) -> Set {
    let mut result = Set::new();
    let Some((Some(first), others)) = sets.split_first() else { return result };
    let present: Vec<&Set> = others.iter().copied().flatten().collect();
    if present.iter().any(|set| std::ptr::eq(*set, *first)) {
        return result;
    }
    let looking = first.len() * (present.len() + 1) / 2;
    let copying = first.len() + present.iter().map(|set| set.len()).sum::<usize>();
    if looking <= copying {
        diff(sets, |element| {
            result.add_element(element, rules);
            true
        });
        return result;
    }
    first.each(|element| {
        result.add_element(element, rules);
    });
    for set in present {
        set.all(|element| {
            result.remove_element(element);
            !result.is_empty()
        });
    }
    result
}
