//! Ranges of scores and of members.

/// A range of scores.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ScoreRange {
    /// The lowest score.
    pub min: f64,
    /// The highest score.
    pub max: f64,
    /// Whether the lowest score itself is outside.
    pub min_open: bool,
    /// Whether the highest score itself is outside.
    pub max_open: bool,
}

impl ScoreRange {
    /// Whether a score comes before the range.
    pub(super) fn is_after(&self, score: f64) -> bool {
        score < self.min || (self.min_open && score == self.min)
    }

    /// Whether a score does not come behind the range.
    pub(super) fn reaches(&self, score: f64) -> bool {
        score < self.max || (!self.max_open && score == self.max)
    }
}

/// One end of a range of members.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LexBound<'a> {
    /// Before every member.
    Lowest,
    /// Behind every member.
    Highest,
    /// At these bytes, which are outside.
    Open(&'a [u8]),
    /// At these bytes, which are inside.
    Closed(&'a [u8]),
}

/// A range of members in the order of their bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LexRange<'a> {
    /// The lower end.
    pub min: LexBound<'a>,
    /// The upper end.
    pub max: LexBound<'a>,
}

impl LexRange<'_> {
    /// Whether a member comes before the range.
    pub(super) fn is_after(&self, name: &[u8]) -> bool {
        match self.min {
            LexBound::Lowest => false,
            LexBound::Highest => true,
            LexBound::Open(bytes) => name <= bytes,
            LexBound::Closed(bytes) => name < bytes,
        }
    }

    /// Whether a member does not come behind the range.
    pub(super) fn reaches(&self, name: &[u8]) -> bool {
        match self.max {
            LexBound::Lowest => false,
            LexBound::Highest => true,
            LexBound::Open(bytes) => name < bytes,
            LexBound::Closed(bytes) => name <= bytes,
        }
    }
}
