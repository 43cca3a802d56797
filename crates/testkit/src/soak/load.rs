//! What the threads of a soak do to the server until they are told to stop.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use fastrand::Rng;

use super::model::Model;
use crate::{Client, Value};

/// Keys of this prefix have deadlines and may be evicted.
pub(super) const CACHE: &str = "cache:";
/// Keys of this prefix are whatever visitors left.
pub(super) const VISITS: &str = "visit:";

/// What all threads of the load share.
#[derive(Debug)]
pub(super) struct Load {
    pub(super) port: u16,
    pub(super) is_over: AtomicBool,
    /// Commands that were answered.
    pub(super) operations: AtomicU64,
}

/// The duty of one thread; numbers are seeds.
#[derive(Debug)]
pub(super) enum Work<'a> {
    Own(&'a mut Model, u64),
    Cache(u64),
    Visit(u64),
    /// The time between two.
    Save(Duration),
}

impl Load {
    /// Does it until the load is over, or something is not as it should be.
    pub(super) fn run(&self, work: Work<'_>) -> Result<(), String> {
        match work {
            Work::Own(model, seed) => self.own(model, seed),
            Work::Cache(seed) => self.cache(seed),
            Work::Visit(seed) => self.visit(seed),
            Work::Save(every) => self.save(every),
        }
    }

    fn goes_on(&self) -> bool {
        !self.is_over.load(Ordering::Relaxed)
    }

    fn client(&self) -> Result<Client, String> {
        let mut client = Client::connect(self.port).map_err(|error| error.to_string())?;
        client.set_reply_limit(Duration::from_secs(60));
        Ok(client)
    }

    fn answered(&self, commands: usize) {
        self.operations.fetch_add(commands as u64, Ordering::Relaxed);
    }

    /// Runs the model's commands in pipelines and transactions, over a new connection now and then,
    /// and compares each reply.
    fn own(&self, model: &mut Model, seed: u64) -> Result<(), String> {
        let mut rng = Rng::with_seed(seed);
        let mut client = self.client()?;
        while self.goes_on() {
            if rng.u16(..) < 50 {
                client = self.client()?;
            }
            let steps: Vec<_> = (0..rng.usize(1..32)).map(|_| model.step()).collect();
            let (words, expected): (Vec<_>, Vec<_>) = steps.into_iter().unzip();
            let got = if rng.u8(0..8) == 0 {
                in_transaction(&mut client, &words)
            } else {
                client.pipeline(&borrowed(&words).iter().map(Vec::as_slice).collect::<Vec<_>>())
            };
            if let Some(wrong) = (0..words.len()).find(|&it| got.get(it) != expected.get(it)) {
                let (words, got) = (&words[wrong], got.get(wrong));
                return Err(format!("{words:?} got {got:?}, expected {:?}", expected[wrong]));
            }
            self.answered(words.len());
            thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }

    /// Writes more than fits the memory, all of it with deadlines, and reads some.
    fn cache(&self, seed: u64) -> Result<(), String> {
        let mut rng = Rng::with_seed(seed);
        let mut client = self.client()?;
        let value: String = std::iter::repeat_with(|| rng.alphanumeric()).take(10_000).collect();
        while self.goes_on() {
            let mut commands: Vec<Vec<String>> = Vec::new();
            for _ in 0..4 {
                let key = format!("{CACHE}{}", rng.u32(0..200_000));
                let size = rng.usize(1..value.len());
                let seconds = rng.u32(1..60).to_string();
                let set = ["SET", &key, &value[..size], "EX", &seconds].map(str::to_owned);
                commands.push(set.into());
                commands.push(vec!["GET".into(), format!("{CACHE}{}", rng.u32(0..200_000))]);
            }
            client.send_all(&commands);
            self.answered(commands.len());
            thread::sleep(Duration::from_millis(2));
        }
        Ok(())
    }

    /// Connections that come, do one thing and go, in whatever state they are.
    fn visit(&self, seed: u64) -> Result<(), String> {
        let mut rng = Rng::with_seed(seed);
        while self.goes_on() {
            let mut guests = Vec::new();
            for _ in 0..rng.usize(1..20) {
                let mut client = self.client()?;
                let line = visit(&mut rng);
                client.send(line.as_bytes()).map_err(|error| format!("{line}: {error}"))?;
                guests.push(client);
            }
            self.answered(guests.len());
            thread::sleep(Duration::from_millis(rng.u64(1..30)));
        }
        Ok(())
    }

    /// Snapshots and rewrites of the log, in turn.
    fn save(&self, every: Duration) -> Result<(), String> {
        let mut client = self.client()?;
        for command in ["BGSAVE", "BGREWRITEAOF"].iter().cycle() {
            for _ in 0..every.as_millis() / 10 {
                if !self.goes_on() {
                    return Ok(());
                }
                thread::sleep(Duration::from_millis(10));
            }
            let reply = client.text(command);
            // The server rewrites its log by itself, too.
            if !["started", "scheduled", "progress", "active"].iter().any(|it| reply.contains(it)) {
                return Err(format!("{command}: {reply}"));
            }
            wait_for_saves(&mut client);
        }
        Ok(())
    }
}

/// Waits until nothing is being saved or rewritten.
pub(super) fn wait_for_saves(client: &mut Client) {
    while client.info::<u32>("rdb_bgsave_in_progress") > 0
        || client.info::<u32>("aof_rewrite_in_progress") > 0
        || client.info::<u32>("aof_rewrite_scheduled") > 0
    {
        thread::sleep(Duration::from_millis(10));
    }
}

fn borrowed(commands: &[Vec<String>]) -> Vec<Vec<&str>> {
    commands.iter().map(|words| words.iter().map(String::as_str).collect()).collect()
}

fn in_transaction(client: &mut Client, commands: &[Vec<String>]) -> Vec<Value> {
    let words = borrowed(commands);
    let mut lines: Vec<&[&str]> = vec![&["MULTI"]];
    lines.extend(words.iter().map(Vec::as_slice));
    lines.push(&["EXEC"]);
    match client.pipeline(&lines).pop() {
        Some(Value::Array(replies)) => replies,
        other => other.into_iter().collect(),
    }
}

/// What a connection sends before it is closed: nobody reads the replies.
fn visit(rng: &mut Rng) -> String {
    let n = rng.u32(0..100);
    match rng.u8(0..10) {
        0 => format!("SET {VISITS}{n} x EX 5\r\nGET {VISITS}{n}\r\n"),
        1 => format!("SUBSCRIBE channel:{n}\r\n"),
        2 => format!("PUBLISH channel:{n} hello\r\n"),
        3 => format!("BLPOP {VISITS}list:{n} 0\r\n"),
        4 => format!("RPUSH {VISITS}list:{n} a b\r\nPEXPIRE {VISITS}list:{n} 100\r\n"),
        5 => "*2\r\n$3\r\nGET\r\n$100\r\nonly the beginning".to_owned(),
        6 => format!("EVAL \"return redis.call('incr', KEYS[1])\" 1 {VISITS}count\r\n"),
        7 => format!("HELLO 3\r\nCLIENT TRACKING ON\r\nGET {CACHE}{n}\r\n"),
        8 => format!("WATCH {VISITS}{n}\r\nMULTI\r\nSET {VISITS}{n} y EX 5\r\n"),
        _ => format!("PSUBSCRIBE chan*\r\nXREAD BLOCK 0 STREAMS {VISITS}stream:{n} $\r\n"),
    }
}
