//! A list in parts, as it is saved and as it comes back: listpacks, and elements too long for one.

use super::node::{Node, View};
use super::quick::Quick;
use super::{Fill, Form, List, Marker};
use crate::Limits;
use crate::compact::{Element, Listpack};

/// A part of a list; a compressed one has the length of what the stream stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part<'a> {
    /// The bytes of a listpack.
    Pack(&'a [u8]),
    /// The same, compressed.
    PackLzf(usize, &'a [u8]),
    /// One element.
    Plain(&'a [u8]),
    /// The same, compressed.
    PlainLzf(usize, &'a [u8]),
}

impl List {
    /// How many parts there are.
    pub fn part_count(&self) -> usize {
        match self.form.view() {
            Form::Small(_) => 1,
            Form::Large(quick) => quick.nodes(),
        }
    }

    /// Calls `visit` with up to so many parts from the one of this number on; whether there is none
    /// behind them.
    pub fn parts(&self, from: usize, count: usize, visit: impl FnMut(Part<'_>)) -> bool {
        let end = from.saturating_add(count).min(self.part_count());
        match self.form.view() {
            Form::Small(pack) => std::iter::once(Part::Pack(pack.as_bytes())).for_each(visit),
            Form::Large(quick) => quick.nodes_in(from..end).map(Node::part).for_each(visit),
        }
        end == self.part_count()
    }

    /// Calls `visit` with the elements of up to so many parts from the one of this number on;
    /// whether there is none behind them.
    pub fn elements_of_parts(
        &self,
        from: usize,
        count: usize,
        mut visit: impl FnMut(Element<'_>),
    ) -> bool {
        let end = from.saturating_add(count).min(self.part_count());
        match self.form.view() {
            Form::Small(pack) => pack.iter().for_each(|(_, element)| visit(element)),
            Form::Large(quick) => quick.nodes_in(from..end).for_each(|node| match node.view() {
                View::Packed(pack) => pack.iter().for_each(|(_, element)| visit(element)),
                View::Plain(element) => visit(Element::Str(&element)),
            }),
        }
        end == self.part_count()
    }

    /// Whether every server can read the parts (see [`Listpack::is_portable`]).
    pub fn is_portable(&self) -> bool {
        match self.form.view() {
            Form::Small(pack) => pack.is_portable(),
            Form::Large(quick) => quick.each_node().all(Node::is_portable),
        }
    }
}

/// Puts a list together from the left to the right. What was one part stays one.
pub struct Builder {
    quick: Quick,
}

impl Builder {
    /// An empty list under the limits of this moment.
    pub fn new(limits: &Limits) -> Self {
        Self { quick: Quick::of(Listpack::new(), limits) }
    }

    /// Adds the elements of a listpack; an empty one adds nothing.
    pub fn push_pack(&mut self, pack: Listpack) {
        if !pack.is_empty() {
            self.quick.push_node(Node::packed(pack));
        }
    }

    /// Adds an element as a part of its own.
    pub fn push_plain(&mut self, element: &[u8]) {
        self.quick.push_node(Node::of(element, true));
    }

    /// Adds an element where it fits.
    pub fn push(&mut self, element: &[u8]) {
        self.quick.push(super::End::Right, element);
    }

    /// The list, a small one when its only part would fit into one.
    pub fn finish(mut self, limits: &Limits) -> List {
        if self.quick.len() == 0 {
            return List::new();
        }
        if let Some(pack) = self.quick.take_whole(Fill::new(limits)) {
            return List { form: Form::Small(pack).into() };
        }
        self.quick.settle();
        List { form: Form::Large(Marker::new(self.quick)).into() }
    }
}
