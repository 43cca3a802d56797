//! DEBUG DIGEST and DIGEST-VALUE: a hash of the data that does not depend on its order in memory,
//! the same as Redis computes.
//!
//! Bytes are either combined by exclusive or, where their order means nothing, or mixed in, where
//! it does: the SHA-1 of the bytes is combined, and the SHA-1 of that takes its place.

use commands::{Args, Error};
use keyspace::{Entry, Held, Kind, ValueRef, ValueView};
use sha1::{Digest as _, Sha1};
use value::array::INDEX_MAX;
use value::stream::Id;

use super::value::find;
use crate::call::Call;

type Digest = [u8; 20];

/// DEBUG DIGEST - O(N), N the number of keys.
pub(super) fn digest(call: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    let databases = call.server.keyspace.databases();
    let digest = of_all(call.held, databases);
    call.out.simple(&shown(&digest));
    Ok(())
}

/// DEBUG DIGEST-VALUE \[key ...\] - O(N), N the length of the values.
pub(super) fn digest_value(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    call.out.array(args.len() - 2);
    for key in args.from(2) {
        let mut digest = [0; 20];
        if let Some(entry) = find(call.server, call.held, call.session.db, key) {
            add_value(&mut digest, &entry);
        }
        call.out.simple(&shown(&digest));
    }
    Ok(())
}

fn of_all(held: &mut Held<'_>, databases: u32) -> Digest {
    let mut all = [0; 20];
    for db in 0..databases {
        let mut is_first = true;
        for shard in 0..held.count() {
            let Some(part) = held.shard(shard).made(db) else { continue };
            for entry in part.table().iter() {
                if std::mem::take(&mut is_first) {
                    mix(&mut all, &db.to_be_bytes());
                }
                let mut digest = [0; 20];
                mix(&mut digest, entry.key_bytes());
                add_value(&mut digest, &entry);
                combine(&mut all, &digest);
            }
        }
    }
    all
}

fn add_value(digest: &mut Digest, entry: &Entry) {
    mix(digest, &type_number(entry.kind()).to_be_bytes());
    match entry.value() {
        ValueRef::Object(value) => add_collection(digest, value),
        ValueRef::Int(number) => mix(digest, number.to_string().as_bytes()),
        ValueRef::Inline(bytes) | ValueRef::Shared(bytes) => mix(digest, bytes),
    }
    if entry.deadline_ms().is_some() {
        combine(digest, b"!!expire!!");
    }
}

/// The elements of lists, streams and arrays are mixed in one after the other, the latter two with
/// their ids and indexes; members and fields are combined, each with what belongs to it mixed in.
fn add_collection(digest: &mut Digest, value: ValueView<'_>) {
    match value {
        ValueView::List(list) => {
            list.range(0, list.len(), |element| mix_written(digest, |out| element.write_to(out)));
        }
        ValueView::Set(set) => set.each(|member| {
            let mut text = Vec::new();
            member.write_to(&mut text);
            combine(digest, &text);
        }),
        ValueView::Zset(zset) => {
            for (member, score) in zset.all() {
                let mut pair = [0; 20];
                mix_written(&mut pair, |out| member.write_to(out));
                mix_written(&mut pair, |out| write_score(out, score));
                combine(digest, &pair);
            }
        }
        ValueView::Hash(hash) => {
            for field in hash.iter() {
                let mut pair = [0; 20];
                mix_written(&mut pair, |out| field.name().write_to(out));
                mix_written(&mut pair, |out| field.value().write_to(out));
                combine(digest, &pair);
            }
        }
        ValueView::Stream(stream) => {
            for entry in stream.range(Id::MIN, Id::MAX) {
                let id = entry.id();
                mix(digest, format!("{}.{}", id.ms, id.seq).as_bytes());
                for (field, value) in entry.pairs() {
                    mix_written(digest, |out| field.write_to(out));
                    mix_written(digest, |out| value.write_to(out));
                }
            }
        }
        ValueView::Array(array) => array.walk(0, INDEX_MAX, |index, element| {
            mix(digest, index.to_string().as_bytes());
            mix_written(digest, |out| element.write_to(out));
            true
        }),
    }
}

/// The number by which Redis knows a type in memory.
fn type_number(kind: Kind) -> u32 {
    match kind {
        Kind::String => 0,
        Kind::List => 1,
        Kind::Set => 2,
        Kind::Zset => 3,
        Kind::Hash => 4,
        Kind::Stream => 6,
        Kind::Array => 8,
    }
}

fn mix_written(digest: &mut Digest, write: impl FnOnce(&mut Vec<u8>)) {
    let mut text = Vec::new();
    write(&mut text);
    mix(digest, &text);
}

/// A score as Redis 8 and Valkey 9 print it here: as in replies, but a whole number that ends in
/// many zeros with an exponent.
fn write_score(out: &mut Vec<u8>, score: f64) {
    /// So many zeros are written out.
    const ZEROS_MAX: usize = 7;
    let shortest = format!("{score:e}");
    if let Some((digits, exponent)) = shortest.split_once('e')
        && let Ok(exponent) = exponent.parse::<usize>()
        && exponent >= digits.bytes().filter(u8::is_ascii_digit).count() + ZEROS_MAX
    {
        out.extend_from_slice(format!("{digits}e+{exponent}").as_bytes());
        return;
    }
    resp::number::write_double(out, score);
}

fn combine(digest: &mut Digest, bytes: &[u8]) {
    let hash: Digest = Sha1::digest(bytes).into();
    digest.iter_mut().zip(hash).for_each(|(byte, other)| *byte ^= other);
}

fn mix(digest: &mut Digest, bytes: &[u8]) {
    combine(digest, bytes);
    *digest = Sha1::digest(*digest).into();
}

fn shown(digest: &Digest) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
