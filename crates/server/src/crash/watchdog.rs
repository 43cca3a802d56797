//! `watchdog-period`: a thread that looks whether the workers come back to their pollers, and logs
//! what all threads are doing when one of them has not for that long.
//!
//! While the period is 0 it sleeps. Each stay of a worker is logged once.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::trace;
use crate::clock;
use crate::server::Server;

/// See the module's text.
#[derive(Debug, Default)]
pub struct Watchdog {
    /// 0 turns it off.
    period_ms: Mutex<u64>,
    changed: Condvar,
}

impl Watchdog {
    /// Looks for stays of that length from now on.
    pub fn set_period(&self, period_ms: u64) {
        *self.period_ms.lock() = period_ms;
        self.changed.notify_one();
    }

    /// The period, once it is not 0.
    fn wait(&self) -> u64 {
        let mut period_ms = self.period_ms.lock();
        self.changed.wait_while(&mut period_ms, |period_ms| *period_ms == 0);
        *period_ms
    }
}

/// Starts the thread.
pub fn start(server: &Arc<Server>) -> std::io::Result<()> {
    let server = Arc::clone(server);
    let run = move || {
        // When each worker woke up at the time it was last found stuck.
        let mut logged = vec![0; server.workers.len()];
        loop {
            let period_ms = server.watchdog.wait();
            thread::sleep(Duration::from_millis(period_ms.div_ceil(4).clamp(1, 1000)));
            look(&server, period_ms, &mut logged);
        }
    };
    thread::Builder::new().name("watchdog".into()).spawn(run).map(drop)
}

fn look(server: &Server, period_ms: u64, logged: &mut [i64]) {
    let now_us = clock::unix_us();
    let mut stuck = Vec::new();
    for (id, worker) in server.workers.iter().enumerate() {
        let since_us = worker.awake_since_us.load(Ordering::Relaxed);
        let is_long = since_us > 0 && now_us - since_us > period_ms as i64 * 1000;
        if is_long && logged[id] != since_us {
            logged[id] = since_us;
            stuck.push((id, since_us));
        }
    }
    let Some((first, _)) = stuck.first() else { return };
    log::warn!("--- WATCHDOG TIMER EXPIRED ---");
    for (id, since_us) in &stuck {
        log::warn!("worker-{id} is busy for {} ms", (now_us - since_us) / 1000);
    }
    let thread = server.workers[*first].thread.load(Ordering::Relaxed);
    log::warn!("{}", trace::all(thread, None));
    log::warn!("--------");
}
