//! Reads a case file into steps; nothing is sent here.

use std::fs;
use std::path::Path;

use resp::value::encode_command;
use resp::{Proto, inline};

use super::expected::{Expected, Reply};

/// A file of cases.
#[derive(Debug, Default)]
pub struct CaseFile {
    pub path: String,
    /// `@option name value` before the first case: options that the server starts with.
    pub options: Vec<(String, String)>,
    pub cases: Vec<Case>,
}

#[derive(Debug, Default)]
pub struct Case {
    pub title: String,
    pub line: usize,
    /// `@only resp2`: the protocol that the case is about.
    pub only: Option<Proto>,
    /// `@config name value`: set before the case, and set back behind it.
    pub config: Vec<(String, String)>,
    pub steps: Vec<Step>,
}

#[derive(Debug)]
pub struct Step {
    pub line: usize,
    /// Name of the connection; empty for the main one.
    pub link: String,
    pub action: Action,
}

#[derive(Debug)]
pub enum Action {
    /// Bytes, and how the file spells them.
    Send(Vec<u8>, String),
    /// Sent again until the next expectation is met.
    Retry(Vec<u8>, String),
    /// Replies in order; those of one protocol alone, if one is named.
    Expect(Vec<Reply>, Option<Proto>),
}

impl CaseFile {
    /// Reads a file.
    ///
    /// # Errors
    /// `path:line: what is wrong`.
    pub fn read(path: &Path) -> Result<CaseFile, String> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let text = fs::read_to_string(path).map_err(|error| format!("{name}: {error}"))?;
        CaseFile::parse(&name, &text)
    }

    /// Reads the text of a file called `path`.
    ///
    /// # Errors
    /// As [`CaseFile::read`].
    pub fn parse(path: &str, text: &str) -> Result<CaseFile, String> {
        let mut file = CaseFile { path: path.to_owned(), ..CaseFile::default() };
        let mut lines = text.lines().enumerate().peekable();
        while let Some((index, line)) = lines.next() {
            let wrong = |what: String| format!("{path}:{}: {what}", index + 1);
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            if let Some(title) = line.strip_prefix("== ") {
                let title = title.trim().to_owned();
                file.cases.push(Case { title, line: index + 1, ..Case::default() });
            } else if let Some(directive) = line.strip_prefix('@') {
                file.directive(directive).map_err(wrong)?;
            } else {
                let (link, mark, body) = cut(line).map_err(wrong)?;
                let mut body = body.to_owned();
                while mark.starts_with('<')
                    && let Some((_, next)) = lines.peek()
                    && let Ok((next_link, next_mark, more)) = cut(next)
                    && (next_link, next_mark) == (link, mark)
                {
                    body = format!("{body}\n{more}");
                    lines.next();
                }
                let action = action(mark, &body).map_err(wrong)?;
                let case = file.cases.last_mut();
                let case = case.ok_or_else(|| wrong("stands before the first case".to_owned()))?;
                case.steps.push(Step { line: index + 1, link: link.to_owned(), action });
            }
        }
        Ok(file)
    }

    /// Keeps the cases whose `file: title` contains the text.
    pub fn retain(&mut self, filter: &str) {
        let path = &self.path;
        self.cases.retain(|case| format!("{path}: {}", case.title).contains(filter));
    }

    fn directive(&mut self, line: &str) -> Result<(), String> {
        let (name, rest) = line.split_once(' ').unwrap_or((line, ""));
        let pair = rest.split_once(' ').map(|(key, value)| (key.to_owned(), value.to_owned()));
        match (name, pair, self.cases.last_mut()) {
            ("option", Some(pair), None) => self.options.push(pair),
            ("config", Some(pair), Some(case)) => case.config.push(pair),
            ("only", _, Some(case)) if rest == "resp2" => case.only = Some(Proto::Resp2),
            ("only", _, Some(case)) if rest == "resp3" => case.only = Some(Proto::Resp3),
            _ => return Err(format!("unknown or misplaced: @{line}")),
        }
        Ok(())
    }
}

/// `name<2 body` into its three parts.
fn cut(line: &str) -> Result<(&str, &str, &str), String> {
    let name = line.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(line.len());
    let (link, rest) = line.split_at(name);
    let (mark, body) = rest.split_once(' ').unwrap_or((rest, ""));
    if [">", "~>", "!", "<", "<2", "<3"].contains(&mark) {
        Ok((link, mark, body))
    } else {
        Err(format!("neither case, command nor reply: {line}"))
    }
}

fn action(mark: &str, body: &str) -> Result<Action, String> {
    let words = || match inline::split(body.as_bytes()) {
        Ok(words) if !words.is_empty() => Ok(words),
        _ => Err("no command, or unbalanced quotes".to_owned()),
    };
    let command = || {
        let mut bytes = Vec::new();
        encode_command(&mut bytes, &words()?);
        Ok::<_, String>((bytes, body.to_owned()))
    };
    Ok(match mark {
        ">" => command().map(|(bytes, shown)| Action::Send(bytes, shown))?,
        "~>" => command().map(|(bytes, shown)| Action::Retry(bytes, shown))?,
        "!" => Action::Send(words()?.concat(), body.to_owned()),
        "<2" => Action::Expect(Expected::read_all(body)?, Some(Proto::Resp2)),
        "<3" => Action::Expect(Expected::read_all(body)?, Some(Proto::Resp3)),
        _ => Action::Expect(Expected::read_all(body)?, None),
    })
}
