//! Asking for a password: what is typed is not shown, and the terminal is as before in any case.
//!
//! Ctrl-C must be read as a key: as a signal it would end the program before it can put the
//! terminal back.

use std::io::{self, BufRead, IsTerminal, Write};

use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
};

const INTERRUPT: u8 = 0x03;
const END: u8 = 0x04;
const BACKSPACE: u8 = 0x08;
const DELETE: u8 = 0x7f;

/// Puts the terminal back when it goes out of scope.
struct Hidden(Termios);

impl Drop for Hidden {
    fn drop(&mut self) {
        // A terminal that is gone needs nothing.
        tcsetattr(io::stdin(), OptionalActions::Now, &self.0).ok();
    }
}

/// A line from the standard input, asked for by `question`.
pub(super) fn ask(question: &str) -> Result<String, String> {
    let line = if io::stdin().is_terminal() {
        let _hidden = hide()?;
        write!(io::stderr(), "{question}").ok();
        let typed = typed(io::stdin().lock());
        writeln!(io::stderr()).ok();
        typed?
    } else {
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line).map_err(|error| failed(&error))?;
        line
    };
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// Keys up to the end of a line.
fn typed(keys: impl BufRead) -> Result<String, String> {
    let mut line = Vec::new();
    for key in keys.bytes() {
        match key.map_err(|error| failed(&error))? {
            b'\r' | b'\n' | END => break,
            INTERRUPT => return Err("Interrupted".to_owned()),
            // A character goes with all of its bytes.
            BACKSPACE | DELETE => while line.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {},
            key => line.push(key),
        }
    }
    String::from_utf8(line).map_err(|_| "The password is not UTF-8".to_owned())
}

fn failed(error: &io::Error) -> String {
    format!("Error reading the password: {error}")
}

fn hide() -> Result<Hidden, String> {
    let before = tcgetattr(io::stdin()).map_err(|error| format!("The terminal: {error}"))?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
    silent.special_codes[SpecialCodeIndex::VMIN] = 1;
    silent.special_codes[SpecialCodeIndex::VTIME] = 0;
    tcsetattr(io::stdin(), OptionalActions::Flush, &silent)
        .map_err(|error| format!("The terminal: {error}"))?;
    Ok(Hidden(before))
}
