//! Figures about a table's shape, for people who debug it.

use crate::bucket::{self, SLOTS};
use crate::directory::Directory;

/// What [`crate::Table::stats`] returns.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stats {
    /// Items in the table.
    pub items: usize,
    /// Entries of the directory.
    pub directory: usize,
    /// Segments that hold buckets.
    pub segments: usize,
    /// Buckets of all segments, of 64 bytes and eight slots each.
    pub buckets: usize,
    /// Full buckets, behind which a search goes on.
    pub full_buckets: usize,
    /// Buckets of the largest segment.
    pub largest_segment: usize,
    /// Bytes that the table has allocated.
    pub memory: usize,
    /// How many items are found in their home bucket, in the next one, and so on; the last
    /// figure stands for all farther ones.
    pub probes: [usize; 8],
    /// The farthest that an item is from its home, in buckets.
    pub farthest: usize,
}

impl Stats {
    /// Used slots of all slots, 0 to 1.
    pub fn load(&self) -> f64 {
        if self.buckets == 0 {
            return 0.0;
        }
        self.items as f64 / (self.buckets * SLOTS) as f64
    }

    pub(crate) fn of(directory: &Directory) -> Stats {
        let (cells, segments) = directory.shape();
        let mut stats = Stats {
            items: directory.len(),
            directory: cells,
            segments,
            memory: directory.memory(),
            ..Stats::default()
        };
        let mut from = 0;
        while let Some((buckets, next)) = directory.next_array(from) {
            stats.add(buckets);
            from = next;
        }
        stats
    }

    fn add(&mut self, buckets: &[bucket::Bucket]) {
        let count = buckets.len();
        self.buckets += count;
        self.largest_segment = self.largest_segment.max(count);
        for (at, bucket) in buckets.iter().enumerate() {
            self.full_buckets += usize::from(bucket.is_full());
            for word in bucket.0.into_iter().filter(|&word| bucket::is_item(word)) {
                let home = bucket::home(bucket::fragment_of(word), count);
                let distance = bucket::distance(home, at, count);
                self.probes[distance.min(self.probes.len() - 1)] += 1;
                self.farthest = self.farthest.max(distance);
            }
        }
    }
}
