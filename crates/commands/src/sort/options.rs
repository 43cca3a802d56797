//! What may follow the key.

use std::ops::Range;

use super::{Order, Pattern};
use crate::{Args, Error};

#[derive(Default)]
pub(super) struct Options<'a> {
    by: Option<Pattern<'a>>,
    /// A constant BY, also one that another BY follows.
    unordered: bool,
    pub limit: Option<(i64, i64)>,
    pub get: Vec<Pattern<'a>>,
    pub descending: bool,
    alpha: bool,
    pub store: Option<&'a [u8]>,
}

impl<'a> Options<'a> {
    pub(super) fn parse(args: &Args<'a>, may_store: bool) -> Result<Self, Error> {
        let mut options = Self::default();
        let mut words = args.cursor(2);
        while words.left() > 0 {
            let behind = words.left() - 1;
            if words.accept("ASC") {
                options.descending = false;
            } else if words.accept("DESC") {
                options.descending = true;
            } else if words.accept("ALPHA") {
                options.alpha = true;
            } else if behind >= 2 && words.accept("LIMIT") {
                options.limit = Some((words.int()?, words.int()?));
            } else if may_store && behind >= 1 && words.accept("STORE") {
                options.store = Some(words.value()?);
            } else if behind >= 1 && words.accept("BY") {
                let by = Pattern::new(words.value()?);
                options.unordered |= by.is_constant();
                options.by = Some(by);
            } else if behind >= 1 && words.accept("GET") {
                options.get.push(Pattern::new(words.value()?));
            } else {
                return Err(Error::Syntax);
            }
        }
        Ok(options)
    }

    /// A set without an order that is stored, or that a script looks at, is ordered by its texts,
    /// so that the result is the same wherever the command is repeated.
    pub(super) fn order(&self, is_set: bool, in_script: bool) -> Order<'a> {
        if !self.unordered {
            return Order::Of { by: self.by, alpha: self.alpha };
        }
        if is_set && (self.store.is_some() || in_script) {
            return Order::Of { by: None, alpha: true };
        }
        Order::None
    }
}

/// Which of the ordered elements LIMIT leaves.
pub(super) struct Window(Range<usize>);

impl Window {
    pub(super) fn new(limit: Option<(i64, i64)>, len: usize) -> Self {
        let (offset, count) = limit.unwrap_or((0, -1));
        let start = usize::try_from(offset).unwrap_or(0).min(len);
        let end = match usize::try_from(count) {
            Ok(count) => start.saturating_add(count).min(len),
            Err(_) => len,
        };
        Self(start..end)
    }

    pub(super) fn range(self) -> Range<usize> {
        self.0
    }
}
