//! DEBUG OBJECT, SDSLEN and STRUCTSIZE: how keys and values are kept.

use commands::{Args, Error, encoding_of};
use keyspace::{Entry, Held, Stamp, ValueRef, ValueView};
use persist::rdb::{self, Style};
use spec::config::Id;

use crate::call::Call;
use crate::server::Server;

/// The access clock counts seconds in so many bits.
const ACCESS_MASK: u32 = 0x00ff_ffff;

/// The entry of a key, expired or not, without any trace of the look.
pub(super) fn find<'h>(
    server: &Server,
    held: &'h mut Held<'_>,
    db: u32,
    key: &[u8],
) -> Option<table::Ref<'h, Entry>> {
    let hash = server.keyspace.hash(key);
    let shard = server.keyspace.shard_of(hash);
    held.shard(shard).db(db).get(hash, key)
}

/// DEBUG OBJECT key \[FAST\] - O(N), with FAST O(1).
pub(super) fn object(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let policy = call.server.config.lock().choice(Id::MaxmemoryPolicy);
    let now = Stamp::at(call.local.now_ms()).access;
    let style = call.local.tunables.settings.dump;
    let Some(entry) = find(call.server, call.held, call.session.db, args[2]) else {
        return Err(Error::NoSuchKey);
    };
    let fast = args.get(3).is_some_and(|word| word.eq_ignore_ascii_case(b"fast"));
    let place = entry.key_bytes().as_ptr();
    let mut text = format!("Value at:{place:p} refcount:1 encoding:{}", encoding_of(&entry));
    if !fast {
        text.push_str(&format!(" serializedlength:{}", serialized_len(&entry, style)));
    }
    let access = entry.access();
    let rest = if policy.ends_with("-lfu") {
        format!(" lfu_freq:{} lfu_access_time_minutes:{}", access & 0xff, access >> 8)
    } else {
        let idle = now.wrapping_sub(access) & ACCESS_MASK;
        format!(" lru:{access} lru_seconds_idle:{idle}")
    };
    text.push_str(&rest);
    text.push_str(&nodes(&entry, call.local.tunables.settings.limits.list_size, fast));
    call.out.simple(&text);
    Ok(())
}

/// How a large list is kept; nothing for other values.
fn nodes(entry: &Entry, list_size: i32, fast: bool) -> String {
    let Some(ValueView::List(list)) = entry.object() else { return String::new() };
    let Some(layout) = list.layout() else { return String::new() };
    let average = list.len() as f64 / layout.nodes() as f64;
    let compressed = u8::from(layout.compress_depth() > 0);
    let size = match fast {
        true => String::new(),
        false => format!(" ql_uncompressed_size:{}", layout.size()),
    };
    format!(
        " ql_nodes:{} ql_avg_node:{average:.2} ql_listpack_max:{list_size} \
         ql_compressed:{compressed}{size}",
        layout.nodes(),
    )
}

/// Bytes that a value takes in an RDB file, its type not counted.
fn serialized_len(entry: &Entry, style: Style) -> usize {
    /// Bytes of the type in front of a value in a payload, and of the version and checksum behind.
    const AROUND: usize = 11;
    rdb::dump(&entry.value(), style).len() - AROUND
}

/// DEBUG SDSLEN key - O(1). What is allocated beyond the lengths belongs to the entry as a whole,
/// or to the string when it lives apart.
pub(super) fn sdslen(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let Some(entry) = find(call.server, call.held, call.session.db, args[2]) else {
        return Err(Error::NoSuchKey);
    };
    let (len, apart) = match entry.value() {
        ValueRef::Int(_) | ValueRef::Object(_) => {
            return Err(Error::Text("ERR Not an sds encoded string."));
        }
        ValueRef::Inline(bytes) => (bytes.len(), 0),
        ValueRef::Shared(bytes) => {
            (bytes.len(), entry.shared().map_or(bytes.len(), |string| string.capacity()))
        }
    };
    let key = entry.key_bytes().len();
    let own = entry.memory(0).saturating_sub(apart);
    let room = apart.saturating_sub(len);
    let text = format!(
        "key_sds_len:{key} key_sds_avail:0 obj_alloc:{own} val_sds_len:{len} \
         val_sds_avail:{room} val_alloc:{apart}"
    );
    call.out.simple(&text);
    Ok(())
}

/// DEBUG STRUCTSIZE - O(1). An object is what a key of one byte takes with an empty string.
pub(super) fn structsize(call: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    let smallest = Entry::new(b"k", keyspace::NewValue::Bytes(b""), None, 0).memory(0);
    let text = format!("bits:{} robj:{smallest} dictentry:8 ", usize::BITS);
    call.out.bulk(text.as_bytes());
    Ok(())
}
