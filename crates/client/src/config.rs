//! How a client connects, waits and tries again.

use std::path::PathBuf;
use std::time::Duration;

use resp::Proto;

use crate::address::Address;
use crate::error::Result;
use crate::setup::{Setup, Tracking};

/// What a client is made from.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the server is, and as whom to go there.
    pub address: Address,
    /// The protocol to ask for; RESP3 unless told otherwise.
    pub protocol: Proto,
    /// The connections' name.
    pub name: Option<String>,
    /// How long one attempt to connect may take.
    pub connect_timeout: Duration,
    /// How long a command may take; `None` waits for ever, as blocking commands may want.
    pub response_timeout: Option<Duration>,
    /// For how long attempts to connect are repeated while a command waits; zero tries once.
    pub reconnect_for: Duration,
    /// The first wait between attempts, which doubles.
    pub backoff_first: Duration,
    /// The longest wait between attempts.
    pub backoff_max: Duration,
    /// Ask the server to tell about changed keys.
    pub tracking: Option<Tracking>,
    /// How many replies the client-side cache keeps; it needs `tracking` and RESP3.
    pub cache_entries_max: usize,
    /// How an encrypted connection is made; used if the address asks for one.
    pub tls: Tls,
}

/// How an encrypted connection is made.
#[derive(Clone, Debug, Default)]
pub struct Tls {
    /// Certificates of authorities, in PEM: a file, or a folder of files; the system's if there is
    /// none.
    pub authorities: Option<PathBuf>,
    /// This side's certificates and key, in PEM.
    pub identity: Option<(PathBuf, PathBuf)>,
    /// The name to ask for and to check; the host's if there is none.
    pub server_name: Option<String>,
    /// Takes any certificate: for tests.
    pub insecure: bool,
}

impl Config {
    /// The default for an address.
    #[must_use]
    pub fn new(address: Address) -> Config {
        Config {
            address,
            protocol: Proto::Resp3,
            name: None,
            connect_timeout: Duration::from_secs(5),
            response_timeout: Some(Duration::from_secs(30)),
            reconnect_for: Duration::from_secs(10),
            backoff_first: Duration::from_millis(20),
            backoff_max: Duration::from_secs(2),
            tracking: None,
            cache_entries_max: 0,
            tls: Tls::default(),
        }
    }

    /// From an address as text.
    ///
    /// # Errors
    /// [`crate::Error::Address`].
    pub fn parse(address: &str) -> Result<Config> {
        Ok(Config::new(address.parse()?))
    }

    /// With a client-side cache of so many replies.
    #[must_use]
    pub fn with_cache(mut self, entries_max: usize) -> Config {
        self.tracking.get_or_insert_default();
        self.cache_entries_max = entries_max;
        self
    }

    /// What each connection begins with.
    pub(crate) fn setup(&self) -> Setup {
        Setup {
            protocol: self.protocol,
            user: self.address.user.clone(),
            password: self.address.password.clone(),
            name: self.name.clone(),
            database: self.address.database.unwrap_or(0),
            tracking: self.tracking.clone(),
            ..Setup::default()
        }
    }
}
