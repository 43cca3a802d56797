//! Limits of what may wait to be sent to a client.

use std::sync::atomic::Ordering;

use crate::admin::describe;
use crate::conn::Conn;
use crate::local::Local;
use crate::server::Server;
use crate::session::State;
use crate::tunables::{OutputLimit, Tunables};

/// Pending output of who has never authenticated: the system's buffers hold many refusals.
const STRANGER_OUTPUT_MAX: u64 = 17 << 10;

/// The limits of a connection's output, by its class.
#[inline]
pub fn limit(tunables: &Tunables, state: State) -> OutputLimit {
    let is_subscriber = state.any(State::SUBSCRIBED);
    if is_subscriber { tunables.subscriber_limit } else { tunables.output_limit }
}

/// Whether a connection's pending output is over its hard limit, or over its soft one for too long.
pub fn is_over(server: &Server, local: &Local, conn: &mut Conn) -> bool {
    let limits = limit(&local.tunables, conn.session.state);
    let pending = conn.out.len() as u64;
    let is_over_soft = limits.soft > 0 && pending >= limits.soft;
    if !is_over_soft {
        conn.over_soft_since = None;
    }
    let since = is_over_soft.then(|| *conn.over_soft_since.get_or_insert(local.now_ms()));
    // In whole seconds of the clock, as in Redis: so it is up to a second more than is asked for.
    let too_long = |since: i64| local.now_ms() / 1000 - since / 1000 > limits.soft_seconds as i64;
    let is_stranger = !conn.session.state.any(State::KNOWN);
    let counts_all = server.knobs.reply_list_only.load(Ordering::Relaxed);
    let most = if counts_all { 0 } else { STRANGER_OUTPUT_MAX };
    let is_over = limits.hard > 0 && pending >= limits.hard
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
