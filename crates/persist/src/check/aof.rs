//! The check of a log: one file, or the files of a manifest. Only the last file of a log can be
//! repaired, by cutting it off where it stops making sense, or behind a moment.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::Path;

use value::{KeyHash, Limits};

use super::{Stop, rdb, refuse, system_text};
use crate::aof::{Damage, End, Error, Fault, Kind, Log, Manifest, Record, Tail, is_rdb};
use crate::disk::{self, Input};
use crate::rdb::{Peek, Reader, Rules, Settings};

#[cfg(test)]
mod tests;

/// What is to be done about what is found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Repair {
    /// Nothing.
    Nothing,
    /// Cut off what makes no sense.
    Fix,
    /// Cut off what came after this moment, in Unix seconds.
    Since(i64),
}

/// How a log is checked.
pub struct Aof<'a, W> {
    /// What is to be done.
    pub repair: Repair,
    /// The time in Unix milliseconds, by which keys count as expired.
    pub now_ms: i64,
    /// Asks whether to go on; the question was said.
    pub agrees: &'a mut dyn FnMut() -> bool,
    /// Who is told.
    pub out: W,
    /// The name that the tool was called by, for what it says of itself.
    pub program: &'a str,
}

/// What became of one file.
#[derive(Clone, Copy)]
enum Found {
    Valid,
    Empty,
    Cut,
    CutSince(i64),
}

/// One file of a log.
#[derive(Clone, Copy)]
struct File<'a> {
    path: &'a Path,
    name: &'a OsStr,
    is_last: bool,
    is_rdb: bool,
}

impl File<'_> {
    fn shown(&self) -> std::path::Display<'_> {
        Path::new(self.name).display()
    }
}

/// How the reading of a file's commands ended.
struct Seen {
    /// What is wrong, in the words that are told.
    fault: Option<String>,
    /// The bytes that are in order, of how many.
    keep: u64,
    size: u64,
    line: u64,
    is_cut_since: bool,
}

/// Checks a log and tells of it; whether all is well in the end. `path` is a manifest or one file.
pub fn aof<W: Write>(path: &Path, mut check: Aof<'_, W>) -> io::Result<bool> {
    let result = check.any(path);
    match result {
        Ok(()) => Ok(true),
        Err(Stop::Refused) => Ok(false),
        Err(Stop::Out(error)) => Err(error),
    }
}

impl<W: Write> Aof<'_, W> {
    fn any(&mut self, path: &Path) -> Result<(), Stop> {
        let mut input = match Input::open(path, false) {
            Ok(Some(input)) => input,
            Ok(None) => return self.cannot_open(path, &missing(), ""),
            Err(error) => return self.cannot_open(path, &error, ""),
        };
        while input.ahead().len() < 6 && input.more().unwrap_or(false) {}
        if is_manifest(input.ahead()) {
            return self.parts(path);
        }
        writeln!(self.out, "Start checking Old-Style AOF")?;
        let is_rdb = is_rdb(input.ahead());
        let file = File { path, name: path.as_os_str(), is_last: true, is_rdb };
        self.told_file("AOF", file)
    }

    fn cannot_open<T>(&mut self, path: &Path, error: &io::Error, then: &str) -> Result<T, Stop> {
        let (path, text) = (path.display(), system_text(error));
        refuse(&mut self.out, &format!("Cannot open file {path}: {text}{then}"))
    }

    /// Checks the files of a manifest.
    fn parts(&mut self, path: &Path) -> Result<(), Stop> {
        writeln!(self.out, "Start checking Multi Part AOF")?;
        let manifest = match disk::read(path)?.map(|text| Manifest::parse(&text)) {
            Some(Ok(manifest)) => manifest,
            Some(Err(error)) => return refuse(&mut self.out, &error.to_string()),
            None => return self.cannot_open(path, &missing(), ""),
        };
        let places = || manifest.parts().map(|(part, _)| path.with_file_name(&part.name));
        let is_empty = |place: &Path| disk::size(place).is_ok_and(|size| size == 0);
        let mut is_first_increment = true;
        for (index, (part, kind)) in manifest.parts().enumerate() {
            let path = path.with_file_name(&part.name);
            let is_rdb = kind == Kind::Base && self.begins_as_rdb(&path)?;
            match kind {
                Kind::Base => {
                    let format = if is_rdb { "RDB" } else { "RESP" };
                    writeln!(self.out, "Start to check BASE AOF ({format} format).")?;
                }
                _ if is_first_increment => {
                    is_first_increment = false;
                    writeln!(self.out, "Start to check INCR files.")?;
                }
                _ => {}
            }
            let style = if kind == Kind::Base { "BASE AOF" } else { "INCR AOF" };
            // Behind the end that a crash has torn there may be a file that was just begun.
            let is_last = places().skip(index + 1).all(|place| is_empty(&place));
            self.told_file(style, File { path: &path, name: &part.name, is_last, is_rdb })?;
        }
        writeln!(self.out, "All AOF files and manifest are valid")?;
        Ok(())
    }

    fn begins_as_rdb(&mut self, path: &Path) -> Result<bool, Stop> {
        let mut input = match Input::open(path, false) {
            Ok(Some(input)) => input,
            Ok(None) => return self.cannot_open(path, &missing(), ""),
            Err(error) => return self.cannot_open(path, &error, ""),
        };
        while input.ahead().len() < 6 && input.more().unwrap_or(false) {}
        Ok(is_rdb(input.ahead()))
    }

    fn told_file(&mut self, style: &str, file: File<'_>) -> Result<(), Stop> {
        let found = self.file(file)?;
        let name = file.shown();
        match found {
            Found::Valid => writeln!(self.out, "{style} {name} is valid")?,
            Found::Empty => writeln!(self.out, "{style} {name} is empty")?,
            Found::Cut => writeln!(self.out, "Successfully truncated AOF {name}")?,
            Found::CutSince(moment) => {
                writeln!(self.out, "Successfully truncated AOF {name} to timestamp {moment}")?;
            }
        }
        Ok(())
    }

    fn file(&mut self, file: File<'_>) -> Result<Found, Stop> {
        let mut input = match Input::open(file.path, file.is_rdb) {
            Ok(Some(input)) => input,
            Ok(None) => return self.cannot_open(file.path, &missing(), ", aborting..."),
            Err(error) => return self.cannot_open(file.path, &error, ", aborting..."),
        };
        if input.size() == 0 {
            return Ok(Found::Empty);
        }
        if file.is_rdb {
            input = self.preamble(file.path, input)?;
        }
        let seen = self.commands(file, input)?;
        if let Some(fault) = &seen.fault {
            writeln!(self.out, "{fault}")?;
        }
        let cut = seen.size - seen.keep;
        match self.repair {
            Repair::Since(moment) if seen.is_cut_since => {
                self.cut(file, seen.keep)?;
                return Ok(Found::CutSince(moment));
            }
            Repair::Since(moment) if cut == 0 => {
                let name = file.shown();
                writeln!(self.out, "Truncate nothing in AOF {name} to timestamp {moment}")?;
                return Ok(Found::Valid);
            }
            _ => {}
        }
        let (name, size, keep, line) = (file.shown(), seen.size, seen.keep, seen.line);
        writeln!(
            self.out,
            "AOF analyzed: filename={name}, size={size}, ok_up_to={keep}, \
             ok_up_to_line={line}, diff={cut}"
        )?;
        if cut == 0 {
            return Ok(Found::Valid);
        }
        self.fix(file, &seen)
    }

    /// Checks the data set that a file begins with.
    fn preamble(&mut self, path: &Path, input: Input) -> Result<Input, Stop> {
        writeln!(self.out, "[offset 0] Checking RDB file {}", path.display())?;
        let limits = Limits::default();
        let rules = Rules { limits: &limits, hasher: KeyHash::new([0; 16]), since_ms: 0 };
        let is_well = match Reader::new(input, Settings::default(), rules) {
            Ok(mut reader) => {
                let failed = rdb::look(&mut reader, self.now_ms, &mut self.out)?;
                failed.is_none().then(|| reader.into_source())
            }
            Err(error) => {
                writeln!(self.out, "--- RDB ERROR DETECTED ---\n[offset 0] {error}")?;
                None
            }
        };
        let Some(mut input) = is_well else {
            return refuse(&mut self.out, "RDB preamble of AOF file is not sane, aborting.");
        };
        writeln!(self.out, "RDB preamble is OK, proceeding with AOF tail...")?;
        input.forget_sum();
        Ok(input)
    }

    fn commands(&mut self, file: File<'_>, input: Input) -> Result<Seen, Stop> {
        let mut log = Log::new(input);
        let mut cut_at = None;
        let fault = loop {
            match log.next_record() {
                Ok(Some(Record::Command(_))) => {}
                Ok(Some(Record::Note { at, text })) => {
                    if let Repair::Since(moment) = self.repair
                        && self.is_after(moment, at, text, file)?
                    {
                        cut_at = Some(at);
                        break None;
                    }
                }
                Ok(None) => break told_end(&log.end()),
                Err(Error::Damaged(damage)) => break Some(told_damage(&damage, file)),
                Err(Error::Io(_)) => {
                    let line = format!("Failed to read from AOF {}, aborting...", file.shown());
                    return refuse(&mut self.out, &line);
                }
            }
        };
        let End { keep, size, .. } = log.end();
        let is_cut_since = cut_at.is_some();
        // A note within a transaction is cut off with all of it.
        let keep = cut_at.map_or(keep, |at| keep.min(at));
        Ok(Seen { fault, keep, size, line: log.line(), is_cut_since })
    }

    /// Whether a note says that what follows came after `moment`, and the file can be cut there.
    fn is_after(
        &mut self,
        moment: i64,
        at: u64,
        text: &[u8],
        file: File<'_>,
    ) -> Result<bool, Stop> {
        let Some(digits) = text.strip_prefix(b"#TS:") else { return Ok(false) };
        let Some(then) = std::str::from_utf8(digits).ok().and_then(|text| text.parse().ok()) else {
            return refuse(&mut self.out, "Invalid timestamp annotation");
        };
        let then: i64 = then;
        if then <= moment {
            return Ok(false);
        }
        let path = file.path.display();
        if at == 0 {
            let line = format!("AOF {path} has nothing before timestamp {moment}, aborting...");
            return refuse(&mut self.out, &line);
        }
        if !file.is_last {
            let line = format!(
                "Failed to truncate AOF {path} to timestamp {moment} to offset {at} because it is \
                 not the last file.\nTo do it all the same, remove the files behind it and their \
                 lines in the manifest first, and run {} again.",
                self.program
            );
            return refuse(&mut self.out, &line);
        }
        Ok(true)
    }

    fn fix(&mut self, file: File<'_>, seen: &Seen) -> Result<Found, Stop> {
        let name = file.shown();
        if self.repair != Repair::Fix {
            let line = format!("AOF {name} is not valid. Use the --fix option to try fixing it.");
            return refuse(&mut self.out, &line);
        }
        if !file.is_last {
            let line = format!("Failed to truncate AOF {name} because it is not the last file");
            return refuse(&mut self.out, &line);
        }
        let (size, keep, cut) = (seen.size, seen.keep, seen.size - seen.keep);
        write!(
            self.out,
            "This will shrink the AOF {name} from {size} bytes, with {cut} bytes, to {keep} bytes\n\
             Continue? [y/N]: "
        )?;
        self.out.flush()?;
        if !(self.agrees)() {
            return refuse(&mut self.out, "Aborting...");
        }
        self.cut(file, keep)?;
        Ok(Found::Cut)
    }

    fn cut(&mut self, file: File<'_>, keep: u64) -> Result<(), Stop> {
        match disk::cut(file.path, keep) {
            Ok(()) => Ok(()),
            Err(error) => {
                let text = system_text(&error);
                let line = format!("Failed to truncate AOF {}: {text}", file.shown());
                refuse(&mut self.out, &line)
            }
        }
    }
}

fn missing() -> io::Error {
    io::Error::from_raw_os_error(2)
}

/// Whether a file begins as a manifest does, notes aside.
fn is_manifest(head: &[u8]) -> bool {
    let mut lines = head.split(|byte| *byte == b'\n');
    lines.find(|line| !line.starts_with(b"#")).is_some_and(|line| line.starts_with(b"file"))
}

/// What is said of a log's end.
fn told_end(end: &End) -> Option<String> {
    let End { element, wanted, size, keep, .. } = *end;
    match end.tail {
        Tail::Whole => None,
        Tail::Torn if wanted > 0 => {
            let there = size - element;
            Some(format!("0x{element:16x}: Expected to read {wanted} bytes, got {there} bytes"))
        }
        Tail::Torn => Some(format!("0x{element:16x}: The file ends in the middle of a command")),
        Tail::Zeros => Some(format!("0x{keep:16x}: Nothing but zeros up to the end")),
        Tail::Open => Some(format!("0x{size:16x}: Reached EOF before reading EXEC for MULTI")),
    }
}

fn told_damage(damage: &Damage, file: File<'_>) -> String {
    let (element, path) = (damage.element, file.path.display());
    let what = match damage.fault {
        Fault::Start(_) => {
            return format!("AOF {} format error at byte {}", file.shown(), damage.at);
        }
        Fault::LineEnd([one, two]) => format!("Expected \\r\\n, got: {one:02x}{two:02x}"),
        Fault::Dollar(byte) => format!("Expected prefix '$', got: '{}'", byte.escape_ascii()),
        Fault::Nested => format!("Unexpected MULTI in AOF {path}"),
        Fault::Stray => format!("Unexpected EXEC in AOF {path}"),
        fault => fault.to_string(),
    };
    format!("0x{element:16x}: {what}")
}
