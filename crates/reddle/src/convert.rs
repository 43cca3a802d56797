//! `reddle convert IN OUT`: a data set from one form into another, without a server.
//!
//! The output stands in its place when it is whole, or not at all. A failure ends with status 1, a
//! command line that makes no sense with status 2.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use indicatif::{ProgressBar, ProgressStyle};
use persist::convert::{Census, Counts, Source, limits};
use persist::disk::{Draft, Input};
use persist::form::{Form, Writer};
use persist::rdb::{Out, Style};

use arguments::{Kind, Wish};

mod arguments;
mod log;
mod pipe;
mod replay;

use log::{Held, Log};
use pipe::{Pipe, Spool};
use replay::Replayed;

/// Why a conversion failed, in words.
type Failure = String;

/// Runs the conversion when the command line asks for one.
pub(crate) fn run(arguments: &[OsString]) -> Option<ExitCode> {
    let words = match arguments {
        [_, convert, words @ ..] if convert == "convert" => words,
        _ => return None,
    };
    if let [word] = words
        && (word == "--help" || word == "-h")
    {
        // Where nobody listens there is nobody to tell.
        writeln!(io::stdout(), "{}", arguments::USAGE).ok();
        return Some(ExitCode::SUCCESS);
    }
    let wish = match Wish::parse(words) {
        Ok(wish) => wish,
        Err(reason) => {
            let text = format!("reddle convert: {reason}\n{}", arguments::USAGE);
            return Some(tell(ExitCode::from(2), &text));
        }
    };
    Some(match convert(&wish) {
        Ok(_) if wish.quiet => ExitCode::SUCCESS,
        Ok(counts) => tell(ExitCode::SUCCESS, &summary(&counts)),
        Err(reason) => tell(ExitCode::FAILURE, &format!("reddle convert: {reason}")),
    })
}

/// What is said of a conversion goes to the standard error: the data may go to the standard output.
fn tell(code: ExitCode, text: &str) -> ExitCode {
    // Where nobody listens there is nobody to tell.
    writeln!(io::stderr(), "{text}").ok();
    code
}

fn summary(counts: &Counts) -> String {
    let Counts { keys, functions, empty } = counts;
    let mut text = format!("{keys} keys");
    if *functions > 0 {
        text.push_str(&format!(", {functions} libraries of functions"));
    }
    if *empty > 0 {
        text.push_str(&format!("; {empty} keys without an element were left out"));
    }
    text
}

fn convert(wish: &Wish) -> Result<Counts, Failure> {
    let place = wish.output.as_deref();
    if let Some(place) = place {
        check_place(wish, place)?;
    }
    let (from, input) = match (wish.from, &wish.input) {
        (Kind::Aof, Some(folder)) => (Form::Rdb, place_of_log(wish, folder)?),
        (Kind::Aof, None) => return Err("a log is a folder and cannot come through a pipe".into()),
        (Kind::Form(form), Some(path)) => (form, Place::File(path.clone())),
        (Kind::Form(form), None) if wish.to == Kind::Form(Form::Json) => (form, Place::Pipe),
        (Kind::Form(form), None) => (form, Place::Spool(Spool::fill()?)),
    };
    let job = Job { from, input, quiet: wish.quiet };
    let census = match wish.to {
        Kind::Form(Form::Json) => Census::default(),
        _ => job.survey()?,
    };
    let style = Style { version: wish.version, ..Style::default() };
    match (wish.to, place) {
        (Kind::Aof, Some(folder)) => {
            let log = Log::begin(folder)?;
            let draft = draft(&log.base())?;
            let mut writer = writer(Form::Rdb, draft, style, &census);
            writer.aux(b"aof-base", b"1");
            let (counts, draft) = job.run(&census, writer, Draft::has_failed)?;
            draft.finish().map_err(|error| cannot_write(folder, &error))?;
            log.finish().map(|()| counts)
        }
        (Kind::Aof, None) => Err("a log is a folder and cannot go through a pipe".into()),
        (Kind::Form(form), Some(place)) => {
            let writer = writer(form, draft(place)?, style, &census);
            let (counts, draft) = job.run(&census, writer, Draft::has_failed)?;
            draft.finish().map_err(|error| cannot_write(place, &error))?;
            Ok(counts)
        }
        (Kind::Form(form), None) => {
            let writer = writer(form, Pipe::new(), style, &census);
            let (counts, pipe) = job.run(&census, writer, Pipe::has_failed)?;
            pipe.finish().map_err(|error| cannot_write(Path::new("-"), &error))?;
            Ok(counts)
        }
    }
}

/// Where the data set of a log stands as RDB.
fn place_of_log(wish: &Wish, folder: &Path) -> Result<Place, Failure> {
    match log::look(folder)? {
        Held::Base(base) => Ok(Place::File(base)),
        Held::Commands(place) => {
            let size = log::size(&place);
            let bar = bar(wish.quiet, size, "running commands");
            let replayed = Replayed::new(&place, wish.databases, &bar);
            bar.finish_and_clear();
            replayed.map(Place::Replayed)
        }
    }
}

/// Refuses to write over what is there, unless that is wanted.
fn check_place(wish: &Wish, place: &Path) -> Result<(), Failure> {
    let Ok(found) = fs::symlink_metadata(place) else { return Ok(()) };
    let shown = place.display();
    if wish.to == Kind::Aof || found.is_dir() {
        return Err(format!("{shown} exists"));
    }
    if wish.force { Ok(()) } else { Err(format!("{shown} exists; --force writes over it")) }
}

fn draft(place: &Path) -> Result<Draft, Failure> {
    let mark = std::process::id().to_string();
    Draft::begin(place, &mark).map_err(|error| cannot_write(place, &error))
}

fn writer<O: Out>(form: Form, out: O, style: Style, census: &Census) -> Writer<O> {
    Writer::new(form, out, style, true, census.has_timed_fields)
}

fn cannot_write(place: &Path, error: &io::Error) -> Failure {
    format!("writing {} failed: {error}", place.display())
}

/// Where the input comes from.
enum Place {
    File(PathBuf),
    Pipe,
    Spool(Spool),
    Replayed(Replayed),
}

/// A conversion of one file.
struct Job {
    from: Form,
    input: Place,
    quiet: bool,
}

impl Job {
    fn path(&self) -> PathBuf {
        match &self.input {
            Place::File(path) => path.clone(),
            Place::Pipe => PathBuf::from(pipe::INPUT),
            Place::Spool(spool) => spool.path().to_owned(),
            Place::Replayed(replayed) => replayed.path(),
        }
    }

    fn open(&self) -> Result<Input, Failure> {
        let path = self.path();
        let shown = path.display();
        match Input::open(&path, true) {
            Ok(Some(input)) => Ok(input),
            Ok(None) => Err(format!("{shown} does not exist")),
            Err(error) => Err(format!("opening {shown} failed: {error}")),
        }
    }

    fn refused(&self, error: &persist::form::Error) -> Failure {
        format!("{}: {error}", self.path().display())
    }

    fn survey(&self) -> Result<Census, Failure> {
        let (limits, input) = (limits(), self.open()?);
        let bar = bar(self.quiet, input.size(), "reading");
        let source = Source::open(self.from, input, &limits);
        let census = source.and_then(|source| source.survey(|position| bar.set_position(position)));
        bar.finish_and_clear();
        census.map_err(|error| self.refused(&error))
    }

    /// Writes all of it, and the end; gives the output back.
    fn run<O: Out>(
        &self,
        census: &Census,
        mut writer: Writer<O>,
        has_failed: impl Fn(&O) -> bool,
    ) -> Result<(Counts, O), Failure> {
        let (limits, input) = (limits(), self.open()?);
        let bar = bar(self.quiet, input.size(), "converting");
        let counts = Source::open(self.from, input, &limits).and_then(|source| {
            source.convert(census, &mut writer, has_failed, |position| bar.set_position(position))
        });
        bar.finish_and_clear();
        let counts = counts.map_err(|error| self.refused(&error))?;
        Ok((counts, writer.finish()))
    }
}

/// A bar where somebody looks.
fn bar(quiet: bool, size: u64, what: &'static str) -> ProgressBar {
    if quiet || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(size).with_message(what);
    let template = "{msg} [{bar:40}] {bytes} of {total_bytes}, {binary_bytes_per_sec}, {eta}";
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style.progress_chars("=> ")),
        Err(_) => bar,
    }
}

/// What the name of a file says of its form.
fn kind_of(name: &OsStr) -> Option<Kind> {
    let path = Path::new(name);
    let end = path.extension().map(OsStr::to_ascii_lowercase);
    match end.as_deref().and_then(OsStr::to_str) {
        Some("json") => Some(Kind::Form(Form::Json)),
        Some("rdb") => Some(Kind::Form(Form::Rdb)),
        Some("aof" | "manifest") => Some(Kind::Aof),
        _ if path.is_dir() => Some(Kind::Aof),
        _ => None,
    }
}
