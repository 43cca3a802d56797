//! One command as COMMAND INFO describes it.

use resp::Writer;
use spec::acl::Acl;
use spec::command::{Begin, Find, Flags, KeyFlags, KeySpec};

use crate::rows::{Row, Rows};

/// Writes a command with the subcommands of it that work.
pub(super) fn write(rows: &Rows, row: &Row, out: &mut Writer) {
    let spec = row.spec;
    out.array(10);
    out.bulk(row.name.as_bytes());
    out.int(spec.arity.into());
    let flags = Flags::PRINTED.iter().filter(|(flag, _)| spec.flags.contains(*flag));
    write_names(flags.map(|(_, name)| *name), "", out);
    let keys = legacy_range(spec.keys);
    out.int(keys.first);
    out.int(keys.last);
    out.int(keys.step);
    let categories = Acl::NAMES.iter().filter(|(category, _)| spec.acl.contains(*category));
    write_names(categories.map(|(_, name)| *name), "@", out);
    out.set(spec.tips.len());
    for tip in spec.tips {
        out.bulk(tip.as_bytes());
    }
    out.set(spec.keys.len());
    for spec in spec.keys {
        write_key_spec(spec, out);
    }
    out.array(rows.subcommands(row).count());
    for sub in rows.subcommands(row) {
        write(rows, sub, out);
    }
}

/// Writes what happens to a key.
pub(super) fn write_key_flags(flags: KeyFlags, out: &mut Writer) {
    let named = KeyFlags::PRINTED.iter().filter(|(flag, _)| flags.contains(*flag));
    write_names(named.map(|(_, name)| *name), "", out);
}

/// Writes a set of statuses.
fn write_names(names: impl Iterator<Item = &'static str> + Clone, prefix: &str, out: &mut Writer) {
    out.set(names.clone().count());
    for name in names {
        out.simple(&format!("{prefix}{name}"));
    }
}

fn write_key_spec(spec: &KeySpec, out: &mut Writer) {
    out.map(3 + usize::from(!spec.notes.is_empty()));
    if !spec.notes.is_empty() {
        out.bulk(b"notes");
        out.bulk(spec.notes.as_bytes());
    }
    out.bulk(b"flags");
    write_key_flags(spec.flags, out);
    out.bulk(b"begin_search");
    match spec.begin {
        Begin::Index(index) => write_rule("index", &[("index", index.into())], out),
        Begin::Keyword { word, from } => {
            write_rule_head("keyword", 2, out);
            out.bulk(b"keyword");
            out.bulk(word.as_bytes());
            out.bulk(b"startfrom");
            out.int(from.into());
        }
        Begin::Unknown => write_rule("unknown", &[], out),
    }
    out.bulk(b"find_keys");
    match spec.find {
        Find::Range { last, step, limit } => {
            let numbers =
                [("lastkey", last.into()), ("keystep", step.into()), ("limit", limit.into())];
            write_rule("range", &numbers, out);
        }
        Find::KeyNum { idx, first, step } => {
            let numbers =
                [("keynumidx", idx.into()), ("firstkey", first.into()), ("keystep", step.into())];
            write_rule("keynum", &numbers, out);
        }
        Find::Unknown => write_rule("unknown", &[], out),
    }
}

fn write_rule(kind: &str, numbers: &[(&str, i64)], out: &mut Writer) {
    write_rule_head(kind, numbers.len(), out);
    for (name, number) in numbers {
        out.bulk(name.as_bytes());
        out.int(*number);
    }
}

fn write_rule_head(kind: &str, fields: usize, out: &mut Writer) {
    out.map(2);
    out.bulk(b"type");
    out.bulk(kind.as_bytes());
    out.bulk(b"spec");
    out.map(fields);
}

/// Where the keys are, in the terms of clients that do not read key specs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct LegacyRange {
    first: i64,
    /// Negative counts from the end.
    last: i64,
    step: i64,
}

/// A single range as it is; otherwise what ranges of step 1 cover that follow each other without a
/// gap. Nothing where there is no such range.
fn legacy_range(keys: &[KeySpec]) -> LegacyRange {
    let range = |spec: &KeySpec| match (spec.begin, spec.find) {
        (Begin::Index(first), Find::Range { last, step, .. }) => {
            let (first, last) = (i64::from(first), i64::from(last));
            let last = if last < 0 { last } else { first + last };
            Some(LegacyRange { first, last, step: step.into() })
        }
        _ => None,
    };
    if let [one] = keys {
        return range(one).unwrap_or_default();
    }
    let mut whole: Option<LegacyRange> = None;
    for next in keys.iter().filter_map(range).filter(|next| next.step == 1) {
        whole = match whole {
            None => Some(next),
            Some(so_far) if so_far.last == next.first - 1 => {
                Some(LegacyRange { last: next.last, ..so_far })
            }
            gap => gap,
        };
    }
    whole.unwrap_or_default()
}

#[cfg(test)]
mod tests;
