//! Messages in a row that go to the same subscribers.
//!
//! It knows no connection. What a subscriber gets of all of them is joined once and sent to each
//! from there. Invariants: there is at least one message, their numbers rise, and only a run of one
//! has patterns or is big.

use std::sync::{Arc, OnceLock};

use resp::Proto;
use smallvec::SmallVec;

use super::SHARED_MIN;
use super::message::Message;

/// See the module's text.
pub struct Run {
    pub(super) messages: SmallVec<[Arc<Message>; 1]>,
    joined: [OnceLock<Arc<Vec<u8>>>; 2],
}

impl Run {
    /// A run of one.
    pub fn new(message: Arc<Message>) -> Self {
        Self { messages: SmallVec::from([message]), joined: Default::default() }
    }

    /// The first of them, which names the subscribers of all.
    pub fn first(&self) -> &Message {
        &self.messages[0]
    }

    /// Whether a message that follows belongs to it. Together they stay small, so that who is over
    /// its limit does not get much more.
    pub fn takes(&self, next: &Message) -> bool {
        let first = self.first();
        let size: usize = self.messages.iter().map(|message| message.size()).sum();
        next.kind == first.kind
            && next.place == first.place
            && next.channel() == first.channel()
            && next.patterns.is_empty()
            && first.patterns.is_empty()
            && size + next.size() < SHARED_MIN
    }

    /// What a subscriber of the channel that has seen the messages up to a number gets.
    pub fn since(&self, seen: u64, proto: Proto) -> Option<Arc<Vec<u8>>> {
        let unseen = self.messages.partition_point(|message| message.number <= seen);
        match &self.messages[unseen..] {
            [] => None,
            [one] => Some(Arc::clone(one.plain(proto))),
            all if unseen == 0 => {
                let joined = &self.joined[usize::from(proto == Proto::Resp3)];
                Some(Arc::clone(joined.get_or_init(|| join(all, proto))))
            }
            some => Some(join(some, proto)),
        }
    }
}

fn join(messages: &[Arc<Message>], proto: Proto) -> Arc<Vec<u8>> {
    let parts = messages.iter().map(|message| message.plain(proto).as_slice());
    Arc::new(parts.collect::<Vec<_>>().concat())
}

#[cfg(test)]
mod tests;
