//! Reading JSON.

use super::NESTING_MAX;
use crate::stack::{Outcome, Pinned, Raised, Stack};

/// One token, with the place at which it begins.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Token {
    ObjectBegin,
    ObjectEnd,
    ArrayBegin,
    ArrayEnd,
    /// The text stands in the state's buffer.
    String,
    Number(f64),
    Boolean(bool),
    Null,
    Colon,
    Comma,
    End,
    Wrong(&'static str),
}

impl Token {
    /// What messages call it.
    fn name(self) -> &'static str {
        match self {
            Self::ObjectBegin => "T_OBJ_BEGIN",
            Self::ObjectEnd => "T_OBJ_END",
            Self::ArrayBegin => "T_ARR_BEGIN",
            Self::ArrayEnd => "T_ARR_END",
            Self::String => "T_STRING",
            Self::Number(_) => "T_NUMBER",
            Self::Boolean(_) => "T_BOOLEAN",
            Self::Null => "T_NULL",
            Self::Colon => "T_COLON",
            Self::Comma => "T_COMMA",
            Self::End => "T_END",
            Self::Wrong(reason) => reason,
        }
    }
}

struct Reader {
    text: Pinned,
    at: usize,
    /// Where the last token begins.
    began: usize,
    depth: u32,
}

/// cjson.decode(text)
pub(super) fn decode(stack: &mut Stack) -> Outcome {
    if stack.top() != 1 {
        return stack.fail_argument(1, c"expected 1 argument");
    }
    let text = stack.check_bytes(1);
    if text.len() >= 2 && (text[0] == 0 || text[1] == 0) {
        return stack.fail(b"JSON parser does not support UTF-16 or UTF-32");
    }
    let mut reader = Reader { text, at: 0, began: 0, depth: 0 };
    let token = reader.token(stack);
    reader.value(stack, token)?;
    match reader.token(stack) {
        Token::End => Ok(1),
        token => reader.unexpected(stack, "the end", token),
    }
}

impl Reader {
    fn unexpected(&self, stack: &mut Stack, expected: &str, found: Token) -> Outcome {
        stack.push_bytes(b"Expected ");
        stack.push_bytes(expected.as_bytes());
        stack.push_bytes(b" but found ");
        stack.push_bytes(found.name().as_bytes());
        stack.push_bytes(b" at character ");
        stack.push_number(self.began as f64 + 1.0);
        stack.concat(6);
        let text = stack.check_bytes(-1);
        stack.fail(text.get())
    }

    fn enter(&mut self, stack: &mut Stack) -> Result<(), Raised> {
        self.depth += 1;
        let deepest = stack.state().json.decode_depth_max.min(NESTING_MAX);
        if self.depth <= deepest && stack.reserve(6) {
            return Ok(());
        }
        stack.push_bytes(b"Found too many nested data structures (");
        stack.push_number(f64::from(self.depth));
        stack.push_bytes(b") at character ");
        stack.push_number(self.at as f64);
        stack.concat(4);
        let text = stack.check_bytes(-1);
        stack.fail(text.get()).map(|_| ())
    }

    /// Pushes the value that begins with a token.
    fn value(&mut self, stack: &mut Stack, token: Token) -> Result<(), Raised> {
        match token {
            Token::String => stack.push_text(),
            Token::Number(number) => stack.push_number(number),
            Token::Boolean(value) => stack.push_bool(value),
            Token::Null => stack.push_null_pointer(),
            Token::ObjectBegin => return self.object(stack),
            Token::ArrayBegin => return self.array(stack),
            _ => return self.unexpected(stack, "value", token).map(|_| ()),
        }
        Ok(())
    }

    fn object(&mut self, stack: &mut Stack) -> Result<(), Raised> {
        self.enter(stack)?;
        stack.new_table(0, 0);
        let mut token = self.token(stack);
        while token != Token::ObjectEnd {
            if token != Token::String {
                self.unexpected(stack, "object key string", token)?;
            }
            stack.push_text();
            match self.token(stack) {
                Token::Colon => {}
                token => return self.unexpected(stack, "colon", token).map(|_| ()),
            }
            let value = self.token(stack);
            self.value(stack, value)?;
            stack.raw_set(-3);
            match self.token(stack) {
                Token::ObjectEnd => break,
                Token::Comma => token = self.token(stack),
                token => return self.unexpected(stack, "comma or object end", token).map(|_| ()),
            }
            if token == Token::ObjectEnd {
                return self.unexpected(stack, "object key string", token).map(|_| ());
            }
        }
        self.depth -= 1;
        Ok(())
    }

    fn array(&mut self, stack: &mut Stack) -> Result<(), Raised> {
        self.enter(stack)?;
        stack.new_table(0, 0);
        let mut token = self.token(stack);
        if token == Token::ArrayEnd {
            self.depth -= 1;
            return Ok(());
        }
        for n in 1.. {
            self.value(stack, token)?;
            stack.raw_set_at(-2, n);
            match self.token(stack) {
                Token::ArrayEnd => break,
                Token::Comma => token = self.token(stack),
                token => return self.unexpected(stack, "comma or array end", token).map(|_| ()),
            }
        }
        self.depth -= 1;
        Ok(())
    }

    fn token(&mut self, stack: &mut Stack) -> Token {
        let rest = &self.text.get()[self.at..];
        let blanks = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
        self.at += blanks.count();
        self.began = self.at;
        let rest = &self.text.get()[self.at..];
        let Some(first) = rest.first() else { return Token::End };
        let single = match first {
            b'{' => Token::ObjectBegin,
            b'}' => Token::ObjectEnd,
            b'[' => Token::ArrayBegin,
            b']' => Token::ArrayEnd,
            b':' => Token::Colon,
            b',' => Token::Comma,
            b'"' => return self.string(stack),
            _ => return self.word(stack, rest),
        };
        self.at += 1;
        single
    }

    /// A number or one of the words.
    fn word(&mut self, stack: &mut Stack, rest: &[u8]) -> Token {
        let words = [
            (&b"true"[..], Token::Boolean(true)),
            (b"false", Token::Boolean(false)),
            (b"null", Token::Null),
        ];
        let may_be_invalid = stack.state().json.read_invalid;
        let is_invalid = is_invalid_number(rest);
        let is_number = matches!(rest[0], b'-' | b'0'..=b'9');
        if is_number && is_invalid && !may_be_invalid {
            return Token::Wrong("invalid number");
        }
        if is_number || is_invalid && may_be_invalid {
            return match number_prefix(rest) {
                Some((number, len)) => {
                    self.at += len;
                    Token::Number(number)
                }
                None => Token::Wrong("invalid number"),
            };
        }
        for (word, token) in words {
            if rest.starts_with(word) {
                self.at += word.len();
                return token;
            }
        }
        Token::Wrong("invalid token")
    }

    /// A string, whose text is put into the state's buffer.
    fn string(&mut self, stack: &mut Stack) -> Token {
        let text: &[u8] = self.text.get();
        let out = &mut stack.state().text;
        out.clear();
        let mut at = self.at + 1;
        loop {
            let run = text[at..].iter().position(|byte| matches!(byte, b'"' | b'\\' | 0));
            let Some(run) = run else { return self.wrong(text.len(), "unexpected end of string") };
            out.extend_from_slice(&text[at..at + run]);
            at += run;
            match text[at] {
                b'"' => break,
                0 => return self.wrong(at, "unexpected end of string"),
                _ => {}
            }
            let escape = text.get(at + 1).copied().unwrap_or(0);
            let plain = match escape {
                b'"' | b'\\' | b'/' => escape,
                b'b' => 8,
                b't' => 9,
                b'n' => 10,
                b'f' => 12,
                b'r' => 13,
                b'u' => match unicode(&text[at..]) {
                    Some((letter, len)) => {
                        out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
                        at += len;
                        continue;
                    }
                    None => return self.wrong(at, "invalid unicode escape code"),
                },
                _ => return self.wrong(at, "invalid escape code"),
            };
            out.push(plain);
            at += 2;
        }
        self.at = at + 1;
        Token::String
    }

    fn wrong(&mut self, at: usize, reason: &'static str) -> Token {
        self.began = at;
        Token::Wrong(reason)
    }
}

/// The letter of an escape with four digits, or of two that stand for one, and their length.
fn unicode(text: &[u8]) -> Option<(char, usize)> {
    let code = |at: usize| {
        let digits = std::str::from_utf8(text.get(at..at + 4)?).ok()?;
        digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then_some(())?;
        u32::from_str_radix(digits, 16).ok()
    };
    let high = code(2)?;
    if high & 0xf800 != 0xd800 {
        return char::from_u32(high).map(|letter| (letter, 6));
    }
    if high & 0x400 != 0 || text.get(6..8) != Some(b"\\u") {
        return None;
    }
    let low = code(8).filter(|low| low & 0xfc00 == 0xdc00)?;
    char::from_u32(0x10000 + ((high & 0x3ff) << 10) + (low & 0x3ff)).map(|letter| (letter, 12))
}

/// Whether what begins here is a number, but none of JSON's: hexadecimal, with leading zeros, an
/// infinity, or not a number at all.
fn is_invalid_number(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"-").or_else(|| text.strip_prefix(b"+")).unwrap_or(text);
    match text {
        [b'0', b'x' | b'X' | b'0'..=b'9', ..] => true,
        [first, ..] if *first <= b'9' => false,
        _ => starts_with_name(text).is_some(),
    }
}

fn starts_with_name(text: &[u8]) -> Option<(f64, usize)> {
    let names = [(&b"infinity"[..], f64::INFINITY), (b"inf", f64::INFINITY), (b"nan", f64::NAN)];
    let is =
        |name: &[u8]| text.len() >= name.len() && text[..name.len()].eq_ignore_ascii_case(name);
    names.iter().find(|(name, _)| is(name)).map(|(name, value)| (*value, name.len()))
}

/// The longest number at the beginning, as C's `strtod` takes it, and its length.
fn number_prefix(text: &[u8]) -> Option<(f64, usize)> {
    let sign = usize::from(matches!(text.first(), Some(b'-' | b'+')));
    let factor = if text.first() == Some(&b'-') { -1.0 } else { 1.0 };
    let body = &text[sign..];
    if let Some((value, len)) = starts_with_name(body) {
        return Some((factor * value, sign + len));
    }
    if let [b'0', b'x' | b'X', digits @ ..] = body {
        let n = digits.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        if n == 0 {
            return Some((factor * 0.0, sign + 1));
        }
        let value = digits[..n].iter().fold(0.0, |value, byte| {
            let digit = char::from(*byte).to_digit(16).unwrap_or(0);
            value * 16.0 + f64::from(digit)
        });
        return Some((factor * value, sign + 2 + n));
    }
    let digits = |from: usize| body[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut end = digits(0);
    let mut some = end > 0;
    if body.get(end) == Some(&b'.') {
        let fraction = digits(end + 1);
        some |= fraction > 0;
        end += 1 + fraction;
    }
    if !some {
        return None;
    }
    if matches!(body.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(body.get(end + 1), Some(b'-' | b'+')));
        let exponent = digits((end + 1 + sign).min(body.len()));
        if exponent > 0 {
            end += 1 + sign + exponent;
        }
    }
    let value: f64 = std::str::from_utf8(&body[..end]).ok()?.parse().ok()?;
    Some((factor * value, sign + end))
}

// The reader is a frame's own value and holds nothing that must be dropped.
const _: () = assert!(!std::mem::needs_drop::<Reader>() && !std::mem::needs_drop::<Token>());
