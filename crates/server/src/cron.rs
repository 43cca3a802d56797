//! Periodic work of a worker: idle clients, output limits, the end of a pause, rates.

use std::sync::atomic::Ordering;

use crate::admin::describe;
use crate::conn::Conn;
use crate::local::Local;
use crate::server::Server;
use crate::session::State;
use crate::tunables::{OutputLimit, Tunables};
use crate::{aof, footprint, hotkeys, persistence, shutdown, tracking};

/// Connections looked at in one turn, at least.
const CONNS_MIN: usize = 50;

/// Pending output of who has never authenticated: the system's buffers hold many refusals.
const STRANGER_OUTPUT_MAX: u64 = 17 << 10;

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
            if is_idle_too_long(local, &conn) || is_over_output_limit(server, local, &mut conn) {
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

/// The limits of a connection's output, by its class.
#[inline]
pub fn output_limit(tunables: &Tunables, state: State) -> OutputLimit {
    let is_subscriber = state.any(State::SUBSCRIBED);
    if is_subscriber { tunables.subscriber_limit } else { tunables.output_limit }
}

/// Whether a connection's pending output is over its hard limit, or over its soft one for too long.
pub fn is_over_output_limit(server: &Server, local: &Local, conn: &mut Conn) -> bool {
    let limit = output_limit(&local.tunables, conn.session.state);
    let pending = conn.out.len() as u64;
    let is_over_soft = limit.soft > 0 && pending >= limit.soft;
    if !is_over_soft {
        conn.over_soft_since = None;
    }
    let since = is_over_soft.then(|| *conn.over_soft_since.get_or_insert(local.now_ms()));
    // In whole seconds of the clock, as in Redis: so it is up to a second more than is asked for.
    let too_long = |since: i64| local.now_ms() / 1000 - since / 1000 > limit.soft_seconds as i64;
    let is_stranger = !conn.session.state.any(State::KNOWN);
    let counts_all = server.knobs.reply_list_only.load(Ordering::Relaxed);
    let most = if counts_all { 0 } else { STRANGER_OUTPUT_MAX };
    let is_over = limit.hard > 0 && pending >= limit.hard
        || since.is_some_and(too_long)
        || is_stranger && pending > most && !local.tunables.password.is_empty();
    if is_over {
        server.stats(local.id).output_buffer_limit.add(1);
        conn.publish();
        log::warn!(
            "Client {} closed for overcoming of output buffer limits.",
            describe(server, conn.client(), local.now_ms()),
        );
    }
    is_over
}
