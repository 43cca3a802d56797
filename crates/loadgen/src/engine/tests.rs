//! What a server receives of what is asked for.

use std::net::TcpListener;
use std::sync::Arc;

use super::*;

/// A server that counts complete commands and answers each; it hangs up after `limit` of them.
fn counter(limit: u64) -> (std::net::SocketAddr, Arc<AtomicU64>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let received = Arc::new(AtomicU64::new(0));
    let count = received.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, count) = (stream.unwrap(), count.clone());
            std::thread::spawn(move || {
                let (mut held, mut input) = (Vec::new(), [0; 4096]);
                while let Ok(size @ 1..) = stream.read(&mut input) {
                    held.extend_from_slice(&input[..size]);
                    while let Ok(Some((_, size))) = resp::decode(&held) {
                        held.drain(..size);
                        if count.fetch_add(1, Ordering::SeqCst) >= limit
                            || stream.write_all(b"+OK\r\n").is_err()
                        {
                            return;
                        }
                    }
                }
            });
        }
    });
    (address, received)
}

fn plans<'a>(
    address: std::net::SocketAddr,
    left: &'a AtomicU64,
    threads: usize,
    depth: usize,
) -> Vec<Plan<'a>> {
    let group = Group {
        connections: 3,
        request: Request::of_pattern("SET {k} x", depth),
        keys: Keys::Random(10),
    };
    let plan = Plan::new(address, vec![group], Instant::now(), End::Count(left));
    vec![plan; threads]
}

#[test]
fn a_server_receives_exactly_as_many_commands_as_were_asked_for() {
    for (threads, depth, count) in [(1, 1, 100), (1, 16, 1003), (2, 7, 500), (3, 5, 4)] {
        let (address, received) = counter(u64::MAX);
        let (left, halt) = (AtomicU64::new(count), AtomicBool::new(false));
        let plans = plans(address, &left, threads, depth);
        let outcome = crate::fleet::run_all(plans, &halt, |_| ()).unwrap();
        assert_eq!(outcome.seen[0].operations, count);
        assert_eq!(outcome.seen[0].latency.len(), count);
        assert_eq!(received.load(Ordering::SeqCst), count, "{threads} {depth}");
    }
}

#[test]
fn the_warm_up_is_not_counted() {
    // On a busy machine connecting alone may take longer than a short warm-up.
    for warm_up_ms in [30, 300, 3000, 30_000] {
        let (address, received) = counter(u64::MAX);
        let left = AtomicU64::new(50);
        let mut plan = plans(address, &left, 1, 4).remove(0);
        plan.start = Instant::now() + Duration::from_millis(warm_up_ms);
        let outcome = run(plan).unwrap();
        assert_eq!(outcome.seen[0].operations, 50);
        if received.load(Ordering::SeqCst) > 50 {
            return;
        }
    }
    panic!("nothing was sent before the window");
}

#[test]
fn every_batch_can_have_its_own_connection() {
    let (address, received) = counter(u64::MAX);
    let left = AtomicU64::new(50);
    let plan = plans(address, &left, 1, 4).remove(0);
    let outcome = run(Plan { reconnect: true, ..plan }).unwrap();
    assert_eq!((outcome.seen[0].operations, received.load(Ordering::SeqCst)), (50, 50));
}

#[test]
fn a_rate_is_kept() {
    let (address, received) = counter(u64::MAX);
    let left = AtomicU64::new(100);
    let plan = plans(address, &left, 1, 2).remove(0);
    let schedule = Some(Schedule::new(250.0, crate::schedule::Since::Due));
    let outcome = run(Plan { schedule, ..plan }).unwrap();
    assert_eq!(received.load(Ordering::SeqCst), 100);
    // The last of fifty batches is due after 49 intervals of 4 ms.
    assert!(outcome.elapsed >= Duration::from_millis(196), "{:?}", outcome.elapsed);
}

#[test]
fn a_server_that_hangs_up_ends_every_thread() {
    let (address, _) = counter(10);
    let (left, halt) = (AtomicU64::new(1_000_000), AtomicBool::new(false));
    let outcome = crate::fleet::run_all(plans(address, &left, 2, 1), &halt, |_| ());
    assert!(matches!(outcome, Err(Error::Closed)), "{outcome:?}");
}

#[test]
fn nobody_there_is_said_with_the_address() {
    // A port that is free now may be somebody's a moment later; nobody serves this one.
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], 1));
    let left = AtomicU64::new(1);
    let error = run(plans(address, &left, 1, 1).remove(0)).unwrap_err();
    let expected = format!("Could not connect to server at {address}: Connection refused");
    assert_eq!(error.to_string(), expected);
}
