//! From the notation to [`Expected`]: a recursive descent over one string.

use resp::inline;

use super::{Expected, List, Reply, Text};

pub(super) fn read_all(text: &str) -> Result<Vec<Reply>, String> {
    let mut reader = Reader { rest: text, depth: 0 };
    let mut replies = Vec::new();
    loop {
        reader.skip_blanks();
        let before = reader.rest;
        if before.is_empty() && !replies.is_empty() {
            return Ok(replies);
        }
        let expected = reader.reply()?;
        let spelled = before[..before.len() - reader.rest.len()].trim().to_owned();
        replies.push(Reply { expected, spelled });
        let line = reader.rest.split('\n').next().unwrap_or_default();
        if !line.trim().is_empty() {
            return Err(reader.wrong("more than one reply on a line"));
        }
    }
}

struct Reader<'a> {
    rest: &'a str,
    /// Open brackets; within them a bare text ends at a comma or a bracket.
    depth: usize,
}

impl<'a> Reader<'a> {
    fn reply(&mut self) -> Result<Expected, String> {
        self.skip_blanks();
        if self.eat("(") {
            let Some((kind, rest)) = self.rest.split_once(')') else {
                return Err(self.wrong("no closing parenthesis"));
            };
            self.rest = rest.trim_start_matches(' ');
            return self.kind(kind);
        }
        if self.rest.starts_with('[') {
            return self.list("[", "]").map(Expected::Array);
        }
        if self.rest.starts_with('{') {
            return self.list("{", "}").map(Expected::Map);
        }
        if self.rest.starts_with('"') || self.rest.starts_with("~\"") {
            return self.text().map(Expected::Bulk);
        }
        let text = self.text()?;
        let any = !text.pattern && text.bytes == b"*";
        Ok(if any { Expected::Any } else { Expected::Status(text) })
    }

    fn kind(&mut self, kind: &str) -> Result<Expected, String> {
        Ok(match kind {
            "nil" => Expected::Null,
            "nil array" => Expected::NullArray,
            "true" => Expected::Bool(true),
            "false" => Expected::Bool(false),
            "closed" => Expected::Closed,
            "integer" => return self.integer(),
            "double" => return self.double(),
            "big" => Expected::BigNumber(self.bare().to_owned()),
            "error" => Expected::Error(self.text()?),
            "txt" => Expected::Verbatim(*b"txt", self.text()?),
            "mkd" => Expected::Verbatim(*b"mkd", self.text()?),
            "set" => Expected::Set(self.list("[", "]")?),
            "push" => Expected::Push(self.list("[", "]")?),
            "any order" => Expected::AnyOrder(self.list("[", "]")?),
            _ => return Err(self.wrong(&format!("unknown kind ({kind})"))),
        })
    }

    fn integer(&mut self) -> Result<Expected, String> {
        let text = self.bare();
        let range = match text.split_once("..") {
            Some((low, high)) => low.parse().and_then(|low| Ok(low..=high.parse()?)),
            None if text == "*" => Ok(i64::MIN..=i64::MAX),
            None => text.parse().map(|number| number..=number),
        };
        range.map(Expected::Integer).map_err(|_| self.wrong(&format!("no integer: {text}")))
    }

    fn double(&mut self) -> Result<Expected, String> {
        let text = self.bare();
        let number = |text: &str| text.parse::<f64>().map_err(|_| format!("no double: {text}"));
        match text.split_once("..") {
            Some((low, high)) => Ok(Expected::DoubleBetween(number(low)?, number(high)?)),
            None => number(text).map(|_| Expected::Double(text.to_owned())),
        }
    }

    /// `~` for a pattern, then a quoted or a bare text; `+` may stand before a quoted status.
    fn text(&mut self) -> Result<Text, String> {
        let pattern = self.eat("~");
        let quoted = self.rest.starts_with("+\"") || self.rest.starts_with('"');
        let bytes = if quoted { self.quoted()? } else { self.bare().as_bytes().to_vec() };
        if bytes.is_empty() && !quoted {
            return Err(self.wrong("a reply is missing"));
        }
        Ok(Text { bytes, pattern })
    }

    fn quoted(&mut self) -> Result<Vec<u8>, String> {
        let text = self.rest.trim_start_matches('+');
        let mut escaped = false;
        let end = text.bytes().skip(1).position(|byte| {
            let closes = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            closes
        });
        let Some(end) = end else { return Err(self.wrong("no closing quote")) };
        let (token, rest) = text.split_at(end + 2);
        let args = inline::split(token.as_bytes()).unwrap_or_default();
        self.rest = rest;
        match <[Vec<u8>; 1]>::try_from(args) {
            Ok([bytes]) => Ok(bytes),
            Err(_) => Err(self.wrong("not a quoted string")),
        }
    }

    fn bare(&mut self) -> &'a str {
        let stops: &[char] = if self.depth > 0 { &[',', ']', '}', '\n'] } else { &['\n'] };
        let mut end = self.rest.find(stops).unwrap_or(self.rest.len());
        if self.depth > 0
            && let Some(arrow) = self.rest[..end].find(" => ")
        {
            end = arrow;
        }
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest;
        text.trim()
    }

    fn list(&mut self, open: &str, close: &str) -> Result<List, String> {
        if !self.eat(open) {
            return Err(self.wrong("no opening bracket"));
        }
        self.depth += 1;
        let mut list = List { items: Vec::new(), open: false };
        loop {
            self.skip_blanks();
            if self.eat(close) {
                self.depth -= 1;
                return Ok(list);
            }
            if list.open || self.rest.is_empty() {
                return Err(self.wrong(&format!("{close} is missing")));
            }
            if self.eat("...") {
                list.open = true;
                continue;
            }
            list.items.push(self.reply()?);
            self.skip_blanks();
            if open == "{" {
                if !self.eat("=>") {
                    return Err(self.wrong("=> is missing"));
                }
                list.items.push(self.reply()?);
                self.skip_blanks();
            }
            if !self.eat(",") && !self.rest.starts_with(close) {
                return Err(self.wrong(&format!("a comma or {close} is missing")));
            }
        }
    }

    fn eat(&mut self, token: &str) -> bool {
        let rest = self.rest.strip_prefix(token);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn wrong(&self, what: &str) -> String {
        let place: String = self.rest.chars().take(40).collect();
        format!("{what}: {place:?}")
    }
}
