//! Random choice of members. Every choice is uniform: each member, or each set of so many members,
//! is as likely as another.

use std::collections::HashSet;

use super::{Ints, Large, Rules, Set, Small};
use crate::compact::{Element, Intset, Listpack};
use crate::number::Text;

/// A choice of more than this part of all members is made in one walk over all of them.
const WALK: usize = 3;
/// When fewer than this part of what is taken out stays, the rest is what is moved.
const REST: usize = 5;
/// So many positions in a listpack are chosen at a time.
const BATCH: usize = 1000;

/// A number below `end` from a source of 64-bit numbers.
#[inline]
fn below(end: usize, random: &mut dyn FnMut() -> u64) -> usize {
    // The product's high half is below `end`, which is a usize.
    #[allow(clippy::cast_possible_truncation)]
    let chosen = ((u128::from(random()) * end as u128) >> 64) as usize;
    chosen
}

impl Set {
    /// Calls `read` with a random member; `None` when there is none.
    pub fn pick<R>(
        &self,
        random: &mut dyn FnMut() -> u64,
        read: impl FnOnce(Element<'_>) -> R,
    ) -> Option<R> {
        match self.form.view() {
            Ints(ints) => {
                ints.pick(&mut |end| below(end, random)).map(|number| read(Element::Int(number)))
            }
            Small(pack) => {
                pack.pick(1, &mut |end| below(end, random)).map(|position| read(pack.get(position)))
            }
            Large(table) => table.random(random).map(|member| read(Element::Str(member.bytes()))),
        }
    }

    /// Calls `visit` with `count` random members, independently of each other, unless it answers
    /// `false` before.
    pub fn pick_many(
        &self,
        mut count: usize,
        random: &mut dyn FnMut() -> u64,
        mut visit: impl FnMut(Element<'_>) -> bool,
    ) {
        let Small(pack) = self.form.view() else {
            (0..count).all(|_| self.pick(random, &mut visit) == Some(true));
            return;
        };
        while count > 0 {
            let batch = count.min(BATCH);
            for position in pack.pick_many(batch, 1, &mut |end| below(end, random)) {
                if !visit(pack.get(position)) {
                    return;
                }
            }
            count -= batch;
        }
    }

    /// Calls `visit` with `count` different members, or with all if there are fewer, in no
    /// particular order.
    pub fn sample(
        &self,
        count: usize,
        random: &mut dyn FnMut() -> u64,
        mut visit: impl FnMut(Element<'_>),
    ) {
        let len = self.len();
        if let Small(pack) = self.form.view() {
            for position in pack.pick_unique(count, 1, &mut |end| below(end, random)) {
                visit(pack.get(position));
            }
            return;
        }
        if count >= len.div_ceil(WALK) {
            let mut choice = Choice { missing: count.min(len), ahead: len };
            self.each(|element| {
                if choice.takes(random) {
                    visit(element);
                }
            });
            return;
        }
        let mut seen = HashSet::with_capacity(count);
        while seen.len() < count {
            match self.form.view() {
                Ints(ints) => {
                    let index = below(len, random);
                    if let Some(number) = ints.get(index).filter(|_| seen.insert(index)) {
                        visit(Element::Int(number));
                    }
                }
                Large(table) => {
                    let Some(member) = table.random(random) else { return };
                    if seen.insert(member.bytes().as_ptr().addr()) {
                        visit(Element::Str(member.bytes()));
                    }
                }
                Small(_) => return,
            }
        }
    }

    /// Removes a random member after `read` has looked at it; `None` when there is none.
    pub fn pop<R>(
        &mut self,
        random: &mut dyn FnMut() -> u64,
        read: impl FnOnce(Element<'_>) -> R,
    ) -> Option<R> {
        match self.form.view_mut() {
            Ints(ints) if ints.is_empty() => None,
            Ints(ints) => Some(read(Element::Int(ints.remove_at(below(ints.len(), random))))),
            Small(pack) => {
                let position = pack.pick(1, &mut |end| below(end, random))?;
                let result = read(pack.get(position));
                pack.delete(position);
                Some(result)
            }
            Large(content) => {
                let (hash, raw) = {
                    let member = content.random(random)?;
                    (content.hasher().of(member.bytes()), member.address())
                };
                let member = content.table.remove_item(hash, raw)?;
                content.keep(hash, member.bytes(), true);
                Some(read(Element::Str(member.bytes())))
            }
        }
    }

    /// Removes `count` different members, fewer than there are, after `visit` has looked at each.
    /// When little stays, the set may be in a smaller form then.
    pub fn pop_many(
        &mut self,
        count: usize,
        rules: &Rules<'_>,
        random: &mut dyn FnMut() -> u64,
        mut visit: impl FnMut(Element<'_>),
    ) {
        let rest = self.len().saturating_sub(count);
        let few_stay = rest.saturating_mul(REST) <= count;
        match self.form.view_mut() {
            Small(pack) => pop_from_pack(pack, count, random, &mut visit),
            Ints(ints) => pop_from_ints(ints, count, random, &mut visit),
            // A reader who has claimed the set is to find it again.
            Large(content) if few_stay && !content.is_claimed() => {
                let mut kept = Self { form: Small(Listpack::new()).into() };
                for _ in 0..rest {
                    self.pop(random, |element| kept.add(element.text(&mut Text::new()), rules));
                }
                self.each(visit);
                *self = kept;
            }
            Large(_) => (0..count).for_each(|_| {
                self.pop(random, &mut visit);
            }),
        }
    }
}

fn pop_from_pack(
    pack: &mut Listpack,
    count: usize,
    random: &mut dyn FnMut() -> u64,
    visit: &mut impl FnMut(Element<'_>),
) {
    let positions = pack.pick_unique(count, 1, &mut |end| below(end, random));
    positions.iter().for_each(|position| visit(pack.get(*position)));
    if !positions.is_empty() {
        pack.delete_all(&positions);
    }
}

fn pop_from_ints(
    ints: &mut Intset,
    count: usize,
    random: &mut dyn FnMut() -> u64,
    visit: &mut impl FnMut(Element<'_>),
) {
    let mut kept = Intset::new();
    let mut choice = Choice { missing: count, ahead: ints.len() };
    for number in ints.iter() {
        if choice.takes(random) {
            visit(Element::Int(number));
        } else {
            kept.insert(number);
        }
    }
    *ints = kept;
}

/// Takes so many of what is ahead, one after the other, that every set of that size is equally
/// likely: each with the probability of what is missing over what is ahead.
struct Choice {
    missing: usize,
    ahead: usize,
}

impl Choice {
    fn takes(&mut self, random: &mut dyn FnMut() -> u64) -> bool {
        let takes = self.missing > 0 && below(self.ahead, random) < self.missing;
        self.missing -= usize::from(takes);
        self.ahead -= 1;
        takes
    }
}
