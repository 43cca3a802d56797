//! Many connections at once, each with pipelines that reach the server cut at random bytes; every
//! byte of every reply must be the one that a naive model gives.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::thread;
use std::time::Duration;

use fastrand::Rng;
use testkit::Server;

const CONNECTIONS: u64 = 200;
const CLIENT_THREADS: u64 = 4;
const ROUNDS: usize = 5;
const COMMANDS_MAX: usize = 90;
/// Longer arguments than this are read apart by the server.
const BIG: usize = 32 << 10;

#[test]
fn one_worker() {
    play("1");
}

#[test]
fn two_workers() {
    play("2");
}

#[test]
fn four_workers() {
    play("4");
}

fn play(threads: &str) {
    let binary = Path::new(env!("CARGO_BIN_EXE_reddle"));
    let server = Server::start_binary(binary, &[("threads", threads)]);
    let (port, seed) = (server.port(), fastrand::u64(..));
    let group = |group: u64| {
        move || {
            let numbers = (0..CONNECTIONS).filter(|number| number % CLIENT_THREADS == group);
            let mut peers: Vec<Peer> =
                numbers.map(|number| Peer::new(port, number, seed)).collect();
            for round in 0..ROUNDS {
                play_round(&mut peers, &format!("seed {seed}, round {round}"));
            }
        }
    };
    let players: Vec<_> = (0..CLIENT_THREADS).map(|at| thread::spawn(group(at))).collect();
    for player in players {
        if let Err(panic) = player.join() {
            std::panic::resume_unwind(panic);
        }
    }
}

/// All peers send their pipelines, piece by piece in turn, before any reads a reply.
fn play_round(peers: &mut [Peer], place: &str) {
    for peer in peers.iter_mut() {
        peer.plan();
    }
    while peers.iter_mut().map(Peer::send_piece).fold(false, |more, sent| more | sent) {}
    for peer in peers {
        peer.check(place);
    }
}

/// A connection, the keys that it alone uses, and what they should hold.
struct Peer {
    number: u64,
    stream: TcpStream,
    rng: Rng,
    model: BTreeMap<String, Vec<u8>>,
    unsent: Vec<u8>,
    expected: Vec<u8>,
}

impl Peer {
    fn new(port: u16, number: u64, seed: u64) -> Peer {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("a connection");
        stream.set_nodelay(true).expect("an option of the socket");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("an option of the socket");
        let rng = Rng::with_seed(seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let (unsent, expected) = (Vec::new(), Vec::new());
        Peer { number, stream, rng, model: BTreeMap::new(), unsent, expected }
    }

    fn plan(&mut self) {
        for _ in 0..self.rng.usize(1..COMMANDS_MAX) {
            self.plan_one();
        }
    }

    fn send_piece(&mut self) -> bool {
        let most = if self.rng.u8(..) < 32 { 200_000 } else { 300 };
        let piece = self.rng.usize(1..=most).min(self.unsent.len());
        self.stream.write_all(&self.unsent[..piece]).expect("a server that reads");
        self.unsent.drain(..piece);
        !self.unsent.is_empty()
    }

    fn check(&mut self, place: &str) {
        let mut replies = vec![0; self.expected.len()];
        let read = self.stream.read_exact(&mut replies);
        let number = self.number;
        read.unwrap_or_else(|error| panic!("{place}, connection {number}: {error}"));
        let differs = replies.iter().zip(&self.expected).position(|(got, wanted)| got != wanted);
        if let Some(at) = differs {
            let from = at.saturating_sub(80);
            let shown =
                |bytes: &[u8]| bytes[from..bytes.len().min(at + 80)].escape_ascii().to_string();
            let (got, wanted) = (shown(&replies), shown(&self.expected));
            panic!("{place}, connection {number}, byte {at}:\n{got}\nin place of\n{wanted}");
        }
        self.expected.clear();
    }

    fn plan_one(&mut self) {
        let key = self.key();
        match self.rng.u8(0..12) {
            0 | 1 => self.get(&key),
            2 | 3 => self.set(&key),
            4 => self.append(&key),
            5 => self.multiple_keys(),
            6 => self.delete(&key),
            7 => self.length(&key),
            8 => self.inline(),
            9 => self.wrong(),
            10 => self.queue(&[b"PING"], b"+PONG\r\n"),
            _ => {
                let text = self.bytes(40);
                self.queue(&[b"echo", &text], &bulk(Some(&text)));
            }
        }
    }

    fn get(&mut self, key: &str) {
        let reply = bulk(self.model.get(key).map(Vec::as_slice));
        self.queue(&[b"GET", key.as_bytes()], &reply);
    }

    fn set(&mut self, key: &str) {
        let value = self.value();
        if self.rng.bool() {
            self.queue(&[b"SET", key.as_bytes(), &value], b"+OK\r\n");
        } else {
            // A big argument in the middle of a command takes another way than one at its end.
            self.queue(&[b"SET", key.as_bytes(), &value, b"EX", b"1000"], b"+OK\r\n");
        }
        self.model.insert(key.to_owned(), value);
    }

    fn append(&mut self, key: &str) {
        let more = self.bytes(30);
        let value = self.model.entry(key.to_owned()).or_default();
        value.extend_from_slice(&more);
        let reply = format!(":{}\r\n", value.len());
        self.queue(&[b"APPEND", key.as_bytes(), &more], reply.as_bytes());
    }

    fn multiple_keys(&mut self) {
        let keys = [self.key(), self.key(), self.key()];
        let values = [self.value(), self.bytes(10), self.value()];
        let mut words: Vec<&[u8]> = vec![b"MSET"];
        for (key, value) in keys.iter().zip(&values) {
            words.extend([key.as_bytes(), value]);
        }
        self.queue(&words, b"+OK\r\n");
        for (key, value) in keys.iter().zip(values) {
            self.model.insert(key.clone(), value);
        }
        let missing = format!("p{}:none", self.number);
        let wanted = [&keys[2], &missing, &keys[0]];
        let mut reply = b"*3\r\n".to_vec();
        for key in wanted {
            reply.extend(bulk(self.model.get(key).map(Vec::as_slice)));
        }
        let words = [b"MGET", wanted[0].as_bytes(), wanted[1].as_bytes(), wanted[2].as_bytes()];
        self.queue(&words, &reply);
    }

    fn delete(&mut self, key: &str) {
        let reply = format!(":{}\r\n", i32::from(self.model.remove(key).is_some()));
        self.queue(&[b"DEL", key.as_bytes()], reply.as_bytes());
    }

    fn length(&mut self, key: &str) {
        let reply = format!(":{}\r\n", self.model.get(key).map_or(0, Vec::len));
        self.queue(&[b"STRLEN", key.as_bytes()], reply.as_bytes());
    }

    fn inline(&mut self) {
        match self.rng.u8(0..3) {
            0 => self.unsent.extend_from_slice(b"\r\n"),
            1 => {
                self.unsent.extend_from_slice(b"ECHO \"a b\\r\\n\"\r\n");
                self.expected.extend_from_slice(b"$5\r\na b\r\n\r\n");
            }
            _ => {
                self.unsent.extend_from_slice(b"PING\n");
                self.expected.extend_from_slice(b"+PONG\r\n");
            }
        }
    }

    fn wrong(&mut self) {
        if self.rng.bool() {
            let reply = b"-ERR wrong number of arguments for 'get' command\r\n";
            self.queue(&[b"GET"], reply);
        } else {
            let reply = b"-ERR unknown command 'NONE', with args beginning with: 'x' \r\n";
            self.queue(&[b"NONE", b"x"], reply);
        }
    }

    fn queue(&mut self, words: &[&[u8]], reply: &[u8]) {
        self.unsent.extend_from_slice(format!("*{}\r\n", words.len()).as_bytes());
        for word in words {
            self.unsent.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
            self.unsent.extend_from_slice(word);
            self.unsent.extend_from_slice(b"\r\n");
        }
        self.expected.extend_from_slice(reply);
    }

    fn key(&mut self) -> String {
        format!("p{}:{}", self.number, self.rng.u8(0..6))
    }

    fn value(&mut self) -> Vec<u8> {
        match self.rng.u8(0..40) {
            0 => self.bytes(BIG * 3),
            1 => vec![b'x'; BIG],
            2..8 => self.bytes(2000),
            _ => self.bytes(60),
        }
    }

    fn bytes(&mut self, most: usize) -> Vec<u8> {
        let length = self.rng.usize(0..=most);
        let start = self.rng.u8(..);
        (0..length).map(|at| start.wrapping_add((at % 251) as u8)).collect()
    }
}

fn bulk(value: Option<&[u8]>) -> Vec<u8> {
    let Some(value) = value else { return b"$-1\r\n".to_vec() };
    let mut reply = format!("${}\r\n", value.len()).into_bytes();
    reply.extend_from_slice(value);
    reply.extend_from_slice(b"\r\n");
    reply
}
