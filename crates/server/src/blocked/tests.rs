//! The queues against a plain list of those who wait, under random comings and goings.

use std::collections::BTreeSet;

use fastrand::Rng;

use super::*;

const SHARDS: u32 = 16;
const STEPS: usize = 4_000;

fn shard_of(key: &[u8]) -> u32 {
    u32::from(key[0]) % SHARDS
}

fn key(rng: &mut Rng) -> Box<[u8]> {
    Box::new([rng.u8(0..20), rng.u8(0..2)])
}

fn waiter(rng: &mut Rng, ticket: u64) -> Arc<Waiter> {
    let keys: Vec<Box<[u8]>> = (0..rng.usize(1..4)).map(|_| key(rng)).collect();
    let mut shards: ShardSet = keys.iter().map(|key| shard_of(key)).collect();
    if rng.u8(0..3) == 0 {
        shards.push(rng.u32(0..SHARDS));
    }
    shards.sort_unstable();
    shards.dedup();
    Arc::new(Waiter {
        ticket,
        client: Arc::default(),
        row: 0,
        db: rng.u32(0..2),
        state: State::default(),
        proto: Proto::Resp2,
        argv: Vec::new(),
        keys,
        kind: *rng.choice(&[Kind::List, Kind::Zset, Kind::Stream]).expect("some kinds"),
        on_loss: rng.bool(),
        is_timed: rng.bool(),
        shards,
        until: rng.bool().then(Instant::now),
        lapse: Lapse::Nothing,
        again_ms: AtomicI64::new(0),
        spent_ns: AtomicU64::new(0),
        stage: Mutex::new(Stage::Waiting),
    })
}

fn check_counts(blocked: &Blocked, wants: &AtomicU8, all: &[Arc<Waiter>]) {
    let with_timeout = all.iter().filter(|waiter| waiter.until.is_some()).count() as u64;
    assert_eq!(blocked.clients(), ClientCounts { waiting: all.len() as u64, with_timeout });
    let names = |of: &dyn Fn(&Waiter) -> bool| {
        let waiters = all.iter().filter(|waiter| of(waiter));
        let names = waiters.flat_map(|waiter| waiter.keys.iter().map(|key| (waiter.db, &**key)));
        names.collect::<BTreeSet<_>>().len() as u64
    };
    let counts = KeyCounts { keys: names(&|_| true), on_loss: names(&|waiter| waiter.on_loss) };
    assert_eq!(blocked.keys(), counts);
    let is_wanted = Wants(wants.load(Ordering::Relaxed)).any(Wants::WAITERS);
    assert_eq!(is_wanted, !all.is_empty());
}

fn check_next(blocked: &Blocked, rng: &mut Rng, all: &[Arc<Waiter>], behind: u64) {
    let (db, key) = (rng.u32(0..2), key(rng));
    let kinds = [None, Some(Kind::List), Some(Kind::Stream), Some(Kind::String)];
    let kind = *rng.choice(&kinds).expect("some kinds");
    let timed = rng.bool();
    let is_due = |waiter: &&Arc<Waiter>| {
        let waits = waiter.db == db && waiter.keys.contains(&key) && waiter.ticket > behind;
        waits && (waiter.on_loss || kind == Some(waiter.kind)) && (waiter.is_timed || !timed)
    };
    let wanted = all.iter().filter(is_due).map(|waiter| waiter.ticket).min();
    let sought = Sought { db, key: &key, kind, timed };
    let got = blocked.next(shard_of(&key), behind, &sought).map(|waiter| waiter.ticket);
    assert_eq!(got, wanted);
    let waits = |waiter: &Arc<Waiter>| waiter.db == db && waiter.keys.contains(&key);
    assert_eq!(blocked.is_awaited(shard_of(&key), db, &key), all.iter().any(waits));
}

fn check_cover(blocked: &Blocked, rng: &mut Rng, all: &[Arc<Waiter>]) {
    let first = rng.u32(0..SHARDS);
    let mut wanted = BTreeSet::from([first]);
    loop {
        let before = wanted.len();
        for waiter in all {
            if waiter.shards.iter().any(|shard| wanted.contains(shard)) {
                wanted.extend(waiter.shards.iter().copied());
            }
        }
        if wanted.len() == before {
            break;
        }
    }
    let mut got = ShardSet::from_slice(&[first]);
    assert!(blocked.cover(&mut got), "there are no more than can be taken");
    got.sort_unstable();
    assert_eq!(got.to_vec(), Vec::from_iter(wanted));
}

#[test]
fn queues_know_who_waits_and_in_what_order() {
    for seed in 0..8 {
        let mut rng = Rng::with_seed(seed);
        let (blocked, wants) = (Blocked::new(SHARDS as usize), AtomicU8::new(Wants::LOG.0));
        let mut all: Vec<Arc<Waiter>> = Vec::new();
        // Few at first and then many, so that covers are small and large.
        for step in 1..=STEPS as u64 {
            let most = 1 + step as usize * 40 / STEPS;
            if all.len() < most && rng.bool() {
                let waiter = waiter(&mut rng, step);
                blocked.enter(&waiter, &wants, shard_of);
                all.push(waiter);
            } else if !all.is_empty() {
                let waiter = all.swap_remove(rng.usize(..all.len()));
                assert!(waiter.claim() && !waiter.claim() && waiter.is_over());
                blocked.leave(&waiter, &wants, shard_of);
            }
            check_counts(&blocked, &wants, &all);
            let behind = rng.u64(0..=step);
            check_next(&blocked, &mut rng, &all, behind);
            check_cover(&blocked, &mut rng, &all);
        }
        assert!(Wants(wants.load(Ordering::Relaxed)).any(Wants::LOG));
    }
}
