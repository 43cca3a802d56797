//! Streams with their groups, there and back.

use std::io::Read;

use value::Stream;
use value::stream::{self, Group, Head, Id, NewId, Requests};

use super::error::Error;
use super::lex::Lexer;
use super::text;
use super::values::{self, Comma};
use crate::rdb::{Out, Rules};
use crate::snapshot::portion::{self, Place};

/// Writes up to so many entries of a stream from a place on, and what stands around them; whether
/// none is left.
pub(super) fn write(
    out: &mut impl Out,
    stream: &Stream,
    place: &mut Place,
    count: usize,
    is_first: bool,
) -> bool {
    if is_first {
        out.put(b"{\"last_id\":");
        id(out, stream.last_id());
        out.put(b",\"max_deleted_id\":");
        id(out, stream.max_deleted_id());
        out.put(b",\"entries_added\":");
        text::integer(out, stream.entries_added());
        out.put(b",\"entries\":");
    }
    let is_last = portion::entries(stream, place, count, |number, entry| {
        Comma::before(out, number);
        write_entry(out, entry);
    });
    if values::end(out, place, is_last) {
        write_end(out, stream);
    }
    is_last
}

fn write_end(out: &mut impl Out, stream: &Stream) {
    out.put(b",\"groups\":");
    let mut comma = Comma::new();
    for (name, group) in stream.groups() {
        comma.put(out);
        write_group(out, name, group);
    }
    comma.close(out);
    if let Some(requests) = stream.requests() {
        out.put(b",\"requests\":");
        write_requests(out, requests);
    }
    out.put(b"}");
}

fn id(out: &mut impl Out, id: Id) {
    let mut number = itoa::Buffer::new();
    out.put(b"\"");
    out.put(number.format(id.ms).as_bytes());
    out.put(b"-");
    out.put(number.format(id.seq).as_bytes());
    out.put(b"\"");
}

fn write_entry(out: &mut impl Out, entry: &stream::Entry<'_>) {
    out.put(b"[");
    id(out, entry.id());
    let mut number = value::number::Text::new();
    for (name, value) in entry.pairs() {
        for part in [name, value] {
            out.put(b",");
            text::string(out, part.text(&mut number));
        }
    }
    out.put(b"]");
}

fn write_group(out: &mut impl Out, name: &[u8], group: &Group) {
    out.put(b"{\"name\":");
    text::string(out, name);
    out.put(b",\"last_id\":");
    id(out, group.last_id);
    if let Some(read) = group.entries_read {
        out.put(b",\"entries_read\":");
        text::integer(out, read);
    }
    out.put(b",\"consumers\":");
    let mut comma = Comma::new();
    for consumer in group.consumers() {
        comma.put(out);
        out.put(b"{\"name\":");
        text::string(out, consumer.name());
        out.put(b",\"seen_ms\":");
        text::integer(out, consumer.seen_ms);
        out.put(b",\"active_ms\":");
        text::integer(out, consumer.active_ms);
        out.put(b"}");
    }
    comma.close(out);
    out.put(b",\"pending\":");
    let mut comma = Comma::new();
    for (entry, nack) in group.nacks(..) {
        comma.put(out);
        out.put(b"[");
        id(out, *entry);
        out.put(b",");
        match nack.owner() {
            Some(_) => text::string(out, group.owner_name(nack)),
            None => out.put(b"null"),
        }
        for number in [nack.time_ms.into(), i128::from(nack.count)] {
            out.put(b",");
            text::integer(out, number);
        }
        out.put(b"]");
    }
    comma.close(out);
    out.put(b"}");
}

fn write_requests(out: &mut impl Out, requests: &Requests) {
    let numbers: [(&str, i128); 4] = [
        ("{\"duration_s\":", requests.duration_s().into()),
        (",\"size_max\":", requests.size_max() as i128),
        (",\"added\":", requests.added().into()),
        (",\"duplicates\":", requests.duplicates().into()),
    ];
    for (name, number) in numbers {
        out.put(name.as_bytes());
        text::integer(out, number);
    }
    out.put(b",\"known\":");
    let mut comma = Comma::new();
    requests.each_producer(|producer, known| {
        for (request, entry) in known {
            comma.put(out);
            out.put(b"[");
            text::string(out, producer);
            out.put(b",");
            text::string(out, request);
            out.put(b",");
            id(out, *entry);
            out.put(b"]");
        }
    });
    comma.close(out);
    out.put(b"}");
}

/// Reads a stream. `room` takes one string.
pub(super) fn read(
    lexer: &mut Lexer<impl Read>,
    rules: Rules<'_>,
    room: &mut Vec<u8>,
) -> Result<Stream, Error> {
    const MEMBERS: &[&str] =
        &["last_id", "max_deleted_id", "entries_added", "entries", "groups", "requests"];
    let mut stream = Stream::new();
    let (mut last_id, mut max_deleted_id, mut entries_added) = (None, Id::MIN, None);
    let mut seen = 0;
    let mut more = lexer.object("a stream's members: '{'")?;
    let place = lexer.place();
    while more {
        match lexer.member(MEMBERS, &mut seen)? {
            "last_id" => last_id = Some(read_id(lexer)?),
            "max_deleted_id" => max_deleted_id = read_id(lexer)?,
            "entries_added" => entries_added = Some(lexer.unsigned("a number of entries")?),
            "entries" => read_entries(lexer, rules, &mut stream)?,
            "groups" => read_groups(lexer, &mut stream, room)?,
            _ => read_requests(lexer, rules, &mut stream, room)?,
        }
        more = lexer.next_member()?;
    }
    let last_id = last_id.unwrap_or(stream.last_id());
    let head = Head { length: stream.len(), last_id, max_deleted_id, entries_added };
    match stream.set_head(head) {
        Ok(()) => Ok(stream),
        Err(corrupt) => Err(Error::Refused { at: place, what: corrupt.what }),
    }
}

fn read_id(lexer: &mut Lexer<impl Read>) -> Result<Id, Error> {
    lexer.string("an id, which is a string")?;
    let text = lexer.text();
    let is_whole = text.contains(&b'-');
    match Id::parse(text, 0).filter(|_| is_whole) {
        Some(id) => Ok(id),
        None => lexer.refuse("not an id of two numbers and a dash"),
    }
}

/// The id of an entry and its fields and values by turns.
fn read_entries(
    lexer: &mut Lexer<impl Read>,
    rules: Rules<'_>,
    stream: &mut Stream,
) -> Result<(), Error> {
    let (mut bytes, mut ends) = (Vec::new(), Vec::new());
    let mut more = lexer.array("an array of entries")?;
    while more {
        bytes.clear();
        ends.clear();
        lexer.mark(b'[', "an entry: '['")?;
        let id = read_id(lexer)?;
        let place = lexer.place();
        let refuse = |what| Err(Error::Refused { at: place, what });
        while lexer.next()? {
            lexer.bytes("a field or its value, which is a string")?;
            bytes.extend_from_slice(lexer.text());
            ends.push(bytes.len());
        }
        if ends.is_empty() || !ends.len().is_multiple_of(2) {
            return refuse("an entry without a field, or a field without its value");
        }
        let mut from = 0;
        let parts = ends.iter().map(|&end| &bytes[std::mem::replace(&mut from, end)..end]);
        let parts: Vec<&[u8]> = parts.collect();
        if stream.add(NewId::Given(id), &parts, rules.limits, 0).is_err() {
            return refuse("an entry whose id is not above the one before, or one too large");
        }
        more = lexer.next()?;
    }
    Ok(())
}

fn read_groups(
    lexer: &mut Lexer<impl Read>,
    stream: &mut Stream,
    room: &mut Vec<u8>,
) -> Result<(), Error> {
    let mut more = lexer.array("an array of groups")?;
    while more {
        read_group(lexer, stream, room)?;
        more = lexer.next()?;
    }
    Ok(())
}

fn read_group(
    lexer: &mut Lexer<impl Read>,
    stream: &mut Stream,
    room: &mut Vec<u8>,
) -> Result<(), Error> {
    const MEMBERS: &[&str] = &["name", "last_id", "entries_read", "consumers", "pending"];
    let mut group = Group::new(Id::MIN, None);
    let mut name = None;
    let mut seen = 0;
    let mut more = lexer.object("a group: '{'")?;
    let place = lexer.place();
    while more {
        match lexer.member(MEMBERS, &mut seen)? {
            "name" => {
                lexer.bytes("the group's name, which is a string")?;
                name = Some(lexer.text().to_vec());
            }
            "last_id" => group.last_id = read_id(lexer)?,
            "entries_read" => group.entries_read = Some(lexer.signed("a number of entries")?),
            "consumers" => read_consumers(lexer, &mut group, room)?,
            _ => read_pending(lexer, &mut group)?,
        }
        more = lexer.next_member()?;
    }
    let refuse = |what| Err(Error::Refused { at: place, what });
    match name {
        None => refuse("a group without a name"),
        Some(name) if !stream.add_group(&name, group) => refuse("a group twice in a stream"),
        Some(_) => Ok(()),
    }
}

fn read_consumers(
    lexer: &mut Lexer<impl Read>,
    group: &mut Group,
    name: &mut Vec<u8>,
) -> Result<(), Error> {
    const MEMBERS: &[&str] = &["name", "seen_ms", "active_ms"];
    let mut more = lexer.array("an array of consumers")?;
    while more {
        let (mut has_name, mut seen_ms, mut active_ms, mut seen) = (false, 0, -1, 0);
        let mut inside = lexer.object("a consumer: '{'")?;
        let place = lexer.place();
        while inside {
            match lexer.member(MEMBERS, &mut seen)? {
                "name" => {
                    lexer.bytes("the consumer's name, which is a string")?;
                    lexer.swap_text(name);
                    has_name = true;
                }
                "seen_ms" => seen_ms = lexer.signed("a time in Unix milliseconds")?,
                _ => active_ms = lexer.signed("a time in Unix milliseconds, or -1")?,
            }
            inside = lexer.next_member()?;
        }
        let refuse = |what| Err(Error::Refused { at: place, what });
        if !has_name {
            return refuse("a consumer without a name");
        }
        match group.ensure(name, seen_ms) {
            (slot, true) => group.consumer_mut(slot).active_ms = active_ms,
            (_, false) => return refuse("a consumer twice in a group"),
        }
        more = lexer.next()?;
    }
    Ok(())
}

/// The id of an entry, its consumer, when it was delivered and how often.
fn read_pending(lexer: &mut Lexer<impl Read>, group: &mut Group) -> Result<(), Error> {
    let mut more = lexer.array("an array of pending entries")?;
    while more {
        lexer.mark(b'[', "a pending entry: '['")?;
        let id = read_id(lexer)?;
        if group.nack(id).is_some() {
            return lexer.refuse("a pending entry twice in a group");
        }
        lexer.mark(b',', "','")?;
        let mut owner = None;
        if !lexer.null()? {
            lexer.bytes("the name of a consumer, or null")?;
            owner = group.find(lexer.text());
            if owner.is_none() {
                return lexer.refuse("a consumer that does not stand in front");
            }
        }
        lexer.mark(b',', "','")?;
        let time_ms = lexer.signed("a time in Unix milliseconds")?;
        lexer.mark(b',', "','")?;
        let count = lexer.unsigned("a number of deliveries")?;
        group.assign(id, owner, time_ms, count);
        lexer.mark(b']', "']'")?;
        more = lexer.next()?;
    }
    Ok(())
}

fn read_requests(
    lexer: &mut Lexer<impl Read>,
    rules: Rules<'_>,
    stream: &mut Stream,
    producer: &mut Vec<u8>,
) -> Result<(), Error> {
    const MEMBERS: &[&str] = &["duration_s", "size_max", "added", "duplicates", "known"];
    const NUMBER: &str = "a whole number";
    let limits = rules.limits;
    let (mut duration_s, mut size_max) = (limits.stream_idmp_duration_s, limits.stream_idmp_size);
    let (mut added, mut duplicates, mut seen, mut all) = (0, 0, 0, Vec::new());
    let mut more = lexer.object("what producers have sent: '{'")?;
    let place = lexer.place();
    while more {
        match lexer.member(MEMBERS, &mut seen)? {
            "duration_s" => duration_s = lexer.signed(NUMBER)?,
            "size_max" => {
                size_max = usize::try_from(lexer.unsigned(NUMBER)?).unwrap_or(usize::MAX);
            }
            "added" => added = lexer.unsigned(NUMBER)?,
            "duplicates" => duplicates = lexer.unsigned(NUMBER)?,
            _ => read_known(lexer, producer, &mut all)?,
        }
        more = lexer.next_member()?;
    }
    let requests = stream.requests_mut(limits);
    if requests.restore(duration_s, size_max, all, added, duplicates) {
        return Ok(());
    }
    Err(Error::Refused { at: place, what: "requests beyond their bounds, or one twice" })
}

/// A producer, its request, and the id that this got.
fn read_known(
    lexer: &mut Lexer<impl Read>,
    producer: &mut Vec<u8>,
    all: &mut Vec<(Vec<u8>, Vec<u8>, Id)>,
) -> Result<(), Error> {
    let mut more = lexer.array("an array of requests")?;
    while more {
        lexer.mark(b'[', "a request: '['")?;
        lexer.bytes("a producer, which is a string")?;
        lexer.swap_text(producer);
        lexer.mark(b',', "','")?;
        lexer.bytes("a request, which is a string")?;
        let request = lexer.text().to_vec();
        lexer.mark(b',', "','")?;
        all.push((producer.clone(), request, read_id(lexer)?));
        lexer.mark(b']', "']'")?;
        more = lexer.next()?;
    }
    Ok(())
}
