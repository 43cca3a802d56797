//! The hash table: extendible hashing over small segments.
