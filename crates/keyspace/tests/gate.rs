//! The protocols of the gate and of a shard's lock under every order in which their steps can
//! happen, up to a bound. Run with
//! `RUSTFLAGS="--cfg loom" cargo test -p keyspace --release --test gate`.
#![cfg(loom)]

use keyspace::{Gate, Lock};
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

/// Counts who is inside, and fails when a writer is not alone.
#[derive(Default)]
struct Inside {
    readers: AtomicUsize,
    writers: AtomicUsize,
}

impl Inside {
    fn read(&self) {
        self.readers.fetch_add(1, Ordering::SeqCst);
        assert_eq!(self.writers.load(Ordering::SeqCst), 0, "a reader met a writer");
        self.readers.fetch_sub(1, Ordering::SeqCst);
    }

    fn write(&self) {
        assert_eq!(self.writers.fetch_add(1, Ordering::SeqCst), 0, "two writers met");
        assert_eq!(self.readers.load(Ordering::SeqCst), 0, "a writer met a reader");
        self.writers.fetch_sub(1, Ordering::SeqCst);
    }
}

fn explore(check: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(check);
}

#[test]
fn a_writer_excludes_readers() {
    explore(|| {
        let shared = Arc::new((Gate::new(2), Inside::default()));
        let readers: Vec<_> = (0..2)
            .map(|number| {
                let shared = Arc::clone(&shared);
                thread::spawn(move || {
                    let guard = shared.0.read(number);
                    shared.1.read();
                    drop(guard);
                })
            })
            .collect();
        let guard = shared.0.write();
        shared.1.write();
        drop(guard);
        for reader in readers {
            reader.join().unwrap();
        }
    });
}

#[test]
fn writers_exclude_each_other() {
    explore(|| {
        let shared = Arc::new((Gate::new(1), Inside::default()));
        let other = Arc::clone(&shared);
        let writer = thread::spawn(move || {
            let guard = other.0.write();
            other.1.write();
            drop(guard);
        });
        let guard = shared.0.write();
        shared.1.write();
        drop(guard);
        let guard = shared.0.read(0);
        shared.1.read();
        drop(guard);
        writer.join().unwrap();
    });
}

/// Waiting is a loop around the attempt, and would only make the model endless.
#[test]
fn one_thread_at_a_time_holds_a_lock_and_sees_what_the_one_before_did() {
    explore(|| {
        let shared = Arc::new((Lock::new(), AtomicUsize::new(0)));
        let attempt = |shared: &(Lock, AtomicUsize)| {
            let taken = shared.0.try_take();
            if taken {
                let count = shared.1.load(Ordering::Relaxed);
                shared.1.store(count + 1, Ordering::Relaxed);
                shared.0.release();
            }
            usize::from(taken)
        };
        let others: Vec<_> = (0..2)
            .map(|_| {
                let shared = Arc::clone(&shared);
                thread::spawn(move || attempt(&shared))
            })
            .collect();
        let mut taken = attempt(&shared);
        for other in others {
            taken += other.join().unwrap();
        }
        assert_eq!(shared.1.load(Ordering::Relaxed), taken);
    });
}
