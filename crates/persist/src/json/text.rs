//! Bytes as JSON: text where they are UTF-8, base64 where they are not.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::INTEGER_MAX;
use crate::rdb::Out;

/// The member that binary strings stand in.
pub(super) const BASE64: &str = "base64";
/// Bytes that are made base64 at once: a multiple of three, so that only the end is padded.
const PIECE: usize = 3 << 10;

/// Writes a string: `"text"`, or `{"base64":"..."}` when it is not UTF-8.
pub(super) fn string(out: &mut impl Out, bytes: &[u8]) {
    if std::str::from_utf8(bytes).is_ok() {
        return quoted(out, bytes);
    }
    out.put(b"{\"base64\":\"");
    let mut room = [0; PIECE / 3 * 4];
    for piece in bytes.chunks(PIECE) {
        let len = STANDARD.encode_slice(piece, &mut room).expect("the room is four thirds of it");
        out.put(&room[..len]);
    }
    out.put(b"\"}");
}

/// Writes UTF-8 between quotes.
fn quoted(out: &mut impl Out, text: &[u8]) {
    out.put(b"\"");
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)) {
        out.put(&rest[..at]);
        escaped(out, rest[at]);
        rest = &rest[at + 1..];
    }
    out.put(rest);
    out.put(b"\"");
}

fn escaped(out: &mut impl Out, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let short = match byte {
        b'"' | b'\\' => byte,
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x08 => b'b',
        0x0c => b'f',
        _ => {
            let [high, low] = [byte >> 4, byte & 15].map(|digit| DIGITS[usize::from(digit)]);
            return out.put(&[b'\\', b'u', b'0', b'0', high, low]);
        }
    };
    out.put(&[b'\\', short]);
}

/// Writes a whole number, as a string when readers that keep doubles would round it.
pub(super) fn integer(out: &mut impl Out, number: impl Into<i128>) {
    let number: i128 = number.into();
    let is_exact = number.unsigned_abs() <= u128::from(INTEGER_MAX);
    let quote: &[u8] = if is_exact { b"" } else { b"\"" };
    out.put(quote);
    out.put(itoa::Buffer::new().format(number).as_bytes());
    out.put(quote);
}

/// Writes a score; the infinities, which JSON does not have, as strings.
pub(super) fn double(out: &mut impl Out, number: f64) {
    let mut text = Vec::with_capacity(32);
    resp::number::write_double(&mut text, number);
    let quote: &[u8] = if number.is_finite() { b"" } else { b"\"" };
    out.put(quote);
    out.put(&text);
    out.put(quote);
}

/// The bytes that base64 stands for, into `room`; whether it is in order.
pub(super) fn decode(text: &[u8], room: &mut Vec<u8>) -> bool {
    room.clear();
    STANDARD.decode_vec(text, room).is_ok()
}
