//! The answer to HELP of a container of subcommands.

use commands::Error;

use crate::call::Call;

/// Writes the `lines` of the container that the command belongs to, or is.
pub(crate) fn help(call: &mut Call<'_, '_>, lines: &[&str]) -> Result<(), Error> {
    commands::help(call.out, call.row.spec.parent.unwrap_or(call.row.name), lines);
    Ok(())
}
