//! Messages from one worker to another. Order from one sender to one receiver is kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_queue::SegQueue;
use mio::Waker;
use resp::Writer;

use crate::conn::Stream;
use crate::migrate::Job;
use crate::registry::Client;

/// What a worker is asked to do.
pub enum Message {
    /// Serve a connection that was accepted elsewhere.
    Adopt(Stream),
    /// Close the connection of a client that was struck off.
    Kill(Arc<Client>),
    /// Go on with clients whose commands were held back.
    Resume,
    /// Answer a client whose command waited, and go on with it.
    Answer {
        /// The client.
        client: Arc<Client>,
        /// What it is told.
        answer: Answer,
    },
    /// The time at which a client's command is to be tried again has changed.
    Again(Arc<Client>),
    /// Go on with a MIGRATE of one of its clients.
    Migrate(Box<Job>),
    /// Accept from these addresses instead of the present ones.
    Listen(Vec<crate::listen::Listener>),
    /// Look at the shared state again: expiry, shutdown, configuration.
    Look,
}

/// What a client whose command waited is told.
pub enum Answer {
    /// What the command has replied in the end.
    Reply(Box<Writer>),
    /// That its time is over.
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
        self.put(message);
        self.wake();
    }

    /// Leaves a message; the receiver finds it when it looks.
    pub fn put(&self, message: Message) {
        self.queue.push(message);
    }

    /// Makes the receiver look. It sees what was left before.
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

    /// Whether there is no message.
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// The next message.
    pub fn take(&self) -> Option<Message> {
        self.queue.pop()
    }
}
