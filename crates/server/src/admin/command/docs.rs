//! COMMAND DOCS: commands explained for people and for programs that help people.

use commands::{Args, Error};
use resp::Writer;
use spec::command::{Arg, Command, DocFlags};

use super::{find, top_level};
use crate::call::Call;
use crate::rows::{Row, Rows};

/// COMMAND DOCS \[name ...\] - O(N) where N is the number of names.
pub(super) fn docs(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let rows = &call.server.rows;
    let map = call.out.map_later();
    let mut count = 0;
    let mut each = |row: &Row| {
        write(rows, row, call.out);
        count += 1;
    };
    if args.len() == 2 {
        top_level(rows).into_iter().for_each(&mut each);
    } else {
        args.from(2).iter().filter_map(|name| find(rows, name)).for_each(&mut each);
    }
    call.out.finish(map, count);
    Ok(())
}

/// Writes a command's name and its description, with those of its working subcommands.
fn write(rows: &Rows, row: &Row, out: &mut Writer) {
    let spec = row.spec;
    out.bulk(row.name.as_bytes());
    let map = out.map_later();
    let mut count = write_texts(spec, out);
    if !spec.doc_flags.is_empty() {
        count += 1;
        out.bulk(b"doc_flags");
        let named = DocFlags::PRINTED.iter().filter(|(flag, _)| spec.doc_flags.contains(*flag));
        out.set(named.clone().count());
        named.for_each(|(_, name)| out.simple(name));
    }
    count += write_pair("deprecated_since", spec.deprecated_since, out);
    count += write_pair("replaced_by", spec.replaced_by, out);
    if !spec.history.is_empty() {
        count += 1;
        out.bulk(b"history");
        out.set(spec.history.len());
        for (since, change) in spec.history {
            out.array(2);
            out.bulk(since.as_bytes());
            out.bulk(change.as_bytes());
        }
    }
    if !spec.args.is_empty() {
        count += 1;
        out.bulk(b"arguments");
        write_args(spec.args, out);
    }
    if rows.subcommands(row).next().is_some() {
        count += 1;
        out.bulk(b"subcommands");
        out.map(rows.subcommands(row).count());
        rows.subcommands(row).for_each(|sub| write(rows, sub, out));
    }
    out.finish(map, count);
}

fn write_texts(spec: &Command, out: &mut Writer) -> usize {
    let complexity = Some(spec.complexity).filter(|text| !text.is_empty());
    write_pair("summary", Some(spec.summary), out)
        + write_pair("since", Some(spec.since), out)
        + write_pair("group", Some(spec.group.name()), out)
        + write_pair("complexity", complexity, out)
}

/// Writes a name and its text, if there is a text; tells how many pairs these are.
fn write_pair(name: &str, text: Option<&str>, out: &mut Writer) -> usize {
    let Some(text) = text else { return 0 };
    out.bulk(name.as_bytes());
    out.bulk(text.as_bytes());
    1
}

fn write_args(args: &[Arg], out: &mut Writer) {
    out.array(args.len());
    for arg in args {
        write_arg(arg, out);
    }
}

fn write_arg(arg: &Arg, out: &mut Writer) {
    let map = out.map_later();
    let mut count = write_pair("name", Some(arg.name), out);
    count += write_pair("type", Some(arg.kind.name()), out);
    count += write_pair("display_text", arg.display_text(), out);
    if let Some(index) = arg.key_spec {
        count += 1;
        out.bulk(b"key_spec_index");
        out.int(index.into());
    }
    count += write_pair("token", arg.token, out);
    count += write_pair("summary", arg.summary, out);
    count += write_pair("since", arg.since, out);
    count += write_pair("deprecated_since", arg.deprecated_since, out);
    let flags = [
        (arg.optional, "optional"),
        (arg.multiple, "multiple"),
        (arg.multiple_token, "multiple_token"),
    ];
    let set = flags.iter().filter(|(is_set, _)| *is_set);
    if set.clone().next().is_some() {
        count += 1;
        out.bulk(b"flags");
        out.set(set.clone().count());
        set.for_each(|(_, name)| out.simple(name));
    }
    if !arg.args.is_empty() {
        count += 1;
        out.bulk(b"arguments");
        write_args(arg.args, out);
    }
    out.finish(map, count);
}
