//! The system's own words for what went wrong.

use std::io;

/// An error as the C library words it, without the number that Rust puts behind it.
pub fn system_text(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}
