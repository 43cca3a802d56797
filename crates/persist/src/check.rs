//! The checks of files without a server, told in the words of the tools of Redis and Valkey, which
//! scripts read.

mod aof;
mod rdb;

use std::io::{self, Write};

pub use aof::{Aof, Repair, aof};
pub use rdb::rdb;

/// Why a check ended early.
enum Stop {
    /// The file is not in order, or not to be had; everything was said.
    Refused,
    /// There is nobody to tell.
    Out(io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Out(error)
    }
}

/// Says a line and gives up.
fn refuse<T>(out: &mut impl Write, line: &str) -> Result<T, Stop> {
    writeln!(out, "{line}")?;
    Err(Stop::Refused)
}

/// An error as the C library words it, without the number that Rust puts behind it.
fn system_text(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}
