//! POSIX extended regular expressions, as the library TRE reads them, in terms of the `regex`
//! crate.
//!
//! Expressions are about bytes: `.` is any byte, a class is a set of bytes, and only letters of
//! ASCII have a case. What differs between the two languages is looked at here byte by byte:
//! bracket expressions, escapes, bounds in braces, and what cannot be repeated. The crate's
//! automata keep the time of a search linear in the text.

use regex::bytes::{Regex, RegexBuilder};

/// Why an expression was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Refused {
    /// It refers back to what a group matched.
    RefersBack,
    /// It is none; the text is TRE's.
    Invalid(&'static str),
}

use Refused::{Invalid, RefersBack};

const BAD: Refused = Invalid("Invalid regexp");
const BAD_BACK_REFERENCE: Refused = Invalid("Invalid back reference");
const BAD_BRACES: Refused = Invalid("Invalid contents of {}");
const BAD_CLASS: Refused = Invalid("Unknown character class name");
const BAD_COLLATION: Refused = Invalid("Invalid collation element");
const BAD_RANGE: Refused = Invalid("Invalid character range");
const BAD_REPETITION: Refused = Invalid("Invalid use of repetition operators");
const NO_BRACE: Refused = Invalid("Missing '}'");
const NO_BRACKET: Refused = Invalid("Missing ']'");
const NO_PARENTHESIS: Refused = Invalid("Missing ')'");
const TOO_LARGE: Refused = Invalid("Out of memory");
const TRAILING_BACKSLASH: Refused = Invalid("Trailing backslash");

/// How often something can be repeated by a number in braces.
const REPEAT_MAX: u32 = 255;

/// Compiles an expression.
pub(super) fn compile(text: &[u8], no_case: bool) -> Result<Regex, Refused> {
    let pattern = Translation::new(text).run()?;
    RegexBuilder::new(&pattern)
        .unicode(false)
        .dot_matches_new_line(true)
        .case_insensitive(no_case)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => TOO_LARGE,
            _ => BAD,
        })
}

struct Translation<'a> {
    text: &'a [u8],
    at: usize,
    out: String,
    /// Groups that are open.
    depth: usize,
    groups: u32,
    /// The largest number that is referred back to.
    referred: u32,
    /// Whether the last thing written can be repeated.
    repeatable: bool,
}

impl<'a> Translation<'a> {
    fn new(text: &'a [u8]) -> Self {
        let (at, out, depth, groups, referred) = (0, String::new(), 0, 0, 0);
        Self { text, at, out, depth, groups, referred, repeatable: false }
    }

    fn run(mut self) -> Result<String, Refused> {
        while let Some(byte) = self.next() {
            self.one(byte)?;
        }
        if self.depth > 0 {
            return Err(NO_PARENTHESIS);
        }
        match self.referred {
            0 => Ok(self.out),
            number if number > self.groups => Err(BAD_BACK_REFERENCE),
            _ => Err(RefersBack),
        }
    }

    fn one(&mut self, byte: u8) -> Result<(), Refused> {
        let repeatable = match byte {
            b'\\' => self.escape()?,
            b'[' => {
                let set = Set::read(self.text, &mut self.at)?;
                set.write(&mut self.out);
                true
            }
            b'(' => {
                self.open()?;
                false
            }
            b')' if self.depth > 0 => {
                self.depth -= 1;
                self.out.push(')');
                true
            }
            b'*' | b'+' | b'?' | b'{' => {
                self.repeat(byte)?;
                true
            }
            b'|' => {
                self.out.push('|');
                false
            }
            b'.' | b'^' | b'$' => {
                self.out.push(char::from(byte));
                true
            }
            _ => {
                self.literal(byte);
                true
            }
        };
        self.repeatable = repeatable;
        Ok(())
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    /// Moves on when these are the next bytes.
    fn accept(&mut self, bytes: &[u8]) -> bool {
        let found = self.text[self.at..].starts_with(bytes);
        if found {
            self.at += bytes.len();
        }
        found
    }

    fn literal(&mut self, byte: u8) {
        if byte.is_ascii_alphanumeric() {
            self.out.push(char::from(byte));
        } else {
            self.out.push_str(&format!("\\x{byte:02x}"));
        }
    }

    /// What follows a backslash; whether it can be repeated.
    fn escape(&mut self) -> Result<bool, Refused> {
        let byte = self.next().ok_or(TRAILING_BACKSLASH)?;
        match byte {
            b'w' | b'W' | b's' | b'S' | b'd' | b'D' | b'b' | b'B' | b'<' | b'>' => {
                self.out.push('\\');
                self.out.push(char::from(byte));
            }
            b't' => self.literal(b'\t'),
            b'n' => self.literal(b'\n'),
            b'r' => self.literal(b'\r'),
            b'f' => self.literal(0x0c),
            b'a' => self.literal(0x07),
            b'e' => self.literal(0x1b),
            b'x' => self.hexadecimal()?,
            b'1'..=b'9' => self.referred = self.referred.max(u32::from(byte - b'0')),
            b'Q' => return Ok(self.quoted()),
            _ => self.literal(byte),
        }
        Ok(true)
    }

    /// `\Q` up to `\E`, all of it literal.
    fn quoted(&mut self) -> bool {
        let start = self.at;
        while self.at < self.text.len() && !self.accept(b"\\E") {
            self.literal(self.text[self.at]);
            self.at += 1;
        }
        self.at > start
    }

    /// `\x` with up to two digits, or any number of them in braces.
    fn hexadecimal(&mut self) -> Result<(), Refused> {
        let braced = self.accept(b"{");
        let most = if braced { usize::MAX } else { 2 };
        let (mut number, mut digits) = (0u32, 0);
        while digits < most
            && let Some(digit) = self.peek().and_then(|byte| char::from(byte).to_digit(16))
        {
            number = number.checked_mul(16).ok_or(BAD_BRACES)? | digit;
            digits += 1;
            self.at += 1;
        }
        if braced && !self.accept(b"}") {
            return Err(NO_BRACE);
        }
        self.literal(u8::try_from(number).map_err(|_| BAD)?);
        Ok(())
    }

    /// A parenthesis, with what may follow it in TRE.
    fn open(&mut self) -> Result<(), Refused> {
        if !self.accept(b"?") {
            self.groups += 1;
            self.depth += 1;
            self.out.push('(');
            return Ok(());
        }
        let flags = [(&b":"[..], "(?:"), (b"i:", "(?i:"), (b"-i:", "(?-i:")];
        let group = flags.into_iter().find(|(words, _)| self.accept(words));
        if let Some((_, written)) = group {
            self.depth += 1;
            self.out.push_str(written);
            return Ok(());
        }
        let flags = [(&b"i)"[..], "(?i)"), (b"-i)", "(?-i)")];
        let flag = flags.into_iter().find(|(words, _)| self.accept(words));
        self.out.push_str(flag.ok_or(BAD)?.1);
        Ok(())
    }

    /// `*`, `+`, `?` or `{`, which follow something, and a `?` behind them, which says to take as
    /// little as possible.
    fn repeat(&mut self, byte: u8) -> Result<(), Refused> {
        if !self.repeatable {
            return Err(BAD_REPETITION);
        }
        if byte == b'{' {
            self.braces()?;
        } else {
            self.out.push(char::from(byte));
            if matches!(self.peek(), Some(b'*' | b'+')) {
                return Err(BAD_REPETITION);
            }
        }
        if self.accept(b"?") {
            self.out.push('?');
        }
        Ok(())
    }

    /// `m}`, `m,}`, `m,n}` or `,n}`.
    fn braces(&mut self) -> Result<(), Refused> {
        let least = self.number()?;
        let most = if self.accept(b",") { self.number()? } else { least };
        match self.peek() {
            Some(b'}') => self.at += 1,
            Some(_) => return Err(BAD_BRACES),
            None => return Err(NO_BRACE),
        }
        let is_exact = self.text[..self.at].ends_with(b",}") || most.is_some();
        match (least, most) {
            (None, None) => return Err(BAD_BRACES),
            (Some(least), Some(most)) if least > most => return Err(BAD_BRACES),
            _ if !is_exact => return Err(BAD_BRACES),
            (least, None) => self.out.push_str(&format!("{{{},}}", least.unwrap_or(0))),
            (least, Some(most)) => {
                self.out.push_str(&format!("{{{},{most}}}", least.unwrap_or(0)));
            }
        }
        Ok(())
    }

    fn number(&mut self) -> Result<Option<u32>, Refused> {
        let mut number = None;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            let value = number.unwrap_or(0) * 10 + u32::from(digit - b'0');
            if value > REPEAT_MAX {
                return Err(BAD_BRACES);
            }
            number = Some(value);
            self.at += 1;
        }
        Ok(number)
    }
}

/// A bracket expression: the bytes it names.
struct Set {
    negated: bool,
    bytes: [bool; 256],
}

impl Set {
    /// Reads from behind the opening bracket to behind the closing one.
    fn read(text: &[u8], at: &mut usize) -> Result<Self, Refused> {
        let negated = text.get(*at) == Some(&b'^');
        *at += usize::from(negated);
        let mut set = Self { negated, bytes: [false; 256] };
        let first = *at;
        loop {
            match text.get(*at..).unwrap_or_default() {
                [] => return Err(NO_BRACKET),
                [b']', ..] if *at > first => {
                    *at += 1;
                    return Ok(set);
                }
                [b'[', b':', rest @ ..] => {
                    let len = rest.windows(2).position(|end| end == b":]").ok_or(BAD_CLASS)?;
                    set.add_class(&rest[..len])?;
                    *at += len + 4;
                }
                [b'[', b'.' | b'=', ..] => return Err(BAD_COLLATION),
                [low, b'-', high, ..] if *high != b']' => {
                    if low > high {
                        return Err(BAD_RANGE);
                    }
                    (*low..=*high).for_each(|byte| set.bytes[usize::from(byte)] = true);
                    *at += 3;
                }
                [byte, ..] => {
                    set.bytes[usize::from(*byte)] = true;
                    *at += 1;
                }
            }
        }
    }

    fn add_class(&mut self, name: &[u8]) -> Result<(), Refused> {
        let is_in: fn(&u8) -> bool = match name {
            b"alnum" => u8::is_ascii_alphanumeric,
            b"alpha" => u8::is_ascii_alphabetic,
            b"blank" => |byte| matches!(byte, b' ' | b'\t'),
            b"cntrl" => u8::is_ascii_control,
            b"digit" => u8::is_ascii_digit,
            b"graph" => u8::is_ascii_graphic,
            b"lower" => u8::is_ascii_lowercase,
            b"print" => |byte| matches!(byte, b' '..=b'~'),
            b"punct" => u8::is_ascii_punctuation,
            b"space" => |byte| matches!(byte, b' ' | b'\t'..=b'\r'),
            b"upper" => u8::is_ascii_uppercase,
            b"xdigit" => u8::is_ascii_hexdigit,
            _ => return Err(BAD_CLASS),
        };
        (0..=u8::MAX).filter(is_in).for_each(|byte| self.bytes[usize::from(byte)] = true);
        Ok(())
    }

    fn write(&self, out: &mut String) {
        out.push_str(if self.negated { "[^" } else { "[" });
        for (byte, _) in self.bytes.iter().enumerate().filter(|(_, is_in)| **is_in) {
            out.push_str(&format!("\\x{byte:02x}"));
        }
        out.push(']');
    }
}
