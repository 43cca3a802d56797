//! Commands that wait, at random against a model of one thread: lists, and clients in the order in
//! which they came. Several workers have to give what one gives.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use fastrand::Rng;
use testkit::{Client, Server, Value};

const CLIENTS: usize = 16;
const KEYS: u32 = 5;
const STEPS: usize = 1_500;
const LIMIT: Duration = Duration::from_secs(20);

/// What a client waits with.
#[derive(Clone, Debug)]
enum Wish {
    Pop { keys: Vec<String>, left: bool },
    Several { keys: Vec<String>, count: usize },
    Move { from: String, to: String },
}

impl Wish {
    fn random(rng: &mut Rng) -> Wish {
        let key = |rng: &mut Rng| format!("k{}", rng.u32(0..KEYS));
        let keys = |rng: &mut Rng| (0..rng.usize(1..4)).map(|_| key(rng)).collect();
        match rng.u8(0..4) {
            0 => Wish::Move { from: key(rng), to: key(rng) },
            1 => Wish::Several { keys: keys(rng), count: rng.usize(1..4) },
            _ => Wish::Pop { keys: keys(rng), left: rng.bool() },
        }
    }

    fn line(&self) -> String {
        match self {
            Wish::Pop { keys, left: true } => format!("BLPOP {} 0", keys.join(" ")),
            Wish::Pop { keys, left: false } => format!("BRPOP {} 0", keys.join(" ")),
            Wish::Several { keys, count } => {
                format!("BLMPOP 0 {} {} LEFT COUNT {count}", keys.len(), keys.join(" "))
            }
            Wish::Move { from, to } => format!("BLMOVE {from} {to} LEFT RIGHT 0"),
        }
    }

    fn waits_for(&self, key: &str) -> bool {
        match self {
            Wish::Pop { keys, .. } | Wish::Several { keys, .. } => {
                keys.iter().any(|known| known == key)
            }
            Wish::Move { from, .. } => from == key,
        }
    }
}

#[derive(Default)]
struct Model {
    lists: BTreeMap<String, VecDeque<String>>,
    /// Those who wait, by when they came.
    waiting: Vec<(usize, Wish)>,
}

impl Model {
    fn pop(&mut self, key: &str, left: bool) -> Option<String> {
        let list = self.lists.get_mut(key)?;
        let element = if left { list.pop_front() } else { list.pop_back() };
        if list.is_empty() {
            self.lists.remove(key);
        }
        element
    }

    /// The answer to a wish, if it can be granted, and the key that has grown by it.
    fn grant(&mut self, wish: &Wish) -> Option<(String, Option<String>)> {
        match wish {
            Wish::Pop { keys, left } => {
                let key = keys.iter().find(|key| self.lists.contains_key(*key))?;
                let element = self.pop(key, *left)?;
                Some((format!("[{key} {element}]"), None))
            }
            Wish::Several { keys, count } => {
                let key = keys.iter().find(|key| self.lists.contains_key(*key))?;
                let some: Vec<String> = (0..*count).map_while(|_| self.pop(key, true)).collect();
                Some((format!("[{key} [{}]]", some.join(" ")), None))
            }
            Wish::Move { from, to } => {
                let element = self.pop(from, true)?;
                self.lists.entry(to.clone()).or_default().push_back(element.clone());
                Some((element, Some(to.clone())))
            }
        }
    }

    /// Serves those who wait, from the key that has grown on; who got what.
    fn serve(&mut self, key: String) -> Vec<(usize, String)> {
        let (mut ready, mut served) = (VecDeque::from([key]), Vec::new());
        while let Some(key) = ready.pop_front() {
            let mut at = 0;
            while at < self.waiting.len() && self.lists.contains_key(&key) {
                let (client, wish) = self.waiting[at].clone();
                if !wish.waits_for(&key) {
                    at += 1;
                    continue;
                }
                let Some((answer, grown)) = self.grant(&wish) else {
                    at += 1;
                    continue;
                };
                self.waiting.remove(at);
                served.push((client, answer));
                ready.extend(grown.filter(|grown| !ready.contains(grown)));
            }
        }
        served
    }
}

fn show(value: &Value) -> String {
    match value {
        Value::Bulk(bytes) | Value::Error(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Value::Verbatim { data, .. } => String::from_utf8_lossy(data).into_owned(),
        Value::Int(number) => number.to_string(),
        Value::Array(values) => {
            format!("[{}]", values.iter().map(show).collect::<Vec<_>>().join(" "))
        }
        other => format!("{other:?}"),
    }
}

struct Run {
    clients: Vec<Client>,
    pusher: Client,
    model: Model,
}

impl Run {
    fn wait_for_blocked(&mut self) {
        let wanted = format!("blocked_clients:{}\r\n", self.model.waiting.len());
        let end = Instant::now() + LIMIT;
        while !show(&self.pusher.run("INFO clients")).contains(&wanted) {
            assert!(Instant::now() < end, "not as many clients wait as should");
            thread::yield_now();
        }
    }

    fn check_served(&mut self, key: String) {
        for (client, wanted) in self.model.serve(key) {
            let got = self.clients[client].receive().expect("an answer");
            assert_eq!(show(&got), wanted, "client {client}");
        }
        self.wait_for_blocked();
    }

    fn wish(&mut self, client: usize, wish: Wish) {
        self.clients[client].send(format!("{}\r\n", wish.line()).as_bytes()).expect("a server");
        match self.model.grant(&wish) {
            Some((wanted, grown)) => {
                let got = self.clients[client].receive().expect("an answer");
                assert_eq!(show(&got), wanted, "{}", wish.line());
                grown.into_iter().for_each(|key| self.check_served(key));
            }
            None => {
                self.model.waiting.push((client, wish));
                self.wait_for_blocked();
            }
        }
    }

    fn push(&mut self, key: String, elements: &[String]) {
        let list = self.model.lists.entry(key.clone()).or_default();
        list.extend(elements.iter().cloned());
        let wanted = list.len().to_string();
        let got = self.pusher.run(&format!("RPUSH {key} {}", elements.join(" ")));
        assert_eq!(show(&got), wanted);
        self.check_served(key);
    }
}

#[test]
fn several_workers_serve_as_one() {
    for (threads, seed) in [("1", 1), ("4", 2), ("4", 3), ("2", 4)] {
        let binary = Path::new(env!("CARGO_BIN_EXE_reddle"));
        let server = Server::start_binary(binary, &[("threads", threads)]);
        let mut rng = Rng::with_seed(seed);
        let clients = (0..CLIENTS).map(|_| server.client()).collect();
        let mut run = Run { clients, pusher: server.client(), model: Model::default() };
        for step in 0..STEPS {
            let is_idle = |client: &usize| run.model.waiting.iter().all(|(at, _)| at != client);
            let idle: Vec<usize> = (0..CLIENTS).filter(is_idle).collect();
            if let Some(client) = rng.choice(&idle).filter(|_| step % 100 < 60) {
                run.wish(*client, Wish::random(&mut rng));
            } else {
                let elements: Vec<String> =
                    (0..rng.usize(1..5)).map(|at| format!("e{step}-{at}")).collect();
                run.push(format!("k{}", rng.u32(0..KEYS)), &elements);
            }
        }
        for key in (0..KEYS).map(|at| format!("k{at}")) {
            let list = run.model.lists.get(&key).map(|list| Vec::from(list.clone()));
            let wanted = format!("[{}]", list.unwrap_or_default().join(" "));
            assert_eq!(show(&run.pusher.run(&format!("LRANGE {key} 0 -1"))), wanted);
        }
    }
}
