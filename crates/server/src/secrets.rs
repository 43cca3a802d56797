//! Arguments that are shown nowhere: passwords.

use commands::Args;

use crate::config;
use crate::rows::Row;

const HIDDEN: &[u8] = b"(redacted)";

/// Which arguments of a command are secret.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Secrets {
    /// None.
    None,
    /// All: AUTH.
    All,
    /// The two behind the word AUTH: HELLO.
    AfterAuth,
    /// The one behind AUTH, or the two behind AUTH2: MIGRATE.
    OfTarget,
    /// The values of settings that are secret: CONFIG SET.
    Settings,
}

impl Secrets {
    /// Of the command with that full name.
    pub fn of(name: &str) -> Self {
        match name {
            "auth" => Self::All,
            "hello" => Self::AfterAuth,
            "migrate" => Self::OfTarget,
            "config|set" => Self::Settings,
            _ => Self::None,
        }
    }
}

/// The arguments with secret ones replaced.
pub fn hidden<'a>(row: &Row, args: &Args<'a>) -> Vec<&'a [u8]> {
    let mut shown = args.all().to_vec();
    match row.secrets {
        Secrets::None => {}
        Secrets::All => shown[1..].fill(HIDDEN),
        Secrets::AfterAuth => {
            let at = shown.iter().skip(2).position(|arg| arg.eq_ignore_ascii_case(b"auth"));
            let from = at.map_or(shown.len(), |at| at + 3);
            shown.iter_mut().skip(from).take(2).for_each(|arg| *arg = HIDDEN);
        }
        Secrets::OfTarget => {
            let mut at = 6;
            while let Some(word) = shown.get(at) {
                let count = match word.to_ascii_lowercase().as_slice() {
                    b"auth" => 1,
                    b"auth2" => 2,
                    b"keys" => break,
                    _ => 0,
                };
                shown.iter_mut().skip(at + 1).take(count).for_each(|arg| *arg = HIDDEN);
                at += 1 + count;
            }
        }
        Secrets::Settings => {
            for pair in shown[2..].chunks_exact_mut(2) {
                if config::is_sensitive(pair[0]) {
                    pair[1] = HIDDEN;
                }
            }
        }
    }
    shown
}
