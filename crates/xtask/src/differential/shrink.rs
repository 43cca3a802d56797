//! A short history that still shows a difference.
//!
//! Knows nothing of servers: it is told by a function whether a history still differs. The last
//! command is the one whose replies differ and is never removed.

use super::generate::Argv;

/// How often a history may be tried; what is left then is short enough to read.
const TRIES_MAX: usize = 600;

/// Removes commands, and then arguments, as long as `differs` holds.
///
/// # Errors
/// Those of `differs`.
pub(super) fn shrink<E>(
    history: Vec<Argv>,
    mut differs: impl FnMut(&[Argv]) -> Result<bool, E>,
) -> Result<Vec<Argv>, E> {
    let mut tries = 0;
    let mut limited = |candidate: &[Argv]| {
        tries += 1;
        if tries > TRIES_MAX { Ok(false) } else { differs(candidate) }
    };
    let commands = without_commands(history, &mut limited)?;
    without_arguments(commands, &mut limited)
}

/// Takes away ever smaller parts: half, a quarter, down to single commands.
fn without_commands<E>(
    mut history: Vec<Argv>,
    differs: &mut impl FnMut(&[Argv]) -> Result<bool, E>,
) -> Result<Vec<Argv>, E> {
    let mut part = history.len();
    while part > 0 {
        let mut end = history.len().saturating_sub(1);
        let mut removed = false;
        while end > 0 {
            let start = end.saturating_sub(part);
            let mut candidate = history.clone();
            candidate.drain(start..end);
            if differs(&candidate)? {
                history = candidate;
                removed = true;
            }
            end = start;
        }
        part = if part == 1 && removed { 1 } else { part / 2 };
    }
    Ok(history)
}

/// Takes single arguments away, from the last command on.
fn without_arguments<E>(
    mut history: Vec<Argv>,
    differs: &mut impl FnMut(&[Argv]) -> Result<bool, E>,
) -> Result<Vec<Argv>, E> {
    for command in (0..history.len()).rev() {
        let mut argument = history[command].len();
        while argument > 1 {
            argument -= 1;
            let mut candidate = history.clone();
            candidate[command].remove(argument);
            if differs(&candidate)? {
                history = candidate;
            }
        }
    }
    Ok(history)
}

#[cfg(test)]
mod tests;
