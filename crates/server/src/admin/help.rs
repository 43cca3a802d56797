//! The answer to HELP of a container of subcommands.

use commands::Error;

use crate::call::Call;

/// Writes the frame that every HELP has around the `lines` of one container: by convention a line
/// with a subcommand and its arguments, then indented lines on what it does.
pub(crate) fn help(call: &mut Call<'_, '_>, lines: &[&str]) -> Result<(), Error> {
    let container = call.row.spec.parent.unwrap_or(call.row.name).to_ascii_uppercase();
    call.out.array(lines.len() + 3);
    let usage = "<subcommand> [<arg> [value] [opt] ...]. Subcommands are:";
    call.out.simple(&format!("{container} {usage}"));
    for line in lines {
        call.out.simple(line);
    }
    call.out.simple("HELP");
    call.out.simple("    Print this help.");
    Ok(())
}
