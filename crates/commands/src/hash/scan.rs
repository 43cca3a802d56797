//! HSCAN.

use super::look;
use crate::scan::{ElementOptions, Found, parse_cursor};
use crate::{Args, Ctx, Error};

/// HSCAN key cursor [MATCH pattern] [COUNT count] [NOVALUES] - O(1) a call, O(N) a full walk.
pub(super) fn hscan(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let cursor = parse_cursor(args[2])?;
    look(&mut ctx.db, args[1], |hash| {
        let mut found = Found::default();
        let Some(hash) = hash else { return found.write(ctx.out, 0) };
        let options = ElementOptions::read(args, Some("NOVALUES"))?;
        let cursor = hash.scan(cursor, options.count, &mut |name, value| {
            if options.fit(name) {
                found.add_element(name);
                if !options.names_only {
                    found.add_element(value);
                }
            }
        });
        found.write(ctx.out, cursor)
    })?
}
