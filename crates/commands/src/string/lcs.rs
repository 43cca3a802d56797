//! LCS: the longest subsequence that two strings share, by the textbook's table.

use std::sync::Arc;

use keyspace::ValueRef;

use super::with_text;
use crate::args::is;
use crate::{Args, Ctx, Error};

/// A run of equal bytes: where it begins in either string, and its length.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Run {
    first: usize,
    second: usize,
    len: usize,
}

/// What was asked for.
#[derive(Default)]
struct Options {
    len: bool,
    idx: bool,
    match_len: bool,
    match_len_min: i64,
}

/// LCS key1 key2 [LEN] [IDX] [MINMATCHLEN len] [WITHMATCHLEN] - O(N*M) of the strings' lengths.
pub(super) fn lcs(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let first = text_of(ctx, args[1])?;
    let second = text_of(ctx, args[2])?;
    let options = parse(args)?;
    let table = Table::new(&first, &second, ctx.settings.proto_max_bulk_len)?;
    if options.len {
        ctx.out.int(i64::from(table.len()));
    } else if options.idx {
        let (_, runs) = table.walk(&first, &second);
        reply_runs(ctx, &table, &runs, &options);
    } else {
        let (text, _) = table.walk(&first, &second);
        ctx.out.bulk(&text);
    }
    Ok(())
}

fn parse(args: &Args<'_>) -> Result<Options, Error> {
    let mut options = Options::default();
    let mut cursor = args.cursor(3);
    while let Some(word) = cursor.next_word() {
        if is(word, "IDX") {
            options.idx = true;
        } else if is(word, "LEN") {
            options.len = true;
        } else if is(word, "WITHMATCHLEN") {
            options.match_len = true;
        } else if is(word, "MINMATCHLEN") {
            options.match_len_min = cursor.int()?;
        } else {
            return Err(Error::Syntax);
        }
    }
    if options.len && options.idx {
        return Err(Error::Text(
            "ERR If you want both the length and indexes, please just use IDX.",
        ));
    }
    Ok(options)
}

/// A string, shared when it is long, because two entries cannot be borrowed at once.
fn text_of(ctx: &mut Ctx<'_, '_>, key: &[u8]) -> Result<Arc<Vec<u8>>, Error> {
    let Some(entry) = ctx.db.read(key) else { return Ok(Arc::default()) };
    if let (ValueRef::Shared(_), Some(shared)) = (entry.value(), entry.shared()) {
        return Ok(shared);
    }
    with_text(&entry, |text| Arc::new(text.to_vec()))
        .map_err(|_| Error::Text("ERR The specified keys must contain string values"))
}

fn reply_runs(ctx: &mut Ctx<'_, '_>, table: &Table, runs: &[Run], options: &Options) {
    let wanted = |run: &&Run| run.len as i64 >= options.match_len_min;
    ctx.out.map(2);
    ctx.out.bulk(b"matches");
    ctx.out.array(runs.iter().filter(wanted).count());
    for run in runs.iter().filter(wanted) {
        ctx.out.array(if options.match_len { 3 } else { 2 });
        for start in [run.first, run.second] {
            ctx.out.array(2);
            ctx.out.int(start as i64);
            ctx.out.int((start + run.len - 1) as i64);
        }
        if options.match_len {
            ctx.out.int(run.len as i64);
        }
    }
    ctx.out.bulk(b"len");
    ctx.out.int(i64::from(table.len()));
}

/// For every pair of beginnings of the two strings the length of what they share.
struct Table {
    lengths: Vec<u32>,
    width: usize,
}

impl Table {
    /// Fills the table, which may take `memory_max` bytes.
    fn new(first: &[u8], second: &[u8], memory_max: u64) -> Result<Self, Error> {
        let longest = u64::from(u32::MAX) - 1;
        if first.len() as u64 >= longest || second.len() as u64 >= longest {
            return Err(Error::Text("ERR String too long for LCS"));
        }
        let width = second.len() + 1;
        let cells = (first.len() + 1) as u64 * width as u64;
        if cells * size_of::<u32>() as u64 > memory_max {
            return Err(Error::Text(
                "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len",
            ));
        }
        let mut lengths = Vec::new();
        if lengths.try_reserve_exact(cells as usize).is_err() {
            return Err(Error::Text(
                "ERR Insufficient memory, failed allocating transient memory for LCS",
            ));
        }
        lengths.resize(cells as usize, 0);
        for (row, byte) in first.iter().enumerate() {
            let (above, below) = lengths[row * width..].split_at_mut(width);
            for (at, other) in second.iter().enumerate() {
                below[at + 1] =
                    if byte == other { above[at] + 1 } else { above[at + 1].max(below[at]) };
            }
        }
        Ok(Self { lengths, width })
    }

    fn len(&self) -> u32 {
        self.lengths.last().copied().unwrap_or(0)
    }

    fn at(&self, row: usize, column: usize) -> u32 {
        self.lengths[row * self.width + column]
    }

    /// The subsequence, and its runs from the last to the first.
    fn walk(&self, first: &[u8], second: &[u8]) -> (Vec<u8>, Vec<Run>) {
        let mut text = Vec::with_capacity(self.len() as usize);
        let mut runs = Vec::new();
        let mut run: Option<Run> = None;
        let (mut row, mut column) = (first.len(), second.len());
        while row > 0 && column > 0 {
            if first[row - 1] == second[column - 1] {
                row -= 1;
                column -= 1;
                text.push(first[row]);
                let len = run.map_or(0, |run| run.len) + 1;
                run = Some(Run { first: row, second: column, len });
                continue;
            }
            runs.extend(run.take());
            if self.at(row - 1, column) > self.at(row, column - 1) {
                row -= 1;
            } else {
                column -= 1;
            }
        }
        runs.extend(run);
        text.reverse();
        (text, runs)
    }
}
