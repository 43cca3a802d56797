//! Patterns of BY and GET: names of keys, or of keys and fields, with a star for the element.

use keyspace::Entry;

use crate::string::with_text;
use crate::{Ctx, typed};

#[derive(Clone, Copy)]
pub(super) struct Pattern<'a> {
    text: &'a [u8],
    /// Where the first star is.
    star: Option<usize>,
}

impl<'a> Pattern<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Self { text, star: text.iter().position(|&byte| byte == b'*') }
    }

    /// Whether it is the same for all elements.
    pub(super) fn is_constant(self) -> bool {
        self.star.is_none()
    }

    /// What the pattern means for an element: `#` the element itself, `key->field` a field of a
    /// hash, and anything else a string key. A constant name means nothing.
    pub(super) fn fetch(self, ctx: &mut Ctx<'_, '_>, element: &[u8]) -> Option<Vec<u8>> {
        if self.text == b"#" {
            return Some(element.to_vec());
        }
        let star = self.star?;
        let (before, behind) = (&self.text[..star], &self.text[star + 1..]);
        let arrow = behind.windows(2).position(|pair| pair == b"->");
        let arrow = arrow.filter(|arrow| arrow + 2 < behind.len());
        let suffix = &behind[..arrow.unwrap_or(behind.len())];
        let key = [before, element, suffix].concat();
        let entry = ctx.db.read(&key)?;
        match arrow {
            Some(arrow) => field(&entry, &behind[arrow + 2..]),
            None => with_text(&entry, <[u8]>::to_vec).ok(),
        }
    }
}

fn field(entry: &Entry, name: &[u8]) -> Option<Vec<u8>> {
    let hash = typed::hash(entry).ok()?;
    let pair = hash.get(name)?;
    let mut text = Vec::new();
    pair.value().write_to(&mut text);
    Some(text)
}
