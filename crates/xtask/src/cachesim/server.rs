//! The replay against a server at its `maxmemory`, in batches: all keys of a batch are read, then
//! those are stored that were missing.

use std::path::Path;

use resp::value::{Value, encode_command};
use testkit::{Client, Server};

const BATCH: usize = 32;
const VALUE: usize = 400;
/// What a server takes for a key beside the value and for itself, about: the limit is the same for
/// all servers, whatever they make of it.
const BESIDE: usize = 100;
const ITSELF: usize = 2 << 20;

/// The share of requests that find their key in a server with room for about so many keys.
///
/// # Errors
/// A server that does not start or does not take its settings.
pub(super) fn hit_ratio(
    binary: &Path,
    policy: &str,
    capacity: usize,
    keys: &[u32],
) -> Result<f64, String> {
    let limit = (ITSELF + capacity * (VALUE + BESIDE)).to_string();
    let options = [
        ("save", ""),
        ("maxmemory", limit.as_str()),
        ("maxmemory-policy", policy),
        ("loglevel", "notice"),
    ];
    let server = Server::start_exactly(binary, &options)?;
    let mut client = server.client();
    let value = vec![b'v'; VALUE];
    let mut hits = 0;
    for batch in keys.chunks(BATCH) {
        let names: Vec<String> = batch.iter().map(|key| format!("key:{key}")).collect();
        let reads: Vec<[&[u8]; 2]> =
            names.iter().map(|name| [&b"GET"[..], name.as_bytes()]).collect();
        let replies = exchange(&mut client, &reads)?;
        let missing = names.iter().zip(&replies).filter(|(_, reply)| is_missing(reply));
        let writes: Vec<[&[u8]; 3]> =
            missing.map(|(name, _)| [&b"SET"[..], name.as_bytes(), &value]).collect();
        hits += batch.len() - writes.len();
        exchange(&mut client, &writes)?;
    }
    Ok(hits as f64 / keys.len().max(1) as f64)
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
