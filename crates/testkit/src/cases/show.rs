//! Replies in the notation of the case files, so that what came can be pasted as what to expect.

use resp::inline::quoted;
use resp::value::Value;

/// The reply on one line.
#[must_use]
pub fn show(value: &Value) -> String {
    match value {
        Value::Null => "(nil)".to_owned(),
        Value::NullArray => "(nil array)".to_owned(),
        Value::Simple(text) => status(text),
        Value::Error(text) | Value::BulkError(text) => format!("(error) {}", status(text)),
        Value::Int(number) => format!("(integer) {number}"),
        Value::Bulk(bytes) => quoted(bytes),
        Value::Array(items) => list(items),
        Value::Bool(true) => "(true)".to_owned(),
        Value::Bool(false) => "(false)".to_owned(),
        Value::Double(number) => format!("(double) {number}"),
        Value::DoubleText(text) => format!("(double) {}", text.escape_ascii()),
        Value::BigNumber(digits) => format!("(big) {}", digits.escape_ascii()),
        Value::Verbatim { ext, data } => format!("({}) {}", ext.escape_ascii(), quoted(data)),
        Value::Map(pairs) => map(pairs),
        Value::Set(items) => format!("(set) {}", list(items)),
        Value::Push(items) => format!("(push) {}", list(items)),
        Value::Attribute { pairs, value } => format!("(attribute) {} {}", map(pairs), show(value)),
    }
}

/// Plain where that reads back as the same, quoted where not.
fn status(text: &[u8]) -> String {
    let quoted = quoted(text);
    let plain = &quoted[1..quoted.len() - 1];
    let safe = plain.as_bytes() == text && !plain.contains([',', ']', '}', '"']);
    let bare =
        safe && plain.trim() == plain && plain.starts_with(|c: char| c.is_ascii_alphabetic());
    if bare { plain.to_owned() } else { format!("+{quoted}") }
}

fn list(items: &[Value]) -> String {
    format!("[{}]", items.iter().map(show).collect::<Vec<_>>().join(", "))
}

fn map(pairs: &[(Value, Value)]) -> String {
    let pairs: Vec<String> =
        pairs.iter().map(|(key, value)| format!("{} => {}", show(key), show(value))).collect();
    format!("{{{}}}", pairs.join(", "))
}
