//! Asking for a password: what is typed is not shown, and the terminal is as before in any case.

use std::io::{self, BufRead, IsTerminal, Write};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

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
    let terminal = io::stdin().is_terminal();
    let _hidden = terminal.then(hide).transpose()?;
    if terminal {
        write!(io::stderr(), "{question}").ok();
    }
    let mut line = String::new();
    let read = io::stdin().lock().read_line(&mut line);
    if terminal {
        writeln!(io::stderr()).ok();
    }
    read.map_err(|error| format!("Error reading the password: {error}"))?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn hide() -> Result<Hidden, String> {
    let before = tcgetattr(io::stdin()).map_err(|error| format!("The terminal: {error}"))?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    silent.local_modes.insert(LocalModes::ECHONL);
    tcsetattr(io::stdin(), OptionalActions::Flush, &silent)
        .map_err(|error| format!("The terminal: {error}"))?;
    Ok(Hidden(before))
}
