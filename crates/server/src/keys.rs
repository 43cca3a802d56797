//! Which of a command's arguments are keys, from its row.

use resp::number::parse_i64;
use spec::command::{Arg, ArgKind, Begin, Command, Find, Group, KeyFlags, KeySpec};

/// Why the keys could not be told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeysError {
    /// The arguments do not fit the command.
    Invalid,
    /// Only the command's own parser can tell.
    Unknown,
}

/// The positions of the keys of `argv`, spec by spec, with each key's flags. Behind
/// [`KeysError::Unknown`] the ones that can be told were told.
pub fn positions(
    command: &Command,
    argv: &[&[u8]],
    mut each: impl FnMut(usize, KeyFlags),
) -> Result<(), KeysError> {
    let mut unknown = false;
    let mut option = None;
    for (index, spec) in command.keys.iter().enumerate() {
        if spec.flags.contains(KeyFlags::NOT_KEY) {
            continue;
        }
        if names_option(command.args, spec, index) {
            let option = *option.get_or_insert_with(|| key_of_option(command.args, argv));
            option.iter().filter(|(of, _)| *of == index).for_each(|(_, at)| each(*at, spec.flags));
            continue;
        }
        let first = match begin(spec.begin, argv) {
            Err(KeysError::Unknown) => {
                unknown = true;
                continue;
            }
            first => first?,
        };
        let Some(first) = first else { continue };
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
            Find::Unknown => unknown = true,
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
        Begin::Unknown => Err(KeysError::Unknown),
    }
}

/// Whether a spec speaks of an option with one key, which may stand anywhere among the others.
/// Looking for its word alone would take another option's operand for it.
fn names_option(args: &[Arg], spec: &KeySpec, index: usize) -> bool {
    let searched = match spec.begin {
        Begin::Index(_) => false,
        Begin::Keyword { .. } => matches!(spec.find, Find::Range { last: 0, .. }),
        Begin::Unknown => true,
    };
    let is_it = |arg: &Arg| arg.key_spec.map(usize::from) == Some(index) && arg.token.is_some();
    searched && args.iter().any(|arg| is_it(arg) || arg.args.iter().any(is_it))
}

/// The key of the last option that has one, with the index of its spec. Options are read as their
/// command reads them: word by word, each with its operands.
fn key_of_option(args: &[Arg], argv: &[&[u8]]) -> Option<(usize, usize)> {
    let fixed = args.iter().take_while(|arg| !arg.optional && arg.token.is_none()).count();
    let mut found = None;
    let mut at = fixed + 1;
    while let Some(word) = argv.get(at) {
        let option = args[fixed..].iter().find_map(|arg| option_called(arg, word));
        let operands = option.map_or(0, operands);
        if let Some(spec) = option.and_then(|option| option.key_spec)
            && at + 1 < argv.len()
        {
            found = Some((usize::from(spec), at + 1));
        }
        at += 1 + operands;
    }
    found
}

/// The option of this name: the argument itself or one of its parts.
fn option_called<'a>(arg: &'a Arg, word: &[u8]) -> Option<&'a Arg> {
    match arg.token {
        Some(token) if token.as_bytes().eq_ignore_ascii_case(word) => Some(arg),
        Some(_) => None,
        None => arg.args.iter().find_map(|part| option_called(part, word)),
    }
}

/// How many arguments follow an option's word.
fn operands(option: &Arg) -> usize {
    match option.kind {
        ArgKind::PureToken => 0,
        ArgKind::Block => option.args.iter().filter(|part| !part.optional).count(),
        _ => 1,
    }
}

/// What a command does with a key when that depends on its other arguments, as the marks of its
/// rule say: SET reads only with GET, BITFIELD reads when nothing in it could write.
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
        Group::Bitmap => match only_reads(argv.get(2..).unwrap_or_default()) {
            true => KeyFlags::RO | KeyFlags::ACCESS,
            false => KeyFlags::RW | KeyFlags::ACCESS | KeyFlags::UPDATE,
        },
        _ => flags - KeyFlags::VARIABLE_FLAGS,
    }
}

/// Whether the operations of BITFIELD are `GET type offset` and `OVERFLOW behaviour` alone.
fn only_reads(mut operations: &[&[u8]]) -> bool {
    loop {
        operations = match operations {
            [] => return true,
            [word, _, _, rest @ ..] if word.eq_ignore_ascii_case(b"get") => rest,
            [word, _, rest @ ..] if word.eq_ignore_ascii_case(b"overflow") => rest,
            _ => return false,
        };
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
