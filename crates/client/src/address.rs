//! Where a server is: `redis://`, `rediss://`, `unix://` and their like.
//!
//! Must not know sockets: an address is text until somebody connects.

#[cfg(test)]
mod tests;

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// The port when an address names none.
pub const PORT: u16 = 6379;

/// The place alone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Endpoint {
    /// A host's name or number, and its port.
    Tcp {
        /// A name, or a number of either family without brackets.
        host: String,
        /// The port.
        port: u16,
    },
    /// A socket in the file system.
    Unix(PathBuf),
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Endpoint::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Endpoint::Tcp { host, port } => write!(f, "{host}:{port}"),
            Endpoint::Unix(path) => write!(f, "{}", path.display()),
        }
    }
}

/// A place, and what the address says about the session there.
///
/// `redis://[[user]:password@][host][:port][/database]`, with `rediss` for an encrypted
/// connection and `valkey`, `valkeys` as other spellings;
/// `unix://[[user]:password@]/path[?db=database]`, also as `redis+unix`. Parts are percent-decoded.
///
/// ```
/// let address: client::Address = "redis://me:s%65cret@db.example:7000/3".parse().unwrap();
/// assert_eq!(address.endpoint.to_string(), "db.example:7000");
/// assert_eq!(address.user.as_deref(), Some("me"));
/// assert_eq!(address.password.as_deref(), Some("secret"));
/// assert_eq!(address.database, Some(3));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    /// The place.
    pub endpoint: Endpoint,
    /// Whether the connection is encrypted.
    pub tls: bool,
    /// The user; the default one if there is only a password.
    pub user: Option<String>,
    /// The password.
    pub password: Option<String>,
    /// The database to select.
    pub database: Option<u32>,
}

/// Without the password, so that addresses can be logged.
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Address")
            .field("endpoint", &self.endpoint)
            .field("tls", &self.tls)
            .field("user", &self.user)
            .field("database", &self.database)
            .finish_non_exhaustive()
    }
}

/// Why text is no address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AddressError {
    /// None of the known schemes stands at the beginning.
    Scheme,
    /// What stands behind the colon is no port.
    Port,
    /// The path is no number of a database.
    Database,
    /// A percent sign without two hexadecimal digits, or bytes that are not UTF-8.
    Escape,
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            AddressError::Scheme => {
                "an address begins with redis://, rediss://, valkey://, valkeys:// or unix://"
            }
            AddressError::Port => "the address has an invalid port",
            AddressError::Database => "the address has an invalid database number",
            AddressError::Escape => "the address has an invalid percent escape",
        })
    }
}

impl std::error::Error for AddressError {}

impl Address {
    /// A server on TCP without encryption or authentication.
    #[must_use]
    pub fn tcp(host: impl Into<String>, port: u16) -> Address {
        Address::plain(Endpoint::Tcp { host: host.into(), port })
    }

    /// A server on a socket in the file system.
    #[must_use]
    pub fn unix(path: impl Into<PathBuf>) -> Address {
        Address::plain(Endpoint::Unix(path.into()))
    }

    fn plain(endpoint: Endpoint) -> Address {
        Address { endpoint, tls: false, user: None, password: None, database: None }
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Address, AddressError> {
        let (scheme, rest) = text.split_once("://").ok_or(AddressError::Scheme)?;
        let (unix, tls) = match scheme.to_ascii_lowercase().as_str() {
            "redis" | "valkey" => (false, false),
            "rediss" | "valkeys" => (false, true),
            "unix" | "redis+unix" | "valkey+unix" => (true, false),
            _ => return Err(AddressError::Scheme),
        };
        let (who, place) = rest.rsplit_once('@').map_or((None, rest), |(w, p)| (Some(w), p));
        let (user, password) = credentials(who)?;
        let (place, query) = place.split_once('?').unwrap_or((place, ""));
        let (endpoint, number) = if unix {
            let db = query.split('&').find_map(|pair| pair.strip_prefix("db="));
            (Endpoint::Unix(decoded(place)?.into()), db.unwrap_or(""))
        } else {
            let (place, path) = place.split_once('/').unwrap_or((place, ""));
            (tcp(place)?, path.trim_end_matches('/'))
        };
        let database = match number {
            "" => None,
            number => Some(number.parse().map_err(|_| AddressError::Database)?),
        };
        Ok(Address { endpoint, tls, user, password, database })
    }
}

/// `user:password`, `:password`, or a password alone.
fn credentials(who: Option<&str>) -> Result<(Option<String>, Option<String>), AddressError> {
    Ok(match who.map(|who| who.split_once(':').ok_or(who)) {
        None | Some(Err("")) => (None, None),
        Some(Err(password)) => (None, Some(decoded(password)?)),
        Some(Ok(("", password))) => (None, Some(decoded(password)?)),
        Some(Ok((user, password))) => (Some(decoded(user)?), Some(decoded(password)?)),
    })
}

fn tcp(place: &str) -> Result<Endpoint, AddressError> {
    let (host, port) = match place.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']').ok_or(AddressError::Port)?;
            (host, port.strip_prefix(':').unwrap_or(port))
        }
        None => place.split_once(':').unwrap_or((place, "")),
    };
    let port = match port {
        "" => PORT,
        port => port.parse().map_err(|_| AddressError::Port)?,
    };
    let host = if host.is_empty() { "127.0.0.1".to_owned() } else { decoded(host)? };
    Ok(Endpoint::Tcp { host, port })
}

fn decoded(text: &str) -> Result<String, AddressError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        if *first != b'%' {
            bytes.push(*first);
            rest = tail;
            continue;
        }
        let [high, low, tail @ ..] = tail else { return Err(AddressError::Escape) };
        let digit = |byte: u8| char::from(byte).to_digit(16).ok_or(AddressError::Escape);
        bytes.push((digit(*high)? * 16 + digit(*low)?) as u8);
        rest = tail;
    }
    String::from_utf8(bytes).map_err(|_| AddressError::Escape)
}
