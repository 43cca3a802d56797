//! Random choice. The randomness is the caller's: a function that gives a number below another.
//!
//! A choice is among groups of `stride` entries (1: single entries, 2: a field and its value), and
//! gives the position of the group's first entry.

use super::{Listpack, Position, entry};

impl Listpack {
    /// One group, each as likely as the others. `None` if there is none.
    pub fn pick(&self, stride: usize, random: &mut impl FnMut(usize) -> usize) -> Option<Position> {
        match self.len() / stride {
            0 => None,
            groups => self.seek(random(groups) * stride),
        }
    }

    /// `count` groups independently of each other, in the order of choice. None if there is no
    /// group. Costs one walk, and memory for `count` positions and their order.
    pub fn pick_many(
        &self,
        count: usize,
        stride: usize,
        random: &mut impl FnMut(usize) -> usize,
    ) -> Vec<Position> {
        let groups = self.len() / stride;
        let Some(first) = self.first().filter(|_| groups > 0) else { return Vec::new() };
        let mut wanted: Vec<(usize, usize)> =
            (0..count).map(|order| (random(groups), order)).collect();
        wanted.sort_unstable();
        let mut picked = vec![first; count];
        let (mut at, mut group) = (first.at(), 0);
        for (index, order) in wanted {
            at = entry::skip(self.as_bytes(), at, (index - group) * stride);
            group = index;
            picked[order] = Position::new(at);
        }
        picked
    }

    /// `count` different groups, or all if there are fewer, in the order of the listpack; each
    /// set of that size is as likely as the others. Costs one walk.
    pub fn pick_unique(
        &self,
        count: usize,
        stride: usize,
        random: &mut impl FnMut(usize) -> usize,
    ) -> Vec<Position> {
        let groups = self.len() / stride;
        let mut missing = count.min(groups);
        let mut picked = Vec::with_capacity(missing);
        let mut at = super::HEADER;
        // Each group is taken with the probability that keeps all sets equally likely: what is
        // still missing over what is still ahead.
        for ahead in (1..=groups).rev() {
            if missing == 0 {
                break;
            }
            if random(ahead) < missing {
                picked.push(Position::new(at));
                missing -= 1;
            }
            at = entry::skip(self.as_bytes(), at, stride);
        }
        picked
    }
}
