//! The rows against what the upstream servers say of themselves, and against each other.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Arg, ArgKind, Begin, COMMANDS, COUNT, Command, Dialect, Find, Flags, KeyFlags, KeySpec,
};
use super::{by_id, iter};
use crate::acl::Acl;

const UPSTREAM: &str = include_str!("../../data/upstream-commands.tsv");

fn full_name(row: &Command) -> String {
    match row.parent {
        Some(parent) => format!("{parent}|{}", row.name),
        None => row.name.to_owned(),
    }
}

fn upstream() -> impl Iterator<Item = Vec<&'static str>> {
    UPSTREAM
        .lines()
        .filter(|line| !line.starts_with('#'))
        .skip(1)
        .map(|line| line.split('\t').collect::<Vec<_>>())
        .inspect(|row| assert_eq!(row.len(), 10, "{row:?}"))
}

fn by_name() -> BTreeMap<String, &'static Command> {
    iter().map(|(_, row)| (full_name(row), row)).collect()
}

fn words(list: &str) -> BTreeSet<String> {
    list.split(',').filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// A key spec in the notation of the data file.
fn key_spec_text(spec: &KeySpec) -> String {
    let flags: BTreeSet<String> = spec.flags.iter_names().map(|(name, _)| name.into()).collect();
    let flags = flags.into_iter().collect::<Vec<_>>().join("+");
    let begin = match spec.begin {
        Begin::Index(at) => format!("index:{at}"),
        Begin::Keyword { word, from } => format!("keyword:{word},{from}"),
        Begin::Unknown => "unknown".to_owned(),
    };
    let find = match spec.find {
        Find::Range { last, step, limit } => format!("range:{last},{step},{limit}"),
        Find::KeyNum { idx, first, step } => format!("keynum:{idx},{first},{step}"),
        Find::Unknown => "unknown".to_owned(),
    };
    format!("{flags} {begin} {find}")
}

/// The notation of the data file with its flags in alphabetical order.
fn sorted_flags(spec: &str) -> String {
    let (flags, rest) = spec.trim().split_once(' ').expect("flags and places");
    let flags: BTreeSet<&str> = flags.split('+').collect();
    format!("{} {rest}", flags.into_iter().collect::<Vec<_>>().join("+"))
}

#[test]
fn every_upstream_command_has_an_equal_row() {
    let rows = by_name();
    for line in upstream() {
        let [name, servers, group, since, arity, flags, acl, keys, tips, deprecated] = line[..]
        else {
            unreachable!("ten columns");
        };
        let row = rows.get(&name.to_lowercase()).unwrap_or_else(|| panic!("no row for {name}"));
        let dialect = match servers {
            "both" => Dialect::Both,
            "redis" => Dialect::Redis,
            "valkey" => Dialect::Valkey,
            other => panic!("{name}: unknown server {other}"),
        };
        assert_eq!(row.dialect, dialect, "{name}");
        assert_eq!(row.newer, None, "{name}");
        assert_eq!(row.group.name().replace('-', "_"), group, "{name}");
        assert_eq!(row.since, since, "{name}");
        assert_eq!(row.arity.to_string(), arity, "{name}");
        assert_eq!(row.deprecated_since.unwrap_or(""), deprecated, "{name}");
        let derived = Flags::MOVABLEKEYS;
        let row_flags = (row.flags - derived).iter_names().map(|(flag, _)| flag.to_owned());
        assert_eq!(row_flags.collect::<BTreeSet<_>>(), words(flags), "{name}");
        let row_acl = row.acl.iter_names().map(|(category, _)| category.to_owned());
        let implied = implied_acl(row.flags).iter_names().map(|(category, _)| category.to_owned());
        let acl = words(acl).into_iter().chain(implied).collect();
        assert_eq!(row_acl.collect::<BTreeSet<_>>(), acl, "{name}");
        let row_keys: Vec<_> = row.keys.iter().map(key_spec_text).collect();
        let keys: Vec<_> = keys.split(';').filter(|k| !k.is_empty()).map(sorted_flags).collect();
        assert_eq!(row_keys, keys, "{name}");
        let row_tips: BTreeSet<_> = row.tips.iter().map(|tip| tip.to_uppercase()).collect();
        assert_eq!(row_tips, words(tips), "{name}");
    }
}

#[test]
fn every_other_row_says_where_it_comes_from() {
    let known: BTreeSet<_> = upstream().map(|line| line[0].to_lowercase()).collect();
    for (_, row) in iter().filter(|(_, row)| !known.contains(&full_name(row))) {
        assert!(row.newer.is_some() || row.dialect == Dialect::Reddle, "{}", full_name(row));
    }
}

#[test]
fn names_are_lower_case_sorted_and_unique() {
    for rows in COMMANDS {
        let group = rows[0].group;
        assert!(rows.is_sorted_by(|a, b| a.name < b.name), "{group:?}");
        for row in *rows {
            assert_eq!(row.group, group, "{}", row.name);
            assert_eq!(row.parent, None, "{}", row.name);
            assert!(row.subcommands.is_sorted_by(|a, b| a.name < b.name), "{}", row.name);
            for sub in row.subcommands {
                assert_eq!(sub.parent, Some(row.name), "{}", sub.name);
                assert_eq!(sub.group, group, "{}", sub.name);
                assert!(sub.subcommands.is_empty(), "{}", sub.name);
            }
        }
    }
    assert_eq!(by_name().len(), COUNT);
    assert!(by_name().keys().all(|name| *name == name.to_lowercase()));
}

#[test]
fn a_container_comes_directly_before_its_subcommands() {
    let mut next = 0;
    for row in COMMANDS.iter().flat_map(|rows| rows.iter()) {
        assert!(std::ptr::eq(by_id(next).expect("a row"), row));
        for (at, sub) in (1..).zip(row.subcommands) {
            assert!(std::ptr::eq(by_id(next + at).expect("a row"), sub));
        }
        next += 1 + row.subcommands.len() as u16;
    }
    assert_eq!(usize::from(next), COUNT);
    assert!(by_id(next).is_none());
    assert!(iter().enumerate().all(|(at, (id, _))| at == usize::from(id)));
}

#[test]
fn summaries_are_short_and_each_is_said_once() {
    let mut seen = BTreeMap::new();
    for (_, row) in iter() {
        let name = full_name(row);
        assert!(!row.summary.is_empty() && row.summary.len() <= 110, "{name}");
        assert!(!row.summary.ends_with('.') && !row.summary.contains('\n'), "{name}");
        assert!(row.summary.starts_with(|first: char| first.is_ascii_uppercase()), "{name}");
        if let Some(other) = seen.insert(row.summary, name.clone()) {
            panic!("{name} and {other} have the same summary");
        }
        for text in row.history.iter().map(|(_, text)| *text).chain([row.complexity]) {
            assert!(!text.ends_with('.') && !text.contains("  "), "{name}: {text}");
        }
        assert!(row.history.iter().all(|(release, _)| is_release(release)), "{name}");
        assert!(is_release(row.since), "{name}");
        assert_eq!(row.deprecated_since.is_some(), row.replaced_by.is_some(), "{name}");
    }
}

fn is_release(text: &str) -> bool {
    let parts: Vec<_> = text.split('.').collect();
    parts.len() == 3 && parts.iter().all(|part| part.parse::<u16>().is_ok())
}

/// The fewest and the most words that arguments can take; no upper end when they may be repeated.
fn span(args: &[Arg]) -> (usize, Option<usize>) {
    args.iter().map(span_of).fold((0, Some(0)), |(low, high), (least, most)| {
        (low + least, high.zip(most).map(|(high, most)| high + most))
    })
}

fn span_of(arg: &Arg) -> (usize, Option<usize>) {
    let (mut least, mut most) = match arg.kind {
        ArgKind::PureToken => (1, Some(1)),
        ArgKind::Block => span(arg.args),
        ArgKind::OneOf => {
            let spans: Vec<_> = arg.args.iter().map(span_of).collect();
            let least = spans.iter().map(|span| span.0).min().expect("an alternative");
            let most = spans.iter().map(|span| span.1).collect::<Option<Vec<_>>>();
            (least, most.and_then(|most| most.into_iter().max()))
        }
        _ => (1, Some(1)),
    };
    if arg.kind != ArgKind::PureToken && arg.token.is_some_and(|token| !token.is_empty()) {
        least += 1;
        most = most.map(|most| most + 1);
    }
    if arg.multiple {
        most = None;
    }
    (if arg.optional { 0 } else { least }, most)
}

/// Commands whose handlers refuse what their arity lets pass.
const LAX_UPSTREAM: &[&str] = &["cluster|migrateslots", "hotkeys|start"];

#[test]
fn arity_agrees_with_the_arguments() {
    for (_, row) in iter().filter(|(_, row)| row.subcommands.is_empty()) {
        let own = 1 + usize::from(row.parent.is_some());
        let (least, most) = span(row.args);
        let arity = usize::from(row.arity.unsigned_abs());
        let name = full_name(row);
        let lax = LAX_UPSTREAM.contains(&name.as_str());
        assert_eq!(own + least > arity, lax, "{name}: {least} arguments, arity {}", row.arity);
        if row.arity > 0 {
            assert_eq!(most.map(|most| own + most), Some(arity), "{name}");
        }
    }
}

#[test]
fn containers_take_a_subcommand_and_nothing_themselves() {
    for (_, row) in iter().filter(|(_, row)| !row.subcommands.is_empty()) {
        assert!(row.args.is_empty() && row.keys.is_empty(), "{}", row.name);
        assert!([-1, -2].contains(&row.arity), "{}", row.name);
    }
}

#[test]
fn every_key_argument_has_a_key_spec_and_the_arity_reaches_it() {
    for (_, row) in iter() {
        let name = full_name(row);
        let mut used = BTreeSet::new();
        collect_key_specs(row.args, &mut used);
        for index in &used {
            assert!(usize::from(*index) < row.keys.len(), "{name}");
        }
        if let Some(spec) = row.keys.iter().find(|spec| is_key(spec))
            && let Begin::Index(at) = spec.begin
        {
            let first = match spec.find {
                Find::KeyNum { idx, .. } => u16::from(at) + u16::from(idx),
                _ => u16::from(at),
            };
            let optional = row.flags.contains(Flags::NO_MANDATORY_KEYS);
            let reached = first < row.arity.unsigned_abs();
            assert!(reached || (optional && row.arity < 0), "{name}: {spec:?}");
        }
        if row.keys.iter().any(is_key) {
            assert!(!used.is_empty(), "{name} has key specs but no key argument");
        }
    }
}

/// Whether the rule finds keys, and not only something that is routed like one.
fn is_key(spec: &KeySpec) -> bool {
    !spec.flags.contains(KeyFlags::NOT_KEY)
}

fn collect_key_specs(args: &[Arg], used: &mut BTreeSet<u8>) {
    for arg in args {
        assert_eq!(arg.key_spec.is_some(), arg.kind == ArgKind::Key, "{}", arg.name);
        assert_eq!(
            arg.args.is_empty(),
            !matches!(arg.kind, ArgKind::OneOf | ArgKind::Block),
            "{}",
            arg.name
        );
        used.extend(arg.key_spec);
        collect_key_specs(arg.args, used);
    }
}

/// First key, last key and step describe plain ranges that follow each other, and nothing else.
fn needs_more_than_a_range(keys: &[KeySpec]) -> bool {
    let incomplete = |spec: &KeySpec| spec.flags.contains(KeyFlags::INCOMPLETE);
    if let [spec] = keys {
        let plain = matches!((spec.begin, spec.find), (Begin::Index(_), Find::Range { .. }));
        return !plain || incomplete(spec);
    }
    let mut previous_last = 0;
    keys.iter().any(|spec| match (spec.begin, spec.find) {
        (Begin::Index(at), Find::Range { last, step: 1, .. }) => {
            let at = i16::from(at);
            let follows = previous_last == 0 || previous_last + 1 == at;
            previous_last = if last < 0 { last } else { at + last };
            !follows || incomplete(spec)
        }
        _ => true,
    })
}

#[test]
fn movable_keys_are_those_that_one_range_cannot_describe() {
    for (_, row) in iter() {
        assert_eq!(
            row.flags.contains(Flags::MOVABLEKEYS),
            needs_more_than_a_range(row.keys),
            "{}",
            full_name(row)
        );
    }
}

/// The categories that follow from the flags, whatever else the row says.
fn implied_acl(flags: Flags) -> Acl {
    let by_flag = [
        (Flags::WRITE, Acl::WRITE),
        (Flags::ADMIN, Acl::ADMIN | Acl::DANGEROUS),
        (Flags::PUBSUB, Acl::PUBSUB),
        (Flags::BLOCKING, Acl::BLOCKING),
    ];
    let speed = if flags.contains(Flags::FAST) { Acl::FAST } else { Acl::SLOW };
    by_flag.iter().filter(|(flag, _)| flags.contains(*flag)).fold(speed, |all, (_, acl)| all | *acl)
}

#[test]
fn implied_acl_categories_are_written_out() {
    for (_, row) in iter() {
        let name = full_name(row);
        assert!(row.acl.contains(implied_acl(row.flags)), "{name}");
        assert_ne!(row.acl.contains(Acl::FAST), row.acl.contains(Acl::SLOW), "{name}");
    }
}

#[test]
fn printed_names_cover_each_bit_once() {
    let flags: Flags = Flags::PRINTED.iter().map(|(flag, _)| *flag).collect();
    let hidden = Flags::MAY_REPLICATE
        | Flags::SENTINEL
        | Flags::ONLY_SENTINEL
        | Flags::PROTECTED
        | Flags::TOUCHES_ARBITRARY_KEYS
        | Flags::ALL_DBS
        | Flags::EXPERIMENTAL;
    assert_eq!(flags | hidden, Flags::all());
    assert_eq!(Flags::PRINTED.len() + hidden.iter().count(), Flags::all().iter().count());
    for (flag, name) in Flags::PRINTED {
        assert_eq!(flag.iter_names().map(|(bit, _)| bit.to_lowercase()).collect::<String>(), *name);
    }
    let categories: Acl = Acl::NAMES.iter().map(|(category, _)| *category).collect();
    assert_eq!(categories, Acl::all());
    for (category, name) in Acl::NAMES {
        let own = category.iter_names().map(|(bit, _)| bit.to_lowercase()).collect::<String>();
        assert_eq!(own, *name);
    }
}

#[test]
fn exclusive_is_for_what_has_no_known_keys() {
    let rows = by_name();
    for name in ["flushall", "keys", "swapdb", "config|set", "eval", "client|kill"] {
        assert!(rows[name].exclusive, "{name}");
    }
    // These walk over the shards one by one.
    for name in ["scan", "randomkey"] {
        assert!(!rows[name].exclusive, "{name}");
        assert!(rows[name].flags.contains(Flags::TOUCHES_ARBITRARY_KEYS), "{name}");
    }
    for (name, row) in rows {
        let known = row.keys.iter().any(is_key) && !row.flags.contains(Flags::MOVABLEKEYS);
        assert!(!(row.exclusive && known), "{name} has known keys");
    }
}
