//! A published message on its way to subscribers. Each form that it takes on the wire is written
//! once, whoever gets it.

use std::ops::Range;
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

/// Bytes behind a string on the wire, and most that stand around one.
const LINE_END: usize = 2;
const AROUND: usize = 24;

/// Where the exchange and all workers keep a channel that has subscribers, while it has any.
pub type Place = u32;

/// One form of a message, in either protocol.
#[derive(Default)]
struct Forms([OnceLock<Arc<Vec<u8>>>; 2]);

impl Forms {
    fn get(&self, proto: Proto, make: impl FnOnce() -> Vec<u8>) -> &Arc<Vec<u8>> {
        let form = if proto == Proto::Resp3 { &self.0[1] } else { &self.0[0] };
        form.get_or_init(|| Arc::new(make()))
    }
}

/// See the module's text.
pub struct Message {
    /// Its place in the order of all messages.
    pub number: u64,
    /// A channel or a shard channel.
    pub kind: Kind,
    /// Where the channel is kept, if it has subscribers itself.
    pub place: Option<Place>,
    /// The patterns that the name matches.
    pub patterns: Vec<Arc<[u8]>>,
    /// What subscribers of the channel get in RESP2, and where the name and the payload stand in
    /// it.
    plain: Arc<Vec<u8>>,
    name: Range<usize>,
    payload: Range<usize>,
    pushed: OnceLock<Arc<Vec<u8>>>,
    by_pattern: Vec<Forms>,
}

impl Message {
    /// A message that was published under a number.
    pub fn new(
        number: u64,
        (kind, place): (Kind, Option<Place>),
        name: &[u8],
        payload: &[u8],
        patterns: Vec<Arc<[u8]>>,
    ) -> Self {
        let (plain, [name, payload]) = match kind {
            Kind::Monitor => (payload.to_vec(), [0..0, 0..payload.len()]),
            _ => write(Proto::Resp2, &[word(kind)], [name, payload]),
        };
        Self {
            number,
            kind,
            place,
            by_pattern: patterns.iter().map(|_| Forms::default()).collect(),
            patterns,
            plain: Arc::new(plain),
            name,
            payload,
            pushed: OnceLock::new(),
        }
    }

    /// The channel's name.
    pub fn channel(&self) -> &[u8] {
        &self.plain[self.name.clone()]
    }

    fn payload(&self) -> &[u8] {
        &self.plain[self.payload.clone()]
    }

    /// Bytes that it takes.
    pub fn size(&self) -> usize {
        size_of::<Self>() + self.plain.len()
    }

    /// What subscribers of the channel get.
    pub fn plain(&self, proto: Proto) -> &Arc<Vec<u8>> {
        if proto == Proto::Resp2 || self.kind == Kind::Monitor {
            return &self.plain;
        }
        let parts = || write(proto, &[word(self.kind)], [self.channel(), self.payload()]).0;
        self.pushed.get_or_init(|| Arc::new(parts()))
    }

    /// What subscribers of one of the patterns get, by its place among them.
    pub fn by_pattern(&self, at: usize, proto: Proto) -> &Arc<Vec<u8>> {
        self.by_pattern[at].get(proto, || {
            write(proto, &[b"pmessage", &self.patterns[at]], [self.channel(), self.payload()]).0
        })
    }
}

fn word(kind: Kind) -> &'static [u8] {
    if kind == Kind::Shard { b"smessage" } else { b"message" }
}

/// A message as it is sent: what it is, its channel and its payload; and where these two stand.
fn write(proto: Proto, what: &[&[u8]], parts: [&[u8]; 2]) -> (Vec<u8>, [Range<usize>; 2]) {
    let all = what.iter().chain(&parts);
    let size = all.map(|part| part.len() + AROUND).sum::<usize>() + AROUND;
    let mut out = Writer::with_capacity(proto, size);
    out.push(what.len() + parts.len());
    what.iter().for_each(|part| out.bulk(part));
    let places = parts.map(|part| {
        out.bulk(part);
        let end = out.len() - LINE_END;
        end - part.len()..end
    });
    (out.into_bytes(), places)
}
