//! Hashes that change while somebody reads them bit by bit.

use super::{Field, Form, Hash};
use crate::Claim;
use crate::rest::Rest;

impl Hash {
    /// Keeps what a reader has not seen, who has come to this cursor of [`Hash::scan_timed`]; false
    /// for a small hash, which is read at once.
    pub fn claim(&mut self, claim: &Claim, cursor: u64) -> bool {
        let Form::Large(large) = self.0.view_mut() else { return false };
        large.rest = Some(Box::new(Rest::new(claim, cursor)));
        true
    }

    /// Whose claim it was that was made last.
    pub fn claim_id(&self) -> Option<usize> {
        let Form::Large(large) = self.0.view() else { return None };
        large.rest.as_ref().map(|rest| rest.claim_id())
    }

    /// Says how far the reader who has claimed it has come: 0 is the end.
    pub fn set_read(&mut self, cursor: u64) {
        if let Form::Large(large) = self.0.view_mut()
            && let Some(rest) = &mut large.rest
        {
            rest.set_read(cursor);
        }
    }

    /// Lets go what was kept up to a name, for the reader who has read all else and this.
    pub fn forget_kept(&mut self, upto: &[u8]) {
        if let Form::Large(large) = self.0.view_mut()
            && let Some(rest) = &mut large.rest
        {
            rest.forget(upto);
        }
    }

    /// Keeps nothing for a reader any more.
    pub fn release(&mut self) {
        if let Form::Large(large) = self.0.view_mut() {
            large.rest = None;
        }
    }

    /// As [`Hash::scan_timed`] for who has claimed it: fields that are left to be read.
    pub fn scan_left(&self, cursor: u64, count: u64, each: &mut dyn FnMut(&Field)) -> u64 {
        let Form::Large(large) = self.0.view() else { return 0 };
        large.rest.as_ref().map_or(0, |rest| rest.scan(&large.table, cursor, count, each))
    }

    /// Shows up to so many fields that were kept, as they were, from behind a name on. Returns the
    /// last name that was looked at, or nothing when none is left.
    pub fn show_kept(
        &self,
        behind: Option<&[u8]>,
        count: usize,
        mut each: impl FnMut(&Field),
    ) -> Option<Box<[u8]>> {
        let Form::Large(large) = self.0.view() else { return None };
        large.rest.as_ref()?.show_noted(behind, count, |_, field| each(field))
    }
}
