//! The manifest: the files that make up one log, in the order they are read.
//!
//! A line is `file NAME seq NUMBER type LETTER`, with more pairs of words behind it in the files of
//! newer servers; a line that begins with `#` is a note. At most one file is the base, and the
//! numbers of the increments ascend. Unknown pairs are read over, so that a newer server's file is
//! taken, but they are not kept.

use std::ffi::OsString;
use std::fmt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use resp::inline;

use super::Names;

#[cfg(test)]
mod tests;

/// A line may have this many bytes, its end among them.
const LINE_MAX: usize = 1024;

/// What a file is to its log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// The data set at one moment.
    Base,
    /// Of an earlier log, to be removed.
    History,
    /// The commands since the file before it.
    Increment,
}

impl Kind {
    fn letter(self) -> char {
        match self {
            Self::Base => 'b',
            Self::History => 'h',
            Self::Increment => 'i',
        }
    }

    fn of_letter(letter: u8) -> Option<Self> {
        match letter {
            b'b' => Some(Self::Base),
            b'h' => Some(Self::History),
            b'i' => Some(Self::Increment),
            _ => None,
        }
    }
}

/// One file of a log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Part {
    /// Its name in the log's folder.
    pub name: OsString,
    /// Its number among those of its kind.
    pub seq: i64,
    /// Where it begins in the stream of replication; servers that know no such place write none.
    pub start_offset: Option<i64>,
    /// Where it ends there.
    pub end_offset: Option<i64>,
}

impl Part {
    fn new(name: OsString, seq: i64) -> Self {
        Self { name, seq, start_offset: None, end_offset: None }
    }

    fn write_line(&self, kind: Kind, out: &mut Vec<u8>) {
        out.extend_from_slice(b"file ");
        let name = self.name.as_bytes();
        if needs_quotes(name) {
            inline::quote(name, out);
        } else {
            out.extend_from_slice(name);
        }
        out.extend_from_slice(format!(" seq {} type {}", self.seq, kind.letter()).as_bytes());
        let offsets = [("startoffset", self.start_offset), ("endoffset", self.end_offset)];
        for (word, offset) in offsets {
            if let Some(offset) = offset {
                out.extend_from_slice(format!(" {word} {offset}").as_bytes());
            }
        }
        out.push(b'\n');
    }
}

/// The files of one log.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Manifest {
    /// What the log begins with; a log may have none.
    pub base: Option<Part>,
    /// Files that are to be removed.
    pub history: Vec<Part>,
    /// The commands since the base, in ascending order of their numbers.
    pub increments: Vec<Part>,
    /// The number of the last base that there was.
    base_seq: i64,
    /// The number of the last increment that there was.
    increment_seq: i64,
}

impl Manifest {
    /// Reads a manifest.
    pub fn parse(text: &[u8]) -> Result<Self, ManifestError> {
        let mut manifest = Self::default();
        let (mut rest, mut number) = (text, 0);
        while !rest.is_empty() {
            let window = &rest[..rest.len().min(LINE_MAX)];
            let end = window.iter().position(|byte| *byte == b'\n').map(|at| at + 1);
            let line;
            (line, rest) = rest.split_at(end.unwrap_or(window.len()));
            number += 1;
            if line[0] == b'#' {
                continue;
            }
            let refused = |fault, line: Option<&[u8]>| ManifestError {
                line: line.map(|line| (number, line.escape_ascii().to_string())),
                fault,
            };
            if end.is_none() || line.contains(&0) {
                return Err(refused(ManifestFault::LongLine, None));
            }
            let line = trimmed(line);
            manifest.add(line).map_err(|fault| refused(fault, Some(line)))?;
        }
        if number == 0 {
            return Err(ManifestError { line: None, fault: ManifestFault::Empty });
        }
        Ok(manifest)
    }

    fn add(&mut self, line: &[u8]) -> Result<(), ManifestFault> {
        let (part, kind) = part_of(line)?;
        match kind {
            Kind::Base if self.base.is_some() => return Err(ManifestFault::TwoBases),
            Kind::Base => {
                self.base_seq = part.seq;
                self.base = Some(part);
            }
            Kind::History => self.history.push(part),
            Kind::Increment if part.seq <= self.increment_seq => {
                return Err(ManifestFault::NotAscending);
            }
            Kind::Increment => {
                self.increment_seq = part.seq;
                self.increments.push(part);
            }
        }
        Ok(())
    }

    /// The manifest as it stands in its file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for (part, kind) in self.lines() {
            part.write_line(kind, &mut out);
        }
        out
    }

    fn lines(&self) -> impl Iterator<Item = (&Part, Kind)> {
        let base = self.base.iter().map(|part| (part, Kind::Base));
        let history = self.history.iter().map(|part| (part, Kind::History));
        base.chain(history).chain(self.increments.iter().map(|part| (part, Kind::Increment)))
    }

    /// The files that are read, in their order.
    pub fn parts(&self) -> impl Iterator<Item = (&Part, Kind)> {
        self.lines().filter(|(_, kind)| *kind != Kind::History)
    }

    /// Whether there is nothing to read.
    pub fn is_empty(&self) -> bool {
        self.base.is_none() && self.increments.is_empty()
    }

    /// A manifest whose base is the one file of an older server.
    pub fn of_single(names: &Names) -> Self {
        let base = Some(Part::new(names.single().to_owned(), 1));
        Self { base, base_seq: 1, ..Self::default() }
    }

    /// Puts a new base in place of the old one, which becomes history; the new one.
    pub fn next_base(&mut self, names: &Names, is_rdb: bool) -> &Part {
        if let Some(old) = self.base.take() {
            self.history.insert(0, old);
        }
        self.base_seq = self.base_seq.saturating_add(1);
        let name = names.base(self.base_seq, is_rdb);
        self.base.insert(Part::new(name, self.base_seq))
    }

    /// Adds an increment behind the others; the new one.
    pub fn next_increment(&mut self, names: &Names) -> &Part {
        self.increment_seq = self.increment_seq.saturating_add(1);
        let part = Part::new(names.increment(self.increment_seq), self.increment_seq);
        self.increments.push(part);
        &self.increments[self.increments.len() - 1]
    }

    /// Passes the number of the next increment over.
    pub fn pass_increment(&mut self) {
        self.increment_seq = self.increment_seq.saturating_add(1);
    }

    /// Makes history of all increments but the last `kept`, because a base holds what is in them.
    pub fn retire_increments(&mut self, kept: usize) {
        let count = self.increments.len().saturating_sub(kept);
        let mut retired: Vec<_> = self.increments.drain(..count).collect();
        retired.append(&mut self.history);
        self.history = retired;
    }
}

/// A line cut into its words.
fn part_of(line: &[u8]) -> Result<(Part, Kind), ManifestFault> {
    let words = inline::split(line).map_err(|_| ManifestFault::Format)?;
    if words.len() < 6 || !words.len().is_multiple_of(2) {
        return Err(ManifestFault::Format);
    }
    let mut part = Part::new(OsString::new(), 0);
    let mut letter = 0;
    for pair in words.chunks_exact(2) {
        let (word, value) = (pair[0].to_ascii_lowercase(), &pair[1]);
        match &word[..] {
            b"file" if value.contains(&b'/') || value.contains(&b'\\') => {
                return Err(ManifestFault::Path);
            }
            b"file" => part.name = OsString::from_vec(value.clone()),
            b"seq" => part.seq = number(value),
            b"type" => letter = value.first().copied().unwrap_or_default(),
            b"startoffset" => part.start_offset = Some(number(value)),
            b"endoffset" => part.end_offset = Some(number(value)),
            _ => {}
        }
    }
    if part.name.is_empty() || part.seq == 0 || letter == 0 {
        return Err(ManifestFault::Format);
    }
    let kind = Kind::of_letter(letter).ok_or(ManifestFault::Kind)?;
    Ok((part, kind))
}

/// A number up to the first byte that does not belong to it, 0 when there is none.
fn number(text: &[u8]) -> i64 {
    let (sign, digits) = match text {
        [b'-', digits @ ..] => (-1, digits),
        [b'+', digits @ ..] | digits => (1, digits),
    };
    let digits = digits.iter().take_while(|byte| byte.is_ascii_digit());
    digits.fold(0i64, |value, digit| {
        value.saturating_mul(10).saturating_add(sign * i64::from(digit - b'0'))
    })
}

fn trimmed(line: &[u8]) -> &[u8] {
    let is_blank = |byte: &u8| b" \t\r\n".contains(byte);
    let start = line.iter().position(|byte| !is_blank(byte)).unwrap_or(line.len());
    let end = line.iter().rposition(|byte| !is_blank(byte)).map_or(start, |at| at + 1);
    &line[start..end]
}

fn needs_quotes(name: &[u8]) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_graphic() && !b"\\\"'".contains(byte);
    name.is_empty() || !name.iter().all(is_plain)
}

/// Why a manifest was refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ManifestError {
    /// The number of the line, from 1, and its text; none when no line is to blame.
    pub line: Option<(usize, String)>,
    /// What is wrong.
    pub fault: ManifestFault,
}

/// What is wrong with a manifest. The texts are Redis's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ManifestFault {
    /// There is no line at all.
    Empty,
    /// A line is too long or has no end.
    LongLine,
    /// A line is not made of the pairs of words that it needs.
    Format,
    /// A name is a path.
    Path,
    /// There is a second base.
    TwoBases,
    /// An increment's number is not above the one before it.
    NotAscending,
    /// A letter that stands for no kind of file.
    Kind,
}

impl fmt::Display for ManifestFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Empty => "Found an empty AOF manifest",
            Self::LongLine => "The AOF manifest file contains too long line",
            Self::Format => "Invalid AOF manifest file format",
            Self::Path => "File can't be a path, just a filename",
            Self::TwoBases => "Found duplicate base file information",
            Self::NotAscending => "Found a non-monotonic sequence number",
            Self::Kind => "Unknown AOF file type",
        })
    }
}

impl fmt::Display for ManifestError {
    /// The lines that Redis prints, without a line end behind the last.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "\n*** FATAL AOF MANIFEST FILE ERROR ***")?;
        if let Some((number, text)) = &self.line {
            writeln!(out, "Reading the manifest file, at line {number}\n>>> '{text}'")?;
        }
        self.fault.fmt(out)
    }
}

impl std::error::Error for ManifestError {}
