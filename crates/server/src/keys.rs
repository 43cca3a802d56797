//! Which of a command's arguments are keys, from its row.

use resp::number::parse_i64;
use spec::command::{Begin, Find, Group, KeyFlags, KeySpec};

/// Why the keys could not be told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeysError {
    /// The arguments do not fit the command.
    Invalid,
    /// Only the command's own parser can tell.
    Unknown,
}

/// The positions of the keys of `argv`, spec by spec, with each key's flags.
pub fn positions(
    specs: &[KeySpec],
    argv: &[&[u8]],
    mut each: impl FnMut(usize, KeyFlags),
) -> Result<(), KeysError> {
    let mut unknown = false;
    for spec in specs.iter().filter(|spec| !spec.flags.contains(KeyFlags::NOT_KEY)) {
        let first = match begin(spec.begin, argv) {
            Ok(Some(first)) => first,
            Ok(None) => continue,
            Err(KeysError::Unknown) => {
                unknown = true;
                continue;
            }
            Err(error) => return Err(error),
        };
        match spec.find {
            Find::Range { last, step, limit } => {
                let last = last_of_range(first, last, limit, argv.len());
                if last >= argv.len() {
                    return Err(KeysError::Invalid);
                }
                (first..=last).step_by(step.max(1).into()).for_each(|at| each(at, spec.flags));
            }
            Find::KeyNum { idx, first: offset, step } => {
                let at = first + usize::from(idx);
                let count = argv.get(at).and_then(|arg| parse_i64(arg));
                let count = count.filter(|count| *count >= 0).ok_or(KeysError::Invalid)? as usize;
                let step = usize::from(step.max(1));
                let from = first + usize::from(offset);
                let fits = count.checked_mul(step).and_then(|len| len.checked_add(from));
                if count == 0 || fits.is_none_or(|end| end - (step - 1) > argv.len()) {
                    return Err(KeysError::Invalid);
                }
                (0..count).for_each(|key| each(from + key * step, spec.flags));
            }
            Find::Unknown => {
                each(first, spec.flags);
                unknown = true;
            }
        }
    }
    if unknown { Err(KeysError::Unknown) } else { Ok(()) }
}

/// Where a spec's search starts; `None` when its keyword is absent.
fn begin(begin: Begin, argv: &[&[u8]]) -> Result<Option<usize>, KeysError> {
    match begin {
        Begin::Index(at) if usize::from(at) < argv.len() => Ok(Some(at.into())),
        Begin::Index(_) => Err(KeysError::Invalid),
        Begin::Keyword { word, from } => {
            let is_word = |at: &usize| argv[*at].eq_ignore_ascii_case(word.as_bytes());
            let found = if from >= 0 {
                (usize::from(from.unsigned_abs())..argv.len()).find(is_word)
            } else {
                let start = argv.len().saturating_sub(usize::from(from.unsigned_abs()));
                (1..=start).rev().find(is_word)
            };
            Ok(found.map(|at| at + 1).filter(|at| *at < argv.len()))
        }
        Begin::Option { word, from, others } => {
            let mut at = usize::from(from);
            while let Some(arg) = argv.get(at) {
                let is = |word: &str| arg.eq_ignore_ascii_case(word.as_bytes());
                if is(word) {
                    return Ok(Some(at + 1).filter(|at| *at < argv.len()));
                }
                let takes = others.iter().find(|other| is(other.0)).map_or(0, |other| other.1);
                at += 1 + usize::from(takes);
            }
            Ok(None)
        }
        Begin::Unknown => Err(KeysError::Unknown),
    }
}

/// What a command does with a key when that depends on its other arguments, as the marks of its
/// rule say: SET reads only with GET, BITFIELD writes only with SET or INCRBY.
pub fn actual_flags(group: Group, flags: KeyFlags, argv: &[&[u8]]) -> KeyFlags {
    if !flags.contains(KeyFlags::VARIABLE_FLAGS) {
        return flags;
    }
    let first = if group == Group::String { 3 } else { 2 };
    let has =
        |word: &str| argv.iter().skip(first).any(|arg| arg.eq_ignore_ascii_case(word.as_bytes()));
    match group {
        Group::String if flags.contains(KeyFlags::ACCESS) => match has("get") {
            true => KeyFlags::RW | KeyFlags::ACCESS | KeyFlags::UPDATE,
            false => KeyFlags::OW | KeyFlags::UPDATE,
        },
        Group::Bitmap => match has("set") || has("incrby") {
            true => KeyFlags::RW | KeyFlags::ACCESS | KeyFlags::UPDATE,
            false => KeyFlags::RO | KeyFlags::ACCESS,
        },
        _ => flags - KeyFlags::VARIABLE_FLAGS,
    }
}

fn last_of_range(first: usize, last: i16, limit: u8, len: usize) -> usize {
    if last >= 0 {
        return first + usize::from(last.unsigned_abs());
    }
    if limit > 1 {
        return first + (len - first) / usize::from(limit) - 1;
    }
    len.saturating_sub(usize::from(last.unsigned_abs()))
}

#[cfg(test)]
mod tests;
