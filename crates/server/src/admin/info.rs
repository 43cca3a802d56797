//! To be filled.

use crate::rows::SessionHandler;

pub(crate) const HANDLERS: &[(&str, SessionHandler)] = &[];
