//! Histories as files: a line a command, quoted as in an inline command, and two lines in front
//! that say how the last reply is to be compared.

use resp::inline;

use super::compare::Rule;
use super::generate::Argv;

/// A history whose last command's replies differ.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Script {
    pub(super) protocol: u8,
    pub(super) rule: Rule,
    pub(super) commands: Vec<Argv>,
}

impl Script {
    /// The text of the file.
    pub(super) fn text(&self) -> String {
        let mut text = format!("# resp {}\n# rule {}\n", self.protocol, self.rule.name());
        for command in &self.commands {
            text.push_str(&line(command));
            text.push('\n');
        }
        text
    }

    /// # Errors
    /// The line that is not understood.
    pub(super) fn parse(text: &str) -> Result<Script, String> {
        let mut script = Script { protocol: 2, rule: Rule::Exact, commands: Vec::new() };
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let wrong = || format!("not understood: {line}");
            if let Some(version) = line.strip_prefix("# resp ") {
                script.protocol = version.parse().map_err(|_| wrong())?;
            } else if let Some(name) = line.strip_prefix("# rule ") {
                script.rule = Rule::named(name).ok_or_else(wrong)?;
            } else if !line.starts_with('#') {
                script.commands.push(inline::split(line.as_bytes()).map_err(|_| wrong())?);
            }
        }
        Ok(script)
    }
}

/// A command on one line.
pub(super) fn line(argv: &Argv) -> String {
    let words: Vec<String> = argv.iter().map(|arg| inline::quoted(arg)).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests;
