//! What a line of the log looks like.

use std::fmt::Write;

use log::Level;

use crate::sys::{LocalTime, local_time};

/// `log-format`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum Format {
    /// `pid:role time level text`.
    Legacy,
    /// `name=value` pairs.
    Logfmt,
    /// One JSON object a line.
    Json,
}

impl Format {
    pub(super) fn of(word: &str) -> Self {
        match word {
            "json" => Self::Json,
            "logfmt" => Self::Logfmt,
            _ => Self::Legacy,
        }
    }

    pub(super) fn from_number(number: u8) -> Self {
        [Self::Legacy, Self::Logfmt, Self::Json][usize::from(number) % 3]
    }
}

/// `log-timestamp-format`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum Timestamp {
    /// `20 Nov 2026 17:04:05.123`.
    Legacy,
    /// `2026-11-20T17:04:05.123+01:00`.
    Iso8601,
    /// Milliseconds since 1970.
    Milliseconds,
}

impl Timestamp {
    pub(super) fn of(word: &str) -> Self {
        match word {
            "iso8601" => Self::Iso8601,
            "milliseconds" => Self::Milliseconds,
            _ => Self::Legacy,
        }
    }

    pub(super) fn from_number(number: u8) -> Self {
        [Self::Legacy, Self::Iso8601, Self::Milliseconds][usize::from(number) % 3]
    }

    /// A moment, given in Unix microseconds and as what clocks on the wall show then.
    fn show(self, unix_us: i64, local: &LocalTime) -> String {
        let ms = unix_us.rem_euclid(1_000_000) / 1000;
        let LocalTime { year, month, day, hour, minute, second, offset } = *local;
        match self {
            Self::Milliseconds => (unix_us / 1000).to_string(),
            Self::Legacy => {
                let month = local.month_name();
                format!("{day:02} {month} {year} {hour:02}:{minute:02}:{second:02}.{ms:03}")
            }
            Self::Iso8601 => {
                let sign = if offset < 0 { '-' } else { '+' };
                let (hours, minutes) = (offset.abs() / 3600, offset.abs() % 3600 / 60);
                let month = month + 1;
                format!(
                    "{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}\
                     {sign}{hours:02}:{minutes:02}"
                )
            }
        }
    }
}

/// One entry of the log.
pub(super) struct Line<'a> {
    pub(super) pid: u32,
    /// When, in Unix microseconds.
    pub(super) unix_us: i64,
    pub(super) level: Level,
    pub(super) text: &'a str,
}

impl Line<'_> {
    /// The line with its end.
    pub(super) fn show(&self, format: Format, timestamp: Timestamp) -> String {
        let local = local_time(self.unix_us.div_euclid(1_000_000));
        self.show_at(&local, format, timestamp)
    }

    pub(super) fn show_at(
        &self,
        local: &LocalTime,
        format: Format,
        timestamp: Timestamp,
    ) -> String {
        let Line { pid, unix_us, level, text } = *self;
        let time = timestamp.show(unix_us, local);
        let (sign, level) = match level {
            Level::Trace => ('.', "debug"),
            Level::Debug => ('-', "info"),
            Level::Info => ('*', "notice"),
            Level::Warn | Level::Error => ('#', "warning"),
        };
        match format {
            Format::Legacy => format!("{pid}:M {time} {sign} {text}\n"),
            Format::Logfmt => {
                let text = text.replace('"', "'").replace(['\r', '\n'], " ");
                format!(
                    "pid={pid} role=primary timestamp=\"{time}\" level={level} \
                     message=\"{text}\"\n"
                )
            }
            Format::Json => {
                let text = json_string(text);
                format!(
                    "{{\"pid\":{pid},\"role\":\"primary\",\"timestamp\":\"{time}\",\
                     \"level\":\"{level}\",\"message\":{text}}}\n"
                )
            }
        }
    }
}

/// `text` as a JSON string with its quotes.
fn json_string(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            control if control < ' ' => {
                // Writing to a String cannot fail.
                write!(out, "\\u{:04x}", control as u32).ok();
            }
            other => out.push(other),
        }
    }
    out.push('"');
    out
}
