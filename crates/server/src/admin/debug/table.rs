//! DEBUG HTSTATS and HTSTATS-KEY: the shape of the tables.

use std::fmt::Write;

use commands::{Args, Error};

use super::value::find;
use crate::call::Call;

/// Items that one bucket of a table has room for.
const SLOTS: usize = 8;

/// DEBUG HTSTATS database \[FULL\] - O(N), N the number of buckets.
pub(super) fn htstats(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let databases = i64::from(call.server.keyspace.databases());
    let index = args.int(2)?;
    if !(0..databases).contains(&index) {
        return Err(Error::Text("ERR Out of range database"));
    }
    let full = args.get(3).is_some_and(|word| word.eq_ignore_ascii_case(b"full"));
    let mut sum = Sum::default();
    for shard in 0..call.held.count() {
        let db = call.held.shard(shard).db(index as u32);
        sum.expires += db.expires();
        sum.add(&db.table().stats());
    }
    call.out.verbatim("txt", sum.text(full).as_bytes());
    Ok(())
}

/// DEBUG HTSTATS-KEY key \[FULL\] - O(1). The tables inside of large collections are not shown.
pub(super) fn htstats_key(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    match find(call.server, call.held, call.session.db, args[2]) {
        None => Err(Error::NoSuchKey),
        Some(_) => Err(Error::Text(
            "ERR The value stored at the specified key is not represented using an hash table",
        )),
    }
}

/// The figures of all shards of one database together.
#[derive(Default)]
struct Sum {
    expires: usize,
    items: usize,
    buckets: usize,
    full_buckets: usize,
    segments: usize,
    largest_segment: usize,
    probes: [usize; 8],
    farthest: usize,
}

impl Sum {
    fn add(&mut self, stats: &table::Stats) {
        self.items += stats.items;
        self.buckets += stats.buckets;
        self.full_buckets += stats.full_buckets;
        self.segments += stats.segments;
        self.largest_segment = self.largest_segment.max(stats.largest_segment);
        self.probes.iter_mut().zip(stats.probes).for_each(|(sum, count)| *sum += count);
        self.farthest = self.farthest.max(stats.farthest);
    }

    fn text(&self, full: bool) -> String {
        let mut text = "[Dictionary HT]\n".to_owned();
        head(&mut text, self.buckets * SLOTS, self.items);
        if full && self.items > 0 {
            let load = self.items as f64 / (self.buckets * SLOTS) as f64;
            let rest = format!(
                " segments: {}\n largest segment: {} buckets\n buckets: {}\n full buckets: {}\n \
                 load: {load:.2}\n max probe length: {}\n probe length distribution:\n",
                self.segments, self.largest_segment, self.buckets, self.full_buckets, self.farthest,
            );
            text.push_str(&rest);
            for (length, count) in self.probes.iter().enumerate().filter(|(_, count)| **count > 0) {
                let share = *count as f64 * 100.0 / self.items as f64;
                // Writing to a String cannot fail.
                writeln!(text, "   {length}: {count} ({share:.2}%)").ok();
            }
        }
        text.push_str("[Expires HT]\n");
        head(&mut text, self.expires, self.expires);
        text
    }
}

fn head(text: &mut String, size: usize, items: usize) {
    text.push_str("Hash table 0 stats (main hash table):\n");
    if items == 0 {
        text.push_str("No stats available for empty hash tables\n");
    } else {
        text.push_str(&format!(" table size: {size}\n number of entries: {items}\n"));
    }
}
