//! Streams of every age, with their groups.

use value::Stream;
use value::stream::{Group, Head, Id, Requests};

use super::Decoder;
use crate::rdb::Error;
use crate::rdb::code::kind;
use crate::rdb::source::Source;

impl<S: Source> Decoder<'_, S> {
    /// A stream.
    pub(super) fn stream(&mut self, kind: u8) -> Result<Stream, Error> {
        let mut stream = Stream::new();
        for _ in 0..self.length()? {
            let Some(master) = raw_id(self.string()?) else {
                return self.corrupt("stream node without an id");
            };
            let pack = self.pack()?;
            if let Err(corrupt) = stream.push_pack(master, &pack) {
                return self.refuse(corrupt);
            }
        }
        let mut head = Head {
            length: self.length()?,
            last_id: self.id()?,
            max_deleted_id: Id::MIN,
            entries_added: None,
        };
        if kind != kind::STREAM {
            // The first entry is found by itself.
            self.id()?;
            head.max_deleted_id = self.id()?;
            head.entries_added = Some(self.length()?);
        }
        if let Err(corrupt) = stream.set_head(head) {
            return self.refuse(corrupt);
        }
        for _ in 0..self.length()? {
            self.group(kind, &mut stream)?;
        }
        if kind >= kind::STREAM_4 {
            self.requests(&mut stream)?;
        }
        Ok(stream)
    }

    fn id(&mut self) -> Result<Id, Error> {
        Ok(Id { ms: self.length()?, seq: self.length()? })
    }

    fn raw_id(&mut self) -> Result<Id, Error> {
        let raw = self.array::<16>()?;
        Ok(raw_id(&raw).expect("an id has sixteen bytes"))
    }

    fn group(&mut self, kind: u8, stream: &mut Stream) -> Result<(), Error> {
        let name = self.string()?.to_vec();
        let last_id = self.id()?;
        let entries_read = match kind {
            kind::STREAM => stream.read_up_to(last_id),
            // What is not known is written as -1.
            _ => Some(self.length()? as i64).filter(|read| *read != -1),
        };
        let mut group = Group::new(last_id, entries_read);
        for _ in 0..self.length()? {
            let id = self.raw_id()?;
            let (time_ms, count) = (self.time_ms()?, self.length()?);
            if group.nack(id).is_some() {
                return self.corrupt("group with a pending entry twice");
            }
            group.assign(id, None, time_ms, count);
        }
        for _ in 0..self.length()? {
            self.consumer(kind, &mut group)?;
        }
        let mut unowned = group.nacks(..).filter(|(_, nack)| nack.owner().is_none()).count() as u64;
        if kind >= kind::STREAM_5 {
            for _ in 0..self.length()? {
                let id = self.raw_id()?;
                let is_unowned = group.nack(id).is_some_and(|nack| nack.owner().is_none());
                if !is_unowned || unowned == 0 {
                    return self.corrupt("group with an entry given back that is not pending");
                }
                unowned -= 1;
            }
        }
        if unowned > 0 {
            return self.corrupt("group with a pending entry that nobody has");
        }
        if !stream.add_group(&name, group) {
            return self.corrupt("stream with a group twice");
        }
        Ok(())
    }

    fn consumer(&mut self, kind: u8, group: &mut Group) -> Result<(), Error> {
        let name = self.string()?.to_vec();
        let seen_ms = self.time_ms()?;
        let active_ms = match kind {
            kind::STREAM | kind::STREAM_2 => seen_ms,
            _ => self.time_ms()?,
        };
        let (slot, is_new) = group.ensure(&name, seen_ms);
        if !is_new {
            return self.corrupt("Duplicate stream consumer detected");
        }
        group.consumer_mut(slot).active_ms = active_ms;
        for _ in 0..self.length()? {
            let id = self.raw_id()?;
            let Some(nack) = group.nack(id).copied().filter(|nack| nack.owner().is_none()) else {
                return self.corrupt("consumer with an entry that is not its own");
            };
            group.assign(id, Some(slot), nack.time_ms, nack.count);
        }
        Ok(())
    }
}

impl<S: Source> Decoder<'_, S> {
    /// What producers have sent. Requests came when their entries did.
    fn requests(&mut self, stream: &mut Stream) -> Result<(), Error> {
        let duration_s = i64::try_from(self.length()?).unwrap_or(i64::MAX);
        let size_max = usize::try_from(self.length()?).unwrap_or(usize::MAX);
        let mut all = Vec::new();
        for _ in 0..self.length()? {
            let producer = self.string()?.to_vec();
            for _ in 0..self.length()? {
                let request = self.string()?.to_vec();
                all.push((producer.clone(), request, self.id()?));
            }
        }
        let (added, duplicates) = (self.length()?, self.length()?);
        let is_used = added > 0 || duplicates > 0 || !all.is_empty();
        if !is_used && !Requests::is_configured(duration_s, size_max, self.rules.limits) {
            return Ok(());
        }
        let requests = stream.requests_mut(self.rules.limits);
        if !requests.restore(duration_s, size_max, all, added, duplicates) {
            return self.corrupt("stream with requests beyond its bounds");
        }
        Ok(())
    }
}

fn raw_id(raw: &[u8]) -> Option<Id> {
    let raw: &[u8; 16] = raw.try_into().ok()?;
    let (ms, seq) = raw.split_first_chunk::<8>()?;
    Some(Id { ms: u64::from_be_bytes(*ms), seq: u64::from_be_bytes(seq.try_into().ok()?) })
}
