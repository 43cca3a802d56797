//! Sets that change while somebody reads them bit by bit.

use super::{Large, Set};
use crate::Claim;
use crate::compact::Element;
use crate::rest::Rest;

impl Set {
    /// Keeps what a reader has not seen, who has come to this cursor of [`Set::scan`]; false for a
    /// small set, which is read at once.
    pub fn claim(&mut self, claim: &Claim, cursor: u64) -> bool {
        let Large(content) = self.form.view_mut() else { return false };
        content.rest = Some(Box::new(Rest::new(claim, cursor)));
        true
    }

    /// Whose claim it was that was made last.
    pub fn claim_id(&self) -> Option<usize> {
        let Large(content) = self.form.view() else { return None };
        content.rest.as_ref().map(|rest| rest.claim_id())
    }

    /// Says how far the reader who has claimed it has come: 0 is the end.
    pub fn set_read(&mut self, cursor: u64) {
        if let Large(content) = self.form.view_mut()
            && let Some(rest) = &mut content.rest
        {
            rest.set_read(cursor);
        }
    }

    /// Lets go what was kept up to a name, for the reader who has read all else and this.
    pub fn forget_kept(&mut self, upto: &[u8]) {
        if let Large(content) = self.form.view_mut()
            && let Some(rest) = &mut content.rest
        {
            rest.forget(upto);
        }
    }

    /// Keeps nothing for a reader any more.
    pub fn release(&mut self) {
        if let Large(content) = self.form.view_mut() {
            content.rest = None;
        }
    }

    /// As [`Set::scan`] for who has claimed it: members that are left to be read.
    pub fn scan_left(&self, cursor: u64, count: u64, mut each: impl FnMut(Element<'_>)) -> u64 {
        let Large(content) = self.form.view() else { return 0 };
        content.rest.as_ref().map_or(0, |rest| {
            rest.scan(&content.table, cursor, count, &mut |member| {
                each(Element::Str(member.bytes()));
            })
        })
    }

    /// Shows up to so many members that were kept, from behind one on. Returns the last one that
    /// was looked at, or nothing when none is left.
    pub fn show_kept(
        &self,
        behind: Option<&[u8]>,
        count: usize,
        mut each: impl FnMut(Element<'_>),
    ) -> Option<Box<[u8]>> {
        let Large(content) = self.form.view() else { return None };
        let rest = content.rest.as_ref()?;
        rest.show_noted(behind, count, |member, ()| each(Element::Str(member)))
    }
}
