//! Messages from one worker to another. Order from one sender to one receiver is kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_queue::SegQueue;
use mio::Waker;

use crate::conn::Stream;
use crate::registry::Client;

/// What a worker is asked to do.
pub enum Message {
    /// Serve a connection that was accepted elsewhere.
    Adopt(Stream),
    /// Close the connection of a client that was struck off.
    Kill(Arc<Client>),
    /// Go on with clients whose commands were held back.
    Resume,
    /// Go on with a client that waits for nothing any more; with an error line or none.
    Unblock {
        /// The client.
        client: Arc<Client>,
        /// What it is told.
        reply: Unblock,
    },
    /// Accept from these addresses instead of the present ones.
    Listen(Vec<crate::listen::Listener>),
    /// Look at the shared state again: expiry, shutdown, configuration.
    Look,
}

/// What a client that is woken is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unblock {
    /// As if its time had run out.
    Timeout,
    /// An UNBLOCKED error.
    Error,
}

/// One worker's messages.
pub struct Mailbox {
    queue: SegQueue<Message>,
    waker: Waker,
    /// Whether the worker was woken and has not looked yet: once is enough.
    is_woken: AtomicBool,
}

impl Mailbox {
    /// An empty mailbox that wakes its worker through `waker`.
    pub fn new(waker: Waker) -> Self {
        Self { queue: SegQueue::new(), waker, is_woken: AtomicBool::new(false) }
    }

    /// Sends a message. Waking fails only when the worker's poller is gone.
    pub fn send(&self, message: Message) {
        self.queue.push(message);
        self.wake();
    }

    /// Makes the worker look. It sees what was sent before.
    pub fn wake(&self) {
        if self.is_woken.swap(true, Ordering::SeqCst) {
            return;
        }
        if let Err(error) = self.waker.wake() {
            log::warn!("A worker could not be woken: {error}");
        }
    }

    /// Notes that the worker is about to look: for what comes from now on it is woken again.
    pub fn look(&self) {
        self.is_woken.store(false, Ordering::SeqCst);
    }

    /// The next message.
    pub fn take(&self) -> Option<Message> {
        self.queue.pop()
    }
}
