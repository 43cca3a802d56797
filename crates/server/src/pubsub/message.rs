//! A published message on its way to subscribers. Each form that it takes on the wire is written
//! once, whoever gets it.

use std::sync::{Arc, OnceLock};

use resp::{Proto, Writer};

/// What a name that is subscribed to is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// The name of a channel.
    Channel,
    /// A pattern for the names of channels.
    Pattern,
    /// The name of a shard channel.
    Shard,
    /// What all clients do, line by line; its only name is empty.
    Monitor,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Channel, Self::Pattern, Self::Shard, Self::Monitor];
}

/// One form of a message, in either protocol.
#[derive(Default)]
struct Forms([OnceLock<Arc<Vec<u8>>>; 2]);

impl Forms {
    fn get(&self, proto: Proto, write: impl FnOnce(&mut Writer)) -> &Arc<Vec<u8>> {
        let form = if proto == Proto::Resp3 { &self.0[1] } else { &self.0[0] };
        form.get_or_init(|| {
            let mut out = Writer::new(proto);
            write(&mut out);
            Arc::new(out.chunks(0).flatten().copied().collect())
        })
    }
}

/// See the module's text.
pub struct Message {
    /// Its place in the order of all messages.
    pub number: u64,
    /// A channel or a shard channel.
    pub kind: Kind,
    /// The channel's name.
    pub channel: Box<[u8]>,
    /// The patterns that the name matches.
    pub patterns: Vec<Arc<[u8]>>,
    payload: Box<[u8]>,
    plain: Forms,
    by_pattern: Vec<Forms>,
}

impl Message {
    /// A message that was published under a number.
    pub fn new(
        number: u64,
        kind: Kind,
        channel: &[u8],
        payload: &[u8],
        patterns: Vec<Arc<[u8]>>,
    ) -> Self {
        Self {
            number,
            kind,
            channel: channel.into(),
            payload: payload.into(),
            by_pattern: patterns.iter().map(|_| Forms::default()).collect(),
            patterns,
            plain: Forms::default(),
        }
    }

    /// Bytes that it takes.
    pub fn size(&self) -> usize {
        size_of::<Self>() + self.channel.len() + self.payload.len()
    }

    /// What subscribers of the channel get.
    pub fn plain(&self, proto: Proto) -> &Arc<Vec<u8>> {
        self.plain.get(proto, |out| {
            if self.kind == Kind::Monitor {
                return out.raw(&self.payload);
            }
            let word: &[u8] = if self.kind == Kind::Shard { b"smessage" } else { b"message" };
            out.push(3);
            [word, &self.channel, &self.payload].into_iter().for_each(|part| out.bulk(part));
        })
    }

    /// What subscribers of one of the patterns get, by its place among them.
    pub fn by_pattern(&self, at: usize, proto: Proto) -> &Arc<Vec<u8>> {
        let pattern = &self.patterns[at];
        self.by_pattern[at].get(proto, |out| {
            out.push(4);
            let parts: [&[u8]; 4] = [b"pmessage", pattern, &self.channel, &self.payload];
            parts.into_iter().for_each(|part| out.bulk(part));
        })
    }
}
