//! What one command or transaction has to say to the log, as the bytes of the log.
//!
//! It knows nothing of files and locks. Invariant: while it is not empty, `last` is the database
//! that the bytes leave selected.

use keyspace::Record;

const MULTI: &[u8] = b"*1\r\n$5\r\nMULTI\r\n";
const EXEC: &[u8] = b"*1\r\n$4\r\nEXEC\r\n";

/// Room that is kept for the next unit.
const KEPT: usize = 64 << 10;

/// Commands that belong together: a log has all of them or none.
#[derive(Default)]
pub struct Unit {
    bytes: Vec<u8>,
    commands: u32,
    first: u32,
    last: u32,
}

/// See [`Unit::mark`].
pub struct Mark {
    len: usize,
    commands: u32,
    last: u32,
}

impl Unit {
    /// Whether there is nothing to say.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.commands == 0
    }

    /// Adds a command that runs in a database.
    #[inline]
    pub fn push<A: AsRef<[u8]>>(&mut self, db: u32, argv: &[A]) {
        if self.commands == 0 {
            self.first = db;
        } else if self.last != db {
            put_select(&mut self.bytes, db);
        }
        self.last = db;
        self.commands += 1;
        put(&mut self.bytes, argv);
    }

    /// Adds what is recorded to be said beside a command.
    pub fn push_records(&mut self, records: &[Record]) {
        for record in records {
            self.push(record.db, &record.argv);
        }
    }

    /// Writes everything behind `out`, where `selected` is the database that is selected there; as
    /// one transaction if it is more than one command and `together` says so. Returns the database
    /// that is selected then. Nothing is left.
    pub fn move_to(&mut self, out: &mut Vec<u8>, selected: Option<u32>, together: bool) -> u32 {
        let together = together && self.commands > 1;
        if together {
            out.extend_from_slice(MULTI);
        }
        if selected != Some(self.first) {
            put_select(out, self.first);
        }
        out.extend_from_slice(&self.bytes);
        if together {
            out.extend_from_slice(EXEC);
        }
        self.forget();
        self.last
    }

    /// Where it stands now.
    pub fn mark(&self) -> Mark {
        Mark { len: self.bytes.len(), commands: self.commands, last: self.last }
    }

    /// Says nothing of what was added since a mark.
    pub fn truncate_to(&mut self, mark: &Mark) {
        self.bytes.truncate(mark.len);
        (self.commands, self.last) = (mark.commands, mark.last);
    }

    /// Says nothing of what was added.
    pub fn forget(&mut self) {
        self.commands = 0;
        self.bytes.clear();
        self.bytes.shrink_to(KEPT);
    }
}

fn put_select(out: &mut Vec<u8>, db: u32) {
    put(out, &[&b"SELECT"[..], db.to_string().as_bytes()]);
}

/// Writes a command as clients send it.
#[inline]
fn put<A: AsRef<[u8]>>(out: &mut Vec<u8>, argv: &[A]) {
    put_length(out, b'*', argv.len());
    for arg in argv {
        let arg = arg.as_ref();
        put_length(out, b'$', arg.len());
        out.reserve(arg.len() + 2);
        out.extend_from_slice(arg);
        out.extend_from_slice(b"\r\n");
    }
}

/// A letter, a number and the end of the line; most numbers have one or two digits.
#[inline]
fn put_length(out: &mut Vec<u8>, letter: u8, length: usize) {
    if length < 10 {
        out.extend_from_slice(&[letter, b'0' + length as u8, b'\r', b'\n']);
    } else if length < 100 {
        let (tens, ones) = (length / 10, length % 10);
        out.extend_from_slice(&[letter, b'0' + tens as u8, b'0' + ones as u8, b'\r', b'\n']);
    } else {
        out.push(letter);
        out.extend_from_slice(length.to_string().as_bytes());
        out.extend_from_slice(b"\r\n");
    }
}

#[cfg(test)]
mod tests;
