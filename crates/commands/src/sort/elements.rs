//! The elements to be sorted, in their own order.

use keyspace::ValueView;

use crate::{Ctx, Error};

/// The elements of a list, set or sorted set, and whether they are a set's, which have no order;
/// none without such a key.
pub(super) fn elements(ctx: &mut Ctx<'_, '_>, key: &[u8]) -> Result<(Vec<Vec<u8>>, bool), Error> {
    let Some(entry) = ctx.db.read(key) else { return Ok((Vec::new(), false)) };
    let mut elements = Vec::new();
    let mut add = |element: value::compact::Element<'_>| {
        let mut text = Vec::new();
        element.write_to(&mut text);
        elements.push(text);
    };
    let is_set = match entry.object() {
        Some(ValueView::List(list)) => {
            list.range(0, list.len(), add);
            false
        }
        Some(ValueView::Set(set)) => {
            set.each(add);
            true
        }
        Some(ValueView::Zset(zset)) => {
            zset.all().for_each(|(member, _)| add(member));
            false
        }
        _ => return Err(Error::WrongType),
    };
    Ok((elements, is_set))
}
