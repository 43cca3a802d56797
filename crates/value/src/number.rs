//! Whole numbers as text: what is stored as a number because it reads like one.
//!
//! Invariant: [`parse_i64`] accepts exactly what [`Text`] prints, so that a number and its text
//! stand for each other.

#[cfg(test)]
mod tests;

/// The longest text of an `i64`: a minus and 19 digits.
pub const TEXT_MAX: usize = 20;

/// Reads a decimal integer: an optional minus, no plus, no blanks, no leading zero, not `-0`,
/// nothing behind it. `None` for anything else and for what does not fit.
#[inline]
pub fn parse_i64(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    match digits {
        [b'0'] if !negative => return Some(0),
        [b'1'..=b'9', ..] if digits.len() < TEXT_MAX => {}
        _ => return None,
    }
    let mut value: u64 = 0;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        // Nineteen digits cannot overflow: the largest such number is below 2^64.
        value = value * 10 + u64::from(digit);
    }
    if negative { 0i64.checked_sub_unsigned(value) } else { i64::try_from(value).ok() }
}

/// Room for the text of one number.
#[derive(Clone, Copy)]
pub struct Text(itoa::Buffer);

impl Text {
    /// Empty room.
    #[inline]
    pub fn new() -> Text {
        Text(itoa::Buffer::new())
    }

    /// The decimal text of `value`, at most [`TEXT_MAX`] bytes.
    #[inline]
    pub fn of(&mut self, value: i64) -> &[u8] {
        self.0.format(value).as_bytes()
    }
}

impl Default for Text {
    fn default() -> Text {
        Text::new()
    }
}
