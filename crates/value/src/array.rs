//! To be filled.

/// To be filled.
#[derive(Clone, Debug, Default)]
pub struct Array;

impl Array {
    /// What OBJECT ENCODING replies.
    pub fn encoding(&self) -> &'static str {
        "sliced"
    }

    /// Whether a key that holds it ceases to exist.
    pub fn is_vacant(&self) -> bool {
        true
    }

    /// Bytes asked of the allocator.
    pub fn memory(&self, _samples: usize) -> usize {
        0
    }

    /// How many allocations freeing it takes, roughly.
    pub fn effort(&self) -> usize {
        1
    }
}
