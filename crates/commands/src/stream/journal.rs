//! What followers are told of deliveries, in place of the command that made them.

use keyspace::{Db, Wants};
use value::stream::{Group, Id, IdText};

enum Step {
    Claim { id: Id, consumer: Box<[u8]>, time_ms: i64, count: u64, last_id: Id },
    Gone(Id),
    Read { last_id: Id, entries_read: Option<i64> },
    Consumer(Box<[u8]>),
}

/// The steps of one command on one group. Nothing is kept when nobody follows.
pub(super) struct Journal {
    wanted: bool,
    steps: Vec<Step>,
}

impl Journal {
    /// An empty one.
    pub fn new(db: &Db<'_, '_>) -> Journal {
        Journal { wanted: db.change.wants(Wants::LOG), steps: Vec::new() }
    }

    /// A pending entry has another consumer, time or count.
    pub fn claim(&mut self, group: &Group, id: Id) {
        let Some(nack) = group.nack(id).filter(|_| self.wanted) else { return };
        self.steps.push(Step::Claim {
            id,
            consumer: group.owner_name(nack).into(),
            time_ms: nack.time_ms,
            count: nack.count,
            last_id: group.last_id,
        });
    }

    /// An entry was delivered that was not before: the group has read as far as this one.
    pub fn deliver(&mut self, group: &Group, id: Id) {
        self.claim(group, id);
        if let Some(Step::Claim { last_id, .. }) = self.steps.last_mut() {
            *last_id = id;
        }
    }

    /// A pending entry is none any more, because the stream has lost it.
    pub fn gone(&mut self, id: Id) {
        if self.wanted {
            self.steps.push(Step::Gone(id));
        }
    }

    /// The group has read further.
    pub fn read(&mut self, group: &Group) {
        if self.wanted {
            let (last_id, entries_read) = (group.last_id, group.entries_read);
            self.steps.push(Step::Read { last_id, entries_read });
        }
    }

    /// A consumer was made.
    pub fn consumer(&mut self, name: &[u8]) {
        if self.wanted {
            self.steps.push(Step::Consumer(name.into()));
        }
    }

    /// Whether something was claimed.
    pub fn has_claims(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::Claim { .. }))
    }

    /// Propagates the steps and nothing else of the command.
    pub fn propagate(self, db: &mut Db<'_, '_>, key: &[u8], group: &[u8]) {
        db.change.propagate_nothing();
        let (mut text, mut last) = (IdText::new(), IdText::new());
        let (mut time, mut number) = (itoa::Buffer::new(), itoa::Buffer::new());
        for step in self.steps {
            match step {
                Step::Claim { id, consumer, time_ms, count, last_id } => db.propagate(&[
                    b"XCLAIM",
                    key,
                    group,
                    &consumer,
                    b"0",
                    text.of(id),
                    b"TIME",
                    time.format(time_ms).as_bytes(),
                    b"RETRYCOUNT",
                    number.format(count).as_bytes(),
                    b"FORCE",
                    b"JUSTID",
                    b"LASTID",
                    last.of(last_id),
                ]),
                Step::Gone(id) => db.propagate(&[b"XACK", key, group, text.of(id)]),
                Step::Read { last_id, entries_read } => db.propagate(&[
                    b"XGROUP",
                    b"SETID",
                    key,
                    group,
                    last.of(last_id),
                    b"ENTRIESREAD",
                    number.format(entries_read.unwrap_or(-1)).as_bytes(),
                ]),
                Step::Consumer(name) => {
                    db.propagate(&[b"XGROUP", b"CREATECONSUMER", key, group, &name]);
                }
            }
        }
    }
}
