//! To be filled.

use crate::Handler;

pub(crate) const HANDLERS: &[(&str, Handler)] = &[];
