//! `--bigkeys`, `--memkeys`, `--hotkeys`: what is largest or used most, by a walk through the
//! keys; `--lru-test`: how often a cache hits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use client::Value;

use super::operator::Operator;
use super::options::Mode;
use super::scan::Walk;
use super::{Done, Failure, format, out};

/// What is known of the keys of one type.
#[derive(Debug)]
struct Kind {
    name: String,
    /// The command that tells a key's size, and in what.
    size: Option<(&'static str, &'static str)>,
    biggest: u64,
    biggest_key: Option<String>,
    count: u64,
    total: u64,
}

const KINDS: [(&str, &str, &str); 6] = [
    ("string", "STRLEN", "bytes"),
    ("list", "LLEN", "items"),
    ("set", "SCARD", "members"),
    ("hash", "HLEN", "fields"),
    ("zset", "ZCARD", "members"),
    ("stream", "XLEN", "entries"),
];

impl Kind {
    fn new(name: &str, size: Option<(&'static str, &'static str)>) -> Kind {
        let name = name.to_owned();
        Kind { name, size, biggest: 0, biggest_key: None, count: 0, total: 0 }
    }

    fn unit(&self, memory: bool) -> &'static str {
        if memory { "bytes" } else { self.size.map_or("?", |(_, unit)| unit) }
    }
}

/// Ends a walk at Ctrl-C; what was found until then is still told.
fn stopped() -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(signal_hook::consts::SIGINT, Arc::clone(&stop))
        .map_err(|error| Failure::Text(format!("Error: {error}")))?;
    Ok(stop)
}

fn begin(operator: &mut Operator, what: &str) -> Result<u64, Failure> {
    let Value::Int(total) = operator.quiet_call(&["DBSIZE"])? else {
        return Err("Couldn't determine DBSIZE".into());
    };
    out::text(format_args!(
        "\n# Scanning the entire keyspace to find {what} keys as well as\n\
         # average sizes per key type.  You can use -i 0.1 to sleep 0.1 sec\n\
         # per 100 SCAN commands (not usually needed).\n\n"
    ));
    // A replica of a cluster answers only after this; any other server refuses it.
    operator.quiet_call(&["READONLY"])?;
    Ok(u64::try_from(total).unwrap_or(0))
}

fn percent(part: u64, total: u64) -> f64 {
    #[allow(clippy::cast_precision_loss)]
    let share = 100.0 * part as f64 / total.max(1) as f64;
    share
}

fn average(total: u64, count: u64) -> f64 {
    #[allow(clippy::cast_precision_loss)]
    let average = total as f64 / count.max(1) as f64;
    average
}

/// Sends all of the commands and then reads their replies.
fn ask(operator: &mut Operator, commands: &[Vec<Vec<u8>>]) -> Result<Vec<Value>, Failure> {
    let lost = |error| Failure::Text(format!("Error: {error}"));
    let Some(connection) = &mut operator.connection else { return Err(Failure::Told) };
    for command in commands {
        connection.send(command).map_err(lost)?;
    }
    commands.iter().map(|_| connection.receive().map_err(lost)).collect()
}

fn words(words: &[&[u8]]) -> Vec<Vec<u8>> {
    words.iter().map(|word| word.to_vec()).collect()
}

/// The largest key of each type, by elements or by memory.
pub(super) fn largest(mut operator: Operator, mode: Mode) -> Done {
    let memory = mode == Mode::MemKeys;
    let stop = stopped()?;
    let total = begin(&mut operator, "biggest")?;
    let mut kinds: Vec<Kind> = KINDS
        .iter()
        .map(|(name, command, unit)| Kind::new(name, Some((*command, *unit))))
        .collect();
    let (mut walk, mut sampled, mut key_bytes) = (Walk::default(), 0_u64, 0_u64);
    while !stop.load(Ordering::Relaxed) {
        let done = percent(sampled, total);
        let Some(keys) = walk.next(&mut operator)? else { break };
        let found = types(&mut operator, &keys, &mut kinds)?;
        let sizes = sizes(&mut operator, &keys, &found, &kinds, memory)?;
        for ((key, kind), size) in keys.iter().zip(&found).zip(sizes) {
            let Some(kind) = kind else { continue };
            sampled += 1;
            key_bytes += key.len() as u64;
            meet(&mut kinds[*kind], key, size, done, memory);
            if sampled.is_multiple_of(1_000_000) {
                out::text(format_args!("[{done:05.2}%] Sampled {sampled} keys so far\n"));
            }
        }
        rest(&operator, &walk);
    }
    let part = if stop.load(Ordering::Relaxed) { percent(sampled, total) } else { 100.0 };
    summary(&kinds, sampled, key_bytes, part, memory);
    Ok(())
}

fn rest(operator: &Operator, walk: &Walk) {
    if walk.steps.is_multiple_of(100) {
        std::thread::sleep(operator.options.interval);
    }
}

fn meet(kind: &mut Kind, key: &[u8], size: u64, done: f64, memory: bool) {
    kind.total += size;
    kind.count += 1;
    if kind.biggest < size {
        let name = format::quoted(key);
        let unit = kind.unit(memory);
        let what = &kind.name;
        out::text(format_args!(
            "[{done:05.2}%] Biggest {what:<6} found so far '{name}' with {size} {unit}\n"
        ));
        (kind.biggest, kind.biggest_key) = (size, Some(name));
    }
}

/// The type of each key; `None` for one that is gone.
fn types(
    operator: &mut Operator,
    keys: &[Vec<u8>],
    kinds: &mut Vec<Kind>,
) -> Result<Vec<Option<usize>>, Failure> {
    let commands: Vec<_> = keys.iter().map(|key| words(&[b"TYPE", key])).collect();
    let mut found = Vec::with_capacity(keys.len());
    for reply in ask(operator, &commands)? {
        let Value::Simple(name) = reply else {
            return Err("TYPE returned an error or something else".into());
        };
        let name = String::from_utf8_lossy(&name).into_owned();
        let known = kinds.iter().position(|kind| kind.name == name);
        found.push(match known {
            None if name == "none" => None,
            None => {
                kinds.push(Kind::new(&name, None));
                Some(kinds.len() - 1)
            }
            known => known,
        });
    }
    Ok(found)
}

fn sizes(
    operator: &mut Operator,
    keys: &[Vec<u8>],
    found: &[Option<usize>],
    kinds: &[Kind],
    memory: bool,
) -> Result<Vec<u64>, Failure> {
    let samples = operator.options.memkeys_samples.to_string();
    let command = |(key, kind): (&Vec<u8>, &Option<usize>)| {
        let size = kinds[(*kind)?].size;
        if !memory {
            return size.map(|(command, _)| words(&[command.as_bytes(), key]));
        }
        let mut command = words(&[b"MEMORY", b"USAGE", key]);
        if samples != "0" {
            command.extend(words(&[b"SAMPLES", samples.as_bytes()]));
        }
        Some(command)
    };
    let commands: Vec<_> = keys.iter().zip(found).map(command).collect();
    let asked: Vec<_> = commands.iter().flatten().cloned().collect();
    let mut replies = ask(operator, &asked)?.into_iter();
    let mut sizes = Vec::with_capacity(keys.len());
    for (command, key) in commands.iter().zip(keys) {
        sizes.push(match command.as_ref().map(|_| replies.next()) {
            None => 0,
            Some(Some(Value::Int(size))) => u64::try_from(size).unwrap_or(0),
            Some(_) => {
                let key = String::from_utf8_lossy(key);
                out::problem(format_args!(
                    "Warning:  the size of '{key}' is unknown (may have changed type)"
                ));
                0
            }
        });
    }
    Ok(sizes)
}

fn summary(kinds: &[Kind], sampled: u64, key_bytes: u64, part: f64, memory: bool) {
    let mut text = "\n-------- Summary --------\n\n".to_owned();
    if part < 100.0 {
        text.push_str(&format!("[{part:05.2}%] "));
    }
    text.push_str(&format!("Sampled {sampled} keys in the keyspace!\n"));
    let length = average(key_bytes, sampled);
    text.push_str(&format!("Total key length in bytes is {key_bytes} (avg len {length:.2})\n\n"));
    for kind in kinds {
        if let Some(key) = &kind.biggest_key {
            let (name, size, unit) = (&kind.name, kind.biggest, kind.unit(memory));
            text.push_str(&format!("Biggest {name:>6} found '{key}' has {size} {unit}\n"));
        }
    }
    text.push('\n');
    for kind in kinds {
        text.push_str(&format!(
            "{} {}s with {} {} ({:05.2}% of keys, avg size {:.2})\n",
            kind.count,
            kind.name,
            kind.total,
            kind.unit(memory),
            percent(kind.count, sampled),
            average(kind.total, kind.count)
        ));
    }
    out::text(text);
}

/// The keys with the highest counters; the server must keep them (`maxmemory-policy` *lfu).
pub(super) fn hottest(mut operator: Operator) -> Done {
    let stop = stopped()?;
    let total = begin(&mut operator, "hot")?;
    let mut hot: Vec<(u64, String)> = Vec::new();
    let (mut walk, mut sampled) = (Walk::default(), 0_u64);
    while !stop.load(Ordering::Relaxed) {
        let done = percent(sampled, total);
        let Some(keys) = walk.next(&mut operator)? else { break };
        let commands: Vec<_> = keys.iter().map(|key| words(&[b"OBJECT", b"FREQ", key])).collect();
        let counters = ask(&mut operator, &commands)?;
        for (key, reply) in keys.iter().zip(counters) {
            sampled += 1;
            let counter = match reply {
                Value::Int(counter) => u64::try_from(counter).unwrap_or(0),
                Value::Error(text) => {
                    return Err(format!("Error: {}", String::from_utf8_lossy(&text)).into());
                }
                _ => 0,
            };
            let full = hot.len() >= operator.options.hotkeys_count;
            let least = hot.last().map_or(0, |(counter, _)| *counter);
            if counter == 0 || full && counter <= least {
                continue;
            }
            let name = format::quoted(key);
            out::text(format_args!(
                "[{done:05.2}%] Hot key '{name}' found so far with counter {counter}\n"
            ));
            let place = hot.partition_point(|(other, _)| *other >= counter);
            hot.insert(place, (counter, name));
            hot.truncate(operator.options.hotkeys_count);
        }
        rest(&operator, &walk);
    }
    let mut text = "\n-------- Summary --------\n\n".to_owned();
    if stop.load(Ordering::Relaxed) {
        text.push_str(&format!("[{:05.2}%] ", percent(sampled, total)));
    }
    text.push_str(&format!("Sampled {sampled} keys in the keyspace!\n"));
    for (counter, name) in hot {
        text.push_str(&format!("hot key found with counter: {counter}\tkeyname: {name}\n"));
    }
    out::text(text);
    Ok(())
}

/// Reads and writes keys of which a fifth gets four fifths of the use, and tells the hits of each
/// second, until Ctrl-C.
pub(super) fn cache_test(mut operator: Operator) -> Done {
    const BATCH: usize = 250;
    let keys = operator.options.lru_keys;
    loop {
        let (begin, mut hits, mut misses) = (Instant::now(), 0_u64, 0_u64);
        while begin.elapsed() < Duration::from_secs(1) {
            let value = || std::iter::repeat_with(fastrand::alphabetic).take(5).collect::<String>();
            let set = |_| words(&[b"SET", power_law_key(keys).as_bytes(), value().as_bytes()]);
            ask(&mut operator, &(0..BATCH).map(set).collect::<Vec<_>>())?;
            let get = |_| words(&[b"GET", power_law_key(keys).as_bytes()]);
            for reply in ask(&mut operator, &(0..BATCH).map(get).collect::<Vec<_>>())? {
                match reply {
                    Value::Null => misses += 1,
                    Value::Error(text) => out::problem(String::from_utf8_lossy(&text)),
                    _ => hits += 1,
                }
            }
        }
        let all = hits + misses;
        let (hit, miss) = (percent(hits, all), percent(misses, all));
        out::text(format_args!(
            "{all} Gets/sec | Hits: {hits} ({hit:.2}%) | Misses: {misses} ({miss:.2}%)\n"
        ));
    }
}

/// A key by a power law whose exponent makes it four fifths to a fifth.
fn power_law_key(keys: u64) -> String {
    const EXPONENT: f64 = 7.2;
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let number = {
        let top = (keys as f64 + 1.0).powf(EXPONENT);
        let place = ((top - 1.0) * fastrand::f64() + 1.0).powf(1.0 / EXPONENT);
        (keys as f64 + 1.0 - place) as u64 + 1
    };
    format!("lru:{number}")
}
