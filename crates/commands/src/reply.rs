//! How what collections hold is written.

use resp::Writer;
use value::compact::Element;

/// Writes an element, a member, a name or a value.
#[inline]
pub(crate) fn element(out: &mut Writer, element: Element<'_>) {
    match element {
        Element::Int(number) => out.bulk_int(number),
        Element::Str(text) => out.bulk(text),
    }
}

/// Writes an element, or null where there is none.
#[inline]
pub(crate) fn element_or_null(out: &mut Writer, found: Option<Element<'_>>) {
    match found {
        Some(found) => element(out, found),
        None => out.null(),
    }
}
