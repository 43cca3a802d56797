//! `proc-title-template`: text with variables in braces.

/// The variables that a template may name.
const TITLE_VARIABLES: [&str; 7] =
    ["title", "listen-addr", "server-mode", "config-file", "port", "tls-port", "unixsocket"];

/// Fills `template` in. `value` gives the text of each of `TITLE_VARIABLES`; `{{` is a brace.
/// `None` when the template names another variable or leaves one open.
pub fn expand_title(template: &[u8], value: impl Fn(&str) -> Vec<u8>) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut rest = template;
    while let Some(open) = rest.iter().position(|&byte| byte == b'{') {
        out.extend_from_slice(&rest[..open]);
        rest = &rest[open + 1..];
        if let Some(after) = rest.strip_prefix(b"{") {
            out.push(b'{');
            rest = after;
            continue;
        }
        let close = rest.iter().position(|&byte| byte == b'}')?;
        let name = TITLE_VARIABLES.iter().find(|name| name.as_bytes() == &rest[..close])?;
        out.extend(value(name));
        rest = &rest[close + 1..];
    }
    out.extend_from_slice(rest);
    Some(out.trim_ascii().to_vec())
}

/// Whether `template` is well formed and never comes out empty: the title itself, the mode and
/// the socket may be empty texts.
pub(super) fn is_valid(template: &[u8]) -> bool {
    let value = |name: &str| match name {
        "title" | "server-mode" | "unixsocket" => Vec::new(),
        _ => b"-".to_vec(),
    };
    expand_title(template, value).is_some_and(|text| !text.is_empty())
}

#[cfg(test)]
mod tests;
