//! Sorted sets that come from outside in their compact form.

use super::{Form, Inner, Zset, score};
use crate::compact::{Element, Listpack, are_distinct};
use crate::number::Text;

/// Why a listpack is no sorted set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refused(pub &'static str);

impl Zset {
    /// A sorted set of members and scores by turns, large when there are too many. What does not
    /// stand in order is put in order.
    pub fn from_pack(pack: Listpack, form: Form<'_>) -> Result<Self, Refused> {
        let mut entries = pack.iter();
        let mut before: Option<(f64, Element<'_>)> = None;
        let mut ascends = true;
        while let Some((_, member)) = entries.next() {
            let Some((_, score)) = entries.next() else {
                return Err(Refused("sorted set with a member that has no score"));
            };
            let score = checked_score(score)?;
            ascends &= before.is_none_or(|(lower, other)| {
                lower < score || lower == score && is_less(other, member)
            });
            before = Some((score, member));
        }
        if !are_distinct(&pack, 2) {
            return Err(Refused("sorted set with a member twice"));
        }
        let len = pack.len() / 2;
        if !ascends {
            return Ok(Self::in_order(&pack, form));
        }
        let mut zset = Self(Inner::Small(pack).into());
        zset.expect(len, 0, form);
        Ok(zset)
    }

    fn in_order(pack: &Listpack, form: Form<'_>) -> Self {
        let mut zset = Self::new();
        zset.expect(pack.len() / 2, 0, form);
        let mut entries = pack.iter();
        while let (Some((_, member)), Some((_, score))) = (entries.next(), entries.next()) {
            zset.update(member.text(&mut Text::new()), form, |_| Some(score::parse(score)));
        }
        zset
    }
}

/// Whether a member stands before another one of the same score.
fn is_less(one: Element<'_>, other: Element<'_>) -> bool {
    one.text(&mut Text::new()) < other.text(&mut Text::new())
}

fn checked_score(score: Element<'_>) -> Result<f64, Refused> {
    let value = match score {
        Element::Int(_) => Some(score::parse(score)),
        Element::Str(text) => std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()),
    };
    match value {
        Some(value) if !f64::is_nan(value) => Ok(value),
        _ => Err(Refused("sorted set with a score that is no number")),
    }
}
