//! Whether elements from outside are all different.

use std::collections::HashSet;

use super::Element;

/// So few elements are compared one by one.
const FEW: usize = 16;

/// Looks at each element as it comes.
#[derive(Default)]
pub(crate) struct Distinct<'a> {
    few: Vec<Element<'a>>,
    many: HashSet<Element<'a>>,
}

impl<'a> Distinct<'a> {
    /// Whether the element has not come before.
    pub(crate) fn add(&mut self, element: Element<'a>) -> bool {
        if self.few.len() < FEW {
            let is_new = !self.few.contains(&element);
            self.few.push(element);
            return is_new;
        }
        if self.many.is_empty() {
            self.many.extend(&self.few);
        }
        self.many.insert(element)
    }
}
