//! Whether elements from outside are all different.

use std::collections::HashSet;

use super::Element;

/// So few elements are compared one by one.
const FEW: usize = 16;

/// Looks at each element as it comes.
pub(crate) struct Distinct<'a> {
    few: [Element<'a>; FEW],
    count: usize,
    many: HashSet<Element<'a>>,
}

impl Default for Distinct<'_> {
    fn default() -> Self {
        Self { few: [Element::Int(0); FEW], count: 0, many: HashSet::default() }
    }
}

impl<'a> Distinct<'a> {
    /// Whether the element has not come before.
    #[inline]
    pub(crate) fn add(&mut self, element: Element<'a>) -> bool {
        if self.count < FEW {
            let is_new = !self.few[..self.count].contains(&element);
            self.few[self.count] = element;
            self.count += 1;
            return is_new;
        }
        self.add_to_many(element)
    }

    #[cold]
    fn add_to_many(&mut self, element: Element<'a>) -> bool {
        if self.many.is_empty() {
            self.many.extend(&self.few);
        }
        self.many.insert(element)
    }
}
