//! `bit`: operations on 32-bit integers, as LuaJIT's BitOp documents them.

use crate::stack::{Outcome, Stack};

/// Sets the library as a global.
pub(crate) fn open(stack: &mut Stack) {
    stack.new_table(0, 12);
    stack.set_function(c"tobit", tobit);
    stack.set_function(c"tohex", tohex);
    stack.set_function(c"bnot", |stack| one(stack, |bits| !bits));
    stack.set_function(c"bswap", |stack| one(stack, u32::swap_bytes));
    stack.set_function(c"band", |stack| all(stack, |a, b| a & b));
    stack.set_function(c"bor", |stack| all(stack, |a, b| a | b));
    stack.set_function(c"bxor", |stack| all(stack, |a, b| a ^ b));
    stack.set_function(c"lshift", |stack| shift(stack, |bits, n| bits << n));
    stack.set_function(c"rshift", |stack| shift(stack, |bits, n| bits >> n));
    stack
        .set_function(c"arshift", |stack| shift(stack, |bits, n| (bits.cast_signed() >> n) as u32));
    stack.set_function(c"rol", |stack| shift(stack, u32::rotate_left));
    stack.set_function(c"ror", |stack| shift(stack, u32::rotate_right));
    stack.set_global(c"bit");
}

/// The lower 32 bits of a number that was rounded to an integer, half to even.
fn bits(stack: &mut Stack, index: i32) -> u32 {
    let number = stack.check_number(index);
    // Adding this constant leaves the integer part in the lower bits of the sum, whatever its sign.
    let shifted: f64 = number + 6_755_399_441_055_744.0;
    shifted.to_bits() as u32
}

fn push(stack: &mut Stack, bits: u32) -> Outcome {
    stack.push_number(f64::from(bits.cast_signed()));
    Ok(1)
}

fn one(stack: &mut Stack, of: fn(u32) -> u32) -> Outcome {
    let value = bits(stack, 1);
    push(stack, of(value))
}

fn all(stack: &mut Stack, of: fn(u32, u32) -> u32) -> Outcome {
    let mut value = bits(stack, 1);
    // From the last on, which decides what argument an error names.
    for index in (2..=stack.top()).rev() {
        value = of(value, bits(stack, index));
    }
    push(stack, value)
}

fn shift(stack: &mut Stack, of: fn(u32, u32) -> u32) -> Outcome {
    let value = bits(stack, 1);
    let n = bits(stack, 2) & 31;
    push(stack, of(value, n))
}

/// bit.tobit(x)
fn tobit(stack: &mut Stack) -> Outcome {
    one(stack, |bits| bits)
}

/// bit.tohex(x [, n]): `n` digits, capital ones when it is negative.
fn tohex(stack: &mut Stack) -> Outcome {
    let value = bits(stack, 1);
    let n = if stack.top() < 2 { 8 } else { bits(stack, 2).cast_signed() };
    let set: &[u8; 16] = if n < 0 { b"0123456789ABCDEF" } else { b"0123456789abcdef" };
    let n = n.unsigned_abs().min(8) as usize;
    let mut digits = [0; 8];
    for (at, digit) in digits.iter_mut().enumerate() {
        *digit = set[(value >> (28 - 4 * at) & 15) as usize];
    }
    stack.push_bytes(&digits[8 - n..]);
    Ok(1)
}
