//! Lines from a pipe, read so that whoever waits for other things too knows what is here already.

use std::io::{self, Read};

/// What was typed.
pub(super) enum Typed {
    Line(Vec<u8>),
    /// Nothing more comes.
    End,
}

/// See the module's text.
#[derive(Debug, Default)]
pub(super) struct Lines {
    held: Vec<u8>,
    ended: bool,
}

impl Lines {
    /// Whether a line is here.
    pub(super) fn has_line(&self) -> bool {
        self.held.contains(&b'\n')
    }

    /// Waits for the next line; its end is left away.
    pub(super) fn next(&mut self) -> Typed {
        let mut buffer = vec![0; 64 * 1024];
        while !self.has_line() && !self.ended {
            match io::stdin().read(&mut buffer) {
                Ok(0) => self.ended = true,
                Ok(count) => self.held.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => return Typed::End,
                Err(_) => self.ended = true,
            }
        }
        match self.held.iter().position(|byte| *byte == b'\n') {
            Some(end) => {
                let mut line: Vec<u8> = self.held.drain(..=end).collect();
                line.pop();
                Typed::Line(line)
            }
            None if self.held.is_empty() => Typed::End,
            None => Typed::Line(std::mem::take(&mut self.held)),
        }
    }
}
