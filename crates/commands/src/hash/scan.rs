//! HSCAN.

use value::number::Text;

use super::look;
use crate::scan::{Pattern, parse_cursor};
use crate::{Args, Ctx, Error};

/// Fields that a call is to meet when it does not say.
const COUNT: u64 = 10;

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
        let options = Options::read(args)?;
        // The cursor comes first in the reply but last from the walk.
        let mut found = Vec::new();
        let mut room = Text::new();
        let cursor = hash.scan(cursor, options.count, &mut |name, value| {
            if options.pattern.fits(name.text(&mut room)) {
                let mut text = Vec::new();
                name.write_to(&mut text);
                found.push(text);
                if !options.no_values {
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

struct Options<'a> {
    pattern: Pattern<'a>,
    count: u64,
    no_values: bool,
}

impl<'a> Options<'a> {
    fn read(args: &Args<'a>) -> Result<Self, Error> {
        let mut options = Self { pattern: Pattern::new(b"*"), count: COUNT, no_values: false };
        let mut words = args.cursor(3);
        while words.left() > 0 {
            let has_value = words.left() > 1;
            if has_value && words.accept("COUNT") {
                options.count = u64::try_from(words.int()?).map_err(|_| Error::Syntax)?;
                if options.count == 0 {
                    return Err(Error::Syntax);
                }
            } else if has_value && words.accept("MATCH") {
                options.pattern = Pattern::new(words.value()?);
            } else if words.accept("NOVALUES") {
                options.no_values = true;
            } else if words.accept("NOSCORES") {
                return Err(Error::Text("ERR NOSCORES option can only be used in ZSCAN"));
            } else {
                return Err(Error::Syntax);
            }
        }
        Ok(options)
    }
}
