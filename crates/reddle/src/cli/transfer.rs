//! `--rdb`, `--functions-rdb` and `--replica`: the data set and the commands behind it, as a
//! replica receives them.
//!
//! The file is written under another name and renamed once it is whole, so that a transfer that
//! breaks leaves nothing that looks like a data set.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use client::Value;

use super::connection::{Broken, Connection};
use super::operator::{Operator, plain};
use super::options::{Mode, Output};
use super::{Done, Failure, format, out};

/// How long the mark is that stands behind a data set of unknown length.
const MARK_LENGTH: usize = 40;

/// The data set as it is announced.
enum Payload {
    Length(u64),
    /// It ends with these bytes.
    UpTo(Vec<u8>),
    /// Only commands follow.
    None,
}

pub(super) fn rdb(mut operator: Operator, mode: Mode) -> Done {
    tell(&mut operator, &["REPLCONF", "capa", "eof"])?;
    tell(&mut operator, &["REPLCONF", "rdb-only", "1"])?;
    if mode == Mode::FunctionsRdb
        && !tell(&mut operator, &["REPLCONF", "rdb-filter-only", "functions"])?
    {
        return Err("Failed requesting functions only RDB from server, aborting".into());
    }
    let name = PathBuf::from(std::ffi::OsStr::from_bytes(&operator.options.rdb_file));
    let Some(connection) = &mut operator.connection else { return Err(Failure::Told) };
    connection.send_bytes(b"SYNC\r\n").map_err(lost)?;
    let payload = announced(connection)?;
    match &payload {
        Payload::Length(bytes) => out::problem(format_args!(
            "SYNC sent to primary, writing {bytes} bytes to '{}'",
            name.display()
        )),
        _ => out::problem(format_args!(
            "SYNC sent to primary, writing bytes of bulk transfer until EOF marker to '{}'",
            name.display()
        )),
    }
    let bytes = if name == Path::new("-") {
        receive(connection, &payload, &mut io::stdout().lock())?
    } else {
        to_file(connection, &payload, &name)?
    };
    match payload {
        Payload::Length(_) => out::problem("Transfer finished with success."),
        _ => out::problem(format_args!("Transfer finished with success after {bytes} bytes")),
    }
    Ok(())
}

/// Tells the primary what is wanted; whether it agrees. Servers that know no such wish send all.
fn tell(operator: &mut Operator, words: &[&str]) -> Result<bool, Failure> {
    out::problem(format_args!("sending {}", words.join(" ")));
    let reply = operator.quiet_call(words)?;
    Ok(!matches!(reply, Value::Error(_)))
}

fn to_file(connection: &mut Connection, payload: &Payload, name: &Path) -> Result<u64, Failure> {
    let mut partial = name.as_os_str().to_owned();
    partial.push(format!(".{}.part", std::process::id()));
    let partial = PathBuf::from(partial);
    let failed = |error: io::Error| {
        Failure::Text(format!("Error opening '{}': {}", name.display(), plain(&error)))
    };
    let mut file = File::create(&partial).map_err(failed)?;
    let written = receive(connection, payload, &mut file);
    let done = written.and_then(|bytes| {
        let sync = file.sync_all().and_then(|()| fs::rename(&partial, name));
        let text = |error| format!("Fail to fsync '{}': {}", name.display(), plain(&error));
        sync.map_err(text)?;
        Ok(bytes)
    });
    if done.is_err() {
        // What cannot be removed does no harm under this name.
        fs::remove_file(&partial).ok();
    }
    done
}

/// Reads the line that announces the data set; empty lines only keep the connection alive.
fn announced(connection: &mut Connection) -> Result<Payload, Failure> {
    loop {
        let line = read_line(connection)?;
        match line.as_slice() {
            [] => {}
            [b'-', error @ ..] => {
                let error = String::from_utf8_lossy(error);
                return Err(format!("SYNC with primary failed: -{error}").into());
            }
            line if line.starts_with(b"+CONTINUE") => return Ok(Payload::None),
            line if line.starts_with(b"+") => {
                let line = String::from_utf8_lossy(line);
                out::problem(format_args!("PSYNC replied {line}"));
            }
            [b'$', b'E', b'O', b'F', b':', mark @ ..] if mark.len() >= MARK_LENGTH => {
                return Ok(Payload::UpTo(mark[..MARK_LENGTH].to_vec()));
            }
            [b'$', digits @ ..] => {
                let length = String::from_utf8_lossy(digits).parse();
                return Ok(Payload::Length(length.map_err(|_| "Error: invalid bulk length")?));
            }
            _ => return Err("Error reading bulk length while SYNCing".into()),
        }
    }
}

fn read_line(connection: &mut Connection) -> Result<Vec<u8>, Failure> {
    let mut line = Vec::new();
    loop {
        let bytes = connection.read_bytes(None).map_err(lost)?;
        if bytes.is_empty() {
            return Err("Error reading bulk length while SYNCing".into());
        }
        line.extend_from_slice(&bytes);
        if let Some(end) = line.iter().position(|byte| *byte == b'\n') {
            connection.unread(&line[end + 1..]);
            line.truncate(end);
            return Ok(line.trim_ascii_end().to_vec());
        }
    }
}

/// Copies the data set; how many bytes it has. What follows it stays unread.
fn receive(
    connection: &mut Connection,
    payload: &Payload,
    to: &mut impl Write,
) -> Result<u64, Failure> {
    let failed = |error| format!("Error writing data to file: {}", plain(&error));
    let (mut done, mut held) = (0_u64, Vec::new());
    loop {
        let (ready, whole) = match payload {
            Payload::None => return Ok(0),
            Payload::Length(length) => {
                let left = usize::try_from(length - done).unwrap_or(usize::MAX);
                (left.min(held.len()), left <= held.len())
            }
            Payload::UpTo(mark) => {
                let found = held.windows(MARK_LENGTH).position(|window| window == mark);
                // The end of what is here may be the beginning of the mark.
                (found.unwrap_or(held.len().saturating_sub(MARK_LENGTH - 1)), found.is_some())
            }
        };
        to.write_all(&held[..ready]).map_err(failed)?;
        done += ready as u64;
        held.drain(..ready);
        if whole {
            let mark = if matches!(payload, Payload::UpTo(_)) { MARK_LENGTH } else { 0 };
            connection.unread(&held[mark..]);
            to.flush().map_err(failed)?;
            return Ok(done);
        }
        let bytes = connection.read_bytes(None).map_err(lost)?;
        if bytes.is_empty() {
            return Err("I/O Error reading RDB payload from socket".into());
        }
        held.extend_from_slice(&bytes);
    }
}

/// Prints the commands that a primary sends to its replicas.
pub(super) fn replica(mut operator: Operator) -> Done {
    operator.quiet_call(&["REPLCONF", "capa", "eof"])?;
    let Some(connection) = &mut operator.connection else { return Err(Failure::Told) };
    connection.send_bytes(b"SYNC\r\n").map_err(lost)?;
    log_commands(&mut operator).map_err(lost)
}

/// Skips the data set and prints what follows, until the connection ends.
pub(super) fn log_commands(operator: &mut Operator) -> Result<(), Broken> {
    let Some(connection) = &mut operator.connection else { return Err(Broken::Closed) };
    let told = |failure| match failure {
        Failure::Text(text) => Broken::Io(io::Error::other(text)),
        Failure::Told => Broken::Closed,
    };
    let payload = announced(connection).map_err(told)?;
    let bytes = receive(connection, &payload, &mut io::sink()).map_err(told)?;
    out::problem(format_args!(
        "Full resync done after {bytes} bytes. Logging commands from primary."
    ));
    if matches!(payload, Payload::UpTo(_)) {
        connection.send_bytes(b"*3\r\n$8\r\nREPLCONF\r\n$3\r\nACK\r\n$1\r\n0\r\n")?;
    }
    let output = std::mem::replace(&mut operator.options.output, Output::Csv);
    let ended = loop {
        match connection.receive() {
            Ok(value) => out::bytes(&format::reply(&operator.options, &value)),
            Err(broken) => break broken,
        }
    };
    operator.options.output = output;
    Err(ended)
}

fn lost(broken: Broken) -> Failure {
    Failure::Text(format!("Error: {broken}"))
}
