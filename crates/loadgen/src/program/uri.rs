//! Addresses as `redis://user:password@host:port/database`. Knows nothing of connections.

/// What stands in one; all of it may be left out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Uri {
    /// Whether connections are encrypted.
    pub(super) tls: bool,
    pub(super) user: Option<Vec<u8>>,
    pub(super) password: Option<Vec<u8>>,
    pub(super) host: Option<String>,
    pub(super) port: Option<u16>,
    pub(super) database: Option<u32>,
}

impl Uri {
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Uri, String> {
        let (scheme, rest) = text.split_once("://").ok_or("Invalid URI scheme")?;
        let tls = match scheme {
            "redis" | "valkey" => false,
            "rediss" | "valkeys" => true,
            _ => return Err("Invalid URI scheme".to_owned()),
        };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (account, place) = match authority.rsplit_once('@') {
            Some((account, place)) => (Some(account), place),
            None => (None, authority),
        };
        let (user, password) = match account.map(|account| account.split_once(':').ok_or(account)) {
            None => (None, None),
            Some(Ok((user, password))) => (Some(decoded(user)), Some(decoded(password))),
            Some(Err(password)) => (None, Some(decoded(password))),
        };
        let (host, port) = host_and_port(place)?;
        let database = path.split('?').next().unwrap_or_default();
        let database = match database {
            "" => None,
            number => Some(number.parse().map_err(|_| format!("{number}: not a database"))?),
        };
        // `:password@` names no user.
        let user = user.filter(|user| !user.is_empty());
        Ok(Uri { tls, user, password, host, port, database })
    }
}

fn host_and_port(place: &str) -> Result<(Option<String>, Option<u16>), String> {
    // The colons of a numeric address stand inside brackets.
    let colon = place.rfind(':').filter(|colon| place.rfind(']').is_none_or(|end| end < *colon));
    let (host, port) = match colon {
        Some(colon) => (&place[..colon], Some(&place[colon + 1..])),
        None => (place, None),
    };
    let port = match port {
        Some(port) => Some(port.parse().map_err(|_| "Invalid server port".to_owned())?),
        None => None,
    };
    let host = host.trim_matches(['[', ']']);
    Ok(((!host.is_empty()).then(|| host.to_owned()), port))
}

/// `%41` is an A; what is no such code stays as it is.
fn decoded(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let (mut at, mut out) = (0, Vec::new());
    while let Some(byte) = bytes.get(at) {
        match (byte, digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 3;
            }
            _ => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests;
