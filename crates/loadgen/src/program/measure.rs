//! One test against one server.

use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::{Duration, Instant};

use super::live::Live;
use super::options::Options;
use super::suite::Test;
use super::{Failure, warn};
use crate::address::Address;
use crate::encrypted::Encryption;
use crate::engine::{End, Group, Plan, Progress, Seen};
use crate::error::Error;
use crate::fleet::run_all;
use crate::request::Request;
use crate::schedule::Schedule;

/// Requests of a test without `-n` and `--seconds`.
const REQUESTS: u64 = 100_000;

/// A server that has answered.
pub(super) struct Target {
    /// As the user has spelled it.
    pub(super) name: String,
    pub(super) address: Address,
    /// What CONFIG GET says of `save` and `appendonly`, where it says something.
    pub(super) settings: Option<[String; 2]>,
}

/// What a test has shown.
#[derive(Clone)]
pub(super) struct Measured {
    pub(super) title: String,
    pub(super) server: String,
    pub(super) seen: Seen,
    pub(super) elapsed: Duration,
    /// Bytes of a value, or of a command that was given.
    pub(super) payload: usize,
    /// Requests a second of each round.
    pub(super) rates: Vec<f64>,
    /// The parts of a mix: what each is called, and what it saw.
    pub(super) each: Vec<(String, Seen)>,
    /// Processor time of this program a request, in microseconds.
    pub(super) own_us: f64,
}

impl Target {
    /// Connects and asks what the classic tools ask.
    ///
    /// # Errors
    /// A server that cannot be reached, or that refuses the account.
    pub(super) fn reach(address: &Address, options: &Options) -> Result<Target, Error> {
        let mut last = None;
        let encryption = encryption(address, options)?;
        for resolved in address.resolved()? {
            let resolved = match (resolved, &encryption) {
                (Address::Tcp(place), Some(encryption)) => {
                    Address::Encrypted(place, encryption.clone())
                }
                (resolved, _) => resolved,
            };
            match resolved.connect() {
                Ok(mut stream) => {
                    let opening = Request::new(Vec::new(), 0, options.sizes.clone())
                        .opened_by(&options.opening());
                    let (bytes, awaited) = opening.opening();
                    stream.converse(bytes, awaited)?;
                    let settings = settings(&mut stream)?;
                    if settings.is_none() {
                        warn("Could not fetch server CONFIG");
                    }
                    return Ok(Target { name: address.to_string(), address: resolved, settings });
                }
                Err(error) => last = Some(error),
            }
        }
        match last {
            // The user knows the server by what stands on the command line.
            Some(Error::Connect(_, why)) => Err(Error::Connect(address.to_string(), why)),
            other => Err(other.unwrap_or(Error::Closed)),
        }
    }
}

/// What connections are encrypted with, if they are.
fn encryption(address: &Address, options: &Options) -> Result<Option<Encryption>, Error> {
    let Address::Host(host, _) = address else { return Ok(None) };
    if !options.tls {
        return Ok(None);
    }
    let made = Encryption::new(&options.tls_files, host);
    made.map(Some).map_err(|error| Error::Connect(address.to_string(), error))
}

fn settings(stream: &mut crate::address::Blocking) -> Result<Option<[String; 2]>, Error> {
    let mut found = [String::new(), String::new()];
    for (name, place) in ["save", "appendonly"].into_iter().zip(&mut found) {
        let mut bytes = Vec::new();
        resp::encode_command(&mut bytes, &["CONFIG", "GET", name]);
        let reply = match stream.converse(&bytes, 1) {
            Ok(reply) => reply,
            Err(Error::Refused(text)) if text.starts_with("NOAUTH") => {
                return Err(Error::Refused(text));
            }
            Err(Error::Refused(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let value = match resp::decode(&reply) {
            Ok(Some((resp::Value::Array(mut items), _))) if items.len() > 1 => items.swap_remove(1),
            Ok(Some((resp::Value::Map(mut pairs), _))) if !pairs.is_empty() => {
                pairs.swap_remove(0).1
            }
            _ => return Ok(None),
        };
        let resp::Value::Bulk(value) = value else { return Ok(None) };
        *place = String::from_utf8_lossy(&value).into_owned();
    }
    Ok(Some(found))
}

/// Runs one test; of several rounds, each has its part of the requests.
///
/// # Errors
/// As [`run_all`].
pub(super) fn measure(
    options: &Options,
    test: &Test,
    target: &Target,
    rounds: u64,
) -> Result<Measured, Failure> {
    let request = Request::new(test.units.clone(), options.depth, options.sizes.clone())
        .opened_by(&options.opening());
    if let Some(words) = &test.prepare {
        prepare(target, &request, words)?;
    }
    let payload = match (test.is_custom, request.unit_size(), options.sizes.fixed()) {
        (true, Some(size), _) | (_, _, Some(size)) => size,
        _ => 0,
    };
    let replies = request.replies().max(1) as u64;
    let requests = (options.requests.unwrap_or(REQUESTS) / rounds).max(1);
    // A sequence of commands is sent as a whole.
    let left = AtomicU64::new(requests.div_ceil(replies));
    let end = match options.seconds {
        Some(seconds) => End::After(Duration::from_secs_f64(seconds)),
        None => End::Count(&left),
    };
    let progress = Progress::default();
    let plans = plans(options, request, target, end, &progress);
    let halt = AtomicBool::new(false);
    let mut live = Live::new(options, &test.title, &progress);
    let outcome = run_all(plans, &halt, |done| live.show_until(done))?;
    live.clear();
    let seen = outcome.seen.into_iter().next().unwrap_or_default();
    if seen.operations == 0 {
        return Err(format!("{}: nothing was answered in that time", test.title).into());
    }
    Ok(Measured {
        title: test.title.clone(),
        server: target.name.clone(),
        elapsed: outcome.elapsed,
        payload,
        rates: vec![seen.operations as f64 / outcome.elapsed.as_secs_f64()],
        own_us: outcome.own_ns as f64 / 1e3 / seen.operations as f64,
        each: test.names.iter().cloned().zip(outcome.each).collect(),
        seen,
    })
}

fn prepare(target: &Target, request: &Request, words: &[Vec<u8>]) -> Result<(), Error> {
    let mut stream = target.address.connect()?;
    let (opening, awaited) = request.opening();
    let mut bytes = opening.to_vec();
    resp::encode_command(&mut bytes, words);
    stream.converse(&bytes, awaited + 1).map(drop)
}

/// One plan for each thread; connections and rate are divided among them.
fn plans<'a>(
    options: &Options,
    request: Request,
    target: &Target,
    end: End<'a>,
    progress: &'a Progress,
) -> Vec<Plan<'a>> {
    let threads = options.threads.max(1).min(options.clients);
    let batch = (request.replies().max(1) * options.depth * threads) as f64;
    let keys = options.keys();
    let seed = options.seed.unwrap_or_else(|| fastrand::u64(..));
    let start = Instant::now() + Duration::from_secs_f64(options.warmup);
    (0..threads)
        .map(|thread| {
            let connections =
                options.clients / threads + usize::from(thread < options.clients % threads);
            let group = Group { connections, request: request.clone(), keys: keys.clone() };
            Plan {
                schedule: options.rate.map(|(rate, since)| Schedule::new(rate / batch, since)),
                reconnect: !options.keep_alive,
                seed: seed.wrapping_add(thread as u64),
                progress: Some(progress),
                ..Plan::new(target.address.clone(), vec![group], start, end)
            }
        })
        .collect()
}

impl Measured {
    /// Requests a second: the median over the rounds.
    pub(super) fn per_second(&self) -> f64 {
        let mut rates = self.rates.clone();
        rates.sort_by(f64::total_cmp);
        let middle = rates.len() / 2;
        match rates.len() {
            0 => 0.0,
            even if even % 2 == 0 => f64::midpoint(rates[middle - 1], rates[middle]),
            _ => rates[middle],
        }
    }

    /// Milliseconds that so large a part of the requests did not exceed.
    pub(super) fn quantile_ms(&self, quantile: f64) -> f64 {
        self.seen.latency.value_at_quantile(quantile) as f64 / 1e6
    }

    /// Adds another round of the same.
    pub(super) fn add(&mut self, other: &Measured) {
        let (mine, theirs) = (self.seen.operations as f64, other.seen.operations as f64);
        self.own_us = (self.own_us * mine + other.own_us * theirs) / (mine + theirs);
        self.seen.add(&other.seen);
        self.elapsed += other.elapsed;
        self.rates.extend(&other.rates);
        for (mine, theirs) in self.each.iter_mut().zip(&other.each) {
            mine.1.add(&theirs.1);
        }
    }
}
