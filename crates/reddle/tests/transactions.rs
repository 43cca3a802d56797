//! Transactions of many connections at once: what all of them together must keep.

use std::path::Path;
use std::thread;

use fastrand::Rng;
use testkit::{Client, Server, Value};

const CONNECTIONS: u64 = 8;
const ROUNDS: u32 = 300;
const ACCOUNTS: u64 = 10;
const BALANCE: i64 = 100;
const INCREMENTS: u32 = 150;

fn server(threads: &str) -> Server {
    Server::start_binary(Path::new(env!("CARGO_BIN_EXE_reddle")), &[("threads", threads)])
}

/// Runs `work` for each of several connections at once.
fn together<R: Send + 'static>(
    server: &Server,
    work: impl Fn(Client, Rng) -> R + Clone + Send + 'static,
) -> Vec<R> {
    let start = |number| {
        let (client, work) = (server.client(), work.clone());
        thread::spawn(move || work(client, Rng::with_seed(number)))
    };
    let running: Vec<_> = (0..CONNECTIONS).map(start).collect();
    running.into_iter().map(|one| one.join().expect("a connection's checks hold")).collect()
}

fn integer(value: &Value) -> i64 {
    let number = match value {
        Value::Int(number) => Some(*number),
        Value::Bulk(text) => std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()),
        _ => None,
    };
    number.unwrap_or_else(|| panic!("a number was expected: {value:?}"))
}

fn elements(value: Value) -> Vec<Value> {
    match value {
        Value::Array(elements) => elements,
        other => panic!("an array was expected: {other:?}"),
    }
}

/// Moves money between accounts; now and then another command asks for everything to be held.
fn transfer(client: &mut Client, rng: &mut Rng) {
    let amount = rng.i64(1..20);
    let (from, to) = (rng.u64(0..ACCOUNTS), rng.u64(0..ACCOUNTS));
    client.run("MULTI");
    client.run(&format!("DECRBY account:{from} {amount}"));
    if rng.u8(..) < 16 {
        client.run("DBSIZE");
    }
    client.run(&format!("INCRBY account:{to} {amount}"));
    elements(client.run("EXEC"));
}

/// Reads all accounts, in one of the ways that see one moment.
fn audit(client: &mut Client, rng: &mut Rng) {
    let names: Vec<String> = (0..ACCOUNTS).map(|at| format!("account:{at}")).collect();
    let balances = if rng.bool() {
        elements(client.run(&format!("MGET {}", names.join(" "))))
    } else {
        client.run("MULTI");
        for name in &names {
            client.run(&format!("GET {name}"));
        }
        elements(client.run("EXEC"))
    };
    let sum: i64 = balances.iter().map(integer).sum();
    assert_eq!(sum, ACCOUNTS as i64 * BALANCE);
}

fn sum_is_kept(threads: &str) {
    let server = server(threads);
    let mut client = server.client();
    for at in 0..ACCOUNTS {
        client.run(&format!("SET account:{at} {BALANCE}"));
    }
    together(&server, |mut client, mut rng| {
        for _ in 0..ROUNDS {
            if rng.u8(..) < 64 {
                audit(&mut client, &mut rng);
            } else {
                transfer(&mut client, &mut rng);
            }
        }
    });
    audit(&mut client, &mut Rng::with_seed(0));
}

#[test]
fn money_is_neither_made_nor_lost_with_one_worker() {
    sum_is_kept("1");
}

#[test]
fn money_is_neither_made_nor_lost_with_four_workers() {
    sum_is_kept("4");
}

/// Adds one to a counter that it has read before; says whether nobody else did meanwhile.
fn compare_and_set(client: &mut Client, rng: &mut Rng) -> bool {
    let counter = rng.u8(0..2);
    client.run(&format!("WATCH counter:{counter}"));
    let value = match client.run(&format!("GET counter:{counter}")) {
        Value::Null => 0,
        value => integer(&value),
    };
    let replies = client.pipeline(&[
        &["MULTI"],
        &["SET", &format!("counter:{counter}"), &(value + 1).to_string()],
        &["EXEC"],
    ]);
    matches!(&replies[2], Value::Array(done) if done.len() == 1)
}

fn increments_add_up(threads: &str) {
    let server = server(threads);
    let done = together(&server, |mut client, mut rng| {
        let mut done = 0;
        while done < INCREMENTS {
            done += u32::from(compare_and_set(&mut client, &mut rng));
        }
        done
    });
    let mut client = server.client();
    let counters = elements(client.run("MGET counter:0 counter:1"));
    let sum: i64 = counters.iter().map(integer).sum();
    assert_eq!(sum, i64::from(done.iter().sum::<u32>()));
}

#[test]
fn watched_increments_add_up_with_one_worker() {
    increments_add_up("1");
}

#[test]
fn watched_increments_add_up_with_four_workers() {
    increments_add_up("4");
}

/// A key that is made and expires again and again while others watch it: whoever has seen it may
/// only go on as long as it is there.
#[test]
fn what_expires_between_watch_and_exec_is_never_missed() {
    let server = server("4");
    together(&server, |mut client, mut rng| {
        for _ in 0..ROUNDS / 3 {
            if rng.bool() {
                client.run(&format!("SET lease mine NX PX {}", rng.u8(1..4)));
            }
            client.run("WATCH lease");
            if client.run("EXISTS lease") == Value::Int(0) {
                client.run("UNWATCH");
                continue;
            }
            client.run("MULTI");
            client.run("EXISTS lease");
            if let Value::Array(seen) = client.run("EXEC") {
                assert_eq!(seen, [Value::Int(1)]);
            }
        }
    });
}

#[test]
fn a_connection_that_ends_watches_nothing() {
    let server = server("2");
    let mut client = server.client();
    for _ in 0..4 {
        let mut other = server.client();
        other.run("WATCH a b c");
    }
    let watched = |client: &mut Client| match client.run("INFO clients") {
        Value::Bulk(text) => String::from_utf8_lossy(&text).contains("total_watched_keys:0"),
        _ => false,
    };
    while !watched(&mut client) {
        thread::yield_now();
    }
}

#[test]
fn arguments_of_any_size_are_kept_for_exec() {
    let server = server("2");
    let mut client = server.client();
    let (big, small) = ("b".repeat(100_000), "s".repeat(1000));
    let replies = client.pipeline(&[
        &["MULTI"],
        &["SET", "big", &big],
        &["SET", "small", &small],
        &["APPEND", "big", &small],
        &["GET", "big"],
        &["EXEC"],
    ]);
    let done = elements(replies.into_iter().next_back().expect("EXEC has a reply"));
    assert_eq!(done[2], Value::Int(101_000));
    assert_eq!(done[3], Value::Bulk(format!("{big}{small}").into_bytes()));
}

/// A connection that keeps queueing is closed when the queue is over the query buffer's limit.
#[test]
fn a_queue_counts_as_a_part_of_the_query_buffer() {
    let server = server("1");
    let mut client = server.client();
    client.run("CONFIG SET client-query-buffer-limit 1mb");
    let mut other = server.client();
    other.run("MULTI");
    let value = "v".repeat(100_000);
    let sent = (0..20).take_while(|_| other.try_call(&["SET", "key", &value]).is_ok()).count();
    assert!((9..12).contains(&sent), "{sent} commands were queued");
}
