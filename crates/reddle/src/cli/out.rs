//! Where text goes. A reader that has gone away ends the program, as it ends any other in a pipe.

use std::fmt::Display;
use std::io::{self, Write};
use std::process::{Command, Stdio};

/// Bytes for the standard output, at once.
pub(super) fn bytes(bytes: &[u8]) {
    let mut out = io::stdout().lock();
    if out.write_all(bytes).and_then(|()| out.flush()).is_err() {
        std::process::exit(1);
    }
}

/// Text for the standard output, at once.
pub(super) fn text(text: impl Display) {
    bytes(text.to_string().as_bytes());
}

/// Bytes for people, by `PAGER` if they have more lines than the terminal.
pub(super) fn paged(bytes: &[u8]) {
    let rows = rustix::termios::tcgetwinsize(io::stdout()).map_or(0, |size| size.ws_row);
    let lines = bytes.iter().filter(|byte| **byte == b'\n').count();
    if rows == 0 || lines < usize::from(rows) || through_pager(bytes).is_err() {
        self::bytes(bytes);
    }
}

/// How a shell ends that did not find what it was to run.
const NO_SUCH_PROGRAM: i32 = 127;

fn through_pager(bytes: &[u8]) -> io::Result<()> {
    let pager = std::env::var_os("PAGER").unwrap_or_else(|| "less".into());
    // A pager may have options of its own, as in every other program that asks for one.
    let mut shell = Command::new("sh");
    let mut child = shell.arg("-c").arg(pager).stdin(Stdio::piped()).spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // A pager that is left early does not read everything.
        stdin.write_all(bytes).ok();
    }
    match child.wait()?.code() {
        Some(NO_SUCH_PROGRAM) => Err(io::ErrorKind::NotFound.into()),
        _ => Ok(()),
    }
}

/// A line for the standard error.
pub(super) fn problem(text: impl Display) {
    // Where nobody listens there is nobody to tell.
    writeln!(io::stderr(), "{text}").ok();
}
