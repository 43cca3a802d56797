//! Where a worker's connections come from: listeners, and other workers that have accepted for it.
//!
//! Invariant: a connection is counted for its worker from the moment it is accepted.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use mio::{Interest, Token};

use super::{FIRST_CONN, Thread};
use crate::conn::{Conn, Stream};
use crate::listen::{self, Accepted, Listener};
use crate::mailbox::Message;
use crate::session::Session;
use crate::sys;

/// Connections that are accepted before those that are served have their turn.
const ACCEPTS_MAX: usize = 256;

impl Thread {
    /// Accepts from other addresses from now on. The unix socket, which comes first, stays.
    pub(super) fn listen(&mut self, listeners: Vec<Listener>) {
        self.local.desk.listeners.retain(|listener| matches!(listener, Listener::Unix(..)));
        for mut listener in listeners {
            let token = Token(1 + self.local.desk.listeners.len());
            if let Err(error) = listener.register(self.local.desk.poll.registry(), token) {
                log::warn!("Accepting connections: {error}");
            }
            self.local.desk.listeners.push(listener);
        }
    }

    pub(super) fn accept(&mut self, at: usize) {
        let server = Arc::clone(&self.server);
        self.local.follow_config(&server);
        if server.shutdown.is_complete() {
            return;
        }
        for _ in 0..ACCEPTS_MAX {
            let Some(listener) = self.local.desk.listeners.get(at) else { return };
            let stream = match listen::accept(&server, &self.local, listener) {
                Accepted::Stream(stream) => {
                    self.local.desk.lacks_files = false;
                    stream
                }
                Accepted::Refused => continue,
                Accepted::Nothing => return,
                Accepted::Later(error) => return self.accept_later(at, &error),
            };
            let load = |worker: &usize| server.workers[*worker].connections.load(Ordering::Relaxed);
            let least = (0..server.workers.len()).min_by_key(load).unwrap_or(0);
            server.workers[least].connections.fetch_add(1, Ordering::Relaxed);
            if least == self.local.id {
                self.adopt(stream);
            } else {
                server.workers[least].mailbox.send(Message::Adopt(stream));
            }
        }
        self.local.desk.accept_again.push(at);
    }

    /// Accepts again when files may have been closed. The log tells it once.
    pub(super) fn accept_later(&mut self, at: usize, error: &io::Error) {
        if !std::mem::replace(&mut self.local.desk.lacks_files, true) {
            log::warn!("Accepting client connection: {}", sys::system_text(error));
        }
        if !self.local.desk.accept_later.contains(&at) {
            self.local.desk.accept_later.push(at);
        }
    }

    /// Takes up an accepted connection, which has been counted already.
    pub(super) fn adopt(&mut self, mut stream: Stream) {
        let token = self.local.desk.free.pop().unwrap_or(self.local.desk.conns.len());
        if token == self.local.desk.conns.len() {
            self.local.desk.conns.push(None);
        }
        let poll_token = Token(FIRST_CONN + token);
        let registry = self.local.desk.poll.registry();
        if let Err(error) = registry.register(stream.source(), poll_token, Interest::READABLE) {
            log::warn!("Error registering fd event for the new client: {error}");
            self.local.desk.free.push(token);
            self.server.workers[self.local.id].connections.fetch_sub(1, Ordering::Relaxed);
            return;
        }
        let client = Arc::new(listen::describe(&self.server, &stream, self.local.id, token));
        self.server.clients.add(Arc::clone(&client));
        self.local.follow_config(&self.server);
        if self.local.tunables.follows_one_of != 0 && !client.unix {
            sys::arrival::remember(stream.as_raw_fd());
        }
        let needs_auth = !self.local.tunables.password.is_empty();
        let session = Session::new(client, needs_auth);
        self.local.desk.conns[token] = Some(Box::new(Conn::new(stream, poll_token.0, session)));
        // It may have sent something already.
        self.local.desk.readable.push_back(token);
    }
}
