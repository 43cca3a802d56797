//! Periodic work of a worker: idle clients, limits of output, buffers; of the first worker also
//! what is due by the clock for the whole server.

use std::sync::atomic::Ordering;

use crate::conn::Conn;
use crate::local::Local;
use crate::server::Server;
use crate::session::State;
use crate::{aof, footprint, hotkeys, output, persistence, shutdown, tracking};

/// Connections looked at in one turn, at least.
const CONNS_MIN: usize = 50;

/// See the module's text.
#[derive(Default)]
pub struct Cron {
    /// How often in a row there were too many tracked keys.
    tracking_rounds: usize,
    /// The next part of their table to be given back.
    tracking_part: usize,
    next_conn: usize,
}

impl Cron {
    /// One turn; returns the slots of connections to close.
    pub fn run(&mut self, server: &Server, local: &mut Local) -> Vec<usize> {
        if local.id == 0 {
            shutdown::tick(server, local);
            hotkeys::tick(server, local.now_ms());
            aof::tick(server, local);
            persistence::tick(server, local);
            if server.rates.sample(server, local.now_us) {
                server.memory.look(local.now_ms());
                local.room.look_soon();
                server.defrag.decide(&local.tunables.defrag, local.now_us);
            }
            server.sockets.close_old();
            local.told |= tracking::fit(server, &mut self.tracking_rounds);
            tracking::sweep(server, &mut self.tracking_part);
        }
        let all = local.desk.conns().len();
        let count = (all / local.tunables.hz.max(1) as usize).max(CONNS_MIN);
        let mut doomed = Vec::new();
        for _ in 0..count.min(all) {
            self.next_conn = (self.next_conn + 1) % all;
            let Some(mut conn) = local.desk.conns()[self.next_conn].take() else { continue };
            if is_idle_too_long(local, &conn) || output::is_over(server, local, &mut conn) {
                doomed.push(self.next_conn);
            } else {
                fit_buffers(server, local, &mut conn);
                let is_limited = local.tunables.client_memory_max > 0 && !conn.lingers;
                if is_limited && footprint::settle(server, local, conn.client()) {
                    doomed.push(self.next_conn);
                }
            }
            local.desk.conns()[self.next_conn] = Some(conn);
        }
        doomed
    }
}

/// Brings a connection's buffers to the size that it needs.
fn fit_buffers(server: &Server, local: &Local, conn: &mut Conn) {
    conn.shrink_input(conn.client().idle_seconds(local.now_ms()));
    if server.knobs.reply_resizing.load(Ordering::Relaxed) {
        let peak_reset_ms = server.knobs.reply_peak_reset_ms.load(Ordering::Relaxed);
        conn.reply.adjust(conn.out.len(), local.now_ms(), peak_reset_ms);
    }
    conn.publish();
}

fn is_idle_too_long(local: &Local, conn: &Conn) -> bool {
    let timeout_ms = local.tunables.timeout as i64 * 1000;
    let idle_ms = local.now_ms() - conn.client().active_ms.load(Ordering::Relaxed);
    let is_over = timeout_ms > 0 && idle_ms > timeout_ms;
    let waits = State::BLOCKED.with(State::HELD).with(State::GETS_MESSAGES);
    if is_over && !conn.session.state.any(waits) {
        log::debug!("Closing idle client");
        return true;
    }
    false
}
