//! Both clients against a running server: what they run, receive, keep and restore.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

use std::collections::HashMap;
use std::time::Duration;

use client::{
    Address, Client, Command, Config, Error, Fate, Proto, Push, Script, Transaction, Value, cmd,
};
use testkit::Server;

const SOON: Option<Duration> = Some(Duration::from_secs(10));

fn config(server: &Server, protocol: Proto) -> Config {
    Config { protocol, ..Config::new(Address::tcp("127.0.0.1", server.port())) }
}

fn both(test: impl Fn(&Server, Config)) {
    let server = Server::start(&[]);
    for protocol in [Proto::Resp2, Proto::Resp3] {
        server.client().run("FLUSHALL");
        test(&server, config(&server, protocol));
    }
}

#[test]
fn typed_commands_read_alike_in_both_protocols() {
    both(|_, config| {
        let mut client = Client::with(config).unwrap();
        client.run(cmd::set("k", "v")).unwrap();
        assert_eq!(client.run(cmd::get("k")).unwrap(), Some(b"v".to_vec()));
        assert_eq!(client.run(cmd::get("none")).unwrap(), None);
        assert!(!client.run(cmd::set_nx("k", "w")).unwrap());
        assert_eq!(client.run(cmd::incrbyfloat("f", 1.5)).unwrap(), 1.5);
        assert!(client.run(cmd::hset("h", "a", "1")).unwrap());
        let map: HashMap<String, i64> = client.run(cmd::hgetall("h").reading()).unwrap();
        assert_eq!(map, HashMap::from([("a".to_owned(), 1)]));
        client.run(cmd::zadd("z", 2.5, "m")).unwrap();
        assert_eq!(client.run(cmd::zscore("z", "m")).unwrap(), Some(2.5));
        let scores = client.run(cmd::zrange_withscores("z", 0, -1)).unwrap();
        assert_eq!(scores, HashMap::from([(b"m".to_vec(), 2.5)]));
        let some = client.run(cmd::mget(["k", "none"])).unwrap();
        assert_eq!(some, [Some(b"v".to_vec()), None]);
        let error = client.run(cmd::lpop("k")).unwrap_err();
        assert_eq!((error.server().unwrap().code(), error.fate()), ("WRONGTYPE", Fate::Ran));
        let raw = client.run(Command::new("ECHO").arg("x")).unwrap();
        assert_eq!(raw, Value::Bulk(b"x".to_vec()));
        let (cursor, keys) = client.run(cmd::scan(0, "*", 1000)).unwrap();
        assert_eq!((cursor, keys.len()), (0, 4));
    });
}

#[test]
fn pipelines_have_a_result_for_each_part() {
    both(|_, config| {
        let mut client = Client::with(config).unwrap();
        let (set, wrong, get) =
            client.run((cmd::set("k", "v"), cmd::incr("k"), cmd::get("k").reading::<String>()));
        set.unwrap();
        assert!(wrong.is_err());
        assert_eq!(get.unwrap(), "v");
        let many = client.run((0..5000).map(|_| cmd::incr("n")).collect::<Vec<_>>());
        let many: Vec<i64> = many.into_iter().map(Result::unwrap).collect();
        assert_eq!(many, (1..=5000).collect::<Vec<i64>>());
    });
}

#[test]
fn transactions_and_watched_keys() {
    both(|server, config| {
        let mut client = Client::with(config).unwrap();
        let pair = Transaction((cmd::incr("a"), cmd::lpush("a", ["x"]), cmd::incr("a")));
        let (one, wrong, two) = client.run(pair).unwrap().unwrap();
        assert_eq!((one.unwrap(), wrong.is_err(), two.unwrap()), (1, true, 2));
        let refused = client.run(Transaction((Command::new("NOSUCH"),))).unwrap_err();
        assert!(refused.to_string().contains("unknown command"), "{refused}");
        let tries = std::cell::Cell::new(0);
        let done = client.transaction(&["a"], |client| {
            tries.set(tries.get() + 1);
            let a: i64 = client.run(cmd::get("a").reading())?;
            if tries.get() == 1 {
                server.client().run("SET a 10");
            }
            Ok((cmd::set("a", a * 2),))
        });
        done.unwrap().0.unwrap();
        assert_eq!((tries.get(), client.run(cmd::get("a").reading::<i64>()).unwrap()), (2, 20));
    });
}

#[test]
fn scripts_go_by_digest() {
    both(|server, config| {
        server.client().run("SCRIPT FLUSH");
        let mut client = Client::with(config).unwrap();
        let script = Script::new("return redis.call('INCRBY', KEYS[1], ARGV[1])");
        for sum in [5, 10] {
            assert_eq!(client.run(script.call::<i64>(&["n"], &[&5])).unwrap(), sum);
        }
        let parts = client.run(Transaction((script.call::<i64>(&["n"], &[&5]),))).unwrap();
        assert_eq!(parts.unwrap().0.unwrap(), 15);
    });
}

#[test]
fn messages_come_and_subscriptions_survive_the_connection() {
    both(|server, config| {
        let mut client = Client::with(Config { name: Some("me".into()), ..config }).unwrap();
        let mut other = server.client();
        client.run((cmd::subscribe(["a", "b"]), cmd::psubscribe(["p*"]))).0.unwrap();
        other.run("PUBLISH a 1");
        other.run("PUBLISH px 2");
        let message = client.next_message(SOON).unwrap().unwrap();
        assert_eq!((&message.channel[..], &message.payload[..]), (&b"a"[..], &b"1"[..]));
        let message = client.next_message(SOON).unwrap().unwrap();
        assert_eq!(message.pattern.as_deref(), Some(&b"p*"[..]));
        other.run("CLIENT KILL TYPE pubsub");
        assert_eq!(client.next_push(SOON).unwrap(), Some(Push::Gap));
        let Value::Bulk(list) = other.run("CLIENT LIST TYPE pubsub") else { panic!("text") };
        assert!(String::from_utf8(list).unwrap().contains("name=me"));
        other.run("PUBLISH b 3");
        assert_eq!(client.next_message(SOON).unwrap().unwrap().payload, b"3");
        assert_eq!(client.next_message(Some(Duration::from_millis(20))).unwrap(), None);
        client.run(cmd::unsubscribe::<&str>([])).unwrap();
    });
}

#[test]
fn the_cache_follows_changes() {
    let server = Server::start(&[]);
    let mut client = Client::with(config(&server, Proto::Resp3).with_cache(100)).unwrap();
    let mut other = server.client();
    other.run("SET k 0");
    for round in 1..20 {
        let read =
            |client: &mut Client| client.run(cmd::get("k").reading::<i64>().cached()).unwrap();
        assert_eq!((read(&mut client), read(&mut client)), (round - 1, round - 1));
        other.run(&format!("SET k {round}"));
        // An own command comes back behind the invalidation.
        client.run(cmd::ping()).unwrap();
    }
    assert_eq!(client.cache_hits_misses(), (19, 19));
}

#[test]
fn a_broken_connection_is_made_anew_with_all_that_it_had() {
    both(|server, config| {
        let mut client = Client::with(config).unwrap();
        client.run(Command::new("SELECT").arg(3)).unwrap();
        client.run(Command::new("CLIENT").args(["SETNAME", "again"])).unwrap();
        server.client().run("CLIENT KILL TYPE normal SKIPME yes");
        std::thread::sleep(Duration::from_millis(20));
        // The client sees that the server closed before it sends, so that this cannot be lost.
        assert_eq!(client.run(cmd::incr("n")).unwrap(), 1);
        let info = client.run(Command::new("CLIENT").arg("INFO")).unwrap();
        let (Value::Bulk(info) | Value::Verbatim { data: info, .. }) = info else { panic!("text") };
        let info = String::from_utf8(info).unwrap();
        assert!(info.contains("name=again") && info.contains("db=3"), "{info}");
    });
}

#[test]
fn a_timeout_is_told_and_takes_nothing_later() {
    both(|server, config| {
        let limit = Duration::from_millis(50);
        let mut client = Client::with(Config { response_timeout: Some(limit), ..config }).unwrap();
        let error = client.run(cmd::blpop(["l"], 0.0)).unwrap_err();
        assert!(matches!(error, Error::Timeout { fate: Fate::MayHaveRun }), "{error}");
        server.client().run("RPUSH l x");
        assert_eq!(client.run(cmd::llen("l")).unwrap(), 1);
    });
}

#[test]
fn no_server_a_wrong_password_and_garbage() {
    let short = |mut config: Config| {
        config.reconnect_for = Duration::from_millis(50);
        Client::with(config).unwrap_err()
    };
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = nobody.local_addr().unwrap().port();
    drop(nobody);
    let error = short(Config::new(Address::tcp("127.0.0.1", port)));
    assert!(matches!(&error, Error::Connect(_)) && error.fate() == Fate::DidNotRun, "{error}");
    let server = Server::start(&[("requirepass", "pw")]);
    let address = format!("redis://:no@127.0.0.1:{}", server.port());
    let error = Client::open(&address).unwrap_err();
    assert_eq!(error.server().map(|error| error.code()), Some("WRONGPASS"));
    let address = format!("redis://:pw@127.0.0.1:{}/1", server.port());
    Client::open(&address).unwrap().run(cmd::ping()).unwrap();
    let liar = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = liar.local_addr().unwrap().port();
    let lie = std::thread::spawn(move || {
        use std::io::Write;
        liar.accept().unwrap().0.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
    });
    let error = short(Config::new(Address::tcp("127.0.0.1", port)));
    lie.join().unwrap();
    assert!(matches!(error, Error::Connect(_)), "{error}");
}

#[cfg(feature = "tokio")]
mod asynchronous {
    use super::*;
    use client::AsyncClient;

    fn run<F: Future>(future: F) -> F::Output {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime.enable_all().build().unwrap().block_on(future)
    }

    #[test]
    fn many_tasks_share_a_connection() {
        both(|_, config| {
            run(async {
                let client = AsyncClient::with(config).await.unwrap();
                let tasks: Vec<_> = (0..100)
                    .map(|_| {
                        let client = client.clone();
                        tokio::spawn(async move {
                            let (one, two) = client.run((cmd::incr("n"), cmd::incr("n"))).await;
                            (one.unwrap(), two.unwrap())
                        })
                    })
                    .collect();
                let mut seen = Vec::new();
                for task in tasks {
                    let (one, two) = task.await.unwrap();
                    assert_eq!(two, one + 1);
                    seen.extend([one, two]);
                }
                seen.sort_unstable();
                assert_eq!(seen, (1..=200).collect::<Vec<i64>>());
                let script = Script::new("return ARGV[1]");
                let echoed = client.run(script.call::<String>(&[], &[&"x"])).await;
                assert_eq!(echoed.unwrap(), "x");
            });
        });
    }

    #[test]
    fn messages_and_a_new_connection() {
        both(|server, config| {
            run(async {
                let client = AsyncClient::with(config).await.unwrap();
                let mut messages = client.messages();
                client.run(cmd::subscribe(["a"])).await.unwrap();
                server.client().run("PUBLISH a 1");
                assert_eq!(messages.next_message().await.unwrap().payload, b"1");
                server.client().run("CLIENT KILL TYPE pubsub");
                assert_eq!(messages.next_push().await, Some(Push::Gap));
                server.client().run("PUBLISH a 2");
                assert_eq!(messages.next_message().await.unwrap().payload, b"2");
            });
        });
    }

    #[test]
    fn a_timeout_is_told() {
        both(|_, config| {
            run(async {
                let limit = Some(Duration::from_millis(50));
                let client =
                    AsyncClient::with(Config { response_timeout: limit, ..config }).await.unwrap();
                let error = client.run(cmd::blpop(["l"], 0.2)).await.unwrap_err();
                assert!(matches!(error, Error::Timeout { fate: Fate::MayHaveRun }), "{error}");
                tokio::time::sleep(Duration::from_millis(300)).await;
                assert_eq!(client.run(cmd::incr("n")).await.unwrap(), 1);
            });
        });
    }
}
