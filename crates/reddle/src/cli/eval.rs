//! `--eval FILE key ... , argument ...`: a script from a file.

use std::fs;

use super::operator::{Operator, Went, plain};
use super::{Done, Failure};

pub(super) fn run(mut operator: Operator) -> Done {
    let Some(file) = operator.options.eval.clone() else { return Ok(()) };
    let script = fs::read(&file)
        .map_err(|error| format!("Can't open file '{}': {}", file.display(), plain(&error)))?;
    let given = std::mem::take(&mut operator.options.words);
    let comma = given.iter().position(|word| word == b",");
    let keys = comma.unwrap_or(given.len());
    let mut words = vec![b"EVAL".to_vec(), script, keys.to_string().into_bytes()];
    let parts = given.into_iter().enumerate();
    words.extend(parts.filter(|(index, _)| Some(*index) != comma).map(|(_, word)| word));
    operator.fill_in(&mut words)?;
    match operator.issue(&words, operator.options.repeat)? {
        Went::Answered | Went::Refused => Ok(()),
        Went::Lost => Err(Failure::Told),
    }
}
