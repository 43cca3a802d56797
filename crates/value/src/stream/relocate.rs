//! Moving what a stream has allocated (see `crate::relocate`): first its nodes, then its groups.
//!
//! A cursor is the milliseconds of a node's first id, and above all times that a clock tells the
//! place of a consumer in a group. Nodes and groups that come and go between two steps may be
//! passed over or met again, until the next walk.

use std::collections::BTreeMap;

use super::group::Group;
use super::{Id, Stream};
use crate::{Pays, relocate};

/// A cursor among the groups: below this bit, the number of a group and that of a consumer in it.
const GROUPS: u64 = 1 << 63;
const GROUP_SHIFT: u32 = 32;

impl Stream {
    /// See [`crate::ValueMut::relocate`].
    pub(crate) fn relocate(&mut self, cursor: u64, count: usize, pays: Pays<'_>) -> u64 {
        if cursor & GROUPS != 0 {
            return self.relocate_groups(cursor, count, pays);
        }
        if cursor == 0 {
            relocate::map(&mut self.nodes, pays);
        }
        match self.relocate_nodes(cursor, count, pays) {
            Some(next) => next,
            None if self.groups.is_empty() => 0,
            None => GROUPS,
        }
    }

    fn relocate_nodes(&mut self, from_ms: u64, count: usize, pays: Pays<'_>) -> Option<u64> {
        let (mut seen, mut last) = (0, from_ms);
        for (id, node) in self.nodes.range_mut(Id::new(from_ms, 0)..) {
            if seen >= count && id.ms > last {
                return (id.ms < GROUPS).then_some(id.ms);
            }
            node.relocate(pays);
            (seen, last) = (seen + 1, id.ms);
        }
        None
    }

    fn relocate_groups(&mut self, cursor: u64, count: usize, pays: Pays<'_>) -> u64 {
        if cursor == GROUPS {
            relocate_names(&mut self.groups, pays);
        }
        let mut number = (cursor & !GROUPS) >> GROUP_SHIFT;
        let mut consumer = cursor as u32 as usize;
        let mut left = count.max(1);
        for group in self.groups.values_mut().skip(number as usize) {
            if left == 0 {
                return GROUPS | number << GROUP_SHIFT | consumer as u64;
            }
            match group.relocate(consumer, &mut left, pays) {
                Some(next) => return GROUPS | number << GROUP_SHIFT | next as u64,
                None => (number, consumer) = (number + 1, 0),
            }
        }
        0
    }
}

/// Moves the names of groups, which are keys, and builds the map anew when that pays.
fn relocate_names(groups: &mut BTreeMap<Box<[u8]>, Group>, pays: Pays<'_>) {
    let mut is_scattered = |name: &[u8]| !name.is_empty() && pays(name.as_ptr());
    if groups.len() <= relocate::TREE_MAX && groups.keys().any(|name| is_scattered(name)) {
        let moved = std::mem::take(groups).into_iter();
        *groups = moved.map(|(name, group)| (Box::from(&*name), group)).collect();
    } else {
        relocate::map(groups, pays);
    }
}
