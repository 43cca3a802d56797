//! The table of subcommands and what HELP says of it.

use super::*;

#[test]
fn help_names_every_subcommand_in_order() {
    let mut named: Vec<String> = HELP
        .iter()
        .filter(|line| !line.starts_with(' '))
        .map(|line| line.split(' ').next().unwrap_or_default().to_ascii_lowercase())
        .collect();
    named.dedup();
    let known: Vec<&str> =
        SUBCOMMANDS.iter().map(|(name, _, _)| *name).filter(|name| *name != "help").collect();
    assert_eq!(named, known);
}
