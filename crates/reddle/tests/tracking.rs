//! Client-side caching over sockets: a cache that is kept by what the server tells equals the
//! server's data, whatever the workers do at the same time.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use fastrand::Rng;
use testkit::{Client, Server, Value};

const KEYS: usize = 40;
const READERS: usize = 4;
const WRITERS: usize = 3;
const WRITES: usize = 1500;

fn start(threads: &str) -> Server {
    Server::start_binary(Path::new(env!("CARGO_BIN_EXE_reddle")), &[("threads", threads)])
}

fn each(test: impl Fn(&Server)) {
    for threads in ["1", "2"] {
        test(&start(threads));
    }
}

/// A reply as one line of text.
fn text(value: &Value) -> String {
    let list = |values: &[Value]| values.iter().map(text).collect::<Vec<_>>().join(" ");
    match value {
        Value::Bulk(bytes) | Value::Simple(bytes) | Value::Error(bytes) => {
            String::from_utf8_lossy(bytes).into_owned()
        }
        Value::Verbatim { data, .. } => String::from_utf8_lossy(data).into_owned(),
        Value::Array(values) | Value::Set(values) | Value::Push(values) => list(values),
        Value::Map(pairs) => {
            pairs.iter().map(|(key, value)| text(key) + " " + &text(value) + " ").collect()
        }
        other => format!("{other:?}"),
    }
}

/// How a reader is told of keys that are not valid.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Way {
    Plain,
    OptIn,
    Broadcast,
    Redirected,
}

/// A client with a cache.
struct Reader {
    client: Client,
    /// Where the news come when they are redirected.
    ear: Option<Client>,
    way: Way,
    cache: HashMap<Vec<u8>, Value>,
    told: usize,
}

fn id(client: &mut Client) -> String {
    match client.run("CLIENT ID") {
        Value::Int(id) => id.to_string(),
        other => panic!("{other:?}"),
    }
}

impl Reader {
    fn new(server: &Server, way: Way) -> Self {
        let mut client = server.client();
        client.run("HELLO 3");
        let mut ear = None;
        let reply = match way {
            Way::Plain => client.run("CLIENT TRACKING ON"),
            Way::OptIn => client.run("CLIENT TRACKING ON OPTIN"),
            Way::Broadcast => client.run("CLIENT TRACKING ON BCAST PREFIX key:"),
            Way::Redirected => {
                let mut other = server.client();
                other.run("HELLO 3");
                let reply = client.run(&format!("CLIENT TRACKING ON REDIRECT {}", id(&mut other)));
                ear = Some(other);
                reply
            }
        };
        assert_eq!(reply, Value::Simple(b"OK".to_vec()));
        Self { client, ear, way, cache: HashMap::new(), told: 0 }
    }

    fn hear(cache: &mut HashMap<Vec<u8>, Value>, push: &[Value]) {
        assert_eq!(push[0], Value::Bulk(b"invalidate".to_vec()), "{push:?}");
        match &push[1] {
            Value::Array(keys) => keys.iter().for_each(|key| match key {
                Value::Bulk(key) => drop(cache.remove(key)),
                other => panic!("{other:?}"),
            }),
            Value::Null => cache.clear(),
            other => panic!("{other:?}"),
        }
    }

    /// Sends a command; what comes before its reply is news.
    fn ask(&mut self, args: &[&[u8]]) -> Value {
        let mut bytes = format!("*{}\r\n", args.len()).into_bytes();
        for arg in args {
            bytes.extend_from_slice(format!("${}\r\n", arg.len()).as_bytes());
            bytes.extend_from_slice(arg);
            bytes.extend_from_slice(b"\r\n");
        }
        self.client.send(&bytes).expect("the server takes a command");
        loop {
            match self.client.receive().expect("the server answers") {
                Value::Push(push) => {
                    self.told += 1;
                    Self::hear(&mut self.cache, &push);
                }
                reply => return reply,
            }
        }
    }

    fn read(&mut self, key: &[u8]) {
        if self.cache.contains_key(key) {
            return;
        }
        if self.way == Way::OptIn {
            self.ask(&[b"CLIENT", b"CACHING", b"YES"]);
        }
        let value = self.ask(&[b"GET", key]);
        self.cache.insert(key.to_vec(), value);
        self.listen();
    }

    /// Hears all that was said so far.
    fn listen(&mut self) {
        let Some(ear) = &mut self.ear else { return };
        ear.send(b"PING\r\n").expect("the server takes a command");
        while let Value::Push(push) = ear.receive().expect("the server answers") {
            self.told += 1;
            Self::hear(&mut self.cache, &push);
        }
    }
}

fn key(number: usize) -> Vec<u8> {
    format!("key:{number}").into_bytes()
}

fn write(client: &mut Client, rng: &mut Rng) {
    let (one, other) = (rng.usize(..KEYS), rng.usize(..KEYS));
    let value = rng.u32(..);
    match rng.u8(..12) {
        0 => drop(client.run(&format!("DEL key:{one}"))),
        1 => drop(client.run(&format!("SET key:{one} {value} PX 1"))),
        2 => drop(client.run(&format!("MSET key:{one} {value} key:{other} {value}"))),
        3 => drop(client.run(&format!("RENAME key:{one} key:{other}"))),
        4 => {
            client.run("MULTI");
            client.run(&format!("SET key:{one} {value}"));
            client.run(&format!("APPEND key:{other} {value}"));
            client.run("EXEC");
        }
        5 if rng.u8(..20) == 0 => drop(client.run("FLUSHALL")),
        6 if rng.u8(..20) == 0 => drop(client.run("SWAPDB 0 1")),
        _ => drop(client.run(&format!("SET key:{one} {value}"))),
    }
}

#[test]
fn a_cache_equals_the_data_in_the_end() {
    each(|server| {
        for way in [Way::Plain, Way::OptIn, Way::Broadcast, Way::Redirected] {
            race(server, way);
        }
    });
}

fn race(server: &Server, way: Way) {
    let writing = Arc::new(AtomicUsize::new(WRITERS));
    let writers: Vec<_> = (0..WRITERS)
        .map(|_| {
            let (mut client, writing) = (server.client(), Arc::clone(&writing));
            thread::spawn(move || {
                let mut rng = Rng::new();
                (0..WRITES).for_each(|_| write(&mut client, &mut rng));
                writing.fetch_sub(1, Ordering::SeqCst);
            })
        })
        .collect();
    let readers: Vec<_> = (0..READERS)
        .map(|_| {
            let (mut reader, writing) = (Reader::new(server, way), Arc::clone(&writing));
            thread::spawn(move || {
                let mut rng = Rng::new();
                while writing.load(Ordering::SeqCst) > 0 {
                    reader.read(&key(rng.usize(..KEYS)));
                }
                reader
            })
        })
        .collect();
    writers.into_iter().for_each(|writer| writer.join().expect("a writer ends well"));
    let readers: Vec<Reader> =
        readers.into_iter().map(|reader| reader.join().expect("a reader ends well")).collect();
    let mut client = server.client();
    // What has a deadline is to be gone, or to stay.
    (0..KEYS).for_each(|at| drop(client.run(&format!("PERSIST key:{at}"))));
    for mut reader in readers {
        reader.ask(&[b"PING"]);
        reader.listen();
        assert!(reader.told > 0, "{way:?}: nothing was told");
        for (key, value) in &reader.cache {
            let now = client.call(&[b"GET".as_slice(), key]);
            let is_nothing = |value: &Value| matches!(value, Value::Null);
            assert!(
                now == *value || is_nothing(&now) && is_nothing(value),
                "{way:?}: {} is {now:?}, cached as {value:?}",
                String::from_utf8_lossy(key),
            );
        }
    }
}

#[test]
fn news_and_messages_come_in_their_order() {
    each(|server| {
        let (mut reader, mut writer) = (server.client(), server.client());
        reader.run("HELLO 3");
        reader.run("CLIENT TRACKING ON");
        reader.run("SUBSCRIBE c");
        for round in 0..300 {
            assert!(!matches!(reader.run("GET k"), Value::Push(_)));
            writer.run(&format!("SET k {round}"));
            writer.run(&format!("PUBLISH c {round}"));
            let (first, second) = (reader.receive(), reader.receive());
            assert_eq!(text(&first.expect("news come")), "invalidate k");
            assert_eq!(text(&second.expect("a message comes")), format!("message c {round}"));
        }
    });
}

#[test]
fn who_was_answered_after_a_write_finds_the_news_before_the_next_reply() {
    each(|server| {
        let (mut reader, mut writer) = (server.client(), server.client());
        reader.run("HELLO 3");
        reader.run("CLIENT TRACKING ON");
        for round in 0..500 {
            reader.run("GET k");
            writer.run(&format!("SET k {round}"));
            let first = reader.run("PING");
            assert!(matches!(first, Value::Push(_)), "round {round}: {first:?}");
            assert_eq!(reader.receive().expect("a reply"), Value::Simple(b"PONG".to_vec()));
        }
    });
}

#[test]
fn redirection_in_the_old_protocol_and_its_end() {
    each(|server| {
        let (mut reader, mut writer, mut ear) = (server.client(), server.client(), server.client());
        let number = id(&mut ear);
        ear.run("SUBSCRIBE __redis__:invalidate");
        let on = format!("CLIENT TRACKING ON REDIRECT {number}");
        reader.run(&on);
        reader.run("MGET a b");
        writer.run("SET a 1");
        let bulk = |text: &str| Value::Bulk(text.as_bytes().to_vec());
        let news = |key: &str| {
            let keys = Value::Array(vec![bulk(key)]);
            Value::Array(vec![bulk("message"), bulk("__redis__:invalidate"), keys])
        };
        assert_eq!(ear.receive().expect("news come"), news("a"));
        let list = text(&reader.run("CLIENT LIST"));
        assert!(list.contains(&format!("redir={number}")), "{list}");
        assert_eq!(reader.run("CLIENT GETREDIR"), Value::Int(number.parse().expect("a number")));
        writer.run("FLUSHALL");
        let Value::Array(parts) = ear.receive().expect("news come") else { panic!("no news") };
        assert_eq!(parts[2], Value::Null);
        reader.run("HELLO 3");
        reader.run("GET b");
        ear.run("QUIT");
        writer.run("SET b 1");
        let number: i64 = number.parse().expect("a number");
        let broken = Value::Push(vec![bulk("tracking-redir-broken"), Value::Int(number)]);
        assert_eq!(reader.receive().expect("news come"), broken);
        let info = text(&reader.run("CLIENT TRACKINGINFO"));
        assert!(info.contains("broken_redirect"), "{info}");
        let info = text(&reader.run("CLIENT INFO"));
        assert!(info.contains("flags=tR"), "{info}");
    });
}

#[test]
fn data_that_are_loaded_anew_make_caches_invalid() {
    let options = [("appendonly", "yes"), ("enable-debug-command", "yes")];
    let server = Server::start_binary(Path::new(env!("CARGO_BIN_EXE_reddle")), &options);
    let (mut reader, mut writer) = (server.client(), server.client());
    reader.run("HELLO 3");
    reader.run("CLIENT TRACKING ON");
    writer.run("SET a 1");
    for command in ["DEBUG RELOAD", "DEBUG LOADAOF"] {
        assert_eq!(text(&reader.run("GET a")), "1");
        assert_eq!(text(&writer.run(command)), "OK");
        let nothing_is_valid = Value::Push(vec![Value::Bulk(b"invalidate".to_vec()), Value::Null]);
        assert_eq!(reader.receive().expect("news come"), nothing_is_valid, "{command}");
    }
}

#[test]
fn clients_that_are_gone_leave_nothing_behind() {
    each(|server| {
        let mut client = server.client();
        for round in 0..50 {
            let mut reader = server.client();
            reader.run("HELLO 3");
            reader.run(if round % 2 == 0 {
                "CLIENT TRACKING ON"
            } else {
                "CLIENT TRACKING ON BCAST"
            });
            reader.run("GET k");
        }
        let count = |client: &mut Client| {
            let text = text(&client.run("INFO"));
            assert!(text.contains("tracking_total_prefixes:"), "{text}");
            ["clients", "total_keys", "total_items", "total_prefixes"]
                .iter()
                .all(|field| text.contains(&format!("tracking_{field}:0\r")))
        };
        let end = Instant::now() + Duration::from_secs(20);
        while !count(&mut client) {
            assert!(Instant::now() < end, "closed clients still track");
            thread::yield_now();
        }
    });
}
