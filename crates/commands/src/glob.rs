//! Glob patterns as KEYS, SCAN, PSUBSCRIBE and CONFIG GET know them.
//!
//! The meaning is that of Redis's `stringmatchlen`, oddities included: `*`, `?`, `[a-z]`, `[^a-z]`,
//! `\` before a literal byte; a class that is never closed reaches to the pattern's end; bytes
//! within a class are compared as signed ones.

/// Stars in one pattern, those at its end not counted, beyond which nothing matches any more.
const STARS_MAX: usize = 1000;

/// Whether `text` matches `pattern`. A mismatch goes back to the last `*` only, so the cost is at
/// most the product of the lengths.
pub fn matches(pattern: &[u8], text: &[u8], ignore_case: bool) -> bool {
    if text.is_empty() {
        // Not even `*` matches nothing at all, as long as no byte came before it.
        return pattern.is_empty();
    }
    let (mut at, mut from, mut stars) = (0, 0, 0);
    let mut star: Option<(usize, usize)> = None;
    loop {
        if pattern.get(at) == Some(&b'*') {
            at += pattern[at..].iter().take_while(|&&byte| byte == b'*').count();
            if at == pattern.len() {
                return true;
            }
            stars += 1;
            if stars > STARS_MAX {
                return false;
            }
            star = Some((at, from));
        } else if at < pattern.len()
            && from < text.len()
            && let Some(next) = match_one(&pattern[at..], text[from], ignore_case)
        {
            at += next;
            from += 1;
        } else if at == pattern.len() && from == text.len() {
            return true;
        } else {
            let Some((after_star, start)) = star else { return false };
            if start == text.len() {
                return false;
            }
            star = Some((after_star, start + 1));
            (at, from) = (after_star, start + 1);
        }
    }
}

/// Whether `text` has a byte that makes it a pattern.
pub fn is_pattern(text: &[u8]) -> bool {
    text.iter().any(|byte| b"*?[".contains(byte))
}

/// Matches one byte against the first element of `pattern`; gives the element's length.
fn match_one(pattern: &[u8], byte: u8, ignore_case: bool) -> Option<usize> {
    let fold = |b: u8| if ignore_case { b.to_ascii_lowercase() } else { b };
    match pattern {
        [b'?', ..] => Some(1),
        [b'[', ..] => match_class(pattern, byte, fold),
        [b'\\', literal, ..] => (fold(*literal) == fold(byte)).then_some(2),
        [literal, ..] => (fold(*literal) == fold(byte)).then_some(1),
        [] => None,
    }
}

fn match_class(pattern: &[u8], byte: u8, fold: impl Fn(u8) -> u8) -> Option<usize> {
    let signed = |byte: u8| byte.cast_signed();
    let negated = pattern.get(1) == Some(&b'^');
    let mut at = if negated { 2 } else { 1 };
    let mut hit = false;
    loop {
        match &pattern[at..] {
            [] => break,
            [b']', ..] => {
                at += 1;
                break;
            }
            [b'\\', literal, ..] => {
                hit |= *literal == byte;
                at += 2;
            }
            [first, b'-', last, ..] => {
                let (one, other) = (signed(*first), signed(*last));
                let (low, high) = (one.min(other).cast_unsigned(), one.max(other).cast_unsigned());
                hit |= (signed(fold(low))..=signed(fold(high))).contains(&signed(fold(byte)));
                at += 3;
            }
            [literal, ..] => {
                hit |= fold(*literal) == fold(byte);
                at += 1;
            }
        }
    }
    (hit != negated).then_some(at)
}

#[cfg(test)]
mod tests;
