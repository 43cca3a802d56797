//! HSCAN.

use value::number::Text;

use super::look;
use crate::scan::{ElementOptions, parse_cursor};
use crate::{Args, Ctx, Error};

/// HSCAN key cursor [MATCH pattern] [COUNT count] [NOVALUES] - O(1) a call, O(N) a full walk.
pub(super) fn hscan(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let cursor = parse_cursor(args[2]).ok_or(Error::Text(spec::error::INVALID_CURSOR))?;
    look(&mut ctx.db, args[1], |hash| {
        let Some(hash) = hash else {
            ctx.out.array(2);
            ctx.out.bulk(b"0");
            ctx.out.array(0);
            return Ok(());
        };
        let options = ElementOptions::read(args, Some("NOVALUES"))?;
        // The cursor comes first in the reply but last from the walk.
        let mut found = Vec::new();
        let mut room = Text::new();
        let cursor = hash.scan(cursor, options.count, &mut |name, value| {
            if options.pattern.fits(name.text(&mut room)) {
                let mut text = Vec::new();
                name.write_to(&mut text);
                found.push(text);
                if !options.names_only {
                    let mut text = Vec::new();
                    value.write_to(&mut text);
                    found.push(text);
                }
            }
        });
        ctx.out.array(2);
        ctx.out.bulk(cursor.to_string().as_bytes());
        ctx.out.array(found.len());
        found.iter().for_each(|text| ctx.out.bulk(text));
        Ok(())
    })?
}
