//! The one hash of user keys: SipHash-1-3 under a secret seed, because the order of SCAN and the
//! time a command takes show a client where keys lie (see `docs/design/keyspace.md`).

use siphasher::sip::SipHasher13;

/// The keyed hash. Every table of one process uses the same seed.
#[derive(Clone, Copy)]
pub struct KeyHash {
    hasher: SipHasher13,
}

impl KeyHash {
    /// From a secret seed of 16 bytes.
    pub fn new(seed: [u8; 16]) -> Self {
        Self { hasher: SipHasher13::new_with_key(&seed) }
    }

    /// The hash of a key. Its low bits choose the shard, its high bits the place in the table.
    #[inline]
    pub fn of(&self, key: &[u8]) -> u64 {
        self.hasher.hash(key)
    }
}

impl table::KeyHash for KeyHash {
    fn hash(&self, key: &[u8]) -> u64 {
        self.of(key)
    }
}
