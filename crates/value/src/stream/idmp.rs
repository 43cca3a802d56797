//! What producers have sent already: the id that each of their requests got, for a while.

use std::collections::{BTreeMap, VecDeque};
use std::hash::Hasher;
use std::sync::Arc;

use siphasher::sip128::{Hasher128, SipHasher13};

use super::Id;
use crate::Limits;

/// The largest bounds that may be asked for.
const BOUND_DURATION_S: i64 = 86_400;
const BOUND_SIZE: usize = 1_000_000;

/// The requests that are remembered, by producer.
#[derive(Clone, Debug)]
pub struct Requests {
    duration_s: i64,
    size_max: usize,
    added: u64,
    duplicates: u64,
    producers: BTreeMap<Box<[u8]>, Producer>,
}

#[derive(Clone, Debug, Default)]
struct Producer {
    known: BTreeMap<Arc<[u8]>, Id>,
    /// The same in the order they came, with the time of each.
    order: VecDeque<(i64, Arc<[u8]>)>,
}

impl Requests {
    /// None, under the bounds that hold unless a stream says otherwise.
    pub(super) fn new(limits: &Limits) -> Requests {
        Requests {
            duration_s: limits.stream_idmp_duration_s,
            size_max: limits.stream_idmp_size,
            added: 0,
            duplicates: 0,
            producers: BTreeMap::new(),
        }
    }

    /// For how many seconds requests are remembered.
    pub fn duration_s(&self) -> i64 {
        self.duration_s
    }

    /// How many of each producer are.
    pub fn size_max(&self) -> usize {
        self.size_max
    }

    /// How many producers there are.
    pub fn producers(&self) -> usize {
        self.producers.len()
    }

    /// How many requests are remembered.
    pub fn len(&self) -> usize {
        self.producers.values().map(|producer| producer.known.len()).sum()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.producers.is_empty()
    }

    /// How many were ever remembered.
    pub fn added(&self) -> u64 {
        self.added
    }

    /// How many came again.
    pub fn duplicates(&self) -> u64 {
        self.duplicates
    }

    /// Whether these bounds are others than those of a stream that nobody has configured.
    pub fn is_configured(duration_s: i64, size_max: usize, limits: &Limits) -> bool {
        (duration_s, size_max) != (limits.stream_idmp_duration_s, limits.stream_idmp_size)
    }

    /// Calls `visit` with every producer and its requests in the order they came.
    pub fn each_producer(&self, mut visit: impl FnMut(&[u8], &[(&[u8], Id)])) {
        for (name, of) in &self.producers {
            let known = of.order.iter().filter_map(|(_, request)| {
                let id = of.known.get(request)?;
                Some((&**request, *id))
            });
            visit(name, &known.collect::<Vec<_>>());
        }
    }

    /// Takes what was saved: the requests of producers, oldest first, each with the id it got, at
    /// whose time it came. False when the bounds are none, or a producer has more than they allow.
    pub fn restore(
        &mut self,
        duration_s: i64,
        size_max: usize,
        all: Vec<(Vec<u8>, Vec<u8>, Id)>,
        added: u64,
        duplicates: u64,
    ) -> bool {
        if !(1..=BOUND_DURATION_S).contains(&duration_s) || !(1..=BOUND_SIZE).contains(&size_max) {
            return false;
        }
        (self.duration_s, self.size_max) = (duration_s, size_max);
        for (producer, request, id) in all {
            let of = self.producers.entry(producer.into()).or_default();
            let request: Arc<[u8]> = request.into();
            if of.order.len() >= size_max || of.known.insert(Arc::clone(&request), id).is_some() {
                return false;
            }
            of.order.push_back((i64::try_from(id.ms).unwrap_or(i64::MAX), request));
        }
        (self.added, self.duplicates) = (added, duplicates);
        true
    }

    /// Changes the bounds. What was remembered under other bounds is forgotten.
    pub fn configure(&mut self, duration_s: Option<i64>, size_max: Option<usize>) {
        let (duration_s, size_max) =
            (duration_s.unwrap_or(self.duration_s), size_max.unwrap_or(self.size_max));
        if (duration_s, size_max) != (self.duration_s, self.size_max) {
            self.producers.clear();
        }
        (self.duration_s, self.size_max) = (duration_s, size_max);
    }

    /// The id that a request got when it came before.
    pub fn find(&mut self, producer: &[u8], request: &[u8], now_ms: i64) -> Option<Id> {
        self.forget_old(producer, now_ms);
        self.producers.get(producer)?.known.get(request).copied()
    }

    /// Counts a request that came again.
    pub fn count_duplicate(&mut self) {
        self.duplicates += 1;
    }

    /// Remembers a request.
    pub fn remember(&mut self, producer: &[u8], request: &[u8], id: Id, now_ms: i64) {
        self.forget_old(producer, now_ms);
        let of = self.producers.entry(producer.into()).or_default();
        if of.order.len() >= self.size_max {
            of.forget_oldest();
        }
        let request: Arc<[u8]> = request.into();
        of.known.insert(Arc::clone(&request), id);
        of.order.push_back((now_ms, request));
        self.added += 1;
    }

    fn forget_old(&mut self, producer: &[u8], now_ms: i64) {
        let since_ms = now_ms.saturating_sub(self.duration_s * 1000);
        let Some(of) = self.producers.get_mut(producer) else { return };
        while of.order.front().is_some_and(|(time_ms, _)| *time_ms <= since_ms) {
            of.forget_oldest();
        }
        if of.order.is_empty() {
            self.producers.remove(producer);
        }
    }

    /// Bytes asked of the allocator, roughly.
    pub(super) fn memory(&self) -> usize {
        let texts = |of: &Producer| of.order.iter().map(|(_, text)| text.len() + 72).sum::<usize>();
        self.producers.iter().map(|(name, of)| name.len() + 120 + texts(of)).sum()
    }
}

impl Producer {
    fn forget_oldest(&mut self) {
        if let Some((_, request)) = self.order.pop_front() {
            self.known.remove(&request);
        }
    }
}

/// A name for a request made of its fields and values, whatever the order of the pairs.
pub fn request_of(pairs: &[&[u8]]) -> [u8; 16] {
    let digest = |pair: &[&[u8]]| {
        let mut hasher = SipHasher13::new();
        hasher.write_u64(pair[0].len() as u64);
        pair.iter().for_each(|part| hasher.write(part));
        hasher.finish128().as_u128()
    };
    pairs.chunks_exact(2).map(digest).fold(0, u128::wrapping_add).to_le_bytes()
}
