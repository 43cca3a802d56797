//! Messages between many connections on several workers: none is lost, none comes twice, and all
//! subscribers see one order.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use fastrand::Rng;
use testkit::{Client, Server, Value};

const SUBSCRIBERS: usize = 8;
const PUBLISHERS: usize = 4;
const MESSAGES: usize = 400;

fn server(options: &[(&str, &str)]) -> Server {
    Server::start_binary(Path::new(env!("CARGO_BIN_EXE_reddle")), options)
}

fn texts(value: Value) -> Vec<String> {
    let (Value::Array(parts) | Value::Push(parts)) = value else {
        panic!("a message was expected: {value:?}")
    };
    let text = |part: &Value| match part {
        Value::Bulk(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        other => format!("{other:?}"),
    };
    parts.iter().map(text).collect()
}

fn message(client: &mut Client) -> Vec<String> {
    texts(client.receive().expect("a message comes"))
}

fn one_order(threads: &str) {
    let server = server(&[("threads", threads)]);
    let mut readers: Vec<Client> = (0..SUBSCRIBERS).map(|_| server.client()).collect();
    for (at, reader) in readers.iter_mut().enumerate() {
        match at % 3 {
            0 => reader.run("SUBSCRIBE a b"),
            1 => reader.run("PSUBSCRIBE [ab]"),
            _ => reader.run("PSUBSCRIBE a ?"),
        };
        if at % 3 != 1 {
            message(reader);
        }
    }
    let publishers: Vec<_> = (0..PUBLISHERS)
        .map(|number| {
            let mut client = server.client();
            thread::spawn(move || {
                for at in 0..MESSAGES {
                    let channel = if (number + at) % 3 == 0 { "a" } else { "b" };
                    client.run(&format!("PUBLISH {channel} {number}:{at}"));
                }
            })
        })
        .collect();
    let mut orders: Vec<Vec<String>> = Vec::new();
    for (at, reader) in readers.iter_mut().enumerate() {
        let mut order = Vec::new();
        while order.len() < PUBLISHERS * MESSAGES {
            let parts = message(reader);
            let [.., channel, payload] = parts.as_slice() else { panic!("{parts:?}") };
            // Who has two patterns gets the messages of `a` twice, by one and then by the other.
            if at % 3 == 2 && channel == "a" && parts[1] == "?" {
                continue;
            }
            order.push(payload.clone());
        }
        orders.push(order);
    }
    for publisher in publishers {
        publisher.join().expect("a publisher ends well");
    }
    assert!(orders.windows(2).all(|pair| pair[0] == pair[1]), "the orders differ");
    for number in 0..PUBLISHERS {
        let own = orders[0].iter().filter(|payload| payload.starts_with(&format!("{number}:")));
        assert!(own.zip(0..).all(|(payload, at)| *payload == format!("{number}:{at}")));
    }
}

#[test]
fn all_subscribers_see_one_order_with_one_worker() {
    one_order("1");
}

#[test]
fn all_subscribers_see_one_order_with_four_workers() {
    one_order("4");
}

/// Subscribes and unsubscribes all the time; counts the messages that come until the last
/// confirmation.
fn flicker(mut client: Client, mut rng: Rng) -> u64 {
    let mut got = 0;
    let kinds = [("SUBSCRIBE", "a"), ("PSUBSCRIBE", "a*"), ("SSUBSCRIBE", "a")];
    for _ in 0..MESSAGES / 4 {
        let (word, name) = kinds[rng.usize(..kinds.len())];
        for (command, end) in [(word.to_owned(), "subscribe"), (undo(word), "unsubscribe")] {
            client.send(format!("{command} {name}\r\n").as_bytes()).expect("it is sent");
            while !message(&mut client)[0].ends_with(end) {
                got += 1;
            }
        }
    }
    got
}

fn undo(word: &str) -> String {
    match word.strip_suffix("SUBSCRIBE") {
        Some(kind) => format!("{kind}UNSUBSCRIBE"),
        None => word.to_owned(),
    }
}

/// Whoever is told that so many got a message can rely on it, also while they come and go.
#[test]
fn every_receiver_that_was_counted_got_its_message() {
    let server = server(&[("threads", "4")]);
    let is_over = Arc::new(AtomicU64::new(0));
    let publishers: Vec<_> = (0..PUBLISHERS)
        .map(|number| {
            let (mut client, is_over) = (server.client(), Arc::clone(&is_over));
            thread::spawn(move || {
                let mut sent = 0;
                while is_over.load(Ordering::Relaxed) == 0 {
                    let word = if number % 2 == 0 { "PUBLISH" } else { "SPUBLISH" };
                    let Value::Int(count) = client.run(&format!("{word} a x")) else {
                        panic!("{word} answers with a number")
                    };
                    sent += count as u64;
                }
                sent
            })
        })
        .collect();
    let readers: Vec<_> = (0..SUBSCRIBERS)
        .map(|number| {
            let client = server.client();
            thread::spawn(move || flicker(client, Rng::with_seed(number as u64)))
        })
        .collect();
    let got: u64 = readers.into_iter().map(|one| one.join().expect("a reader ends well")).sum();
    is_over.store(1, Ordering::Relaxed);
    let sent: u64 = publishers.into_iter().map(|one| one.join().expect("it ends well")).sum();
    assert_eq!(got, sent);
}

/// A subscriber that also sends commands sees messages and replies in the order in which they came
/// to be.
#[test]
fn messages_to_oneself_stand_behind_the_reply() {
    let server = server(&[("threads", "4")]);
    let mut client = server.client();
    client.run("HELLO 3");
    client.run("SUBSCRIBE me");
    let mut requests = String::new();
    for at in 0..MESSAGES {
        requests.push_str(&format!("PUBLISH me {at}\r\nECHO {at}\r\n"));
    }
    client.send(requests.as_bytes()).expect("it is sent");
    for at in 0..MESSAGES {
        assert_eq!(client.receive().expect("a reply comes"), Value::Int(1));
        assert_eq!(message(&mut client), ["message", "me", &at.to_string()]);
        assert_eq!(client.receive().expect("a reply comes"), Value::Bulk(at.to_string().into()));
    }
}

/// Messages that are published together reach a subscriber whole and in order, whether it takes one
/// channel or several, in either protocol, and also when its socket takes only a part of them.
#[test]
fn messages_in_a_row_are_whole_for_who_reads_late() {
    let server = server(&[("threads", "1"), ("client-output-buffer-limit", "pubsub 0 0 0")]);
    let scenes = ["SUBSCRIBE a", "SUBSCRIBE a b", "SUBSCRIBE b", "PSUBSCRIBE c*"];
    let mut readers: Vec<(Client, usize)> = Vec::new();
    for (at, scene) in scenes.iter().chain(&scenes[..2]).enumerate() {
        let mut client = server.client();
        client.set_reply_limit(Duration::from_secs(60));
        if at >= scenes.len() {
            client.run("HELLO 3");
        }
        client.run(scene);
        if scene.ends_with("a b") {
            message(&mut client);
        }
        readers.push((client, at % scenes.len()));
    }
    let mut publisher = server.client();
    publisher.set_reply_limit(Duration::from_secs(60));
    let channel = |at: usize| if at % 7 < 5 { "a" } else { "b" };
    let payload = |at: usize| format!("{at}:{}", "x".repeat(1_500 + at % 997));
    let count = 8_000;
    for batch in (0..count).collect::<Vec<_>>().chunks(20) {
        let bodies: Vec<String> = batch.iter().map(|at| payload(*at)).collect();
        let requests: Vec<[&str; 3]> =
            batch.iter().zip(&bodies).map(|(at, body)| ["PUBLISH", channel(*at), body]).collect();
        publisher.pipeline(&requests.iter().map(<[_; 3]>::as_slice).collect::<Vec<_>>());
    }
    for (reader, scene) in &mut readers {
        let wanted: &[&str] = [&["a"][..], &["a", "b"], &["b"], &[]][*scene];
        for at in (0..count).filter(|at| wanted.contains(&channel(*at))) {
            assert_eq!(message(reader), ["message", channel(at), &payload(at)], "scene {scene}");
        }
        assert!(!reader.has_unread());
    }
}

/// A subscriber that does not read is closed at its limit, and costs nobody else anything.
#[test]
fn a_slow_subscriber_is_closed() {
    let limit = [("threads", "2"), ("client-output-buffer-limit", "pubsub 1mb 0 0")];
    let server = server(&limit);
    let (mut slow, mut quick, mut publisher) = (server.client(), server.client(), server.client());
    slow.run("SUBSCRIBE news");
    quick.run("SUBSCRIBE news");
    let payload = "x".repeat(100_000);
    let mut last = 2;
    for _ in 0..500 {
        if last < 2 {
            break;
        }
        let Value::Int(count) = publisher.call(&["PUBLISH", "news", &payload]) else {
            panic!("PUBLISH answers with a number")
        };
        last = count;
        assert_eq!(message(&mut quick)[2].len(), payload.len());
    }
    assert_eq!(last, 1, "the slow one should have been closed");
    let Value::Bulk(info) = publisher.run("INFO stats") else { panic!("INFO answers with text") };
    let info = String::from_utf8_lossy(&info).into_owned();
    assert!(info.contains("client_output_buffer_limit_disconnections:1\r\n"), "{info}");
}

/// Publishers that are faster than delivery wait, and nothing is lost.
#[test]
fn publishers_wait_for_messages_that_pile_up() {
    let limit = [("threads", "2"), ("client-output-buffer-limit", "pubsub 0 0 0")];
    let server = server(&limit);
    let mut readers: Vec<Client> = (0..4).map(|_| server.client()).collect();
    for reader in &mut readers {
        reader.set_reply_limit(Duration::from_secs(60));
        reader.run("SUBSCRIBE flood");
    }
    let rounds = 300;
    let publishers: Vec<_> = (0..2)
        .map(|_| {
            let mut client = server.client();
            client.set_reply_limit(Duration::from_secs(60));
            thread::spawn(move || {
                let payload = "x".repeat(60_000);
                let one = ["PUBLISH", "flood", &payload];
                let request: Vec<&[&str]> = vec![&one; 30];
                for _ in 0..rounds / 30 {
                    client.pipeline(&request);
                }
            })
        })
        .collect();
    let readers: Vec<_> = readers
        .into_iter()
        .map(|mut reader| {
            thread::spawn(move || {
                for _ in 0..rounds * 2 {
                    assert_eq!(message(&mut reader)[2].len(), 60_000);
                }
            })
        })
        .collect();
    for player in publishers.into_iter().chain(readers) {
        player.join().expect("everybody ends well");
    }
}

#[test]
fn a_connection_that_ends_subscribes_to_nothing() {
    let server = server(&[("threads", "2")]);
    let mut client = server.client();
    for _ in 0..4 {
        let mut other = server.client();
        other.run("SUBSCRIBE a");
        other.run("PSUBSCRIBE a*");
    }
    while client.run("PUBLISH a x") != Value::Int(0) {
        thread::yield_now();
    }
    assert_eq!(client.run("PUBSUB NUMPAT"), Value::Int(0));
}

fn line(client: &mut Client) -> String {
    match client.receive().expect("a line comes") {
        Value::Simple(text) => String::from_utf8_lossy(&text).into_owned(),
        other => panic!("a line was expected: {other:?}"),
    }
}

/// What stands behind the time and the client of a monitor's line.
fn shown(client: &mut Client) -> String {
    let line = line(client);
    line.split_once("] ").map_or(line.clone(), |(_, command)| command.to_owned())
}

#[test]
fn a_monitor_sees_what_runs_with_secrets_left_out() {
    let server = server(&[("threads", "4")]);
    let (mut monitor, mut other) = (server.client(), server.client());
    monitor.run("MONITOR");
    for command in [
        "SET key \"a \\x00\\n\\\"\"",
        "NOSUCH",
        "GET",
        "CONFIG GET port",
        "AUTH user password",
        "MULTI",
        "INCR n",
        "EXEC",
        "SELECT 3",
    ] {
        other.send(format!("{command}\r\n").as_bytes()).expect("it is sent");
        other.receive().expect("a reply comes");
    }
    assert_eq!(shown(&mut monitor), r#""SET" "key" "a \x00\n\"""#);
    assert_eq!(shown(&mut monitor), r#""AUTH" "(redacted)" "(redacted)""#);
    for expected in [r#""MULTI""#, r#""INCR" "n""#, r#""EXEC""#] {
        assert_eq!(shown(&mut monitor), expected);
    }
    let last = line(&mut monitor);
    assert!(last.contains(" [3 127.0.0.1:") && last.ends_with(r#"] "SELECT" "3""#), "{last}");
    assert_eq!(
        monitor.run("GET key"),
        Value::Error(b"ERR Replica can't interact with the keyspace".to_vec()),
    );
    assert_eq!(monitor.run("RESET"), Value::Simple(b"RESET".to_vec()));
    other.run("SET key 2");
    assert_eq!(monitor.run("GET missing"), Value::Null);
}

#[test]
fn a_monitor_sees_the_commands_of_a_key_in_their_order() {
    let server = server(&[("threads", "4")]);
    let mut monitor = server.client();
    monitor.run("MONITOR");
    let writers: Vec<_> = (0..PUBLISHERS)
        .map(|number| {
            let mut client = server.client();
            thread::spawn(move || {
                for at in 0..MESSAGES {
                    client.run(&format!("SET key {number}:{at}"));
                }
            })
        })
        .collect();
    let lines: Vec<String> = (0..PUBLISHERS * MESSAGES).map(|_| shown(&mut monitor)).collect();
    for writer in writers {
        writer.join().expect("a writer ends well");
    }
    let Value::Bulk(value) = server.client().run("GET key") else { panic!("the key is there") };
    let last = String::from_utf8_lossy(&value).into_owned();
    assert_eq!(lines.last(), Some(&format!(r#""SET" "key" "{last}""#)));
}

#[test]
fn a_monitor_sees_a_command_that_waits_once() {
    let server = server(&[("threads", "4")]);
    let (mut monitor, mut waiter, mut other) = (server.client(), server.client(), server.client());
    monitor.run("MONITOR");
    waiter.send(b"BLPOP list 0\r\n").expect("it is sent");
    assert_eq!(shown(&mut monitor), r#""BLPOP" "list" "0""#);
    other.run("LPUSH list 1");
    waiter.receive().expect("it is served");
    other.run("LPUSH list 2");
    assert_eq!(shown(&mut monitor), r#""LPUSH" "list" "1""#);
    assert_eq!(shown(&mut monitor), r#""LPUSH" "list" "2""#);
}
