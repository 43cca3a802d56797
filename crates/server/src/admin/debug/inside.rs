//! DEBUG LISTPACK and QUICKLIST: what a collection is made of, printed where the server's output
//! goes, as Valkey does.

use std::fmt::Write as _;
use std::io::Write as _;

use commands::{Args, Error};
use keyspace::{Entry, ValueView};
use value::compact::Listpack;
use value::list::View;
use value::number::Text;

use super::value::find;
use crate::call::Call;
use crate::refuse::lossy;

/// Bytes of an element that are shown.
const SHOWN_MAX: usize = 40;

/// DEBUG LISTPACK key - O(N).
pub(super) fn listpack(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let Some(entry) = find(call.server, call.held, call.session.db, args[2]) else {
        return Err(Error::NoSuchKey);
    };
    let pack = listpack_of(&entry).ok_or(Error::Text("ERR Not a listpack encoded object."))?;
    let mut text = String::new();
    describe(&mut text, pack);
    print(&text);
    call.out.simple("Listpack structure printed on stdout");
    Ok(())
}

/// DEBUG QUICKLIST key \[0|1\] - O(N); 1 shows the elements too.
pub(super) fn quicklist(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let full = args.get(3).is_some_and(super::is_on);
    let Some(entry) = find(call.server, call.held, call.session.db, args[2]) else {
        return Err(Error::NoSuchKey);
    };
    let list = match entry.object() {
        Some(ValueView::List(list)) => list,
        _ => return Err(NOT_QUICKLIST),
    };
    let layout = list.layout().ok_or(NOT_QUICKLIST)?;
    let mut text = format!(
        "{{count : {}}}\n{{len : {}}}\n{{compress : {}}}\n",
        list.len(),
        layout.nodes(),
        layout.compress_depth()
    );
    for (number, node) in layout.each().enumerate() {
        let container = if matches!(node.content, View::Plain(_)) { "PLAIN" } else { "PACKED" };
        let encoding = if node.compressed { "LZF" } else { "RAW" };
        let _ = writeln!(
            text,
            "{{quicklist node({number})\n{{container : {container}, encoding: {encoding}, \
             size: {}, count: {}}}",
            node.size, node.count
        );
        match node.content {
            View::Packed(pack) if full => describe(&mut text, &pack),
            View::Plain(element) if full => {
                let _ = writeln!(text, "{{ entry : {} }}", shown(&element));
            }
            _ => {}
        }
        text.push_str("}\n");
    }
    print(&text);
    call.out.simple("Quicklist structure printed on stdout");
    Ok(())
}

const NOT_QUICKLIST: Error = Error::Text("ERR Not a quicklist encoded object.");

fn listpack_of(entry: &Entry) -> Option<&Listpack> {
    match entry.object()? {
        ValueView::Hash(hash) => hash.listpack(),
        ValueView::List(list) => list.listpack(),
        ValueView::Set(set) => set.listpack(),
        ValueView::Zset(zset) => zset.listpack(),
        ValueView::Stream(_) | ValueView::Array(_) => None,
    }
}

/// Writing into memory does not fail.
fn describe(text: &mut String, pack: &Listpack) {
    let (bytes, count) = (pack.bytes_len(), pack.len());
    let _ = writeln!(text, "{{total bytes {bytes}}} {{num entries {count}}}");
    for (index, (position, element)) in pack.iter().enumerate() {
        let entry = pack.entry_bytes(position);
        let address = pack.as_bytes().as_ptr().wrapping_add(position.offset());
        let _ = write!(
            text,
            "{{\n\taddr: {address:p},\n\tindex: {index:2},\n\toffset: {},\n\t\
             hdr+entrylen+backlen: {:2},\n\tbytes: ",
            position.offset(),
            entry.len(),
        );
        for byte in entry {
            let _ = write!(text, "{byte:02x}|");
        }
        let _ = writeln!(text, "\n\t[str]{}\n}}", shown(element.text(&mut Text::new())));
    }
    text.push_str("{end}\n\n");
}

fn shown(element: &[u8]) -> String {
    let end = if element.len() > SHOWN_MAX { "..." } else { "" };
    format!("{}{end}", lossy(&element[..element.len().min(SHOWN_MAX)]))
}

/// Nobody may be there to read it.
fn print(text: &str) {
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}
