//! Where small forms end.

/// The values of the directives that bound the small forms, by their names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// `hash-max-listpack-entries`
    pub hash_entries: usize,
    /// `hash-max-listpack-value`
    pub hash_value: usize,
    /// `list-max-listpack-size`: entries when positive, -1 to -5 for 4 to 64 KiB.
    pub list_size: i32,
    /// Bytes from which on an element of a large list gets a node for itself; 0: by `list_size`.
    pub list_packed: usize,
    /// `list-compress-depth`
    pub list_compress_depth: usize,
    /// `set-max-intset-entries`
    pub set_intset_entries: usize,
    /// `set-max-listpack-entries`
    pub set_entries: usize,
    /// `set-max-listpack-value`
    pub set_value: usize,
    /// `zset-max-listpack-entries`
    pub zset_entries: usize,
    /// `zset-max-listpack-value`
    pub zset_value: usize,
    /// `stream-node-max-bytes`
    pub stream_node_bytes: usize,
    /// `stream-node-max-entries`
    pub stream_node_entries: usize,
    /// `stream-idmp-duration`, in seconds.
    pub stream_idmp_duration_s: i64,
    /// `stream-idmp-maxsize`
    pub stream_idmp_size: usize,
    /// `hll-sparse-max-bytes`
    pub hll_sparse_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            hash_entries: 512,
            hash_value: 64,
            list_size: -2,
            list_packed: 0,
            list_compress_depth: 0,
            set_intset_entries: 512,
            set_entries: 128,
            set_value: 64,
            zset_entries: 128,
            zset_value: 64,
            stream_node_bytes: 4096,
            stream_node_entries: 100,
            stream_idmp_duration_s: 100,
            stream_idmp_size: 100,
            hll_sparse_bytes: 3000,
        }
    }
}
