//! Scores as text, for listpacks: the layout in which Redis writes them there.
//!
//! The text of a score reads back to the same number. Digits are the shortest that do; Redis's
//! algorithm (Grisu2) now and then writes one more, which reads the same.

use std::io::{Cursor, Write};

use crate::compact::Element;

/// The largest magnitude whose whole numbers are written as integers, 2 to the power of 62.
const WHOLE_MAX: f64 = 4_611_686_018_427_387_904.0;

/// Room for the text of a score.
pub(super) struct Room(Cursor<[u8; 48]>);

impl Room {
    pub(super) fn new() -> Room {
        Room(Cursor::new([0; 48]))
    }

    /// The score as a listpack keeps it; zero loses its sign there.
    #[allow(clippy::cast_possible_truncation)]
    pub(super) fn element(&mut self, score: f64) -> Element<'_> {
        if score.abs() <= WHOLE_MAX && score.trunc() == score {
            return Element::Int(score as i64);
        }
        if score.is_infinite() {
            return Element::Str(if score < 0.0 { b"-inf" } else { b"inf" });
        }
        self.0.set_position(0);
        lay_out(&mut self.0, score).expect("a score's text fits into its room");
        let len = usize::try_from(self.0.position()).expect("a short text");
        Element::Str(&self.0.get_ref()[..len])
    }
}

/// The score of an element of a listpack; 0 when it is no number, which is nothing that we write.
#[allow(clippy::cast_precision_loss)]
pub(super) fn parse(element: Element<'_>) -> f64 {
    match element {
        Element::Int(score) => score as f64,
        Element::Str(text) => {
            std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).unwrap_or(0.0)
        }
    }
}

/// Writes a finite number that is not whole or large: plain where that is short, otherwise with
/// an exponent.
fn lay_out(out: &mut impl Write, score: f64) -> std::io::Result<()> {
    let mut shortest = Cursor::new([0u8; 32]);
    write!(shortest, "{:e}", score.abs())?;
    let len = usize::try_from(shortest.position()).unwrap_or(0);
    let text = &shortest.get_ref()[..len];
    let e = text.iter().position(|byte| *byte == b'e').unwrap_or(len);
    let scientific: i32 = text
        .get(e + 1..)
        .and_then(|text| std::str::from_utf8(text).ok()?.parse().ok())
        .unwrap_or(0);
    let mut digits = [0u8; 24];
    let mut count = 0;
    for digit in text[..e].iter().filter(|byte| **byte != b'.') {
        digits[count] = *digit;
        count += 1;
    }
    let digits = &digits[..count];
    let exponent = scientific + 1 - i32::try_from(count).unwrap_or(0);
    if score < 0.0 {
        out.write_all(b"-")?;
    }
    if (0..8).contains(&exponent) {
        out.write_all(digits)?;
        write_zeros(out, exponent)
    } else if exponent < 0 && (exponent > -7 || scientific.abs() < 4) {
        if scientific >= 0 {
            let whole = usize::try_from(scientific + 1).unwrap_or(0);
            out.write_all(&digits[..whole])?;
            out.write_all(b".")?;
            return out.write_all(&digits[whole..]);
        }
        out.write_all(b"0.")?;
        write_zeros(out, -scientific - 1)?;
        out.write_all(digits)
    } else {
        out.write_all(&digits[..1])?;
        if count > 1 {
            out.write_all(b".")?;
            out.write_all(&digits[1..])?;
        }
        write!(out, "e{scientific:+}")
    }
}

fn write_zeros(out: &mut impl Write, count: i32) -> std::io::Result<()> {
    (0..count).try_for_each(|_| out.write_all(b"0"))
}
