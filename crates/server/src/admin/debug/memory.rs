//! DEBUG MALLCTL and CLIENT-EVICTION: the allocator's controls, and what clients take.

use std::ffi::CString;
use std::fmt::Write;
use std::sync::atomic::Ordering;

use commands::{Args, Error};

use crate::call::Call;
use crate::sys::allocator;

/// Clients that take less share a line; each further line begins at twice as much, and the last one
/// has no end.
const FIRST_SHIFT: u32 = 15;
const LAST_SHIFT: u32 = 33;

/// DEBUG MALLCTL control \[value\]: a number of the allocator.
pub(super) fn mallctl(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let new = if args.len() > 3 { Some(args.int(3)? as u64) } else { None };
    match allocator::number(&name(args)?, new) {
        Ok(old) => call.out.int(old as i64),
        Err(reason) => return call.fail(format!("ERR {reason}")),
    }
    Ok(())
}

/// DEBUG MALLCTL-STR control: a text of the allocator. Texts are not changed: the allocator would
/// keep a reference to one that ends with the command.
pub(super) fn mallctl_str(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    match allocator::text(&name(args)?) {
        Ok(text) => call.out.bulk(&text),
        Err(reason) => return call.fail(format!("ERR {reason}")),
    }
    Ok(())
}

fn name(args: &Args<'_>) -> Result<CString, Error> {
    CString::new(args[2]).map_err(|_| Error::Text("ERR No such file or directory"))
}

/// DEBUG CLIENT-EVICTION: how many clients take how much, while there is a limit.
pub(super) fn client_eviction(call: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    if call.local.tunables.client_memory_max == 0 {
        return Err(Error::Text("ERR maxmemory-clients is disabled."));
    }
    let mut sums = [(0, 0); (LAST_SHIFT - FIRST_SHIFT + 1) as usize];
    call.server.clients.each(|client| {
        let bytes = client.accounted.load(Ordering::Relaxed);
        let bits = u64::BITS - bytes.leading_zeros();
        let line = bits.saturating_sub(FIRST_SHIFT).min(LAST_SHIFT - FIRST_SHIFT) as usize;
        sums[line].0 += bytes;
        sums[line].1 += 1;
    });
    let mut text = String::new();
    for (line, (bytes, count)) in sums.iter().enumerate() {
        let shift = FIRST_SHIFT + line as u32;
        let from = if line == 0 { 0 } else { 1_u64 << (shift - 1) };
        let until = format!(" - {:10}", (1_u64 << shift) - 1);
        let until = if shift == LAST_SHIFT { "+            ".to_owned() } else { until };
        // Writing into memory does not fail.
        writeln!(text, "bucket {from:10}{until}: tot-mem: {bytes:10}, clients: {count}").ok();
    }
    call.out.verbatim("txt", text.as_bytes());
    Ok(())
}
