//! The replies of HELP subcommands.

use resp::Writer;

/// Describes the subcommands of a container: `lines` are a syntax line and, indented by four
/// blanks, what it does, subcommand by subcommand.
pub fn help(out: &mut Writer, container: &str, lines: &[&str]) {
    let name = container.to_ascii_uppercase();
    out.array(lines.len() + 3);
    out.simple(&format!("{name} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"));
    lines.iter().for_each(|line| out.simple(line));
    out.simple("HELP");
    out.simple("    Show these lines.");
}
