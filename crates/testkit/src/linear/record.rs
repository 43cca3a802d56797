//! Histories: connections that run random commands on the same few keys at the same time.
//!
//! A round has keys of its own and ends before the next one begins, so that each can be checked by
//! itself and a history stays short.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use fastrand::Rng;
use resp::value::{Value, encode_command};

use super::check::{Operation, check};
use super::store::{Command, LISTS, Reply, STRINGS, Store};
use crate::client::Client;

/// How long a command waits for a list, in seconds.
const WAIT: &str = "0.01";

/// What a run is like.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The server's port.
    pub port: u16,
    /// Connections.
    pub connections: usize,
    /// Operations of each connection in a round.
    pub operations: usize,
    /// How long to go on.
    pub time: Duration,
    /// Where random commands come from.
    pub seed: u64,
}

/// What a run did.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Totals {
    /// Rounds, each of which was checked.
    pub rounds: u64,
    /// Operations.
    pub operations: u64,
    /// Waits that ended in vain.
    pub given_up: u64,
    /// Transactions that ran, and those that did not because of WATCH.
    pub transactions: (u64, u64),
}

type History = Vec<Operation<Command, Reply>>;

/// Records histories and checks each.
///
/// # Errors
/// The first history that no order explains, in words; or what went wrong with a connection.
pub fn run(options: &Options) -> Result<Totals, String> {
    let began = Instant::now();
    let mut rng = Rng::with_seed(options.seed);
    let mut totals = Totals::default();
    let connect = |_| Client::connect(options.port).map_err(|error| error.to_string());
    let mut clients = (0..options.connections).map(connect).collect::<Result<Vec<_>, _>>()?;
    while began.elapsed() < options.time {
        let group = totals.rounds;
        let history = round(options, &mut clients, group, &mut rng)?;
        check(Store::new(options.connections), &history)
            .map_err(|refusal| told(&history, &refusal.longest, options.seed, group))?;
        totals.rounds += 1;
        totals.operations += history.len() as u64;
        for operation in &history {
            match (&operation.input, &operation.output) {
                (Command::WaitPop(_) | Command::WaitMove(..), Reply::Nothing) => {
                    totals.given_up += 1;
                }
                (Command::Transaction(_), Reply::Nothing) => totals.transactions.1 += 1,
                (Command::Transaction(_), _) => totals.transactions.0 += 1,
                _ => {}
            }
        }
    }
    Ok(totals)
}

/// One round of all connections.
fn round(
    options: &Options,
    clients: &mut [Client],
    group: u64,
    rng: &mut Rng,
) -> Result<History, String> {
    for client in clients.iter_mut() {
        // What the round before has left watched is none of this one's keys.
        client.try_call(&["UNWATCH"]).map_err(|error| error.to_string())?;
    }
    let start = Barrier::new(clients.len());
    let began = Instant::now();
    let parts: Vec<Result<History, String>> = thread::scope(|scope| {
        let mut threads = Vec::new();
        for (connection, client) in clients.iter_mut().enumerate() {
            let (start, began, mut rng) = (&start, &began, rng.fork());
            threads.push(scope.spawn(move || {
                start.wait();
                let mut asks = Asks { connection, client, group, began };
                (0..options.operations).map(|number| asks.one(number, &mut rng)).collect()
            }));
        }
        threads.into_iter().map(|thread| thread.join().expect("a client's thread")).collect()
    });
    let mut history = History::new();
    for part in parts {
        history.extend(part?);
    }
    Ok(history)
}

/// One connection in a round.
struct Asks<'a> {
    connection: usize,
    client: &'a mut Client,
    group: u64,
    began: &'a Instant,
}

impl Asks<'_> {
    /// Its operation of a number.
    fn one(&mut self, number: usize, rng: &mut Rng) -> Result<Operation<Command, Reply>, String> {
        let connection = self.connection;
        // Values tell who wrote them and when, so that no two are the same.
        let input = random(rng, ((connection + 1) * 100_000 + number * 10) as i64);
        let invoked = self.began.elapsed().as_nanos() as u64;
        let output = ask(self.client, &input, self.group)
            .map_err(|error| format!("connection {connection}, {input:?}: {error}"))?;
        let returned = self.began.elapsed().as_nanos() as u64;
        Ok(Operation { connection, input, output, invoked, returned })
    }
}

fn random(rng: &mut Rng, value: i64) -> Command {
    match rng.u8(0..16) {
        0 => Command::WatchString(rng.usize(0..STRINGS)),
        1 => Command::WatchList(rng.usize(0..LISTS)),
        2..5 => {
            let count = rng.usize(1..4);
            let commands = (0..count).map(|at| simple(rng, value + at as i64));
            Command::Transaction(commands.collect())
        }
        _ => simple(rng, value),
    }
}

fn simple(rng: &mut Rng, value: i64) -> Command {
    let (string, list) = (rng.usize(0..STRINGS), rng.usize(0..LISTS));
    let other = rng.usize(0..LISTS);
    match rng.u8(0..15) {
        0 => Command::Get(string),
        1 => Command::Swap(string, value),
        2 => Command::Count,
        3 => Command::SetAll((0..STRINGS).map(|key| (key, value)).collect()),
        4 => Command::GetAll,
        5..8 => Command::Push(list, value),
        8 => Command::Pop(list),
        9 => Command::Range(list),
        10 => Command::Move(list, other),
        11 => Command::WaitMove(list, other),
        _ => Command::WaitPop(list),
    }
}

fn ask(client: &mut Client, input: &Command, group: u64) -> std::io::Result<Reply> {
    let mut bytes = Vec::new();
    let mut count = 1;
    if let Command::Transaction(commands) = input {
        encode_command(&mut bytes, &["MULTI"]);
        for command in commands {
            encode_command(&mut bytes, &command.words(group, WAIT));
        }
        count += 1 + commands.len();
    }
    encode_command(&mut bytes, &input.words(group, WAIT));
    client.send(&bytes)?;
    for _ in 1..count {
        client.receive()?;
    }
    Ok(reply_of(input, &client.receive()?))
}

/// A reply as the model gives it: the key that BLPOP names is the number of its list.
fn reply_of(input: &Command, value: &Value) -> Reply {
    match (input, value) {
        (Command::WaitPop(_), Value::Array(parts)) if parts.len() == 2 => {
            let Value::Bulk(key) = &parts[0] else { return Reply::Other(format!("{value:?}")) };
            let list = key.last().map_or(0, |digit| i64::from(*digit - b'0')) - STRINGS as i64;
            Reply::Several(vec![Reply::Number(list), Reply::from(&parts[1])])
        }
        (Command::Transaction(commands), Value::Array(parts)) if parts.len() == commands.len() => {
            Reply::Several(
                commands.iter().zip(parts).map(|(one, part)| reply_of(one, part)).collect(),
            )
        }
        _ => Reply::from(value),
    }
}

/// A refused history in the order of its beginnings, with what fits into an order marked.
fn told(history: &History, longest: &[usize], seed: u64, group: u64) -> String {
    let mut places: Vec<usize> = (0..history.len()).collect();
    places.sort_by_key(|place| history[*place].invoked);
    let mut text = format!(
        "no order of these operations gives these replies (seed {seed}, round {group}; numbers in \
         front: the longest order that was found; microseconds of asking and of the reply)\n"
    );
    for place in places {
        let Operation { connection, input, output, invoked, returned } = &history[place];
        let at = longest.iter().position(|one| *one == place);
        let at = at.map_or_else(String::new, |at| (at + 1).to_string());
        let (invoked, returned) = (invoked / 1000, returned / 1000);
        text +=
            &format!("{at:>4} c{connection} {invoked:>6}..{returned:<6} {input:?} -> {output:?}\n");
    }
    text
}
