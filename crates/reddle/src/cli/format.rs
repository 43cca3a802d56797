//! Replies as text, in the forms of `redis-cli`. Must not know connections or terminals.

#[cfg(test)]
mod tests;

use client::{Value, inline};

use super::options::{Options, Output};

/// The reply as it is printed, with what stands behind it.
pub(super) fn reply(options: &Options, value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    match options.output {
        Output::Standard => standard(&mut out, value, ""),
        Output::Raw => {
            raw(&mut out, value, &options.between_elements);
            out.extend_from_slice(&options.between_replies);
        }
        Output::Csv => {
            csv(&mut out, value);
            out.push(b'\n');
        }
        Output::Json | Output::QuotedJson => {
            json(&mut out, value, options.output == Output::QuotedJson);
            out.push(b'\n');
        }
    }
    out
}

/// The bytes of a reply that is text for people already.
pub(super) fn verbatim(options: &Options, value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    raw(&mut out, value, &options.between_elements);
    out
}

/// The bytes in quotes, everything unprintable escaped.
pub(super) fn quoted(bytes: &[u8]) -> String {
    inline::quoted(bytes)
}

/// A reply with the values of `|` left away.
fn bare(value: &Value) -> &Value {
    match value {
        Value::Attribute { value, .. } => bare(value),
        value => value,
    }
}

fn standard(out: &mut Vec<u8>, value: &Value, prefix: &str) {
    let line = |out: &mut Vec<u8>, lead: &str, bytes: &[u8]| {
        out.extend_from_slice(lead.as_bytes());
        out.extend_from_slice(bytes);
        out.push(b'\n');
    };
    match bare(value) {
        Value::Null | Value::NullArray => line(out, "(nil)", b""),
        Value::Simple(text) => line(out, "", text),
        Value::Error(text) | Value::BulkError(text) => line(out, "(error) ", text),
        Value::Int(number) => line(out, "(integer) ", number.to_string().as_bytes()),
        Value::Bulk(bytes) => line(out, &inline::quoted(bytes), b""),
        Value::Verbatim { data, .. } => line(out, "", data),
        Value::Bool(truth) => line(out, if *truth { "(true)" } else { "(false)" }, b""),
        Value::Double(number) => line(out, "(double) ", number.to_string().as_bytes()),
        Value::DoubleText(text) => line(out, "(double) ", text),
        Value::BigNumber(digits) => line(out, "(big number) ", digits),
        Value::Array(items) | Value::Push(items) if items.is_empty() => {
            let push = matches!(bare(value), Value::Push(_));
            line(out, if push { "(empty push)" } else { "(empty array)" }, b"");
        }
        Value::Set(items) if items.is_empty() => line(out, "(empty set)", b""),
        Value::Map(pairs) if pairs.is_empty() => line(out, "(empty hash)", b""),
        Value::Array(items) | Value::Push(items) => elements(out, items, prefix, ')'),
        Value::Set(items) => elements(out, items, prefix, '~'),
        Value::Map(pairs) => entries(out, pairs, prefix),
        Value::Attribute { .. } => {}
    }
}

/// How many digits the numbers in front of so many elements have.
fn digits(count: usize) -> usize {
    count.to_string().len()
}

fn elements(out: &mut Vec<u8>, items: &[Value], prefix: &str, mark: char) {
    let width = digits(items.len());
    let inner = format!("{prefix}{:w$}", "", w = width + 2);
    for (index, item) in items.iter().enumerate() {
        // The first stands behind the number that encloses all of them.
        let lead = if index == 0 { "" } else { prefix };
        out.extend_from_slice(format!("{lead}{:>width$}{mark} ", index + 1).as_bytes());
        standard(out, item, &inner);
    }
}

fn entries(out: &mut Vec<u8>, pairs: &[(Value, Value)], prefix: &str) {
    let width = digits(pairs.len());
    let inner = format!("{prefix}{:w$}", "", w = width + 2);
    for (index, (key, value)) in pairs.iter().enumerate() {
        let lead = if index == 0 { "" } else { prefix };
        out.extend_from_slice(format!("{lead}{:>width$}# ", index + 1).as_bytes());
        standard(out, key, &inner);
        out.pop();
        out.extend_from_slice(b" => ");
        if has_lines(value) {
            out.push(b'\n');
            out.extend_from_slice(inner.as_bytes());
        }
        standard(out, value, &inner);
    }
}

/// Whether a value takes several lines.
fn has_lines(value: &Value) -> bool {
    match bare(value) {
        Value::Array(items) | Value::Set(items) | Value::Push(items) => match items.as_slice() {
            [] => false,
            [one] => has_lines(one),
            _ => true,
        },
        Value::Map(pairs) => match pairs.as_slice() {
            [] => false,
            [(_, one)] => has_lines(one),
            _ => true,
        },
        _ => false,
    }
}

fn raw(out: &mut Vec<u8>, value: &Value, between: &[u8]) {
    match bare(value) {
        Value::Null | Value::NullArray | Value::Attribute { .. } => {}
        Value::Error(text) | Value::BulkError(text) => {
            out.extend_from_slice(text);
            out.push(b'\n');
        }
        Value::Simple(text)
        | Value::Bulk(text)
        | Value::Verbatim { data: text, .. }
        | Value::DoubleText(text)
        | Value::BigNumber(text) => out.extend_from_slice(text),
        Value::Bool(truth) => {
            out.extend_from_slice(if *truth { b"(true)" } else { b"(false)" });
        }
        Value::Int(number) => out.extend_from_slice(number.to_string().as_bytes()),
        Value::Double(number) => out.extend_from_slice(number.to_string().as_bytes()),
        Value::Array(items) | Value::Set(items) | Value::Push(items) => {
            for (index, item) in items.iter().enumerate() {
                out.extend_from_slice(if index == 0 { b"" } else { between });
                raw(out, item, between);
            }
        }
        Value::Map(pairs) => {
            for (index, (key, value)) in pairs.iter().enumerate() {
                out.extend_from_slice(if index == 0 { b"" } else { between });
                raw(out, key, between);
                out.push(b' ');
                raw(out, value, between);
            }
        }
    }
}

fn csv(out: &mut Vec<u8>, value: &Value) {
    match bare(value) {
        Value::Null | Value::NullArray => out.extend_from_slice(b"NULL"),
        Value::Error(text) | Value::BulkError(text) => {
            out.extend_from_slice(b"ERROR,");
            inline::quote(text, out);
        }
        Value::Simple(text) | Value::Bulk(text) | Value::Verbatim { data: text, .. } => {
            inline::quote(text, out);
        }
        Value::Bool(truth) => out.extend_from_slice(if *truth { b"true" } else { b"false" }),
        Value::Array(items) | Value::Set(items) | Value::Push(items) => {
            for (index, item) in items.iter().enumerate() {
                out.extend_from_slice(if index == 0 { b"" } else { b"," });
                csv(out, item);
            }
        }
        Value::Map(pairs) => {
            for (index, (key, value)) in pairs.iter().enumerate() {
                out.extend_from_slice(if index == 0 { b"" } else { b"," });
                csv(out, key);
                out.push(b',');
                csv(out, value);
            }
        }
        number => raw(out, number, b""),
    }
}

fn json(out: &mut Vec<u8>, value: &Value, ascii: bool) {
    match bare(value) {
        Value::Null | Value::NullArray => out.extend_from_slice(b"null"),
        Value::Error(text) | Value::BulkError(text) => {
            out.extend_from_slice(b"error:");
            json_string(out, text, ascii);
        }
        Value::Simple(text) | Value::Bulk(text) | Value::Verbatim { data: text, .. } => {
            json_string(out, text, ascii);
        }
        Value::Bool(truth) => out.extend_from_slice(if *truth { b"true" } else { b"false" }),
        Value::Array(items) | Value::Set(items) | Value::Push(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                out.extend_from_slice(if index == 0 { b"" } else { b"," });
                json(out, item, ascii);
            }
            out.push(b']');
        }
        Value::Map(pairs) => {
            out.push(b'{');
            for (index, (key, value)) in pairs.iter().enumerate() {
                out.extend_from_slice(if index == 0 { b"" } else { b"," });
                json_key(out, key, ascii);
                out.push(b':');
                json(out, value, ascii);
            }
            out.push(b'}');
        }
        number => raw(out, number, b""),
    }
}

/// Keys are strings, whatever the server sent.
fn json_key(out: &mut Vec<u8>, key: &Value, ascii: bool) {
    let start = out.len();
    json(out, key, ascii);
    let text = matches!(
        bare(key),
        Value::Simple(_) | Value::Bulk(_) | Value::Verbatim { .. } | Value::Error(_)
    );
    if !text && out.get(start) != Some(&b'"') {
        out.insert(start, b'"');
        out.push(b'"');
    }
}

fn json_string(out: &mut Vec<u8>, bytes: &[u8], ascii: bool) {
    if ascii {
        for byte in inline::quoted(bytes).bytes() {
            out.extend_from_slice(if byte == b'\\' { b"\\" } else { b"" });
            out.push(byte);
        }
        return;
    }
    out.push(b'"');
    for &byte in bytes {
        match byte {
            b'\\' | b'"' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            0x0c => out.extend_from_slice(b"\\f"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x08 => out.extend_from_slice(b"\\b"),
            0..=0x1f => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}
