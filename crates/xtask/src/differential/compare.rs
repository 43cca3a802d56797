//! Whether two replies, as bytes, are the same under a command's rule.
//!
//! Equal bytes are equal replies; only others are decoded. An error equals nothing but itself.

use resp::value::{Value, decode};

use super::exceptions::{is_tied_sort, is_unsorted};
use super::generate::Argv;

/// What a command's reply leaves open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// Nothing.
    Exact,
    /// The order of the elements.
    AnyOrder,
    /// The order of pairs, which RESP2 sends as a flat array.
    Pairs,
    /// A cursor, and elements in any order once both walks have ended.
    Scan,
    /// As `Scan`, with pairs.
    ScanPairs,
    /// A cursor and elements: a walk from a cursor of chance, which means what each server likes.
    Walk,
    /// Integers from zero on, which may differ by this much.
    Near(u64),
    /// Ages and moments in milliseconds wherever they stand, and figures of the implementation.
    Times,
    /// The replies of several commands, each under the first of the rules above that fits.
    Replies,
    /// Which of several things was chosen.
    Shape,
}

impl Rule {
    /// What a script calls it.
    pub(super) fn name(self) -> String {
        match self {
            Rule::Exact => "exact".to_owned(),
            Rule::AnyOrder => "any-order".to_owned(),
            Rule::Pairs => "pairs".to_owned(),
            Rule::Scan => "scan".to_owned(),
            Rule::ScanPairs => "scan-pairs".to_owned(),
            Rule::Walk => "walk".to_owned(),
            Rule::Near(limit) => format!("near {limit}"),
            Rule::Times => "times".to_owned(),
            Rule::Replies => "replies".to_owned(),
            Rule::Shape => "shape".to_owned(),
        }
    }

    /// The rule for one command of the form: a walk that does not begin at the beginning cannot be
    /// followed.
    pub(super) fn of(self, argv: &Argv) -> Rule {
        let at = if argv[0].eq_ignore_ascii_case(b"scan") { 1 } else { 2 };
        match self {
            _ if is_tied_sort(argv) || is_unsorted(argv) => Rule::AnyOrder,
            Rule::AnyOrder if is_some_of_many(argv) => Rule::Shape,
            Rule::Scan | Rule::ScanPairs if argv.get(at).is_some_and(|cursor| cursor != b"0") => {
                Rule::Walk
            }
            rule => rule,
        }
    }

    /// The reverse of [`Rule::name`].
    pub(super) fn named(name: &str) -> Option<Rule> {
        if let Some(limit) = name.strip_prefix("near ") {
            return limit.parse().ok().map(Rule::Near);
        }
        const PLAIN: [Rule; 9] = [
            Rule::Exact,
            Rule::AnyOrder,
            Rule::Pairs,
            Rule::Scan,
            Rule::ScanPairs,
            Rule::Walk,
            Rule::Times,
            Rule::Replies,
            Rule::Shape,
        ];
        PLAIN.into_iter().find(|rule| rule.name() == name)
    }
}

/// How far the clocks of two servers that run the same commands may lie apart, in milliseconds.
const CLOCKS_MS: u64 = 20_000;

/// Integers from here on are moments in Unix milliseconds.
const MOMENT_MIN: i64 = 1_000_000_000_000;

/// Names in front of an age in milliseconds.
const AGES: &[&[u8]] = &[b"idle", b"inactive"];

/// Names in front of a figure that depends on how a value is stored.
const INTERNALS: &[&[u8]] = &[b"radix-tree-keys", b"radix-tree-nodes"];

/// Names, and values behind them, that only ours has: of newer releases than the peer.
const OURS_ALONE: &[&[u8]] = &[b"nacked-count"];

/// See the module's text.
pub(super) fn same(rule: Rule, ours: &[u8], theirs: &[u8]) -> bool {
    if ours == theirs {
        return true;
    }
    let is_error = |reply: &[u8]| reply.first() == Some(&b'-');
    if rule == Rule::Exact || is_error(ours) || is_error(theirs) {
        return false;
    }
    let (Ok(Some((ours, _))), Ok(Some((theirs, _)))) = (decode(ours), decode(theirs)) else {
        return false;
    };
    same_values(rule, &ours, &theirs)
}

fn same_values(rule: Rule, ours: &Value, theirs: &Value) -> bool {
    match rule {
        Rule::Exact => ours == theirs,
        Rule::Replies => same_replies(ours, theirs),
        Rule::AnyOrder => same_elements(ours, theirs, 1),
        Rule::Pairs => same_elements(ours, theirs, 2),
        Rule::Scan => same_scan(ours, theirs, 1),
        Rule::Walk => same_scan(ours, theirs, 0),
        Rule::ScanPairs => same_scan(ours, theirs, 2),
        Rule::Near(limit) => same_near(ours, theirs, limit),
        Rule::Times => same_times(&without_own(ours), &without_own(theirs), None),
        Rule::Shape => same_shape(ours, theirs),
    }
}

/// Whether SRANDMEMBER chooses.
fn is_some_of_many(argv: &Argv) -> bool {
    argv[0].eq_ignore_ascii_case(b"srandmember") && argv.get(2).is_none_or(|count| count != b"1000")
}

/// Elements in any order, of an array in groups of `group`.
fn same_elements(ours: &Value, theirs: &Value, group: usize) -> bool {
    match (ours, theirs) {
        (Value::Array(ours), Value::Array(theirs)) | (Value::Set(ours), Value::Set(theirs)) => {
            sorted(ours, group) == sorted(theirs, group)
        }
        (Value::Map(ours), Value::Map(theirs)) => {
            let sorted = |pairs: &[(Value, Value)]| {
                let mut texts: Vec<String> = pairs.iter().map(|pair| format!("{pair:?}")).collect();
                texts.sort_unstable();
                texts
            };
            sorted(ours) == sorted(theirs)
        }
        _ => false,
    }
}

fn sorted(items: &[Value], group: usize) -> Vec<String> {
    let mut texts: Vec<String> = items.chunks(group).map(|part| format!("{part:?}")).collect();
    texts.sort_unstable();
    texts
}

/// `[cursor, elements]`; a walk that has not ended on both sides, or has no groups of elements to
/// compare, is only looked at.
fn same_scan(ours: &Value, theirs: &Value, group: usize) -> bool {
    let (Value::Array(ours), Value::Array(theirs)) = (ours, theirs) else { return false };
    let ([cursor, items], [their_cursor, their_items]) = (&ours[..], &theirs[..]) else {
        return false;
    };
    let end = Value::Bulk(b"0".to_vec());
    if group == 0 || *cursor != end || *their_cursor != end {
        return matches!((items, their_items), (Value::Array(_), Value::Array(_)));
    }
    same_elements(items, their_items, group)
}

fn same_replies(ours: &Value, theirs: &Value) -> bool {
    const RULES: [Rule; 8] = [
        Rule::Exact,
        Rule::Walk,
        Rule::AnyOrder,
        Rule::Pairs,
        Rule::Scan,
        Rule::ScanPairs,
        Rule::Near(CLOCKS_MS),
        Rule::Times,
    ];
    let (Value::Array(ours), Value::Array(theirs)) = (ours, theirs) else { return false };
    let fits = |(a, b)| RULES.iter().any(|rule| same_values(*rule, a, b));
    ours.len() == theirs.len() && ours.iter().zip(theirs).all(fits)
}

fn same_near(ours: &Value, theirs: &Value, limit: u64) -> bool {
    match (ours, theirs) {
        (Value::Int(a), Value::Int(b)) => a == b || (*a >= 0 && *b >= 0 && a.abs_diff(*b) <= limit),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_near(a, b, limit))
        }
        _ => ours == theirs,
    }
}

/// The value without what only ours has, in maps and arrays that stand for them.
fn without_own(value: &Value) -> Value {
    let is_own = |name: &Value| text(name).is_some_and(|name| OURS_ALONE.contains(&name));
    match value {
        Value::Map(pairs) => {
            let kept = pairs.iter().filter(|pair| !is_own(&pair.0));
            Value::Map(kept.map(|pair| (pair.0.clone(), without_own(&pair.1))).collect())
        }
        Value::Array(items) => {
            let mut kept = Vec::new();
            let mut rest = items.iter();
            while let Some(item) = rest.next() {
                if is_own(item) {
                    rest.next();
                } else {
                    kept.push(without_own(item));
                }
            }
            Value::Array(kept)
        }
        other => other.clone(),
    }
}

/// `name` is the text in front of the values, in a map or an array that stands for one.
fn same_times(ours: &Value, theirs: &Value, name: Option<&[u8]>) -> bool {
    let is_named = |names: &[&[u8]]| name.is_some_and(|name| names.contains(&name));
    match (ours, theirs) {
        (Value::Int(_), Value::Int(_)) if is_named(INTERNALS) => true,
        (Value::Int(a), Value::Int(b)) => {
            let loose = is_named(AGES) || (*a >= MOMENT_MIN && *b >= MOMENT_MIN);
            a == b || (loose && *a >= 0 && *b >= 0 && a.abs_diff(*b) <= CLOCKS_MS)
        }
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && same_times_in(a, b),
        (Value::Map(a), Value::Map(b)) => {
            a.len() == b.len()
                && a.iter().zip(b).all(|(a, b)| a.0 == b.0 && same_times(&a.1, &b.1, text(&a.0)))
        }
        _ => ours == theirs,
    }
}

/// XPENDING has lines `[id, consumer, age, deliveries]`: an integer behind two texts is an age.
fn same_times_in(ours: &[Value], theirs: &[Value]) -> bool {
    let is_pending = matches!(ours, [Value::Bulk(_), Value::Bulk(_), Value::Int(_), Value::Int(_)]);
    ours.iter().zip(theirs).enumerate().all(|(at, (a, b))| {
        if is_pending && at == 2 {
            return same_near(a, b, CLOCKS_MS);
        }
        let name = at.checked_sub(1).and_then(|before| text(&ours[before]));
        same_times(a, b, name)
    })
}

fn text(value: &Value) -> Option<&[u8]> {
    match value {
        Value::Bulk(text) => Some(text),
        _ => None,
    }
}

fn same_shape(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_shape(a, b))
        }
        _ => std::mem::discriminant(ours) == std::mem::discriminant(theirs),
    }
}

#[cfg(test)]
mod tests;
