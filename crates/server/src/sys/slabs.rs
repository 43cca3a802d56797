//! How full the allocator's slabs are: runs of pages that it has cut into places of one size.
//!
//! A thread keeps places that it has given back for the next time it asks; what is to be moved to
//! another slab must not get one of these, which may be in the same slab.

use std::ptr;
use std::sync::OnceLock;

use tikv_jemalloc_ctl::{Access, AsName, Mib, epoch, raw, stats};

/// What the allocator tells of an address, in its order.
#[repr(C)]
#[derive(Clone, Copy)]
struct Utilization {
    /// The slab that places of this size are taken from at present.
    current: usize,
    /// Free places of the address's slab, and all of them; 1 for what has pages of its own.
    free: usize,
    all: usize,
    /// Bytes of its slab.
    size: usize,
    /// The same of all slabs that share one supply of places.
    supply_free: usize,
    supply_all: usize,
}

impl Utilization {
    /// Whether the slab is about as empty as its like or emptier, and these are empty enough that
    /// one of them could go.
    fn is_sparse(&self, address: usize) -> bool {
        let is_slab = self.all > 1 && self.free > 0 && self.supply_free >= self.all;
        let is_current = (self.current..self.current + self.size).contains(&address);
        let used = (self.all - self.free.min(self.all)) as u128;
        let supply_used = (self.supply_all - self.supply_free.min(self.supply_all)) as u128;
        // Nothing would move among slabs that are all as full as their mean.
        let is_empty = used * self.supply_all as u128 * 8 <= supply_used * self.all as u128 * 9;
        is_slab && !is_current && is_empty
    }
}

/// Asks of addresses whether their slabs are sparse.
#[derive(Clone, Copy)]
pub struct Query(Option<[usize; 3]>);

impl Query {
    /// Finds the control that tells.
    pub fn new() -> Self {
        static CONTROL: OnceLock<Option<[usize; 3]>> = OnceLock::new();
        let find = || {
            let control: Mib<[usize; 3]> = "experimental.utilization.query\0".name().mib().ok()?;
            Some([control[0], control[1], control[2]])
        };
        Self(*CONTROL.get_or_init(find))
    }

    /// Whether moving what is at an address is likely to make a page free.
    pub fn is_sparse(self, address: *const u8) -> bool {
        let Some(control) = self.0 else { return false };
        let mut told =
            Utilization { current: 0, free: 0, all: 0, size: 0, supply_free: 0, supply_all: 0 };
        let mut len = size_of_val(&told);
        let mut asked = address;
        // SAFETY: the control is given the address of a pointer and its size, and writes as many
        // bytes as `len` says, or refuses. It looks the pointer up and does not follow it.
        let status = unsafe {
            tikv_jemalloc_sys::mallctlbymib(
                control.as_ptr(),
                control.len(),
                ptr::from_mut(&mut told).cast(),
                &raw mut len,
                ptr::from_mut(&mut asked).cast(),
                size_of_val(&asked),
            )
        };
        status == 0 && told.is_sparse(address.addr())
    }
}

/// Bytes of free places in slabs that are in use, and bytes that are in use.
pub fn loss() -> (u64, u64) {
    static BINS: OnceLock<Vec<Bin>> = OnceLock::new();
    // The epoch's number is of no interest, only that the figures are taken anew.
    epoch::advance().ok();
    let lost = BINS.get_or_init(bins).iter().map(Bin::lost).sum();
    (lost, stats::allocated::read().unwrap_or(0) as u64)
}

/// One size of places, and the controls that tell of all slabs of it.
struct Bin {
    size: u64,
    places: u64,
    slabs: Mib<[usize; 6]>,
    used: Mib<[usize; 6]>,
}

impl Bin {
    fn lost(&self) -> u64 {
        let read = |control: &Mib<[usize; 6]>| -> u64 {
            let number: Result<usize, _> = control.read();
            number.unwrap_or(0) as u64
        };
        let all = read(&self.slabs) * self.places;
        all.saturating_sub(read(&self.used)) * self.size
    }
}

fn bins() -> Vec<Bin> {
    let control = |number: u32, what: &str| {
        format!("stats.arenas.4096.bins.{number}.{what}\0").as_bytes().name().mib().ok()
    };
    let bin = |number: u32| {
        let of_size = format!("arenas.bin.{number}.size\0");
        let of_places = format!("arenas.bin.{number}.nregs\0");
        // SAFETY: these controls give a word and a number of 32 bits.
        let (size, places): (usize, u32) =
            unsafe { (raw::read(of_size.as_bytes()).ok()?, raw::read(of_places.as_bytes()).ok()?) };
        Some(Bin {
            size: size as u64,
            places: places.into(),
            slabs: control(number, "curslabs")?,
            used: control(number, "curregs")?,
        })
    };
    (0..).map_while(bin).collect()
}

/// Runs something that neither gets places that this thread keeps nor makes it keep any.
pub fn without_cache<R>(work: impl FnOnce() -> R) -> R {
    let _rest = Restored(switch_cache(false));
    work()
}

struct Restored(bool);

impl Drop for Restored {
    fn drop(&mut self) {
        switch_cache(self.0);
    }
}

/// Turns this thread's cache on or off; what it was before.
fn switch_cache(is_on: bool) -> bool {
    "thread.tcache.enabled\0".name().update(is_on).unwrap_or(is_on)
}

#[cfg(test)]
mod tests;
