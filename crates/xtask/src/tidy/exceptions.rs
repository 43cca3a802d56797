//! The list of what the rules overlook. It may only shrink: an exception that allows more than
//! there is to allow is itself an error.
//!
//! A line is `rule path count reason`; `#` starts a comment.

use std::collections::BTreeMap;

use super::Finding;

/// Takes the excepted findings away.
///
/// # Errors
/// A malformed line, or a count that is larger than the number of findings.
pub(crate) fn apply(findings: Vec<Finding>, list: &str) -> Result<Vec<Finding>, String> {
    let mut found: BTreeMap<(&str, String), Vec<Finding>> = BTreeMap::new();
    for finding in findings {
        found.entry((finding.rule, finding.path.clone())).or_default().push(finding);
    }
    for line in list.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if line.starts_with('#') {
            continue;
        }
        let (rule, path, count) = parse(line)?;
        let key = found.keys().find(|key| key.0 == rule && key.1 == path).cloned();
        let real = key.as_ref().map_or(0, |key| found[key].len());
        if real < count {
            return Err(format!("exceptions.txt allows {count} of {rule} in {path}: now {real}"));
        }
        if let Some(key) = key
            && real == count
        {
            found.remove(&key);
        }
    }
    Ok(found.into_values().flatten().collect())
}

fn parse(line: &str) -> Result<(&str, &str, usize), String> {
    let mut words = line.split_whitespace();
    let (rule, path, count) = (words.next(), words.next(), words.next());
    let reason = words.next();
    match (rule, path, count.and_then(|count| count.parse().ok()), reason) {
        (Some(rule), Some(path), Some(count), Some(_)) => Ok((rule, path, count)),
        _ => Err(format!("exceptions.txt: not `rule path count reason`: {line}")),
    }
}
