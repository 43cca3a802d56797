//! Modules: there are none, which is what those who ask are told.

use commands::{Args, Error};

use super::help::help as write_help;
use crate::call::Call;
use crate::rows::SessionHandler;

pub(crate) const HANDLERS: &[(&str, SessionHandler)] =
    &[("module|help", help), ("module|list", list)];

/// MODULE LIST - O(1).
fn list(call: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    call.out.array(0);
    Ok(())
}

/// MODULE HELP - O(1).
fn help(call: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    write_help(call, &["LIST", "    List the modules that are loaded."])
}
