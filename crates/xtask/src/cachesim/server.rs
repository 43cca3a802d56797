//! The replay against servers at their `maxmemory`, in batches: all keys of a batch are read, then
//! those are stored that were missing.
//!
//! All servers meet a batch at about the same time, and batches come at a given rate: what a server
//! makes of a trace depends on its clock, which counts seconds and minutes.

use std::path::Path;
use std::time::{Duration, Instant};

use resp::value::{Value, encode_command};
use testkit::{Client, Server};

const BATCH: usize = 32;
const VALUE: usize = 400;
/// What a server takes for a key beside the value and for itself, about: the limit is the same for
/// all servers, whatever they make of it.
const BESIDE: usize = 100;
const ITSELF: usize = 2 << 20;

/// A server under a policy, and how it fared.
pub(super) struct Contender {
    /// It lives as long as this.
    _server: Server,
    client: Client,
    hits: usize,
}

impl Contender {
    /// Starts a server with room for about so many keys.
    ///
    /// # Errors
    /// A server that does not start or does not take its settings.
    pub(super) fn start(binary: &Path, policy: &str, capacity: usize) -> Result<Self, String> {
        let limit = (ITSELF + capacity * (VALUE + BESIDE)).to_string();
        let options = [
            ("save", ""),
            ("maxmemory", limit.as_str()),
            ("maxmemory-policy", policy),
            ("loglevel", "notice"),
        ];
        let server = Server::start_exactly(binary, &options)?;
        Ok(Self { client: server.client(), _server: server, hits: 0 })
    }

    /// Keys that it holds.
    pub(super) fn keys(&mut self) -> String {
        self.client.text("DBSIZE")
    }

    fn meet(&mut self, names: &[String]) -> Result<(), String> {
        let reads: Vec<[&[u8]; 2]> =
            names.iter().map(|name| [&b"GET"[..], name.as_bytes()]).collect();
        let replies = exchange(&mut self.client, &reads)?;
        let value = [b'v'; VALUE];
        let missing = names.iter().zip(&replies).filter(|(_, reply)| is_missing(reply));
        let writes: Vec<[&[u8]; 3]> =
            missing.map(|(name, _)| [&b"SET"[..], name.as_bytes(), &value]).collect();
        self.hits += names.len() - writes.len();
        exchange(&mut self.client, &writes)?;
        Ok(())
    }
}

/// The share of requests that find their key, of each contender, at so many requests a second.
///
/// # Errors
/// A connection that breaks.
pub(super) fn hit_ratios(
    contenders: &mut [Contender],
    keys: &[u32],
    rate: f64,
) -> Result<Vec<f64>, String> {
    let began = Instant::now();
    for (at, batch) in keys.chunks(BATCH).enumerate() {
        let due = Duration::from_secs_f64((at * BATCH) as f64 / rate);
        std::thread::sleep(due.saturating_sub(began.elapsed()));
        let names: Vec<String> = batch.iter().map(|key| format!("key:{key}")).collect();
        contenders.iter_mut().try_for_each(|contender| contender.meet(&names))?;
    }
    let ratio = |contender: &Contender| contender.hits as f64 / keys.len().max(1) as f64;
    Ok(contenders.iter().map(ratio).collect())
}

fn is_missing(reply: &Value) -> bool {
    !matches!(reply, Value::Bulk(_))
}

fn exchange<const N: usize>(
    client: &mut Client,
    commands: &[[&[u8]; N]],
) -> Result<Vec<Value>, String> {
    let mut bytes = Vec::new();
    commands.iter().for_each(|command| encode_command(&mut bytes, command));
    client.send(&bytes).map_err(|error| error.to_string())?;
    commands.iter().map(|_| client.receive().map_err(|error| error.to_string())).collect()
}
